/* Depthwise convolution and pooling of every instruction set against their reference twins, on
 * shapes that do not fit their blocks. */
#include "kernel_fixture.h"

XA_WINDOW_KERNEL_LIST(KERNEL_CHECK)

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

static xa_dw_shape random_depthwise(uint64_t id)
{
    const extent y = random_extent(id, 20, true), x = random_extent(id, 21, true);
    return (xa_dw_shape){.h = y.in,
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
}
enum { DEPTHWISES = 400, POOLS = 300 };

static double depthwise_tolerance(const xa_dw_shape *s)
{
    return 2e-7 * (double)(s->kh * s->kw * s->m + 1);
}

static void check_depthwise(const xa_kernels *k)
{
    for (uint64_t id = 0; id < DEPTHWISES; id++) {
        const xa_dw_shape s = random_depthwise(id);
        const int64_t in = s.h * s.w * s.c, line = s.ow * s.c * s.m, out = s.oh * line;
        float *x = uniform(in, 24), *w = uniform(s.kh * s.kw * s.c * s.m, 26);
        float *want = floats(out), *got = floats(out);
        xa_kernels_ref.depthwise(&s, x, w, 0, s.oh, want);
        k->depthwise(&s, x, w, 0, s.oh, got);
        near("depthwise", k->isa, out, want, got, depthwise_tolerance(&s));
        for (int64_t r = 0; r < s.oh; r++) /* cuts between rows do not show */
            k->depthwise(&s, x, w, r, r + 1, want + r * line);
        same_bytes("depthwise by rows", k->isa, (size_t)out * sizeof(float), want, got);
        free(x);
        free(w);
        free(want);
        free(got);
    }
}

static void check_depthwise_back(const xa_kernels *k)
{
    for (uint64_t id = 0; id < DEPTHWISES; id++) {
        const xa_dw_shape s = random_depthwise(id);
        const int64_t line = s.w * s.c, in = s.h * line, out = s.oh * s.ow * s.c * s.m;
        float *dy = uniform(out, 25), *w = uniform(s.kh * s.kw * s.c * s.m, 26);
        float *want = floats(in), *got = floats(in);
        xa_kernels_ref.depthwise_back(&s, dy, w, 0, s.h, want);
        k->depthwise_back(&s, dy, w, 0, s.h, got);
        near("depthwise_back", k->isa, in, want, got, depthwise_tolerance(&s));
        for (int64_t r = 0; r < s.h; r++)
            k->depthwise_back(&s, dy, w, r, r + 1, want + r * line);
        same_bytes("depthwise_back by rows", k->isa, (size_t)in * sizeof(float), want, got);
        free(dy);
        free(w);
        free(want);
        free(got);
    }
}

/* ---- pooling --------------------------------------------------------------------------------- */

static xa_pool_shape random_pool(uint64_t id)
{
    const extent y = random_extent(id, 32, false), x = random_extent(id, 33, false);
    return (xa_pool_shape){.h = y.in,
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
}

typedef void pool_check(const xa_kernels *k, const xa_pool_shape *s);
static void on_pools(const xa_kernels *k, pool_check *check)
{
    for (uint64_t id = 0; id < POOLS; id++) {
        const xa_pool_shape s = random_pool(id);
        check(k, &s);
    }
    /* places in four bytes, more taps and windows than are gathered at once */
    static const xa_pool_shape large[] = {
        {.h = 20, .w = 21, .c = 11, .oh = 4, .ow = 4, .kh = 17, .kw = 18, .sh = 1, .sw = 1},
        {.h = 20,
         .w = 21,
         .c = 11,
         .oh = 20,
         .ow = 21,
         .kh = 16,
         .kw = 16,
         .sh = 1,
         .sw = 1,
         .pad_top = 8,
         .pad_left = 8}};
    for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++)
        check(k, &large[i]);
}

static int64_t pool_in(const xa_pool_shape *s)
{
    return s->h * s->w * s->c;
}
static int64_t pool_out(const xa_pool_shape *s)
{
    return s->oh * s->ow * s->c;
}
static size_t place_bytes(const xa_pool_shape *s)
{
    return (size_t)pool_out(s) * (s->kh * s->kw <= XA_POOL_BYTE_WINDOW ? 1 : sizeof(uint32_t));
}

/* Many ties, some NaN and infinities. */
static float *tied(const xa_pool_shape *s)
{
    float *x = uniform(pool_in(s), 30);
    for (int64_t i = 0; i < pool_in(s); i++)
        x[i] = i % 29 == 0 ? NAN : i % 31 == 0 ? -INFINITY : rintf(x[i] * 3.0f);
    return x;
}

static void one_max_pool(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t out = pool_out(s);
    float *x = tied(s), *want = floats(out), *got = floats(out);
    char *places_want = bytes_of(place_bytes(s)), *places_got = bytes_of(place_bytes(s));
    xa_kernels_ref.max_pool(s, x, 0, s->oh, want, places_want);
    k->max_pool(s, x, 0, s->oh, got, places_got);
    near("max_pool", k->isa, out, want, got, 0.0);
    same_bytes("places of maxima", k->isa, place_bytes(s), places_want, places_got);
    for (int64_t r = 0; r < s->oh; r++)
        k->max_pool(s, x, r, r + 1, got + r * s->ow * s->c, NULL);
    near("max_pool by rows", k->isa, out, want, got, 0.0);
    free(x);
    free(want);
    free(got);
    free(places_want);
    free(places_got);
}
static void check_max_pool(const xa_kernels *k)
{
    on_pools(k, one_max_pool);
}

static void one_max_pool_back(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t in = pool_in(s), out = pool_out(s);
    float *x = tied(s), *y = floats(out), *dy = uniform(out, 31);
    float *want = floats(in), *got = floats(in);
    char *places = bytes_of(place_bytes(s));
    xa_kernels_ref.max_pool(s, x, 0, s->oh, y, places);
    xa_kernels_ref.max_pool_back(s, dy, places, 0, s->h, want);
    k->max_pool_back(s, dy, places, 0, s->h, got);
    near("max_pool_back", k->isa, in, want, got, 1e-5);
    for (int64_t r = 0; r < s->h; r++)
        k->max_pool_back(s, dy, places, r, r + 1, want + r * s->w * s->c);
    same_bytes("max_pool_back by rows", k->isa, (size_t)in * sizeof(float), want, got);
    free(x);
    free(y);
    free(dy);
    free(want);
    free(got);
    free(places);
}
static void check_max_pool_back(const xa_kernels *k)
{
    on_pools(k, one_max_pool_back);
}

static void one_avg_pool(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t out = pool_out(s);
    float *x = tied(s), *want = floats(out), *got = floats(out);
    xa_kernels_ref.avg_pool(s, x, 0, s->oh, want);
    k->avg_pool(s, x, 0, s->oh, got);
    near("avg_pool", k->isa, out, want, got, 1e-5);
    free(x);
    free(want);
    free(got);
}
static void check_avg_pool(const xa_kernels *k)
{
    on_pools(k, one_avg_pool);
}

static void one_avg_pool_back(const xa_kernels *k, const xa_pool_shape *s)
{
    const int64_t in = pool_in(s);
    float *dy = uniform(pool_out(s), 31), *want = floats(in), *got = floats(in);
    xa_kernels_ref.avg_pool_back(s, dy, 0, s->h, want);
    k->avg_pool_back(s, dy, 0, s->h, got);
    near("avg_pool_back", k->isa, in, want, got, 1e-5);
    free(dy);
    free(want);
    free(got);
}
static void check_avg_pool_back(const xa_kernels *k)
{
    on_pools(k, one_avg_pool_back);
}

XA_WINDOW_KERNEL_LIST(KERNEL_TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {XA_WINDOW_KERNEL_LIST(KERNEL_ENTRY)};
    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
