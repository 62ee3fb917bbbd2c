/* Targets beyond classes on a network of several inputs and outputs: maps against PyTorch's in
 * float64 (tests/golden/onnx/make_targets.py), rows and their targets, and what is refused. */
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "started.h"
#include "xaudit/audit.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/targets"

/* What a job would say, and the dataset of the reference's maps. */
typedef struct want {
    const char *name, *output;
    xa_explainer_kind kind;
    xa_score score;
    xa_target_rule target;
    int32_t target_class, minus, top;
    bool down;
} want;

#define GRADIENT XA_EXPLAIN_GRADIENT
#define CAM XA_EXPLAIN_GRADCAM
static char picture[] = GOLDEN ".png", nowhere[] = "nowhere.png";
static const want wants[] = {
    {"gradient.class2-class0",
     "classes",
     GRADIENT,
     XA_SCORE_LOGIT,
     XA_TARGET_DIFFERENCE,
     2,
     0,
     0,
     0},
    {"gradient.class2-class0.prob",
     "classes",
     GRADIENT,
     XA_SCORE_PROB,
     XA_TARGET_DIFFERENCE,
     2,
     0,
     0,
     0},
    {"gradient.class1.down", "classes", GRADIENT, XA_SCORE_LOGIT, XA_TARGET_CLASS, 1, -1, 0, 1},
    {"gradient.top3", "classes", GRADIENT, XA_SCORE_LOGIT, XA_TARGET_TOP, -1, -1, 3, 0},
    {"gradcam.class2-class0", "classes", CAM, XA_SCORE_LOGIT, XA_TARGET_DIFFERENCE, 2, 0, 0, 0},
    {"gradcam.class2-class0.down",
     "classes",
     CAM,
     XA_SCORE_LOGIT,
     XA_TARGET_DIFFERENCE,
     2,
     0,
     0,
     1},
    {"gradcam.top2.logprob", "classes", CAM, XA_SCORE_LOGPROB, XA_TARGET_TOP, -1, -1, 2, 0},
    {"gradient.unit2", "values", GRADIENT, XA_SCORE_LOGIT, XA_TARGET_UNIT, 2, -1, 0, 0},
    {"gradient.unit0.down", "values", GRADIENT, XA_SCORE_LOGIT, XA_TARGET_UNIT, 0, -1, 0, 1},
    {"gradcam.unit1", "values", CAM, XA_SCORE_LOGIT, XA_TARGET_UNIT, 1, -1, 0, 0},
    {"gradcam.unit1.down", "values", CAM, XA_SCORE_LOGIT, XA_TARGET_UNIT, 1, -1, 0, 1}};
enum { WANTS = sizeof wants / sizeof *wants };

/* ---- a model with its explainers ---- */

typedef struct bench {
    xa_audit_spec spec;
    xa_audit_model_spec model;
    xa_model_constant constants[2];
    xa_metric_spec metric;
    xa_explainer_spec explainers[WANTS];
    xa_audit *audit;
    void *blob, *arena;
    xa_rows *rows;
} bench;

/* All explainers of one output; none is made yet. */
static void describe(bench *b, const char *output)
{
    static char name[] = "two", file[] = GOLDEN ".onnx", meta[] = "meta", gain[] = "gain",
                values[] = GOLDEN ".npy";
    *b = (bench){.constants = {{.name = gain, .value = 0.5}, {.name = meta, .file = values}}};
    b->model = (xa_audit_model_spec){.name = name,
                                     .file = file,
                                     .open = xa_model_defaults(),
                                     .batch = 1,
                                     .explainers = b->explainers};
    b->model.open.output = output;
    b->model.open.head = strcmp(output, "values") ? "softmax" : "regression";
    b->model.open.constants = b->constants;
    b->model.open.nconstants = 2;
    b->model.input = (xa_input_spec){.height = 16,
                                     .width = 16,
                                     .resize = XA_RESAMPLE_PIL_BILINEAR,
                                     .scale = {.kind = XA_SCALE_UNIT}};
    b->metric = xa_metric_defaults(XA_METRIC_ENERGY);
    b->spec = (xa_audit_spec){.models = &b->model,
                              .nmodels = 1,
                              .metrics = &b->metric,
                              .nmetrics = 1,
                              .decode = xa_decode_defaults()};
    for (int i = 0; i < WANTS; i++) {
        xa_explainer_spec *e = &b->explainers[b->model.nexplainers];
        if (strcmp(wants[i].output, output) != 0)
            continue;
        *e = xa_explainer_defaults(wants[i].kind);
        e->score = wants[i].score;
        e->target = wants[i].target;
        e->target_class = wants[i].target_class;
        e->target_minus = wants[i].minus;
        e->top = wants[i].top;
        e->down = wants[i].down;
        xa_explainer_default_name(e, e->name, sizeof e->name);
        assert_string_equal(e->name, wants[i].name);
        if (wants[i].kind == XA_EXPLAIN_GRADCAM)
            snprintf(e->layer, sizeof e->layer, "features.2");
        b->model.nexplainers++;
    }
}

