#include "kernels_ref.h"

#include <math.h>
#include <string.h>

/* ---- products -------------------------------------------------------------------------------- */

static void gemm_rows(int64_t m,
                      int64_t n,
                      int64_t k,
                      const float *a,
                      int64_t lda,
                      const float *b,
                      int64_t ldb,
                      float *c,
                      int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0.0;
            for (int64_t p = 0; p < k; p++)
                s += (double)a[i * lda + p] * (double)b[p * ldb + j];
            c[i * ldc + j] = (float)s;
        }
}

static float panel_value(int64_t k, const float *panels, int64_t i, int64_t j)
{
    return panels[j / XA_PANEL * XA_PANEL * k + i * XA_PANEL + j % XA_PANEL];
}

/* ---- Winograd's transforms ---- */

/* B^T [m+2][m+2] and A^T [m][m+2] by Cook and Toom: at point a, (x - a) divides the product of all
 * (x - point), and A^T holds the powers of a; infinity is last. */
static void matrices(int m, double bt[6][6], double at[4][6])
{
    static const double root[5] = {0,
                                   0.70710678118654752440,
                                   -0.70710678118654752440,
                                   1.41421356237309504880,
                                   -1.41421356237309504880};
    static const double two_b[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
    static const double two_a[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
    if (m == 2) {
        for (int i = 0; i < 16; i++)
            bt[i / 4][i % 4] = two_b[i / 4][i % 4];
        for (int i = 0; i < 8; i++)
            at[i / 4][i % 4] = two_a[i / 4][i % 4];
        return;
    }
    for (int i = 0; i < 6; i++) {
        double poly[6] = {1, 0, 0, 0, 0, 0}; /* ascending powers */
        int degree = 0;
        for (int r = 0; r < 5; r++) {
            if (r == i)
                continue;
            degree++;
            for (int d = degree; d > 0; d--)
                poly[d] = poly[d - 1] - root[r] * poly[d];
            poly[0] *= -root[r];
        }
        for (int d = 0; d < 6; d++)
            bt[i][d] = poly[d];
        double power = 1.0;
        for (int d = 0; d < 4; d++) {
            at[d][i] = i < 5 ? power : d == 3;
            power *= i < 5 ? root[i] : 0.0;
        }
    }
}

static void
winograd_split(int m, int64_t c, const float *const *pixels, float *points, int64_t apart)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < c; j++)
        for (int i = 0; i < p * p; i++) {
            double sum = 0.0;
            for (int k = 0; k < p * p; k++)
                sum += bt[i / p][k / p] * bt[i % p][k % p] * (double)pixels[k][j];
            points[i * apart + j] = (float)sum;
        }
}

static void
winograd_split_back(int m, int64_t c, const float *points, int64_t apart, float *const *pixels)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < c; j++)
        for (int k = 0; k < p * p; k++) {
            double sum = 0.0;
            for (int i = 0; i < p * p; i++)
                sum += bt[i / p][k / p] * bt[i % p][k % p] * (double)points[i * apart + j];
            if (pixels[k])
                pixels[k][j] = (float)((double)pixels[k][j] + sum);
        }
}

static void
winograd_join(int m, int64_t f, const float *points, int64_t apart, float *const *pixels)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < f; j++)
        for (int i = 0; i < m * m; i++) {
            double sum = 0.0;
            for (int k = 0; k < p * p; k++)
                sum += at[i / m][k / p] * at[i % m][k % p] * (double)points[k * apart + j];
            if (pixels[i])
                pixels[i][j] = (float)sum;
        }
}

static void
winograd_join_back(int m, int64_t f, const float *const *pixels, float *points, int64_t apart)
{
    double bt[6][6], at[4][6];
    const int p = m + 2;
    matrices(m, bt, at);
    for (int64_t j = 0; j < f; j++)
        for (int k = 0; k < p * p; k++) {
            double sum = 0.0;
            for (int i = 0; i < m * m; i++)
                sum += at[i / m][k / p] * at[i % m][k % p] * (double)pixels[i][j];
            points[k * apart + j] = (float)sum;
        }
}

/* ---- epilogue -------------------------------------------------------------------------------- */

static bool passes(const xa_activation *act, float x)
{
    return !act || act->kind != XA_ACT_RELU || (x > act->c && (isinf(act->b) || x < act->b));
}

