/* multiply: y = x0 * x1 * .. */
#include "broadcast.h"

static float product(float y, float x)
{
    return y * x;
}

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    xa_broadcast_fold(b, n, y, product);
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

const xa_op_def xa_op_multiply = {.name = "multiply",
                                  .min_inputs = 2,
                                  .max_inputs = -1,
                                  .infer = xa_broadcast_infer,
                                  .saves = xa_broadcast_saves_inputs,
                                  .scratch_bytes = xa_broadcast_scratch,
                                  .forward = forward,
                                  .backward = backward,
                                  .flops = xa_broadcast_flops};
