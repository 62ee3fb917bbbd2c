/* Layers of explainers: their nodes, and the shapes of maps. */
#include <string.h>

#include "audit_internal.h"

enum { ATTENTION = XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT };

static unsigned needs_of(const xa_explainer_spec *e)
{
    return xa_explainer_get(e->kind)->needs;
}

/* The attention layer of kinds that look at one; others look at all from `start` on. */
static xa_status resolve_attention(xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    am->site[e] = 0;
    if (!*ex->layer)
        return XA_OK;
    XA_RETURN_TRY(err, xa_model_find_attention(am->model, ex->layer, &am->site[e], err));
    const int node = xa_model_attention(am->model, am->site[e]);
    snprintf(am->layer_path[e],
             sizeof am->layer_path[e],
             "%s",
             xa_graph_node(xa_model_graph(am->model), node)->name);
    return XA_OK;
}

/* An explainer that changes the layer's values needs all paths to the scores to lead through it. */
static xa_status check_cut(const xa_audit_model *am, int e, const xa_layer *layer, xa_err *err)
{
    bool cut = true;
    if (xa_ask_count(am, e).at_layer)
        XA_RETURN_TRY(
            err,
            xa_graph_cut(
                xa_model_graph(am->model), layer->node, xa_model_head(am->model)->node, &cut, err));
    if (!cut)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": it switches off channels of layer \"%s\", but the scores "
                       "depend on values beside this layer too, as where a shortcut leads past it; "
                       "choose a layer that all paths lead through, such as the end of a block",
                       am->spec->explainers[e].name,
                       layer->path);
    return XA_OK;
}

/* Rules that take the gradient's place must cover the model. */
static xa_status check_rules(const xa_audit_model *am, int e, xa_err *err)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const xa_status st = xa_graph_check_rules(
        xa_model_graph(am->model), xa_model_head(am->model)->node, ex->backward, err);
    if (st != XA_OK)
        xa_err_prefix(err, "explainer \"%s\": ", ex->name);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

xa_status xa_audit_resolve_layers(xa_audit_model *am, xa_err *err)
{
    const xa_audit_model_spec *spec = am->spec;
    for (int e = 0; e < spec->nexplainers; e++) {
        const xa_explainer_spec *ex = &spec->explainers[e];
        const xa_layer *layer = NULL;
        xa_shape none = {0};
        am->layer_node[e] = -1;
        XA_RETURN_TRY(err, check_rules(am, e, err));
        if (needs_of(ex) & ATTENTION && !am->tokens && xa_model_no_tokens(am->model))
            XA_RETURN_FAIL(
                err, XA_SHAPE, "explainer \"%s\": %s", ex->name, xa_model_no_tokens(am->model));
        XA_RETURN_TRY(err, xa_sight_resolve(am, e, err));
        if (needs_of(ex) & ATTENTION && am->tokens)
            XA_RETURN_TRY(err, resolve_attention(am, e, err));
        if ((needs_of(ex) & XA_NEEDS_LAYER) && !ex->nlayers) {
            if (!strcmp(ex->layer, "auto"))
                XA_RETURN_TRY(err, xa_model_gradcam_layer(am->model, &layer, err));
            else
                XA_RETURN_TRY(err, xa_model_find_layer(am->model, ex->layer, &layer, err));
            if (xa_graph_node(xa_model_graph(am->model), layer->node)->op == XA_OP_INPUT)
                XA_RETURN_FAIL(
                    err,
                    XA_INVALID,
                    "explainer \"%s\": layer \"%s\" is the model's input; choose a layer "
                    "inside the model or an input-gradient explainer",
                    ex->name,
                    layer->path);
            am->layer_node[e] = layer->node;
            snprintf(am->layer_path[e], sizeof am->layer_path[e], "%s", layer->path);
        }
        if (layer)
            XA_RETURN_TRY(err, check_cut(am, e, layer, err));
        XA_RETURN_TRY(
            err,
            xa_explain_shape(
                ex, &am->input, layer ? &layer->shape : &none, am->tokens, &am->map_shape[e], err));
        if (layer && am->map_shape[e].dim[1] * am->map_shape[e].dim[2] < 2)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "explainer \"%s\": layer \"%s\" has a 1x1 grid, on which a map says "
                           "nothing; choose an earlier layer or a larger input",
                           ex->name,
                           layer->path);
    }
    return XA_OK;
}
