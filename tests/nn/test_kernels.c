/* Every other fast kernel of every instruction set against its reference twin, on shapes that do
 * not fit its blocks. */
#include "kernel_fixture.h"

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

static void
one_epilogue(const xa_kernels *k, int64_t rows, int64_t c, const xa_activation *act, int flags)
{
    const int64_t ld = c + 3;
    float *y = with_specials(rows * ld, 3), *got = copy(y, rows * ld), *want = copy(y, rows * ld);
    float *bias = uniform(c, 4), *residual = uniform(rows * ld, 5);
    const size_t nbits = xa_bits_bytes(rows, c);
    uint8_t *bits_want = bytes_of(nbits), *bits_got = bytes_of(nbits);
    const float *b = flags & 1 ? bias : NULL, *r = flags & 2 ? residual : NULL;
    xa_kernels_ref.epilogue(rows, c, want, ld, b, r, act, flags & 4 ? bits_want : NULL);
    k->epilogue(rows, c, got, ld, b, r, act, flags & 4 ? bits_got : NULL);
    near("epilogue", k->isa, rows * ld, want, got, act && act->a != 0.0f ? 2e-7 : 0.0);
    same_bytes("bits", k->isa, nbits, bits_want, bits_got);
    if (flags & 4) {
        float *dy = with_specials(rows * c, 6), *ma = floats(rows * c), *mb = floats(rows * c);
        xa_kernels_ref.mask(rows, c, dy, bits_want, act ? act->a : 0.0f, ma);
        k->mask(rows, c, dy, bits_want, act ? act->a : 0.0f, mb);
        near("mask", k->isa, rows * c, ma, mb, 0.0);
        k->mask(rows, c, dy, bits_want, act ? act->a : 0.0f, dy);
        same_bytes("mask in place", k->isa, (size_t)(rows * c) * sizeof(float), mb, dy);
        free(dy);
        free(ma);
        free(mb);
    }
    free(y);
    free(got);
    free(want);
    free(bias);
    free(residual);
    free(bits_want);
    free(bits_got);
}

static void check_epilogue(const xa_kernels *k)
{
    static const xa_activation acts[] = {{XA_ACT_LINEAR, 0, 0, 0},
                                         {XA_ACT_RELU, 0, INFINITY, 0},
                                         {XA_ACT_RELU, 0, 0.5f, 0},
                                         {XA_ACT_RELU, 0.2f, INFINITY, 0},
                                         {XA_ACT_RELU, 0, 0.5f, 0.25f},
                                         {XA_ACT_RELU, -0.3f, INFINITY, -0.5f}};
    static const int64_t cs[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 30, 33};
    for (size_t a = 0; a < sizeof(acts) / sizeof(*acts); a++)
        for (size_t i = 0; i < sizeof(cs) / sizeof(*cs); i++)
            for (int flags = 0; flags < 8; flags++)
                one_epilogue(k, 11, cs[i], &acts[a], flags);
    for (size_t i = 0; i < sizeof(cs) / sizeof(*cs); i++)
        one_epilogue(k, 4, cs[i], NULL, 7);
}
static void test_epilogue_and_mask(void **state)
{
    (void)state;
    on_all(check_epilogue);
}

