/* Keras .h5 and .hdf5 (whole-model files, and weights-only files with their JSON beside them), and
 * .keras archives, which hold both. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "graph.h"
#include "model/model_internal.h"
#include "scope.h"
#include "unread.h"
#include "zip.h"

enum { MAX_CALLS = 200000 };

static xa__kfile *file_of(const xa_model *m)
{
    return (xa__kfile *)m->source;
}

/* ---- architecture ---- */

/* Reads the JSON of a weights-only file: as given, or <stem>.json, or model.json beside it. The
 * caller frees *where, its path. */
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
input_shape(xa_model *m, const xa__kscope *scope, const xa_model_options *opt, xa_err *err)
{
    xa_shape s;
    char text[96];
    if (!xa__kscope_input_shape(scope, &s))
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s does not say the shape of its input; build the model with an Input layer",
            m->path);
    if (s.ndim == 3 && xa__kscope_channels_first(scope))
        s = (xa_shape){.ndim = 3, .dim = {s.dim[1], s.dim[2], s.dim[0]}};
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
        if (s.dim[i] < 1 || s.dim[i] > XA__KMAX_EXTENT)
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

static int64_t parameters_of(const xa__klayer *l)
{
    int64_t n = l->parameters;
    for (int i = 0; l->inner && i < l->inner->nlayers; i++)
        n += parameters_of(&l->inner->layers[i]);
    return n;
}

static xa_status add_part(xa_model *m, const xa__klayer *l, const xa__kpart *part, xa_err *err)
{
    char *path = xa_strfmt("%s/%s", l->path, part->name);
    if (!path)
        XA_RETURN_NOMEM(err);
    const xa_status st = xa__model_add_layer(
        m, path, part->type, part->node, part->parameters, l->depth + 1, false, err);
    free(path);
    return st;
}

static xa_status add_layers(xa_model *m, const xa__kscope *scope, xa_err *err)
{
    for (int i = 0; i < scope->nlayers; i++) {
        const xa__klayer *l = &scope->layers[i];
        if (l->node < 0)
            continue; /* the output does not depend on it */
        for (size_t k = 0; k < l->nparts; k++)
            XA_RETURN_TRY(err, add_part(m, l, &l->parts[k], err));
        XA_RETURN_TRY(
            err,
            xa__model_add_layer(
                m, l->path, l->type, l->node, parameters_of(l), l->depth, l->is_activation, err));
        if (l->inner)
            XA_RETURN_TRY(err, add_layers(m, l->inner, err));
    }
    return XA_OK;
}

/* ---- what is taken for granted ---- */

static bool is_keras_model(const char *type)
{
    static const char *const types[] = {"Model", "Functional", "Sequential"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(type, types[i]))
            return true;
    return false;
}

static xa_status assume_graph(xa_model *m, const char *what, const char *named, xa_err *err)
{
    return xa__model_assume(
        m,
        err,
        "%s\"%s\" computes the graph of its layers and no more: it is of a user's "
        "class, whose code the file does not hold",
        what,
        named);
}

/* Notes as assumed: models of users' classes, and the Lambda with which vit-keras picks a token,
 * recognised by its name. */
static xa_status note_assumed(xa_model *m, const xa__kscope *scope, xa_err *err)
{
    for (int i = 0; i < scope->nlayers; i++) {
        const xa__klayer *l = &scope->layers[i];
        if (l->inner && (!is_keras_model(l->type) || l->foreign))
            XA_RETURN_TRY(err, assume_graph(m, "model ", l->path, err));
        if (!l->inner && !strcmp(l->type, "ExtractToken") && l->foreign)
            XA_RETURN_TRY(
                err,
                xa__model_assume(m,
                                 err,
                                 "layer \"%s\", a Lambda, takes the first token, as that of "
                                 "vit-keras does; its code is not read",
                                 l->path));
        else if (!l->inner && l->foreign)
            XA_RETURN_TRY(
                err,
                xa__model_assume(m,
                                 err,
                                 "layer \"%s\", of a user's class or activation, computes "
                                 "what Keras' %s does, as "
                                 "user_classes of the job says",
                                 l->path,
                                 l->type));
        if (l->inner)
            XA_RETURN_TRY(err, note_assumed(m, l->inner, err));
    }
    return XA_OK;
}

/* ---- open ---- */

/* The image as a model with channels_first reads it. */
static xa_status turn_input(xa_graph *g, int *input, xa_err *err)
{
    const xa_node_spec spec = {.op = XA_OP_PERMUTE,
                               .name = "channels_first",
                               .inputs = input,
                               .ninputs = 1,
                               .params.permute.order = {2, 0, 1}};
    int node;
    XA_RETURN_TRY(err, xa_graph_add(g, &spec, &node, err));
    *input = node;
    return XA_OK;
}

