/* exp, the logistic function, tanh, expm1 and the normal distribution on eight floats, to a few
 * units in the last place. NaN stays NaN, infinities give the limits, denormal results are kept.
 * A lane's result depends on that lane alone. */
#ifndef XAUDIT_NN_ISA_MATH_H
#define XAUDIT_NN_ISA_MATH_H

#include "isa_build.h"

#include <math.h>

XA_INLINE v8 v8_abs(v8 x)
{
    return (v8)((v8i)x & v8i_set(0x7fffffff));
}
/* |x| with the sign of s. */
XA_INLINE v8 v8_copysign(v8 x, v8 s)
{
    return (v8)(((v8i)x & v8i_set(0x7fffffff)) | ((v8i)s & v8i_set((int32_t)0x80000000)));
}
/* Clamps; NaN falls through. */
XA_INLINE v8 v8_clamp(v8 x, float low, float high)
{
    x = v8_select(v8_lt(x, v8_set(low)), v8_set(low), x);
    return v8_select(v8_gt(x, v8_set(high)), v8_set(high), x);
}

/* Range reduction x = n*ln2 + r, |r| <= ln2/2; n as float and as integer. */
typedef struct v8_reduced {
    v8 r;
    v8i n;
} v8_reduced;
XA_INLINE v8_reduced v8_reduce(v8 x)
{
    const v8 magic = v8_set(12582912.0f); /* 1.5*2^23: adding it rounds to an integer */
    const v8 t = v8_fma(x, v8_set(1.44269504088896341f), magic), n = t - magic;
    v8 r = v8_fma(n, v8_set(-0.693359375f), x); /* ln2 in two parts, the first with few bits */
    r = v8_fma(n, v8_set(2.12194440e-4f), r);
    return (v8_reduced){r, (v8i)t - (v8i)magic};
}
/* exp(r) - 1 for |r| <= ln2/2 (Cephes). */
XA_INLINE v8 v8_expm1_core(v8 r)
{
    v8 p = v8_set(1.9875691500e-4f);
    p = v8_fma(p, r, v8_set(1.3981999507e-3f));
    p = v8_fma(p, r, v8_set(8.3334519073e-3f));
    p = v8_fma(p, r, v8_set(4.1665795894e-2f));
    p = v8_fma(p, r, v8_set(1.6666665459e-1f));
    p = v8_fma(p, r, v8_set(5.0000001201e-1f));
    return v8_fma(p * r, r, r);
}
/* 2^n for -126 <= n <= 127. */
XA_INLINE v8 v8_exp2i(v8i n)
{
    return (v8)((n + v8i_set(127)) << 23);
}

/* exp(x + low), low so small that its own exponential is 1 + low. */
XA_INLINE v8 v8_exp_sum(v8 x, v8 low)
{
    const v8_reduced e = v8_reduce(v8_clamp(x, -104.0f, 89.0f));
    const v8i half = e.n >> 1; /* in two steps: 2^n itself may be out of range */
    return (v8_set(1.0f) + v8_expm1_core(e.r + low)) * v8_exp2i(half) * v8_exp2i(e.n - half);
}
XA_INLINE v8 v8_exp(v8 x)
{
    return v8_exp_sum(x, v8_set(0.0f));
}

/* exp(x) - 1 for x <= 0. */
XA_INLINE v8 v8_expm1_negative(v8 x)
{
    const v8_reduced e = v8_reduce(v8_clamp(x, -30.0f, 0.0f));
    const v8 scale = v8_exp2i(e.n);
    return v8_fma(v8_expm1_core(e.r), scale, scale - v8_set(1.0f));
}

/* 1/(1 + exp(-x)) and one minus it, neither by cancellation. */
typedef struct v8_logistic {
    v8 below, above;
} v8_logistic;
XA_INLINE v8_logistic v8_logistic_at(v8 x)
{
    const v8 e = v8_exp(-v8_abs(x)), one = v8_set(1.0f), big = one / (one + e), small = e * big;
    const v8i negative = v8_lt(x, v8_set(0.0f));
    return (v8_logistic){v8_select(negative, small, big), v8_select(negative, big, small)};
}
XA_INLINE v8 v8_sigmoid(v8 x)
{
    return v8_logistic_at(x).below;
}

/* Below 0.625 by a polynomial (Cephes), above from exp(2|x|). */
XA_INLINE v8 v8_tanh(v8 x)
{
    const v8 a = v8_abs(x), s = x * x, one = v8_set(1.0f);
    v8 p = v8_set(-5.70498872745e-3f);
    p = v8_fma(p, s, v8_set(2.06390887954e-2f));
    p = v8_fma(p, s, v8_set(-5.37397155531e-2f));
    p = v8_fma(p, s, v8_set(1.33314422036e-1f));
    p = v8_fma(p, s, v8_set(-3.33332819422e-1f));
    const v8 small = v8_fma(p * s, x, x);
    const v8 large = one - v8_set(2.0f) / (v8_exp(a + a) + one);
    return v8_select(v8_lt(a, v8_set(0.625f)), small, v8_copysign(large, x));
}

/* Normal distribution at x: density*sqrt(2*pi) and distribution function. The tail is
 * exp(-x^2/2) times t*P(t), t = 1/(1 + 0.3|x|/sqrt(2)), P fitted to erfcx(|x|/sqrt(2))/(2t) by
 * weighted least squares with a relative error of 2e-8; so both tails are relatively exact. */
typedef struct v8_normal {
    v8 density, below;
} v8_normal;
XA_INLINE v8_normal v8_normal_at(v8 x)
{
    static const float fit[] = {0.16248996555805206f,
                                0.276523619890213f,
                                0.39756304025650024f,
                                0.4748668968677521f,
                                0.4556419253349304f,
                                0.326715886592865f,
                                0.1402595043182373f,
                                -0.016244681552052498f,
                                -0.06477705389261246f};
    const v8 a = v8_clamp(v8_abs(x), 0.0f, 15.0f), one = v8_set(1.0f);
    /* a*a in two parts: the upper half's square is exact */
    const v8 high = (v8)((v8i)a & v8i_set((int32_t)0xfffff000));
    const v8 e = v8_exp_sum(v8_set(-0.5f) * high * high, v8_set(-0.5f) * (a - high) * (a + high));
    const v8 t = one / v8_fma(a, v8_set(0.3f * 0.70710678118654752440f), one);
    const v8 u = t - v8_set(0.5f);
    v8 p = v8_set(fit[8]);
    for (int i = 7; i >= 0; i--)
        p = v8_fma(p, u, v8_set(fit[i]));
    const v8 tail = e * (p * t);
    return (v8_normal){e, v8_select(v8_lt(x, v8_set(0.0f)), tail, one - tail)};
}

#endif
