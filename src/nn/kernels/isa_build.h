/* What the files compiled once per instruction set (ISA) share: the name suffix and eight-lane
 * vectors that become AVX registers, pairs of SSE registers or plain loops, whatever the compiler
 * is told to use; and wide vectors of XA_LANES lanes for the products, which are worth the widest
 * registers there are.
 *
 * XA_ISA_SUFFIX (_base, _avx2, _avx512) comes from the build. XA_LANES may too: the tests compile
 * the sixteen-lane products for AVX2, so that they are executed where no AVX-512 is.
 */
#ifndef XAUDIT_NN_ISA_BUILD_H
#define XAUDIT_NN_ISA_BUILD_H

#include "kernels.h"

#include <string.h>

#ifndef XA_ISA_SUFFIX
#error "XA_ISA_SUFFIX is not defined: this file belongs to XA_KERNEL_FILES"
#endif
#define XA_CAT_(a, b) a##b
#define XA_CAT(a, b) XA_CAT_(a, b)
#define XA_K(name) XA_CAT(name, XA_ISA_SUFFIX)

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define XA_FUSED 1
#define XA_FMA(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define XA_FMA(a, b, c) ((a) * (b) + (c))
#endif

#define XA_INLINE static inline __attribute__((always_inline))

/* Eight floats. */
typedef float v8 __attribute__((vector_size(32)));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef uint8_t v8b __attribute__((vector_size(8)));

XA_INLINE v8 v8_load(const float *p)
{
    v8 v;
    memcpy(&v, p, sizeof(v));
    return v;
}
XA_INLINE void v8_store(float *p, v8 v)
{
    memcpy(p, &v, sizeof(v));
}
XA_INLINE v8 v8_set(float x)
{
    return (v8){x, x, x, x, x, x, x, x};
}
XA_INLINE v8i v8i_set(int32_t x)
{
    return (v8i){x, x, x, x, x, x, x, x};
}
XA_INLINE v8 v8_fma(v8 a, v8 b, v8 c)
{
#if defined(__FMA__) && defined(__AVX__)
    return __builtin_ia32_vfmaddps256(a, b, c);
#else
    v8 r;
    for (int i = 0; i < 8; i++)
        r[i] = XA_FMA(a[i], b[i], c[i]);
    return r;
#endif
}

/* XA_LANES floats: 8 or 16. */
#ifndef XA_LANES
#ifdef __AVX512F__
#define XA_LANES 16
#else
#define XA_LANES 8
#endif
#endif
typedef float vw __attribute__((vector_size(4 * XA_LANES)));
typedef uint32_t vwu __attribute__((vector_size(4 * XA_LANES)));

XA_INLINE vw vw_load(const float *p)
{
    vw v;
    memcpy(&v, p, sizeof(v));
    return v;
}
XA_INLINE void vw_store(float *p, vw v)
{
    memcpy(p, &v, sizeof(v));
}
XA_INLINE vw vw_set(float x)
{
    return x - (vw){0};
}
XA_INLINE vw vw_fma(vw a, vw b, vw c)
{
#if XA_LANES == 8
    return v8_fma(a, b, c);
#elif defined(__AVX512F__)
    return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
#else
    vw r;
    for (int i = 0; i < XA_LANES; i += 8) {
        v8 x, y, z;
        memcpy(&x, (const char *)&a + (size_t)4 * i, sizeof x);
        memcpy(&y, (const char *)&b + (size_t)4 * i, sizeof y);
        memcpy(&z, (const char *)&c + (size_t)4 * i, sizeof z);
        z = v8_fma(x, y, z);
        memcpy((char *)&r + (size_t)4 * i, &z, sizeof z);
    }
    return r;
#endif
}
/* a where the lane of `mask` is all ones, b where it is zero. */
XA_INLINE v8 v8_select(v8i mask, v8 a, v8 b)
{
#if defined(__AVX__)
    return __builtin_ia32_blendvps256(b, a, (v8)mask);
#else
    return (v8)((mask & (v8i)a) | (~mask & (v8i)b));
#endif
}
XA_INLINE v8i v8i_select(v8i mask, v8i a, v8i b)
{
    return (v8i)v8_select(mask, (v8)a, (v8)b);
}
/* Comparisons: all bits of a lane set where it holds. With 32-byte registers the
 * instruction is named: compilers for sets with mask registers would otherwise convert between
 * masks and vectors. Without them the compiler would compare lane by lane, so vectors are cut into
 * halves. */
#if defined(__AVX__)
#define XA_COMPARE(name, op, code)                         \
    XA_INLINE v8i name(v8 a, v8 b)                         \
    {                                                      \
        return (v8i)__builtin_ia32_cmpps256(a, b, (code)); \
    }
#else
typedef float v4 __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));
#define XA_LOW(x) __builtin_shufflevector((x), (x), 0, 1, 2, 3)
#define XA_HIGH(x) __builtin_shufflevector((x), (x), 4, 5, 6, 7)
#define XA_COMPARE(name, op, code)                                               \
    XA_INLINE v8i name(v8 a, v8 b)                                               \
    {                                                                            \
        const v4i low = XA_LOW(a) op XA_LOW(b), high = XA_HIGH(a) op XA_HIGH(b); \
        return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);       \
    }
#endif
XA_COMPARE(v8_gt, >, 30)
XA_COMPARE(v8_ge, >=, 29)
XA_COMPARE(v8_lt, <, 17)
XA_COMPARE(v8_eq, ==, 0)
XA_COMPARE(v8_ne, !=, 4)
XA_INLINE v8i v8i_eq(v8i a, v8i b)
{
#if defined(__AVX2__)
    return a == b;
#else
    const v4i low = XA_LOW(a) == XA_LOW(b), high = XA_HIGH(a) == XA_HIGH(b);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}

/* Bit i of the byte is lane i of a comparison's result. */
XA_INLINE unsigned v8_bits(v8i mask)
{
#if defined(__AVX__)
    return (unsigned)__builtin_ia32_movmskps256((v8)mask);
#elif defined(__SSE__)
    return (unsigned)__builtin_ia32_movmskps((v4)XA_LOW(mask)) |
           (unsigned)__builtin_ia32_movmskps((v4)XA_HIGH(mask)) << 4;
#else
    unsigned r = 0;
    for (int i = 0; i < 8; i++)
        r |= (unsigned)(mask[i] & 1) << i;
    return r;
#endif
}
/* The comparison's result that v8_bits() made the byte of. */
XA_INLINE v8i v8_unbits(unsigned bits)
{
    const v8i lane = {1, 2, 4, 8, 16, 32, 64, 128};
    return v8i_eq(v8i_set((int32_t)bits) & lane, lane);
}
/* Eight bytes as eight integers. */
XA_INLINE v8i v8i_load_bytes(const uint8_t *p)
{
    v8b b;
    memcpy(&b, p, sizeof(b));
    return __builtin_convertvector(b, v8i);
}
XA_INLINE void v8i_store_bytes(uint8_t *p, v8i v)
{
    const v8b b = __builtin_convertvector(v, v8b);
    memcpy(p, &b, sizeof(b));
}
/* Sum of the lanes in one fixed order. */
XA_INLINE float v8_sum(v8 v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#endif
