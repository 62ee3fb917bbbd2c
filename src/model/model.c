/* A model from its file: the choice of the loader, the layer table, the head. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_internal.h"

static const xa__model_format *const formats[] = {
#define X(file) &xa__model_format_##file,
    XA__MODEL_FORMAT_LIST(X)
#undef X
};

xa_model_options xa_model_defaults(void)
{
    return (xa_model_options){.max_config_bytes = (size_t)64 << 20};
}

void xa_model_free(xa_model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->nlayers; i++) {
        free(m->layers[i].path);
        free(m->layers[i].type);
    }
    for (int i = 0; i < m->nassumptions; i++)
        free(m->assumption[i]);
    free(m->assumption);
    free(m->layers);
    free(m->own_scaling);
    free(m->no_tokens);
    free(m->path);
    free(m->origin);
    free(m->attention);
    xa_graph_free(m->graph);
    if (m->format)
        m->format->free(m->source);
    free(m);
}

xa_status xa__model_add_layer(xa_model *m,
                              const char *path,
                              const char *type,
                              int node,
                              int64_t parameters,
                              int depth,
                              bool is_activation,
                              xa_err *err)
{
    XA_RETURN_TRY(
        err, xa_grow(&m->layers, &m->layer_cap, (size_t)m->nlayers + 1, sizeof(xa_layer), err));
    xa_layer *l = &m->layers[m->nlayers++];
    *l = (xa_layer){.path = xa_strdup(path),
                    .type = xa_strdup(type),
                    .node = node,
                    .shape = xa_graph_node(m->graph, node)->shape,
                    .parameters = parameters,
                    .depth = depth,
                    .is_activation = is_activation};
    if (!l->path || !l->type)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa__model_assume(xa_model *m, xa_err *err, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (int i = 0; i < m->nassumptions; i++)
        if (!strcmp(m->assumption[i], text))
            return XA_OK;
    XA_RETURN_TRY(
        err,
        xa_grow(
            &m->assumption, &m->assumption_cap, (size_t)m->nassumptions + 1, sizeof(char *), err));
    if (!(m->assumption[m->nassumptions] = xa_strdup(text)))
        XA_RETURN_NOMEM(err);
    m->nassumptions++;
    return XA_OK;
}

/* ---- head ---- */

/* The node behind reshapes that only drop extents of 1. */
static int behind_views(const xa_graph *g, int node)
{
    while (xa_graph_node(g, node)->op == XA_OP_RESHAPE)
        node = xa_graph_node(g, node)->inputs[0];
    return node;
}

/* `head:` of the job says what plain scores mean; it must not contradict the file. */
static xa_status choose_head(
    const xa_model *m, const char *name, bool sigmoid, xa_head *h, bool *as_sigmoid, xa_err *err)
{
    const int wanted = xa_head_parse(name);
    const bool plain = h->kind == XA_HEAD_LINEAR && !sigmoid;
    *as_sigmoid = wanted == XA_HEAD_BINARY || wanted == XA_HEAD_MULTILABEL;
    if (wanted < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "head \"%s\" is unknown; softmax, sigmoid, multilabel, none and regression "
                       "are known",
                       name);
    if (!plain && (wanted == XA_HEAD_LINEAR || !xa_head_has_probs((xa_head_kind)wanted) ||
                   *as_sigmoid != sigmoid))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s ends in %s, the job says head: %s; leave `head` out",
                       m->path,
                       sigmoid ? "sigmoid" : xa_head_name(h->kind),
                       name);
    if (wanted == XA_HEAD_MULTILABEL && h->units == 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s gives one score, the job says head: multilabel; one score for two "
                       "classes is head: sigmoid",
                       m->path);
    if (plain)
        h->kind = (xa_head_kind)wanted;
    return XA_OK;
}

