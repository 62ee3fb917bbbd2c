/* Class-specific relevance. Chefer, Gur, Wolf 2021 (generic attention explainability), equations 5
 * and 6 for self-attention: Abar_l = mean_h max(0, dS/dP^h * P^h), R <- R + Abar_l R from R = I.
 * The map is the query's row of R = (I + Abar_L) ... (I + Abar_start); it is multiplied from the
 * head back, as the gradients come, and no matrix is kept. */
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
    if (!xa__back_fuse(spec, site, layer, view, true, state, &s))
        return;
    memcpy(s.work, s.v, (size_t)n * sizeof *s.v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; s.v[i] != 0.0 && j < n; j++)
            s.work[j] += s.v[i] * (double)s.fused[i * n + j];
    memcpy(s.v, s.work, (size_t)n * sizeof *s.v);
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
    .settings = XA__HAS(HEADS) | XA__HAS(START_LAYER),
    .compute = compute,
    .state_bytes = xa__back_state_bytes,
    .observe = observe};
