/* Operators on runs (runs.h): functions of one, of a pair, reductions, lists of indices, linear
 * maps of an axis. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

xa_status xa__onnx_unary_run(xa__onnx_build *b,
                             const xa__onnx_node *n,
                             xa_unary_kind kind,
                             double a,
                             xa__onnx_run *run,
                             xa_err *err)
{
    const xa_op_params p = {.unary = {.kind = kind, .a = (float)a}};
    return xa__onnx_add_unary(b, n, XA_OP_UNARY, &p, run->node, &run->node, err);
}

xa_status xa__onnx_pair(xa__onnx_build *b,
                        xa__onnx_node *n,
                        xa_op op,
                        const xa__onnx_run *x,
                        const xa__onnx_run *y,
                        xa__onnx_run *out,
                        xa_err *err)
{
    xa__onnx_operand operands[2] = {{.value = -1, .run = *x}, {.value = -1, .run = *y}};
    const int rank = x->at.rank > y->at.rank ? x->at.rank : y->at.rank;
    return xa__onnx_combine_all(b, n, op, NULL, operands, 2, rank, out, err);
}

xa_status xa__onnx_with(xa__onnx_build *b,
                        xa__onnx_node *n,
                        xa_op op,
                        const xa__onnx_run *x,
                        int constant,
                        xa__onnx_run *out,
                        xa_err *err)
{
    xa__onnx_operand operands[2] = {{.value = -1, .run = *x}, {.value = constant}};
    return xa__onnx_combine_all(b, n, op, NULL, operands, 2, x->at.rank, out, err);
}

xa_status xa__onnx_literal(xa__onnx_build *b,
                           const xa__onnx_node *n,
                           const xa__onnx_shape *shape,
                           const float *values,
                           xa__onnx_run *out,
                           xa_err *err)
{
    xa_node_spec spec = {.op = XA_OP_CONSTANT, .nweights = 1};
    out->at = xa__layout_plain(shape);
    const xa_shape natural = xa__layout_natural(&out->at);
    XA_RETURN_TRY(err,
                  xa_graph_add_weight(
                      b->model->graph, "constant", &natural, -1, values, &spec.weights[0], err));
    return xa__onnx_add(b, n, &spec, &out->node, err);
}

xa_status xa__onnx_number(xa__onnx_build *b,
                          const xa__onnx_node *n,
                          double value,
                          int rank,
                          xa__onnx_run *out,
                          xa_err *err)
{
    const float number = (float)value;
    xa__onnx_shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.dim[i] = 1;
    return xa__onnx_literal(b, n, &shape, &number, out, err);
}

/* ---- reductions ---- */

/* Memory in three parts: before, the axes that go, after. Those of the axes lie together. */
static void three_parts(const xa__onnx_layout *l, unsigned axes, xa_shape *shape)
{
    bool inside = false;
    *shape = (xa_shape){.ndim = 3, .dim = {1, 1, 1}};
    for (int i = 0; i < l->natoms; i++) {
        const bool goes = axes >> l->axis[l->order[i]] & 1;
        inside = inside || goes;
        shape->dim[goes ? 1 : inside ? 2 : 0] *= l->extent[l->order[i]];
    }
}

static bool lie_together(const xa__onnx_layout *l, unsigned axes)
{
    int changes = 0;
    bool was = false;
    for (int i = 0; i < l->natoms; i++) {
        const bool goes = axes >> l->axis[l->order[i]] & 1;
        changes += goes != was;
        was = goes;
    }
    return changes <= 2;
}

static xa__onnx_layout without(const xa__onnx_layout *l, unsigned axes, bool keep)
{
    xa__onnx_layout r = *l;
    for (int i = l->rank - 1; i >= 0; i--)
        if (axes >> i & 1)
            r = xa__layout_drop(&r, i, keep);
    return r;
}

xa_status xa__onnx_reduce_run(xa__onnx_build *b,
                              xa__onnx_node *n,
                              const xa__onnx_run *x,
                              unsigned axes,
                              bool keep,
                              xa_over_kind kind,
                              xa__onnx_run *out,
                              xa_err *err)
{
    const xa_graph *g = b->model->graph;
    xa__onnx_run run = *x;
    xa_shape parts;
    if (!lie_together(&run.at, axes)) {
        int order[XA__ONNX_ATOMS];
        xa__layout_last(&run.at, ~axes, order);
        XA_RETURN_TRY(err, xa__onnx_order(b, n, &run, order, &run, err));
    }
    three_parts(&run.at, axes, &parts);
    const xa_shape *seen = &xa_graph_node(g, run.node)->shape;
    out->at = without(&run.at, axes, keep);
    out->node = run.node;
    if (parts.dim[1] == 1 && kind != XA_OVER_L2)
        return XA_OK;
    if (parts.dim[0] == 1 && (kind == XA_OVER_MEAN || kind == XA_OVER_MAX_SHARED)) {
        /* all positions of an image, or all tokens: a global pool */
        const xa_op_params p = {
            .global_pool = {.kind = kind == XA_OVER_MEAN ? XA_POOL_AVG : XA_POOL_MAX,
                            .keepdims = true}};
        if (seen->ndim != 3 || seen->dim[2] != parts.dim[2]) {
            parts = (xa_shape){.ndim = 3, .dim = {parts.dim[1], 1, parts.dim[2]}};
            XA_RETURN_TRY(err, xa__onnx_view(b, n, run.node, &parts, &run.node, err));
        }
        return xa__onnx_add_unary(b, n, XA_OP_GLOBAL_POOL, &p, run.node, &out->node, err);
    }
    const xa_op_params p = {.reduce = {.kind = kind, .axis = 1}};
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run.node, &parts, &run.node, err));
    return xa__onnx_add_unary(b, n, XA_OP_REDUCE, &p, run.node, &out->node, err);
}

