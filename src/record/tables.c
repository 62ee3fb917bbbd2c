/* /samples and /eval: the manifest's columns, offsets and flat arrays. */
#include "record_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ----------------------------------------------------------------------------------- */

/* The text of a table with a row per sample; NULL: it is empty, or the table is another one. */
static const char *text_of(const xa_sample *s, xa_field_kind kind)
{
    switch (kind) {
    case XA_FIELD_SAMPLE_ID:
        return s->id;
    case XA_FIELD_SAMPLE_PATH:
        return s->path;
    case XA_FIELD_SAMPLE_SPLIT:
        return s->split;
    case XA_FIELD_SAMPLE_GROUP:
        return s->group;
    case XA_FIELD_SAMPLE_EXCLUDE:
        return s->exclude;
    default:
        return NULL;
    }
}

static void note_width(int64_t *width, const char *text)
{
    const int64_t n = text ? (int64_t)strlen(text) : 0;
    *width = n > *width ? n : *width;
}

void xa_counts_of(const xa_manifest *m, xa_counts *out)
{
    xa_counts c = {.samples = m->count};
    int64_t *width = c.text_bytes, files = 1;
    /* an empty column still has one byte per row: HDF5 has no strings of length 0 */
    for (int k = 0; k < XA_FIELDS_OF(TABLE); k++)
        width[k] = xa_field_get((xa_field_kind)k)->type == XA_TYPE_STR;
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        c.labels += s->nlabels;
        c.annotations += s->nannotations;
        c.pairs += xa_rows_of_sample(XA_TARGET_ANNOTATED, 0, s);
        for (int k = 0; k < XA_FIELDS_OF(TABLE); k++)
            note_width(&width[k], text_of(s, (xa_field_kind)k));
        for (int32_t k = 0; k < s->nannotations; k++) {
            note_width(&files, xa_manifest_as_written(m, s->annotations[k].mask));
            note_width(&files, xa_manifest_as_written(m, s->annotations[k].ignore_mask));
        }
        for (int32_t k = 0; k < m->nextra; k++)
            note_width(&width[XA_FIELD_SAMPLE_EXTRA], s->extra[k]);
    }
    width[XA_FIELD_ANN_MASK] = width[XA_FIELD_ANN_IGNORE] = files;
    *out = c;
}

xa_status xa__contents_own(xa_contents *c, size_t bytes, void **out, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&c->owned, &c->owned_cap, c->nowned + 1, sizeof(void *), err));
    void *p = xa_alloc(bytes ? bytes : 1, 1);
    if (!p)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the archive's tables");
    c->owned[c->nowned++] = p;
    c->owned_bytes += bytes;
    *out = p;
    return XA_OK;
}

static void put_text(void *rows, int64_t i, int64_t width, const char *text)
{
    if (text)
        memcpy((char *)rows + i * width, text, strnlen(text, (size_t)width));
}

/* ---- /samples and /eval ---------------------------------------------------------------------- */

/* The tables' contents, by field; all NULL without a manifest. */
typedef struct tables {
    void *of[XA_FIELDS_OF(TABLE)];
} tables;

/* Tables of the manifest alone: their path has no name in it. */
static bool is_of_manifest(xa_field_kind kind)
{
    return !strchr(xa_field_path(kind), '<');
}

static void fill_labels(const xa_manifest *m, tables *t)
{
    int32_t *label = t->of[XA_FIELD_SAMPLE_LABEL], *value = t->of[XA_FIELD_SAMPLE_LABELS_VALUE];
    int64_t *offset = t->of[XA_FIELD_SAMPLE_LABELS_OFFSET], at = 0;
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        label[i] = s->nlabels == 1 ? s->labels[0] : -1;
        offset[i] = at;
        for (int32_t k = 0; k < s->nlabels; k++)
            value[at++] = s->labels[k];
    }
    offset[m->count] = at;
}

static void fill_annotations(const xa_manifest *m, int64_t width, tables *t)
{
    int64_t *offset = t->of[XA_FIELD_ANN_OFFSET], at = 0;
    int32_t *class_index = t->of[XA_FIELD_ANN_CLASS], *declared = t->of[XA_FIELD_SAMPLE_DECLARED];
    int32_t *mask_value = t->of[XA_FIELD_ANN_MASK_VALUE];
    int32_t *ignore_value = t->of[XA_FIELD_ANN_IGNORE_VALUE];
    uint8_t *kind = t->of[XA_FIELD_ANN_KIND], *flags = t->of[XA_FIELD_ANN_FLAGS];
    double *box = t->of[XA_FIELD_ANN_BOX];
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        offset[i] = at;
        declared[2 * i] = s->width;
        declared[2 * i + 1] = s->height;
        for (int32_t k = 0; k < s->nannotations; k++, at++) {
            const xa_annotation *a = &s->annotations[k];
            const double edges[4] = {a->x0, a->y0, a->x1, a->y1};
            class_index[at] = a->class_index;
            kind[at] = a->kind;
            flags[at] = a->flags;
            mask_value[at] = a->mask_value;
            ignore_value[at] = a->ignore_value;
            for (int j = 0; j < 4; j++)
                box[4 * at + j] = a->kind == XA_ANNOTATION_BOX ? edges[j] : NAN;
            put_text(t->of[XA_FIELD_ANN_MASK], at, width, xa_manifest_as_written(m, a->mask));
            put_text(
                t->of[XA_FIELD_ANN_IGNORE], at, width, xa_manifest_as_written(m, a->ignore_mask));
        }
    }
    offset[m->count] = at;
}

