/* Depthwise convolution of one sample and its input gradient, vectorised over channels.
 *
 * Every output is one fused multiply-add chain over the taps inside the image, in order of (ky,kx),
 * in every path, so that the cut into row tiles does not show in the result. Widths 3, 5 and 7
 * without dilation and multiplier compute several neighbouring outputs at once; borders and all
 * else gather pointers to the pixels they need.
 */
#include "isa_build.h"
#include "isa_table.h"

/* Outputs side by side: as many sums as registers allow beside a row of taps. */
enum { TAPS = 64, AHEAD = XA_LANES / 2 };

/* Where the vector from channel k starts: the last one goes back over channels that are done
 * already, which get the same sums again. */
static inline int64_t start_of(int64_t k, int64_t c)
{
    return k + XA_LANES <= c ? k : c - XA_LANES;
}

/* ---- any taps -------------------------------------------------------------------------------- */

/* The pixels and weights that make one output pixel. */
typedef struct gather {
    int taps;
    bool started; /* y holds the sum so far */
    const float *x[TAPS];
    const float *w[TAPS];
} gather;

/* Not an initialiser: that would clear the lists of pointers as well. */
static inline void gather_start(gather *g)
{
    g->taps = 0;
    g->started = false;
}

static void gather_flush(gather *g, int64_t c, float *y)
{
    int64_t j = 0;
    const bool whole = !g->started && c >= XA_LANES;
    for (; whole ? j < c : j + XA_LANES <= c; j += XA_LANES) {
        j = whole ? start_of(j, c) : j;
        vw a = g->started ? vw_load(y + j) : vw_set(0.0f);
        for (int t = 0; t < g->taps; t++)
            a = vw_fma(vw_load(g->x[t] + j), vw_load(g->w[t] + j), a);
        vw_store(y + j, a);
    }
    for (; j < c; j++) {
        float a = g->started ? y[j] : 0.0f;
        for (int t = 0; t < g->taps; t++)
            a = XA_FMA(g->x[t][j], g->w[t][j], a);
        y[j] = a;
    }
    g->taps = 0;
    g->started = true;
}

static inline void gather_add(gather *g, const float *x, const float *w, int64_t c, float *y)
{
    if (g->taps == TAPS)
        gather_flush(g, c, y);
    g->x[g->taps] = x;
    g->w[g->taps++] = w;
}

/* ---- several outputs of a row at once -------------------------------------------------------- */

/* `p` outputs side by side of a window kw wide. r[ky] is the pixel under tap (ky,0) of the first
 * output, or NULL for a row outside; tap kx of output i lies (i*step + kx*dir) pixels further. */
XA_INLINE void row_block(const int p,
                         const int kw,
                         const int step,
                         const int dir,
                         int64_t kh,
                         int64_t c,
                         const float *const *r,
                         const float *w,
                         float *y)
{
    for (int64_t k = 0; k < c && c >= XA_LANES; k += XA_LANES) {
        const int64_t j = start_of(k, c);
        vw acc[AHEAD];
        for (int i = 0; i < p; i++)
            acc[i] = vw_set(0.0f);
        for (int64_t ky = 0; ky < kh; ky++) {
            if (!r[ky])
                continue;
            const float *row = r[ky] + j, *wr = w + ky * kw * c + j;
            vw tap[7];
#pragma GCC unroll 8
            for (int kx = 0; kx < kw; kx++)
                tap[kx] = vw_load(wr + kx * c);
                /* Each pixel is loaded once, in the order in which every output meets its taps. */
#pragma GCC unroll 24
            for (int q = 0; q < (p - 1) * step + kw; q++) {
                const int at = dir > 0 ? q : p - 1 - q;
                const vw x = vw_load(row + at * c);
#pragma GCC unroll 8
                for (int i = 0; i < p; i++) {
                    const int kx = (at - i * step) * dir;
                    if (kx >= 0 && kx < kw)
                        acc[i] = vw_fma(x, tap[kx], acc[i]);
                }
            }
        }
        for (int i = 0; i < p; i++)
            vw_store(y + i * c + j, acc[i]);
    }
    for (int64_t j = 0; j < c && c < XA_LANES; j++)
        for (int i = 0; i < p; i++) {
            float a = 0.0f;
            for (int64_t ky = 0; ky < kh; ky++)
                for (int kx = 0; r[ky] && kx < kw; kx++)
                    a = XA_FMA(r[ky][(i * step + kx * dir) * c + j], w[(ky * kw + kx) * c + j], a);
            y[i * c + j] = a;
        }
}

