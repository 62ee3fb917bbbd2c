/* minimum: of equal values the first takes the gradient; NaN wins. */
#include "broadcast.h"

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    xa_broadcast_extreme(b, -1.0f, n, y, NULL);
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    float best[XA_CHUNK];
    int winner[XA_CHUNK] = {0};
    xa_broadcast_extreme(b, -1.0f, n, best, winner);
    for (int64_t i = 0; i < n; i++)
        g[i] = winner[i] == which ? dy[i] : 0.0f;
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

const xa_op_def xa_op_minimum = {.name = "minimum",
                                 .min_inputs = 2,
                                 .max_inputs = -1,

                                 .infer = xa_broadcast_infer,
                                 .saves = saves,
                                 .scratch_bytes = xa_broadcast_scratch,
                                 .forward = forward,
                                 .backward = backward,
                                 .flops = xa_broadcast_flops};
