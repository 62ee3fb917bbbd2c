/* Reading: every type, rows, digests, listings; files that are not ours, damaged, or hostile. */
#include <hdf5.h>

#include "archive/archive_test.h"

static const char *path;
static sample s;

static int make_sample(void **state)
{
    if (make_folder(state) != 0)
        return 1;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    static char kept[512];
    snprintf(kept, sizeof kept, "%s/sample.h5", folder);
    path = kept;
    xa_schema *schema = sample_schema(&s, 6, 3, 4);
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open(path, NULL, schema, &a, &err), err);
    for (int64_t row = 0; row < 3; row++)
        assert_ok(sample_write(a, &s, row, &err), err);
    const uint8_t done[3] = {XA_SAMPLE_DONE, XA_SAMPLE_DONE, XA_SAMPLE_DONE};
    assert_ok(xa_archive_write(a, s.status, 0, 3, done, &err), err);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    xa_schema_free(schema);
    return 0;
}

static xa_archive *opened(const char *file)
{
    xa_archive *a = NULL;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_archive_open_read(file, &a, &err), err);
    return a;
}

static void closed(xa_archive *a)
{
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_archive_close(a, &err), err);
}

static void test_round_trip(void **state)
{
    (void)state;
    int64_t done = 0, bad = 0;
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, 3);
    assert_int_equal(bad, 0);
    xa_archive *a = opened(path);
    xa_err err = XA_ERR_INIT;
    uint64_t hash[6];
    double score[2];
    assert_ok(xa_archive_read(a, "/samples/pixel_hash", 0, 6, hash, &err), err);
    assert_true(hash[0] == UINT64_MAX && hash[2] == UINT64_MAX - 2 && hash[3] == 0);
    assert_ok(xa_archive_read(a, "/localisation/net/saliency/pointing game", 1, 2, score, &err),
              err);
    assert_true(score[0] == 1.0 / 3 && score[1] == 2.0 / 3);
    uint16_t map[12], expected[12];
    assert_ok(xa_archive_read(a, "/maps/net/saliency/values", 2, 1, map, &err), err);
    sample_map(&s, 2, expected);
    assert_memory_equal(map, expected, sizeof map);
    closed(a);
}

static void test_dataset(void **state)
{
    (void)state;
    xa_archive *a = opened(path);
    xa_err err = XA_ERR_INIT;
    xa_dataset_info info;
    assert_ok(xa_archive_dataset(a, "/maps/net/saliency/values", &info, &err), err);
    assert_string_equal(info.path, "/maps/net/saliency/values");
    assert_int_equal(info.type, XA_TYPE_F16);
    assert_int_equal(info.item_bytes, 2);
    assert_int_equal(info.ndim, 4);
    assert_true(info.dim[0] == 6 && info.dim[1] == 1 && info.dim[2] == 3 && info.dim[3] == 4);
    assert_fails(
        xa_archive_dataset(a, "/maps", &info, &err), XA_NOT_FOUND, err, "no dataset /maps");
    assert_fails(xa_archive_dataset(a, "/a/b", &info, &err), XA_NOT_FOUND, err, "sample.h5");
    uint8_t status[6];
    assert_fails(xa_archive_read(a, "/models/net/status", 4, 3, status, &err),
                 XA_INVALID,
                 err,
                 "it has 6 rows, asked for 3 from row 4 on");
    assert_fails(
        xa_archive_read(a, "/models/net/status", -1, 1, status, &err), XA_INVALID, err, "row -1");
    assert_fails(xa_archive_read(a, "/models/net/status", 0, INT64_MAX, status, &err),
                 XA_INVALID,
                 err,
                 "6 rows");
    assert_ok(xa_archive_read(a, "/models/net/status", 6, 0, status, &err), err);
    assert_fails(xa_archive_read(a, "/none", 0, 1, status, &err), XA_NOT_FOUND, err, "no dataset");
    closed(a);
}

