/* multiply: y = x0 * x1 * .. */
#include "broadcast.h"

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    const xa_operand first = xa_broadcast_input(b, 0);
    for (int64_t i = 0; i < n; i++)
        y[i] = xa_operand_at(first, i);
    for (int j = 1; j < b->call->node->ninputs; j++) {
        const xa_operand x = xa_broadcast_input(b, j);
        if (x.one)
            for (int64_t i = 0; i < n; i++)
                y[i] *= x.p[0];
        else
            for (int64_t i = 0; i < n; i++)
                y[i] *= x.p[i];
    }
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    for (int64_t i = 0; i < n; i++)
        g[i] = dy[i];
    for (int j = 0; j < b->call->node->ninputs; j++) {
        const xa_operand x = xa_broadcast_input(b, j);
        for (int64_t i = 0; j != which && i < n; i++)
            g[i] *= xa_operand_at(x, i);
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

const xa_op_def xa_op_multiply = {.name = "multiply",
                                  .min_inputs = 2,
                                  .max_inputs = -1,

                                  .infer = xa_broadcast_infer,
                                  .saves = saves,
                                  .scratch_bytes = xa_broadcast_scratch,
                                  .forward = forward,
                                  .backward = backward,
                                  .flops = xa_broadcast_flops};
