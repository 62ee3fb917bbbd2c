/* Normalisations over axes, and Softmax. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runs.h"

/* The axes from one on; false: there is no such axis. */
static bool axes_from(int64_t axis, int rank, unsigned *axes)
{
    int first;
    *axes = 0;
    if (!xa__onnx_axis(axis, rank, &first))
        return false;
    for (int i = first; i < rank; i++)
        *axes |= 1u << i;
    return true;
}

/* A constant of the normalised axes, read in the order they have in memory. */
static xa_status in_memory_order(xa__onnx_build *b,
                                 int value,
                                 const xa__onnx_layout *l,
                                 unsigned axes,
                                 int64_t width,
                                 int *id,
                                 xa_err *err)
{
    xa__onnx_weight w = {.value = value, .scale = 1.0};
    int64_t stride[XA__ONNX_ATOMS];
    if (xa__onnx_count(&b->m->values[value].shape) == 1)
        return xa__onnx_vector(b, value, width, 1.0, id, err);
    xa__layout_strides(l, stride); /* the axes are the last: those of the constant */
    for (int i = 0; i < l->natoms; i++) {
        const int a = l->order[i];
        if (!(axes >> l->axis[a] & 1))
            continue;
        w.extent[w.ndim] = l->extent[a];
        w.stride[w.ndim++] = stride[a];
    }
    return xa__onnx_add_weight(b, &w, &(xa_shape){.ndim = 1, .dim = {width}}, id, err);
}

/* ---- LayerNormalization, RMSNormalization ---- */

static xa_status layer_norm_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    unsigned axes;
    int64_t width = 1;
    if (!axes_from(xa__onnx_int(b->m, n, "axis", -1), x->shape.rank, &axes))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    for (int i = 0; i < x->shape.rank; i++)
        width *= axes >> i & 1 ? x->shape.dim[i] : 1;
    for (int i = 1; i < 3; i++) {
        const xa__onnx_value *w = xa__onnx_in(b, n, i);
        const int64_t count = w ? xa__onnx_count(&w->shape) : 1;
        if (w && (!w->constant || (count != width && count != 1)))
            return xa__onnx_refuse(
                b, n, err, "its input %d is not a constant of %" PRId64 " values", i, width);
    }
    xa__onnx_shape one = x->shape;
    for (int i = 0; i < one.rank; i++)
        one.dim[i] = axes >> i & 1 ? 1 : one.dim[i];
    for (int i = 1; i < 3; i++)
        XA_RETURN_TRY(err, xa__onnx_set(b, n, i, x->type, &one, err));
    return xa__onnx_infer_same(b, n, err);
}

/* The mean, and the reciprocal of the deviation. */
static xa_status
layer_norm_statistics(xa__onnx_build *b, xa__onnx_node *n, unsigned axes, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    xa__onnx_run mean, root;
    XA_RETURN_TRY(err, xa__onnx_reduce_run(b, n, x, axes, true, XA_OVER_MEAN, &mean, err));
    xa__onnx_made(b, n, 1, mean.node, &mean.at);
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_SUBTRACT, x, &mean, &root, err));
    XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_POWER, 2.0, &root, err));
    XA_RETURN_TRY(err, xa__onnx_reduce_run(b, n, &root, axes, true, XA_OVER_MEAN, &root, err));
    XA_RETURN_TRY(
        err,
        xa__onnx_scale(
            b, n, 1.0, xa__onnx_float(b->m, n, "epsilon", 1e-5), root.node, &root.node, err));
    XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_POWER, -0.5, &root, err));
    xa__onnx_made(b, n, 2, root.node, &root.at);
    return XA_OK;
}

static bool is_read(xa__onnx_build *b, const xa__onnx_node *n, int i)
{
    return xa__onnx_out(b, n, i) && xa__onnx_out(b, n, i)->uses;
}

static xa_status layer_norm_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    xa_node_spec spec = {
        .op = XA_OP_LAYER_NORM,
        .ninputs = 1,
        .nweights = 2,
        .weights = {-1, -1},
        .params.layer_norm = {.epsilon = (float)xa__onnx_float(b->m, n, "epsilon", 1e-5),
                              .rms = !strcmp(n->op, "RMSNormalization")}};
    unsigned axes;
    xa__onnx_run rows;
    int id;
    axes_from(xa__onnx_int(b->m, n, "axis", -1), x->at.rank, &axes);
    if (is_read(b, n, 1) || is_read(b, n, 2))
        XA_RETURN_TRY(err, layer_norm_statistics(b, n, axes, err));
    XA_RETURN_TRY(err, xa__onnx_rows(b, n, x, axes, &rows, err));
    const int64_t width = xa_shape_last(&xa_graph_node(b->model->graph, rows.node)->shape);
    for (int i = 1; i < 3; i++)
        if (xa__onnx_in(b, n, i))
            XA_RETURN_TRY(
                err,
                in_memory_order(b, n->inputs[i], &rows.at, axes, width, &spec.weights[i - 1], err));
    spec.inputs = &rows.node;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    xa__onnx_made(b, n, 0, id, &rows.at);
    return XA_OK;
}

