/* Convolutions of few channels: the pixels under the kernel are gathered into rows [tile,
 * KH*KW*C/groups] in scratch, a tile of output pixels at a time, and multiplied; backward
 * multiplies by the transpose and adds the rows back where they came from, in ascending pixel
 * order. */
#include <string.h>

#include "conv2d.h"

/* The taps of one output position along one axis that lie inside the input: [*t0, *t1). */
static void inside(const xa_axis *a, int64_t o, int64_t *t0, int64_t *t1)
{
    const int64_t start = o * a->stride - a->pad;
    *t0 = start < 0 ? (-start + a->dilation - 1) / a->dilation : 0;
    *t1 = start >= a->in ? 0 : (a->in - 1 - start) / a->dilation + 1;
    if (*t0 > a->k)
        *t0 = a->k;
    if (*t1 > a->k)
        *t1 = a->k;
    if (*t1 < *t0)
        *t1 = *t0;
}

/* rows [m,k] = pixels under the kernel of output pixels [p, p+m), group channels from `c0`; zeros
 * outside. */
static void gather(const xa_conv *q, const float *x, int64_t c0, int64_t p, int64_t m, float *rows)
{
    const int64_t kw = q->x.k, cg = q->cg;
    for (int64_t i = 0; i < m; i++, rows += q->k) {
        const int64_t oy = (p + i) / q->x.out, ox = (p + i) % q->x.out;
        int64_t y0, y1, x0, x1;
        inside(&q->y, oy, &y0, &y1);
        inside(&q->x, ox, &x0, &x1);
        if (y0 > 0 || x0 > 0 || y1 < q->y.k || x1 < kw)
            memset(rows, 0, (size_t)q->k * sizeof(float));
        const int64_t iy = oy * q->y.stride - q->y.pad, ix = ox * q->x.stride - q->x.pad;
        for (int64_t ty = y0; ty < y1; ty++) {
            const float *line = x + (iy + ty * q->y.dilation) * q->x.in * q->c + c0;
            float *dst = rows + (ty * kw + x0) * cg;
            if (q->x.dilation == 1 && q->groups == 1) {
                memcpy(dst, line + (ix + x0) * q->c, (size_t)((x1 - x0) * cg) * sizeof(float));
                continue;
            }
            for (int64_t tx = x0; tx < x1; tx++, dst += cg)
                memcpy(dst, line + (ix + tx * q->x.dilation) * q->c, (size_t)cg * sizeof(float));
        }
    }
}

/* The adjoint of gather: adds the rows back. */
static void
scatter(const xa_conv *q, const float *rows, int64_t c0, int64_t p, int64_t m, float *dx)
{
    const int64_t kw = q->x.k, cg = q->cg;
    for (int64_t i = 0; i < m; i++, rows += q->k) {
        const int64_t oy = (p + i) / q->x.out, ox = (p + i) % q->x.out;
        int64_t y0, y1, x0, x1;
        inside(&q->y, oy, &y0, &y1);
        inside(&q->x, ox, &x0, &x1);
        const int64_t iy = oy * q->y.stride - q->y.pad, ix = ox * q->x.stride - q->x.pad;
        for (int64_t ty = y0; ty < y1; ty++) {
            float *line = dx + (iy + ty * q->y.dilation) * q->x.in * q->c + c0;
            const float *src = rows + (ty * kw + x0) * cg;
            if (q->x.dilation == 1 && q->groups == 1) {
                float *dst = line + (ix + x0) * q->c;
                for (int64_t j = 0; j < (x1 - x0) * cg; j++)
                    dst[j] += src[j];
                continue;
            }
            for (int64_t tx = x0; tx < x1; tx++, src += cg) {
                float *dst = line + (ix + tx * q->x.dilation) * q->c;
                for (int64_t j = 0; j < cg; j++)
                    dst[j] += src[j];
            }
        }
    }
}

/* The scratch: rows, then the masked dy of the same tile. */
static size_t rows_bytes(const xa_conv *q)
{
    return xa_align_up((size_t)(XA_GEMM_ROWS * q->k) * sizeof(float), XA_ALIGN);
}

size_t xa_conv_gather_bytes(const xa_conv *q)
{
    return rows_bytes(q) + (size_t)(XA_GEMM_ROWS * q->f) * sizeof(float);
}

void xa_conv_gather_forward(const xa_op_call *c, const xa_conv *q, const xa_product *product)
{
    const float *at[XA_GEMM_ROWS];
    for (int64_t s = 0; s < c->n; s++) {
        const float *x = c->x[0] + s * q->y.in * q->x.in * q->c;
        for (int64_t p = 0; p < q->pixels; p += XA_GEMM_ROWS) {
            const int64_t m = q->pixels - p < XA_GEMM_ROWS ? q->pixels - p : XA_GEMM_ROWS;
            const int64_t row = s * q->pixels + p;
            const xa_finish finish = xa__product_finish(c, product, row);
            float *y = c->y + row * q->f;
            const xa_pieces a = xa_whole_rows(c->scratch, m, q->k, q->k, at);
            for (int64_t j = 0; j < q->groups; j++) {
                gather(q, x, j * q->cg, p, m, c->scratch);
                xa__product_forward(
                    c, product, j, m, &a, y + j * q->fg, q->f, q->groups == 1 ? &finish : NULL);
            }
            if (q->groups > 1)
                c->k->epilogue(
                    m, q->f, y, q->f, finish.bias, finish.residual, finish.act, finish.bits);
            xa_tick_now(c->tick);
        }
    }
}

void xa_conv_gather_backward(const xa_op_call *c, const xa_conv *q, const xa_product *product)
{
    const float *at[XA_GEMM_ROWS];
    float *rows = c->scratch, *masked = (float *)((char *)c->scratch + rows_bytes(q));
    const int64_t in = q->y.in * q->x.in * q->c;
    for (int64_t s = 0; s < c->n; s++) {
        float *dx = c->dx + s * in;
        memset(dx, 0, (size_t)in * sizeof(float));
        for (int64_t p = 0; p < q->pixels; p += XA_GEMM_ROWS) {
            const int64_t m = q->pixels - p < XA_GEMM_ROWS ? q->pixels - p : XA_GEMM_ROWS;
            const int64_t row = s * q->pixels + p;
            const float *dy = c->dy + row * q->f;
            if (c->bits) {
                c->k->mask(m, q->f, dy, c->bits + xa_bits_bytes(row, q->f), c->act.a, masked);
                dy = masked;
            }
            for (int64_t j = 0; j < q->groups; j++) {
                const xa_pieces a = xa_whole_rows(dy + j * q->fg, m, q->f, q->fg, at);
                xa__product_back(c, product, j, m, &a, NULL, rows, q->k);
                scatter(q, rows, j * q->cg, p, m, dx);
            }
            xa_tick_now(c->tick);
        }
    }
}
