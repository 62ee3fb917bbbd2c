/* The ways in which conv2d.c computes a convolution, each a file of its own. Private to ops. */
#ifndef XAUDIT_NN_OPS_CONV2D_H
#define XAUDIT_NN_OPS_CONV2D_H

#include "conv2d_shape.h"

/* conv2d_gather.c: pixels under the kernel are gathered into rows; for few channels. */
size_t xa_conv_gather_bytes(const xa_conv *q);
void xa_conv_gather_forward(const xa_op_call *c, const xa_conv *q, const xa_product *p);
void xa_conv_gather_backward(const xa_op_call *c, const xa_conv *q, const xa_product *p);

/* conv2d_implicit.c: pixels are read where they lie, one piece per tap. */
size_t xa_conv_implicit_bytes(const xa_conv *q, int64_t n);
void xa_conv_implicit_forward(const xa_op_call *c, const xa_conv *q, const xa_product *p);
void xa_conv_implicit_backward(const xa_op_call *c, const xa_conv *q, const xa_product *p);

/* conv2d_winograd.c. The size of its tiles: 2 or 4, or 0 if it would not be faster. */
int xa_conv_winograd(const xa_conv *q);
/* Packed: the transformed matrices of all points, then bias [f]. scale [f] or NULL. */
size_t xa_conv_winograd_matrix_bytes(const xa_conv *q, int m);
void xa_conv_winograd_pack(const xa_conv *q, int m, const float *w, const double *scale, void *dst);
size_t xa_conv_winograd_bytes(const xa_conv *q, int m, int64_t n);
void xa_conv_winograd_forward(const xa_op_call *c, const xa_conv *q, int m);
void xa_conv_winograd_backward(const xa_op_call *c, const xa_conv *q, int m);

#endif
