/* Schemas: paths, names, extents, types, attributes, size; texts as rows. */
#include "archive/archive_test.h"

static xa_schema *schema;

static int setup(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    return xa_schema_create(&schema, &err) != XA_OK;
}

static int teardown(void **state)
{
    (void)state;
    xa_schema_free(schema);
    schema = NULL;
    return 0;
}

static xa_status add(xa_field_spec spec, xa_err *err)
{
    int field = -1;
    return xa_schema_add(schema, &spec, &field, err);
}

static const xa_field_spec map = {.kind = XA_FIELD_MAP_VALUES,
                                  .model = "m",
                                  .explainer = "e",
                                  .type = XA_TYPE_COUNT,
                                  .ndim = 4,
                                  .dim = {2, 1, 4, 4}};

static void test_fields_are_numbered(void **state)
{
    (void)state;
    assert_int_equal(add_field(schema, map), 0);
    xa_field_spec other = map;
    other.explainer = "other";
    assert_int_equal(add_field(schema, other), 1);
    xa_err err = XA_ERR_INIT;
    assert_fails(add(map, &err), XA_INVALID, err, "/maps/m/e/values: added twice");
}

static void test_names(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    static const char *const bad[] = {"", ".", "..", "a/b", "a\nb", "a\xff", "a+b", "caf\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xa_field_spec spec = map;
        spec.explainer = bad[i];
        assert_fails(add(spec, &err), XA_INVALID, err, "the name of the explainer");
    }
    static const char *const fine[] = {"a", "Grad-CAM_2.b", "two words", "Gr\xc3\xb6\xc3\x9f\x65"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        xa_field_spec spec = map;
        spec.explainer = fine[i];
        assert_ok(add(spec, &err), err);
    }
    char longest[102];
    memset(longest, 'x', sizeof longest);
    longest[101] = '\0';
    xa_field_spec spec = map;
    spec.model = longest;
    assert_fails(add(spec, &err), XA_INVALID, err, "the name of the model");
    longest[100] = '\0';
    assert_ok(add(spec, &err), err);
    spec = map;
    spec.model = NULL;
    assert_fails(add(spec, &err), XA_INVALID, err, "the name of the model");
    spec = map;
    spec.key = "k";
    assert_fails(add(spec, &err), XA_INVALID, err, "there is no metric or column in this path");
}

static void test_extents(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_field_spec spec = map;
    spec.ndim = 3;
    assert_fails(add(spec, &err), XA_INVALID, err, "its extents are R,c,h,w, found 2 x 1 x 4");
    spec.ndim = 6;
    assert_fails(add(spec, &err), XA_INVALID, err, "1 to 5 extents, found 6");
    spec = map;
    spec.dim[2] = -1;
    assert_fails(add(spec, &err), XA_INVALID, err, "below 0");
    xa_field_spec affine = {.kind = XA_FIELD_MODEL_AFFINE,
                            .model = "m",
                            .type = XA_TYPE_COUNT,
                            .ndim = 3,
                            .dim = {5, 3, 2}};
    assert_fails(add(affine, &err), XA_INVALID, err, "its extents are N,2,3, found 5 x 3 x 2");
    affine.dim[1] = 2;
    affine.dim[2] = 3;
    assert_ok(add(affine, &err), err);
    spec = map;
    spec.dim[3] = (int64_t)1 << 28;
    assert_fails(add(spec, &err), XA_LIMIT, err, "a row must stay below 1 GiB");
    spec.dim[0] = (int64_t)1 << 40;
    assert_fails(add(spec, &err), XA_LIMIT, err, "beyond what a file can hold");
    spec.dim[0] = INT64_MAX;
    assert_fails(add(spec, &err), XA_LIMIT, err, "beyond what a file can hold");
}

static void test_types(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_field_spec spec = map;
    spec.type = XA_TYPE_F64;
    assert_fails(add(spec, &err), XA_INVALID, err, "its type is f32, found f64");
    spec.type = XA_TYPE_F16;
    assert_ok(add(spec, &err), err);
    xa_field_spec id = {.kind = XA_FIELD_SAMPLE_ID, .type = XA_TYPE_COUNT, .ndim = 1, .dim = {4}};
    assert_fails(add(id, &err), XA_INVALID, err, "a text needs 1 byte at least");
    id.string_bytes = 1;
    assert_ok(add(id, &err), err);
    id.kind = XA_FIELD_KINDS;
    assert_fails(add(id, &err), XA_INVALID, err, "not in the format's table");
    assert_int_equal(xa_type_bytes(XA_TYPE_F16), 2);
    assert_int_equal(xa_type_bytes(XA_TYPE_COUNT), 0);
    assert_string_equal(xa_type_name(XA_TYPE_U64), "u64");
    assert_string_equal(xa_type_name(XA_TYPE_COUNT), "unknown");
}

