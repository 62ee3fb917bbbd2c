/* One ISA's kernels as a table. */
#include "isa_table.h"

#define XA_ISA_OF_base XA_ISA_BASE
#define XA_ISA_OF_avx2 XA_ISA_AVX2
#define XA_ISA_OF_avx512 XA_ISA_AVX512
#define XA_ISA_OF_wide XA_ISA_AVX2 /* sixteen lanes on AVX2, for the tests */

const xa_kernels XA_K(xa_kernels_table) = {
    .isa = XA_CAT(XA_ISA_OF, XA_ISA_SUFFIX),
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    .fused = true,
#endif
    .gemm_rows = XA_K(xa_gemm_rows),
    .gemm_panels = XA_K(xa_gemm_panels),
    .gemm_panels_nt = XA_K(xa_gemm_panels_nt),
    .winograd_split = XA_K(xa_winograd_split),
    .winograd_split_back = XA_K(xa_winograd_split_back),
    .winograd_join = XA_K(xa_winograd_join),
    .winograd_join_back = XA_K(xa_winograd_join_back),
    .epilogue = XA_K(xa_epilogue),
    .mask = XA_K(xa_mask),
    .add = XA_K(xa_add),
    .affine = XA_K(xa_affine),
    .depthwise = XA_K(xa_depthwise),
    .depthwise_back = XA_K(xa_depthwise_back),
    .max_pool = XA_K(xa_max_pool),
    .max_pool_back = XA_K(xa_max_pool_back),
    .avg_pool = XA_K(xa_avg_pool),
    .avg_pool_back = XA_K(xa_avg_pool_back),
    .layer_norm = XA_K(xa_layer_norm),
    .layer_norm_back = XA_K(xa_layer_norm_back),
    .softmax = XA_K(xa_softmax),
    .softmax_back = XA_K(xa_softmax_back),
    .transpose = XA_K(xa_transpose),
    .activate = XA_K(xa_activate),
    .activate_back = XA_K(xa_activate_back),
};
