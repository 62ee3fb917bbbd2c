/* Every kind of finding: what a whole archive is changed to, and what verify says then. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/whole_archive.h"
#include "xaudit/verify.h"
#include "xaudit_cmocka.h"

static char folder[64], file[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/xa_verify_XXXXXX");
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

/* All findings of a file, a line each: "kind sample text". */
static xa_str findings;

static void note(void *arg, xa_finding kind, int64_t sample, const char *text)
{
    static const char *const kinds[] = {"damage", "missing", "image", "mask", "note"};
    (void)arg;
    xa_str_printf(&findings, "%s %" PRId64 " %s\n", kinds[kind], sample, text);
}

static xa_verified verify(bool images)
{
    const xa_verify_options opt = {.values = true, .images = images, .report = note};
    xa_verified v;
    xa_err err = XA_ERR_INIT;
    xa_str_free(&findings);
    findings = (xa_str){0};
    xa_str_puts(&findings, "");
    if (xa_verify(file, &opt, &v, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_false(findings.failed);
    return v;
}

static void found(const char *what, const char *words)
{
    const xa_verified v = verify(false);
    if (v.damages < 1 || !strstr(findings.data, words))
        fail_msg("%s: expected '%s', found %s", what, words, findings.data);
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
    begin();
    const xa_verified v = verify(false);
    assert_string_equal(findings.data, "");
    assert_int_equal(v.samples, WHOLE_SAMPLES);
    assert_int_equal(v.models, 1);
    assert_int_equal(v.explainers, 1);
    assert_int_equal(v.done, 2);
    assert_int_equal(v.maps, 2);
    assert_int_equal(v.state, 2);
    assert_true(v.rows > 0 && v.damages == 0 && v.missing == 0);
}

/* A value of a row that no run writes. Its checksum fits: the value itself gives it away. */
typedef struct wrong_value {
    xa_field_kind kind;
    int64_t item;
    double value;
    const char *words;
} wrong_value;

static void set(whole_archive *s, const wrong_value *w)
{
    void *data = s->data[w->kind];
    switch (xa_field_get(w->kind)->type) {
    case XA_TYPE_U8:
        ((uint8_t *)data)[w->item] = (uint8_t)w->value;
        break;
    case XA_TYPE_I32:
        ((int32_t *)data)[w->item] = (int32_t)w->value;
        break;
    case XA_TYPE_U32:
        ((uint32_t *)data)[w->item] = (uint32_t)w->value;
        break;
    case XA_TYPE_I64:
        ((int64_t *)data)[w->item] = (int64_t)w->value;
        break;
    case XA_TYPE_F32:
        ((float *)data)[w->item] = (float)w->value;
        break;
    case XA_TYPE_F64:
        ((double *)data)[w->item] = w->value;
        break;
    default:
        ((char *)data)[w->item] = (char)w->value;
    }
}

static void each(const wrong_value *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        whole_archive s;
        whole_make(&s);
        set(&s, &list[i]);
        /* a map's values have a checksum beside them: of these values */
        if (list[i].kind == XA_FIELD_MAP_VALUES)
            ((uint32_t *)s.data[XA_FIELD_MAP_CHECKSUM])[list[i].item / 4] =
                xa_checksum((float *)s.data[XA_FIELD_MAP_VALUES] + list[i].item / 4 * 4, 16);
        whole_write(&s, file);
        whole_free(&s);
        found(xa_field_get(list[i].kind)->name, list[i].words);
    }
}

#define EACH(list) each(list, sizeof(list) / sizeof *(list))

static void test_tables(void **state)
{
    (void)state;
    static const wrong_value list[] = {
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 0, 1, "/samples/labels/offset: row 0: 1 after 0, of 3"},
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 2, 0, "/samples/labels/offset: row 2: 0 after 1, of 3"},
        {XA_FIELD_SAMPLE_LABELS_OFFSET, 4, 2, "/samples/labels/offset: row 4: 2 after 3, of 3"},
        {XA_FIELD_ANN_OFFSET, 3, 9, "/samples/annotations/offset: row 3: 9 after 2, of 3"},
        {XA_FIELD_SAMPLE_LABELS_VALUE, 1, -4, "/samples/labels/value: row 1: no class: -4"},
        {XA_FIELD_SAMPLE_LABELS_VALUE, 1, 3, "/samples/labels/value: row 1: class 3 of 3"},
        {XA_FIELD_ANN_CLASS, 0, -2, "/samples/annotations: row 0: its class is none"},
        {XA_FIELD_ANN_CLASS, 0, 7, "/samples/annotations/class: row 0: class 7 of 3"},
        {XA_FIELD_ANN_KIND, 1, 3, "/samples/annotations: row 1: its kind is neither 1"},
        {XA_FIELD_ANN_FLAGS, 2, 16, "/samples/annotations: row 2: its flags are beyond 15"},
        {XA_FIELD_ANN_BOX, 5, NAN, "/samples/annotations: row 1: its box is not finite"},
        {XA_FIELD_ANN_PROBLEM, 2, 200, "annotations/problem: row 2: there is no problem 200"},
        {XA_FIELD_EVAL_SAMPLE, 1, 4, "/eval: row 1: sample 4 of 4 (after 0)"},
        {XA_FIELD_EVAL_SAMPLE, 2, 0, "/eval: row 2: sample 0 of 4 (after 1)"},
        {XA_FIELD_EVAL_CLASS, 0, -1, "/eval: row 0: sample 0 of 4 (after 0), class -1"},
        {XA_FIELD_EVAL_CLASS, 0, 5, "/eval/class: row 0: class 5 of 3"},
        {XA_FIELD_RUN_STATE, 0, 3, "damage -2 /run/state: expected 0, 1 or 2, found 3"},
    };
    EACH(list);
}

