/* Rows times a packed matrix: what dense layers and 1x1 convolutions share. Products of one tap and
 * one group (product.h), [k, f]. Private to nn. */
#ifndef XAUDIT_NN_LINEAR_H
#define XAUDIT_NN_LINEAR_H

#include "product.h"

/* m rows, `ld` floats from one to the next, each one piece of `length`; at holds m pointers. */
static inline xa_pieces
xa_whole_rows(const float *a, int64_t m, int64_t ld, int64_t length, const float **at)
{
    for (int64_t i = 0; i < m; i++)
        at[i] = a + i * ld;
    return (xa_pieces){.count = 1, .length = length, .at = at};
}

/* Scratch for both passes of n samples of `rows` rows each. */
size_t xa_linear_scratch_bytes(int64_t n, int64_t rows, int64_t f);
/* Rows [row, row+m) of the batch, x and dx pointing at the first: y = act(x w + bias + residual)
 * and dx = mask(dy) w^T. masked: min(m, XA_GEMM_ROWS) rows of f, used where c has bits. */
void xa_linear_rows(
    const xa_op_call *c, const xa_product *p, int64_t row, int64_t m, const float *x);
void xa_linear_rows_back(
    const xa_op_call *c, const xa_product *p, int64_t row, int64_t m, float *masked, float *dx);
/* y[n*rows, f] = act(x[n*rows, k] w + bias + residual) from c's pointers. */
void xa_linear_forward(const xa_op_call *c, const xa_product *p, int64_t rows);
/* dx[n*rows, k] = mask(dy)[n*rows, f] w^T. */
void xa_linear_backward(const xa_op_call *c, const xa_product *p, int64_t rows);

#endif
