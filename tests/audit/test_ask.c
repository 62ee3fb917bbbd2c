/* Questions about perturbed inputs: how many passes they cost, what is shared, completeness, and
 * what is refused. */
#include <math.h>
#include <string.h>

#include "faithful.h"
#include "xaudit_cmocka.h"

/* ---- passes ---- */

typedef struct passes {
    int first, forward, backward; /* the node that stands for a pass of each sort */
    int last_backward;
} passes;

static void count(void *arg, const xa_work *w)
{
    passes *p = arg;
    if (w->kind == XA_WORK_FORWARD && (p->first < 0 || w->node == p->first)) {
        p->first = w->node;
        p->forward++;
    }
    if (w->kind == XA_WORK_BACKWARD && (p->last_backward < 0 || w->node == p->last_backward)) {
        p->last_backward = w->node;
        p->backward++;
    }
}

static xa_explainer_spec kind(xa_explainer_kind k, const char *name)
{
    xa_explainer_spec s = xa_explainer_defaults(k);
    snprintf(s.name, sizeof s.name, "%s", name);
    return s;
}

/* Forward and backward passes of four images. */
static passes passes_of(xa_explainer_spec *explainers, int n, int64_t batch)
{
    faithful f;
    passes p = {.first = -1, .last_backward = -1};
    const xa_profile profile = {count, &p};
    faithful_start(&f, "cnn", batch, explainers, n);
    xa_audit_profile(f.audit, 0, &profile);
    for (int64_t i = 0; i < FAITHFUL_IMAGES; i += batch)
        faithful_run(&f, i, batch);
    faithful_stop(&f);
    return p;
}

static void test_passes(void **state)
{
    xa_explainer_spec s[3] = {kind(XA_EXPLAIN_SMOOTHGRAD, "a"),
                              kind(XA_EXPLAIN_SMOOTHGRAD, "b"),
                              kind(XA_EXPLAIN_SMOOTHGRAD, "c")};
    passes p;
    (void)state;
    s[0].draws = 6;
    s[1].draws = 6;
    s[1].statistic = XA_STATISTIC_SQUARED;
    s[2].draws = 7;
    s[2].statistic = XA_STATISTIC_VARIANCE;
    /* four images in a batch of 4: 4 x 7 noisy inputs are 7 passes, whoever reads them */
    p = passes_of(s, 3, 4);
    assert_int_equal(p.forward, 1 + 7);
    assert_int_equal(p.backward, 7);
    /* of another sigma they are other inputs: 4 x 6 more */
    s[1].sigma = 0.2;
    p = passes_of(s, 3, 4);
    assert_int_equal(p.forward, 1 + 7 + 6);
    /* of another class: the same inputs, and a second backward pass of each pass that has one of
     * its six draws of each image, which are all seven */
    s[1].sigma = s[0].sigma;
    s[1].target = XA_TARGET_CLASS;
    s[1].target_class = 4;
    p = passes_of(s, 3, 4);
    assert_int_equal(p.forward, 1 + 7);
    assert_int_equal(p.backward, 7 + 7);
    /* 32 points of four images and their four baselines: 32 passes and one */
    s[0] = kind(XA_EXPLAIN_INTEGRATED_GRADIENTS, "ig");
    p = passes_of(s, 1, 4);
    assert_int_equal(p.forward, 1 + 32 + 1);
    assert_int_equal(p.backward, 32);
    /* the slots are filled by several images and explainers: 4 x 33 and 4 x 49 inputs */
    s[1] = kind(XA_EXPLAIN_OCCLUSION, "o");
    s[1].cells = 4;
    p = passes_of(s, 2, 1);
    assert_int_equal(p.forward, 4 * (1 + 33 + 49));
    p = passes_of(s, 2, 2);
    assert_int_equal(p.forward, 2 * (1 + 32 + (2 * 1 + 2 * 49) / 2));
}

/* A second explainer beside it, in whatever order, changes nothing. */
static void test_company(void **state)
{
    xa_explainer_spec alone = kind(XA_EXPLAIN_SMOOTHGRAD, "a"), many[3];
    faithful f, g;
    (void)state;
    alone.draws = 5;
    many[0] = kind(XA_EXPLAIN_SMOOTHGRAD, "b");
    many[0].draws = 9;
    many[0].target = XA_TARGET_CLASS;
    many[0].target_class = 1;
    many[1] = alone;
    many[2] = kind(XA_EXPLAIN_RISE, "r");
    many[2].draws = 10;
    faithful_start(&f, "cnn", 3, &alone, 1);
    faithful_start(&g, "cnn", 2, many, 3);
    faithful_run(&f, 0, 3);
    faithful_run(&g, 0, 2);
    const xa_shape shape = xa_audit_map_shape(f.audit, 0, 0);
    assert_memory_equal(f.rows->models[0].maps[0].values,
                        g.rows->models[0].maps[1].values,
                        2 * (size_t)xa_shape_count(&shape) * sizeof(float));
    faithful_stop(&f);
    faithful_stop(&g);
}

/* ---- completeness ---- */

