/* The graph: weights and operators in topological order, shapes inferred as they are added. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "op.h"

struct xa_graph {
    xa_node *nodes;
    size_t nnodes, node_cap;
    xa_weight *weights;
    size_t nweights, weight_cap;
    bool borrows; /* the weights belong to another graph */
    xa_numerics numerics;
};

enum { MAX_ITEMS = 1 << 20 };
static const int64_t max_count = (int64_t)1 << 40; /* elements of one tensor */

xa_status xa_graph_create(xa_graph **out, xa_err *err)
{
    xa_graph *g = xa_alloc(1, sizeof *g);
    if (!g)
        XA_RETURN_FAIL(err, XA_NOMEM, "graph: out of memory");
    *out = g;
    return XA_OK;
}

xa_status xa_graph_borrow(const xa_graph *of, xa_graph **out, xa_err *err)
{
    XA_RETURN_TRY(err, xa_graph_create(out, err));
    (*out)->weights = of->weights;
    (*out)->nweights = of->nweights;
    (*out)->borrows = true;
    (*out)->numerics = of->numerics;
    return XA_OK;
}

void xa_graph_set_numerics(xa_graph *g, xa_numerics numerics)
{
    g->numerics = numerics;
}

xa_numerics xa_graph_numerics(const xa_graph *g)
{
    return g->numerics;
}

const char *xa_numerics_name(xa_numerics numerics)
{
    static const char *const names[XA_NUMERICS_COUNT] = {"strict", "fast"};
    return numerics >= 0 && numerics < XA_NUMERICS_COUNT ? names[numerics] : "?";
}

void xa_graph_free(xa_graph *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->nnodes; i++) {
        free(g->nodes[i].name);
        free(g->nodes[i].inputs);
    }
    for (size_t i = 0; i < g->nweights && !g->borrows; i++) {
        free(g->weights[i].name);
        free(g->weights[i].literal);
    }
    free(g->nodes);
    if (!g->borrows)
        free(g->weights);
    free(g);
}

/* Extents positive and their product of a sane size. */
static xa_status check_shape(const char *what, const xa_shape *s, xa_err *err)
{
    int64_t n = 1;
    if (s->ndim < 0 || s->ndim > XA_MAX_DIMS)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "\"%s\": %d dimensions, at most %d are handled",
                       what,
                       s->ndim,
                       XA_MAX_DIMS);
    for (int i = 0; i < s->ndim; i++)
        if (s->dim[i] < 1 || !xa_i64_mul(n, s->dim[i], &n) || n > max_count)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "\"%s\": extent %d is %" PRId64 ", which is empty or absurdly large",
                           what,
                           i,
                           s->dim[i]);
    return XA_OK;
}

xa_status xa_graph_add_weight(xa_graph *g,
                              const char *name,
                              const xa_shape *shape,
                              int64_t source,
                              const float *literal,
                              int *id,
                              xa_err *err)
{
    xa_weight w = {.shape = *shape, .source = literal ? -1 : source};
    xa_status st = XA_OK;
    XA_TRY(err, check_shape(name, shape, err));
    if (g->nweights >= MAX_ITEMS)
        XA_FAIL(err, XA_LIMIT, "graph: more than %d weights", MAX_ITEMS);
    XA_TRY(err, xa_grow(&g->weights, &g->weight_cap, g->nweights + 1, sizeof w, err));
    w.name = xa_strdup(name);
    if (!w.name)
        XA_FAIL(err, XA_NOMEM, "graph: out of memory");
    if (literal) {
        const size_t n = (size_t)xa_shape_count(shape);
        w.literal = xa_alloc(n, sizeof(float));
        if (!w.literal)
            XA_FAIL(err, XA_NOMEM, "graph: out of memory");
        memcpy(w.literal, literal, n * sizeof(float));
    }
    *id = (int)g->nweights;
    g->weights[g->nweights++] = w;
    return XA_OK;
done:
    free(w.name);
    free(w.literal);
    return st;
}

static xa_status check_references(const xa_graph *g, const xa_node_spec *spec, xa_err *err)
{
    const xa_op_def *def = xa_op_get(spec->op);
    const char *name = spec->name ? spec->name : "";
    if (!def)
        XA_RETURN_FAIL(err, XA_INVALID, "layer \"%s\": unknown operator %d", name, (int)spec->op);
    if (g->nnodes >= MAX_ITEMS)
        XA_RETURN_FAIL(err, XA_LIMIT, "graph: more than %d operators", MAX_ITEMS);
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
    XA_TRY(err, check_shape(node.name, &node.shape, err));
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

int xa_graph_nodes(const xa_graph *g)
{
    return (int)g->nnodes;
}

const xa_node *xa_graph_node(const xa_graph *g, int id)
{
    return &g->nodes[id];
}

int xa_graph_weights(const xa_graph *g)
{
    return (int)g->nweights;
}

const xa_weight *xa_graph_weight(const xa_graph *g, int id)
{
    return &g->weights[id];
}

int xa_graph_input(const xa_graph *g)
{
    for (size_t i = 0; i < g->nnodes; i++)
        if (g->nodes[i].op == XA_OP_INPUT)
            return (int)i;
    return -1;
}

int64_t xa_graph_parameters(const xa_graph *g)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->nweights; i++)
        if (!g->weights[i].literal)
            n += xa_shape_count(&g->weights[i].shape);
    return n;
}

double xa_node_flops(const xa_graph *g, int id)
{
    const xa_node *node = &g->nodes[id];
    const xa_op_def *def = xa_op_get(node->op);
    if (node->op == XA_OP_INPUT || (def->flags & XA_OP_VIEW))
        return 0;
    return def->flops ? def->flops(g, node) : (double)xa_shape_count(&node->shape);
}
