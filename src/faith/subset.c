/* Random subsets of pixels, and correlations with what removing them costs. */
#include <math.h>

#include "xaudit/faith.h"

void xa_faith_subset(uint64_t seed, int64_t n, int64_t size, int64_t draw, int32_t *permutation)
{
    const uint32_t number = (uint32_t)(XA_SUBSET_DRAWS * size + draw);
    xa_random_shuffle(seed, xa_random_stream(XA_PURPOSE_SUBSETS, number), n, permutation);
}

double xa_faith_sum(const float *values, const int32_t *pixels, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[pixels[i]];
    return sum;
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static bool constant(const double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return false;
    return true;
}

double xa_faith_pearson(const double *x, const double *y, int64_t n)
{
    /* asked first: the mean of equal numbers may be another number by a rounding */
    if (n < 2 || constant(x, n) || constant(y, n))
        return NAN;
    const double mx = mean_of(x, n), my = mean_of(y, n);
    double xx = 0.0, yy = 0.0, xy = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double u = x[i] - mx, v = y[i] - my;
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    const double r = xy / (sqrt(xx) * sqrt(yy));
    return isfinite(r) ? fmax(-1.0, fmin(1.0, r)) : NAN;
}

/* ---- infidelity and sensitivity ---- */

void xa_faith_infidelity(
    const double *dot, const double *drop, int64_t n, double *plain, double *scaled)
{
    double dd = 0.0, ds = 0.0, sum = 0.0, best = 0.0;
    for (int64_t i = 0; i < n; i++) {
        dd += dot[i] * dot[i];
        ds += dot[i] * drop[i];
        sum += (dot[i] - drop[i]) * (dot[i] - drop[i]);
    }
    const double factor = ds / dd;
    for (int64_t i = 0; i < n; i++)
        best += (factor * dot[i] - drop[i]) * (factor * dot[i] - drop[i]);
    *plain = isfinite(sum) && n > 0 ? sum / (double)n : NAN;
    *scaled = isfinite(best) && n > 0 ? best / (double)n : NAN;
}

double xa_faith_dot(const float *field, const float *map, int64_t pixels, int64_t channels)
{
    double sum = 0.0;
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++)
            sum += (double)field[p * channels + c] * (double)map[c * pixels + p];
    return sum;
}

double xa_faith_moved(const float *a, const float *b, int64_t n)
{
    double size = 0.0, moved = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double u = (double)a[i], v = (double)b[i] - u;
        size += u * u;
        moved += v * v;
    }
    const double r = sqrt(moved) / sqrt(size);
    return isfinite(r) ? r : NAN;
}

void xa_faith_extent(const double *values, int64_t n, double *mean, double *most)
{
    double sum = 0.0, top = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        sum += values[i];
        top = values[i] > top ? values[i] : top;
    }
    const bool fine = isfinite(sum) && n > 0;
    *mean = fine ? sum / (double)n : NAN;
    *most = fine ? top : NAN;
}
