/* Rows times a packed matrix. Rows are independent of each other, so that all rows of the
 * batch go through one product, a tile at a time: the tokens of several samples share a pass over
 * the weights. */
#include "linear.h"

size_t xa_linear_scratch_bytes(int64_t n, int64_t rows, int64_t f)
{
    const int64_t most = n * rows < XA_GEMM_ROWS ? n * rows : XA_GEMM_ROWS;
    return (size_t)(most * f) * sizeof(float);
}

void xa_linear_rows(
    const xa_op_call *c, const xa_product *p, int64_t row, int64_t m, const float *x)
{
    const float *at[XA_GEMM_ROWS];
    for (const int64_t end = row + m; row < end; row += m, x += m * p->c) {
        m = end - row < XA_GEMM_ROWS ? end - row : XA_GEMM_ROWS;
        const xa_pieces a = xa_whole_rows(x, m, p->c, p->c, at);
        const xa_finish finish = xa__product_finish(c, p, row);
        xa__product_forward(c, p, 0, m, &a, c->y + row * p->f, p->f, &finish);
        xa_tick_now(c->tick);
    }
}

void xa_linear_rows_back(
    const xa_op_call *c, const xa_product *p, int64_t row, int64_t m, float *masked, float *dx)
{
    const float *at[XA_GEMM_ROWS];
    for (const int64_t end = row + m; row < end; row += m, dx += m * p->c) {
        m = end - row < XA_GEMM_ROWS ? end - row : XA_GEMM_ROWS;
        const float *dy = c->dy + row * p->f;
        if (c->bits) {
            c->k->mask(m, p->f, dy, c->bits + xa_bits_bytes(row, p->f), c->act.a, masked);
            dy = masked;
        }
        const xa_pieces a = xa_whole_rows(dy, m, p->f, p->f, at);
        xa__product_back(c, p, 0, m, &a, NULL, dx, p->c);
        xa_tick_now(c->tick);
    }
}

void xa_linear_forward(const xa_op_call *c, const xa_product *p, int64_t rows)
{
    xa_linear_rows(c, p, 0, c->n * rows, c->x[0]);
}

void xa_linear_backward(const xa_op_call *c, const xa_product *p, int64_t rows)
{
    xa_linear_rows_back(c, p, 0, c->n * rows, c->scratch, c->dx);
}