static xa_status read_head(xa_model *m, const xa_model_options *opt, xa_err *err)
{
    const int end = behind_views(m->graph, m->output);
    const xa_node *last = xa_graph_node(m->graph, end);
    char text[96];
    bool sigmoid = false;
    xa_head h = {.kind = XA_HEAD_LINEAR, .node = m->output};
    if (last->op == XA_OP_SOFTMAX) {
        h.kind = XA_HEAD_SOFTMAX;
        h.node = last->inputs[0];
    } else if (last->op == XA_OP_ACTIVATION && last->params.activation.kind == XA_ACT_SIGMOID) {
        sigmoid = true;
        h.node = last->inputs[0];
    }
    h.units = xa_shape_count(&xa_graph_node(m->graph, h.node)->shape);
    if (xa_shape_last(&xa_graph_node(m->graph, h.node)->shape) != h.units)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s (%s) gives %s for an image, expected one score for each class, as [1000]: xaudit "
            "explains classifiers",
            m->path,
            m->format->name,
            xa_shape_text(&xa_graph_node(m->graph, h.node)->shape, text, sizeof text));
    if (opt->head)
        XA_RETURN_TRY(err, choose_head(m, opt->head, sigmoid, &h, &sigmoid, err));
    if (sigmoid)
        h.kind = h.units == 1 ? XA_HEAD_BINARY : XA_HEAD_MULTILABEL;
    if (h.kind == XA_HEAD_SOFTMAX && h.units == 1)
        xa_log(XA_LOG_WARN,
               "%s ends in a softmax of one score, which is 1 for every image; one score for "
               "two classes needs a sigmoid",
               m->path);
    h.classes = h.kind == XA_HEAD_BINARY ? 2 : h.units;
    m->head = h;
    return XA_OK;
}

const char *xa_model_plain_scores(const xa_model *m, char *text, size_t size)
{
    const xa_layer *last = NULL; /* the innermost one, which the author of a nested model wrote */
    for (int i = 0; i < m->nlayers; i++)
        if (m->layers[i].node == m->head.node && (!last || m->layers[i].depth > last->depth))
            last = &m->layers[i];
    snprintf(
        text,
        size,
        "it ends in plain scores: %s%s%s%s%s has no softmax or sigmoid, so that the file does not "
        "tell what they mean. Write `head: softmax` (one class an image), `head: %s` (%s), "
        "`head: none` to have scores without probabilities, or `head: regression` for outputs that "
        "are no classes",
        last ? "the last layer, \"" : "the last layer",
        last ? last->path : "",
        last ? "\" (" : "",
        last ? last->type : "",
        last ? ")," : "",
        m->head.units == 1 ? "sigmoid" : "multilabel",
        m->head.units == 1 ? "one score for two classes" : "several classes an image");
    return text;
}

/* ---- open ---- */

/* The format of a file; NULL if no loader recognises it. */
static const xa__model_format *format_of(const char *path)
{
    unsigned char start[XA__MODEL_START];
    int fd = -1;
    int64_t size;
    size_t n = 0;
    xa_status st = xa_open_regular(path, &fd, &size, NULL);
    if (st == XA_OK) {
        st = xa_read_fd(fd, path, start, sizeof start, &n, NULL);
        close(fd);
    }
    for (size_t i = 0; st == XA_OK && i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->recognises(path, start, n))
            return formats[i];
    return NULL;
}

bool xa_model_recognises(const char *path)
{
    return format_of(path);
}

xa_status xa_model_metadata(const char *file, const char *key, char **out, xa_err *err)
{
    int fd = -1;
    int64_t size;
    *out = NULL;
    XA_RETURN_TRY(err, xa_open_regular(file, &fd, &size, err));
    close(fd);
    const xa__model_format *format = format_of(file);
    return format && format->metadata ? format->metadata(file, key, out, err) : XA_OK;
}

static xa_status check_options(const xa_model *m, const xa_model_options *opt, xa_err *err)
{
    if (opt->nconstants && !m->format->takes_constants)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: inputs: only an ONNX model takes inputs beside the image",
                       m->path);
    if (opt->output && !m->format->names_outputs)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: output_name: models of this format have one output; leave it out",
                       m->path);
    return XA_OK;
}

