/* conv2d: cross-correlation, NHWC, any stride, dilation and number of groups, VALID or TensorFlow's
 * SAME.
 *
 *   y[p,f] = sum_{t,c} x[p*stride + t*dilation - pad, c] w[t,c,f]
 *
 * A 1x1 convolution with stride 1 is rows times a matrix (linear.c). Everything else gathers the
 * pixels under the kernel into rows [tile, KH*KW*C/groups] in scratch, a tile of output pixels at a
 * time, and multiplies; backward multiplies by the transpose and adds the rows back where they came
 * from, in ascending pixel order. Groups are column ranges of one matrix.
 */
#include <inttypes.h>
#include <string.h>

#include "../linear.h"

typedef struct geometry {
    xa_axis y, x;
    int64_t c, f, groups, cg, fg; /* channels, filters, and those of one group */
    int64_t k;                    /* KH*KW*cg: length of a gathered row */
    int64_t pixels;               /* output pixels of a sample */
    int64_t tile;                 /* output pixels a call */
    bool few;
} geometry;

static geometry geometry_of(const xa_graph *g, const xa_node *node)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const xa_window *w = &node->params.conv2d.window;
    geometry q = {.y = xa_window_axis(w, true, s->dim[0]),
                  .x = xa_window_axis(w, false, s->dim[1]),
                  .c = s->dim[2],
                  .f = node->params.conv2d.filters,
                  .groups = node->params.conv2d.groups};
    q.cg = q.c / q.groups;
    q.fg = q.f / q.groups;
    q.k = w->kh * w->kw * q.cg;
    q.pixels = q.y.out * q.x.out;
    q.few = q.pixels < XA_GEMM_FEW_ROWS;
    q.tile = xa_gemm_tile_rows(q.pixels, q.k);
    return q;
}

static bool is_pointwise(const geometry *q)
{
    return q->y.k == 1 && q->x.k == 1 && q->y.stride == 1 && q->x.stride == 1 && q->groups == 1;
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int64_t filters = node->params.conv2d.filters, groups = node->params.conv2d.groups;
    const xa_window *w = &node->params.conv2d.window;
    xa_axis ay, ax;
    XA_RETURN_TRY(err, xa_window_axes(g, node, w, &ay, &ax, err));
    const int64_t c = xa_input_shape(g, node, 0)->dim[2];
    if (groups < 1 || filters < 1 || c % groups || filters % groups)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (conv2d): %" PRId64 " groups must divide %" PRId64
                       " channels and %" PRId64 " filters",
                       node->name,
                       groups,
                       c,
                       filters);
    XA_RETURN_TRY(
        err,
        xa_check_weight(g,
                        node,
                        0,
                        false,
                        &(xa_shape){.ndim = 4, .dim = {w->kh, w->kw, c / groups, filters}},
                        err));
    XA_RETURN_TRY(err,
                  xa_check_weight(g, node, 1, true, &(xa_shape){.ndim = 1, .dim = {filters}}, err));
    node->shape = (xa_shape){.ndim = 3, .dim = {ay.out, ax.out, filters}};
    return XA_OK;
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    const geometry q = geometry_of(g, node);
    if (is_pointwise(&q))
        return xa_linear_scratch_bytes(n, q.pixels, q.f);
    /* gathered rows, then the masked dy of the same tile */
    return xa_align_up((size_t)(q.tile * q.k) * sizeof(float), XA_ALIGN) +
           (size_t)(q.tile * q.f) * sizeof(float);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    const geometry q = geometry_of(g, node);
    if (is_pointwise(&q))
        return xa_linear_packed_bytes(q.k, q.f);
    return xa_align_up((size_t)(q.k * q.f) * sizeof(float), XA_ALIGN) + (size_t)q.f * sizeof(float);
}

