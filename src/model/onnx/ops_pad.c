/* Pad: a constant around any axes, or what lies at and behind their ends. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* Amounts before and after each axis of the input, 0 where it says nothing. */
static xa_status pad_amounts(
    xa__onnx_build *b, xa__onnx_node *n, int64_t *before, int64_t *after, bool *good, xa_err *err)
{
    const int rank = xa__onnx_in(b, n, 0)->shape.rank;
    int64_t amount[2 * XA__ONNX_RANK], axes[XA__ONNX_RANK];
    int count, naxes;
    *good = false;
    XA_RETURN_TRY(err,
                  xa__onnx_ints(b,
                                n,
                                b->m->opset < 2 ? "paddings" : "pads",
                                1,
                                amount,
                                2 * XA__ONNX_RANK,
                                &count,
                                err));
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "axes", 3, axes, XA__ONNX_RANK, &naxes, err));
    if (count == -2 || naxes == -2)
        return XA_OK;
    const int given = naxes < 0 ? rank : naxes;
    if (count != 2 * given)
        return xa__onnx_refuse(b, n, err, "it has %d amounts for %d axes", count, given);
    memset(before, 0, XA__ONNX_RANK * sizeof *before);
    memset(after, 0, XA__ONNX_RANK * sizeof *after);
    for (int i = 0; i < given; i++) {
        int axis;
        if (!xa__onnx_axis(naxes < 0 ? i : axes[i], rank, &axis))
            return xa__onnx_refuse(b, n, err, "its axis does not exist");
        if (llabs(amount[i]) > INT32_MAX || llabs(amount[given + i]) > INT32_MAX)
            return xa__onnx_refuse(b, n, err, "its amounts are absurd");
        before[axis] = amount[i];
        after[axis] = amount[given + i];
    }
    *good = true;
    return XA_OK;
}

static bool pad_value(xa__onnx_build *b, const xa__onnx_node *n, double *value)
{
    *value = xa__onnx_float(b->m, n, "value", 0.0);
    return !xa__onnx_in(b, n, 2) || xa__onnx_scalar(b, n->inputs[2], value);
}

/* Modes that take what is there. */
static bool is_mirror(const char *mode)
{
    return !strcmp(mode, "reflect") || !strcmp(mode, "edge") || !strcmp(mode, "wrap");
}

/* Which of d elements lies at place i, -before <= i < d + after. */
static int64_t mirrored(const char *mode, int64_t i, int64_t d)
{
    if (!strcmp(mode, "edge"))
        return i < 0 ? 0 : i >= d ? d - 1 : i;
    if (!strcmp(mode, "wrap"))
        return (i % d + d) % d;
    return i < 0 ? -i : i >= d ? 2 * (d - 1) - i : i;
}

static xa_status pad_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    const char *mode = xa__onnx_string(b->m, n, "mode", "constant");
    int64_t before[XA__ONNX_RANK], after[XA__ONNX_RANK];
    xa__onnx_shape s = x->shape;
    double value;
    bool good;
    XA_RETURN_TRY(err, pad_amounts(b, n, before, after, &good, err));
    if (!good)
        return XA_OK;
    bool none = true;
    for (int i = 0; i < s.rank; i++) {
        s.dim[i] += before[i] + after[i];
        none = none && before[i] == 0 && after[i] == 0;
        if (s.dim[i] < 1 || before[i] < -x->shape.dim[i] || after[i] < -x->shape.dim[i])
            return xa__onnx_refuse(b, n, err, "nothing is left of an axis");
    }
    if (!none && strcmp(mode, "constant") != 0 && !is_mirror(mode))
        return xa__onnx_refuse(b, n, err, "its mode \"%s\" is not read", mode);
    for (int i = 0; is_mirror(mode) && i < s.rank; i++)
        if (!strcmp(mode, "reflect") &&
            (before[i] >= x->shape.dim[i] || after[i] >= x->shape.dim[i]))
            return xa__onnx_refuse(b, n, err, "it reflects more than an axis has");
    if (!pad_value(b, n, &value))
        return xa__onnx_refuse(b, n, err, "its value is not a known number");
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status pad_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    int64_t before[XA__ONNX_RANK], after[XA__ONNX_RANK], at[XA__ONNX_RANK] = {0};
    double *data, value;
    bool good;
    const char *mode = xa__onnx_string(b->m, n, "mode", "constant");
    XA_RETURN_TRY(err, pad_amounts(b, n, before, after, &good, err));
    pad_value(b, n, &value);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(out);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = 0;
        bool inside = true;
        for (int d = 0; d < in->rank; d++) {
            const int64_t beside = at[d] - before[d];
            const int64_t p = is_mirror(mode) ? mirrored(mode, beside, in->dim[d]) : beside;
            inside = inside && p >= 0 && p < in->dim[d];
            place = place * in->dim[d] + p;
        }
        data[i] = inside ? x[place] : value;
        for (int d = out->rank - 1; d >= 0 && ++at[d] == out->dim[d]; d--)
            at[d] = 0;
    }
    return XA_OK;
}

