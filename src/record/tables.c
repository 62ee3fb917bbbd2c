/* /samples and /eval: the manifest's columns, offsets and flat arrays. */
#include "record_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t longest(int64_t so_far, const char *text)
{
    const int64_t n = text ? (int64_t)strlen(text) : 0;
    return n > so_far ? n : so_far;
}

void xa_counts_of(const xa_manifest *m, xa_counts *out)
{
    /* an empty column still has one byte a row: HDF5 has no strings of length 0 */
    xa_counts c = {.samples = m->count,
                   .id_bytes = 1,
                   .path_bytes = 1,
                   .split_bytes = 1,
                   .group_bytes = 1,
                   .exclude_bytes = 1,
                   .mask_bytes = 1,
                   .extra_bytes = 1};
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        c.labels += s->nlabels;
        c.annotations += s->nannotations;
        c.pairs += xa_rows_of_sample(XA_TARGET_ANNOTATED, s);
        c.id_bytes = longest(c.id_bytes, s->id);
        c.path_bytes = longest(c.path_bytes, s->path);
        c.split_bytes = longest(c.split_bytes, s->split);
        c.group_bytes = longest(c.group_bytes, s->group);
        c.exclude_bytes = longest(c.exclude_bytes, s->exclude);
        for (int32_t k = 0; k < s->nannotations; k++) {
            c.mask_bytes = longest(c.mask_bytes, xa_manifest_as_written(m, s->annotations[k].mask));
            c.mask_bytes =
                longest(c.mask_bytes, xa_manifest_as_written(m, s->annotations[k].ignore_mask));
        }
        for (int32_t k = 0; k < m->nextra; k++)
            c.extra_bytes = longest(c.extra_bytes, s->extra[k]);
    }
    *out = c;
}

xa_status xa_contents_own(xa_contents *c, size_t bytes, void **out, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&c->owned, &c->owned_cap, c->nowned + 1, sizeof(void *), err));
    void *p = xa_alloc(bytes ? bytes : 1, 1);
    if (!p)
        XA_RETURN_FAIL(err, XA_NOMEM, "archive tables: out of memory");
    c->owned[c->nowned++] = p;
    c->owned_bytes += bytes;
    *out = p;
    return XA_OK;
}

/* A dataset whose contents are given at creation; `data` stays NULL where the manifest is not at
 * hand. */
static xa_status add_table(xa_contents *c,
                           xa_field_kind kind,
                           const char *key,
                           int64_t rows,
                           int64_t width,
                           size_t string_bytes,
                           const void *data,
                           xa_err *err)
{
    int field;
    const xa_field_spec s = {.kind = kind,
                             .key = key,
                             .type = XA_TYPE_COUNT,
                             .string_bytes = string_bytes,
                             .ndim = width > 1 ? 2 : 1,
                             .dim = {rows, width},
                             .data = data};
    return xa_schema_add(c->schema, &s, &field, err);
}

typedef const char *text_of(const xa_sample *s, int32_t column);

static const char *text_id(const xa_sample *s, int32_t k)
{
    (void)k;
    return s->id;
}
static const char *text_path(const xa_sample *s, int32_t k)
{
    (void)k;
    return s->path;
}
static const char *text_split(const xa_sample *s, int32_t k)
{
    (void)k;
    return s->split;
}
static const char *text_group(const xa_sample *s, int32_t k)
{
    (void)k;
    return s->group;
}
static const char *text_exclude(const xa_sample *s, int32_t k)
{
    (void)k;
    return s->exclude;
}
static const char *text_extra(const xa_sample *s, int32_t k)
{
    return s->extra[k];
}

static void put_text(char *row, int64_t bytes, const char *text)
{
    if (text)
        memcpy(row, text, strnlen(text, (size_t)bytes));
}

static xa_status add_texts(xa_contents *c,
                           xa_field_kind kind,
                           const char *key,
                           const xa_manifest *m,
                           text_of *get,
                           int32_t column,
                           int64_t bytes,
                           xa_err *err)
{
    void *data = NULL;
    if (m) {
        XA_RETURN_TRY(err, xa_contents_own(c, (size_t)(m->count * bytes), &data, err));
        for (int64_t i = 0; i < m->count; i++)
            put_text((char *)data + i * bytes, bytes, get(&m->samples[i], column));
    }
    return add_table(c, kind, key, c->counts.samples, 1, (size_t)bytes, data, err);
}

