/* Explainers of a tiny CNN and a tiny transformer against float64 (tests/golden/faithfulness). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "faithful.h"
#include "xaudit_cmocka.h"

static void block1(xa_explainer_spec *s)
{
    snprintf(s->layer, sizeof s->layer, "blocks.1");
}

static void finer(xa_explainer_spec *s)
{
    s->score = XA_SCORE_FINER;
}

static void attnlrp(xa_explainer_spec *s)
{
    s->backward = XA_RULES_ATTNLRP;
}

static void cp_lrp(xa_explainer_spec *s)
{
    s->backward = XA_RULES_CP_LRP;
}

static void path50(xa_explainer_spec *s)
{
    s->steps = 50;
}

static void gauss50(xa_explainer_spec *s)
{
    s->steps = 50;
    s->quadrature = XA_QUADRATURE_GAUSS;
}

static void from_zero(xa_explainer_spec *s)
{
    s->steps = 50;
    s->baseline = XA_BASE_ZERO;
}

static void from_mean(xa_explainer_spec *s)
{
    s->steps = 50;
    s->baseline = XA_BASE_MEAN;
}

static void from_blur(xa_explainer_spec *s)
{
    s->steps = 50;
    s->baseline = XA_BASE_BLUR;
}

static void from_uniform(xa_explainer_spec *s)
{
    s->steps = 50;
    s->baseline = XA_BASE_UNIFORM;
}

static void draws16(xa_explainer_spec *s)
{
    s->draws = 16;
}

static void squared(xa_explainer_spec *s)
{
    s->draws = 16;
    s->statistic = XA_STATISTIC_SQUARED;
}

static void variance(xa_explainer_spec *s)
{
    s->draws = 16;
    s->statistic = XA_STATISTIC_VARIANCE;
}

static void masks64(xa_explainer_spec *s)
{
    s->draws = 64;
    s->cells = 4;
}

static void windows4(xa_explainer_spec *s)
{
    s->cells = 4;
    s->baseline = XA_BASE_ZERO;
}

static void l2(xa_explainer_spec *s)
{
    s->norm_l2 = true;
}

static void mean_pool(xa_explainer_spec *s)
{
    s->pool = XA_PROBE_MEAN;
}

static void both_layers(xa_explainer_spec *s)
{
    s->nlayers = 2;
    snprintf(s->layers[0], sizeof s->layers[0], "features_1");
    snprintf(s->layers[1], sizeof s->layers[1], "features_5");
}

static void both_layers_mean(xa_explainer_spec *s)
{
    both_layers(s);
    s->join_mean = true;
}

/* A line a golden. Where no ReLU or pooling winner can flip, float32 is within 1e-5; on the CNN's
 * paths from flat baselines some do, which moves single pixels (captum's float32 moves them by up
 * to 6 % of the maximum). */
