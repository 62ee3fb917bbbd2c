/* Baselines: what an input becomes when its content is taken away. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

static const char *const base_names[XA_BASE_COUNT] = {
#define X(kind, text, description) [XA_BASE_##kind] = text,
    XA_BASE_LIST(X)
#undef X
};

const char *xa_base_name(xa_base_kind k)
{
    return base_names[k];
}

/* ---- blur ---- */

/* Of a Gaussian over [h,w]: its sigma, and how far its neighbours reach (4 sigma, as scipy.ndimage
 * cuts it). */
static double sigma_of(const xa_shape *s)
{
    const int64_t side = s->dim[0] < s->dim[1] ? s->dim[0] : s->dim[1];
    return (double)side / 8.0;
}

static int64_t reach_of(const xa_shape *s)
{
    return (int64_t)(4.0 * sigma_of(s) + 0.5);
}

size_t xa_base_scratch(const xa_shape *s)
{
    const int64_t reach = reach_of(s);
    return (size_t)((reach + 1) + (s->dim[0] + s->dim[1] + 2 * reach) * s->dim[2] +
                    xa_shape_count(s));
}

/* w[k]: of a neighbour k pixels away. */
static void gaussian(double sigma, int64_t reach, double *w)
{
    double sum = 1.0;
    w[0] = 1.0;
    for (int64_t k = 1; k <= reach; k++) {
        w[k] = exp(-0.5 * (double)(k * k) / (sigma * sigma));
        sum += 2.0 * w[k];
    }
    for (int64_t k = 0; k <= reach; k++)
        w[k] /= sum;
}

/* out [n] = sum_k w_k (line_{-k} + line_k), lines `step` apart in `at`, which points to line 0. */
static void
weigh(const double *at, int64_t step, int64_t reach, const double *w, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = w[0] * at[i];
    for (int64_t k = 1; k <= reach; k++) {
        const double *a = at - k * step, *b = at + k * step, v = w[k];
        for (int64_t i = 0; i < n; i++)
            out[i] += v * (a[i] + b[i]);
    }
}

/* Both axes in double, rows first; each line is extended by its ends. */
static void blur(const xa_shape *s, const float *x, double *scratch, float *x0)
{
    const int64_t h = s->dim[0], w = s->dim[1], c = s->dim[2], reach = reach_of(s);
    double *weight = scratch, *line = weight + reach + 1, *once = line + (h + w + 2 * reach) * c;
    gaussian(sigma_of(s), reach, weight);
    for (int64_t y = 0; y < h; y++) {
        for (int64_t i = -reach; i < w + reach; i++) {
            const int64_t from = i < 0 ? 0 : i >= w ? w - 1 : i;
            for (int64_t k = 0; k < c; k++)
                line[(i + reach) * c + k] = (double)x[(y * w + from) * c + k];
        }
        weigh(line + reach * c, c, reach, weight, w * c, once + y * w * c);
    }
    for (int64_t i = 0; i < w; i++) { /* a column of pixels at a time, in the cache */
        for (int64_t y = -reach; y < h + reach; y++) {
            const int64_t from = y < 0 ? 0 : y >= h ? h - 1 : y;
            memcpy(line + (y + reach) * c, once + (from * w + i) * c, (size_t)c * sizeof *line);
        }
        double *out = line + (h + 2 * reach) * c;
        weigh(line + reach * c, c, reach, weight, h * c, out);
        for (int64_t y = 0; y < h; y++)
            for (int64_t k = 0; k < c; k++)
                x0[(y * w + i) * c + k] = (float)out[y * c + k];
    }
}

/* ---- all of them ---- */

static void mean(const xa_shape *s, const float *x, float *x0)
{
    const int64_t c = s->dim[2], pixels = s->dim[0] * s->dim[1];
    for (int64_t k = 0; k < c; k++) {
        double sum = 0.0;
        for (int64_t p = 0; p < pixels; p++)
            sum += (double)x[p * c + k];
        for (int64_t p = 0; p < pixels; p++)
            x0[p * c + k] = (float)(sum / (double)pixels);
    }
}

static void uniform(int64_t n,
                    int64_t c,
                    const float *black,
                    const float *white,
                    uint64_t seed,
                    uint32_t draw,
                    float *x0)
{
    const uint64_t stream = (uint64_t)XA_BASE_PURPOSE << 32 | draw;
    for (int64_t i = 0; i < n; i++) {
        const double low = (double)black[i % c], high = (double)white[i % c];
        x0[i] = (float)(low + (high - low) * xa_random_unit(seed, stream, (uint64_t)i));
    }
}

void xa_base_fill(xa_base_kind kind,
                  const xa_shape *shape,
                  const float *x,
                  const float *black,
                  const float *white,
                  uint64_t seed,
                  uint32_t draw,
                  double *scratch,
                  float *x0)
{
    const int64_t n = xa_shape_count(shape), c = shape->dim[2];
    switch (kind) {
    case XA_BASE_BLACK:
        for (int64_t i = 0; i < n; i++)
            x0[i] = black[i % c];
        return;
    case XA_BASE_MEAN:
        mean(shape, x, x0);
        return;
    case XA_BASE_BLUR:
        blur(shape, x, scratch, x0);
        return;
    case XA_BASE_UNIFORM:
        uniform(n, c, black, white, seed, draw, x0);
        return;
    default:
        memset(x0, 0, (size_t)n * sizeof *x0);
        return;
    }
}
