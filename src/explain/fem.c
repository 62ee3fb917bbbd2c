/* FEM, feature-based explanation. Fuad et al. 2020, section 3: channels count by how much of them
 * stands out, w_k the share of pixels with A_ijk > mean_k + 2 sd_k (over the pixels, population
 * deviation), L_ij = sum_k w_k A_ijk. It explains no class. */
#include <math.h>

#include "explain_internal.h"

static double weight(int64_t pixels, int64_t stride, const float *gradient, const float *value)
{
    double sum = 0.0, squares = 0.0;
    int64_t above = 0;
    (void)gradient;
    for (int64_t p = 0; p < pixels; p++)
        sum += (double)value[p * stride];
    const double mean = sum / (double)pixels;
    for (int64_t p = 0; p < pixels; p++) {
        const double d = (double)value[p * stride] - mean;
        squares += d * d;
    }
    const double limit = mean + 2.0 * sqrt(squares / (double)pixels);
    for (int64_t p = 0; p < pixels; p++)
        above += (double)value[p * stride] > limit;
    return (double)above / (double)pixels;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__cam_by_channel(spec, v, weight, map);
}

const xa_explainer_def xa_explainer_fem = {
    .name = "fem",
    .reference = "Fuad et al.: Features understanding in 3D CNNs for actions recognition in video, "
                 "IPTA 2020",
    .needs = XA_NEEDS_LAYER,
    .is_signed = true,
    .compute = compute};