static void check_rows(const xa_kernels *k)
{
    for (int64_t c = 1; c < 40; c += c < 10 ? 1 : 7) {
        const int64_t rows = 5, n = rows * c;
        float *a = with_specials(n, 7), *b = uniform(n, 8), *scale = uniform(c, 9);
        float *shift = uniform(c, 10), *want = floats(n), *got = floats(n);
        xa_kernels_ref.add(n, a, b, want);
        k->add(n, a, b, got);
        near("add", k->isa, n, want, got, 0.0);
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
static void test_add_and_affine(void **state)
{
    (void)state;
    on_all(check_rows);
}

/* ---- windows --------------------------------------------------------------------------------- */

typedef struct extent {
    int64_t in, k, stride, dilation, pad, out;
} extent;

/* A window that leaves something: any padding before of less than its span. */
static extent random_extent(uint64_t id, uint64_t axis, bool dilated)
{
    extent e = {.in = pick(axis, 8 * id, 1, 14),
                .k = pick(axis, 8 * id + 1, 1, 7),
                .stride = pick(axis, 8 * id + 2, 1, 3),
                .dilation = dilated && pick(axis, 8 * id + 3, 0, 2) == 0 ? 2 : 1};
    const int64_t span = (e.k - 1) * e.dilation + 1;
    e.pad = pick(axis, 8 * id + 4, 0, span - 1);
    /* each window must touch the input: its first tap lies before the end */
    e.out = pick(axis, 8 * id + 5, 1, (e.in - 1 + e.pad) / e.stride + 1);
    return e;
}

static void one_depthwise(const xa_kernels *k, uint64_t id)
{
    const extent y = random_extent(id, 20, true), x = random_extent(id, 21, true);
    const xa_dw_shape s = {.h = y.in,
                           .w = x.in,
                           .c = pick(22, id, 1, 40),
                           .m = pick(23, id, 0, 5) == 0 ? 3 : 1,
                           .oh = y.out,
                           .ow = x.out,
                           .kh = y.k,
                           .kw = x.k,
                           .sh = y.stride,
                           .sw = x.stride,
                           .dh = y.dilation,
                           .dw = x.dilation,
                           .pad_top = y.pad,
                           .pad_left = x.pad};
    const int64_t in = s.h * s.w * s.c, line = s.ow * s.c * s.m, out = s.oh * line;
    float *xs = uniform(in, 24), *ys = uniform(out, 25), *w = uniform(s.kh * s.kw * s.c * s.m, 26);
    float *want = floats(out), *got = floats(out), *dwant = floats(in), *dgot = floats(in);
    const double tolerance = 2e-7 * (double)(s.kh * s.kw * s.m + 1);
    xa_kernels_ref.depthwise(&s, xs, w, 0, s.oh, want);
    k->depthwise(&s, xs, w, 0, s.oh, got);
    near("depthwise", k->isa, out, want, got, tolerance);
    for (int64_t r = 0; r < s.oh; r++) /* cuts between rows do not show */
        k->depthwise(&s, xs, w, r, r + 1, want + r * line);
    same_bytes("depthwise by rows", k->isa, (size_t)out * sizeof(float), want, got);
    xa_kernels_ref.depthwise_back(&s, ys, w, 0, s.h, dwant);
    k->depthwise_back(&s, ys, w, 0, s.h, dgot);
    near("depthwise_back", k->isa, in, dwant, dgot, tolerance);
    for (int64_t r = 0; r < s.h; r++)
        k->depthwise_back(&s, ys, w, r, r + 1, dwant + r * s.w * s.c);
    same_bytes("depthwise_back by rows", k->isa, (size_t)in * sizeof(float), dwant, dgot);
    free(xs);
    free(ys);
    free(w);
    free(want);
    free(got);
    free(dwant);
    free(dgot);
}
static void check_depthwise(const xa_kernels *k)
{
    for (uint64_t id = 0; id < 400; id++)
        one_depthwise(k, id);
}
static void test_depthwise(void **state)
{
    (void)state;
    on_all(check_depthwise);
}

static void pool_pass(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t in = s->h * s->w * s->c, line = s->ow * s->c, out = s->oh * line;
    const size_t place = s->kh * s->kw <= XA_POOL_BYTE_WINDOW ? 1 : sizeof(uint32_t);
    float *x = uniform(in, 30), *dy = uniform(out, 31), *want = floats(out), *got = floats(out);
    float *dwant = floats(in), *dgot = floats(in);
    char *awant = bytes_of((size_t)out * place), *agot = bytes_of((size_t)out * place);
    for (int64_t i = 0; i < in; i++) /* many ties, some NaN and infinities */
        x[i] = i % 29 == 0 ? NAN : i % 31 == 0 ? -INFINITY : rintf(x[i] * 3.0f);
    xa_kernels_ref.max_pool(s, x, 0, s->oh, want, awant);
    k->max_pool(s, x, 0, s->oh, got, agot);
    near("max_pool", k->isa, out, want, got, 0.0);
    same_bytes("places of maxima", k->isa, (size_t)out * place, awant, agot);
    for (int64_t r = 0; r < s->oh; r++)
        k->max_pool(s, x, r, r + 1, got + r * line, NULL);
    near("max_pool by rows", k->isa, out, want, got, 0.0);
    xa_kernels_ref.max_pool_back(s, dy, awant, 0, s->h, dwant);
    k->max_pool_back(s, dy, awant, 0, s->h, dgot);
    near("max_pool_back", k->isa, in, dwant, dgot, 1e-5);
    for (int64_t r = 0; r < s->h; r++)
        k->max_pool_back(s, dy, awant, r, r + 1, dwant + r * s->w * s->c);
    same_bytes("max_pool_back by rows", k->isa, (size_t)in * sizeof(float), dwant, dgot);
    xa_kernels_ref.avg_pool(s, x, 0, s->oh, want);
    k->avg_pool(s, x, 0, s->oh, got);
    near("avg_pool", k->isa, out, want, got, 1e-5);
    xa_kernels_ref.avg_pool_back(s, dy, 0, s->h, dwant);
    k->avg_pool_back(s, dy, 0, s->h, dgot);
    near("avg_pool_back", k->isa, in, dwant, dgot, 1e-5);
    free(x);
    free(dy);
    free(want);
    free(got);
    free(dwant);
    free(dgot);
    free(awant);
    free(agot);
}
static void check_pool(const xa_kernels *k)
{
    for (uint64_t id = 0; id < 300; id++) {
        const extent y = random_extent(id, 32, false), x = random_extent(id, 33, false);
        const xa_pool_shape s = {.h = y.in,
                                 .w = x.in,
                                 .c = pick(34, id, 1, 35),
                                 .oh = y.out,
                                 .ow = x.out,
                                 .kh = y.k,
                                 .kw = x.k,
                                 .sh = y.stride,
                                 .sw = x.stride,
                                 .pad_top = y.pad,
                                 .pad_left = x.pad};
        pool_pass(k, &s);
    }
    /* places in four bytes, more taps and windows than are gathered at once */
    pool_pass(k, &(xa_pool_shape){20, 21, 11, 4, 4, 17, 18, 1, 1, 0, 0});
    pool_pass(k, &(xa_pool_shape){20, 21, 11, 20, 21, 16, 16, 1, 1, 8, 8});
}
static void test_pools(void **state)
{
    (void)state;
    on_all(check_pool);
}

/* ---- layer normalisation --------------------------------------------------------------------- */

/* RMS: the offset of 100 is part of the value and no digit is lost. */
static void layer_norm_of(const xa_kernels *k, bool rms)
{
    for (int64_t c = 1; c < 70; c += c < 18 ? 1 : 13) {
        const int64_t rows = 4, n = rows * c;
        float *x = uniform(n, 40), *gamma = uniform(c, 41), *beta = uniform(c, 42);
        float *dy = uniform(n, 43), *want = floats(n), *got = floats(n);
        float swant[8], sgot[8];
        for (int64_t i = 0; i < n; i++)
            x[i] += 100.0f; /* the mean must not swallow the digits */
        xa_kernels_ref.layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, want, swant);
        k->layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, got, sgot);
        near("layer_norm",
             k->isa,
             n,
             want,
             got,
             rms ? 2e-6 : 3e-4); /* of 100: x - mean has lost those digits */
        near("its statistics", k->isa, 8, swant, sgot, 1e-5);
        xa_kernels_ref.layer_norm_back(rows, c, rms, x, gamma, swant, dy, want);
        k->layer_norm_back(rows, c, rms, x, gamma, swant, dy, got);
        near("layer_norm_back", k->isa, n, want, got, c == 1 ? 1e-5 : 2e-5);
        x[c] = NAN;
        k->layer_norm(rows, c, 1e-3f, rms, x, gamma, beta, got, NULL);
        for (int64_t i = 0; i < n; i++)
            assert_true(isnan(got[i]) == (i / c == 1));
        free(x);
        free(gamma);
        free(beta);
        free(dy);
        free(want);
        free(got);
    }
}

