/* Masks as numbers: palette indices, grey values as stored, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xaudit/image.h"

#define GOLDEN XA_TEST_DATA "/golden/manifest/"
#define FILES XA_TEST_DATA "/golden/image/files/"

static void read_labels(const char *path, xa_image *im)
{
    xa_err err = XA_ERR_INIT;
    if (xa_image_read_labels(path, NULL, im, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(im->channels, 1);
    assert_false(im->has_alpha);
}

static void test_written(void **state)
{
    (void)state;
    uint8_t pixels[7 * 5];
    char path[] = "/tmp/xa_mask_XXXXXX";
    char hex[2][XA_SHA256_HEX];
    xa_image im;
    close(mkstemp(path));
    for (int i = 0; i < 35; i++)
        pixels[i] = (uint8_t)(i % 3 ? i * 6 : 0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(xa_image_write_mask(path, pixels, 7, 5, NULL), XA_OK);
        assert_int_equal(xa_sha256_file(path, hex[k], NULL), XA_OK);
    }
    assert_string_equal(hex[0], hex[1]);
    read_labels(path, &im);
    assert_int_equal(im.width, 7);
    assert_int_equal(im.height, 5);
    assert_int_equal(im.type, XA_PIXEL_U8);
    assert_int_equal(im.bits, 1);
    for (int i = 0; i < 35; i++)
        assert_int_equal(((const uint8_t *)im.data)[i], pixels[i] != 0);
    xa_image_fini(&im);
    unlink(path);
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_image_write_mask("/nowhere/mask.png", pixels, 7, 5, &err), XA_IO);
    assert_non_null(strstr(err.message, "/nowhere/mask.png"));
    assert_int_equal(xa_image_write_mask(path, pixels, 0, 5, &err), XA_SHAPE);
}

/* Cat (8) at 2,1 to 9,5; dog (12) at 10,6 to 18,11; a void line (255) at y = 5. */
static void test_palette(void **state)
{
    (void)state;
    xa_image im;
    read_labels(GOLDEN "voc/SegmentationClass/2007_000001.png", &im);
    const uint8_t *p = im.data;
    for (int y = 0; y < 12; y++)
        for (int x = 0; x < 20; x++) {
            const int want = y == 5                                  ? 255
                             : x >= 2 && x < 9 && y >= 1 && y < 5    ? 8
                             : x >= 10 && x < 18 && y >= 6 && y < 11 ? 12
                                                                     : 0;
            assert_int_equal(p[y * 20 + x], want);
        }
    xa_image_fini(&im);
}

/* A 1-bit mask holds 0 and 1, not 0 and 255. */
static void test_one_bit(void **state)
{
    (void)state;
    xa_image im;
    read_labels(GOLDEN "openimages/masks/0/00a1_m0.png", &im);
    const uint8_t *p = im.data;
    for (int y = 0; y < 15; y++)
        for (int x = 0; x < 10; x++)
            assert_int_equal(p[y * 10 + x], x >= 2 && x < 5 && y >= 3 && y < 9);
    xa_image_fini(&im);
}

/* Stored samples of 2 and 4 bits, every file there is: widening them again gives what the decoder
 * gives. */
static void test_few_bits(void **state)
{
    (void)state;
    static const char *const files[] = {
        FILES "grey1.png",
        FILES "grey1i.png",
        FILES "grey2.png",
        FILES "grey2i.png",
        FILES "grey4.png",
        FILES "grey4i.png",
        FILES "bits1.tif",
        FILES "bits2.tif",
        FILES "bits3.tif",
        FILES "bits4.tif",
        FILES "bits6.tif",
        FILES "bits7.tif",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        xa_image im, wide;
        read_labels(files[i], &im);
        assert_int_equal(xa_image_read(files[i], NULL, &wide, NULL), XA_OK);
        assert_true(im.bits < 8);
        const int most = (1 << im.bits) - 1;
        for (int64_t k = 0; k < im.width * im.height; k++) {
            const int v = ((const uint8_t *)im.data)[k];
            assert_true(v <= most);
            assert_int_equal((v * 255 + most / 2) / most,
                             ((const uint8_t *)wide.data)[k * wide.channels]);
        }
        xa_image_fini(&im);
        xa_image_fini(&wide);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *words;
    } cases[] = {
        {FILES "grey.jpg", "a JPEG does not keep the numbers"},
        {FILES "i2_le.tif", "a mask of int16 samples"},
        {FILES "f4_le.tif", "a mask of float32 samples"},
        {FILES "bands5.tif", "a mask of "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_image im;
        xa_err err = XA_ERR_INIT;
        assert_int_equal(xa_image_read_labels(cases[i].file, NULL, &im, &err), XA_UNSUPPORTED);
        if (strstr(err.message, cases[i].words) == NULL)
            fail_msg("%s", err.message);
    }
}

/* As people save masks: tests/golden/image/make_masks.py. */
static void test_as_saved(void **state)
{
    (void)state;
    char name[64], want[32], path[256];
    int lossy, varies, files = 0;
    long pixels;
    FILE *f = fopen(XA_TEST_DATA "/golden/image/masks/expected.txt", "r");
    assert_non_null(f);
    while (fscanf(f, "%63s %d %31s %ld %d", name, &lossy, want, &pixels, &varies) == 5) {
        xa_decode_options opt = xa_decode_defaults();
        xa_image im = {0};
        xa_err err = XA_ERR_INIT;
        long above = 0;
        opt.lossy_labels = lossy != 0;
        snprintf(path, sizeof path, XA_TEST_DATA "/golden/image/masks/%s", name);
        const xa_status st = xa_image_read_labels(path, &opt, &im, &err);
        const char *found = st == XA_OK            ? "ok"
                            : st == XA_UNSUPPORTED ? "unsupported"
                            : st == XA_INVALID     ? "invalid"
                                                   : "another status";
        if (strcmp(found, want) != 0)
            fail_msg("%s: %s (%s), expected %s", name, found, err.message, want);
        for (int64_t i = 0; i < im.width * im.height; i++)
            above += xa_image_label(&im, i) > 127;
        if (above != pixels)
            fail_msg("%s: %ld pixels above 127, expected %ld", name, above, pixels);
        assert_int_equal(im.alpha_varies, varies);
        xa_image_fini(&im);
        files++;
    }
    fclose(f);
    assert_true(files > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_palette),
        cmocka_unit_test(test_one_bit),
        cmocka_unit_test(test_few_bits),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_as_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
