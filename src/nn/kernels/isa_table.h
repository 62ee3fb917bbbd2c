/* The kernels of the ISA being compiled, under their suffixed names. kernels.h says what they do.
 */
#ifndef XAUDIT_NN_ISA_TABLE_H
#define XAUDIT_NN_ISA_TABLE_H

#include "isa_build.h"

extern const xa_kernels XA_K(xa_kernels_table);

void XA_K(xa_gemm_rows)(int64_t m,
                        int64_t n,
                        int64_t k,
                        const float *a,
                        int64_t lda,
                        const float *b,
                        int64_t ldb,
                        float *c,
                        int64_t ldc);
void XA_K(xa_gemm_panels)(int64_t m,
                          int64_t n,
                          const xa_pieces *a,
                          const float *panels,
                          float *c,
                          int64_t ldc,
                          const xa_finish *finish);
void XA_K(xa_gemm_panels_nt)(int64_t m,
                             int64_t k,
                             const xa_pieces *a,
                             const float *panels,
                             const int64_t *first,
                             int64_t width,
                             float *c,
                             int64_t ldc);
void XA_K(xa_winograd_split)(
    int m, int64_t c, const float *const *pixels, float *points, int64_t apart);
void XA_K(xa_winograd_split_back)(
    int m, int64_t c, const float *points, int64_t apart, float *const *pixels);
void XA_K(xa_winograd_join)(
    int m, int64_t f, const float *points, int64_t apart, float *const *pixels);
void XA_K(xa_winograd_join_back)(
    int m, int64_t f, const float *const *pixels, float *points, int64_t apart);
void XA_K(xa_epilogue)(int64_t rows,
                       int64_t c,
                       float *y,
                       int64_t ld,
                       const float *bias,
                       const float *residual,
                       const xa_activation *act,
                       uint8_t *bits);
void XA_K(xa_mask)(
    int64_t rows, int64_t c, const float *dy, const uint8_t *bits, float slope, float *out);
void XA_K(xa_add)(int64_t n, const float *a, const float *b, float *out);
void XA_K(xa_affine)(
    int64_t rows, int64_t c, const float *x, const float *scale, const float *shift, float *y);
void XA_K(xa_depthwise)(
    const xa_dw_shape *s, const float *x, const float *w, int64_t row0, int64_t row1, float *y);
void XA_K(xa_depthwise_back)(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t row0, int64_t row1, float *dx);
void XA_K(xa_max_pool)(
    const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax);
void XA_K(xa_max_pool_back)(const xa_pool_shape *s,
                            const float *dy,
                            const void *argmax,
                            int64_t row0,
                            int64_t row1,
                            float *dx);
void
    XA_K(xa_avg_pool)(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y);
void XA_K(xa_avg_pool_back)(
    const xa_pool_shape *s, const float *dy, int64_t row0, int64_t row1, float *dx);
void XA_K(xa_layer_norm)(int64_t rows,
                         int64_t c,
                         float epsilon,
                         bool rms,
                         const float *x,
                         const float *gamma,
                         const float *beta,
                         float *y,
                         float *stats);
void XA_K(xa_layer_norm_back)(int64_t rows,
                              int64_t c,
                              bool rms,
                              const float *x,
                              const float *gamma,
                              const float *stats,
                              const float *dy,
                              float *dx);
void XA_K(xa_softmax)(int64_t rows, int64_t c, float scale, const float *x, float *y);
void XA_K(xa_softmax_back)(
    int64_t rows, int64_t c, float scale, const float *y, const float *dy, float *dx);
void XA_K(xa_transpose)(int64_t rows, int64_t c, const float *x, int64_t ldx, float *y);
void XA_K(xa_activate)(int64_t n, const xa_activation *act, const float *x, float *y);
void XA_K(xa_activate_back)(
    int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx);

#endif
