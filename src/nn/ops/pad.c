/* pad: zeros around an image. */
#include "edges.h"

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    return xa_edges_infer(g, node, 1, err);
}

static void forward(const xa_op_call *c)
{
    xa_edges_put(c, &c->xs[0], c->x[0], &c->node->shape, c->y);
}

static void backward(const xa_op_call *c)
{
    xa_edges_take(c, &c->xs[0], c->dx, &c->node->shape, c->dy);
}

const xa_op_def xa_op_pad = {.name = "pad",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .infer = infer,
                             .forward = forward,
                             .backward = backward};
