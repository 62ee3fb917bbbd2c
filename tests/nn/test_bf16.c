/* Products in bfloat16 of every instruction set against their reference twin, bit for bit: values
 * that tie, cancel, overflow, and lie around the smallest normal number; shapes that do not fit the
 * blocks; rows wherever they stand; packing. */
#include "kernel_fixture.h"

#include <float.h>

XA_BF16_KERNEL_LIST(KERNEL_CHECK)

/* ---- values ---- */

typedef enum values { UNIFORM, ANY, TINY, EDGE, TIES, HUGE_ONES, VALUES } values;

static float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static float value_of(values kind, uint64_t stream, uint64_t i)
{
    const uint32_t bits = (uint32_t)pick(stream, 2 * i, 0, UINT32_MAX);
    const uint32_t of = (uint32_t)pick(stream, 2 * i + 1, 0, 23);
    switch (kind) {
    case ANY:
        return float_of(bits);
    case TINY: /* products and sums around the smallest normal number, 2^-126 */
        return float_of((bits & 0x807fffff) | (52 + of % 16) << 23);
    case EDGE: /* denormals and just above */
        return float_of((bits & 0x807fffff) | of % 3 << 23);
    case TIES: /* halfway between two, or beside it; sums of few bits cancel */
        return float_of((bits & 0x80070000) | (120 + of % 4) << 23 | 0x8000 | (of % 5 == 0));
    case HUGE_ONES:
        return float_of((bits & 0x807fffff) | (185 + of) << 23);
    default:
        return (float)(2.0 * xa_random_unit(3, stream, i) - 1.0);
    }
}

static float *values_of(values kind, int64_t n, uint64_t stream)
{
    float *p = floats(n);
    for (int64_t i = 0; i < n; i++)
        p[i] = value_of(kind, stream, (uint64_t)i);
    return p;
}

/* ---- one product ---- */

typedef struct shape {
    int64_t m, n, count, length;
    int64_t pieces; /* of the matrix; those of the rows meet pieces 1, 3, .. of it, or all */
} shape;

typedef struct product {
    shape s;
    float *values;
    const float **at;
    int64_t *which;
    uint16_t *panels;
    xa_pieces a;
    xa_bf16_matrix b;
} product;

/* Rows lie in pieces of their own, in an order of their own; the values beside them are NaN. */
static product product_of(values kind, values weights, shape s)
{
    const int64_t ld = s.length + 3, stride = s.m + 2;
    const size_t panels = xa_bf16_count(s.pieces, s.length, s.n);
    product p = {.s = s,
                 .values = values_of(kind, s.m * s.count * ld, 1),
                 .at = bytes_of((size_t)(s.count * stride) * sizeof(float *)),
                 .which = bytes_of((size_t)s.count * sizeof(int64_t)),
                 .panels = bytes_of(panels * sizeof(uint16_t))};
    for (int64_t i = 0; i < s.m * s.count; i++)
        for (int64_t j = s.length; j < ld; j++)
            p.values[i * ld + j] = NAN;
    for (int64_t q = 0; q < s.count; q++) {
        p.which[q] = s.pieces == s.count ? s.count - 1 - q : 2 * q + 1;
        for (int64_t i = 0; i < s.m; i++)
            p.at[q * stride + i] =
                p.values + ((s.m - 1 - i) * s.count + (q * 7 + 3) % s.count) * ld;
    }
    float *raw = values_of(weights, s.pieces * s.length * s.n, 2);
    const xa_bf16_source from = {.at = raw, .piece = s.length * s.n, .depth = s.n, .column = 1};
    xa_bf16_pack(&from, s.pieces, s.length, s.n, p.panels);
    free(raw);
    for (size_t i = 0; weights == EDGE && i < panels; i += 3) /* no packing leaves denormals */
        p.panels[i] = (uint16_t)(p.panels[i] & 0x807f);
    p.a = (xa_pieces){.count = s.count, .length = s.length, .stride = stride, .at = p.at};
    p.b = (xa_bf16_matrix){.panels = p.panels, .pieces = s.pieces, .which = p.which};
    return p;
}

static void product_free(product *p)
{
    free(p->values);
    free(p->at);
    free(p->which);
    free(p->panels);
}

/* NaN is NaN, whatever its bits. */
static void equal(const char *what, xa_isa isa, int64_t n, const float *want, const float *got)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(want[i]) ? !isnan(got[i]) : memcmp(want + i, got + i, sizeof *want) != 0)
            fail_msg("%s on %s: [%lld] is %a, expected %a",
                     what,
                     xa_isa_name(isa),
                     (long long)i,
                     (double)got[i],
                     (double)want[i]);
}

