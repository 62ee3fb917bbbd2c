/* A unit of samples through image, model, explainers and metrics, on the demo's model and
 * photographs: target rules, shared passes, batches, half-float maps, samples that fail. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "started.h"
#include "xaudit/audit.h"
#include "xaudit_cmocka.h"

#define DEMO XA_PROJECT "/jobs/demo/"

enum { SALIENCY, CAM, CAM_LABEL, CAM_ANNOTATED, HALF, CLASS3, EXPLAINERS };

typedef struct bench {
    xa_audit_spec spec;
    xa_audit_model_spec model;
    xa_metric_spec metric;
    xa_explainer_spec explainers[EXPLAINERS];
    xa_audit *audit;
    void *blob, *arena;
    xa_rows *rows;
} bench;

static void set_name(xa_explainer_spec *e)
{
    if (!e->name[0])
        xa_explainer_default_name(e, e->name, sizeof e->name);
}

static bool with_checks;

static void start(bench *b, int64_t batch)
{
    static char name[] = "demo", file[] = DEMO "xception.h5";
    *b = (bench){0};
    for (int i = 0; i < EXPLAINERS; i++)
        b->explainers[i] = xa_explainer_defaults(i == SALIENCY || i == HALF ? XA_EXPLAIN_SALIENCY
                                                                            : XA_EXPLAIN_GRADCAM);
    b->explainers[CAM_LABEL].target = XA_TARGET_LABEL;
    b->explainers[CAM_ANNOTATED].target = XA_TARGET_ANNOTATED;
    b->explainers[HALF].half = true;
    snprintf(b->explainers[HALF].name, sizeof b->explainers[HALF].name, "half");
    b->explainers[CLASS3].target = XA_TARGET_CLASS;
    b->explainers[CLASS3].target_class = 3;
    for (int i = 0; i < EXPLAINERS; i++)
        set_name(&b->explainers[i]);
    b->model = (xa_audit_model_spec){.name = name,
                                     .file = file,
                                     .open = xa_model_defaults(),
                                     .batch = batch,
                                     .explainers = b->explainers,
                                     .nexplainers = EXPLAINERS};
    b->model.input = (xa_input_spec){.height = 128,
                                     .width = 128,
                                     .resize = XA_RESAMPLE_PIL_BILINEAR,
                                     .scale = {.kind = XA_SCALE_TF}};
    b->metric = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    b->spec = (xa_audit_spec){.models = &b->model,
                              .nmodels = 1,
                              .metrics = &b->metric,
                              .nmetrics = 1,
                              .masked = with_checks,
                              .random_logit = with_checks,
                              .decode = xa_decode_defaults()};
    audit_start(&b->spec, &b->audit, &b->blob, &b->arena, &b->rows);
}

static void stop(bench *b)
{
    audit_stop(b->audit, b->blob, b->arena, b->rows);
}

/* car_side (class 2) and kangaroo (6), a missing file, and a photograph with two labels and no
 * annotation. */
static int32_t labels[4][2] = {{2, 0}, {6, 0}, {1, 0}, {2, 6}};
static xa_annotation boxes[3] = {
    {.class_index = 6, .kind = XA_ANNOTATION_BOX, .x1 = 300, .y1 = 300},
    {.class_index = 0, .kind = XA_ANNOTATION_BOX, .x1 = 1, .y1 = 1},
    {.class_index = 2, .kind = XA_ANNOTATION_BOX, .x1 = 400, .y1 = 400}};

static void samples(xa_sample s[4])
{
    static char car[] = DEMO "images/car_side/image_0005.jpg";
    static char roo[] = DEMO "images/kangaroo/image_0010.jpg";
    static char none[] = DEMO "images/nowhere.jpg";
    memset(s, 0, 4 * sizeof *s);
    for (int i = 0; i < 4; i++)
        s[i] = (xa_sample){.file = i == 2   ? none
                                   : i == 1 ? roo
                                            : car,
                           .labels = labels[i],
                           .nlabels = i == 3 ? 2 : 1};
    s[0].annotations = &boxes[2];
    s[0].nannotations = 1;
    s[1].annotations = boxes;
    s[1].nannotations = 2;
}

static const float *map_of(const bench *b, int e, int64_t row)
{
    const xa_shape s = xa_audit_map_shape(b->audit, 0, e);
    return (const float *)b->rows->models[0].maps[e].values + row * xa_shape_count(&s);
}