static xa_status build(xa_model *m, xa__kscope *scope, const xa_model_options *opt, xa_err *err)
{
    xa__kbuild b = {.file = file_of(m),
                    .budget = MAX_CALLS,
                    .keras = 2,
                    .user_classes = opt->user_classes,
                    .interpolate = opt->interpolate_positions};
    int input;
    if (file_of(m)->version && file_of(m)->version[0] >= '1' && file_of(m)->version[0] <= '9')
        b.keras = file_of(m)->version[0] - '0';
    else if (xa__kscope_is_keras3(scope))
        b.keras = 3;
    XA_RETURN_TRY(err, input_shape(m, scope, opt, err));
    XA_RETURN_TRY(err, xa__kbind(file_of(m), scope, err));
    XA_RETURN_TRY(err, xa_graph_create(&m->graph, err));
    b.graph = m->graph;
    const char *name = xa__kscope_input_name(scope);
    XA_RETURN_TRY(
        err, xa_graph_add_input(m->graph, name ? name : "input", &m->input_shape, &input, err));
    b.channels_first = m->input_shape.ndim == 3 && xa__kscope_channels_first(scope);
    if (b.channels_first)
        XA_RETURN_TRY(err, turn_input(m->graph, &input, err));
    XA_RETURN_TRY(err, xa__kgraph_build(&b, scope, input, &m->output, err));
    XA_RETURN_TRY(err, xa__kunread_check(file_of(m), scope, err));
    if (b.own_scaling && !(m->own_scaling = xa_strdup(b.own_scaling)))
        XA_RETURN_NOMEM(err);
    XA_RETURN_TRY(err, add_layers(m, scope, err));
    m->origin = xa_strfmt("Keras %s%s%s%s, %s",
                          file_of(m)->version ? file_of(m)->version
                          : b.keras == 3      ? "3"
                                              : "2",
                          file_of(m)->backend ? " (" : "",
                          file_of(m)->backend ? file_of(m)->backend : "",
                          file_of(m)->backend ? ")" : "",
                          scope->sequential ? "sequential" : "functional");
    if (!m->origin)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* model.to_json() says which Keras wrote it; a file of weights may not. */
static xa_status note_version(xa__kfile *f, const json_t *json, xa_err *err)
{
    const char *version = json_string_value(json_object_get(json, "keras_version"));
    const char *backend = json_string_value(json_object_get(json, "backend"));
    if (!f->version && version && !(f->version = xa_strndup(version, strnlen(version, 64))))
        XA_RETURN_NOMEM(err);
    if (!f->backend && backend && !(f->backend = xa_strndup(backend, strnlen(backend, 64))))
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

static bool recognises(const char *path, const unsigned char *start, size_t n)
{
    static const unsigned char magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    (void)path;
    /* the signature may follow a user block of 512, 1024, ... bytes */
    for (size_t at = 0; at + sizeof magic <= n; at = at ? at * 2 : 512)
        if (!memcmp(start + at, magic, sizeof magic))
            return true;
    return false;
}

/* Reads which Keras wrote a .keras archive: {"keras_version": "3.15.1", ...}. */
static xa_status read_metadata(xa__kfile *f, xa_err *err)
{
    char *text = NULL;
    json_t *json = NULL;
    size_t size;
    xa_status st = XA_OK;
    XA_TRY(err, xa__kzip_text(f->path, "metadata.json", 1 << 20, &text, &size, err));
    XA_TRY(err, xa__kjson_parse(text, size, f->path, &json, err));
    XA_TRY(err, note_version(f, json, err));
done:
    json_decref(json);
    free(text);
    return st;
}

static xa_status open_file(xa_model *m, const xa_model_options *opt, xa_err *err)
{
    xa_status st = XA_OK;
    json_t *json = NULL;
    xa__kscope *scope = NULL;
    xa__kfile *file = NULL;
    char *text = NULL, *where = NULL;
    size_t size = 0;
    const bool zipped = m->format == &xa__model_format_keras_zip;
    XA_TRY(err, xa__kfile_open(m->path, zipped, opt->max_config_bytes, &file, err));
    m->source = (xa__model_source *)file;
    if (zipped) {
        XA_TRY(err, read_metadata(file, err));
        XA_TRY(err,
               xa__kzip_text(
                   m->path, "config.json", opt->max_config_bytes, &file->config, &size, err));
    }
    const bool inside = file->config && !opt->architecture;
    if (!inside) {
        XA_TRY(err, read_architecture(m->path, opt, &text, &size, &where, err));
        XA_TRY(err, xa_sha256_bytes(text, size, m->config_sha256, err));
    }
    XA_TRY(err,
           xa__kjson_parse(inside ? file->config : text,
                           inside ? strlen(file->config) : size,
                           where ? where : m->path,
                           &json,
                           err));
    XA_TRY(err, note_version(file, json, err));
    XA_TRY(err, xa__kscope_parse(json, opt->user_classes, opt->output, &scope, err));
    XA_TRY(err, build(m, scope, opt, err));
    if (scope->foreign)
        XA_TRY(err, assume_graph(m, "the model, of class ", scope->foreign, err));
    XA_TRY(err, note_assumed(m, scope, err));
done:
    free(text);
    free(where);
    xa__kscope_free(scope);
    json_decref(json);
    return st;
}

/* ---- weights ---- */

/* Theano's convolution flips its kernels, unlike other backends: they are rotated by half a turn.
 */
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

/* Reads a position embedding [1,tokens,width] for another grid than the file's. */
static xa_status
read_positions(xa_model *m, const xa__ktensor *t, int tensor, float *dst, xa_err *err)
{
    const xa_tokens *to = xa_model_tokens(m);
    const int64_t d = t->shape.dim[t->shape.ndim - 1];
    xa_status st = XA_OK;
    float *raw = NULL;
    if (!to || !m->file_input.dim[0] || !m->file_input.dim[1])
        XA_FAIL(err, XA_SHAPE, "%s: weight \"%s\" is of another size", m->path, t->name);
    const int64_t h = m->file_input.dim[0] * to->height / m->input_shape.dim[0],
                  w = m->file_input.dim[1] * to->width / m->input_shape.dim[1];
    if (t->shape.dim[1] != to->prefix + h * w)
        XA_FAIL(err,
                XA_SHAPE,
                "%s: weight \"%s\" has %" PRId64 " rows, expected %" PRId64 " of a grid of %" PRId64
                "x%" PRId64,
                m->path,
                t->name,
                t->shape.dim[1],
                to->prefix + h * w,
                h,
                w);
    raw = xa_alloc((size_t)xa_shape_count(&t->shape), sizeof *raw);
    if (!raw)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    XA_TRY(err, xa__kfile_read(file_of(m), tensor, &t->shape, raw, err));
    memcpy(dst, raw, (size_t)(to->prefix * d) * sizeof *dst);
    xa__positions_resize(
        raw + to->prefix * d, h, w, d, dst + to->prefix * d, to->height, to->width);
done:
    free(raw);
    return st;
}

static xa_status read_weight(xa_model *m, const xa_weight *w, float *dst, xa_err *err)
{
    xa__kfile *f = file_of(m);
    if (w->source < 0 || (size_t)w->source >= f->ntensors)
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "weight \"%s\" is not in %s", w->name, m->path);
    const xa__ktensor *t = &f->tensors[w->source];
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    if (xa_shape_count(&t->shape) != xa_shape_count(&w->shape))
        return read_positions(m, t, (int)w->source, dst, err);
    XA_RETURN_TRY(err, xa__kfile_read(f, (int)w->source, &t->shape, dst, err));
    if (f->backend && !strcmp(f->backend, "theano") && t->shape.ndim == 4)
        turn_kernel(&t->shape, dst);
    return XA_OK;
}

static void close_file(xa__model_source *s)
{
    xa__kfile_close((xa__kfile *)s);
}

static void free_file(xa__model_source *s)
{
    xa__kfile_free((xa__kfile *)s);
}

const xa__model_format xa__model_format_keras_h5 = {.name = "Keras .h5",
                                                    .names_outputs = true,
                                                    .recognises = recognises,
                                                    .open = open_file,
                                                    .read = read_weight,
                                                    .close = close_file,
                                                    .free = free_file};

static bool recognises_zip(const char *path, const unsigned char *start, size_t n)
{
    static const char *const members[] = {"metadata.json", "config.json", "model.weights.h5"};
    if (n < 30 || memcmp(start, "PK\003\004", 4))
        return false;
    if (xa_str_ends(path, ".keras"))
        return true;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (n >= 30 + strlen(members[i]) && !memcmp(start + 30, members[i], strlen(members[i])))
            return true;
    return false;
}

const xa__model_format xa__model_format_keras_zip = {.name = ".keras",
                                                     .names_outputs = true,
                                                     .recognises = recognises_zip,
                                                     .open = open_file,
                                                     .read = read_weight,
                                                     .close = close_file,
                                                     .free = free_file};
