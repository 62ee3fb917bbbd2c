/* Every sample file against the pixels expected of it, and everything that must fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_pack.h"

static void check_words(const record *r, const xa_image *im)
{
    assert_int_equal(im->bits, record_number(r, "bits"));
    assert_int_equal(im->has_alpha, record_number(r, "alpha"));
    assert_int_equal(im->orientation, record_number(r, "orientation"));
    assert_int_equal(im->pages, record_number(r, "pages"));
    assert_string_equal(im->colour, record_word(r, "colour"));
    const char *file = record_word(r, "file");
    assert_string_equal(im->format,
                        xa_str_ends(file, ".jpg")   ? "jpeg"
                        : xa_str_ends(file, ".png") ? "png"
                                                    : "tiff");
}

static void test_golden(void **state)
{
    (void)state;
    pack p;
    record r;
    int cases = 0, failed = 0;
    pack_open(&p, "images.pack");
    while (pack_next(&p, &r)) {
        xa_decode_options opt = xa_decode_defaults();
        xa_image got, want, head;
        xa_err err = XA_ERR_INIT;
        opt.page = (int)record_number(&r, "page");
        opt.palette_index = record_number(&r, "index") != 0;
        char *path = xa_strfmt(IMAGE_GOLDEN "files/%s", record_word(&r, "file"));
        assert_non_null(path);
        cases++;
        if (xa_image_read(path, &opt, &got, &err) != XA_OK) {
            print_error("%s\n", err.message);
            failed++;
            free(path);
            continue;
        }
        record_image(&r, &want);
        const double most = image_difference(&got, &want, NULL, NULL);
        if (most > record_number(&r, "tol")) {
            print_error("%s: difference %g\n", path, most);
            failed++;
        }
        check_words(&r, &got);
        assert_int_equal(xa_image_probe(path, &opt, &head, &err), XA_OK);
        assert_null(head.data);
        assert_int_equal(head.width, got.width);
        assert_int_equal(head.height, got.height);
        assert_int_equal(head.channels, got.channels);
        assert_int_equal(head.type, got.type);
        check_words(&r, &head);
        xa_image_fini(&got);
        xa_image_fini(&want);
        free(path);
    }
    pack_close(&p);
    print_message("%d images\n", cases);
    assert_int_equal(failed, 0);
    assert_true(cases > 140);
}

/* Runs every file of bad.txt; nothing may reach standard error meanwhile. */
static void test_bad(void **state)
{
    (void)state;
    char *list;
    size_t size;
    int cases = 0, wrong = 0;
    assert_int_equal(xa_read_file(IMAGE_GOLDEN "bad/bad.txt", 1 << 20, &list, &size, NULL), XA_OK);
    FILE *caught = tmpfile();
    assert_non_null(caught);
    const int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
    for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
        char file[64], status[32], words[64] = "";
        xa_image im = {.width = -5};
        xa_err err = XA_ERR_INIT;
        assert_true(sscanf(line, "%63[^\t]\t%31[^\t]\t%63[^\n]", file, status, words) >= 2);
        char *path = xa_strfmt(IMAGE_GOLDEN "bad/%s", file);
        assert_non_null(path);
        const xa_status st = xa_image_read(path, NULL, &im, &err);
        if (strcmp(xa_status_name(st), status) != 0 || !strstr(err.message, words) ||
            !strstr(err.message, file)) {
            print_message("%s: got %s (%s), want %s with '%s'\n",
                          file,
                          xa_status_name(st),
                          err.message,
                          status,
                          words);
            wrong++;
        }
        if (st == XA_OK)
            xa_image_fini(&im);
        else
            assert_int_equal(im.width, -5);
        cases++;
        free(path);
    }
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    assert_int_equal(lseek(fileno(caught), 0, SEEK_END), 0);
    fclose(caught);
    free(list);
    assert_int_equal(wrong, 0);
    assert_true(cases > 40);
}

static void
expect_failure(const char *path, const xa_decode_options *opt, xa_status want, const char *words)
{
    xa_image im;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_image_read(path, opt, &im, &err);
    if (st != want || !strstr(err.message, words) || !strstr(err.message, path))
        fail_msg("got %s (%s)", xa_status_name(st), err.message);
    assert_int_equal(xa_image_read(path, opt, &im, NULL), want); /* without an error record */
}

static void test_paths(void **state)
{
    (void)state;
    char folder[] = "/tmp/xaudit-image-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *pipe_path = xa_strfmt("%s/pipe.jpg", folder);
    assert_non_null(pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    expect_failure(folder, NULL, XA_IO, "regular file");
    expect_failure(pipe_path, NULL, XA_IO, "regular file");
    unlink(pipe_path);
    expect_failure(pipe_path, NULL, XA_NOT_FOUND, "");
    free(pipe_path);
    rmdir(folder);
    expect_failure("/dev/zero", NULL, XA_IO, "regular file");
}

static void test_options(void **state)
{
    (void)state;
    static const char *const SAMPLES[] = {IMAGE_GOLDEN "files/420.jpg",
                                          IMAGE_GOLDEN "files/rgb8.png",
                                          IMAGE_GOLDEN "files/codec_lzw.tif",
                                          IMAGE_GOLDEN "files/tiles.tif",
                                          IMAGE_GOLDEN "files/ycbcr_raw.tif"};
    for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
        xa_decode_options opt = xa_decode_defaults();
        opt.max_pixels = 100;
        expect_failure(SAMPLES[i], &opt, XA_LIMIT, "pixels");
        opt = xa_decode_defaults();
        opt.max_bytes = 1000;
        expect_failure(SAMPLES[i], &opt, XA_LIMIT, "limit of 1000");
        opt.max_bytes = 0;
        expect_failure(SAMPLES[i], &opt, XA_INVALID, "max_bytes");
        opt = xa_decode_defaults();
        opt.page = 1;
        expect_failure(SAMPLES[i], &opt, XA_INVALID, "page 1");
        opt.page = -1;
        expect_failure(SAMPLES[i], &opt, XA_INVALID, "page -1");
    }
    xa_decode_options opt = xa_decode_defaults();
    opt.page = 3;
    expect_failure(IMAGE_GOLDEN "files/pages.tif", &opt, XA_INVALID, "has 3");
}

static void test_orientation_ignored(void **state)
{
    (void)state;
    xa_decode_options opt = xa_decode_defaults();
    xa_image turned, stored;
    assert_int_equal(xa_image_read(IMAGE_GOLDEN "files/orientation6.jpg", &opt, &turned, NULL),
                     XA_OK);
    opt.ignore_orientation = true;
    assert_int_equal(xa_image_read(IMAGE_GOLDEN "files/orientation6.jpg", &opt, &stored, NULL),
                     XA_OK);
    assert_int_equal(stored.orientation, 6);
    assert_int_equal(stored.width, 33);
    assert_int_equal(stored.height, 19);
    assert_int_equal(turned.width, 19);
    assert_int_equal(turned.height, 33);
    for (int64_t y = 0; y < 33; y++)
        for (int64_t x = 0; x < 19; x++)
            assert_memory_equal((uint8_t *)turned.data + (y * 19 + x) * 3,
                                (uint8_t *)stored.data + ((18 - x) * 33 + y) * 3,
                                3);
    xa_image_fini(&turned);
    xa_image_fini(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_orientation_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
