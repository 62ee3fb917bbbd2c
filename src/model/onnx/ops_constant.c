/* Constants and the arithmetic of shapes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* ---- Constant ---- */

static xa_status constant_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    static const char *const scalars[] = {"value_float", "value_int", "value_floats", "value_ints"};
    xa__onnx_value *v = xa__onnx_out(b, n, 0);
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "value");
    if (!v)
        return XA_OK;
    v->constant = true;
    if (a && a->kind == XA__ONNX_ATTR_TENSOR) { /* an initializer like any other */
        v->tensor = a->tensor;
        return xa__onnx_set(
            b, n, 0, b->m->tensors[a->tensor].type, &b->m->tensors[a->tensor].shape, err);
    }
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        const xa__onnx_attribute *s = xa__onnx_attribute_of(b->m, n, scalars[i]);
        if (!s)
            continue;
        const bool list = s->kind == XA__ONNX_ATTR_INTS || s->kind == XA__ONNX_ATTR_FLOATS;
        const bool real = s->kind == XA__ONNX_ATTR_FLOAT || s->kind == XA__ONNX_ATTR_FLOATS;
        return xa__onnx_set(b,
                            n,
                            0,
                            real ? XA__ONNX_FLOAT : XA__ONNX_INT64,
                            &(xa__onnx_shape){.rank = list, .dim = {s->n}},
                            err);
    }
    return xa__onnx_refuse(b, n, err, "its value is sparse or text");
}

static xa_status constant_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int i = 0; i < n->nattributes; i++) {
        const xa__onnx_attribute *a = &b->m->attributes[n->attributes + i];
        if (a->kind == XA__ONNX_ATTR_FLOAT)
            data[0] = a->f;
        else if (a->kind == XA__ONNX_ATTR_INT)
            data[0] = (double)a->i;
        for (int k = 0; a->kind == XA__ONNX_ATTR_FLOATS && k < a->n; k++)
            data[k] = a->floats[k];
        for (int k = 0; a->kind == XA__ONNX_ATTR_INTS && k < a->n; k++)
            data[k] = (double)a->ints[k];
    }
    return XA_OK;
}

/* ---- Shape, Size ---- */

static void shape_range(xa__onnx_build *b, xa__onnx_node *n, int *from, int *to)
{
    const int rank = xa__onnx_in(b, n, 0)->shape.rank;
    int64_t start = xa__onnx_int(b->m, n, "start", 0), end = xa__onnx_int(b->m, n, "end", rank);
    start += start < 0 ? rank : 0;
    end += end < 0 ? rank : 0;
    *from = (int)(start < 0 ? 0 : start > rank ? rank : start);
    *to = (int)(end < *from ? *from : end > rank ? rank : end);
}

static xa_status shape_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    int from, to;
    shape_range(b, n, &from, &to);
    xa__onnx_out(b, n, 0)->constant = true;
    return xa__onnx_set(
        b, n, 0, XA__ONNX_INT64, &(xa__onnx_shape){.rank = 1, .dim = {to - from}}, err);
}

static xa_status shape_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    int from, to;
    shape_range(b, n, &from, &to);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int i = from; i < to; i++)
        data[i - from] = (double)xa__onnx_in(b, n, 0)->shape.dim[i];
    return XA_OK;
}

static xa_status size_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_out(b, n, 0)->constant = true;
    return xa__onnx_set(b, n, 0, XA__ONNX_INT64, &(xa__onnx_shape){.rank = 0}, err);
}

static xa_status size_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    data[0] = (double)xa__onnx_count(&xa__onnx_in(b, n, 0)->shape);
    return XA_OK;
}

/* ---- ConstantOfShape, Range ---- */

static xa_status filled_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    int64_t dim[XA__ONNX_RANK];
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "value");
    xa__onnx_shape s = {0};
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "shape", 0, dim, XA__ONNX_RANK, &s.rank, err));
    if (s.rank < 0)
        return XA_OK;
    memcpy(s.dim, dim, (size_t)s.rank * sizeof *dim);
    return xa__onnx_set(
        b, n, 0, a && a->tensor >= 0 ? b->m->tensors[a->tensor].type : XA__ONNX_FLOAT, &s, err);
}

static xa_status filled_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "value");
    double *data, value = 0.0;
    if (a && a->tensor >= 0) {
        if (b->m->tensors[a->tensor].count != 1)
            return xa__onnx_refuse(b, n, err, "its value is not one number");
        XA_RETURN_TRY(err, xa__onnx_read_tensor(b->m, a->tensor, &value, err));
    }
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const int64_t count = xa__onnx_count(&xa__onnx_out(b, n, 0)->shape);
    for (int64_t i = 0; i < count; i++)
        data[i] = value;
    return XA_OK;
}

