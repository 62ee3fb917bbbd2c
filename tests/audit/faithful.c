#include "faithful.h"
#include "started.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/faithfulness/"

/* ---- expected.h5 ---- */

faithful_array faithful_read(const char *name)
{
    enum { MOST_DIMS = 5 };
    faithful_array a = {0};
    hsize_t dims[MOST_DIMS] = {0};
    const hid_t file = H5Fopen(GOLDEN "expected.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = file < 0 ? -1 : H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = set < 0 ? -1 : H5Dget_space(set);
    const int n = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (n < 1 || n > MOST_DIMS || H5Sget_simple_extent_dims(space, dims, NULL) != n)
        fail_msg("expected.h5 has no dataset \"%s\"", name);
    a.images = (int64_t)dims[0];
    a.count = 1;
    for (int i = 1; i < n; i++)
        a.count *= (int64_t)dims[i];
    a.values = calloc((size_t)(a.images * a.count) + 1, sizeof *a.values);
    assert_non_null(a.values);
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.values) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    return a;
}

void faithful_free(faithful_array *a)
{
    free(a->values);
    *a = (faithful_array){0};
}

/* ---- a model on the images ---- */

static void
describe(faithful *f, const char *model, int64_t batch, xa_explainer_spec *explainers, int n)
{
    static char cnn[] = GOLDEN "tiny_cnn.h5", vit[] = GOLDEN "tiny_vit.safetensors", name[] = "m";
    *f = (faithful){.model = {.name = name,
                              .file = strcmp(model, "cnn") ? vit : cnn,
                              .open = xa_model_defaults(),
                              .batch = batch,
                              .explainers = explainers,
                              .nexplainers = n,
                              .input = {.height = 16,
                                        .width = 16,
                                        .resize = XA_RESAMPLE_TF_NEAREST,
                                        .scale = {.kind = XA_SCALE_TF}}}};
    f->spec = (xa_audit_spec){.models = &f->model, .nmodels = 1, .decode = xa_decode_defaults()};
}

bool faithful_takes(const char *model, xa_explainer_spec *explainer, char *why)
{
    xa_err err = XA_ERR_INIT;
    faithful f;
    describe(&f, model, 1, explainer, 1);
    const bool takes = xa_audit_create(&f.spec, &f.audit, &err) == XA_OK;
    snprintf(why, XA_ERR_MESSAGE, "%s", takes ? "" : err.message);
    if (takes)
        xa_audit_free(f.audit);
    return takes;
}

