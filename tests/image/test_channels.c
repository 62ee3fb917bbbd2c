/* Channels a file has to channels a model wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_pack.h"

static xa_image two_pixels(xa_pixel type, int channels, const void *data)
{
    xa_image im;
    assert_int_equal(xa_image_init(&im, 2, 1, channels, type, NULL), XA_OK);
    memcpy(im.data, data, 2 * (size_t)channels * xa_pixel_bytes(type));
    return im;
}

static void check(xa_image im, int channels, bool alpha, const void *want)
{
    xa_image out;
    xa_err err = XA_ERR_INIT;
    if (xa_image_to_channels(&im, channels, &out, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(out.channels, channels);
    assert_int_equal(out.type, im.type);
    assert_int_equal(out.has_alpha, alpha);
    assert_memory_equal(out.data, want, 2 * (size_t)channels * xa_pixel_bytes(im.type));
    xa_image_fini(&out);
    xa_image_fini(&im);
}

static void expect_failure(xa_image im, int channels, xa_status want, const char *words)
{
    xa_image out;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_to_channels(&im, channels, &out, &err), want);
    if (!strstr(err.message, words))
        fail_msg("message '%s' lacks '%s'", err.message, words);
    xa_image_fini(&im);
}

static void test_u8(void **state)
{
    (void)state;
    const uint8_t rgba[] = {10, 20, 30, 99, 255, 0, 128, 1};
    xa_image im = two_pixels(XA_PIXEL_U8, 4, rgba);
    im.has_alpha = true;
    check(im, 3, false, (uint8_t[]){10, 20, 30, 255, 0, 128});
    im = two_pixels(XA_PIXEL_U8, 4, rgba);
    im.has_alpha = true;
    check(im, 4, true, rgba);
    im = two_pixels(XA_PIXEL_U8, 4, rgba);
    im.has_alpha = true; /* Pillow: Image.new("RGB", (1, 1), (10, 20, 30)).convert("L") is 18 */
    check(im, 1, false, (uint8_t[]){18, 91});
    im = two_pixels(XA_PIXEL_U8, 4, rgba);
    strcpy(im.colour, "rgb"); /* a fourth band that is not alpha */
    check(im, 3, false, (uint8_t[]){10, 20, 30, 255, 0, 128});
    im = two_pixels(XA_PIXEL_U8, 2, rgba);
    im.has_alpha = true;
    check(im, 1, false, (uint8_t[]){10, 30});
    im = two_pixels(XA_PIXEL_U8, 2, rgba);
    im.has_alpha = true;
    check(im, 3, false, (uint8_t[]){10, 10, 10, 30, 30, 30});
    check(two_pixels(XA_PIXEL_U8, 1, rgba), 3, false, (uint8_t[]){10, 10, 10, 20, 20, 20});
    check(two_pixels(XA_PIXEL_U8, 1, rgba), 1, false, rgba);
}

/* The fixed-point luma is exact arithmetic: against its formula over a lattice. */
static void test_luma(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 256; r += 5)
        for (unsigned g = 0; g < 256; g += 3)
            for (unsigned b = 0; b < 256; b += 15) {
                const uint8_t rgb[] = {(uint8_t)r, (uint8_t)g, (uint8_t)b, 0, 0, 0};
                xa_image im = two_pixels(XA_PIXEL_U8, 3, rgb), out;
                assert_int_equal(xa_image_to_channels(&im, 1, &out, NULL), XA_OK);
                assert_int_equal(((uint8_t *)out.data)[0],
                                 (19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
                xa_image_fini(&im);
                xa_image_fini(&out);
            }
}

static void test_other_types(void **state)
{
    (void)state;
    const float f[] = {100, 200, 50, 0.5f, 0.25f, 1};
    check(two_pixels(XA_PIXEL_F32, 3, f), 1, false, (float[]){153, 0.41025f});
    check(two_pixels(XA_PIXEL_F32, 1, f), 3, false, (float[]){100, 100, 100, 200, 200, 200});
    const uint16_t u[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    check(two_pixels(XA_PIXEL_U16, 5, u), 5, false, u);
    check(two_pixels(XA_PIXEL_U16, 1, u), 3, false, (uint16_t[]){1, 1, 1, 2, 2, 2});
    expect_failure(two_pixels(XA_PIXEL_U16, 3, u), 1, XA_UNSUPPORTED, "uint16");
}

static void test_failures(void **state)
{
    (void)state;
    const uint8_t u[10] = {0};
    expect_failure(two_pixels(XA_PIXEL_U8, 5, u), 3, XA_SHAPE, "has 5 channels");
    expect_failure(two_pixels(XA_PIXEL_U8, 2, u), 1, XA_SHAPE, "wants 1");
    expect_failure(two_pixels(XA_PIXEL_U8, 3, u), 4, XA_SHAPE, "wants 4");
    expect_failure(two_pixels(XA_PIXEL_U8, 4, u), 3, XA_SHAPE, "has 4 channels");
    expect_failure(two_pixels(XA_PIXEL_U8, 3, u), 0, XA_SHAPE, "wants 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8),
        cmocka_unit_test(test_luma),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