/* ---- Softmax ---- */

/* Since 13 over one axis; before, over all from one on together. */
static bool softmax_axes(xa__onnx_build *b, const xa__onnx_node *n, unsigned *axes)
{
    const int rank = xa__onnx_in(b, n, 0)->shape.rank;
    int axis;
    *axes = 0;
    if (b->m->opset < 13)
        return axes_from(xa__onnx_int(b->m, n, "axis", 1), rank, axes);
    if (!xa__onnx_axis(xa__onnx_int(b->m, n, "axis", -1), rank, &axis))
        return false;
    *axes = 1u << axis;
    return true;
}

static xa_status softmax_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    unsigned axes;
    if (!softmax_axes(b, n, &axes))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    return xa__onnx_infer_same(b, n, err);
}

static xa_status softmax_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    unsigned axes;
    xa__onnx_run rows;
    int id;
    softmax_axes(b, n, &axes);
    XA_RETURN_TRY(err, xa__onnx_rows(b, n, x, axes, &rows, err));
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_SOFTMAX, NULL, rows.node, &id, err));
    xa__onnx_made(b, n, 0, id, &rows.at);
    return XA_OK;
}

/* x - max - log(sum of exp(x - max)) */
static xa_status log_softmax_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    xa__onnx_run run, most, sum;
    unsigned axes;
    softmax_axes(b, n, &axes);
    XA_RETURN_TRY(err, xa__onnx_reduce_run(b, n, x, axes, true, XA_OVER_MAX_FIRST, &most, err));
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_SUBTRACT, x, &most, &run, err));
    sum = run;
    XA_RETURN_TRY(
        err, xa__onnx_activate(b, n, xa_activation_default(XA_ACT_EXP), run.node, &sum.node, err));
    XA_RETURN_TRY(err, xa__onnx_reduce_run(b, n, &sum, axes, true, XA_OVER_SUM, &sum, err));
    XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_LOG, 0.0, &sum, err));
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_SUBTRACT, &run, &sum, &run, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- LpNormalization ---- */

static xa_status lp_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const int64_t p = xa__onnx_int(b->m, n, "p", 2);
    int axis;
    if (p != 1 && p != 2)
        return xa__onnx_refuse(b, n, err, "its p is %" PRId64 ", expected 1 or 2", p);
    if (!xa__onnx_axis(xa__onnx_int(b->m, n, "axis", -1), xa__onnx_in(b, n, 0)->shape.rank, &axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    return xa__onnx_infer_same(b, n, err);
}

static xa_status lp_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const bool absolute = xa__onnx_int(b->m, n, "p", 2) == 1;
    xa__onnx_run run = *x;
    int axis;
    xa__onnx_axis(xa__onnx_int(b->m, n, "axis", -1), x->at.rank, &axis);
    if (absolute)
        XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_ABS, 0.0, &run, err));
    XA_RETURN_TRY(
        err,
        xa__onnx_reduce_run(
            b, n, &run, 1u << axis, true, absolute ? XA_OVER_SUM : XA_OVER_L2, &run, err));
    /* of a vector of zeros nothing is made */
    xa__onnx_run one;
    XA_RETURN_TRY(err, xa__onnx_number(b, n, 1.0, x->at.rank, &one, err));
    xa__onnx_operand safe[3] = {
        {.value = -1, .run = run}, {.value = -1, .run = run}, {.value = -1, .run = one}};
    XA_RETURN_TRY(err,
                  xa__onnx_combine_all(b, n, XA_OP_SELECT, NULL, safe, 3, x->at.rank, &run, err));
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_DIVIDE, x, &run, &run, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_norm[] = {
    {"LayerNormalization", 1, 3, layer_norm_infer, NULL, layer_norm_lower},
    {"RMSNormalization", 1, 2, layer_norm_infer, NULL, layer_norm_lower},
    {"Softmax", 1, 1, softmax_infer, NULL, softmax_lower},
    {"LogSoftmax", 1, 1, softmax_infer, NULL, log_softmax_lower},
    {"LpNormalization", 1, 1, lp_infer, NULL, lp_lower},
    {0}};
