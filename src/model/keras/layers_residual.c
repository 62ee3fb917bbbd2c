/* What keras.applications defines for the branches of its own networks: ConvNeXt's LayerScale and
 * StochasticDepth (Liu et al. 2022), and the scaled addition of Inception-ResNet-v2 (Szegedy et al.
 * 2016). */
#include "layers.h"

static const xa__kslot scale_slots[] = {
    {"gamma", "variable", NULL, true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* x * gamma, one value for each channel. */
static xa_status build_layer_scale(xa__ksite *s, int *out, xa_err *err)
{
    int in, w[4] = {-1, -1, -1, -1};
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_known(s, "init_values projection_dim", err));
    const xa_shape shape = xa__kshape1(xa_shape_last(xa__ksite_shape(s, in)));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &shape, NULL, &w[0], err));
    return xa__ksite_node(s, XA_OP_AFFINE, &in, 1, NULL, w, 4, out, err);
}

/* It drops whole branches in training, and does nothing at inference. */
static xa_status build_stochastic_depth(xa__ksite *s, int *out, xa_err *err)
{
    XA_RETURN_TRY(err, xa__ksite_known(s, "drop_path_rate", err));
    return xa__ksite_one(s, out, err);
}

/* x + scale * y */
static xa_status build_custom_scale(xa__ksite *s, int *out, xa_err *err)
{
    int side[2];
    double scale;
    XA_RETURN_TRY(err, xa__ksite_known(s, "scale", err));
    if (s->nin != 2)
        XA_RETURN_FAIL(err, XA_INVALID, "called with %d tensors, expected 2", s->nin);
    if (xa__kget_absent(s->layer->config, "scale"))
        XA_RETURN_FAIL(err, XA_FORMAT, "\"scale\" is missing");
    XA_RETURN_TRY(err, xa__kget_real(s->layer->config, "scale", 1.0, &scale, err));
    side[0] = s->in[0];
    XA_RETURN_TRY(err, xa__ksite_affine(s, s->in[1], &scale, 1, NULL, 0, &side[1], err));
    return xa__ksite_node(s, XA_OP_ADD, side, 2, NULL, NULL, 0, out, err);
}

const xa__kclass xa__kclasses_residual[] = {
    {"LayerScale", build_layer_scale, scale_slots, 0},
    {"StochasticDepth", build_stochastic_depth, NULL, XA__KCLASS_TRAINS},
    {"CustomScaleLayer", build_custom_scale, NULL, 0},
    {NULL, NULL, NULL, 0},
};
