/* Models beyond the goldens: what is refused and how, layers by name, the automatic Grad-CAM layer,
 * heads, preprocessing, and the demo's probabilities beside Keras' own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define KERAS XA_TEST_DATA "/golden/keras/"
#define DEMO XA_PROJECT "/jobs/demo/"

static void refused(const char *file, xa_status want, const char *words)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_model_open(file, &opt, &m, &err);
    if (st == XA_OK)
        fail_msg("%s was opened", file);
    if (want != XA_OK && st != want)
        fail_msg("%s: %s, expected %s (%s)",
                 file,
                 xa_status_name(st),
                 xa_status_name(want),
                 err.message);
    if (!strstr(err.message, words))
        fail_msg("%s: \"%s\" says nothing of \"%s\"", file, err.message, words);
    assert_null(m);
}

static void test_refused(void **state)
{
    (void)state;
    refused(KERAS "tf215/refused_lambda.h5", XA_UNSUPPORTED, "never executed");
    refused(KERAS "k3/refused_lambda.h5", XA_UNSUPPORTED, "never executed");
    refused(KERAS "tf215/refused_custom.h5", XA_UNSUPPORTED, "not supported");
    refused(KERAS "nowhere.h5", XA_NOT_FOUND, "nowhere.h5");
    refused(DEMO "images/airplanes/image_0005.jpg", XA_OK, "image_0005.jpg");
    refused(DEMO, XA_OK, "demo");
}

/* Cut anywhere, a model file gives an error that names it. */
static void test_truncated(void **state)
{
    (void)state;
    char *data, path[] = "/tmp/xaudit-model-XXXXXX";
    size_t size;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(xa_read_file(KERAS "tf215/sequential_cnn.h5", 1 << 24, &data, &size, NULL),
                     XA_OK);
    for (size_t part = 0; part < 16; part++) {
        const size_t n = size * part / 16;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, data, n, 0), (ssize_t)n);
        refused(path, XA_OK, path);
    }
    free(data);
    close(fd);
    unlink(path);
}

static xa_model *open_demo(void)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m;
    xa_err err = XA_ERR_INIT;
    if (xa_model_open(DEMO "xception.h5", &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    return m;
}

static void test_layers(void **state)
{
    (void)state;
    xa_model *m = open_demo();
    const xa_layer *l, *whole;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_model_gradcam_layer(m, &l, NULL), XA_OK);
    assert_string_equal(l->path, "xception_compact/block9_sepconv2_act");
    assert_int_equal(xa_model_find_layer(m, "xception_compact", &whole, NULL), XA_OK);
    assert_int_equal(whole->node, l->node); /* a nested model's own name is its output */
    assert_int_equal(whole->parameters, 641600);
    assert_int_equal(xa_model_find_layer(m, "block9_sepconv2_act", &whole, NULL), XA_OK);
    assert_int_equal(whole->node, l->node);
    assert_int_equal(xa_model_find_layer(m, "block9_sepconv2_atc", &l, &err), XA_NOT_FOUND);
    assert_non_null(strstr(err.message, "did you mean \"xception_compact/block9_sepconv2_act\""));
    assert_null(xa_model_own_scaling(m));
    assert_int_equal(xa_model_head(m)->kind, XA_HEAD_SOFTMAX);
    xa_model_free(m);
}

