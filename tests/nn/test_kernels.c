/* Every fast kernel of every instruction set against its reference twin, on shapes that do not fit
 * its blocks. */
#include "kernels/kernels_ref.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 77 };

static void *bytes_of(size_t n)
{
    void *p = malloc(n + 1); /* a request for nothing is served */
    assert_non_null(p);
    memset(p, 0xFF, n);
    return p;
}
static float *floats(int64_t n)
{
    return bytes_of((size_t)n * sizeof(float));
}
static float *uniform(int64_t n, uint64_t stream)
{
    float *p = floats(n);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * xa_random_unit(SEED, stream, (uint64_t)i) - 1.0);
    return p;
}
static float *copy(const float *from, int64_t n)
{
    float *p = floats(n);
    memcpy(p, from, (size_t)n * sizeof(*p));
    return p;
}
static int64_t pick(uint64_t stream, uint64_t i, int64_t low, int64_t high)
{
    return low + xa_random_below(SEED, stream, i, high - low + 1);
}

/* NaN equals NaN, infinities equal themselves. */
static void
near(const char *what, xa_isa isa, int64_t n, const float *want, const float *got, double tolerance)
{
    for (int64_t i = 0; i < n; i++) {
        if (isnan(want[i]) ? isnan(got[i]) : want[i] == got[i])
            continue;
        if (!(fabs((double)want[i] - (double)got[i]) <= tolerance))
            fail_msg("%s on %s: [%lld] is %.9g, expected %.9g within %.3g",
                     what,
                     xa_isa_name(isa),
                     (long long)i,
                     (double)got[i],
                     (double)want[i],
                     tolerance);
    }
}
static void same_bytes(const char *what, xa_isa isa, size_t n, const void *want, const void *got)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)want)[i] != ((const unsigned char *)got)[i])
            fail_msg("%s on %s: byte %zu is %d, expected %d",
                     what,
                     xa_isa_name(isa),
                     i,
                     ((const unsigned char *)got)[i],
                     ((const unsigned char *)want)[i]);
}

typedef void kernel_check(const xa_kernels *k);
#ifdef XA_TEST_WIDE
extern const xa_kernels xa_kernels_table_wide;
#endif
static void on_all(kernel_check *check)
{
#ifdef XA_TEST_WIDE
    if (xa_isa_supported(XA_ISA_AVX2))
        check(&xa_kernels_table_wide);
    return;
#endif
    for (int isa = XA_ISA_BASE; isa < XA_ISA_COUNT; isa++)
        if (xa_isa_supported((xa_isa)isa)) {
            const xa_kernels *k = xa_kernels_get((xa_isa)isa);
            assert_non_null(k);
            assert_int_equal(k->isa, isa);
            check(k);
        }
}

/* ---- products -------------------------------------------------------------------------------- */

static void one_gemm(const xa_kernels *k, bool nt, int64_t m, int64_t n, int64_t kk)
{
    const int64_t lda = kk + 3, ldb = (nt ? kk : n) + 2, ldc = n + 5;
    float *a = uniform(m * lda, 1), *b = uniform((nt ? n : kk) * ldb, 2);
    float *want = floats(m * ldc), *got = floats(m * ldc), *alone = floats(ldc);
    (nt ? xa_kernels_ref.gemm_rows_nt
        : xa_kernels_ref.gemm_rows)(m, n, kk, a, lda, b, ldb, want, ldc);
    (nt ? k->gemm_rows_nt : k->gemm_rows)(m, n, kk, a, lda, b, ldb, got, ldc);
    /* what lies between the rows is NaN in both and must stay */
    near(nt ? "gemm_rows_nt" : "gemm_rows", k->isa, m * ldc, want, got, 1e-7 * (double)(kk + 8));
    for (int64_t i = 0; i < m; i++) { /* the row contract */
        (nt ? k->gemm_rows_nt : k->gemm_rows)(1, n, kk, a + i * lda, lda, b, ldb, alone, ldc);
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
                one_gemm(k, false, ms[i], ns[j], ks[p]);
                one_gemm(k, true, ms[i], ns[j], ks[p]);
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
        one_gemm(k, false, tall[i][0], tall[i][1], tall[i][2]);
        const int64_t m = tall[i][0] < XA_GEMM_ROWS ? tall[i][0] : XA_GEMM_ROWS;
        for (int64_t count = 1; count < 10; count += 4) {
            one_panels(k, m, tall[i][1], count, tall[i][2]);
            one_panels_nt(k, m, tall[i][2], count, tall[i][1]);
            one_panels_nt(k, m, tall[i][1], count, tall[i][2]);
        }
    }
}
static void test_gemm_rows(void **state)
{
    (void)state;
    on_all(check_gemm);
}

