/* tokens: y = [prefix; x] + position: class token, distillation token and registers in front of the
 * patches, then the position embedding. */
#include <string.h>

#include "tile.h"

static int64_t prefix_rows(const xa_graph *g, const xa_node *node)
{
    if (node->nweights < 1 || node->weights[0] < 0)
        return 0;
    return xa_graph_weight(g, node->weights[0])->shape.dim[0];
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 2, err));
    if (node->nweights > 0 && node->weights[0] >= 0) {
        const xa_shape *p = &xa_graph_weight(g, node->weights[0])->shape;
        const xa_shape want = {.ndim = 2, .dim = {p->ndim == 2 ? p->dim[0] : 1, s->dim[1]}};
        XA_RETURN_TRY(err, xa_check_weight(g, node, 0, true, &want, err));
    }
    node->shape = *s;
    node->shape.dim[0] += prefix_rows(g, node);
    return xa_check_weight(g, node, 1, true, &node->shape, err);
}

/* Packed: the rows to add to x with the prefix in front of them, already added. */
static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return (size_t)xa_shape_count(&node->shape) * sizeof(float);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const int64_t n = xa_shape_count(&node->shape), d = node->shape.dim[1];
    float *rows = dst;
    (void)fold;
    if (node->nweights > 1 && w[1])
        memcpy(rows, w[1], (size_t)n * sizeof(float));
    else
        memset(rows, 0, (size_t)n * sizeof(float));
    for (int64_t i = 0; i < prefix_rows(g, node) * d; i++)
        rows[i] += w[0][i];
}

static void forward(const xa_op_call *c)
{
    const int64_t d = c->node->shape.dim[1], count = xa_shape_count(&c->node->shape);
    const int64_t prefix = prefix_rows(c->graph, c->node) * d;
    const float *rows = c->weights;
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x[0] + i * (count - prefix);
        float *y = c->y + i * count;
        memcpy(y, rows, (size_t)prefix * sizeof(float));
        c->k->add(count - prefix, x, rows + prefix, y + prefix);
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int64_t count = xa_shape_count(&c->node->shape);
    const int64_t prefix = prefix_rows(c->graph, c->node) * c->node->shape.dim[1];
    for (int64_t i = 0; i < c->n; i++)
        memcpy(c->dx + i * (count - prefix),
               c->dy + i * count + prefix,
               (size_t)(count - prefix) * sizeof(float));
    xa_tick_now(c->tick);
}

const xa_op_def xa_op_tokens = {.name = "tokens",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .packed_bytes = packed_bytes,
                                .pack = pack,
                                .forward = forward,
                                .backward = backward};
