/* Hostile archives: every dataset that a reader needs, missing, of another type, of other extents,
 * too large to be true, and with offsets, indices and names that lead nowhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/whole_archive.h"
#include "xaudit/view.h"
#include "xaudit_cmocka.h"

static char folder[64], file[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/xa_view_XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(file, sizeof file, "%s/x.h5", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(file);
    return rmdir(folder);
}

/* Opens the file; the message where it fails. */
static xa_status opened(bool outcome, char message[XA_ERR_MESSAGE])
{
    xa_read *r = NULL;
    xa_err err = XA_ERR_INIT;
    const xa_status st =
        outcome ? xa_read_open_outcome(file, &r, &err) : xa_read_open(file, &r, &err);
    snprintf(message, XA_ERR_MESSAGE, "%s", st == XA_OK ? "" : err.message);
    xa_read_close(r);
    return st;
}

static void refused(const char *what, const char *words)
{
    char message[XA_ERR_MESSAGE];
    const xa_status st = opened(false, message);
    if (st == XA_OK || !strstr(message, words))
        fail_msg("%s: expected '%s', got %s '%s'", what, words, xa_status_name(st), message);
}

static void begin(void)
{
    whole_archive s;
    whole_make(&s);
    whole_write(&s, file);
    whole_free(&s);
}

static void test_whole(void **state)
{
    (void)state;
    xa_read *r = NULL;
    xa_err err = XA_ERR_INIT;
    char message[XA_ERR_MESSAGE], name[16];
    begin();
    if (xa_read_open(file, &r, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(r->samples, WHOLE_SAMPLES);
    assert_int_equal(r->pairs, WHOLE_PAIRS);
    assert_int_equal(r->nmodels, 1);
    const xa_read_model *m = &r->models[0];
    assert_int_equal(m->classes, WHOLE_CLASSES);
    assert_int_equal(m->nmaps, 1);
    assert_int_equal(m->maps[0].rows, WHOLE_SAMPLES);
    assert_int_equal(m->maps[0].nmetrics, 1);
    assert_int_equal(m->maps[0].pointing, 0);
    assert_string_equal(xa_read_class(m, 1, name, sizeof name), "bee");
    assert_true(xa_read_has_label(r, 2, 2) && !xa_read_has_label(r, 3, 2));
    assert_int_equal(xa_read_first_pair(r, 1), 1);
    assert_int_equal(xa_read_first_pair(r, 3), WHOLE_PAIRS);
    xa_read_close(r);
    assert_int_equal(opened(true, message), XA_OK);
}

/* What a full reader loads, so that none of it may be missing or another thing. */
static const xa_field_kind needed[] = {XA_FIELD_SAMPLE_ID,
                                       XA_FIELD_SAMPLE_LABELS_OFFSET,
                                       XA_FIELD_SAMPLE_LABELS_VALUE,
                                       XA_FIELD_EVAL_SAMPLE,
                                       XA_FIELD_EVAL_CLASS,
                                       XA_FIELD_ANN_OFFSET,
                                       XA_FIELD_ANN_CLASS,
                                       XA_FIELD_ANN_FLAGS,
                                       XA_FIELD_MODEL_STATUS,
                                       XA_FIELD_MODEL_STAGE,
                                       XA_FIELD_MODEL_PREDICTED,
                                       XA_FIELD_MODEL_PROBS,
                                       XA_FIELD_MODEL_MESSAGE,
                                       XA_FIELD_MAP_SAMPLE,
                                       XA_FIELD_MAP_TARGET,
                                       XA_FIELD_MAP_FLAGS,
                                       XA_FIELD_MAP_MAXIMUM,
                                       XA_FIELD_MAP_PEAK,
                                       XA_FIELD_LOCALISATION};
/* These may lack, but not be another thing. */
static const xa_field_kind optional[] = {
    XA_FIELD_ANN_PROBLEM, XA_FIELD_ANN_MASK_HASH, XA_FIELD_MODEL_CLASS_NAMES};

static xa_path path_of(xa_field_kind kind)
{
    return xa_field_name(kind, WHOLE_MODEL, WHOLE_EXPLAINER, WHOLE_METRIC);
}

static int dims(xa_field_kind kind, int64_t dim[5])
{
    whole_archive s;
    whole_make(&s);
    const int n = xa_field_dims(kind, &s.x, dim);
    whole_free(&s);
    return n;
}

static void test_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        const xa_path path = path_of(needed[i]);
        begin();
        whole_replace(file, path.text, XA_TYPE_COUNT, 0, NULL);
        /* metrics are those that the group lists: their checksums miss this one */
        refused("missing",
                needed[i] == XA_FIELD_LOCALISATION ? "/checksums/localisation/net/cam says"
                                                   : path.text);
    }
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        char message[XA_ERR_MESSAGE];
        begin();
        whole_replace(file, path_of(optional[i]).text, XA_TYPE_COUNT, 0, NULL);
        if (opened(false, message) != XA_OK)
            fail_msg("%s", message);
    }
    begin();
    whole_replace(file, XA_GROUP_MODELS, XA_TYPE_COUNT, 0, NULL);
    refused("no models", "/models: expected a model, found none");
}

static xa_type same_type(xa_type was)
{
    return was;
}

/* The first of its tables says how many rows the others have: they are what does not fit. */
static bool leads(xa_field_kind kind)
{
    return kind == XA_FIELD_SAMPLE_ID || kind == XA_FIELD_SAMPLE_LABELS_VALUE ||
           kind == XA_FIELD_EVAL_SAMPLE || kind == XA_FIELD_MAP_SAMPLE ||
           kind == XA_FIELD_MODEL_PROBS || kind == XA_FIELD_ANN_PROBLEM;
}

