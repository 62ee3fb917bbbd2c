/* A model from its file: architecture, weights' places, layer table, head. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keras_bind.h"
#include "keras_graph.h"
#include "model_internal.h"

enum { MAX_CALLS = 200000 };

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
    free(m->layers);
    free(m->own_scaling);
    free(m->path);
    free(m->origin);
    xa_graph_free(m->graph);
    xa_kfile_free(m->file);
    free(m);
}

/* ---- architecture ---- */

/* JSON of a weights-only file: as given, <stem>.json, then model.json beside it. *where, its path,
 * is the caller's to free. */
static xa_status read_architecture(const char *file,
                                   const xa_model_options *opt,
                                   char **text,
                                   size_t *size,
                                   char **where,
                                   xa_err *err)
{
    xa_status st = XA_OK;
    char *stem = NULL, *named = NULL, *plain = NULL;
    if (opt->architecture) {
        XA_TRY(err, xa_read_file(opt->architecture, opt->max_config_bytes, text, size, err));
        *where = xa_strdup(opt->architecture);
        goto done;
    }
    static const char *const endings[] = {".weights.h5", "_weights.h5", ".h5", ".hdf5", ".keras"};
    size_t n = strlen(file);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (xa_str_ends(file, endings[i])) {
            n -= strlen(endings[i]);
            break;
        }
    stem = xa_strndup(file, n);
    named = stem ? xa_strfmt("%s.json", stem) : NULL;
    plain = xa_path_beside(file, "model.json");
    if (!named || !plain)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    const char *found = !access(named, R_OK) ? named : !access(plain, R_OK) ? plain : NULL;
    if (!found)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s holds weights only; its architecture is needed beside it as \"%s\" or \"%s\": "
                "write it "
                "in Python with open(\"model.json\", \"w\").write(model.to_json())",
                file,
                named,
                plain);
    XA_TRY(err, xa_read_file(found, opt->max_config_bytes, text, size, err));
    *where = xa_strdup(found);
done:
    free(stem);
    free(named);
    free(plain);
    return st;
}

static xa_status
input_shape(xa_model *m, const xa_kscope *scope, const xa_model_options *opt, xa_err *err)
{
    xa_shape s;
    char text[96];
    if (!xa_kscope_input_shape(scope, &s))
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s does not say the shape of its input; build the model with an Input layer",
            m->path);
    m->file_input = s;
    if (s.ndim != 3 && !opt->any_output)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s takes %s, expected an image [height,width,channels]",
                       m->path,
                       xa_shape_text(&s, text, sizeof text));
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] < 0)
            m->file_input.dim[i] = 0;
    if (s.ndim == 3 && opt->height && opt->width) {
        s.dim[0] = opt->height;
        s.dim[1] = opt->width;
    }
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] < 1 || s.dim[i] > XA_KMAX_EXTENT)
            XA_RETURN_FAIL(
                err,
                XA_INVALID,
                "%s leaves its input open (%s, 0 = open): give the size it is to be run at",
                m->path,
                xa_shape_text(&m->file_input, text, sizeof text));
    m->input_shape = s;
    return XA_OK;
}

/* ---- layer table ---- */

static int64_t parameters_of(const xa_klayer *l)
{
    int64_t n = l->parameters;
    for (int i = 0; l->inner && i < l->inner->nlayers; i++)
        n += parameters_of(&l->inner->layers[i]);
    return n;
}

static xa_status add_layers(xa_model *m, const xa_kscope *scope, size_t *cap, xa_err *err)
{
    for (int i = 0; i < scope->nlayers; i++) {
        const xa_klayer *l = &scope->layers[i];
        if (l->node < 0)
            continue; /* not on the way to the output */
        XA_RETURN_TRY(err, xa_grow(&m->layers, cap, (size_t)m->nlayers + 1, sizeof(xa_layer), err));
        m->layers[m->nlayers] = (xa_layer){.path = xa_strdup(l->path),
                                           .type = xa_strdup(l->type),
                                           .node = l->node,
                                           .shape = xa_graph_node(m->graph, l->node)->shape,
                                           .parameters = parameters_of(l),
                                           .depth = l->depth,
                                           .is_activation = l->is_activation};
        m->nlayers++;
        if (!m->layers[m->nlayers - 1].path || !m->layers[m->nlayers - 1].type)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
        if (l->inner)
            XA_RETURN_TRY(err, add_layers(m, l->inner, cap, err));
    }
    return XA_OK;
}

