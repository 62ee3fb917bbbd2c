/* Reductions over axes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runs.h"

enum { NONE = -1 };
/* after(engine(before(x))); `negative`: of -x, and the result's. */
typedef struct kind {
    const char *name;
    xa_over_kind engine;
    bool negative;
    int before, after; /* xa_unary_kind, or NONE */
    double exponent;   /* of `before` */
} kind;
static const kind kinds[] = {{"ReduceMean", XA_OVER_MEAN, false, NONE, NONE, 0.0},
                             {"ReduceSum", XA_OVER_SUM, false, NONE, NONE, 0.0},
                             {"ReduceMax", XA_OVER_MAX_SHARED, false, NONE, NONE, 0.0},
                             {"ReduceMin", XA_OVER_MAX_SHARED, true, NONE, NONE, 0.0},
                             {"ReduceProd", XA_OVER_PRODUCT, false, NONE, NONE, 0.0},
                             {"ReduceL1", XA_OVER_SUM, false, XA_UNARY_ABS, NONE, 0.0},
                             {"ReduceL2", XA_OVER_L2, false, NONE, NONE, 0.0},
                             {"ReduceSumSquare", XA_OVER_SUM, false, XA_UNARY_POWER, NONE, 2.0},
                             {"ReduceLogSum", XA_OVER_SUM, false, NONE, XA_UNARY_LOG, 0.0},
                             {"ReduceLogSumExp", XA_OVER_SUM, false, NONE, XA_UNARY_LOG, 0.0},
                             {"GlobalAveragePool", XA_OVER_MEAN, false, NONE, NONE, 0.0},
                             {"GlobalMaxPool", XA_OVER_MAX_FIRST, false, NONE, NONE, 0.0}};

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

static double larger(double sum, double x)
{
    return x > sum || isnan(x) ? x : sum;
}

static double smaller(double sum, double x)
{
    return x < sum || isnan(x) ? x : sum;
}

static double times(double sum, double x)
{
    return sum * x;
}

static double plus_size(double sum, double x)
{
    return sum + fabs(x);
}

static double plus_square(double sum, double x)
{
    return sum + x * x;
}

static double plus(double sum, double x)
{
    return sum + x;
}

typedef double joined_fn(double sum, double x);

static joined_fn *joined_of(const char *op)
{
    static const struct {
        const char *op;
        joined_fn *fn;
    } list[] = {{"ReduceMax", larger},
                {"ReduceMin", smaller},
                {"ReduceProd", times},
                {"ReduceL1", plus_size},
                {"ReduceL2", plus_square},
                {"ReduceSumSquare", plus_square}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!strcmp(op, list[i].op))
            return list[i].fn;
    return plus;
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
    /* a row of the last axis at a time */
    joined_fn *const join = joined_of(n->op);
    const int64_t row = s->rank ? s->dim[s->rank - 1] : 1,
                  along = s->rank ? stride[s->rank - 1] : 0;
    for (int64_t i = 0; i < count; i += row) {
        double *to = data;
        for (int d = 0; d < s->rank; d++)
            to += at[d] * stride[d];
        for (int64_t k = 0; k < row; k++, to += along)
            *to = join(*to, x[i + k]);
        for (int d = s->rank - 2; d >= 0 && ++at[d] == s->dim[d]; d--)
            at[d] = 0;
    }
    const bool mean = kind_of(n)->engine == XA_OVER_MEAN, root = !strcmp(n->op, "ReduceL2");
    for (int64_t i = 0; i < left; i++)
        data[i] = mean ? data[i] / ((double)count / (double)left) : root ? sqrt(data[i]) : data[i];
    return XA_OK;
}

/* What the engine does before, and what it sums up. */
static xa_status reduce_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const kind *k = kind_of(n);
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0), most;
    unsigned axes;
    bool keep, good;
    XA_RETURN_TRY(err, axes_of(b, n, &axes, &keep, &good, err));
    const bool stable = !strcmp(n->op, "ReduceLogSumExp");
    if (stable) {
        XA_RETURN_TRY(err,
                      xa__onnx_reduce_run(b, n, &run, axes, true, XA_OVER_MAX_FIRST, &most, err));
        XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_SUBTRACT, &run, &most, &run, err));
        XA_RETURN_TRY(
            err,
            xa__onnx_activate(b, n, xa_activation_default(XA_ACT_EXP), run.node, &run.node, err));
    }
    if (k->before != NONE)
        XA_RETURN_TRY(err,
                      xa__onnx_unary_run(b, n, (xa_unary_kind)k->before, k->exponent, &run, err));
    if (k->negative)
        XA_RETURN_TRY(err, xa__onnx_scale(b, n, -1.0, 0.0, run.node, &run.node, err));
    XA_RETURN_TRY(err, xa__onnx_reduce_run(b, n, &run, axes, keep, k->engine, &run, err));
    if (k->negative)
        XA_RETURN_TRY(err, xa__onnx_scale(b, n, -1.0, 0.0, run.node, &run.node, err));
    if (k->after != NONE)
        XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, (xa_unary_kind)k->after, 0.0, &run, err));
    if (stable) {
        XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &most, &xa__onnx_out(b, n, 0)->shape, err));
        XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &run, &most, &run, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_reduce[] = {
    {"GlobalAveragePool", 1, 1, reduce_infer, reduce_fold, reduce_lower},
    {"GlobalMaxPool", 1, 1, reduce_infer, NULL, reduce_lower},
    {"ReduceMean", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceSum", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceMax", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceMin", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceProd", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceL1", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceL2", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceSumSquare", 1, 2, reduce_infer, reduce_fold, reduce_lower},
    {"ReduceLogSum", 1, 2, reduce_infer, NULL, reduce_lower},
    {"ReduceLogSumExp", 1, 2, reduce_infer, NULL, reduce_lower},
    {0}};
