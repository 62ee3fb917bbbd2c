/* Products and Winograd's transforms of every instruction set against their reference twins, on
 * shapes that do not fit the blocks. */
#include "kernel_fixture.h"

static void one_gemm(const xa_kernels *k, int64_t m, int64_t n, int64_t kk)
{
    const int64_t lda = kk + 3, ldb = n + 2, ldc = n + 5;
    float *a = uniform(m * lda, 1), *b = uniform(kk * ldb, 2);
    float *want = floats(m * ldc), *got = floats(m * ldc), *alone = floats(ldc);
    xa_kernels_ref.gemm_rows(m, n, kk, a, lda, b, ldb, want, ldc);
    k->gemm_rows(m, n, kk, a, lda, b, ldb, got, ldc);
    /* what lies between the rows is NaN in both and must stay */
    near("gemm_rows", k->isa, m * ldc, want, got, 1e-7 * (double)(kk + 8));
    for (int64_t i = 0; i < m; i++) { /* the row contract */
        k->gemm_rows(1, n, kk, a + i * lda, lda, b, ldb, alone, ldc);
        same_bytes("a row alone", k->isa, (size_t)n * sizeof(float), alone, got + i * ldc);
    }
    free(a);
    free(b);
    free(want);
    free(got);
    free(alone);
}

/* Rows in pieces that lie apart, in an order of their own. */
typedef struct pieced {
    float *values;
    const float **at;
    xa_pieces a;
} pieced;
static pieced pieces_of(int64_t m, int64_t count, int64_t length)
{
    const int64_t ld = length + 3, stride = m + 2;
    pieced p = {.values = uniform(m * count * ld, 1),
                .at = bytes_of((size_t)(count * stride) * sizeof(float *))};
    for (int64_t q = 0; q < count; q++)
        for (int64_t i = 0; i < m; i++)
            p.at[q * stride + i] = p.values + ((m - 1 - i) * count + (q * 7 + 3) % count) * ld;
    p.a = (xa_pieces){.count = count, .length = length, .stride = stride, .at = p.at};
    return p;
}

/* One row of it. */
static xa_pieces alone_of(const pieced *p, int64_t row)
{
    xa_pieces a = p->a;
    a.at += row;
    return a;
}

static void one_panels(const xa_kernels *k, int64_t m, int64_t n, int64_t count, int64_t length)
{
    const int64_t kk = count * length, ldc = n + 5;
    const xa_activation act = {XA_ACT_RELU, 0, 0.7f, 0.1f};
    pieced p = pieces_of(m, count, length);
    float *b = uniform(kk * n, 2), *bias = uniform(n, 4), *residual = uniform(m * ldc, 5);
    float *panels = floats((int64_t)xa_panels_count(kk, n));
    float *want = floats(m * ldc), *got = floats(m * ldc), *alone = floats(ldc);
    const size_t nbits = xa_bits_bytes(m, n);
    uint8_t *bits = bytes_of(nbits), *bits_want = bytes_of(nbits);
    xa_panels_pack(kk, n, b, n, panels);
    xa_kernels_ref.gemm_panels(m, n, &p.a, panels, want, ldc, NULL);
    k->gemm_panels(m, n, &p.a, panels, got, ldc, NULL);
    near("gemm_panels", k->isa, m * ldc, want, got, 1e-7 * (double)(kk + 8));
    for (int64_t i = 0; i < m; i++) { /* the row contract */
        const xa_pieces one = alone_of(&p, i);
        k->gemm_panels(1, n, &one, panels, alone, ldc, NULL);
        same_bytes("a row alone", k->isa, (size_t)n * sizeof(float), alone, got + i * ldc);
    }
    /* what follows gives what the epilogue alone gives */
    for (int flags = 0; flags < 8; flags++) {
        const xa_finish f = {.bias = flags & 1 ? bias : NULL,
                             .residual = flags & 2 ? residual : NULL,
                             .act = flags & 4 ? &act : NULL,
                             .bits = flags & 4 ? bits : NULL};
        memset(bits, 0xFF, nbits);
        memset(bits_want, 0xFF, nbits);
        k->gemm_panels(m, n, &p.a, panels, want, ldc, NULL);
        k->epilogue(m, n, want, ldc, f.bias, f.residual, f.act, f.bits ? bits_want : NULL);
        k->gemm_panels(m, n, &p.a, panels, got, ldc, &f);
        for (int64_t i = 0; i < m; i++)
            same_bytes("finish", k->isa, (size_t)n * sizeof(float), want + i * ldc, got + i * ldc);
        same_bytes("bits", k->isa, nbits, bits_want, bits);
    }
    p.values[(m - 1) * count * (length + 3) + length / 2] = NAN; /* of row 0, and of no other */
    k->gemm_panels(m, n, &p.a, panels, got, ldc, NULL);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(isnan(got[i * ldc + j]) != 0, i == 0);
    free(p.values);
    free(p.at);
    free(b);
    free(bias);
    free(residual);
    free(panels);
    free(want);
    free(got);
    free(alone);
    free(bits);
    free(bits_want);
}

