/* HiResCAM. Draelos, Carin 2020: L_ij = ReLU(sum_k g_ijk A_ijk). */
#include "explain_internal.h"

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    for (int64_t p = 0; p < pixels; p++) {
        const float *a = v->layer_value + p * kk, *g = v->layer_gradient + p * kk;
        double sum = 0.0;
        for (int64_t k = 0; k < kk; k++)
            sum += (double)g[k] * (double)a[k];
        map[p] = xa_cam_value(spec, sum);
    }
}

const xa_explainer_def xa_explainer_hirescam = {
    .name = "hirescam",
    .reference = "Draelos, Carin: HiResCAM, arXiv:2011.08891, 2020",
    .needs = XA_NEEDS_LAYER,
    .compute = compute};
