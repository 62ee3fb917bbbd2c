/* Kernels that work by rows, and activations, of every instruction set against their reference
 * twins, on shapes that do not fit their blocks. */
#include "kernel_fixture.h"

XA_ROW_KERNEL_LIST(KERNEL_CHECK)

/* ---- epilogue -------------------------------------------------------------------------------- */

/* Random values among which every special one comes at every lane. */
static float *with_specials(int64_t n, uint64_t stream)
{
    static const float special[] = {
        NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0.5f, 0.25f, 1e-40f, -1e-40f, 3e38f};
    float *p = uniform(n, stream);
    for (int64_t i = 0; i < n; i += 3)
        p[i] = special[i / 3 % 10];
    return p;
}

static const xa_activation acts[] = {{XA_ACT_LINEAR, 0, 0, 0},
                                     {XA_ACT_RELU, 0, INFINITY, 0},
                                     {XA_ACT_RELU, 0, 0.5f, 0},
                                     {XA_ACT_RELU, 0.2f, INFINITY, 0},
                                     {XA_ACT_RELU, 0, 0.5f, 0.25f},
                                     {XA_ACT_RELU, -0.3f, INFINITY, -0.5f}};
static const int64_t channels[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 30, 33};
enum { ACTS = sizeof(acts) / sizeof(*acts), CHANNELS = sizeof(channels) / sizeof(*channels) };

static void
one_epilogue(const xa_kernels *k, int64_t rows, int64_t c, const xa_activation *act, int flags)
{
    const int64_t ld = c + 3;
    float *got = with_specials(rows * ld, 3), *want = copy(got, rows * ld);
    float *bias = uniform(c, 4), *residual = uniform(rows * ld, 5);
    const size_t nbits = xa_bits_bytes(rows, c);
    uint8_t *bits_want = bytes_of(nbits), *bits_got = bytes_of(nbits);
    const float *b = flags & 1 ? bias : NULL, *r = flags & 2 ? residual : NULL;
    xa_kernels_ref.epilogue(rows, c, want, ld, b, r, act, flags & 4 ? bits_want : NULL);
    k->epilogue(rows, c, got, ld, b, r, act, flags & 4 ? bits_got : NULL);
    near("epilogue", k->isa, rows * ld, want, got, act && act->a != 0.0f ? 2e-7 : 0.0);
    same_bytes("bits", k->isa, nbits, bits_want, bits_got);
    free(got);
    free(want);
    free(bias);
    free(residual);
    free(bits_want);
    free(bits_got);
}
static void check_epilogue(const xa_kernels *k)
{
    for (int a = 0; a < ACTS; a++)
        for (int i = 0; i < CHANNELS; i++)
            for (int flags = 0; flags < 8; flags++)
                one_epilogue(k, 11, channels[i], &acts[a], flags);
    for (int i = 0; i < CHANNELS; i++)
        one_epilogue(k, 4, channels[i], NULL, 7);
}

static void one_mask(const xa_kernels *k, int64_t rows, int64_t c, float slope)
{
    const size_t nbits = xa_bits_bytes(rows, c);
    float *dy = with_specials(rows * c, 6), *want = floats(rows * c), *got = floats(rows * c);
    uint8_t *bits = bytes_of(nbits);
    for (size_t i = 0; i < nbits; i++)
        bits[i] = (uint8_t)pick(7, i, 0, 255);
    xa_kernels_ref.mask(rows, c, dy, bits, slope, want);
    k->mask(rows, c, dy, bits, slope, got);
    near("mask", k->isa, rows * c, want, got, 0.0);
    k->mask(rows, c, dy, bits, slope, dy);
    same_bytes("mask in place", k->isa, (size_t)(rows * c) * sizeof(float), got, dy);
    free(dy);
    free(want);
    free(got);
    free(bits);
}
static void check_mask(const xa_kernels *k)
{
    for (int a = 0; a < ACTS; a++)
        for (int i = 0; i < CHANNELS; i++)
            one_mask(k, 11, channels[i], acts[a].a);
}

static void check_add(const xa_kernels *k)
{
    for (int64_t n = 5; n < 200; n += n < 50 ? 5 : 35) {
        float *a = with_specials(n, 7), *b = uniform(n, 8), *want = floats(n), *got = floats(n);
        xa_kernels_ref.add(n, a, b, want);
        k->add(n, a, b, got);
        near("add", k->isa, n, want, got, 0.0);
        free(a);
        free(b);
        free(want);
        free(got);
    }
}

