/* Which instruction set: from the processor's feature bits, never from timing. */
#include <stddef.h>

#include "kernels.h"

/* Bump when any result of the engine moves. */
const int xa_numerics_version = 3;

extern const xa_kernels xa_kernels_table_base;
#ifdef XA_HAVE_AVX2
extern const xa_kernels xa_kernels_table_avx2;
#endif

static const char *const isa_names[XA_ISA_COUNT] = {
    [XA_ISA_AUTO] = "auto", [XA_ISA_BASE] = "base", [XA_ISA_AVX2] = "avx2"};

const char *xa_isa_name(xa_isa isa)
{
    return isa >= 0 && isa < XA_ISA_COUNT ? isa_names[isa] : "?";
}

bool xa_isa_supported(xa_isa isa)
{
#ifdef XA_HAVE_AVX2
    if (isa == XA_ISA_AVX2) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return isa == XA_ISA_BASE;
}

xa_isa xa_isa_detect(void)
{
    return xa_isa_supported(XA_ISA_AVX2) ? XA_ISA_AVX2 : XA_ISA_BASE;
}

const xa_kernels *xa_kernels_get(xa_isa isa)
{
    switch (isa) {
    case XA_ISA_BASE:
        return &xa_kernels_table_base;
#ifdef XA_HAVE_AVX2
    case XA_ISA_AVX2:
        return &xa_kernels_table_avx2;
#endif
    default:
        return NULL;
    }
}