/* Pairs of an image and a class annotated in it. A sample's classes are written over one another
 * until it is known how many are different: `classes` has room for all annotations. */
static void fill_pairs(const xa_manifest *m, int32_t *classes, tables *t)
{
    int64_t *sample = t->of[XA_FIELD_EVAL_SAMPLE], at = 0;
    int32_t *class_index = t->of[XA_FIELD_EVAL_CLASS];
    for (int64_t i = 0; i < m->count; i++) {
        const int32_t n = xa_sample_annotated(&m->samples[i], classes);
        for (int32_t j = 0; j < n; j++) {
            class_index[at] = classes[j];
            sample[at++] = i;
        }
    }
}

static void fill_texts(const xa_manifest *m, xa_field_kind kind, int64_t width, void *rows)
{
    for (int64_t i = 0; i < m->count; i++)
        put_text(rows, i, width, text_of(&m->samples[i], kind));
}

static xa_status fill_tables(xa_contents *c, const xa_manifest *m, tables *t, xa_err *err)
{
    const xa_extents x = xa_counts_extents(&c->counts);
    const int64_t *width = c->counts.text_bytes;
    for (int k = 0; k < XA_FIELDS_OF(TABLE); k++) {
        const xa_field_kind kind = (xa_field_kind)k;
        const xa_type type = xa_field_get(kind)->type;
        const size_t item = type == XA_TYPE_STR ? (size_t)width[k] : xa_type_bytes(type);
        int64_t dim[5];
        if (!is_of_manifest(kind))
            continue;
        (void)xa_field_dims(kind, &x, dim);
        XA_RETURN_TRY(err,
                      xa__contents_own(
                          c, (size_t)dim[0] * xa_field_row_items(kind, &x) * item, &t->of[k], err));
        if (type == XA_TYPE_STR)
            fill_texts(m, kind, width[k], t->of[k]);
    }
    int32_t *classes = xa_alloc((size_t)c->counts.annotations + 1, sizeof *classes);
    if (!classes)
        XA_RETURN_NOMEM(err);
    fill_labels(m, t);
    fill_annotations(m, width[XA_FIELD_ANN_MASK], t);
    fill_pairs(m, classes, t);
    free(classes);
    return XA_OK;
}

/* The names of the problems' numbers, and the rule for frames. */
static xa_status problem_attributes(xa_schema *schema, bool rescale, xa_err *err)
{
    static const char *const names[] = {
#define X(name, text, used, meaning) text,
        XA_ANNOTATION_PROBLEM_LIST(X)
#undef X
    };
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(
                      schema, XA_GROUP_ANNOTATIONS, "frame", rescale ? "rescale" : "refuse", err));
    return xa_schema_attr_texts(schema,
                                xa_field_path(XA_FIELD_ANN_PROBLEM),
                                "problems",
                                names,
                                XA_ANNOTATION_PROBLEMS,
                                err);
}

xa_status xa_contents_problems(xa_schema *schema,
                               int64_t annotations,
                               const uint8_t *data,
                               bool rescale,
                               int *field,
                               xa_err *err)
{
    const xa_field_spec s = {.kind = XA_FIELD_ANN_PROBLEM, .type = XA_TYPE_COUNT, .data = data};
    xa_extents x = xa_extents_unknown();
    x.annotations = annotations;
    XA_RETURN_TRY(err, xa_schema_add_field(schema, &s, &x, field, err));
    return problem_attributes(schema, rescale, err);
}

xa_status xa_contents_mask_hashes(
    xa_schema *schema, int64_t annotations, const uint64_t *data, int *field, xa_err *err)
{
    const xa_field_spec s = {.kind = XA_FIELD_ANN_MASK_HASH, .type = XA_TYPE_COUNT, .data = data};
    xa_extents x = xa_extents_unknown();
    x.annotations = annotations;
    return xa_schema_add_field(schema, &s, &x, field, err);
}

