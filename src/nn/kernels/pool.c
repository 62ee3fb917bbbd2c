/* Pooling of one sample, vectorised over channels; gradients in gather form, so that dx is written
 * once and every sum has one order. */
#include "isa_build.h"
#include "isa_table.h"

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

enum { TAPS = 64 };

/* Pixels of a window, or windows of a pixel, gathered before the loop over channels. */
typedef struct taps {
    int n;
    bool started; /* the result holds what earlier taps gave */
    const float *p[TAPS];
    const void *place[TAPS];
    int32_t index[TAPS];
} taps;

static inline void taps_start(taps *t) /* not an initialiser: the lists need no clearing */
{
    t->n = 0;
    t->started = false;
}

XA_INLINE v8i places_load(const void *p, int64_t j, const bool bytes)
{
    v8i v;
    if (bytes)
        return v8i_load_bytes((const uint8_t *)p + j);
    memcpy(&v, (const uint32_t *)p + j, sizeof(v));
    return v;
}

XA_INLINE void places_store(void *p, int64_t j, v8i v, const bool bytes)
{
    if (bytes)
        v8i_store_bytes((uint8_t *)p + j, v);
    else
        memcpy((uint32_t *)p + j, &v, sizeof(v));
}

/* Takes a value that is greater, or the first NaN. */
XA_INLINE void max_taps(const taps *t, int64_t c, float *y, void *argmax, const bool bytes)
{
    int64_t j = 0;
    for (; j + 8 <= c; j += 8) {
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): there is a tap 0 */
        const v8 v0 = v8_load(t->started ? y + j : t->p[0] + j);
        const v8i place0 =
            t->started && argmax ? places_load(argmax, j, bytes) : v8i_set(t->index[0]);
        v8 best = v0, sum = v0 - v0; /* NaN as soon as a value is */
        v8i place = place0;
        for (int i = !t->started; i < t->n; i++) {
            const v8 v = v8_load(t->p[i] + j);
            const v8i take = v8_gt(v, best);
            sum += v - v;
            best = v8_select(take, v, best);
            place = v8i_select(take, v8i_set(t->index[i]), place);
        }
        if (v8_bits(v8_ne(sum, sum))) { /* once more, with care: infinities, or NaN */
            best = v0;
            place = place0;
            for (int i = !t->started; i < t->n; i++) {
                const v8 v = v8_load(t->p[i] + j);
                const v8i take = v8_gt(v, best) | (v8_ne(v, v) & v8_eq(best, best));
                best = v8_select(take, v, best);
                place = v8i_select(take, v8i_set(t->index[i]), place);
            }
        }
        v8_store(y + j, best);
        if (argmax)
            places_store(argmax, j, place, bytes);
    }
    for (; j < c; j++)
        for (int i = 0; i < t->n; i++) {
            const float v = t->p[i][j];
            if ((i == 0 && !t->started) || v > y[j] || (v != v && y[j] == y[j])) {
                y[j] = v;
                if (argmax && bytes)
                    ((uint8_t *)argmax)[j] = (uint8_t)t->index[i];
                else if (argmax)
                    ((uint32_t *)argmax)[j] = (uint32_t)t->index[i];
            }
        }
}

static void max_flush(taps *t, int64_t c, float *y, void *argmax, bool bytes)
{
    if (bytes)
        max_taps(t, c, y, argmax, true);
    else
        max_taps(t, c, y, argmax, false);
    t->n = 0;
    t->started = true;
}

void XA_K(xa_max_pool)(
    const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax)
{
    const bool bytes = s->kh * s->kw <= XA_POOL_BYTE_WINDOW;
    char *a = argmax;
    for (int64_t oy = row0; oy < row1; oy++) {
        const span vy = inside(oy, s->sh, s->pad_top, s->kh, s->h);
        for (int64_t ox = 0; ox < s->ow; ox++, y += s->c) {
            const span vx = inside(ox, s->sw, s->pad_left, s->kw, s->w);
            const int64_t iy = oy * s->sh - s->pad_top, ix = ox * s->sw - s->pad_left;
            taps t;
            taps_start(&t);
            for (int64_t ky = vy.first; ky < vy.last; ky++)
                for (int64_t kx = vx.first; kx < vx.last; kx++) {
                    if (t.n == TAPS)
                        max_flush(&t, s->c, y, a, bytes);
                    t.p[t.n] = x + ((iy + ky) * s->w + ix + kx) * s->c;
                    t.index[t.n++] = (int32_t)(ky * s->kw + kx);
                }
            max_flush(&t, s->c, y, a, bytes);
            if (a)
                a += (size_t)s->c * (bytes ? sizeof(uint8_t) : sizeof(uint32_t));
        }
    }
}

