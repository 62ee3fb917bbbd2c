#include "view/whole_archive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define H5_USE_110_API 1
#include <hdf5.h>

#include "xaudit/explain.h"
#include "xaudit/metric.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

static xa_field_names names_of(xa_field_kind kind)
{
    const char *path = xa_field_path(kind);
    xa_field_names n = {.model = ""};
    strcpy(n.model, strstr(path, "<m>") ? WHOLE_MODEL : "");
    strcpy(n.explainer, strstr(path, "<e>") ? WHOLE_EXPLAINER : "");
    strcpy(n.key, !strstr(path, "<k>") ? "" : kind == XA_FIELD_MAP_SCORE ? "gini" : WHOLE_METRIC);
    return n;
}

static const char *or_null(const char *name)
{
    return *name ? name : NULL;
}

static size_t row_bytes(const whole_archive *s, xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    const size_t item = def->type != XA_TYPE_STR ? xa_type_bytes(def->type)
                        : def->bytes             ? def->bytes
                                                 : s->width[kind];
    return item * xa_field_row_items(kind, &s->x);
}

static int64_t rows_of(const whole_archive *s, xa_field_kind kind)
{
    int64_t dim[5];
    (void)xa_field_dims(kind, &s->x, dim);
    return dim[0];
}

/* Memory for a field's rows with what the table says of rows that are not done. */
static void *field(whole_archive *s, xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    s->width[kind] = def->type == XA_TYPE_STR ? WHOLE_TEXT : 0;
    const size_t rows = (size_t)rows_of(s, kind), bytes = row_bytes(s, kind);
    const size_t item = def->type == XA_TYPE_STR ? bytes : xa_type_bytes(def->type);
    s->data[kind] = calloc(rows + 1, bytes);
    assert_non_null(s->data[kind]);
    xa_field_fill(kind, def->type, s->data[kind], rows * bytes / item, item);
    return s->data[kind];
}

static void texts(whole_archive *s, xa_field_kind kind, const char *const *text, int64_t n)
{
    char *rows = field(s, kind);
    for (int64_t i = 0; i < n; i++)
        xa_text_put(text[i], rows + (size_t)i * row_bytes(s, kind), row_bytes(s, kind));
}

static void make_tables(whole_archive *s)
{
    static const char *const ids[] = {"a", "b", "c", "d"}, *const empty[] = {"", "", "", ""};
    static const char *const excluded[] = {"", "", "", "blurred"};
    static const int32_t label[] = {0, 1, 2, -1}, class_of[] = {0, 1, 2};
    static const int64_t offset[] = {0, 1, 2, 3, 3}, sample[] = {0, 1, 2};
    static const uint8_t kind[] = {1, 1, 1};
    static const double box[] = {0, 0, 4, 4, 1, 1, 5, 5, 2, 2, 6, 6};
    texts(s, XA_FIELD_SAMPLE_ID, ids, 4);
    texts(s, XA_FIELD_SAMPLE_PATH, ids, 4);
    texts(s, XA_FIELD_SAMPLE_SPLIT, empty, 4);
    texts(s, XA_FIELD_SAMPLE_GROUP, empty, 4);
    texts(s, XA_FIELD_SAMPLE_EXCLUDE, excluded, 4);
    memcpy(field(s, XA_FIELD_SAMPLE_LABEL), label, sizeof label);
    memcpy(field(s, XA_FIELD_SAMPLE_LABELS_OFFSET), offset, sizeof offset);
    memcpy(field(s, XA_FIELD_SAMPLE_LABELS_VALUE), class_of, sizeof class_of);
    field(s, XA_FIELD_SAMPLE_DECLARED);
    memcpy(field(s, XA_FIELD_ANN_OFFSET), offset, sizeof offset);
    memcpy(field(s, XA_FIELD_ANN_CLASS), class_of, sizeof class_of);
    memcpy(field(s, XA_FIELD_ANN_KIND), kind, sizeof kind);
    field(s, XA_FIELD_ANN_FLAGS);
    memcpy(field(s, XA_FIELD_ANN_BOX), box, sizeof box);
    texts(s, XA_FIELD_ANN_MASK, empty, 3);
    field(s, XA_FIELD_ANN_MASK_VALUE);
    texts(s, XA_FIELD_ANN_IGNORE, empty, 3);
    field(s, XA_FIELD_ANN_IGNORE_VALUE);
    memcpy(field(s, XA_FIELD_EVAL_SAMPLE), sample, sizeof sample);
    memcpy(field(s, XA_FIELD_EVAL_CLASS), class_of, sizeof class_of);
}