/* ---- along an axis ---- */

xa_status xa__onnx_floats(const xa__onnx_build *b, int64_t count, float **values, xa_err *err)
{
    enum { MOST = 1 << 26 };
    *values = NULL;
    if (count < 0 || count > MOST)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "it needs a list or matrix of %" PRId64 " numbers, at most %d are made",
                       count,
                       (int)MOST);
    *values = xa_alloc((size_t)count + 1, sizeof **values);
    if (!*values)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    return XA_OK;
}

xa_status xa__onnx_gather_run(xa__onnx_build *b,
                              xa__onnx_node *n,
                              xa__onnx_run *run,
                              int axis,
                              const float *list,
                              int64_t count,
                              xa_err *err)
{
    xa_shape shape;
    xa_node_spec spec = {.op = XA_OP_GATHER, .ninputs = 1, .nweights = 1};
    int64_t same = 0;
    while (same < count && list[same] >= (float)same && list[same] <= (float)same)
        same++;
    if (same == count && count == xa__layout_extent(&run->at, axis))
        return XA_OK;
    XA_RETURN_TRY(err, xa__onnx_axis_alone(b, n, run, axis, &shape, err));
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &run->node, err));
    XA_RETURN_TRY(err,
                  xa_graph_add_weight(b->model->graph,
                                      "indices",
                                      &(xa_shape){.ndim = 1, .dim = {count}},
                                      -1,
                                      list,
                                      &spec.weights[0],
                                      err));
    spec.inputs = &run->node;
    spec.params.gather.axis = 1;
    int id;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    run->node = id;
    run->at = xa__layout_replace(&run->at, axis, count);
    return xa__onnx_natural(b, n, run, err);
}

/* matrix [count, extent] for a DENSE of the last axis: [extent, count]. */
static xa_status map_last(xa__onnx_build *b,
                          xa__onnx_node *n,
                          xa__onnx_run *run,
                          const xa_shape *shape,
                          const float *matrix,
                          int64_t count,
                          xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t extent = shape->dim[1];
    const xa_shape rows = {.ndim = 2, .dim = {shape->dim[0], extent}};
    xa_node_spec spec = {
        .op = XA_OP_DENSE, .ninputs = 1, .nweights = 1, .params.dense.units = count};
    int input;
    float *turned = NULL;
    XA_TRY(err, xa__onnx_floats(b, count * extent, &turned, err));
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < extent; k++)
            turned[k * count + i] = matrix[i * extent + k];
    XA_TRY(err, xa__onnx_view(b, n, run->node, &rows, &input, err));
    XA_TRY(err,
           xa_graph_add_weight(b->model->graph,
                               "map of an axis",
                               &(xa_shape){.ndim = 2, .dim = {extent, count}},
                               -1,
                               turned,
                               &spec.weights[0],
                               err));
    spec.inputs = &input;
    XA_TRY(err, xa__onnx_add(b, n, &spec, &run->node, err));
done:
    free(turned);
    return st;
}

/* For a MATMUL from the left. */
static xa_status map_inner(xa__onnx_build *b,
                           xa__onnx_node *n,
                           xa__onnx_run *run,
                           const xa_shape *shape,
                           const float *matrix,
                           int64_t count,
                           xa_err *err)
{
    const xa_shape square = {.ndim = 3, .dim = {1, count, shape->dim[1]}};
    xa_node_spec constant = {.op = XA_OP_CONSTANT, .nweights = 1};
    int inputs[2];
    xa_node_spec spec = {.op = XA_OP_MATMUL, .inputs = inputs, .ninputs = 2};
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, shape, &inputs[1], err));
    XA_RETURN_TRY(
        err,
        xa_graph_add_weight(
            b->model->graph, "map of an axis", &square, -1, matrix, &constant.weights[0], err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &constant, &inputs[0], err));
    return xa__onnx_add(b, n, &spec, &run->node, err);
}

xa_status xa__onnx_map_run(xa__onnx_build *b,
                           xa__onnx_node *n,
                           xa__onnx_run *run,
                           int axis,
                           const float *matrix,
                           int64_t count,
                           xa_err *err)
{
    xa_shape shape;
    XA_RETURN_TRY(err, xa__onnx_axis_alone(b, n, run, axis, &shape, err));
    if (shape.dim[2] == 1)
        XA_RETURN_TRY(err, map_last(b, n, run, &shape, matrix, count, err));
    else
        XA_RETURN_TRY(err, map_inner(b, n, run, &shape, matrix, count, err));
    run->at = xa__layout_replace(&run->at, axis, count);
    return xa__onnx_natural(b, n, run, err);
}
