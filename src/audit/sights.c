/* Explainers that look at several places of a network: layers by name, the blocks of a transformer
 * and the model's head on each of them, everything that operators add. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

static unsigned needs_of(const xa_explainer_spec *e)
{
    return xa_explainer_get(e->kind)->needs;
}

static xa_status start(xa_sight *s, int n, xa_err *err)
{
    s->n = n;
    s->node = xa_alloc((size_t)n + 1, sizeof *s->node);
    s->layers = xa_alloc((size_t)n + 1, sizeof *s->layers);
    s->path = xa_alloc((size_t)n + 1, sizeof *s->path);
    if (!s->node || !s->layers || !s->path)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* ---- layers by name ---- */

static xa_status find_layers(xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    xa_sight *s = &am->sight[e];
    char text[96];
    XA_RETURN_TRY(err, start(s, ex->nlayers, err));
    for (int i = 0; i < ex->nlayers; i++) {
        const xa_layer *layer;
        int64_t skip;
        XA_RETURN_TRY(err, xa_model_find_layer(am->model, ex->layers[i], &layer, err));
        const bool input = xa_graph_node(xa_model_graph(am->model), layer->node)->op == XA_OP_INPUT;
        xa_shape *grid = &s->layers[i].shape;
        if (input || !xa_explain_grid(&layer->shape, am->tokens, grid, &skip) ||
            grid->dim[0] * grid->dim[1] < 2)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "explainer \"%s\": layer \"%s\" gives %s, expected a layer inside the "
                           "model of [height,width,channels], larger than 1x1, or the tokens of a "
                           "patch grid",
                           ex->name,
                           layer->path,
                           xa_shape_text(&layer->shape, text, sizeof text));
        s->node[i] = layer->node;
        s->path[i] = layer->path;
    }
    return XA_OK;
}

/* ---- blocks ---- */

static xa_status find_blocks(xa_audit_model *am, xa_err *err)
{
    if (am->boundary)
        return XA_OK;
    am->boundary = xa_alloc((size_t)am->tokens->nlayers + 1, sizeof *am->boundary);
    if (!am->boundary)
        XA_RETURN_NOMEM(err);
    return xa_model_blocks(am->model, am->boundary, err);
}

static xa_status look_at_blocks(xa_audit_model *am, int e, xa_err *err)
{
    xa_sight *s = &am->sight[e];
    XA_RETURN_TRY(err, start(s, am->tokens->nlayers, err));
    for (int l = 0; l < s->n; l++) {
        s->node[l] = am->boundary[l];
        s->layers[l].shape = xa_graph_node(xa_model_graph(am->model), s->node[l])->shape;
    }
    return XA_OK;
}

static xa_status add_probes(xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    xa_probe *p = &am->probe[ex->pool];
    if (ex->score == XA_SCORE_FINER)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s: score: finer compares with the classes nearest to the target, which are "
            "others in every block; write another score",
            xa_explainer_get(ex->kind)->name);
    if (p->used)
        return XA_OK;
    p->used = true;
    return xa_model_add_probes(am->model, am->boundary, ex->pool, &p->scores, err);
}

/* ---- constants ---- */

static xa_status find_constants(xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const xa_graph *g = xa_model_graph(am->model);
    int *nodes, n, breaks;
    XA_RETURN_TRY(err,
                  xa_graph_constants(g, xa_model_head(am->model)->node, &nodes, &n, &breaks, err));
    xa_status st = XA_OK;
    if (breaks >= 0)
        XA_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s needs a network of products, ReLU, and maximum or average pooling, whose scores "
            "are the sum of its parts; \"%s\" (%s) is none of these",
            xa_explainer_get(ex->kind)->name,
            xa_graph_node(g, breaks)->name,
            xa_op_name(xa_graph_node(g, breaks)->op));
    if (ex->score != XA_SCORE_LOGIT)
        XA_FAIL(err,
                XA_INVALID,
                "%s: score: %s is no sum of the network's parts, as a logit is; write score: logit",
                xa_explainer_get(ex->kind)->name,
                xa_score_name(ex->score));
    XA_TRY(err, start(&am->sight[e], n, err));
    for (int i = 0; i < n; i++) {
        am->sight[e].node[i] = nodes[i];
        am->sight[e].layers[i].shape = xa_graph_node(g, nodes[i])->shape;
    }
done:
    free(nodes);
    return st;
}

size_t xa_sight_layout(xa_audit_model *am, size_t weight_bytes)
{
    size_t at = xa_align_up(weight_bytes, XA_ALIGN);
    for (int e = 0; e < am->spec->nexplainers; e++) {
        if (!(needs_of(&am->spec->explainers[e]) & XA_NEEDS_CONSTANTS))
            continue;
        am->sight[e].constants_at = at;
        for (int i = 0; i < am->sight[e].n; i++)
            at += (size_t)xa_shape_last(&am->sight[e].layers[i].shape) * sizeof(float);
        at = xa_align_up(at, XA_ALIGN);
    }
    return at;
}

xa_status xa_sight_pack(xa_audit_model *am, void *blob, xa_err *err)
{
    const xa_weight_reader reader = xa_model_reader(am->model);
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_sight *s = &am->sight[e];
        float *to = (float *)(void *)((unsigned char *)blob + s->constants_at);
        if (!(needs_of(&am->spec->explainers[e]) & XA_NEEDS_CONSTANTS))
            continue;
        for (int i = 0; i < s->n; i++) {
            XA_RETURN_TRY(
                err, xa_node_constants(xa_model_graph(am->model), s->node[i], &reader, to, err));
            to += xa_shape_last(&s->layers[i].shape);
        }
    }
    return XA_OK;
}

/* ---- all of them ---- */

xa_status xa_sight_resolve(xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const unsigned needs = needs_of(ex);
    if (ex->nlayers)
        return find_layers(am, e, err);
    if (needs & XA_NEEDS_CONSTANTS)
        return find_constants(am, e, err);
    if (!am->tokens || !(needs & (XA_NEEDS_BLOCKS | XA_NEEDS_PROBES)))
        return XA_OK; /* without tokens the map has no shape, which is said there */
    XA_RETURN_TRY(err, find_blocks(am, err));
    return needs & XA_NEEDS_BLOCKS ? look_at_blocks(am, e, err) : add_probes(am, e, err);
}

void xa_sight_look(const xa_batch *b, int e, int64_t i, int reach, xa_explain_view *v)
{
    const xa_audit_model *am = b->am;
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const xa_sight *s = &am->sight[e];
    const float *constants = (const float *)(const void *)(am->run.weights + s->constants_at);
    for (int k = 0; k < s->n; k++) {
        const xa_shape *whole = &xa_graph_node(xa_model_graph(am->model), s->node[k])->shape;
        xa_explain_layer *l = &s->layers[k];
        int64_t skip = 0;
        xa_shape grid;
        if (ex->nlayers)
            (void)xa_explain_grid(whole, am->tokens, &grid, &skip);
        const int64_t at = i * xa_shape_count(whole) + skip;
        l->value = xa_run_value(&am->run, s->node[k]) + at;
        l->gradient = xa_run_gradient(&am->run, reach, s->node[k]) + at;
        if (needs_of(ex) & XA_NEEDS_CONSTANTS) {
            l->constants = constants;
            constants += xa_shape_last(whole);
        }
    }
    v->layers = s->layers;
    v->nlayers = s->n;
}

void xa_sight_free(xa_sight *s)
{
    free(s->node);
    free(s->layers);
    free(s->path);
    *s = (xa_sight){0};
}
