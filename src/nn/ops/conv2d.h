/* What the ways of a convolution share. Private to ops. */
#ifndef XAUDIT_NN_OPS_CONV2D_H
#define XAUDIT_NN_OPS_CONV2D_H

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

/* conv2d_gather.c: pixels under the kernel gathered into rows; for few channels. */
size_t xa_conv_gather_bytes(const xa_conv *q);
void xa_conv_gather_forward(const xa_op_call *c, const xa_conv *q);
void xa_conv_gather_backward(const xa_op_call *c, const xa_conv *q);

/* conv2d_implicit.c: pixels read where they lie, one piece a tap. */
size_t xa_conv_implicit_bytes(const xa_conv *q, int64_t n);
void xa_conv_implicit_forward(const xa_op_call *c, const xa_conv *q);
void xa_conv_implicit_backward(const xa_op_call *c, const xa_conv *q);

/* conv2d_winograd.c. The size of its tiles, 2 or 4, or 0 where it is of no use. */
int xa_conv_winograd(const xa_conv *q);
/* Packed: the transformed matrices of all points, then bias [f]. scale [f] or NULL. */
size_t xa_conv_winograd_matrix_bytes(const xa_conv *q, int m);
void xa_conv_winograd_pack(const xa_conv *q, int m, const float *w, const double *scale, void *dst);
size_t xa_conv_winograd_bytes(const xa_conv *q, int m, int64_t n);
void xa_conv_winograd_forward(const xa_op_call *c, const xa_conv *q, int m);
void xa_conv_winograd_backward(const xa_op_call *c, const xa_conv *q, int m);

#endif
