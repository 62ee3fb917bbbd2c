/* Operators enter a graph: their references are checked, their shapes inferred. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"
#include "op.h"

static xa_status check_references(const xa_graph *g, const xa_node_spec *spec, xa_err *err)
{
    const xa_op_def *def = xa_op_get(spec->op);
    const char *name = spec->name ? spec->name : "";
    if (!def)
        XA_RETURN_FAIL(err, XA_INVALID, "layer \"%s\": unknown operator %d", name, (int)spec->op);
    if (g->nnodes >= XA__GRAPH_ITEMS)
        XA_RETURN_FAIL(err, XA_LIMIT, "graph: more than %d operators", XA__GRAPH_ITEMS);
    if (spec->ninputs < def->min_inputs || spec->ninputs > XA_OPERANDS ||
        (def->max_inputs >= 0 && spec->ninputs > def->max_inputs))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (%s): %d inputs, expected %d%s",
                       name,
                       def->name,
                       spec->ninputs,
                       def->min_inputs,
                       def->max_inputs == def->min_inputs ? "" : " or more");
    for (int i = 0; i < spec->ninputs; i++)
        if (spec->inputs[i] < 0 || (size_t)spec->inputs[i] >= g->nnodes)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (%s): input %d is not in the graph yet",
                           name,
                           def->name,
                           i);
    if (spec->nweights < 0 || spec->nweights > XA_MAX_WEIGHTS)
        XA_RETURN_FAIL(
            err, XA_INVALID, "layer \"%s\" (%s): %d weights", name, def->name, spec->nweights);
    for (int i = 0; i < spec->nweights; i++)
        if (spec->weights[i] < -1 || spec->weights[i] >= (int)g->nweights)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (%s): weight %d is not in the graph",
                           name,
                           def->name,
                           i);
    return XA_OK;
}

xa_status xa_graph_add(xa_graph *g, const xa_node_spec *spec, int *id, xa_err *err)
{
    xa_node node = {.op = spec->op,
                    .ninputs = spec->ninputs,
                    .nweights = spec->nweights,
                    .params = spec->params};
    xa_status st = XA_OK;
    XA_TRY(err, check_references(g, spec, err));
    XA_TRY(err, xa_grow(&g->nodes, &g->node_cap, g->nnodes + 1, sizeof node, err));
    node.name = xa_strdup(spec->name ? spec->name : xa_op_name(spec->op));
    node.inputs = xa_alloc((size_t)spec->ninputs + 1, sizeof(int));
    if (!node.name || !node.inputs)
        XA_FAIL(err, XA_NOMEM, "graph: out of memory");
    for (int i = 0; i < spec->ninputs; i++)
        node.inputs[i] = spec->inputs[i];
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        node.weights[i] = i < spec->nweights ? spec->weights[i] : -1;
    if (spec->op != XA_OP_INPUT)
        XA_TRY(err, xa_op_get(spec->op)->infer(g, &node, err));
    else
        node.shape = spec->params.reshape;
    XA_TRY(err, xa__graph_check_shape(node.name, &node.shape, err));
    *id = (int)g->nnodes;
    g->nodes[g->nnodes++] = node;
    return XA_OK;
done:
    free(node.name);
    free(node.inputs);
    return st;
}

xa_status
xa_graph_add_input(xa_graph *g, const char *name, const xa_shape *shape, int *id, xa_err *err)
{
    const xa_node_spec spec = {.op = XA_OP_INPUT, .name = name, .params.reshape = *shape};
    return xa_graph_add(g, &spec, id, err);
}

double xa_node_flops(const xa_graph *g, int id)
{
    const xa_node *node = &g->nodes[id];
    const xa_op_def *def = xa_op_get(node->op);
    if (node->op == XA_OP_INPUT || (def->flags & XA_OP_VIEW))
        return 0;
    return def->flops ? def->flops(g, node) : (double)xa_shape_count(&node->shape);
}
