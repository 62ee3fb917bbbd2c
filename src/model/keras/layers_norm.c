/* Normalisations: of the batch (Ioffe and Szegedy 2015), of a layer (Ba et al. 2016), of groups (Wu
 * and He 2018), by the root mean square (Zhang and Sennrich 2019), to length 1. */
#include <inttypes.h>
#include <math.h>

#include "axes.h"

enum { GAMMA, BETA, MEAN, VARIANCE };

static xa_status read_epsilon(const xa__ksite *s, double missing, float *epsilon, xa_err *err)
{
    double x;
    XA_RETURN_TRY(err, xa__kget_real(s->layer->config, "epsilon", missing, &x, err));
    if (!(x >= 0))
        XA_RETURN_FAIL(err, XA_INVALID, "\"epsilon\" is %g", x);
    *epsilon = (float)x;
    return XA_OK;
}

/* The layer's only tensor, and the axes that its setting "axis" names. */
static xa_status read_input(const xa__ksite *s, int *in, xa__kaxes *axes, xa_err *err)
{
    XA_RETURN_TRY(err, xa__ksite_one(s, in, err));
    return xa__kaxes_read(s, json_object_get(s->layer->config, "axis"), -1, *in, axes, err);
}

/* ---- batch ---- */

static const xa__kslot batch_slots[] = {
    {"gamma", NULL, "scale", true, true, false},
    {"beta", NULL, "center", true, true, false},
    {"moving_mean", "running_mean", NULL, true, false, false},
    {"moving_variance", "running_std", NULL, true, false, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_batch_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    xa__kaxes axes;
    int in, w[4];
    XA_RETURN_TRY(err, read_input(s, &in, &axes, err));
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "renorm", err));
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "virtual_batch_size", err));
    if (axes.n != 1)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "normalises %d axes; only a single one is supported", axes.n);
    XA_RETURN_TRY(err, read_epsilon(s, 1e-3, &p.affine.epsilon, err));
    const xa_shape shape = xa__kshape1(xa__kaxes_count(&axes));
    for (int i = GAMMA; i <= VARIANCE; i++)
        XA_RETURN_TRY(err, xa__ksite_weight(s, i, &shape, NULL, &w[i], err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, &axes, in, &in, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_AFFINE, &in, 1, &p, w, 4, &in, err));
    return xa__kaxes_restore(s, &axes, in, out, err);
}

/* ---- layer, root mean square ---- */

static const xa__kslot layer_slots[] = {
    {"gamma", NULL, "scale|rms_scaling", true, true, false},
    {"beta", NULL, "center-rms_scaling", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static const xa__kslot rms_slots[] = {
    {"scale", NULL, NULL, true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* The norm along the axes, whose weights lie over all of them: slots of the class, in order. */
static xa_status norm_along(xa__ksite *s,
                            const xa__kaxes *axes,
                            int in,
                            const xa_op_params *p,
                            int slots,
                            int *out,
                            xa_err *err)
{
    const xa_shape weight = xa__kaxes_extents(axes), vector = xa__kshape1(xa__kaxes_count(axes));
    int w[2] = {-1, -1};
    for (int i = 0; i < slots; i++)
        XA_RETURN_TRY(err, xa__ksite_weight(s, i, &weight, &vector, &w[i], err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, axes, in, &in, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_LAYER_NORM, &in, 1, p, w, 2, &in, err));
    return xa__kaxes_restore(s, axes, in, out, err);
}

/* x/sqrt(var(x) + epsilon)*gamma, which LayerNormalization calls rms_scaling: the variance is about
 * the mean, but the mean is not taken off x. */
static xa_status
variance_along(xa__ksite *s, const xa__kaxes *axes, int in, float epsilon, int *out, xa_err *err)
{
    const xa_shape weight = xa__kaxes_extents(axes), vector = xa__kshape1(xa__kaxes_count(axes));
    const double shift = epsilon;
    int w[4] = {-1, -1, -1, -1}, x, y;
    XA_RETURN_TRY(err, xa__ksite_weight(s, GAMMA, &weight, &vector, &w[GAMMA], err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, axes, in, &x, err));
    const xa_op_params mean = {
        .reduce = {.kind = XA_OVER_MEAN, .axis = xa__ksite_shape(s, x)->ndim - 1}};
    const xa_op_params power = {.unary = {.kind = XA_UNARY_POWER, .a = -0.5f}};
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_REDUCE, x, &mean, &y, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_SUBTRACT, (int[]){x, y}, 2, NULL, NULL, 0, &y, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_MULTIPLY, (int[]){y, y}, 2, NULL, NULL, 0, &y, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_REDUCE, y, &mean, &y, err));
    XA_RETURN_TRY(err, xa__ksite_affine(s, y, NULL, 0, &shift, 1, &y, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_UNARY, y, &power, &y, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_MULTIPLY, (int[]){x, y}, 2, NULL, NULL, 0, &x, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_AFFINE, &x, 1, NULL, w, 4, &x, err));
    return xa__kaxes_restore(s, axes, x, out, err);
}

static xa_status build_layer_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    xa__kaxes axes;
    int in;
    bool scaling;
    XA_RETURN_TRY(err, read_input(s, &in, &axes, err));
    XA_RETURN_TRY(err, xa__kget_bool(s->layer->config, "rms_scaling", false, &scaling, err));
    XA_RETURN_TRY(err, read_epsilon(s, 1e-3, &p.layer_norm.epsilon, err));
    if (scaling)
        return variance_along(s, &axes, in, p.layer_norm.epsilon, out, err);
    return norm_along(s, &axes, in, &p, 2, out, err);
}

static xa_status build_rms_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {.layer_norm = {.rms = true}};
    xa__kaxes axes;
    int in;
    XA_RETURN_TRY(err, xa__ksite_known(s, "axis epsilon", err));
    XA_RETURN_TRY(err, read_input(s, &in, &axes, err));
    if (axes.axes[0] != axes.before.ndim - axes.n)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "normalises over other axes than the last; Keras multiplies its scale along "
                       "the last ones there, whichever were meant");
    XA_RETURN_TRY(err, read_epsilon(s, 1e-6, &p.layer_norm.epsilon, err));
    return norm_along(s, &axes, in, &p, 1, out, err);
}