static const float *bias_of(const geometry *q, const void *packed)
{
    return (const float *)((const char *)packed +
                           xa_align_up((size_t)(q->k * q->f) * sizeof(float), XA_ALIGN));
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const geometry q = geometry_of(g, node);
    if (is_pointwise(&q)) {
        xa_linear_pack(q.k, q.f, w[0], w[1], fold, dst); /* [1,1,C,F] is [k,F] already */
        return;
    }
    float *matrix = dst, *bias = matrix + (bias_of(&q, dst) - (const float *)dst);
    for (int64_t i = 0; i < q.k * q.f; i++)
        matrix[i] = fold ? (float)(w[0][i] * fold->scale[i % q.f]) : w[0][i];
    for (int64_t j = 0; j < q.f; j++) {
        const double v = w[1] ? w[1][j] : 0.0;
        bias[j] = (float)(fold ? v * fold->scale[j] + fold->shift[j] : v);
    }
}

/* The taps of one output position along one axis that lie inside the input: [*t0, *t1). */
static void inside(const xa_axis *a, int64_t o, int64_t *t0, int64_t *t1)
{
    const int64_t start = o * a->stride - a->pad;
    *t0 = start < 0 ? (-start + a->dilation - 1) / a->dilation : 0;
    *t1 = start >= a->in ? 0 : (a->in - 1 - start) / a->dilation + 1;
    if (*t0 > a->k)
        *t0 = a->k;
    if (*t1 > a->k)
        *t1 = a->k;
    if (*t1 < *t0)
        *t1 = *t0;
}

/* rows [m,k] = pixels under the kernel of output pixels [p, p+m), group channels from `c0`; zeros
 * outside. */
static void gather(const geometry *q, const float *x, int64_t c0, int64_t p, int64_t m, float *rows)
{
    const int64_t kw = q->x.k, cg = q->cg;
    for (int64_t i = 0; i < m; i++, rows += q->k) {
        const int64_t oy = (p + i) / q->x.out, ox = (p + i) % q->x.out;
        int64_t y0, y1, x0, x1;
        inside(&q->y, oy, &y0, &y1);
        inside(&q->x, ox, &x0, &x1);
        if (y0 > 0 || x0 > 0 || y1 < q->y.k || x1 < kw)
            memset(rows, 0, (size_t)q->k * sizeof(float));
        const int64_t iy = oy * q->y.stride - q->y.pad, ix = ox * q->x.stride - q->x.pad;
        for (int64_t ty = y0; ty < y1; ty++) {
            const float *line = x + (iy + ty * q->y.dilation) * q->x.in * q->c + c0;
            float *dst = rows + (ty * kw + x0) * cg;
            if (q->x.dilation == 1 && q->groups == 1) {
                memcpy(dst, line + (ix + x0) * q->c, (size_t)((x1 - x0) * cg) * sizeof(float));
                continue;
            }
            for (int64_t tx = x0; tx < x1; tx++, dst += cg)
                memcpy(dst, line + (ix + tx * q->x.dilation) * q->c, (size_t)cg * sizeof(float));
        }
    }
}

/* The adjoint of gather: adds the rows back. */
static void
scatter(const geometry *q, const float *rows, int64_t c0, int64_t p, int64_t m, float *dx)
{
    const int64_t kw = q->x.k, cg = q->cg;
    for (int64_t i = 0; i < m; i++, rows += q->k) {
        const int64_t oy = (p + i) / q->x.out, ox = (p + i) % q->x.out;
        int64_t y0, y1, x0, x1;
        inside(&q->y, oy, &y0, &y1);
        inside(&q->x, ox, &x0, &x1);
        const int64_t iy = oy * q->y.stride - q->y.pad, ix = ox * q->x.stride - q->x.pad;
        for (int64_t ty = y0; ty < y1; ty++) {
            float *line = dx + (iy + ty * q->y.dilation) * q->x.in * q->c + c0;
            const float *src = rows + (ty * kw + x0) * cg;
            if (q->x.dilation == 1 && q->groups == 1) {
                float *dst = line + (ix + x0) * q->c;
                for (int64_t j = 0; j < (x1 - x0) * cg; j++)
                    dst[j] += src[j];
                continue;
            }
            for (int64_t tx = x0; tx < x1; tx++, src += cg) {
                float *dst = line + (ix + tx * q->x.dilation) * q->c;
                for (int64_t j = 0; j < cg; j++)
                    dst[j] += src[j];
            }
        }
    }
}

