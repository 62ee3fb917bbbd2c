/* Files that are not ours, damaged, of a later version, or hostile. */
#include <hdf5.h>

#include "archive/archive_reading.h"

static void test_not_archives(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    assert_fails(
        xa_archive_open_read(in_folder("none.h5"), &a, &err), XA_NOT_FOUND, err, "none.h5");
    assert_fails(xa_archive_open_read(folder, &a, &err), XA_IO, err, "a folder");
    const char *file = in_folder("other");
    spill(file, "", 0);
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "found no bytes");
    spill(file, "sample,label\na,1\n", 17);
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "found no HDF5 file");
    spill(file, "\x89HDF\r\n", 6);
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "found no HDF5 file");
    spill(file, "\x89HDF\r\n\x1a\n", 8);
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "cannot open it as HDF5");
    assert_int_equal(unlink(file), 0);
}

/* Cut anywhere it is refused, or opened when only the last bytes of data are gone; it never
 * crashes. HDF5 itself notices a short file. */
static void test_truncated(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    size_t size = 0;
    char *bytes = slurp(path, &size);
    const char *file = in_folder("cut.h5");
    for (size_t cut = 1; cut < size; cut += cut < 4096 ? 97 : 511) {
        xa_archive *a = NULL;
        spill(file, bytes, cut);
        xa_status st = xa_archive_open_read(file, &a, &err);
        assert_int_equal(st, XA_FORMAT);
        assert_non_null(strstr(err.message, "cut.h5"));
    }
    spill(file, bytes, size - 1);
    xa_archive *a = NULL;
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "truncated");
    free(bytes);
    assert_int_equal(unlink(file), 0);
}

/* Every value of every byte of the version, as a damaged disk may have it. (Damage to HDF5's own
 * structures is HDF5's to notice: 1.10.8 crashes on some, and nothing outside it can help.) */
static void test_damaged_version(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = slurp(path, &size);
    const char *file = in_folder("damaged.h5");
    char *at = memmem(bytes, size, "format_version", 14);
    assert_non_null(at);
    at = memmem(at, size - (size_t)(at - bytes), "1.2", 3);
    assert_non_null(at);
    int opened_ones = 0;
    for (int i = 0; i < 3; i++) {
        for (int value = 0; value < 256; value++) {
            xa_err err = XA_ERR_INIT;
            xa_archive *a = NULL;
            const char was = at[i];
            at[i] = (char)value;
            const bool good = at[0] == '1' && at[1] == '.' && at[2] >= '0' && at[2] <= '9';
            spill(file, bytes, size);
            at[i] = was;
            xa_status st = xa_archive_open_read(file, &a, &err);
            assert_int_equal(st, good ? XA_OK : XA_FORMAT);
            if (st == XA_OK)
                closed(a);
            opened_ones += good;
        }
    }
    assert_int_equal(opened_ones, 12); /* the ten minor versions, and twice nothing changed */
    free(bytes);
    assert_int_equal(unlink(file), 0);
}

static void put_text(hid_t at, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    assert_true(H5Tset_size(type, strlen(text)) >= 0);
    hid_t attr = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attr, type, text) >= 0);
    H5Aclose(attr);
    H5Sclose(space);
    H5Tclose(type);
}

/* A file that another program wrote, which says that it is of this format. */
static hid_t foreign(const char *file, const char *format, const char *version)
{
    hid_t f = H5Fcreate(file, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(f >= 0);
    if (format != NULL)
        put_text(f, "format", format);
    if (version != NULL)
        put_text(f, "format_version", version);
    return f;
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        const char *format, *version, *words;
    } cases[] = {
        {NULL, NULL, "no archive of xaudit: the attribute format of / is not there"},
        {"other", "1.0", "is 'other', expected 'xaudit'"},
        {"xaudit", NULL, "format_version of / is no version"},
        {"xaudit", "one", "is no version: 'one'"},
        {"xaudit", "2.0", "format 2.0; this xaudit reads 1.x: use a newer one"},
        {"xaudit", "0.9", "use an older one"},
    };
    const char *file = in_folder("foreign.h5");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_err err = XA_ERR_INIT;
        xa_archive *a = NULL;
        assert_true(H5Fclose(foreign(file, cases[i].format, cases[i].version)) >= 0);
        assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, cases[i].words);
    }
    /* A later minor version is read. */
    assert_true(H5Fclose(foreign(file, "xaudit", "1.7")) >= 0);
    closed(opened(file));
    /* Numbers where texts are expected. */
    hid_t f = foreign(file, NULL, "1.0");
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attr = H5Acreate2(f, "format", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attr >= 0);
    H5Aclose(attr);
    H5Sclose(space);
    assert_true(H5Fclose(f) >= 0);
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    assert_fails(xa_archive_open_read(file, &a, &err), XA_FORMAT, err, "is not a text");
    assert_int_equal(unlink(file), 0);
}

