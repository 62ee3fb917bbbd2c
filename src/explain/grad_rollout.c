/* Gradient-weighted rollout: rollout over A_l = max(0, fuse_h (P^h * dS/dP^h)). The gradients come
 * from the head back, and so does the product: the query's row is multiplied layer by layer and no
 * matrix is kept. (vit-explain, where the method comes from, pairs layer l with the gradient of
 * layer L+1-l and divides columns by the sums of rows; neither is imitated.) */
#include <string.h>

#include "explain_internal.h"

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *view)
{
    const int64_t n = xa__token_count(site->tokens);
    xa__back_state s;
    if (!xa__back_fuse(spec, site, layer, view, false, state, &s))
        return;
    for (int64_t i = 0; i < n * n; i++)
        s.fused[i] = s.fused[i] < 0.0f ? 0.0f : s.fused[i];
    xa__discard_lowest(spec->discard, n * n, s.fused, s.product);
    xa__rollout_step(n, s.fused, s.v, s.work);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    (void)spec;
    xa__patches_of(view, view->state, map);
}

const xa_explainer_def xa_explainer_grad_rollout = {
    .name = "grad_rollout",
    .reference =
        "Abnar, Zuidema: Quantifying attention flow in transformers, ACL 2020, weighted by "
        "gradients as in vit-explain",
    .needs = XA_NEEDS_ATTENTION_GRADIENT,
    .settings = XA__HAS(HEADS) | XA__HAS(START_LAYER) | XA__HAS(DISCARD),
    .keeps = XA_KEEPS_PREFIX_MASS,
    .compute = compute,
    .state_bytes = xa__back_state_bytes,
    .observe = observe};
