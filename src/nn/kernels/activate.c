/* Elementwise activations and their derivatives, eight at a time, each value by itself: the last
 * ones of a call go through the same code in a padded vector. */
#include "isa_math.h"
#include "isa_table.h"

#define SELU_SCALE 1.05070098735548049342f
#define SELU_ALPHA 1.67326324235437728481f
#define SQRT_2_PI 0.79788456080286535588f /* sqrt(2/pi) */
#define INV_SQRT_2PI 0.39894228040143267794f
#define GELU_CUBIC 0.044715f

static inline float softplus(float x)
{
    return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

XA_INLINE v8 v8_softplus(v8 x)
{
    v8 y;
    for (int i = 0; i < 8; i++)
        y[i] = softplus(x[i]);
    return y;
}

/* x times a gate that falls to 0 at -infinity: the product's limit is 0, not NaN. */
XA_INLINE v8 gated(v8 x, v8 gate)
{
    return v8_select(v8_eq(x, v8_set(-INFINITY)), v8_set(0.0f), x * gate);
}

/* (1 + tanh(z))/2 = sigmoid(2z), which keeps its tail. */
XA_INLINE v8_logistic gelu_gate(v8 x)
{
    return v8_logistic_at(v8_set(2.0f * SQRT_2_PI) * v8_fma(v8_set(GELU_CUBIC) * x * x, x, x));
}

/* tanh(softplus(x)) = w/(w + 2) with w = e(e + 2), e = exp(x). */
typedef struct mish_parts {
    v8 e, w;
} mish_parts;
XA_INLINE mish_parts mish_of(v8 x)
{
    const v8 e = v8_exp(v8_clamp(x, -110.0f, 20.0f));
    return (mish_parts){e, e * (e + v8_set(2.0f))};
}

XA_INLINE v8 forward_1(const xa_activation_kind kind, const xa_activation *act, v8 x)
{
    const v8 a = v8_set(act->a), b = v8_set(act->b), c = v8_set(act->c);
    const v8 zero = v8_set(0.0f), one = v8_set(1.0f), two = v8_set(2.0f);
    switch (kind) {
    case XA_ACT_RELU: /* 0 * -infinity must not become NaN */
        return v8_select(
            v8_lt(x, c), act->a == 0.0f ? zero : a * (x - c), v8_select(v8_gt(x, b), b, x));
    case XA_ACT_ELU:
        return v8_select(v8_gt(x, zero), x, a * v8_expm1_negative(x));
    case XA_ACT_SELU:
        return v8_set(SELU_SCALE) *
               v8_select(v8_gt(x, zero), x, v8_set(SELU_ALPHA) * v8_expm1_negative(x));
    case XA_ACT_SIGMOID:
        return v8_sigmoid(x);
    case XA_ACT_TANH:
        return v8_tanh(x);
    case XA_ACT_SWISH:
        return gated(x, v8_sigmoid(a * x));
    case XA_ACT_GELU:
        return gated(x, v8_normal_at(x).below);
    case XA_ACT_GELU_TANH:
        return gated(x, gelu_gate(x).below);
    case XA_ACT_SOFTPLUS:
        return v8_softplus(x);
    case XA_ACT_SOFTSIGN:
        return v8_select(
            v8_eq(v8_abs(x), v8_set(INFINITY)), v8_copysign(one, x), x / (one + v8_abs(x)));
    case XA_ACT_EXP:
        return v8_exp(x);
    case XA_ACT_HARD_SIGMOID:
        return v8_clamp(v8_fma(a, x, b), 0.0f, 1.0f);
    case XA_ACT_HARD_SWISH:
        return gated(x, v8_clamp(v8_fma(v8_set(1.0f / 6.0f), x, v8_set(0.5f)), 0.0f, 1.0f));
    case XA_ACT_MISH: {
        const mish_parts m = mish_of(x);
        return gated(x, m.w / (m.w + two));
    }
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        break;
    }
    return x;
}

/* The derivative from x, or from y for those kinds that keep their output. */
XA_INLINE v8 slope_1(const xa_activation_kind kind, const xa_activation *act, v8 v)
{
    const v8 a = v8_set(act->a), b = v8_set(act->b), c = v8_set(act->c);
    const v8 zero = v8_set(0.0f), one = v8_set(1.0f), half = v8_set(0.5f), two = v8_set(2.0f);
    switch (kind) {
    case XA_ACT_RELU: {
        const v8i below_max = isinf(act->b) ? v8i_set(-1) : v8_lt(v, b);
        const v8 above = (v8)(below_max & (v8i)one);
        return v8_select(v8_gt(v, c), above, v8_select(v8_ne(v, v), v, a));
    }
    case XA_ACT_ELU:
        return v8_select(v8_gt(v, zero), one, a * v8_exp(v));
    case XA_ACT_SELU:
        return v8_set(SELU_SCALE) * v8_select(v8_gt(v, zero), one, v8_set(SELU_ALPHA) * v8_exp(v));
    case XA_ACT_SIGMOID: /* y */
        return v * (one - v);
    case XA_ACT_TANH: /* y */
        return (one - v) * (one + v);
    case XA_ACT_SWISH: {
        const v8 x = v8_clamp(a * v, -110.0f, 110.0f);
        const v8_logistic s = v8_logistic_at(x);
        return v8_fma(x * s.below, s.above, s.below);
    }
    case XA_ACT_GELU: {
        const v8 x = v8_clamp(v, -15.0f, 15.0f);
        const v8_normal n = v8_normal_at(x);
        return v8_fma(x * v8_set(INV_SQRT_2PI), n.density, n.below);
    }
    case XA_ACT_GELU_TANH: {
        const v8 x = v8_clamp(v, -15.0f, 15.0f);
        const v8_logistic g = gelu_gate(x);
        const v8 dz = v8_set(2.0f * SQRT_2_PI) * v8_fma(v8_set(3.0f * GELU_CUBIC) * x, x, one);
        return v8_fma(x * g.below * g.above, dz, g.below);
    }
    case XA_ACT_SOFTPLUS: /* y: sigmoid(x) = 1 - exp(-y) */
        return -v8_expm1_negative(-v);
    case XA_ACT_SOFTSIGN: {
        const v8 d = one + v8_abs(v);
        return one / (d * d);
    }
    case XA_ACT_EXP: /* y */
        return v;
    case XA_ACT_HARD_SIGMOID: /* y */
        return v8_select(v8_ne(v, v), v, (v8)(v8_gt(v, zero) & v8_lt(v, one) & (v8i)a));
    case XA_ACT_HARD_SWISH: {
        const v8 gate = v8_fma(v8_set(1.0f / 6.0f), v, half);
        const v8 s = v8_fma(v8_set(1.0f / 3.0f), v, half);
        return v8_select(v8_ge(gate, one), one, v8_select(v8_ge(zero, gate), zero, s));
    }
    case XA_ACT_MISH: {
        const v8 x = v8_clamp(v, -110.0f, 20.0f);
        const mish_parts m = mish_of(x);
        const v8 t = m.w / (m.w + two), s = m.e / (one + m.e);
        return v8_fma(x * s, two / (m.w + two) * (one + t), t);
    }
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        break;
    }
    return one;
}

/* A loop for each kind, so that the choice is made once. */
XA_INLINE void forward_n(
    const xa_activation_kind kind, int64_t n, const xa_activation *act, const float *x, float *y)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        v8_store(y + i, forward_1(kind, act, v8_load(x + i)));
    if (i < n) {
        float part[8] = {0};
        memcpy(part, x + i, (size_t)(n - i) * sizeof(*x));
        v8_store(part, forward_1(kind, act, v8_load(part)));
        memcpy(y + i, part, (size_t)(n - i) * sizeof(*y));
    }
}

