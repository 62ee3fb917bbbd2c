/* What can be said of a map alone, and of two. */
#include <math.h>

#include "xaudit/faith.h"

int64_t xa_faith_complexity(const float *values, int64_t n, double share)
{
    double top = 0.0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, fabs((double)values[i]));
    for (int64_t i = 0; i < n; i++)
        count += fabs((double)values[i]) > share * top;
    return count;
}

/* ---- entropy ---- */

static double edge(double low, double high, int bin)
{
    return bin == XA_ENTROPY_BINS ? high : low + bin * ((high - low) / XA_ENTROPY_BINS);
}

/* A value on an edge belongs to the bin above it, the largest value to the last bin; the division
 * may put it a bin too low or too high, which the edges decide. */
static int bin_of(double v, double low, double high)
{
    int bin = (int)((v - low) / (high - low) * XA_ENTROPY_BINS);
    if (bin >= XA_ENTROPY_BINS)
        bin = XA_ENTROPY_BINS - 1;
    if (v < edge(low, high, bin))
        return bin - 1;
    return bin < XA_ENTROPY_BINS - 1 && v >= edge(low, high, bin + 1) ? bin + 1 : bin;
}

double xa_faith_entropy(const float *values, int64_t n)
{
    int64_t count[XA_ENTROPY_BINS] = {0};
    double low = INFINITY, high = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, (double)values[i]);
        high = fmax(high, (double)values[i]);
    }
    if (!(high > low))
        return n > 0 ? 0.0 : NAN;
    for (int64_t i = 0; i < n; i++)
        count[bin_of((double)values[i], low, high)]++;
    for (int b = 0; b < XA_ENTROPY_BINS; b++)
        if (count[b] > 0) {
            const double p = (double)count[b] / (double)n;
            sum -= p * log(p);
        }
    return sum;
}

double xa_faith_entropy_rise(double trained, double random)
{
    const double r = (random - trained) / trained;
    return isfinite(r) ? r : NAN;
}

/* ---- structural similarity ---- */

enum { WINDOW = 7 };

/* v [n] of a map stretched to 0..1; false: it has one value. */
static bool stretch(const float *map, int64_t n, double *v)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, (double)map[i]);
        high = fmax(high, (double)map[i]);
    }
    for (int64_t i = 0; i < n; i++)
        v[i] = ((double)map[i] - low) / (high - low);
    return high > low;
}

/* Of one window, whose first pixel is given. */
static double similarity(const double *a, const double *b, int64_t width)
{
    const double n = WINDOW * WINDOW;
    double ma = 0.0, mb = 0.0, aa = 0.0, bb = 0.0, ab = 0.0;
    for (int y = 0; y < WINDOW; y++)
        for (int x = 0; x < WINDOW; x++) {
            ma += a[y * width + x];
            mb += b[y * width + x];
        }
    ma /= n;
    mb /= n;
    for (int y = 0; y < WINDOW; y++)
        for (int x = 0; x < WINDOW; x++) {
            const double u = a[y * width + x] - ma, v = b[y * width + x] - mb;
            aa += u * u;
            bb += v * v;
            ab += u * v;
        }
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    return (2.0 * ma * mb + c1) * (2.0 * ab / (n - 1.0) + c2) /
           ((ma * ma + mb * mb + c1) * ((aa + bb) / (n - 1.0) + c2));
}

double xa_faith_ssim(const float *a, const float *b, int64_t height, int64_t width, double *scratch)
{
    const int64_t n = height * width;
    const int64_t rows = height - WINDOW + 1, columns = width - WINDOW + 1;
    double sum = 0.0;
    if (rows < 1 || columns < 1 || !stretch(a, n, scratch) || !stretch(b, n, scratch + n))
        return NAN;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            sum += similarity(scratch + y * width + x, scratch + n + y * width + x, width);
    return sum / (double)(rows * columns);
}
