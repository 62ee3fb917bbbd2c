/* What operators add whatever their input is, and whether a score is made of that alone: what
 * FullGrad rests on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

/* The bias among the weights of an operator; -1: it has none. */
static int bias_of(const xa_node *node)
{
    const bool biased =
        node->op == XA_OP_CONV2D || node->op == XA_OP_DEPTHWISE || node->op == XA_OP_DENSE;
    return biased && node->nweights > 1 ? node->weights[1] : -1;
}

bool xa_node_adds(const xa_graph *g, int id)
{
    const xa_node *node = xa_graph_node(g, id);
    if (node->op == XA_OP_AFFINE) /* beta or mean */
        return (node->nweights > 1 && node->weights[1] >= 0) ||
               (node->nweights > 2 && node->weights[2] >= 0);
    return bias_of(node) >= 0;
}

xa_status xa_node_constants(
    const xa_graph *g, int id, const xa_weight_reader *reader, float *out, xa_err *err)
{
    const xa_node *node = xa_graph_node(g, id);
    const int64_t n = xa_shape_last(&node->shape);
    if (node->op != XA_OP_AFFINE) {
        const xa_weight *w = xa_graph_weight(g, bias_of(node));
        if (!w->literal)
            return reader->read(reader->arg, w, out, err);
        memcpy(out, w->literal, (size_t)n * sizeof *out);
        return XA_OK;
    }
    xa_fold fold = {.channels = n,
                    .scale = xa_alloc((size_t)n, sizeof(double)),
                    .shift = xa_alloc((size_t)n, sizeof(double))};
    xa_status st = XA_OK;
    if (!fold.scale || !fold.shift)
        XA_NOMEM_FAIL(err);
    for (int64_t c = 0; c < n; c++)
        fold.scale[c] = 1.0;
    XA_TRY(err, xa_affine_compose(g, node, reader, &fold, err));
    for (int64_t c = 0; c < n; c++)
        out[c] = (float)fold.shift[c];
done:
    free(fold.scale);
    free(fold.shift);
    return st;
}

/* Without what it adds, f(t x) = t f(x) for t > 0, and f is linear around almost every x. */
static bool is_homogeneous(const xa_node *node)
{
    const xa_activation *a = &node->params.activation;
    switch (node->op) {
    case XA_OP_ACTIVATION:
        return a->kind == XA_ACT_LINEAR ||
               (a->kind == XA_ACT_RELU && a->b == INFINITY && a->c == 0.0f);
    case XA_OP_UNARY:
        return node->params.unary.kind == XA_UNARY_ABS;
    case XA_OP_INPUT:
    case XA_OP_CONV2D:
    case XA_OP_DEPTHWISE:
    case XA_OP_DENSE:
    case XA_OP_AFFINE:
    case XA_OP_PRELU:
    case XA_OP_MAX_POOL:
    case XA_OP_AVG_POOL:
    case XA_OP_GLOBAL_POOL:
    case XA_OP_ADD:
    case XA_OP_SUBTRACT:
    case XA_OP_AVERAGE:
    case XA_OP_MAXIMUM:
    case XA_OP_MINIMUM:
    case XA_OP_REDUCE:
    case XA_OP_SLICE:
    case XA_OP_CONCAT:
    case XA_OP_PAD:
    case XA_OP_CROP:
    case XA_OP_RESHAPE:
    case XA_OP_PERMUTE:
    case XA_OP_RESIZE:
        return true;
    default:
        return false;
    }
}

/* [nodes] true for those that the root is made of; NULL: out of memory. */
static bool *made_of(const xa_graph *g, int root)
{
    bool *in = xa_alloc((size_t)xa_graph_nodes(g) + 1, sizeof(bool));
    if (in)
        in[root] = true;
    for (int i = root; in && i >= 0; i--)
        for (int k = 0; in[i] && k < xa_graph_node(g, i)->ninputs; k++)
            in[xa_graph_node(g, i)->inputs[k]] = true;
    return in;
}

xa_status
xa_graph_constants(const xa_graph *g, int root, int **nodes, int *n, int *breaks, xa_err *err)
{
    xa_status st = XA_OK;
    bool *in = made_of(g, root);
    *n = 0;
    *breaks = -1;
    *nodes = xa_alloc((size_t)xa_graph_nodes(g) + 1, sizeof(int));
    if (!in || !*nodes)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i <= root; i++) {
        if (!in[i])
            continue;
        if (*breaks < 0 && !is_homogeneous(xa_graph_node(g, i)))
            *breaks = i;
        if (xa_node_adds(g, i))
            (*nodes)[(*n)++] = i;
    }
done:
    free(in);
    if (st != XA_OK) {
        free(*nodes);
        *nodes = NULL;
    }
    return st;
}
