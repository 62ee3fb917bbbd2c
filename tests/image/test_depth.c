/* Samples to 0..255. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "image_pack.h"

static xa_image row(xa_pixel type, int channels, const void *data, int64_t pixels)
{
    xa_image im;
    assert_int_equal(xa_image_init(&im, pixels, 1, channels, type, NULL), XA_OK);
    memcpy(im.data, data, (size_t)pixels * (size_t)channels * xa_pixel_bytes(type));
    return im;
}

static void check(xa_image *im, xa_depth depth, const float *want)
{
    xa_image out;
    assert_int_equal(xa_image_apply_depth(im, &depth, &out, NULL), XA_OK);
    assert_int_equal(out.type, XA_PIXEL_F32);
    for (int64_t i = 0; i < im->width * im->channels; i++) {
        const float got = ((float *)out.data)[i];
        if (!(got == want[i] || (isnan(got) && isnan(want[i]))))
            fail_msg("sample %lld: got %.9g, want %.9g", (long long)i, got, want[i]);
    }
    xa_image_fini(&out);
    xa_image_fini(im);
}

static void expect_failure(xa_image *im, xa_depth depth, const char *words)
{
    xa_image out;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_apply_depth(im, &depth, &out, &err), XA_INVALID);
    if (!strstr(err.message, words))
        fail_msg("message '%s' lacks '%s'", err.message, words);
    xa_image_fini(im);
}

static void test_names(void **state)
{
    (void)state;
    for (int k = XA_DEPTH_NONE; k <= XA_DEPTH_RAW; k++)
        assert_int_equal(xa_depth_parse(xa_depth_name((xa_depth_kind)k)), k);
    assert_int_equal(xa_depth_parse("windows"), -1);
    assert_int_equal(xa_depth_parse(NULL), -1);
    assert_string_equal(xa_depth_name((xa_depth_kind)77), "unknown");
}

static void test_kinds(void **state)
{
    (void)state;
    const uint16_t u16[] = {0, 257, 1000, 65535};
    xa_image im = row(XA_PIXEL_U16, 1, u16, 4);
    check(&im, (xa_depth){XA_DEPTH_DIV257, 0, 0}, (float[]){0, 1, (float)(1000 / 257.0), 255});
    im = row(XA_PIXEL_U16, 1, u16, 4);
    check(&im, (xa_depth){XA_DEPTH_CLIP255, 0, 0}, (float[]){0, 255, 255, 255});
    im = row(XA_PIXEL_U16, 1, u16, 4);
    check(&im, (xa_depth){XA_DEPTH_RAW, 0, 0}, (float[]){0, 257, 1000, 65535});
    im = row(XA_PIXEL_U16, 1, u16, 4);
    check(&im, (xa_depth){XA_DEPTH_WINDOW, 200, 1200}, (float[]){0, 14.535f, 204, 255});
    const int16_t i16[] = {-1000, 0, 1000};
    im = row(XA_PIXEL_I16, 1, i16, 3);
    check(&im, (xa_depth){XA_DEPTH_WINDOW, -1000, 1000}, (float[]){0, 127.5f, 255});
    const float f32[] = {NAN, -INFINITY, INFINITY, 0.25f};
    im = row(XA_PIXEL_F32, 1, f32, 4);
    check(&im, (xa_depth){XA_DEPTH_WINDOW, 0, 1}, (float[]){NAN, 0, 255, 63.75f});
    const float flat[] = {5, 5, 5};
    im = row(XA_PIXEL_F32, 1, flat, 3); /* no width: no NaN */
    check(&im, (xa_depth){XA_DEPTH_PERCENTILE, 1, 99}, (float[]){0, 0, 0});
    const uint16_t with_alpha[] = {10, 60000, 20, 60000, 30, 60000}; /* alpha does not count */
    im = row(XA_PIXEL_U16, 2, with_alpha, 3);
    im.has_alpha = true;
    check(&im, (xa_depth){XA_DEPTH_PERCENTILE, 0, 100}, (float[]){0, 255, 127.5f, 255, 255, 255});
}

static void test_u8_stays(void **state)
{
    (void)state;
    const uint8_t u8[] = {1, 2, 3};
    xa_image im = row(XA_PIXEL_U8, 1, u8, 3), out;
    for (int k = XA_DEPTH_NONE; k <= XA_DEPTH_RAW; k++) {
        const xa_depth depth = {(xa_depth_kind)k, 0, 1};
        assert_int_equal(xa_image_apply_depth(&im, &depth, &out, NULL), XA_OK);
        assert_int_equal(out.type, XA_PIXEL_U8);
        assert_memory_equal(out.data, u8, 3);
        xa_image_fini(&out);
    }
    xa_image_fini(&im);
}

static void test_failures(void **state)
{
    (void)state;
    const uint16_t u16[] = {12, 4000};
    const float f32[] = {0, NAN};
    const int8_t i8[] = {-3, 3};
    xa_image im = row(XA_PIXEL_U16, 1, u16, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_NONE, 0, 0}, "uint16 samples from 12 to 4000");
    im = row(XA_PIXEL_I8, 1, i8, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_NONE, 0, 0}, "int8");
    im = row(XA_PIXEL_I8, 1, i8, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_DIV257, 0, 0}, "int8");
    im = row(XA_PIXEL_F32, 1, f32, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_PERCENTILE, 1, 99}, "1 of 2 samples");
    im = row(XA_PIXEL_U16, 1, u16, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_PERCENTILE, 99, 1}, "low < high");
    im = row(XA_PIXEL_U16, 1, u16, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_PERCENTILE, NAN, 1}, "low < high");
    im = row(XA_PIXEL_U16, 1, u16, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_WINDOW, 5, 5}, "low < high");
    im = row(XA_PIXEL_U16, 1, u16, 2);
    expect_failure(&im, (xa_depth){XA_DEPTH_WINDOW, 0, INFINITY}, "low < high");
}

/* numpy.percentile, then the window, in double. */
static void test_golden(void **state)
{
    (void)state;
    pack p;
    record r;
    xa_image im = {0};
    int cases = 0;
    pack_open(&p, "depth.pack");
    while (pack_next(&p, &r)) {
        if (record_word(&r, "in")) {
            xa_image_fini(&im);
            record_image(&r, &im);
            continue;
        }
        const xa_depth depth = {
            XA_DEPTH_PERCENTILE, record_number(&r, "low"), record_number(&r, "high")};
        xa_image got, want;
        assert_int_equal(xa_image_apply_depth(&im, &depth, &got, NULL), XA_OK);
        record_image(&r, &want);
        if (image_difference(&got, &want, NULL, NULL) > 2e-5)
            fail_msg("%s", r.line);
        xa_image_fini(&got);
        xa_image_fini(&want);
        cases++;
    }
    xa_image_fini(&im);
    pack_close(&p);
    assert_int_equal(cases, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_u8_stays),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
