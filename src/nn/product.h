/* The weights of a layer's product and the product itself, as the graph's numerics have them: what
 * dense layers and convolutions share. Private to nn.
 *
 * A product is y[.., F] = sum over taps t of x_t[.., C] w[t,C,F], of each group. Its gradient with
 * respect to x_t is dy w[t]^T.
 *
 *                   forward          gradient
 *   strict, fast    float32          float32, from the same copy
 *   bf16-gradient   float32          bfloat16, from a transposed copy
 *   bf16            bfloat16         bfloat16, from a transposed copy
 *
 * so that weights take as much memory in bf16 as in strict, and half as much again in
 * bf16-gradient. A product of one row a sample stays float32 whatever the numerics: the head, whose
 * scores everything begins with, and the gates of channel attention. Such a product's time is that
 * of reading its weights once.
 */
#ifndef XAUDIT_NN_PRODUCT_H
#define XAUDIT_NN_PRODUCT_H

#include "op.h"

typedef struct xa_product {
    int64_t taps, c, f, groups; /* channels and filters of one group */
    bool bf16, bf16_back;       /* forward, gradient */
} xa_product;

/* rows: of one sample. */
xa_product
xa__product_of(const xa_graph *g, int64_t rows, int64_t taps, int64_t c, int64_t f, int64_t groups);

/* Packed: the copy forward, each group's matrix one after the other; the transposed copy if there
 * is one; the bias [groups * f]. Each begins at a multiple of XA_ALIGN. */
size_t xa__product_bytes(const xa_product *p);
/* raw [taps, c, groups * f], or NULL where xa__product_pack_filters packs it; bias [groups * f] or
 * NULL; `fold` scales filters and shifts the bias, in double, before anything is rounded. */
void xa__product_pack(
    const xa_product *p, const float *raw, const float *bias, const xa_fold *fold, void *dst);
/* Filters [first, first + count) of a product of one group, raw [taps, c, count]; `first` is a
 * multiple of XA_PANEL. */
void xa__product_pack_filters(const xa_product *p,
                              int64_t first,
                              int64_t count,
                              const float *raw,
                              const xa_fold *fold,
                              void *dst);
const float *xa__product_bias(const xa_product *p, const void *packed);

/* What follows rows [row, ..) of the batch, in rows of all filters. */
xa_finish xa__product_finish(const xa_op_call *c, const xa_product *p, int64_t row);

/* y[m, f] = finish(a w) with one group's weights; a->count is taps. */
void xa__product_forward(const xa_op_call *c,
                         const xa_product *p,
                         int64_t group,
                         int64_t m,
                         const xa_pieces *a,
                         float *y,
                         int64_t ldy,
                         const xa_finish *finish);

/* The taps that pieces of dy meet, and the same times c. */
typedef struct xa_taps {
    const int64_t *tap, *first;
} xa_taps;
/* dx[m, c] = sum over pieces of a_p w[tap[p]]^T; taps NULL: the product has one. */
void xa__product_back(const xa_op_call *c,
                      const xa_product *p,
                      int64_t group,
                      int64_t m,
                      const xa_pieces *a,
                      const xa_taps *taps,
                      float *dx,
                      int64_t ldx);

/* The pieces of the above, for other layouts: panels of [k, n] (row stride ldb) with column j times
 * scale[j], or NULL; bias [f] with the fold applied. */
void xa__panels_pack_folded(
    int64_t k, int64_t n, const float *b, int64_t ldb, const double *scale, float *panels);
void xa__bias_pack(int64_t f, const float *bias, const xa_fold *fold, float *to);

#endif
