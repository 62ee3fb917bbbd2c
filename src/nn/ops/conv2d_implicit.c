/* Convolutions whose rows are never gathered: a row of the product is a list of pieces, one per
 * tap, each the channels of one pixel where it lies, or zeros outside the image.
 *
 * Backward is a product as well, not a scatter: the gradient of an input pixel is the sum over the
 * taps that reach it of dy's pixel times that tap's weights transposed. Which taps those are
 * depends on the pixel's place modulo the stride alone, so that the pixels of one phase, stride_y *
 * stride_x of them, share a product. A band of whole input rows is taken at a time, so that the dy
 * it needs, masked, is held by the second cache.
 */
#include <string.h>

#include "conv2d.h"

/* ---- scratch ---- */

/* Input rows of a band: enough for its phases to fill products, a whole number of strides; many
 * samples of few rows. */
typedef struct band {
    int64_t rows;    /* of one sample */
    int64_t samples; /* more than one only when it holds whole samples */
    int64_t dy_rows; /* that it needs, of one sample, at most */
} band;

static band band_of(const xa_conv *q, int64_t n)
{
    const int64_t s = q->y.stride;
    int64_t rows = (XA_GEMM_ROWS * s * q->x.stride / q->x.in + s - 1) / s * s;
    rows = rows < s ? s : rows > q->y.in ? q->y.in : rows;
    int64_t dy = (rows + (q->y.k - 1) * q->y.dilation) / s + 2;
    dy = dy > q->y.out ? q->y.out : dy;
    int64_t samples = 1;
    if (rows == q->y.in) {
        dy = q->y.out;
        samples = XA_GEMM_ROWS * s * q->x.stride / (q->y.in * q->x.in);
        samples = samples < 1 ? 1 : samples > n ? n : samples;
    }
    return (band){rows, samples, dy};
}

typedef struct work {
    const float **at; /* [taps][XA_GEMM_ROWS] */
    int64_t *tap;     /* [taps] of each piece */
    int64_t *first;   /* [taps] the same times the channels of a group */
    float *zeros;     /* [max(c, f)] */
    float *masked;    /* [samples][dy_rows][out][f] */
    float *rows;      /* [XA_GEMM_ROWS][c]: rows of one phase, if there are several; else NULL */
    size_t bytes;
} work;

static void *take(char *base, size_t *used, int64_t count, size_t size)
{
    char *p = base ? base + *used : NULL;
    *used += xa_align_up((size_t)count * size, XA_ALIGN);
    return p;
}

static work work_of(const xa_conv *q, const band *b, void *scratch)
{
    work w = {0};
    w.at = take(scratch, &w.bytes, q->taps * XA_GEMM_ROWS, sizeof *w.at);
    w.tap = take(scratch, &w.bytes, q->taps, sizeof *w.tap);
    w.first = take(scratch, &w.bytes, q->taps, sizeof *w.first);
    w.zeros = take(scratch, &w.bytes, q->c > q->f ? q->c : q->f, sizeof *w.zeros);
    w.masked = take(scratch, &w.bytes, b->samples * b->dy_rows * q->x.out * q->f, sizeof *w.masked);
    if (q->y.stride > 1 || q->x.stride > 1)
        w.rows = take(scratch, &w.bytes, XA_GEMM_ROWS * q->c, sizeof *w.rows);
    return w;
}

size_t xa_conv_implicit_bytes(const xa_conv *q, int64_t n)
{
    const band b = band_of(q, n);
    return work_of(q, &b, NULL).bytes;
}

static work start(const xa_conv *q, const band *b, void *scratch)
{
    const work w = work_of(q, b, scratch);
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): scratch is there */
    memset(w.zeros, 0, (size_t)(q->c > q->f ? q->c : q->f) * sizeof(float));
    return w;
}

/* ---- forward ---- */