/* The transpose: `count` pieces of n against ranges of `width` of the k rows. */
static void one_panels_nt(const xa_kernels *k, int64_t m, int64_t n, int64_t count, int64_t width)
{
    const int64_t kk = width + 4 * count, ldc = width + 5;
    pieced p = pieces_of(m, count, n);
    int64_t *first = bytes_of((size_t)count * sizeof(*first));
    for (int64_t q = 0; q < count; q++)
        first[q] = 4 * (count - q) - 1;
    float *b = uniform(kk * n, 2);
    float *panels = floats((int64_t)xa_panels_count(kk, n));
    float *want = floats(m * ldc), *got = floats(m * ldc), *alone = floats(ldc);
    xa_panels_pack(kk, n, b, n, panels);
    xa_kernels_ref.gemm_panels_nt(m, kk, &p.a, panels, first, width, want, ldc);
    k->gemm_panels_nt(m, kk, &p.a, panels, first, width, got, ldc);
    near("gemm_panels_nt", k->isa, m * ldc, want, got, 1e-7 * (double)(n * count + 8));
    for (int64_t i = 0; i < m; i++) {
        const xa_pieces one = alone_of(&p, i);
        k->gemm_panels_nt(1, kk, &one, panels, first, width, alone, ldc);
        same_bytes("a row alone", k->isa, (size_t)width * sizeof(float), alone, got + i * ldc);
    }
    free(p.values);
    free(p.at);
    free(first);
    free(b);
    free(panels);
    free(want);
    free(got);
    free(alone);
}

static void one_winograd(const xa_kernels *k, int m, int64_t c)
{
    const int64_t apart = c + 3;
    const int p = (m + 2) * (m + 2);
    float *d = uniform(p * apart, 1), *t = uniform(p * apart, 2), *want = floats(p * apart),
          *got = floats(p * apart), *sum = copy(t, p * apart);
    const float *in[36];
    float *out[36], *out_ref[36];
    for (int i = 0; i < p; i++) {
        in[i] = d + (p - 1 - i) * apart;
        out[i] = i % 5 == 3 ? NULL : got + (p - 1 - i) * apart;
        out_ref[i] = i % 5 == 3 ? NULL : want + (p - 1 - i) * apart;
    }
    xa_kernels_ref.winograd_split(m, c, in, want, apart);
    k->winograd_split(m, c, in, got, apart);
    near("winograd_split", k->isa, p * apart, want, got, 2e-5);
    xa_kernels_ref.winograd_join_back(m, c, in, want, apart);
    k->winograd_join_back(m, c, in, got, apart);
    near("winograd_join_back", k->isa, p * apart, want, got, 2e-5);
    xa_kernels_ref.winograd_join(m, c, t, apart, out_ref);
    k->winograd_join(m, c, t, apart, out);
    near("winograd_join", k->isa, p * apart, want, got, 2e-5);
    memcpy(want, sum, (size_t)(p * apart) * sizeof(*want));
    memcpy(got, sum, (size_t)(p * apart) * sizeof(*got));
    xa_kernels_ref.winograd_split_back(m, c, t, apart, out_ref);
    k->winograd_split_back(m, c, t, apart, out);
    near("winograd_split_back", k->isa, p * apart, want, got, 2e-5);
    free(d);
    free(t);
    free(want);
    free(got);
    free(sum);
}

static void check_winograd(const xa_kernels *k)
{
    for (int64_t c = 1; c < 40; c++) {
        one_winograd(k, 2, c);
        one_winograd(k, 4, c);
    }
}
static void test_winograd(void **state)
{
    (void)state;
    on_all(check_winograd);
}

static void check_gemm(const xa_kernels *k)
{
    static const int64_t ms[] = {1, 2, 3, 4, 5, 7, 8, 9, 13};
    static const int64_t ns[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 65};
    static const int64_t ks[] = {1, 2, 7, 8, 9, 15, 16, 17, 40, 64, 65, 130};
    for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++)
        for (size_t j = 0; j < sizeof(ns) / sizeof(*ns); j++)
            for (size_t p = 0; p < sizeof(ks) / sizeof(*ks); p++) {
                one_gemm(k, ms[i], ns[j], ks[p]);
                one_panels(k, ms[i], ns[j], 1, ks[p]);
                one_panels_nt(k, ms[i], ks[p], 1, ns[j]);
                if (p % 3 == j % 3) {
                    one_panels(k, ms[i], ns[j], 3, ks[p]);
                    one_panels_nt(k, ms[i], ks[p], 3, ns[j]);
                }
            }
    /* many rows: blocks of rows and of weights, their ends, and columns that do not fill a panel */
    static const int64_t tall[][3] = {{23, 16, 64},
                                      {24, 16, 1},
                                      {25, 17, 255},
                                      {30, 33, 256},
                                      {41, 5, 257},
                                      {288, 16, 40},
                                      {289, 40, 300},
                                      {600, 24, 513}};
    for (size_t i = 0; i < sizeof(tall) / sizeof(*tall); i++) {
        one_gemm(k, tall[i][0], tall[i][1], tall[i][2]);
        const int64_t m = tall[i][0] < XA_GEMM_ROWS ? tall[i][0] : XA_GEMM_ROWS;
        for (int64_t count = 1; count < 10; count += 4) {
            one_panels(k, m, tall[i][1], count, tall[i][2]);
            one_panels_nt(k, m, tall[i][2], count, tall[i][1]);
            one_panels_nt(k, m, tall[i][1], count, tall[i][2]);
        }
    }
}
static void test_gemm(void **state)
{
    (void)state;
    on_all(check_gemm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm),
        cmocka_unit_test(test_winograd),
    };
    return cmocka_run_group_tests_name("products", tests, NULL, NULL);
}
