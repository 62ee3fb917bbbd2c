/* Pooling of one sample, vectorised over channels; gradients in gather form, so that dx is written
 * once and every sum has one order. */
#include "isa_build.h"
#include "isa_table.h"

#include <math.h>

/* The part [first, last) of a window's taps that lies inside. */
typedef struct span {
    int64_t first, last;
} span;

static inline span inside(int64_t o, int64_t stride, int64_t pad, int64_t k, int64_t in)
{
    const int64_t start = o * stride - pad;
    span s = {start < 0 ? -start : 0, in - start < k ? in - start : k};
    if (s.last < s.first)
        s.last = s.first;
    return s;
}

/* Outputs [first, last) whose window covers input i. */
static inline span covering(int64_t i, int64_t stride, int64_t pad, int64_t k, int64_t out)
{
    const int64_t t = i + pad; /* o*stride <= t <= o*stride + k - 1 */
    span s = {t >= k ? (t - k) / stride + 1 : 0, t / stride + 1};
    if (s.last > out)
        s.last = out;
    if (s.first > s.last)
        s.first = s.last;
    return s;
}

/* ---- maximum --------------------------------------------------------------------------------- */

/* x lies at the window's tap (0,0), which may be outside; only taps in `vy`, `vx` are read. */
XA_INLINE void max_pixel(const xa_pool_shape *s,
                         const float *x,
                         int64_t iy,
                         int64_t ix,
                         span vy,
                         span vx,
                         float *y,
                         uint8_t *arg8,
                         uint32_t *arg32)
{
    const int64_t c = s->c;
    int64_t j = 0;
    for (; j + 8 <= c; j += 8) {
        v8 best = v8_set(-INFINITY);
        v8i place = v8i_set((int32_t)(vy.first * s->kw + vx.first));
        for (int64_t ky = vy.first; ky < vy.last; ky++) {
            const float *row = x + ((iy + ky) * s->w + ix) * c + j;
            for (int64_t kx = vx.first; kx < vx.last; kx++) {
                const v8 v = v8_load(row + kx * c);
                /* greater, or the first NaN */
                const v8i take = (v > best) | ((v != v) & (best == best));
                best = v8_select(take, v, best);
                place = v8i_select(take, v8i_set((int32_t)(ky * s->kw + kx)), place);
            }
        }
        v8_store(y + j, best);
        if (arg8)
            v8i_store_bytes(arg8 + j, place);
        if (arg32)
            memcpy(arg32 + j, &place, sizeof(place));
    }
    for (; j < c; j++) {
        float best = -INFINITY;
        int64_t place = vy.first * s->kw + vx.first;
        for (int64_t ky = vy.first; ky < vy.last; ky++)
            for (int64_t kx = vx.first; kx < vx.last; kx++) {
                const float v = x[((iy + ky) * s->w + ix + kx) * c + j];
                if (v > best || (v != v && best == best)) {
                    best = v;
                    place = ky * s->kw + kx;
                }
            }
        y[j] = best;
        if (arg8)
            arg8[j] = (uint8_t)place;
        if (arg32)
            arg32[j] = (uint32_t)place;
    }
}

void XA_K(xa_max_pool)(
    const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax)
{
    const bool bytes = s->kh * s->kw <= XA_POOL_BYTE_WINDOW;
    uint8_t *a8 = bytes ? argmax : NULL;
    uint32_t *a32 = bytes ? NULL : argmax;
    for (int64_t oy = row0; oy < row1; oy++) {
        const span vy = inside(oy, s->sh, s->pad_top, s->kh, s->h);
        for (int64_t ox = 0; ox < s->ow; ox++, y += s->c) {
            const span vx = inside(ox, s->sw, s->pad_left, s->kw, s->w);
            const int64_t iy = oy * s->sh - s->pad_top, ix = ox * s->sw - s->pad_left;
            max_pixel(s, x, iy, ix, vy, vx, y, a8, a32);
            if (a8)
                a8 += s->c;
            if (a32)
                a32 += s->c;
        }
    }
}

