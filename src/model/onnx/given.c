#include "given.h"

#include <stdlib.h>
#include <string.h>

#include "runs.h"

static int named(const xa__onnx *m, const char *name)
{
    for (int i = 0; i < m->ninputs; i++)
        if (!strcmp(m->values[m->inputs[i]].name, name))
            return m->inputs[i];
    return -1;
}

/* Shapes of the images, and the engine's input that holds them. */
static xa_status make_input(xa__onnx_build *b, const xa__onnx_given *how, xa_err *err)
{
    xa_shape all = {.ndim = 1, .dim = {0}};
    int node;
    if (how->nimages != b->m->ninputs)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s has %d inputs without values, expected %d",
                       b->m->path,
                       b->m->ninputs,
                       how->nimages);
    for (int i = 0; i < how->nimages; i++) {
        const int value = named(b->m, how->images[i]);
        xa__onnx_shape *s = value < 0 ? NULL : &b->m->values[value].shape;
        if (s && s->rank > 0 && how->by_sample)
            s->dim[0] = 1;
        const int64_t count = s && s->rank >= 0 ? xa__onnx_count(s) : 0;
        if (count < 1)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s: \"%s\" is no input of known extents",
                           b->m->path,
                           how->images[i]);
        all.dim[0] += count;
    }
    b->model->input_shape = all;
    return xa_graph_add_input(b->model->graph, "given", &all, &node, err);
}

/* The images as pieces of the input. */
static xa_status cut_input(xa__onnx_build *b, const xa__onnx_given *how, xa_err *err)
{
    static const xa__onnx_node nothing = {.name = "given"};
    int64_t first = 0;
    for (int i = 0; i < how->nimages; i++) {
        const int value = named(b->m, how->images[i]);
        const xa__onnx_shape *s = &b->m->values[value].shape;
        const int64_t count = xa__onnx_count(s);
        xa__onnx_run *run = &b->runs[value];
        run->at = xa__layout_plain(s);
        run->node = xa_graph_input(b->model->graph);
        const xa_op_params p = {.slice = {.first = first, .count = count, .step = 1}};
        if (count < b->model->input_shape.dim[0])
            XA_RETURN_TRY(
                err, xa__onnx_add_unary(b, &nothing, XA_OP_SLICE, &p, run->node, &run->node, err));
        const xa_shape natural = xa__layout_natural(&run->at);
        XA_RETURN_TRY(err, xa__onnx_view(b, &nothing, run->node, &natural, &run->node, err));
        first += count;
    }
    return XA_OK;
}

static xa_status build(xa__onnx_build *b, const xa__onnx_given *how, xa_err *err)
{
    XA_RETURN_TRY(err, xa__onnx_open_build(b, err));
    XA_RETURN_TRY(err, make_input(b, how, err));
    if (how->output < 0 || how->output >= b->m->noutputs)
        XA_RETURN_FAIL(err, XA_INVALID, "%s has no output %d", b->m->path, how->output);
    b->output = b->m->outputs[how->output];
    XA_RETURN_TRY(err, cut_input(b, how, err));
    XA_RETURN_TRY(err, xa__onnx_resolve(b, err));
    XA_RETURN_TRY(err, xa__onnx_refusals(b, err));
    XA_RETURN_TRY(err, xa__onnx_match(b, err));
    XA_RETURN_TRY(err, xa__onnx_lower(b, err));
    XA_RETURN_TRY(err, xa__onnx_refusals(b, err));
    const xa__onnx_value *v = &b->m->values[b->output];
    if (v->constant && v->node >= 0)
        XA_RETURN_TRY(
            err,
            xa__onnx_constant_run(b, &b->m->nodes[v->node], b->output, &b->runs[b->output], err));
    return xa__onnx_end(b, err);
}

xa_status
xa__onnx_open_given(const char *path, const xa__onnx_given *how, xa_model **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_model *m = xa_alloc(1, sizeof *m);
    xa__onnx_build *b = xa_alloc(1, sizeof *b);
    *out = NULL;
    if (!m || !b || !(m->path = xa_strdup(path))) {
        free(b);
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    }
    m->format = &xa__model_format_onnx;
    m->source = (xa__model_source *)b;
    b->model = m;
    XA_TRY(err, xa_graph_create(&m->graph, err));
    XA_TRY(err, build(b, how, err));
    *out = m;
done:
    if (st != XA_OK)
        xa_model_free(m);
    return st;
}