static void make_model(whole_archive *s)
{
    static const uint8_t status[] = {
        XA_SAMPLE_DONE, XA_SAMPLE_DONE, XA_SAMPLE_FAILED, XA_SAMPLE_EXCLUDED};
    static const double unit[6] = {1, 0, 0, 0, 1, 0};
    static const char *const names[] = {"ant", "bee", "cat"};
    const xa_head head = {
        .kind = XA_HEAD_SOFTMAX, .units = WHOLE_CLASSES, .classes = WHOLE_CLASSES};
    float *logits = field(s, XA_FIELD_MODEL_LOGITS), *probs = field(s, XA_FIELD_MODEL_PROBS);
    int32_t *predicted = field(s, XA_FIELD_MODEL_PREDICTED);
    double *affine = field(s, XA_FIELD_MODEL_AFFINE);
    memcpy(field(s, XA_FIELD_MODEL_STATUS), status, sizeof status);
    uint8_t *stage = field(s, XA_FIELD_MODEL_STAGE);
    char *message = field(s, XA_FIELD_MODEL_MESSAGE);
    for (int i = 0; i < 2; i++) { /* of those that are done */
        const float z[WHOLE_CLASSES] = {(float)i, 1.0f - (float)i, 0.25f};
        float *l = logits + i * WHOLE_CLASSES, *p = probs + i * WHOLE_CLASSES;
        xa_head_apply(&head, z, l, p);
        predicted[i] = xa_head_predict(&head, l, p);
        memcpy(affine + 6 * i, unit, sizeof unit);
    }
    stage[2] = XA_STAGE_READ;
    strcpy(message + (size_t)2 * XA_MESSAGE_BYTES, "no such file");
    texts(s, XA_FIELD_MODEL_CLASS_NAMES, names, WHOLE_CLASSES);
}

static void make_maps(whole_archive *s)
{
    static const int64_t sample[] = {0, 1, 2, 3};
    float *values = field(s, XA_FIELD_MAP_VALUES), *scale = field(s, XA_FIELD_MAP_SCALE);
    float *maximum = field(s, XA_FIELD_MAP_MAXIMUM), *peak = field(s, XA_FIELD_MAP_PEAK);
    int32_t *target = field(s, XA_FIELD_MAP_TARGET);
    uint8_t *flags = field(s, XA_FIELD_MAP_FLAGS);
    uint32_t *sum = field(s, XA_FIELD_MAP_CHECKSUM);
    double *gini = field(s, XA_FIELD_MAP_SCORE), *score = field(s, XA_FIELD_LOCALISATION);
    const xa_shape shape = {.ndim = 3, .dim = {1, WHOLE_SIDE, WHOLE_SIDE}};
    const size_t cells = WHOLE_SIDE * WHOLE_SIDE;
    memcpy(field(s, XA_FIELD_MAP_SAMPLE), sample, sizeof sample);
    for (size_t i = 0; i < WHOLE_SAMPLES; i++) {
        float *map = values + i * cells;
        for (size_t k = 0; k < cells; k++)
            map[k] = i < 2 ? (float)(k + i) : NAN;
        sum[i] = xa_checksum(map, cells * sizeof *map);
        if (i >= 2)
            continue;
        const xa_map_facts facts = xa_map_inspect(map, &shape);
        scale[i] = 1.0f;
        maximum[i] = facts.maximum;
        flags[i] = (uint8_t)facts.flags;
        peak[2 * i] = peak[2 * i + 1] = 0.5f;
        target[i] = ((const int32_t *)s->data[XA_FIELD_MODEL_PREDICTED])[i];
        gini[i] = 0.5;
        score[i] = 1.0;
    }
}

