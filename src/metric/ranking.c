/* Metrics of the order of pixels: ROC AUC, and the share of the k largest that lie in the region.
 * Ties never depend on the order of pixels: a tie counts half in the AUC, and pixels that tie at
 * the k-th place count by their share. */
#include "metric_internal.h"

#include <math.h>
#include <string.h>

uint32_t xa__key(float v)
{
    uint32_t u;
    v += 0.0f; /* -0 becomes 0 */
    memcpy(&u, &v, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

void xa__sort_keys(uint32_t *keys, uint32_t *other, size_t n)
{
    enum { BITS = 11, BUCKETS = 1 << BITS, PASSES = 3 };
    size_t count[PASSES][BUCKETS];
    uint32_t *from = keys, *to = other;
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++)
        for (int p = 0; p < PASSES; p++)
            count[p][(keys[i] >> (p * BITS)) & (BUCKETS - 1)]++;
    for (int p = 0; p < PASSES; p++) {
        size_t at = 0;
        bool useless =
            false; /* all keys lie in one bucket, so that the pass would change nothing */
        for (int b = 0; b < BUCKETS; b++) {
            const size_t c = count[p][b];
            useless = useless || c == n;
            count[p][b] = at;
            at += c;
        }
        if (useless)
            continue;
        for (size_t i = 0; i < n; i++)
            to[count[p][(from[i] >> (p * BITS)) & (BUCKETS - 1)]++] = from[i];
        uint32_t *t = from;
        from = to;
        to = t;
    }
    if (from != keys)
        memcpy(keys, from, n * sizeof *keys);
}

/* Keys of the region and of the background, each ascending. */
static void sorted(const xa__scene *s, xa__work *w)
{
    size_t in = 0, out = 0;
    if (w->sorted)
        return;
    w->sorted = true;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->where[i] == XA__REGION)
            w->keys[0][in++] = xa__key(s->value[i]);
        else if (s->where[i] == XA__BACKGROUND)
            w->keys[1][out++] = xa__key(s->value[i]);
    }
    xa__sort_keys(w->keys[0], w->keys[2], in);
    xa__sort_keys(w->keys[1], w->keys[2], out);
}

/* Mann-Whitney: the mean, over all pairs of a pixel of the region and one of the background, of 1
 * if the first is larger and 1/2 if they are equal. Sums are exact integers. */
static double roc_auc(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    xa__work *w = p->work;
    const int64_t in = s->region, out = s->seen - s->region;
    int64_t below = 0, upto = 0;
    double wins = 0.0; /* in halves; sums of integers below 2^53 */
    if (out == 0)
        return NAN;
    sorted(s, w);
    for (int64_t i = 0; i < in; i++) {
        while (below < out && w->keys[1][below] < w->keys[0][i])
            below++;
        upto = upto > below ? upto : below;
        while (upto < out && w->keys[1][upto] == w->keys[0][i])
            upto++;
        wins += (double)(below + upto);
    }
    return wins / (2.0 * (double)in * (double)out);
}

/* The share of the k largest pixels that lie in the region. */
static double top_share(const xa__scene *s, int64_t k, xa__work *w)
{
    int64_t in = s->region, out = s->seen - s->region;
    int64_t taken = 0, hits = 0;
    sorted(s, w);
    while (taken < k) { /* from the largest value down, ties together */
        const uint32_t a = in > 0 ? w->keys[0][in - 1] : 0, b = out > 0 ? w->keys[1][out - 1] : 0;
        const uint32_t top = out == 0 || (in > 0 && a > b) ? a : b;
        int64_t tied_in = 0, tied_out = 0;
        while (in > 0 && w->keys[0][in - 1] == top) {
            in--;
            tied_in++;
        }
        while (out > 0 && w->keys[1][out - 1] == top) {
            out--;
            tied_out++;
        }
        const int64_t tied = tied_in + tied_out;
        if (taken + tied > k)
            return ((double)hits + (double)(k - taken) * (double)tied_in / (double)tied) /
                   (double)k;
        taken += tied;
        hits += tied_in;
    }
    return (double)hits / (double)k;
}

static double relevance_rank(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    return s->region == s->seen ? NAN : top_share(s, s->region, p->work);
}

static double top_k(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    return top_share(s, p->spec->k < s->seen ? p->spec->k : s->seen, p->work);
}

const xa__metric xa__metric_RELEVANCE_RANK = {
    .score = relevance_rank,
    .reference = "Arras, Osman, Samek, CLEVR-XAI, Information Fusion 2022",
};

const xa__metric xa__metric_TOP_K = {
    .score = top_k,
    .reference = "Theiner, Mueller-Budack, Ewerth, Interpretable semantic photo geolocation, WACV "
                 "2022",
    .settings = XA__HAS(K),
};

const xa__metric xa__metric_ROC_AUC = {
    .score = roc_auc,
    .reference = "Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 2006",
};
