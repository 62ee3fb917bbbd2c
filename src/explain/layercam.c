/* LayerCAM. Jiang et al. 2021, equations 5 and 6: L_ij = ReLU(sum_k max(g_ijk, 0) A_ijk). */
#include "explain_internal.h"

static double term(float g, float a)
{
    return g < 0.0f ? 0.0 : (double)g * (double)a; /* NaN passes */
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    xa__cam_by_pixel(spec, v, term, map);
}

const xa_explainer_def xa_explainer_layercam = {
    .name = "layercam",
    .reference = "Jiang et al.: LayerCAM, IEEE TIP 2021, doi:10.1109/TIP.2021.3089943",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .compute = compute};
