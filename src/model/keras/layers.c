/* The class table and what builders share. */
#include "layers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const xa__kclass *const all_classes[] = {
    xa__kclasses_conv,
    xa__kclasses_dense,
    xa__kclasses_norm,
    xa__kclasses_activation,
    xa__kclasses_pool,
    xa__kclasses_merge,
    xa__kclasses_shape,
    xa__kclasses_preprocess,
    xa__kclasses_noop,
    xa__kclasses_tfop,
    xa__kclasses_attention,
    xa__kclasses_residual,
    xa__kclasses_line,
    xa__kclasses_match,
    xa__kclasses_resize,
    xa__kclasses_transposed,
};

const xa__kclass *xa__kclass_find(const char *name)
{
    for (size_t i = 0; i < sizeof all_classes / sizeof *all_classes; i++)
        for (const xa__kclass *c = all_classes[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

/* Does the layer have the slot, by the settings that its flag names? */
static xa_status has_slot(const xa__klayer *l, const xa__kslot *slot, bool *there, xa_err *err)
{
    char first[64];
    const char *flag = slot->flag;
    bool second;
    *there = true;
    if (!flag)
        return XA_OK;
    if (flag[0] == '=') {
        *there = xa__kget_absent(l->config, flag + 1);
        return XA_OK;
    }
    const size_t n = strcspn(flag, "|-=");
    snprintf(first, sizeof first, "%.*s", (int)n, flag);
    if (flag[n] == '=') {
        const char *word;
        XA_RETURN_TRY(err, xa__kget_text(l->config, first, "", &word, err));
        *there = !strcmp(word, flag + n + 1);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__kget_bool(l->config, first, slot->flag_default, there, err));
    if (!flag[n])
        return XA_OK;
    XA_RETURN_TRY(err, xa__kget_bool(l->config, flag + n + 1, false, &second, err));
    *there = flag[n] == '|' ? *there || second : *there && !second;
    return XA_OK;
}

xa_status xa__klayer_slots(const xa__klayer *l, int which[XA__KMAX_SLOTS], int *n, xa_err *err)
{
    *n = 0;
    if (!l->cls || !l->cls->slots)
        return XA_OK;
    for (int i = 0; i < XA__KMAX_SLOTS && l->cls->slots[i].name; i++) {
        bool there = true;
        const xa_status st = has_slot(l, &l->cls->slots[i], &there, err);
        if (st != XA_OK) {
            xa_err_prefix(err, "layer \"%s\"", l->path);
            return st;
        }
        if (there)
            which[(*n)++] = i;
    }
    return XA_OK;
}

const xa_shape *xa__ksite_shape(const xa__ksite *s, int node)
{
    return &xa_graph_node(s->b->graph, node)->shape;
}

xa_status xa__ksite_one(const xa__ksite *s, int *in, xa_err *err)
{
    if (s->nin != 1)
        XA_RETURN_FAIL(err, XA_INVALID, "called with %d tensors, expected 1", s->nin);
    *in = s->in[0];
    return XA_OK;
}

xa_status xa__ksite_image(xa__ksite *s, int *in, xa_err *err)
{
    const char *format;
    XA_RETURN_TRY(err, xa__ksite_one(s, in, err));
    XA_RETURN_TRY(err,
                  xa__kget_text(s->layer->config, "data_format", "channels_last", &format, err));
    const xa_shape *x = xa__ksite_shape(s, *in);
    if (x->ndim != 3) {
        char text[64];
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "input %s, expected [height,width,channels]",
                       xa_shape_text(x, text, sizeof text));
    }
    if (s->b->channels_first && !strcmp(format, "channels_first")) {
        s->turned = true;
        return xa__kturn_last(s, *in, in, err);
    }
    return XA_OK;
}

xa_status xa__ksite_known(const xa__ksite *s, const char *keys, xa_err *err)
{
    static const char everywhere[] = "name trainable dtype dynamic batch_size batch_input_shape "
                                     "batch_shape input_shape activity_regularizer autocast";
    static const char *const endings[] = {"_initializer", "_regularizer", "_constraint"};
    const char *key;
    json_t *value;
    char text[80], clean[96];
    json_object_foreach((json_t *)s->layer->config, key, value)
    {
        bool harmless =
            json_is_null(value) || xa_words_have(everywhere, key) || xa_words_have(keys, key);
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
            harmless = harmless || xa_str_ends(key, endings[i]);
        if (harmless)
            continue;
        xa_str_sanitise(key, clean, sizeof clean);
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "the setting \"%s\" (%s) is not understood; no setting is ever skipped",
                       clean,
                       xa__kjson_text(value, text, sizeof text));
    }
    return XA_OK;
}

xa_status xa__ksite_arguments(const xa__ksite *s, const char *keywords, xa_err *err)
{
    for (size_t i = 0; s->call && i < s->call->noperands; i++) {
        const xa__koperand *o = &s->call->operands[i];
        const bool off =
            o->kind == XA__KOPERAND_VALUE && (json_is_null(o->value) || json_is_false(o->value));
        if (o->keyword && !off && !xa_words_have(keywords, o->keyword))
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "called with \"%s\"", o->keyword);
    }
    return XA_OK;
}