/* ---- head ---- */

/* Through reshapes that only drop extents of 1. */
static int behind_views(const xa_graph *g, int node)
{
    while (xa_graph_node(g, node)->op == XA_OP_RESHAPE)
        node = xa_graph_node(g, node)->inputs[0];
    return node;
}

/* A `head:` of the job says what plain scores mean; it cannot contradict what the file has. */
static xa_status choose_head(
    const xa_model *m, const char *name, bool sigmoid, xa_head *h, bool *as_sigmoid, xa_err *err)
{
    const int wanted = xa_head_parse(name);
    const bool plain = h->kind == XA_HEAD_LINEAR && !sigmoid;
    *as_sigmoid = wanted == XA_HEAD_BINARY || wanted == XA_HEAD_MULTILABEL;
    if (wanted < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "head \"%s\" is unknown; softmax, sigmoid and multilabel are known",
                       name);
    if (!plain && (wanted == XA_HEAD_LINEAR || *as_sigmoid != sigmoid))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s ends in %s, the job says head: %s; leave `head` out",
                       m->path,
                       sigmoid ? "sigmoid" : xa_head_name(h->kind),
                       name);
    if (wanted == XA_HEAD_MULTILABEL && h->units == 1)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s gives one score, the job says head: multilabel; one score that tells two "
            "classes apart is head: sigmoid",
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
            "%s gives %s an image, expected one score a class: xaudit explains classifiers",
            m->path,
            xa_shape_text(&xa_graph_node(m->graph, h.node)->shape, text, sizeof text));
    if (opt->head)
        XA_RETURN_TRY(err, choose_head(m, opt->head, sigmoid, &h, &sigmoid, err));
    if (sigmoid)
        h.kind = h.units == 1 ? XA_HEAD_BINARY : XA_HEAD_MULTILABEL;
    if (h.kind == XA_HEAD_SOFTMAX && h.units == 1)
        xa_log(
            XA_LOG_WARN,
            "%s ends in a softmax of one score, which is 1 for every image; one score that tells "
            "two classes apart takes a sigmoid",
            m->path);
    h.classes = h.kind == XA_HEAD_BINARY ? 2 : h.units;
    m->head = h;
    return XA_OK;
}

/* ---- open ---- */

static xa_status build(xa_model *m, xa_kscope *scope, const xa_model_options *opt, xa_err *err)
{
    xa_kbuild b = {.file = m->file, .budget = MAX_CALLS, .keras = 2};
    size_t cap = 0;
    int input;
    if (m->file->version && m->file->version[0] >= '1' && m->file->version[0] <= '9')
        b.keras = m->file->version[0] - '0';
    else if (xa_kscope_is_keras3(scope))
        b.keras = 3;
    XA_RETURN_TRY(err, input_shape(m, scope, opt, err));
    XA_RETURN_TRY(err, xa_kbind(m->file, scope, err));
    XA_RETURN_TRY(err, xa_graph_create(&m->graph, err));
    b.graph = m->graph;
    const char *name = xa_kscope_input_name(scope);
    XA_RETURN_TRY(
        err, xa_graph_add_input(m->graph, name ? name : "input", &m->input_shape, &input, err));
    XA_RETURN_TRY(err, xa_kgraph_build(&b, scope, input, &m->output, err));
    if (b.own_scaling && !(m->own_scaling = xa_strdup(b.own_scaling)))
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    XA_RETURN_TRY(err, add_layers(m, scope, &cap, err));
    m->origin = xa_strfmt("Keras %s%s%s%s, %s",
                          m->file->version ? m->file->version
                          : b.keras == 3   ? "3"
                                           : "2",
                          m->file->backend ? " (" : "",
                          m->file->backend ? m->file->backend : "",
                          m->file->backend ? ")" : "",
                          scope->sequential ? "sequential" : "functional");
    if (!m->origin)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    if (opt->any_output)
        return XA_OK;
    return read_head(m, opt, err);
}

