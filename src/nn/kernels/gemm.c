/* Matrix products through CBLAS: the only file that includes its header.
 *
 * OpenBLAS picks its blocking and edge kernels by the shape of the call, so a row's last bits may
 * change with the number of rows beside it. Callers therefore cut a sample's rows by
 * xa_gemm_tile_rows, which looks at the sample alone, and never put rows of two samples into one
 * call.
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

/* 1024 rows keep the library's repacking of the weights below 1 % of the work and a tile of thin
 * layers in cache; gathered rows (k > 0 floats each) shrink towards 256 so that they stay near 1
 * MiB. */
int64_t xa_gemm_tile_rows(int64_t rows, int64_t k)
{
    int64_t most = 1024;
    if (k > 0) {
        most = (int64_t)262144 / k;
        most = most < 256 ? 256 : most > 1024 ? 1024 : most;
    }
    if (rows <= most)
        return rows;
    const int64_t tiles = (rows + most - 1) / most;
    return ((rows + tiles - 1) / tiles + 7) / 8 * 8;
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

void xa_panels_pack(int64_t k, int64_t n, const float *b, float *panels)
{
    for (int64_t j = 0; j < n; j += XA_PANEL)
        for (int64_t i = 0; i < k; i++)
            for (int64_t q = 0; q < XA_PANEL; q++)
                *panels++ = j + q < n ? b[i * n + j + q] : 0.0f;
}
