/* Resamplers against the libraries they are named after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "image_pack.h"

/* What is allowed: equality where the arithmetic is the library's own to the last bit. OpenCV's
 * float sums go through vectors of different lengths in different builds. */
static double tolerance(xa_resample how, xa_pixel type)
{
    const bool linear = how >= XA_RESAMPLE_CV2_LINEAR && how <= XA_RESAMPLE_CV2_AREA;
    return linear && type == XA_PIXEL_F32 ? 1e-4 : 0;
}

static void to_f32(const xa_image *u8, xa_image *f32)
{
    assert_int_equal(xa_image_init(f32, u8->width, u8->height, u8->channels, XA_PIXEL_F32, NULL),
                     XA_OK);
    const int64_t n = u8->width * u8->height * u8->channels;
    for (int64_t i = 0; i < n; i++)
        ((float *)f32->data)[i] = ((uint8_t *)u8->data)[i] * 1.0009765625f - 3;
}

static void test_golden(void **state)
{
    (void)state;
    pack p;
    record r;
    xa_image u8 = {0}, f32 = {0};
    size_t samples[XA_RESAMPLE_COUNT][2] = {{0}}, differ[XA_RESAMPLE_COUNT][2] = {{0}};
    int cases = 0, failed = 0;
    pack_open(&p, "resamples.pack");
    while (pack_next(&p, &r)) {
        if (record_word(&r, "in")) {
            xa_image_fini(&u8);
            xa_image_fini(&f32);
            record_image(&r, &u8);
            to_f32(&u8, &f32);
            continue;
        }
        const bool real = strcmp(record_word(&r, "type"), "float32") == 0;
        const int how = xa_resample_parse(record_word(&r, "how"));
        xa_image got, want;
        xa_err err = XA_ERR_INIT;
        assert_true(how >= 0);
        if (xa_image_resize(real ? &f32 : &u8, r.width, r.height, (xa_resample)how, &got, &err) !=
            XA_OK)
            fail_msg("%s: %s", r.line, err.message);
        record_image(&r, &want);
        if (image_difference(&got, &want, &samples[how][real], &differ[how][real]) >
            tolerance((xa_resample)how, real ? XA_PIXEL_F32 : XA_PIXEL_U8)) {
            print_error("%s\n", r.line);
            failed++;
        }
        xa_image_fini(&got);
        xa_image_fini(&want);
        cases++;
    }
    for (int how = 0; how < XA_RESAMPLE_COUNT; how++)
        for (int real = 0; real < 2; real++)
            print_message("%-14s %-8s %zu of %zu samples differ\n",
                          xa_resample_name((xa_resample)how),
                          real ? "float32" : "uint8",
                          differ[how][real],
                          samples[how][real]);
    xa_image_fini(&u8);
    xa_image_fini(&f32);
    pack_close(&p);
    assert_int_equal(failed, 0);
    assert_int_equal(cases, 440);
}

static void test_names(void **state)
{
    (void)state;
    for (int k = 0; k < XA_RESAMPLE_COUNT; k++)
        assert_int_equal(xa_resample_parse(xa_resample_name((xa_resample)k)), k);
    assert_int_equal(xa_resample_parse("bilinear"), -1);
    assert_int_equal(xa_resample_parse(NULL), -1);
    assert_string_equal(xa_resample_name(XA_RESAMPLE_COUNT), "unknown");
}

static void test_same_size(void **state)
{
    (void)state;
    xa_image im, out;
    assert_int_equal(xa_image_init(&im, 5, 4, 3, XA_PIXEL_U8, NULL), XA_OK);
    for (int i = 0; i < 60; i++)
        ((uint8_t *)im.data)[i] = (uint8_t)(i * 4);
    for (int k = 0; k < XA_RESAMPLE_COUNT; k++) {
        assert_int_equal(xa_image_resize(&im, 5, 4, (xa_resample)k, &out, NULL), XA_OK);
        const bool real = k == XA_RESAMPLE_TF_BILINEAR || k == XA_RESAMPLE_TF_BICUBIC;
        assert_int_equal(out.type, real ? XA_PIXEL_F32 : XA_PIXEL_U8);
        for (size_t i = 0; i < 60; i++)
            assert_true(image_sample(&out, i) == image_sample(&im, i));
        xa_image_fini(&out);
    }
    xa_image_fini(&im);
}

/* A constant image stays constant, whatever the sizes: weights sum to 1. */
static void test_constant(void **state)
{
    (void)state;
    for (int k = 0; k < XA_RESAMPLE_COUNT; k++)
        for (uint64_t n = 0; n < 60; n++) {
            xa_image im, out;
            const int64_t w = 1 + xa_random_below(1, 0, n, 70),
                          h = 1 + xa_random_below(2, 0, n, 70);
            const int64_t ow = 1 + xa_random_below(3, 0, n, 90);
            const int64_t oh = 1 + xa_random_below(4, 0, n, 90);
            assert_int_equal(xa_image_init(&im, w, h, 1, XA_PIXEL_U8, NULL), XA_OK);
            memset(im.data, 201, (size_t)(w * h));
            assert_int_equal(xa_image_resize(&im, ow, oh, (xa_resample)k, &out, NULL), XA_OK);
            for (int64_t i = 0; i < ow * oh; i++)
                if (fabs(image_sample(&out, (size_t)i) - 201) > 1e-4)
                    fail_msg("%s %lldx%lld to %lldx%lld: %g",
                             xa_resample_name((xa_resample)k),
                             (long long)w,
                             (long long)h,
                             (long long)ow,
                             (long long)oh,
                             image_sample(&out, (size_t)i));
            xa_image_fini(&im);
            xa_image_fini(&out);
        }
}

static void test_failures(void **state)
{
    (void)state;
    xa_image im, out;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_init(&im, 5, 4, 1, XA_PIXEL_U16, NULL), XA_OK);
    assert_int_equal(xa_image_resize(&im, 2, 2, XA_RESAMPLE_PIL_NEAREST, &out, &err),
                     XA_UNSUPPORTED);
    assert_non_null(strstr(err.message, "uint16"));
    xa_image_fini(&im);
    assert_int_equal(xa_image_init(&im, 5, 4, 1, XA_PIXEL_U8, NULL), XA_OK);
    assert_int_equal(xa_image_resize(&im, 0, 2, XA_RESAMPLE_PIL_NEAREST, &out, &err), XA_INVALID);
    assert_int_equal(xa_image_resize(&im, 2, INT64_MAX, XA_RESAMPLE_CV2_AREA, &out, &err),
                     XA_INVALID);
    assert_int_equal(xa_image_resize(&im, 2, 2, XA_RESAMPLE_COUNT, &out, &err), XA_INVALID);
    xa_image_fini(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_same_size),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
