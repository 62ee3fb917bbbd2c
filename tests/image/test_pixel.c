/* Pixel buffers: extents, orientation, hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/image/image_internal.h"
#include "xaudit/image.h"

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(xa_pixel_bytes(XA_PIXEL_U8), 1);
    assert_int_equal(xa_pixel_bytes(XA_PIXEL_F64), 8);
    assert_int_equal(xa_pixel_bytes((xa_pixel)99), 0);
    assert_string_equal(xa_pixel_name(XA_PIXEL_I16), "int16");
    assert_string_equal(xa_pixel_name((xa_pixel)-1), "unknown");
}

static void test_init(void **state)
{
    (void)state;
    xa_image im = {.width = 77};
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_init(&im, 0, 3, 1, XA_PIXEL_U8, &err), XA_INVALID);
    assert_int_equal(xa_image_init(&im, 3, -1, 1, XA_PIXEL_U8, &err), XA_INVALID);
    assert_int_equal(xa_image_init(&im, 3, 3, 0, XA_PIXEL_U8, &err), XA_INVALID);
    assert_int_equal(xa_image_init(&im, 3, 3, 1, XA_PIXEL_COUNT, &err), XA_INVALID);
    assert_int_equal(xa_image_init(&im, INT64_MAX, INT64_MAX, 4, XA_PIXEL_F64, &err), XA_LIMIT);
    assert_int_equal(xa_image_init(&im, INT64_MAX / 2, 1, 4, XA_PIXEL_F64, &err), XA_LIMIT);
    assert_int_equal(im.width, 77); /* untouched by failures */
    assert_int_equal(xa_image_init(&im, 5, 3, 2, XA_PIXEL_U16, &err), XA_OK);
    assert_int_equal(im.width, 5);
    for (int i = 0; i < 30; i++)
        assert_int_equal(((uint16_t *)im.data)[i], 0);
    xa_image_fini(&im);
    assert_null(im.data);
    assert_int_equal(im.width, 0);
    xa_image_fini(&im);
    xa_image_fini(NULL);
}

/* Where the pixel shown at (x, y) is stored, by EXIF's definition: orientation says on which visual
 * side the stored row 0 and column 0 lie. */
static void
stored_at(int orientation, int64_t w, int64_t h, int64_t x, int64_t y, int64_t *sx, int64_t *sy)
{
    /* w x h stored; x, y in the shown image */
    switch (orientation) {
    case 1: /* row 0 top, column 0 left */
        *sx = x, *sy = y;
        break;
    case 2: /* top, right */
        *sx = w - 1 - x, *sy = y;
        break;
    case 3: /* bottom, right */
        *sx = w - 1 - x, *sy = h - 1 - y;
        break;
    case 4: /* bottom, left */
        *sx = x, *sy = h - 1 - y;
        break;
    case 5: /* left, top */
        *sx = y, *sy = x;
        break;
    case 6: /* right, top */
        *sx = y, *sy = h - 1 - x;
        break;
    case 7: /* right, bottom */
        *sx = w - 1 - y, *sy = h - 1 - x;
        break;
    default: /* left, bottom */
        *sx = w - 1 - y, *sy = x;
    }
}

static void test_orient(void **state)
{
    (void)state;
    static const int64_t SIZES[][2] = {{1, 1}, {1, 5}, {4, 1}, {3, 5}, {6, 4}};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++)
        for (int o = 1; o <= 8; o++) {
            const int64_t w = SIZES[s][0], h = SIZES[s][1];
            xa_image im;
            assert_int_equal(xa_image_init(&im, w, h, 3, XA_PIXEL_U16, NULL), XA_OK);
            for (int64_t i = 0; i < w * h * 3; i++)
                ((uint16_t *)im.data)[i] = (uint16_t)i;
            im.orientation = o;
            assert_int_equal(xa__image_orient(&im, NULL), XA_OK);
            assert_int_equal(im.width, o >= 5 ? h : w);
            assert_int_equal(im.height, o >= 5 ? w : h);
            for (int64_t y = 0; y < im.height; y++)
                for (int64_t x = 0; x < im.width; x++) {
                    int64_t sx, sy;
                    stored_at(o, w, h, x, y, &sx, &sy);
                    for (int64_t c = 0; c < 3; c++)
                        assert_int_equal(((uint16_t *)im.data)[(y * im.width + x) * 3 + c],
                                         (sy * w + sx) * 3 + c);
                }
            xa_image_fini(&im);
        }
}

static void test_hash(void **state)
{
    (void)state;
    xa_image a, b, c, d;
    assert_int_equal(xa_image_init(&a, 4, 6, 1, XA_PIXEL_U8, NULL), XA_OK);
    assert_int_equal(xa_image_init(&b, 6, 4, 1, XA_PIXEL_U8, NULL), XA_OK);
    assert_int_equal(xa_image_init(&c, 4, 3, 1, XA_PIXEL_U16, NULL), XA_OK);
    assert_int_equal(xa_image_init(&d, 4, 6, 1, XA_PIXEL_U8, NULL), XA_OK);
    assert_true(xa_image_hash(&a) == xa_image_hash(&d));
    assert_true(xa_image_hash(&a) != xa_image_hash(&b)); /* same bytes, other extents */
    assert_true(xa_image_hash(&a) != xa_image_hash(&c)); /* same bytes, other type */
    ((uint8_t *)d.data)[23] = 1;
    assert_true(xa_image_hash(&a) != xa_image_hash(&d));
    xa_image_fini(&a);
    xa_image_fini(&b);
    xa_image_fini(&c);
    xa_image_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_orient),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