static xa_status add_labels(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    int32_t *label = NULL, *value = NULL;
    int64_t *offset = NULL, at = 0;
    if (m) {
        void *p[3];
        XA_RETURN_TRY(err, xa_contents_own(c, (size_t)m->count * sizeof *label, &p[0], err));
        XA_RETURN_TRY(err, xa_contents_own(c, (size_t)(m->count + 1) * sizeof *offset, &p[1], err));
        XA_RETURN_TRY(err,
                      xa_contents_own(c, (size_t)c->counts.labels * sizeof *value, &p[2], err));
        label = p[0];
        offset = p[1];
        value = p[2];
        for (int64_t i = 0; i < m->count; i++) {
            const xa_sample *s = &m->samples[i];
            label[i] = s->nlabels == 1 ? s->labels[0] : -1;
            offset[i] = at;
            for (int32_t k = 0; k < s->nlabels; k++)
                value[at++] = s->labels[k];
        }
        offset[m->count] = at;
    }
    XA_RETURN_TRY(err,
                  add_table(c, XA_FIELD_SAMPLE_LABEL, NULL, c->counts.samples, 1, 0, label, err));
    XA_RETURN_TRY(
        err,
        add_table(
            c, XA_FIELD_SAMPLE_LABELS_OFFSET, NULL, c->counts.samples + 1, 1, 0, offset, err));
    return add_table(c, XA_FIELD_SAMPLE_LABELS_VALUE, NULL, c->counts.labels, 1, 0, value, err);
}

xa_status xa_contents_problems(xa_schema *schema,
                               int64_t annotations,
                               const uint8_t *data,
                               bool rescale,
                               int *field,
                               xa_err *err)
{
    static const char group[] = XA_GROUP_ANNOTATIONS;
    static const char *const names[] = {
#define X(name, text, used, meaning) text,
        XA_ANNOTATION_PROBLEM_LIST(X)
#undef X
    };
    const xa_field_spec s = {.kind = XA_FIELD_ANN_PROBLEM,
                             .type = XA_TYPE_COUNT,
                             .ndim = 1,
                             .dim = {annotations},
                             .data = data};
    XA_RETURN_TRY(err, xa_schema_add(schema, &s, field, err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(schema, group, "frame", rescale ? "rescale" : "refuse", err));
    return xa_schema_attr_texts(schema,
                                xa_field_path(XA_FIELD_ANN_PROBLEM),
                                "problems",
                                names,
                                XA_ANNOTATION_PROBLEMS,
                                err);
}

xa_status xa_contents_mask_hashes(
    xa_schema *schema, int64_t annotations, const uint64_t *data, int *field, xa_err *err)
{
    const xa_field_spec s = {.kind = XA_FIELD_ANN_MASK_HASH,
                             .type = XA_TYPE_COUNT,
                             .ndim = 1,
                             .dim = {annotations},
                             .data = data};
    return xa_schema_add(schema, &s, field, err);
}

/* Flat arrays of all annotations. */
typedef struct annotation_tables {
    int64_t *offset;
    int32_t *class_index, *mask_value, *ignore_value;
    uint8_t *kind, *flags;
    int32_t (*declared)[2]; /* of each sample */
    double *box;
    char *mask, *ignore;
} annotation_tables;

static void fill_annotations(const xa_manifest *m, int64_t text_bytes, annotation_tables *t)
{
    int64_t at = 0;
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        t->offset[i] = at;
        t->declared[i][0] = s->width;
        t->declared[i][1] = s->height;
        for (int32_t k = 0; k < s->nannotations; k++, at++) {
            const xa_annotation *a = &s->annotations[k];
            const bool box = a->kind == XA_ANNOTATION_BOX;
            const double edges[4] = {a->x0, a->y0, a->x1, a->y1};
            t->class_index[at] = a->class_index;
            t->kind[at] = a->kind;
            t->flags[at] = a->flags;
            t->mask_value[at] = a->mask_value;
            t->ignore_value[at] = a->ignore_value;
            for (int j = 0; j < 4; j++)
                t->box[4 * at + j] = box ? edges[j] : NAN;
            put_text(t->mask + at * text_bytes, text_bytes, xa_manifest_as_written(m, a->mask));
            put_text(
                t->ignore + at * text_bytes, text_bytes, xa_manifest_as_written(m, a->ignore_mask));
        }
    }
    t->offset[m->count] = at;
}

