/* Grad-CAM++. Chattopadhay et al. 2018, equations 10 to 19, with the exponential score's
 * derivatives written by the first one: a_ijk = g^2 / (2 g^2 + (sum_ij A_ijk) g^3 + 1e-6) where g
 * != 0, else 0 w_k   = sum_ij a_ijk max(g_ijk, 0),   L_ij = ReLU(sum_k w_k A_ijk). */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    const float *a = v->layer_value, *g = v->layer_gradient;
    for (int64_t p = 0; p < pixels; p++)
        map[p] = 0.0f;
    for (int64_t k = 0; k < kk; k++) {
        double total = 0.0, weight = 0.0;
        for (int64_t p = 0; p < pixels; p++)
            total += (double)a[p * kk + k];
        for (int64_t p = 0; p < pixels; p++) {
            const double d = (double)g[p * kk + k];
            if (d == 0.0 || d < 0.0)
                continue;
            weight += d * d / (2.0 * d * d + total * d * d * d + 1e-6) * d;
        }
        for (int64_t p = 0; p < pixels; p++)
            map[p] = (float)((double)map[p] + weight * (double)a[p * kk + k]);
    }
    for (int64_t p = 0; p < pixels; p++)
        map[p] = xa_cam_value(spec, (double)map[p]);
}

const xa_explainer_def xa_explainer_gradcam_pp = {
    .name = "gradcam++",
    .reference = "Chattopadhay et al.: Grad-CAM++, WACV 2018, doi:10.1109/WACV.2018.00097",
    .needs = XA_NEEDS_LAYER,
    .compute = compute};