XA_INLINE void row_run(const int kw,
                       const int step,
                       const int dir,
                       int64_t kh,
                       int64_t count,
                       int64_t c,
                       const float **r,
                       const float *w,
                       float *y)
{
    for (int64_t i = 0; i < count;) {
        const int p = count - i >= AHEAD ? AHEAD : 1;
        if (p == AHEAD)
            row_block(AHEAD, kw, step, dir, kh, c, r, w, y);
        else
            row_block(1, kw, step, dir, kh, c, r, w, y);
        for (int64_t ky = 0; ky < kh; ky++)
            if (r[ky])
                r[ky] += p * step * c;
        y += p * c;
        i += p;
    }
}

enum { FAST_KH = 16 };

static bool is_fast(const xa_dw_shape *s)
{
    return s->m == 1 && s->dh == 1 && s->dw == 1 && s->kh <= FAST_KH &&
           (s->kw == 3 || s->kw == 5 || s->kw == 7);
}

/* ---- forward --------------------------------------------------------------------------------- */

static void
pixel_m(const xa_dw_shape *s, const float *x, const float *w, int64_t oy, int64_t ox, float *y)
{
    const int64_t cm = s->c * s->m;
    memset(y, 0, (size_t)cm * sizeof(*y));
    for (int64_t ky = 0; ky < s->kh; ky++) {
        const int64_t iy = oy * s->sh + ky * s->dh - s->pad_top;
        if (iy < 0 || iy >= s->h)
            continue;
        for (int64_t kx = 0; kx < s->kw; kx++) {
            const int64_t ix = ox * s->sw + kx * s->dw - s->pad_left;
            if (ix < 0 || ix >= s->w)
                continue;
            const float *px = x + (iy * s->w + ix) * s->c, *pw = w + (ky * s->kw + kx) * cm;
            for (int64_t c = 0; c < s->c; c++)
                for (int64_t m = 0; m < s->m; m++)
                    y[c * s->m + m] = XA_FMA(px[c], pw[c * s->m + m], y[c * s->m + m]);
        }
    }
}

static void
pixel(const xa_dw_shape *s, const float *x, const float *w, int64_t oy, int64_t ox, float *y)
{
    if (s->m != 1) {
        pixel_m(s, x, w, oy, ox, y);
        return;
    }
    gather g;
    gather_start(&g);
    for (int64_t ky = 0; ky < s->kh; ky++) {
        const int64_t iy = oy * s->sh + ky * s->dh - s->pad_top;
        if (iy < 0 || iy >= s->h)
            continue;
        for (int64_t kx = 0; kx < s->kw; kx++) {
            const int64_t ix = ox * s->sw + kx * s->dw - s->pad_left;
            if (ix >= 0 && ix < s->w)
                gather_add(&g, x + (iy * s->w + ix) * s->c, w + (ky * s->kw + kx) * s->c, s->c, y);
        }
    }
    gather_flush(&g, s->c, y);
}

void XA_K(xa_depthwise)(
    const xa_dw_shape *s, const float *x, const float *w, int64_t row0, int64_t row1, float *y)
{
    /* Outputs [left, right) have all their columns inside. */
    int64_t left = 0, right = 0;
    if (is_fast(s) && (s->sw == 1 || s->sw == 2) && s->w + s->pad_left >= s->kw) {
        left = (s->pad_left + s->sw - 1) / s->sw;
        right = (s->w + s->pad_left - s->kw) / s->sw + 1;
        right = right > s->ow ? s->ow : right;
        if (right <= left)
            left = right = 0;
    }
    const int64_t cm = s->c * s->m;
    for (int64_t oy = row0; oy < row1; oy++, y += s->ow * cm) {
        int64_t ox = 0;
        for (; ox < left; ox++)
            pixel(s, x, w, oy, ox, y + ox * cm);
        if (right > left) {
            const float *r[FAST_KH];
            for (int64_t ky = 0; ky < s->kh; ky++) {
                const int64_t iy = oy * s->sh + ky - s->pad_top;
                r[ky] = iy < 0 || iy >= s->h ? NULL
                                             : x + (iy * s->w + left * s->sw - s->pad_left) * s->c;
            }
            float *yr = y + left * s->c;
            const int64_t count = right - left;
#define RUN(kw, step) row_run(kw, step, 1, s->kh, count, s->c, r, w, yr)
            if (s->sw == 1)
                s->kw == 3 ? RUN(3, 1) : s->kw == 5 ? RUN(5, 1) : RUN(7, 1);
            else
                s->kw == 3 ? RUN(3, 2) : s->kw == 5 ? RUN(5, 2) : RUN(7, 2);
#undef RUN
            ox = right;
        }
        for (; ox < s->ow; ox++)
            pixel(s, x, w, oy, ox, y + ox * cm);
    }
}