/* The sets of classes that labels and annotations name. */
static xa_status category_attribute(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    xa_str text = {0};
    if (!m || !m->categories.count)
        return XA_OK;
    xa_status st = xa_categories_text(&m->categories, &text, err);
    if (st == XA_OK)
        st = xa_schema_attr_text(c->schema, XA_GROUP_EVAL, "categories", text.data, err);
    xa_str_free(&text);
    return st;
}

xa_status xa__add_tables(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    const xa_field_spec none = {.model = NULL};
    tables t = {{NULL}};
    xa_extents x = xa_counts_extents(&c->counts);
    x.side = c->job->audit.thumbnails;
    if (m)
        XA_RETURN_TRY(err, fill_tables(c, m, &t, err));
    XA_RETURN_TRY(err, xa__add_columns(c, XA_OWNER_SAMPLE, NULL, &none, &x, NULL, c->sample, err));
    for (int k = 0; k < XA_FIELDS_OF(TABLE); k++) {
        int field;
        const xa_field_spec s = {.kind = (xa_field_kind)k,
                                 .type = XA_TYPE_COUNT,
                                 .string_bytes = (size_t)c->counts.text_bytes[k],
                                 .data = t.of[k]};
        if (is_of_manifest(s.kind))
            XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, &x, &field, err));
    }
    XA_RETURN_TRY(
        err, xa__add_columns(c, XA_OWNER_ANNOTATION, NULL, &none, &x, NULL, c->annotation, err));
    XA_RETURN_TRY(err, problem_attributes(c->schema, c->job->audit.rescale_frames, err));
    return category_attribute(c, m, err);
}

xa_status xa__add_extra(xa_contents *c, const xa_manifest *m, xa_err *err)
{
    const int64_t width = c->counts.text_bytes[XA_FIELD_SAMPLE_EXTRA];
    const xa_extents x = xa_counts_extents(&c->counts);
    for (int32_t k = 0; m && k < m->nextra; k++) {
        int field;
        void *rows;
        XA_RETURN_TRY(err, xa__contents_own(c, (size_t)(m->count * width), &rows, err));
        for (int64_t i = 0; i < m->count; i++)
            put_text(rows, i, width, m->samples[i].extra[k]);
        const xa_field_spec s = {.kind = XA_FIELD_SAMPLE_EXTRA,
                                 .key = m->extra_columns[k],
                                 .type = XA_TYPE_COUNT,
                                 .string_bytes = (size_t)width,
                                 .data = rows};
        XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, &x, &field, err));
    }
    return XA_OK;
}

/* ---- of models and explainers ---------------------------------------------------------------- */

xa_status xa__row_samples(xa_contents *c,
                          const xa_manifest *m,
                          const xa_explainer_spec *e,
                          const int64_t **out,
                          xa_err *err)
{
    const int64_t n = xa_counts_rows(&c->counts, e->target, e->top);
    void *p = NULL;
    int64_t at = 0;
    *out = NULL;
    if (!m)
        return XA_OK;
    XA_RETURN_TRY(err, xa__contents_own(c, (size_t)n * sizeof(int64_t), &p, err));
    int64_t *rows = p;
    for (int64_t i = 0; i < m->count; i++)
        for (int32_t k = xa_explainer_rows(e, &m->samples[i]); k > 0; k--)
            rows[at++] = i;
    *out = rows;
    return XA_OK;
}

xa_status xa__first_status(xa_contents *c, const xa_manifest *m, const uint8_t **out, xa_err *err)
{
    void *p = NULL;
    *out = NULL;
    if (!m)
        return XA_OK;
    XA_RETURN_TRY(err, xa__contents_own(c, (size_t)m->count, &p, err));
    uint8_t *status = p;
    for (int64_t i = 0; i < m->count; i++)
        status[i] = m->samples[i].exclude ? XA_SAMPLE_EXCLUDED : XA_SAMPLE_PENDING;
    *out = status;
    return XA_OK;
}

xa_status xa__add_class_names(xa_contents *c, int m, int64_t classes, xa_err *err)
{
    const xa_classes *names = &c->job->classes;
    int64_t width = 1;
    void *rows;
    int field;
    if (!names->names)
        return XA_OK;
    for (int64_t i = 0; i < names->count; i++)
        note_width(&width, names->names[i]);
    XA_RETURN_TRY(err, xa__contents_own(c, (size_t)(classes * width), &rows, err));
    for (int64_t i = 0; i < names->count && i < classes; i++)
        put_text(rows, i, width, names->names[i]);
    const xa_field_spec s = {.kind = XA_FIELD_MODEL_CLASS_NAMES,
                             .model = c->job->audit.models[m].name,
                             .type = XA_TYPE_COUNT,
                             .string_bytes = (size_t)width,
                             .data = rows};
    xa_extents x = xa_extents_unknown();
    x.classes = classes;
    return xa_schema_add_field(c->schema, &s, &x, &field, err);
}
