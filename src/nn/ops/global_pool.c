/* global_pool: mean or maximum over all positions of a channel. Means are summed in double; a NaN
 * is the maximum. Positions of equal maxima share the gradient evenly, as TensorFlow's reduce_max
 * does: one bit each says which they are. */
#include "tile.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 64 }; /* done side by side */

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t c = xa_shape_last(s);
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
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

/* Bytes of a sample's bits: [rows][bytes of the channels]. */
static int64_t bit_bytes(int64_t rows, int64_t channels)
{
    return rows * ((channels + 7) / 8);
}

static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t c = xa_shape_last(s);
    return is_max(node) ? (size_t)(n * bit_bytes(xa_shape_count(s) / c, c)) : 0;
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

static void maximum(int64_t rows, int64_t c, const float *x, float *y, uint8_t *bits)
{
    memcpy(y, x, (size_t)c * sizeof(float));
    for (int64_t r = 1; r < rows; r++)
        for (int64_t j = 0; j < c; j++) {
            const float v = x[r * c + j];
            y[j] = v > y[j] || isnan(v) ? v : y[j];
        }
    if (!bits)
        return;
    memset(bits, 0, (size_t)bit_bytes(rows, c));
    for (int64_t r = 0; r < rows; r++, bits += (c + 7) / 8)
        for (int64_t j = 0; j < c; j++) {
            const float v = x[r * c + j];
            bits[j / 8] |= (uint8_t)((v == y[j] || isnan(v)) << (j % 8));
        }
}

static bool has_bit(const uint8_t *bits, int64_t c, int64_t r, int64_t j)
{
    return bits[r * ((c + 7) / 8) + j / 8] >> (j % 8) & 1;
}

static void share(int64_t rows, int64_t c, const uint8_t *bits, const float *dy, float *dx)
{
    for (int64_t j = 0; j < c; j += CHANNELS) {
        const int64_t m = xa_min(CHANNELS, c - j);
        int64_t equal[CHANNELS] = {0};
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < m; i++)
                equal[i] += has_bit(bits, c, r, j + i);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < m; i++)
                dx[r * c + j + i] = has_bit(bits, c, r, j + i) ? dy[j + i] / (float)equal[i] : 0.0f;
    }
}

static void forward(const xa_op_call *c)
{
    const int64_t ch = xa_shape_last(&c->xs[0]), rows = xa_shape_count(&c->xs[0]) / ch;
    uint8_t *bits = c->state;
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x[0] + i * rows * ch;
        if (is_max(c->node))
            maximum(rows, ch, x, c->y + i * ch, bits ? bits + i * bit_bytes(rows, ch) : NULL);
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
            share(rows, ch, (const uint8_t *)c->state + i * bit_bytes(rows, ch), dy, dx);
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
