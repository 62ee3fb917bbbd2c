/* ONNX files: what is input, what is output, and the phases between (build.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- is it one ---- */

/* ModelProto has no magic: the version, a small number, and the graph among the first fields; a
 * file that is called .onnx may have its fields in another order. */
static bool recognises(const char *path, const unsigned char *start, size_t n)
{
    enum { GRAPH_TAG = 7 << 3 | XA__WIRE_BYTES, NEWEST = 64 };
    const bool named = xa_str_ends(path, ".onnx");
    xa__wire w = xa__wire_whole(start, n);
    xa__field f;
    bool version = false, graph = false;
    size_t at = 0;
    while (xa__wire_next(&w, &f)) {
        at = w.at;
        if (f.number > 26 || (f.number == 1 && (f.kind != XA__WIRE_VARINT || f.value >= NEWEST)))
            return false;
        version = version || f.number == 1;
        graph = graph || (f.number == 7 && f.kind == XA__WIRE_BYTES);
    }
    graph = graph || (at < n && start[at] == GRAPH_TAG);
    return graph && (version || named);
}

/* ---- input ---- */

/* NHWC, where a transposition to NCHW reads the input, or where only that makes sense. */
static bool is_channels_last(const xa__onnx *m, int input)
{
    const xa__onnx_shape *s = &m->values[input].shape;
    for (int i = 0; i < m->nnodes; i++) {
        const xa__onnx_node *n = &m->nodes[i];
        for (int k = 0; k < n->ninputs; k++) {
            if (n->inputs[k] != input)
                continue;
            const xa__onnx_attribute *a = xa__onnx_attribute_of(m, n, "perm");
            if (!strcmp(n->op, "Transpose") && a && a->kind == XA__ONNX_ATTR_INTS && a->n == 4)
                return a->ints[0] == 0 && a->ints[1] == 3 && a->ints[2] == 1 && a->ints[3] == 2;
            if (!strcmp(n->op, "Conv") && k == 0)
                return false;
        }
    }
    return s->dim[3] >= 1 && s->dim[3] <= 4 && !(s->dim[1] >= 1 && s->dim[1] <= 4);
}

/* How many channels the first convolution wants, where the input leaves it open. */
static int64_t channels_of(const xa__onnx *m, int input)
{
    for (int i = 0; i < m->nnodes; i++) {
        const xa__onnx_node *n = &m->nodes[i];
        if (!strcmp(n->op, "Conv") && n->ninputs > 1 && n->inputs[0] == input &&
            n->inputs[1] >= 0 && m->values[n->inputs[1]].shape.rank == 4)
            return m->values[n->inputs[1]].shape.dim[1] * xa__onnx_int(m, n, "group", 1);
    }
    return 0;
}

static xa_status choose_input(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    char text[128];
    if (m->ninputs != 1)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s has %d inputs%s%s%s%s%s, expected one image; export a model of one input",
            m->path,
            m->ninputs,
            m->ninputs > 1 ? ": \"" : "",
            m->ninputs > 1 ? m->values[m->inputs[0]].name : "",
            m->ninputs > 1 ? "\", \"" : "",
            m->ninputs > 1 ? m->values[m->inputs[1]].name : "",
            m->ninputs > 1 ? "\"" : "");
    b->input = m->inputs[0];
    xa__onnx_value *v = &m->values[b->input];
    xa__onnx_shape *s = &v->shape;
    if (s->rank != 4)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: its input \"%s\" is %s, expected [batch, channels, height, width]",
                       m->path,
                       v->name,
                       xa__onnx_shape_text(s, text, sizeof text));
    const bool last = is_channels_last(m, b->input);
    const int h = last ? 1 : 2, w = h + 1, c = last ? 3 : 1;
    const xa_shape file = {.ndim = 3,
                           .dim = {s->dim[h] > 0 ? s->dim[h] : 0,
                                   s->dim[w] > 0 ? s->dim[w] : 0,
                                   s->dim[c] > 0 ? s->dim[c] : channels_of(m, b->input)}};
    b->model->file_input = file;
    xa_shape in = file;
    in.dim[0] = b->opt->height > 0 ? b->opt->height : in.dim[0];
    in.dim[1] = b->opt->width > 0 ? b->opt->width : in.dim[1];
    if (in.dim[2] < 1)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: its input \"%s\" is %s, which leaves the number of channels open",
                       m->path,
                       v->name,
                       xa__onnx_shape_text(s, text, sizeof text));
    if (in.dim[0] < 1 || in.dim[1] < 1)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s: its input \"%s\" is %s, which leaves height and width open; write them in "
            "the job: input: { size: [height, width] }",
            m->path,
            v->name,
            xa__onnx_shape_text(s, text, sizeof text));
    s->dim[0] = 1;
    s->dim[h] = in.dim[0];
    s->dim[w] = in.dim[1];
    s->dim[c] = in.dim[2];
    b->model->input_shape = in;
    int node;
    XA_RETURN_TRY(err, xa_graph_add_input(b->model->graph, v->name, &in, &node, err));
    b->runs[b->input] = (xa__onnx_run){
        .node = node,
        .at = last ? xa__layout_plain(s) : xa__layout_image(in.dim[2], in.dim[0], in.dim[1])};
    return XA_OK;
}

