/* The graph: weights and operators in topological order. graph_add.c adds operators. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"

static const int64_t max_count = (int64_t)1 << 40; /* elements of one tensor */

xa_status xa_graph_create(xa_graph **out, xa_err *err)
{
    xa_graph *g = xa_alloc(1, sizeof *g);
    if (!g)
        XA_RETURN_FAIL(err, XA_NOMEM, "graph: out of memory");
    *out = g;
    return XA_OK;
}

xa_status xa__graph_borrow(const xa_graph *of, xa_graph **out, xa_err *err)
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

bool xa_numerics_rounds(xa_numerics numerics)
{
    return numerics == XA_NUMERICS_BF16 || numerics == XA_NUMERICS_BF16_GRADIENT;
}

const char *xa_numerics_name(xa_numerics numerics)
{
    static const char *const names[XA_NUMERICS_COUNT] = {"strict", "fast", "bf16-gradient", "bf16"};
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

xa_status xa__graph_check_shape(const char *what, const xa_shape *s, xa_err *err)
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
    XA_TRY(err, xa__graph_check_shape(name, shape, err));
    if (g->nweights >= XA__GRAPH_ITEMS)
        XA_FAIL(err, XA_LIMIT, "graph: more than %d weights", XA__GRAPH_ITEMS);
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

xa_status xa_graph_cut(const xa_graph *g, int node, int root, bool *out, xa_err *err)
{
    bool *behind = xa_alloc(2 * g->nnodes, sizeof(bool)); /* depends on the node */
    if (!behind)
        XA_RETURN_NOMEM(err);
    bool *needed = behind + g->nnodes; /* the root depends on it */
    behind[node] = needed[root] = true;
    for (int i = node + 1; i < (int)g->nnodes; i++)
        for (int k = 0; k < g->nodes[i].ninputs; k++)
            behind[i] = behind[i] || behind[g->nodes[i].inputs[k]];
    *out = behind[root];
    for (int i = root; i > node; i--)
        for (int k = 0; needed[i] && behind[i] && k < g->nodes[i].ninputs; k++) {
            needed[g->nodes[i].inputs[k]] = true;
            *out = *out && behind[g->nodes[i].inputs[k]];
        }
    free(behind);
    return XA_OK;
}

int64_t xa_graph_parameters(const xa_graph *g)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->nweights; i++)
        if (!g->weights[i].literal)
            n += xa_shape_count(&g->weights[i].shape);
    return n;
}
