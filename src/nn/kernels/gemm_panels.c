/* Products with weights packed once, in panels: columns 16p .. 16p+15 of b [K,N] lie together as
 * [K][16], the last panel filled up with zeros.
 *
 *   gemm_panels     c = a b     element (i,j) is one fused multiply-add chain over ascending k
 *   gemm_panels_nt  c = a b^T   one chain over ascending n
 *
 * So a row of c never depends on how many others there are, nor on where it stands: equal rows give
 * equal results, whatever the batch.
 *
 * Blocking (Goto and van de Geijn 2008): 6 rows by 16 columns of sums are 12 registers, 2 more hold
 * a row of the panel. KC = 256 of a panel are 16 KiB and stay in the first cache while MC rows of
 * `a` (288 KiB of them, in the second) go past. Sums are stored between blocks of KC and taken up
 * again. The product with the transpose turns 16x16 tiles of the panels into a panel of its own on
 * the stack, which MC rows share.
 */
#include "isa_build.h"
#include "isa_table.h"

enum { NR = 16, KC = 256, MC = 288 };

/* c[MR,16] (+)= a[MR,kn] * panel[kn,16]; `first` starts the sums at 0. */
XA_INLINE void rows_block(const int mr,
                          bool first,
                          int64_t kn,
                          const float *a,
                          int64_t lda,
                          const float *panel,
                          float *c,
                          int64_t ldc)
{
    v8 acc[6][2];
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < 2; j++)
            acc[i][j] = first ? v8_set(0.0f) : v8_load(c + i * ldc + 8 * j);
    for (int64_t k = 0; k < kn; k++) {
        const v8 b0 = v8_load(panel + k * NR), b1 = v8_load(panel + k * NR + 8);
        for (int i = 0; i < mr; i++) {
            const v8 av = v8_set(a[i * lda + k]);
            acc[i][0] = v8_fma(av, b0, acc[i][0]);
            acc[i][1] = v8_fma(av, b1, acc[i][1]);
        }
    }
    for (int i = 0; i < mr; i++)
        for (int j = 0; j < 2; j++)
            v8_store(c + i * ldc + 8 * j, acc[i][j]);
}

static void rows_panel(bool first,
                       int64_t m,
                       int64_t kn,
                       const float *a,
                       int64_t lda,
                       const float *panel,
                       float *c,
                       int64_t ldc)
{
    int64_t i = 0;
    for (; i + 6 <= m; i += 6)
        rows_block(6, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
    switch (m - i) {
    case 5:
        rows_block(5, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
        break;
    case 4:
        rows_block(4, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
        break;
    case 3:
        rows_block(3, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
        break;
    case 2:
        rows_block(2, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
        break;
    case 1:
        rows_block(1, first, kn, a + i * lda, lda, panel, c + i * ldc, ldc);
        break;
    default:
        break;
    }
}

/* The same for the last n < 16 columns, through a padded copy of the sums. */
static void rows_edge(bool first,
                      int64_t m,
                      int64_t n,
                      int64_t kn,
                      const float *a,
                      int64_t lda,
                      const float *panel,
                      float *c,
                      int64_t ldc)
{
    float sums[6 * NR];
    for (int64_t i = 0; i < m; i += 6) {
        const int64_t rows = m - i < 6 ? m - i : 6;
        memset(sums, 0, sizeof(sums));
        for (int64_t r = 0; r < rows && !first; r++)
            memcpy(sums + r * NR, c + (i + r) * ldc, (size_t)n * sizeof(*c));
        rows_panel(first, rows, kn, a + i * lda, lda, panel, sums, NR);
        for (int64_t r = 0; r < rows; r++)
            memcpy(c + (i + r) * ldc, sums + r * NR, (size_t)n * sizeof(*c));
    }
}

/* m rows of a panel's columns, n of them. */
static void rows_columns(bool first,
                         int64_t m,
                         int64_t n,
                         int64_t kn,
                         const float *a,
                         int64_t lda,
                         const float *panel,
                         float *c,
                         int64_t ldc)
{
    if (n >= NR)
        rows_panel(first, m, kn, a, lda, panel, c, ldc);
    else
        rows_edge(first, m, n, kn, a, lda, panel, c, ldc);
}

void XA_K(xa_gemm_panels)(int64_t m,
                          int64_t n,
                          int64_t k,
                          const float *a,
                          int64_t lda,
                          const float *panels,
                          float *c,
                          int64_t ldc)
{
    for (int64_t i = 0; i < m; i += MC) {
        const int64_t rows = m - i < MC ? m - i : MC;
        for (int64_t k0 = 0; k0 < k; k0 += KC) {
            const int64_t kn = k - k0 < KC ? k - k0 : KC;
            for (int64_t j = 0; j < n; j += NR)
                rows_columns(k0 == 0,
                             rows,
                             n - j,
                             kn,
                             a + i * lda + k0,
                             lda,
                             panels + j * k + k0 * NR,
                             c + i * ldc + j,
                             ldc);
        }
    }
}

/* to[16 of n][16 of k] = the tile from[16 of k][16 of n] of a panel turned; k < 16 rows are filled
 * up. */
XA_INLINE void turn_tile(int64_t rows, const float *from, float *to)
{
    if (rows < NR)
        memset(to, 0, NR * NR * sizeof(*to));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t q = 0; q < NR; q++)
            to[q * NR + r] = from[r * NR + q];
}

void XA_K(xa_gemm_panels_nt)(int64_t m,
                             int64_t n,
                             int64_t k,
                             const float *a,
                             int64_t lda,
                             const float *panels,
                             float *c,
                             int64_t ldc)
{
    float turned[KC * NR] __attribute__((aligned(64)));
    for (int64_t i = 0; i < m; i += MC) {
        const int64_t rows = m - i < MC ? m - i : MC;
        for (int64_t n0 = 0; n0 < n; n0 += KC) {
            const int64_t nn = n - n0 < KC ? n - n0 : KC;
            for (int64_t j = 0; j < k; j += NR) {
                const int64_t columns = k - j < NR ? k - j : NR;
                for (int64_t q = 0; q < nn; q += NR)
                    turn_tile(columns, panels + (n0 + q) * k + j * NR, turned + q * NR);
                rows_columns(n0 == 0,
                             rows,
                             columns,
                             nn,
                             a + i * lda + n0,
                             lda,
                             turned,
                             c + i * ldc + j,
                             ldc);
            }
        }
    }
}
