/* Gradient times input, x * dS/dx, in units of the network's input. Shrikumar et al. 2016. */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__map_of_channels(spec, &v->input_shape, v->input_gradient, v->input, map);
}

const xa_explainer_def xa_explainer_gradient_x_input = {
    .name = "gradient_x_input",
    .reference = "Shrikumar et al.: Not just a black box, 2016",
    .needs = XA_NEEDS_INPUT | XA_NEEDS_INPUT_GRADIENT,
    .channels = XA_REDUCE_NONE,
    .settings = XA__HAS(BACKWARD),
    .compute = compute};
