/* Merging of tensors, and arithmetic with constants: layers Add, Subtract, ... and Keras 3's
 * operations of the same names, which take two arguments of which one may be a constant. */
#include "arithmetic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- tensors ---- */

/* Adds extents of 1 in front until the tensor has `ndim` dimensions. */
static xa_status pad_rank(const xa__ksite *s, int in, int ndim, int *out, xa_err *err)
{
    const xa_shape *x = xa__ksite_shape(s, in);
    xa_shape shape = {.ndim = ndim};
    for (int i = 0; i < ndim; i++)
        shape.dim[i] = i < ndim - x->ndim ? 1 : x->dim[i - (ndim - x->ndim)];
    return xa__ksite_reshape(s, in, &shape, out, err);
}

xa_status
xa__ksite_merge(xa__ksite *s, xa_op op, const int *in, int nin, bool insert, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    int *full = NULL, ndim = 0;
    if (nin < 1)
        XA_FAIL(err, XA_INVALID, "called without tensors");
    if (nin == 1 && op != XA_OP_SUBTRACT) {
        *out = in[0];
        return XA_OK;
    }
    full = xa_alloc((size_t)nin, sizeof *full);
    if (!full)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < nin; i++) {
        const int n = xa__ksite_shape(s, in[i])->ndim;
        if (i > 0 && n != ndim && !insert)
            XA_FAIL(
                err, XA_UNSUPPORTED, "tensors of %d and %d dimensions besides the batch", ndim, n);
        ndim = n > ndim ? n : ndim;
    }
    for (int i = 0; i < nin; i++)
        XA_TRY(err, pad_rank(s, in[i], ndim, &full[i], err));
    XA_TRY(err, xa__ksite_node(s, op, full, nin, NULL, NULL, 0, out, err));
done:
    free(full);
    return st;
}

xa_status
xa__ksite_concat(xa__ksite *s, const int *in, int nin, int64_t axis, int *out, xa_err *err)
{
    xa_op_params p = {0};
    if (nin < 1)
        XA_RETURN_FAIL(err, XA_INVALID, "called without tensors");
    if (axis == 0)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "concatenates along the batch");
    XA_RETURN_TRY(err, xa__ksite_axis(axis, xa__ksite_shape(s, in[0])->ndim, &p.concat.axis, err));
    if (nin == 1) {
        *out = in[0];
        return XA_OK;
    }
    return xa__ksite_node(s, XA_OP_CONCAT, in, nin, &p, NULL, 0, out, err);
}

/* ---- constants ---- */

static xa_op graph_op(xa__karith op)
{
    static const xa_op ops[] = {[XA__KARITH_ADD] = XA_OP_ADD,
                                [XA__KARITH_SUBTRACT] = XA_OP_SUBTRACT,
                                [XA__KARITH_MULTIPLY] = XA_OP_MULTIPLY,
                                [XA__KARITH_DIVIDE] = XA_OP_DIVIDE,
                                [XA__KARITH_MAXIMUM] = XA_OP_MAXIMUM,
                                [XA__KARITH_MINIMUM] = XA_OP_MINIMUM};
    return ops[op];
}

/* A constant as a tensor of `ndim` axes, such as a position embedding that was written into the
 * graph: its extents fit from the last on, and one of 1 in front may be the batch's. */
static xa_status
constant_tensor(const xa__ksite *s, const json_t *value, int ndim, int *node, xa_err *err)
{
    xa_status st = XA_OK;
    xa_shape shape, full = {.ndim = ndim};
    float *values = NULL;
    int w;
    XA_TRY(err, xa__kjson_array(value, &shape, &values, err));
    const int surplus = shape.ndim > ndim ? shape.ndim - ndim : 0;
    if (surplus > 1 || (surplus && shape.dim[0] != 1))
        XA_FAIL(err, XA_UNSUPPORTED, "a constant that differs from image to image");
    for (int i = 0; i < ndim; i++) {
        const int at = shape.ndim - ndim + i;
        full.dim[i] = at < 0 ? 1 : shape.dim[at];
    }
    XA_TRY(err, xa_graph_add_weight(s->b->graph, s->layer->path, &full, -1, values, &w, err));
    XA_TRY(err, xa__ksite_node(s, XA_OP_CONSTANT, NULL, 0, NULL, &w, 1, node, err));
done:
    free(values);
    return st;
}

