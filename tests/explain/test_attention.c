/* Attention explainers against their definitions written out with whole matrices in double, on
 * random attention of several layers and heads, with a class token, with two tokens in front, and
 * mean-pooled. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

enum { L = 3, HEADS = 2, GH = 2, GW = 3, PATCHES = GH * GW, MOST = PATCHES + 2 };

typedef struct stack {
    xa_tokens tokens;
    int n;
    float p[L][HEADS][MOST * MOST], g[L][HEADS][MOST * MOST];
} stack;

static stack make_stack(int prefix, int64_t query, uint64_t seed)
{
    stack s = {.tokens = {.prefix = prefix,
                          .height = GH,
                          .width = GW,
                          .query = query,
                          .heads = HEADS,
                          .nlayers = L},
               .n = PATCHES + prefix};
    for (int l = 0; l < L; l++)
        for (int h = 0; h < HEADS; h++)
            for (int i = 0; i < s.n; i++) {
                double sum = 0.0, row[MOST];
                for (int j = 0; j < s.n; j++) {
                    const uint64_t at = (uint64_t)(((l * HEADS + h) * MOST + i) * MOST + j);
                    row[j] = exp(3.0 * xa_random_unit(seed, 0, at));
                    sum += row[j];
                    s.g[l][h][i * s.n + j] = (float)(xa_random_unit(seed, 1, at) - 0.4);
                }
                for (int j = 0; j < s.n; j++)
                    s.p[l][h][i * s.n + j] = (float)(row[j] / sum);
            }
    return s;
}

static xa_explain_facts facts; /* of the last run */

/* Runs an explainer over the stack as the engine would. */
static void run(const stack *s, const xa_explainer_spec *spec, int layer, float *map)
{
    const xa_explainer_def *def = xa_explainer_get(spec->kind);
    const bool backward = def->needs & XA_NEEDS_ATTENTION_GRADIENT;
    const xa_attention_site site = {&s->tokens, layer};
    const size_t bytes = def->state_bytes(spec, &site);
    unsigned char *state = xa_alloc_aligned(bytes + 64);
    assert_non_null(state);
    memset(state, 0, bytes);
    memset(state + bytes, 0x5A, 64);
    for (int i = 0; i < L; i++)
        for (int h = 0; h < HEADS; h++) {
            const int l = backward ? L - 1 - i : i;
            const xa_attention_view v = {.head = h,
                                         .heads = HEADS,
                                         .rows = s->n,
                                         .columns = s->n,
                                         .probs = s->p[l][h],
                                         .gradient = backward ? s->g[l][h] : NULL};
            def->observe(spec, &site, state, l, &v);
        }
    const xa_explain_view view = {.attention = site, .state = state, .facts = &facts};
    facts = (xa_explain_facts){NAN, NAN, NAN, NAN};
    def->compute(spec, &view, map);
    for (int i = 0; i < 64; i++)
        assert_int_equal(state[bytes + (size_t)i], 0x5A);
    free(state);
}

static void compare(const char *what, int n, const float *map, const double *want)
{
    double top = 0.0;
    for (int p = 0; p < n; p++)
        top = fmax(top, fabs(want[p]));
    assert_true(top > 0.0);
    for (int p = 0; p < n; p++)
        if (!(fabs((double)map[p] - want[p]) <= 2e-6 * top))
            fail_msg("%s at %d: %.9g, expected %.9g", what, p, (double)map[p], want[p]);
}

/* ---- the definitions ---- */

typedef double matrix[MOST * MOST];

static void multiply(int n, const double *a, const double *b, double *c)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            c[i * n + j] = 0.0;
            for (int k = 0; k < n; k++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
        }
}

static void fuse(const stack *s, int l, xa_fuse how, int weighting, double *a)
{
    for (int i = 0; i < s->n * s->n; i++) {
        double v[HEADS];
        for (int h = 0; h < HEADS; h++) {
            const double p = (double)s->p[l][h][i], g = (double)s->g[l][h][i];
            v[h] = weighting == 0 ? p : weighting == 1 ? p * g : fmax(0.0, p * g);
        }
        a[i] = how == XA_FUSE_MAX   ? fmax(v[0], v[1])
               : how == XA_FUSE_MIN ? fmin(v[0], v[1])
                                    : (v[0] + v[1]) / 2.0;
        if (weighting == 1)
            a[i] = fmax(0.0, a[i]);
    }
}