static const faithful_case cases[] = {
    {"cnn", "gradient", XA_EXPLAIN_GRADIENT, NULL, 1e-5, 1e-5},
    {"vit", "gradient", XA_EXPLAIN_GRADIENT, NULL, 1e-5, 1e-5},
    {"vit", "attnlrp", XA_EXPLAIN_GRADIENT, attnlrp, 1e-5, 1e-5},
    {"vit", "cp_lrp", XA_EXPLAIN_GRADIENT, cp_lrp, 1e-5, 1e-5},
    {"cnn", "gradcam", XA_EXPLAIN_GRADCAM, NULL, 1e-5, 1e-5},
    {"vit", "gradcam", XA_EXPLAIN_GRADCAM, block1, 2e-5, 3e-5},
    {"vit", "gmar_l1", XA_EXPLAIN_GMAR, NULL, 1e-5, 1e-5},
    {"vit", "gmar_l2", XA_EXPLAIN_GMAR, l2, 1e-5, 1e-5},
    {"vit", "legrad_token", XA_EXPLAIN_LEGRAD, NULL, 1e-5, 1e-5},
    {"vit", "legrad_mean", XA_EXPLAIN_LEGRAD, mean_pool, 1e-5, 1e-5},
    {"vit", "attcat", XA_EXPLAIN_ATTCAT, NULL, 1e-5, 3e-5},
    {"cnn", "layercam_fused_max", XA_EXPLAIN_LAYERCAM, both_layers, 1e-5, 1e-5},
    {"cnn", "layercam_fused_mean", XA_EXPLAIN_LAYERCAM, both_layers_mean, 1e-5, 1e-5},
    {"cnn", "fullgrad", XA_EXPLAIN_FULLGRAD, NULL, 1e-5, 1e-5},
    {"cnn", "eigencam", XA_EXPLAIN_EIGENCAM, NULL, 1e-5, 1e-5},
    {"cnn", "fem", XA_EXPLAIN_FEM, NULL, 1e-5, 1e-5},
    {"cnn", "finercam", XA_EXPLAIN_GRADCAM, finer, 1e-5, 1e-5},
    {"cnn", "ig.black.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, path50, 1e-5, 1e-2},
    {"vit", "ig.black.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, path50, 1e-5, 1e-5},
    {"cnn", "ig.black.gauss.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, gauss50, 1e-5, 1e-2},
    {"vit", "ig.black.gauss.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, gauss50, 1e-5, 1e-5},
    {"cnn", "ig.zero.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_zero, 1e-5, 1e-2},
    {"vit", "ig.zero.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_zero, 1e-5, 1e-5},
    {"cnn", "ig.mean.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_mean, 1e-5, 1e-2},
    {"vit", "ig.mean.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_mean, 1e-5, 1e-5},
    {"cnn", "ig.blur.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_blur, 1e-5, 1e-5},
    {"vit", "ig.blur.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_blur, 1e-5, 1e-5},
    {"cnn", "ig.uniform.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_uniform, 1e-5, 1e-5},
    {"vit", "ig.uniform.middle.50", XA_EXPLAIN_INTEGRATED_GRADIENTS, from_uniform, 1e-5, 1e-5},
    {"cnn", "expected_gradients", XA_EXPLAIN_EXPECTED_GRADIENTS, draws16, 1e-5, 1e-5},
    {"vit", "expected_gradients", XA_EXPLAIN_EXPECTED_GRADIENTS, draws16, 1e-5, 1e-5},
    {"cnn", "smoothgrad", XA_EXPLAIN_SMOOTHGRAD, draws16, 1e-5, 1e-5},
    {"vit", "smoothgrad", XA_EXPLAIN_SMOOTHGRAD, draws16, 1e-5, 1e-5},
    {"cnn", "smoothgrad_sq", XA_EXPLAIN_SMOOTHGRAD, squared, 1e-5, 1e-5},
    {"vit", "smoothgrad_sq", XA_EXPLAIN_SMOOTHGRAD, squared, 1e-5, 1e-5},
    {"cnn", "vargrad", XA_EXPLAIN_SMOOTHGRAD, variance, 1e-5, 1e-5},
    {"vit", "vargrad", XA_EXPLAIN_SMOOTHGRAD, variance, 1e-5, 1e-5},
    {"cnn", "rise", XA_EXPLAIN_RISE, masks64, 1e-5, 1e-5},
    {"vit", "rise", XA_EXPLAIN_RISE, masks64, 1e-5, 1e-5},
    {"cnn", "occlusion", XA_EXPLAIN_OCCLUSION, windows4, 1e-5, 1e-5},
    {"vit", "occlusion", XA_EXPLAIN_OCCLUSION, windows4, 1e-4, 1e-4},
    {"cnn", "scorecam", XA_EXPLAIN_SCORECAM, NULL, 1e-5, 1e-5},
    {"cnn", "ablationcam", XA_EXPLAIN_ABLATIONCAM, NULL, 1e-5, 1e-5},
};

static void test_maps(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        failures += !faithful_check(&cases[i]);
    if (failures)
        fail_msg("%d of the maps differ", failures);
}

/* The kinds that the model takes, and with every gradient kind the score `finer`; the rest are
 * refused in a sentence. */
static int every_kind(const char *model, xa_explainer_spec *out)
{
    int n = 0;
    for (int k = 0; k < XA_EXPLAIN_COUNT; k++)
        for (int fine = 0; fine < 2; fine++) { /* as given, or with the other score */
            char why[XA_ERR_MESSAGE];
            xa_explainer_spec s = xa_explainer_defaults((xa_explainer_kind)k);
            if (fine && !xa_explainer_has(s.kind, XA_EXPLAINER_SCORE))
                continue;
            if (fine)
                s.score = XA_SCORE_FINER;
            xa_explainer_default_name(&s, s.name, sizeof s.name);
            if (faithful_takes(model, &s, why))
                out[n++] = s;
            else
                assert_non_null(strstr(why, xa_explainer_get(s.kind)->name));
        }
    return n;
}

static void same_rows(const faithful *one, int64_t from, const faithful *four, int64_t row, int e)
{
    const xa_map_rows *a = &one->rows->models[0].maps[e], *b = &four->rows->models[0].maps[e];
    const xa_shape shape = xa_audit_map_shape(one->audit, 0, e);
    const size_t bytes = (size_t)xa_shape_count(&shape) * sizeof(float);
    const char *name = one->model.explainers[e].name;
    if (memcmp((const char *)a->values + (size_t)from * bytes,
               (const char *)b->values + (size_t)row * bytes,
               bytes) != 0)
        fail_msg("%s: another map of image %d in a batch of four", name, (int)row);
    for (int i = 0; i < XA_FIELDS_OF(MAP); i++) {
        const xa_field_kind kind = xa_owned_field(XA_OWNER_MAP, i);
        const xa_extents x = xa_extents_unknown();
        const size_t item = xa_field_row_items(kind, &x) * xa_type_bytes(xa_field_get(kind)->type);
        if (memcmp((const char *)a->column[i] + (size_t)from * item,
                   (const char *)b->column[i] + (size_t)row * item,
                   item) != 0)
            fail_msg("%s: another %s of image %d", name, xa_field_get(kind)->name, (int)row);
    }
}

/* Every kind gives the same bytes whatever else is in the batch. */
static void test_batches(void **state)
{
    static const char *const models[] = {"cnn", "vit"};
    (void)state;
    for (int m = 0; m < 2; m++) {
        xa_explainer_spec specs[2 * XA_EXPLAIN_COUNT];
        faithful one, four;
        const int n = every_kind(models[m], specs);
        assert_true(n > 10);
        faithful_start(&one, models[m], 1, specs, n);
        faithful_start(&four, models[m], 4, specs, n);
        faithful_run(&four, 0, FAITHFUL_IMAGES);
        for (int64_t i = 0; i < FAITHFUL_IMAGES; i++) {
            faithful_run(&one, i, 1);
            for (int e = 0; e < n; e++)
                same_rows(&one, 0, &four, i, e);
        }
        faithful_stop(&one);
        faithful_stop(&four);
    }
}

/* The classes that Finer-CAM compares with, per row. */
static void test_nearest(void **state)
{
    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    faithful_array want = faithful_read("cnn/finer_references");
    faithful f;
    (void)state;
    spec.score = XA_SCORE_FINER;
    faithful_start(&f, "cnn", 4, &spec, 1);
    faithful_run(&f, 0, FAITHFUL_IMAGES);
    for (int64_t i = 0; i < want.images * want.count; i++)
        assert_int_equal(f.rows->models[0].maps[0].nearest[i], (int)want.values[i]);
    faithful_stop(&f);
    faithful_free(&want);
}

/* Input and constants add up to the logit, but for rounding; what breaks that is refused by name.
 */
static void test_completeness(void **state)
{
    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_FULLGRAD);
    char why[XA_ERR_MESSAGE];
    faithful f;
    (void)state;
    faithful_start(&f, "cnn", 4, &spec, 1);
    faithful_run(&f, 0, FAITHFUL_IMAGES);
    for (int i = 0; i < FAITHFUL_IMAGES; i++) {
        const double error = f.rows->models[0].maps[0].completeness[i];
        assert_true(fabs(error) < 1e-5 && isnan(f.rows->models[0].maps[0].prefix_mass[i]));
    }
    faithful_stop(&f);
    spec.target = XA_TARGET_DIFFERENCE; /* of class 1's logit less that of class 3, downwards */
    spec.target_class = 1;
    spec.target_minus = 3;
    spec.down = true;
    faithful_start(&f, "cnn", 4, &spec, 1);
    faithful_run(&f, 0, FAITHFUL_IMAGES);
    for (int i = 0; i < FAITHFUL_IMAGES; i++)
        assert_true(fabs(f.rows->models[0].maps[0].completeness[i]) < 1e-5);
    faithful_stop(&f);
    assert_false(faithful_takes("vit", &spec, why));
    assert_non_null(strstr(why, "fullgrad needs a network of products"));
    spec.score = XA_SCORE_PROB;
    assert_false(faithful_takes("cnn", &spec, why));
    assert_non_null(strstr(why, "write score: logit"));
}

/* Rules of transformers: a CNN is refused by name, and passes of different rules are not shared. */
static void test_rules(void **state)
{
    xa_explainer_spec specs[XA_RULES_COUNT];
    char why[XA_ERR_MESSAGE];
    faithful one, all;
    (void)state;
    for (int k = 0; k < XA_RULES_COUNT; k++) {
        specs[k] = xa_explainer_defaults(XA_EXPLAIN_GRADIENT_X_INPUT);
        specs[k].backward = (xa_rules)k;
        xa_explainer_default_name(&specs[k], specs[k].name, sizeof specs[k].name);
    }
    assert_string_equal(specs[XA_RULES_CP_LRP].name, "gradient_x_input.predicted.cp-lrp");
    assert_false(faithful_takes("cnn", &specs[XA_RULES_ATTNLRP], why));
    assert_non_null(strstr(why, "attnlrp is defined for transformers"));
    faithful_start(&all, "vit", 4, specs, XA_RULES_COUNT);
    faithful_run(&all, 0, FAITHFUL_IMAGES);
    for (int k = 0; k < XA_RULES_COUNT; k++) {
        const xa_shape shape = xa_audit_map_shape(all.audit, 0, k);
        const size_t bytes = (size_t)xa_shape_count(&shape) * sizeof(float);
        faithful_start(&one, "vit", 1, &specs[k], 1);
        for (int64_t i = 0; i < FAITHFUL_IMAGES; i++) {
            faithful_run(&one, i, 1);
            assert_memory_equal(one.rows->models[0].maps[0].values,
                                (const char *)all.rows->models[0].maps[k].values +
                                    (size_t)i * bytes,
                                bytes);
        }
        faithful_stop(&one);
    }
    faithful_stop(&all);
}

/* Layers that are not there or have no grid. */
static void test_layers(void **state)
{
    xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_LAYERCAM);
    char why[XA_ERR_MESSAGE];
    (void)state;
    both_layers(&spec);
    assert_true(faithful_takes("cnn", &spec, why));
    snprintf(spec.layers[1], sizeof spec.layers[1], "gap");
    assert_false(faithful_takes("cnn", &spec, why));
    assert_non_null(strstr(why, "\"gap\" gives [12]"));
    snprintf(spec.layers[1], sizeof spec.layers[1], "features_9");
    assert_false(faithful_takes("cnn", &spec, why));
    snprintf(spec.layers[0], sizeof spec.layers[0], "blocks.0");
    snprintf(spec.layers[1], sizeof spec.layers[1], "blocks.2.norm1");
    assert_true(faithful_takes("vit", &spec, why));
    spec.nlayers = 0;
    spec.join_mean = true;
    assert_false(faithful_takes("vit", &spec, why));
    assert_non_null(strstr(why, "fuse: mean is about several `layers`"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_nearest),
                                       cmocka_unit_test(test_completeness),
                                       cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