static void test_attributes(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_schema_attr_text(schema, "/", "job", "a: 1\n", &err), err);
    assert_fails(
        xa_schema_attr_text(schema, "/", "job", "b", &err), XA_INVALID, err, "job given twice");
    assert_fails(xa_schema_attr_i64(schema, "models", "x", 1, &err), XA_INVALID, err, "no name");
    assert_fails(xa_schema_attr_i64(schema, "/a//b", "x", 1, &err), XA_INVALID, err, "no name");
    assert_fails(xa_schema_attr_i64(schema, "/a", "", 1, &err), XA_INVALID, err, "no name");
    assert_ok(add(map, &err), err);
    assert_fails(xa_schema_attr_text(schema, "/maps/m/e/values", "unit", "x", &err),
                 XA_INVALID,
                 err,
                 "writes the attribute unit itself");
    assert_fails(xa_schema_attr_text(schema, "/maps/m/e", "read_as", "x", &err),
                 XA_INVALID,
                 err,
                 "given twice");
    char *text = malloc(70000);
    assert_non_null(text);
    memset(text, 'x', 70000);
    text[69999] = '\0';
    assert_fails(xa_schema_attr_text(schema, "/", "long", text, &err), XA_LIMIT, err, "65000");
    text[65000] = '\0';
    assert_ok(xa_schema_attr_text(schema, "/", "long", text, &err), err);
    text[99] = '\0';
    const char *names[700];
    for (int i = 0; i < 700; i++)
        names[i] = text;
    assert_fails(
        xa_schema_attr_texts(schema, "/", "names", names, 700, &err), XA_LIMIT, err, "700 items");
    assert_ok(xa_schema_attr_texts(schema, "/", "names", names, 600, &err), err);
    free(text);
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"ab", NULL, "", "\xc3\xa9\xc3\xa9", "\xe7\x8c\xab!"};
    assert_int_equal(xa_text_width(texts, 5), 4);
    assert_int_equal(xa_text_width(NULL, 0), 1);
    char *rows = NULL;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_text_pack(texts, 5, 3, &rows, &err), err);
    assert_memory_equal(rows, "ab\0\0\0\0\0\0\0\xc3\xa9\0\xe7\x8c\xab", 15);
    free(rows);
    char row[2] = "zz";
    xa_text_put("\xe7\x8c\xab", row, 2);
    assert_memory_equal(row, "\0\0", 2);
    xa_text_put("abc", row, 2);
    assert_memory_equal(row, "ab", 2);
    assert_fails(xa_text_pack(texts, 5, 0, &rows, &err), XA_INVALID, err, "cannot be packed");
    assert_fails(xa_text_pack(texts, -1, 1, &rows, &err), XA_INVALID, err, "cannot be packed");
}

/* What check prints as the archive's size is not less than the file, nor much more. */
static void test_size(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    struct stat info;
    for (int models = 1; models <= 20; models += 19) {
        xa_schema_free(schema);
        assert_ok(xa_schema_create(&schema, &err), err);
        for (int m = 0; m < models; m++) {
            char name[16];
            snprintf(name, sizeof name, "model%d", m);
            for (int e = 0; e < 10; e++) {
                char explainer[16];
                snprintf(explainer, sizeof explainer, "explainer%d", e);
                xa_field_spec spec = map;
                spec.model = name;
                spec.explainer = explainer;
                spec.dim[0] = 1 + 1000 * e;
                (void)add_field(schema, spec);
                (void)add_field(schema,
                                (xa_field_spec){.kind = XA_FIELD_MAP_FLAGS,
                                                .model = name,
                                                .explainer = explainer,
                                                .type = XA_TYPE_COUNT,
                                                .ndim = 1,
                                                .dim = {spec.dim[0]}});
            }
        }
        const char *path = in_folder("size.h5");
        assert_ok(xa_archive_create(path, schema, &err), err);
        assert_int_equal(stat(path, &info), 0);
        const double ratio = (double)xa_schema_bytes(schema) / (double)info.st_size;
        if (ratio < 1.0 || ratio > 1.1)
            fail_msg("estimate %zu, file %lld", xa_schema_bytes(schema), (long long)info.st_size);
        assert_int_equal(unlink(path), 0);
    }
}