/* ---- groups ---- */

static const xa__kslot group_slots[] = {
    {"gamma", NULL, "scale", true, true, false},
    {"beta", NULL, "center", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* [places.., C] as [places, G, C/G], of which each group is normalised over places and channels. */
static xa_status
normalise_groups(xa__ksite *s, int in, int64_t groups, const xa_op_params *p, int *out, xa_err *err)
{
    const xa_shape x = *xa__ksite_shape(s, in);
    const int64_t channels = xa_shape_last(&x);
    const xa_shape split = xa__kshape3(xa_shape_count(&x) / channels, groups, channels / groups);
    const int none[2] = {-1, -1};
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &split, &in, err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_GROUP_NORM, &in, 1, p, none, 2, &in, err));
    return xa__ksite_reshape(s, in, &x, out, err);
}

static xa_status build_group_norm(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    const xa_op_params affine = {0};
    xa__kaxes axes;
    int64_t groups;
    int in, w[4] = {-1, -1, -1, -1};
    XA_RETURN_TRY(err, xa__ksite_known(s, "groups axis epsilon center scale", err));
    XA_RETURN_TRY(err, read_input(s, &in, &axes, err));
    if (axes.n != 1)
        XA_RETURN_FAIL(err, XA_INVALID, "\"axis\" lists %d axes, expected one", axes.n);
    const int64_t channels = xa__kaxes_count(&axes);
    XA_RETURN_TRY(err,
                  xa__kget_int(s->layer->config, "groups", 32, -1, XA__KMAX_EXTENT, &groups, err));
    if (groups == -1) /* a group for each channel */
        groups = channels;
    if (groups < 1 || channels % groups)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%" PRId64 " groups do not divide %" PRId64 " channels evenly",
                       groups,
                       channels);
    XA_RETURN_TRY(err, read_epsilon(s, 1e-3, &p.group_norm.epsilon, err));
    const xa_shape shape = xa__kshape1(channels);
    for (int i = GAMMA; i <= BETA; i++)
        XA_RETURN_TRY(err, xa__ksite_weight(s, i, &shape, NULL, &w[i], err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, &axes, in, &in, err));
    XA_RETURN_TRY(err, normalise_groups(s, in, groups, &p, &in, err));
    if (w[GAMMA] >= 0 || w[BETA] >= 0)
        XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_AFFINE, &in, 1, &affine, w, 4, &in, err));
    return xa__kaxes_restore(s, &axes, in, out, err);
}

/* ---- length ---- */

/* x/|x|, where |x| is at least 1e-6 in Keras 2 and 1e-12 in Keras 3. */
static xa_status build_unit_norm(xa__ksite *s, int *out, xa_err *err)
{
    const xa_op_params least = {
        .unary = {XA_UNARY_CLIP, s->b->keras >= 3 ? 1e-12f : 1e-6f, INFINITY}};
    xa__kaxes axes;
    int x, length;
    XA_RETURN_TRY(err, xa__ksite_known(s, "axis", err));
    XA_RETURN_TRY(err, read_input(s, &x, &axes, err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, &axes, x, &x, err));
    const xa_op_params norm = {
        .reduce = {.kind = XA_OVER_L2, .axis = xa__ksite_shape(s, x)->ndim - 1}};
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_REDUCE, x, &norm, &length, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_UNARY, length, &least, &length, err));
    XA_RETURN_TRY(err,
                  xa__ksite_node(s, XA_OP_DIVIDE, (int[]){x, length}, 2, NULL, NULL, 0, &x, err));
    return xa__kaxes_restore(s, &axes, x, out, err);
}

const xa__kclass xa__kclasses_norm[] = {
    {"BatchNormalization", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"BatchNormalizationV1", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"BatchNormalizationV2", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"SyncBatchNormalization", build_batch_norm, batch_slots, XA__KCLASS_TRAINS},
    {"LayerNormalization", build_layer_norm, layer_slots, 0},
    {"RMSNormalization", build_rms_norm, rms_slots, 0},
    {"GroupNormalization", build_group_norm, group_slots, 0},
    {"UnitNormalization", build_unit_norm, NULL, 0},
    {NULL, NULL, NULL, 0},
};