static void test_models(void **state)
{
    (void)state;
    static const wrong_value list[] = {
        {XA_FIELD_MODEL_STATUS, 0, 4, "row 0 (a): its status is none of 0 to 3"},
        {XA_FIELD_MODEL_STATUS, 3, 1, "row 3 (d): its status and the manifest differ"},
        {XA_FIELD_MODEL_STATUS, 0, 3, "row 0 (a): its status and the manifest differ"},
        {XA_FIELD_MODEL_LOGITS, 1, INFINITY, "row 0 (a): done, but its scores are not finite"},
        {XA_FIELD_MODEL_PROBS, 3, NAN, "row 1 (b): done, but its scores are not finite"},
        {XA_FIELD_MODEL_PROBS, 0, 0.9, "row 0 (a): its probabilities are not those of"},
        {XA_FIELD_MODEL_PREDICTED, 1, 3, "row 1 (b): done, but its predicted class is not one"},
        {XA_FIELD_MODEL_PREDICTED, 1, 2, "row 1 (b): its predicted class is not that of its pr"},
        {XA_FIELD_MODEL_AFFINE, 4, NAN, "row 0 (a): done, but its affine map is not finite"},
        {XA_FIELD_MODEL_STAGE, 0, 2, "row 0 (a): done, but with a stage where it failed"},
        {XA_FIELD_SAMPLE_WIDTH, 1, 0, "row 1 (b): done, but its image has no size"},
        {XA_FIELD_MODEL_STAGE, 2, 0, "row 2 (c): failed, but at no stage"},
        {XA_FIELD_MODEL_STAGE, 2, 6, "row 2 (c): failed, but at no stage"},
        {XA_FIELD_MODEL_MESSAGE, 2 * XA_MESSAGE_BYTES, 0, "row 2 (c): failed, but without a me"},
        {XA_FIELD_MODEL_PREDICTED, 2, 1, "row 2 (c): failed, but with a predicted class"},
    };
    EACH(list);
}

