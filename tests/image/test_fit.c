/* From the stored frame to the model's frame and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "image_pack.h"

static void test_golden(void **state)
{
    (void)state;
    pack p;
    record r;
    xa_image im = {0};
    int cases = 0;
    pack_open(&p, "fits.pack");
    while (pack_next(&p, &r)) {
        if (record_word(&r, "in")) {
            xa_image_fini(&im);
            record_image(&r, &im);
            continue;
        }
        const bool crop = strcmp(record_word(&r, "kind"), "crop") == 0;
        const xa_fit fit = {.kind = crop ? XA_FIT_CROP : XA_FIT_PAD,
                            .short_side = crop ? (int64_t)record_number(&r, "short") : 0,
                            .pad_value = crop ? 0 : record_number(&r, "value")};
        xa_image got, want;
        double map[2][3];
        assert_int_equal(
            xa_image_fit(&im, r.width, r.height, &fit, XA_RESAMPLE_PIL_BILINEAR, &got, map, NULL),
            XA_OK);
        record_image(&r, &want);
        if (image_difference(&got, &want, NULL, NULL) > 0)
            fail_msg("%s", r.line);
        xa_image_fini(&got);
        xa_image_fini(&want);
        cases++;
    }
    xa_image_fini(&im);
    pack_close(&p);
    assert_int_equal(cases, 16);
}

/* An image whose samples are its own pixel-centre coordinates: after a fit every sample must be
 * where the affine map says. */
static void check_map(int64_t w, int64_t h, int64_t width, int64_t height, const xa_fit *fit)
{
    xa_image im, out;
    double map[2][3];
    assert_int_equal(xa_image_init(&im, w, h, 2, XA_PIXEL_F32, NULL), XA_OK);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            ((float *)im.data)[(y * w + x) * 2] = (float)x + 0.5f;
            ((float *)im.data)[(y * w + x) * 2 + 1] = (float)y + 0.5f;
        }
    assert_int_equal(xa_image_fit(&im, width, height, fit, XA_RESAMPLE_CV2_LINEAR, &out, map, NULL),
                     XA_OK);
    assert_int_equal(out.width, width);
    assert_int_equal(out.height, height);
    assert_true(map[0][1] == 0 && map[1][0] == 0);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const float *v = (float *)out.data + (y * width + x) * 2;
            const double px = map[0][0] * ((double)x + 0.5) + map[0][2];
            const double py = map[1][1] * ((double)y + 0.5) + map[1][2];
            const bool inside = px > 0 && px < (double)w && py > 0 && py < (double)h;
            if (!inside) {
                assert_true(v[0] == (float)fit->pad_value && v[1] == (float)fit->pad_value);
                continue;
            }
            /* half a pixel at the border is clamped */
            const double wx = fmin(fmax(px, 0.5), (double)w - 0.5);
            const double wy = fmin(fmax(py, 0.5), (double)h - 0.5);
            if (fabs(v[0] - wx) > 1e-3 || fabs(v[1] - wy) > 1e-3)
                fail_msg("at %lld,%lld: %g,%g, want %g,%g",
                         (long long)x,
                         (long long)y,
                         v[0],
                         v[1],
                         wx,
                         wy);
        }
    xa_image_fini(&im);
    xa_image_fini(&out);
}

static void test_maps(void **state)
{
    (void)state;
    const xa_fit stretch = {.kind = XA_FIT_STRETCH};
    const xa_fit crop = {.kind = XA_FIT_CROP, .short_side = 40};
    const xa_fit small = {.kind = XA_FIT_CROP, .short_side = 20, .pad_value = -7};
    const xa_fit pad = {.kind = XA_FIT_PAD, .pad_value = -9};
    check_map(30, 20, 60, 80, &stretch);
    check_map(20, 20, 20, 20, &stretch);
    check_map(30, 20, 35, 32, &crop);
    check_map(20, 33, 32, 35, &crop);
    check_map(30, 20, 35, 32, &small); /* larger than what was resized: padded on two sides */
    check_map(30, 20, 64, 64, &pad);
    check_map(20, 30, 64, 64, &pad);
    check_map(1, 90, 16, 16, &pad);
}

static void test_pad_values(void **state)
{
    (void)state;
    xa_image im, out;
    double map[2][3];
    assert_int_equal(xa_image_init(&im, 4, 2, 1, XA_PIXEL_U8, NULL), XA_OK);
    memset(im.data, 50, 8);
    static const struct {
        double value;
        int want;
    } CASES[] = {{0, 0}, {127.6, 128}, {300, 255}, {-4, 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const xa_fit pad = {.kind = XA_FIT_PAD, .pad_value = CASES[i].value};
        assert_int_equal(xa_image_fit(&im, 4, 4, &pad, XA_RESAMPLE_PIL_NEAREST, &out, map, NULL),
                         XA_OK);
        assert_int_equal(((uint8_t *)out.data)[0], CASES[i].want);
        assert_int_equal(((uint8_t *)out.data)[4], 50);
        assert_int_equal(((uint8_t *)out.data)[15], CASES[i].want);
        xa_image_fini(&out);
    }
    xa_image_fini(&im);
}

static void test_failures(void **state)
{
    (void)state;
    xa_image im, out;
    double map[2][3];
    assert_int_equal(xa_image_init(&im, 4, 2, 1, XA_PIXEL_U8, NULL), XA_OK);
    xa_fit fit = {.kind = XA_FIT_CROP, .short_side = 0};
    assert_int_equal(xa_image_fit(&im, 4, 4, &fit, XA_RESAMPLE_PIL_NEAREST, &out, map, NULL),
                     XA_INVALID);
    xa_image line; /* 1 x 100000 to a short side of 256 would be 20 GB */
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_init(&line, 1, 100000, 3, XA_PIXEL_U8, NULL), XA_OK);
    fit.short_side = 256;
    assert_int_equal(xa_image_fit(&line, 224, 224, &fit, XA_RESAMPLE_PIL_BILINEAR, &out, map, &err),
                     XA_LIMIT);
    assert_non_null(strstr(err.message, "256 x 25600000"));
    xa_image_fini(&line);
    fit.kind = (xa_fit_kind)9;
    assert_int_equal(xa_image_fit(&im, 4, 4, &fit, XA_RESAMPLE_PIL_NEAREST, &out, map, NULL),
                     XA_INVALID);
    fit.kind = XA_FIT_STRETCH;
    assert_int_equal(xa_image_fit(&im, 0, 4, &fit, XA_RESAMPLE_PIL_NEAREST, &out, map, NULL),
                     XA_INVALID);
    xa_image_fini(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_pad_values),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
