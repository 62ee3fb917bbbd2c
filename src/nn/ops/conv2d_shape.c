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

bool xa_conv_is_pointwise(const xa_conv *q)
{
    return q->taps == 1 && q->y.stride == 1 && q->x.stride == 1 && q->groups == 1 &&
           q->y.out == q->y.in && q->x.out == q->x.in;
}

bool xa_conv_is_thin(const xa_conv *q)
{
    enum { PIECE = 16 };
    return q->cg < PIECE;
}

xa_product xa_conv_product(const xa_graph *g, const xa_conv *q)
{
    const bool gathered = xa_conv_is_thin(q);
    return xa__product_of(
        g, q->pixels, gathered ? 1 : q->taps, gathered ? q->k : q->cg, q->fg, q->groups);
}
