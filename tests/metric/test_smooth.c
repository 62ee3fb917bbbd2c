/* The Gaussian that is applied before a peak is found, compared with its definition. */
#include <math.h>
#include <stdlib.h>

#include "metric_internal.h"
#include "xaudit_cmocka.h"

enum { MOST = 128 * 128 };

static void check(int64_t h, int64_t w, int64_t stride, double sigma)
{
    static float in[2 * MOST], dense[MOST], once[MOST], want[MOST];
    static float a[MOST], b[MOST], c[MOST], d[MOST], strip[MOST];
    xa__smoother s = {a, b, c, d, strip};
    for (int64_t i = 0; i < h * stride; i++)
        in[i] = (float)(xa_random_unit(1, (uint64_t)(h * 1000 + w), (uint64_t)i) - 0.3) * 1e3f;
    for (int64_t i = 0; i < h * w; i++)
        dense[i] = in[i / w * stride + i % w];
    assert_true((int64_t)ceil(4.0 * sigma) + 2 <= MOST);
    xa__smooth(in, h, w, stride, sigma, &s);
    xa__smooth_ref(dense, h, w, sigma, once, want);
    for (int64_t i = 0; i < h * w; i++)
        if (!(fabsf(b[i] - want[i]) <= 1e-3f)) /* a millionth of the largest value */
            fail_msg("%lldx%lld, sigma %g, pixel %lld: %g, expected %g",
                     (long long)w,
                     (long long)h,
                     sigma,
                     (long long)i,
                     (double)b[i],
                     (double)want[i]);
}

static void test_as_defined(void **state)
{
    (void)state;
    static const int64_t size[][3] = {{1, 1, 1},
                                      {1, 7, 9},
                                      {9, 1, 3},
                                      {5, 3, 3},
                                      {16, 16, 20},
                                      {33, 64, 64},
                                      {37, 101, 105},
                                      {100, 31, 31}};
    static const double sigma[] = {0.01, 0.3, 1.0, 2.56, 7.0, 50.0};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (size_t k = 0; k < sizeof sigma / sizeof *sigma; k++)
            check(size[i][0], size[i][1], size[i][2], sigma[k]);
}

/* What does not change stays as it is, to the bit where it is zero, and never far from it. */
static void test_even_maps(void **state)
{
    (void)state;
    static float in[40 * 40], a[40 * 40], b[40 * 40], c[14], d[14], strip[40 * XA__SMOOTH_BLOCK];
    xa__smoother s = {a, b, c, d, strip};
    xa__smooth(in, 40, 40, 40, 3.0, &s);
    for (int i = 0; i < 40 * 40; i++)
        assert_true(b[i] == 0.0f);
    for (int i = 0; i < 40 * 40; i++)
        in[i] = 5.0f;
    xa__smooth(in, 40, 40, 40, 3.0, &s);
    for (int i = 0; i < 40 * 40; i++)
        assert_true(fabsf(b[i] - 5.0f) < 1e-5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_defined),
                                       cmocka_unit_test(test_even_maps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