static void check_affine(const xa_kernels *k)
{
    for (int64_t c = 1; c < 40; c += c < 10 ? 1 : 7) {
        const int64_t rows = 5, n = rows * c;
        float *a = with_specials(n, 7), *b = uniform(n, 8), *scale = uniform(c, 9);
        float *shift = uniform(c, 10), *want = floats(n), *got = floats(n);
        for (int s = 0; s < 2; s++) {
            xa_kernels_ref.affine(rows, c, b, scale, s ? shift : NULL, want);
            k->affine(rows, c, b, scale, s ? shift : NULL, got);
            near("affine", k->isa, n, want, got, 3e-7);
            xa_kernels_ref.affine(rows, c, a, scale, s ? shift : NULL, want);
            k->affine(rows, c, a, scale, s ? shift : NULL, got);
            near("affine of special values", k->isa, n, want, got, 1e32);
        }
        free(a);
        free(b);
        free(scale);
        free(shift);
        free(want);
        free(got);
    }
}

/* ---- layer normalisation --------------------------------------------------------------------- */

/* Widths around the blocks of eight. */
static int64_t next_width(int64_t c)
{
    return c + (c < 18 ? 1 : 13);
}
enum { WIDEST = 70, NORM_ROWS = 4 };

/* The mean is about 100 and must not swallow the digits. With rms, 100 is part of the value. */
static float *off_centre(int64_t n)
{
    float *x = uniform(n, 40);
    for (int64_t i = 0; i < n; i++)
        x[i] += 100.0f;
    return x;
}

static void one_layer_norm(const xa_kernels *k, int64_t c, bool rms)
{
    const int64_t rows = NORM_ROWS, n = rows * c;
    float *x = off_centre(n), *gamma = uniform(c, 41), *beta = uniform(c, 42);
    float *want = floats(n), *got = floats(n), swant[2 * NORM_ROWS], sgot[2 * NORM_ROWS];
    xa_kernels_ref.layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, want, swant);
    k->layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, got, sgot);
    near("layer_norm",
         k->isa,
         n,
         want,
         got,
         rms ? 2e-6 : 3e-4); /* of 100: x - mean has lost those digits */
    near("its statistics", k->isa, 2 * NORM_ROWS, swant, sgot, 1e-5);
    x[c] = NAN;
    k->layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, got, NULL);
    for (int64_t i = 0; i < n; i++)
        assert_true(isnan(got[i]) == (i / c == 1));
    free(x);
    free(gamma);
    free(beta);
    free(want);
    free(got);
}
static void check_layer_norm(const xa_kernels *k)
{
    for (int64_t c = 1; c < WIDEST; c = next_width(c)) {
        one_layer_norm(k, c, false);
        one_layer_norm(k, c, true);
    }
}

static void one_layer_norm_back(const xa_kernels *k, int64_t c, bool rms)
{
    const int64_t rows = NORM_ROWS, n = rows * c;
    float *x = off_centre(n), *gamma = uniform(c, 41), *beta = uniform(c, 42);
    float *dy = uniform(n, 43), *want = floats(n), *got = floats(n), stats[2 * NORM_ROWS];
    xa_kernels_ref.layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, want, stats);
    xa_kernels_ref.layer_norm_back(rows, c, rms, x, gamma, stats, dy, want);
    k->layer_norm_back(rows, c, rms, x, gamma, stats, dy, got);
    near("layer_norm_back", k->isa, n, want, got, c == 1 ? 1e-5 : 2e-5);
    free(x);
    free(gamma);
    free(beta);
    free(dy);
    free(want);
    free(got);
}
static void check_layer_norm_back(const xa_kernels *k)
{
    for (int64_t c = 1; c < WIDEST; c = next_width(c)) {
        one_layer_norm_back(k, c, false);
        one_layer_norm_back(k, c, true);
    }
}

/* ---- attention ------------------------------------------------------------------------------- */

static const int64_t matrices[][2] = {{1, 1}, {1, 7}, {3, 8}, {5, 9}, {4, 50}, {2, 197}, {7, 16}};
static const float scales[] = {0.125f, -0.3f, 4.0f};
enum { MATRICES = sizeof(matrices) / sizeof(*matrices), SCALES = sizeof(scales) / sizeof(*scales) };

