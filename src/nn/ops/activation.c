/* activation: y = f(x) elementwise. ReLUs keep one bit per element, other kinds their input or
 * output. */
#include "activation.h"

#include "tile.h"

#include <math.h>
#include <string.h>

bool xa_activation_one_bit(const xa_activation *act)
{
    return act->kind == XA_ACT_RELU && (act->a == 0.0f || isinf(act->b));
}

unsigned xa_activation_saves(const xa_activation *act)
{
    switch (act->kind) {
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        return 0;
    case XA_ACT_SIGMOID:
    case XA_ACT_TANH:
    case XA_ACT_SOFTPLUS:
    case XA_ACT_EXP:
    case XA_ACT_HARD_SIGMOID:
        return XA_SAVES_OUTPUT;
    case XA_ACT_RELU:
        return xa_activation_one_bit(act) ? 0 : XA_SAVES_INPUTS;
    default:
        return XA_SAVES_INPUTS;
    }
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_activation *act = &node->params.activation;
    if ((int)act->kind < 0 || act->kind >= XA_ACT_COUNT)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (activation): kind %d does not exist",
                       node->name,
                       (int)act->kind);
    if (!isfinite(act->a) || !isfinite(act->c) || isnan(act->b))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (activation): its settings %g, %g, %g must be numbers",
                       node->name,
                       (double)act->a,
                       (double)act->b,
                       (double)act->c);
    if (act->kind == XA_ACT_RELU && !(act->b >= act->c))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (relu): its maximum %g is below its threshold %g",
                       node->name,
                       (double)act->b,
                       (double)act->c);
    if (act->kind == XA_ACT_HARD_SIGMOID && isinf(act->b))
        XA_RETURN_FAIL(
            err, XA_INVALID, "layer \"%s\" (hard_sigmoid): its offset is infinite", node->name);
    node->shape = *xa_input_shape(g, node, 0);
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    return xa_activation_saves(&node->params.activation);
}

/* Bits go by rows of the last axis. */
static int64_t rows_of(const xa_shape *s, int64_t n)
{
    const int64_t c = xa_shape_last(s);
    return c ? n * xa_shape_count(s) / c : 0;
}

static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    if (!xa_activation_one_bit(&node->params.activation))
        return 0;
    return xa_bits_bytes(rows_of(&node->shape, n), xa_shape_last(&node->shape));
}

static void forward(const xa_op_call *c)
{
    const xa_activation *act = &c->node->params.activation;
    const int64_t last = xa_shape_last(&c->node->shape), rows = rows_of(&c->node->shape, c->n);
    const int64_t tile = xa_tile_rows(rows, last * 4); /* transcendental functions take longer */
    for (int64_t r = 0; r < rows; r += tile) {
        const int64_t m = xa_min(tile, rows - r);
        const float *x = c->x[0] + r * last;
        float *y = c->y + r * last;
        if (xa_activation_one_bit(act)) {
            if (y != x)
                memcpy(y, x, (size_t)(m * last) * sizeof(*y));
            uint8_t *bits = c->state;
            c->k->epilogue(
                m, last, y, last, NULL, NULL, act, bits ? bits + xa_bits_bytes(r, last) : NULL);
        } else {
            c->k->activate(m * last, act, x, y);
        }
        xa_tick_now(c->tick);
    }
}

/* dx = dy f(x)/(x + 1e-10) (xa_rules). */
static void
backward_slope(const xa_op_call *c, int64_t n, const float *x, const float *dy, float *dx)
{
    c->k->activate(n, &c->node->params.activation, x, dx);
    for (int64_t i = 0; i < n; i++)
        dx[i] = (float)((double)dy[i] * (double)dx[i] / ((double)x[i] + 1e-10));
}

static void backward(const xa_op_call *c)
{
    const xa_activation *act = &c->node->params.activation;
    const int64_t last = xa_shape_last(&c->node->shape), rows = rows_of(&c->node->shape, c->n);
    const int64_t tile = xa_tile_rows(rows, last * 4);
    const unsigned kept = xa_activation_saves(act);
    const float *v = kept & XA_SAVES_OUTPUT ? c->y : kept ? c->x[0] : NULL;
    for (int64_t r = 0; r < rows; r += tile) {
        const int64_t m = xa_min(tile, rows - r);
        const float *dy = c->dy + r * last;
        float *dx = c->dx + r * last;
        if (xa_activation_one_bit(act))
            c->k->mask(m, last, dy, (const uint8_t *)c->state + xa_bits_bytes(r, last), act->a, dx);
        else if (c->rules != XA_RULES_GRADIENT && act->kind != XA_ACT_LINEAR)
            backward_slope(c, m * last, c->x[0] + r * last, dy, dx);
        else
            c->k->activate_back(m * last, act, v ? v + r * last : NULL, dy, dx);
        xa_tick_now(c->tick);
    }
}

const xa_op_def xa_op_activation = {.name = "activation",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .flags = XA_OP_IN_PLACE,
                                    .infer = infer,
                                    .saves = saves,
                                    .state_bytes = state_bytes,
                                    .forward = forward,
                                    .backward = backward};
