/* softmax over the last axis: y = exp(x - max)/sum, dx = y*(dy - sum(dy*y)). */
#include "tile.h"

#include <math.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    if (s->ndim < 1)
        XA_RETURN_FAIL(err, XA_SHAPE, "layer \"%s\" (softmax): its input is a scalar", node->name);
    node->shape = *s;
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_OUTPUT;
}

static void softmax_row(int64_t c, const float *x, float *y)
{
    float most = x[0];
    for (int64_t i = 1; i < c; i++)
        most = x[i] > most || isnan(x[i]) ? x[i] : most;
    double sum = 0.0;
    for (int64_t i = 0; i < c; i++) {
        y[i] = expf(x[i] - most);
        sum += (double)y[i];
    }
    for (int64_t i = 0; i < c; i++)
        y[i] = (float)((double)y[i] / sum);
}

static void forward(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape);
    const int64_t rows = c->n * xa_shape_count(&c->node->shape) / last;
    const int64_t tile = xa_tile_rows(rows, last * 4);
    for (int64_t r = 0; r < rows; r++) {
        softmax_row(last, c->x[0] + r * last, c->y + r * last);
        if (r % tile == tile - 1)
            xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape);
    const int64_t rows = c->n * xa_shape_count(&c->node->shape) / last;
    const int64_t tile = xa_tile_rows(rows, last * 4);
    for (int64_t r = 0; r < rows; r++) {
        const float *y = c->y + r * last, *dy = c->dy + r * last;
        float *dx = c->dx + r * last;
        double sum = 0.0;
        for (int64_t i = 0; i < last; i++)
            sum += (double)dy[i] * (double)y[i];
        for (int64_t i = 0; i < last; i++)
            dx[i] = (float)((double)y[i] * ((double)dy[i] - sum));
        if (r % tile == tile - 1)
            xa_tick_now(c->tick);
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 4.0 * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_softmax = {.name = "softmax",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .flags = XA_OP_IN_PLACE,
                                 .infer = infer,
                                 .saves = saves,
                                 .forward = forward,
                                 .backward = backward,
                                 .flops = flops};