/* model.to_json() says what wrote it; weights alone may not. */
static xa_status note_version(xa_kfile *f, const json_t *json, xa_err *err)
{
    const char *version = json_string_value(json_object_get(json, "keras_version"));
    const char *backend = json_string_value(json_object_get(json, "backend"));
    if (!f->version && version && !(f->version = xa_strndup(version, strnlen(version, 64))))
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    if (!f->backend && backend && !(f->backend = xa_strndup(backend, strnlen(backend, 64))))
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    return XA_OK;
}

xa_status xa_model_open(const char *file, const xa_model_options *opt, xa_model **out, xa_err *err)
{
    xa_status st = XA_OK;
    json_t *json = NULL;
    xa_kscope *scope = NULL;
    char *text = NULL, *where = NULL;
    size_t size = 0;
    xa_model *m = xa_alloc(1, sizeof *m);
    if (!m || !(m->path = xa_strdup(file)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    XA_TRY(err, xa_kfile_open(file, opt->max_config_bytes, &m->file, err));
    const bool inside = m->file->config && !opt->architecture;
    if (!inside)
        XA_TRY(err, read_architecture(file, opt, &text, &size, &where, err));
    XA_TRY(err,
           xa_kjson_parse(inside ? m->file->config : text,
                          inside ? strlen(m->file->config) : size,
                          where ? where : file,
                          &json,
                          err));
    XA_TRY(err, note_version(m->file, json, err));
    XA_TRY(err, xa_kscope_parse(json, &scope, err));
    XA_TRY(err, build(m, scope, opt, err));
    xa_kfile_close(m->file);
    *out = m;
    m = NULL;
done:
    free(text);
    free(where);
    xa_kscope_free(scope);
    json_decref(json);
    xa_model_free(m);
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
    xa_model *cache = (xa_model *)m; /* the hash is computed when first asked for */
    if (!cache->sha256[0] && xa_sha256_file(m->path, cache->sha256, NULL) != XA_OK)
        cache->sha256[0] = '\0';
    return cache->sha256;
}

const char *xa_model_origin(const xa_model *m)
{
    return m->origin;
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

/* Theano convolves where others correlate: its kernels are turned by half a turn. */
static void turn_kernel(const xa_shape *s, float *w)
{
    const int64_t taps = s->dim[0] * s->dim[1], inner = s->dim[2] * s->dim[3];
    for (int64_t a = 0; a < taps / 2; a++)
        for (int64_t i = 0; i < inner; i++) {
            const float t = w[a * inner + i];
            w[a * inner + i] = w[(taps - 1 - a) * inner + i];
            w[(taps - 1 - a) * inner + i] = t;
        }
}

static xa_status read_weight(void *arg, const xa_weight *w, float *dst, xa_err *err)
{
    xa_model *m = arg;
    const xa_kfile *f = m->file;
    if (w->source < 0 || (size_t)w->source >= f->ntensors)
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "weight \"%s\" is not in %s", w->name, m->path);
    const xa_ktensor *t = &f->tensors[w->source];
    XA_RETURN_TRY(err, xa_kfile_reopen(m->file, err));
    XA_RETURN_TRY(err, xa_kfile_read(m->file, (int)w->source, &t->shape, dst, err));
    if (f->backend && !strcmp(f->backend, "theano") && t->shape.ndim == 4)
        turn_kernel(&t->shape, dst);
    return XA_OK;
}

xa_weight_reader xa_model_reader(xa_model *m)
{
    return (xa_weight_reader){read_weight, m};
}

void xa_model_close_file(xa_model *m)
{
    xa_kfile_close(m->file);
}