static void check_softmax(const xa_kernels *k)
{
    for (int i = 0; i < MATRICES; i++) {
        const int64_t rows = matrices[i][0], c = matrices[i][1], n = rows * c;
        float *x = uniform(n, 50), *want = floats(n), *got = floats(n);
        for (int t = 0; t < SCALES; t++) {
            xa_kernels_ref.softmax(rows, c, scales[t], x, want);
            k->softmax(rows, c, scales[t], x, got);
            near("softmax", k->isa, n, want, got, 1e-6);
        }
        x[n / 2] = NAN; /* is not lost, and stays in its row */
        k->softmax(rows, c, 1.0f, x, got);
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(isnan(got[j]) != 0, j / c == (n / 2) / c);
        free(x);
        free(want);
        free(got);
    }
}

static void check_softmax_back(const xa_kernels *k)
{
    for (int i = 0; i < MATRICES; i++) {
        const int64_t rows = matrices[i][0], c = matrices[i][1], n = rows * c;
        float *x = uniform(n, 50), *dy = uniform(n, 51);
        float *y = floats(n), *want = floats(n), *got = floats(n);
        for (int t = 0; t < SCALES; t++) {
            xa_kernels_ref.softmax(rows, c, scales[t], x, y);
            xa_kernels_ref.softmax_back(rows, c, scales[t], y, dy, want);
            k->softmax_back(rows, c, scales[t], y, dy, got);
            near("softmax_back", k->isa, n, want, got, 2e-6);
        }
        free(x);
        free(dy);
        free(y);
        free(want);
        free(got);
    }
}

static void check_transpose(const xa_kernels *k)
{
    for (int i = 0; i < MATRICES; i++)
        for (int64_t more = 0; more < 4; more += 3) {
            const int64_t rows = matrices[i][0], c = matrices[i][1], ldx = c + more;
            float *x = uniform(rows * ldx, 50), *want = floats(rows * c), *got = floats(rows * c);
            xa_kernels_ref.transpose(rows, c, x, ldx, want);
            k->transpose(rows, c, x, ldx, got);
            near("transpose", k->isa, rows * c, want, got, 0.0);
            free(x);
            free(want);
            free(got);
        }
}

/* ---- activations ----------------------------------------------------------------------------- */

/* Largest error of a kind over a sweep, in units of the result's last place; a unit is at least
 * `least`. */
static double
worst_ulps(int64_t n, const double *want, const float *got, double least, int64_t *where)
{
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const float w = (float)want[i];
        if (isnan(want[i]) || isinf(w)) {
            if (isnan(want[i]) ? isnan(got[i]) : w == got[i])
                continue;
            *where = i;
            return INFINITY;
        }
        const double unit = fmax((double)(nextafterf(fabsf(w), INFINITY) - fabsf(w)), least);
        const double e = fabs((double)got[i] - want[i]) / unit;
        if (!(e <= worst)) {
            worst = e;
            *where = i;
        }
    }
    return worst;
}

static int64_t sweep(float *x, int64_t most)
{
    static const float special[] = {NAN,    INFINITY, -INFINITY, 0.0f,   -0.0f, 1e-40f, -1e-40f,
                                    1e-20f, -1e-20f,  1e20f,     -1e20f, 3e38f, -3e38f, 88.8f,
                                    -88.8f, 104.5f,   -104.5f,   0.625f, -3.0f, 3.0f};
    int64_t n = 0;
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
        x[n++] = special[i];
    for (double v = -110.0; v < 110.0 && n < most; v += 0.01)
        x[n++] = (float)v;
    for (double v = -6.0; v < 6.0 && n < most; v += 0.0007)
        x[n++] = (float)v;
    return n;
}

typedef struct act_limit {
    xa_activation act;
    double forward, slope; /* ulps; slopes also may err by 2.5e-7 outright, where they cross 0 */
    double least; /* smallest unit; 0: 2e-43, as x times a denormal has the denormal's few digits */
} act_limit;