/* Which checksums cover which dataset; and that everything a run writes row by row is covered. */
static void test_checksums(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    char path[128];
    uint64_t seed = 0, other = 0;
    const xa_field_spec scale = {.kind = XA_FIELD_MAP_SCALE,
                                 .model = "m",
                                 .explainer = "e",
                                 .type = XA_TYPE_COUNT,
                                 .ndim = 1,
                                 .dim = {2}};
    xa_field_spec flags = scale;
    flags.kind = XA_FIELD_MAP_FLAGS;
    const int values = add_field(schema, map), a = add_field(schema, scale),
              b = add_field(schema, flags);
    assert_int_equal(xa_schema_checksum(schema, a, &seed), -1); /* not added yet */
    assert_ok(xa_schema_add_checksums(schema, &err), err);
    assert_int_equal(xa_schema_fields(schema), 4);
    assert_ok(xa_schema_add_checksums(schema, &err), err); /* each once */
    assert_int_equal(xa_schema_fields(schema), 4);
    assert_int_equal(xa_schema_checksum(schema, a, &seed), 3);
    assert_int_equal(xa_schema_checksum(schema, b, &other), 3);
    assert_true(seed != other && seed == xa_checksum_seed("/maps/m/e/scale"));
    assert_int_equal(xa_schema_checksum(schema, values, &seed), -1);
    assert_int_equal(xa_schema_checksum(schema, 3, &seed), -1);
    assert_int_equal(xa_schema_checksum(schema, 99, &seed), -1);
    assert_true(xa_checksum_path("/maps/m/e/scores/gini", XA_TYPE_F64, path, sizeof path));
    assert_string_equal(path, "/checksums/maps/m/e");
    assert_true(xa_checksum_path("/statistics/m/e/k", XA_TYPE_U32, path, sizeof path));
    assert_string_equal(path, "/checksums/statistics/m/e");
    assert_true(xa_checksum_path("/baselines/m/centre/k", XA_TYPE_F64, path, sizeof path));
    assert_string_equal(path, "/checksums/baselines/m/centre/k");
    assert_false(xa_checksum_path("/baselines/m/centre/k", XA_TYPE_F64, path, 10));
    assert_false(xa_checksum_path("/class_means/m/e/mean", XA_TYPE_F32, path, sizeof path));
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const char rows = xa_field_extents((xa_field_kind)k)[0];
        const bool covered = xa_field_checksum((xa_field_kind)k) != XA_FIELD_KINDS;
        /* /clusters is no row of a run: it is written whole, and made again from the maps */
        const bool own = k == XA_FIELD_MAP_VALUES || k == XA_FIELD_RUN_SECONDS ||
                         xa_field_owner((xa_field_kind)k) == XA_OWNER_CLUSTER ||
                         (k >= XA_FIELD_SUM_SAMPLES && k <= XA_FIELD_SUM_CHECKS);
        if (strchr("NRQ", rows) && !xa_is_table((xa_field_kind)k))
            assert_true(covered != own);
        else
            assert_false(covered);
    }
    /* a row in another place, in another dataset, or with another bit has another sum */
    uint32_t sums[2] = {0}, table[3] = {0};
    const uint16_t rows[2] = {1, 2}, turned[2] = {2, 1};
    xa_checksum_rows(seed, rows, 2, sizeof *rows, sums);
    assert_int_not_equal(sums[0], sums[1]);
    xa_checksum_table(seed, rows, 0, 2, sizeof *rows, &table[0]);
    xa_checksum_table(seed, rows, 0, 1, sizeof *rows, &table[1]);
    xa_checksum_table(seed, rows + 1, 1, 1, sizeof *rows, &table[1]);
    xa_checksum_table(seed, turned, 0, 2, sizeof *rows, &table[2]);
    assert_int_equal(table[0], table[1]);
    assert_int_not_equal(table[0], table[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields_are_numbered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
        cmocka_unit_test(test_texts),
        cmocka_unit_test_setup_teardown(test_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checksums, setup, teardown),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