void whole_make(whole_archive *s)
{
    *s = (whole_archive){.x = xa_extents_unknown(), .head = "softmax", .target = "predicted"};
    s->x.samples = s->x.rows = WHOLE_SAMPLES;
    s->x.pairs = WHOLE_PAIRS;
    s->x.annotations = WHOLE_ANNOTATIONS;
    s->x.labels = WHOLE_LABELS;
    s->x.classes = WHOLE_CLASSES;
    s->x.channels = 1;
    s->x.height = s->x.width = WHOLE_SIDE;
    make_tables(s);
    int32_t *width = field(s, XA_FIELD_SAMPLE_WIDTH), *height = field(s, XA_FIELD_SAMPLE_HEIGHT);
    uint64_t *hash = field(s, XA_FIELD_SAMPLE_PIXEL_HASH);
    for (int i = 0; i < 2; i++) {
        width[i] = height[i] = 8;
        hash[i] = 77u + (uint64_t)i;
    }
    field(s, XA_FIELD_ANN_PROBLEM);
    field(s, XA_FIELD_ANN_MASK_HASH);
    field(s, XA_FIELD_RUN_SECONDS);
    make_model(s);
    make_maps(s);
    *(uint8_t *)field(s, XA_FIELD_RUN_STATE) = 2;
    /* what the table has besides, as of rows that are not done */
    static const xa_owner owners[] = {
        XA_OWNER_SAMPLE, XA_OWNER_ANNOTATION, XA_OWNER_MODEL, XA_OWNER_MAP};
    for (size_t o = 0; o < sizeof owners / sizeof *owners; o++)
        for (int i = 0; i < xa_owner_fields(owners[o]); i++) {
            const xa_field_kind kind = xa_owned_field(owners[o], i);
            if (!s->data[kind] && xa_field_row_items(kind, &s->x) > 0 &&
                kind != XA_FIELD_SAMPLE_THUMBNAIL_SIZE)
                field(s, kind);
        }
}

void whole_free(whole_archive *s)
{
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++)
        free(s->data[k]);
    *s = (whole_archive){.head = NULL};
}

static void add(const whole_archive *s, xa_schema *schema, xa_field_kind kind, const void *data)
{
    const xa_field_names n = names_of(kind);
    const xa_field_spec spec = {.kind = kind,
                                .model = or_null(n.model),
                                .explainer = or_null(n.explainer),
                                .key = or_null(n.key),
                                .type = XA_TYPE_COUNT,
                                .string_bytes = s->width[kind],
                                .data = data};
    xa_err err = XA_ERR_INIT;
    int index;
    if (xa_schema_add_field(schema, &spec, &s->x, &index, &err) != XA_OK)
        fail_msg("%s", err.message);
}

static void attribute(xa_schema *schema, const char *path, const char *name, const char *text)
{
    xa_err err = XA_ERR_INIT;
    if (text)
        assert_int_equal(xa_schema_attr_text(schema, path, name, text, &err), XA_OK);
}