xa_status xa__ksite_channels_last(const xa__ksite *s, xa_err *err)
{
    const char *format;
    XA_RETURN_TRY(err,
                  xa__kget_text(s->layer->config, "data_format", "channels_last", &format, err));
    if (strcmp(format, s->turned ? "channels_first" : "channels_last") != 0)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "\"data_format\" is \"%s\", which is supported only in a model whose images "
                       "are channels_first from its input on",
                       format);
    return XA_OK;
}

xa_status xa__ksite_padding(const xa__ksite *s, xa_padding *out, xa_err *err)
{
    const char *padding;
    XA_RETURN_TRY(err, xa__kget_text(s->layer->config, "padding", "valid", &padding, err));
    if (strcmp(padding, "valid") == 0)
        *out = XA_VALID;
    else if (strcmp(padding, "same") == 0)
        *out = XA_SAME;
    else
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "\"padding\" is \"%s\", expected \"valid\" or \"same\"", padding);
    return XA_OK;
}

const json_t *xa__ksite_value(const xa__ksite *s, const char *keyword, int position)
{
    if (!s->call)
        return NULL;
    int at = 0;
    for (size_t i = 0; i < s->call->noperands; i++) {
        const xa__koperand *o = &s->call->operands[i];
        const bool found =
            o->keyword ? keyword && strcmp(o->keyword, keyword) == 0 : at == position;
        if (!o->keyword)
            at++;
        if (found && o->kind == XA__KOPERAND_VALUE && !json_is_null(o->value))
            return o->value;
    }
    return NULL;
}

static xa_status add_node(const xa__ksite *s,
                          xa_op op,
                          const int *in,
                          int nin,
                          const xa_op_params *params,
                          const int *weights,
                          int nweights,
                          int *out,
                          xa_err *err)
{
    xa_node_spec spec = {
        .op = op, .name = s->layer->path, .inputs = in, .ninputs = nin, .nweights = nweights};
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        spec.weights[i] = i < nweights ? weights[i] : -1;
    if (params)
        spec.params = *params;
    return xa_graph_add(s->b->graph, &spec, out, err);
}

/* The operator on the engine's order of axes, and its result turned back. */
static xa_status add_turned(const xa__ksite *s,
                            xa_op op,
                            const int *in,
                            int nin,
                            const xa_op_params *params,
                            const int *weights,
                            int nweights,
                            int *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    xa_op_params p = params ? *params : (xa_op_params){0};
    int *turned = xa_alloc((size_t)nin, sizeof *turned);
    if (!turned)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < nin; i++)
        XA_TRY(err, xa__kturn_last(s, in[i], &turned[i], err));
    if (op == XA_OP_CONCAT) /* channels, height, width */
        p.concat.axis = (p.concat.axis + 2) % 3;
    XA_TRY(err, add_node(s, op, turned, nin, &p, weights, nweights, out, err));
    XA_TRY(err, xa__kturn_first(s, *out, out, err));
