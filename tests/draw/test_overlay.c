/* Colours and overlays beside matplotlib's and the Keras listing's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/draw/golden_overlay.inc"
#include "xaudit/draw.h"
#include "xaudit_cmocka.h"

static xa_image image_of(const uint8_t *rgb, int64_t h, int64_t w)
{
    xa_image im;
    assert_int_equal(xa_image_init(&im, w, h, 3, XA_PIXEL_U8, NULL), XA_OK);
    memcpy(im.data, rgb, (size_t)(h * w * 3));
    return im;
}

static void same(const uint8_t *rgb,
                 const uint8_t *want,
                 int64_t h,
                 int64_t w,
                 const float *map,
                 int64_t mh,
                 int64_t mw)
{
    xa_image im = image_of(rgb, h, w), out = {0};
    int64_t differ = 0;
    assert_int_equal(xa_overlay_keras(&im, map, mh, mw, 0.4, &out, NULL), XA_OK);
    const uint8_t *got = out.data;
    for (int64_t i = 0; i < h * w * 3; i++) {
        if (abs((int)got[i] - (int)want[i]) > 1)
            fail_msg("value %lld: %d, the listing %d", (long long)i, got[i], want[i]);
        differ += got[i] != want[i];
    }
    assert_true(differ * 500 < h * w * 3); /* nearly all are equal */
    xa_image_fini(&im);
    xa_image_fini(&out);
}

static void test_as_the_listing(void **state)
{
    (void)state;
    same(image0, overlay0, H0, W0, map0, h0, w0);
    same(image1, overlay1, H1, W1, map1, h1, w1);
    same(image2, overlay2, H2, W2, map2, h2, w2);
}

static void test_colours(void **state)
{
    (void)state;
    const float map[6] = {-1.0f, 0.0f, 0.5f, 1.0f, 7.0f, NAN};
    xa_image out = {0};
    assert_int_equal(xa_map_colour(map, 2, 3, 0.0, 1.0, XA_COLORMAP_JET, &out, NULL), XA_OK);
    const uint8_t *rgb = out.data;
    const uint8_t(*jet)[3] = xa_colormap_table(XA_COLORMAP_JET);
    assert_memory_equal(rgb, jet[0], 3);
    assert_memory_equal(rgb + 3, jet[0], 3);
    assert_memory_equal(rgb + 6, jet[128], 3);
    assert_memory_equal(rgb + 9, jet[255], 3);
    assert_memory_equal(rgb + 12, jet[255], 3);
    assert_true(rgb[15] == 128 && rgb[16] == 128 && rgb[17] == 128);
    xa_image_fini(&out);
    for (int c = 0; c < XA_COLORMAP_COUNT; c++)
        assert_int_equal(xa_colormap_parse(xa_colormap_name((xa_colormap)c)), c);
    assert_int_equal(xa_colormap_parse("rainbow"), -1);
    const uint8_t first[3] = {68, 1, 84}, last[3] = {253, 231, 37}; /* viridis */
    assert_memory_equal(xa_colormap_table(XA_COLORMAP_VIRIDIS)[0], first, 3);
    assert_memory_equal(xa_colormap_table(XA_COLORMAP_VIRIDIS)[255], last, 3);
    /* a map of one value is the first colour, not a division by zero */
    const float flat[1] = {3.0f};
    assert_int_equal(xa_map_colour(flat, 1, 1, 3.0, 3.0, XA_COLORMAP_TURBO, &out, NULL), XA_OK);
    xa_image_fini(&out);
}

static void test_relevant(void **state)
{
    (void)state;
    const uint8_t a[6] = {0, 100, 200, 30, 45, 250};
    const float map[2] = {1.0f, 0.1f};
    xa_image x = image_of(a, 1, 2), out = {0};
    /* kept where map * value is less than 40 below it: 30 - 3 and 45 - 4 = 41, 250 - 25 */
    assert_int_equal(xa_relevant_pixels(&x, map, 40, &out, NULL), XA_OK);
    const uint8_t kept[6] = {0, 100, 200, 30, 255, 255};
    assert_memory_equal(out.data, kept, 6);
    xa_image_fini(&x);
    xa_image_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_listing),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_relevant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