/* Grad-CAM's layer is on every way to the head: where branches are joined, what joins them. */
static void test_layer_of_branches(void **state)
{
    static const char *const cases[][2] = {{"inception.h5", "mixed1"},
                                           {"squeeze_excite.h5", "top_activation"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const xa_model_options opt = xa_model_defaults();
        const xa_layer *l;
        xa_model *m = NULL;
        xa_err err = XA_ERR_INIT;
        char path[512];
        snprintf(path, sizeof path, XA_PROJECT "/tests/golden/keras/tf215/%s", cases[i][0]);
        if (xa_model_open(path, &opt, &m, &err) != XA_OK)
            fail_msg("%s", err.message);
        assert_int_equal(xa_model_gradcam_layer(m, &l, &err), XA_OK);
        assert_string_equal(l->path, cases[i][1]);
        xa_model_free(m);
    }
}

static void test_contradicting_head(void **state)
{
    (void)state;
    xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    opt.head = "multilabel";
    assert_int_equal(xa_model_open(DEMO "xception.h5", &opt, &m, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "leave `head` out"));
    opt.head = NULL;
    opt.height = opt.width = 20; /* too small for the network */
    assert_int_equal(xa_model_open(DEMO "xception.h5", &opt, &m, &err), XA_OK);
    xa_model_free(m);
    m = NULL;
    opt.height = opt.width = 4;
    assert_int_equal(xa_model_open(DEMO "xception.h5", &opt, &m, &err), XA_SHAPE);
    assert_non_null(strstr(err.message, "larger input"));
}

static void test_heads(void **state)
{
    (void)state;
    const float z[3] = {1.0f, -2.0f, 0.5f}, far[3] = {1000.0f, -1000.0f, 999.0f},
                bad[3] = {0.0f, NAN, 1.0f};
    float logits[3], probs[3];
    xa_head h = {XA_HEAD_SOFTMAX, 0, 3, 3};
    xa_head_apply(&h, z, logits, probs);
    const double sum = exp(1.0) + exp(-2.0) + exp(0.5);
    assert_true(fabs((double)probs[2] - exp(0.5) / sum) < 1e-7);
    assert_int_equal(xa_head_predict(&h, logits, probs), 0);
    xa_head_apply(&h, far, logits, probs);
    assert_true(isfinite(probs[0]) && fabs((double)probs[0] - 1.0 / (1.0 + exp(-1.0))) < 1e-7);
    xa_head_apply(&h, bad, logits, probs);
    assert_int_equal(xa_head_predict(&h, logits, probs), -1);
    h = (xa_head){XA_HEAD_BINARY, 0, 1, 2};
    xa_head_apply(&h, z, logits, probs);
    assert_true(logits[0] == -1.0f && logits[1] == 1.0f);
    assert_true(fabs((double)probs[1] - 1.0 / (1.0 + exp(-1.0))) < 1e-7);
    assert_int_equal(xa_head_predict(&h, logits, probs), 1);
    h = (xa_head){XA_HEAD_MULTILABEL, 0, 3, 3};
    xa_head_apply(&h, far, logits, probs);
    assert_true(probs[0] == 1.0f && probs[1] == 0.0f);
    h = (xa_head){XA_HEAD_NONE, 0, 3, 3};
    xa_head_apply(&h, z, logits, probs);
    assert_true(isnan(probs[0]) && isnan(probs[1]) && isnan(probs[2]) && logits[1] == -2.0f);
    assert_int_equal(xa_head_predict(&h, logits, probs), 0);
    xa_head_apply(&h, bad, logits, probs);
    assert_int_equal(xa_head_predict(&h, logits, probs), -1);
    assert_int_equal(xa_head_parse("none"), XA_HEAD_NONE);
}

static void test_preprocess(void **state)
{
    (void)state;
    uint8_t pixels[6] = {10, 20, 30, 255, 0, 128};
    const xa_image im = {
        .width = 2, .height = 1, .channels = 3, .type = XA_PIXEL_U8, .data = pixels, .bits = 8};
    xa_input_spec s = {.height = 1, .width = 2, .resize = XA_RESAMPLE_PIL_NEAREST};
    const struct {
        xa_scale scale;
        double want[3]; /* of the first pixel */
    } cases[] = {
        {{.kind = XA_SCALE_NONE}, {10, 20, 30}},
        {{.kind = XA_SCALE_UNIT}, {10 / 255.0, 20 / 255.0, 30 / 255.0}},
        {{.kind = XA_SCALE_TF}, {10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1}},
        {{.kind = XA_SCALE_CAFFE}, {30 - 103.939, 20 - 116.779, 10 - 123.68}},
        {{.kind = XA_SCALE_TORCH},
         {(10 / 255.0 - 0.485) / 0.229,
          (20 / 255.0 - 0.456) / 0.224,
          (30 / 255.0 - 0.406) / 0.225}},
        {{.kind = XA_SCALE_CUSTOM, .div = 2, .channels = 3, .mean = {1, 2, 3}, .std = {4, 5, 6}},
         {(5.0 - 1) / 4, (10.0 - 2) / 5, (15.0 - 3) / 6}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float x[6];
        double affine[2][3];
        s.scale = cases[i].scale;
        assert_int_equal(xa_preprocess(&im, &s, 3, x, affine, NULL), XA_OK);
        for (int c = 0; c < 3; c++)
            if (!(fabs((double)x[c] - cases[i].want[c]) < 1e-5))
                fail_msg("scale %s channel %d: %g, expected %g",
                         xa_scale_name(s.scale.kind),
                         c,
                         (double)x[c],
                         cases[i].want[c]);
        assert_true(affine[0][0] == 1.0 && affine[0][2] == 0.0 && affine[1][1] == 1.0);
    }
    float grey[2];
    double affine[2][3];
    xa_err err = XA_ERR_INIT;
    s.scale = (xa_scale){.kind = XA_SCALE_CAFFE};
    assert_int_equal(xa_preprocess(&im, &s, 1, grey, affine, &err), XA_INVALID);
    s.scale = (xa_scale){.kind = XA_SCALE_NONE};
    assert_int_equal(xa_preprocess(&im, &s, 1, grey, affine, NULL), XA_OK);
    assert_true(grey[0] ==
                (float)((19595 * 10 + 38470 * 20 + 7471 * 30 + 32768) >> 16)); /* Pillow's L */
}

/* jobs/demo/reference.csv: Keras' probabilities of the demo's photographs. */
static void test_demo_beside_keras(void **state)
{
    (void)state;
    xa_model *m = open_demo();
    const xa_head *h = xa_model_head(m);
    xa_plan *p;
    xa_plan_info info;
    xa_run r;
    const xa_plan_spec spec = {.batch = 1, .root = h->node, .reuse_input = true};
    const xa_input_spec in = {.height = 128,
                              .width = 128,
                              .resize = XA_RESAMPLE_PIL_BILINEAR,
                              .scale = {.kind = XA_SCALE_TF}};
    const xa_decode_options decode = xa_decode_defaults();
    char line[512];
    double worst = 0.0;
    int images = 0;
    assert_int_equal(xa_plan_create(xa_model_graph(m), &spec, &p, NULL), XA_OK);
    xa_plan_get_info(p, &info);
    void *blob = xa_alloc_aligned(info.weight_bytes), *arena = xa_alloc_aligned(info.arena_bytes);
    const xa_weight_reader reader = xa_model_reader(m);
    assert_int_equal(xa_plan_pack(p, &reader, blob, NULL), XA_OK);
    xa_run_init(&r, p, blob, arena, NULL);
    FILE *f = fopen(DEMO "reference.csv", "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char id[64], file[512];
        double want[7];
        float logits[7], probs[7];
        double affine[2][3];
        xa_image im = {0};
        assert_int_equal(sscanf(line,
                                "%63[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf",
                                id,
                                &want[0],
                                &want[1],
                                &want[2],
                                &want[3],
                                &want[4],
                                &want[5],
                                &want[6]),
                         8);
        snprintf(file, sizeof file, DEMO "images/%s.jpg", id);
        assert_int_equal(xa_image_read(file, &decode, &im, NULL), XA_OK);
        assert_int_equal(xa_preprocess(&im, &in, 3, xa_run_input(&r), affine, NULL), XA_OK);
        xa_image_fini(&im);
        xa_run_forward(&r);
        xa_head_apply(h, xa_run_value(&r, h->node), logits, probs);
        for (int c = 0; c < 7; c++)
            worst = fmax(worst, fabs((double)probs[c] - want[c]));
        images++;
    }
    fclose(f);
    print_message("demo: largest difference to Keras' probabilities %.2e\n", worst);
    assert_int_equal(images, 42);
    assert_true(worst < 1e-5);
    xa_plan_free(p);
    xa_model_free(m);
    free(blob);
    free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_truncated),
                                       cmocka_unit_test(test_layers),
                                       cmocka_unit_test(test_layer_of_branches),
                                       cmocka_unit_test(test_contradicting_head),
                                       cmocka_unit_test(test_heads),
                                       cmocka_unit_test(test_preprocess),
                                       cmocka_unit_test(test_demo_beside_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
