/* From maps to features, and from features to neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/cluster.h"

/* What pixel i of n shares with cell j of m cells over the same length, in units of 1 / (n m). */
static int64_t shared(int64_t i, int64_t n, int64_t j, int64_t m)
{
    const int64_t low = i * m > j * n ? i * m : j * n;
    const int64_t high = (i + 1) * m < (j + 1) * n ? (i + 1) * m : (j + 1) * n;
    return high > low ? high - low : 0;
}

bool xa_cluster_feature(const float *map,
                        int64_t channels,
                        int64_t height,
                        int64_t width,
                        int64_t grid_h,
                        int64_t grid_w,
                        float *out)
{
    double cell[XA_CLUSTER_SIDE * XA_CLUSTER_SIDE] = {0}, total = 0.0;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            double v = 0.0;
            for (int64_t c = 0; c < channels; c++)
                v += (double)map[(c * height + y) * width + x];
            v = fabs(v);
            total += v;
            for (int64_t i = y * grid_h / height; i < grid_h && i * height < (y + 1) * grid_h; i++)
                for (int64_t j = x * grid_w / width; j < grid_w && j * width < (x + 1) * grid_w;
                     j++)
                    cell[i * grid_w + j] += v * (double)shared(y, height, i, grid_h) *
                                            (double)shared(x, width, j, grid_w);
        }
    if (!isfinite(total) || !(total > 0.0))
        return false;
    total *= (double)grid_h * (double)grid_w;
    for (int64_t i = 0; i < grid_h * grid_w; i++)
        out[i] = (float)(cell[i] / total);
    return true;
}

/* ---- neighbours ---- */

enum { LANES = 32 }; /* rows that are compared at a time, laid out [d][LANES] */

/* Keeps the k nearest in order; of equal distances the one that came first, which is the lower. */
static void offer(float *distance, int32_t *near, int64_t *have, int64_t k, float d, int32_t j)
{
    if (*have == k && !(d < distance[k - 1]))
        return;
    int64_t at = *have < k ? (*have)++ : k - 1;
    for (; at > 0 && d < distance[at - 1]; at--) {
        distance[at] = distance[at - 1];
        near[at] = near[at - 1];
    }
    distance[at] = d;
    near[at] = j;
}

xa_status xa_cluster_neighbours(const float *x,
                                int64_t n,
                                int64_t d,
                                int64_t k,
                                int64_t first,
                                int64_t end,
                                int32_t *near,
                                xa_err *err)
{
    const int64_t blocks = (n + LANES - 1) / LANES;
    float *packed = xa_alloc((size_t)(blocks * LANES * d) + 1, sizeof *packed);
    float *distance = xa_alloc((size_t)k, sizeof *distance);
    if (!packed || !distance) {
        free(packed);
        free(distance);
        XA_RETURN_NOMEM(err);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < d; c++)
            packed[((i / LANES) * d + c) * LANES + i % LANES] = x[i * d + c];
    for (int64_t i = first; i < end; i++) {
        int64_t have = 0;
        for (int64_t b = 0; b < blocks; b++) {
            float sum[LANES] = {0};
            const float *block = packed + b * d * LANES;
            for (int64_t c = 0; c < d; c++, block += LANES)
                for (int l = 0; l < LANES; l++) {
                    const float step = x[i * d + c] - block[l];
                    sum[l] += step * step;
                }
            for (int64_t j = b * LANES; j < n && j < (b + 1) * LANES; j++)
                if (j != i)
                    offer(distance, near + (i - first) * k, &have, k, sum[j % LANES], (int32_t)j);
        }
    }
    free(packed);
    free(distance);
    return XA_OK;
}
