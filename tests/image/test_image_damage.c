/* Sample files with bytes changed, cut, repeated and moved: a clean error or whole pixels, never
 * anything else. The changes depend on file and number alone, so that a find can be repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image_pack.h"

static int64_t copies = 300;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_files(const char *folder, char **names, size_t most)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        if (e->d_name[0] != '.') {
            assert_true(n < most);
            names[n] = xa_strfmt("%s/%s", folder, e->d_name);
            assert_non_null(names[n++]);
        }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

/* Changes `bytes` in place; gives the new size (at most the old). */
static size_t damage(uint8_t *bytes, size_t size, uint64_t stream, uint64_t copy)
{
    uint64_t draw = copy * 64;
    const int64_t changes = 1 + xa_random_below(21, stream, draw++, 6);
    for (int64_t i = 0; i < changes; i++) {
        /* headers are where lengths and offsets are: half of the changes go there */
        const int64_t reach = xa_random_below(21, stream, draw++, 2) ? (int64_t)size : 200;
        const size_t at = (size_t)xa_random_below(
            21, stream, draw++, reach < (int64_t)size ? reach : (int64_t)size);
        const int64_t v = xa_random_below(21, stream, draw++, 256);
        switch (xa_random_below(21, stream, draw++, 6)) {
        case 0:
            bytes[at] ^= (uint8_t)(1 << v % 8);
            break;
        case 1:
            bytes[at] = (uint8_t)v;
            break;
        case 2:
            bytes[at] = v & 1 ? 0xFF : 0;
            break;
        case 3: /* a run of one value */
            memset(bytes + at, (int)v, size - at < 4 ? size - at : 4);
            break;
        case 4: /* a piece copied elsewhere */
            memmove(bytes + at, bytes + at / 2, (size - at) / 2 < 16 ? (size - at) / 2 : 16);
            break;
        default: /* cut */
            if (v < 64 && at > 4)
                size = at;
        }
    }
    return size;
}

static void test_damage(void **state)
{
    (void)state;
    char *names[256];
    size_t n = list_files(IMAGE_GOLDEN "files", names, 200);
    n += list_files(IMAGE_GOLDEN "bad", names + n, 56);
    long decoded = 0, refused = 0;
    uint64_t sum = 0;
    xa_decode_options opt = xa_decode_defaults();
    opt.max_pixels = 1 << 18;
    opt.max_bytes = 1 << 23;
    const int fd = memfd_create("damage", 0);
    assert_true(fd >= 0);
    char *path = xa_strfmt("/proc/self/fd/%d", fd);
    assert_non_null(path);
    for (size_t f = 0; f < n; f++) {
        char *whole;
        size_t size;
        assert_int_equal(xa_read_file(names[f], 1 << 22, &whole, &size, NULL), XA_OK);
        uint8_t *bytes = malloc(size + 1);
        assert_non_null(bytes);
        const uint64_t stream = xa_hash64(
            names[f] + sizeof IMAGE_GOLDEN - 1, strlen(names[f]) - (sizeof IMAGE_GOLDEN - 1), 0);
        for (int64_t c = 0; size > 0 && c < copies; c++) {
            memcpy(bytes, whole, size);
            const size_t left = damage(bytes, size, stream, (uint64_t)c);
            assert_int_equal(ftruncate(fd, 0), 0);
            assert_int_equal(pwrite(fd, bytes, left, 0), left);
            xa_image im;
            xa_err err = XA_ERR_INIT;
            opt.palette_index = c & 1;
            const double start = xa_cpu_time();
            const xa_status st = xa_image_read(path, &opt, &im, &err);
            /* a few bytes must not ask for minutes either */
            if (xa_cpu_time() - start > 5)
                fail_msg("%s, copy %lld: %g s", names[f], (long long)c, xa_cpu_time() - start);
            if (st == XA_OK) {
                sum ^= xa_image_hash(&im); /* every pixel is touched */
                xa_image_fini(&im);
                decoded++;
            } else {
                assert_true(err.message[0] != '\0' && err.code == st);
                refused++;
            }
        }
        free(bytes);
        free(whole);
        free(names[f]);
    }
    close(fd);
    free(path);
    print_message(
        "%ld copies decoded, %ld refused (%llx)\n", decoded, refused, (unsigned long long)sum);
    assert_true(decoded > 0 && refused > decoded / 4);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !xa_parse_i64(argv[1], &copies))
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