/* Pieces of output pixels [p, p+m) of the batch, channels from c0. */
static void
look_under(const xa_conv *q, const work *w, const float *x, int64_t p, int64_t m, int64_t c0)
{
    for (int64_t i = 0; i < m; i++) {
        const int64_t s = (p + i) / q->pixels, o = (p + i) % q->pixels;
        const int64_t iy = o / q->x.out * q->y.stride - q->y.pad;
        const int64_t ix = o % q->x.out * q->x.stride - q->x.pad;
        const float *sample = x + s * q->y.in * q->x.in * q->c + c0;
        const float **at = w->at + i;
        for (int64_t ty = 0; ty < q->y.k; ty++) {
            const int64_t y = iy + ty * q->y.dilation;
            for (int64_t tx = 0; tx < q->x.k; tx++, at += XA_GEMM_ROWS) {
                const int64_t u = ix + tx * q->x.dilation;
                const bool inside = y >= 0 && y < q->y.in && u >= 0 && u < q->x.in;
                *at = inside ? sample + (y * q->x.in + u) * q->c : w->zeros;
            }
        }
    }
}

void xa_conv_implicit_forward(const xa_op_call *c, const xa_conv *q, const xa_product *product)
{
    const band b = band_of(q, c->n);
    const work w = start(q, &b, c->scratch);
    const int64_t total = c->n * q->pixels;
    const xa_pieces a = {.count = q->taps, .length = q->cg, .stride = XA_GEMM_ROWS, .at = w.at};
    for (int64_t p = 0; p < total; p += XA_GEMM_ROWS) {
        const int64_t m = total - p < XA_GEMM_ROWS ? total - p : XA_GEMM_ROWS;
        const xa_finish finish = xa__product_finish(c, product, p);
        float *y = c->y + p * q->f;
        for (int64_t j = 0; j < q->groups; j++) {
            look_under(q, &w, c->x[0], p, m, j * q->cg);
            xa__product_forward(
                c, product, j, m, &a, y + j * q->fg, q->f, q->groups == 1 ? &finish : NULL);
        }
        if (q->groups > 1)
            c->k->epilogue(m, q->f, y, q->f, finish.bias, finish.residual, finish.act, finish.bits);
        xa_tick_now(c->tick);
    }
}

/* ---- backward ---- */

/* Where a band's dy lies: row `row0` of each sample first, `sample` floats from one sample to the
 * next. */
typedef struct source {
    const float *dy;
    int64_t row0, row1, sample;
} source;

/* Input rows [y0, y1) of samples [s0, s1). */
typedef struct span {
    int64_t s0, s1, y0, y1;
} span;

static source source_of(const xa_op_call *c, const xa_conv *q, const work *w, const span *at)
{
    const int64_t line = q->x.out * q->f, reach = (q->y.k - 1) * q->y.dilation;
    int64_t o0 = at->y0 + q->y.pad - reach;
    o0 = o0 > 0 ? (o0 + q->y.stride - 1) / q->y.stride : 0;
    int64_t o1 = (at->y1 - 1 + q->y.pad) / q->y.stride + 1;
    o1 = o1 > q->y.out ? q->y.out : o1;
    if (o0 > o1)
        o0 = o1;
    if (!c->bits)
        return (source){c->dy + (at->s0 * q->y.out + o0) * line, o0, o1, q->y.out * line};
    for (int64_t s = at->s0; s < at->s1; s++) {
        const int64_t row = (s * q->y.out + o0) * q->x.out;
        c->k->mask((o1 - o0) * q->x.out,
                   q->f,
                   c->dy + row * q->f,
                   c->bits + xa_bits_bytes(row, q->f),
                   c->act.a,
                   w->masked + (s - at->s0) * (o1 - o0) * line);
    }
    return (source){w->masked, o0, o1, (o1 - o0) * line};
}

/* The pixels of one phase within a span: rows from y, columns from x, in steps of the strides. */
typedef struct phase {
    int64_t y, x, rows, columns; /* rows of one sample */
    int64_t ntaps;
} phase;

/* Whether tap t of an axis reaches positions of the phase of `at`. */
static bool reaches(const xa_axis *a, int64_t at, int64_t t)
{
    return (at + a->pad - t * a->dilation) % a->stride == 0;
}

static phase phase_of(const xa_conv *q, const work *w, const span *at, int64_t py, int64_t px)
{
    phase f = {.y = at->y0 + py, .x = px};
    f.rows = at->y1 > f.y ? (at->y1 - f.y + q->y.stride - 1) / q->y.stride : 0;
    f.columns = q->x.in > f.x ? (q->x.in - f.x + q->x.stride - 1) / q->x.stride : 0;
    for (int64_t ty = 0; ty < q->y.k; ty++)
        for (int64_t tx = 0; tx < q->x.k; tx++)
            if (reaches(&q->y, f.y, ty) && reaches(&q->x, f.x, tx)) {
                w->tap[f.ntaps] = ty * q->x.k + tx;
                w->first[f.ntaps++] = (ty * q->x.k + tx) * q->cg;
            }
    return f;
}

