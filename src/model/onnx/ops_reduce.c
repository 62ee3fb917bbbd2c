/* Reductions over axes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "build.h"

typedef struct kind {
    const char *name;
    xa_over_kind engine; /* COUNT: of constants only */
} kind;
static const kind kinds[] = {{"ReduceMean", XA_OVER_MEAN},
                             {"ReduceSum", XA_OVER_SUM},
                             {"ReduceMax", XA_OVER_MAX_SHARED},
                             {"ReduceMin", XA_OVER_COUNT},
                             {"ReduceProd", XA_OVER_COUNT},
                             {"ReduceL1", XA_OVER_COUNT},
                             {"ReduceL2", XA_OVER_L2},
                             {"ReduceSumSquare", XA_OVER_COUNT},
                             {"GlobalAveragePool", XA_OVER_MEAN},
                             {"GlobalMaxPool", XA_OVER_MAX_FIRST}};

static const kind *kind_of(const xa__onnx_node *n)
{
    size_t i = 0;
    while (strcmp(kinds[i].name, n->op) != 0)
        i++;
    return &kinds[i];
}

/* Which axes go, a bit each; *keep: they stay with extent 1. *good false: refused. */
static xa_status
axes_of(xa__onnx_build *b, xa__onnx_node *n, unsigned *axes, bool *keep, bool *good, xa_err *err)
{
    const int rank = xa__onnx_in(b, n, 0)->shape.rank;
    int64_t list[XA__ONNX_RANK];
    int count;
    *good = false;
    *axes = 0;
    if (!strncmp(n->op, "Global", 6)) {
        *keep = true;
        *good = true;
        for (int i = 2; i < rank; i++)
            *axes |= 1u << i;
        return XA_OK;
    }
    *keep = xa__onnx_int(b->m, n, "keepdims", 1) != 0;
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "axes", 1, list, XA__ONNX_RANK, &count, err));
    if (count == -2)
        return XA_OK;
    if (count < 1 && xa__onnx_int(b->m, n, "noop_with_empty_axes", 0) == 0)
        *axes = (1u << rank) - 1;
    for (int i = 0; i < count; i++) {
        int axis;
        if (!xa__onnx_axis(list[i], rank, &axis))
            return xa__onnx_refuse(b, n, err, "its axis %" PRId64 " does not exist", list[i]);
        *axes |= 1u << axis;
    }
    *good = true;
    return XA_OK;
}

static xa_status reduce_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    unsigned axes;
    bool keep, good;
    xa__onnx_shape s = {0};
    XA_RETURN_TRY(err, axes_of(b, n, &axes, &keep, &good, err));
    if (!good)
        return XA_OK;
    for (int i = 0; i < x->shape.rank; i++)
        if (!(axes >> i & 1))
            s.dim[s.rank++] = x->shape.dim[i];
        else if (keep)
            s.dim[s.rank++] = 1;
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static double start_of(const char *op)
{
    return !strcmp(op, "ReduceMax")    ? -INFINITY
           : !strcmp(op, "ReduceMin")  ? INFINITY
           : !strcmp(op, "ReduceProd") ? 1.0
                                       : 0.0;
}

static double joined(const char *op, double sum, double x)
{
    if (!strcmp(op, "ReduceMax"))
        return x > sum || isnan(x) ? x : sum;
    if (!strcmp(op, "ReduceMin"))
        return x < sum || isnan(x) ? x : sum;
    if (!strcmp(op, "ReduceProd"))
        return sum * x;
    if (!strcmp(op, "ReduceL1"))
        return sum + fabs(x);
    if (!strcmp(op, "ReduceL2") || !strcmp(op, "ReduceSumSquare"))
        return sum + x * x;
    return sum + x;
}

