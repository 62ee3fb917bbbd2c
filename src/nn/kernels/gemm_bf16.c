/* Products of rows and weights in bfloat16 with sums in float32.
 *
 * The definition is vdpbf16ps's (kernels.h), which sets with that instruction run. The others take
 * two fused multiply-adds a pair, of the operands widened to float, while denormals are flushed
 * (MXCSR's FTZ and DAZ, AArch64's FZ): the same bytes, at about the speed of float32.
 *
 * Rows are rounded once a block of depth into scratch, whatever pieces they lie in, where all
 * columns' panels meet them: as bfloat16 for vdpbf16ps, as floats of which the lower half is zero
 * for the others, half as many rows at a time. Lines of scratch are an odd number of cache lines
 * apart. In registers: with sixteen lanes 6 rows by 4 panels of sums, 24 of 32, and taller tiles
 * for the last columns, since a chain's latency needs several of them; with eight lanes 6 by 1.
 * Blocks are deep, 768, so that most layers are one: c is then written once. A tile's sums go to c
 * with all that follows while they are in the first cache. Meanwhile the first tiles of some
 * columns fetch the panels of the next.
 */
#include "isa_epilogue.h"
#include "isa_table.h"

#ifdef XA_FUSED

#ifdef __AVX512BF16__
#include <immintrin.h>
typedef uint16_t held; /* a rounded element of a row */
enum { HELD_ROWS = XA_GEMM_ROWS };
#else
typedef float held;
enum { HELD_ROWS = XA_GEMM_ROWS / 2 };
#endif
enum { NR = XA_PANEL, KC = XA_BF16_DEPTH, NV = NR / XA_LANES, LINE = 64 / sizeof(held) };
_Static_assert((size_t)HELD_ROWS *(KC + LINE) * sizeof(held) <= XA_BF16_ROWS_BYTES,
               "rows of a block fit their scratch");

/* X(MR, NP): tiles there are, of one NP from low to high. */
#if XA_LANES == 16
#define XA_TILES(X) \
    X(4, 1)         \
    X(12, 1) X(4, 2) X(12, 2) X(4, 3) X(8, 3) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
enum { NP = 4, MR_MOST = 12 };
#else
#define XA_TILES(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
enum { NP = 1, MR_MOST = 6 };
#endif

/* ---- rows ------------------------------------------------------------------------------------ */

#ifdef __AVX512BF16__
/* Rounds n floats. */
static void round_row(int64_t n, const float *x, held *to)
{
    int64_t i = 0;
    for (; i + 32 <= n; i += 32)
        _mm512_storeu_si512(
            to + i,
            (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i)));
    for (; i < n; i += 16) {
        const __mmask16 there = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : 0xffff;
        _mm256_mask_storeu_epi16(
            to + i, there, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(there, x + i)));
    }
}
#else
XA_INLINE vwu round_lanes(vwu u)
{
    const vwu magnitude = u & 0x7fffffff;
    const vwu tiny = (vwu)(magnitude < 0x00800000), nan = (vwu)(magnitude > 0x7f800000);
    vwu r = u + 0x7fff + (u >> 16 & 1);
    r = (nan & (u | 0x00400000)) | (~nan & r);
    r = (tiny & u & 0x80000000) | (~tiny & r);
    return r & 0xffff0000;
}

static void round_row(int64_t n, const float *x, held *to)
{
    float some[XA_LANES] = {0};
    if (n < XA_LANES) {
        memcpy(some, x, (size_t)n * sizeof(*x));
        vw_store(some, (vw)round_lanes((vwu)vw_load(some)));
        memcpy(to, some, (size_t)n * sizeof(*to));
        return;
    }
    for (int64_t i = 0; i < n; i += XA_LANES) {
        const int64_t at =
            i + XA_LANES < n ? i : n - XA_LANES; /* the last overlaps the one before */
        vw_store(to + at, (vw)round_lanes((vwu)vw_load(x + at)));
    }
}
#endif

/* Depth [k0, k1) of m rows from `row` on, `ld` elements apart. */
static void
round_rows(const xa_pieces *a, int64_t row, int64_t m, int64_t k0, int64_t k1, held *to, int64_t ld)
{
    const int64_t each = xa_bf16_even(a->length);
    for (int64_t i = row; i < row + m; i++, to += ld)
        for (int64_t k = k0, n; k < k1; k += n) {
            const int64_t at = k % each;
            n = each - at < k1 - k ? each - at : k1 - k;
            const int64_t real = at + n > a->length ? n - 1 : n;
            round_row(real, a->at[k / each * a->stride + i] + at, to + k - k0);
            if (real < n)
                to[k - k0 + real] = 0;
        }
}

/* ---- tiles ----------------------------------------------------------------------------------- */

/* A block's depth as runs of pairs that lie together in a panel. */
typedef struct runs {
    int64_t count;
    int64_t at[KC / 2]; /* from the panel's begin */
    int64_t pairs[KC / 2];
} runs;

