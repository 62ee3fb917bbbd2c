/* crop: the inner part of an image. */
#include "edges.h"

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    return xa_edges_infer(g, node, -1, err);
}

static void forward(const xa_op_call *c)
{
    xa_edges_take(c, &c->node->shape, c->y, &c->xs[0], c->x[0]);
}

static void backward(const xa_op_call *c)
{
    xa_edges_put(c, &c->node->shape, c->dy, &c->xs[0], c->dx);
}

const xa_op_def xa_op_crop = {.name = "crop",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .infer = infer,
                              .forward = forward,
                              .backward = backward};
