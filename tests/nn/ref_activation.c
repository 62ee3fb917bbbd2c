/* Reference twins: activations and their slopes; the table of all twins. */
#include "kernels_ref.h"

#include <math.h>

static double sigmoid(double x)
{
    return x < 0.0 ? exp(x) / (1.0 + exp(x)) : 1.0 / (1.0 + exp(-x));
}
static double softplus(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}
static double gelu_tanh_arg(double x)
{
    return 0.79788456080286535588 * (x + 0.044715 * x * x * x);
}

double xa_activate_ref(const xa_activation *act, double x)
{
    const double a = (double)act->a, b = (double)act->b, c = (double)act->c;
    const double scale = 1.05070098735548049342, alpha = 1.67326324235437728481;
    if (isnan(x))
        return x;
    if (x == -INFINITY &&
        (act->kind == XA_ACT_SWISH || act->kind == XA_ACT_GELU || act->kind == XA_ACT_GELU_TANH ||
         act->kind == XA_ACT_HARD_SWISH || act->kind == XA_ACT_MISH))
        return 0.0; /* the limit */
    switch (act->kind) {
    case XA_ACT_RELU:
        return x < c ? (a == 0.0 ? 0.0 : a * (x - c)) : fmin(x, b);
    case XA_ACT_ELU:
        return x > 0.0 ? x : a * expm1(x);
    case XA_ACT_SELU:
        return x > 0.0 ? scale * x : scale * alpha * expm1(x);
    case XA_ACT_SIGMOID:
        return sigmoid(x);
    case XA_ACT_TANH:
        return tanh(x);
    case XA_ACT_SWISH:
        return x * sigmoid(a * x);
    case XA_ACT_GELU:
        return 0.5 * x * erfc(-x * 0.70710678118654752440);
    case XA_ACT_GELU_TANH:
        return x * sigmoid(2.0 * gelu_tanh_arg(x)); /* (1 + tanh(z))/2 = sigmoid(2z) */
    case XA_ACT_SOFTPLUS:
        return softplus(x);
    case XA_ACT_SOFTSIGN:
        return isinf(x) ? copysign(1.0, x) : x / (1.0 + fabs(x));
    case XA_ACT_EXP:
        return exp(x);
    case XA_ACT_HARD_SIGMOID:
        return fmin(fmax(a * x + b, 0.0), 1.0);
    case XA_ACT_HARD_SWISH:
        return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case XA_ACT_MISH:
        return x * tanh(softplus(x));
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        break;
    }
    return x;
}

double xa_activate_slope_ref(const xa_activation *act, double x)
{
    const double a = (double)act->a, b = (double)act->b, c = (double)act->c;
    const double scale = 1.05070098735548049342, alpha = 1.67326324235437728481;
    const double s = sigmoid(x);
    switch (act->kind) {
    case XA_ACT_RELU:
        return x > c ? (isinf(b) || x < b ? 1.0 : 0.0) : a;
    case XA_ACT_ELU:
        return x > 0.0 ? 1.0 : a * exp(x);
    case XA_ACT_SELU:
        return x > 0.0 ? scale : scale * alpha * exp(x);
    case XA_ACT_SIGMOID:
        return s * sigmoid(-x);
    case XA_ACT_TANH:
        return 1.0 / (cosh(x) * cosh(x));
    case XA_ACT_SWISH:
        return sigmoid(a * x) + a * x * sigmoid(a * x) * sigmoid(-a * x);
    case XA_ACT_GELU:
        return 0.5 * erfc(-x * 0.70710678118654752440) +
               x * 0.39894228040143267794 * exp(-0.5 * x * x);
    case XA_ACT_GELU_TANH: {
        const double z = 2.0 * gelu_tanh_arg(x);
        const double dz = 2.0 * 0.79788456080286535588 * (1.0 + 3.0 * 0.044715 * x * x);
        return sigmoid(z) + x * sigmoid(z) * sigmoid(-z) * dz;
    }
    case XA_ACT_SOFTPLUS:
        return s;
    case XA_ACT_SOFTSIGN:
        return 1.0 / ((1.0 + fabs(x)) * (1.0 + fabs(x)));
    case XA_ACT_EXP:
        return exp(x);
    case XA_ACT_HARD_SIGMOID:
        return a * x + b > 0.0 && a * x + b < 1.0 ? a : 0.0;
    case XA_ACT_HARD_SWISH:
        return x <= -3.0 ? 0.0 : x >= 3.0 ? 1.0 : x / 3.0 + 0.5;
    case XA_ACT_MISH: {
        const double t = tanh(softplus(x));
        return t + x * s * (1.0 - t * t);
    }
    case XA_ACT_LINEAR:
    case XA_ACT_COUNT:
        break;
    }
    return 1.0;
}

void xa_ref_activate(int64_t n, const xa_activation *act, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)xa_activate_ref(act, (double)x[i]);
}

/* v is x for most kinds; those that keep y are turned back into x first. */
static double input_of(const xa_activation *act, double v)
{
    switch (act->kind) {
    case XA_ACT_SIGMOID:
        return log(v) - log1p(-v);
    case XA_ACT_TANH:
        return atanh(v);
    case XA_ACT_SOFTPLUS:
        return v + log1p(-exp(-v));
    case XA_ACT_EXP:
        return log(v);
    case XA_ACT_HARD_SIGMOID:
        return (v - (double)act->b) / (double)act->a;
    default:
        return v;
    }
}

void xa_ref_activate_back(
    int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx)
{
    for (int64_t i = 0; i < n; i++) {
        const double x = v ? input_of(act, (double)v[i]) : 0.0;
        dx[i] = (float)((double)dy[i] * xa_activate_slope_ref(act, x));
    }
}

/* clang-format off */
const xa_kernels xa_kernels_ref = {
    .isa = XA_ISA_BASE,
#define X(name) .name = xa_ref_##name,
    XA_KERNEL_LIST(X)
#undef X
};
/* clang-format on */
