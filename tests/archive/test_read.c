/* Reading: every type, rows, digests, listings. */
#include "archive/archive_reading.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_of_many_pieces),
    };
    return cmocka_run_group_tests(tests, make_sample, remove_folder);
}
