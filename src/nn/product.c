#include "product.h"

xa_product
xa__product_of(const xa_graph *g, int64_t rows, int64_t taps, int64_t c, int64_t f, int64_t groups)
{
    const xa_numerics numerics = xa_graph_numerics(g);
    return (xa_product){.taps = taps,
                        .c = c,
                        .f = f,
                        .groups = groups,
                        .bf16 = rows > 1 && numerics == XA_NUMERICS_BF16,
                        .bf16_back = rows > 1 && (numerics == XA_NUMERICS_BF16 ||
                                                  numerics == XA_NUMERICS_BF16_GRADIENT)};
}

/* ---- weights ---- */

/* One group's matrix, forward and transposed. */
static size_t forward_bytes(const xa_product *p)
{
    return p->bf16 ? xa_bf16_count(p->taps, p->c, p->f) * sizeof(uint16_t)
                   : xa_panels_count(p->taps * p->c, p->f) * sizeof(float);
}
static size_t back_bytes(const xa_product *p)
{
    return p->bf16_back ? xa_bf16_count(p->taps, p->f, p->c) * sizeof(uint16_t) : 0;
}
static size_t back_at(const xa_product *p)
{
    return xa_align_up((size_t)p->groups * forward_bytes(p), XA_ALIGN);
}
static size_t bias_at(const xa_product *p)
{
    return back_at(p) + xa_align_up((size_t)p->groups * back_bytes(p), XA_ALIGN);
}

size_t xa__product_bytes(const xa_product *p)
{
    return bias_at(p) + (size_t)(p->groups * p->f) * sizeof(float);
}

const float *xa__product_bias(const xa_product *p, const void *packed)
{
    return (const float *)((const char *)packed + bias_at(p));
}

void xa__panels_pack_folded(
    int64_t k, int64_t n, const float *b, int64_t ldb, const double *scale, float *panels)
{
    xa_panels_pack(k, n, b, ldb, panels);
    for (int64_t j = 0; scale && j < n; j++) {
        float *column = panels + j / XA_PANEL * XA_PANEL * k + j % XA_PANEL;
        for (int64_t i = 0; i < k; i++)
            column[i * XA_PANEL] = (float)(column[i * XA_PANEL] * scale[j]);
    }
}

void xa__bias_pack(int64_t f, const float *bias, const xa_fold *fold, float *to)
{
    for (int64_t j = 0; j < f; j++) {
        const double v = bias ? bias[j] : 0.0;
        to[j] = (float)(fold ? v * fold->scale[j] + fold->shift[j] : v);
    }
}

/* Filters [first, first + count) of a group, whose weights lie at raw [taps * c], rows `ld` apart.
 */
static void pack_filters(const xa_product *p,
                         int64_t group,
                         const float *raw,
                         int64_t ld,
                         int64_t first,
                         int64_t count,
                         const double *scale,
                         void *dst)
{
    char *forward = (char *)dst + (size_t)group * forward_bytes(p);
    uint16_t *back = (uint16_t *)((char *)dst + back_at(p) + (size_t)group * back_bytes(p));
    const xa_bf16_source there = {
        .at = raw, .piece = p->c * ld, .depth = ld, .column = 1, .scale_column = scale};
    if (p->bf16)
        xa_bf16_pack(&there,
                     p->taps,
                     p->c,
                     count,
                     (uint16_t *)forward + xa_bf16_count(p->taps, p->c, first));
    else
        xa__panels_pack_folded(p->taps * p->c,
                               count,
                               raw,
                               ld,
                               scale,
                               (float *)forward + xa_panels_count(p->taps * p->c, first));
    for (int64_t j = 0; j < p->c && p->bf16_back; j += XA_PANEL)
        for (int64_t t = 0; t < p->taps; t++) { /* filters are its depth */
            const xa_bf16_source turned = {
                .at = raw + (t * p->c + j) * ld, .depth = 1, .column = ld, .scale_depth = scale};
            const int64_t width = p->c - j < XA_PANEL ? p->c - j : XA_PANEL;
            const int64_t line = (j / XA_PANEL * p->taps + t) * xa_bf16_even(p->f) + first;
            xa_bf16_pack(&turned, 1, count, width, back + line * XA_PANEL);
        }
}

void xa__product_pack(
    const xa_product *p, const float *raw, const float *bias, const xa_fold *fold, void *dst)
{
    const int64_t all = p->groups * p->f;
    for (int64_t j = 0; j < p->groups && raw; j++)
        pack_filters(p, j, raw + j * p->f, all, 0, p->f, fold ? fold->scale + j * p->f : NULL, dst);
    xa__bias_pack(all, bias, fold, (float *)((char *)dst + bias_at(p)));
}

void xa__product_pack_filters(const xa_product *p,
                              int64_t first,
                              int64_t count,
                              const float *raw,
                              const xa_fold *fold,
                              void *dst)
{
    pack_filters(p, 0, raw, count, first, count, fold ? fold->scale + first : NULL, dst);
}

/* ---- products ---- */

xa_finish xa__product_finish(const xa_op_call *c, const xa_product *p, int64_t row)
{
    const int64_t all = p->groups * p->f;
    return (xa_finish){.bias = xa__product_bias(p, c->weights),
                       .residual = c->residual ? c->residual + row * all : NULL,
                       .act = &c->act,
                       .bits = c->bits ? c->bits + xa_bits_bytes(row, all) : NULL};
}

void xa__product_forward(const xa_op_call *c,
                         const xa_product *p,
                         int64_t group,
                         int64_t m,
                         const xa_pieces *a,
                         float *y,
                         int64_t ldy,
                         const xa_finish *finish)
{
    const void *matrix = (const char *)c->weights + (size_t)group * forward_bytes(p);
    if (!p->bf16) {
        c->k->gemm_panels(m, p->f, a, matrix, y, ldy, finish);
        return;
    }
    const xa_bf16_matrix b = {.panels = matrix, .pieces = p->taps};
    c->k->gemm_bf16(m, p->f, a, &b, c->rounded, y, ldy, finish);
}

void xa__product_back(const xa_op_call *c,
                      const xa_product *p,
                      int64_t group,
                      int64_t m,
                      const xa_pieces *a,
                      const xa_taps *taps,
                      float *dx,
                      int64_t ldx)
{
    static const int64_t begin = 0;
    const char *packed = c->weights;
    if (!p->bf16_back) {
        c->k->gemm_panels_nt(m,
                             p->taps * p->c,
                             a,
                             (const float *)(packed + (size_t)group * forward_bytes(p)),
                             taps ? taps->first : &begin,
                             p->c,
                             dx,
                             ldx);
        return;
    }
    const xa_bf16_matrix b = {
        .panels = (const uint16_t *)(packed + back_at(p) + (size_t)group * back_bytes(p)),
        .pieces = p->taps,
        .which = taps ? taps->tap : NULL};
    c->k->gemm_bf16(m, p->c, a, &b, c->rounded, dx, ldx, NULL);
}
