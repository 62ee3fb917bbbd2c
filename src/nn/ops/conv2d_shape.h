/* The geometry of a convolution and its packed weights: what conv2d.c, its ways and separable.c
 * share. Private to ops. */
#ifndef XAUDIT_NN_OPS_CONV2D_SHAPE_H
#define XAUDIT_NN_OPS_CONV2D_SHAPE_H

#include "../linear.h"

typedef struct xa_conv {
    xa_axis y, x;
    int64_t c, f, groups, cg, fg; /* channels, filters, and those of one group */
    int64_t taps;                 /* KH*KW */
    int64_t k;                    /* KH*KW*cg: depth of the product */
    int64_t pixels;               /* output pixels of a sample */
} xa_conv;

xa_conv xa_conv_of(const xa_graph *g, const xa_node *node);
/* A 1x1 kernel, stride 1, one group: rows of x times a matrix (linear.h). */
bool xa_conv_is_pointwise(const xa_conv *q);

/* Packed: a group's matrix [k, fg] in panels, one after the other, then bias [f]. */
static inline const float *xa_conv_panels(const xa_conv *q, const void *packed, int64_t group)
{
    return (const float *)packed + (size_t)group * xa_panels_count(q->k, q->fg);
}
size_t xa_conv_matrix_bytes(const xa_conv *q);
static inline const float *xa_conv_bias(const xa_conv *q, const void *packed)
{
    return (const float *)((const char *)packed + xa_conv_matrix_bytes(q));
}
/* What follows output rows [row, row+m) of the batch. */
xa_finish xa_conv_finish(const xa_op_call *c, const xa_conv *q, int64_t row);

#endif
