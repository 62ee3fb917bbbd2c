/* AttCAT, attentive class activation tokens. Qiang et al. 2022, equations 8 to 10: with h_l the
 * tokens [T,D] that block l is given and P_l its attention, L_p = sum_l (sum_d h_l,pd dS/dh_l,pd) *
 * mean over heads and queries of P_l,tp. */
#include <string.h>

#include "explain_internal.h"

/* [layers, T] means, then a row of tokens. */
static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    (void)spec;
    return (size_t)((site->tokens->nlayers + 1) * xa__token_count(site->tokens)) * sizeof(double);
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v)
{
    const double share = 1.0 / (double)(v->heads * v->rows);
    double *mean = (double *)state + layer * xa__token_count(site->tokens);
    (void)spec;
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->columns; j++)
            mean[j] += share * (double)v->probs[i * v->columns + j];
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    const int64_t n = xa__token_count(view->attention.tokens);
    double *mean = view->state, *row = mean + view->nlayers * n;
    (void)spec;
    memset(row, 0, (size_t)n * sizeof *row);
    for (int l = 0; l < view->nlayers; l++) {
        const xa_explain_layer *h = &view->layers[l];
        const int64_t width = h->shape.dim[1];
        for (int64_t p = 0; p < n; p++) {
            double impact = 0.0;
            for (int64_t d = 0; d < width; d++)
                impact += (double)h->value[p * width + d] * (double)h->gradient[p * width + d];
            row[p] += impact * mean[l * n + p];
        }
    }
    xa__patches_of(view, row, map);
}

const xa_explainer_def xa_explainer_attcat = {
    .name = "attcat",
    .reference = "Qiang et al.: AttCAT, explaining transformers via attentive class activation "
                 "tokens, NeurIPS 2022",
    .needs = XA_NEEDS_ATTENTION | XA_NEEDS_BLOCKS,
    .keeps = XA_KEEPS_PREFIX_MASS,
    .is_signed = true,
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
