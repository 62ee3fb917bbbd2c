/* global_pool: mean or maximum over all positions of a channel. Means are summed in double; maxima
 * keep the place of the first of equal values, and a NaN is the maximum. */
#include "tile.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 64 }; /* done side by side */

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t c = xa_shape_last(s);
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
    if (xa_shape_count(s) / c > UINT32_MAX)
        XA_RETURN_FAIL(
            err, XA_LIMIT, "layer \"%s\" (global_pool): more than 2^32 positions", node->name);
    if (node->params.global_pool.keepdims)
        node->shape = (xa_shape){.ndim = 3, .dim = {1, 1, c}};
    else
        node->shape = (xa_shape){.ndim = 1, .dim = {c}};
    return XA_OK;
}

static bool is_max(const xa_node *node)
{
    return node->params.global_pool.kind == XA_POOL_MAX;
}

static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    return is_max(node) ? (size_t)(n * xa_shape_count(&node->shape)) * sizeof(uint32_t) : 0;
}

static void mean(int64_t rows, int64_t c, const float *x, float *y)
{
    for (int64_t j = 0; j < c; j += CHANNELS) {
        const int64_t m = xa_min(CHANNELS, c - j);
        double sum[CHANNELS] = {0};
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < m; i++)
                sum[i] += (double)x[r * c + j + i];
        for (int64_t i = 0; i < m; i++)
            y[j + i] = (float)(sum[i] / (double)rows);
    }
}

static void maximum(int64_t rows, int64_t c, const float *x, float *y, uint32_t *place)
{
    for (int64_t j = 0; j < c; j++) {
        float best = x[j];
        uint32_t at = 0;
        for (int64_t r = 1; r < rows && !isnan(best); r++) {
            const float v = x[r * c + j];
            if (v > best || isnan(v)) {
                best = v;
                at = (uint32_t)r;
            }
        }
        y[j] = best;
        if (place)
            place[j] = at;
    }
}

static void forward(const xa_op_call *c)
{
    const int64_t ch = xa_shape_last(&c->xs[0]), rows = xa_shape_count(&c->xs[0]) / ch;
    uint32_t *place = c->state;
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x[0] + i * rows * ch;
        if (is_max(c->node))
            maximum(rows, ch, x, c->y + i * ch, place ? place + i * ch : NULL);
        else
            mean(rows, ch, x, c->y + i * ch);
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int64_t ch = xa_shape_last(&c->xs[0]), rows = xa_shape_count(&c->xs[0]) / ch;
    const size_t row = (size_t)ch * sizeof(float);
    for (int64_t i = 0; i < c->n; i++) {
        float *dx = c->dx + i * rows * ch;
        const float *dy = c->dy + i * ch;
        if (is_max(c->node)) {
            const uint32_t *place = (const uint32_t *)c->state + i * ch;
            memset(dx, 0, (size_t)rows * row);
            for (int64_t j = 0; j < ch; j++)
                dx[(int64_t)place[j] * ch + j] = dy[j];
        } else {
            for (int64_t j = 0; j < ch; j++)
                dx[j] = dy[j] / (float)rows;
            for (int64_t r = 1; r < rows; r++)
                memcpy(dx + r * ch, dx, row);
        }
        xa_tick_now(c->tick);
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    return (double)xa_shape_count(xa_input_shape(g, node, 0));
}

const xa_op_def xa_op_global_pool = {.name = "global_pool",
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .infer = infer,
                                     .state_bytes = state_bytes,
                                     .forward = forward,
                                     .backward = backward,
                                     .flops = flops};
