/* Rows of an image inside a larger one: what pad and crop share. Private to nn. */
#ifndef XAUDIT_NN_EDGES_H
#define XAUDIT_NN_EDGES_H

#include "../op.h"

#include <inttypes.h>
#include <string.h>

enum { XA_EDGE_MOST = 1 << 24 };

/* The edges are sane; `sign` 1 adds them to the input's extents, -1 takes them off. */
static inline xa_status xa_edges_infer(const xa_graph *g, xa_node *node, int sign, xa_err *err)
{
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t edge[4] = {node->params.edges.top,
                             node->params.edges.bottom,
                             node->params.edges.left,
                             node->params.edges.right};
    char text[96];
    for (int i = 0; i < 4; i++)
        if (edge[i] < 0 || edge[i] > XA_EDGE_MOST)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (%s): an edge of %" PRId64 ", expected 0 to %d",
                           node->name,
                           xa_op_name(node->op),
                           edge[i],
                           XA_EDGE_MOST);
    const int64_t h = s->dim[0] + sign * (edge[0] + edge[1]);
    const int64_t w = s->dim[1] + sign * (edge[2] + edge[3]);
    if (h < 1 || w < 1)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (%s): edges of %" PRId64 "+%" PRId64 " and %" PRId64
                       "+%" PRId64 " leave nothing of %s",
                       node->name,
                       xa_op_name(node->op),
                       edge[0],
                       edge[1],
                       edge[2],
                       edge[3],
                       xa_shape_text(s, text, sizeof(text)));
    node->shape = (xa_shape){.ndim = 3, .dim = {h, w, s->dim[2]}};
    return XA_OK;
}

/* big [n,H,W,C] gets small [n,h,w,c] at (top,left), zeros elsewhere. */
static inline void xa_edges_put(
    const xa_op_call *c, const xa_shape *small, const float *from, const xa_shape *big, float *to)
{
    const int64_t top = c->node->params.edges.top, left = c->node->params.edges.left;
    const int64_t ch = small->dim[2], row = small->dim[1] * ch, wide = big->dim[1] * ch;
    for (int64_t i = 0; i < c->n; i++) {
        for (int64_t y = 0; y < big->dim[0]; y++, to += wide) {
            if (y < top || y >= top + small->dim[0]) {
                memset(to, 0, (size_t)wide * sizeof(*to));
                continue;
            }
            memset(to, 0, (size_t)(left * ch) * sizeof(*to));
            memcpy(to + left * ch, from, (size_t)row * sizeof(*to));
            memset(to + left * ch + row, 0, (size_t)(wide - left * ch - row) * sizeof(*to));
            from += row;
        }
        xa_tick_now(c->tick);
    }
}

/* small [n,h,w,c] = what lies at (top,left) of big [n,H,W,C]. */
static inline void xa_edges_take(
    const xa_op_call *c, const xa_shape *small, float *to, const xa_shape *big, const float *from)
{
    const int64_t top = c->node->params.edges.top, left = c->node->params.edges.left;
    const int64_t ch = small->dim[2], row = small->dim[1] * ch, wide = big->dim[1] * ch;
    for (int64_t i = 0; i < c->n; i++, from += big->dim[0] * wide) {
        for (int64_t y = 0; y < small->dim[0]; y++, to += row)
            memcpy(to, from + (top + y) * wide + left * ch, (size_t)row * sizeof(*to));
        xa_tick_now(c->tick);
    }
}

#endif
