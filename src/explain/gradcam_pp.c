/* Grad-CAM++. Chattopadhay et al. 2018, equations 10 to 19, with the exponential score's
 * derivatives written by the first one:
 *
 *   a_ijk = g^2 / (2 g^2 + (sum_ij A_ijk) g^3 + 1e-6) where g is not 0, otherwise 0,
 *   w_k   = sum_ij a_ijk max(g_ijk, 0),   L_ij = ReLU(sum_k w_k A_ijk). */
#include "explain_internal.h"

static double weight(int64_t pixels, int64_t stride, const float *gradient, const float *value)
{
    double total = 0.0, w = 0.0;
    for (int64_t p = 0; p < pixels; p++)
        total += (double)value[p * stride];
    for (int64_t p = 0; p < pixels; p++) {
        const double g = (double)gradient[p * stride];
        if (g <= 0.0)
            continue; /* max(g, 0) is 0; NaN passes */
        w += g * g / (2.0 * g * g + total * g * g * g + 1e-6) * g;
    }
    return w;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__cam_by_channel(spec, v, weight, map);
}

const xa_explainer_def xa_explainer_gradcam_pp = {
    .name = "gradcam++",
    .reference = "Chattopadhay et al.: Grad-CAM++, WACV 2018, doi:10.1109/WACV.2018.00097",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .compute = compute};
