/* reduce: one value of all along an axis. Sums in double, in the order of the axis. */
#include "../op.h"

#include <math.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int axis = node->params.reduce.axis, kind = (int)node->params.reduce.kind;
    char text[96];
    if (axis < 0 || axis >= s->ndim || kind < 0 || kind >= XA_OVER_COUNT)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (reduce): kind %d over axis %d of an input of %s",
                       node->name,
                       kind,
                       axis,
                       xa_shape_text(s, text, sizeof text));
    node->shape = *s;
    node->shape.dim[axis] = 1;
    return XA_OK;
}

static bool is_linear(const xa_node *node)
{
    const xa_over_kind k = node->params.reduce.kind;
    return k == XA_OVER_MEAN || k == XA_OVER_SUM;
}

static unsigned saves(const xa_node *node)
{
    return is_linear(node) ? 0 : XA_SAVES_INPUTS | XA_SAVES_OUTPUT;
}

/* Elements before the axis (samples included), on it, and after it. */
typedef struct parts {
    int64_t outer, extent, inner;
} parts;

static parts parts_of(const xa_op_call *c)
{
    const xa_shape *s = &c->xs[0];
    const int axis = c->node->params.reduce.axis;
    parts p = {.outer = c->n, .extent = s->dim[axis], .inner = 1};
    for (int i = 0; i < axis; i++)
        p.outer *= s->dim[i];
    for (int i = axis + 1; i < s->ndim; i++)
        p.inner *= s->dim[i];
    return p;
}

/* The product of all but one of them (-1: of all); one may be 0. */
static double product(const float *x, int64_t n, int64_t step, int64_t but)
{
    double p = 1.0;
    for (int64_t i = 0; i < n; i++)
        p *= i == but ? 1.0 : (double)x[i * step];
    return p;
}

static float reduced(xa_over_kind kind, const float *x, int64_t n, int64_t step)
{
    double sum = 0.0;
    float most = x[0];
    if (kind == XA_OVER_PRODUCT)
        return (float)product(x, n, step, -1);
    for (int64_t i = 0; i < n; i++) {
        const float v = x[i * step];
        sum += kind == XA_OVER_L2 ? (double)v * (double)v : (double)v;
        if (v > most || (isnan(v) && !isnan(most)))
            most = v;
    }
    return kind == XA_OVER_MEAN  ? (float)(sum / (double)n)
           : kind == XA_OVER_SUM ? (float)sum
           : kind == XA_OVER_L2  ? (float)sqrt(sum)
                                 : most;
}

static void forward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t i = 0; i < p.inner; i++)
            c->y[o * p.inner + i] = reduced(c->node->params.reduce.kind,
                                            c->x[0] + o * p.extent * p.inner + i,
                                            p.extent,
                                            p.inner);
    xa_tick_now(c->tick);
}

static bool is_most(float v, float most)
{
    return (v >= most && v <= most) || (isnan(v) && isnan(most));
}

/* dx[n] of one y, whose gradient is dy. */
static void
spread(xa_over_kind kind, const float *x, float y, float dy, float *dx, int64_t n, int64_t step)
{
    int64_t equal = 0;
    for (int64_t i = 0; !(kind == XA_OVER_MEAN || kind == XA_OVER_SUM) && i < n; i++)
        equal += is_most(x[i * step], y);
    bool found = false;
    for (int64_t i = 0; i < n; i++) {
        float *d = dx + i * step;
        switch (kind) {
        case XA_OVER_MEAN:
            *d = dy / (float)n;
            break;
        case XA_OVER_SUM:
            *d = dy;
            break;
        case XA_OVER_PRODUCT:
            *d = (float)((double)dy * product(x, n, step, i));
            break;
        case XA_OVER_L2:
            *d = y > 0.0f || isnan(y) ? dy * (x[i * step] / y) : 0.0f;
            break;
        case XA_OVER_MAX_SHARED:
            *d = is_most(x[i * step], y) ? dy / (float)equal : 0.0f;
            break;
        default:
            *d = !found && is_most(x[i * step], y) ? dy : 0.0f;
            found = found || is_most(x[i * step], y);
            break;
        }
    }
}

static void backward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    const bool linear = is_linear(c->node);
    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t i = 0; i < p.inner; i++) {
            const int64_t at = o * p.inner + i, from = o * p.extent * p.inner + i;
            spread(c->node->params.reduce.kind,
                   linear ? NULL : c->x[0] + from,
                   linear ? 0.0f : c->y[at],
                   c->dy[at],
                   c->dx + from,
                   p.extent,
                   p.inner);
        }
    xa_tick_now(c->tick);
}

static double flops(const xa_graph *g, const xa_node *node)
{
    return (double)xa_shape_count(xa_input_shape(g, node, 0));
}

const xa_op_def xa_op_reduce = {.name = "reduce",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .saves = saves,
                                .forward = forward,
                                .backward = backward,
                                .flops = flops};
