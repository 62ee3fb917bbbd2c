/* Baselines compared with numpy's and scipy's, and cases known on paper. */
#include <math.h>
#include <stdlib.h>

#include "golden/faithfulness/golden_base.inc"
#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

enum { SIDE = 16, COUNT = SIDE * SIDE * 3, SEED = 1000 };

static const xa_shape square = {3, {SIDE, SIDE, 3}};

static void check(const char *what, const float *have, const double *want, int n, double within)
{
    for (int i = 0; i < n; i++)
        if (!(fabs((double)have[i] - want[i]) <= within))
            fail_msg("%s, element %d: %.9g, expected %.9g", what, i, (double)have[i], want[i]);
}

/* The image as scale tf makes it. */
static void fill(xa_base_kind kind, float *x0)
{
    const xa_scale tf = {.kind = XA_SCALE_TF};
    static float x[COUNT];
    float black[3], white[3];
    double *scratch = malloc(xa_base_scratch(&square) * sizeof *scratch);
    assert_non_null(scratch);
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)golden_pixels[i] / 127.5f - 1.0f;
    xa_scale_range(&tf, 3, black, white);
    xa_base_fill(kind, &square, x, black, white, SEED, 0, scratch, x0);
    free(scratch);
}

static void test_as_scipy(void **state)
{
    static float x0[COUNT];
    (void)state;
    fill(XA_BASE_BLUR, x0);
    check("blur", x0, golden_blur, COUNT, 2e-7);
    fill(XA_BASE_UNIFORM, x0);
    check("uniform", x0, golden_uniform, 48, 1e-7);
    fill(XA_BASE_MEAN, x0);
    for (int p = 0; p < SIDE * SIDE; p++)
        check("mean", x0 + 3 * p, golden_mean, 3, 1e-7);
    fill(XA_BASE_BLACK, x0);
    for (int i = 0; i < COUNT; i++)
        assert_true(x0[i] == -1.0f);
    fill(XA_BASE_ZERO, x0);
    for (int i = 0; i < COUNT; i++)
        assert_true(x0[i] == 0.0f);
}

/* Sigma is an eighth of the shorter side, and the two axes are not mixed up. */
static void test_oblong_blur(void **state)
{
    const xa_shape odd = {3, {6, 9, 2}};
    float x[108], x0[108];
    double *scratch = malloc(xa_base_scratch(&odd) * sizeof *scratch);
    (void)state;
    assert_non_null(scratch);
    for (int i = 0; i < 108; i++)
        x[i] = (float)golden_odd[i];
    xa_base_fill(XA_BASE_BLUR, &odd, x, NULL, NULL, 0, 0, scratch, x0);
    check("oblong blur", x0, golden_odd_blur, 108, 1e-7);
    free(scratch);
}

/* An image narrower than the Gaussian: of one value, it stays as it is. */
static void test_thin_blur(void **state)
{
    const xa_shape thin = {3, {1, 40, 1}}, point = {3, {1, 1, 4}};
    float x[40], x0[40];
    double *scratch = malloc((xa_base_scratch(&thin) + xa_base_scratch(&point)) * sizeof *scratch);
    (void)state;
    assert_non_null(scratch);
    for (int i = 0; i < 40; i++)
        x[i] = (float)(i * i);
    xa_base_fill(XA_BASE_BLUR, &thin, x, NULL, NULL, 0, 0, scratch, x0);
    for (int i = 0; i < 40; i++) /* sigma 1/8: a neighbour weighs exp(-32) */
        assert_true(fabs((double)(x0[i] - x[i])) <= 1e-6 * (1.0 + (double)x[i]));
    xa_base_fill(XA_BASE_BLUR, &point, x, NULL, NULL, 0, 0, scratch, x0);
    for (int i = 0; i < 4; i++)
        assert_true(x0[i] == x[i]);
    free(scratch);
}

/* Black and white under each scale: where preprocessing puts pixels 0 and 255. */
static void test_range(void **state)
{
    const struct {
        xa_scale scale;
        double black[3], white[3];
    } cases[] = {
        {{.kind = XA_SCALE_NONE}, {0, 0, 0}, {255, 255, 255}},
        {{.kind = XA_SCALE_UNIT}, {0, 0, 0}, {1, 1, 1}},
        {{.kind = XA_SCALE_TF}, {-1, -1, -1}, {1, 1, 1}},
        {{.kind = XA_SCALE_CAFFE},
         {-103.939, -116.779, -123.68},
         {255 - 103.939, 255 - 116.779, 255 - 123.68}},
        {{.kind = XA_SCALE_TORCH},
         {-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225},
         {0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225}},
        {{.kind = XA_SCALE_CUSTOM, .div = -255, .channels = 1, .mean = {0.5}, .std = {2}},
         {-0.25, -0.25, -0.25},
         {-0.75, -0.75, -0.75}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float black[3], white[3];
        xa_scale_range(&cases[i].scale, 3, black, white);
        check("black", black, cases[i].black, 3, 2e-5);
        check("white", white, cases[i].white, 3, 2e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_scipy),
                                       cmocka_unit_test(test_oblong_blur),
                                       cmocka_unit_test(test_thin_blur),
                                       cmocka_unit_test(test_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
