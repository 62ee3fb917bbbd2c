/* slice: elements first, first + step, .. of an axis. */
#include "../op.h"

#include <inttypes.h>
#include <string.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int axis = node->params.slice.axis;
    const int64_t first = node->params.slice.first, count = node->params.slice.count,
                  step = node->params.slice.step;
    char text[96];
    if (axis < 0 || axis >= s->ndim)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (slice): axis %d of an input of %s",
                       node->name,
                       axis,
                       xa_shape_text(s, text, sizeof text));
    const int64_t extent = s->dim[axis];
    bool fits = count >= 1 && count <= extent && first >= 0 && first < extent && step > -extent &&
                step < extent;
    if (fits) {
        const int64_t last = first + (count - 1) * step;
        fits = last >= 0 && last < extent;
    }
    if (!fits || (step == 0 && count > 1))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (slice): %" PRId64 " elements from %" PRId64 " by %" PRId64
                       " do not lie on axis %d of %s",
                       node->name,
                       count,
                       first,
                       step,
                       axis,
                       xa_shape_text(s, text, sizeof text));
    node->shape = *s;
    node->shape.dim[axis] = count;
    return XA_OK;
}

/* Elements before the axis (samples included), on it, and after it. */
typedef struct parts {
    int64_t outer, extent, inner, first, count, step;
} parts;

static parts parts_of(const xa_op_call *c)
{
    const xa_shape *s = &c->xs[0];
    const int axis = c->node->params.slice.axis;
    parts p = {.outer = c->n,
               .extent = s->dim[axis],
               .inner = 1,
               .first = c->node->params.slice.first,
               .count = c->node->params.slice.count,
               .step = c->node->params.slice.step};
    for (int i = 0; i < axis; i++)
        p.outer *= s->dim[i];
    for (int i = axis + 1; i < s->ndim; i++)
        p.inner *= s->dim[i];
    return p;
}

static void forward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    float *y = c->y;
    for (int64_t o = 0; o < p.outer; o++) {
        const float *x = c->x[0] + (o * p.extent + p.first) * p.inner;
        if (p.step == 1) {
            memcpy(y, x, (size_t)(p.count * p.inner) * sizeof *y);
            y += p.count * p.inner;
            continue;
        }
        for (int64_t i = 0; i < p.count; i++, y += p.inner)
            memcpy(y, x + i * p.step * p.inner, (size_t)p.inner * sizeof *y);
    }
    xa_tick_now(c->tick);
}

static void backward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    const float *dy = c->dy;
    memset(c->dx, 0, (size_t)(p.outer * p.extent * p.inner) * sizeof *c->dx);
    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t i = 0; i < p.count; i++, dy += p.inner)
            memcpy(c->dx + (o * p.extent + p.first + i * p.step) * p.inner,
                   dy,
                   (size_t)p.inner * sizeof *dy);
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_slice = {.name = "slice",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .forward = forward,
                               .backward = backward};
