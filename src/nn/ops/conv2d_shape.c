#include "conv2d_shape.h"

xa_conv xa_conv_of(const xa_graph *g, const xa_node *node)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const xa_window *w = &node->params.conv2d.window;
    xa_conv q = {.y = xa_window_axis(w, true, s->dim[0]),
                 .x = xa_window_axis(w, false, s->dim[1]),
                 .c = s->dim[2],
                 .f = node->params.conv2d.filters,
                 .groups = node->params.conv2d.groups};
    q.cg = q.c / q.groups;
    q.fg = q.f / q.groups;
    q.taps = w->kh * w->kw;
    q.k = q.taps * q.cg;
    q.pixels = q.y.out * q.x.out;
    return q;
}

size_t xa_conv_matrix_bytes(const xa_conv *q)
{
    return xa_align_up((size_t)q->groups * xa_panels_count(q->k, q->fg) * sizeof(float), XA_ALIGN);
}

xa_finish xa_conv_finish(const xa_op_call *c, const xa_conv *q, int64_t row)
{
    return (xa_finish){.bias = xa_conv_bias(q, c->weights),
                       .residual = c->residual ? c->residual + row * q->f : NULL,
                       .act = &c->act,
                       .bits = c->bits ? c->bits + xa_bits_bytes(row, q->f) : NULL};
}

bool xa_conv_is_pointwise(const xa_conv *q)
{
    return q->taps == 1 && q->y.stride == 1 && q->x.stride == 1 && q->groups == 1 &&
           q->y.out == q->y.in && q->x.out == q->x.in;
}