static xa_status range_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double v[3];
    for (int i = 0; i < 3; i++)
        if (!xa__onnx_scalar(b, n->inputs[i], &v[i]))
            return xa__onnx_refuse(b, n, err, "its limits are not known numbers");
    const double steps = ceil((v[1] - v[0]) / v[2]);
    if (!(fabs(steps) < 1e9))
        return xa__onnx_refuse(b, n, err, "it has no end: from %g to %g by %g", v[0], v[1], v[2]);
    return xa__onnx_set(b,
                        n,
                        0,
                        xa__onnx_in(b, n, 0)->type,
                        &(xa__onnx_shape){.rank = 1, .dim = {steps > 0 ? (int64_t)steps : 0}},
                        err);
}

static xa_status range_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    const double start = xa__onnx_data(b, n->inputs[0])[0], by = xa__onnx_data(b, n->inputs[2])[0];
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const int64_t count = xa__onnx_count(&xa__onnx_out(b, n, 0)->shape);
    for (int64_t i = 0; i < count; i++)
        data[i] = start + (double)i * by;
    return XA_OK;
}

/* ---- Expand, Tile ---- */

/* Walks an output of that shape; place[i] is the input's element for it. */
typedef struct walk {
    xa__onnx_shape out;
    int64_t stride[XA__ONNX_RANK], in[XA__ONNX_RANK]; /* of the input, by output axis */
    int64_t at[XA__ONNX_RANK];
} walk;

static walk walk_of(const xa__onnx_shape *in, const xa__onnx_shape *out)
{
    walk w = {.out = *out};
    int64_t s = 1;
    for (int i = out->rank - 1; i >= 0; i--) {
        const int k = i - (out->rank - in->rank);
        w.in[i] = k < 0 ? 1 : in->dim[k];
        w.stride[i] = s;
        s *= w.in[i];
    }
    return w;
}

/* The input's element of the present output; then one further. */
static int64_t walk_next(walk *w)
{
    int64_t place = 0;
    for (int i = 0; i < w->out.rank; i++)
        place += w->in[i] ? w->at[i] % w->in[i] * w->stride[i] : 0;
    for (int i = w->out.rank - 1; i >= 0 && ++w->at[i] == w->out.dim[i]; i--)
        w->at[i] = 0;
    return place;
}

static xa_status repeat_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    const xa__onnx_shape *out = &xa__onnx_out(b, n, 0)->shape;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(out);
    walk w = walk_of(&xa__onnx_in(b, n, 0)->shape, out);
    for (int64_t i = 0; i < count; i++)
        data[i] = x[walk_next(&w)];
    return XA_OK;
}

static xa_status expand_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    int64_t dim[XA__ONNX_RANK];
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    xa__onnx_shape to = {0}, out;
    char text[128];
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "shape", 1, dim, XA__ONNX_RANK, &to.rank, err));
    if (to.rank < 0)
        return XA_OK;
    memcpy(to.dim, dim, (size_t)to.rank * sizeof *dim);
    if (!xa__onnx_broadcast(&x->shape, &to, &out))
        return xa__onnx_refuse(b,
                               n,
                               err,
                               "%s cannot be expanded to the shape it says",
                               xa__onnx_shape_text(&x->shape, text, sizeof text));
    return xa__onnx_set(b, n, 0, x->type, &out, err);
}

/* Extents of 1 are repeated, or whole axes one after the other. */
static xa_status repeat_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    xa__onnx_shape lifted = {.rank = out->rank};
    float *list = NULL;
    for (int i = 0; i < out->rank; i++)
        lifted.dim[i] = i < out->rank - in->rank ? 1 : in->dim[i - (out->rank - in->rank)];
    XA_TRY(err, xa__onnx_regroup(b, n, &run, &lifted, err));
    for (int axis = 0; axis < out->rank; axis++) {
        const int64_t count = out->dim[axis];
        if (count == lifted.dim[axis])
            continue;
        free(list);
        XA_TRY(err, xa__onnx_floats(b, count, &list, err));
        for (int64_t i = 0; i < count; i++)
            list[i] = (float)(i % lifted.dim[axis]);
        XA_TRY(err, xa__onnx_gather_run(b, n, &run, axis, list, count, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
done:
    free(list);
    return st;
}

static xa_status tile_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    int64_t times[XA__ONNX_RANK];
    int count;
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    xa__onnx_shape out = x->shape;
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "repeats", 1, times, XA__ONNX_RANK, &count, err));
    if (count < 0)
        return XA_OK;
    if (count != out.rank)
        return xa__onnx_refuse(b, n, err, "it has %d repeats for %d axes", count, out.rank);
    for (int i = 0; i < count; i++)
        if (times[i] < 0 || !xa_i64_mul(out.dim[i], times[i], &out.dim[i]))
            return xa__onnx_refuse(b, n, err, "its repeats are absurd");
    return xa__onnx_set(b, n, 0, x->type, &out, err);
}

