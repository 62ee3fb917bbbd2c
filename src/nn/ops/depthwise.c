/* depthwise: each channel has its own M kernels; output channel c*M + m. */
#include "depthwise.h"
#include "tile.h"

#include <inttypes.h>
#include <string.h>

xa_dw_shape xa_depthwise_of(const xa_graph *g, const xa_node *node)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const xa_window *w = &node->params.depthwise.window;
    const xa_axis y = xa_window_axis(w, true, s->dim[0]), x = xa_window_axis(w, false, s->dim[1]);
    return (xa_dw_shape){.h = s->dim[0],
                         .w = s->dim[1],
                         .c = s->dim[2],
                         .m = node->params.depthwise.multiplier,
                         .oh = y.out,
                         .ow = x.out,
                         .kh = w->kh,
                         .kw = w->kw,
                         .sh = w->sh,
                         .sw = w->sw,
                         .dh = w->dh,
                         .dw = w->dw,
                         .pad_top = y.pad,
                         .pad_left = x.pad};
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int64_t m = node->params.depthwise.multiplier;
    const xa_window *w = &node->params.depthwise.window;
    xa_axis ay, ax;
    XA_RETURN_TRY(err, xa_window_axes(g, node, w, &ay, &ax, err));
    const int64_t c = xa_input_shape(g, node, 0)->dim[2];
    int64_t cm;
    if (m < 1 || !xa_i64_mul(c, m, &cm))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (depthwise): a multiplier of %" PRId64 " for %" PRId64
                       " channels",
                       node->name,
                       m,
                       c);
    const xa_shape kernel = {.ndim = 4, .dim = {w->kh, w->kw, c, m}};
    const xa_shape bias = {.ndim = 1, .dim = {cm}};
    XA_RETURN_TRY(err, xa_check_weight(g, node, 0, false, &kernel, err));
    XA_RETURN_TRY(err, xa_check_weight(g, node, 1, true, &bias, err));
    node->shape = (xa_shape){.ndim = 3, .dim = {ay.out, ax.out, cm}};
    return XA_OK;
}

/* Packed: a header, the kernel [KH,KW,C,M], the bias [C*M]. */
typedef struct header {
    int64_t has_bias; /* a layer without bias and without fold skips a pass over its output */
} header;

static size_t kernel_bytes(const xa_dw_shape *s)
{
    return xa_align_up((size_t)(s->kh * s->kw * s->c * s->m) * sizeof(float), XA_ALIGN);
}

static const float *packed_kernel(const void *weights)
{
    return (const float *)((const char *)weights + XA_ALIGN);
}

static const float *packed_bias(const void *weights, const xa_dw_shape *s)
{
    const header *h = weights;
    return h->has_bias ? packed_kernel(weights) + kernel_bytes(s) / sizeof(float) : NULL;
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    const xa_dw_shape s = xa_depthwise_of(g, node);
    return XA_ALIGN + kernel_bytes(&s) + (size_t)(s.c * s.m) * sizeof(float);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const xa_dw_shape s = xa_depthwise_of(g, node);
    const int64_t cm = s.c * s.m, taps = s.kh * s.kw;
    const float *bias = node->nweights > 1 ? w[1] : NULL;
    header *h = dst;
    memset(dst, 0, XA_ALIGN);
    h->has_bias = bias || fold;
    float *kernel = (float *)((char *)dst + XA_ALIGN);
    float *shift = kernel + kernel_bytes(&s) / sizeof(float);
    for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < cm; i++)
            kernel[t * cm + i] =
                fold ? (float)((double)w[0][t * cm + i] * fold->scale[i]) : w[0][t * cm + i];
    for (int64_t i = 0; i < cm; i++) {
        const double b = bias ? (double)bias[i] : 0.0;
        shift[i] = (float)(fold ? b * fold->scale[i] + fold->shift[i] : b);
    }
}

/* Input rows of one backward tile: enough that masking the rows shared by two tiles twice costs
 * little. */
static int64_t back_rows(const xa_dw_shape *s)
{
    const int64_t span = (s->kh - 1) * s->dh + 1;
    const int64_t rows = xa_tile_rows(s->h, s->w * s->c);
    return xa_min(s->h, rows > 2 * span ? rows : 2 * span);
}

