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

/* "a", "b", "c": the names of values, at most the first eight. */
void xa__onnx_names(const xa__onnx *m, const int *values, int n, xa_str *out)
{
    enum { TOLD = 8 };
    for (int i = 0; i < n && i < TOLD; i++)
        xa_str_printf(out, "%s\"%s\"", i ? ", " : "", m->values[values[i]].name);
    if (n > TOLD)
        xa_str_printf(out, " and %d more", n - TOLD);
}

/* The output of that name; or a value inside the graph, which then is what is explained. */
static xa_status named_output(xa__onnx_build *b, const char *name, xa_err *err)
{
    xa__onnx *m = b->m;
    xa_str names = {0};
    for (int i = 0; i < m->nvalues; i++)
        if (!strcmp(m->values[i].name, name) && m->values[i].node >= 0) {
            b->output = i;
            return XA_OK;
        }
    xa__onnx_names(m, m->outputs, m->noutputs, &names);
    const xa_status st = XA_ERR(err,
                                XA_NOT_FOUND,
                                "%s: output_name: it computes no \"%s\"; its output%s %s",
                                m->path,
                                name,
                                m->noutputs > 1 ? "s are" : " is",
                                names.data ? names.data : "");
    xa_str_free(&names);
    return st;
}

static xa_status choose_output(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    int rows = 0;
    if (b->opt->output)
        return named_output(b, b->opt->output, err);
    if (m->noutputs < 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: it has no output", m->path);
    b->output = m->outputs[0];
    for (int i = m->noutputs - 1; i >= 0; i--)
        if (m->values[m->outputs[i]].shape.rank == 2) {
            b->output = m->outputs[i];
            rows++;
        }
    if (m->noutputs == 1 || rows == 1)
        return XA_OK;
    xa_str names = {0};
    xa__onnx_names(m, m->outputs, m->noutputs, &names);
    if (rows && b->opt->look) {
        const xa_status st = xa__model_assume(b->model,
                                              err,
                                              "output \"%s\" of %s is explained: write in the job "
                                              "which one, output_name: NAME",
                                              m->values[b->output].name,
                                              names.data ? names.data : "several");
        xa_str_free(&names);
        return st;
    }
    const xa_status st =
        XA_ERR(err,
               XA_UNSUPPORTED,
               "%s has %d outputs, %s, and %d of them are [batch, classes]: write in the job which "
               "one is explained, output_name: NAME",
               m->path,
               m->noutputs,
               names.data ? names.data : "",
               rows);
    xa_str_free(&names);
    return st;
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
    XA_RETURN_TRY(err, xa__onnx_choose_input(b, err));
    XA_RETURN_TRY(err, choose_output(b, err));
    XA_RETURN_TRY(err, told(b, xa__onnx_resolve(b, err), err));
    XA_RETURN_TRY(err, xa__onnx_match(b, err));
    XA_RETURN_TRY(err, find_own_scaling(b, err));
    XA_RETURN_TRY(err, told(b, xa__onnx_lower(b, err), err));
    xa__onnx_forget(b);
    XA_RETURN_TRY(err, xa__onnx_end(b, err));
    b->model->query = xa__onnx_query(b->model->graph, b->model->output, &b->model->pooled);
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

static xa_status read_columns(xa_model *m,
                              const xa_weight *w,
                              int64_t first,
                              int64_t count,
                              float *dst,
                              bool *done,
                              xa_err *err)
{
    return xa__onnx_read_columns((xa__onnx_build *)m->source, w, first, count, dst, done, err);
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
                                                .read_columns = read_columns,
                                                .close = close_file,
                                                .free = free_source,
                                                .hash_beside = hash_beside,
                                                .metadata = xa__onnx_metadata,
                                                .takes_constants = true,
                                                .names_outputs = true};