static void epilogue(int64_t rows,
                     int64_t c,
                     float *y,
                     int64_t ld,
                     const float *bias,
                     const float *residual,
                     const xa_activation *act,
                     uint8_t *bits)
{
    if (bits)
        memset(bits, 0, xa_bits_bytes(rows, c));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++) {
            float v = y[r * ld + j];
            if (bias)
                v += bias[j];
            if (residual)
                v += residual[r * ld + j];
            if (bits && passes(act, v))
                bits[(size_t)r * xa_bits_row(c) + (size_t)j / 8] |= (uint8_t)(1 << j % 8);
            y[r * ld + j] =
                act && act->kind == XA_ACT_RELU ? (float)xa_activate_ref(act, (double)v) : v;
        }
}

static void
mask(int64_t rows, int64_t c, const float *dy, const uint8_t *bits, float slope, float *out)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++) {
            const bool on = bits[(size_t)r * xa_bits_row(c) + (size_t)j / 8] >> j % 8 & 1;
            const float g = dy[r * c + j];
            out[r * c + j] = on ? g : slope == 0.0f ? 0.0f : slope * g;
        }
}

static void add(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

static void
affine(int64_t rows, int64_t c, const float *x, const float *scale, const float *shift, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < c; j++)
            y[r * c + j] =
                (float)((double)x[r * c + j] * (double)scale[j] + (shift ? (double)shift[j] : 0.0));
}

/* ---- products with what follows ---- */

static void gemm_panels(int64_t m,
                        int64_t n,
                        const xa_pieces *a,
                        const float *panels,
                        float *c,
                        int64_t ldc,
                        const xa_finish *finish)
{
    const int64_t k = a->count * a->length;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t q = 0; q < k; q++)
                sum += (double)a->at[q / a->length * a->stride + i][q % a->length] *
                       (double)panel_value(k, panels, q, j);
            c[i * ldc + j] = (float)sum;
        }
    if (finish)
        epilogue(m, n, c, ldc, finish->bias, finish->residual, finish->act, finish->bits);
}

static void gemm_panels_nt(int64_t m,
                           int64_t k,
                           const xa_pieces *a,
                           const float *panels,
                           const int64_t *first,
                           int64_t width,
                           float *c,
                           int64_t ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < width; j++) {
            double sum = 0.0;
            for (int64_t p = 0; p < a->count; p++)
                for (int64_t q = 0; q < a->length; q++)
                    sum += (double)a->at[p * a->stride + i][q] *
                           (double)panel_value(k, panels, first[p] + j, q);
            c[i * ldc + j] = (float)sum;
        }
}

/* ---- depthwise ------------------------------------------------------------------------------- */

static void depthwise(
    const xa_dw_shape *s, const float *x, const float *w, int64_t row0, int64_t row1, float *y)
{
    const int64_t cm = s->c * s->m;
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t o = 0; o < cm; o++) {
                double sum = 0.0;
                for (int64_t ky = 0; ky < s->kh; ky++)
                    for (int64_t kx = 0; kx < s->kw; kx++) {
                        const int64_t iy = oy * s->sh + ky * s->dh - s->pad_top;
                        const int64_t ix = ox * s->sw + kx * s->dw - s->pad_left;
                        if (iy >= 0 && iy < s->h && ix >= 0 && ix < s->w)
                            sum += (double)x[(iy * s->w + ix) * s->c + o / s->m] *
                                   (double)w[(ky * s->kw + kx) * cm + o];
                    }
                y[((oy - row0) * s->ow + ox) * cm + o] = (float)sum;
            }
}

static void depthwise_back(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t row0, int64_t row1, float *dx)
{
    const int64_t cm = s->c * s->m;
    for (int64_t iy = row0; iy < row1; iy++)
        for (int64_t ix = 0; ix < s->w; ix++)
            for (int64_t c = 0; c < s->c; c++) {
                double sum = 0.0;
                for (int64_t oy = 0; oy < s->oh; oy++)
                    for (int64_t ox = 0; ox < s->ow; ox++) {
                        const int64_t ty = iy + s->pad_top - oy * s->sh;
                        const int64_t tx = ix + s->pad_left - ox * s->sw;
                        if (ty < 0 || tx < 0 || ty % s->dh || tx % s->dw || ty / s->dh >= s->kh ||
                            tx / s->dw >= s->kw)
                            continue;
                        const int64_t tap = ty / s->dh * s->kw + tx / s->dw;
                        for (int64_t o = c * s->m; o < (c + 1) * s->m; o++)
                            sum += (double)dy[(oy * s->ow + ox) * cm + o] * (double)w[tap * cm + o];
                    }
                dx[((iy - row0) * s->w + ix) * s->c + c] = (float)sum;
            }
}

