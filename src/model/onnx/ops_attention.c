/* Attention that a pattern found: y = softmax(scale q k^T) v, head by head. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "build.h"

/* The atoms of all axes but the last two: heads, and whatever else is done side by side. */
static int64_t heads_of(const xa__onnx_layout *l, int *atoms, int *n)
{
    int64_t heads = 1;
    *n = 0;
    for (int i = 0; i < l->natoms; i++)
        if (l->axis[i] < l->rank - 2) {
            atoms[(*n)++] = i;
            heads *= l->extent[i];
        }
    return heads;
}

/* An input as rows [tokens, heads*width]: its axis `tokens`, then heads, then its axis `width`. */
static xa_status rows_of(xa__onnx_build *b,
                         xa__onnx_node *n,
                         int input,
                         int tokens,
                         int width,
                         xa__onnx_run *out,
                         xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, input);
    int order[XA__ONNX_ATOMS], heads[XA__ONNX_ATOMS], count, nheads, at = 0;
    const int64_t h = heads_of(&x->at, heads, &nheads);
    int first = xa__layout_atoms(&x->at, x->at.rank + tokens, &count);
    for (int i = 0; i < count; i++)
        order[at++] = first + i;
    for (int i = 0; i < nheads; i++)
        order[at++] = heads[i];
    first = xa__layout_atoms(&x->at, x->at.rank + width, &count);
    for (int i = 0; i < count; i++)
        order[at++] = first + i;
    XA_RETURN_TRY(err, xa__onnx_order(b, n, x, order, out, err));
    const xa_shape rows = {.ndim = 2,
                           .dim = {xa__layout_extent(&x->at, x->at.rank + tokens),
                                   h * xa__layout_extent(&x->at, x->at.rank + width)}};
    return xa__onnx_view(b, n, out->node, &rows, &out->node, err);
}

static xa_status attention_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *out = &xa__onnx_out(b, n, 0)->shape;
    xa__onnx_run q, k, v;
    int inputs[3], id, atoms[XA__ONNX_ATOMS], nheads, at = 0, count;
    XA_RETURN_TRY(err, rows_of(b, n, 0, -2, -1, &q, err));
    XA_RETURN_TRY(err, rows_of(b, n, 1, -1, -2, &k, err)); /* it comes transposed */
    XA_RETURN_TRY(err, rows_of(b, n, 2, -2, -1, &v, err));
    inputs[0] = q.node;
    inputs[1] = k.node;
    inputs[2] = v.node;
    xa_node_spec spec = {.op = XA_OP_ATTENTION,
                         .inputs = inputs,
                         .ninputs = 3,
                         .params.attention = {.heads = heads_of(&q.at, atoms, &nheads),
                                              .scale = (float)n->setting[0]}};
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    /* tokens, heads, width */
    xa__onnx_layout l = xa__layout_plain(out);
    int order[XA__ONNX_ATOMS];
    int first = xa__layout_atoms(&l, l.rank - 2, &count);
    for (int i = 0; i < count; i++)
        order[at++] = first + i;
    heads_of(&l, atoms, &nheads);
    for (int i = 0; i < nheads; i++)
        order[at++] = atoms[i];
    first = xa__layout_atoms(&l, l.rank - 1, &count);
    for (int i = 0; i < count; i++)
        order[at++] = first + i;
    memcpy(l.order, order, (size_t)at * sizeof *order);
    xa__onnx_made(b, n, 0, id, &l);
    return XA_OK;
}

const xa__onnx_op xa__onnx_attention = {"attention", 3, 3, NULL, NULL, attention_lower};

/* ---- which token the head reads ---- */

static int behind_views(const xa_graph *g, int node)
{
    while (xa_graph_node(g, node)->op == XA_OP_RESHAPE)
        node = xa_graph_node(g, node)->inputs[0];
    return node;
}

int64_t xa__onnx_query(const xa_graph *g, int output)
{
    enum { UNKNOWN = -2, MEAN = -1 };
    int at = behind_views(g, output);
    for (;;) {
        const xa_node *n = xa_graph_node(g, at);
        const xa_shape *in = n->ninputs ? &xa_graph_node(g, n->inputs[0])->shape : NULL;
        if (n->op == XA_OP_GLOBAL_POOL && n->params.global_pool.kind == XA_POOL_AVG)
            return MEAN;
        if (n->op == XA_OP_SLICE && n->params.slice.count == 1 && in->ndim == 3 && in->dim[0] == 1)
            return n->params.slice.first;
        if (n->ninputs != 1 || n->op == XA_OP_SLICE)
            return UNKNOWN;
        at = behind_views(g, n->inputs[0]);
    }
}