static void check_layer_norm(const xa_kernels *k)
{
    layer_norm_of(k, false);
    layer_norm_of(k, true);
}
static void check_attend(const xa_kernels *k)
{
    static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {3, 8}, {5, 9}, {4, 50}, {2, 197}, {7, 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t rows = sizes[i][0], c = sizes[i][1], n = rows * c;
        float *x = uniform(n, 50), *dy = uniform(n, 51);
        float *want = floats(n), *got = floats(n), *dwant = floats(n), *dgot = floats(n);
        static const float scales[] = {0.125f, -0.3f, 4.0f};
        for (int t = 0; t < 3; t++) {
            xa_kernels_ref.softmax(rows, c, scales[t], x, want);
            k->softmax(rows, c, scales[t], x, got);
            near("softmax", k->isa, n, want, got, 1e-6);
            xa_kernels_ref.softmax_back(rows, c, scales[t], want, dy, dwant);
            k->softmax_back(rows, c, scales[t], want, dy, dgot);
            near("softmax_back", k->isa, n, dwant, dgot, 2e-6);
        }
        xa_kernels_ref.transpose(rows, c, x, c, want);
        k->transpose(rows, c, x, c, got);
        near("transpose", k->isa, n, want, got, 0.0);
        x[n / 2] = NAN; /* is not lost, and stays in its row */
        k->softmax(rows, c, 1.0f, x, got);
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(isnan(got[j]) != 0, j / c == (n / 2) / c);
        free(x);
        free(dy);
        free(want);
        free(got);
        free(dwant);
        free(dgot);
    }
}

static void test_attend(void **state)
{
    (void)state;
    on_all(check_attend);
}

static void test_layer_norm(void **state)
{
    (void)state;
    on_all(check_layer_norm);
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

static void one_activation(const xa_kernels *k, const act_limit *l)
{
    enum { MOST = 45000 };
    const bool from_y = l->act.kind == XA_ACT_SIGMOID || l->act.kind == XA_ACT_TANH ||
                        l->act.kind == XA_ACT_SOFTPLUS || l->act.kind == XA_ACT_EXP ||
                        l->act.kind == XA_ACT_HARD_SIGMOID;
    float *x = floats(MOST), *got = floats(MOST), *dy = floats(MOST);
    double *want = bytes_of(MOST * sizeof(*want));
    const int64_t n = sweep(x, MOST);
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
    for (int64_t i = 0; i < n; i++)
        dy[i] = 1.0f;
    float *dx = floats(n);
    k->activate_back(n, &l->act, from_y ? got : x, dy, dx);
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
    free(dx);
    free(x);
    free(got);
    free(dy);
    free(want);
}

static void check_activations(const xa_kernels *k)
{
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
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
        one_activation(k, &limits[i]);
}
static void test_activations(void **state)
{
    (void)state;
    on_all(check_activations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epilogue_and_mask),
        cmocka_unit_test(test_add_and_affine),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_attend),
        cmocka_unit_test(test_activations),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
