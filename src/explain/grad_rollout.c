/* Gradient-weighted rollout: rollout over A_l = max(0, fuse_h (P^h * dS/dP^h)). The gradients come
 * from the head back, and so does the product: the query's row is multiplied layer by layer and no
 * matrix is kept. (vit-explain, where the method comes from, pairs layer l with the gradient of
 * layer L+1-l and divides columns by the sums of rows; neither is imitated.) */
#include <string.h>

#include "explain_internal.h"

/* v and work [T] double; fused, product and scratch [T,T]. */
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
    for (int64_t i = 0; i < n * n; i++)
        product[i] = view->probs[i] * view->gradient[i];
    xa_fuse_head(spec->heads, view->head, view->heads, n * n, product, fused);
    if (view->head < view->heads - 1)
        return;
    for (int64_t i = 0; i < n * n; i++)
        fused[i] = fused[i] < 0.0f ? 0.0f : fused[i];
    xa_discard_lowest(spec->discard, n * n, fused, product);
    xa_rollout_step(n, fused, v, work);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    const xa_tokens *t = view->attention.tokens;
    const double *v = view->state;
    (void)spec;
    for (int64_t p = 0; p < t->height * t->width; p++)
        map[p] = (float)v[t->prefix + p];
}

const xa_explainer_def xa_explainer_grad_rollout = {
    .name = "grad_rollout",
    .reference =
        "Abnar, Zuidema: Quantifying attention flow in transformers, ACL 2020, weighted by "
        "gradients as in vit-explain",
    .needs = XA_NEEDS_ATTENTION_GRADIENT,
    .settings = XA__HAS(START_LAYER) | XA__HAS(DISCARD),
    .compute = compute,
    .state_bytes = state_bytes,
    .look = look};