/* ---- pooling --------------------------------------------------------------------------------- */

static int64_t place_at(const xa_pool_shape *s, const void *argmax, int64_t i)
{
    return s->kh * s->kw <= XA_POOL_BYTE_WINDOW ? ((const uint8_t *)argmax)[i]
                                                : ((const uint32_t *)argmax)[i];
}

/* Index into x of a tap of output (oy,ox), or -1 outside. */
static int64_t
pool_at(const xa_pool_shape *s, int64_t oy, int64_t ox, int64_t ky, int64_t kx, int64_t c)
{
    const int64_t iy = oy * s->sh + ky - s->pad_top, ix = ox * s->sw + kx - s->pad_left;
    return iy < 0 || iy >= s->h || ix < 0 || ix >= s->w ? -1 : (iy * s->w + ix) * s->c + c;
}

static void
max_pool(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax)
{
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t c = 0; c < s->c; c++) {
                float best = 0.0f;
                int64_t place = -1;
                for (int64_t t = 0; t < s->kh * s->kw; t++) {
                    const int64_t at = pool_at(s, oy, ox, t / s->kw, t % s->kw, c);
                    if (at < 0)
                        continue;
                    if (place < 0 || x[at] > best || (isnan(x[at]) && !isnan(best))) {
                        best = x[at];
                        place = t;
                    }
                }
                const int64_t o = ((oy - row0) * s->ow + ox) * s->c + c;
                y[o] = best;
                if (argmax && s->kh * s->kw <= XA_POOL_BYTE_WINDOW)
                    ((uint8_t *)argmax)[o] = (uint8_t)place;
                else if (argmax)
                    ((uint32_t *)argmax)[o] = (uint32_t)place;
            }
}

static void max_pool_back(const xa_pool_shape *s,
                          const float *dy,
                          const void *argmax,
                          int64_t row0,
                          int64_t row1,
                          float *dx)
{
    const int64_t line = s->w * s->c;
    memset(dx, 0, (size_t)((row1 - row0) * line) * sizeof(*dx));
    for (int64_t o = 0; o < s->oh * s->ow * s->c; o++) {
        const int64_t place = place_at(s, argmax, o), pixel = o / s->c;
        const int64_t at =
            pool_at(s, pixel / s->ow, pixel % s->ow, place / s->kw, place % s->kw, o % s->c);
        if (at >= row0 * line && at < row1 * line)
            dx[at - row0 * line] += dy[o];
    }
}

static int64_t pool_count(const xa_pool_shape *s, int64_t oy, int64_t ox)
{
    int64_t n = 0;
    for (int64_t t = 0; t < s->kh * s->kw; t++)
        n += pool_at(s, oy, ox, t / s->kw, t % s->kw, 0) >= 0;
    return n;
}

static void avg_pool(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y)
{
    for (int64_t oy = row0; oy < row1; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++)
            for (int64_t c = 0; c < s->c; c++) {
                double sum = 0.0;
                for (int64_t t = 0; t < s->kh * s->kw; t++) {
                    const int64_t at = pool_at(s, oy, ox, t / s->kw, t % s->kw, c);
                    sum += at < 0 ? 0.0 : (double)x[at];
                }
                y[((oy - row0) * s->ow + ox) * s->c + c] =
                    (float)(sum / (double)pool_count(s, oy, ox));
            }
}

static void
avg_pool_back(const xa_pool_shape *s, const float *dy, int64_t row0, int64_t row1, float *dx)
{
    for (int64_t i = row0 * s->w * s->c; i < row1 * s->w * s->c; i++) {
        double sum = 0.0;
        for (int64_t o = i % s->c; o < s->oh * s->ow * s->c; o += s->c) {
            const int64_t oy = o / s->c / s->ow, ox = o / s->c % s->ow;
            for (int64_t t = 0; t < s->kh * s->kw; t++)
                if (pool_at(s, oy, ox, t / s->kw, t % s->kw, i % s->c) == i)
                    sum += (double)dy[o] / (double)pool_count(s, oy, ox);
        }
        dx[i - row0 * s->w * s->c] = (float)sum;
    }
}

