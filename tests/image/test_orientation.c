/* Orientations in every place where writers put them, against Pillow:
 * tests/golden/image/make_orientation.py. */
#include "xaudit/image.h"
#include "xaudit_cmocka.h"

#include <stdio.h>
#include <string.h>

#define FOLDER XA_TEST_DATA "/golden/image/orientation/"

static void test_as_pillow(void **state)
{
    (void)state;
    char name[64], path[256];
    long long width, height;
    int files = 0;
    FILE *f = fopen(FOLDER "expected.txt", "r");
    assert_non_null(f);
    while (fscanf(f, "%63s %lld %lld", name, &width, &height) == 3) {
        const xa_decode_options opt = xa_decode_defaults();
        xa_image pixels, header;
        xa_err err = XA_ERR_INIT;
        snprintf(path, sizeof path, FOLDER "%s", name);
        if (xa_image_read(path, &opt, &pixels, &err) != XA_OK ||
            xa_image_probe(path, &opt, &header, &err) != XA_OK)
            fail_msg("%s: %s", name, err.message);
        if (pixels.width != width || pixels.height != height)
            fail_msg("%s is %lldx%lld, Pillow has %lldx%lld",
                     name,
                     (long long)pixels.width,
                     (long long)pixels.height,
                     width,
                     height);
        assert_int_equal(header.width, width);
        assert_int_equal(header.height, height);
        assert_int_equal(header.orientation, pixels.orientation);
        xa_image_fini(&pixels);
        files++;
    }
    fclose(f);
    assert_true(files > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_pillow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
