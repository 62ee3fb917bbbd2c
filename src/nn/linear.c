/* Rows times a matrix packed in panels. Rows are independent of each other, so that all rows of the
 * batch go through one product, a tile at a time: the tokens of several samples share a pass over
 * the weights. */
#include "linear.h"

#include <string.h>

static size_t matrix_bytes(int64_t k, int64_t f)
{
    return xa_align_up(xa_panels_count(k, f) * sizeof(float), XA_ALIGN);
}

size_t xa_linear_packed_bytes(int64_t k, int64_t f)
{
    return matrix_bytes(k, f) + (size_t)f * sizeof(float);
}

const float *xa_linear_bias(const void *packed, int64_t k, int64_t f)
{
    return (const float *)((const char *)packed + matrix_bytes(k, f));
}

void xa_linear_pack(
    int64_t k, int64_t f, const float *raw, const float *bias, const xa_fold *fold, void *dst)
{
    if (raw)
        xa_linear_pack_columns(k, 0, f, raw, fold, dst);
    xa_bias_pack(f, bias, fold, (float *)((char *)dst + matrix_bytes(k, f)));
}

void xa_linear_pack_columns(
    int64_t k, int64_t first, int64_t count, const float *raw, const xa_fold *fold, void *dst)
{
    float *panels = (float *)dst + xa_panels_count(k, first);
    xa_panels_pack_folded(k, count, raw, count, fold ? fold->scale + first : NULL, panels);
}

void xa_panels_pack_folded(
    int64_t k, int64_t n, const float *b, int64_t ldb, const double *scale, float *panels)
{
    xa_panels_pack(k, n, b, ldb, panels);
    for (int64_t j = 0; scale && j < n; j++) {
        float *column = panels + j / XA_PANEL * XA_PANEL * k + j % XA_PANEL;
        for (int64_t i = 0; i < k; i++)
            column[i * XA_PANEL] = (float)(column[i * XA_PANEL] * scale[j]);
    }
}

void xa_bias_pack(int64_t f, const float *bias, const xa_fold *fold, float *to)
{
    for (int64_t j = 0; j < f; j++) {
        const double v = bias ? bias[j] : 0.0;
        to[j] = (float)(fold ? v * fold->scale[j] + fold->shift[j] : v);
    }
}

size_t xa_linear_scratch_bytes(int64_t n, int64_t rows, int64_t f)
{
    const int64_t most = n * rows < XA_GEMM_ROWS ? n * rows : XA_GEMM_ROWS;
    return (size_t)(most * f) * sizeof(float);
}

void xa_linear_rows(
    const xa_op_call *c, int64_t row, int64_t m, int64_t k, int64_t f, const float *x)
{
    const float *at[XA_GEMM_ROWS];
    for (const int64_t end = row + m; row < end; row += m, x += m * k) {
        m = end - row < XA_GEMM_ROWS ? end - row : XA_GEMM_ROWS;
        const xa_pieces a = xa_whole_rows(x, m, k, k, at);
        const xa_finish finish = {.bias = xa_linear_bias(c->weights, k, f),
                                  .residual = c->residual ? c->residual + row * f : NULL,
                                  .act = &c->act,
                                  .bits = c->bits ? c->bits + xa_bits_bytes(row, f) : NULL};
        c->k->gemm_panels(m, f, &a, c->weights, c->y + row * f, f, &finish);
        xa_tick_now(c->tick);
    }
}

void xa_linear_rows_back(
    const xa_op_call *c, int64_t row, int64_t m, int64_t k, int64_t f, float *masked, float *dx)
{
    static const int64_t first = 0;
    const float *at[XA_GEMM_ROWS];
    for (const int64_t end = row + m; row < end; row += m, dx += m * k) {
        m = end - row < XA_GEMM_ROWS ? end - row : XA_GEMM_ROWS;
        const float *dy = c->dy + row * f;
        if (c->bits) {
            c->k->mask(m, f, dy, c->bits + xa_bits_bytes(row, f), c->act.a, masked);
            dy = masked;
        }
        const xa_pieces a = xa_whole_rows(dy, m, f, f, at);
        c->k->gemm_panels_nt(m, k, &a, c->weights, &first, k, dx, k);
        xa_tick_now(c->tick);
    }
}

void xa_linear_forward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    xa_linear_rows(c, 0, c->n * rows, k, f, c->x[0]);
}

void xa_linear_backward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    xa_linear_rows_back(c, 0, c->n * rows, k, f, c->scratch, c->dx);
}