/* ---- epilogue -------------------------------------------------------------------------------- */

/* Random values among which every special one comes at every lane. */
static float *with_specials(int64_t n, uint64_t stream)
{
    static const float special[] = {
        NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0.5f, 0.25f, 1e-40f, -1e-40f, 3e38f};
    float *p = uniform(n, stream);
    for (int64_t i = 0; i < n; i += 3)
        p[i] = special[i / 3 % 10];
    return p;
}

static void
one_epilogue(const xa_kernels *k, int64_t rows, int64_t c, const xa_activation *act, int flags)
{
    const int64_t ld = c + 3;
    float *y = with_specials(rows * ld, 3), *got = copy(y, rows * ld), *want = copy(y, rows * ld);
    float *bias = uniform(c, 4), *residual = uniform(rows * ld, 5);
    const size_t nbits = xa_bits_bytes(rows, c);
    uint8_t *bits_want = bytes_of(nbits), *bits_got = bytes_of(nbits);
    const float *b = flags & 1 ? bias : NULL, *r = flags & 2 ? residual : NULL;
    xa_kernels_ref.epilogue(rows, c, want, ld, b, r, act, flags & 4 ? bits_want : NULL);
    k->epilogue(rows, c, got, ld, b, r, act, flags & 4 ? bits_got : NULL);
    near("epilogue", k->isa, rows * ld, want, got, act && act->a != 0.0f ? 2e-7 : 0.0);
    same_bytes("bits", k->isa, nbits, bits_want, bits_got);
    if (flags & 4) {
        float *dy = with_specials(rows * c, 6), *ma = floats(rows * c), *mb = floats(rows * c);
        xa_kernels_ref.mask(rows, c, dy, bits_want, act ? act->a : 0.0f, ma);
        k->mask(rows, c, dy, bits_want, act ? act->a : 0.0f, mb);
        near("mask", k->isa, rows * c, ma, mb, 0.0);
        k->mask(rows, c, dy, bits_want, act ? act->a : 0.0f, dy);
        same_bytes("mask in place", k->isa, (size_t)(rows * c) * sizeof(float), mb, dy);
        free(dy);
        free(ma);
        free(mb);
    }
    free(y);
    free(got);
    free(want);
    free(bias);
    free(residual);
    free(bits_want);
    free(bits_got);
}

static void check_epilogue(const xa_kernels *k)
{
    static const xa_activation acts[] = {{XA_ACT_LINEAR, 0, 0, 0},
                                         {XA_ACT_RELU, 0, INFINITY, 0},
                                         {XA_ACT_RELU, 0, 0.5f, 0},
                                         {XA_ACT_RELU, 0.2f, INFINITY, 0},
                                         {XA_ACT_RELU, 0, 0.5f, 0.25f},
                                         {XA_ACT_RELU, -0.3f, INFINITY, -0.5f}};
    static const int64_t cs[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 30, 33};
    for (size_t a = 0; a < sizeof(acts) / sizeof(*acts); a++)
        for (size_t i = 0; i < sizeof(cs) / sizeof(*cs); i++)
            for (int flags = 0; flags < 8; flags++)
                one_epilogue(k, 11, cs[i], &acts[a], flags);
    for (size_t i = 0; i < sizeof(cs) / sizeof(*cs); i++)
        one_epilogue(k, 4, cs[i], NULL, 7);
}
static void test_epilogue_and_mask(void **state)
{
    (void)state;
    on_all(check_epilogue);
}

