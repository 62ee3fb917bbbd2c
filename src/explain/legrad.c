/* LeGrad. Bousselham et al. 2025, section 3: the model's head scores the tokens of every block,
 * s_l, and a map adds up what the block's attention does for that score, L_p = sum_l mean over
 * heads and queries of max(0, ds_l/dP_l)_tp. `pool` says how a block's tokens become one: as the
 * model's own head does it, which is the class token's or the patches' mean, or the mean of all
 * tokens, as for CLIP. */
#include "explain_internal.h"

static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    (void)spec;
    return (size_t)xa__token_count(site->tokens) * sizeof(double);
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v)
{
    const double share = 1.0 / (double)(v->heads * v->rows);
    double *sum = state;
    (void)spec;
    (void)site;
    (void)layer;
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->columns; j++) {
            const float g = v->gradient[i * v->columns + j];
            if (!(g < 0.0f)) /* NaN passes */
                sum[j] += share * (double)g;
        }
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    (void)spec;
    xa__patches_of(view, view->state, map);
}

const xa_explainer_def xa_explainer_legrad = {
    .name = "legrad",
    .reference = "Bousselham et al.: LeGrad, an explainability method for vision transformers via "
                 "feature formation sensitivity, ICCV 2025, arXiv:2404.03214",
    .needs = XA_NEEDS_ATTENTION_GRADIENT | XA_NEEDS_PROBES,
    .settings = XA__HAS(POOL),
    .keeps = XA_KEEPS_PREFIX_MASS,
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