/* Sample, row and column of a phase's pixel i. */
static void pixel_of(
    const xa_conv *q, const span *at, const phase *f, int64_t i, int64_t *s, int64_t *y, int64_t *x)
{
    const int64_t each = f->rows * f->columns;
    *s = at->s0 + i / each;
    *y = f->y + i % each / f->columns * q->y.stride;
    *x = f->x + i % f->columns * q->x.stride;
}

/* The output position that tap t of position `at` belongs to, or -1. */
static int64_t output_of(const xa_axis *a, int64_t at, int64_t t)
{
    const int64_t o = at + a->pad - t * a->dilation;
    return o < 0 || o / a->stride >= a->out ? -1 : o / a->stride;
}

/* Pieces of pixels [i, i+m) of the phase, filters from f0. */
static void look_over(const xa_conv *q,
                      const work *w,
                      const source *from,
                      const span *at,
                      const phase *f,
                      int64_t i,
                      int64_t m,
                      int64_t f0)
{
    for (int64_t r = 0; r < m; r++) {
        int64_t s, y, x;
        pixel_of(q, at, f, i + r, &s, &y, &x);
        const float *dy = from->dy + (s - at->s0) * from->sample + f0;
        for (int64_t t = 0; t < f->ntaps; t++) {
            const int64_t tap = w->tap[t];
            const int64_t oy = output_of(&q->y, y, tap / q->x.k);
            const int64_t ox = output_of(&q->x, x, tap % q->x.k);
            w->at[t * XA_GEMM_ROWS + r] =
                oy < 0 || ox < 0 ? w->zeros : dy + ((oy - from->row0) * q->x.out + ox) * q->f;
        }
    }
}

static void one_phase(const xa_op_call *c,
                      const xa_conv *q,
                      const xa_product *product,
                      const work *w,
                      const source *from,
                      const span *at,
                      const phase *f)
{
    const int64_t total = (at->s1 - at->s0) * f->rows * f->columns;
    const xa_pieces a = {.count = f->ntaps, .length = q->fg, .stride = XA_GEMM_ROWS, .at = w->at};
    const xa_taps taps = {w->tap, w->first};
    for (int64_t i = 0; i < total; i += XA_GEMM_ROWS) {
        const int64_t m = total - i < XA_GEMM_ROWS ? total - i : XA_GEMM_ROWS;
        /* without strides a span is one run of pixels */
        float *to = w->rows ? w->rows : c->dx + ((at->s0 * q->y.in + at->y0) * q->x.in + i) * q->c;
        for (int64_t j = 0; j < q->groups && f->ntaps; j++) {
            look_over(q, w, from, at, f, i, m, j * q->fg);
            xa__product_back(c, product, j, m, &a, &taps, to + j * q->cg, q->c);
        }
        if (!f->ntaps)
            memset(to, 0, (size_t)(m * q->c) * sizeof(float));
        for (int64_t r = 0; r < m && w->rows; r++) {
            int64_t s, y, x;
            pixel_of(q, at, f, i + r, &s, &y, &x);
            memcpy(c->dx + ((s * q->y.in + y) * q->x.in + x) * q->c,
                   to + r * q->c,
                   (size_t)q->c * sizeof(float));
        }
        xa_tick_now(c->tick);
    }
}

void xa_conv_implicit_backward(const xa_op_call *c, const xa_conv *q, const xa_product *product)
{
    const band b = band_of(q, c->n);
    const work w = start(q, &b, c->scratch);
    for (int64_t s = 0; s < c->n; s += b.samples)
        for (int64_t y = 0; y < q->y.in; y += b.rows) {
            const span at = {s,
                             s + b.samples < c->n ? s + b.samples : c->n,
                             y,
                             y + b.rows < q->y.in ? y + b.rows : q->y.in};
            const source from = source_of(c, q, &w, &at);
            for (int64_t py = 0; py < q->y.stride; py++)
                for (int64_t px = 0; px < q->x.stride; px++) {
                    const phase f = phase_of(q, &w, &at, py, px);
                    one_phase(c, q, product, &w, &from, &at, &f);
                }
        }
}
