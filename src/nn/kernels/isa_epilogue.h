/* What follows a product or a convolution, one row or part of a row at a time. Included by the
 * kernels that apply it. */
#ifndef XAUDIT_NN_ISA_EPILOGUE_H
#define XAUDIT_NN_ISA_EPILOGUE_H

#include "isa_build.h"

#include <math.h>

/* One ReLU, prepared: y = x<low ? slope*(x-low) : x>high ? high : x, gradient where low < x < high.
 * Comparisons are written so that NaN falls through to x. */
typedef struct relu {
    float low, high, slope;
    bool active, bounded;
} relu;

XA_INLINE relu relu_of(const xa_activation *act)
{
    relu r = {0};
    r.active = act && act->kind == XA_ACT_RELU;
    if (r.active) {
        r.low = act->c;
        r.high = act->b;
        r.slope = act->a;
        r.bounded = !isinf(act->b);
    }
    return r;
}

XA_INLINE float relu_1(const relu *r, float x, unsigned *bit)
{
    const bool below = x < r->low, above = r->bounded && x >= r->high;
    *bit = x > r->low && !above;
    if (below) /* 0 * -infinity must not become NaN */
        return r->slope == 0.0f ? 0.0f : r->slope * (x - r->low);
    return above ? r->high : x;
}

XA_INLINE v8 relu_8(const relu *r, v8 x, unsigned *bits)
{
    const v8 low = v8_set(r->low);
    const v8i below = v8_lt(x, low);
    v8i pass = v8_gt(x, low);
    v8 y = (v8)(~below & (v8i)x);
    if (r->slope != 0.0f)
        y = v8_select(below, v8_set(r->slope) * (x - low), x);
    if (r->bounded) {
        const v8 high = v8_set(r->high);
        const v8i above = v8_ge(x, high) & ~below;
        y = v8_select(above, high, y);
        pass &= ~above;
    }
    *bits = v8_bits(pass);
    return y;
}

/* One row; the constants say which operands exist, so that each combination is a loop of its own.
 */
XA_INLINE void epilogue_row(int64_t c,
                            float *y,
                            const float *bias,
                            const float *residual,
                            const relu *r,
                            uint8_t *bits,
                            const bool has_bias,
                            const bool has_residual,
                            const bool has_relu,
                            const bool has_bits)
{
    int64_t j = 0;
    for (; j + 8 <= c; j += 8) {
        v8 v = v8_load(y + j);
        unsigned b = 0xff;
        if (has_bias)
            v += v8_load(bias + j);
        if (has_residual)
            v += v8_load(residual + j);
        if (has_relu)
            v = relu_8(r, v, &b);
        v8_store(y + j, v);
        if (has_bits)
            bits[j / 8] = (uint8_t)b;
    }
    if (j == c)
        return;
    unsigned tail = 0;
    for (int64_t i = j; i < c; i++) {
        float v = y[i];
        unsigned b = 1;
        if (has_bias)
            v += bias[i];
        if (has_residual)
            v += residual[i];
        if (has_relu)
            v = relu_1(r, v, &b);
        y[i] = v;
        tail |= b << (i - j);
    }
    if (has_bits)
        bits[j / 8] = (uint8_t)tail;
}

/* The same for what may or may not be there. */
XA_INLINE void epilogue_part(
    int64_t c, float *y, const float *bias, const float *residual, const relu *r, uint8_t *bits)
{
    const bool some = residual != NULL;
    if (r->active && bits)
        epilogue_row(c, y, bias, residual, r, bits, bias != NULL, some, true, true);
    else if (r->active)
        epilogue_row(c, y, bias, residual, r, NULL, bias != NULL, some, true, false);
    else if (bits)
        epilogue_row(c, y, bias, residual, r, bits, bias != NULL, some, false, true);
    else if (bias || residual)
        epilogue_row(c, y, bias, residual, r, NULL, bias != NULL, some, false, false);
}

#endif
