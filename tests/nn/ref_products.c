/* Reference twins: products and Winograd's transforms. */
#include "kernels_ref.h"

void xa_ref_gemm_rows(int64_t m,
                      int64_t n,
                      int64_t k,
                      const float *a,
                      int64_t lda,
                      const float *b,
                      int64_t ldb,
                      float *c,
                      int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0.0;
            for (int64_t p = 0; p < k; p++)
                s += (double)a[i * lda + p] * (double)b[p * ldb + j];
            c[i * ldc + j] = (float)s;
        }
}

static float panel_value(int64_t k, const float *panels, int64_t i, int64_t j)
{
    return panels[j / XA_PANEL * XA_PANEL * k + i * XA_PANEL + j % XA_PANEL];
}

void xa_ref_gemm_panels(int64_t m,
                        int64_t n,
                        const xa_pieces *a,
                        const float *panels,
                        float *c,
                        int64_t ldc,
                        const xa_finish *finish)
{
    const int64_t k = a->count * a->length;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t q = 0; q < k; q++)
                sum += (double)a->at[q / a->length * a->stride + i][q % a->length] *
                       (double)panel_value(k, panels, q, j);
            c[i * ldc + j] = (float)sum;
        }
    if (finish)
        xa_ref_epilogue(m, n, c, ldc, finish->bias, finish->residual, finish->act, finish->bits);
}

void xa_ref_gemm_panels_nt(int64_t m,
                           int64_t k,
                           const xa_pieces *a,
                           const float *panels,
                           const int64_t *first,
                           int64_t width,
                           float *c,
                           int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < width; j++) {
            double sum = 0.0;
            for (int64_t p = 0; p < a->count; p++)
                for (int64_t q = 0; q < a->length; q++)
                    sum += (double)a->at[p * a->stride + i][q] *
                           (double)panel_value(k, panels, first[p] + j, q);
            c[i * ldc + j] = (float)sum;
        }
}

/* ---- Winograd's transforms ---- */

/* B^T [m+2][m+2] and A^T [m][m+2] by Cook and Toom: at point a, (x - a) divides the product of all
 * (x - point), and A^T holds the powers of a; infinity is last. */
static void matrices(int m, double bt[6][6], double at[4][6])
{
    static const double root[5] = {0,
                                   0.70710678118654752440,
                                   -0.70710678118654752440,
                                   1.41421356237309504880,
                                   -1.41421356237309504880};
    static const double two_b[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
    static const double two_a[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
    if (m == 2) {
        for (int i = 0; i < 16; i++)
            bt[i / 4][i % 4] = two_b[i / 4][i % 4];
        for (int i = 0; i < 8; i++)
            at[i / 4][i % 4] = two_a[i / 4][i % 4];
        return;
    }
    for (int i = 0; i < 6; i++) {
        double poly[6] = {1, 0, 0, 0, 0, 0}; /* ascending powers */
        int degree = 0;
        for (int r = 0; r < 5; r++) {
            if (r == i)
                continue;
            degree++;
            for (int d = degree; d > 0; d--)
                poly[d] = poly[d - 1] - root[r] * poly[d];
            poly[0] *= -root[r];
        }
        for (int d = 0; d < 6; d++)
            bt[i][d] = poly[d];
        double power = 1.0;
        for (int d = 0; d < 4; d++) {
            at[d][i] = i < 5 ? power : d == 3;
            power *= i < 5 ? root[i] : 0.0;
        }
    }
}

void xa_ref_winograd_split(
    int m, int64_t c, const float *const *pixels, float *points, int64_t apart)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < c; j++)
        for (int i = 0; i < p * p; i++) {
            double sum = 0.0;
            for (int k = 0; k < p * p; k++)
                sum += bt[i / p][k / p] * bt[i % p][k % p] * (double)pixels[k][j];
            points[i * apart + j] = (float)sum;
        }
}

void xa_ref_winograd_split_back(
    int m, int64_t c, const float *points, int64_t apart, float *const *pixels)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < c; j++)
        for (int k = 0; k < p * p; k++) {
            double sum = 0.0;
            for (int i = 0; i < p * p; i++)
                sum += bt[i / p][k / p] * bt[i % p][k % p] * (double)points[i * apart + j];
            if (pixels[k])
                pixels[k][j] = (float)((double)pixels[k][j] + sum);
        }
}

void xa_ref_winograd_join(
    int m, int64_t f, const float *points, int64_t apart, float *const *pixels)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < f; j++)
        for (int i = 0; i < m * m; i++) {
            double sum = 0.0;
            for (int k = 0; k < p * p; k++)
                sum += at[i / m][k / p] * at[i % m][k % p] * (double)points[k * apart + j];
            if (pixels[i])
                pixels[i][j] = (float)sum;
        }
}

void xa_ref_winograd_join_back(
    int m, int64_t f, const float *const *pixels, float *points, int64_t apart)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < f; j++)
        for (int k = 0; k < p * p; k++) {
            double sum = 0.0;
            for (int i = 0; i < m * m; i++)
                sum += at[i / m][k / p] * at[i % m][k % p] * (double)pixels[i][j];
            points[k * apart + j] = (float)sum;
        }
}
