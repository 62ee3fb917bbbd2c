/* Inputs of an ONNX model: which one is the image, and those that a job gives as constants. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- constants ---- */

enum { NPY_BYTES = 1 << 28 };

/* Open extents are those of the file, or 1 where they are the batch's. */
static xa_status
fit_shape(xa__onnx_build *b, xa__onnx_value *v, const xa__npy *a, const char *file, xa_err *err)
{
    xa__onnx_shape *s = &v->shape, found = {.rank = a->ndim};
    char text[128], other[128];
    bool same = s->rank < 0 || s->rank == a->ndim;
    for (int i = 0; i < a->ndim; i++) {
        found.dim[i] = a->dim[i];
        same = same && (s->rank < 0 || s->dim[i] < 0 || s->dim[i] == a->dim[i]);
    }
    if (!same || (found.rank > 1 && s->rank > 1 && s->dim[0] < 0 && found.dim[0] != 1))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: its input \"%s\" is %s for one image, and %s holds %s",
                       b->m->path,
                       v->name,
                       xa__onnx_shape_text(s, text, sizeof text),
                       file,
                       xa__onnx_shape_text(&found, other, sizeof other));
    *s = found;
    return XA_OK;
}

/* One value for all: what is open beside the batch has no size then. */
static xa_status fill_shape(xa__onnx_build *b, xa__onnx_value *v, xa_err *err)
{
    char text[128];
    bool open = v->shape.rank < 0;
    if (v->shape.rank > 0 && v->shape.dim[0] < 0)
        v->shape.dim[0] = 1;
    for (int i = 0; i < v->shape.rank; i++)
        open = open || v->shape.dim[i] < 0;
    if (open)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: its input \"%s\" is %s, which leaves its size open; give it as a .npy "
                       "of that size",
                       b->m->path,
                       v->name,
                       xa__onnx_shape_text(&v->shape, text, sizeof text));
    return XA_OK;
}

static xa_status set_constant(xa__onnx_build *b, int input, const xa_model_constant *c, xa_err *err)
{
    xa__onnx_value *v = &b->m->values[input];
    xa__npy a = {0};
    xa_status st = XA_OK;
    if (c->file) {
        XA_TRY(err, xa__npy_read(c->file, NPY_BYTES, &a, err));
        XA_TRY(err, fit_shape(b, v, &a, c->file, err));
    } else {
        XA_TRY(err, fill_shape(b, v, err));
    }
    const int64_t n = xa__onnx_count(&v->shape);
    if (n > NPY_BYTES / (int64_t)sizeof(double))
        XA_FAIL(err, XA_LIMIT, "%s: its input \"%s\" is too large", b->m->path, v->name);
    if (!(v->data = xa_alloc((size_t)n + 1, sizeof(double))))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for \"%s\"", b->m->path, v->name);
    for (int64_t i = 0; i < n; i++) {
        v->data[i] = c->file ? a.values[i] : c->value;
        if (!xa__onnx_is_float(v->type) && v->data[i] != floor(v->data[i]))
            XA_FAIL(err,
                    XA_INVALID,
                    "%s: its input \"%s\" is of type %s, and is given %g",
                    b->m->path,
                    v->name,
                    xa__onnx_type_name(v->type),
                    v->data[i]);
    }
    v->constant = true;
done:
    free(a.values);
    return st;
}

/* Takes the job's constants out of the model's inputs. */
static xa_status set_constants(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    for (int k = 0; k < b->opt->nconstants; k++) {
        const xa_model_constant *c = &b->opt->constants[k];
        int i = 0;
        while (i < m->ninputs && strcmp(m->values[m->inputs[i]].name, c->name) != 0)
            i++;
        if (i == m->ninputs) {
            xa_str names = {0};
            xa__onnx_names(m, m->inputs, m->ninputs, &names);
            const xa_status st = XA_ERR(err,
                                        XA_NOT_FOUND,
                                        "%s: inputs: it has no input \"%s\"; there %s %s",
                                        m->path,
                                        c->name,
                                        m->ninputs == 1 ? "is" : "are",
                                        names.data ? names.data : "none");
            xa_str_free(&names);
            return st;
        }
        XA_RETURN_TRY(err, set_constant(b, m->inputs[i], c, err));
        for (m->ninputs--; i < m->ninputs; i++)
            m->inputs[i] = m->inputs[i + 1];
    }
    return XA_OK;
}

/* ---- the image ---- */

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

static xa_status refuse_inputs(const xa__onnx_build *b, xa_err *err)
{
    const xa__onnx *m = b->m;
    xa_str names = {0};
    xa__onnx_names(m, m->inputs, m->ninputs, &names);
    const xa_status st =
        m->ninputs == 0
            ? XA_ERR(err, XA_UNSUPPORTED, "%s: no input is left for the image", m->path)
            : XA_ERR(err,
                     XA_UNSUPPORTED,
                     "%s has %d inputs, %s, expected one image: give the others in the job, the "
                     "same for every image, inputs: { NAME: 0.5 } or { NAME: values.npy }",
                     m->path,
                     m->ninputs,
                     names.data ? names.data : "");
    xa_str_free(&names);
    return st;
}

/* Zeros for all inputs but the only one that can be an image; none, if that is not clear. */
static xa_status fill_others(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    char text[128];
    int images = 0, image = 0;
    for (int i = 0; i < m->ninputs; i++)
        if (m->values[m->inputs[i]].shape.rank == 4) {
            image = m->inputs[i];
            images++;
        }
    if (images != 1)
        return XA_OK;
    for (int i = 0; i < m->ninputs; i++) {
        const xa__onnx_value *v = &m->values[m->inputs[i]];
        const xa_model_constant zero = {.name = NULL};
        if (m->inputs[i] == image)
            continue;
        XA_RETURN_TRY(
            err,
            xa__model_assume(b->model,
                             err,
                             "input \"%s\", %s %s, is 0: give it in the job, the same for "
                             "every image, inputs: { %s: 0.5 } or { %s: values.npy }",
                             v->name,
                             xa__onnx_type_name(v->type),
                             xa__onnx_shape_text(&v->shape, text, sizeof text),
                             v->name,
                             v->name));
        XA_RETURN_TRY(err, set_constant(b, m->inputs[i], &zero, err));
    }
    m->inputs[0] = image;
    m->ninputs = 1;
    return XA_OK;
}

xa_status xa__onnx_choose_input(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    char text[128];
    XA_RETURN_TRY(err, set_constants(b, err));
    if (m->ninputs > 1 && b->opt->look)
        XA_RETURN_TRY(err, fill_others(b, err));
    if (m->ninputs != 1)
        return refuse_inputs(b, err);
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
