/* What attention explainers share. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

void xa__fuse_head(xa_fuse fuse, int64_t head, int64_t heads, int64_t n, const float *p, float *acc)
{
    if (head == 0)
        memcpy(acc, p, (size_t)n * sizeof *acc);
    for (int64_t i = 0; i < n && head > 0; i++) {
        if (fuse == XA_FUSE_MAX)
            acc[i] = p[i] > acc[i] || isnan(p[i]) ? p[i] : acc[i];
        else if (fuse == XA_FUSE_MIN)
            acc[i] = p[i] < acc[i] || isnan(p[i]) ? p[i] : acc[i];
        else
            acc[i] += p[i];
    }
    for (int64_t i = 0; i < n && fuse == XA_FUSE_MEAN && head == heads - 1; i++)
        acc[i] /= (float)heads;
}

void xa__query_row(const xa_tokens *t, double *v)
{
    const int64_t patches = t->height * t->width;
    for (int64_t i = 0; i < t->prefix + patches; i++)
        v[i] = t->query >= 0 ? (i == t->query ? 1.0 : 0.0)
                             : (i >= t->prefix ? 1.0 / (double)patches : 0.0);
}

void xa__patches_of(const xa_explain_view *view, const double *v, float *map)
{
    const xa_tokens *t = view->attention.tokens;
    double before = 0.0, all = 0.0;
    for (int64_t j = 0; j < t->prefix; j++)
        before += fabs(v[j]);
    all = before;
    for (int64_t p = 0; p < t->height * t->width; p++) {
        map[p] = (float)v[t->prefix + p];
        all += fabs(v[t->prefix + p]);
    }
    if (view->facts && all > 0.0)
        view->facts->prefix_mass = before / all;
}

/* The k-th smallest of a[0..n), 0-based; reorders a. Hoare's selection. NaN counts as largest. */
static float select_lowest(int64_t n, float *a, int64_t k)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const float pivot = a[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                const float t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return a[k];
}

void xa__discard_lowest(double discard, int64_t n, float *a, float *work)
{
    int64_t count = (int64_t)((double)n * discard), equal = 0;
    if (count < 1)
        return;
    for (int64_t i = 0; i < n; i++)
        work[i] = isnan(a[i]) ? INFINITY : a[i];
    const float limit = select_lowest(n, work, count - 1);
    for (int64_t i = 0; i < n; i++)
        equal += a[i] < limit;
    equal = count - equal; /* how many of the entries at the limit are discarded */
    for (int64_t i = 0; i < n; i++) {
        const bool low = a[i] < limit || (a[i] == limit && equal-- > 0);
        if (low && i > 0)
            a[i] = 0.0f;
    }
}

void xa__rollout_step(int64_t tokens, const float *a, double *v, double *work)
{
    memset(work, 0, (size_t)tokens * sizeof *work);
    for (int64_t i = 0; i < tokens; i++) {
        const float *row = a + i * tokens;
        double sum = 1.0;
        if (v[i] == 0.0)
            continue;
        for (int64_t j = 0; j < tokens; j++)
            sum += (double)row[j];
        const double share = v[i] / sum;
        for (int64_t j = 0; j < tokens; j++)
            work[j] += share * (double)row[j];
        work[i] += share;
    }
    memcpy(v, work, (size_t)tokens * sizeof *v);
}

size_t xa__back_state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site)
{
    const size_t n = (size_t)xa__token_count(site->tokens);
    (void)spec;
    return 2 * n * sizeof(double) + 2 * n * n * sizeof(float);
}

bool xa__back_fuse(const xa_explainer_spec *spec,
                   const xa_attention_site *site,
                   int layer,
                   const xa_attention_view *view,
                   bool positive,
                   void *state,
                   xa__back_state *out)
{
    const int64_t n = xa__token_count(site->tokens);
    double *v = state, *work = v + n;
    float *fused = (float *)(work + n), *product = fused + n * n;
    *out = (xa__back_state){v, work, fused, product};
    if (layer < spec->start)
        return false;
    if (layer == site->tokens->nlayers - 1 && view->head == 0)
        xa__query_row(site->tokens, v);
    for (int64_t i = 0; i < n * n; i++) {
        const float x = view->probs[i] * view->gradient[i];
        product[i] = positive && x < 0.0f ? 0.0f : x;
    }
    xa__fuse_head(spec->heads, view->head, view->heads, n * n, product, fused);
    return view->head == view->heads - 1;
}
