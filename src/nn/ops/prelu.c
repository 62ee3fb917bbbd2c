/* prelu: y = x>0 ? x : alpha*x with a learnt alpha; the gradient at exactly 0 is 0, as Keras' two
 * halves relu(x) - alpha*relu(-x) give it. */
#include "tile.h"

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    char a[96], b[96];
    if (node->nweights < 1 || node->weights[0] < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "layer \"%s\" (prelu): alpha is missing", node->name);
    const xa_weight *w = xa_graph_weight(g, node->weights[0]);
    bool fits = w->shape.ndim == s->ndim;
    for (int i = 0; fits && i < s->ndim; i++)
        fits = w->shape.dim[i] == s->dim[i] || w->shape.dim[i] == 1;
    if (!fits)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (prelu): weight \"%s\" is %s, expected %s with 1 on shared "
                       "axes",
                       node->name,
                       w->name,
                       xa_shape_text(&w->shape, a, sizeof(a)),
                       xa_shape_text(s, b, sizeof(b)));
    node->shape = *s;
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

/* Packed: alpha written out from the first axis that is not shared; it repeats with that period. */
static int64_t period(const xa_graph *g, const xa_node *node)
{
    const xa_shape *w = &xa_graph_weight(g, node->weights[0])->shape;
    int first = 0;
    int64_t n = 1;
    while (first < w->ndim - 1 && w->dim[first] == 1)
        first++;
    for (int i = first; i < w->ndim; i++)
        n *= node->shape.dim[i];
    return n;
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    return (size_t)period(g, node) * sizeof(float);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const xa_shape *shape = &xa_graph_weight(g, node->weights[0])->shape;
    float *alpha = dst;
    (void)fold;
    for (int64_t i = 0; i < period(g, node); i++) {
        int64_t rest = i, at = 0, stride = 1;
        for (int d = shape->ndim - 1; d >= 0; d--) {
            const int64_t index = rest % node->shape.dim[d];
            rest /= node->shape.dim[d];
            at += shape->dim[d] == 1 ? 0 : index * stride;
            stride *= shape->dim[d];
        }
        alpha[i] = w[0][at];
    }
}

static void forward(const xa_op_call *c)
{
    const int64_t p = period(c->graph, c->node), rows = c->n * xa_shape_count(&c->node->shape) / p;
    const int64_t tile = xa_tile_rows(rows, p);
    const float *alpha = c->weights;
    for (int64_t r = 0; r < rows; r++) {
        const float *x = c->x[0] + r * p;
        float *y = c->y + r * p;
        for (int64_t i = 0; i < p; i++)
            y[i] = x[i] > 0.0f ? x[i] : alpha[i] * x[i];
        if (r % tile == tile - 1)
            xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int64_t p = period(c->graph, c->node), rows = c->n * xa_shape_count(&c->node->shape) / p;
    const int64_t tile = xa_tile_rows(rows, p);
    const float *alpha = c->weights;
    for (int64_t r = 0; r < rows; r++) {
        const float *x = c->x[0] + r * p, *dy = c->dy + r * p;
        float *dx = c->dx + r * p;
        for (int64_t i = 0; i < p; i++) {
            const float slope = x[i] > 0.0f ? 1.0f : x[i] < 0.0f ? alpha[i] : x[i]; /* 0 or NaN */
            dx[i] = slope * dy[i];
        }
        if (r % tile == tile - 1)
            xa_tick_now(c->tick);
    }
}

const xa_op_def xa_op_prelu = {.name = "prelu",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .flags = XA_OP_IN_PLACE,
                               .infer = infer,
                               .saves = saves,
                               .packed_bytes = packed_bytes,
                               .pack = pack,
                               .forward = forward,
                               .backward = backward};
