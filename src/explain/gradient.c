/* The signed input gradient dS/dx, per channel unless reduced. Baehrens et al. 2010. */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__map_of_channels(spec, &v->input_shape, v->input_gradient, NULL, map);
}

const xa_explainer_def xa_explainer_gradient = {
    .name = "gradient",
    .reference = "Baehrens et al.: How to explain individual classification decisions, 2010",
    .needs = XA_NEEDS_INPUT_GRADIENT,
    .channels = XA_REDUCE_NONE,
    .settings = XA__HAS(BACKWARD),
    .compute = compute};
