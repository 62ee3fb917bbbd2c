/* Arrays of numpy's, and what an exporter noted in an ONNX file: read, refused, and changed at
 * random. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model_internal.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/targets"

static char path[] = "/tmp/xaudit-notes-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_bytes(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* ---- arrays ---- */

/* Writes a .npy of format 1 with that header and those bytes behind it, and reads it. */
static xa_status read_array(const char *header, const void *data, size_t n, xa__npy *a, xa_err *err)
{
    const size_t length = strlen(header);
    char bytes[512] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(length & 255), (char)(length >> 8)};
    assert_true(10 + length + n <= sizeof bytes);
    memcpy(bytes + 10, header, length);
    memcpy(bytes + 10 + length, data, n);
    write_bytes(bytes, 10 + length + n);
    return xa__npy_read(path, 1 << 20, a, err);
}

static void
expect(const char *header, const void *data, size_t n, const double *want, int64_t count)
{
    xa__npy a;
    xa_err err = XA_ERR_INIT;
    if (read_array(header, data, n, &a, &err) != XA_OK)
        fail_msg("%s: %s", header, err.message);
    assert_int_equal(a.count, count);
    for (int64_t i = 0; i < count; i++)
        assert_true(a.values[i] == want[i]);
    free(a.values);
}

static void test_arrays(void **state)
{
    (void)state;
    static const float f4[] = {1.5f, -2.0f, 0.25f, 8.0f};
    static const double f8[] = {1.5, -2.0, 0.25, 8.0}, small[] = {-2.0, 3.0}, truths[] = {1.0, 0.0},
                        large[] = {254.0, 3.0};
    static const uint16_t f2[] = {0x3e00, 0xc000, 0x3400, 0x4800};
    static const int64_t i8[] = {-2, 3};
    static const int16_t i2[] = {-2, 3};
    static const uint8_t u1[] = {254, 3}, b1[] = {1, 0};
    expect("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", f4, 16, f8, 4);
    expect("{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }\n", f8, 32, f8, 4);
    expect("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 4), }\n", f2, 8, f8, 4);
    expect("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", i8, 16, small, 2);
    expect("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n", i2, 4, small, 2);
    expect("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", u1, 2, large, 2);
    expect("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }\n", b1, 2, truths, 2);
    expect("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n", f8, 8, f8, 1);
    expect("{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }\n", f8, 16, f8, 2);
}

static void test_refused_arrays(void **state)
{
    (void)state;
    static const struct {
        const char *header, *words;
    } cases[] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "little-endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", "little-endian"},
        {"{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }", "little-endian"},
        {"{'descr': '<f3', 'fortran_order': False, 'shape': (2,), }", "little-endian"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "little-endian"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", "Fortran"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
         "should hold 3 values and holds 2"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }",
         "no shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "no shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, x), }", "no shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 2), }",
         "no shape"},
        {"{'descr': '<f4', 'shape': (2,), }", "Fortran"},
        {"", "little-endian"}};
    static const float two[2];
    xa__npy a;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_err err = XA_ERR_INIT;
        const xa_status st = read_array(cases[i].header, two, sizeof two, &a, &err);
        if (st == XA_OK || !strstr(err.message, cases[i].words) || !strstr(err.message, path))
            fail_msg("%s: %s", cases[i].header, st == XA_OK ? "it is read" : err.message);
        assert_null(a.values);
    }
}

/* ---- notes ---- */

static void test_notes(void **state)
{
    (void)state;
    char *text;
    assert_int_equal(xa_model_metadata(GOLDEN ".onnx", XA_NOTE_CLASSES, &text, NULL), XA_OK);
    assert_string_equal(text, "[\"ant\", \"bee\", \"cat\", \"dog\", \"emu\"]");
    free(text);
    assert_int_equal(xa_model_metadata(GOLDEN ".onnx", "xaudit.other", &text, NULL), XA_OK);
    assert_null(text);
    assert_int_equal(
        xa_model_metadata(XA_TEST_DATA "/golden/onnx/vit.ts.onnx", XA_NOTE_INPUT, &text, NULL),
        XA_OK);
    assert_null(text);
    assert_int_equal(
        xa_model_metadata(XA_PROJECT "/jobs/demo/xception.h5", XA_NOTE_INPUT, &text, NULL), XA_OK);
    assert_null(text); /* of another format */
    assert_int_equal(xa_model_metadata("nowhere.onnx", XA_NOTE_INPUT, &text, NULL), XA_NOT_FOUND);
    assert_null(text);
}

/* Whatever the bytes, reading ends with what was read or an error. */
static void mutate(const char *file, int rounds, void (*reads)(void))
{
    char *whole = NULL;
    size_t size = 0;
    assert_int_equal(xa_read_file(file, 1 << 20, &whole, &size, NULL), XA_OK);
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (int i = 0; i < rounds; i++) {
        const uint64_t round = (uint64_t)i;
        memcpy(bytes, whole, size);
        for (uint64_t k = 0; k < 1 + round % 4; k++)
            bytes[xa_random_below(5, 1, 8 * round + k, (int64_t)size)] =
                (char)xa_random_below(5, 2, 8 * round + k, 256);
        const int64_t kept = i % 3 ? (int64_t)size : xa_random_below(5, 3, round, (int64_t)size);
        write_bytes(bytes, (size_t)kept);
        reads();
    }
    free(bytes);
    free(whole);
}

static void read_as_array(void)
{
    xa__npy a;
    (void)!xa__npy_read(path, 1 << 20, &a, NULL);
    free(a.values);
}

static void read_as_notes(void)
{
    char *text;
    (void)!xa_model_metadata(path, XA_NOTE_INPUT, &text, NULL);
    free(text);
}

static void test_damage(void **state)
{
    (void)state;
    mutate(GOLDEN ".npy", 600, read_as_array);
    mutate(GOLDEN ".onnx", 300, read_as_notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arrays),
                                       cmocka_unit_test(test_refused_arrays),
                                       cmocka_unit_test(test_notes),
                                       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