/* Lowest entries to 0, one after the other; entry 0 stays. */
static void discard(int n, double share, double *a)
{
    bool gone[MOST * MOST] = {false};
    for (int k = 0; k < (int)(n * n * share); k++) {
        int lowest = -1;
        for (int i = 0; i < n * n; i++)
            if (!gone[i] && (lowest < 0 || a[i] < a[lowest]))
                lowest = i;
        gone[lowest] = true;
    }
    for (int i = 1; i < n * n; i++)
        a[i] = gone[i] ? 0.0 : a[i];
}

enum { BY_ROWS, BY_MATRIX, ADDED };

/* Product of A + I from layer L - 1 down to start, then the row the head reads. */
static void
product(const stack *s, xa_fuse how, int weighting, double share, int start, int norm, double *want)
{
    matrix r, a, next;
    const int n = s->n;
    for (int i = 0; i < n * n; i++)
        r[i] = i % (n + 1) == 0;
    for (int l = L - 1; l >= start; l--) {
        double total = 0.0;
        fuse(s, l, how, weighting, a);
        discard(n, share, a);
        for (int i = 0; i < n; i++)
            a[i * n + i] += 1.0;
        for (int i = 0; i < n * n; i++)
            total += a[i];
        for (int i = 0; i < n; i++) {
            double sum = 0.0;
            for (int j = 0; j < n; j++)
                sum += a[i * n + j];
            for (int j = 0; j < n; j++)
                a[i * n + j] /= norm == BY_ROWS ? sum : norm == BY_MATRIX ? total : 1.0;
        }
        multiply(n, r, a, next);
        memcpy(r, next, sizeof r);
    }
    for (int p = 0; p < PATCHES; p++) {
        const int j = (int)s->tokens.prefix + p;
        want[p] = 0.0;
        for (int i = 0; s->tokens.query < 0 && i < PATCHES; i++)
            want[p] += r[((int)s->tokens.prefix + i) * n + j] / PATCHES;
        if (s->tokens.query >= 0)
            want[p] = r[(int)s->tokens.query * n + j];
        if (norm == ADDED && s->tokens.query < 0)
            want[p] -= 1.0 / PATCHES;
    }
}

/* ---- cases ---- */

static const struct {
    int prefix;
    int64_t query;
} layouts[] = {{1, 0}, {2, 0}, {2, 1}, {0, -1}, {1, -1}};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static void test_rollout(void **state)
{
    (void)state;
    static const xa_fuse fuses[] = {XA_FUSE_MEAN, XA_FUSE_MAX, XA_FUSE_MIN};
    for (int i = 0; i < LAYOUTS; i++)
        for (int f = 0; f < 3; f++)
            for (int start = 0; start < L; start++)
                for (int d = 0; d < 2; d++) {
                    const stack s = make_stack(layouts[i].prefix, layouts[i].query, 5);
                    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT);
                    float map[PATCHES];
                    double want[PATCHES];
                    spec.heads = fuses[f];
                    spec.start = start;
                    spec.discard = d ? 0.6 : 0.0;
                    run(&s, &spec, 0, map);
                    product(&s, fuses[f], 0, spec.discard, start, BY_ROWS, want);
                    compare("rollout", PATCHES, map, want);
                }
}

static void test_vit_keras(void **state)
{
    (void)state;
    const stack s = make_stack(1, 0, 6);
    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT);
    float map[PATCHES], rows[PATCHES];
    double want[PATCHES], top = 0.0, rows_top = 0.0;
    run(&s, &spec, 0, rows);
    spec.vit_keras = true;
    run(&s, &spec, 0, map);
    product(&s, XA_FUSE_MEAN, 0, 0.0, 0, BY_MATRIX, want);
    for (int p = 0; p < PATCHES; p++)
        top = fmax(top, want[p]);
    for (int p = 0; p < PATCHES; p++) {
        want[p] /= top;
        rows_top = fmax(rows_top, (double)rows[p]);
    }
    compare("attention_map", PATCHES, map, want);
    /* the whole matrix's sum is one factor a layer: by rows it is the same map */
    for (int p = 0; p < PATCHES; p++)
        assert_true(fabs((double)rows[p] / rows_top - want[p]) < 1e-5);
}

