/* concat: inputs one after the other along an axis. */
#include "../op.h"

#include <string.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int axis = node->params.concat.axis;
    xa_shape out = *xa_input_shape(g, node, 0);
    char a[96], b[96];
    if (axis < 0 || axis >= out.ndim)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (concat): axis %d of inputs of %s",
                       node->name,
                       axis,
                       xa_shape_text(&out, a, sizeof(a)));
    for (int j = 1; j < node->ninputs; j++) {
        const xa_shape *s = xa_input_shape(g, node, j);
        bool fits = s->ndim == out.ndim;
        for (int i = 0; fits && i < s->ndim; i++)
            fits = i == axis || s->dim[i] == out.dim[i];
        if (!fits)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (concat): input %d is %s, those before it make %s: only "
                           "axis %d may differ",
                           node->name,
                           j,
                           xa_shape_text(s, a, sizeof(a)),
                           xa_shape_text(&out, b, sizeof(b)),
                           axis);
        out.dim[axis] += s->dim[axis];
    }
    node->shape = out;
    return XA_OK;
}

/* Values from the axis on, and how often they come in a sample. */
static int64_t block(const xa_shape *s, int axis)
{
    int64_t n = 1;
    for (int i = axis; i < s->ndim; i++)
        n *= s->dim[i];
    return n;
}

static void forward(const xa_op_call *c)
{
    const int axis = c->node->params.concat.axis;
    const int64_t whole = block(&c->node->shape, axis);
    const int64_t times = c->n * xa_shape_count(&c->node->shape) / whole;
    float *to = c->y;
    for (int j = 0; j < c->node->ninputs; j++) {
        const int64_t part = block(&c->xs[j], axis);
        for (int64_t i = 0; i < times; i++)
            memcpy(to + i * whole, c->x[j] + i * part, (size_t)part * sizeof(float));
        to += part;
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int axis = c->node->params.concat.axis;
    const int64_t whole = block(&c->node->shape, axis), part = block(&c->xs[c->which], axis);
    const int64_t times = c->n * xa_shape_count(&c->node->shape) / whole;
    const float *from = c->dy;
    for (int j = 0; j < c->which; j++)
        from += block(&c->xs[j], axis);
    for (int64_t i = 0; i < times; i++)
        memcpy(c->dx + i * part, from + i * whole, (size_t)part * sizeof(float));
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_concat = {.name = "concat",
                                .min_inputs = 1,
                                .max_inputs = -1,
                                .infer = infer,
                                .forward = forward,
                                .backward = backward};
