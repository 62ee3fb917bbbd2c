/* Products with weights packed once, in panels: columns 16p .. 16p+15 of b [K,N] lie together as
 * [K][16], the last panel filled up with zeros. All of the engine's large products go through here,
 * forward and backward from the same copy:
 *
 *   gemm_panels     c = finish(a b)
 *   gemm_panels_nt  c = sum over pieces of a_p b_p^T
 *
 * Rows of `a` are read where they lie, in pieces: a row of a matrix is one piece, a pixel under a
 * convolution's kernel one piece a tap, so that nothing is gathered. Each element of c is a sum of
 * blocks over ascending k, each block one fused multiply-add chain from zero: a row never depends
 * on how many others there are nor on where it stands, and short chains round less than one long
 * one.
 *
 * Blocking (Goto and van de Geijn 2008). In registers: MR rows by NP panels of sums, 6x16 with
 * eight lanes (12 registers of 16, 2 for the panel), 8x32 with sixteen (16 of 32). KC = 384 of a
 * panel, 24 KiB, stay in the first cache while at most 288 rows, 432 KiB, go past it from the
 * second. What is fetched ahead: the rows that come next, during the first panel, when they are not
 * in the second cache yet; and the lines of c, which the sums will be added to.
 *
 * The product with the transpose turns 16x16 tiles of the panels into panels of its own on the
 * stack, which all rows share.
 */
#include "isa_epilogue.h"
#include "isa_table.h"

enum { NR = XA_PANEL, KC = XA_GEMM_DEPTH };
#if XA_LANES == 16
enum { MR = 8, NP = 2 };
#elif defined(__x86_64__) && !defined(__AVX__)
enum { MR = 3, NP = 1 }; /* sixteen registers of four lanes */
#else
enum { MR = 6, NP = 1 };
#endif
enum { NV = NR / XA_LANES }; /* vectors of a panel */

/* Rows [row, row+mr) of `a` at depth [k0, k1) times np panels, whose depth k0 lies at `panel`,
 * `apart` floats from one to the next. add: c += sums, else c = sums. ahead: the next mr rows are
 * fetched. */
XA_INLINE void block(const int mr,
                     const int np,
                     const bool ahead,
                     bool add,
                     const xa_pieces *a,
                     int64_t row,
                     int64_t k0,
                     int64_t k1,
                     const float *panel,
                     int64_t apart,
                     float *c,
                     int64_t ldc)
{
    vw acc[MR][NP * NV];
    for (int i = 0; i < mr; i++) {
        for (int j = 0; j < np * NV; j++)
            acc[i][j] = (vw){0};
        for (int j = 0; j < np; j++)
            __builtin_prefetch(c + i * ldc + NR * j, 1);
    }
    int64_t piece = k0 / a->length, at = k0 % a->length;
    while (k0 < k1) {
        const int64_t n = a->length - at < k1 - k0 ? a->length - at : k1 - k0;
        const float *const *from = a->at + piece * a->stride + row;
        const float *x[MR], *next[MR];
        for (int i = 0; i < mr; i++) {
            x[i] = from[i] + at;
            next[i] = ahead ? from[i + mr] + at : NULL;
        }
        for (int64_t q0 = 0; q0 < n; q0 += NR) {
            const int64_t end = n - q0 < NR ? n : q0 + NR;
            for (int i = 0; i < mr && ahead; i++)
                __builtin_prefetch(next[i] + q0);
#pragma GCC unroll 8
            for (int64_t q = q0; q < end; q++) {
                vw b[NP * NV];
                for (int j = 0; j < np * NV; j++)
                    b[j] = vw_load(panel + j / NV * apart + q * NR + j % NV * XA_LANES);
                for (int i = 0; i < mr; i++) {
                    const vw v = vw_set(x[i][q]);
                    for (int j = 0; j < np * NV; j++)
                        acc[i][j] = vw_fma(v, b[j], acc[i][j]);
                }
            }
        }
        panel += n * NR;
        k0 += n;
        piece++;
        at = 0;
    }
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < np * NV; j++) {
            float *to = c + i * ldc + j * XA_LANES;
            vw_store(to, add ? vw_load(to) + acc[i][j] : acc[i][j]);
        }
}