static void test_rules_and_failures(void **state)
{
    (void)state;
    xa_sample s[4];
    bench b;
    xa_err err = XA_ERR_INIT;
    samples(s);
    start(&b, 4);
    assert_int_equal(xa_audit_unit_samples(b.audit), 4);
    if (xa_audit_unit(b.audit, s, 4, b.rows, &err) != XA_OK)
        fail_msg("%s", err.message);
    const xa_model_rows *m = &b.rows->models[0];
    assert_int_equal(m->status[0], 1);
    assert_int_equal(m->predicted[0], 2);
    assert_int_equal(m->predicted[1], 6);
    /* the missing file is a row: reading, NaN, no class, and a reason */
    assert_int_equal(m->status[2], 2);
    assert_int_equal(m->stage[2], 1);
    assert_int_equal(m->predicted[2], -1);
    assert_non_null(strstr(m->message + 2 * 200, "nowhere.jpg"));
    assert_true(isnan(m->probs[2 * 7]) && isnan(map_of(&b, SALIENCY, 2)[0]));
    assert_int_equal(m->maps[SALIENCY].target[2], -1);
    /* rows by rule: one a sample; one a label (1+1+1+2); one an annotated class (1+2) */
    assert_int_equal(m->maps[CAM].count, 4);
    assert_int_equal(m->maps[CAM_LABEL].count, 5);
    assert_int_equal(m->maps[CAM_ANNOTATED].count, 3);
    assert_int_equal(m->maps[CAM_LABEL].target[3], 2);
    assert_int_equal(m->maps[CAM_LABEL].target[4], 6);
    assert_int_equal(m->maps[CAM_LABEL].slot[4], 3);
    assert_int_equal(m->maps[CAM_ANNOTATED].target[0], 2);
    assert_int_equal(m->maps[CAM_ANNOTATED].target[1], 0);
    assert_int_equal(m->maps[CAM_ANNOTATED].target[2], 6);
    assert_int_equal(m->maps[CLASS3].target[0], 3);
    /* the same class by another rule is the same map; another class is not */
    const size_t bytes = 64 * sizeof(float);
    assert_memory_equal(map_of(&b, CAM, 0), map_of(&b, CAM_LABEL, 0), bytes);
    assert_memory_equal(map_of(&b, CAM, 1), map_of(&b, CAM_ANNOTATED, 2), bytes);
    assert_true(memcmp(map_of(&b, CAM, 0), map_of(&b, CLASS3, 0), bytes) != 0);
    /* pairs and the pointing game: sample 0's box is the whole frame, sample 1's class 0 box one
     * pixel */
    assert_int_equal(b.rows->npairs, 3);
    assert_true(m->localisation[CAM][0] == 1.0);
    assert_true(m->localisation[CAM_ANNOTATED][2] == 1.0);
    assert_true(
        isnan(m->localisation[CAM_LABEL][1])); /* its label is another class: no map of it */
    /* half floats give the float map back within their precision */
    const xa_map_rows *half = &m->maps[HALF];
    const float *full = map_of(&b, SALIENCY, 1);
    for (int i = 0; i < 128 * 128; i++) {
        const double got =
            (double)xa_f32_from_f16(((const uint16_t *)half->values)[128 * 128 + i]) *
            (double)half->scale[1];
        assert_true(fabs(got - (double)full[i]) <=
                    0x1p-11 * (double)full[i] + 0x1p-25 * (double)half->scale[1]);
    }
    stop(&b);
}

