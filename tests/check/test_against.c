/* check --against: a reference of PyTorch's numbers (tests/golden/onnx/make_targets.py) that
 * agrees, the same with one number changed, and files that are no reference of this model. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/check.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/targets"
enum { SIDE = 16, PIXELS = SIDE * SIDE, CLASSES = 5, CELLS = 64 };

static char folder[] = "/tmp/xaudit-against-XXXXXX", job[64], ref[64], csv[64];

/* ---- the job ---- */

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void load(xa_loaded *l, const char *scale)
{
    char text[1024];
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    const xa_run_options opt = {.job = job};
    snprintf(text,
             sizeof text,
             "manifest: j.csv\noutput: o.h5\nmodels:\n  - name: two\n    file: " GOLDEN ".onnx\n"
             "    head: softmax\n    output_name: classes\n"
             "    inputs: { gain: 0.5, meta: " GOLDEN ".npy }\n"
             "    input: { size: [16, 16], resize: pil-bilinear, scale: %s }\n"
             "    explainers: [{ kind: gradcam, layer: features.2 }]\n",
             scale);
    write_text(job, text);
    *l = (xa_loaded){.audit = NULL};
    if (xa_check_load(&opt, l, &problems, &err) != XA_OK || problems.errors)
        fail_msg("%s; %s", err.message, problems.count ? problems.items[0].text : "");
    xa_problems_fini(&problems);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(job, sizeof job, "%s/j.yaml", folder);
    snprintf(ref, sizeof ref, "%s/ref.h5", folder);
    snprintf(csv, sizeof csv, "%s/j.csv", folder);
    write_text(csv, "path\n" GOLDEN ".png\n");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(job);
    unlink(ref);
    unlink(csv);
    return rmdir(folder);
}

/* ---- the reference ---- */

typedef struct golden {
    float logits[CLASSES], probs[CLASSES], input[PIXELS * 3], gradient[PIXELS * 3], cam[CELLS];
    double gradient64[PIXELS * 3];
    int32_t target;
} golden;

static void read_one(hid_t f, const char *name, hid_t type, void *to)
{
    const hid_t d = H5Dopen2(f, name, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0);
    H5Dclose(d);
}

static golden read_golden(void)
{
    static float top3[3 * 3 * PIXELS];
    golden g;
    int32_t order[CLASSES];
    xa_image im = {0};
    const xa_decode_options opt = xa_decode_defaults();
    const xa_head h = {XA_HEAD_SOFTMAX, 0, CLASSES, CLASSES};
    const hid_t f = H5Fopen(GOLDEN ".maps.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    float same[CLASSES];
    assert_true(f >= 0);
    read_one(f, "classes", H5T_NATIVE_FLOAT, g.logits);
    read_one(f, "top", H5T_NATIVE_INT32, order);
    read_one(f, "gradcam.top1", H5T_NATIVE_FLOAT, g.cam);
    read_one(f, "gradient.top3", H5T_NATIVE_FLOAT, top3);
    H5Fclose(f);
    g.target = order[0];
    xa_head_apply(&h, g.logits, same, g.probs);
    assert_int_equal(xa_image_read(GOLDEN ".png", &opt, &im, NULL), XA_OK);
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < 3; c++) {
            g.input[3 * i + c] = (float)((const uint8_t *)im.data)[3 * i + c] / 255.0f;
            g.gradient[3 * i + c] = top3[c * PIXELS + i];
            g.gradient64[3 * i + c] = (double)g.gradient[3 * i + c];
        }
    xa_image_fini(&im);
    return g;
}

static void put_text(hid_t at, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text) + 1);
    const hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, type, text) >= 0);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}