static void check_rows(const xa_kernels *k)
{
    for (int64_t c = 1; c < 40; c += c < 10 ? 1 : 7) {
        const int64_t rows = 5, n = rows * c;
        float *a = with_specials(n, 7), *b = uniform(n, 8), *scale = uniform(c, 9);
        float *shift = uniform(c, 10), *want = floats(n), *got = floats(n);
        xa_kernels_ref.add(n, a, b, want);
        k->add(n, a, b, got);
        near("add", k->isa, n, want, got, 0.0);
        for (int s = 0; s < 2; s++) {
            xa_kernels_ref.affine(rows, c, b, scale, s ? shift : NULL, want);
            k->affine(rows, c, b, scale, s ? shift : NULL, got);
            near("affine", k->isa, n, want, got, 3e-7);
            xa_kernels_ref.affine(rows, c, a, scale, s ? shift : NULL, want);
            k->affine(rows, c, a, scale, s ? shift : NULL, got);
            near("affine of special values", k->isa, n, want, got, 1e32);
        }
        free(a);
        free(b);
        free(scale);
        free(shift);
        free(want);
        free(got);
    }
}
static void test_add_and_affine(void **state)
{
    (void)state;
    on_all(check_rows);
}

/* ---- windows --------------------------------------------------------------------------------- */

typedef struct extent {
    int64_t in, k, stride, dilation, pad, out;
} extent;

/* A window that leaves something: any padding before of less than its span. */
static extent random_extent(uint64_t id, uint64_t axis, bool dilated)
{
    extent e = {.in = pick(axis, 8 * id, 1, 14),
                .k = pick(axis, 8 * id + 1, 1, 7),
                .stride = pick(axis, 8 * id + 2, 1, 3),
                .dilation = dilated && pick(axis, 8 * id + 3, 0, 2) == 0 ? 2 : 1};
    const int64_t span = (e.k - 1) * e.dilation + 1;
    e.pad = pick(axis, 8 * id + 4, 0, span - 1);
    /* each window must touch the input: its first tap lies before the end */
    e.out = pick(axis, 8 * id + 5, 1, (e.in - 1 + e.pad) / e.stride + 1);
    return e;
}

static void one_depthwise(const xa_kernels *k, uint64_t id)
{
    const extent y = random_extent(id, 20, true), x = random_extent(id, 21, true);
    const xa_dw_shape s = {.h = y.in,
                           .w = x.in,
                           .c = pick(22, id, 1, 40),
                           .m = pick(23, id, 0, 5) == 0 ? 3 : 1,
                           .oh = y.out,
                           .ow = x.out,
                           .kh = y.k,
                           .kw = x.k,
                           .sh = y.stride,
                           .sw = x.stride,
                           .dh = y.dilation,
                           .dw = x.dilation,
                           .pad_top = y.pad,
                           .pad_left = x.pad};
    const int64_t in = s.h * s.w * s.c, line = s.ow * s.c * s.m, out = s.oh * line;
    float *xs = uniform(in, 24), *ys = uniform(out, 25), *w = uniform(s.kh * s.kw * s.c * s.m, 26);
    float *want = floats(out), *got = floats(out), *dwant = floats(in), *dgot = floats(in);
    const double tolerance = 2e-7 * (double)(s.kh * s.kw * s.m + 1);
    xa_kernels_ref.depthwise(&s, xs, w, 0, s.oh, want);
    k->depthwise(&s, xs, w, 0, s.oh, got);
    near("depthwise", k->isa, out, want, got, tolerance);
    for (int64_t r = 0; r < s.oh; r++) /* cuts between rows do not show */
        k->depthwise(&s, xs, w, r, r + 1, want + r * line);
    same_bytes("depthwise by rows", k->isa, (size_t)out * sizeof(float), want, got);
    xa_kernels_ref.depthwise_back(&s, ys, w, 0, s.h, dwant);
    k->depthwise_back(&s, ys, w, 0, s.h, dgot);
    near("depthwise_back", k->isa, in, dwant, dgot, tolerance);
    for (int64_t r = 0; r < s.h; r++)
        k->depthwise_back(&s, ys, w, r, r + 1, dwant + r * s.w * s.c);
    same_bytes("depthwise_back by rows", k->isa, (size_t)in * sizeof(float), dwant, dgot);
    free(xs);
    free(ys);
    free(w);
    free(want);
    free(got);
    free(dwant);
    free(dgot);
}
static void check_depthwise(const xa_kernels *k)
{
    for (uint64_t id = 0; id < 400; id++)
        one_depthwise(k, id);
}
static void test_depthwise(void **state)
{
    (void)state;
    on_all(check_depthwise);
}

