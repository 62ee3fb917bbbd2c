/* The blocks of a vision transformer: where each begins and the last one ends, and what the model's
 * own head would say of each. They are found in the graph, whatever loader made it. */
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

static const xa_node *node_of(const xa_model *m, int i)
{
    return xa_graph_node(m->graph, i);
}

/* Marks what nodes are made of, downwards from those that are marked. */
static void mark_before(const xa_model *m, bool *marked)
{
    for (int i = xa_graph_nodes(m->graph) - 1; i >= 0; i--)
        for (int k = 0; marked[i] && k < node_of(m, i)->ninputs; k++)
            marked[node_of(m, i)->inputs[k]] = true;
}

/* Marks what is made of nodes, upwards from those that are marked. */
static void mark_after(const xa_model *m, bool *marked)
{
    for (int i = 0; i < xa_graph_nodes(m->graph); i++)
        for (int k = 0; !marked[i] && k < node_of(m, i)->ninputs; k++)
            marked[i] = marked[node_of(m, i)->inputs[k]];
}

static xa_status unknown(const xa_model *m, int layer, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: attention layer \"%s\" is no block x + f(x) of tokens [T,D], on which this "
                   "explainer rests",
                   m->path,
                   node_of(m, m->attention[layer])->name);
}

/* The first addition behind the layer adds what the layer was made of. */
static int input_of(const xa_model *m, int layer, bool *before, bool *after)
{
    const size_t n = (size_t)xa_graph_nodes(m->graph);
    const int attention = m->attention[layer];
    memset(before, 0, n * sizeof *before);
    memset(after, 0, n * sizeof *after);
    before[attention] = after[attention] = true;
    mark_before(m, before);
    mark_after(m, after);
    for (int i = attention + 1; i < (int)n; i++) {
        const xa_node *node = node_of(m, i);
        for (int k = 0; after[i] && node->op == XA_OP_ADD && k < node->ninputs; k++) {
            const xa_shape *s = &node_of(m, node->inputs[k])->shape;
            if (before[node->inputs[k]] && s->ndim == 2 && xa_shape_equal(s, &node->shape) &&
                s->dim[0] == m->tokens.prefix + m->tokens.height * m->tokens.width)
                return node->inputs[k];
        }
    }
    return -1;
}

/* The last addition of two branches of the last block, if all that follows is made of it alone. */
static int output_of(const xa_model *m, int input, bool *before, bool *after)
{
    const size_t n = (size_t)xa_graph_nodes(m->graph);
    const int head = m->head.node;
    int last = -1;
    memset(before, 0, n * sizeof *before);
    memset(after, 0, n * sizeof *after);
    before[head] = after[input] = true;
    mark_before(m, before);
    mark_after(m, after);
    for (int i = input + 1; i <= head; i++) {
        const xa_node *node = node_of(m, i);
        bool adds = before[i] && node->op == XA_OP_ADD &&
                    xa_shape_equal(&node->shape, &node_of(m, input)->shape);
        for (int k = 0; adds && k < node->ninputs; k++)
            adds = after[node->inputs[k]];
        last = adds ? i : last;
    }
    for (int i = last + 1; last >= 0 && i <= head; i++)
        for (int k = 0; before[i] && k < node_of(m, i)->ninputs; k++)
            if (node_of(m, i)->inputs[k] < last)
                return -1;
    return last;
}

xa_status xa_model_blocks(const xa_model *m, int *boundary, xa_err *err)
{
    const size_t n = (size_t)xa_graph_nodes(m->graph) + 1;
    const int layers = m->tokens.nlayers;
    bool *before = xa_alloc(n, sizeof(bool)), *after = xa_alloc(n, sizeof(bool));
    xa_status st = XA_OK;
    if (!before || !after)
        XA_NOMEM_FAIL(err);
    for (int l = 0; l < layers; l++) {
        boundary[l] = input_of(m, l, before, after);
        if (boundary[l] < 0 || (l && boundary[l] <= boundary[l - 1]))
            XA_TRY(err, unknown(m, l, err));
    }
    boundary[layers] = output_of(m, boundary[layers - 1], before, after);
    if (boundary[layers] < 0)
        XA_TRY(err, unknown(m, layers - 1, err));
done:
    free(before);
    free(after);
    return st;
}