static const act_limit limits[] = {
    {{XA_ACT_LINEAR, 0, 0, 0}, 0, 0, 0},
    {{XA_ACT_RELU, 0, INFINITY, 0}, 0, 0, 0},
    {{XA_ACT_RELU, 0.2f, 6, 0}, 0.51, 1, 0},
    {{XA_ACT_ELU, 0.7f, 0, 0}, 3, 4, 0},
    {{XA_ACT_SELU, 0, 0, 0}, 3, 4, 0},
    {{XA_ACT_SIGMOID, 0, 0, 0}, 4, 4, 0},
    {{XA_ACT_TANH, 0, 0, 0}, 3, 4, 0},
    {{XA_ACT_SWISH, 1, 0, 0}, 5, 6, 0},
    {{XA_ACT_SWISH, 1.702f, 0, 0}, 100, 100, 0}, /* the argument's rounding, 88 at most */
    {{XA_ACT_GELU, 0, 0, 0}, 12, 8, 0},
    {{XA_ACT_GELU_TANH, 0, 0, 0}, 300, 300, 0},
    {{XA_ACT_SOFTPLUS, 0, 0, 0}, 3, 4, 0},
    {{XA_ACT_SOFTSIGN, 0, 0, 0}, 1.5, 4, 0},
    {{XA_ACT_EXP, 0, 0, 0}, 3, 4, 0},
    /* straight lines through 0: the error is that of the terms */
    {{XA_ACT_HARD_SIGMOID, 0.2f, 0.5f, 0}, 2, 2, 6e-8},
    {{XA_ACT_HARD_SWISH, 0, 0, 0}, 4, 4, 2e-7},
    {{XA_ACT_MISH, 0, 0, 0}, 6, 8, 0}};
enum { LIMITS = sizeof(limits) / sizeof(*limits), SWEEP = 45000 };

static void one_activate(const xa_kernels *k, const act_limit *l)
{
    float *x = floats(SWEEP), *got = floats(SWEEP);
    double *want = bytes_of(SWEEP * sizeof(*want));
    const int64_t n = sweep(x, SWEEP);
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        want[i] = xa_activate_ref(&l->act, (double)x[i]);
    k->activate(n, &l->act, x, got);
    const double e = worst_ulps(n, want, got, fmax(l->least, 2e-43), &at);
    if (!(e <= l->forward))
        fail_msg("activation %d on %s: f(%.9g) is %.9g, expected %.9g: %.3g units, at most %g",
                 (int)l->act.kind,
                 xa_isa_name(k->isa),
                 (double)x[at],
                 (double)got[at],
                 want[at],
                 e,
                 l->forward);
    for (int64_t i = 0; i < n; i++) /* alone and at any lane: the same bits */
        if (i % 97 == 0) {
            float y;
            k->activate(1, &l->act, x + i, &y);
            if (!isnan(y) || !isnan(got[i])) /* a NaN has any sign */
                same_bytes("one value alone", k->isa, sizeof(y), got + i, &y);
        }
    free(x);
    free(got);
    free(want);
}
static void check_activate(const xa_kernels *k)
{
    for (int i = 0; i < LIMITS; i++)
        one_activate(k, &limits[i]);
}

static void one_activate_back(const xa_kernels *k, const act_limit *l)
{
    const bool from_y = l->act.kind == XA_ACT_SIGMOID || l->act.kind == XA_ACT_TANH ||
                        l->act.kind == XA_ACT_SOFTPLUS || l->act.kind == XA_ACT_EXP ||
                        l->act.kind == XA_ACT_HARD_SIGMOID;
    float *x = floats(SWEEP), *y = floats(SWEEP), *dy = floats(SWEEP), *dx = floats(SWEEP);
    const int64_t n = sweep(x, SWEEP);
    for (int64_t i = 0; i < n; i++)
        dy[i] = 1.0f;
    k->activate(n, &l->act, x, y);
    k->activate_back(n, &l->act, from_y ? y : x, dy, dx);
    for (int64_t i = 0; i < n; i++) {
        const double s = xa_activate_slope_ref(&l->act, (double)x[i]);
        const bool at_kink = fabs(fabs((double)x[i]) - 3.0) < 1e-6 || x[i] == 0.0f;
        if (isnan(x[i]) ? isnan(dx[i]) : at_kink || isinf(x[i]) || isinf((float)s))
            continue;
        if (!(fabs((double)dx[i] - s) <= 2.5e-7 + l->slope * 6e-8 * fabs(s)))
            fail_msg("activation %d on %s: f'(%.9g) is %.9g, expected %.9g",
                     (int)l->act.kind,
                     xa_isa_name(k->isa),
                     (double)x[i],
                     (double)dx[i],
                     s);
    }
    free(x);
    free(y);
    free(dy);
    free(dx);
}
static void check_activate_back(const xa_kernels *k)
{
    for (int i = 0; i < LIMITS; i++)
        one_activate_back(k, &limits[i]);
}

XA_ROW_KERNEL_LIST(KERNEL_TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {XA_ROW_KERNEL_LIST(KERNEL_ENTRY)};
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