static hid_t
put_dataset(hid_t f, const char *name, hid_t type, int ndim, const hsize_t *dim, const void *data)
{
    hid_t space = ndim >= 0 ? H5Screate_simple(ndim, dim, NULL) : H5Screate(H5S_NULL);
    hid_t dataset = H5Dcreate2(f, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(dataset >= 0);
    if (data != NULL)
        assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    return type;
}

/* What a later format may hold: it is shown and digested as far as it can be, and never in the way.
 */
static void test_later_contents(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    const char *file = in_folder("later.h5");
    const hsize_t three = 3, six[6] = {1, 1, 1, 1, 1, 2};
    const int16_t small[3] = {1, -2, 3};
    const uint8_t big_endian[12] = {0x3f, 0x80, 0, 0, 0x40, 0, 0, 0, 0xc0, 0, 0, 0};
    const char *words[3] = {"a", "bc", "def"};
    const double scalar = 2.5;
    hid_t f = foreign(file, "xaudit", "1.3");
    hid_t text = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(text, H5T_VARIABLE) >= 0);
    (void)put_dataset(f, "big_endian", H5T_IEEE_F32BE, 1, &three, big_endian);
    (void)put_dataset(f, "i16", H5T_STD_I16LE, 1, &three, small);
    (void)put_dataset(f, "nothing", H5T_STD_I32LE, -1, NULL, NULL);
    (void)put_dataset(f, "scalar", H5T_IEEE_F64LE, 0, NULL, &scalar);
    (void)put_dataset(f, "six", H5T_STD_U8LE, 6, six, NULL);
    (void)put_dataset(f, "words", text, 1, &three, words);
    H5Tclose(text);
    /* A circle, a link to nowhere, a link to another file that has a dataset. */
    hid_t group = H5Gcreate2(f, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Lcreate_hard(f, "/", group, "up", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/none", group, "nowhere", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external(
                    "sample.h5", "/models/net", group, "out", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external("gone.h5", "/models", group, "gone", H5P_DEFAULT, H5P_DEFAULT) >=
                0);
    H5Gclose(group);
    assert_true(H5Fclose(f) >= 0);

    xa_archive *a = opened(file);
    seen list = {.n = 0};
    assert_ok(xa_archive_walk(a, remember, &list, &err), err);
    static const char *const expected[] = {"/big_endian",
                                           "/group/out/logits",
                                           "/group/out/message",
                                           "/group/out/predicted",
                                           "/group/out/status",
                                           "/i16",
                                           "/nothing",
                                           "/scalar",
                                           "/words"};
    assert_int_equal(list.n, 9);
    for (int i = 0; i < 9; i++)
        assert_string_equal(list.path[i], expected[i]);

    xa_dataset_info info;
    char hex[XA_SHA256_HEX], by_hand[XA_SHA256_HEX];
    float numbers[3];
    double one = 0;
    int16_t raw[3];
    assert_ok(xa_archive_read(a, "/big_endian", 0, 3, numbers, &err), err);
    assert_true(numbers[0] == 1 && numbers[1] == 2 && numbers[2] == -2);
    assert_ok(xa_archive_digest(a, "/big_endian", hex, &err), err);
    assert_ok(xa_sha256_bytes(big_endian, sizeof big_endian, by_hand, &err), err);
    assert_string_equal(hex, by_hand);
    assert_ok(xa_archive_dataset(a, "/i16", &info, &err), err);
    assert_int_equal(info.type, XA_TYPE_COUNT);
    assert_int_equal(info.item_bytes, 2);
    assert_fails(xa_archive_read(a, "/i16", 0, 3, raw, &err), XA_UNSUPPORTED, err, "its type");
    assert_ok(xa_archive_digest(a, "/i16", hex, &err), err);
    assert_ok(xa_sha256_bytes(small, sizeof small, by_hand, &err), err);
    assert_string_equal(hex, by_hand);
    assert_ok(xa_archive_dataset(a, "/scalar", &info, &err), err);
    assert_int_equal(info.ndim, 0);
    assert_ok(xa_archive_read(a, "/scalar", 0, 1, &one, &err), err);
    assert_true(one == 2.5);
    assert_ok(xa_archive_dataset(a, "/nothing", &info, &err), err);
    assert_true(info.ndim == 1 && info.dim[0] == 0);
    assert_ok(xa_archive_digest(a, "/nothing", hex, &err), err);
    assert_fails(
        xa_archive_digest(a, "/words", hex, &err), XA_UNSUPPORTED, err, "not in the dataset");
    assert_fails(xa_archive_read(a, "/words", 0, 1, raw, &err), XA_UNSUPPORTED, err, "/words");
    assert_fails(xa_archive_dataset(a, "/six", &info, &err), XA_UNSUPPORTED, err, "/six");
    closed(a);
    assert_int_equal(unlink(file), 0);
}

/* Extents that promise more than there is must not make us allocate it. */
static void test_huge_promises(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    const char *file = in_folder("huge.h5");
    const hsize_t rows[2] = {(hsize_t)1 << 50, 1 << 10}, wide[2] = {2, (hsize_t)1 << 40};
    hid_t f = foreign(file, "xaudit", "1.0");
    (void)put_dataset(f, "rows", H5T_IEEE_F32LE, 2, rows, NULL);
    (void)put_dataset(f, "wide", H5T_IEEE_F32LE, 2, wide, NULL);
    assert_true(H5Fclose(f) >= 0);
    xa_archive *a = opened(file);
    xa_dataset_info info;
    void *data = NULL;
    char hex[XA_SHA256_HEX];
    static const char promise[] = "/rows: its extents are larger than what the file holds of it";
    assert_fails(xa_archive_dataset(a, "/rows", &info, &err), XA_FORMAT, err, promise);
    assert_fails(xa_archive_read_all(a, "/rows", &info, &data, &err), XA_FORMAT, err, promise);
    assert_fails(xa_archive_read(a, "/rows", 0, 1, hex, &err), XA_FORMAT, err, promise);
    assert_fails(xa_archive_digest(a, "/rows", hex, &err), XA_FORMAT, err, promise);
    assert_fails(xa_archive_read_all(a, "/wide", &info, &data, &err), XA_LIMIT, err, "1 GiB");
    assert_fails(xa_archive_digest(a, "/wide", hex, &err), XA_LIMIT, err, "1 GiB");
    closed(a);
    assert_int_equal(unlink(file), 0);
}

/* Attributes of other programs: variable-length texts. */
static void test_variable_texts(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    const char *file = in_folder("variable.h5");
    const hsize_t two = 2;
    const char *words[2] = {"first", "\xc3\xa9"};
    hid_t f = foreign(file, "xaudit", "1.0");
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &two, NULL);
    assert_true(H5Tset_size(type, H5T_VARIABLE) >= 0);
    hid_t attr = H5Acreate2(f, "words", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attr, type, words) >= 0);
    H5Aclose(attr);
    H5Sclose(space);
    H5Tclose(type);
    assert_true(H5Fclose(f) >= 0);
    xa_archive *a = opened(file);
    char **list = NULL;
    char *text = NULL;
    int64_t n = 0;
    assert_ok(xa_archive_attr_texts(a, "/", "words", &list, &n, &err), err);
    assert_int_equal(n, 2);
    assert_string_equal(list[0], "first");
    assert_string_equal(list[1], "\xc3\xa9");
    free(list[0]);
    free(list[1]);
    free(list);
    assert_fails(
        xa_archive_attr_text(a, "/", "words", &text, &err), XA_FORMAT, err, "holds 2 texts");
    closed(a);
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_archives),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged_version),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_later_contents),
        cmocka_unit_test(test_huge_promises),
        cmocka_unit_test(test_variable_texts),
    };
    return cmocka_run_group_tests(tests, make_sample, remove_folder);
}
