/* Rows times a matrix packed in panels. Rows do not know each other, so that all rows of the batch
 * go through one product, a tile at a time: the tokens of several samples share a pass over the
 * weights. */
#include "linear.h"

#include <string.h>

static size_t matrix_bytes(int64_t k, int64_t f)
{
    return xa_align_up(xa_panels_count(k, f) * sizeof(float), XA_ALIGN);
}

size_t xa_linear_packed_bytes(int64_t k, int64_t f)
{
    return matrix_bytes(k, f) + (size_t)f * sizeof(float);
}

const float *xa_linear_bias(const void *packed, int64_t k, int64_t f)
{
    return (const float *)((const char *)packed + matrix_bytes(k, f));
}

void xa_linear_pack(
    int64_t k, int64_t f, const float *raw, const float *bias, const xa_fold *fold, void *dst)
{
    float *panels = dst;
    float *b = (float *)((char *)dst + matrix_bytes(k, f));
    xa_panels_pack(k, f, raw, panels);
    for (int64_t j = 0; j < f; j++) {
        float *column = panels + j / XA_PANEL * XA_PANEL * k + j % XA_PANEL;
        const double v = bias ? bias[j] : 0.0;
        for (int64_t i = 0; fold && i < k; i++)
            column[i * XA_PANEL] = (float)(column[i * XA_PANEL] * fold->scale[j]);
        b[j] = (float)(fold ? v * fold->scale[j] + fold->shift[j] : v);
    }
}

/* Rows of a tile: about a megabyte of them, and time for a tick in between. */
static int64_t tile_rows(int64_t total)
{
    return xa_gemm_tile_rows(total, 0);
}

size_t xa_linear_scratch_bytes(int64_t n, int64_t rows, int64_t f)
{
    return (size_t)(tile_rows(n * rows) * f) * sizeof(float);
}

void xa_linear_forward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    const float *panels = c->weights, *bias = xa_linear_bias(c->weights, k, f);
    const int64_t total = c->n * rows, tile = tile_rows(total);
    for (int64_t r = 0; r < total; r += tile) {
        const int64_t m = total - r < tile ? total - r : tile;
        float *y = c->y + r * f;
        c->k->gemm_panels(m, f, k, c->x[0] + r * k, k, panels, y, f);
        c->k->epilogue(m,
                       f,
                       y,
                       f,
                       bias,
                       c->residual ? c->residual + r * f : NULL,
                       &c->act,
                       c->bits ? c->bits + xa_bits_bytes(r, f) : NULL);
        xa_tick_now(c->tick);
    }
}

void xa_linear_backward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    const float *panels = c->weights;
    const int64_t total = c->n * rows, tile = tile_rows(total);
    for (int64_t r = 0; r < total; r += tile) {
        const int64_t m = total - r < tile ? total - r : tile;
        const float *dy = c->dy + r * f;
        if (c->bits) {
            c->k->mask(m, f, dy, c->bits + xa_bits_bytes(r, f), c->act.a, c->scratch);
            dy = c->scratch;
        }
        c->k->gemm_panels_nt(m, f, k, dy, f, panels, c->dx + r * k, k);
        xa_tick_now(c->tick);
    }
}
