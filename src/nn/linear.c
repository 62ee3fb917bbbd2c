/* Rows times a packed matrix. Where gemm_rows is fast all rows of the batch go through it, a tile at a
 * time: its rows do not know each other, so that the tokens of several samples share a pass over the
 * weights. BLAS (backward, and forward elsewhere) takes tiles cut from one sample; samples with few
 * rows (dense heads: one) go through gemm_rows anyhow. */
#include "linear.h"

#include <string.h>

static size_t matrix_bytes(int64_t k, int64_t f)
{
    return xa_align_up((size_t)(k * f) * sizeof(float), XA_ALIGN);
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
    float *w = dst;
    float *b = (float *)((char *)dst + matrix_bytes(k, f));
    if (fold)
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < f; j++)
                w[i * f + j] = (float)(raw[i * f + j] * fold->scale[j]);
    else
        memcpy(w, raw, (size_t)(k * f) * sizeof(float));
    for (int64_t j = 0; j < f; j++) {
        const double v = bias ? bias[j] : 0.0;
        b[j] = (float)(fold ? v * fold->scale[j] + fold->shift[j] : v);
    }
}

/* Rows a call of gemm_rows takes: bounds the scratch of a masked dy. */
enum { FEW_CHUNK = 64 };

static bool few(int64_t rows)
{
    return rows < XA_GEMM_FEW_ROWS;
}

size_t xa_linear_scratch_bytes(int64_t n, int64_t rows, int64_t f)
{
    const int64_t total = n * rows;
    const int64_t most =
        few(rows) ? (total < FEW_CHUNK ? total : FEW_CHUNK) : xa_gemm_tile_rows(rows, 0);
    return (size_t)(most * f) * sizeof(float);
}

void xa_linear_forward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    const float *w = c->weights, *bias = xa_linear_bias(c->weights, k, f);
    const int64_t total = c->n * rows;
    const bool free_rows = few(rows) || c->k->fast_rows;
    const int64_t span = free_rows ? total : rows; /* tiles never cross the end of a span */
    const int64_t tile = few(rows) ? FEW_CHUNK : xa_gemm_tile_rows(span, 0);
    for (int64_t base = 0; base < total; base += span) {
        for (int64_t r = base; r < base + span; r += tile) {
            const int64_t m = base + span - r < tile ? base + span - r : tile;
            const float *x = c->x[0] + r * k;
            float *y = c->y + r * f;
            if (free_rows)
                c->k->gemm_rows(m, f, k, x, k, w, f, y, f);
            else
                xa_gemm_tile(false, m, f, k, x, k, w, f, y, f);
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
}

void xa_linear_backward(const xa_op_call *c, int64_t rows, int64_t k, int64_t f)
{
    const float *w = c->weights;
    const int64_t total = c->n * rows;
    const int64_t tile = few(rows) ? FEW_CHUNK : xa_gemm_tile_rows(rows, 0);
    const int64_t span = few(rows) ? total : rows;
    for (int64_t base = 0; base < total; base += span) {
        for (int64_t r = base; r < base + span; r += tile) {
            const int64_t m = base + span - r < tile ? base + span - r : tile;
            const float *dy = c->dy + r * f;
            if (c->bits) {
                c->k->mask(m, f, dy, c->bits + xa_bits_bytes(r, f), c->act.a, c->scratch);
                dy = c->scratch;
            }
            if (few(rows))
                c->k->gemm_rows_nt(m, k, f, dy, f, w, f, c->dx + r * k, k);
            else
                xa_gemm_tile(true, m, k, f, dy, f, w, f, c->dx + r * k, k);
            xa_tick_now(c->tick);
        }
    }
}