/* m rows times np panels. */
XA_INLINE void rows(const int np,
                    bool first_pass,
                    bool add,
                    int64_t m,
                    const xa_pieces *a,
                    int64_t row,
                    int64_t k0,
                    int64_t k1,
                    const float *panel,
                    int64_t apart,
                    float *c,
                    int64_t ldc)
{
    int64_t i = 0;
    for (; first_pass && i + 2 * MR <= m; i += MR)
        block(MR, np, true, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc);
    for (; i + MR <= m; i += MR)
        block(MR, np, false, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc);
#define XA_REST(r)                \
    if (MR > (r) && m - i == (r)) \
    block((r) < MR ? (r) : 1, np, false, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc)
    XA_REST(7);
    XA_REST(6);
    XA_REST(5);
    XA_REST(4);
    XA_REST(3);
    XA_REST(2);
    XA_REST(1);
#undef XA_REST
}

/* The last n < 16 columns, through sums of their own. */
static void rows_edge(bool add,
                      int64_t m,
                      int64_t n,
                      const xa_pieces *a,
                      int64_t k0,
                      int64_t k1,
                      const float *panel,
                      float *c,
                      int64_t ldc)
{
    float sums[MR * NR];
    for (int64_t i = 0; i < m; i += MR) {
        const int64_t some = m - i < MR ? m - i : MR;
        rows(1, false, false, some, a, i, k0, k1, panel, 0, sums, NR);
        for (int64_t r = 0; r < some; r++) {
            float *to = c + (i + r) * ldc;
            for (int64_t q = 0; q < n; q++)
                to[q] = add ? to[q] + sums[r * NR + q] : sums[r * NR + q];
        }
    }
}

/* m rows of the columns of up to NP panels, n columns in all; returns how many were done. */
XA_INLINE int64_t columns(bool first_pass,
                          bool add,
                          int64_t m,
                          int64_t n,
                          const xa_pieces *a,
                          int64_t k0,
                          int64_t k1,
                          const float *panel,
                          int64_t apart,
                          float *c,
                          int64_t ldc)
{
    if (NP > 1 && n >= NP * NR) {
        rows(NP, first_pass, add, m, a, 0, k0, k1, panel, apart, c, ldc);
        return NP * NR;
    }
    if (n >= NR) {
        rows(1, first_pass, add, m, a, 0, k0, k1, panel, apart, c, ldc);
        return NR;
    }
    rows_edge(add, m, n, a, k0, k1, panel, c, ldc);
    return n;
}

/* Columns [j, j+n) of m rows of c, whose sums are complete. */
static void finish_columns(
    int64_t m, int64_t width, int64_t j, int64_t n, float *c, int64_t ldc, const xa_finish *f)
{
    const relu r = relu_of(f->act);
    const size_t step = xa_bits_row(width);
    const float *bias = f->bias ? f->bias + j : NULL;
    for (int64_t i = 0; i < m; i++)
        epilogue_part(n,
                      c + i * ldc + j,
                      bias,
                      f->residual ? f->residual + i * ldc + j : NULL,
                      &r,
                      f->bits ? f->bits + (size_t)i * step + j / 8 : NULL);
}

void XA_K(xa_gemm_panels)(int64_t m,
                          int64_t n,
                          const xa_pieces *a,
                          const float *panels,
                          float *c,
                          int64_t ldc,
                          const xa_finish *finish)
{
    const int64_t k = a->count * a->length;
    for (int64_t k0 = 0; k0 < k; k0 += KC) {
        const int64_t k1 = k - k0 < KC ? k : k0 + KC;
        for (int64_t j = 0, did; j < n; j += did) {
            did = columns(
                j == 0, k0 > 0, m, n - j, a, k0, k1, panels + j * k + k0 * NR, k * NR, c + j, ldc);
            if (finish && k1 == k)
                finish_columns(m, n, j, did, c, ldc, finish);
        }
    }
}

/* to[8 of n][16] = from[8 of k][16] turned, in eight-lane registers: pairs, pairs of pairs, halves.
 */