static void runs_of(runs *r, int64_t length, const int64_t *which, int64_t k0, int64_t k1)
{
    const int64_t each = xa_bf16_even(length);
    r->count = 0;
    for (int64_t k = k0, n; k < k1; k += n) {
        const int64_t at = which ? which[k / each] * each + k % each : k;
        n = which && each - k % each < k1 - k ? each - k % each : k1 - k;
        if (r->count && r->at[r->count - 1] + r->pairs[r->count - 1] * 2 * NR == at * NR) {
            r->pairs[r->count - 1] += n / 2;
            continue;
        }
        r->at[r->count] = at * NR;
        r->pairs[r->count++] = n / 2;
    }
}

/* What one tile works on. */
typedef struct tile_work {
    const runs *depth;
    const held *rows;
    int64_t ld; /* of rows */
    const uint16_t *panels;
    int64_t apart;        /* from one panel to the next */
    const uint16_t *soon; /* panels to fetch, `count` of them, or NULL */
    int64_t count;
} tile_work;

/* acc[i][..] += the pair at x of row i times those of np panels at b. */
#ifdef __AVX512BF16__
XA_INLINE void pair(const int mr,
                    const int np,
                    const held *x,
                    int64_t ld,
                    const uint16_t *b,
                    int64_t apart,
                    vw acc[][NP * NV])
{
    __m512bh v[NP];
    for (int j = 0; j < np; j++)
        v[j] = (__m512bh)_mm512_loadu_si512(b + j * apart);
    for (int i = 0; i < mr; i++) {
        int32_t both;
        memcpy(&both, x + i * ld, sizeof both);
        const __m512bh w = (__m512bh)_mm512_set1_epi32(both);
        for (int j = 0; j < np; j++)
            acc[i][j] = (vw)_mm512_dpbf16_ps((__m512)acc[i][j], w, v[j]);
    }
}
#else
XA_INLINE void pair(const int mr,
                    const int np,
                    const held *x,
                    int64_t ld,
                    const uint16_t *b,
                    int64_t apart,
                    vw acc[][NP * NV])
{
    for (int odd = 1; odd >= 0; odd--) {
        vw v[NP * NV];
        for (int j = 0; j < np * NV; j++) {
            vwu both;
            memcpy(&both, b + j / NV * apart + j % NV * 2 * XA_LANES, sizeof both);
            v[j] = (vw)(odd ? both & 0xffff0000 : both << 16);
        }
        for (int i = 0; i < mr; i++) {
            const vw w = vw_set(x[i * ld + odd]);
            for (int j = 0; j < np * NV; j++)
                acc[i][j] = vw_fma(w, v[j], acc[i][j]);
        }
    }
}
#endif

/* sums [mr][np * NR] = the chains of a block. */
XA_INLINE void tile(const int mr, const int np, const tile_work *t, float *sums)
{
    vw acc[MR_MOST][NP * NV];
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < np * NV; j++)
            acc[i][j] = (vw){0};
    const held *x = t->rows;
    for (int64_t r = 0; r < t->depth->count; r++) {
        const uint16_t *b = t->panels + t->depth->at[r];
        for (int64_t p = 0; p < t->depth->pairs[r]; p++, x += 2, b += 2 * NR) {
            for (int64_t q = 0; q < t->count; q++)
                __builtin_prefetch(t->soon + q * t->apart + (b - t->panels), 0, 2);
            pair(mr, np, x, t->ld, b, t->apart, acc);
        }
    }
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < np * NV; j++)
            vw_store(sums + (i * np * NV + j) * XA_LANES, acc[i][j]);
}

typedef void tile_kind(const tile_work *t, float *sums);
#define X(mr, np)                                                                           \
    static __attribute__((noinline)) void tile_##mr##_##np(const tile_work *t, float *sums) \
    {                                                                                       \
        tile(mr, np, t, sums);                                                              \
    }
XA_TILES(X)
#undef X

/* The tile of np panels that `rows` of them fit best; *mr of them at most are to be taken. */
static tile_kind *tile_of(int64_t np, int64_t rows, int64_t *mr)
{
    static const struct {
        int64_t mr, np;
        tile_kind *kind;
    } all[] = {
#define X(mr, np) {mr, np, tile_##mr##_##np},
        XA_TILES(X)
#undef X
    };
    size_t best = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].np == np) {
            best = i;
            if (all[i].mr >= rows)
                break;
        }
    *mr = all[best].mr;
    return all[best].kind;
}

/* ---- flushing -------------------------------------------------------------------------------- */

/* vdpbf16ps flushes whatever MXCSR says. The tiles are functions that are not inlined, so that no
 * other arithmetic gets between these two. */