/* ---- Where ---- */

static xa_status where_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_shape s;
    if (!xa__onnx_broadcast(&xa__onnx_in(b, n, 1)->shape, &xa__onnx_in(b, n, 2)->shape, &s) ||
        !xa__onnx_broadcast(&s, &xa__onnx_in(b, n, 0)->shape, &s))
        return xa__onnx_refuse(b, n, err, "its inputs do not fit each other");
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 1)->type, &s, err);
}

static xa_status where_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double *data;
    const double *x[3];
    walk w[3];
    const xa__onnx_shape *out = &xa__onnx_out(b, n, 0)->shape;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int i = 0; i < 3; i++) {
        x[i] = xa__onnx_data(b, n->inputs[i]);
        w[i] = walk_of(&xa__onnx_in(b, n, i)->shape, out);
    }
    const int64_t count = xa__onnx_count(out);
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = walk_next(&w[0]), yes = walk_next(&w[1]), no = walk_next(&w[2]);
        data[i] = x[0][c] < 0.0 || x[0][c] > 0.0 ? x[1][yes] : x[2][no];
    }
    return XA_OK;
}

static xa_status where_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    return xa__onnx_combine(b, n, XA_OP_SELECT, NULL, err);
}

/* ---- CumSum ---- */

static xa_status cumsum_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const bool exclusive = xa__onnx_int(b->m, n, "exclusive", 0) != 0;
    const bool reverse = xa__onnx_int(b->m, n, "reverse", 0) != 0;
    double *data;
    int axis;
    if (!xa__onnx_axis((int64_t)xa__onnx_data(b, n->inputs[1])[0], s->rank, &axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    int64_t inner = 1;
    for (int i = axis + 1; i < s->rank; i++)
        inner *= s->dim[i];
    const int64_t len = s->dim[axis], count = xa__onnx_count(s);
    for (int64_t o = 0; o < count; o += len * inner)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0.0;
            for (int64_t k = 0; k < len; k++) {
                const int64_t at = o + (reverse ? len - 1 - k : k) * inner + i;
                data[at] = exclusive ? sum : sum + x[at];
                sum += x[at];
            }
        }
    return XA_OK;
}

/* By a matrix of ones and zeros. */
static xa_status cumsum_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    const bool exclusive = xa__onnx_int(b->m, n, "exclusive", 0) != 0;
    const bool reverse = xa__onnx_int(b->m, n, "reverse", 0) != 0;
    float *ones = NULL;
    double which;
    int axis;
    if (!xa__onnx_scalar(b, n->inputs[1], &which) ||
        !xa__onnx_axis((int64_t)which, run.at.rank, &axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    const int64_t extent = xa__layout_extent(&run.at, axis);
    if (extent > 8192)
        return xa__onnx_refuse(b, n, err, "its axis has %" PRId64 " elements", extent);
    XA_TRY(err, xa__onnx_floats(b, extent * extent, &ones, err));
    for (int64_t i = 0; i < extent; i++)
        for (int64_t k = 0; k < extent; k++)
            ones[i * extent + k] = (reverse ? k > i : k < i) || (k == i && !exclusive);
    XA_TRY(err, xa__onnx_map_run(b, n, &run, axis, ones, extent, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
done:
    free(ones);
    return st;
}

const xa__onnx_op xa__onnx_ops_constant[] = {
    {"Constant", 0, 0, constant_infer, constant_fold, NULL},
    {"Shape", 1, 1, shape_infer, shape_fold, NULL},
    {"Size", 1, 1, size_infer, size_fold, NULL},
    {"ConstantOfShape", 1, 1, filled_infer, filled_fold, NULL},
    {"Range", 3, 3, range_infer, range_fold, NULL},
    {"Expand", 2, 2, expand_infer, repeat_fold, repeat_lower},
    {"Tile", 2, 2, tile_infer, repeat_fold, repeat_lower},
    {"Where", 3, 3, where_infer, where_fold, where_lower},
    {"CumSum", 2, 2, xa__onnx_infer_same, cumsum_fold, cumsum_lower},
    {0}};
