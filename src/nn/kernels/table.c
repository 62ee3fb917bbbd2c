/* One ISA's kernels as a table. */
#include "isa_table.h"

#define XA_ISA_OF_base XA_ISA_BASE
#define XA_ISA_OF_avx2 XA_ISA_AVX2
#define XA_ISA_OF_avx512 XA_ISA_AVX512
#define XA_ISA_OF_wide XA_ISA_AVX2 /* sixteen lanes on AVX2, for the tests */

#define XA_ISA_OF_avx512bf16 XA_ISA_AVX512_BF16

/* The set of avx512bf16 is that of AVX-512 but for its products in bfloat16. */
#ifdef XA_KERNELS_OF
#define XA_FLOAT_K(name) XA_CAT(name, XA_KERNELS_OF)
#define X(name) xa_kernel_##name XA_FLOAT_K(xa_##name);
XA_FLOAT_KERNEL_LIST(X)
#undef X
#else
#define XA_FLOAT_K(name) XA_K(name)
#endif

/* clang-format off */
const xa_kernels XA_K(xa_kernels_table) = {
    .isa = XA_CAT(XA_ISA_OF, XA_ISA_SUFFIX),
#ifdef XA_FUSED
    .fused = true,
#endif
#define X(name) .name = XA_FLOAT_K(xa_##name),
    XA_FLOAT_KERNEL_LIST(X)
#undef X
#ifdef XA_FUSED
#define X(name) .name = XA_K(xa_##name),
    XA_BF16_KERNEL_LIST(X)
#undef X
#endif
};
/* clang-format on */
