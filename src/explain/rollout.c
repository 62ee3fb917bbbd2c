/* Attention rollout. Abnar and Zuidema 2020, section 3: with R_l = (A_l + I), A_l the fused heads
 * of layer l and every row of R_l divided by its sum, the query's row of R_L R_(L-1) ... R_start.
 * Only that row is ever computed, in double.
 *
 * vit_keras: vit-keras' visualize.attention_map up to its mask: R_l divided by the sum of all its
 * entries instead, and the row by its maximum. The factors cancel except for rounding; each layer
 * divides the row by about the number of tokens, which double carries (1e-69 for L/16). */
#include <string.h>

#include "explain_internal.h"

/* [layers, T, T] fused matrices, [T,T] scratch, two rows. */
static size_t state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const size_t n = (size_t)xa__token_count(site->tokens);
    const size_t matrices = (size_t)(site->tokens->nlayers - spec->start) + (spec->discard > 0.0);
    return 2 * n * sizeof(double) + matrices * n * n * sizeof(float);
}

static void observe(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v)
{
    const int64_t n = xa__token_count(site->tokens);
    float *matrices = (float *)((double *)state + 2 * n);
    if (layer >= spec->start)
        xa__fuse_head(spec->heads,
                      v->head,
                      v->heads,
                      n * n,
                      v->probs,
                      matrices + (layer - spec->start) * n * n);
}

/* v <- v (A + I) / (sum of all entries of A + I). */
static void whole_matrix_step(int64_t n, const float *a, double *v, double *work)
{
    double sum = (double)n;
    for (int64_t i = 0; i < n * n; i++)
        sum += (double)a[i];
    memcpy(work, v, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; v[i] != 0.0 && j < n; j++)
            work[j] += v[i] * (double)a[i * n + j];
    for (int64_t j = 0; j < n; j++)
        v[j] = work[j] / sum;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *view, float *map)
{
    const xa_tokens *t = view->attention.tokens;
    const int64_t n = xa__token_count(t), patches = t->height * t->width;
    const int64_t layers = t->nlayers - spec->start;
    double *v = view->state, *work = v + n, most = 0.0;
    float *matrices = (float *)(work + n);
    xa__query_row(t, v);
    for (int64_t l = layers - 1; l >= 0; l--) {
        float *a = matrices + l * n * n;
        xa__discard_lowest(spec->discard, n * n, a, matrices + layers * n * n);
        if (spec->vit_keras)
            whole_matrix_step(n, a, v, work);
        else
            xa__rollout_step(n, a, v, work);
    }
    xa__patches_of(view, v, map);
    for (int64_t p = 0; p < patches; p++)
        most = v[t->prefix + p] > most ? v[t->prefix + p] : most;
    const double by = spec->vit_keras && most > 0.0 ? most : 1.0;
    for (int64_t p = 0; p < patches && by != 1.0; p++)
        map[p] = (float)(v[t->prefix + p] / by);
}

const xa_explainer_def xa_explainer_rollout = {
    .name = "rollout",
    .reference = "Abnar, Zuidema: Quantifying attention flow in transformers, ACL 2020",
    .needs = XA_NEEDS_ATTENTION,
    .settings = XA__HAS(HEADS) | XA__HAS(START_LAYER) | XA__HAS(DISCARD),
    .keeps = XA_KEEPS_PREFIX_MASS,
    .compute = compute,
    .state_bytes = state_bytes,
    .observe = observe};
