/* Raw attention: what the query token of one layer attends to, its heads fused.
 *   L_p = fuse_h sum_t q_t P^h_tp, q = 1 at the class token or the mean over the patches. */
#include <string.h>

#include "explain_internal.h"

static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const int64_t channels = spec->heads == XA_FUSE_NONE ? site->tokens->heads : 1;
    /* maps, then the query row and one head's row */
    return (size_t)(channels * xa__token_count(site->tokens)) * sizeof(float) +
           (size_t)xa__token_count(site->tokens) * (sizeof(double) + sizeof(float));
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v)
{
    const int64_t n = v->columns;
    const int64_t channels = spec->heads == XA_FUSE_NONE ? v->heads : 1;
    double *query = state;
    float *maps = (float *)(query + n), *row = maps + channels * n;
    if (layer != site->layer)
        return;
    if (v->head == 0)
        xa__query_row(site->tokens, query);
    for (int64_t j = 0; j < n; j++) {
        double sum = 0.0;
        for (int64_t t = 0; t < v->rows; t++)
            if (query[t] != 0.0)
                sum += query[t] * (double)v->probs[t * n + j];
        row[j] = (float)sum;
    }
    if (spec->heads == XA_FUSE_NONE)
        memcpy(maps + v->head * n, row, (size_t)n * sizeof *row);
    else
        xa__fuse_head(spec->heads, v->head, v->heads, n, row, maps);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const xa_tokens *t = v->attention.tokens;
    const int64_t n = xa__token_count(t), patches = t->height * t->width;
    const int64_t channels = spec->heads == XA_FUSE_NONE ? t->heads : 1;
    const float *maps = (const float *)((const double *)v->state + n);
    for (int64_t c = 0; c < channels; c++)
        memcpy(map + c * patches, maps + c * n + t->prefix, (size_t)patches * sizeof *map);
}

const xa_explainer_def xa_explainer_attention = {
    .name = "attention",
    .reference = "Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021",
    .needs = XA_NEEDS_ATTENTION,
    .settings = XA__HAS(HEADS) | XA__HAS(LAYER),
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
