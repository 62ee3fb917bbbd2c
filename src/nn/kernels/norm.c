/* Layer and root mean square normalisation of rows, with sums in double over eight lanes of fixed
 * order. */
#include "isa_build.h"
#include "isa_table.h"

#include <math.h>

enum { LANES = 8 };

static inline double lanes_sum(const double *s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static double mean_of(int64_t c, const float *x)
{
    double s[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= c; j += LANES)
        for (int i = 0; i < LANES; i++)
            s[i] += (double)x[j + i];
    for (int i = 0; j < c; i++, j++)
        s[i] += (double)x[j];
    return lanes_sum(s) / (double)c;
}

static double variance_of(int64_t c, const float *x, double mean)
{
    double s[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= c; j += LANES)
        for (int i = 0; i < LANES; i++) {
            const double d = (double)x[j + i] - mean;
            s[i] += d * d;
        }
    for (int i = 0; j < c; i++, j++) {
        const double d = (double)x[j] - mean;
        s[i] += d * d;
    }
    return lanes_sum(s) / (double)c;
}

void XA_K(xa_layer_norm)(int64_t rows,
                         int64_t c,
                         float epsilon,
                         bool rms,
                         const float *x,
                         const float *gamma,
                         const float *beta,
                         float *y,
                         float *stats)
{
    for (int64_t r = 0; r < rows; r++, x += c, y += c) {
        const double mean = rms ? 0.0 : mean_of(c, x);
        const double root = 1.0 / sqrt(variance_of(c, x, mean) + (double)epsilon);
        const float m = (float)mean, s = (float)root;
        for (int64_t j = 0; j < c; j++)
            y[j] = XA_FMA((x[j] - m) * s, gamma[j], beta[j]);
        if (stats) {
            stats[2 * r] = m;
            stats[2 * r + 1] = s;
        }
    }
}

/* With g = dy*gamma and n = (x-mean)*s: dx = s*(g - mean(g) - n*mean(g*n)); without a mean, s*(g -
 * n*mean(g*n)). */
void XA_K(xa_layer_norm_back)(int64_t rows,
                              int64_t c,
                              bool rms,
                              const float *x,
                              const float *gamma,
                              const float *stats,
                              const float *dy,
                              float *dx)
{
    for (int64_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        const float m = stats[2 * r], s = stats[2 * r + 1];
        double sum_g[LANES] = {0}, sum_gn[LANES] = {0};
        int64_t j = 0;
        for (; j + LANES <= c; j += LANES)
            for (int i = 0; i < LANES; i++) {
                const float g = dy[j + i] * gamma[j + i], n = (x[j + i] - m) * s;
                sum_g[i] += (double)g;
                sum_gn[i] += (double)g * (double)n;
            }
        for (int i = 0; j < c; i++, j++) {
            const float g = dy[j] * gamma[j], n = (x[j] - m) * s;
            sum_g[i] += (double)g;
            sum_gn[i] += (double)g * (double)n;
        }
        const float mean_g = rms ? 0.0f : (float)(lanes_sum(sum_g) / (double)c);
        const float mean_gn = (float)(lanes_sum(sum_gn) / (double)c);
        for (j = 0; j < c; j++) {
            const float n = (x[j] - m) * s;
            dx[j] = s * (dy[j] * gamma[j] - mean_g - n * mean_gn);
        }
    }
}
