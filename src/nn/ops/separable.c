/* A band is a number of whole lines of the map between the two convolutions, near XA_GEMM_ROWS
 * pixels, or several small maps.
 *
 * Forward a band is filtered and multiplied. Backward it is multiplied first; then those lines of
 * the input's gradient follow that no later band takes part in, and the lines of the band that the
 * next ones still need, kernel height - 1 of them, are carried over. */
#include "separable.h"

#include <string.h>

#include "conv2d_shape.h"
#include "depthwise.h"
#include "tile.h"

typedef struct band {
    int64_t samples, lines; /* lines of each sample; all of them when there are several */
    int64_t carried;        /* lines of earlier bands that a band's input rows need, at most */
} band;

static band band_of(const xa_dw_shape *s, int64_t n)
{
    const int64_t lines = XA_GEMM_ROWS / s->ow > 1 ? XA_GEMM_ROWS / s->ow : 1;
    if (lines >= s->oh)
        return (band){xa_min(n, lines / s->oh), s->oh, 0};
    const int64_t bands = (s->oh + lines - 1) / lines;
    return (band){1, (s->oh + bands - 1) / bands, (s->kh - 1) * s->dh / s->sh};
}

bool xa_separable_fits(const xa_graph *g, const xa_node *first, const xa_node *second)
{
    if (first->op != XA_OP_DEPTHWISE || second->op != XA_OP_CONV2D)
        return false;
    const xa_conv q = xa_conv_of(g, second);
    return xa_conv_is_pointwise(&q);
}

/* The masked dy of a product, then the band; forward needs the band alone. */
static size_t masked_bytes(const xa_dw_shape *s, const band *b, int64_t f)
{
    const int64_t rows = b->samples * b->lines * s->ow;
    return xa_align_up((size_t)(xa_min(rows, XA_GEMM_ROWS) * f) * sizeof(float), XA_ALIGN);
}

size_t
xa_separable_bytes(const xa_graph *g, const xa_node *depthwise, const xa_node *pointwise, int64_t n)
{
    const xa_dw_shape s = xa_depthwise_of(g, depthwise);
    const band b = band_of(&s, n);
    return masked_bytes(&s, &b, pointwise->params.conv2d.filters) +
           (size_t)((b.samples * b.lines + b.carried) * s.ow * s.c * s.m) * sizeof(float);
}

void xa_separable_forward(const xa_op_call *d, const xa_op_call *p)
{
    const xa_dw_shape s = xa_depthwise_of(d->graph, d->node);
    const band b = band_of(&s, d->n);
    const int64_t cm = s.c * s.m;
    const xa_conv q = xa_conv_of(p->graph, p->node);
    const xa_product product = xa_conv_product(p->graph, &q);
    float *rows = p->scratch;
    for (int64_t i = 0; i < d->n; i += b.samples)
        for (int64_t o = 0; o < s.oh; o += b.lines) {
            const int64_t samples = xa_min(b.samples, d->n - i), end = xa_min(o + b.lines, s.oh);
            for (int64_t k = 0; k < samples; k++)
                xa_depthwise_rows(d, &s, i + k, o, end, rows + k * s.oh * s.ow * cm);
            xa_linear_rows(p, &product, (i * s.oh + o) * s.ow, samples * (end - o) * s.ow, rows);
        }
}

/* The gradient of m pixels between the two convolutions, from `pixel` of the batch on. */
static void multiply_back(const xa_op_call *d,
                          const xa_op_call *p,
                          const xa_dw_shape *s,
                          int64_t pixel,
                          int64_t m,
                          float *masked,
                          float *lines)
{
    const int64_t cm = s->c * s->m;
    const xa_conv q = xa_conv_of(p->graph, p->node);
    const xa_product product = xa_conv_product(p->graph, &q);
    xa_linear_rows_back(p, &product, pixel, m, masked, lines);
    if (d->bits)
        d->k->mask(m, cm, lines, d->bits + xa_bits_bytes(pixel, cm), d->act.a, lines);
}

static void small_maps(const xa_op_call *d,
                       const xa_op_call *p,
                       const xa_dw_shape *s,
                       const band *b,
                       float *masked,
                       float *lines)
{
    const int64_t pixels = s->oh * s->ow;
    for (int64_t i = 0; i < d->n; i += b->samples) {
        const int64_t samples = xa_min(b->samples, d->n - i);
        multiply_back(d, p, s, i * pixels, samples * pixels, masked, lines);
        for (int64_t q = 0; q < samples; q++)
            xa_depthwise_rows_back(
                d, s, i + q, 0, s->h, lines + q * pixels * s->c * s->m, 0, s->oh);
    }
}

/* One sample, band by band. lines holds output lines [first, end). */
static void large_map(const xa_op_call *d,
                      const xa_op_call *p,
                      const xa_dw_shape *s,
                      const band *b,
                      int64_t i,
                      float *masked,
                      float *lines)
{
    const int64_t line = s->ow * s->c * s->m;
    int64_t first = 0, done = 0; /* input rows that are finished */
    for (int64_t o = 0; done < s->h; o += b->lines) {
        const int64_t end = xa_min(o + b->lines, s->oh);
        int64_t needed, unused;
        xa_depthwise_outputs(s, done, done + 1, &needed, &unused);
        needed = xa_min(needed, o);
        memmove(
            lines, lines + (needed - first) * line, (size_t)((o - needed) * line) * sizeof(float));
        first = needed;
        multiply_back(d,
                      p,
                      s,
                      (i * s->oh + o) * s->ow,
                      (end - o) * s->ow,
                      masked,
                      lines + (o - first) * line);
        int64_t until = end == s->oh ? s->h : xa_min(end * s->sh - s->pad_top, s->h);
        if (until > done) {
            xa_depthwise_rows_back(d, s, i, done, until, lines, first, end);
            done = until;
        }
        xa_tick_now(d->tick);
    }
}

void xa_separable_backward(const xa_op_call *d, const xa_op_call *p)
{
    const xa_dw_shape s = xa_depthwise_of(d->graph, d->node);
    const band b = band_of(&s, d->n);
    float *masked = p->scratch;
    float *lines = masked + masked_bytes(&s, &b, p->node->params.conv2d.filters) / sizeof(float);
    if (b.lines == s.oh)
        small_maps(d, p, &s, &b, masked, lines);
    else
        for (int64_t i = 0; i < d->n; i++)
            large_map(d, p, &s, &b, i, masked, lines);
}
