/* Vanilla saliency. Simonyan, Vedaldi, Zisserman 2013, section 3: M_ij = max_c |dS/dx_ijc|. */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__map_of_channels(spec, &v->input_shape, v->input_gradient, NULL, map);
}

const xa_explainer_def xa_explainer_saliency = {
    .name = "saliency",
    .reference = "Simonyan, Vedaldi, Zisserman: Deep inside convolutional networks, 2013",
    .needs = XA_NEEDS_INPUT_GRADIENT,
    .channels = XA_REDUCE_MAX,
    .absolute = true,
    .settings = XA__HAS(BACKWARD),
    .compute = compute};
