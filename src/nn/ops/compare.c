/* compare: 1 where x0 and x1 compare so, else 0. It is constant but for jumps: its gradient is 0.
 */
#include "broadcast.h"

#include <string.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int kind = (int)node->params.compare;
    if (kind < 0 || kind >= XA_COMPARE_COUNT)
        XA_RETURN_FAIL(
            err, XA_INVALID, "layer \"%s\" (compare): kind %d does not exist", node->name, kind);
    return xa_broadcast_infer(g, node, err);
}

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    const xa_operand one = xa_broadcast_input(b, 0), two = xa_broadcast_input(b, 1);
    const xa_compare_kind kind = b->call->node->params.compare;
    for (int64_t i = 0; i < n; i++) {
        const float p = xa_operand_at(one, i), q = xa_operand_at(two, i);
        const bool less = p<q, more = p> q, equal = p <= q && p >= q;
        y[i] = kind == XA_COMPARE_LESS            ? less
               : kind == XA_COMPARE_LESS_EQUAL    ? less || equal
               : kind == XA_COMPARE_GREATER       ? more
               : kind == XA_COMPARE_GREATER_EQUAL ? more || equal
                                                  : equal;
    }
}

static void forward(const xa_op_call *c)
{
    xa_broadcast_forward(c, combine);
}

static void backward(const xa_op_call *c)
{
    memset(c->dx, 0, (size_t)(c->n * xa_shape_count(&c->xs[c->which])) * sizeof *c->dx);
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_compare = {.name = "compare",
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .infer = infer,
                                 .forward = forward,
                                 .backward = backward,
                                 .flops = xa_broadcast_flops};
