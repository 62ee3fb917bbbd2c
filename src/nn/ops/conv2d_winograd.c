/* 3x3 convolutions without strides by Winograd's minimal filtering (kernels/winograd.c), where the
 * graph's numerics are fast: tiles of m x m outputs, of all samples of the batch, are transformed,
 * multiplied point by point by weights transformed once, and transformed back. Backward is the
 * adjoint, from the same weights.
 *
 * Errors are a few times those of the direct product (test_ops: "winograd ..."); a value that is
 * not finite spoils its tile.
 */
#include <string.h>

#include "conv2d.h"

enum { POINTS_MOST = 36 };
/* Points of a block of tiles, forward and back, stay within about this. */
enum { BLOCK_BYTES = 3 << 20, TILES_LEAST = 48 };

typedef struct tiling {
    int m;                 /* outputs of a tile along an axis: 2 or 4 */
    int points;            /* (m+2)^2 */
    int64_t rows, columns; /* of tiles, in a sample */
    int64_t block;         /* tiles at a time */
} tiling;

static tiling tiling_of(const xa_conv *q, int m)
{
    tiling t = {.m = m, .points = (m + 2) * (m + 2)};
    t.rows = (q->y.out + m - 1) / m;
    t.columns = (q->x.out + m - 1) / m;
    t.block = BLOCK_BYTES / (t.points * (q->c + q->f) * (int64_t)sizeof(float)) / 8 * 8;
    t.block = t.block < TILES_LEAST ? TILES_LEAST : t.block > XA_GEMM_ROWS ? XA_GEMM_ROWS : t.block;
    return t;
}

int xa_conv_winograd(const xa_conv *q)
{
    enum { CHANNELS_LEAST = 16 };
    if (q->y.k != 3 || q->x.k != 3 || q->y.stride != 1 || q->x.stride != 1 || q->y.dilation != 1 ||
        q->x.dilation != 1 || q->groups != 1 || q->c < CHANNELS_LEAST || q->f < CHANNELS_LEAST)
        return 0;
    /* Products per channel and filter. Reading the weights costs as much as READING rows. */
    enum { READING = 8 };
    const tiling two = tiling_of(q, 2), four = tiling_of(q, 4);
    const int64_t by_two = (two.rows * two.columns + READING) * two.points,
                  by_four = (four.rows * four.columns + READING) * four.points,
                  directly = (q->pixels + READING) * q->taps;
    const int64_t best = by_two < by_four ? by_two : by_four;
    /* the transforms cost about what a third of the products costs */
    return best * 3 > directly * 2 ? 0 : by_two < by_four ? 2 : 4;
}

static size_t point_floats(const xa_conv *q)
{
    return xa_panels_count(q->c, q->f);
}

size_t xa_conv_winograd_matrix_bytes(const xa_conv *q, int m)
{
    return xa_align_up((size_t)((m + 2) * (m + 2)) * point_floats(q) * sizeof(float), XA_ALIGN);
}

/* ---- weights ---- */

/* Row i of G: how the weights of one axis go into point i. */
static void row_of_g(int m, int i, double row[3])
{
    static const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    static const double at[6] = {0,
                                 0.70710678118654752440,
                                 -0.70710678118654752440,
                                 1.41421356237309504880,
                                 -1.41421356237309504880,
                                 0};
    static const double norm[6] = {1, -1.5, -1.5, 6, 6, 1};
    if (m == 2) {
        memcpy(row, two[i], sizeof two[i]);
        return;
    }
    for (int k = 0; k < 3; k++)
        row[k] = i == 5 ? k == 2 : (k == 0 ? 1.0 : k == 1 ? at[i] : at[i] * at[i]) / norm[i];
}

