/* Matrix products whose every element is one chain over ascending k, so that a row never depends on
 * how many other rows there are, nor on where it stands: equal rows give equal results. For few
 * rows the weights stream through once; for many, blocks of them are kept in cache. */
#include "isa_build.h"
#include "isa_table.h"

/* Rows of b read side by side: few while they come from memory, more once they serve many rows. */
enum { KSTEP = 16, KSTEP_MANY = 64, MANY = 8 };
/* From this many rows on, copying the weights together pays. */
enum { TALL = 24 };

/* c[MR, 8*NV] (+)= a[MR, kn] * b[kn, 8*NV]; `first` starts the sums at 0. */
XA_INLINE void block(const int mr,
                     const int nv,
                     bool first,
                     int64_t kn,
                     const float *a,
                     int64_t lda,
                     const float *b,
                     int64_t ldb,
                     float *c,
                     int64_t ldc)
{
    v8 acc[4][4];
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < nv; j++)
            acc[i][j] = first ? v8_set(0.0f) : v8_load(c + i * ldc + 8 * j);
    for (int64_t k = 0; k < kn; k++) {
        v8 bv[4];
        for (int j = 0; j < nv; j++)
            bv[j] = v8_load(b + k * ldb + 8 * j);
        for (int i = 0; i < mr; i++) {
            const v8 av = v8_set(a[i * lda + k]);
            for (int j = 0; j < nv; j++)
                acc[i][j] = v8_fma(av, bv[j], acc[i][j]);
        }
    }
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < nv; j++)
            v8_store(c + i * ldc + 8 * j, acc[i][j]);
}

/* All rows of one column panel of 8*nv. */
XA_INLINE void panel(const int nv,
                     bool first,
                     int64_t m,
                     int64_t kn,
                     const float *a,
                     int64_t lda,
                     const float *b,
                     int64_t ldb,
                     float *c,
                     int64_t ldc)
{
    int64_t i = 0;
    for (; i + 4 <= m; i += 4)
        block(4, nv, first, kn, a + i * lda, lda, b, ldb, c + i * ldc, ldc);
    for (; i + 2 <= m; i += 2)
        block(2, nv, first, kn, a + i * lda, lda, b, ldb, c + i * ldc, ldc);
    for (; i < m; i++)
        block(1, nv, first, kn, a + i * lda, lda, b, ldb, c + i * ldc, ldc);
}

static void panel_1(bool first,
                    int64_t m,
                    int64_t n,
                    int64_t kn,
                    const float *a,
                    int64_t lda,
                    const float *b,
                    int64_t ldb,
                    float *c,
                    int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            float s = first ? 0.0f : c[i * ldc + j];
            for (int64_t k = 0; k < kn; k++)
                s = XA_FMA(a[i * lda + k], b[k * ldb + j], s);
            c[i * ldc + j] = s;
        }
}

/* ---- many rows ----
 *
 * Blocks of KC weights by two vectors of columns are copied side by side onto the stack, 16 or 32
 * KiB, which stay in the first cache while MC rows of `a` (in the second) go past them, six at a
 * time: 12 registers of sums, 2 of weights. Sums are stored between blocks of k and taken up again,
 * so that an element is still one chain. */
enum { KC = 256, MC = 288, NR = 2 * XA_LANES };

XA_INLINE void tall_block(const int mr,
                          bool first,
                          int64_t kn,
                          const float *a,
                          int64_t lda,
                          const float *packed,
                          float *c,
                          int64_t ldc)
{
    vw acc[6][2];
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < 2; j++)
            acc[i][j] = first ? vw_set(0.0f) : vw_load(c + i * ldc + XA_LANES * j);
    for (int64_t k = 0; k < kn; k++) {
        const vw b0 = vw_load(packed + k * NR), b1 = vw_load(packed + k * NR + XA_LANES);
        for (int i = 0; i < mr; i++) {
            const vw av = vw_set(a[i * lda + k]);
            acc[i][0] = vw_fma(av, b0, acc[i][0]);
            acc[i][1] = vw_fma(av, b1, acc[i][1]);
        }
    }
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < 2; j++)
            vw_store(c + i * ldc + XA_LANES * j, acc[i][j]);
}

