/* select: y = x0 > 0 ? x1 : x2, element by element. Nothing of what is not taken is looked at, be
 * it infinite. No gradient goes to x0. */
#include "broadcast.h"

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    const xa_operand which = xa_broadcast_input(b, 0), yes = xa_broadcast_input(b, 1),
                     no = xa_broadcast_input(b, 2);
    for (int64_t i = 0; i < n; i++)
        y[i] = xa_operand_at(which, i) > 0.0f ? xa_operand_at(yes, i) : xa_operand_at(no, i);
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    const xa_operand mask = xa_broadcast_input(b, 0);
    for (int64_t i = 0; i < n; i++)
        g[i] = which > 0 && (xa_operand_at(mask, i) > 0.0f) == (which == 1) ? dy[i] : 0.0f;
}

static void forward(const xa_op_call *c)
{
    xa_broadcast_forward(c, combine);
}

static void backward(const xa_op_call *c)
{
    xa_broadcast_backward(c, pull);
}

const xa_op_def xa_op_select = {.name = "select",
                                .min_inputs = 3,
                                .max_inputs = 3,
                                .infer = xa_broadcast_infer,
                                .saves = xa_broadcast_saves_inputs,
                                .scratch_bytes = xa_broadcast_scratch,
                                .forward = forward,
                                .backward = backward,
                                .flops = xa_broadcast_flops};