static void start(bench *b)
{
    audit_start(&b->spec, &b->audit, &b->blob, &b->arena, &b->rows);
}

static void stop(bench *b)
{
    audit_stop(b->audit, b->blob, b->arena, b->rows);
}

/* ---- against the reference ---- */

static float *load(hid_t f, const char *name, int64_t *count)
{
    const hid_t d = H5Dopen2(f, name, H5P_DEFAULT);
    if (d < 0)
        fail_msg("the reference has no %s", name);
    const hid_t space = H5Dget_space(d);
    *count = (int64_t)H5Sget_simple_extent_npoints(space);
    float *v = malloc((size_t)*count * sizeof *v);
    assert_non_null(v);
    assert_true(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Sclose(space);
    H5Dclose(d);
    return v;
}

/* The largest difference as a share of the largest value. */
static void compare(const char *name, const float *got, const float *ref, int64_t n, double most)
{
    double worst = 0.0, largest = 0.0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)got[i] - (double)ref[i]));
        largest = fmax(largest, fabs((double)ref[i]));
    }
    if (!(worst <= most * largest) || !(largest > 0.0))
        fail_msg("%s: differs by %.3g of the largest value", name, worst / largest);
}

static void check_output(hid_t f, const char *output)
{
    bench b;
    const xa_sample s = {.file = picture, .path = picture};
    int64_t n;
    describe(&b, output);
    start(&b);
    assert_int_equal(xa_audit_unit(b.audit, &s, 1, b.rows, NULL), XA_OK);
    const xa_model_rows *m = &b.rows->models[0];
    assert_int_equal(m->status[0], XA_SAMPLE_DONE);
    float *scores = load(f, output, &n), *order = load(f, "top", &n);
    n = xa_audit_classes(b.audit, 0);
    compare(output, m->logits, scores, n, 1e-5);
    const bool values = !strcmp(output, "values");
    for (int64_t c = 0; c < n; c++)
        assert_int_equal(isnan(m->probs[c]), values);
    assert_int_equal(m->predicted[0], values ? -1 : (int)order[0]);
    for (int e = 0; e < b.model.nexplainers; e++) {
        const xa_explainer_spec *x = &b.explainers[e];
        const xa_map_rows *maps = &m->maps[e];
        float *ref = load(f, x->name, &n);
        assert_int_equal(maps->count, x->top ? x->top : 1);
        compare(x->name, maps->values, ref, n, x->kind == XA_EXPLAIN_GRADIENT ? 2e-5 : 1e-4);
        for (int64_t row = 0; row < maps->count; row++)
            assert_int_equal(maps->target[row], x->top ? (int32_t)order[row] : x->target_class);
        free(ref);
    }
    free(scores);
    free(order);
    stop(&b);
}