/* ---- the head on every block ---- */

typedef struct prober {
    xa_model *m;
    const int *boundary;
    xa_probe_pool pool;
    int blocks;
    const bool *tail; /* [nodes] between the last block and the scores */
    int *rows;        /* [nodes] the node with a row for each block: of nodes with one row */
    int *copy;        /* [blocks][nodes] of nodes with several rows, copies of which are made */
    int nodes;
} prober;

static xa_status add(prober *p, const xa_node_spec *spec, int *id, xa_err *err)
{
    return xa_graph_add(p->m->graph, spec, id, err);
}

static xa_status reshape(prober *p, const char *name, int x, xa_shape to, int *y, xa_err *err)
{
    xa_node_spec spec = {.op = XA_OP_RESHAPE, .name = name, .inputs = &x, .ninputs = 1};
    spec.params.reshape = to;
    return add(p, &spec, y, err);
}

/* One row of each block, [1,D] each, as [blocks,D]. */
static xa_status stack_rows(prober *p, const char *name, const int *row, int *y, xa_err *err)
{
    xa_node_spec spec = {.op = XA_OP_CONCAT, .name = name, .inputs = row, .ninputs = p->blocks};
    *y = row[0];
    return p->blocks == 1 ? XA_OK : add(p, &spec, y, err);
}

/* The same operator on other inputs; it keeps its weights. */
static xa_status repeat(prober *p, int node, const int *inputs, int *y, xa_err *err)
{
    const xa_node *old = node_of(p->m, node);
    xa_node_spec spec = {.op = old->op,
                         .name = old->name,
                         .inputs = inputs,
                         .ninputs = old->ninputs,
                         .nweights = old->nweights,
                         .params = old->params};
    memcpy(spec.weights, old->weights, sizeof spec.weights);
    return add(p, &spec, y, err);
}

static bool has_one_row(const prober *p, int node)
{
    const xa_shape *s = &node_of(p->m, node)->shape;
    return xa_shape_count(s) == xa_shape_last(s);
}

/* Operators that do the same to every row, whatever its shape is otherwise. */
static bool is_by_row(const xa_node *node)
{
    switch (node->op) {
    case XA_OP_DENSE:
    case XA_OP_LAYER_NORM:
    case XA_OP_ACTIVATION:
    case XA_OP_AFFINE:
    case XA_OP_AVERAGE:
    case XA_OP_ADD:
        return true;
    default:
        return false;
    }
}

/* Operators that choose rows, take their mean, or change how they lie. */
static bool is_about_rows(const xa_node *node)
{
    switch (node->op) {
    case XA_OP_RESHAPE:
    case XA_OP_CROP:
    case XA_OP_SLICE:
    case XA_OP_REDUCE:
    case XA_OP_GLOBAL_POOL:
        return true;
    default:
        return false;
    }
}

static xa_status refuse(const prober *p, int node, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: between the last block and the scores stands \"%s\" (%s), which cannot be "
                   "repeated for every block",
                   p->m->path,
                   node_of(p->m, node)->name,
                   xa_op_name(node_of(p->m, node)->op));
}

/* A node of one row for all blocks at once. */
static xa_status on_rows(prober *p, int node, xa_err *err)
{
    const xa_node *old = node_of(p->m, node);
    int inputs[8];
    if (old->ninputs > 8)
        return refuse(p, node, err);
    for (int k = 0; k < old->ninputs; k++)
        inputs[k] = p->rows[old->inputs[k]];
    for (int k = 0; k < old->ninputs; k++)
        if (inputs[k] < 0)
            return refuse(p, node, err);
    if (is_by_row(old))
        return repeat(p, node, inputs, &p->rows[node], err);
    if (!is_about_rows(old) ||
        xa_shape_last(&old->shape) != xa_shape_last(&node_of(p->m, old->inputs[0])->shape))
        return refuse(p, node, err);
    p->rows[node] = inputs[0];
    return XA_OK;
}

