/* constant: values of the model, the same for every sample. */
#include "../op.h"

#include <string.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int id = node->nweights ? node->weights[0] : -1;
    if (id < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "layer \"%s\" (constant): weight 0 is missing", node->name);
    node->shape = xa_graph_weight(g, id)->shape;
    return XA_OK;
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return (size_t)xa_shape_count(&node->shape) * sizeof(float);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    (void)fold;
    memcpy(dst, w[0], packed_bytes(g, node));
}

static void forward(const xa_op_call *c)
{
    const int64_t count = xa_shape_count(&c->node->shape);
    for (int64_t i = 0; i < c->n; i++)
        memcpy(c->y + i * count, c->weights, (size_t)count * sizeof(float));
    xa_tick_now(c->tick);
}

static void backward(const xa_op_call *c)
{
    (void)c; /* there is no input to have a gradient */
}

const xa_op_def xa_op_constant = {.name = "constant",
                                  .min_inputs = 0,
                                  .max_inputs = 0,
                                  .infer = infer,
                                  .packed_bytes = packed_bytes,
                                  .pack = pack,
                                  .forward = forward,
                                  .backward = backward};