#if defined(__AVX512BF16__)
static uint64_t flush_begin(void)
{
    return 0;
}
static void flush_end(uint64_t before)
{
    (void)before;
}
#elif defined(__aarch64__)
static uint64_t flush_begin(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before)::"memory");
    __asm__ volatile("msr fpcr, %0" ::"r"(before | 1u << 24) : "memory");
    return before;
}
static void flush_end(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" ::"r"(before) : "memory");
}
#else
static uint64_t flush_begin(void)
{
    uint32_t before, flushing;
    __asm__ volatile("vstmxcsr %0" : "=m"(before)::"memory");
    flushing = before | 0x8040; /* FTZ, DAZ */
    __asm__ volatile("vldmxcsr %0" ::"m"(flushing) : "memory");
    return before;
}
static void flush_end(uint64_t before)
{
    const uint32_t as_it_was = (uint32_t)before;
    __asm__ volatile("vldmxcsr %0" ::"m"(as_it_was) : "memory");
}
#endif

/* ---- the product ----------------------------------------------------------------------------- */

/* Columns that are summed, of rows from `row` on. */
typedef struct target {
    float *c;
    int64_t ldc, width, row, column, n;
    bool add; /* to what is in c */
    const xa_finish *finish;
    relu act;
} target;

/* Row i of a tile. */
XA_INLINE void deliver(const target *t, int64_t i, const float *sums)
{
    const xa_finish *f = t->finish;
    const int64_t row = t->row + i;
    float *to = t->c + row * t->ldc + t->column;
    int64_t j = 0;
    for (; j + 8 <= t->n; j += 8)
        v8_store(to + j, t->add ? v8_load(to + j) + v8_load(sums + j) : v8_load(sums + j));
    for (; j < t->n; j++)
        to[j] = t->add ? to[j] + sums[j] : sums[j];
    if (f)
        epilogue_part(t->n,
                      to,
                      f->bias ? f->bias + t->column : NULL,
                      f->residual ? f->residual + row * t->ldc + t->column : NULL,
                      &t->act,
                      f->bits ? f->bits + (size_t)row * xa_bits_row(t->width) + t->column / 8
                              : NULL);
}

/* m rounded rows times np panels, the last of which may be narrower than it is stored. */
static void columns(int64_t np, int64_t m, int64_t later, tile_work w, target t)
{
    float sums[MR_MOST * NP * NR] __attribute__((aligned(64)));
    const uint16_t *next = w.panels + np * w.apart;
    int64_t mr;
    tile_of(np, m, &mr);
    /* the first tiles fetch the panels that come next, whole panels each */
    const int64_t tiles = (m + mr - 1) / mr, each = (later + tiles - 1) / tiles;
    for (int64_t i = 0, fetched = 0; i < m; i += mr, fetched += each) {
        tile_kind *kind = tile_of(np, m - i, &mr);
        const int64_t unfetched = later - fetched;
        w.count = unfetched < 0 ? 0 : unfetched < each ? unfetched : each;
        w.soon = w.count ? next + fetched * w.apart : NULL;
        const uint64_t before = flush_begin();
        kind(&w, sums);
        flush_end(before);
        for (int64_t r = 0; r < mr && i + r < m; r++)
            deliver(&t, i + r, sums + r * np * NR);
        w.rows += mr * w.ld;
    }
}

void XA_K(xa_gemm_bf16)(int64_t m,
                        int64_t n,
                        const xa_pieces *a,
                        const xa_bf16_matrix *b,
                        void *rows,
                        float *c,
                        int64_t ldc,
                        const xa_finish *finish)
{
    const int64_t each = xa_bf16_even(a->length), k = a->count * each;
    runs depth;
    for (int64_t k0 = 0; k0 < k; k0 += KC) {
        const int64_t k1 = k - k0 < KC ? k : k0 + KC;
        const int64_t lines = (k1 - k0 + LINE - 1) / LINE;
        const tile_work w = {.depth = &depth,
                             .rows = rows,
                             .ld = (lines % 2 ? lines : lines + 1) * LINE,
                             .apart = b->pieces * each * NR};
        runs_of(&depth, a->length, b->which, k0, k1);
        for (int64_t i = 0; i < m; i += HELD_ROWS) {
            const int64_t some = m - i < HELD_ROWS ? m - i : HELD_ROWS;
            target t = {.c = c, .ldc = ldc, .width = n, .row = i, .add = k0 > 0};
            if (finish && k1 == k) {
                t.finish = finish;
                t.act = relu_of(finish->act);
            }
            round_rows(a, i, some, k0, k1, rows, w.ld);
            for (int64_t j = 0; j < n; j += t.n) {
                const int64_t left = (n - j + NR - 1) / NR, np = left < NP ? left : NP;
                const int64_t later = left - np < NP ? left - np : NP;
                tile_work here = w;
                here.panels = b->panels + j / NR * w.apart;
                t.column = j;
                t.n = n - j < np * NR ? n - j : np * NR;
                columns(np, some, later, here, t);
            }
        }
    }
}

#endif
