/* The format's table: owners, initial values, paths made and matched, extents. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "xaudit/format.h"
#include "xaudit_cmocka.h"

static void test_owners(void **state)
{
    (void)state;
    /* the lists follow one another and leave nothing out */
    int k = 0;
    static const int counts[] = {
#define X(name) XA_FIELDS_OF(name),
        XA_OWNER_LIST(X)
#undef X
    };
    for (int o = 0; o < (int)XA_OWNERS; o++)
        for (int i = 0; i < counts[o]; i++, k++) {
            assert_int_equal(xa_owned_field((xa_owner)o, i), k);
            assert_int_equal(xa_field_owner((xa_field_kind)k), o);
        }
    assert_int_equal(k, XA_FIELD_KINDS);
    assert_int_equal(xa_field_owner(XA_FIELD_KINDS), XA_OWNERS);
    assert_int_equal(xa_field_owner(XA_FIELD_SAMPLE_ID), XA_OWNER_TABLE);
    assert_int_equal(xa_field_owner(XA_FIELD_RUN_SECONDS), XA_OWNER_SAMPLE);
    assert_int_equal(xa_field_owner(XA_FIELD_ANN_MASK_HASH), XA_OWNER_ANNOTATION);
    assert_int_equal(xa_field_owner(XA_FIELD_MODEL_AFFINE), XA_OWNER_MODEL);
    assert_int_equal(xa_field_owner(XA_FIELD_MAP_PEAK), XA_OWNER_MAP);
    assert_int_equal(xa_field_owner(XA_FIELD_IDENTITY_TEXT), XA_OWNER_TEXT);
    assert_null(xa_field_get(XA_FIELD_KINDS));
    assert_string_equal(xa_field_extents(XA_FIELD_KINDS), "");
}

static void test_table_is_sound(void **state)
{
    (void)state;
    static const char *const groups[] = {XA_GROUP_SAMPLES,
                                         XA_GROUP_EVAL,
                                         XA_GROUP_MODELS,
                                         XA_GROUP_MAPS,
                                         XA_GROUP_LOCALISATION,
                                         XA_GROUP_STATISTICS,
                                         XA_GROUP_BASELINES,
                                         XA_GROUP_BASELINE_STATISTICS,
                                         XA_GROUP_PAIRS,
                                         XA_GROUP_CHECKS,
                                         XA_GROUP_CLASS_MEANS,
                                         XA_GROUP_CLUSTERS,
                                         XA_GROUP_CHECKSUMS,
                                         XA_GROUP_RUN};
    xa_extents all = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const xa_field_def *def = xa_field_get((xa_field_kind)k);
        bool among = xa_field_owner((xa_field_kind)k) == XA_OWNER_TEXT;
        for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
            among = among || (strncmp(def->path, groups[g], strlen(groups[g])) == 0 &&
                              def->path[strlen(groups[g])] == '/');
        assert_true(among);
        assert_true(def->bytes == 0 || def->type == XA_TYPE_STR);
        assert_true(*def->description != '\0');
        /* every extent is a number or a letter that xa_extents knows */
        int64_t dim[5];
        const int n = xa_field_dims((xa_field_kind)k, &all, dim);
        assert_in_range(n, 1, 5);
        for (int d = 0; d < n; d++)
            assert_true(dim[d] > 0);
        /* a path that is made is found again */
        xa_field_kind found;
        xa_field_names names;
        const xa_path path = xa_field_name((xa_field_kind)k, "m", "e", "k");
        assert_true(xa_field_match(path.text, def->type, &found, &names));
        assert_int_equal(found, k);
    }
}

/* Archives of one version have the same datasets: what is missing from one of this version is lost.
 */