/* The dataset in the place of a needed one, for each of them. */
static void replaced(const char *what,
                     xa_type (*type)(xa_type was),
                     int (*shape)(xa_field_kind kind, int n, int64_t dim[5]))
{
    const size_t count = sizeof needed / sizeof *needed, all = count + 3;
    for (size_t i = 0; i < all; i++) {
        const xa_field_kind kind = i < count ? needed[i] : optional[i - count];
        const xa_path path = path_of(kind);
        int64_t dim[5];
        int n = dims(kind, dim);
        begin();
        n = shape(kind, n, dim);
        if (n >= 0) {
            whole_replace(file, path.text, type(xa_field_get(kind)->type), n, dim);
            refused(what, leads(kind) && type == same_type ? "/" : path.text);
        }
    }
}

static xa_type other_type(xa_type was)
{
    return was == XA_TYPE_F64 ? XA_TYPE_I64 : XA_TYPE_F64;
}

static int same_shape(xa_field_kind kind, int n, int64_t dim[5])
{
    (void)kind;
    (void)dim;
    return n;
}

static int one_less(xa_field_kind kind, int n, int64_t dim[5])
{
    dim[0]--;
    return kind == XA_FIELD_MODEL_CLASS_NAMES ? -1 : n; /* any number of names is taken */
}

static int huge(xa_field_kind kind, int n, int64_t dim[5])
{
    dim[0] = (int64_t)1 << 40;
    return kind == XA_FIELD_MODEL_CLASS_NAMES ? -1 : n; /* any number of names is taken */
}

static int one_more_extent(xa_field_kind kind, int n, int64_t dim[5])
{
    (void)kind;
    dim[n] = 1;
    return n + 1;
}

static int no_extent(xa_field_kind kind, int n, int64_t dim[5])
{
    (void)kind;
    (void)n;
    (void)dim;
    return 0;
}

static void test_types_and_extents(void **state)
{
    (void)state;
    replaced("type", other_type, same_shape);
    replaced("one row less", same_type, one_less);
    replaced("an extent more", same_type, one_more_extent);
    replaced("a scalar", same_type, no_extent);
}

/* A refusal must not cost the memory that the extents ask for. */
static void test_huge(void **state)
{
    (void)state;
    const double start = xa_time();
    replaced("2^40 rows", same_type, huge);
    assert_true(xa_time() - start < 60.0);
}

/* Rows that lead nowhere. */
static void test_places(void **state)
{
    (void)state;
    static const struct {
        xa_field_kind kind;
        int64_t row, value;
        const char *words;
    } list[] = {
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 0, -1, "/samples/labels/offset: row 0 is -1"},
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 1, 3, "/samples/labels/offset: row 2 is 2"},
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 4, 4, "/samples/labels/offset: row 4 is 4"},
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 4, INT64_MAX, "/samples/labels/offset: row 4"},
        {XA_FIELD_ANN_OFFSET, 0, INT64_MIN, "/samples/annotations/offset: row 0"},
        {XA_FIELD_ANN_OFFSET, 2, 9, "/samples/annotations/offset: row 2 is 9"},
        {XA_FIELD_EVAL_SAMPLE, 1, 4, "/eval/sample: row 1 is 4, expected 0 to 3"},
        {XA_FIELD_EVAL_SAMPLE, 1, -1, "/eval/sample: row 1 is -1"},
        {XA_FIELD_MAP_SAMPLE, 3, 4, "/maps/net/cam/sample: row 3 is 4"},
        {XA_FIELD_MAP_SAMPLE, 0, INT64_MIN, "/maps/net/cam/sample: row 0"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        begin();
        whole_put(file, path_of(list[i].kind).text, list[i].row, &list[i].value);
        refused("a place", list[i].words);
    }
}

/* Rows that hold what no run writes, with or without a fitting checksum. */
static void test_rows(void **state)
{
    (void)state;
    static const struct {
        xa_field_kind kind;
        int64_t row;
        int32_t value;
        const char *words;
    } list[] = {
        {XA_FIELD_MODEL_STATUS, 0, 4, "status"},
        {XA_FIELD_MODEL_STAGE, 2, 9, "stage"},
        {XA_FIELD_MODEL_PREDICTED, 0, 3, "/models/net/predicted: row 0 is 3 of 3 classes"},
        {XA_FIELD_MODEL_PREDICTED, 1, -1, "/models/net/predicted: row 1 is -1"},
        {XA_FIELD_MAP_TARGET, 0, 3, "target"},
        {XA_FIELD_MAP_FLAGS, 1, 200, "flag"},
        {XA_FIELD_SAMPLE_LABELS_VALUE, 0, -5, "/samples/labels/value"},
        {XA_FIELD_EVAL_CLASS, 2, 99, "/eval/class"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const bool byte = xa_field_get(list[i].kind)->type == XA_TYPE_U8;
        const uint8_t small = (uint8_t)list[i].value;
        const void *value = byte ? (const void *)&small : (const void *)&list[i].value;
        whole_archive s;
        whole_make(&s);
        memcpy((char *)s.data[list[i].kind] + list[i].row * (byte ? 1 : 4), value, byte ? 1 : 4);
        whole_write(&s, file);
        whole_free(&s);
        refused("a row with its checksum", list[i].words);
        begin();
        whole_put(file, path_of(list[i].kind).text, list[i].row, value);
        refused("a row without", list[i].words);
    }
    /* nothing is wrong in itself, but the checksum says so */
    const double score = 0.0;
    begin();
    whole_put(file, path_of(XA_FIELD_LOCALISATION).text, 1, &score);
    refused("a score", "/checksums/localisation/net/cam");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_types_and_extents),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
