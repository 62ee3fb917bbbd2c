/* XGrad-CAM. Fu et al. 2020, equation 8:
 *   w_k = sum_ij g_ijk A_ijk / (sum_ij A_ijk + 1e-7),   L_ij = ReLU(sum_k w_k A_ijk). */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    const float *a = v->layer_value, *g = v->layer_gradient;
    for (int64_t p = 0; p < pixels; p++)
        map[p] = 0.0f;
    for (int64_t k = 0; k < kk; k++) {
        double total = 0.0, product = 0.0;
        for (int64_t p = 0; p < pixels; p++) {
            total += (double)a[p * kk + k];
            product += (double)g[p * kk + k] * (double)a[p * kk + k];
        }
        /* a channel that sums to -1e-7 exactly would divide by zero: it has no weight */
        const double weight = total + 1e-7 == 0.0 ? 0.0 : product / (total + 1e-7);
        for (int64_t p = 0; p < pixels; p++)
            map[p] = (float)((double)map[p] + weight * (double)a[p * kk + k]);
    }
    for (int64_t p = 0; p < pixels; p++)
        map[p] = xa_cam_value(spec, (double)map[p]);
}

const xa_explainer_def xa_explainer_xgradcam = {
    .name = "xgradcam",
    .reference = "Fu et al.: Axiom-based Grad-CAM, BMVC 2020, arXiv:2008.02312",
    .needs = XA_NEEDS_LAYER,
    .compute = compute};