xa_status xa_model_open(const char *file, const xa_model_options *opt, xa_model **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_model *m = xa_alloc(1, sizeof *m);
    if (!m || !(m->path = xa_strdup(file)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    m->format = format_of(file);
    if (!m->format) {
        XA_TRY(err, xa__model_sniff(file, err)); /* it fails, and says why */
        XA_FAIL(err, XA_UNSUPPORTED, "%s: not a model", file);
    }
    XA_TRY(err, check_options(m, opt, err));
    XA_TRY(err, m->format->open(m, opt, err));
    xa_graph_set_numerics(m->graph, opt->numerics);
    XA_TRY(err, xa__model_find_tokens(m, err));
    if (!opt->any_output)
        XA_TRY(err, read_head(m, opt, err));
    m->format->close(m->source);
    *out = m;
    m = NULL;
done:
    xa_model_free(m);
    if (st != XA_OK && xa__model_is_shard(file))
        xa_err_prefix(
            err,
            "%s is one of several files that hold the model together; write it as one, in "
            "Python: transformers.AutoModelForImageClassification.from_pretrained(\"folder\")"
            ".save_pretrained(\"one\", max_shard_size=\"100GB\"). Alone it is refused",
            file);
    if (st != XA_OK && err && !strstr(err->message, file))
        xa_err_prefix(err, "%s", file);
    return st;
}

/* ---- what it is ---- */

const xa_graph *xa_model_graph(const xa_model *m)
{
    return m->graph;
}

int xa_model_output(const xa_model *m)
{
    return m->output;
}

const xa_head *xa_model_head(const xa_model *m)
{
    return &m->head;
}

const char *xa_model_file(const xa_model *m)
{
    return m->path;
}

const char *xa_model_sha256(const xa_model *m)
{
    xa_model *cache = (xa_model *)m; /* the hash is computed at the first call */
    if (!cache->sha256[0] && xa_sha256_file(m->path, cache->sha256, NULL) != XA_OK)
        cache->sha256[0] = '\0';
    return cache->sha256;
}

const char *xa_model_config_sha256(const xa_model *m)
{
    xa_model *cache = (xa_model *)m; /* weights beside the file are hashed when first asked for */
    if (!cache->config_sha256[0] && m->format->hash_beside &&
        m->format->hash_beside(m->source, cache->config_sha256, NULL) != XA_OK) {
        cache->config_sha256[0] = '\0';
        return NULL;
    }
    return m->config_sha256;
}

const char *xa_model_origin(const xa_model *m)
{
    return m->origin;
}

int xa_model_assumptions(const xa_model *m)
{
    return m->nassumptions;
}

const char *xa_model_assumption(const xa_model *m, int i)
{
    return m->assumption[i];
}

xa_shape xa_model_input(const xa_model *m)
{
    return m->input_shape;
}

xa_shape xa_model_file_input(const xa_model *m)
{
    return m->file_input;
}

const char *xa_model_own_scaling(const xa_model *m)
{
    return m->own_scaling;
}

int xa_model_layers(const xa_model *m)
{
    return m->nlayers;
}

const xa_layer *xa_model_layer(const xa_model *m, int i)
{
    return &m->layers[i];
}

/* ---- weights ---- */

static xa_status read_weight(void *arg, const xa_weight *w, float *dst, xa_err *err)
{
    xa_model *m = arg;
    return m->format->read(m, w, dst, err);
}

static xa_status read_columns(void *arg,
                              const xa_weight *w,
                              int64_t first,
                              int64_t count,
                              float *dst,
                              bool *done,
                              xa_err *err)
{
    xa_model *m = arg;
    return m->format->read_columns(m, w, first, count, dst, done, err);
}

xa_weight_reader xa_model_reader(xa_model *m)
{
    return (xa_weight_reader){.read = read_weight,
                              .arg = m,
                              .read_columns = m->format->read_columns ? read_columns : NULL};
}

void xa_model_close_file(xa_model *m)
{
    m->format->close(m->source);
}
