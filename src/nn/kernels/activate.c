/* Elementwise activations and their derivatives: one loop a kind, accuracy first (libm). */
#include "isa_build.h"
#include "isa_table.h"

#include <math.h>

#define SELU_SCALE 1.05070098735548049342f
#define SELU_ALPHA 1.67326324235437728481f
#define SQRT_HALF 0.70710678118654752440f
#define SQRT_2_PI 0.79788456080286535588f /* sqrt(2/pi) */
#define INV_SQRT_2PI 0.39894228040143267794f
#define GELU_CUBIC 0.044715f

/* 1/(1+exp(-x)) without overflow on either side. */
static inline float sigmoid(float x)
{
    if (x < 0.0f) {
        const float e = expf(x);
        return e / (1.0f + e);
    }
    return 1.0f / (1.0f + expf(-x));
}

static inline float softplus(float x)
{
    return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* The normal distribution function; erfc keeps the tail that 1 + erf would cancel. */
static inline float normal_cdf(float x)
{
    return 0.5f * erfcf(-x * SQRT_HALF);
}

static inline float clip01(float x)
{
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

/* (1 + tanh(z))/2 = sigmoid(2z), which keeps its tail. */
static inline float gelu_gate(float x)
{
    return sigmoid(2.0f * SQRT_2_PI * XA_FMA(GELU_CUBIC * x * x, x, x));
}

/* x times a gate that falls to 0 at -infinity: the product's limit is 0, not NaN. */
static inline float gated(float x, float gate)
{
    return x == -INFINITY ? 0.0f : x * gate;
}

#define EACH(expr)                    \
    for (int64_t i = 0; i < n; i++) { \
        const float v = x[i];         \
        y[i] = (expr);                \
    }                                 \
    break

void XA_K(xa_activate)(int64_t n, const xa_activation *act, const float *x, float *y)
{
    const float a = act->a, b = act->b, c = act->c;
    switch (act->kind) {
    case XA_ACT_RELU:
        EACH(v < c ? (a == 0.0f ? 0.0f : a * (v - c)) : v > b ? b : v);
    case XA_ACT_ELU:
        EACH(v > 0.0f ? v : a * expm1f(v));
    case XA_ACT_SELU:
        EACH(v > 0.0f ? SELU_SCALE * v : SELU_SCALE * SELU_ALPHA * expm1f(v));
    case XA_ACT_SIGMOID:
        EACH(sigmoid(v));
    case XA_ACT_TANH:
        EACH(tanhf(v));
    case XA_ACT_SWISH:
        EACH(gated(v, sigmoid(v)));
    case XA_ACT_GELU:
        EACH(gated(v, normal_cdf(v)));
    case XA_ACT_GELU_TANH:
        EACH(gated(v, gelu_gate(v)));
    case XA_ACT_SOFTPLUS:
        EACH(softplus(v));
    case XA_ACT_SOFTSIGN:
        EACH(isinf(v) ? copysignf(1.0f, v) : v / (1.0f + fabsf(v)));
    case XA_ACT_EXP:
        EACH(expf(v));
    case XA_ACT_HARD_SIGMOID:
        EACH(clip01(XA_FMA(a, v, b)));
    case XA_ACT_HARD_SWISH:
        EACH(gated(v, clip01(XA_FMA(1.0f / 6.0f, v, 0.5f))));
    case XA_ACT_MISH:
        EACH(gated(v, tanhf(softplus(v))));
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        if (y != x)
            memcpy(y, x, (size_t)n * sizeof(*y));
        break;
    }
}
#undef EACH

static inline float swish_slope(float x)
{
    const float s = sigmoid(x);
    return isinf(x) ? s : XA_FMA(x * s, 1.0f - s, s);
}

static inline float gelu_slope(float x)
{
    const float phi = INV_SQRT_2PI * expf(-0.5f * x * x);
    return isinf(x) ? normal_cdf(x) : XA_FMA(x, phi, normal_cdf(x));
}

/* g + x*g'(x) with g = sigmoid(2z(x)). */
static inline float gelu_tanh_slope(float x)
{
    const float g = gelu_gate(x), square = x * x;
    const float dz = 2.0f * SQRT_2_PI * XA_FMA(3.0f * GELU_CUBIC, square, 1.0f);
    const float tail = g * (1.0f - g);
    return tail == 0.0f ? g : XA_FMA(x * tail, dz, g);
}

static inline float hard_swish_slope(float x)
{
    const float gate = XA_FMA(1.0f / 6.0f, x, 0.5f);
    return gate <= 0.0f ? 0.0f : gate >= 1.0f ? 1.0f : XA_FMA(1.0f / 3.0f, x, 0.5f);
}

static inline float mish_slope(float x)
{
    const float t = tanhf(softplus(x));
    return isinf(x) ? t : XA_FMA(x * sigmoid(x), (1.0f - t) * (1.0f + t), t);
}

#define EACH(expr)                    \
    for (int64_t i = 0; i < n; i++) { \
        const float s = v[i];         \
        dx[i] = dy[i] * (expr);       \
    }                                 \
    break

void XA_K(xa_activate_back)(
    int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx)
{
    const float a = act->a, b = act->b, c = act->c;
    switch (act->kind) {
    case XA_ACT_RELU: /* from x */
        EACH(s > c ? (isinf(b) || s < b ? 1.0f : 0.0f) : s <= c ? a : s);
    case XA_ACT_ELU: /* from x */
        EACH(s > 0.0f ? 1.0f : a * expf(s));
    case XA_ACT_SELU: /* from x */
        EACH(s > 0.0f ? SELU_SCALE : SELU_SCALE * SELU_ALPHA * expf(s));
    case XA_ACT_SIGMOID: /* from y */
        EACH(s * (1.0f - s));
    case XA_ACT_TANH: /* from y */
        EACH((1.0f - s) * (1.0f + s));
    case XA_ACT_SWISH: /* from x */
        EACH(swish_slope(s));
    case XA_ACT_GELU: /* from x */
        EACH(gelu_slope(s));
    case XA_ACT_GELU_TANH: /* from x */
        EACH(gelu_tanh_slope(s));
    case XA_ACT_SOFTPLUS: /* from y: sigmoid(x) = 1 - exp(-y) */
        EACH(-expm1f(-s));
    case XA_ACT_SOFTSIGN: /* from x */
        EACH(1.0f / ((1.0f + fabsf(s)) * (1.0f + fabsf(s))));
    case XA_ACT_EXP: /* from y */
        EACH(s);
    case XA_ACT_HARD_SIGMOID: /* from y */
        EACH(s > 0.0f && s < 1.0f ? a : s != s ? s : 0.0f);
    case XA_ACT_HARD_SWISH: /* from x */
        EACH(hard_swish_slope(s));
    case XA_ACT_MISH: /* from x */
        EACH(mish_slope(s));
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        if (dx != dy)
            memcpy(dx, dy, (size_t)n * sizeof(*dx));
        break;
    }
}
#undef EACH
