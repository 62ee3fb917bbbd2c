/* Paths and whole files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xaudit/util.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/xa_path_XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void beside(const char *base, const char *path, const char *expected)
{
    char *joined = xa_path_beside(base, path);
    assert_non_null(joined);
    assert_string_equal(joined, expected);
    free(joined);
}

static void test_beside(void **state)
{
    (void)state;
    beside("a/b.csv", "c.png", "a/c.png");
    beside("b.csv", "c.png", "c.png");
    beside("/b.csv", "c.png", "/c.png");
    beside("a/b.csv", "/c.png", "/c.png");
    beside("../b.csv", "../c.png", "../../c.png");
    beside("a/", "", "a/");
    beside(NULL, "c.png", "c.png");
    assert_null(xa_path_beside("a/b", NULL));
}

static void tidied(const char *path, const char *expected)
{
    char *in = xa_strfmt("%s%s", *path == '+' ? folder : "", *path == '+' ? path + 1 : path);
    char *want = xa_strfmt(
        "%s%s", *expected == '+' ? folder : "", *expected == '+' ? expected + 1 : expected);
    assert_non_null(in);
    assert_non_null(want);
    xa_path_tidy(in);
    assert_string_equal(in, want);
    free(in);
    free(want);
}

/* Folders as they are: +/a and +/a/b, and +/link, a link to +/a/b. */
static void test_parts(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"a/b/c.h5", "c.h5", "a/b"},
                                           {"c.h5", "c.h5", "."},
                                           {"/c.h5", "c.h5", "/"},
                                           {"a/b/", "", "a/b"},
                                           {"", "", "."}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *parent = xa_path_folder(cases[i][0]);
        assert_string_equal(xa_path_last(cases[i][0]), cases[i][1]);
        assert_string_equal(parent, cases[i][2]);
        free(parent);
    }
}

static void test_tidy(void **state)
{
    (void)state;
    char a[80], b[80], link[80];
    snprintf(a, sizeof a, "%s/a", folder);
    snprintf(b, sizeof b, "%s/a/b", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(mkdir(a, 0700), 0);
    assert_int_equal(mkdir(b, 0700), 0);
    assert_int_equal(symlink(b, link), 0);
    tidied("+/a/../x.h5", "+/x.h5");
    tidied("+/a/b/../../x.h5", "+/x.h5");
    tidied("+/a/./b//..///x.h5", "+/a/x.h5");
    tidied("+/a/b/..", "+/a");
    tidied("+/link/../x.h5", "+/link/../x.h5"); /* is a/x.h5 */
    tidied("+/link/b/../x.h5", "+/link/b/../x.h5");
    tidied("+/nowhere/../x.h5", "+/nowhere/../x.h5");
    tidied("+/a/../../x", "/tmp/x");
    tidied("", "");
    tidied("/", "/");
    tidied("//x", "/x");
    tidied("/..", "/..");
    tidied(".", ".");
    tidied("./", ".");
    tidied("./x", "x");
    tidied("x", "x");
    tidied("..", "..");
    tidied("../../x", "../../x");
    tidied("../../../x/.", "../../../x");
    tidied("..x/.y", "..x/.y");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(b), 0);
    assert_int_equal(rmdir(a), 0);
    /* from a working folder */
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("jobs", 0700), 0);
    tidied("jobs/../results/demo.h5", "results/demo.h5");
    tidied("jobs/../jobs/..", ".");
    assert_int_equal(rmdir("jobs"), 0);
    assert_int_equal(chdir(here), 0);
}

static char *write_file(const char *name, const void *bytes, size_t size)
{
    char *path = xa_strfmt("%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void test_read(void **state)
{
    (void)state;
    char *path = write_file("f", "ab\0cd", 5);
    char *data = NULL;
    size_t size = 0;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_read_file(path, 5, &data, &size, &err), XA_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(data, "ab\0cd", 6);
    free(data);
    data = NULL;
    assert_int_equal(xa_read_file(path, 4, &data, &size, &err), XA_LIMIT);
    assert_non_null(strstr(err.message, "at most 4 bytes"));
    assert_null(data);
    unlink(path);
    free(path);

    path = write_file("empty", "", 0);
    assert_int_equal(xa_read_file(path, SIZE_MAX, &data, &size, &err), XA_OK);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    free(data);
    unlink(path);
    free(path);
}

static void test_read_large(void **state)
{
    (void)state;
    const size_t n = 3000001;
    unsigned char *bytes = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    char *path = write_file("large", bytes, n);
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(xa_read_file(path, n, &data, &size, NULL), XA_OK);
    assert_int_equal(size, n);
    assert_memory_equal(data, bytes, n);
    char of_file[XA_SHA256_HEX];
    char of_bytes[XA_SHA256_HEX];
    assert_int_equal(xa_sha256_file(path, of_file, NULL), XA_OK);
    assert_int_equal(xa_sha256_bytes(bytes, n, of_bytes, NULL), XA_OK);
    assert_string_equal(of_file, of_bytes);
    free(data);
    free(bytes);
    unlink(path);
    free(path);
}

/* Files that claim to be empty but are not. */
static void test_read_proc(void **state)
{
    (void)state;
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(xa_read_file("/proc/self/status", 1 << 20, &data, &size, NULL), XA_OK);
    assert_non_null(strstr(data, "Name:"));
    free(data);
    data = NULL;
    assert_int_equal(xa_read_file("/proc/self/status", 10, &data, &size, NULL), XA_LIMIT);
    assert_null(data);
}

static void test_not_a_file(void **state)
{
    (void)state;
    char *data = NULL;
    size_t size = 0;
    char hex[XA_SHA256_HEX];
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_read_file(folder, 100, &data, &size, &err), XA_IO);
    assert_non_null(strstr(err.message, "found a folder"));
    char *path = xa_strfmt("%s/none\x1b", folder);
    assert_int_equal(xa_read_file(path, 100, &data, &size, &err), XA_NOT_FOUND);
    assert_non_null(strstr(err.message, "/none?: cannot open: "));
    assert_int_equal(xa_sha256_file(path, hex, &err), XA_NOT_FOUND);
    assert_int_equal(mkfifo(path, 0600), 0);
    /* Must not wait for somebody to write into the pipe. */
    assert_int_equal(xa_read_file(path, 100, &data, &size, &err), XA_IO);
    assert_non_null(strstr(err.message, "pipe"));
    assert_int_equal(xa_sha256_file(path, hex, &err), XA_IO);
    unlink(path);
    free(path);
    assert_null(data);
}

static void test_last(void **state)
{
    (void)state;
    assert_string_equal(xa_path_last("a/b.h5"), "b.h5");
    assert_string_equal(xa_path_last("b.h5"), "b.h5");
    assert_string_equal(xa_path_last("/a/"), "");
    assert_string_equal(xa_path_last(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_tidy),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_large),
        cmocka_unit_test(test_read_proc),
        cmocka_unit_test(test_not_a_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
