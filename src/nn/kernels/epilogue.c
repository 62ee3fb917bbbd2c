/* Everything that follows a convolution, in one pass, and its counterpart on the way back. */
#include "isa_epilogue.h"
#include "isa_table.h"

XA_INLINE void epilogue_rows(int64_t rows,
                             int64_t c,
                             float *y,
                             int64_t ld,
                             const float *bias,
                             const float *residual,
                             const relu *r,
                             uint8_t *bits,
                             const bool has_residual,
                             const bool has_relu)
{
    const size_t step = xa_bits_row(c);
    for (int64_t i = 0; i < rows; i++, y += ld) {
        const float *res = has_residual ? residual + i * ld : NULL;
        uint8_t *b = bits ? bits + (size_t)i * step : NULL;
        if (bias && b)
            epilogue_row(c, y, bias, res, r, b, true, has_residual, has_relu, true);
        else if (bias)
            epilogue_row(c, y, bias, res, r, NULL, true, has_residual, has_relu, false);
        else if (b)
            epilogue_row(c, y, NULL, res, r, b, false, has_residual, has_relu, true);
        else
            epilogue_row(c, y, NULL, res, r, NULL, false, has_residual, has_relu, false);
    }
}

void XA_K(xa_epilogue)(int64_t rows,
                       int64_t c,
                       float *y,
                       int64_t ld,
                       const float *bias,
                       const float *residual,
                       const xa_activation *act,
                       uint8_t *bits)
{
    const relu r = relu_of(act);
    if (!bias && !residual && !r.active && !bits)
        return;
    if (r.active && residual)
        epilogue_rows(rows, c, y, ld, bias, residual, &r, bits, true, true);
    else if (r.active)
        epilogue_rows(rows, c, y, ld, bias, NULL, &r, bits, false, true);
    else if (residual)
        epilogue_rows(rows, c, y, ld, bias, residual, &r, bits, true, false);
    else
        epilogue_rows(rows, c, y, ld, bias, NULL, &r, bits, false, false);
}

void XA_K(xa_mask)(
    int64_t rows, int64_t c, const float *dy, const uint8_t *bits, float slope, float *out)
{
    const size_t step = xa_bits_row(c);
    for (int64_t i = 0; i < rows; i++, dy += c, out += c, bits += step) {
        int64_t j = 0;
        if (slope == 0.0f) /* a gradient that is stopped is 0, even where it was infinite */
            for (; j + 8 <= c; j += 8) {
                const v8i on = v8_unbits(bits[j / 8]);
                v8_store(out + j, (v8)(on & (v8i)v8_load(dy + j)));
            }
        else
            for (; j + 8 <= c; j += 8) {
                const v8 g = v8_load(dy + j);
                v8_store(out + j, v8_select(v8_unbits(bits[j / 8]), g, v8_set(slope) * g));
            }
        for (; j < c; j++) {
            const bool on = bits[j / 8] >> (j % 8) & 1;
            out[j] = on ? dy[j] : slope == 0.0f ? 0.0f : slope * dy[j];
        }
    }
}

void XA_K(xa_add)(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

void XA_K(xa_affine)(
    int64_t rows, int64_t c, const float *x, const float *scale, const float *shift, float *y)
{
    for (int64_t i = 0; i < rows; i++, x += c, y += c) {
        if (shift)
            for (int64_t j = 0; j < c; j++)
                y[j] = XA_FMA(x[j], scale[j], shift[j]);
        else
            for (int64_t j = 0; j < c; j++)
                y[j] = x[j] * scale[j];
    }
}