static void check_finish(const xa_kernels *k, const product *p, const float *bare, void *rows)
{
    static const xa_activation act = {XA_ACT_RELU, 0.25f, 0.7f, 0.1f};
    const int64_t m = p->s.m, n = p->s.n, ldc = n + 5;
    float *bias = uniform(n, 4), *residual = uniform(m * ldc, 5), *got = floats(m * ldc);
    const size_t nbits = xa_bits_bytes(m, n);
    uint8_t *bits = bytes_of(nbits), *bits_want = bytes_of(nbits);
    for (int flags = 0; flags < 8; flags++) {
        const xa_finish f = {.bias = flags & 1 ? bias : NULL,
                             .residual = flags & 2 ? residual : NULL,
                             .act = flags & 4 ? &act : NULL,
                             .bits = flags & 4 ? bits : NULL};
        float *want = copy(bare, m * ldc);
        k->epilogue(m, n, want, ldc, f.bias, f.residual, f.act, f.bits ? bits_want : NULL);
        k->gemm_bf16(m, n, &p->a, &p->b, rows, got, ldc, &f);
        for (int64_t i = 0; i < m; i++)
            same_bytes("finish", k->isa, (size_t)n * sizeof(float), want + i * ldc, got + i * ldc);
        if (f.bits)
            same_bytes("bits", k->isa, nbits, bits_want, bits);
        free(want);
    }
    free(bias);
    free(residual);
    free(got);
    free(bits);
    free(bits_want);
}

static void one(const xa_kernels *k, values kind, values weights, shape s)
{
    const int64_t ldc = s.n + 5;
    product p = product_of(kind, weights, s);
    float *want = floats(s.m * ldc), *got = floats(s.m * ldc), *alone = floats(ldc);
    void *rows = NULL;
    assert_int_equal(posix_memalign(&rows, 64, XA_BF16_ROWS_BYTES), 0);
    memset(rows, 0xFF, XA_BF16_ROWS_BYTES);
    if (s.pieces == s.count && s.m % 2)
        p.b.which = NULL;
    xa_kernels_ref.gemm_bf16(s.m, s.n, &p.a, &p.b, rows, want, ldc, NULL);
    k->gemm_bf16(s.m, s.n, &p.a, &p.b, rows, got, ldc, NULL);
    /* what lies between the rows is NaN in both and must stay */
    equal("gemm_bf16", k->isa, s.m * ldc, want, got);
    for (int64_t i = 0; i<s.m; i += s.m> 20 ? 37 : 1) { /* the row contract */
        xa_pieces row = p.a;
        row.at += i;
        k->gemm_bf16(1, s.n, &row, &p.b, rows, alone, ldc, NULL);
        equal("a row alone", k->isa, s.n, alone, got + i * ldc);
    }
    if (kind == UNIFORM && weights == UNIFORM)
        check_finish(k, &p, got, rows);
    product_free(&p);
    free(rows);
    free(want);
    free(got);
    free(alone);
}

static void check_gemm_bf16(const xa_kernels *k)
{
    static const int64_t ms[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13};
    static const int64_t ns[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 50, 64, 65, 130};
    static const int64_t ls[] = {1, 2, 3, 8, 15, 16, 17, 31, 32, 33, 40, 65};
    static const shape large[] = {{288, 16, 1, 40, 1},
                                  {287, 40, 3, 37, 3},
                                  {145, 65, 2, 33, 5},
                                  {144, 64, 9, 17, 9},
                                  {50, 80, 1, 767, 1},
                                  {49, 64, 1, 768, 1},
                                  {13, 70, 1, 769, 1},
                                  {8, 33, 1, 1537, 1},
                                  {7, 100, 9, 171, 9},
                                  {7, 100, 5, 311, 11},
                                  {6, 16, 700, 1, 700},
                                  {5, 17, 900, 3, 1801}};
    if (!k->gemm_bf16) { /* the one set without fused multiply-adds */
        assert_false(k->fused);
        return;
    }
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
        for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
            for (size_t p = 0; p < sizeof ls / sizeof *ls; p++) {
                one(k, UNIFORM, UNIFORM, (shape){ms[i], ns[j], 1, ls[p], 1});
                if ((i + j + p) % 3 == 0)
                    one(k, UNIFORM, UNIFORM, (shape){ms[i], ns[j], 3, ls[p], p % 2 ? 3 : 7});
            }
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        one(k, UNIFORM, UNIFORM, large[i]);
    for (values kind = ANY; kind < VALUES; kind++)
        for (values weights = UNIFORM; weights < VALUES; weights++) {
            one(k, kind, weights, (shape){13, 70, 1, 24, 1});
            one(k, kind, weights, (shape){40, 33, 3, 5, 7});
            for (int64_t l = 1; l < 5; l++) /* short chains keep what longer ones bury */
                one(k, kind, weights, (shape){60, 66, 1, l, 1});
        }
}

/* ---- flushing is not left behind ---- */

static void check_flushing(const xa_kernels *k)
{
    if (!k->gemm_bf16)
        return;
    const float one_row[4] = {1, 2, 3, 4};
    const float *at = one_row;
    const xa_pieces a = {.count = 1, .length = 4, .stride = 1, .at = &at};
    uint16_t panels[4 * XA_PANEL] = {0};
    const xa_bf16_matrix b = {.panels = panels, .pieces = 1};
    void *rows = NULL;
    assert_int_equal(posix_memalign(&rows, 64, XA_BF16_ROWS_BYTES), 0);
    /* the sums are 0, to which a bias below the smallest normal number is added */
    float bias[XA_PANEL], c[XA_PANEL];
    for (int j = 0; j < XA_PANEL; j++)
        bias[j] = FLT_MIN / (float)(2 << j);
    const xa_finish f = {.bias = bias};
    k->gemm_bf16(1, XA_PANEL, &a, &b, rows, c, XA_PANEL, &f);
    same_bytes("denormal bias", k->isa, sizeof c, bias, c);
    volatile float half = FLT_MIN;
    half = half / 2;
    assert_true(half > 0.0f);
    free(rows);
}
static void test_flushing(void **state)
{
    (void)state;
    on_bf16(check_flushing);
}