XA_INLINE void backward_n(const xa_activation_kind kind,
                          int64_t n,
                          const xa_activation *act,
                          const float *v,
                          const float *dy,
                          float *dx)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        v8_store(dx + i, v8_load(dy + i) * slope_1(kind, act, v8_load(v + i)));
    if (i < n) {
        float part[8] = {0}, g[8] = {0};
        memcpy(part, v + i, (size_t)(n - i) * sizeof(*v));
        memcpy(g, dy + i, (size_t)(n - i) * sizeof(*dy));
        v8_store(part, v8_load(g) * slope_1(kind, act, v8_load(part)));
        memcpy(dx + i, part, (size_t)(n - i) * sizeof(*dx));
    }
}

void XA_K(xa_activate)(int64_t n, const xa_activation *act, const float *x, float *y)
{
    switch (act->kind) {
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        if (y != x)
            memcpy(y, x, (size_t)n * sizeof(*y));
        break;
#define X(name)                                 \
    case XA_ACT_##name:                         \
        forward_n(XA_ACT_##name, n, act, x, y); \
        break;
        X(RELU)
        X(ELU)
        X(SELU)
        X(SIGMOID)
        X(TANH)
        X(SWISH)
        X(GELU)
        X(GELU_TANH)
        X(SOFTPLUS)
        X(SOFTSIGN)
        X(EXP)
        X(HARD_SIGMOID)
        X(HARD_SWISH)
        X(MISH)
#undef X
    }
}

void XA_K(xa_activate_back)(
    int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx)
{
    switch (act->kind) {
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        if (dx != dy)
            memcpy(dx, dy, (size_t)n * sizeof(*dx));
        break;
#define X(name)                                       \
    case XA_ACT_##name:                               \
        backward_n(XA_ACT_##name, n, act, v, dy, dx); \
        break;
        X(RELU)
        X(ELU)
        X(SELU)
        X(SIGMOID)
        X(TANH)
        X(SWISH)
        X(GELU)
        X(GELU_TANH)
        X(SOFTPLUS)
        X(SOFTSIGN)
        X(EXP)
        X(HARD_SIGMOID)
        X(HARD_SWISH)
        X(MISH)
#undef X
    }
}
