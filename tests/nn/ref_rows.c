/* Reference twins: what works by rows: epilogue, mask, sums, layer normalisation, softmax. */
#include "kernels_ref.h"

#include <math.h>
#include <string.h>

/* ---- epilogue -------------------------------------------------------------------------------- */

static bool passes(const xa_activation *act, float x)
{
    return !act || act->kind != XA_ACT_RELU || (x > act->c && (isinf(act->b) || x < act->b));
}

void xa_ref_epilogue(int64_t rows,
                     int64_t c,
                     float *y,
                     int64_t ld,
                     const float *bias,
                     const float *residual,
                     const xa_activation *act,
                     uint8_t *bits)
{
    if (bits)
        memset(bits, 0, xa_bits_bytes(rows, c));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++) {
            float v = y[r * ld + j];
            if (bias)
                v += bias[j];
            if (residual)
                v += residual[r * ld + j];
            if (bits && passes(act, v))
                bits[(size_t)r * xa_bits_row(c) + (size_t)j / 8] |= (uint8_t)(1 << j % 8);
            y[r * ld + j] =
                act && act->kind == XA_ACT_RELU ? (float)xa_activate_ref(act, (double)v) : v;
        }
}

void xa_ref_mask(
    int64_t rows, int64_t c, const float *dy, const uint8_t *bits, float slope, float *out)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++) {
            const bool on = bits[(size_t)r * xa_bits_row(c) + (size_t)j / 8] >> j % 8 & 1;
            const float g = dy[r * c + j];
            out[r * c + j] = on ? g : slope == 0.0f ? 0.0f : slope * g;
        }
}

void xa_ref_add(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

void xa_ref_affine(
    int64_t rows, int64_t c, const float *x, const float *scale, const float *shift, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++)
            y[r * c + j] =
                (float)((double)x[r * c + j] * (double)scale[j] + (shift ? (double)shift[j] : 0.0));
}

/* ---- layer normalisation --------------------------------------------------------------------- */

void xa_ref_layer_norm(int64_t rows,
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
        double mean = 0.0, variance = 0.0;
        for (int64_t j = 0; !rms && j < c; j++)
            mean += (double)x[j] / (double)c;
        for (int64_t j = 0; j < c; j++)
            variance += ((double)x[j] - mean) * ((double)x[j] - mean) / (double)c;
        const double root = 1.0 / sqrt(variance + (double)epsilon);
        for (int64_t j = 0; j < c; j++)
            y[j] = (float)(((double)x[j] - mean) * root * (double)gamma[j] + (double)beta[j]);
        if (stats) {
            stats[2 * r] = (float)mean;
            stats[2 * r + 1] = (float)root;
        }
    }
}

void xa_ref_layer_norm_back(int64_t rows,
                            int64_t c,
                            bool rms,
                            const float *x,
                            const float *gamma,
                            const float *stats,
                            const float *dy,
                            float *dx)
{
    for (int64_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        const double mean = (double)stats[2 * r], root = (double)stats[2 * r + 1];
        double g = 0.0, gn = 0.0;
        for (int64_t j = 0; j < c; j++) {
            g += rms ? 0.0 : (double)dy[j] * (double)gamma[j] / (double)c;
            gn += (double)dy[j] * (double)gamma[j] * ((double)x[j] - mean) * root / (double)c;
        }
        for (int64_t j = 0; j < c; j++)
            dx[j] = (float)(root * ((double)dy[j] * (double)gamma[j] - g -
                                    ((double)x[j] - mean) * root * gn));
    }
}

/* ---- attention ---- */

void xa_ref_softmax(int64_t rows, int64_t c, float scale, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r++) {
        double most = -INFINITY, sum = 0.0;
        for (int64_t j = 0; j < c; j++)
            most = fmax(most, (double)scale * (double)x[r * c + j]);
        for (int64_t j = 0; j < c; j++)
            sum += exp((double)scale * (double)x[r * c + j] - most);
        for (int64_t j = 0; j < c; j++)
            y[r * c + j] = (float)(exp((double)scale * (double)x[r * c + j] - most) / sum);
    }
}

void xa_ref_softmax_back(
    int64_t rows, int64_t c, float scale, const float *y, const float *dy, float *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0.0;
        for (int64_t j = 0; j < c; j++)
            sum += (double)y[r * c + j] * (double)dy[r * c + j];
        for (int64_t j = 0; j < c; j++)
            dx[r * c + j] =
                (float)((double)scale * (double)y[r * c + j] * ((double)dy[r * c + j] - sum));
    }
}

void xa_ref_transpose(int64_t rows, int64_t c, const float *x, int64_t ldx, float *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < c; j++)
            y[j * rows + i] = x[i * ldx + j];
}