/* ---- packing ---- */

/* A weight meets the same row in the forward copy and in the transposed one; scales are those of
 * the filter; every value is rounded once. */
static void test_packing(void **state)
{
    (void)state;
    enum { TAPS = 3, C = 5, F = 19 };
    float raw[TAPS * C * F];
    double scale[F];
    for (int i = 0; i < TAPS * C * F; i++)
        raw[i] = value_of(UNIFORM, 6, (uint64_t)i);
    for (int j = 0; j < F; j++)
        scale[j] = 0.5 + xa_random_unit(7, 0, (uint64_t)j);
    const xa_bf16_source there = {.at = raw,
                                  .piece = (int64_t)C * F,
                                  .depth = F,
                                  .column = 1,
                                  .scale_column = scale},
                         back = {.at = raw,
                                 .piece = (int64_t)C * F,
                                 .depth = 1,
                                 .column = F,
                                 .scale_depth = scale};
    uint16_t *forward = bytes_of(xa_bf16_count(TAPS, C, F) * sizeof *forward);
    uint16_t *turned = bytes_of(xa_bf16_count(TAPS, F, C) * sizeof *turned);
    xa_bf16_pack(&there, TAPS, C, F, forward);
    xa_bf16_pack(&back, TAPS, F, C, turned);
    assert_int_equal(xa_bf16_count(TAPS, C, F), TAPS * 6 * 32);
    assert_int_equal(xa_bf16_count(TAPS, F, C), TAPS * 20 * 16);
    for (int t = 0; t < TAPS; t++)
        for (int c = 0; c < 6; c++)
            for (int f = 0; f < 32; f++) {
                const uint16_t got =
                    forward[((f / 16 * TAPS + t) * 6 + c / 2 * 2) * 16 + f % 16 * 2 + c % 2];
                const bool inside = c < C && f < F;
                assert_int_equal(
                    got, inside ? xa_bf16_of((double)raw[(t * C + c) * F + f] * scale[f]) : 0);
                if (inside)
                    assert_int_equal(got, turned[(t * 20 + f / 2 * 2) * 16 + c * 2 + f % 2]);
            }
    for (int t = 0; t < TAPS; t++) /* what fills the transposed copy up */
        for (int f = 0; f < 20; f++)
            for (int c = 0; c < 16; c++)
                if (f >= F || c >= C)
                    assert_int_equal(turned[(t * 20 + f / 2 * 2) * 16 + c * 2 + f % 2], 0);
    free(forward);
    free(turned);
}

static void test_rounding(void **state)
{
    (void)state;
    for (int kind = 0; kind < VALUES; kind++)
        for (uint64_t i = 0; i < 20000; i++) {
            const float x = value_of((values)kind, 9, i);
            const float got = float_of((uint32_t)xa_bf16_of((double)x) << 16);
            const float want = xa_bf16_rounded_ref(x);
            assert_true(isnan(want) ? isnan(got) : memcmp(&want, &got, sizeof got) == 0);
        }
    /* from double: once, not by way of float, which would round this to a tie, and that down */
    assert_int_equal(xa_bf16_of(1.0 + 0x1p-8 + 0x1p-40), 0x3f81);
    assert_int_equal(xa_bf16_of(1.0 + 0x1p-8 - 0x1p-40), 0x3f80);
    assert_int_equal(xa_bf16_of(-1.0 - 0x3p-8 + 0x1p-40), 0xbf81);
    assert_int_equal(xa_bf16_of(1.0 + 0x1p-8), 0x3f80);
    assert_int_equal(xa_bf16_of(1.0 + 0x3p-8), 0x3f82);
    assert_int_equal(xa_bf16_of(1e300), 0x7f80);
    assert_int_equal(xa_bf16_of((double)FLT_MAX), 0x7f80);
    assert_int_equal(xa_bf16_of(0x1.fefp127), 0x7f7f);
    assert_int_equal(xa_bf16_of((double)FLT_MIN), 0x0080);
    assert_int_equal(xa_bf16_of((double)FLT_MIN - 0x1p-170), 0);
    assert_int_equal(xa_bf16_of(-1e-300), 0x8000);
}

#define BF16_TEST(name)                   \
    static void test_##name(void **state) \
    {                                     \
        (void)state;                      \
        on_bf16(check_##name);            \
    }
XA_BF16_KERNEL_LIST(BF16_TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounding),
                                       cmocka_unit_test(test_packing),
                                       XA_BF16_KERNEL_LIST(KERNEL_ENTRY)
                                           cmocka_unit_test(test_flushing)};
    return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
