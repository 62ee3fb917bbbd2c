/* Products with weights packed once, in panels: columns 16p .. 16p+15 of b [K,N] lie together as
 * [K][16], the last panel filled up with zeros. All of the engine's large products go through here,
 * forward and backward from the same copy:
 *
 *   gemm_panels     c = finish(a b)
 *   gemm_panels_nt  c = sum over pieces of a_p b_p^T
 *
 * Rows of `a` are read where they lie, in pieces: a row of a matrix is one piece, a pixel under a
 * convolution's kernel one piece per tap, so that nothing is gathered. Each element of c is a sum
 * of blocks over ascending k, each block one fused multiply-add chain from zero: a row never
 * depends on how many other rows there are nor on where it stands, and short chains round less than
 * one long one.
 *
 * Blocking (Goto and van de Geijn 2008). In registers: MR rows by NP panels of sums, 6x16 with
 * eight lanes (12 registers of 16, 2 for the panel), 8x32 with sixteen (16 of 32). KC = 384 of a
 * panel, 24 KiB, stay in the first cache while at most 288 rows, 432 KiB, go past it from the
 * second. What is fetched ahead: the rows that come next, during the first panel, when they are not
 * in the second cache yet; the lines of c, which the sums will be added to; and, a few lines every
 * sixteen steps, the panels that follow, which come from memory where a layer's rows are few.
 *
 * The product with the transpose turns 16x16 tiles of the panels into panels of its own on the
 * stack, which all rows share.
 */
#include "isa_epilogue.h"
#include "isa_table.h"
#include "isa_turn.h"

enum { NR = XA_PANEL, KC = XA_GEMM_DEPTH };
#if XA_LANES == 16
enum { MR = 8, NP = 2 };
#elif defined(__x86_64__) && !defined(__AVX__)
enum { MR = 3, NP = 1 }; /* sixteen registers of four lanes */
#else
enum { MR = 6, NP = 1 };
#endif
enum { NV = NR / XA_LANES }; /* vectors of a panel */

/* The panels that follow, as runs of cache lines: `lines` at each from[run] + shift. */
typedef struct upcoming {
    const float *const *from;
    int64_t shift, runs, lines;
    int64_t run, line; /* the next to fetch */
    int64_t each;      /* lines every NR steps */
} upcoming;

/* For m rows of kn steps to come. */
static upcoming upcoming_of(
    const float *const *from, int64_t shift, int64_t runs, int64_t lines, int64_t m, int64_t kn)
{
    const int64_t times = (m + MR - 1) / MR * ((kn + NR - 1) / NR);
    return (upcoming){.from = from,
                      .shift = shift,
                      .runs = runs,
                      .lines = lines,
                      .each = (runs * lines + times - 1) / times};
}

XA_INLINE void fetch(upcoming *u)
{
    for (int64_t n = u->each; n > 0 && u->run < u->runs; n--) {
        __builtin_prefetch(u->from[u->run] + u->shift + u->line * NR, 0, 2);
        if (++u->line == u->lines) {
            u->line = 0;
            u->run++;
        }
    }
}

/* Rows [row, row+mr) of `a` at depth [k0, k1) times np panels, whose depth k0 lies at `panel`,
 * `apart` floats from one to the next. add: c += sums, else c = sums. ahead: the next mr rows are
 * fetched. */
XA_INLINE void block(const int mr,
                     const int np,
                     const bool ahead,
                     upcoming *u,
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
            fetch(u);
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
                    upcoming *u,
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
        block(MR, np, true, u, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc);
    for (; i + MR <= m; i += MR)
        block(MR, np, false, u, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc);
#define XA_REST(r)                \
    if (MR > (r) && m - i == (r)) \
    block((r) < MR ? (r) : 1, np, false, u, add, a, row + i, k0, k1, panel, apart, c + i * ldc, ldc)
    XA_REST(7);
    XA_REST(6);
    XA_REST(5);
    XA_REST(4);
    XA_REST(3);
    XA_REST(2);
    XA_REST(1);
#undef XA_REST
}