static void pool_pass(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t in = s->h * s->w * s->c, line = s->ow * s->c, out = s->oh * line;
    const size_t place = s->kh * s->kw <= XA_POOL_BYTE_WINDOW ? 1 : sizeof(uint32_t);
    float *x = uniform(in, 30), *dy = uniform(out, 31), *want = floats(out), *got = floats(out);
    float *dwant = floats(in), *dgot = floats(in);
    char *awant = bytes_of((size_t)out * place), *agot = bytes_of((size_t)out * place);
    for (int64_t i = 0; i < in; i++) /* many ties, some NaN and infinities */
        x[i] = i % 29 == 0 ? NAN : i % 31 == 0 ? -INFINITY : rintf(x[i] * 3.0f);
    xa_kernels_ref.max_pool(s, x, 0, s->oh, want, awant);
    k->max_pool(s, x, 0, s->oh, got, agot);
    near("max_pool", k->isa, out, want, got, 0.0);
    same_bytes("places of maxima", k->isa, (size_t)out * place, awant, agot);
    for (int64_t r = 0; r < s->oh; r++)
        k->max_pool(s, x, r, r + 1, got + r * line, NULL);
    near("max_pool by rows", k->isa, out, want, got, 0.0);
    xa_kernels_ref.max_pool_back(s, dy, awant, 0, s->h, dwant);
    k->max_pool_back(s, dy, awant, 0, s->h, dgot);
    near("max_pool_back", k->isa, in, dwant, dgot, 1e-5);
    for (int64_t r = 0; r < s->h; r++)
        k->max_pool_back(s, dy, awant, r, r + 1, dwant + r * s->w * s->c);
    same_bytes("max_pool_back by rows", k->isa, (size_t)in * sizeof(float), dwant, dgot);
    xa_kernels_ref.avg_pool(s, x, 0, s->oh, want);
    k->avg_pool(s, x, 0, s->oh, got);
    near("avg_pool", k->isa, out, want, got, 1e-5);
    xa_kernels_ref.avg_pool_back(s, dy, 0, s->h, dwant);
    k->avg_pool_back(s, dy, 0, s->h, dgot);
    near("avg_pool_back", k->isa, in, dwant, dgot, 1e-5);
    free(x);
    free(dy);
    free(want);
    free(got);
    free(dwant);
    free(dgot);
    free(awant);
    free(agot);
}
static void check_pool(const xa_kernels *k)
{
    for (uint64_t id = 0; id < 300; id++) {
        const extent y = random_extent(id, 32, false), x = random_extent(id, 33, false);
        const xa_pool_shape s = {.h = y.in,
                                 .w = x.in,
                                 .c = pick(34, id, 1, 35),
                                 .oh = y.out,
                                 .ow = x.out,
                                 .kh = y.k,
                                 .kw = x.k,
                                 .sh = y.stride,
                                 .sw = x.stride,
                                 .pad_top = y.pad,
                                 .pad_left = x.pad};
        pool_pass(k, &s);
    }
    /* places in four bytes, more taps and windows than are gathered at once */
    pool_pass(k, &(xa_pool_shape){20, 21, 11, 4, 4, 17, 18, 1, 1, 0, 0});
    pool_pass(k, &(xa_pool_shape){20, 21, 11, 20, 21, 16, 16, 1, 1, 8, 8});
}
static void test_pools(void **state)
{
    (void)state;
    on_all(check_pool);
}

/* ---- layer normalisation --------------------------------------------------------------------- */

