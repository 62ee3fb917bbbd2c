/* What the two pooling operators share. Private to nn. */
#ifndef XAUDIT_NN_POOL_SHAPE_H
#define XAUDIT_NN_POOL_SHAPE_H

#include "../op.h"

#include <inttypes.h>

static inline xa_pool_shape xa_pool_geometry(const xa_graph *g, const xa_node *node)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const xa_window *w = &node->params.pool;
    const xa_axis y = xa_window_axis(w, true, s->dim[0]), x = xa_window_axis(w, false, s->dim[1]);
    return (xa_pool_shape){.h = s->dim[0],
                           .w = s->dim[1],
                           .c = s->dim[2],
                           .oh = y.out,
                           .ow = x.out,
                           .kh = w->kh,
                           .kw = w->kw,
                           .sh = w->sh,
                           .sw = w->sw,
                           .pad_top = y.pad,
                           .pad_left = x.pad,
                           .counted = w->edges.counted,
                           .pad_bottom = w->edges.bottom,
                           .pad_right = w->edges.right};
}

static inline xa_status xa_pool_infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_window *w = &node->params.pool;
    xa_axis ay, ax;
    if (w->dh != 1 || w->dw != 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (%s): a dilation of %" PRId64 "x%" PRId64
                       ", pooling windows have none",
                       node->name,
                       xa_op_name(node->op),
                       w->dh,
                       w->dw);
    XA_RETURN_TRY(err, xa_window_axes(g, node, w, &ay, &ax, err));
    if (w->edges.top >= w->kh || w->edges.bottom >= w->kh || w->edges.left >= w->kw ||
        w->edges.right >= w->kw)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (%s): a window of %" PRId64 "x%" PRId64
                       " would lie in the padding alone",
                       node->name,
                       xa_op_name(node->op),
                       w->kh,
                       w->kw);
    node->shape =
        (xa_shape){.ndim = 3, .dim = {ay.out, ax.out, xa_input_shape(g, node, 0)->dim[2]}};
    return XA_OK;
}

static inline double xa_pool_flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return (double)(node->params.pool.kh * node->params.pool.kw) *
           (double)xa_shape_count(&node->shape);
}

#endif
