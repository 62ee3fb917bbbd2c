#include "layers.h"

#include <string.h>

static const int first[] = {2, 0, 1}, last[] = {1, 2, 0};

static bool is_turn(const xa_graph *g, int node, const int *order)
{
    const xa_node *n = xa_graph_node(g, node);
    return n->op == XA_OP_PERMUTE && n->shape.ndim == 3 &&
           !memcmp(n->params.permute.order, order, 3 * sizeof *order);
}

static xa_status
turn(const xa__ksite *s, int in, const int *order, const int *back, int *out, xa_err *err)
{
    const xa_graph *g = s->b->graph;
    const xa_shape x = xa_graph_node(g, in)->shape;
    xa_op_params p = {0};
    xa_shape shape = {.ndim = 3};
    if (is_turn(g, in, back)) {
        *out = xa_graph_node(g, in)->inputs[0];
        return XA_OK;
    }
    memcpy(p.permute.order, order, 3 * sizeof *order);
    for (int i = 0; i < 3; i++)
        shape.dim[i] = x.dim[order[i]];
    const int64_t places = order == last ? x.dim[1] * x.dim[2] : x.dim[0] * x.dim[1];
    if (places == 1) /* a single pixel lies the same way in both orders */
        return xa__ksite_reshape(s, in, &shape, out, err);
    return xa__ksite_simple(s, XA_OP_PERMUTE, in, &p, out, err);
}

xa_status xa__kturn_last(const xa__ksite *s, int in, int *out, xa_err *err)
{
    return turn(s, in, last, first, out, err);
}

xa_status xa__kturn_first(const xa__ksite *s, int in, int *out, xa_err *err)
{
    return turn(s, in, first, last, out, err);
}

int xa__kturn_behind(const xa_graph *g, int node)
{
    return is_turn(g, node, first) ? xa_graph_node(g, node)->inputs[0] : node;
}

bool xa__kturn_passes(
    const xa__ksite *s, xa_op op, const int *in, int nin, const int *weights, int nweights)
{
    bool each = false, turned = false;
    switch (op) {
    case XA_OP_AFFINE: /* with one value for all channels */
        each = true;
        for (int i = 0; i < nweights; i++)
            each = each && (weights[i] < 0 ||
                            xa_shape_count(&xa_graph_weight(s->b->graph, weights[i])->shape) == 1);
        break;
    case XA_OP_ACTIVATION:
    case XA_OP_UNARY:
    case XA_OP_ADD:
    case XA_OP_SUBTRACT:
    case XA_OP_MULTIPLY:
    case XA_OP_DIVIDE:
    case XA_OP_AVERAGE:
    case XA_OP_MAXIMUM:
    case XA_OP_MINIMUM:
    case XA_OP_CONCAT:
        each = true;
        break;
    default:
        break;
    }
    for (int i = 0; each && i < nin; i++) {
        each = xa_graph_node(s->b->graph, in[i])->shape.ndim == 3;
        turned = turned || is_turn(s->b->graph, in[i], first);
    }
    return each && turned;
}