static void test_version(void **state)
{
    (void)state;
    static const struct {
        int minor;
        uint64_t table; /* hash of paths, types, widths, extents and initial values */
    } now = {2, 0xa1d31b04000d553d};
    uint64_t table = 0;
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const xa_field_def *def = xa_field_get((xa_field_kind)k);
        char line[XA_PATH_BYTES + 100];
        const int n = snprintf(line,
                               sizeof line,
                               "%s %s %zu %s %s",
                               def->path,
                               xa_type_name(def->type),
                               def->bytes,
                               def->extents,
                               def->initial);
        assert_in_range(n, 1, sizeof line - 1);
        table = xa_hash64(line, (size_t)n, table);
    }
    if (table != now.table || XA_FORMAT_MINOR != now.minor)
        fail_msg("the table of format 1.%d was 0x%016" PRIx64 ", now it is 0x%016" PRIx64
                 " and format 1.%d: a changed table raises XA_FORMAT_MINOR by one, and both are "
                 "written here",
                 now.minor,
                 now.table,
                 table,
                 XA_FORMAT_MINOR);
}

static void test_paths(void **state)
{
    (void)state;
    assert_string_equal(xa_field_path(XA_FIELD_SAMPLE_ID), "/samples/id");
    assert_string_equal(xa_field_path(XA_FIELD_KINDS), "");
    assert_string_equal(xa_field_name(XA_FIELD_MAP_SCORE, "m 1", "e", "gini").text,
                        "/maps/m 1/e/scores/gini");
    assert_string_equal(xa_field_name(XA_FIELD_SAMPLE_EXTRA, NULL, NULL, "age").text,
                        "/samples/extra/age");
    assert_string_equal(
        xa_field_name(XA_FIELD_AGREEMENT, "m", xa_pair_name("a", "b").text, "spearman").text,
        "/pairs/m/a__b/spearman");
    assert_string_equal(xa_field_group(XA_FIELD_MAP_SCALE, "m", "e").text, "/maps/m/e");
    assert_string_equal(xa_field_group(XA_FIELD_MAP_SCALE, "m", NULL).text, "/maps/m");
    assert_string_equal(xa_field_group(XA_FIELD_MAP_SCALE, NULL, NULL).text, XA_GROUP_MAPS);
    assert_string_equal(xa_field_group(XA_FIELD_MODEL_STATUS, "m", NULL).text, "/models/m");
    assert_string_equal(xa_field_group(XA_FIELD_MODEL_STATUS, NULL, NULL).text, XA_GROUP_MODELS);
    assert_string_equal(xa_field_group(XA_FIELD_ANN_BOX, NULL, NULL).text, XA_GROUP_ANNOTATIONS);
    assert_string_equal(xa_field_group(XA_FIELD_SAMPLE_EXTRA, NULL, NULL).text, XA_GROUP_EXTRA);
    assert_string_equal(xa_field_group(XA_FIELD_SAMPLE_LABELS_VALUE, NULL, NULL).text,
                        XA_GROUP_LABELS);
    assert_string_equal(xa_field_group(XA_FIELD_JOB_TEXT, NULL, NULL).text, "");
    /* a name of others that is too long is cut, never written past the end */
    char longer[700];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    const xa_path cut = xa_field_name(XA_FIELD_MAP_SCALE, longer, "e", NULL);
    assert_int_equal(strlen(cut.text), XA_PATH_BYTES - 1);
    assert_int_equal(strlen(xa_pair_name(longer, longer).text), XA_PATH_BYTES - 1);
    assert_int_equal(strlen(xa_field_group(XA_FIELD_MAP_SCALE, longer, NULL).text),
                     XA_PATH_BYTES - 1);
}

