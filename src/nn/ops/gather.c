/* gather: elements of an axis by a list of indices, which may repeat and leave out; -1 gives zeros.
 * Gradients of an element that several take are added up in the list's order. */
#include "../op.h"

#include <inttypes.h>
#include <string.h>

/* The indices are literal float32 values: whole numbers up to here are exact. */
enum { MOST = 1 << 24 };

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int axis = node->params.gather.axis;
    const xa_weight *w =
        node->nweights == 1 && node->weights[0] >= 0 ? xa_graph_weight(g, node->weights[0]) : NULL;
    char text[96];
    if (axis < 0 || axis >= s->ndim || s->dim[axis] > MOST || !w || !w->literal ||
        w->shape.ndim != 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (gather): axis %d of an input of %s, and %s",
                       node->name,
                       axis,
                       xa_shape_text(s, text, sizeof text),
                       w && w->literal ? "a list of indices" : "no literal indices");
    for (int64_t i = 0; i < w->shape.dim[0]; i++)
        if (!(w->literal[i] >= -1.0f && w->literal[i] < (float)s->dim[axis]))
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (gather): index %g is not on axis %d of %s",
                           node->name,
                           (double)w->literal[i],
                           axis,
                           xa_shape_text(s, text, sizeof text));
    node->shape = *s;
    node->shape.dim[axis] = w->shape.dim[0];
    return XA_OK;
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return (size_t)node->shape.dim[node->params.gather.axis] * sizeof(int32_t);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    int32_t *to = dst;
    (void)g;
    (void)fold;
    for (int64_t i = 0; i < node->shape.dim[node->params.gather.axis]; i++)
        to[i] = (int32_t)w[0][i];
}

/* Elements before the axis (samples included), on it, in the list, and after it. */
typedef struct parts {
    int64_t outer, extent, count, inner;
} parts;

static parts parts_of(const xa_op_call *c)
{
    const xa_shape *s = &c->xs[0];
    const int axis = c->node->params.gather.axis;
    parts p = {
        .outer = c->n, .extent = s->dim[axis], .count = c->node->shape.dim[axis], .inner = 1};
    for (int i = 0; i < axis; i++)
        p.outer *= s->dim[i];
    for (int i = axis + 1; i < s->ndim; i++)
        p.inner *= s->dim[i];
    return p;
}

static void forward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    const int32_t *list = c->weights;
    float *y = c->y;
    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t i = 0; i < p.count; i++, y += p.inner) {
            if (list[i] < 0)
                memset(y, 0, (size_t)p.inner * sizeof *y);
            else
                memcpy(
                    y, c->x[0] + (o * p.extent + list[i]) * p.inner, (size_t)p.inner * sizeof *y);
        }
    xa_tick_now(c->tick);
}

static void backward(const xa_op_call *c)
{
    const parts p = parts_of(c);
    const int32_t *list = c->weights;
    const float *dy = c->dy;
    memset(c->dx, 0, (size_t)(p.outer * p.extent * p.inner) * sizeof *c->dx);
    for (int64_t o = 0; o < p.outer; o++)
        for (int64_t i = 0; i < p.count; i++, dy += p.inner) {
            if (list[i] < 0)
                continue;
            float *dx = c->dx + (o * p.extent + list[i]) * p.inner;
            for (int64_t k = 0; k < p.inner; k++)
                dx[k] += dy[k];
        }
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_gather = {.name = "gather",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .packed_bytes = packed_bytes,
                                .pack = pack,
                                .forward = forward,
                                .backward = backward};
