/* unary: functions of one value that are no activation of Keras'. In double, value by value: what
 * networks have of them is small. */
#include "../op.h"

#include <math.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int kind = (int)node->params.unary.kind;
    const float a = node->params.unary.a, b = node->params.unary.b;
    if (kind < 0 || kind >= XA_UNARY_COUNT)
        XA_RETURN_FAIL(
            err, XA_INVALID, "layer \"%s\" (unary): kind %d does not exist", node->name, kind);
    if ((kind == XA_UNARY_POWER && !isfinite(a)) || (kind == XA_UNARY_CLIP && !(a <= b)))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (unary): its settings %g, %g are no %s",
                       node->name,
                       (double)a,
                       (double)b,
                       kind == XA_UNARY_POWER ? "exponent" : "bounds");
    node->shape = *xa_input_shape(g, node, 0);
    return XA_OK;
}

static double value(xa_unary_kind kind, double a, double b, double x)
{
    switch (kind) {
    case XA_UNARY_SQRT:
        return sqrt(x);
    case XA_UNARY_LOG:
        return log(x);
    case XA_UNARY_ABS:
        return fabs(x);
    case XA_UNARY_RECIPROCAL:
        return 1.0 / x;
    case XA_UNARY_ERF:
        return erf(x);
    case XA_UNARY_SIN:
        return sin(x);
    case XA_UNARY_COS:
        return cos(x);
    case XA_UNARY_POWER:
        return pow(x, a);
    case XA_UNARY_FLOOR:
        return floor(x);
    case XA_UNARY_CEIL:
        return ceil(x);
    case XA_UNARY_ROUND:
        return rint(x);
    case XA_UNARY_SIGN:
        return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
    case XA_UNARY_CLIP:
        return x < a ? a : x > b ? b : x;
    default:
        return NAN;
    }
}

static double slope(xa_unary_kind kind, double a, double b, double x)
{
    static const double two_over_root_pi = 1.12837916709551257390;
    switch (kind) {
    case XA_UNARY_SQRT:
        return x > 0.0 || isnan(x) ? 0.5 / sqrt(x) : 0.0;
    case XA_UNARY_LOG:
        return 1.0 / x;
    case XA_UNARY_ABS:
        return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    case XA_UNARY_RECIPROCAL:
        return -1.0 / (x * x);
    case XA_UNARY_ERF:
        return two_over_root_pi * exp(-x * x);
    case XA_UNARY_SIN:
        return cos(x);
    case XA_UNARY_COS:
        return -sin(x);
    case XA_UNARY_POWER:
        return a < 0.0 || a > 0.0 ? a * pow(x, a - 1.0) : 0.0;
    case XA_UNARY_FLOOR:
    case XA_UNARY_CEIL:
    case XA_UNARY_ROUND:
    case XA_UNARY_SIGN:
        return 0.0;
    case XA_UNARY_CLIP:
        return x > a && x < b ? 1.0 : 0.0;
    default:
        return NAN;
    }
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

static void forward(const xa_op_call *c)
{
    const int64_t n = c->n * xa_shape_count(&c->node->shape);
    const xa_unary_kind kind = c->node->params.unary.kind;
    const double a = (double)c->node->params.unary.a, b = (double)c->node->params.unary.b;
    for (int64_t i = 0; i < n; i++)
        c->y[i] = (float)value(kind, a, b, (double)c->x[0][i]);
    xa_tick_now(c->tick);
}

static void backward(const xa_op_call *c)
{
    const int64_t n = c->n * xa_shape_count(&c->node->shape);
    const xa_unary_kind kind = c->node->params.unary.kind;
    const double a = (double)c->node->params.unary.a, b = (double)c->node->params.unary.b;
    for (int64_t i = 0; i < n; i++)
        c->dx[i] = (float)((double)c->dy[i] * slope(kind, a, b, (double)c->x[0][i]));
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_unary = {.name = "unary",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .saves = saves,
                               .forward = forward,
                               .backward = backward};
