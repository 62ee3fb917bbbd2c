/* Layers by name, and the layer that `auto` means for Grad-CAM. */
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

xa_status
xa_model_find_layer(const xa_model *m, const char *path, const xa_layer **out, xa_err *err)
{
    int bare = -1, matches = 0;
    for (int i = 0; i < m->nlayers; i++) {
        if (!strcmp(m->layers[i].path, path)) {
            *out = &m->layers[i];
            return XA_OK;
        }
        const size_t n = strlen(m->layers[i].path), k = strlen(path);
        if (n > k && m->layers[i].path[n - k - 1] == '/' &&
            !strcmp(m->layers[i].path + n - k, path)) {
            bare = i;
            matches++;
        }
    }
    if (matches == 1) {
        *out = &m->layers[bare];
        return XA_OK;
    }
    if (matches > 1)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "layer \"%s\" is in several nested models; write its path, such as \"%s\"",
                       path,
                       m->layers[bare].path);
    /* the name may be near a path, or near the last part of one */
    const size_t total = 2 * (size_t)m->nlayers;
    const char **names = xa_alloc(total + 1, sizeof(char *));
    const char *near = NULL;
    for (int i = 0; names && i < m->nlayers; i++) {
        names[2 * i] = m->layers[i].path;
        names[2 * i + 1] = xa_path_last(m->layers[i].path);
    }
    const char *found = names ? xa_nearest(path, names, total) : NULL;
    for (size_t i = 0; found && !near && i < total; i++)
        if (names[i] == found)
            near = m->layers[i / 2].path;
    free(names);
    XA_RETURN_FAIL(err,
                   XA_NOT_FOUND,
                   "%s has no layer \"%s\"%s%s%s; `xaudit info` lists its layers",
                   m->path,
                   path,
                   near ? "; did you mean \"" : "",
                   near ? near : "",
                   near ? "\"?" : "");
}

static bool is_map(const xa_shape *s)
{
    return s->ndim == 3 && s->dim[0] * s->dim[1] > 1;
}

/* Marks the maps from which the head's part without height and width is made: the inputs of a
 * global pool or Flatten. */
static void mark_before_head(const xa_graph *g, int head, bool *reached)
{
    bool *seen = reached; /* the same array: nodes that are reached; the walk stops at maps */
    seen[head] = true;
    for (int i = head; i >= 0; i--) {
        const xa_node *n = xa_graph_node(g, i);
        if (!seen[i] || is_map(&n->shape))
            continue;
        for (int k = 0; k < n->ninputs; k++)
            seen[n->inputs[k]] = true;
    }
}

/* Marks every node that a marked map depends on. */
static void mark_ancestors(const xa_graph *g, int last, bool *mark)
{
    for (int i = last; i >= 0; i--) {
        const xa_node *n = xa_graph_node(g, i);
        for (int k = 0; mark[i] && k < n->ninputs; k++)
            mark[n->inputs[k]] = true;
    }
}

/* Which of two layers with the same node gives its name: the innermost, which the author of the
 * nested model wrote; of those the first, since later ones do nothing (Dropout). */
static bool is_later(const xa_layer *l, const xa_layer *than)
{
    return !than || l->node > than->node || (l->node == than->node && l->depth > than->depth);
}

/* Does every path from the input to `last` go through `node`, so that it is not one of several
 * branches? */
static bool is_on_every_way(const xa_graph *g, int node, int last, bool *reached)
{
    const int input = xa_graph_input(g);
    for (int i = 0; i <= last; i++) {
        const xa_node *n = xa_graph_node(g, i);
        reached[i] = i == input;
        for (int k = 0; k < n->ninputs; k++)
            reached[i] = reached[i] || reached[n->inputs[k]];
        reached[i] = reached[i] && i != node;
    }
    return !reached[last];
}

/* For a vision transformer: the first norm of the last block, which is the input of its attention.
 */
static const xa_layer *last_block_norm(const xa_model *m)
{
    const xa_tokens *t = xa_model_tokens(m);
    const xa_layer *found = NULL;
    if (!t)
        return NULL;
    int i = xa_graph_node(m->graph, xa_model_attention(m, t->nlayers - 1))->inputs[0];
    while (i >= 0 && xa_graph_node(m->graph, i)->op != XA_OP_LAYER_NORM)
        i = xa_graph_node(m->graph, i)->ninputs == 1 ? xa_graph_node(m->graph, i)->inputs[0] : -1;
    for (int k = 0; i >= 0 && k < m->nlayers; k++)
        if (m->layers[k].node == i && is_later(&m->layers[k], found))
            found = &m->layers[k];
    return found;
}

xa_status xa_model_gradcam_layer(const xa_model *m, const xa_layer **out, xa_err *err)
{
    const int n = xa_graph_nodes(m->graph);
    const xa_layer *best = NULL, *any = NULL, *joined = NULL;
    if ((*out = last_block_norm(m)))
        return XA_OK;
    bool *mark = xa_alloc(2 * (size_t)n + 2, sizeof(bool));
    if (!mark)
        XA_RETURN_NOMEM(err);
    mark_before_head(m->graph, m->head.node, mark);
    mark_ancestors(m->graph, m->head.node, mark);
    for (int i = 0; i < m->nlayers; i++) {
        const xa_layer *l = &m->layers[i];
        const xa_node *node = xa_graph_node(m->graph, l->node);
        if (!mark[l->node] || !is_map(&l->shape) || node->op == XA_OP_INPUT)
            continue;
        if (l->is_activation && is_later(l, best))
            best = l;
        if (node->op != XA_OP_MAX_POOL && is_later(l, any))
            any = l;
    }
    /* The last activation may belong to one branch of several (Inception): then take the layer that
     * joins them. */
    bool *reached = mark + n + 1;
    if (best && !is_on_every_way(m->graph, best->node, m->head.node, reached))
        for (int i = 0; i < m->nlayers; i++) {
            const xa_layer *l = &m->layers[i];
            if (mark[l->node] && is_map(&l->shape) && l->node > best->node &&
                xa_graph_node(m->graph, l->node)->op != XA_OP_MAX_POOL && is_later(l, joined) &&
                is_on_every_way(m->graph, l->node, m->head.node, reached))
                joined = l;
        }
    free(mark);
    *out = joined ? joined : best ? best : any;
    if (!*out)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s has no layer with a grid larger than 1x1 before its head: Grad-CAM has "
                       "nothing to weigh; name a layer, or use an input-gradient explainer",
                       m->path);
    return XA_OK;
}
