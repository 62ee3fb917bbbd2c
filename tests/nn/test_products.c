/* Products and Winograd's transforms of every instruction set against their reference twins, on
 * shapes that do not fit their blocks. */
#include "kernel_fixture.h"

XA_PRODUCT_KERNEL_LIST(KERNEL_CHECK)

static void one_gemm_rows(const xa_kernels *k, int64_t m, int64_t n, int64_t kk)
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

static void
one_gemm_panels(const xa_kernels *k, int64_t m, int64_t n, int64_t count, int64_t length)
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
    float *bare = copy(got, m * ldc);
    for (int flags = 0; flags < 8; flags++) {
        const xa_finish f = {.bias = flags & 1 ? bias : NULL,
                             .residual = flags & 2 ? residual : NULL,
                             .act = flags & 4 ? &act : NULL,
                             .bits = flags & 4 ? bits : NULL};
        memset(bits, 0xFF, nbits);
        memset(bits_want, 0xFF, nbits);
        memcpy(want, bare, (size_t)(m * ldc) * sizeof(*want));
        k->epilogue(m, n, want, ldc, f.bias, f.residual, f.act, f.bits ? bits_want : NULL);
        k->gemm_panels(m, n, &p.a, panels, got, ldc, &f);
        for (int64_t i = 0; i < m; i++)
            same_bytes("finish", k->isa, (size_t)n * sizeof(float), want + i * ldc, got + i * ldc);
        same_bytes("bits", k->isa, nbits, bits_want, bits);
    }
    free(bare);
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
static void
one_gemm_panels_nt(const xa_kernels *k, int64_t m, int64_t n, int64_t count, int64_t width)
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

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Calls one of the above for sizes around the blocks of registers; those of the third kind, which
 * take `count` pieces, for some sizes with three. */
typedef void product(const xa_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t count);
static void on_sizes(const xa_kernels *k, product *one)
{
    static const int64_t ms[] = {1, 2, 3, 4, 5, 7, 8, 9, 13};
    static const int64_t ns[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 65};
    static const int64_t ks[] = {1, 2, 7, 8, 9, 15, 16, 17, 40, 64, 65, 130};
    for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++)
        for (size_t j = 0; j < sizeof(ns) / sizeof(*ns); j++)
            for (size_t p = 0; p < sizeof(ks) / sizeof(*ks); p++) {
                one(k, ms[i], ns[j], ks[p], 1);
                if (p % 3 == j % 3)
                    one(k, ms[i], ns[j], ks[p], 3);
            }
}
/* Many rows: blocks of rows and of weights, their ends, and columns that do not fill a panel. */
static const int64_t tall[][3] = {{23, 16, 64},
                                  {24, 16, 1},
                                  {25, 17, 255},
                                  {30, 33, 256},
                                  {41, 5, 257},
                                  {288, 16, 40},
                                  {289, 40, 300},
                                  {600, 24, 513}};
enum { TALL = sizeof(tall) / sizeof(*tall) };
static int64_t at_most_a_block(int64_t rows)
{
    return rows < XA_GEMM_ROWS ? rows : XA_GEMM_ROWS;
}

static void gemm_rows_of(const xa_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t count)
{
    if (count == 1)
        one_gemm_rows(k, m, n, kk);
}
static void check_gemm_rows(const xa_kernels *k)
{
    on_sizes(k, gemm_rows_of);
    for (int i = 0; i < TALL; i++)
        one_gemm_rows(k, tall[i][0], tall[i][1], tall[i][2]);
}

static void panels_of(const xa_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t count)
{
    one_gemm_panels(k, m, n, count, kk);
}
static void check_gemm_panels(const xa_kernels *k)
{
    on_sizes(k, panels_of);
    for (int i = 0; i < TALL; i++)
        for (int64_t count = 1; count < 10; count += 4)
            one_gemm_panels(k, at_most_a_block(tall[i][0]), tall[i][1], count, tall[i][2]);
}

