/* average: y = (x0 + x1 + ..)/number of inputs. */
#include "broadcast.h"

static float sum(float y, float x)
{
    return y + x;
}

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    xa_broadcast_fold(b, n, y, sum);
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
