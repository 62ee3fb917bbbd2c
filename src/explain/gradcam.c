/* Grad-CAM. Selvaraju et al. 2017, equations 1 and 2:
 *   a_k = mean_ij g_ijk,   L_ij = ReLU(sum_k a_k A_ijk). */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    const float *a = v->layer_value, *g = v->layer_gradient;
    for (int64_t p = 0; p < pixels; p++)
        map[p] = 0.0f;
    /* channel blocks keep the weights a_k and the sums in registers and cache; sums in double */
    enum { BLOCK = 64 };
    double weight[BLOCK];
    for (int64_t k0 = 0; k0 < kk; k0 += BLOCK) {
        const int64_t n = kk - k0 < BLOCK ? kk - k0 : BLOCK;
        for (int64_t k = 0; k < n; k++)
            weight[k] = 0.0;
        for (int64_t p = 0; p < pixels; p++)
            for (int64_t k = 0; k < n; k++)
                weight[k] += (double)g[p * kk + k0 + k];
        for (int64_t k = 0; k < n; k++)
            weight[k] /= (double)pixels;
        for (int64_t p = 0; p < pixels; p++) {
            double sum = 0.0;
            for (int64_t k = 0; k < n; k++)
                sum += weight[k] * (double)a[p * kk + k0 + k];
            map[p] = (float)((double)map[p] + sum);
        }
    }
    for (int64_t p = 0; p < pixels; p++)
        map[p] = xa__cam_value(spec, (double)map[p]);
}

const xa_explainer_def xa_explainer_gradcam = {
    .name = "gradcam",
    .reference = "Selvaraju et al.: Grad-CAM, ICCV 2017, doi:10.1109/ICCV.2017.74",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .compute = compute};
