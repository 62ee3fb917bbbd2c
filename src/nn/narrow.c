#include "narrow.h"

#include "graph_internal.h"

#include <stdlib.h>
#include <string.h>

/* Fewer than a quarter of the rows must be wanted: picking costs a copy. */
enum { WORTH = 4 };

/* What is needed of a node's value: nothing, rows [first, last) of its first axis, or all. */
typedef enum want { NOTHING, ROWS, ALL } want;
typedef struct need {
    want kind;
    int64_t first, last;
} need;

static const xa_shape *shape_of(const xa_graph *g, int node)
{
    return &xa_graph_node(g, node)->shape;
}

static void require(need *n, need more)
{
    const bool same =
        n->kind == ROWS && more.kind == ROWS && n->first == more.first && n->last == more.last;
    if (n->kind == NOTHING)
        *n = more;
    else if (more.kind != NOTHING && !same)
        n->kind = ALL;
}

/* Weights that are the same for every row. */
static bool per_channel(const xa_graph *g, const xa_node *node)
{
    for (int i = 0; i < node->nweights; i++) {
        const int64_t n =
            node->weights[i] < 0 ? 1 : xa_shape_count(&xa_graph_weight(g, node->weights[i])->shape);
        if (n != 1 && n != xa_shape_last(&node->shape))
            return false;
    }
    return true;
}

/* Whether row i of the value is made of row i of every input. */
static bool by_rows(const xa_graph *g, const xa_node *node)
{
    if (node->shape.ndim < 2)
        return false;
    for (int k = 0; k < node->ninputs; k++)
        if (shape_of(g, node->inputs[k])->ndim < 2 ||
            shape_of(g, node->inputs[k])->dim[0] != node->shape.dim[0])
            return false;
    switch (node->op) {
    case XA_OP_DENSE:
    case XA_OP_LAYER_NORM:
        return node->shape.ndim == 2;
    case XA_OP_RESHAPE:
    case XA_OP_ACTIVATION:
        return true;
    case XA_OP_AFFINE:
        return per_channel(g, node);
    case XA_OP_ADD:
        for (int k = 0; k < node->ninputs; k++)
            if (!xa_shape_equal(shape_of(g, node->inputs[k]), &node->shape))
                return false;
        return true;
    default:
        return false;
    }
}

/* What a node needs of its inputs if `of` is needed of it. */
static need passed_on(const xa_graph *g, const xa_node *node, need of)
{
    if (node->op == XA_OP_CROP && of.kind == ALL) {
        const xa_shape *in = shape_of(g, node->inputs[0]);
        const int64_t first = node->params.edges.top, last = first + node->shape.dim[0];
        if (node->shape.dim[1] == in->dim[1] && (last - first) * WORTH <= in->dim[0])
            return (need){ROWS, first, last};
    }
    return of.kind == ROWS && by_rows(g, node) ? of : (need){.kind = ALL};
}

static need *needs_of(const xa_graph *g, const bool *exposed)
{
    const int n = xa_graph_nodes(g);
    need *needs = xa_alloc((size_t)n + 1, sizeof *needs);
    for (int i = n - 1; needs && i >= 0; i--) {
        const xa_node *node = xa_graph_node(g, i);
        /* rows of an operator that cannot do with some of them are picked behind it */
        if (exposed[i] || (needs[i].kind == ROWS && !by_rows(g, node)))
            needs[i].kind = ALL;
        if (needs[i].kind == NOTHING)
            continue;
        const need more = passed_on(g, node, needs[i]);
        for (int k = 0; k < node->ninputs; k++)
            require(&needs[node->inputs[k]], more);
    }
    return needs;
}

/* ---- writing it anew ---- */

typedef struct writer {
    const xa_graph *g;
    const need *needs;
    xa_narrowed *out;
    int *some;    /* [nodes] the node that has rows of it, or -1 */
    need *picked; /* [nodes] which ones, where they were picked from the whole */
} writer;

static xa_status append(writer *w, int from, const xa_node_spec *spec, int *id, xa_err *err)
{
    xa_narrowed *o = w->out;
    XA_RETURN_TRY(err, xa_graph_add(o->graph, spec, id, err));
    XA_RETURN_TRY(err, xa_grow(&o->ids, &o->ids_cap, (size_t)*id + 1, sizeof(int), err));
    o->ids[*id] = from;
    return XA_OK;
}

