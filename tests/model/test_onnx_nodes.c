/* The node cases of onnx.backend.test, through the reader of ONNX and the engine. Each is tried in
 * two ways: its first float32 input depends on the image and all others are constants; and, if
 * there are several, all float32 inputs depend on it. tests/golden/onnx/node_cases.txt says what
 * comes of each way, that and nothing else: what passes by surprise fails this test as what fails
 * does.
 *
 *     XA_NODE_TABLE=new.txt test_onnx_nodes     writes what came of them, to be compared and kept
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/onnx/given.h"
#include "node_cases.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/"

enum { CASES = 778, LEAST = 440, RULES = 64, WORD = 64, WAYS = 2 };
/* Of onnx.backend.test. */
static const double relative = 1e-3, absolute = 1e-7;

/* ---- the table ---- */

typedef struct table {
    char rules[RULES][WORD], words[RULES][256];
    int nrules;
    char (*names)[128];     /* [CASES] */
    char (*verdicts)[WORD]; /* [CASES][WAYS], flat */
    int nrows, passes;
    xa_str head; /* comments and rules, as they stand */
} table;

static void read_table(table *t)
{
    char line[512];
    FILE *f = fopen(GOLDEN "node_cases.txt", "r");
    assert_non_null(f);
    t->names = calloc(CASES, sizeof *t->names);
    t->verdicts = calloc(CASES * WAYS, sizeof *t->verdicts);
    assert_true(t->names && t->verdicts);
    while (fgets(line, sizeof line, f)) {
        char *nl = strchr(line, '\n');
        assert_non_null(nl);
        *nl = '\0';
        if (!strncmp(line, "rule ", 5)) {
            assert_true(t->nrules < RULES);
            assert_int_equal(
                sscanf(line, "rule %63s %255[^\n]", t->rules[t->nrules], t->words[t->nrules]), 2);
            t->nrules++;
        } else if (!strncmp(line, "passes ", 7)) {
            t->passes = atoi(line + 7);
            continue;
        } else if (*line && *line != '#') {
            assert_true(t->nrows < CASES);
            char(*v)[WORD] = &t->verdicts[t->nrows * WAYS];
            assert_true(sscanf(line, "%127s %63s %63s", t->names[t->nrows], v[0], v[1]) >= 2);
            t->nrows++;
            continue;
        }
        xa_str_printf(&t->head, "%s\n", line);
    }
    fclose(f);
}

static const char *const *row_of(const table *t, const char *name)
{
    static const char *row[WAYS];
    for (int i = 0; i < t->nrows; i++)
        if (!strcmp(t->names[i], name)) {
            for (int w = 0; w < WAYS; w++)
                row[w] = t->verdicts[i * WAYS + w];
            return row;
        }
    return NULL;
}

/* ---- one case ---- */

static char path[] = "/tmp/xaudit-node-XXXXXX";

/* What came of a way: a verdict of the table, or why there is none. */
typedef struct outcome {
    char verdict[WORD]; /* "whole", "sample", a rule, "wrong" */
    char message[1024];
} outcome;

static float value_of(const node_value *v, int64_t i)
{
    float x;
    memcpy(&x, v->data + i * 4, sizeof x);
    return x;
}

static bool is_near(double got, double want)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(want) || isinf(got))
        return isinf(got) && isinf(want) && (got > 0.0) == (want > 0.0);
    return fabs(got - want) <= absolute + relative * fabs(want);
}

/* Sample s of `n`: the images' values of it, one after the other. */
static void fill(const node_case *c, unsigned images, int64_t n, float *to)
{
    for (int64_t s = 0; s < n; s++)
        for (int i = 0; i < c->ninputs; i++) {
            if (!(images >> i & 1))
                continue;
            const int64_t count = node_value_count(&c->inputs[i]) / n;
            for (int64_t k = 0; k < count; k++)
                *to++ = value_of(&c->inputs[i], s * count + k);
        }
}

/* Does the output depend on the input, or is it a constant? */
static bool depends(const xa_graph *g, int node)
{
    const xa_node *n = xa_graph_node(g, node);
    bool any = n->op == XA_OP_INPUT;
    for (int i = 0; i < n->ninputs && !any; i++)
        any = depends(g, n->inputs[i]);
    return any;
}