/* ---- input gradient -------------------------------------------------------------------------- */

/* Output index that tap k of input i feeds, or -1. */
static inline int64_t
feeds(int64_t i, int64_t pad, int64_t k, int64_t dilation, int64_t stride, int64_t out)
{
    const int64_t t = i + pad - k * dilation;
    if (t < 0 || t % stride != 0)
        return -1;
    return t / stride < out ? t / stride : -1;
}

static void back_pixel_m(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t iy, int64_t ix, float *dx)
{
    const int64_t cm = s->c * s->m;
    memset(dx, 0, (size_t)s->c * sizeof(*dx));
    for (int64_t ky = 0; ky < s->kh; ky++) {
        const int64_t oy = feeds(iy, s->pad_top, ky, s->dh, s->sh, s->oh);
        if (oy < 0)
            continue;
        for (int64_t kx = 0; kx < s->kw; kx++) {
            const int64_t ox = feeds(ix, s->pad_left, kx, s->dw, s->sw, s->ow);
            if (ox < 0)
                continue;
            const float *pd = dy + (oy * s->ow + ox) * cm, *pw = w + (ky * s->kw + kx) * cm;
            for (int64_t c = 0; c < s->c; c++)
                for (int64_t m = 0; m < s->m; m++)
                    dx[c] = XA_FMA(pd[c * s->m + m], pw[c * s->m + m], dx[c]);
        }
    }
}

static void
back_pixel(const xa_dw_shape *s, const float *dy, const float *w, int64_t iy, int64_t ix, float *dx)
{
    if (s->m != 1) {
        back_pixel_m(s, dy, w, iy, ix, dx);
        return;
    }
    gather g;
    gather_start(&g);
    for (int64_t ky = 0; ky < s->kh; ky++) {
        const int64_t oy = feeds(iy, s->pad_top, ky, s->dh, s->sh, s->oh);
        if (oy < 0)
            continue;
        for (int64_t kx = 0; kx < s->kw; kx++) {
            const int64_t ox = feeds(ix, s->pad_left, kx, s->dw, s->sw, s->ow);
            if (ox >= 0)
                gather_add(
                    &g, dy + (oy * s->ow + ox) * s->c, w + (ky * s->kw + kx) * s->c, s->c, dx);
        }
    }
    gather_flush(&g, s->c, dx);
}

void XA_K(xa_depthwise_back)(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t row0, int64_t row1, float *dx)
{
    /* Inputs [left, right) are under all columns of the window. */
    int64_t left = 0, right = 0;
    if (is_fast(s) && s->sw == 1) {
        left = s->kw - 1 - s->pad_left > 0 ? s->kw - 1 - s->pad_left : 0;
        right = s->ow - s->pad_left < s->w ? s->ow - s->pad_left : s->w;
        if (right <= left)
            left = right = 0;
    }
    for (int64_t iy = row0; iy < row1; iy++, dx += s->w * s->c) {
        int64_t ix = 0;
        for (; ix < left; ix++)
            back_pixel(s, dy, w, iy, ix, dx + ix * s->c);
        if (right > left) {
            const float *r[FAST_KH];
            for (int64_t ky = 0; ky < s->kh; ky++) {
                const int64_t oy = feeds(iy, s->pad_top, ky, 1, s->sh, s->oh);
                r[ky] = oy < 0 ? NULL : dy + (oy * s->ow + left + s->pad_left) * s->c;
            }
            float *dr = dx + left * s->c;
            const int64_t count = right - left;
#define RUN(kw) row_run(kw, 1, -1, s->kh, count, s->c, r, w, dr)
            s->kw == 3 ? RUN(3) : s->kw == 5 ? RUN(5) : RUN(7);
#undef RUN
            ix = right;
        }
        for (; ix < s->w; ix++)
            back_pixel(s, dy, w, iy, ix, dx + ix * s->c);
    }
}