static void test_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < LAYOUTS; i++)
        for (int start = 0; start < L; start++) {
            const stack s = make_stack(layouts[i].prefix, layouts[i].query, 7);
            float map[PATCHES];
            double want[PATCHES];
            xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_GRAD_ROLLOUT);
            spec.start = start;
            spec.discard = start == 1 ? 0.3 : 0.0;
            run(&s, &spec, 0, map);
            product(&s, XA_FUSE_MEAN, 1, spec.discard, start, BY_ROWS, want);
            compare("grad_rollout", PATCHES, map, want);
            spec = xa_explainer_defaults(XA_EXPLAIN_RELEVANCE);
            spec.start = start;
            run(&s, &spec, 0, map);
            product(&s, XA_FUSE_MEAN, 2, 0.0, start, ADDED, want);
            compare("relevance", PATCHES, map, want);
        }
}

/* The definition with whole matrices: R <- (sum_h w_h P^h + I) R from the input on, the query's
 * row. */
static void weighted_rollout(const stack *s, bool l2, int start, double *row)
{
    static double r[MOST][MOST], next[MOST][MOST];
    const int n = s->n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            r[i][j] = i == j;
    for (int l = start; l < L; l++) {
        double weight[HEADS], total = 0.0;
        for (int h = 0; h < HEADS; h++) {
            weight[h] = 0.0;
            for (int i = 0; i < n * n; i++) {
                const double g = (double)s->g[l][h][i];
                weight[h] += l2 ? g * g : fabs(g);
            }
            weight[h] = l2 ? sqrt(weight[h]) : weight[h];
            total += weight[h];
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                next[i][j] = r[i][j];
                for (int h = 0; h < HEADS; h++)
                    for (int k = 0; k < n; k++)
                        next[i][j] += weight[h] / total * (double)s->p[l][h][i * n + k] * r[k][j];
            }
        memcpy(r, next, sizeof r);
    }
    for (int j = 0; j < n; j++) {
        row[j] = 0.0;
        for (int i = 0; i < PATCHES; i++)
            row[j] += s->tokens.query >= 0 ? (i ? 0.0 : r[s->tokens.query][j])
                                           : r[(int)s->tokens.prefix + i][j] / PATCHES;
    }
}

static void test_gmar(void **state)
{
    (void)state;
    for (int i = 0; i < LAYOUTS; i++)
        for (int start = 0; start < 2; start++)
            for (int norm = 0; norm < 2; norm++) {
                const stack s = make_stack(layouts[i].prefix, layouts[i].query, 11);
                xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_GMAR);
                float map[PATCHES];
                double row[MOST];
                spec.start = start;
                spec.norm_l2 = norm == 1;
                run(&s, &spec, 0, map);
                weighted_rollout(&s, spec.norm_l2, start, row);
                compare("gmar", PATCHES, map, row + s.tokens.prefix);
                double before = 0.0, all = 0.0;
                for (int j = 0; j < s.n; j++) {
                    before += j < s.tokens.prefix ? row[j] : 0.0;
                    all += row[j];
                }
                assert_true(fabs(facts.prefix_mass - before / all) < 1e-6);
            }
}

static double query_row(const stack *s, const float *m, int p)
{
    const int j = (int)s->tokens.prefix + p;
    double sum = 0.0;
    if (s->tokens.query >= 0)
        return (double)m[s->tokens.query * s->n + j];
    for (int i = 0; i < PATCHES; i++)
        sum += (double)m[((int)s->tokens.prefix + i) * s->n + j] / PATCHES;
    return sum;
}