done:
    free(turned);
    return st;
}

xa_status xa__ksite_node(const xa__ksite *s,
                         xa_op op,
                         const int *in,
                         int nin,
                         const xa_op_params *params,
                         const int *weights,
                         int nweights,
                         int *out,
                         xa_err *err)
{
    if (s->b->channels_first && xa__kturn_passes(s, op, in, nin, weights, nweights))
        return add_turned(s, op, in, nin, params, weights, nweights, out, err);
    return add_node(s, op, in, nin, params, weights, nweights, out, err);
}

xa_status xa__ksite_simple(
    const xa__ksite *s, xa_op op, int in, const xa_op_params *params, int *out, xa_err *err)
{
    return xa__ksite_node(s, op, &in, 1, params, NULL, 0, out, err);
}

xa_status xa__ksite_part(const xa__ksite *s,
                         const char *name,
                         const char *type,
                         int node,
                         int64_t parameters,
                         xa_err *err)
{
    xa__klayer *l = s->layer;
    XA_RETURN_TRY(err, xa_grow(&l->parts, &l->part_cap, l->nparts + 1, sizeof *l->parts, err));
    l->parts[l->nparts++] =
        (xa__kpart){.name = name, .type = type, .node = node, .parameters = parameters};
    return XA_OK;
}

/* ---- weights ---- */

static xa_status check_shape(
    const xa__ksite *s, const char *slot, const xa__ktensor *t, const xa_shape *want, xa_err *err)
{
    char a[64], b[64];
    if (t->usable && xa_shape_equal(&t->shape, want))
        return XA_OK;
    if (t->opaque)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "weight \"%s\" is stored as bytes that say nothing of their type (\"%s\" in %s), "
            "as Keras writes bfloat16 to .h5 and cannot read back itself; save the model "
            "as .keras",
            slot,
            t->path,
            s->b->file->path);
    if (t->integer)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "weight \"%s\" has whole numbers (\"%s\" in %s): a quantised model is not read; "
            "save it as it was before quantize()",
            slot,
            t->path,
            s->b->file->path);
    XA_RETURN_FAIL(err,
                   XA_SHAPE,
                   "weight \"%s\": the layer needs shape %s, the file has %s (\"%s\" in %s)",
                   slot,
                   xa_shape_text(want, a, sizeof a),
                   t->usable ? xa_shape_text(&t->shape, b, sizeof b)
                             : "none that is floating point of at most 5 dimensions",
                   t->path,
                   s->b->file->path);
}

xa_status xa__ksite_weight(
    xa__ksite *s, int slot, const xa_shape *shape, const xa_shape *as, int *id, xa_err *err)
{
    xa__klayer *l = s->layer;
    const xa__kslot *def = &l->cls->slots[slot];
    *id = -1;
    if (l->tensor[slot] < 0)
        return XA_OK;
    XA_RETURN_TRY(err,
                  check_shape(s, def->name, &s->b->file->tensors[l->tensor[slot]], shape, err));
    if (l->weight[slot] < 0) {
        char *name = xa_strfmt("%s/%s", l->path, def->name);
        if (!name)
            XA_RETURN_NOMEM(err);
        xa_status st = xa_graph_add_weight(
            s->b->graph, name, as ? as : shape, l->tensor[slot], NULL, &l->weight[slot], err);
        free(name);
        XA_RETURN_TRY(err, st);
        l->parameters += xa_shape_count(shape);
    }
    *id = l->weight[slot];
    return XA_OK;
}