void xa_conv_winograd_pack(const xa_conv *q, int m, const float *w, const double *scale, void *dst)
{
    const int p = m + 2;
    double g[6][3] = {{0}};
    for (int i = 0; i < p; i++)
        row_of_g(m, i, g[i]);
    float *panels = dst;
    for (int i = 0; i < p * p; i++, panels += point_floats(q)) {
        memset(panels, 0, point_floats(q) * sizeof(float));
        for (int64_t c = 0; c < q->c; c++)
            for (int64_t f = 0; f < q->f; f++) {
                double sum = 0.0;
                for (int t = 0; t < 9; t++)
                    sum += g[i / p][t / 3] * g[i % p][t % 3] * w[(t * q->c + c) * q->f + f];
                panels[f / XA_PANEL * XA_PANEL * q->c + c * XA_PANEL + f % XA_PANEL] =
                    (float)(scale ? sum * scale[f] : sum);
            }
    }
}

/* ---- a block of tiles ---- */

typedef struct work {
    float *inner;  /* [points][block][c] */
    float *outer;  /* [points][block][f] */
    float *masked; /* [m*m][f] */
    float *zeros;  /* [max(c, f)] */
    size_t bytes;
} work;

static float *take(char *base, size_t *used, int64_t count)
{
    float *p = base ? (float *)(base + *used) : NULL;
    *used += xa_align_up((size_t)count * sizeof(float), XA_ALIGN);
    return p;
}

static work work_of(const xa_conv *q, const tiling *t, int64_t n, void *scratch)
{
    const int64_t all = n * t->rows * t->columns, block = all < t->block ? all : t->block;
    work w = {0};
    w.inner = take(scratch, &w.bytes, t->points * block * q->c);
    w.outer = take(scratch, &w.bytes, t->points * block * q->f);
    w.masked = take(scratch, &w.bytes, t->m * t->m * q->f);
    w.zeros = take(scratch, &w.bytes, q->c > q->f ? q->c : q->f);
    return w;
}

size_t xa_conv_winograd_bytes(const xa_conv *q, int m, int64_t n)
{
    const tiling t = tiling_of(q, m);
    return work_of(q, &t, n, NULL).bytes;
}

static work start(const xa_conv *q, const tiling *t, int64_t n, void *scratch)
{
    const work w = work_of(q, t, n, scratch);
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): scratch is there */
    memset(w.zeros, 0, (size_t)(q->c > q->f ? q->c : q->f) * sizeof(float));
    return w;
}

/* First output pixel of tile i. */
static void tile_at(const tiling *t, int64_t i, int64_t *s, int64_t *y, int64_t *x)
{
    *s = i / (t->rows * t->columns);
    *y = i / t->columns % t->rows * t->m;
    *x = i % t->columns * t->m;
}

/* The pixels of tile i's input; `outside` for those beyond the image. */
static void inputs_of(const xa_conv *q,
                      const tiling *t,
                      int64_t i,
                      const float *x,
                      const float *outside,
                      const float *pixels[POINTS_MOST])
{
    int64_t s, oy, ox;
    tile_at(t, i, &s, &oy, &ox);
    for (int k = 0; k < t->points; k++) {
        const int64_t iy = oy - q->y.pad + k / (t->m + 2), ix = ox - q->x.pad + k % (t->m + 2);
        const bool inside = iy >= 0 && iy < q->y.in && ix >= 0 && ix < q->x.in;
        pixels[k] = inside ? x + ((s * q->y.in + iy) * q->x.in + ix) * q->c : outside;
    }
}

