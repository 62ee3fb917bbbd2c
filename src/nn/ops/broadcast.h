/* Elementwise operators of several inputs whose extents are equal or 1. Private to nn.
 *
 * An operator gives two functions on a chunk of the output; walking, broadcasting and the sum of
 * gradients over broadcast axes (in double, in output order) are done here.
 */
#ifndef XAUDIT_NN_BROADCAST_H
#define XAUDIT_NN_BROADCAST_H

#include "../op.h"

enum { XA_CHUNK = 512 };

/* Axes of the output with runs of equally broadcast ones merged and extents of 1 left out. */
typedef struct xa_broadcast {
    const xa_op_call *call;
    int ndim;
    int64_t dim[XA_MAX_DIMS];
    int axis[XA_MAX_DIMS];   /* an axis of the output of that run: inputs are broadcast on it or not
                              */
    int64_t at[XA_MAX_DIMS]; /* where the walk is */
    int64_t sample;
} xa_broadcast;

/* A chunk of input j: n values, or one value for all. */
typedef struct xa_operand {
    const float *p;
    bool one;
} xa_operand;
xa_operand xa_broadcast_input(const xa_broadcast *b, int j);

static inline float xa_operand_at(xa_operand o, int64_t i)
{
    return o.p[o.one ? 0 : i];
}

/* y[n] of one chunk. */
typedef void xa_broadcast_forward_fn(const xa_broadcast *b, int64_t n, float *y);
/* g[n]: d(sum of dy*y)/d(input `which` at each output). */
typedef void
xa_broadcast_backward_fn(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g);

void xa_broadcast_forward(const xa_op_call *c, xa_broadcast_forward_fn *fn);
void xa_broadcast_backward(const xa_op_call *c, xa_broadcast_backward_fn *fn);

/* infer and scratch_bytes of all of them. */
xa_status xa_broadcast_infer(const xa_graph *g, xa_node *node, xa_err *err);
size_t xa_broadcast_scratch(const xa_graph *g, const xa_node *node, int64_t n);
double xa_broadcast_flops(const xa_graph *g, const xa_node *node);

/* y[n] of one chunk is x0, then with(y, x_j) for every further input: inlined, so that `with` costs
 * what its operator costs. */
static inline __attribute__((always_inline)) void
xa_broadcast_fold(const xa_broadcast *b, int64_t n, float *y, float (*with)(float y, float x))
{
    const xa_operand first = xa_broadcast_input(b, 0);
    for (int64_t i = 0; i < n; i++)
        y[i] = xa_operand_at(first, i);
    for (int j = 1; j < b->call->node->ninputs; j++) {
        const xa_operand x = xa_broadcast_input(b, j);
        if (x.one)
            for (int64_t i = 0; i < n; i++)
                y[i] = with(y[i], x.p[0]);
        else
            for (int64_t i = 0; i < n; i++)
                y[i] = with(y[i], x.p[i]);
    }
}

/* saves() of operators whose gradient needs the inputs. */
static inline unsigned xa_broadcast_saves_inputs(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

/* extreme.c: both passes of MAXIMUM and of MINIMUM, chosen by the node's operator. Of equal
 * values the first takes the gradient; NaN wins over all. */
void xa_extreme_forward(const xa_op_call *c);
void xa_extreme_backward(const xa_op_call *c);

#endif
