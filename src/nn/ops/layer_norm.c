/* layer_norm over the last axis: y = (x - mean)/sqrt(variance + epsilon)*gamma + beta; rms: y =
 * x/sqrt(mean(x^2) + epsilon)*gamma + beta. Keeps its
 * input, and mean and reciprocal root of each row. */
#include "tile.h"

#include <math.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const float epsilon = node->params.layer_norm.epsilon;
    if (s->ndim < 1)
        XA_RETURN_FAIL(
            err, XA_SHAPE, "layer \"%s\" (layer_norm): its input is a scalar", node->name);
    if (!(epsilon >= 0.0f && isfinite(epsilon)))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (layer_norm): epsilon is %g, expected a number from 0 up",
                       node->name,
                       (double)epsilon);
    const xa_shape want = {.ndim = 1, .dim = {xa_shape_last(s)}};
    XA_RETURN_TRY(err, xa_check_weight(g, node, 0, true, &want, err));
    XA_RETURN_TRY(err, xa_check_weight(g, node, 1, true, &want, err));
    node->shape = *s;
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

static int64_t rows_of(const xa_node *node, int64_t n)
{
    return n * xa_shape_count(&node->shape) / xa_shape_last(&node->shape);
}

static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    return (size_t)rows_of(node, n) * 2 * sizeof(float);
}

static size_t half(const xa_node *node)
{
    return xa_align_up((size_t)xa_shape_last(&node->shape) * sizeof(float), XA_ALIGN);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 2 * half(node);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    float *gamma = dst, *beta = gamma + half(node) / sizeof(float);
    (void)g;
    (void)fold;
    for (int64_t i = 0; i < xa_shape_last(&node->shape); i++) {
        gamma[i] = node->nweights > 0 && w[0] ? w[0][i] : 1.0f;
        beta[i] = node->nweights > 1 && w[1] ? w[1][i] : 0.0f;
    }
}

static void forward(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape), rows = rows_of(c->node, c->n);
    const int64_t tile = xa_tile_rows(rows, last);
    const float *gamma = c->weights;
    float *stats = c->state;
    for (int64_t r = 0; r < rows; r += tile) {
        c->k->layer_norm(xa_min(tile, rows - r),
                         last,
                         c->node->params.layer_norm.epsilon,
                         c->node->params.layer_norm.rms,
                         c->x[0] + r * last,
                         gamma,
                         gamma + half(c->node) / sizeof(float),
                         c->y + r * last,
                         stats ? stats + 2 * r : NULL);
        xa_tick_now(c->tick);
    }
}

/* As if the deviation were a constant (xa_rules): dx = (g - mean g)/deviation, g = gamma dy; rms: g
 * over the root. */
static void backward_fixed(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape), rows = rows_of(c->node, c->n);
    const int64_t tile = xa_tile_rows(rows, last);
    const float *gamma = c->weights, *stats = c->state;
    for (int64_t r = 0; r < rows; r++) {
        const float *dy = c->dy + r * last;
        float *dx = c->dx + r * last;
        double mean = 0.0;
        for (int64_t i = 0; i < last && !c->node->params.layer_norm.rms; i++)
            mean += (double)gamma[i] * (double)dy[i] / (double)last;
        for (int64_t i = 0; i < last; i++)
            dx[i] = (float)(((double)gamma[i] * (double)dy[i] - mean) * (double)stats[2 * r + 1]);
        if (r % tile == tile - 1)
            xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    if (c->rules != XA_RULES_GRADIENT) {
        backward_fixed(c);
        return;
    }
    const int64_t last = xa_shape_last(&c->node->shape), rows = rows_of(c->node, c->n);
    const int64_t tile = xa_tile_rows(rows, last);
    const float *stats = c->state;
    for (int64_t r = 0; r < rows; r += tile) {
        c->k->layer_norm_back(xa_min(tile, rows - r),
                              last,
                              c->node->params.layer_norm.rms,
                              c->x[0] + r * last,
                              c->weights,
                              stats + 2 * r,
                              c->dy + r * last,
                              c->dx + r * last);
        xa_tick_now(c->tick);
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 8.0 * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_layer_norm = {.name = "layer_norm",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .infer = infer,
                                    .saves = saves,
                                    .state_bytes = state_bytes,
                                    .packed_bytes = packed_bytes,
                                    .pack = pack,
                                    .forward = forward,
                                    .backward = backward,
                                    .flops = flops};
