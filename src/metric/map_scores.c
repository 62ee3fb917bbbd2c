/* Scores of a map that need no annotation. */
#include "metric_internal.h"

#include <math.h>

/* Gini of sorted values a_1 <= ... <= a_n: sum (2 i - n - 1) a_i / (n sum a). Hurley and Rickard
 * 2009. */
static double gini(const uint32_t *keys, int64_t n, double sum)
{
    double weighted = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const uint32_t bits =
            keys[i] &
            0x7fffffffu; /* a value is not negative: its key is its bits with the sign bit set */
        float v;
        __builtin_memcpy(&v, &bits, sizeof v);
        weighted += (2.0 * (double)(i + 1) - (double)n - 1.0) * (double)v;
    }
    return weighted / ((double)n * sum);
}

/* The mean distance of v's mass from the grid's centre, over that of an even map. */
static double centre_bias(const float *v, int64_t h, int64_t w, double sum)
{
    double mine = 0.0, even = 0.0;
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            const double dx = ((double)x + 0.5) / (double)w - 0.5;
            const double dy = ((double)y + 0.5) / (double)h - 0.5;
            const double distance = sqrt(dx * dx + dy * dy);
            mine += distance * (double)v[y * w + x] / sum;
            even += distance / (double)(h * w);
        }
    return even > 0.0 ? mine / even : NAN;
}

void xa_map_scores(const xa_score_map *m, uint32_t *work, double out[XA_MAP_SCORE_COUNT])
{
    const int64_t n = m->height * m->width;
    float *v = (float *)(void *)work;
    uint32_t *keys = work + n, *other = work + 2 * n;
    double sum = 0.0, entropy = 0.0;
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        out[k] = NAN;
    if (m->nonfinite || m->degenerate)
        return;
    xa__reduce_channels(m, v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = fabsf(v[i]);
        keys[i] = xa__key(v[i]);
        sum += (double)v[i];
    }
    if (!(sum > 0.0))
        return;
    for (int64_t i = 0; i < n; i++) {
        const double p = (double)v[i] / sum;
        entropy -= p > 0.0 ? p * log(p) : 0.0;
    }
    xa__sort_keys(keys, other, (size_t)n);
    out[XA_MAP_SCORE_GINI] = gini(keys, n, sum);
    out[XA_MAP_SCORE_ENTROPY] = n > 1 ? entropy / log((double)n) : NAN;
    out[XA_MAP_SCORE_CENTRE_BIAS] = centre_bias(v, m->height, m->width, sum);
}