void faithful_start(
    faithful *f, const char *model, int64_t batch, xa_explainer_spec *explainers, int n)
{
    xa_err err = XA_ERR_INIT;
    describe(f, model, batch, explainers, n);
    audit_start(&f->spec, &f->audit, &f->blob, &f->arena, &f->rows);
    xa_str all = {0}; /* the golden references: all images */
    for (int i = 0; i < FAITHFUL_IMAGES; i++)
        xa_str_printf(&all, "%d\n" GOLDEN "images/%d.png\n", i, i);
    if (!all.data || xa_audit_set_references(f->audit, all.data, all.len, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_str_free(&all);
}

void faithful_run(faithful *f, int64_t first, int64_t n)
{
    static char files[FAITHFUL_IMAGES][512], ids[FAITHFUL_IMAGES][8];
    static int32_t labels[FAITHFUL_IMAGES] = {1, 3, 0, 2};
    xa_sample s[FAITHFUL_IMAGES] = {{0}};
    xa_err err = XA_ERR_INIT;
    assert_true(first >= 0 && n >= 1 && first + n <= FAITHFUL_IMAGES);
    for (int64_t i = 0; i < n; i++) {
        snprintf(files[i], sizeof files[i], GOLDEN "images/%d.png", (int)(first + i));
        snprintf(ids[i], sizeof ids[i], "%d", (int)(first + i));
        s[i] =
            (xa_sample){.id = ids[i], .file = files[i], .labels = &labels[first + i], .nlabels = 1};
    }
    if (xa_audit_unit(f->audit, s, n, f->rows, &err) != XA_OK)
        fail_msg("%s", err.message);
    for (int64_t i = 0; i < n; i++)
        if (f->rows->models[0].status[i] != XA_SAMPLE_DONE)
            fail_msg("%s: %s", s[i].file, f->rows->models[0].message + i * XA_MESSAGE_BYTES);
}

void faithful_stop(faithful *f)
{
    audit_stop(f->audit, f->blob, f->arena, f->rows);
}

/* ---- maps beside golden ones ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The golden noise of image i has the seed 1000 + i: the job's seed that gives this with the
 * image's hash. The factor is odd and has an inverse modulo 2^64, found by Newton's method. */
static int64_t seed_for(uint64_t hash, int64_t image)
{
    const uint64_t factor = xa_random_seed(0, 1);
    uint64_t inverse = factor;
    for (int k = 0; k < 6; k++)
        inverse *= 2 - factor * inverse;
    const uint64_t seed = (hash ^ (uint64_t)(1000 + image)) * inverse;
    assert_true(xa_random_seed(hash, seed) == (uint64_t)(1000 + image));
    return (int64_t)seed;
}

void faithful_golden(faithful *f, int64_t image)
{
    xa_image im = {0};
    xa_err err = XA_ERR_INIT;
    char file[512];
    snprintf(file, sizeof file, GOLDEN "images/%d.png", (int)image);
    if (xa_image_read(file, &f->spec.decode, &im, &err) != XA_OK)
        fail_msg("%s", err.message);
    f->spec.seed = seed_for(xa_image_hash(&im), image);
    xa_image_fini(&im);
    faithful_run(f, image, 1);
}

/* Golden maps are [h,w,c], ours [c,h,w]. */
static void
distances(const float *map, const xa_shape *s, const double *golden, double *median, double *tail)
{
    const int64_t planes = s->dim[0], pixels = s->dim[1] * s->dim[2], n = planes * pixels;
    double *d = malloc((size_t)n * sizeof *d), top = 0.0;
    assert_non_null(d);
    for (int64_t c = 0; c < planes; c++)
        for (int64_t p = 0; p < pixels; p++) {
            const double want = golden[p * planes + c];
            d[c * pixels + p] = fabs((double)map[c * pixels + p] - want);
            assert_false(isnan(d[c * pixels + p]));
            top = fmax(top, fabs(want));
        }
    assert_true(top > 0.0);
    qsort(d, (size_t)n, sizeof *d, ascending);
    *median = d[n / 2] / top;
    *tail = d[n * 95 / 100] / top;
    free(d);
}

bool faithful_check(const faithful_case *c)
{
    char name[128];
    faithful f;
    double median = 0.0, tail = 0.0;
    xa_explainer_spec spec = xa_explainer_defaults(c->kind);
    if (c->set)
        c->set(&spec);
    xa_explainer_default_name(&spec, spec.name, sizeof spec.name);
    snprintf(name, sizeof name, "%s/maps/%s", c->model, c->golden);
    faithful_array want = faithful_read(name);
    faithful_start(&f, c->model, 1, &spec, 1);
    const xa_shape shape = xa_audit_map_shape(f.audit, 0, 0);
    assert_int_equal(xa_shape_count(&shape), want.count);
    for (int64_t i = 0; i < want.images; i++) {
        double m, t;
        faithful_golden(&f, i);
        distances(f.rows->models[0].maps[0].values, &shape, want.values + i * want.count, &m, &t);
        median = fmax(median, m);
        tail = fmax(tail, t);
    }
    faithful_stop(&f);
    faithful_free(&want);
    const bool ok = median <= c->median && tail <= c->tail;
    print_message("%s %s %-24s median pixel %.1e  95 %% %.1e\n",
                  ok ? "    " : "FAIL",
                  c->model,
                  c->golden,
                  median,
                  tail);
    return ok;
}