static xa_status add_annotations(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    const int64_t n = c->counts.annotations, text = c->counts.mask_bytes;
    annotation_tables t = {0};
    if (m) {
        const struct {
            void *slot;
            size_t bytes;
        } want[] = {{&t.offset, (size_t)(m->count + 1) * sizeof(int64_t)},
                    {&t.declared, (size_t)m->count * sizeof *t.declared},
                    {&t.class_index, (size_t)n * sizeof(int32_t)},
                    {&t.mask_value, (size_t)n * sizeof(int32_t)},
                    {&t.ignore_value, (size_t)n * sizeof(int32_t)},
                    {&t.kind, (size_t)n},
                    {&t.flags, (size_t)n},
                    {&t.box, (size_t)n * 4 * sizeof(double)},
                    {&t.mask, (size_t)(n * text)},
                    {&t.ignore, (size_t)(n * text)}};
        for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
            void *p;
            XA_RETURN_TRY(err, xa_contents_own(c, want[i].bytes, &p, err));
            memcpy(want[i].slot, &p, sizeof p);
        }
        fill_annotations(m, text, &t);
    }
    XA_RETURN_TRY(
        err, add_table(c, XA_FIELD_ANN_OFFSET, NULL, c->counts.samples + 1, 1, 0, t.offset, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_CLASS, NULL, n, 1, 0, t.class_index, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_KIND, NULL, n, 1, 0, t.kind, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_FLAGS, NULL, n, 1, 0, t.flags, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_BOX, NULL, n, 4, 0, t.box, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_MASK, NULL, n, 1, (size_t)text, t.mask, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_MASK_VALUE, NULL, n, 1, 0, t.mask_value, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_IGNORE, NULL, n, 1, (size_t)text, t.ignore, err));
    XA_RETURN_TRY(err, add_table(c, XA_FIELD_ANN_IGNORE_VALUE, NULL, n, 1, 0, t.ignore_value, err));
    XA_RETURN_TRY(
        err,
        add_table(c, XA_FIELD_SAMPLE_DECLARED, NULL, c->counts.samples, 2, 0, t.declared, err));
    XA_RETURN_TRY(err, xa_contents_mask_hashes(c->schema, n, NULL, &c->mask_hash, err));
    return xa_contents_problems(c->schema, n, NULL, c->job->audit.rescale_frames, &c->problem, err);
}

static xa_status add_pairs(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    void *sample = NULL, *class_index = NULL;
    if (m) {
        XA_RETURN_TRY(err,
                      xa_contents_own(c, (size_t)c->counts.pairs * sizeof(int64_t), &sample, err));
        XA_RETURN_TRY(
            err,
            xa_contents_own(
                c, (size_t)(c->counts.annotations + 1) * sizeof(int32_t), &class_index, err));
        int64_t at = 0;
        for (int64_t i = 0; i < m->count; i++) {
            const int32_t k = xa_sample_annotated(&m->samples[i], (int32_t *)class_index + at);
            for (int32_t j = 0; j < k; j++)
                ((int64_t *)sample)[at++] = i;
        }
    }
    XA_RETURN_TRY(err,
                  add_table(c, XA_FIELD_EVAL_SAMPLE, NULL, c->counts.pairs, 1, 0, sample, err));
    XA_RETURN_TRY(err,
                  add_table(c, XA_FIELD_EVAL_CLASS, NULL, c->counts.pairs, 1, 0, class_index, err));
    if (!m || !m->categories.count)
        return XA_OK;
    xa_str text = {0};
    xa_status st = xa_categories_text(&m->categories, &text, err);
    if (st == XA_OK)
        st = xa_schema_attr_text(c->schema, XA_GROUP_EVAL, "categories", text.data, err);
    xa_str_free(&text);
    return st;
}

static xa_status add_measured(xa_contents *c, xa_err *err)
{
    const struct {
        xa_field_kind kind;
        int *field;
    } list[] = {{XA_FIELD_SAMPLE_WIDTH, &c->width},
                {XA_FIELD_SAMPLE_HEIGHT, &c->height},
                {XA_FIELD_SAMPLE_PIXEL_HASH, &c->pixel_hash}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const xa_field_spec s = {
            .kind = list[i].kind, .type = XA_TYPE_COUNT, .ndim = 1, .dim = {c->counts.samples}};
        XA_RETURN_TRY(err, xa_schema_add(c->schema, &s, list[i].field, err));
    }
    const int64_t side = c->job->audit.thumbnails;
    const xa_field_spec picture = {.kind = XA_FIELD_SAMPLE_THUMBNAIL,
                                   .type = XA_TYPE_COUNT,
                                   .ndim = 4,
                                   .dim = {c->counts.samples, side, side, 3}};
    const xa_field_spec size = {.kind = XA_FIELD_SAMPLE_THUMBNAIL_SIZE,
                                .type = XA_TYPE_COUNT,
                                .ndim = 2,
                                .dim = {c->counts.samples, 2}};
    if (side) {
        XA_RETURN_TRY(err, xa_schema_add(c->schema, &picture, &c->thumbnail, err));
        XA_RETURN_TRY(err, xa_schema_add(c->schema, &size, &c->thumbnail_size, err));
    }
    return XA_OK;
}

