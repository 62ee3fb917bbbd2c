/* Separable convolutions: a depthwise one and the 1x1 convolution that follows, in one pass over
 * bands of rows, so that what lies between them never leaves the second cache. The plan pairs two
 * steps this way (xa_step.within); operators and weights stay the two they are, and so does every
 * sum: the bytes are those of the two steps one after the other. Private to nn. */
#ifndef XAUDIT_NN_OPS_SEPARABLE_H
#define XAUDIT_NN_OPS_SEPARABLE_H

#include "../op.h"

/* Whether `second` may take `first` in: a DEPTHWISE and a pointwise CONV2D. */
bool xa_separable_fits(const xa_graph *g, const xa_node *first, const xa_node *second);
/* Scratch of the pair, the larger of both passes. */
size_t xa_separable_bytes(const xa_graph *g,
                          const xa_node *depthwise,
                          const xa_node *pointwise,
                          int64_t n);
/* x, weights and bits from d; weights, residual, act, bits, y and scratch from p. */
void xa_separable_forward(const xa_op_call *d, const xa_op_call *p);
/* dx, weights and bits from d; dy, weights, bits and scratch from p. */
void xa_separable_backward(const xa_op_call *d, const xa_op_call *p);

#endif
