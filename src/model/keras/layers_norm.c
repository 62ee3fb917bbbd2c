/* BatchNormalization and LayerNormalization. */
#include <inttypes.h>

#include "layers.h"

enum { GAMMA, BETA, MEAN, VARIANCE };

static const xa__kslot batch_slots[] = {
    {"gamma", NULL, "scale", true, true, false},
    {"beta", NULL, "center", true, true, false},
    {"moving_mean", "running_mean", NULL, true, false, false},
    {"moving_variance", "running_std", NULL, true, false, false},
    {NULL, NULL, NULL, false, false, false},
};

/* Reads "axis", a number or a list, as axes of the sample, ascending. */
static xa_status read_axes(const xa__ksite *s, int ndim, int axes[XA_MAX_DIMS], int *n, xa_err *err)
{
    const json_t *v = json_object_get(s->layer->config, "axis");
    const size_t count = json_is_array(v) ? json_array_size(v) : 1;
    bool taken[XA_MAX_DIMS] = {false};
    if (ndim < 1)
        XA_RETURN_FAIL(err, XA_SHAPE, "called with a single number, which has no axis");
    if (count == 0 || count > XA_MAX_DIMS)
        XA_RETURN_FAIL(err, XA_INVALID, "\"axis\" lists %zu axes", count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(v) ? json_array_get(v, i) : v;
        int axis = ndim - 1;
        if (item && !json_is_null(item)) {
            if (!json_is_integer(item))
                XA_RETURN_FAIL(err, XA_FORMAT, "\"axis\" is no whole number");
            XA_RETURN_TRY(err, xa__ksite_axis(json_integer_value(item), ndim, &axis, err));
        }
        taken[axis] = true;
    }
    *n = 0;
    for (int i = 0; i < ndim; i++)
        if (taken[i])
            axes[(*n)++] = i;
    return XA_OK;
}

static xa_status build_batch_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    double epsilon;
    int in, axes[XA_MAX_DIMS], naxes, w[4];
    const json_t *c = s->layer->config;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    const xa_shape *x = xa__ksite_shape(s, in);
    XA_RETURN_TRY(err, xa__kget_refuse(c, "renorm", err));
    XA_RETURN_TRY(err, xa__kget_refuse(c, "virtual_batch_size", err));
    XA_RETURN_TRY(err, read_axes(s, x->ndim, axes, &naxes, err));
    if (naxes != 1 || axes[0] != x->ndim - 1)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "normalises axis %d of %d; only the last axis (channels) is supported",
                       axes[0] + 1,
                       x->ndim);
    XA_RETURN_TRY(err, xa__kget_real(c, "epsilon", 1e-3, &epsilon, err));
    if (!(epsilon >= 0))
        XA_RETURN_FAIL(err, XA_INVALID, "\"epsilon\" is %g", epsilon);
    p.affine.epsilon = (float)epsilon;
    const xa_shape shape = xa__kshape1(xa_shape_last(x));
    for (int i = GAMMA; i <= VARIANCE; i++)
        XA_RETURN_TRY(err, xa__ksite_weight(s, i, &shape, NULL, &w[i], err));
    return xa__ksite_node(s, XA_OP_AFFINE, &in, 1, &p, w, 4, out, err);
}

static const xa__kslot layer_slots[] = {
    {"gamma", NULL, "scale", true, true, false},
    {"beta", NULL, "center", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* Over the last axis, or over the last few, which a reshape makes one axis. */
static xa_status build_layer_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    double epsilon;
    int in, node, axes[XA_MAX_DIMS], naxes, w[2];
    const json_t *c = s->layer->config;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    const xa_shape x = *xa__ksite_shape(s, in);
    XA_RETURN_TRY(err, xa__kget_refuse(c, "rms_scaling", err));
    XA_RETURN_TRY(err, read_axes(s, x.ndim, axes, &naxes, err));
    if (axes[0] != x.ndim - naxes)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "normalises over %d axes from axis %d of %d; only the last axes are supported",
            naxes,
            axes[0] + 1,
            x.ndim);
    XA_RETURN_TRY(err, xa__kget_real(c, "epsilon", 1e-3, &epsilon, err));
    if (!(epsilon >= 0))
        XA_RETURN_FAIL(err, XA_INVALID, "\"epsilon\" is %g", epsilon);
    p.layer_norm.epsilon = (float)epsilon;
    xa_shape weight = {.ndim = naxes}, flat = {.ndim = x.ndim - naxes + 1};
    for (int i = 0; i < x.ndim - naxes; i++)
        flat.dim[i] = x.dim[i];
    for (int i = 0; i < naxes; i++)
        weight.dim[i] = x.dim[axes[i]];
    const xa_shape vector = xa__kshape1(xa_shape_count(&weight));
    flat.dim[flat.ndim - 1] = vector.dim[0];
    XA_RETURN_TRY(err, xa__ksite_weight(s, GAMMA, &weight, &vector, &w[GAMMA], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, BETA, &weight, &vector, &w[BETA], err));
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &flat, &node, err));
    in = node;
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_LAYER_NORM, &in, 1, &p, w, 2, &node, err));
    return xa__ksite_reshape(s, node, &x, out, err);
}

const xa__kclass xa__kclasses_norm[] = {
    {"BatchNormalization", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"BatchNormalizationV1", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"BatchNormalizationV2", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"SyncBatchNormalization", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"LayerNormalization", build_layer_norm, layer_slots, 0},
    {NULL, NULL, NULL, 0},
};