static void put(hid_t f, const char *name, hid_t type, int ndim, const hsize_t *dim, const void *v)
{
    const hid_t space = H5Screate_simple(ndim, dim, NULL);
    const hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

/* Writes it; of `without` nothing, of `wrong` with a row too many. */
typedef struct form {
    const char *without, *wrong, *layer, *score, *model;
} form;

static hsize_t rows(const form *x, const char *name)
{
    return x->wrong && !strcmp(x->wrong, name) ? 2 : 1;
}

static void write_reference(const golden *g, const form *x)
{
    static char zeros[2 * 8 * 3 * PIXELS];
    const hid_t f = H5Fcreate(ref, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t text = H5Tcopy(H5T_C_S1);
    char paths[2][256] = {GOLDEN ".png", ""};
    const struct {
        const char *name;
        hid_t type;
        int ndim;
        hsize_t dim[4];
        const void *values;
    } all[] = {{"input", H5T_NATIVE_FLOAT, 4, {1, SIDE, SIDE, 3}, g->input},
               {"logits", H5T_NATIVE_FLOAT, 2, {1, CLASSES}, g->logits},
               {"probs", H5T_NATIVE_FLOAT, 2, {1, CLASSES}, g->probs},
               {"target", H5T_NATIVE_INT32, 1, {1}, &g->target},
               {"gradient", H5T_NATIVE_FLOAT, 4, {1, SIDE, SIDE, 3}, g->gradient},
               {"gradient64", H5T_NATIVE_DOUBLE, 4, {1, SIDE, SIDE, 3}, g->gradient64},
               {"paths", text, 1, {1}, paths},
               {"layers/0/gradcam", H5T_NATIVE_FLOAT, 3, {1, 8, 8}, g->cam}};
    assert_true(f >= 0);
    H5Tset_size(text, sizeof paths[0]);
    put_text(f, "format", "xaudit-reference 1");
    put_text(f, "framework", "torch 2.14.1 onnx 1.22.0");
    put_text(f, "model", x->model ? x->model : "targets.onnx");
    put_text(f, "score", x->score ? x->score : "logit");
    const hid_t layers = H5Gcreate2(f, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t first = H5Gcreate2(f, "layers/0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_text(first, "layer", x->layer ? x->layer : "features.2");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        hsize_t dim[4];
        memcpy(dim, all[i].dim, sizeof dim);
        dim[0] = rows(x, all[i].name);
        if (!x->without || strcmp(x->without, all[i].name) != 0)
            put(f, all[i].name, all[i].type, all[i].ndim, dim, dim[0] > 1 ? zeros : all[i].values);
    }
    H5Gclose(first);
    H5Gclose(layers);
    H5Tclose(text);
    assert_true(H5Fclose(f) >= 0);
}

/* ---- what comes of it ---- */

static bool agrees(const golden *g, const char *scale)
{
    const form whole = {NULL};
    xa_loaded l;
    xa_err err = XA_ERR_INIT;
    bool good = false;
    write_reference(g, &whole);
    load(&l, scale);
    if (xa_check_against(&l, ref, &good, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_loaded_fini(&l);
    return good;
}

static void test_agrees(void **state)
{
    (void)state;
    const golden g = read_golden();
    assert_true(agrees(&g, "unit"));
}

/* Each number alone makes a difference. */
static void test_differs(void **state)
{
    (void)state;
    const golden g = read_golden();
    golden x = g;
    x.logits[4] += 1e-3f;
    assert_false(agrees(&x, "unit"));
    x = g;
    x.probs[1] += 1e-3f;
    assert_false(agrees(&x, "unit"));
    x = g;
    x.cam[9] += 0.01f;
    assert_false(agrees(&x, "unit"));
    x = g;
    for (int i = 0; i < PIXELS;
         i++) { /* float64 says otherwise, and their float32 agrees with it */
        x.gradient64[3 * i] *= 1.01;
        x.gradient[3 * i] = (float)x.gradient64[3 * i];
    }
    assert_false(agrees(&x, "unit"));
    x = g;
    x.target = x.target ? 0 : 1; /* maps of another class */
    assert_false(agrees(&x, "unit"));
    assert_false(agrees(&g, "tf")); /* the job scales otherwise; the rest is of the stored input */
    x = g;
    x.logits[0] = NAN;
    assert_false(agrees(&x, "unit"));
}

/* Without float64, gradients are shown and not judged; probabilities and images may be missing. */
static void test_optional(void **state)
{
    (void)state;
    static const char *const optional[] = {"gradient64", "probs", "paths", "layers/0/gradcam"};
    const golden g = read_golden();
    xa_loaded l;
    load(&l, "unit");
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        const form x = {.without = optional[i]};
        xa_err err = XA_ERR_INIT;
        bool good = false;
        write_reference(&g, &x);
        if (xa_check_against(&l, ref, &good, &err) != XA_OK || !good)
            fail_msg("without %s: %s", optional[i], good ? err.message : "it differs");
    }
    xa_loaded_fini(&l);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        form form;
        const char *words;
    } cases[] = {{{.without = "input"}, "/input"},
                 {{.without = "logits"}, "/logits"},
                 {{.without = "target"}, "/target"},
                 {{.without = "gradient"}, "/gradient"},
                 {{.wrong = "logits"}, "is of a model with 5 classes"},
                 {{.wrong = "probs"}, "/probs of the reference has other extents"},
                 {{.wrong = "target"}, "/target of the reference has other extents"},
                 {{.wrong = "gradient"}, "/gradient of the reference has other extents"},
                 {{.wrong = "gradient64"}, "/gradient64 of the reference has other extents"},
                 {{.wrong = "paths"}, "/paths does not name its images"},
                 {{.wrong = "layers/0/gradcam"}, "has a different grid"},
                 {{.layer = "features.9"}, "features.9"},
                 {{.layer = "features.0"}, NULL}, /* the same grid, another map */
                 {{.score = "seed"}, "does not name a score"},
                 {{.model = "other.onnx"}, NULL}}; /* the job has one model: it is that one */
    const golden g = read_golden();
    xa_loaded l;
    load(&l, "unit");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_err err = XA_ERR_INIT;
        bool good = false;
        write_reference(&g, &cases[i].form);
        const xa_status st = xa_check_against(&l, ref, &good, &err);
        const bool told = cases[i].words && st != XA_OK && strstr(err.message, cases[i].words);
        if (cases[i].words ? !told : st != XA_OK)
            fail_msg("case %zu: \"%s\"", i, st == XA_OK ? "it is compared" : err.message);
    }
    xa_loaded_fini(&l);
}

/* Files that are no reference, one of another input, and a class that there is not. */
static void test_foreign(void **state)
{
    (void)state;
    static const char *const files[] = {
        GOLDEN ".maps.h5", GOLDEN ".png", GOLDEN ".onnx", "/nowhere.h5"};
    golden g = read_golden();
    const form whole = {NULL};
    xa_loaded l;
    bool good;
    load(&l, "unit");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        xa_err err = XA_ERR_INIT;
        assert_int_not_equal(xa_check_against(&l, files[i], &good, &err), XA_OK);
        if (!strstr(err.message, files[i]))
            fail_msg("%s: \"%s\"", files[i], err.message);
    }
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_check_against(&l, XA_TEST_DATA "/golden/onnx/resnet.ref.h5", &good, &err),
                     XA_MISMATCH);
    assert_non_null(strstr(err.message, "was made at 24x24x3"));
    g.target = CLASSES;
    write_reference(&g, &whole);
    assert_int_not_equal(xa_check_against(&l, ref, &good, &err), XA_OK);
    xa_loaded_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees),
                                       cmocka_unit_test(test_differs),
                                       cmocka_unit_test(test_optional),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_foreign)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
