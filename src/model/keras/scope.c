/* Models and layers of a Keras configuration. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "config.h"
#include "layers.h"

/* Context and limits of one parse. */
typedef struct parser {
    int layers; /* parsed so far, in all scopes */
    const char *user_classes;
    const char *output; /* of the outermost model, or NULL */
} parser;

const char *xa__kclass_bare(const char *written)
{
    const char *mark = strrchr(written, '>');
    return mark ? mark + 1 : written;
}

static void layer_fini(xa__klayer *l)
{
    for (size_t i = 0; i < l->ncalls; i++) {
        free(l->calls[i].operands);
        free(l->calls[i].refs);
    }
    free(l->calls);
    free(l->path);
    free(l->parts);
    xa__kscope_free(l->inner);
}

void xa__kscope_free(xa__kscope *s)
{
    if (!s)
        return;
    for (int i = 0; s->layers && i < s->nlayers; i++)
        layer_fini(&s->layers[i]);
    free(s->layers);
    free(s->order);
    json_decref(s->owned);
    free(s);
}

/* Is it a functional model, by what its config holds? Its class may be the user's own. */
static bool is_functional(const json_t *config)
{
    return json_is_array(json_object_get(config, "layers")) &&
           json_object_get(config, "output_layers");
}

static bool is_sequential(const char *type, const json_t *config)
{
    return strcmp(type, "Sequential") == 0 && !is_functional(config);
}

static xa_status parse_scope(parser *p,
                             const char *type,
                             const json_t *config,
                             const char *path,
                             int depth,
                             xa__kscope **out,
                             xa_err *err);

static xa_status unknown_class(const xa__klayer *l, const char *written, xa_err *err)
{
    if (strcmp(l->type, "Lambda") == 0)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "layer \"%s\" is a Lambda: code from a model file is never executed; write "
            "it with Keras layers (Rescaling, Normalization, Resizing, ...) and save the "
            "model again",
            l->path);
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "layer \"%s\" has the class \"%s\", which is not supported; no layer is ever "
                   "skipped or guessed",
                   l->path,
                   written);
}

/* Refuses settings that change which weights a layer has, before its weights are searched for. */
static xa_status refuse_settings(const xa__klayer *l, xa_err *err)
{
    static const char *const settings[][2] = {
        {"quantization_config",
         "it is quantised, which is not supported; save the model as it was before quantize()"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const json_t *v = json_object_get(l->config, settings[i][0]);
        if (v && !json_is_null(v) && !json_is_false(v))
            XA_RETURN_FAIL(
                err, XA_UNSUPPORTED, "layer \"%s\" (%s): %s", l->path, l->type, settings[i][1]);
    }
    return XA_OK;
}

/* ---- layers around a layer ---- */

static const char spectral[] = "SpectralNormalization", distributed[] = "TimeDistributed";

/* TimeDistributed applies its layer to each step apart, which is what these layers do anyway: they
 * work on the last axis, or on every value. */
static xa_status check_distributed(const xa__klayer *l, const xa__klayer *in, xa_err *err)
{
    static const char words[] = "Dense Activation ReLU LeakyReLU ELU Dropout GaussianDropout "
                                "GaussianNoise AlphaDropout Identity Rescaling";
    static const char along_last[] =
        "LayerNormalization RMSNormalization UnitNormalization BatchNormalization Softmax";
    const json_t *axis = json_object_get(in->config, "axis");
    if (json_is_array(axis) && json_array_size(axis) == 1)
        axis = json_array_get(axis, 0);
    const bool last = !axis || json_is_null(axis) || json_integer_value(axis) == -1;
    if (!in->inner &&
        (xa_words_have(words, in->type) || (last && xa_words_have(along_last, in->type))))
        return XA_OK;
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "layer \"%s\" (%s) is around a %s, whose work on each step apart is not "
                   "supported%s",
                   l->path,
                   l->type,
                   in->type,
                   xa_words_have(along_last, in->type) ? " along another axis than -1" : "");
}

/* The layer that another is around, as a model of one layer. SpectralNormalization changes its
 * layer's kernel in training alone; the file has the changed one. */
static xa_status parse_wrapper(
    parser *p, const json_t *config, const char *path, int depth, xa__klayer *l, xa_err *err)
{
    static const char *const keys =
        "name trainable dtype layer power_iterations batch_input_shape activity_regularizer";
    json_t *inside = json_object_get(config, "layer"), *list = json_pack("[O]", inside), *value;
    const char *key;
    if (!list)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "layer \"%s\" (%s) says nothing of its layer", l->path, l->type);
    json_object_foreach((json_t *)config, key, value) if (!json_is_null(value) &&
                                                          !xa_words_have(keys, key))
    {
        json_decref(list);
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "layer \"%s\" (%s): its setting \"%.64s\" is not understood",
                       l->path,
                       l->type,
                       key);
    }
    const xa_status st = parse_scope(p, "Sequential", list, path, depth + 1, &l->inner, err);
    if (st != XA_OK) {
        json_decref(list);
        return XA_ERR_PASS(err, st);
    }
    l->inner->owned = list;
    l->inner->wrapper = strcmp(l->type, spectral) == 0 ? spectral : distributed;
    return l->inner->wrapper == distributed ? check_distributed(l, &l->inner->layers[0], err)
                                            : XA_OK;
}