/* The first of `count` values that is not as expected; count: none. A backward pass follows, for
 * what it would do to memory. */
static int64_t run_model(
    const node_case *c, unsigned images, int64_t n, xa_model *m, const node_value *want, float *bad)
{
    xa_err err = XA_ERR_INIT;
    const int64_t count = node_value_count(want);
    const xa_reach reach = {.input = true};
    const xa_plan_spec spec = {.batch = n,
                               .root = xa_model_output(m),
                               .reach = &reach,
                               .nreach = depends(xa_model_graph(m), xa_model_output(m))};
    const xa_weight_reader reader = xa_model_reader(m);
    xa_plan *plan;
    xa_plan_info info;
    xa_run run;
    if (xa_plan_create(xa_model_graph(m), &spec, &plan, &err) != XA_OK)
        fail_msg("%s: %s", c->name, err.message);
    xa_plan_get_info(plan, &info);
    void *blob = xa_alloc_aligned(info.weight_bytes), *arena = xa_alloc_aligned(info.arena_bytes);
    float *seed = calloc((size_t)count, sizeof *seed);
    assert_true(blob && arena && seed);
    memset(arena, 0xff, info.arena_bytes);
    if (xa_plan_pack(plan, &reader, blob, &err) != XA_OK)
        fail_msg("%s: %s", c->name, err.message);
    xa_run_init(&run, plan, blob, arena, NULL);
    fill(c, images, n, xa_run_input(&run));
    xa_run_forward(&run);
    const float *y = xa_run_value(&run, spec.root);
    int64_t i = 0;
    while (i < count && is_near((double)y[i], (double)value_of(want, i)))
        i++;
    *bad = i < count ? y[i] : 0.0f;
    for (int64_t k = 0; k < count; k++)
        seed[k] = 1.0f;
    if (spec.nreach)
        xa_run_backward(&run, 0, seed);
    xa_plan_free(plan);
    free(blob);
    free(arena);
    free(seed);
    return i;
}

static bool
check_output(const node_case *c, unsigned images, int64_t n, int output, xa_model *m, outcome *o)
{
    const node_value *want = &c->outputs[output];
    const xa_node *root = xa_graph_node(xa_model_graph(m), xa_model_output(m));
    float bad;
    if (xa_shape_count(&root->shape) * n != node_value_count(want)) {
        snprintf(o->message, sizeof o->message, "output %d has another count", output);
        return false;
    }
    const int64_t i = run_model(c, images, n, m, want, &bad);
    if (i == node_value_count(want))
        return true;
    snprintf(o->message,
             sizeof o->message,
             "value %" PRId64 " of output %d is %g, expected %g",
             i,
             output,
             (double)bad,
             (double)value_of(want, i));
    return false;
}

/* Opens and runs the case; false: refused. Wrong values: the verdict is "wrong". */
static bool run_case(const node_case *c, unsigned images, int64_t n, outcome *o)
{
    const char *names[NODE_VALUES];
    xa__onnx_given how = {.images = names, .by_sample = n > 1};
    for (int i = 0; i < c->ninputs; i++)
        if (images >> i & 1)
            names[how.nimages++] = c->inputs[i].name;
    xa_str file = node_case_model(c, images);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
    assert_int_equal(fclose(f), 0);
    xa_str_free(&file);
    snprintf(o->verdict, sizeof o->verdict, n > 1 ? "sample" : "whole");
    for (; how.output < c->noutputs; how.output++) {
        xa_model *m;
        xa_err err = XA_ERR_INIT;
        if (xa__onnx_open_given(path, &how, &m, &err) != XA_OK) {
            snprintf(o->message, sizeof o->message, "%s", err.message);
            return false;
        }
        if (!check_output(c, images, n, how.output, m, o))
            snprintf(o->verdict, sizeof o->verdict, "wrong");
        xa_model_free(m);
    }
    return true;
}