/* A set of classes is explained and scored as its member with the highest logit. */
static void test_categories(void **state)
{
    (void)state;
    static const int32_t members[] = {0, 1, 3}, right[] = {2, 6};
    static int32_t of_sets[2] = {XA_CATEGORY, XA_CATEGORY + 1};
    static xa_annotation of[2] = {
        {.class_index = XA_CATEGORY, .kind = XA_ANNOTATION_BOX, .x1 = 300, .y1 = 300},
        {.class_index = XA_CATEGORY + 1, .kind = XA_ANNOTATION_BOX, .x1 = 300, .y1 = 300}};
    xa_categories sets = {0};
    xa_sample s[4];
    bench b;
    assert_int_equal(xa_categories_add(&sets, "others", members, 3, NULL), XA_OK);
    assert_int_equal(xa_categories_add(&sets, "both", right, 2, NULL), XA_OK);
    samples(s);
    start(&b, 4);
    b.metric.kind = XA_METRIC_TOP5; /* of boxes, and of the class's rank */
    for (int i = 0; i < 2; i++) {
        s[i].annotations = of;
        s[i].nannotations = 2;
        s[i].labels = of_sets;
        s[i].nlabels = 2;
        s[i].categories = &sets;
    }
    assert_int_equal(xa_audit_unit(b.audit, s, 2, b.rows, NULL), XA_OK);
    const xa_model_rows *m = &b.rows->models[0];
    assert_int_equal(b.rows->npairs, 4);
    assert_int_equal(m->maps[CAM_ANNOTATED].count, 4);
    for (int64_t i = 0; i < 2; i++) {
        const float *z = m->logits + 7 * i, *p = m->probs + 7 * i;
        const int32_t best = z[1] > z[0] ? (z[3] > z[1] ? 3 : 1) : (z[3] > z[0] ? 3 : 0);
        const int rules[] = {CAM_LABEL, CAM_ANNOTATED};
        for (int k = 0; k < 2; k++) {
            assert_int_equal(m->maps[rules[k]].target[2 * i], best);
            assert_int_equal(m->maps[rules[k]].target[2 * i + 1], m->predicted[i]);
        }
        assert_memory_equal(
            map_of(&b, CAM, i), map_of(&b, CAM_ANNOTATED, 2 * i + 1), 64 * sizeof(float));
        assert_int_equal(xa_set_rank(&sets, p, 7, XA_CATEGORY + 1), 0);
        assert_int_equal(xa_set_rank(&sets, p, 7, XA_CATEGORY), xa_class_rank(p, 7, best));
        assert_true(xa_class_rank(p, 7, best) > 0);
        for (int64_t q = 2 * i; q < 2 * i + 2; q++)
            assert_true(isfinite(m->localisation[CAM_LABEL][q]) &&
                        m->localisation[CAM_LABEL][q] == m->localisation[CAM_ANNOTATED][q]);
    }
    stop(&b);
    xa_categories_fini(&sets);
}

/* One at a time or four at once, beside a failed sample or not: the same bits. */
static void test_batches(void **state)
{
    (void)state;
    xa_sample s[4];
    bench one, four;
    samples(s);
    start(&one, 1);
    start(&four, 4);
    assert_int_equal(xa_audit_unit(four.audit, s, 4, four.rows, NULL), XA_OK);
    for (int64_t i = 0; i < 4; i++) {
        assert_int_equal(xa_audit_unit(one.audit, s + i, 1, one.rows, NULL), XA_OK);
        assert_memory_equal(
            one.rows->models[0].logits, four.rows->models[0].logits + 7 * i, 7 * sizeof(float));
        assert_memory_equal(
            map_of(&one, SALIENCY, 0), map_of(&four, SALIENCY, i), 128 * 128 * sizeof(float));
        assert_memory_equal(map_of(&one, CAM, 0), map_of(&four, CAM, i), 64 * sizeof(float));
        assert_int_equal(one.rows->models[0].maps[CAM].checksum[0],
                         four.rows->models[0].maps[CAM].checksum[i]);
    }
    stop(&one);
    stop(&four);
}

/* A job that says nothing: one image of a convolutional network, and of the transformer with 65
 * tokens three, 195 of them. */
