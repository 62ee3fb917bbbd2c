/* GMAR. Jo et al. 2025: rollout whose heads count by the size of their gradients.
 * With n_h the l1 or l2 norm of dS/dP^h (over all its entries) and w_h = n_h / sum_h n_h,
 *   R <- (sum_h w_h P^h + I) R from R = I, from the input on;
 * the map is the query's row of R. It is multiplied from the head back, as the gradients come, and
 * only that row is kept. A layer without gradient passes it on. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const size_t n = (size_t)xa__token_count(site->tokens);
    (void)spec;
    return (1 + 2 * n + n * n) *
           sizeof(double); /* sum of norms, row, its successor, sum_h n_h P^h */
}

static double norm_of(bool l2, int64_t n, const float *g)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += l2 ? (double)g[i] * (double)g[i] : fabs((double)g[i]);
    return l2 ? sqrt(sum) : sum;
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *view)
{
    const int64_t n = xa__token_count(site->tokens);
    double *total = state, *v = total + 1, *next = v + n, *sum = next + n;
    if (layer < spec->start)
        return;
    if (layer == site->tokens->nlayers - 1 && view->head == 0)
        xa__query_row(site->tokens, v);
    if (view->head == 0) {
        *total = 0.0;
        memset(sum, 0, (size_t)(n * n) * sizeof *sum);
    }
    const double weight = norm_of(spec->norm_l2, n * n, view->gradient);
    *total += weight;
    for (int64_t i = 0; i < n * n; i++)
        sum[i] += weight * (double)view->probs[i];
    if (view->head != view->heads - 1 || *total == 0.0)
        return;
    memcpy(next, v, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; v[i] != 0.0 && j < n; j++)
            next[j] += v[i] / *total * sum[i * n + j];
    memcpy(v, next, (size_t)n * sizeof *v);
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    (void)spec;
    xa__patches_of(view, (const double *)view->state + 1, map);
}

const xa_explainer_def xa_explainer_gmar = {
    .name = "gmar",
    .reference = "Jo et al.: GMAR, gradient-driven multi-head attention rollout for vision "
                 "transformer interpretability, arXiv:2504.19414, 2025",
    .needs = XA_NEEDS_ATTENTION_GRADIENT,
    .settings = XA__HAS(START_LAYER) | XA__HAS(NORM),
    .keeps = XA_KEEPS_PREFIX_MASS,
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
