/* Values of constants, made when they are wanted. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* Elements evaluated of one model, and bytes of one constant: far beyond what models hold, far
 * below what takes long. */
static const int64_t most_folded = (int64_t)1 << 30;

static int origin_of(const xa__onnx *m, int value)
{
    while (m->values[value].alias >= 0)
        value = m->values[value].alias;
    return value;
}

const double *xa__onnx_data(const xa__onnx_build *b, int value)
{
    return b->m->values[origin_of(b->m, value)].data;
}

static xa_status
allocate(xa__onnx_build *b, xa__onnx_value *v, const char *what, double **data, xa_err *err)
{
    const int64_t n = xa__onnx_count(&v->shape);
    char text[128];
    b->folded += n + 1;
    if (n > most_folded || b->folded > most_folded)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%s: constants grow beyond all sense: %s makes \"%s\" of %s",
                       b->m->path,
                       what,
                       v->name,
                       xa__onnx_shape_text(&v->shape, text, sizeof text));
    free(v->data);
    v->data = xa_alloc((size_t)n + 1, sizeof(double));
    if (!v->data)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory for \"%s\"", b->m->path, v->name);
    *data = v->data;
    return XA_OK;
}

xa_status
xa__onnx_new_data(xa__onnx_build *b, const xa__onnx_node *n, int output, double **data, xa_err *err)
{
    xa__onnx_value *v = xa__onnx_out(b, n, output);
    *data = NULL;
    return v ? allocate(b, v, n->op, data, err) : XA_OK;
}

xa_status xa__onnx_fold_same(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    (void)err;
    if (n->noutputs && n->outputs[0] >= 0)
        b->m->values[n->outputs[0]].alias = n->inputs[0];
    return XA_OK;
}

static bool is_ready(const xa__onnx *m, int value)
{
    const xa__onnx_value *v = &m->values[origin_of(m, value)];
    return v->data || v->broken;
}

static xa_status read_initializer(xa__onnx_build *b, xa__onnx_value *v, xa_err *err)
{
    double *data;
    XA_RETURN_TRY(err, allocate(b, v, "a tensor", &data, err));
    if (v->type == XA__ONNX_STRING || v->type > XA__ONNX_BFLOAT16 || v->type == 14 || v->type == 15)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: tensor \"%s\" holds %s",
                       b->m->path,
                       v->name,
                       xa__onnx_type_name(v->type));
    return xa__onnx_read_tensor(b->m, v->tensor, data, err);
}

/* One step: the value itself, or what it waits for on the stack. */
static xa_status step(xa__onnx_build *b, int **stack, size_t *cap, int *depth, xa_err *err)
{
    xa__onnx *m = b->m;
    const int value = origin_of(m, (*stack)[*depth - 1]);
    xa__onnx_value *v = &m->values[value];
    if (is_ready(m, value)) {
        --*depth;
        return XA_OK;
    }
    if (v->tensor >= 0)
        return read_initializer(b, v, err);
    xa__onnx_node *n = v->node >= 0 ? &m->nodes[v->node] : NULL;
    if (!v->constant || !n || !n->def || !n->def->fold)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: \"%s\" should be a constant, and %s does not tell it",
                       m->path,
                       v->name,
                       n ? n->op : "nothing");
    const int before = *depth;
    for (int i = 0; i < n->ninputs; i++) {
        /* Shape and Size look at no values */
        if (n->inputs[i] < 0 || !m->values[n->inputs[i]].constant || is_ready(m, n->inputs[i]))
            continue;
        XA_RETURN_TRY(err, xa_grow(stack, cap, (size_t)*depth + 1, sizeof **stack, err));
        (*stack)[(*depth)++] = n->inputs[i];
    }
    if (*depth > before)
        return XA_OK;
    XA_RETURN_TRY(err, n->def->fold(b, n, err));
    if (v->alias < 0 && !v->data && !v->broken)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "%s: \"%s\" of %s was not made", m->path, v->name, n->op);
    return XA_OK;
}

xa_status xa__onnx_evaluate(xa__onnx_build *b, int value, xa_err *err)
{
    xa_status st = XA_OK;
    int *stack = NULL, depth = 0;
    size_t cap = 0;
    XA_TRY(err, xa_grow(&stack, &cap, 1, sizeof *stack, err));
    stack[depth++] = value;
    while (depth > 0)
        XA_TRY(err, step(b, &stack, &cap, &depth, err));
    if (b->m->values[origin_of(b->m, value)].broken)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: the constant \"%s\" cannot be made",
                b->m->path,
                b->m->values[value].name);
done:
    free(stack);
    return st;
}

void xa__onnx_forget(xa__onnx_build *b)
{
    enum { SMALL = 1024 };
    for (int i = 0; i < b->m->nvalues; i++) {
        xa__onnx_value *v = &b->m->values[i];
        if (!v->data || xa__onnx_count(&v->shape) <= SMALL)
            continue;
        b->folded -= xa__onnx_count(&v->shape) + 1;
        free(v->data);
        v->data = NULL;
    }
}

bool xa__onnx_scalar(xa__onnx_build *b, int value, double *out)
{
    const xa__onnx_value *v = value < 0 ? NULL : &b->m->values[value];
    if (!v || !v->constant || v->broken || v->shape.rank < 0 || xa__onnx_count(&v->shape) != 1 ||
        xa__onnx_evaluate(b, value, NULL) != XA_OK)
        return false;
    *out = xa__onnx_data(b, value)[0];
    return true;
}