/* The batch, where all images and outputs have one of several samples; 1 otherwise. */
static int64_t batch_of(const node_case *c, unsigned images)
{
    const int64_t n = c->outputs[0].rank ? c->outputs[0].dim[0] : 1;
    for (int i = 0; i < c->noutputs; i++)
        if (!c->outputs[i].rank || c->outputs[i].dim[0] != n)
            return 1;
    for (int i = 0; i < c->ninputs; i++)
        if (images >> i & 1 && (!c->inputs[i].rank || c->inputs[i].dim[0] != n))
            return 1;
    return n;
}

static outcome try_case(const table *t, const node_case *c, unsigned images)
{
    outcome o = {0}, by_sample = {0};
    const int64_t n = batch_of(c, images);
    if (run_case(c, images, 1, &o))
        return o;
    if (n > 1 && run_case(c, images, n, &by_sample))
        return by_sample;
    snprintf(o.verdict, sizeof o.verdict, "no-rule");
    for (int i = t->nrules - 1; i >= 0; i--) /* the first that fits */
        if (strstr(o.message, t->words[i]))
            snprintf(o.verdict, sizeof o.verdict, "%s", t->rules[i]);
    return o;
}

static bool passes(const char *verdict)
{
    return !strcmp(verdict, "whole") || !strcmp(verdict, "sample");
}

/* The inputs that depend on the image; 0: this way is none. */
static unsigned images_of(const node_case *c, int way)
{
    unsigned all = 0;
    for (int i = 0; i < c->ninputs; i++)
        if (c->inputs[i].type == NODE_FLOAT && node_value_count(&c->inputs[i]) > 0)
            all |= 1u << i;
    const unsigned first = all & -all;
    return way == 0 ? first : all == first ? 0 : all;
}

static void test_cases(void **state)
{
    table t = {0};
    node_cases all = {0};
    xa_str made = {0};
    int differ = 0, passed = 0, second = 0;
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    read_table(&t);
    node_cases_read(GOLDEN "node_cases.pack", &all);
    assert_int_equal(all.n, CASES);
    for (int i = 0; i < all.n; i++) {
        const node_case *c = &all.cases[i];
        const char *const *row = row_of(&t, c->name);
        xa_str_printf(&made, "%s", c->name);
        for (int way = 0; way < WAYS; way++) {
            const unsigned images = images_of(c, way);
            const char *want = row ? row[way] : "";
            outcome o = {0};
            if (images)
                o = try_case(&t, c, images);
            passed += way == 0 && passes(o.verdict);
            second += way == 1 && passes(o.verdict);
            if (images)
                xa_str_printf(&made, " %s", o.verdict);
            if (!strcmp(o.verdict, want) && strcmp(want, "wrong") != 0)
                continue;
            differ++;
            fprintf(stderr,
                    "  %s, %s: expected \"%s\", found \"%s\"%s%s\n",
                    c->name,
                    way ? "all inputs" : "first input",
                    want,
                    o.verdict,
                    *o.message ? ": " : "",
                    o.message);
        }
        xa_str_puts(&made, "\n");
    }
    unlink(path);
    printf("  %d of %d cases pass, %d with all their inputs\n", passed, all.n, second);
    if (getenv("XA_NODE_TABLE")) {
        FILE *f = fopen(getenv("XA_NODE_TABLE"), "w");
        assert_non_null(f);
        fprintf(f, "%spasses %d\n%s", t.head.data ? t.head.data : "", passed, made.data);
        assert_int_equal(fclose(f), 0);
    }
    for (int k = 0; k < t.nrules; k++) {
        bool used = false;
        for (int i = 0; i < t.nrows * WAYS; i++)
            used = used || !strcmp(t.verdicts[i], t.rules[k]);
        if (!used)
            fail_msg("rule \"%s\" of node_cases.txt refuses no case", t.rules[k]);
    }
    assert_false(made.failed);
    assert_int_equal(differ, 0);
    assert_int_equal(t.nrows, CASES);
    assert_int_equal(passed, t.passes);
    assert_true(passed >= LEAST);
    free(t.names);
    free(t.verdicts);
    xa_str_free(&t.head);
    xa_str_free(&made);
    node_cases_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
