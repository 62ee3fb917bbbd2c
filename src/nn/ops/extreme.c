/* What maximum and minimum share. */
#include "broadcast.h"

/* Inputs are compared after multiplication by sign: 1 for the largest, -1 for the smallest.
 * winner[n], unless it is NULL, gets the input that was taken. */
static void extreme(const xa_broadcast *b, int64_t n, float *best, int *winner)
{
    const float sign = b->call->node->op == XA_OP_MINIMUM ? -1.0f : 1.0f;
    for (int j = 0; j < b->call->node->ninputs; j++) {
        const xa_operand x = xa_broadcast_input(b, j);
        for (int64_t i = 0; i < n; i++) {
            const float v = xa_operand_at(x, i);
            if (j == 0 || sign * v > sign * best[i] || (v != v && best[i] == best[i])) {
                best[i] = v;
                if (winner)
                    winner[i] = j;
            }
        }
    }
}

static void combine(const xa_broadcast *b, int64_t n, float *y)
{
    extreme(b, n, y, NULL);
}

static void pull(const xa_broadcast *b, int which, int64_t n, const float *dy, float *g)
{
    float best[XA_CHUNK];
    int winner[XA_CHUNK] = {0};
    extreme(b, n, best, winner);
    for (int64_t i = 0; i < n; i++)
        g[i] = winner[i] == which ? dy[i] : 0.0f;
}

void xa_extreme_forward(const xa_op_call *c)
{
    xa_broadcast_forward(c, combine);
}

void xa_extreme_backward(const xa_op_call *c)
{
    xa_broadcast_backward(c, pull);
}