static void test_one_layer(void **state)
{
    (void)state;
    for (int i = 0; i < LAYOUTS; i++)
        for (int l = 0; l < L; l++) {
            const stack s = make_stack(layouts[i].prefix, layouts[i].query, 8);
            xa_explainer_spec raw = xa_explainer_defaults(XA_EXPLAIN_ATTENTION);
            xa_explainer_spec cam = xa_explainer_defaults(XA_EXPLAIN_ATTENTION_GRADCAM);
            float map[HEADS * PATCHES];
            double heads[HEADS * PATCHES], mean[PATCHES], cams[HEADS * PATCHES], fused[PATCHES];
            for (int h = 0; h < HEADS; h++) {
                double w = 0.0;
                for (int p = 0; p < PATCHES; p++)
                    w += query_row(&s, s.g[l][h], p) / PATCHES;
                for (int p = 0; p < PATCHES; p++) {
                    heads[h * PATCHES + p] = query_row(&s, s.p[l][h], p);
                    cams[h * PATCHES + p] = w * heads[h * PATCHES + p];
                }
            }
            for (int p = 0; p < PATCHES; p++) {
                mean[p] = (heads[p] + heads[PATCHES + p]) / 2.0;
                fused[p] = (cams[p] + cams[PATCHES + p]) / 2.0;
            }
            run(&s, &raw, l, map);
            compare("attention", PATCHES, map, mean);
            raw.heads = XA_FUSE_NONE;
            run(&s, &raw, l, map);
            compare("attention by heads", HEADS * PATCHES, map, heads);
            cam.relu = false;
            run(&s, &cam, l, map);
            compare("attention_gradcam", PATCHES, map, fused);
            cam.relu = true;
            run(&s, &cam, l, map);
            for (int p = 0; p < PATCHES; p++)
                assert_true(fabs((double)map[p] - fmax(0.0, fused[p])) < 1e-6);
            cam.heads = XA_FUSE_NONE;
            cam.relu = false;
            run(&s, &cam, l, map);
            compare("attention_gradcam by heads", HEADS * PATCHES, map, cams);
        }
}

/* 24 layers of 577 tokens: the matrix sums leave 1e-69, which float32 cannot hold. */
static void test_deep_stack_stays_above_zero(void **state)
{
    (void)state;
    enum { DEEP = 24, SIDE = 24, N = SIDE * SIDE + 1 };
    const xa_tokens t = {.prefix = 1, .height = SIDE, .width = SIDE, .heads = 1, .nlayers = DEEP};
    const xa_attention_site site = {&t, 0};
    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT);
    const xa_explainer_def *def = xa_explainer_get(spec.kind);
    float *p = malloc((size_t)N * N * sizeof *p), *map = malloc((size_t)N * sizeof *map);
    assert_true(p && map);
    spec.vit_keras = true;
    unsigned char *memory = xa_alloc_aligned(def->state_bytes(&spec, &site));
    assert_non_null(memory);
    for (int l = 0; l < DEEP; l++) {
        for (int i = 0; i < N * N; i++)
            p[i] = 1.0f / N;
        const xa_attention_view v = {.head = 0, .heads = 1, .rows = N, .columns = N, .probs = p};
        def->observe(&spec, &site, memory, l, &v);
    }
    const xa_explain_view view = {.attention = site, .state = memory};
    def->compute(&spec, &view, map);
    for (int i = 0; i < N - 1; i++)
        assert_true(map[i] > 0.99f && map[i] <= 1.0f);
    free(memory);
    free(map);
    free(p);
}

static void test_refusals(void **state)
{
    (void)state;
    const xa_tokens t = {
        .prefix = 1, .height = 4, .width = 5, .query = 0, .heads = 3, .nlayers = 6};
    const xa_shape image = {.ndim = 3, .dim = {64, 80, 3}}, tokens = {.ndim = 2, .dim = {21, 8}},
                   other = {.ndim = 2, .dim = {22, 8}};
    xa_err err = XA_ERR_INIT;
    xa_shape out;
    xa_explainer_spec s = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT);
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, &t, &out, &err), XA_OK);
    assert_true(out.dim[0] == 1 && out.dim[1] == 4 && out.dim[2] == 5);
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, NULL, &out, &err), XA_SHAPE);
    assert_non_null(strstr(err.message, "vision transformer"));
    s.start = 6;
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, &t, &out, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "6 attention layers (0 to 5)"));
    s.start = 0;
    s.heads = XA_FUSE_NONE;
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, &t, &out, &err), XA_INVALID);
    s = xa_explainer_defaults(XA_EXPLAIN_ATTENTION);
    s.heads = XA_FUSE_NONE;
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, &t, &out, &err), XA_OK);
    assert_int_equal(out.dim[0], 3);
    s = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    assert_int_equal(xa_explain_shape(&s, &image, &tokens, &t, &out, &err), XA_OK);
    assert_true(out.dim[1] == 4 && out.dim[2] == 5);
    assert_int_equal(xa_explain_shape(&s, &image, &other, &t, &out, &err), XA_SHAPE);
    assert_non_null(strstr(err.message, "[22,8]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rollout),
        cmocka_unit_test(test_vit_keras),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_gmar),
        cmocka_unit_test(test_one_layer),
        cmocka_unit_test(test_deep_stack_stays_above_zero),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