static xa_status reduce_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(s), left = xa__onnx_count(&xa__onnx_out(b, n, 0)->shape);
    int64_t stride[XA__ONNX_RANK], at[XA__ONNX_RANK] = {0}, step = 1;
    unsigned axes;
    bool keep, good;
    double *data;
    XA_RETURN_TRY(err, axes_of(b, n, &axes, &keep, &good, err));
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int i = s->rank - 1; i >= 0; i--) {
        stride[i] = axes >> i & 1 ? 0 : step;
        step *= axes >> i & 1 ? 1 : s->dim[i];
    }
    for (int64_t i = 0; i < left; i++)
        data[i] = start_of(n->op);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = 0;
        for (int d = 0; d < s->rank; d++)
            place += at[d] * stride[d];
        data[place] = joined(n->op, data[place], x[i]);
        for (int d = s->rank - 1; d >= 0 && ++at[d] == s->dim[d]; d--)
            at[d] = 0;
    }
    const bool mean = kind_of(n)->engine == XA_OVER_MEAN, root = !strcmp(n->op, "ReduceL2");
    for (int64_t i = 0; i < left; i++)
        data[i] = mean ? data[i] / ((double)count / (double)left) : root ? sqrt(data[i]) : data[i];
    return XA_OK;
}

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

static xa_status reduce_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const kind *k = kind_of(n);
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    const xa_graph *g = b->model->graph;
    unsigned axes;
    bool keep, good;
    xa_shape parts;
    int id;
    if (k->engine == XA_OVER_COUNT)
        return xa__onnx_refuse(b, n, err, "it is read of constants only");
    XA_RETURN_TRY(err, axes_of(b, n, &axes, &keep, &good, err));
    if (!lie_together(&run.at, axes)) {
        int order[XA__ONNX_ATOMS];
        xa__layout_last(&run.at, ~axes, order);
        XA_RETURN_TRY(err, xa__onnx_order(b, n, &run, order, &run, err));
    }
    three_parts(&run.at, axes, &parts);
    const xa_shape *seen = &xa_graph_node(g, run.node)->shape;
    const xa__onnx_layout at = without(&run.at, axes, keep);
    if (parts.dim[1] == 1 && k->engine != XA_OVER_L2) {
        xa__onnx_made(b, n, 0, run.node, &at);
        return XA_OK;
    }
    if (parts.dim[0] == 1 && (k->engine == XA_OVER_MEAN || k->engine == XA_OVER_MAX_SHARED)) {
        /* all positions of an image, or all tokens: a global pool */
        if (seen->ndim != 3 || seen->dim[2] != parts.dim[2]) {
            parts = (xa_shape){.ndim = 3, .dim = {parts.dim[1], 1, parts.dim[2]}};
            XA_RETURN_TRY(err, xa__onnx_view(b, n, run.node, &parts, &run.node, err));
        }
        XA_RETURN_TRY(
            err,
            xa__onnx_add_unary(
                b,
                n,
                XA_OP_GLOBAL_POOL,
                &(xa_op_params){
                    .global_pool = {.kind = k->engine == XA_OVER_MEAN ? XA_POOL_AVG : XA_POOL_MAX,
                                    .keepdims = true}},
                run.node,
                &id,
                err));
    } else {
        XA_RETURN_TRY(err, xa__onnx_view(b, n, run.node, &parts, &run.node, err));
        XA_RETURN_TRY(err,
                      xa__onnx_add_unary(b,
                                         n,
                                         XA_OP_REDUCE,
                                         &(xa_op_params){.reduce = {.kind = k->engine, .axis = 1}},
                                         run.node,
                                         &id,
                                         err));
    }
    xa__onnx_made(b, n, 0, id, &at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_reduce[] = {
    {"GlobalAveragePool", 1, 1, reduce_infer, reduce_fold, reduce_lower},
    {"GlobalMaxPool", 1, 1, reduce_infer, NULL, reduce_lower},
    {"ReduceMean", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceSum", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceMax", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceMin", 1, 2, reduce_infer, reduce_fold, NULL},
    {"ReduceProd", 1, 2, reduce_infer, reduce_fold, NULL},
    {"ReduceL1", 1, 2, reduce_infer, reduce_fold, NULL},
    {"ReduceL2", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceSumSquare", 1, 2, reduce_infer, reduce_fold, NULL},
    {0}};
