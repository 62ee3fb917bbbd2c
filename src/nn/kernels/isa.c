/* Which instruction set: from the processor's feature bits, never from timing. */
#include <stddef.h>
#include <string.h>

#include "kernels.h"

/* Bump when any result of the engine moves. */
const int xa_numerics_version = 4;

extern const xa_kernels xa_kernels_table_base;
#ifdef XA_HAVE_AVX2
extern const xa_kernels xa_kernels_table_avx2, xa_kernels_table_avx512, xa_kernels_table_avx512bf16;
#endif

static const char *const isa_names[XA_ISA_COUNT] = {[XA_ISA_AUTO] = "auto",
                                                    [XA_ISA_BASE] = "base",
                                                    [XA_ISA_AVX2] = "avx2",
                                                    [XA_ISA_AVX512] = "avx512",
                                                    [XA_ISA_AVX512_BF16] = "avx512bf16"};

const char *xa_isa_name(xa_isa isa)
{
    return isa >= 0 && isa < XA_ISA_COUNT ? isa_names[isa] : "?";
}

xa_isa xa_isa_named(const char *name)
{
    int isa = 0;
    while (isa < XA_ISA_COUNT && strcmp(isa_names[isa], name) != 0)
        isa++;
    return (xa_isa)isa;
}

bool xa_isa_supported(xa_isa isa)
{
#ifdef XA_HAVE_AVX2
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == XA_ISA_AVX2)
        return avx2;
    if (isa == XA_ISA_AVX512 || isa == XA_ISA_AVX512_BF16)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               (isa == XA_ISA_AVX512 || __builtin_cpu_supports("avx512bf16"));
#endif
    return isa == XA_ISA_BASE;
}

bool xa_isa_fused(xa_isa isa)
{
    const xa_kernels *k = xa_kernels_get(isa == XA_ISA_AUTO ? xa_isa_detect() : isa);
    return k && k->fused;
}

/* On Intel's processors vdpbf16ps is slower than two fused multiply-adds (tests/bench/bench_bf16
 * compares them), and the AVX-512 kernel gives the same bytes. */
static bool has_fast_bf16(void)
{
#ifdef XA_HAVE_AVX2
    return xa_isa_supported(XA_ISA_AVX512_BF16) && __builtin_cpu_is("amd");
#else
    return false;
#endif
}

xa_isa xa_isa_detect(void)
{
    return has_fast_bf16()                   ? XA_ISA_AVX512_BF16
           : xa_isa_supported(XA_ISA_AVX512) ? XA_ISA_AVX512
           : xa_isa_supported(XA_ISA_AVX2)   ? XA_ISA_AVX2
                                             : XA_ISA_BASE;
}

const xa_kernels *xa_kernels_get(xa_isa isa)
{
    switch (isa) {
    case XA_ISA_BASE:
        return &xa_kernels_table_base;
#ifdef XA_HAVE_AVX2
    case XA_ISA_AVX2:
        return &xa_kernels_table_avx2;
    case XA_ISA_AVX512:
        return &xa_kernels_table_avx512;
    case XA_ISA_AVX512_BF16:
        return &xa_kernels_table_avx512bf16;
#endif
    default:
        return NULL;
    }
}
