/* The tokens of a vision transformer: its attention layers, and which of their tokens are patches.
 * They are found in the graph, whatever loader made it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

/* Marks the nodes that the output depends on. */
static bool *mark_live(const xa_model *m)
{
    bool *live = xa_alloc((size_t)xa_graph_nodes(m->graph) + 1, sizeof(bool));
    if (!live)
        return NULL;
    live[m->output] = true;
    for (int i = m->output; i >= 0; i--) {
        const xa_node *node = xa_graph_node(m->graph, i);
        for (int k = 0; live[i] && k < node->ninputs; k++)
            live[node->inputs[k]] = true;
    }
    return live;
}

/* The last reshape of a grid [h,w,D] to tokens [h*w,D] before the first attention layer. */
static bool find_grid(const xa_graph *g, int attention, xa_tokens *t)
{
    for (int i = attention - 1; i >= 0; i--) {
        const xa_node *node = xa_graph_node(g, i);
        if (node->op != XA_OP_RESHAPE || node->shape.ndim != 2)
            continue;
        const xa_shape *from = &xa_graph_node(g, node->inputs[0])->shape;
        if (from->ndim == 3 && from->dim[2] == node->shape.dim[1]) {
            t->height = from->dim[0];
            t->width = from->dim[1];
            return true;
        }
    }
    return false;
}

xa_status xa__model_find_tokens(xa_model *m, xa_err *err)
{
    const int n = xa_graph_nodes(m->graph);
    xa_tokens t = {.query = m->query};
    xa_status st = XA_OK;
    int64_t rows = 0;
    bool square = true;
    bool *live = mark_live(m);
    int *found = xa_alloc((size_t)n + 1, sizeof(int));
    if (!live || !found)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++) {
        const xa_node *node = xa_graph_node(m->graph, i);
        if (!live[i] || node->op != XA_OP_ATTENTION)
            continue;
        const int64_t columns = xa_graph_node(m->graph, node->inputs[1])->shape.dim[0];
        const int64_t heads = node->params.attention.heads;
        if (!t.nlayers) {
            rows = node->shape.dim[0];
            t.heads = heads;
        }
        square = square && node->shape.dim[0] == rows && columns == rows;
        if (t.heads != heads)
            t.heads = 0;
        found[t.nlayers++] = i;
    }
    if (!t.nlayers || !square || t.query < -1 || !find_grid(m->graph, found[0], &t) ||
        rows < t.height * t.width)
        goto done;
    t.prefix = rows - t.height * t.width;
    if (t.query >= t.prefix)
        t.query = -1; /* no token but the patches */
    m->tokens = t;
    m->attention = found;
    found = NULL;
done:
    free(live);
    free(found);
    return st;
}

const xa_tokens *xa_model_tokens(const xa_model *m)
{
    return m->attention ? &m->tokens : NULL;
}

int xa_model_attention(const xa_model *m, int i)
{
    return m->attention[i];
}

xa_status xa_model_find_attention(const xa_model *m, const char *which, int *index, xa_err *err)
{
    const int n = m->attention ? m->tokens.nlayers : 0;
    int64_t number;
    if (!n)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s has no attention layers over a patch grid; attention maps need a vision "
                       "transformer",
                       m->path);
    if (!strcmp(which, "auto")) {
        *index = n - 1;
        return XA_OK;
    }
    if (xa_parse_i64(which, &number)) {
        if (number < -n || number >= n)
            XA_RETURN_FAIL(err,
                           XA_NOT_FOUND,
                           "attention layer %" PRId64
                           ": %s has %d, numbered 0 to %d from the input "
                           "or -1 to -%d from the head",
                           number,
                           m->path,
                           n,
                           n - 1,
                           n);
        *index = (int)(number < 0 ? number + n : number);
        return XA_OK;
    }
    for (int i = 0; i < n; i++)
        if (!strcmp(xa_graph_node(m->graph, m->attention[i])->name, which)) {
            *index = i;
            return XA_OK;
        }
    XA_RETURN_FAIL(err,
                   XA_NOT_FOUND,
                   "%s has no attention layer \"%s\"; write a number (0 to %d), or a name such as "
                   "\"%s\"",
                   m->path,
                   which,
                   n - 1,
                   xa_graph_node(m->graph, m->attention[n - 1])->name);
}