/* One entry of a layers list: name, class, settings, and what is inside. */
static xa_status parse_layer(
    parser *p, const json_t *entry, const char *parent, int depth, xa__klayer *l, xa_err *err)
{
    const char *written = json_string_value(json_object_get(entry, "class_name"));
    const json_t *config = json_object_get(entry, "config");
    char named[256];
    if (!written)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "a layer of \"%s\" has no class_name; is the configuration complete?",
                       *parent ? parent : "the model");
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *own = json_string_value(json_object_get(config, "name"));
    l->name = name ? name : own ? own : written;
    if (strlen(l->name) > 1024)
        XA_RETURN_FAIL(err, XA_LIMIT, "a layer name of %zu bytes", strlen(l->name));
    l->type = xa__kclass_bare(written);
    if (!strcmp(l->type, "Lambda") && !strcmp(l->name, "ExtractToken"))
        l->type =
            "ExtractToken"; /* v[:, 0] of vit-keras, recognised by its name; its code is not read */
    l->foreign = !strcmp(l->type, "ExtractToken") && !strcmp(xa__kclass_bare(written), "Lambda");
    l->config = config;
    l->depth = depth;
    l->node = -1;
    for (int i = 0; i < XA__KMAX_SLOTS; i++)
        l->tensor[i] = l->weight[i] = -1;
    l->path = *parent ? xa_strfmt("%s/%s", parent, l->name) : xa_strdup(l->name);
    if (!l->path)
        XA_RETURN_NOMEM(err);
    if (++p->layers > XA__KMAX_LAYERS)
        XA_RETURN_FAIL(err, XA_LIMIT, "more than %d layers", XA__KMAX_LAYERS);
    if (!json_is_object(config) && !is_sequential(l->type, config)) {
        char text[80];
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "layer \"%s\": its config is %s, expected an object of settings",
                       l->path,
                       xa__kjson_text(config, text, sizeof text));
    }
    xa_status st = xa__kget_bool(config, "trainable", true, &l->trainable, err);
    if (st != XA_OK) {
        xa_err_prefix(err, "layer \"%s\"", l->path);
        return st;
    }
    if (is_functional(config) || is_sequential(l->type, config)) {
        l->foreign = !xa__kclass_is_own(entry, written, false, named, sizeof named);
        return parse_scope(p, l->type, config, l->path, depth + 1, &l->inner, err);
    }
    if ((!strcmp(l->type, spectral) || !strcmp(l->type, distributed)) &&
        xa__kclass_is_own(entry, written, false, named, sizeof named))
        return parse_wrapper(p, config, l->path, depth, l, err);
    l->cls = xa__kclass_find(l->type);
    if (!l->cls)
        return unknown_class(l, written, err);
    const bool keras =
        xa__kclass_is_own(entry, written, l->cls->flags & XA__KCLASS_PACKAGE, named, sizeof named);
    l->foreign = l->foreign || !keras;
    if (!keras && !xa__kclass_is_listed(p->user_classes, named))
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "layer \"%s\" has the user's class \"%s\", which is not Keras' own %s: what it "
            "computes is not in the file. If it computes the same, build the model with "
            "Keras' %s and save it again, or write user_classes: [\"%s\"] for the model in "
            "the job",
            l->path,
            named,
            l->type,
            l->type,
            named);
    return refuse_settings(l, err);
}

static xa_status parse_scope(parser *p,
                             const char *type,
                             const json_t *config,
                             const char *path,
                             int depth,
                             xa__kscope **out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa__kscope *s = xa_alloc(1, sizeof *s);
    /* Old Sequential models are their list of layers. */
    const json_t *entries = json_is_array(config) ? config : json_object_get(config, "layers");
    if (!s)
        XA_NOMEM_FAIL(err);
    if (depth > XA__KMAX_NESTING)
        XA_FAIL(err,
                XA_LIMIT,
                "model \"%s\" is nested %d deep, the limit is %d",
                path,
                depth,
                XA__KMAX_NESTING);
    const size_t n = json_array_size(entries);
    if (n == 0)
        XA_FAIL(err, XA_FORMAT, "model \"%s\" has no layers", *path ? path : type);
    if (n > XA__KMAX_LAYERS)
        XA_FAIL(err, XA_LIMIT, "%zu layers, the limit is %d", n, XA__KMAX_LAYERS);
    s->sequential = is_sequential(type, config);
    s->config = config;
    s->layers = xa_alloc(n, sizeof *s->layers);
    if (!s->layers)
        XA_NOMEM_FAIL(err);
    for (size_t i = 0; i < n; i++) {
        s->nlayers = (int)i + 1;
        XA_TRY(err, parse_layer(p, json_array_get(entries, i), path, depth, &s->layers[i], err));
    }
    if (s->sequential && !depth && p->output &&
        strcmp(p->output, s->layers[s->nlayers - 1].name) != 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "output_name: it has no output \"%s\"; its output is \"%s\"",
                p->output,
                s->layers[s->nlayers - 1].name);
    if (!s->sequential) {
        st = xa__kcalls_parse(s, entries, depth ? NULL : p->output, err);
        if (st != XA_OK) {
            xa_err_prefix(err, "model \"%s\"", *path ? path : type);
            XA_TRY(err, st);
        }
    }
    *out = s;
    s = NULL;
done:
    xa__kscope_free(s);
    return st;
}