xa_status xa__ksite_scalar(xa__ksite *s, int slot, double *value, xa_err *err)
{
    xa__klayer *l = s->layer;
    const xa_shape none = {.ndim = 0};
    float x;
    if (l->tensor[slot] < 0)
        return XA_OK;
    XA_RETURN_TRY(
        err,
        check_shape(
            s, l->cls->slots[slot].name, &s->b->file->tensors[l->tensor[slot]], &none, err));
    XA_RETURN_TRY(err, xa__kfile_read(s->b->file, l->tensor[slot], &none, &x, err));
    if (l->node < 0)
        l->parameters++;
    *value = x;
    return XA_OK;
}

xa_status xa__ksite_literal(
    const xa__ksite *s, const char *name, const double *values, int n, int *id, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_shape shape = xa__kshape1(n);
    char *full = xa_strfmt("%s/%s", s->layer->path, name);
    float *copy = xa_alloc((size_t)n, sizeof *copy);
    if (!full || !copy)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++)
        copy[i] = (float)values[i];
    XA_TRY(err, xa_graph_add_weight(s->b->graph, full, &shape, -1, copy, id, err));
done:
    free(full);
    free(copy);
    return st;
}

/* ---- small graphs ---- */

xa_status xa__ksite_affine(const xa__ksite *s,
                           int in,
                           const double *scale,
                           int nscale,
                           const double *shift,
                           int nshift,
                           int *out,
                           xa_err *err)
{
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in));
    int w[4] = {-1, -1, -1, -1};
    const int n[2] = {scale ? nscale : 1, shift ? nshift : 1};
    for (int i = 0; i < 2; i++)
        if (n[i] != 1 && n[i] != channels)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "%d values for %" PRId64 " channels, expected 1 or as many",
                           n[i],
                           channels);
    if (scale)
        XA_RETURN_TRY(err, xa__ksite_literal(s, "scale", scale, nscale, &w[0], err));
    if (shift)
        XA_RETURN_TRY(err, xa__ksite_literal(s, "shift", shift, nshift, &w[1], err));
    const xa_op_params params = {.affine = {.epsilon = 0, .floor = 0}};
    return xa__ksite_node(s, XA_OP_AFFINE, &in, 1, &params, w, 4, out, err);
}

xa_status
xa__ksite_reshape(const xa__ksite *s, int in, const xa_shape *shape, int *out, xa_err *err)
{
    if (xa_shape_equal(xa__ksite_shape(s, in), shape)) {
        *out = in;
        return XA_OK;
    }
    const xa_op_params params = {.reshape = *shape};
    return xa__ksite_simple(s, XA_OP_RESHAPE, in, &params, out, err);
}

xa_status xa__ksite_axis(int64_t axis, int ndim, int *out, xa_err *err)
{
    const int64_t a = axis < 0 ? axis + ndim : axis - 1;
    if (a < 0 || a >= ndim)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "axis %" PRId64 " of a tensor with %d dimensions besides the batch",
                       axis,
                       ndim);
    *out = (int)a;
    return XA_OK;
}

xa_status xa__ksite_channels(xa__ksite *s, int in, const int *channel, int n, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_shape *x = xa__ksite_shape(s, in);
    const int64_t c = xa_shape_last(x);
    const xa_shape shape = xa__kshape2(c, n);
    float *matrix = NULL;
    char *name = NULL;
    int w[2] = {-1, -1};
    if (x->ndim < 1 || c > 4096 || n < 1 || n > 4096)
        XA_FAIL(err, XA_UNSUPPORTED, "a selection of %d from %" PRId64 " channels", n, c);
    matrix = xa_alloc((size_t)(c * n), sizeof *matrix);
    name = xa_strfmt("%s/selection", s->layer->path);
    if (!matrix || !name)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++)
        matrix[(int64_t)channel[i] * n + i] = 1.0f;
    XA_TRY(err, xa_graph_add_weight(s->b->graph, name, &shape, -1, matrix, &w[0], err));
    const xa_op_params params = {.dense = {.units = n}};
    XA_TRY(err, xa__ksite_node(s, XA_OP_DENSE, &in, 1, &params, w, 2, out, err));
done:
    free(matrix);
    free(name);
    return st;
}