xa_status xa_contents_tables(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    const struct {
        xa_field_kind kind;
        text_of *get;
        int64_t bytes;
    } texts[] = {{XA_FIELD_SAMPLE_ID, text_id, c->counts.id_bytes},
                 {XA_FIELD_SAMPLE_PATH, text_path, c->counts.path_bytes},
                 {XA_FIELD_SAMPLE_SPLIT, text_split, c->counts.split_bytes},
                 {XA_FIELD_SAMPLE_GROUP, text_group, c->counts.group_bytes},
                 {XA_FIELD_SAMPLE_EXCLUDE, text_exclude, c->counts.exclude_bytes}};
    XA_RETURN_TRY(err, add_measured(c, err));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        XA_RETURN_TRY(err,
                      add_texts(c, texts[i].kind, NULL, m, texts[i].get, 0, texts[i].bytes, err));
    XA_RETURN_TRY(err, add_labels(c, m, err));
    XA_RETURN_TRY(err, add_annotations(c, m, err));
    XA_RETURN_TRY(err, add_pairs(c, m, err));
    return XA_OK;
}

xa_status xa_contents_extra(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    for (int32_t k = 0; m && k < m->nextra; k++)
        XA_RETURN_TRY(err,
                      add_texts(c,
                                XA_FIELD_SAMPLE_EXTRA,
                                m->extra_columns[k],
                                m,
                                text_extra,
                                k,
                                c->counts.extra_bytes,
                                err));
    return XA_OK;
}

xa_status xa_contents_row_samples(
    xa_contents *c, const xa_manifest *m, xa_target_rule rule, const int64_t **out, xa_err *err)
{
    void *p = NULL;
    int64_t at = 0;
    *out = NULL;
    if (!m)
        return XA_OK;
    XA_RETURN_TRY(
        err,
        xa_contents_own(c, (size_t)xa_counts_rows(&c->counts, rule) * sizeof(int64_t), &p, err));
    int64_t *rows = p;
    for (int64_t i = 0; i < m->count; i++)
        for (int32_t k = xa_rows_of_sample(rule, &m->samples[i]); k > 0; k--)
            rows[at++] = i;
    *out = rows;
    return XA_OK;
}

xa_status
xa_contents_first_status(xa_contents *c, const xa_manifest *m, const uint8_t **out, xa_err *err)
{
    void *p = NULL;
    *out = NULL;
    if (!m)
        return XA_OK;
    XA_RETURN_TRY(err, xa_contents_own(c, (size_t)m->count, &p, err));
    uint8_t *status = p;
    for (int64_t i = 0; i < m->count; i++)
        status[i] = m->samples[i].exclude ? XA_SAMPLE_EXCLUDED : XA_SAMPLE_PENDING;
    *out = status;
    return XA_OK;
}

xa_status xa_contents_class_names(xa_contents *c, int m, int64_t classes, xa_err *err)
{
    const xa_classes *names = &c->job->classes;
    int64_t bytes = 1;
    void *data;
    int field;
    if (!names->names)
        return XA_OK;
    for (int64_t i = 0; i < names->count; i++)
        bytes = longest(bytes, names->names[i]);
    XA_RETURN_TRY(err, xa_contents_own(c, (size_t)(classes * bytes), &data, err));
    for (int64_t i = 0; i < names->count && i < classes; i++)
        put_text((char *)data + i * bytes, bytes, names->names[i]);
    const xa_field_spec s = {.kind = XA_FIELD_MODEL_CLASS_NAMES,
                             .model = c->job->audit.models[m].name,
                             .type = XA_TYPE_COUNT,
                             .string_bytes = (size_t)bytes,
                             .ndim = 1,
                             .dim = {classes},
                             .data = data};
    return xa_schema_add(c->schema, &s, &field, err);
}