/* A node of several rows, or the first of one: a copy for every block; where it has one row, they
 * are put together. */
static xa_status on_blocks(prober *p, int node, xa_err *err)
{
    const xa_node *old = node_of(p->m, node);
    const char *name = old->name;
    const int64_t d = xa_shape_last(&old->shape);
    int inputs[8], *row = p->copy + (size_t)p->blocks * p->nodes; /* [blocks] behind the copies */
    if (old->ninputs > 8)
        return refuse(p, node, err);
    for (int l = 0; l < p->blocks; l++) {
        int *copy = p->copy + (size_t)l * p->nodes;
        for (int k = 0; k < node_of(p->m, node)->ninputs; k++) {
            inputs[k] = copy[node_of(p->m, node)->inputs[k]];
            if (inputs[k] < 0)
                return refuse(p, node, err);
        }
        XA_RETURN_TRY(err, repeat(p, node, inputs, &copy[node], err));
        row[l] = copy[node];
    }
    if (!has_one_row(p, node))
        return XA_OK;
    for (int l = 0; l < p->blocks; l++)
        XA_RETURN_TRY(err,
                      reshape(p, name, row[l], (xa_shape){.ndim = 2, .dim = {1, d}}, &row[l], err));
    return stack_rows(p, name, row, &p->rows[node], err);
}

/* The mean of all tokens of each block, as the output of the last block was. */
static xa_status average(prober *p, xa_err *err)
{
    int *row = p->copy + (size_t)p->blocks * p->nodes;
    const xa_node_spec mean = {.op = XA_OP_REDUCE,
                               .name = "mean of tokens",
                               .ninputs = 1,
                               .params.reduce = {XA_OVER_MEAN, 0}};
    for (int l = 0; l < p->blocks; l++) {
        xa_node_spec spec = mean;
        spec.inputs = &p->boundary[l + 1];
        XA_RETURN_TRY(err, add(p, &spec, &row[l], err));
    }
    return stack_rows(p, "means", row, &p->rows[p->boundary[p->blocks]], err);
}

static xa_status probe(prober *p, xa_err *err)
{
    const int from = p->boundary[p->blocks], head = p->m->head.node;
    for (int i = 0; i < p->nodes; i++) {
        p->rows[i] = -1;
        for (int l = 0; l < p->blocks; l++)
            p->copy[(size_t)l * p->nodes + i] = i == from ? p->boundary[l + 1] : -1;
    }
    if (p->pool == XA_PROBE_MEAN)
        XA_RETURN_TRY(err, average(p, err));
    for (int i = from + 1; i <= head; i++) {
        const int first =
            p->tail[i] && node_of(p->m, i)->ninputs ? node_of(p->m, i)->inputs[0] : -1;
        if (first < 0)
            continue;
        XA_RETURN_TRY(err, p->rows[first] >= 0 ? on_rows(p, i, err) : on_blocks(p, i, err));
    }
    if (p->rows[head] < 0)
        return refuse(p, head, err);
    return XA_OK;
}

xa_status
xa_model_add_probes(xa_model *m, const int *boundary, xa_probe_pool pool, int *scores, xa_err *err)
{
    const int nodes = xa_graph_nodes(m->graph), blocks = m->tokens.nlayers;
    bool *tail = xa_alloc((size_t)nodes + 1, sizeof(bool));
    prober p = {.m = m,
                .boundary = boundary,
                .pool = pool,
                .blocks = blocks,
                .tail = tail,
                .rows = xa_alloc((size_t)nodes + 1, sizeof(int)),
                .copy = xa_alloc((size_t)blocks * ((size_t)nodes + 1), sizeof(int)),
                .nodes = nodes};
    xa_status st = XA_OK;
    if (!tail || !p.rows || !p.copy)
        XA_NOMEM_FAIL(err);
    tail[m->head.node] = true;
    mark_before(m, tail);
    XA_TRY(err, probe(&p, err));
    *scores = p.rows[m->head.node];
done:
    free(tail);
    free(p.rows);
    free(p.copy);
    return st;
}