XA_INLINE void sum_hits(const taps *t, int64_t c, float *dx, const bool bytes)
{
    int64_t j = 0;
    for (; j + 8 <= c; j += 8) {
        v8 sum = t->started ? v8_load(dx + j) : v8_set(0.0f);
        for (int i = 0; i < t->n; i++) {
            const v8i hit = v8i_eq(places_load(t->place[i], j, bytes), v8i_set(t->index[i]));
            sum += (v8)(hit & (v8i)v8_load(t->p[i] + j));
        }
        v8_store(dx + j, sum);
    }
    for (; j < c; j++) {
        float sum = t->started ? dx[j] : 0.0f;
        for (int i = 0; i < t->n; i++) {
            const int64_t place =
                bytes ? ((const uint8_t *)t->place[i])[j] : ((const uint32_t *)t->place[i])[j];
            if (place == t->index[i])
                sum += t->p[i][j];
        }
        dx[j] = sum;
    }
}

static void sum_flush(taps *t, int64_t c, float *dx, bool bytes)
{
    if (bytes)
        sum_hits(t, c, dx, true);
    else
        sum_hits(t, c, dx, false);
    t->n = 0;
    t->started = true;
}

void XA_K(xa_max_pool_back)(const xa_pool_shape *s,
                            const float *dy,
                            const void *argmax,
                            int64_t row0,
                            int64_t row1,
                            float *dx)
{
    const bool bytes = s->kh * s->kw <= XA_POOL_BYTE_WINDOW;
    const size_t place = bytes ? sizeof(uint8_t) : sizeof(uint32_t);
    for (int64_t iy = row0; iy < row1; iy++) {
        const span oy = covering(iy, s->sh, s->pad_top, s->kh, s->oh);
        for (int64_t ix = 0; ix < s->w; ix++, dx += s->c) {
            const span ox = covering(ix, s->sw, s->pad_left, s->kw, s->ow);
            taps t;
            taps_start(&t);
            for (int64_t y = oy.first; y < oy.last; y++)
                for (int64_t x = ox.first; x < ox.last; x++) {
                    const int64_t at = (y * s->ow + x) * s->c;
                    const int64_t ky = iy + s->pad_top - y * s->sh;
                    const int64_t kx = ix + s->pad_left - x * s->sw;
                    if (t.n == TAPS)
                        sum_flush(&t, s->c, dx, bytes);
                    t.p[t.n] = dy + at;
                    t.place[t.n] = (const char *)argmax + (size_t)at * place;
                    t.index[t.n++] = (int32_t)(ky * s->kw + kx);
                }
            sum_flush(&t, s->c, dx, bytes);
        }
    }
}

/* ---- mean ------------------------------------------------------------------------------------ */

/* Elements of a window that a mean counts along one axis: those inside, and padding if it says so.
 */
static inline int64_t
counts(int64_t o, int64_t stride, int64_t pad, int64_t k, int64_t in, int64_t after)
{
    const int64_t left = in + after - (o * stride - pad);
    return left < k ? left : k;
}
static inline float count_of(const xa_pool_shape *s, int64_t oy, int64_t ox, span vy, span vx)
{
    if (!s->counted)
        return (float)((vy.last - vy.first) * (vx.last - vx.first));
    return (float)(counts(oy, s->sh, s->pad_top, s->kh, s->h, s->pad_bottom) *
                   counts(ox, s->sw, s->pad_left, s->kw, s->w, s->pad_right));
}

void XA_K(xa_avg_pool)(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y)
{
    const int64_t c = s->c;
    for (int64_t oy = row0; oy < row1; oy++) {
        const span vy = inside(oy, s->sh, s->pad_top, s->kh, s->h);
        for (int64_t ox = 0; ox < s->ow; ox++, y += c) {
            const span vx = inside(ox, s->sw, s->pad_left, s->kw, s->w);
            const float count = count_of(s, oy, ox, vy, vx);
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
                    const float count = count_of(s, y, x, vy, vx);
                    const float *p = dy + (y * s->ow + x) * c;
                    for (int64_t j = 0; j < c; j++)
                        dx[j] += p[j] / count;
                }
            }
        }
    }
}