XA_INLINE void turn_eight(const float *from, float *to)
{
    v8 r[8], s[8];
    for (int i = 0; i < 8; i++)
        r[i] = v8_load(from + i * NR);
    for (int i = 0; i < 8; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            r[i + 2 * k] =
                __builtin_shufflevector(s[i + k], s[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * k + 1] =
                __builtin_shufflevector(s[i + k], s[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        v8_store(to + i * NR, __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11));
        v8_store(to + (i + 4) * NR,
                 __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15));
    }
}

/* to[count][16] = columns q .. q+count-1 of the panel rows from[16 of k][16 of n] turned; rows of k
 * beyond `there` are 0. */
XA_INLINE void turn(int64_t there, int64_t q, int64_t count, const float *from, float *to)
{
    if (there == NR && count == NR) {
        for (int r = 0; r < NR; r += 8)
            for (int s = 0; s < NR; s += 8)
                turn_eight(from + r * NR + s, to + s * NR + r);
        return;
    }
    for (int64_t s = 0; s < count; s++)
        for (int64_t r = 0; r < NR; r++)
            to[s * NR + r] = r < there ? from[r * NR + q + s] : 0.0f;
}

/* Depth [k0, k1) of columns [j, j+there) of b^T, as a panel. */
static void turn_panel(int64_t k,
                       const xa_pieces *a,
                       const float *panels,
                       const int64_t *first,
                       int64_t j,
                       int64_t there,
                       int64_t k0,
                       int64_t k1,
                       float *to)
{
    int64_t piece = k0 / a->length, at = k0 % a->length;
    while (k0 < k1) {
        int64_t count = NR - at % NR;
        if (count > a->length - at)
            count = a->length - at;
        if (count > k1 - k0)
            count = k1 - k0;
        turn(there, at % NR, count, panels + at / NR * NR * k + (first[piece] + j) * NR, to);
        to += count * NR;
        k0 += count;
        at += count;
        if (at == a->length) {
            piece++;
            at = 0;
        }
    }
}

/* Few rows: what counts is to read the weights along the panels. The same chains, their sums kept
 * in between. */
enum { FEW = 4, STRETCH = 1024 };

static void few_rows_nt(int64_t m,
                        int64_t k,
                        const xa_pieces *a,
                        const float *panels,
                        const int64_t *first,
                        int64_t j0,
                        int64_t width,
                        int64_t k0,
                        int64_t k1,
                        float *c,
                        int64_t ldc)
{
    float sums[FEW][STRETCH], turned[NR * NR] __attribute__((aligned(64)));
    const bool add = k0 > 0;
    memset(sums, 0, sizeof(sums));
    int64_t piece = k0 / a->length, at = k0 % a->length;
    while (k0 < k1) {
        int64_t count = NR - at % NR;
        count = count > a->length - at ? a->length - at : count;
        count = count > k1 - k0 ? k1 - k0 : count;
        const float *from = panels + at / NR * NR * k + (first[piece] + j0) * NR;
        for (int64_t j = 0; j < width; j += NR) {
            turn(width - j < NR ? width - j : NR, at % NR, count, from + j * NR, turned);
            for (int64_t i = 0; i < m; i++) {
                const float *x = a->at[piece * a->stride + i] + at;
                vw v[NV];
                for (int q = 0; q < NV; q++)
                    v[q] = vw_load(&sums[i][j] + q * XA_LANES);
                for (int64_t s = 0; s < count; s++)
                    for (int q = 0; q < NV; q++)
                        v[q] = vw_fma(vw_set(x[s]), vw_load(turned + s * NR + q * XA_LANES), v[q]);
                for (int q = 0; q < NV; q++)
                    vw_store(&sums[i][j] + q * XA_LANES, v[q]);
            }
        }
        k0 += count;
        at += count;
        if (at == a->length) {
            piece++;
            at = 0;
        }
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < width; j++)
            c[i * ldc + j] = add ? c[i * ldc + j] + sums[i][j] : sums[i][j];
}

void XA_K(xa_gemm_panels_nt)(int64_t m,
                             int64_t k,
                             const xa_pieces *a,
                             const float *panels,
                             const int64_t *first,
                             int64_t width,
                             float *c,
                             int64_t ldc)
{
    float turned[NP * KC * NR] __attribute__((aligned(64)));
    const int64_t depth = a->count * a->length;
    for (int64_t k0 = 0; k0 < depth; k0 += KC) {
        const int64_t k1 = depth - k0 < KC ? depth : k0 + KC;
        for (int64_t j = 0; m <= FEW && j < width; j += STRETCH)
            few_rows_nt(m,
                        k,
                        a,
                        panels,
                        first,
                        j,
                        width - j < STRETCH ? width - j : STRETCH,
                        k0,
                        k1,
                        c + j,
                        ldc);
        for (int64_t j = 0, did; m > FEW && j < width; j += did) {
            for (int p = 0; p < NP && j + p * NR < width; p++) {
                const int64_t left = width - j - p * NR;
                turn_panel(k,
                           a,
                           panels,
                           first,
                           j + p * NR,
                           left < NR ? left : NR,
                           k0,
                           k1,
                           turned + p * KC * NR);
            }
            did = columns(j == 0, k0 > 0, m, width - j, a, k0, k1, turned, KC * NR, c + j, ldc);
        }
    }
}