/* Keras' own model classes, of which Keras 3's .h5 and older files name the class alone. */
static bool is_keras_model(const json_t *model, const char *written)
{
    char named[256];
    return xa__kclass_is_own(model, written, false, named, sizeof named) &&
           (!strcmp(written, "Model") || !strcmp(written, "Functional") ||
            !strcmp(written, "Sequential"));
}

xa_status xa__kscope_parse(const json_t *model,
                           const char *user_classes,
                           const char *output,
                           xa__kscope **out,
                           xa_err *err)
{
    parser p = {.user_classes = user_classes, .output = output};
    const char *type = json_string_value(json_object_get(model, "class_name"));
    const json_t *config = type ? json_object_get(model, "config") : model;
    if (!type)
        type = "Model";
    const char *written = type;
    type = xa__kclass_bare(type);
    if (!is_functional(config) && !is_sequential(type, config))
        XA_RETURN_FAIL(
            err,
            XA_FORMAT,
            "the architecture is neither a Sequential nor a Functional model: class \"%s\" is "
            "a subclassed model, whose layers hang together in its code, which the file does "
            "not hold. Build it from its input and save it again, in Python: x = "
            "keras.Input((HEIGHT, WIDTH, 3)); keras.Model(x, "
            "model.call(x)).save(\"model.keras\")",
            type);
    XA_RETURN_TRY(err, parse_scope(&p, type, config, "", 0, out, err));
    if (written && !is_keras_model(model, written))
        (*out)->foreign = written;
    return XA_OK;
}

/* ---- the input ---- */

/* [null, 299, 299, 3], or that inside a list of one. */
static bool read_shape(const json_t *v, xa_shape *out)
{
    if (json_is_array(v) && json_array_size(v) == 1 && json_is_array(json_array_get(v, 0)))
        v = json_array_get(v, 0);
    const size_t n = json_array_size(v);
    if (!json_is_array(v) || n < 1 || n > XA_MAX_DIMS + 1)
        return false;
    out->ndim = (int)n - 1;
    for (size_t i = 1; i < n; i++) {
        const json_t *d = json_array_get(v, i);
        if (!json_is_integer(d) && !json_is_null(d))
            return false;
        out->dim[i - 1] = json_is_integer(d) ? json_integer_value(d) : -1;
    }
    return true;
}

static bool layer_shape(const xa__klayer *l, xa_shape *out)
{
    return read_shape(json_object_get(l->config, "batch_input_shape"), out) ||
           read_shape(json_object_get(l->config, "batch_shape"), out);
}

bool xa__kscope_input_shape(const xa__kscope *s, xa_shape *out)
{
    if (!s->sequential)
        return layer_shape(&s->layers[s->input.layer], out);
    const xa__klayer *first = &s->layers[0];
    return layer_shape(first, out) ||
           read_shape(json_object_get(s->config, "build_input_shape"), out) ||
           read_shape(json_object_get(s->config, "batch_input_shape"), out) ||
           (first->inner && xa__kscope_input_shape(first->inner, out));
}

const char *xa__kscope_input_name(const xa__kscope *s)
{
    const xa__klayer *l = &s->layers[s->sequential ? 0 : s->input.layer];
    return strcmp(l->type, "InputLayer") == 0 ? l->name : NULL;
}

bool xa__kscope_is_keras3(const xa__kscope *s)
{
    for (int i = 0; i < s->nlayers; i++) {
        const xa__klayer *l = &s->layers[i];
        if (json_object_get(l->config, "batch_shape") ||
            (l->inner && xa__kscope_is_keras3(l->inner)))
            return true;
    }
    return false;
}

/* 1: channels_first, 0: channels_last, -1: no layer says it. */
static int first_format(const xa__kscope *s)
{
    for (int i = 0; i < s->nlayers; i++) {
        const xa__klayer *l = &s->layers[i];
        const char *format = json_string_value(json_object_get(l->config, "data_format"));
        const int inner = l->inner ? first_format(l->inner) : -1;
        if (format || inner >= 0)
            return format ? !strcmp(format, "channels_first") : inner;
    }
    return -1;
}

bool xa__kscope_channels_first(const xa__kscope *s)
{
    return first_format(s) == 1;
}