static void test_maps(void **state)
{
    (void)state;
    static const wrong_value list[] = {
        {XA_FIELD_MAP_SAMPLE, 1, 4, "map row 1 of sample no sample: its sample is 4, after 0"},
        {XA_FIELD_MAP_SAMPLE, 2, 0, "map row 2 of sample no sample: its sample is 0, after 1"},
        {XA_FIELD_MAP_CHECKSUM, 0, 5, "map row 0 of sample row 0 (a): checksum 00000005, its v"},
        {XA_FIELD_MAP_SCALE, 1, 2, "map row 1 of sample row 1 (b): its scale is not 1"},
        {XA_FIELD_MAP_SCALE, 1, NAN, "its scale is no"},
        {XA_FIELD_MAP_TARGET, 0, 3, "its target is not one of the model's classes"},
        {XA_FIELD_MAP_TARGET, 0, -1, "its target is not one of the model's classes"},
        {XA_FIELD_MAP_FLAGS, 0, 2, "its flags are not those of its values"},
        {XA_FIELD_MAP_MAXIMUM, 1, 99, "its maximum is not that of its values"},
        {XA_FIELD_MAP_VALUES, 0, NAN, "its flags are not those of its values"},
        {XA_FIELD_MAP_VALUES, 7, 50, "its maximum is not that of its values"},
    };
    EACH(list);
}