/* ---- layer normalisation --------------------------------------------------------------------- */

static void layer_norm(int64_t rows,
                       int64_t c,
                       float epsilon,
                       bool rms,
                       const float *x,
                       const float *gamma,
                       const float *beta,
                       float *y,
                       float *stats)
{
    for (int64_t r = 0; r < rows; r++, x += c, y += c) {
        double mean = 0.0, variance = 0.0;
        for (int64_t j = 0; !rms && j < c; j++)
            mean += (double)x[j] / (double)c;
        for (int64_t j = 0; j < c; j++)
            variance += ((double)x[j] - mean) * ((double)x[j] - mean) / (double)c;
        const double root = 1.0 / sqrt(variance + (double)epsilon);
        for (int64_t j = 0; j < c; j++)
            y[j] = (float)(((double)x[j] - mean) * root * (double)gamma[j] + (double)beta[j]);
        if (stats) {
            stats[2 * r] = (float)mean;
            stats[2 * r + 1] = (float)root;
        }
    }
}

static void layer_norm_back(int64_t rows,
                            int64_t c,
                            bool rms,
                            const float *x,
                            const float *gamma,
                            const float *stats,
                            const float *dy,
                            float *dx)
{
    for (int64_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        const double mean = (double)stats[2 * r], root = (double)stats[2 * r + 1];
        double g = 0.0, gn = 0.0;
        for (int64_t j = 0; j < c; j++) {
            g += rms ? 0.0 : (double)dy[j] * (double)gamma[j] / (double)c;
            gn += (double)dy[j] * (double)gamma[j] * ((double)x[j] - mean) * root / (double)c;
        }
        for (int64_t j = 0; j < c; j++)
            dx[j] = (float)(root * ((double)dy[j] * (double)gamma[j] - g -
                                    ((double)x[j] - mean) * root * gn));
    }
}

/* ---- attention ---- */

static void softmax(int64_t rows, int64_t c, float scale, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r++) {
        double most = -INFINITY, sum = 0.0;
        for (int64_t j = 0; j < c; j++)
            most = fmax(most, (double)scale * (double)x[r * c + j]);
        for (int64_t j = 0; j < c; j++)
            sum += exp((double)scale * (double)x[r * c + j] - most);
        for (int64_t j = 0; j < c; j++)
            y[r * c + j] = (float)(exp((double)scale * (double)x[r * c + j] - most) / sum);
    }
}

static void
softmax_back(int64_t rows, int64_t c, float scale, const float *y, const float *dy, float *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0.0;
        for (int64_t j = 0; j < c; j++)
            sum += (double)y[r * c + j] * (double)dy[r * c + j];
        for (int64_t j = 0; j < c; j++)
            dx[r * c + j] =
                (float)((double)scale * (double)y[r * c + j] * ((double)dy[r * c + j] - sum));
    }
}

static void transpose(int64_t rows, int64_t c, const float *x, int64_t ldx, float *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < c; j++)
            y[j * rows + i] = x[i * ldx + j];
}

/* ---- activations ----------------------------------------------------------------------------- */

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

static void activate(int64_t n, const xa_activation *act, const float *x, float *y)
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

static void
activate_back(int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx)
{
    for (int64_t i = 0; i < n; i++) {
        const double x = v ? input_of(act, (double)v[i]) : 0.0;
        dx[i] = (float)((double)dy[i] * xa_activate_slope_ref(act, x));
    }
}

const xa_kernels xa_kernels_ref = {
    .isa = XA_ISA_BASE,
    .gemm_rows = gemm_rows,
    .gemm_panels = gemm_panels,
    .gemm_panels_nt = gemm_panels_nt,
    .winograd_split = winograd_split,
    .winograd_split_back = winograd_split_back,
    .winograd_join = winograd_join,
    .winograd_join_back = winograd_join_back,
    .epilogue = epilogue,
    .mask = mask,
    .add = add,
    .affine = affine,
    .depthwise = depthwise,
    .depthwise_back = depthwise_back,
    .max_pool = max_pool,
    .max_pool_back = max_pool_back,
    .avg_pool = avg_pool,
    .avg_pool_back = avg_pool_back,
    .layer_norm = layer_norm,
    .layer_norm_back = layer_norm_back,
    .softmax = softmax,
    .softmax_back = softmax_back,
    .transpose = transpose,
    .activate = activate,
    .activate_back = activate_back,
};