static xa_shape rows_shape(const xa_shape *s, const need *n)
{
    xa_shape r = *s;
    r.dim[0] = n->last - n->first;
    return r;
}

/* Rows of a node that exists as a whole: a crop between two views. */
static xa_status pick(writer *w, int node, const need *n, xa_err *err)
{
    const need *before = &w->picked[node];
    if (w->some[node] >= 0 && before->first == n->first && before->last == n->last)
        return XA_OK;
    w->picked[node] = *n;
    const xa_shape *s = shape_of(w->g, node);
    const char *name = xa_graph_node(w->g, node)->name;
    int x = w->out->of[node];
    xa_node_spec spec = {.op = XA_OP_RESHAPE, .name = name, .inputs = &x, .ninputs = 1};
    spec.params.reshape =
        (xa_shape){.ndim = 3, .dim = {s->dim[0], 1, xa_shape_count(s) / s->dim[0]}};
    XA_RETURN_TRY(err, append(w, node, &spec, &x, err));
    spec.op = XA_OP_CROP;
    spec.params = (xa_op_params){.edges = {.top = n->first, .bottom = s->dim[0] - n->last}};
    XA_RETURN_TRY(err, append(w, node, &spec, &x, err));
    spec.op = XA_OP_RESHAPE;
    spec.params = (xa_op_params){.reshape = rows_shape(s, n)};
    return append(w, node, &spec, &w->some[node], err);
}

static xa_status write_node(writer *w, int i, xa_err *err)
{
    const xa_node *node = xa_graph_node(w->g, i);
    const need *mine = &w->needs[i], of_inputs = passed_on(w->g, node, *mine);
    int inputs[XA_OPERANDS], id;
    for (int k = 0; k < node->ninputs; k++) {
        const int x = node->inputs[k];
        if (of_inputs.kind == ROWS && w->needs[x].kind == ALL)
            XA_RETURN_TRY(err, pick(w, x, &of_inputs, err));
        inputs[k] = of_inputs.kind == ROWS ? w->some[x] : w->out->of[x];
    }
    xa_node_spec spec = {.op = node->op,
                         .name = node->name,
                         .inputs = inputs,
                         .ninputs = node->ninputs,
                         .nweights = node->nweights,
                         .params = node->params};
    memcpy(spec.weights, node->weights, sizeof spec.weights);
    if (node->op == XA_OP_CROP && of_inputs.kind == ROWS)
        spec.params.edges.top = spec.params.edges.bottom = 0;
    if (node->op == XA_OP_RESHAPE && mine->kind == ROWS)
        spec.params.reshape = rows_shape(&node->shape, mine);
    if (node->op == XA_OP_INPUT)
        spec.params.reshape = node->shape;
    XA_RETURN_TRY(err, append(w, i, &spec, &id, err));
    if (mine->kind == ALL)
        w->out->of[i] = id;
    else
        w->some[i] = id;
    return XA_OK;
}

xa_status xa_narrow(const xa_graph *g, const bool *exposed, xa_narrowed *out, xa_err *err)
{
    xa_status st = XA_OK;
    const int n = xa_graph_nodes(g);
    bool any = false;
    writer w = {.g = g, .out = out};
    need *needs = needs_of(g, exposed);
    *out = (xa_narrowed){0};
    if (!needs)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    for (int i = 0; i < n; i++)
        any = any || (needs[i].kind == ROWS && xa_graph_node(g, i)->op == XA_OP_DENSE);
    if (!any)
        goto done;
    w.needs = needs;
    w.some = xa_alloc((size_t)n, sizeof(int));
    out->of = xa_alloc((size_t)n, sizeof(int));
    w.picked = xa_alloc((size_t)n, sizeof(need));
    if (!w.some || !out->of || !w.picked)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    XA_TRY(err, xa__graph_borrow(g, &out->graph, err));
    for (int i = 0; i < n; i++) {
        out->of[i] = w.some[i] = -1;
        if (needs[i].kind != NOTHING)
            XA_TRY(err, write_node(&w, i, err));
    }
done:
    if (st != XA_OK)
        xa_narrowed_free(out);
    free(w.some);
    free(w.picked);
    free(needs);
    return st;
}

void xa_narrowed_free(xa_narrowed *n)
{
    xa_graph_free(n->graph);
    free(n->of);
    free(n->ids);
    *n = (xa_narrowed){0};
}