/* Of integrated gradients by several rules, beside float64; `bound` in the score. */
static void check_completeness(
    const char *model, const char *golden, xa_quadrature rule, int steps, double bound)
{
    char name[128];
    xa_explainer_spec s = kind(XA_EXPLAIN_INTEGRATED_GRADIENTS, "ig");
    faithful f;
    s.quadrature = rule;
    s.steps = steps;
    snprintf(name, sizeof name, "%s/ig_completeness.black.%s.%d", model, golden, steps);
    faithful_array want = faithful_read(name);
    snprintf(name, sizeof name, "%s/ig_total", model);
    faithful_array total = faithful_read(name);
    faithful_start(&f, model, 4, &s, 1);
    faithful_run(&f, 0, FAITHFUL_IMAGES);
    const xa_map_rows *x = &f.rows->models[0].maps[0];
    for (int i = 0; i < FAITHFUL_IMAGES; i++) {
        assert_true(fabs(x->completeness[i] - want.values[i]) <= bound);
        assert_true(fabs(x->explained[2 * i] - x->explained[2 * i + 1] - total.values[i]) <= 1e-5);
    }
    faithful_stop(&f);
    faithful_free(&want);
    faithful_free(&total);
}

static void test_completeness(void **state)
{
    (void)state;
    check_completeness("vit", "middle", XA_QUADRATURE_MIDDLE, 8, 1e-4);
    check_completeness("vit", "middle", XA_QUADRATURE_MIDDLE, 50, 1e-4);
    check_completeness("vit", "trapezoid", XA_QUADRATURE_TRAPEZOID, 16, 1e-4);
    check_completeness("vit", "gauss", XA_QUADRATURE_GAUSS, 16, 1e-4);
    check_completeness("vit", "gauss", XA_QUADRATURE_GAUSS, 50, 1e-4);
    /* where kinks of ReLU lie beside a point, float32 may see the other side */
    check_completeness("cnn", "middle", XA_QUADRATURE_MIDDLE, 50, 0.05);
    check_completeness("cnn", "gauss", XA_QUADRATURE_GAUSS, 50, 0.05);
}

/* Of expected gradients, whose sum is complete in expectation alone. */
static void test_expected_completeness(void **state)
{
    static const char *const models[] = {"cnn", "vit"};
    (void)state;
    for (int m = 0; m < 2; m++) {
        char name[64];
        xa_explainer_spec s = kind(XA_EXPLAIN_EXPECTED_GRADIENTS, "eg");
        faithful f;
        s.draws = 16;
        snprintf(name, sizeof name, "%s/eg_completeness", models[m]);
        faithful_array want = faithful_read(name);
        faithful_start(&f, models[m], 1, &s, 1);
        for (int i = 0; i < FAITHFUL_IMAGES; i++) {
            faithful_golden(&f, i);
            assert_true(fabs(f.rows->models[0].maps[0].completeness[0] - want.values[i]) <= 1e-3);
        }
        faithful_stop(&f);
        faithful_free(&want);
    }
}

/* A reference that cannot be read leaves maps that are not finite, and says so in their flags. */
static void test_lost_reference(void **state)
{
    static const char lost[] = "a\n/nowhere/a.png\nb\n/nowhere/b.png\n";
    xa_explainer_spec s[2] = {kind(XA_EXPLAIN_EXPECTED_GRADIENTS, "eg"),
                              kind(XA_EXPLAIN_SALIENCY, "saliency")};
    xa_err err = XA_ERR_INIT;
    faithful f;
    (void)state;
    s[0].draws = 3;
    faithful_start(&f, "cnn", 2, s, 2);
    assert_int_equal(xa_audit_set_references(f.audit, lost, sizeof lost - 1, &err), XA_OK);
    assert_int_equal(xa_audit_references(f.audit), 2);
    faithful_run(&f, 0, 2);
    const xa_map_rows *maps = f.rows->models[0].maps;
    for (int i = 0; i < 2; i++) {
        assert_true(maps[0].flags[i] & XA_MAP_FLAG_NONFINITE);
        assert_true(isnan(maps[0].completeness[i]));
        assert_int_equal(maps[1].flags[i], 0);
    }
    faithful_stop(&f);
}

/* On a smooth model 64 steps leave less than a thousandth of the difference of scores. */
static void test_smooth_model(void **state)
{
    xa_explainer_spec s = kind(XA_EXPLAIN_INTEGRATED_GRADIENTS, "ig");
    faithful f;
    (void)state;
    s.steps = 64;
    faithful_start(&f, "vit", 4, &s, 1);
    faithful_run(&f, 0, FAITHFUL_IMAGES);
    const xa_map_rows *x = &f.rows->models[0].maps[0];
    for (int i = 0; i < FAITHFUL_IMAGES; i++)
        assert_true(fabs(x->completeness[i]) <
                    1e-3 * fabs(x->explained[2 * i] - x->explained[2 * i + 1]));
    faithful_stop(&f);
}

/* ---- refusals ---- */

static void refused(const char *model, xa_explainer_spec s, const char *words)
{
    char why[XA_ERR_MESSAGE];
    assert_false(faithful_takes(model, &s, why));
    if (!strstr(why, words))
        fail_msg("\"%s\" does not say \"%s\"", why, words);
}

static void test_refusals(void **state)
{
    xa_explainer_spec s = kind(XA_EXPLAIN_ABLATIONCAM, "ab");
    (void)state;
    snprintf(s.layer, sizeof s.layer, "blocks.1.mlp");
    refused("vit", s, "choose a layer that all paths lead through");
    s = kind(XA_EXPLAIN_RISE, "rise");
    s.score = XA_SCORE_FINER;
    refused("cnn", s, "write another score");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_passes),
                                       cmocka_unit_test(test_company),
                                       cmocka_unit_test(test_completeness),
                                       cmocka_unit_test(test_smooth_model),
                                       cmocka_unit_test(test_expected_completeness),
                                       cmocka_unit_test(test_lost_reference),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
