/* average: y = (x0 + x1 + ..)/number of inputs. */
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
                y[i] += x.p[0];
        else
            for (int64_t i = 0; i < n; i++)
                y[i] += x.p[i];
    }
    for (int64_t i = 0; i < n; i++)
        y[i] /= (float)b->call->node->ninputs;
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    (void)which;
    for (int64_t i = 0; i < n; i++)
        g[i] = dy[i] / (float)b->call->node->ninputs;
}

static void forward(const xa_op_call *c)
{
    xa_broadcast_forward(c, combine);
}

static void backward(const xa_op_call *c)
{
    xa_broadcast_backward(c, pull);
}

const xa_op_def xa_op_average = {.name = "average",
                                 .min_inputs = 2,
                                 .max_inputs = -1,

                                 .infer = xa_broadcast_infer,

                                 .scratch_bytes = xa_broadcast_scratch,
                                 .forward = forward,
                                 .backward = backward,
                                 .flops = xa_broadcast_flops};
