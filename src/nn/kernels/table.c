/* One ISA's kernels as a table. */
#include "isa_table.h"

#define XA_ISA_OF_base XA_ISA_BASE
#define XA_ISA_OF_avx2 XA_ISA_AVX2
#define XA_ISA_OF_avx512 XA_ISA_AVX512
#define XA_ISA_OF_wide XA_ISA_AVX2 /* sixteen lanes on AVX2, for the tests */

/* clang-format off */
const xa_kernels XA_K(xa_kernels_table) = {
    .isa = XA_CAT(XA_ISA_OF, XA_ISA_SUFFIX),
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    .fused = true,
#endif
#define X(name) .name = XA_K(xa_##name),
    XA_KERNEL_LIST(X)
#undef X
};
/* clang-format on */
