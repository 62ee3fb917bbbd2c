/* Reference twins: depthwise convolution and pooling. */
#include "kernels_ref.h"

#include <math.h>
#include <string.h>

/* ---- depthwise ------------------------------------------------------------------------------- */

void xa_ref_depthwise(
    const xa_dw_shape *s, const float *x, const float *w, int64_t row0, int64_t row1, float *y)
{
    const int64_t cm = s->c * s->m;
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t o = 0; o < cm; o++) {
                double sum = 0.0;
                for (int64_t ky = 0; ky < s->kh; ky++)
                    for (int64_t kx = 0; kx < s->kw; kx++) {
                        const int64_t iy = oy * s->sh + ky * s->dh - s->pad_top;
                        const int64_t ix = ox * s->sw + kx * s->dw - s->pad_left;
                        if (iy >= 0 && iy < s->h && ix >= 0 && ix < s->w)
                            sum += (double)x[(iy * s->w + ix) * s->c + o / s->m] *
                                   (double)w[(ky * s->kw + kx) * cm + o];
                    }
                y[((oy - row0) * s->ow + ox) * cm + o] = (float)sum;
            }
}

void xa_ref_depthwise_back(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t row0, int64_t row1, float *dx)
{
    const int64_t cm = s->c * s->m;
    for (int64_t iy = row0; iy < row1; iy++)
        for (int64_t ix = 0; ix < s->w; ix++)
            for (int64_t c = 0; c < s->c; c++) {
                double sum = 0.0;
                for (int64_t oy = 0; oy < s->oh; oy++)
                    for (int64_t ox = 0; ox < s->ow; ox++) {
                        const int64_t ty = iy + s->pad_top - oy * s->sh;
                        const int64_t tx = ix + s->pad_left - ox * s->sw;
                        if (ty < 0 || tx < 0 || ty % s->dh || tx % s->dw || ty / s->dh >= s->kh ||
                            tx / s->dw >= s->kw)
                            continue;
                        const int64_t tap = ty / s->dh * s->kw + tx / s->dw;
                        for (int64_t o = c * s->m; o < (c + 1) * s->m; o++)
                            sum += (double)dy[(oy * s->ow + ox) * cm + o] * (double)w[tap * cm + o];
                    }
                dx[((iy - row0) * s->w + ix) * s->c + c] = (float)sum;
            }
}

/* ---- pooling --------------------------------------------------------------------------------- */

static int64_t place_at(const xa_pool_shape *s, const void *argmax, int64_t i)
{
    return s->kh * s->kw <= XA_POOL_BYTE_WINDOW ? ((const uint8_t *)argmax)[i]
                                                : ((const uint32_t *)argmax)[i];
}

/* Index into x of a tap of output (oy,ox), or -1 outside. */
static int64_t
pool_at(const xa_pool_shape *s, int64_t oy, int64_t ox, int64_t ky, int64_t kx, int64_t c)
{
    const int64_t iy = oy * s->sh + ky - s->pad_top, ix = ox * s->sw + kx - s->pad_left;
    return iy < 0 || iy >= s->h || ix < 0 || ix >= s->w ? -1 : (iy * s->w + ix) * s->c + c;
}

void xa_ref_max_pool(
    const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax)
{
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t c = 0; c < s->c; c++) {
                float best = 0.0f;
                int64_t place = -1;
                for (int64_t t = 0; t < s->kh * s->kw; t++) {
                    const int64_t at = pool_at(s, oy, ox, t / s->kw, t % s->kw, c);
                    if (at < 0)
                        continue;
                    if (place < 0 || x[at] > best || (isnan(x[at]) && !isnan(best))) {
                        best = x[at];
                        place = t;
                    }
                }
                const int64_t o = ((oy - row0) * s->ow + ox) * s->c + c;
                y[o] = best;
                if (argmax && s->kh * s->kw <= XA_POOL_BYTE_WINDOW)
                    ((uint8_t *)argmax)[o] = (uint8_t)place;
                else if (argmax)
                    ((uint32_t *)argmax)[o] = (uint32_t)place;
            }
}

void xa_ref_max_pool_back(const xa_pool_shape *s,
                          const float *dy,
                          const void *argmax,
                          int64_t row0,
                          int64_t row1,
                          float *dx)
{
    const int64_t line = s->w * s->c;
    memset(dx, 0, (size_t)((row1 - row0) * line) * sizeof(*dx));
    for (int64_t o = 0; o < s->oh * s->ow * s->c; o++) {
        const int64_t place = place_at(s, argmax, o), pixel = o / s->c;
        const int64_t at =
            pool_at(s, pixel / s->ow, pixel % s->ow, place / s->kw, place % s->kw, o % s->c);
        if (at >= row0 * line && at < row1 * line)
            dx[at - row0 * line] += dy[o];
    }
}

static int64_t pool_count(const xa_pool_shape *s, int64_t oy, int64_t ox)
{
    int64_t n = 0;
    for (int64_t t = 0; t < s->kh * s->kw; t++) {
        const int64_t y = oy * s->sh - s->pad_top + t / s->kw,
                      x = ox * s->sw - s->pad_left + t % s->kw;
        n += s->counted ? y < s->h + s->pad_bottom && x < s->w + s->pad_right
                        : pool_at(s, oy, ox, t / s->kw, t % s->kw, 0) >= 0;
    }
    return n;
}

void xa_ref_avg_pool(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y)
{
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t c = 0; c < s->c; c++) {
                double sum = 0.0;
                for (int64_t t = 0; t < s->kh * s->kw; t++) {
                    const int64_t at = pool_at(s, oy, ox, t / s->kw, t % s->kw, c);
                    sum += at < 0 ? 0.0 : (double)x[at];
                }
                y[((oy - row0) * s->ow + ox) * s->c + c] =
                    (float)(sum / (double)pool_count(s, oy, ox));
            }
}

void xa_ref_avg_pool_back(
    const xa_pool_shape *s, const float *dy, int64_t row0, int64_t row1, float *dx)
{
    for (int64_t iy = row0; iy < row1; iy++)
        for (int64_t ix = 0; ix < s->w; ix++)
            for (int64_t c = 0; c < s->c; c++) {
                double sum = 0.0;
                for (int64_t oy = 0; oy < s->oh; oy++)
                    for (int64_t ox = 0; ox < s->ow; ox++) {
                        const int64_t ky = iy + s->pad_top - oy * s->sh,
                                      kx = ix + s->pad_left - ox * s->sw;
                        if (ky >= 0 && ky < s->kh && kx >= 0 && kx < s->kw)
                            sum += (double)dy[(oy * s->ow + ox) * s->c + c] /
                                   (double)pool_count(s, oy, ox);
                    }
                dx[((iy - row0) * s->w + ix) * s->c + c] = (float)sum;
            }
}