/* Arithmetic with constants right after the input: the model scales it itself. */
static xa_status find_own_scaling(xa__onnx_build *b, xa_err *err)
{
    static const char *const arithmetic[] = {"Sub", "Div", "Mul", "Add", "BatchNormalization"};
    static const char *const views[] = {"Cast", "Transpose", "Identity", "Reshape"};
    int at = b->input;
    for (int i = 0; i < b->m->nnodes; i++) {
        const xa__onnx_node *n = &b->m->nodes[i];
        bool reads = false;
        for (int k = 0; n->live && k < n->ninputs; k++)
            reads = reads || n->inputs[k] == at;
        if (!reads || !n->noutputs || n->outputs[0] < 0 || b->m->values[n->outputs[0]].constant)
            continue;
        for (size_t k = 0; k < sizeof arithmetic / sizeof *arithmetic; k++)
            if (!strcmp(n->op, arithmetic[k])) {
                b->model->own_scaling = xa_strdup(b->m->values[n->outputs[0]].name);
                if (!b->model->own_scaling)
                    XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
                return XA_OK;
            }
        bool view = false;
        for (size_t k = 0; k < sizeof views / sizeof *views; k++)
            view = view || !strcmp(n->op, views[k]);
        if (!view)
            return XA_OK;
        at = n->outputs[0];
    }
    return XA_OK;
}

/* ---- output ---- */

static xa_status choose_output(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    int rows = 0;
    if (m->noutputs < 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: it has no output", m->path);
    b->output = m->outputs[0];
    for (int i = 0; i < m->noutputs; i++)
        if (m->values[m->outputs[i]].shape.rank == 2) {
            b->output = m->outputs[i];
            rows++;
        }
    if (m->noutputs > 1 && rows != 1)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s has %d outputs, \"%s\", \"%s\"..., and %d of them are [batch, classes]: "
                       "export the model with the classifier's output alone",
                       m->path,
                       m->noutputs,
                       m->values[m->outputs[0]].name,
                       m->values[m->outputs[1]].name,
                       rows);
    return XA_OK;
}

xa_status xa__onnx_end(xa__onnx_build *b, xa_err *err)
{
    const xa__onnx_value *v = &b->m->values[b->output];
    xa__onnx_run *run = &b->runs[b->output];
    const xa__onnx_node *n = v->node >= 0 ? &b->m->nodes[v->node] : NULL;
    int order[XA__ONNX_ATOMS];
    if (run->node < 0 || !n)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: its output \"%s\" does not depend on its input",
                       b->m->path,
                       v->name);
    for (int i = 0; i < run->at.natoms; i++)
        order[i] = i;
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, run, err));
    const xa_shape shape = xa__layout_natural(&run->at);
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &run->node, err));
    b->model->output = run->node;
    return XA_OK;
}

/* ---- the format ---- */

static void free_build(xa__onnx_build *b)
{
    if (!b)
        return;
    for (int i = 0; i < b->nproblems; i++)
        free(b->problems[i].reason);
    free(b->problems);
    free(b->runs);
    free(b->weights);
    free(b->last_values);
    xa__onnx_free(b->m);
    free(b);
}

