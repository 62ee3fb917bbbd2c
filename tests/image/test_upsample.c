/* Maps at image size: half-pixel centres, clamped edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "image_pack.h"

static float clamped(const float *src, int64_t h, int64_t w, int64_t y, int64_t x)
{
    y = y < 0 ? 0 : y > h - 1 ? h - 1 : y;
    x = x < 0 ? 0 : x > w - 1 ? w - 1 : x;
    return src[y * w + x];
}

/* The definition in double. */
static double
at(const float *src, int64_t h, int64_t w, int64_t oh, int64_t ow, int64_t i, int64_t j)
{
    const double y = ((double)i + 0.5) * (double)h / (double)oh - 0.5;
    const double x = ((double)j + 0.5) * (double)w / (double)ow - 0.5;
    const int64_t y0 = (int64_t)floor(y), x0 = (int64_t)floor(x);
    const double ty = y - (double)y0, tx = x - (double)x0;
    const double top = clamped(src, h, w, y0, x0) * (1 - tx) + clamped(src, h, w, y0, x0 + 1) * tx;
    const double low =
        clamped(src, h, w, y0 + 1, x0) * (1 - tx) + clamped(src, h, w, y0 + 1, x0 + 1) * tx;
    return top * (1 - ty) + low * ty;
}

static void test_definition(void **state)
{
    (void)state;
    static const int64_t SIZES[][4] = {{1, 1, 5, 7},
                                       {7, 7, 224, 224},
                                       {16, 16, 299, 601},
                                       {3, 9, 2, 4},
                                       {5, 1, 1, 300},
                                       {14, 14, 14, 14}};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        const int64_t h = SIZES[s][0], w = SIZES[s][1], oh = SIZES[s][2], ow = SIZES[s][3];
        float *src = xa_alloc((size_t)(h * w), sizeof *src);
        float *dst = xa_alloc((size_t)(oh * ow), sizeof *dst);
        assert_true(src && dst);
        for (int64_t i = 0; i < h * w; i++)
            src[i] = (float)xa_random_unit(9, s, (uint64_t)i);
        xa_upsample_linear(src, h, w, dst, oh, ow);
        for (int64_t i = 0; i < oh; i++)
            for (int64_t j = 0; j < ow; j++)
                if (fabs(dst[i * ow + j] - at(src, h, w, oh, ow, i, j)) > 1e-5)
                    fail_msg("%lldx%lld to %lldx%lld at %lld,%lld: %g, want %g",
                             (long long)h,
                             (long long)w,
                             (long long)oh,
                             (long long)ow,
                             (long long)i,
                             (long long)j,
                             dst[i * ow + j],
                             at(src, h, w, oh, ow, i, j));
        free(src);
        free(dst);
    }
}

/* The same as cv2-linear on float images, which is checked against OpenCV; shrinking by two is the
 * one ratio where OpenCV averages instead, with the same values but for rounding. */
static void test_as_cv2(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 40; n++) {
        const int64_t w = 1 + xa_random_below(11, 0, n, 40), h = 1 + xa_random_below(12, 0, n, 40);
        const int64_t ow = 1 + xa_random_below(13, 0, n, 300);
        const int64_t oh = 1 + xa_random_below(14, 0, n, 60);
        xa_image im, want, got;
        assert_int_equal(xa_image_init(&im, w, h, 1, XA_PIXEL_F32, NULL), XA_OK);
        assert_int_equal(xa_image_init(&got, ow, oh, 1, XA_PIXEL_F32, NULL), XA_OK);
        for (int64_t i = 0; i < w * h; i++)
            ((float *)im.data)[i] = (float)xa_random_unit(15, n, (uint64_t)i);
        assert_int_equal(xa_image_resize(&im, ow, oh, XA_RESAMPLE_CV2_LINEAR, &want, NULL), XA_OK);
        xa_upsample_linear(im.data, h, w, got.data, oh, ow);
        assert_true(image_difference(&got, &want, NULL, NULL) <= 2e-7);
        xa_image_fini(&im);
        xa_image_fini(&want);
        xa_image_fini(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_as_cv2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
