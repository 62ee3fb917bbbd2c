/* Grad-CAM over the heads of one attention layer (Chefer, Gur, Wolf 2021, baselines): with the
 * query's row of P^h and of g^h = dS/dP^h over the patches, w_h = mean_p g^h_p and L_p =
 * ReLU(mean_h w_h P^h_p); one channel per head if heads are not fused. */
#include <string.h>

#include "explain_internal.h"

static int64_t channels_of(const xa_explainer_spec *spec, const xa_tokens *t)
{
    return spec->heads == XA_FUSE_NONE ? t->heads : 1;
}

static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const xa_tokens *t = site->tokens;
    return (size_t)((channels_of(spec, t) + 1) * t->height * t->width) * sizeof(float) +
           (size_t)xa__token_count(t) * sizeof(double);
}

static double
weighted(const double *query, int64_t rows, int64_t columns, const float *m, int64_t j)
{
    double sum = 0.0;
    for (int64_t t = 0; t < rows; t++)
        if (query[t] != 0.0)
            sum += query[t] * (double)m[t * columns + j];
    return sum;
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v)
{
    const xa_tokens *t = site->tokens;
    const int64_t patches = t->height * t->width;
    double *query = state, weight = 0.0;
    float *maps = (float *)(query + xa__token_count(t)),
          *row = maps + channels_of(spec, t) * patches;
    if (layer != site->layer)
        return;
    if (v->head == 0)
        xa__query_row(t, query);
    for (int64_t p = 0; p < patches; p++)
        weight += weighted(query, v->rows, v->columns, v->gradient, t->prefix + p);
    weight /= (double)patches;
    for (int64_t p = 0; p < patches; p++)
        row[p] = (float)(weight * weighted(query, v->rows, v->columns, v->probs, t->prefix + p));
    if (spec->heads == XA_FUSE_NONE)
        memcpy(maps + v->head * patches, row, (size_t)patches * sizeof *row);
    else
        xa__fuse_head(spec->heads, v->head, v->heads, patches, row, maps);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const xa_tokens *t = v->attention.tokens;
    const int64_t n = channels_of(spec, t) * t->height * t->width;
    const float *maps = (const float *)((const double *)v->state + xa__token_count(t));
    for (int64_t i = 0; i < n; i++)
        map[i] = xa__cam_value(spec, (double)maps[i]);
}

const xa_explainer_def xa_explainer_attention_gradcam = {
    .name = "attention_gradcam",
    .reference = "Chefer, Gur, Wolf: Transformer interpretability beyond attention visualization, "
                 "CVPR 2021 (baseline)",
    .needs = XA_NEEDS_ATTENTION_GRADIENT,
    .settings = XA__HAS(HEADS) | XA__HAS(LAYER) | XA__HAS(RELU),
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
