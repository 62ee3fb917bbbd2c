/* XGrad-CAM. Fu et al. 2020, equation 8:
 *   w_k = sum_ij g_ijk A_ijk / (sum_ij A_ijk + 1e-7),   L_ij = ReLU(sum_k w_k A_ijk). */
#include "explain_internal.h"

static double weight(int64_t pixels, int64_t stride, const float *gradient, const float *value)
{
    double total = 0.0, product = 0.0;
    for (int64_t p = 0; p < pixels; p++) {
        total += (double)value[p * stride];
        product += (double)gradient[p * stride] * (double)value[p * stride];
    }
    /* a channel that sums to -1e-7 exactly would divide by zero: it has no weight */
    return total + 1e-7 == 0.0 ? 0.0 : product / (total + 1e-7);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__cam_by_channel(spec, v, weight, map);
}

const xa_explainer_def xa_explainer_xgradcam = {
    .name = "xgradcam",
    .reference = "Fu et al.: Axiom-based Grad-CAM, BMVC 2020, arXiv:2008.02312",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .compute = compute};
