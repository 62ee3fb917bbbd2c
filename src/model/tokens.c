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

/* The value [h,w,D] that a node's rows of D are, behind views and affine maps; NULL: there is none.
 */
static const xa_shape *grid_behind(const xa_graph *g, int node, int64_t width)
{
    for (;;) {
        const xa_node *n = xa_graph_node(g, node);
        if (n->shape.ndim == 3 && n->shape.dim[2] == width)
            return &n->shape;
        if (n->op != XA_OP_RESHAPE && n->op != XA_OP_AFFINE)
            return NULL;
        node = n->inputs[0];
    }
}

/* The last reshape of a grid [h,w,D] to tokens [h*w,D] before the first attention layer. */
static bool find_grid(const xa_graph *g, int attention, xa_tokens *t)
{
    for (int i = attention - 1; i >= 0; i--) {
        const xa_node *node = xa_graph_node(g, i);
        if (node->op != XA_OP_RESHAPE || node->shape.ndim != 2)
            continue;
        const xa_shape *from = grid_behind(g, i, node->shape.dim[1]);
        if (from) {
            t->height = from->dim[0];
            t->width = from->dim[1];
            return true;
        }
    }
    return false;
}

/* Live nodes that tell what the model's attention is. */
typedef struct survey {
    int *found, count; /* ATTENTION nodes */
    int windows;       /* one of several groups; -1: none */
    int product;       /* a product of two activations outside; -1: none */
    int other;         /* one with other tokens than the first, or with other keys; -1: none */
    int64_t heads;     /* of all; 0: they differ */
} survey;

static survey survey_of(const xa_model *m, const bool *live, int *found)
{
    survey s = {.found = found, .windows = -1, .product = -1, .other = -1};
    int64_t rows = 0;
    for (int i = 0; i < xa_graph_nodes(m->graph); i++) {
        const xa_node *node = xa_graph_node(m->graph, i);
        if (live[i] && node->op == XA_OP_MATMUL && s.product < 0)
            s.product = i;
        if (!live[i] || node->op != XA_OP_ATTENTION)
            continue;
        const int64_t columns = xa_graph_node(m->graph, node->inputs[1])->shape.dim[0];
        const int64_t heads = node->params.attention.heads;
        if (!s.count) {
            rows = node->shape.dim[0];
            s.heads = heads;
        }
        if (node->params.attention.groups > 1 && s.windows < 0)
            s.windows = i;
        if ((node->shape.dim[0] != rows || columns != rows) && s.other < 0)
            s.other = i;
        if (s.heads != heads)
            s.heads = 0;
        found[s.count++] = i;
    }
    return s;
}

/* Why attention maps are not defined; NULL: they are, and t says where. */
static char *why_not(const xa_model *m, const survey *s, xa_tokens *t)
{
    const xa_graph *g = m->graph;
    const int64_t rows = s->count ? xa_graph_node(g, s->found[0])->shape.dim[0] : 0;
    if (!s->count)
        return xa_strdup("the model has no attention over a patch grid; attention maps need a "
                         "vision transformer");
    if (s->windows >= 0) {
        const xa_node *node = xa_graph_node(g, s->windows);
        const int64_t groups = node->params.attention.groups;
        return xa_strfmt("the model's attention stays within windows (\"%s\" has %" PRId64
                         " of %" PRId64 " tokens), which no attention map is defined for; "
                         "gradients and CAMs are",
                         node->name,
                         groups,
                         node->shape.dim[0] / groups);
    }
    if (s->product >= 0)
        return xa_strfmt(
            "a part of the model's attention is not softmax(q k^T) v and is computed as "
            "single products (\"%s\"); gradients and CAMs are defined",
            xa_graph_node(g, s->product)->name);
    if (s->other >= 0)
        return xa_strfmt("the model's attention layers do not share their tokens (\"%s\" differs); "
                         "gradients and CAMs are defined",
                         xa_graph_node(g, s->other)->name);
    if (!find_grid(g, s->found[0], t) || rows < t->height * t->width)
        return xa_strdup("no grid of patches was found before the model's first attention layer");
    t->prefix = rows - t->height * t->width;
    if (t->query < -1 || (t->query == -1 && m->pooled && m->pooled != t->height * t->width))
        return xa_strdup("the model's scores are made neither of one token nor of the mean of the "
                         "patches, so that attention maps have no row to show");
    if (t->query >= t->prefix)
        t->query = -1; /* no token but the patches */
    return NULL;
}

xa_status xa__model_find_tokens(xa_model *m, xa_err *err)
{
    xa_tokens t = {.query = m->query};
    xa_status st = XA_OK;
    bool *live = mark_live(m);
    int *found = xa_alloc((size_t)xa_graph_nodes(m->graph) + 1, sizeof(int));
    if (!live || !found)
        XA_NOMEM_FAIL(err);
    const survey s = survey_of(m, live, found);
    m->no_tokens = why_not(m, &s, &t);
    if (m->no_tokens)
        goto done;
    t.heads = s.heads;
    t.nlayers = s.count;
    m->tokens = t;
    m->attention = found;
    found = NULL;
done:
    free(live);
    free(found);
    return st;
}

const char *xa_model_no_tokens(const xa_model *m)
{
    return m->no_tokens;
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
        XA_RETURN_FAIL(
            err, XA_NOT_FOUND, "%s: %s", m->path, m->no_tokens ? m->no_tokens : "out of memory");
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