/* c of 1 or C values applied to every element, or a tensor: x op c, or c op x. */
xa_status xa__karith_constant(
    xa__ksite *s, xa__karith op, int in, const json_t *value, bool reversed, int *out, xa_err *err)
{
    enum { MAX = 4096 };
    static const double minus_one = -1.0;
    xa_status st = XA_OK;
    double *c = xa_alloc(MAX, sizeof *c);
    int n = 0;
    if (!c)
        XA_NOMEM_FAIL(err);
    n = xa__kjson_numbers(value, c, MAX);
    if (n == 0 || (op == XA__KARITH_DIVIDE && reversed) || op == XA__KARITH_MAXIMUM ||
        op == XA__KARITH_MINIMUM) {
        const xa_shape *x = xa__ksite_shape(s, in);
        int side[2] = {in, in};
        XA_TRY(err, constant_tensor(s, value, x->ndim, &side[reversed ? 0 : 1], err));
        XA_TRY(err, xa__ksite_node(s, graph_op(op), side, 2, NULL, NULL, 0, out, err));
        goto done;
    }
    for (int i = 0; i < n; i++) {
        if (op == XA__KARITH_DIVIDE && c[i] == 0)
            XA_FAIL(err, XA_INVALID, "a division by zero");
        if (op == XA__KARITH_DIVIDE)
            c[i] = 1.0 / c[i];
        if (op == XA__KARITH_SUBTRACT && !reversed)
            c[i] = -c[i];
    }
    if (op == XA__KARITH_MULTIPLY || op == XA__KARITH_DIVIDE)
        XA_TRY(err, xa__ksite_affine(s, in, c, n, NULL, 0, out, err));
    else if (op == XA__KARITH_SUBTRACT && reversed)
        XA_TRY(err, xa__ksite_affine(s, in, &minus_one, 1, c, n, out, err));
    else
        XA_TRY(err, xa__ksite_affine(s, in, NULL, 0, c, n, out, err));
done:
    free(c);
    return st;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

xa_status xa__karith_binary(xa__ksite *s, xa__karith op, int *out, xa_err *err)
{
    static const char *const left[] = {"x", "x1", "value", "input", NULL};
    static const char *const right[] = {"y", "x2", "bias", NULL};
    const xa__koperand *side[2] = {NULL, NULL};
    int at = 0;
    for (size_t i = 0; s->call && i < s->call->noperands; i++) {
        const xa__koperand *o = &s->call->operands[i];
        if (!o->keyword)
            at++;
        if (o->keyword ? is_one_of(o->keyword, left) : at == 1)
            side[0] = o;
        else if (o->keyword ? is_one_of(o->keyword, right) : at == 2)
            side[1] = o;
    }
    if (!side[0] || !side[1] || side[0]->kind == XA__KOPERAND_LIST ||
        side[1]->kind == XA__KOPERAND_LIST)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "arguments other than two");
    for (int i = 0; i < 2; i++)
        if (side[i]->kind == XA__KOPERAND_VALUE) {
            if (side[1 - i]->kind == XA__KOPERAND_VALUE)
                XA_RETURN_FAIL(err, XA_UNSUPPORTED, "two constants");
            const int in = s->in[side[1 - i]->first];
            return xa__karith_constant(s, op, in, side[i]->value, i == 0, out, err);
        }
    const int in[2] = {s->in[side[0]->first], s->in[side[1]->first]};
    return xa__ksite_merge(s, graph_op(op), in, 2, false, out, err);
}

/* ---- layers ---- */

/* A merge layer is called with a list of tensors, an operation with two arguments. */
static xa_status build_merge(xa__ksite *s, xa__karith op, int *out, xa_err *err)
{
    if (s->call && s->call->noperands >= 2 && !s->call->operands[0].keyword &&
        s->call->operands[0].kind != XA__KOPERAND_LIST && !s->call->operands[1].keyword)
        return xa__karith_binary(s, op, out, err);
    if (op == XA__KARITH_SUBTRACT && s->nin != 2)
        XA_RETURN_FAIL(err, XA_INVALID, "called with %d tensors, expected 2", s->nin);
    return xa__ksite_merge(s, graph_op(op), s->in, s->nin, true, out, err);
}

static xa_status build_add(xa__ksite *s, int *out, xa_err *err)
{
    return build_merge(s, XA__KARITH_ADD, out, err);
}
static xa_status build_subtract(xa__ksite *s, int *out, xa_err *err)
{
    return build_merge(s, XA__KARITH_SUBTRACT, out, err);
}
static xa_status build_multiply(xa__ksite *s, int *out, xa_err *err)
{
    return build_merge(s, XA__KARITH_MULTIPLY, out, err);
}
static xa_status build_maximum(xa__ksite *s, int *out, xa_err *err)
{
    return build_merge(s, XA__KARITH_MAXIMUM, out, err);
}
static xa_status build_minimum(xa__ksite *s, int *out, xa_err *err)
{
    return build_merge(s, XA__KARITH_MINIMUM, out, err);
}
static xa_status build_average(xa__ksite *s, int *out, xa_err *err)
{
    return xa__ksite_merge(s, XA_OP_AVERAGE, s->in, s->nin, true, out, err);
}
static xa_status build_divide(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_DIVIDE, out, err);
}

static xa_status build_concatenate(xa__ksite *s, int *out, xa_err *err)
{
    int64_t axis;
    XA_RETURN_TRY(
        err,
        xa__kget_int(s->layer->config, "axis", -1, -XA_MAX_DIMS - 1, XA_MAX_DIMS + 1, &axis, err));
    return xa__ksite_concat(s, s->in, s->nin, axis, out, err);
}

const xa__kclass xa__kclasses_merge[] = {
    {"Add", build_add, NULL, XA__KCLASS_SCALES},
    {"Subtract", build_subtract, NULL, XA__KCLASS_SCALES},
    {"Multiply", build_multiply, NULL, XA__KCLASS_SCALES},
    {"Maximum", build_maximum, NULL, 0},
    {"Minimum", build_minimum, NULL, 0},
    {"Average", build_average, NULL, 0},
    {"TrueDivide", build_divide, NULL, XA__KCLASS_SCALES},
    {"Divide", build_divide, NULL, XA__KCLASS_SCALES},
    {"Concatenate", build_concatenate, NULL, 0},
    {NULL, NULL, NULL, 0},
};