static void test_match(void **state)
{
    (void)state;
    xa_field_kind kind;
    xa_field_names n;
    assert_true(xa_field_match("/statistics/m/e/k", XA_TYPE_U8, &kind, &n));
    assert_int_equal(kind, XA_FIELD_STATISTIC_HITS);
    assert_true(xa_field_match("/statistics/m/e/k", XA_TYPE_U32, &kind, &n));
    assert_int_equal(kind, XA_FIELD_STATISTIC_PIXELS);
    assert_string_equal(n.model, "m");
    assert_string_equal(n.explainer, "e");
    assert_string_equal(n.key, "k");
    assert_true(xa_field_match("/maps/m/e/values", XA_TYPE_F16, &kind, &n));
    assert_int_equal(kind, XA_FIELD_MAP_VALUES);
    static const char *const none[] = {"",
                                       "/",
                                       "/samples",
                                       "/samples/",
                                       "/samples/id/",
                                       "/maps//e/scale",
                                       "/maps/m/e/scales",
                                       "/maps/m/scale",
                                       "samples/id",
                                       "/samples/extra/",
                                       "/samples/extra/a/b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        for (int t = 0; t < (int)XA_TYPE_COUNT; t++) {
            assert_false(xa_field_match(none[i], (xa_type)t, &kind, &n));
            assert_string_equal(n.model, "");
        }
    assert_false(xa_field_match("/samples/id", XA_TYPE_U8, &kind, &n));
    char path[300] = "/models/";
    memset(path + 8, 'x', XA_NAME_BYTES + 1);
    strcpy(path + 8 + XA_NAME_BYTES, "/status");
    assert_true(xa_field_match(path, XA_TYPE_U8, &kind, &n));
    assert_int_equal(strlen(n.model), XA_NAME_BYTES);
    memset(path + 8, 'x', XA_NAME_BYTES + 1);
    strcpy(path + 9 + XA_NAME_BYTES, "/status");
    assert_false(xa_field_match(path, XA_TYPE_U8, &kind, &n));
}

static void test_extents(void **state)
{
    (void)state;
    int64_t dim[5];
    xa_extents x = xa_extents_unknown();
    assert_int_equal(xa_field_dims(XA_FIELD_MAP_VALUES, &x, dim), 4);
    for (int d = 0; d < 4; d++)
        assert_int_equal(dim[d], -1);
    assert_int_equal(xa_field_row_items(XA_FIELD_MAP_VALUES, &x), 0);
    assert_int_equal(xa_field_dims(XA_FIELD_SAMPLE_LABELS_OFFSET, &x, dim), 1);
    assert_int_equal(dim[0], -1);
    x.samples = 0;
    assert_int_equal(xa_field_dims(XA_FIELD_SAMPLE_LABELS_OFFSET, &x, dim), 1);
    assert_int_equal(dim[0], 1);
    x.channels = 3, x.height = 4, x.width = 5;
    assert_int_equal(xa_field_row_items(XA_FIELD_MAP_VALUES, &x), 60);
    assert_int_equal(xa_field_row_items(XA_FIELD_MODEL_AFFINE, &x), 6);
    assert_int_equal(xa_field_row_items(XA_FIELD_MODEL_STATUS, &x), 1);
    x.side = 7;
    assert_int_equal(xa_field_row_items(XA_FIELD_SAMPLE_THUMBNAIL, &x), 147);
    assert_int_equal(xa_field_dims(XA_FIELD_STATISTIC_PIXELS, &x, dim), 3);
    assert_int_equal(dim[2], 1001);
    x.height = x.width = INT64_MAX;
    assert_int_equal(xa_field_row_items(XA_FIELD_MAP_VALUES, &x), 0);
}

static void test_initial(void **state)
{
    (void)state;
    double d[2] = {1.0, 1.0};
    float f[2] = {1.0f, 1.0f};
    int32_t i[2] = {5, 5};
    uint8_t u[2] = {5, 5};
    xa_field_fill(XA_FIELD_MODEL_AFFINE, XA_TYPE_F64, d, 2, sizeof *d);
    xa_field_fill(XA_FIELD_MODEL_LOGITS, XA_TYPE_F32, f, 2, sizeof *f);
    xa_field_fill(XA_FIELD_MAP_TARGET, XA_TYPE_I32, i, 2, sizeof *i);
    xa_field_fill(XA_FIELD_MAP_FLAGS, XA_TYPE_U8, u, 2, sizeof *u);
    assert_true(isnan(d[0]) && isnan(d[1]) && isnan(f[0]) && isnan(f[1]));
    assert_true(i[0] == -1 && i[1] == -1 && u[0] == 0 && u[1] == 0);
    i[0] = 5;
    xa_field_fill(XA_FIELD_SAMPLE_LABEL, XA_TYPE_I32, i, 2, sizeof *i);
    assert_int_equal(i[0], 5); /* RAW */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_extents),
        cmocka_unit_test(test_initial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
