/* LayerCAM. Jiang et al. 2021, equations 5 and 6: L_ij = ReLU(sum_k max(g_ijk, 0) A_ijk). */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    for (int64_t p = 0; p < pixels; p++) {
        const float *a = v->layer_value + p * kk, *g = v->layer_gradient + p * kk;
        double sum = 0.0;
        for (int64_t k = 0; k < kk; k++)
            sum += g[k] < 0.0f ? 0.0 : (double)g[k] * (double)a[k]; /* NaN passes */
        map[p] = xa_cam_value(spec, sum);
    }
}

const xa_explainer_def xa_explainer_layercam = {
    .name = "layercam",
    .reference = "Jiang et al.: LayerCAM, IEEE TIP 2021, doi:10.1109/TIP.2021.3089943",
    .needs = XA_NEEDS_LAYER,
    .compute = compute};