static void test_maps(void **state)
{
    (void)state;
    const hid_t f = H5Fopen(GOLDEN ".maps.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(f >= 0);
    check_output(f, "classes");
    check_output(f, "values");
    H5Fclose(f);
}

/* A failed sample has all the rows of its rule, blank; one that is scored has that of its class. */
static void test_rows(void **state)
{
    (void)state;
    enum { TOP = 3 };
    bench b;
    xa_annotation box = {
        .kind = XA_ANNOTATION_BOX, .x0 = 2, .y0 = 2, .x1 = 9, .y1 = 9, .class_index = 3};
    xa_sample s = {.file = picture, .path = picture};
    const xa_sample missing = {.file = nowhere, .path = nowhere};
    s.annotations = &box;
    s.nannotations = 1;
    describe(&b, "classes");
    start(&b);
    assert_int_equal(xa_audit_unit(b.audit, &s, 1, b.rows, NULL), XA_OK);
    const xa_model_rows *m = &b.rows->models[0];
    assert_int_equal(m->maps[TOP].target[0], 3); /* the best class is the annotated one */
    assert_true(isfinite(m->localisation[TOP][0]));
    box.class_index = 4; /* the worst of all: no map of the three best is of it */
    assert_int_equal(xa_audit_unit(b.audit, &s, 1, b.rows, NULL), XA_OK);
    assert_true(isnan(m->localisation[TOP][0]));
    assert_true(isfinite(m->localisation[0][0])); /* a difference, whatever is annotated */
    assert_int_equal(xa_audit_unit(b.audit, &missing, 1, b.rows, NULL), XA_OK);
    assert_int_equal(m->status[0], XA_SAMPLE_FAILED);
    assert_int_equal(m->maps[TOP].count, 3);
    for (int row = 0; row < 3; row++)
        assert_true(m->maps[TOP].target[row] == -1 && isnan(m->maps[TOP].maximum[row]));
    stop(&b);
}

/* ---- refusals ---- */

static void refused(bench *b, const char *words)
{
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_audit_create(&b->spec, &b->audit, &err);
    if (st == XA_OK || !strstr(err.message, words))
        fail_msg("\"%s\", expected \"%s\"", st == XA_OK ? "it opens" : err.message, words);
    xa_audit_free(b->audit);
}

static void test_refused_targets(void **state)
{
    (void)state;
    bench b;
    describe(&b, "classes");
    b.explainers[0].target_minus = 5;
    refused(&b, "class 5, but the model has 5 classes");
    describe(&b, "classes");
    b.explainers[3].top = 6;
    refused(&b, "target { top: 6 }, but the model has 5 classes");
    describe(&b, "classes");
    b.explainers[0].target = XA_TARGET_UNIT;
    refused(&b, "write target: { class: 2 }");
    describe(&b, "values");
    b.explainers[0].target_class = 3;
    refused(&b, "unit 3, but the model has 3 outputs");
    describe(&b, "values");
    b.explainers[0].target = XA_TARGET_PREDICTED;
    refused(&b, "write target: { unit: 0 }");
    describe(&b, "values");
    b.explainers[0].score = XA_SCORE_PROB;
    refused(&b, "`head: regression` gives none");
    describe(&b, "values");
    b.metric = xa_metric_defaults(XA_METRIC_TOP1);
    refused(&b, "metric top1");
    describe(&b, "values");
    b.spec.masked = true;
    refused(&b, "average_drop");
}

static void test_refused_inputs(void **state)
{
    (void)state;
    bench b;
    describe(&b, "classes");
    b.model.open.nconstants = 1;
    refused(&b, "has 2 inputs, \"image\", \"meta\"");
    describe(&b, "classes");
    b.model.open.nconstants = 0;
    refused(&b, "has 3 inputs, \"image\", \"meta\", \"gain\"");
    describe(&b, "classes");
    b.constants[0].name = (char *)(uintptr_t) "gains";
    refused(&b, "it has no input \"gains\"");
    describe(&b, "classes");
    b.constants[0].file = b.constants[1].file;
    refused(&b, "its input \"gain\" is [1] for one image");
    describe(&b, "classes");
    b.constants[1].file = (char *)(uintptr_t)GOLDEN ".png";
    refused(&b, "not an array of numpy");
    describe(&b, "classes");
    b.constants[1].file = (char *)(uintptr_t) "nowhere.npy";
    refused(&b, "nowhere.npy");
    describe(&b, "classes");
    b.constants[1].name = (char *)(uintptr_t) "image";
    refused(&b, "its input \"image\"");
    describe(&b, "classes");
    b.model.open.output = NULL;
    refused(&b, "has 2 outputs, \"classes\", \"values\"");
    describe(&b, "classes");
    b.model.open.output = "logits";
    refused(&b, "it computes no \"logits\"; its outputs are \"classes\", \"values\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps),
                                       cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_refused_targets),
                                       cmocka_unit_test(test_refused_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
