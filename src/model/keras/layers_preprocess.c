/* Preprocessing written into the graph: Rescaling, Normalization. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "layers.h"

enum { MAX_CHANNELS = 4096 };

static xa_status build_rescaling(xa__ksite *s, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    const json_t *c = s->layer->config;
    const json_t *scale = json_object_get(c, "scale"), *offset = json_object_get(c, "offset");
    double *v = xa_alloc((size_t)2 * MAX_CHANNELS, sizeof *v);
    double *a = v, *b = v + MAX_CHANNELS;
    int in, na, nb;
    if (!v)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa__ksite_one(s, &in, err));
    na = scale ? xa__kjson_numbers(scale, a, MAX_CHANNELS) : 0;
    nb = 1;
    b[0] = 0;
    if (offset && !json_is_null(offset))
        nb = xa__kjson_numbers(offset, b, MAX_CHANNELS);
    if (na == 0 || nb == 0)
        XA_FAIL(err, XA_FORMAT, "\"scale\" or \"offset\" is no number and no list of numbers");
    XA_TRY(err, xa__ksite_affine(s, in, a, na, b, nb, out, err));
done:
    free(v);
    return st;
}

enum { MEAN, VARIANCE };
static const xa__kslot normalization_slots[] = {
    {"mean", NULL, "=mean", true, false, false},
    {"variance", NULL, "=mean", true, false, false},
    {"count", NULL, "=mean", true, false, true},
    {NULL, NULL, NULL, false, false, false},
};

/* Reads a weight [C] or [1], possibly with extents of 1 in front: n values at v. */
static xa_status read_statistic(xa__ksite *s, int slot, double *v, int *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__ktensor *t = &s->b->file->tensors[s->layer->tensor[slot]];
    float *raw = NULL;
    const int64_t last = t->usable ? xa_shape_last(&t->shape) : 0;
    if (!t->usable || last < 1 || last > MAX_CHANNELS || xa_shape_count(&t->shape) != last)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "statistics \"%s\" with several axes; one value for each channel is supported",
                t->path);
    raw = xa_alloc((size_t)last, sizeof *raw);
    if (!raw)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa__kfile_read(s->b->file, s->layer->tensor[slot], &t->shape, raw, err));
    for (int64_t i = 0; i < last; i++)
        v[i] = raw[i];
    *n = (int)last;
    if (s->layer->node < 0)
        s->layer->parameters += last;
done:
    free(raw);
    return st;
}

static xa_status
read_statistics(xa__ksite *s, double *mean, int *nmean, double *variance, int *nvar, xa_err *err)
{
    if (s->layer->tensor[MEAN] >= 0) {
        XA_RETURN_TRY(err, read_statistic(s, MEAN, mean, nmean, err));
        XA_RETURN_TRY(err, read_statistic(s, VARIANCE, variance, nvar, err));
        return XA_OK;
    }
    const json_t *c = s->layer->config;
    *nmean = xa__kjson_numbers(json_object_get(c, "mean"), mean, MAX_CHANNELS);
    *nvar = xa__kjson_numbers(json_object_get(c, "variance"), variance, MAX_CHANNELS);
    if (*nmean == 0 || *nvar == 0)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "neither weights nor settings \"mean\" and \"variance\" with one value or "
                       "one for each channel");
    return XA_OK;
}

/* (x - mean) / max(sqrt(variance), 1e-7), or its inverse. The statistics are a few numbers, which
 * are read here and become literals. */
static xa_status build_normalization(xa__ksite *s, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    double *v = xa_alloc((size_t)2 * MAX_CHANNELS, sizeof *v);
    double *mean = v, *variance = v + MAX_CHANNELS;
    int in, nm = 0, nv = 0, w[4] = {-1, -1, -1, -1};
    bool invert = false;
    if (!v)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa__ksite_one(s, &in, err));
    XA_TRY(err, xa__kget_bool(s->layer->config, "invert", false, &invert, err));
    const json_t *axis = json_object_get(s->layer->config, "axis");
    const int ndim = xa__ksite_shape(s, in)->ndim;
    if (json_is_array(axis) && json_array_size(axis) == 1)
        axis = json_array_get(axis, 0);
    if (axis && !json_is_null(axis) && !(json_is_array(axis) && json_array_size(axis) == 0)) {
        int at = -1;
        if (json_is_integer(axis))
            XA_TRY(err, xa__ksite_axis(json_integer_value(axis), ndim, &at, err));
        if (at != ndim - 1)
            XA_FAIL(err, XA_UNSUPPORTED, "\"axis\" other than the last (channels)");
    }
    XA_TRY(err, read_statistics(s, mean, &nm, variance, &nv, err));
    for (int i = 0; i < nv; i++)
        if (!(variance[i] >= 0))
            XA_FAIL(err, XA_INVALID, "a negative variance");
    if (invert) {
        for (int i = 0; i < nv; i++)
            variance[i] = fmax(sqrt(variance[i]), 1e-7);
        XA_TRY(err, xa__ksite_affine(s, in, variance, nv, mean, nm, out, err));
        goto done;
    }
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in));
    if ((nm != 1 && nm != channels) || (nv != 1 && nv != channels))
        XA_FAIL(err,
                XA_SHAPE,
                "statistics of %d and %d values for %" PRId64 " channels",
                nm,
                nv,
                channels);
    XA_TRY(err, xa__ksite_literal(s, "mean", mean, nm, &w[2], err));
    XA_TRY(err, xa__ksite_literal(s, "variance", variance, nv, &w[3], err));
    const xa_op_params p = {.affine = {.epsilon = 0, .floor = 1e-7f}};
    XA_TRY(err, xa__ksite_node(s, XA_OP_AFFINE, &in, 1, &p, w, 4, out, err));
done:
    free(v);
    return st;
}

const xa__kclass xa__kclasses_preprocess[] = {
    {"Rescaling", build_rescaling, NULL, XA__KCLASS_SCALES},
    {"Normalization", build_normalization, normalization_slots, XA__KCLASS_SCALES},
    {NULL, NULL, NULL, 0},
};