void xa_depthwise_outputs(
    const xa_dw_shape *s, int64_t row0, int64_t row1, int64_t *first, int64_t *last)
{
    const int64_t span = (s->kh - 1) * s->dh + 1, t = row0 + s->pad_top - span + 1;
    *first = xa_min(t > 0 ? (t + s->sh - 1) / s->sh : 0, s->oh);
    *last = xa_min((row1 - 1 + s->pad_top) / s->sh + 1, s->oh);
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)n;
    const xa_dw_shape s = xa_depthwise_of(g, node);
    const int64_t tile = back_rows(&s);
    int64_t most = 0;
    for (int64_t r = 0; r < s.h; r += tile) {
        int64_t first, last;
        xa_depthwise_outputs(&s, r, xa_min(r + tile, s.h), &first, &last);
        if (last - first > most)
            most = last - first;
    }
    return (size_t)(most * s.ow * s.c * s.m) * sizeof(float);
}

void xa_depthwise_rows(
    const xa_op_call *c, const xa_dw_shape *s, int64_t sample, int64_t row0, int64_t row1, float *y)
{
    const int64_t cm = s->c * s->m, tile = xa_tile_rows(s->oh, s->ow * cm);
    for (int64_t r = row0; r < row1; r += tile, y += tile * s->ow * cm) {
        const int64_t end = xa_min(r + tile, row1), pixel = (sample * s->oh + r) * s->ow;
        c->k->depthwise(
            s, c->x[0] + sample * s->h * s->w * s->c, packed_kernel(c->weights), r, end, y);
        c->k->epilogue((end - r) * s->ow,
                       cm,
                       y,
                       cm,
                       packed_bias(c->weights, s),
                       c->residual ? c->residual + pixel * cm : NULL,
                       &c->act,
                       c->bits ? c->bits + xa_bits_bytes(pixel, cm) : NULL);
        xa_tick_now(c->tick);
    }
}

void xa_depthwise_rows_back(const xa_op_call *c,
                            const xa_dw_shape *s,
                            int64_t sample,
                            int64_t row0,
                            int64_t row1,
                            const float *dy,
                            int64_t first,
                            int64_t last)
{
    xa_dw_shape part = *s; /* the gradient as if these output rows were all */
    part.oh = last - first;
    part.pad_top = s->pad_top - first * s->sh;
    c->k->depthwise_back(&part,
                         dy,
                         packed_kernel(c->weights),
                         row0,
                         row1,
                         c->dx + (sample * s->h + row0) * s->w * s->c);
}

static void forward(const xa_op_call *c)
{
    const xa_dw_shape s = xa_depthwise_of(c->graph, c->node);
    for (int64_t i = 0; i < c->n; i++)
        xa_depthwise_rows(c, &s, i, 0, s.oh, c->y + i * s.oh * s.ow * s.c * s.m);
}

static void backward(const xa_op_call *c)
{
    const xa_dw_shape s = xa_depthwise_of(c->graph, c->node);
    const int64_t cm = s.c * s.m, tile = back_rows(&s);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t r = 0; r < s.h; r += tile) {
            const int64_t end = xa_min(r + tile, s.h);
            int64_t first = 0, last = s.oh;
            if (c->bits)
                xa_depthwise_outputs(&s, r, end, &first, &last);
            const int64_t pixel = (i * s.oh + first) * s.ow;
            const float *dy = c->dy + pixel * cm;
            if (c->bits) {
                c->k->mask((last - first) * s.ow,
                           cm,
                           dy,
                           c->bits + xa_bits_bytes(pixel, cm),
                           c->act.a,
                           c->scratch);
                dy = c->scratch;
            }
            xa_depthwise_rows_back(c, &s, i, r, end, dy, first, last);
            xa_tick_now(c->tick);
        }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    const xa_window *w = &node->params.depthwise.window;
    return 2.0 * (double)(w->kh * w->kw) * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_depthwise = {.name = "depthwise",
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .flags = XA_OP_FOLDS | XA_OP_EPILOGUE | XA_OP_MASKS_DY,
                                   .infer = infer,
                                   .scratch_bytes = scratch_bytes,
                                   .packed_bytes = packed_bytes,
                                   .pack = pack,
                                   .forward = forward,
                                   .backward = backward,
                                   .flops = flops};
