/* permute: output axis i is input axis order[i]. */
#include "tile.h"

#include <string.h>

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int *order = node->params.permute.order;
    bool seen[XA_MAX_DIMS] = {false};
    char text[96];
    node->shape.ndim = s->ndim;
    for (int i = 0; i < s->ndim; i++) {
        if (order[i] < 0 || order[i] >= s->ndim || seen[order[i]])
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "layer \"%s\" (permute): the order's entry %d is %d: expected each axis "
                           "of %s once",
                           node->name,
                           i,
                           order[i],
                           xa_shape_text(s, text, sizeof(text)));
        seen[order[i]] = true;
        node->shape.dim[i] = s->dim[order[i]];
    }
    return XA_OK;
}

/* Walks the output in order; `step` is the distance in the input for each output axis. */
typedef struct walk {
    int ndim;
    int64_t dim[XA_MAX_DIMS], step[XA_MAX_DIMS];
} walk;

static walk walk_of(const xa_op_call *c)
{
    const xa_shape *in = &c->xs[0], *out = &c->node->shape;
    int64_t stride[XA_MAX_DIMS], s = 1;
    for (int i = in->ndim - 1; i >= 0; i--) {
        stride[i] = s;
        s *= in->dim[i];
    }
    walk w = {.ndim = out->ndim};
    for (int i = 0; i < out->ndim; i++) {
        w.dim[i] = out->dim[i];
        w.step[i] = stride[c->node->params.permute.order[i]];
    }
    if (w.ndim == 0) {
        w.ndim = 1;
        w.dim[0] = 1;
        w.step[0] = 1;
    }
    return w;
}

/* `gather`: out, in walk order, takes from strided in; otherwise strided `to` takes from in walk
 * order. */
static void move_sample(const walk *w, bool gather, const float *from, float *to)
{
    const int last = w->ndim - 1;
    const int64_t n = w->dim[last], step = w->step[last];
    int64_t at[XA_MAX_DIMS] = {0}, far = 0;
    for (;;) {
        if (gather) {
            for (int64_t i = 0; i < n; i++)
                to[i] = from[far + i * step];
            to += n;
        } else {
            for (int64_t i = 0; i < n; i++)
                to[far + i * step] = from[i];
            from += n;
        }
        int d = last - 1;
        while (d >= 0) {
            far += w->step[d];
            if (++at[d] < w->dim[d])
                break;
            far -= w->dim[d] * w->step[d];
            at[d--] = 0;
        }
        if (d < 0)
            return;
    }
}

static void forward(const xa_op_call *c)
{
    const walk w = walk_of(c);
    const int64_t count = xa_shape_count(&c->node->shape);
    for (int64_t i = 0; i < c->n; i++) {
        move_sample(&w, true, c->x[0] + i * count, c->y + i * count);
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const walk w = walk_of(c);
    const int64_t count = xa_shape_count(&c->node->shape);
    for (int64_t i = 0; i < c->n; i++) {
        move_sample(&w, false, c->dy + i * count, c->dx + i * count);
        xa_tick_now(c->tick);
    }
}

const xa_op_def xa_op_permute = {.name = "permute",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .infer = infer,
                                 .forward = forward,
                                 .backward = backward};