/* Rows [0, m) of NR full columns. */
static void tall_panel(bool first,
                       int64_t m,
                       int64_t kn,
                       const float *a,
                       int64_t lda,
                       const float *packed,
                       float *c,
                       int64_t ldc)
{
    int64_t i = 0;
    for (; i + 6 <= m; i += 6)
        tall_block(6, first, kn, a + i * lda, lda, packed, c + i * ldc, ldc);
    for (; i + 2 <= m; i += 2)
        tall_block(2, first, kn, a + i * lda, lda, packed, c + i * ldc, ldc);
    for (; i < m; i++)
        tall_block(1, first, kn, a + i * lda, lda, packed, c + i * ldc, ldc);
}

/* The same for the last columns, n of them, through a padded copy of the sums. */
static void tall_edge(bool first,
                      int64_t m,
                      int64_t n,
                      int64_t kn,
                      const float *a,
                      int64_t lda,
                      const float *packed,
                      float *c,
                      int64_t ldc)
{
    float sums[6 * NR];
    for (int64_t i = 0; i < m; i += 6) {
        const int64_t rows = m - i < 6 ? m - i : 6;
        memset(sums, 0, sizeof(sums));
        for (int64_t r = 0; r < rows && !first; r++)
            memcpy(sums + r * NR, c + (i + r) * ldc, (size_t)n * sizeof(*c));
        tall_panel(first, rows, kn, a + i * lda, lda, packed, sums, NR);
        for (int64_t r = 0; r < rows; r++)
            memcpy(c + (i + r) * ldc, sums + r * NR, (size_t)n * sizeof(*c));
    }
}

static void tall(int64_t m,
                 int64_t n,
                 int64_t k,
                 const float *a,
                 int64_t lda,
                 const float *b,
                 int64_t ldb,
                 float *c,
                 int64_t ldc)
{
    float packed[KC * NR] __attribute__((aligned(64)));
    for (int64_t i = 0; i < m; i += MC) {
        const int64_t rows = m - i < MC ? m - i : MC;
        for (int64_t k0 = 0; k0 < k; k0 += KC) {
            const int64_t kn = k - k0 < KC ? k - k0 : KC;
            const float *ai = a + i * lda + k0;
            for (int64_t j = 0; j < n; j += NR) {
                const int64_t columns = n - j < NR ? n - j : NR;
                const float *bj = b + k0 * ldb + j;
                float *cj = c + i * ldc + j;
                if (columns == NR) {
                    for (int64_t q = 0; q < kn; q++)
                        memcpy(packed + q * NR, bj + q * ldb, NR * sizeof(*b));
                    tall_panel(k0 == 0, rows, kn, ai, lda, packed, cj, ldc);
                } else {
                    memset(packed, 0, (size_t)(kn * NR) * sizeof(*b));
                    for (int64_t q = 0; q < kn; q++)
                        memcpy(packed + q * NR, bj + q * ldb, (size_t)columns * sizeof(*b));
                    tall_edge(k0 == 0, rows, columns, kn, ai, lda, packed, cj, ldc);
                }
            }
        }
    }
}

void XA_K(xa_gemm_rows)(int64_t m,
                        int64_t n,
                        int64_t k,
                        const float *a,
                        int64_t lda,
                        const float *b,
                        int64_t ldb,
                        float *c,
                        int64_t ldc)
{
    if (k == 0)
        for (int64_t i = 0; i < m; i++)
            memset(c + i * ldc, 0, (size_t)n * sizeof(*c));
    if (m >= TALL) {
        tall(m, n, k, a, lda, b, ldb, c, ldc);
        return;
    }
    const int64_t step = m < MANY ? KSTEP : KSTEP_MANY;
    for (int64_t k0 = 0; k0 < k; k0 += step) {
        const int64_t kn = k - k0 < step ? k - k0 : step;
        const bool first = k0 == 0;
        const float *ak = a + k0, *bk = b + k0 * ldb;
        int64_t j = 0;
        for (; m == 1 && j + 32 <= n; j += 32)
            panel(4, first, m, kn, ak, lda, bk + j, ldb, c + j, ldc);
        for (; j + 16 <= n; j += 16)
            panel(2, first, m, kn, ak, lda, bk + j, ldb, c + j, ldc);
        for (; j + 8 <= n; j += 8)
            panel(1, first, m, kn, ak, lda, bk + j, ldb, c + j, ldc);
        if (j < n)
            panel_1(first, m, n - j, kn, ak, lda, bk + j, ldb, c + j, ldc);
    }
}
