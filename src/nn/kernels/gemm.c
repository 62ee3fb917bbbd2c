/* Matrix products through CBLAS: the only file that includes its header.
 *
 * OpenBLAS picks its blocking and edge kernels by the shape of the call, so a row's last bits may
 * change with the number of rows in the call. It serves attention on processors without fused
 * multiply-adds, one head of one sample a call, and the tests and benchmarks as a yardstick.
 */
#include <cblas.h>
#include <limits.h>

#include "kernels.h"

void xa_gemm_tile(bool trans_b,
                  int64_t m,
                  int64_t n,
                  int64_t k,
                  const float *a,
                  int64_t lda,
                  const float *b,
                  int64_t ldb,
                  float *c,
                  int64_t ldc)
{
    cblas_sgemm(CblasRowMajor,
                CblasNoTrans,
                trans_b ? CblasTrans : CblasNoTrans,
                (blasint)m,
                (blasint)n,
                (blasint)k,
                1.0f,
                a,
                (blasint)lda,
                b,
                (blasint)ldb,
                0.0f,
                c,
                (blasint)ldc);
}

void xa_blas_set_threads(int threads)
{
    openblas_set_num_threads(threads < 1 ? 1 : threads);
}

const char *xa_blas_config(void)
{
    return openblas_get_config();
}

const char *xa_blas_core(void)
{
    return openblas_get_corename();
}

void xa_panels_pack(int64_t k, int64_t n, const float *b, int64_t ldb, float *panels)
{
    for (int64_t j = 0; j < n; j += XA_PANEL)
        for (int64_t i = 0; i < k; i++)
            for (int64_t q = 0; q < XA_PANEL; q++)
                *panels++ = j + q < n ? b[i * ldb + j + q] : 0.0f;
}
