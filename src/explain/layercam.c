/* LayerCAM. Jiang et al. 2021, equations 5 and 6: L_ij = ReLU(sum_k max(g_ijk, 0) A_ijk).
 *
 * Of several layers (`layers`), as their section III-C: each map is divided by its maximum, brought
 * to the input's size, and the pixelwise maximum (or mean) taken. */
#include "explain_internal.h"
#include "xaudit/image.h"

static double term(float g, float a)
{
    return g < 0.0f ? 0.0 : (double)g * (double)a; /* NaN passes */
}

static size_t work_bytes(const xa_explainer_spec *spec, const xa_explain_view *v)
{
    int64_t most = 0;
    (void)spec;
    for (int l = 0; l < v->nlayers; l++) {
        const int64_t pixels = v->layers[l].shape.dim[0] * v->layers[l].shape.dim[1];
        most = pixels > most ? pixels : most;
    }
    return (size_t)(most + v->input_shape.dim[0] * v->input_shape.dim[1]) * sizeof(float);
}

/* The map of one layer over its maximum; of a map without positive values as it is. */
static void relative_map(const xa_explainer_spec *spec, const xa_explain_layer *l, float *map)
{
    const xa_explain_view one = {
        .layer_shape = l->shape, .layer_value = l->value, .layer_gradient = l->gradient};
    const int64_t pixels = l->shape.dim[0] * l->shape.dim[1];
    float top = 0.0f;
    xa__cam_by_pixel(spec, &one, term, map);
    for (int64_t p = 0; p < pixels; p++)
        top = map[p] > top ? map[p] : top;
    for (int64_t p = 0; p < pixels && top > 0.0f; p++)
        map[p] = (float)((double)map[p] / (double)top);
}

static void join(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t h = v->input_shape.dim[0], w = v->input_shape.dim[1];
    float *grown = v->work, *own = grown + h * w;
    for (int l = 0; l < v->nlayers; l++) {
        const xa_explain_layer *layer = &v->layers[l];
        relative_map(spec, layer, own);
        xa_upsample_linear(own, layer->shape.dim[0], layer->shape.dim[1], grown, h, w);
        for (int64_t p = 0; p < h * w; p++) {
            const float x = grown[p];
            if (l == 0)
                map[p] = x;
            else if (spec->join_mean)
                map[p] += x;
            else if (!(x <= map[p])) /* NaN stays */
                map[p] = x;
        }
    }
    for (int64_t p = 0; p < h * w && spec->join_mean; p++)
        map[p] /= (float)v->nlayers;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    if (v->nlayers)
        join(spec, v, map);
    else
        xa__cam_by_pixel(spec, v, term, map);
}

const xa_explainer_def xa_explainer_layercam = {
    .name = "layercam",
    .reference = "Jiang et al.: LayerCAM, IEEE TIP 2021, doi:10.1109/TIP.2021.3089943",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .settings = XA__HAS(LAYERS) | XA__HAS(FUSE),
    .compute = compute,
    .work_bytes = work_bytes};