void whole_write(const whole_archive *s, const char *path)
{
    uint32_t *sums[XA_FIELD_KINDS] = {NULL};
    const double size[2] = {8.0, 8.0};
    xa_schema *schema = NULL;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_schema_create(&schema, &err), XA_OK);
    attribute(schema, "/", "format_version", s->version);
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const xa_field_kind kind = (xa_field_kind)k, by = xa_field_checksum(kind);
        const xa_field_names n = names_of(kind);
        if (!s->data[k])
            continue;
        add(s, schema, kind, s->data[k]);
        if (by == XA_FIELD_KINDS)
            continue;
        if (!sums[by])
            sums[by] = calloc((size_t)rows_of(s, by) + 1, sizeof(uint32_t));
        assert_non_null(sums[by]);
        const xa_path at = xa_field_name(kind, n.model, n.explainer, n.key);
        xa_checksum_rows(
            xa_checksum_seed(at.text), s->data[k], rows_of(s, kind), row_bytes(s, kind), sums[by]);
    }
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++)
        if (sums[k])
            add(s, schema, (xa_field_kind)k, sums[k]);
    const xa_path model = xa_field_group(XA_FIELD_MODEL_STATUS, WHOLE_MODEL, NULL);
    const xa_path maps = xa_field_group(XA_FIELD_MAP_SAMPLE, WHOLE_MODEL, WHOLE_EXPLAINER);
    const xa_path score =
        xa_field_name(XA_FIELD_LOCALISATION, WHOLE_MODEL, WHOLE_EXPLAINER, WHOLE_METRIC);
    attribute(schema, model.text, "head", s->head);
    attribute(schema, maps.text, "target", s->target);
    if (s->data[XA_FIELD_LOCALISATION])
        attribute(schema, score.text, "metric", xa_metric_kind_name(XA_METRIC_POINTING_GAME));
    assert_int_equal(xa_schema_attr_f64(schema, model.text, "input_size", size, 2, &err), XA_OK);
    (void)unlink(path);
    if (xa_archive_create(path, schema, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_schema_free(schema);
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++)
        free(sums[k]);
}

static hid_t hdf5_type(xa_type type)
{
    switch (type) {
    case XA_TYPE_U8:
        return H5Tcopy(H5T_STD_U8LE);
    case XA_TYPE_I32:
        return H5Tcopy(H5T_STD_I32LE);
    case XA_TYPE_U32:
        return H5Tcopy(H5T_STD_U32LE);
    case XA_TYPE_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case XA_TYPE_U64:
        return H5Tcopy(H5T_STD_U64LE);
    case XA_TYPE_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case XA_TYPE_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    default: { /* a text */
        const hid_t text = H5Tcopy(H5T_C_S1);
        assert_true(H5Tset_size(text, WHOLE_TEXT) >= 0);
        return text;
    }
    }
}

void whole_replace(const char *file, const char *path, xa_type type, int ndim, const int64_t *dim)
{
    hsize_t extent[8];
    const hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(f >= 0);
    assert_true(H5Ldelete(f, path, H5P_DEFAULT) >= 0);
    if (type != XA_TYPE_COUNT) {
        for (int d = 0; d < ndim; d++)
            extent[d] = (hsize_t)dim[d];
        /* late: a dataset of 2^40 rows takes no room before it is written */
        const hid_t how = H5Pcreate(H5P_DATASET_CREATE), t = hdf5_type(type);
        const hid_t space = ndim ? H5Screate_simple(ndim, extent, NULL) : H5Screate(H5S_SCALAR);
        assert_true(H5Pset_alloc_time(how, H5D_ALLOC_TIME_LATE) >= 0);
        const hid_t d = H5Dcreate2(f, path, t, space, H5P_DEFAULT, how, H5P_DEFAULT);
        assert_true(d >= 0);
        H5Dclose(d);
        H5Sclose(space);
        H5Tclose(t);
        H5Pclose(how);
    }
    assert_true(H5Fclose(f) >= 0);
}

void whole_put(const char *file, const char *path, int64_t row, const void *bytes)
{
    hsize_t dim[8], start[8] = {0}, count[8];
    const hid_t f = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t d = H5Dopen2(f, path, H5P_DEFAULT), space = H5Dget_space(d), t = H5Dget_type(d);
    const int n = H5Sget_simple_extent_dims(space, dim, NULL);
    assert_true(n >= 1);
    for (int k = 0; k < n; k++)
        count[k] = k ? dim[k] : 1;
    start[0] = (hsize_t)row;
    const hid_t memory = H5Screate_simple(n, count, NULL);
    assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0);
    assert_true(H5Dwrite(d, t, memory, space, H5P_DEFAULT, bytes) >= 0);
    H5Sclose(memory);
    H5Tclose(t);
    H5Sclose(space);
    H5Dclose(d);
    assert_true(H5Fclose(f) >= 0);
}