void xa_conv_winograd_forward(const xa_op_call *c, const xa_conv *q, int m)
{
    const tiling t = tiling_of(q, m);
    const work w = start(q, &t, c->n, c->scratch);
    const float *residual = c->residual;
    const float *bias =
        (const float *)((const char *)c->weights + xa_conv_winograd_matrix_bytes(q, m));
    const int64_t all = c->n * t.rows * t.columns;
    const float *at[XA_GEMM_ROWS], *in[POINTS_MOST];
    for (int64_t first = 0; first < all; first += t.block) {
        const int64_t n = all - first < t.block ? all - first : t.block;
        for (int64_t i = 0; i < n; i++) {
            inputs_of(q, &t, first + i, c->x[0], w.zeros, in);
            c->k->winograd_split(m, q->c, in, w.inner + i * q->c, n * q->c);
        }
        for (int p = 0; p < t.points; p++) {
            const xa_pieces a = xa_whole_rows(w.inner + p * n * q->c, n, q->c, q->c, at);
            const float *panels = (const float *)c->weights + (size_t)p * point_floats(q);
            c->k->gemm_panels(n, q->f, &a, panels, w.outer + p * n * q->f, q->f, NULL);
            xa_tick_now(c->tick);
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t s, y, x;
            float *out[POINTS_MOST];
            tile_at(&t, first + i, &s, &y, &x);
            for (int k = 0; k < m * m; k++)
                out[k] = y + k / m < q->y.out && x + k % m < q->x.out
                             ? c->y + ((s * q->y.out + y + k / m) * q->x.out + x + k % m) * q->f
                             : NULL;
            c->k->winograd_join(m, q->f, w.outer + i * q->f, n * q->f, out);
            const int64_t columns = q->x.out - x < m ? q->x.out - x : m;
            for (int64_t r = 0; r < m && y + r < q->y.out; r++) {
                const int64_t row = (s * q->y.out + y + r) * q->x.out + x;
                c->k->epilogue(columns,
                               q->f,
                               c->y + row * q->f,
                               q->f,
                               bias,
                               residual ? residual + row * q->f : NULL,
                               &c->act,
                               c->bits ? c->bits + xa_bits_bytes(row, q->f) : NULL);
            }
        }
    }
}

void xa_conv_winograd_backward(const xa_op_call *c, const xa_conv *q, int m)
{
    static const int64_t none = 0;
    const tiling t = tiling_of(q, m);
    const work w = start(q, &t, c->n, c->scratch);
    const int64_t all = c->n * t.rows * t.columns;
    const float *at[XA_GEMM_ROWS], *dy[POINTS_MOST], *in[POINTS_MOST];
    memset(c->dx, 0, (size_t)(c->n * q->y.in * q->x.in * q->c) * sizeof(float));
    for (int64_t first = 0; first < all; first += t.block) {
        const int64_t n = all - first < t.block ? all - first : t.block;
        for (int64_t i = 0; i < n; i++) {
            int64_t s, y, x;
            tile_at(&t, first + i, &s, &y, &x);
            const int64_t columns = q->x.out - x < m ? q->x.out - x : m;
            for (int64_t r = 0; r < m; r++) {
                const int64_t row = (s * q->y.out + y + r) * q->x.out + x;
                const bool inside = y + r < q->y.out;
                const float *from = inside ? c->dy + row * q->f : NULL;
                if (inside && c->bits) {
                    float *to = w.masked + r * m * q->f;
                    c->k->mask(
                        columns, q->f, from, c->bits + xa_bits_bytes(row, q->f), c->act.a, to);
                    from = to;
                }
                for (int64_t k = 0; k < m; k++)
                    dy[r * m + k] = inside && k < columns ? from + k * q->f : w.zeros;
            }
            c->k->winograd_join_back(m, q->f, dy, w.outer + i * q->f, n * q->f);
        }
        for (int p = 0; p < t.points; p++) {
            const xa_pieces a = xa_whole_rows(w.outer + p * n * q->f, n, q->f, q->f, at);
            const float *panels = (const float *)c->weights + (size_t)p * point_floats(q);
            c->k->gemm_panels_nt(n, q->c, &a, panels, &none, q->c, w.inner + p * n * q->c, q->c);
            xa_tick_now(c->tick);
        }
        for (int64_t i = 0; i < n; i++) {
            float *to[POINTS_MOST];
            inputs_of(q, &t, first + i, c->dx, NULL, in);
            for (int k = 0; k < t.points;
                 k++) /* inputs_of() gives const pointers: the same places of dx, writable */
                to[k] = in[k] ? c->dx + (in[k] - c->dx) : NULL;
            c->k->winograd_split_back(m, q->c, w.inner + i * q->c, n * q->c, to);
        }
    }
}
