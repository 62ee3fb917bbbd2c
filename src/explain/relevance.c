/* Class-specific relevance. Chefer, Gur, Wolf 2021 (generic attention explainability), equations 5
 * and 6 for self-attention: Abar_l = mean_h max(0, dS/dP^h * P^h), R <- R + Abar_l R from R = I.
 * The map is the query's row of R = (I + Abar_L) ... (I + Abar_start); it is multiplied from the
 * head back, as the gradients come, and no matrix is kept. */
#include <string.h>

#include "explain_internal.h"

/* v and work [T] double; the sum over heads [T,T]. */
static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const size_t n = (size_t)xa_token_count(site->tokens);
    (void)spec;
    return 2 * n * sizeof(double) + 2 * n * n * sizeof(float);
}

static void look(const xa_explainer_spec *spec,
                 const xa_attention_site *site,
                 void *state,
                 int layer,
                 const xa_attention_view *view)
{
    const int64_t n = xa_token_count(site->tokens);
    double *v = state, *work = v + n;
    float *fused = (float *)(work + n), *product = fused + n * n;
    if (layer < spec->start)
        return;
    if (layer == site->tokens->nlayers - 1 && view->head == 0)
        xa_query_row(site->tokens, v);
    for (int64_t i = 0; i < n * n; i++) {
        const float x = view->probs[i] * view->gradient[i];
        product[i] = x < 0.0f ? 0.0f : x;
    }
    xa_fuse_head(spec->heads, view->head, view->heads, n * n, product, fused);
    if (view->head < view->heads - 1)
        return;
    memcpy(work, v, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; v[i] != 0.0 && j < n; j++)
            work[j] += v[i] * (double)fused[i * n + j];
    memcpy(v, work, (size_t)n * sizeof *v);
}

/* Without the identity's share: patches of a mean-pooled model start with it. */
static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    const xa_tokens *t = view->attention.tokens;
    const double *v = view->state;
    const double start = t->query < 0 ? 1.0 / (double)(t->height * t->width) : 0.0;
    (void)spec;
    for (int64_t p = 0; p < t->height * t->width; p++)
        map[p] = (float)(v[t->prefix + p] - start);
}

const xa_explainer_def xa_explainer_relevance = {
    .name = "relevance",
    .reference = "Chefer, Gur, Wolf: Generic attention-model explainability, ICCV 2021",
    .needs = XA_NEEDS_ATTENTION_GRADIENT,
    .settings = XA__HAS(START_LAYER),
    .compute = compute,
    .state_bytes = state_bytes,
    .look = look};