/* to[n] = sums, or to + sums; fewer than two vectors, of which the second overlaps the first. */
XA_INLINE void take_in(bool add, int64_t n, const float *sums, float *to)
{
    if (n >= XA_LANES) {
        const int64_t last = n - XA_LANES;
        vw a = vw_load(sums), b = vw_load(sums + last);
        if (add) {
            a += vw_load(to);
            b += vw_load(to + last);
        }
        vw_store(to, a);
        vw_store(to + last, b);
    } else if (n >= 8) {
        const int64_t last = n - 8;
        v8 a = v8_load(sums), b = v8_load(sums + last);
        if (add) {
            a += v8_load(to);
            b += v8_load(to + last);
        }
        v8_store(to, a);
        v8_store(to + last, b);
    } else
        for (int64_t q = 0; q < n; q++)
            to[q] = add ? to[q] + sums[q] : sums[q];
}

/* The last n columns, which do not fill their np panels, through sums of their own. */
XA_INLINE void rows_edge(const int np,
                         upcoming *u,
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
    float sums[MR * NP * NR];
    for (int64_t i = 0; i < m; i += MR) {
        const int64_t some = m - i < MR ? m - i : MR;
        rows(np, false, u, false, some, a, i, k0, k1, panel, apart, sums, np * NR);
        for (int64_t r = 0; r < some; r++)
            take_in(add, n, sums + r * np * NR, c + (i + r) * ldc);
    }
}

/* m rows of the columns of up to NP panels, n columns in all; returns how many were done. */
XA_INLINE int64_t columns(bool first_pass,
                          upcoming *u,
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
    if (n >= NP * NR) {
        rows(NP, first_pass, u, add, m, a, 0, k0, k1, panel, apart, c, ldc);
        return NP * NR;
    }
    if (n > NR) /* sums of one panel alone are too few for the latency of an addition */
        rows_edge(NP, u, add, m, n, a, k0, k1, panel, apart, c, ldc);
    else if (n == NR)
        rows(1, first_pass, u, add, m, a, 0, k0, k1, panel, apart, c, ldc);
    else
        rows_edge(1, u, add, m, n, a, k0, k1, panel, apart, c, ldc);
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
            const float *here = panels + j * k + k0 * NR, *next[NP] = {NULL};
            int64_t runs = 0;
            for (; runs < NP && j + (NP + runs) * NR < n; runs++)
                next[runs] = here + (NP + runs) * NR * k;
            upcoming u = upcoming_of(next, 0, runs, k1 - k0, m, k1 - k0);
            did = columns(j == 0, &u, k0 > 0, m, n - j, a, k0, k1, here, k * NR, c + j, ldc);
            if (finish && k1 == k)
                finish_columns(m, n, j, did, c, ldc, finish);
        }
    }
}

/* to[count][16] = columns q .. q+count-1 of the panel rows from[16 of k][16 of n] turned; rows of k
 * beyond `there` are 0. */
XA_INLINE void turn(int64_t there, int64_t q, int64_t count, const float *from, float *to)
{
    if (there == NR && count == NR) {
        for (int r = 0; r < NR; r += 8)
            for (int s = 0; s < NR; s += 8)
                turn_eight(from + r * NR + s, NR, to + s * NR + r, NR);
        return;
    }
    for (int64_t s = 0; s < count; s++)
        for (int64_t r = 0; r < NR; r++)
            to[s * NR + r] = r < there ? from[r * NR + q + s] : 0.0f;
}

/* Depth [k0, k1) of b^T as it lies in the panels: parts of up to NR steps, each of one panel and of
 * one piece. */
typedef struct parts {
    int64_t count;
    const float *from[KC]; /* its panel, at row first[piece] */
    int64_t piece[KC], at[KC], steps[KC];
} parts;

