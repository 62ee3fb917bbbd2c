/* Rows times a packed matrix: what dense layers and 1x1 convolutions share. Private to nn. */
#ifndef XAUDIT_NN_LINEAR_H
#define XAUDIT_NN_LINEAR_H

#include "op.h"

/* Packed weights: matrix [k, f] in panels (kernels.h), padded to XA_ALIGN, then bias [f]. */
size_t xa_linear_packed_bytes(int64_t k, int64_t f);
/* raw [k, f], or NULL where xa_linear_pack_columns packs it; bias [f] or NULL; `fold` scales
 * columns and shifts the bias, in double. */
void xa_linear_pack(
    int64_t k, int64_t f, const float *raw, const float *bias, const xa_fold *fold, void *dst);
/* Columns [first, first + count), raw [k, count]; `first` is a multiple of XA_PANEL. */
void xa_linear_pack_columns(
    int64_t k, int64_t first, int64_t count, const float *raw, const xa_fold *fold, void *dst);
/* The pieces: panels of [k, n] (row stride ldb) with column j times scale[j], or NULL; bias [f]
 * with the fold applied. */
void xa_panels_pack_folded(
    int64_t k, int64_t n, const float *b, int64_t ldb, const double *scale, float *panels);
void xa_bias_pack(int64_t f, const float *bias, const xa_fold *fold, float *to);
const float *xa_linear_bias(const void *packed, int64_t k, int64_t f);

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
    const xa_op_call *c, int64_t row, int64_t m, int64_t k, int64_t f, const float *x);
void xa_linear_rows_back(
    const xa_op_call *c, int64_t row, int64_t m, int64_t k, int64_t f, float *masked, float *dx);
/* y[n*rows, f] = act(x[n*rows, k] w + bias + residual) from c's pointers. */
void xa_linear_forward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f);
/* dx[n*rows, k] = mask(dy)[n*rows, f] w^T. */
void xa_linear_backward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f);

#endif