/* Zeros around one axis: two of an image at once where they are its rows and columns. */
static xa_status pad_axis(xa__onnx_build *b,
                          xa__onnx_node *n,
                          xa__onnx_run *run,
                          int axis,
                          int64_t before,
                          int64_t after,
                          xa_err *err)
{
    xa_shape shape;
    const int64_t extent = xa__layout_extent(&run->at, axis);
    if (before < 0 || after < 0) {
        const xa__onnx_piece p = {.axis = axis,
                                  .first = before < 0 ? -before : 0,
                                  .step = 1,
                                  .count =
                                      extent + (before < 0 ? before : 0) + (after < 0 ? after : 0)};
        XA_RETURN_TRY(err, xa__onnx_slice_run(b, n, run, &p, err));
    }
    before = before < 0 ? 0 : before;
    after = after < 0 ? 0 : after;
    if (before == 0 && after == 0)
        return XA_OK;
    XA_RETURN_TRY(err, xa__onnx_axis_alone(b, n, run, axis, &shape, err));
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &run->node, err));
    XA_RETURN_TRY(err,
                  xa__onnx_add_unary(b,
                                     n,
                                     XA_OP_PAD,
                                     &(xa_op_params){.edges = {.left = before, .right = after}},
                                     run->node,
                                     &run->node,
                                     err));
    run->at = xa__layout_replace(&run->at, axis, shape.dim[1] + before + after);
    return xa__onnx_natural(b, n, run, err);
}

/* Rows and columns of an image are padded at once. */
static xa_status pad_image(xa__onnx_build *b,
                           xa__onnx_node *n,
                           xa__onnx_run *run,
                           const int64_t *before,
                           const int64_t *after,
                           xa_err *err)
{
    const xa__onnx_shape *out = &xa__onnx_out(b, n, 0)->shape;
    int id;
    XA_RETURN_TRY(err, xa__onnx_image(b, n, run, &id, err));
    XA_RETURN_TRY(err,
                  xa__onnx_add_unary(b,
                                     n,
                                     XA_OP_PAD,
                                     &(xa_op_params){.edges = {.top = before[2],
                                                               .bottom = after[2],
                                                               .left = before[3],
                                                               .right = after[3]}},
                                     id,
                                     &run->node,
                                     err));
    run->at = xa__layout_image(out->dim[1], out->dim[2], out->dim[3]);
    return XA_OK;
}

/* By the elements that lie there, axis by axis. */
static xa_status pad_mirrored(xa__onnx_build *b, xa__onnx_node *n, const char *mode, xa_err *err)
{
    xa_status st = XA_OK;
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    int64_t before[XA__ONNX_RANK], after[XA__ONNX_RANK];
    float *list = NULL;
    bool good;
    XA_TRY(err, pad_amounts(b, n, before, after, &good, err));
    for (int axis = 0; axis < run.at.rank; axis++) {
        const int64_t d = xa__layout_extent(&run.at, axis), count = d + before[axis] + after[axis];
        free(list);
        XA_TRY(err, xa__onnx_floats(b, count, &list, err));
        for (int64_t i = 0; i < count; i++)
            list[i] = (float)mirrored(mode, i - before[axis], d);
        XA_TRY(err, xa__onnx_gather_run(b, n, &run, axis, list, count, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
done:
    free(list);
    return st;
}

static xa_status pad_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const char *mode = xa__onnx_string(b->m, n, "mode", "constant");
    if (is_mirror(mode))
        return pad_mirrored(b, n, mode, err);
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    int64_t before[XA__ONNX_RANK], after[XA__ONNX_RANK];
    bool good, image = run.at.rank == 4, grows = false;
    double value;
    XA_RETURN_TRY(err, pad_amounts(b, n, before, after, &good, err));
    pad_value(b, n, &value);
    if (!isfinite(value))
        return xa__onnx_refuse(b, n, err, "it pads with %g", value);
    for (int i = 0; i < run.at.rank; i++) {
        image = image && before[i] >= 0 && after[i] >= 0 && (i > 1 || before[i] + after[i] == 0);
        grows = grows || before[i] > 0 || after[i] > 0;
    }
    if (!grows)
        value = 0.0; /* nothing takes it */
    XA_RETURN_TRY(err, xa__onnx_scale(b, n, 1.0, -value, run.node, &run.node, err));
    if (image && grows)
        XA_RETURN_TRY(err, pad_image(b, n, &run, before, after, err));
    for (int i = 0; !image && i < run.at.rank; i++)
        XA_RETURN_TRY(err, pad_axis(b, n, &run, i, before[i], after[i], err));
    XA_RETURN_TRY(err, xa__onnx_scale(b, n, 1.0, value, run.node, &run.node, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_pad[] = {{"Pad", 1, 4, pad_infer, pad_fold, pad_lower}, {0}};
