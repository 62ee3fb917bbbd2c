/* affine: y = (x - mean)/max(sqrt(variance + epsilon), floor)*gamma + beta for each channel:
 * BatchNorm at inference, Normalization, Rescaling. Usually folded away; this is what remains. */
#include "tile.h"

#include <inttypes.h>
#include <math.h>

enum { GAMMA, BETA, MEAN, VARIANCE };

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t c = xa_shape_last(s);
    char text[96];
    for (int i = 0; i < node->nweights; i++) {
        if (node->weights[i] < 0)
            continue;
        const xa_weight *w = xa_graph_weight(g, node->weights[i]);
        if (w->shape.ndim != 1 || (w->shape.dim[0] != c && w->shape.dim[0] != 1))
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (affine): weight \"%s\" is %s, expected [%" PRId64
                           "] or [1]",
                           node->name,
                           w->name,
                           xa_shape_text(&w->shape, text, sizeof(text)),
                           c);
    }
    const float epsilon = node->params.affine.epsilon, least = node->params.affine.floor;
    if (!(epsilon >= 0.0f && isfinite(epsilon)) || !(least >= 0.0f && isfinite(least)))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (affine): epsilon %g and floor %g must not be negative",
                       node->name,
                       (double)epsilon,
                       (double)least);
    node->shape = *s;
    return XA_OK;
}

static size_t half(const xa_node *node)
{
    return xa_align_up((size_t)xa_shape_last(&node->shape) * sizeof(float), XA_ALIGN);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 2 * half(node);
}

/* Value i of a weight that has one value per channel, or one for all, or is absent. */
static double value(const xa_graph *g,
                    const xa_node *node,
                    const float *const *w,
                    int which,
                    int64_t i,
                    double absent)
{
    if (which >= node->nweights || !w[which])
        return absent;
    const xa_weight *info = xa_graph_weight(g, node->weights[which]);
    return (double)w[which][info->shape.dim[0] == 1 ? 0 : i];
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    float *scale = dst, *shift = (float *)((char *)dst + half(node));
    const double epsilon = (double)node->params.affine.epsilon;
    const double least = (double)node->params.affine.floor;
    for (int64_t i = 0; i < xa_shape_last(&node->shape); i++) {
        double a = value(g, node, w, GAMMA, i, 1.0);
        if (VARIANCE < node->nweights && w[VARIANCE])
            a /= fmax(sqrt(value(g, node, w, VARIANCE, i, 1.0) + epsilon), least);
        double b = value(g, node, w, BETA, i, 0.0) - value(g, node, w, MEAN, i, 0.0) * a;
        if (fold) {
            a *= fold->scale[i];
            b = b * fold->scale[i] + fold->shift[i];
        }
        scale[i] = (float)a;
        shift[i] = (float)b;
    }
}

static void forward(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape);
    const int64_t rows = c->n * xa_shape_count(&c->node->shape) / last;
    const int64_t tile = xa_tile_rows(rows, last);
    const float *scale = c->weights, *shift = scale + half(c->node) / sizeof(float);
    for (int64_t r = 0; r < rows; r += tile) {
        const int64_t m = xa_min(tile, rows - r), at = r * last;
        c->k->affine(m, last, c->x[0] + at, scale, shift, c->y + at);
        c->k->epilogue(m,
                       last,
                       c->y + at,
                       last,
                       NULL,
                       c->residual ? c->residual + at : NULL,
                       &c->act,
                       c->bits ? c->bits + xa_bits_bytes(r, last) : NULL);
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const int64_t last = xa_shape_last(&c->node->shape);
    const int64_t rows = c->n * xa_shape_count(&c->node->shape) / last;
    const int64_t tile = xa_tile_rows(rows, last);
    const float *scale = c->weights;
    for (int64_t r = 0; r < rows; r += tile) {
        const int64_t m = xa_min(tile, rows - r), at = r * last;
        const float *dy = c->dy + at;
        if (c->bits) {
            c->k->mask(m, last, dy, c->bits + xa_bits_bytes(r, last), c->act.a, c->dx + at);
            dy = c->dx + at;
        }
        c->k->affine(m, last, dy, scale, NULL, c->dx + at);
        xa_tick_now(c->tick);
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 2.0 * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_affine = {.name = "affine",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .flags =
                                    XA_OP_IN_PLACE | XA_OP_FOLDS | XA_OP_EPILOGUE | XA_OP_MASKS_DY,
                                .infer = infer,
                                .packed_bytes = packed_bytes,
                                .pack = pack,
                                .forward = forward,
                                .backward = backward,
                                .flops = flops};