static void test_batch_of_its_own(void **state)
{
    (void)state;
    static char name[] = "vit", file[] = DEMO "vit.safetensors";
    bench b;
    xa_audit *audit;
    xa_err err = XA_ERR_INIT;
    start(&b, 0);
    assert_int_equal(xa_audit_batch(b.audit, 0), 1);
    assert_int_equal(xa_audit_unit_samples(b.audit), 1);
    xa_audit_model_spec vit = b.model;
    vit.name = name;
    vit.file = file;
    vit.nexplainers = 1;
    const xa_audit_spec spec = {.models = &vit, .nmodels = 1, .decode = xa_decode_defaults()};
    if (xa_audit_create(&spec, &audit, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(xa_audit_batch(audit, 0), 3);
    assert_int_equal(xa_audit_unit_samples(audit), 3);
    xa_audit_free(audit);
    stop(&b);
}

/* Open batches of models of many sizes: 12, 20, 8, 28 and 7 make units of 840 samples, and
 * with 39 (of 5 tokens) of 10920; each is then the power of two below. A batch that the job says
 * stays. */
static void test_batches_of_many_sizes(void **state)
{
    (void)state;
    static char name[] = "vit", file[] = DEMO "vit.safetensors";
    static const int64_t size[][2] = {{64, 64}, {48, 48}, {80, 80}, {32, 48}, {112, 64}, {32, 32}};
    static const int64_t open[] = {12, 20, 8, 28, 7, 39}, even[] = {8, 16, 8, 16, 4, 32};
    enum { MODELS = sizeof size / sizeof *size };
    bench b;
    xa_audit *audit;
    xa_err err = XA_ERR_INIT;
    start(&b, 0);
    xa_audit_model_spec vit[MODELS];
    for (int m = 0; m < MODELS; m++) {
        vit[m] = b.model;
        vit[m].name = name;
        vit[m].file = file;
        vit[m].nexplainers = 1;
        vit[m].open.interpolate_positions = true;
        vit[m].input.height = size[m][0];
        vit[m].input.width = size[m][1];
    }
    xa_audit_spec spec = {.models = vit, .nmodels = MODELS - 1, .decode = xa_decode_defaults()};
    for (int round = 0; round < 3; round++) {
        const int64_t *want = round ? even : open;
        spec.nmodels = round ? MODELS : MODELS - 1;
        vit[0].batch = round == 2 ? 3 : 0;
        if (xa_audit_create(&spec, &audit, &err) != XA_OK)
            fail_msg("%s", err.message);
        for (int m = 0; m < spec.nmodels; m++)
            assert_int_equal(xa_audit_batch(audit, m), m == 0 && round == 2 ? 3 : want[m]);
        assert_int_equal(xa_audit_unit_samples(audit), round == 0 ? 840 : round == 1 ? 32 : 96);
        xa_audit_free(audit);
    }
    vit[0].batch = 4093; /* primes that the job wants */
    vit[1].batch = 19;
    assert_int_equal(xa_audit_create(&spec, &audit, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "choose batches that divide one another"));
    stop(&b);
}

static void test_refusals(void **state)
{
    (void)state;
    bench b;
    xa_audit *a = NULL;
    xa_err err = XA_ERR_INIT;
    start(&b, 1);
    b.explainers[CLASS3].target_class = 7;
    assert_int_equal(xa_audit_create(&b.spec, &a, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "class 7"));
    b.explainers[CLASS3].target_class = 3;
    snprintf(b.explainers[CAM].layer, sizeof b.explainers[CAM].layer, "dense");
    assert_int_equal(xa_audit_create(&b.spec, &a, &err), XA_SHAPE);
    snprintf(b.explainers[CAM].layer, sizeof b.explainers[CAM].layer, "input_2");
    assert_int_equal(xa_audit_create(&b.spec, &a, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "input"));
    snprintf(b.explainers[CAM].layer, sizeof b.explainers[CAM].layer, "auto");
    stop(&b);
}

/* ---- checks that cost passes ---- */

/* The probability of class c for the photograph multiplied by the map, by an own plan. */
static float masked_probability(const bench *b, const float *map, int64_t side, int32_t c)
{
    enum { N = 128 };
    const xa_model *m = xa_audit_model_of(b->audit, 0);
    const xa_head *h = xa_model_head(m);
    const xa_plan_spec spec = {.batch = 1, .root = h->node};
    xa_model *own = NULL;
    xa_plan *plan = NULL;
    xa_plan_info info;
    xa_run run;
    xa_image im = {0};
    double affine[2][3];
    float low = INFINITY, high = -INFINITY, logits[7], probs[7];
    static float grown[N * N];
    assert_int_equal(xa_model_open(b->model.file, &b->model.open, &own, NULL), XA_OK);
    h = xa_model_head(own);
    assert_int_equal(xa_plan_create(xa_model_graph(own), &spec, &plan, NULL), XA_OK);
    xa_plan_get_info(plan, &info);
    void *blob = xa_alloc_aligned(info.weight_bytes), *arena = xa_alloc_aligned(info.arena_bytes);
    const xa_weight_reader reader = xa_model_reader(own);
    assert_int_equal(xa_plan_pack(plan, &reader, blob, NULL), XA_OK);
    xa_run_init(&run, plan, blob, arena, NULL);
    assert_int_equal(
        xa_image_read(DEMO "images/car_side/image_0005.jpg", &b->spec.decode, &im, NULL), XA_OK);
    float *x = xa_run_input(&run);
    assert_int_equal(xa_preprocess(&im, &b->model.input, 3, x, affine, NULL), XA_OK);
    for (int i = 0; i < N * N; i++) { /* bilinear between cell centres, clamped */
        const double v = fmin(fmax((i / N + 0.5) * (double)side / N - 0.5, 0.0), (double)side - 1);
        const double u = fmin(fmax((i % N + 0.5) * (double)side / N - 0.5, 0.0), (double)side - 1);
        const int64_t y = (int64_t)v, z = (int64_t)u;
        const int64_t y1 = y + 1 < side ? y + 1 : y, z1 = z + 1 < side ? z + 1 : z;
        const double a = v - (double)y, d = u - (double)z;
        grown[i] = (float)((1 - a) * ((1 - d) * map[y * side + z] + d * map[y * side + z1]) +
                           a * ((1 - d) * map[y1 * side + z] + d * map[y1 * side + z1]));
        low = fminf(low, grown[i]);
        high = fmaxf(high, grown[i]);
    }
    for (int i = 0; i < N * N * 3; i++)
        x[i] *= (grown[i / 3] - low) / (high - low);
    xa_run_forward(&run);
    xa_head_apply(h, xa_run_value(&run, h->node), logits, probs);
    xa_image_fini(&im);
    xa_plan_free(plan);
    xa_model_free(own);
    free(blob);
    free(arena);
    return probs[c];
}

static void test_checks(void **state)
{
    (void)state;
    bench one, three;
    xa_sample s[4];
    samples(s);
    with_checks = true;
    start(&one, 1);
    assert_int_equal(xa_audit_unit(one.audit, s, 1, one.rows, NULL), XA_OK);
    const xa_map_rows *x = &one.rows->models[0].maps[CAM];
    const xa_shape shape = xa_audit_map_shape(one.audit, 0, CAM);
    const int32_t c = x->target[0];
    const double p = (double)one.rows->models[0].probs[c];
    const double q = (double)masked_probability(&one, map_of(&one, CAM, 0), shape.dim[1], c);
    assert_true(fabs(x->check[XA_CHECK_AVERAGE_DROP][0] - fmax(0.0, p - q) / p) < 1e-5);
    assert_true(fabs(x->check[XA_CHECK_AVERAGE_GAIN][0] - fmax(0.0, q - p) / (1.0 - p)) < 1e-5);
    assert_true(x->check[XA_CHECK_INCREASE][0] == (p < q ? 1.0 : 0.0));
    /* the correlation is that with the map of some other class */
    const double found = x->check[XA_CHECK_RANDOM_LOGIT][0];
    bool some = false;
    assert_true(found >= -1.0 && found <= 1.0);
    for (int32_t k = 0; k < 7; k++) {
        bench other;
        double out[XA_AGREEMENT_COUNT];
        if (k == c)
            continue;
        with_checks = false;
        start(&other, 1);
        other.explainers[CLASS3].target_class = k;
        xa_rows_free(other.rows);
        xa_audit_free(other.audit);
        assert_int_equal(xa_audit_create(&other.spec, &other.audit, NULL), XA_OK);
        assert_int_equal(xa_rows_create(other.audit, &other.rows, NULL), XA_OK);
        xa_audit_attach(other.audit, other.blob, other.arena, NULL);
        assert_int_equal(xa_audit_unit(other.audit, s, 1, other.rows, NULL), XA_OK);
        xa_score_map a = {.values = map_of(&one, CAM, 0),
                          .channels = 1,
                          .height = shape.dim[1],
                          .width = shape.dim[2]};
        xa_score_map b = a;
        b.values = map_of(&other, CLASS3, 0);
        b.degenerate = (other.rows->models[0].maps[CLASS3].flags[0] & XA_MAP_FLAG_DEGENERATE) != 0;
        assert_int_equal(xa_agreement(&a, &b, out, NULL), XA_OK);
        some = some || fabs(out[XA_AGREEMENT_SPEARMAN] - found) < 1e-6;
        stop(&other);
    }
    assert_true(some);
    /* the same whatever the batch */
    with_checks = true;
    start(&three, 3);
    assert_int_equal(xa_audit_unit(three.audit, s, 3, three.rows, NULL), XA_OK);
    for (int e = 0; e < EXPLAINERS; e++)
        for (int k = 0; k < XA_CHECK_COUNT; k++)
            assert_memory_equal(one.rows->models[0].maps[e].check[k],
                                three.rows->models[0].maps[e].check[k],
                                sizeof(double));
    stop(&one);
    stop(&three);
    with_checks = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules_and_failures),
                                       cmocka_unit_test(test_categories),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_batch_of_its_own),
                                       cmocka_unit_test(test_batches_of_many_sizes),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