static void check_layer_norm(const xa_kernels *k)
{
    for (int64_t c = 1; c < 70; c += c < 18 ? 1 : 13) {
        const int64_t rows = 4, n = rows * c;
        float *x = uniform(n, 40), *gamma = uniform(c, 41), *beta = uniform(c, 42);
        float *dy = uniform(n, 43), *want = floats(n), *got = floats(n);
        float swant[8], sgot[8];
        for (int64_t i = 0; i < n; i++)
            x[i] += 100.0f; /* the mean must not swallow the digits */
        xa_kernels_ref.layer_norm(rows, c, 1e-3f, x, gamma, beta, want, swant);
        k->layer_norm(rows, c, 1e-3f, x, gamma, beta, got, sgot);
        near("layer_norm", k->isa, n, want, got, 3e-4); /* of 100: x - mean has lost those digits */
        near("its statistics", k->isa, 8, swant, sgot, 1e-5);
        xa_kernels_ref.layer_norm_back(rows, c, x, gamma, swant, dy, want);
        k->layer_norm_back(rows, c, x, gamma, swant, dy, got);
        near("layer_norm_back", k->isa, n, want, got, c == 1 ? 1e-5 : 2e-5);
        x[c] = NAN;
        k->layer_norm(rows, c, 1e-3f, x, gamma, beta, got, NULL);
        for (int64_t i = 0; i < n; i++)
            assert_true(isnan(got[i]) == (i / c == 1));
        free(x);
        free(gamma);
        free(beta);
        free(dy);
        free(want);
        free(got);
    }
}
static void check_attend(const xa_kernels *k)
{
    static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {3, 8}, {5, 9}, {4, 50}, {2, 197}, {7, 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t rows = sizes[i][0], c = sizes[i][1], n = rows * c;
        float *x = uniform(n, 50), *dy = uniform(n, 51);
        float *want = floats(n), *got = floats(n), *dwant = floats(n), *dgot = floats(n);
        static const float scales[] = {0.125f, -0.3f, 4.0f};
        for (int t = 0; t < 3; t++) {
            xa_kernels_ref.softmax(rows, c, scales[t], x, want);
            k->softmax(rows, c, scales[t], x, got);
            near("softmax", k->isa, n, want, got, 1e-6);
            xa_kernels_ref.softmax_back(rows, c, scales[t], want, dy, dwant);
            k->softmax_back(rows, c, scales[t], want, dy, dgot);
            near("softmax_back", k->isa, n, dwant, dgot, 2e-6);
        }
        xa_kernels_ref.transpose(rows, c, x, c, want);
        k->transpose(rows, c, x, c, got);
        near("transpose", k->isa, n, want, got, 0.0);
        x[n / 2] = NAN; /* is not lost, and stays in its row */
        k->softmax(rows, c, 1.0f, x, got);
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(isnan(got[j]) != 0, j / c == (n / 2) / c);
        free(x);
        free(dy);
        free(want);
        free(got);
        free(dwant);
        free(dgot);
    }
}

static void test_attend(void **state)
{
    (void)state;
    on_all(check_attend);
}

static void test_layer_norm(void **state)
{
    (void)state;
    on_all(check_layer_norm);
}

/* ---- activations ----------------------------------------------------------------------------- */

/* Largest error of a kind over a sweep, in units of the result's last place; a unit is at least
 * `least`. */
static double
worst_ulps(int64_t n, const double *want, const float *got, double least, int64_t *where)
{
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const float w = (float)want[i];
        if (isnan(want[i]) || isinf(w)) {
            if (isnan(want[i]) ? isnan(got[i]) : w == got[i])
                continue;
            *where = i;
            return INFINITY;
        }
        const double unit = fmax((double)(nextafterf(fabsf(w), INFINITY) - fabsf(w)), least);
        const double e = fabs((double)got[i] - want[i]) / unit;
        if (!(e <= worst)) {
            worst = e;
            *where = i;
        }
    }
    return worst;
}

static int64_t sweep(float *x, int64_t most)
{
    static const float special[] = {NAN,    INFINITY, -INFINITY, 0.0f,   -0.0f, 1e-40f, -1e-40f,
                                    1e-20f, -1e-20f,  1e20f,     -1e20f, 3e38f, -3e38f, 88.8f,
                                    -88.8f, 104.5f,   -104.5f,   0.625f, -3.0f, 3.0f};
    int64_t n = 0;
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
        x[n++] = special[i];
    for (double v = -110.0; v < 110.0 && n < most; v += 0.01)
        x[n++] = (float)v;
    for (double v = -6.0; v < 6.0 && n < most; v += 0.0007)
        x[n++] = (float)v;
    return n;
}

typedef struct act_limit {
    xa_activation act;
    double forward, slope; /* ulps; slopes also may err by 2.5e-7 outright, where they cross 0 */
    double least; /* smallest unit; 0: 2e-43, as x times a denormal has the denormal's few digits */
} act_limit;

