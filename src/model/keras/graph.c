/* From a parsed architecture to the graph: every call, in order, is built by its class's builder.
 */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "layers.h"

/* Does the node only choose channels, as x[..., ::-1] does, which is a product with literals? */
static bool is_selection(const xa_graph *g, const xa_node *n)
{
    return n->op == XA_OP_DENSE && n->weights[0] >= 0 &&
           xa_graph_weight(g, n->weights[0])->literal && n->weights[1] < 0;
}

/* Is the value still the image: at most moved or resized, with its channels in any order? */
static bool is_raw_input(const xa_graph *g, int node)
{
    for (;;) {
        const xa_node *n = xa_graph_node(g, node);
        if (n->op == XA_OP_INPUT)
            return true;
        if (n->op != XA_OP_RESIZE && n->op != XA_OP_PERMUTE && n->op != XA_OP_PAD &&
            n->op != XA_OP_CROP && !is_selection(g, n))
            return false;
        node = n->inputs[0];
    }
}

static bool has_activation(const xa__klayer *l)
{
    if (l->cls && (l->cls->flags & XA__KCLASS_ACTIVATION))
        return true;
    const json_t *v = json_object_get(l->config, "activation");
    if (!v || json_is_null(v))
        return false;
    const char *name = json_string_value(v);
    return !name || strcmp(name, "linear") != 0;
}

/* A layer that is called with training=True works at inference as in training: it drops values at
 * random, or uses the statistics of the batch. */
static xa_status check_training(const xa__klayer *l, const xa__kcall *call, xa_err *err)
{
    if (!l->inner && !(l->cls->flags & XA__KCLASS_TRAINS))
        return XA_OK;
    for (size_t i = 0; call && i < call->noperands; i++) {
        const xa__koperand *o = &call->operands[i];
        if (o->kind == XA__KOPERAND_VALUE && o->keyword && !strcmp(o->keyword, "training") &&
            (json_is_true(o->value) ||
             (json_is_integer(o->value) && json_integer_value(o->value) != 0)))
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "called with training=True, so that its results are random or depend on "
                           "the batch; call it without and save the model again");
    }
    return XA_OK;
}

static xa_status build_call(xa__kbuild *b,
                            xa__klayer *l,
                            const xa__kcall *call,
                            const int *in,
                            int nin,
                            int *out,
                            xa_err *err)
{
    xa_status st;
    if (b->budget-- <= 0)
        XA_RETURN_FAIL(err, XA_LIMIT, "the model makes more calls of layers than is allowed");
    if (l->inner) {
        if (nin != 1)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "nested model \"%s\" is called with %d tensors, expected 1",
                           l->path,
                           nin);
        st = check_training(l, call, err);
        if (st != XA_OK)
            xa_err_prefix(err, "layer \"%s\" (%s)", l->path, l->type);
        XA_RETURN_TRY(err, st);
        XA_RETURN_TRY(err, xa__kgraph_build(b, l->inner, in[0], out, err));
        l->node = b->channels_first ? xa__kturn_behind(b->graph, *out) : *out;
        return XA_OK;
    }
    xa__ksite site = {.b = b, .layer = l, .call = call, .in = in, .nin = nin};
    st = check_training(l, call, err);
    l->nparts = 0; /* of the last call */
    /* a class of Keras' own has no setting that Keras does not know */
    const char *keys = l->foreign || b->keras < 2 ? NULL : xa__kclass_keys(l->cls->name);
    if (st == XA_OK && keys)
        st = xa__ksite_known(&site, keys, err);
    if (st == XA_OK)
        st = l->cls->build(&site, out, err);
    if (st == XA_OK && site.turned && xa_graph_node(b->graph, *out)->shape.ndim == 3)
        st = xa__kturn_first(&site, *out, out, err);
    if (st != XA_OK) {
        xa_err_prefix(err, "layer \"%s\" (%s)", l->path, l->type);
        return XA_ERR_PASS(err, st);
    }
    /* maps are explained in the engine's order */
    const int made = b->channels_first ? xa__kturn_behind(b->graph, *out) : *out;
    if ((l->cls->flags & XA__KCLASS_SCALES) && nin == 1 && !b->own_scaling &&
        xa_graph_node(b->graph, made)->op == XA_OP_AFFINE && is_raw_input(b->graph, in[0]))
        b->own_scaling = l->path;
    l->node = made;
    l->is_activation = has_activation(l);
    return XA_OK;
}

static xa_status build_sequential(xa__kbuild *b, xa__kscope *s, int in, int *out, xa_err *err)
{
    int at = in;
    for (int i = 0; i < s->nlayers; i++) {
        int next = -1;
        XA_RETURN_TRY(err, build_call(b, &s->layers[i], NULL, &at, 1, &next, err));
        at = next;
    }
    *out = at;
    return XA_OK;
}

static xa_status build_functional(xa__kbuild *b, xa__kscope *s, int in, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    size_t total = 0;
    int *value = NULL, *args = NULL;
    size_t args_cap = 0;
    size_t *first = xa_alloc((size_t)s->nlayers + 1, sizeof *first);
    if (!first)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < s->nlayers; i++) {
        first[i] = total;
        total += s->layers[i].ncalls ? s->layers[i].ncalls : 1;
    }
    value = xa_alloc(total, sizeof(int));
    if (!value)
        XA_NOMEM_FAIL(err);
    for (size_t k = 0; k < s->norder; k++) {
        const xa__kref at = s->order[k];
        xa__klayer *l = &s->layers[at.layer];
        int *result = &value[first[at.layer] + (size_t)at.call];
        if (!l->ncalls) { /* an InputLayer */
            if (at.layer != s->input.layer)
                XA_FAIL(err,
                        XA_UNSUPPORTED,
                        "\"%s\" is a second input; a model with one input is expected",
                        l->path);
            *result = in;
            l->node = b->channels_first ? xa__kturn_behind(b->graph, in) : in;
            continue;
        }
        const xa__kcall *call = &l->calls[at.call];
        XA_TRY(err, xa_grow(&args, &args_cap, call->nrefs + 1, sizeof(int), err));
        for (size_t j = 0; j < call->nrefs; j++)
            args[j] = value[first[call->refs[j].layer] + (size_t)call->refs[j].call];
        XA_TRY(err, build_call(b, l, call, args, (int)call->nrefs, result, err));
    }
    *out = value[first[s->output.layer] + (size_t)s->output.call];
done:
    free(first);
    free(value);
    free(args);
    return st;
}

xa_status xa__kgraph_build(xa__kbuild *b, xa__kscope *scope, int in, int *out, xa_err *err)
{
    return scope->sequential ? build_sequential(b, scope, in, out, err)
                             : build_functional(b, scope, in, out, err);
}
