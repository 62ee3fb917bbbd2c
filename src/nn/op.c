/* Names of operators and activations, and the checks that operators share. */
#include "op.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Names come from the list and not from the operators, so that these do not depend on each other.
 */
static const char *const op_names[XA_OP_COUNT] = {
#define X(name, file) [XA_OP_##name] = #file,
    XA_OP_LIST(X)
#undef X
};

const char *xa_op_name(xa_op op)
{
    return op >= 0 && op < XA_OP_COUNT ? op_names[op] : "?";
}

/* ---- activations ---- */

xa_activation xa_activation_default(xa_activation_kind kind)
{
    xa_activation a = {.kind = kind};
    switch (kind) {
    case XA_ACT_RELU:
        a.b = INFINITY;
        break;
    case XA_ACT_ELU:
    case XA_ACT_SWISH:
        a.a = 1.0f;
        break;
    case XA_ACT_HARD_SIGMOID:
        a.a = 1.0f / 6.0f;
        a.b = 0.5f;
        break;
    default:
        break;
    }
    return a;
}

/* ---- checks ---- */

const xa_shape *xa_input_shape(const xa_graph *g, const xa_node *node, int i)
{
    return &xa_graph_node(g, node->inputs[i])->shape;
}

xa_status xa_check_ndim(const xa_graph *g, const xa_node *node, int input, int ndim, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, input);
    char text[96];
    if (s->ndim != ndim)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (%s): expected an input of %d dimensions, found %s",
                       node->name,
                       xa_op_name(node->op),
                       ndim,
                       xa_shape_text(s, text, sizeof text));
    return XA_OK;
}

xa_status xa_check_weight(
    const xa_graph *g, const xa_node *node, int i, bool optional, const xa_shape *want, xa_err *err)
{
    char a[96], b[96];
    const int id = i < node->nweights ? node->weights[i] : -1;
    if (id < 0) {
        if (optional)
            return XA_OK;
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (%s): weight %d is missing",
                       node->name,
                       xa_op_name(node->op),
                       i);
    }
    const xa_weight *w = xa_graph_weight(g, id);
    if (!xa_shape_equal(&w->shape, want))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (%s): weight \"%s\" is %s, expected %s",
                       node->name,
                       xa_op_name(node->op),
                       w->name,
                       xa_shape_text(&w->shape, a, sizeof a),
                       xa_shape_text(want, b, sizeof b));
    return XA_OK;
}

xa_status xa_check_window(const xa_node *node, const xa_window *w, xa_err *err)
{
    const int64_t v[6] = {w->kh, w->kw, w->sh, w->sw, w->dh, w->dw};
    static const char *const what[6] = {
        "kernel height", "kernel width", "stride", "stride", "dilation", "dilation"};
    for (int i = 0; i < 6; i++)
        if (v[i] < 1 || v[i] > 65536)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (%s): %s is %" PRId64 ", expected 1 to 65536",
                           node->name,
                           xa_op_name(node->op),
                           what[i],
                           v[i]);
    const int64_t edge[4] = {w->edges.top, w->edges.left, w->edges.bottom, w->edges.right};
    for (int i = 0; i < 4; i++)
        if (edge[i] < 0 || edge[i] > 65536 || (edge[i] && w->padding != XA_EXPLICIT))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (%s): it is padded by %" PRId64
                           ", expected 0 to 65536, and 0 unless padding is explicit",
                           node->name,
                           xa_op_name(node->op),
                           edge[i]);
    return XA_OK;
}

xa_axis xa_window_axis(const xa_window *w, bool vertical, int64_t in)
{
    xa_axis a = {.in = in,
                 .k = vertical ? w->kh : w->kw,
                 .stride = vertical ? w->sh : w->sw,
                 .dilation = vertical ? w->dh : w->dw};
    const int64_t span = (a.k - 1) * a.dilation + 1;
    if (w->padding == XA_EXPLICIT) {
        const int64_t after = vertical ? w->edges.bottom : w->edges.right;
        a.pad = vertical ? w->edges.top : w->edges.left;
        const int64_t room = in + a.pad + after - span;
        a.out = room < 0 ? 0 : (room + (w->edges.ceil ? a.stride - 1 : 0)) / a.stride + 1;
        if (w->edges.ceil && (a.out - 1) * a.stride >= in + a.pad)
            a.out--;
    } else if (w->padding == XA_SAME) {
        a.out = (in + a.stride - 1) / a.stride;
        const int64_t total = (a.out - 1) * a.stride + span - in;
        a.pad = total > 0 ? total / 2 : 0;
    } else {
        a.out = in >= span ? (in - span) / a.stride + 1 : 0;
    }
    return a;
}

int64_t xa_window_extent(const xa_window *w, bool vertical, int64_t in)
{
    return xa_window_axis(w, vertical, in).out;
}

xa_status xa_window_axes(const xa_graph *g,
                         const xa_node *node,
                         const xa_window *w,
                         xa_axis *ay,
                         xa_axis *ax,
                         xa_err *err)
{
    char text[96];
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
    XA_RETURN_TRY(err, xa_check_window(node, w, err));
    const xa_shape *s = xa_input_shape(g, node, 0);
    *ay = xa_window_axis(w, true, s->dim[0]);
    *ax = xa_window_axis(w, false, s->dim[1]);
    if (ay->out < 1 || ax->out < 1)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (%s): its %" PRId64 "x%" PRId64
                       " window does not fit an input of %s: a larger input is needed",
                       node->name,
                       xa_op_name(node->op),
                       w->kh,
                       w->kw,
                       xa_shape_text(s, text, sizeof text));
    return XA_OK;
}