static void parts_of(parts *p,
                     int64_t k,
                     const xa_pieces *a,
                     const float *panels,
                     const int64_t *first,
                     int64_t k0,
                     int64_t k1)
{
    int64_t piece = k0 / a->length, at = k0 % a->length;
    for (p->count = 0; k0 < k1; p->count++) {
        int64_t steps = NR - at % NR;
        steps = steps > a->length - at ? a->length - at : steps;
        steps = steps > k1 - k0 ? k1 - k0 : steps;
        p->from[p->count] = panels + at / NR * NR * k + first[piece] * NR;
        p->piece[p->count] = piece;
        p->at[p->count] = at;
        p->steps[p->count] = steps;
        k0 += steps;
        at += steps;
        if (at == a->length) {
            piece++;
            at = 0;
        }
    }
}

/* Columns [j, j+there) of the parts, as a panel. */
static void turn_panel(const parts *p, int64_t j, int64_t there, float *to)
{
    for (int64_t i = 0; i < p->count; i++) {
        turn(there, p->at[i] % NR, p->steps[i], p->from[i] + j * NR, to);
        to += p->steps[i] * NR;
    }
}

/* Few rows: what counts is to read the weights along the panels. The same chains, their sums kept
 * in between. */
enum { FEW = 4, STRETCH = 1024 };

static void few_rows_nt(bool add,
                        int64_t m,
                        const xa_pieces *a,
                        const parts *p,
                        int64_t j0,
                        int64_t width,
                        float *c,
                        int64_t ldc)
{
    float sums[FEW][STRETCH], turned[NR * NR] __attribute__((aligned(64)));
    memset(sums, 0, sizeof(sums));
    for (int64_t t = 0; t < p->count; t++)
        for (int64_t j = 0; j < width; j += NR) {
            turn(width - j < NR ? width - j : NR,
                 p->at[t] % NR,
                 p->steps[t],
                 p->from[t] + (j0 + j) * NR,
                 turned);
            for (int64_t i = 0; i < m; i++) {
                const float *x = a->at[p->piece[t] * a->stride + i] + p->at[t];
                vw v[NV];
                for (int q = 0; q < NV; q++)
                    v[q] = vw_load(&sums[i][j] + q * XA_LANES);
                for (int64_t s = 0; s < p->steps[t]; s++)
                    for (int q = 0; q < NV; q++)
                        v[q] = vw_fma(vw_set(x[s]), vw_load(turned + s * NR + q * XA_LANES), v[q]);
                for (int q = 0; q < NV; q++)
                    vw_store(&sums[i][j] + q * XA_LANES, v[q]);
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
    parts p;
    const int64_t depth = a->count * a->length;
    for (int64_t k0 = 0; k0 < depth; k0 += KC) {
        const int64_t k1 = depth - k0 < KC ? depth : k0 + KC;
        parts_of(&p, k, a, panels, first, k0, k1);
        for (int64_t j = 0; m <= FEW && j < width; j += STRETCH)
            few_rows_nt(k0 > 0, m, a, &p, j, width - j < STRETCH ? width - j : STRETCH, c + j, ldc);
        for (int64_t j = 0, did; m > FEW && j < width; j += did) {
            const int64_t left = width - j, later = left - NP * NR;
            for (int q = 0; q < NP && q * NR < left; q++)
                turn_panel(
                    &p, j + q * NR, left - q * NR < NR ? left - q * NR : NR, turned + q * KC * NR);
            upcoming u = upcoming_of(p.from,
                                     (j + NP * NR) * NR,
                                     later > 0 ? p.count : 0,
                                     later < NP * NR ? later : NP * NR,
                                     m,
                                     k1 - k0);
            did = columns(j == 0, &u, k0 > 0, m, left, a, k0, k1, turned, KC * NR, c + j, ldc);
        }
    }
}