XA_INLINE void max_back_pixel(const xa_pool_shape *s,
                              const float *dy,
                              const uint8_t *arg8,
                              const uint32_t *arg32,
                              int64_t iy,
                              int64_t ix,
                              span oy,
                              span ox,
                              float *dx)
{
    const int64_t c = s->c;
    int64_t j = 0;
    for (; j + 8 <= c; j += 8) {
        v8 sum = v8_set(0.0f);
        for (int64_t y = oy.first; y < oy.last; y++) {
            const int64_t ky = iy + s->pad_top - y * s->sh;
            for (int64_t x = ox.first; x < ox.last; x++) {
                const int64_t kx = ix + s->pad_left - x * s->sw, at = (y * s->ow + x) * c + j;
                v8i place;
                if (arg8)
                    place = v8i_load_bytes(arg8 + at);
                else
                    memcpy(&place, arg32 + at, sizeof(place));
                const v8i hit = place == v8i_set((int32_t)(ky * s->kw + kx));
                sum += (v8)(hit & (v8i)v8_load(dy + at));
            }
        }
        v8_store(dx + j, sum);
    }
    for (; j < c; j++) {
        float sum = 0.0f;
        for (int64_t y = oy.first; y < oy.last; y++)
            for (int64_t x = ox.first; x < ox.last; x++) {
                const int64_t ky = iy + s->pad_top - y * s->sh, kx = ix + s->pad_left - x * s->sw;
                const int64_t at = (y * s->ow + x) * c + j;
                const int64_t place = arg8 ? arg8[at] : arg32[at];
                if (place == ky * s->kw + kx)
                    sum += dy[at];
            }
        dx[j] = sum;
    }
}

void XA_K(xa_max_pool_back)(const xa_pool_shape *s,
                            const float *dy,
                            const void *argmax,
                            int64_t row0,
                            int64_t row1,
                            float *dx)
{
    const bool bytes = s->kh * s->kw <= XA_POOL_BYTE_WINDOW;
    for (int64_t iy = row0; iy < row1; iy++) {
        const span oy = covering(iy, s->sh, s->pad_top, s->kh, s->oh);
        for (int64_t ix = 0; ix < s->w; ix++, dx += s->c) {
            const span ox = covering(ix, s->sw, s->pad_left, s->kw, s->ow);
            if (bytes)
                max_back_pixel(s, dy, argmax, NULL, iy, ix, oy, ox, dx);
            else
                max_back_pixel(s, dy, NULL, argmax, iy, ix, oy, ox, dx);
        }
    }
}

/* ---- mean ------------------------------------------------------------------------------------ */

void XA_K(xa_avg_pool)(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y)
{
    const int64_t c = s->c;
    for (int64_t oy = row0; oy < row1; oy++) {
        const span vy = inside(oy, s->sh, s->pad_top, s->kh, s->h);
        for (int64_t ox = 0; ox < s->ow; ox++, y += c) {
            const span vx = inside(ox, s->sw, s->pad_left, s->kw, s->w);
            const float count = (float)((vy.last - vy.first) * (vx.last - vx.first));
            const int64_t iy = oy * s->sh - s->pad_top, ix = ox * s->sw - s->pad_left;
            memset(y, 0, (size_t)c * sizeof(*y));
            for (int64_t ky = vy.first; ky < vy.last; ky++)
                for (int64_t kx = vx.first; kx < vx.last; kx++) {
                    const float *p = x + ((iy + ky) * s->w + ix + kx) * c;
                    for (int64_t j = 0; j < c; j++)
                        y[j] += p[j];
                }
            for (int64_t j = 0; j < c; j++)
                y[j] /= count;
        }
    }
}

void XA_K(xa_avg_pool_back)(
    const xa_pool_shape *s, const float *dy, int64_t row0, int64_t row1, float *dx)
{
    const int64_t c = s->c;
    for (int64_t iy = row0; iy < row1; iy++) {
        const span oy = covering(iy, s->sh, s->pad_top, s->kh, s->oh);
        for (int64_t ix = 0; ix < s->w; ix++, dx += c) {
            const span ox = covering(ix, s->sw, s->pad_left, s->kw, s->ow);
            memset(dx, 0, (size_t)c * sizeof(*dx));
            for (int64_t y = oy.first; y < oy.last; y++) {
                const span vy = inside(y, s->sh, s->pad_top, s->kh, s->h);
                for (int64_t x = ox.first; x < ox.last; x++) {
                    const span vx = inside(x, s->sw, s->pad_left, s->kw, s->w);
                    const float count = (float)((vy.last - vy.first) * (vx.last - vx.first));
                    const float *p = dy + (y * s->ow + x) * c;
                    for (int64_t j = 0; j < c; j++)
                        dx[j] += p[j] / count;
                }
            }
        }
    }
}