static void test_list(void **state)
{
    (void)state;
    xa_archive *a = opened(path);
    xa_err err = XA_ERR_INIT;
    char **names = NULL;
    int64_t n = 0;
    static const char *const expected[] = {"localisation", "maps", "models", "run", "samples"};
    assert_ok(xa_archive_list(a, "/", &names, &n, &err), err);
    assert_int_equal(n, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(names[i], expected[i]);
        free(names[i]);
    }
    free(names);
    assert_fails(
        xa_archive_list(a, "/none", &names, &n, &err), XA_NOT_FOUND, err, "no group /none");
    closed(a);
}

typedef struct seen {
    char path[64][128];
    int n;
} seen;

static xa_status remember(void *arg, const xa_dataset_info *info, xa_err *err)
{
    (void)err;
    seen *list = arg;
    assert_in_range(list->n, 0, 63);
    snprintf(list->path[list->n++], sizeof list->path[0], "%.127s", info->path);
    return XA_OK;
}

static xa_status stop_at_second(void *arg, const xa_dataset_info *info, xa_err *err)
{
    if (++*(int *)arg == 2)
        XA_RETURN_FAIL(err, XA_INTERRUPTED, "enough at %s", info->path);
    return XA_OK;
}

static void test_walk(void **state)
{
    (void)state;
    xa_archive *a = opened(path);
    xa_err err = XA_ERR_INIT;
    seen list = {.n = 0};
    assert_ok(xa_archive_walk(a, remember, &list, &err), err);
    assert_int_equal(list.n, 16);
    for (int i = 1; i < list.n; i++)
        assert_true(strcmp(list.path[i - 1], list.path[i]) < 0);
    assert_string_equal(list.path[0], "/localisation/net/saliency/pointing game");
    assert_string_equal(list.path[15], "/samples/pixel_hash");
    int calls = 0;
    assert_fails(xa_archive_walk(a, stop_at_second, &calls, &err),
                 XA_INTERRUPTED,
                 err,
                 "enough at /maps/net/saliency/checksum");
    closed(a);
}

static void test_digest(void **state)
{
    (void)state;
    xa_archive *a = opened(path);
    xa_err err = XA_ERR_INIT;
    char hex[XA_SHA256_HEX], expected[XA_SHA256_HEX];
    assert_ok(xa_archive_digest(a, "/models/net/status", hex, &err), err);
    assert_ok(xa_sha256_bytes("\1\1\1\0\0\0", 6, expected, &err), err);
    assert_string_equal(hex, expected);
    /* Of nothing: the digest of the empty text. */
    assert_ok(xa_archive_digest(a, "/samples/annotations/box", hex, &err), err);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_fails(xa_archive_digest(a, "/none", hex, &err), XA_NOT_FOUND, err, "no dataset /none");
    closed(a);
}

/* Larger than the pieces it is read in. */
static void test_digest_of_many_pieces(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = NULL;
    const int64_t n = 5, width = 900000; /* 3.6 MB a row */
    float *values = malloc((size_t)(n * width) * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < n * width; i++)
        values[i] = (float)i;
    assert_ok(xa_schema_create(&schema, &err), err);
    (void)add_field(schema,
                    (xa_field_spec){.kind = XA_FIELD_MODEL_LOGITS,
                                    .model = "m",
                                    .type = XA_TYPE_COUNT,
                                    .ndim = 2,
                                    .dim = {n, width},
                                    .data = values});
    const char *file = in_folder("large.h5");
    assert_ok(xa_archive_create(file, schema, &err), err);
    xa_archive *a = opened(file);
    char hex[XA_SHA256_HEX], expected[XA_SHA256_HEX];
    assert_ok(xa_archive_digest(a, "/models/m/logits", hex, &err), err);
    assert_ok(xa_sha256_bytes(values, (size_t)(n * width) * sizeof *values, expected, &err), err);
    assert_string_equal(hex, expected);
    closed(a);
    assert_int_equal(unlink(file), 0);
    xa_schema_free(schema);
    free(values);
}

/* ---- files of others ------------------------------------------------------------------------- */

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
    at = memmem(at, size - (size_t)(at - bytes), "1.1", 3);
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
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_of_many_pieces),
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