static void panels_nt_of(const xa_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t count)
{
    one_gemm_panels_nt(k, m, kk, count, n);
}
static void check_gemm_panels_nt(const xa_kernels *k)
{
    on_sizes(k, panels_nt_of);
    for (int i = 0; i < TALL; i++)
        for (int64_t count = 1; count < 10; count += 4) {
            const int64_t m = at_most_a_block(tall[i][0]);
            one_gemm_panels_nt(k, m, tall[i][2], count, tall[i][1]);
            one_gemm_panels_nt(k, m, tall[i][1], count, tall[i][2]);
        }
}

/* ---- Winograd's transforms ------------------------------------------------------------------- */

enum { POINTS_MOST = 36 };

/* One tile of m x m outputs with values of its own: where a kernel reads, where it and its twin
 * write; some pixels are NULL where that is allowed. */
typedef struct tile {
    int m, points;
    int64_t c, apart, count;
    float *pixels, *values, *want, *got;
    const float *in[POINTS_MOST];
    float *out_want[POINTS_MOST], *out_got[POINTS_MOST];
} tile;

static tile tile_of(int m, int64_t c)
{
    tile t = {.m = m, .points = (m + 2) * (m + 2), .c = c, .apart = c + 3};
    t.count = t.points * t.apart;
    t.pixels = uniform(t.count, 1);
    t.values = uniform(t.count, 2);
    t.want = copy(t.values, t.count); /* split_back adds to what is there */
    t.got = copy(t.values, t.count);
    for (int i = 0; i < t.points; i++) {
        const int64_t at = (t.points - 1 - i) * t.apart;
        t.in[i] = t.pixels + at;
        t.out_want[i] = i % 5 == 3 ? NULL : t.want + at;
        t.out_got[i] = i % 5 == 3 ? NULL : t.got + at;
    }
    return t;
}
static void tile_end(const xa_kernels *k, const char *what, tile *t)
{
    near(what, k->isa, t->count, t->want, t->got, 2e-5);
    free(t->pixels);
    free(t->values);
    free(t->want);
    free(t->got);
}

typedef void tile_check(const xa_kernels *k, tile *t);
static void on_tiles(const xa_kernels *k, const char *what, tile_check *run)
{
    for (int64_t c = 1; c < 40; c++)
        for (int m = 2; m <= 4; m += 2) {
            tile t = tile_of(m, c);
            run(k, &t);
            tile_end(k, what, &t);
        }
}

static void split(const xa_kernels *k, tile *t)
{
    xa_kernels_ref.winograd_split(t->m, t->c, t->in, t->want, t->apart);
    k->winograd_split(t->m, t->c, t->in, t->got, t->apart);
}
static void check_winograd_split(const xa_kernels *k)
{
    on_tiles(k, "winograd_split", split);
}

static void split_back(const xa_kernels *k, tile *t)
{
    xa_kernels_ref.winograd_split_back(t->m, t->c, t->values, t->apart, t->out_want);
    k->winograd_split_back(t->m, t->c, t->values, t->apart, t->out_got);
}
static void check_winograd_split_back(const xa_kernels *k)
{
    on_tiles(k, "winograd_split_back", split_back);
}

static void join(const xa_kernels *k, tile *t)
{
    xa_kernels_ref.winograd_join(t->m, t->c, t->values, t->apart, t->out_want);
    k->winograd_join(t->m, t->c, t->values, t->apart, t->out_got);
}
static void check_winograd_join(const xa_kernels *k)
{
    on_tiles(k, "winograd_join", join);
}

static void join_back(const xa_kernels *k, tile *t)
{
    xa_kernels_ref.winograd_join_back(t->m, t->c, t->in, t->want, t->apart);
    k->winograd_join_back(t->m, t->c, t->in, t->got, t->apart);
}
static void check_winograd_join_back(const xa_kernels *k)
{
    on_tiles(k, "winograd_join_back", join_back);
}

XA_PRODUCT_KERNEL_LIST(KERNEL_TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {XA_PRODUCT_KERNEL_LIST(KERNEL_ENTRY)};
    return cmocka_run_group_tests_name("products", tests, NULL, NULL);
}