static void multiply(const xa_op_call *c,
                     const geometry *q,
                     bool transpose,
                     int64_t m,
                     int64_t n,
                     int64_t k,
                     const float *a,
                     int64_t lda,
                     const float *w,
                     float *out,
                     int64_t ldo)
{
    if (!q->few && (transpose || !c->k->fast_rows))
        xa_gemm_tile(transpose, m, n, k, a, lda, w, q->f, out, ldo);
    else if (transpose)
        c->k->gemm_rows_nt(m, n, k, a, lda, w, q->f, out, ldo);
    else
        c->k->gemm_rows(m, n, k, a, lda, w, q->f, out, ldo);
}

static void forward(const xa_op_call *c)
{
    const geometry q = geometry_of(c->graph, c->node);
    if (is_pointwise(&q)) {
        xa_linear_forward(c, q.pixels, q.c, q.f);
        return;
    }
    const float *w = c->weights, *bias = bias_of(&q, c->weights);
    for (int64_t s = 0; s < c->n; s++) {
        const float *x = c->x[0] + s * q.y.in * q.x.in * q.c;
        for (int64_t p = 0; p < q.pixels; p += q.tile) {
            const int64_t m = q.pixels - p < q.tile ? q.pixels - p : q.tile;
            const int64_t row = s * q.pixels + p;
            float *y = c->y + row * q.f;
            for (int64_t j = 0; j < q.groups; j++) {
                gather(&q, x, j * q.cg, p, m, c->scratch);
                multiply(
                    c, &q, false, m, q.fg, q.k, c->scratch, q.k, w + j * q.fg, y + j * q.fg, q.f);
            }
            c->k->epilogue(m,
                           q.f,
                           y,
                           q.f,
                           bias,
                           c->residual ? c->residual + row * q.f : NULL,
                           &c->act,
                           c->bits ? c->bits + xa_bits_bytes(row, q.f) : NULL);
            xa_tick_now(c->tick);
        }
    }
}

static void backward(const xa_op_call *c)
{
    const geometry q = geometry_of(c->graph, c->node);
    if (is_pointwise(&q)) {
        xa_linear_backward(c, q.pixels, q.c, q.f);
        return;
    }
    const float *w = c->weights;
    float *rows = c->scratch;
    float *masked = (float *)((char *)c->scratch +
                              xa_align_up((size_t)(q.tile * q.k) * sizeof(float), XA_ALIGN));
    const int64_t in = q.y.in * q.x.in * q.c;
    for (int64_t s = 0; s < c->n; s++) {
        float *dx = c->dx + s * in;
        memset(dx, 0, (size_t)in * sizeof(float));
        for (int64_t p = 0; p < q.pixels; p += q.tile) {
            const int64_t m = q.pixels - p < q.tile ? q.pixels - p : q.tile;
            const int64_t row = s * q.pixels + p;
            const float *dy = c->dy + row * q.f;
            if (c->bits) {
                c->k->mask(m, q.f, dy, c->bits + xa_bits_bytes(row, q.f), c->act.a, masked);
                dy = masked;
            }
            for (int64_t j = 0; j < q.groups; j++) {
                multiply(c, &q, true, m, q.k, q.fg, dy + j * q.fg, q.f, w + j * q.fg, rows, q.k);
                scatter(&q, rows, j * q.cg, p, m, dx);
            }
            xa_tick_now(c->tick);
        }
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    const geometry q = geometry_of(g, node);
    return 2.0 * (double)q.k * (double)q.pixels * (double)q.f;
}

const xa_op_def xa_op_conv2d = {.name = "conv2d",
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
