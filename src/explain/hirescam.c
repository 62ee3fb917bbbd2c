/* HiResCAM. Draelos, Carin 2020: L_ij = ReLU(sum_k g_ijk A_ijk). */
#include "explain_internal.h"

static double term(float g, float a)
{
    return (double)g * (double)a;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__cam_by_pixel(spec, v, term, map);
}

const xa_explainer_def xa_explainer_hirescam = {
    .name = "hirescam",
    .reference = "Draelos, Carin: HiResCAM, arXiv:2011.08891, 2020",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .compute = compute};
