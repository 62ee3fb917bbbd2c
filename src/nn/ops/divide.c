/* divide: y = x0 / x1 */
#include "broadcast.h"

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    const xa_operand over = xa_broadcast_input(b, 0), under = xa_broadcast_input(b, 1);
    for (int64_t i = 0; i < n; i++)
        y[i] = xa_operand_at(over, i) / xa_operand_at(under, i);
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    const xa_operand over = xa_broadcast_input(b, 0), under = xa_broadcast_input(b, 1);
    for (int64_t i = 0; i < n; i++) {
        const float d = xa_operand_at(under, i);
        g[i] = which == 0 ? dy[i] / d : -dy[i] * (xa_operand_at(over, i) / d) / d;
    }
}

static void forward(const xa_op_call *c)
{
    xa_broadcast_forward(c, combine);
}

static void backward(const xa_op_call *c)
{
    xa_broadcast_backward(c, pull);
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

const xa_op_def xa_op_divide = {.name = "divide",
                                .min_inputs = 2,
                                .max_inputs = 2,
                                .infer = xa_broadcast_infer,
                                .saves = saves,
                                .scratch_bytes = xa_broadcast_scratch,
                                .forward = forward,
                                .backward = backward,
                                .flops = xa_broadcast_flops};