static xa_status say_origin(xa__onnx_build *b, xa_err *err)
{
    const xa__onnx *m = b->m;
    b->model->origin = xa_strfmt("ONNX (%s%s%s), operator set %" PRId64,
                                 *m->producer ? m->producer : "producer not said",
                                 *m->producer_version ? " " : "",
                                 m->producer_version,
                                 m->opset);
    if (!b->model->origin)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    return XA_OK;
}

/* What was refused says more than the first error it led to. */
static xa_status told(const xa__onnx_build *b, xa_status st, xa_err *err)
{
    const bool refused =
        b->nproblems > 0 && (st == XA_OK || st == XA_UNSUPPORTED || st == XA_SHAPE);
    return refused ? xa__onnx_refusals(b, err) : st;
}

xa_status xa__onnx_open_build(xa__onnx_build *b, xa_err *err)
{
    XA_RETURN_TRY(err, xa__onnx_open(b->model->path, &b->m, err));
    b->runs = xa_alloc((size_t)b->m->nvalues + 1, sizeof *b->runs);
    if (!b->runs)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    for (int i = 0; i < b->m->nvalues; i++)
        b->runs[i].node = -1;
    return XA_OK;
}

static xa_status build(xa__onnx_build *b, xa_err *err)
{
    XA_RETURN_TRY(err, xa__onnx_open_build(b, err));
    XA_RETURN_TRY(err, choose_input(b, err));
    XA_RETURN_TRY(err, choose_output(b, err));
    XA_RETURN_TRY(err, told(b, xa__onnx_resolve(b, err), err));
    XA_RETURN_TRY(err, xa__onnx_match(b, err));
    XA_RETURN_TRY(err, find_own_scaling(b, err));
    XA_RETURN_TRY(err, told(b, xa__onnx_lower(b, err), err));
    XA_RETURN_TRY(err, xa__onnx_end(b, err));
    b->model->query = xa__onnx_query(b->model->graph, b->model->output);
    XA_RETURN_TRY(err, xa__onnx_list(b, err));
    return say_origin(b, err);
}

static xa_status open_file(xa_model *m, const xa_model_options *opt, xa_err *err)
{
    xa__onnx_build *b = xa_alloc(1, sizeof *b);
    if (!b)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    m->source = (xa__model_source *)b;
    b->model = m;
    b->opt = opt;
    XA_RETURN_TRY(err, xa_graph_create(&m->graph, err));
    const xa_status st = build(b, err);
    b->opt = NULL;
    return st;
}

static xa_status read_weight(xa_model *m, const xa_weight *w, float *dst, xa_err *err)
{
    return xa__onnx_read_weight((xa__onnx_build *)m->source, w, dst, err);
}

static void close_file(xa__model_source *s)
{
    xa__onnx_build *b = (xa__onnx_build *)s;
    if (!b)
        return;
    free(b->last_values);
    b->last_values = NULL;
    xa__onnx_close(b->m);
}

static void free_source(xa__model_source *s)
{
    free_build((xa__onnx_build *)s);
}

/* The external files' hashes, hashed, in the order in which the file names them. */
static xa_status hash_beside(const xa__model_source *s, char hex[XA_SHA256_HEX], xa_err *err)
{
    const xa__onnx *m = ((const xa__onnx_build *)s)->m;
    xa_status st = XA_OK;
    xa_str all = {0};
    hex[0] = '\0';
    for (int i = 0; i < m->nexternal; i++) {
        char one[XA_SHA256_HEX];
        XA_TRY(err, xa_sha256_file(m->external[i].path, one, err));
        xa_str_puts(&all, one);
    }
    if (m->nexternal)
        XA_TRY(err, xa_sha256_bytes(all.data, all.len, hex, err));
done:
    xa_str_free(&all);
    return st;
}

const xa__model_format xa__model_format_onnx = {.name = "onnx",
                                                .recognises = recognises,
                                                .open = open_file,
                                                .read = read_weight,
                                                .close = close_file,
                                                .free = free_source,
                                                .hash_beside = hash_beside};