/* Bytes that changed after the checksums were made, wherever these are. */
static void test_checksums(void **state)
{
    (void)state;
    static const struct {
        xa_field_kind kind;
        int64_t row;
        const char *words;
    } list[] = {
        {XA_FIELD_SAMPLE_PIXEL_HASH, 0, "damage 0 /checksums/samples: row 0 of sample row 0 (a)"},
        {XA_FIELD_MODEL_AFFINE, 1, "damage 1 "},
        {XA_FIELD_MAP_PEAK, 1, "damage 1 /checksums/maps/net/cam: row 1 of sample row 1 (b)"},
        {XA_FIELD_MAP_SCORE, 0, "damage 0 /checksums/maps/net/cam: row 0 of sample row 0 (a)"},
        {XA_FIELD_LOCALISATION, 1, "damage 1 /checksums/localisation/net/cam: row 1"},
        {XA_FIELD_MAP_VALUES, 0, "damage 0 model net, explainer cam, map row 0 of sample row 0"},
        {XA_FIELD_SAMPLE_LABEL, 0, "damage -1 /samples/label: the table is not what its checks"},
        {XA_FIELD_ANN_MASK_VALUE, 2, "damage -1 /samples/annotations/mask_value: the table is"},
        {XA_FIELD_MODEL_CLASS_NAMES, 2, "damage -1 /models/net/class_names: the table is not"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const uint8_t bytes[64] = {1, 2, 3, 4, 5, 6, 7};
        begin();
        whole_put(file,
                  xa_field_name(list[i].kind,
                                WHOLE_MODEL,
                                WHOLE_EXPLAINER,
                                list[i].kind == XA_FIELD_MAP_SCORE ? "gini" : WHOLE_METRIC)
                      .text,
                  list[i].row,
                  bytes);
        found(xa_field_get(list[i].kind)->name, list[i].words);
    }
    /* checksums that were lost */
    begin();
    whole_replace(file, "/checksums/maps/net/cam", XA_TYPE_COUNT, 0, NULL);
    found("lost", "/checksums/maps/net/cam: these checksums are not there");
    begin();
    whole_replace(file, "/checksums/samples", XA_TYPE_U32, 1, (int64_t[]){3});
    found("fewer", "/checksums/samples: 3 rows, which are not those of the archive's tables");
}

/* Whatever the table has of an owner is expected: absent, of another type, of other extents. */
static void test_every_column(void **state)
{
    (void)state;
    static const xa_owner owners[] = {XA_OWNER_TABLE,
                                      XA_OWNER_SAMPLE,
                                      XA_OWNER_ANNOTATION,
                                      XA_OWNER_MODEL,
                                      XA_OWNER_VALUES,
                                      XA_OWNER_MAP};
    int tried = 0;
    for (size_t o = 0; o < sizeof owners / sizeof *owners; o++)
        for (int i = 0; i < xa_owner_fields(owners[o]); i++) {
            const xa_field_kind kind = xa_owned_field(owners[o], i);
            const xa_path path = xa_field_name(kind, WHOLE_MODEL, WHOLE_EXPLAINER, NULL);
            const xa_type type = xa_field_get(kind)->type;
            /* columns of some explainers: the rows' checksums tell that one is gone */
            const bool of_some = kind == XA_FIELD_MAP_COMPLETENESS ||
                                 kind == XA_FIELD_MAP_EXPLAINED ||
                                 kind == XA_FIELD_MAP_PREFIX_MASS || kind == XA_FIELD_MAP_NEAREST;
            int64_t dim[5];
            whole_archive s;
            whole_make(&s);
            const bool has = s.data[kind] && kind != XA_FIELD_MODEL_CLASS_NAMES;
            const int n = xa_field_dims(kind, &s.x, dim);
            whole_free(&s);
            if (!has)
                continue;
            tried++;
            begin();
            whole_replace(file, path.text, XA_TYPE_COUNT, 0, NULL);
            found("absent", of_some ? "/checksums/maps/net/cam: row 0" : path.text);
            begin();
            whole_replace(file, path.text, type == XA_TYPE_I64 ? XA_TYPE_U8 : XA_TYPE_I64, n, dim);
            found("another type", path.text);
            begin();
            dim[n] = 1;
            whole_replace(file, path.text, type, n + 1, dim);
            found("an extent more", path.text);
            dim[0] = (int64_t)1 << 40;
            begin();
            whole_replace(file, path.text, type, n, dim);
            found("2^40 rows", "its extents are larger than what the file holds of it");
        }
    assert_true(tried >= 35);
    /* an archive of an earlier minor version may lack what came later, and has no checksums */
    whole_archive s;
    whole_make(&s);
    s.version = "1.0";
    free(s.data[XA_FIELD_RUN_SECONDS]);
    s.data[XA_FIELD_RUN_SECONDS] = NULL;
    whole_write(&s, file);
    whole_free(&s);
    const xa_verified v = verify(false);
    if (v.damages)
        fail_msg("%s", findings.data);
}

static void test_other_findings(void **state)
{
    (void)state;
    whole_archive s;
    /* missing: work that a run goes on with */
    whole_make(&s);
    ((uint8_t *)s.data[XA_FIELD_MODEL_STATUS])[1] = XA_SAMPLE_PENDING;
    whole_write(&s, file);
    xa_verified v = verify(false);
    assert_int_equal(v.missing, 1);
    assert_int_equal(v.damages, 0);
    assert_string_equal(findings.data,
                        "missing -1 model net: 1 of 4 samples pending, from row 1 (b) on\n");
    whole_free(&s);
    /* a head that is none */
    whole_make(&s);
    s.head = "hydra";
    whole_write(&s, file);
    whole_free(&s);
    found("head", "/models/net: its attribute head names no head that is known for 3 classes");
    /* images and masks that are not there */
    begin();
    const uint64_t hash = 5;
    whole_put(file, "/samples/annotations/mask_hash", 0, &hash);
    v = verify(true);
    assert_int_equal(v.other_images, 2);
    assert_int_equal(v.other_masks, 1);
    assert_int_equal(v.images, 0);
    assert_non_null(strstr(findings.data, "image -1 row 0 (a): it cannot be compared"));
    assert_non_null(strstr(findings.data, "mask -1 row 0 (a): its mask"));
    /* maps of a model that is not there, and no models at all */
    begin();
    whole_replace(file, "/models/net", XA_TYPE_COUNT, 0, NULL);
    found("no model", "/models: expected a model, found none");
    assert_non_null(strstr(findings.data, "/maps/net: there is no model of this name in /models"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_every_column),
        cmocka_unit_test(test_other_findings),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
