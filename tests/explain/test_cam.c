/* CAM explainers: cases whose answer is known on paper, and the definitions written out once more.
 */
#include <math.h>
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

enum { H = 3, W = 4, K = 70, P = H * W };

typedef struct fixture {
    float a[P * K], g[P * K];
    xa_explain_view view;
} fixture;

static void fill(fixture *f, uint64_t seed)
{
    for (int i = 0; i < P * K; i++) {
        f->a[i] = (float)fmax(0.0, xa_random_unit(seed, 0, (uint64_t)i) - 0.3);
        f->g[i] = (float)(xa_random_unit(seed, 1, (uint64_t)i) - 0.5);
    }
    f->view = (xa_explain_view){
        .layer_shape = {.ndim = 3, .dim = {H, W, K}}, .layer_value = f->a, .layer_gradient = f->g};
}

static void run(const fixture *f, xa_explainer_kind kind, bool relu, float *map)
{
    xa_explainer_spec s = xa_explainer_defaults(kind);
    s.relu = relu;
    xa_explainer_get(kind)->compute(&s, &f->view, map);
}

static void compare(const char *what, const float *map, const double *want)
{
    double top = 0.0;
    for (int p = 0; p < P; p++)
        top = fmax(top, fabs(want[p]));
    for (int p = 0; p < P; p++)
        if (!(fabs((double)map[p] - want[p]) <= 1e-6 * top))
            fail_msg("%s at %d: %.9g, expected %.9g", what, p, (double)map[p], want[p]);
}

/* Global average pooling and a linear head: g_ijk = w_k/(h w), so that Grad-CAM is CAM/(h w)
 * (Selvaraju et al. 2017, appendix A), and HiResCAM the same. */
static void test_gap_linear_is_cam(void **state)
{
    (void)state;
    fixture f;
    float gradcam[P], hirescam[P];
    double want[P];
    fill(&f, 1);
    for (int p = 0; p < P; p++) {
        want[p] = 0.0;
        for (int k = 0; k < K; k++) {
            const double w = sin((double)k);
            f.g[p * K + k] = (float)(w / P);
            want[p] += w / P * (double)f.a[p * K + k];
        }
        want[p] = fmax(0.0, want[p]);
    }
    run(&f, XA_EXPLAIN_GRADCAM, true, gradcam);
    run(&f, XA_EXPLAIN_HIRESCAM, true, hirescam);
    compare("gradcam", gradcam, want);
    compare("hirescam", hirescam, want);
}

static double weight_of(const fixture *f, xa_explainer_kind kind, int k)
{
    double weight = 0.0, total = 0.0, product = 0.0;
    for (int p = 0; p < P; p++) {
        total += (double)f->a[p * K + k];
        product += (double)f->a[p * K + k] * (double)f->g[p * K + k];
    }
    for (int p = 0; p < P; p++) {
        const double g = (double)f->g[p * K + k];
        if (kind == XA_EXPLAIN_GRADCAM)
            weight += g / P;
        else if (kind == XA_EXPLAIN_GRADCAM_PP && g != 0.0)
            weight += g * g / (2.0 * g * g + total * g * g * g + 1e-6) * fmax(g, 0.0);
    }
    return kind == XA_EXPLAIN_XGRADCAM ? product / (total + 1e-7) : weight;
}

static void test_definitions(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {
        XA_EXPLAIN_GRADCAM, XA_EXPLAIN_GRADCAM_PP, XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    double want[P];
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(&f, seed);
        for (int i = 0; i < 3; i++)
            for (int relu = 0; relu < 2; relu++) {
                for (int p = 0; p < P; p++) {
                    want[p] = 0.0;
                    for (int k = 0; k < K; k++)
                        want[p] += weight_of(&f, kinds[i], k) * (double)f.a[p * K + k];
                    want[p] = relu ? fmax(0.0, want[p]) : want[p];
                }
                run(&f, kinds[i], relu, map);
                compare(xa_explainer_get(kinds[i])->name, map, want);
            }
        for (int p = 0; p < P; p++) {
            want[p] = 0.0;
            for (int k = 0; k < K; k++)
                want[p] += fmax(0.0, (double)f.g[p * K + k]) * (double)f.a[p * K + k];
        }
        run(&f, XA_EXPLAIN_LAYERCAM, true, map);
        compare("layercam", map, want);
    }
}

/* Nothing to see: zeros, never NaN. */
static void test_zero_activations(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {XA_EXPLAIN_GRADCAM,
                                       XA_EXPLAIN_GRADCAM_PP,
                                       XA_EXPLAIN_HIRESCAM,
                                       XA_EXPLAIN_LAYERCAM,
                                       XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    fill(&f, 3);
    memset(f.a, 0, sizeof f.a);
    for (int i = 0; i < 5; i++) {
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            assert_true(map[p] == 0.0f);
    }
    fill(&f, 3);
    memset(f.g, 0, sizeof f.g);
    for (int i = 0; i < 5; i++) {
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            assert_true(map[p] == 0.0f);
    }
}

/* A NaN in a gradient must be seen in the map, not swallowed by the ReLU. */
static void test_nan_survives(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {XA_EXPLAIN_GRADCAM,
                                       XA_EXPLAIN_GRADCAM_PP,
                                       XA_EXPLAIN_HIRESCAM,
                                       XA_EXPLAIN_LAYERCAM,
                                       XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    for (int i = 0; i < 5; i++) {
        bool found = false;
        fill(&f, 4);
        f.a[5 * K + 66] = 0.5f;
        f.g[5 * K + 66] = NAN;
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            found = found || isnan(map[p]);
        if (!found)
            fail_msg("%s hides a NaN", xa_explainer_get(kinds[i])->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gap_linear_is_cam),
                                       cmocka_unit_test(test_definitions),
                                       cmocka_unit_test(test_zero_activations),
                                       cmocka_unit_test(test_nan_survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