static void one_activation(const xa_kernels *k, const act_limit *l)
{
    enum { MOST = 45000 };
    const bool from_y = l->act.kind == XA_ACT_SIGMOID || l->act.kind == XA_ACT_TANH ||
                        l->act.kind == XA_ACT_SOFTPLUS || l->act.kind == XA_ACT_EXP ||
                        l->act.kind == XA_ACT_HARD_SIGMOID;
    float *x = floats(MOST), *got = floats(MOST), *dy = floats(MOST);
    double *want = bytes_of(MOST * sizeof(*want));
    const int64_t n = sweep(x, MOST);
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        want[i] = xa_activate_ref(&l->act, (double)x[i]);
    k->activate(n, &l->act, x, got);
    const double e = worst_ulps(n, want, got, fmax(l->least, 2e-43), &at);
    if (!(e <= l->forward))
        fail_msg("activation %d on %s: f(%.9g) is %.9g, expected %.9g: %.3g units, at most %g",
                 (int)l->act.kind,
                 xa_isa_name(k->isa),
                 (double)x[at],
                 (double)got[at],
                 want[at],
                 e,
                 l->forward);
    for (int64_t i = 0; i < n; i++) /* alone and at any lane: the same bits */
        if (i % 97 == 0) {
            float y;
            k->activate(1, &l->act, x + i, &y);
            if (!isnan(y) || !isnan(got[i])) /* a NaN has any sign */
                same_bytes("one value alone", k->isa, sizeof(y), got + i, &y);
        }
    for (int64_t i = 0; i < n; i++)
        dy[i] = 1.0f;
    float *dx = floats(n);
    k->activate_back(n, &l->act, from_y ? got : x, dy, dx);
    for (int64_t i = 0; i < n; i++) {
        const double s = xa_activate_slope_ref(&l->act, (double)x[i]);
        const bool at_kink = fabs(fabs((double)x[i]) - 3.0) < 1e-6 || x[i] == 0.0f;
        if (isnan(x[i]) ? isnan(dx[i]) : at_kink || isinf(x[i]) || isinf((float)s))
            continue;
        if (!(fabs((double)dx[i] - s) <= 2.5e-7 + l->slope * 6e-8 * fabs(s)))
            fail_msg("activation %d on %s: f'(%.9g) is %.9g, expected %.9g",
                     (int)l->act.kind,
                     xa_isa_name(k->isa),
                     (double)x[i],
                     (double)dx[i],
                     s);
    }
    free(dx);
    free(x);
    free(got);
    free(dy);
    free(want);
}

static void check_activations(const xa_kernels *k)
{
    static const act_limit limits[] = {
        {{XA_ACT_LINEAR, 0, 0, 0}, 0, 0, 0},
        {{XA_ACT_RELU, 0, INFINITY, 0}, 0, 0, 0},
        {{XA_ACT_RELU, 0.2f, 6, 0}, 0.51, 1, 0},
        {{XA_ACT_ELU, 0.7f, 0, 0}, 3, 4, 0},
        {{XA_ACT_SELU, 0, 0, 0}, 3, 4, 0},
        {{XA_ACT_SIGMOID, 0, 0, 0}, 4, 4, 0},
        {{XA_ACT_TANH, 0, 0, 0}, 3, 4, 0},
        {{XA_ACT_SWISH, 0, 0, 0}, 5, 6, 0},
        {{XA_ACT_GELU, 0, 0, 0}, 12, 8, 0},
        {{XA_ACT_GELU_TANH, 0, 0, 0}, 300, 300, 0},
        {{XA_ACT_SOFTPLUS, 0, 0, 0}, 3, 4, 0},
        {{XA_ACT_SOFTSIGN, 0, 0, 0}, 1.5, 4, 0},
        {{XA_ACT_EXP, 0, 0, 0}, 3, 4, 0},
        /* straight lines through 0: the error is that of the terms */
        {{XA_ACT_HARD_SIGMOID, 0.2f, 0.5f, 0}, 2, 2, 6e-8},
        {{XA_ACT_HARD_SWISH, 0, 0, 0}, 4, 4, 2e-7},
        {{XA_ACT_MISH, 0, 0, 0}, 6, 8, 0}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
        one_activation(k, &limits[i]);
}
static void test_activations(void **state)
{
    (void)state;
    on_all(check_activations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm_rows),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_epilogue_and_mask),
        cmocka_unit_test(test_add_and_affine),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_attend),
        cmocka_unit_test(test_activations),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
