/* Is an archive whole? The manifest's tables: /samples and /eval. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "verify_internal.h"
#include "xaudit/manifest.h"
#include "xaudit/view.h"

typedef struct tables {
    xa__verifier *v;
    xa__column column[4];
    int64_t before; /* the offset or row above */
    int64_t end;    /* what offsets lead to */
} tables;

/* Offsets start at 0, never fall, and end where the flat array does. */
static void visit_offsets(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int64_t *offset = t->column[0].data;
    for (int64_t i = 0; i < n; i++) {
        const bool start = first + i == 0, last = first + i == t->v->samples;
        const bool fits = offset[i] >= t->before && offset[i] <= t->end &&
                          (!start || offset[i] == 0) && (!last || offset[i] == t->end);
        if (!fits)
            xa__report(t->v,
                       XA_FINDING_DAMAGE,
                       "%s: row %" PRId64 ": %" PRId64 " after %" PRId64 ", of %" PRId64,
                       t->column[0].path.text,
                       first + i,
                       offset[i],
                       t->before,
                       t->end);
        else
            t->before = offset[i];
    }
}

static xa_status offsets(xa__verifier *v, xa_field_kind kind, int64_t end, xa_err *err)
{
    tables t = {.v = v, .end = end};
    xa_extents x = xa_extents_unknown();
    x.samples = v->samples;
    if (!xa__verify_find(v, &t.column[0], kind, NULL, NULL, &x))
        return XA_OK;
    return xa__verify_blocks(v, t.column, 1, visit_offsets, &t, err);
}

/* ---- labels and annotations ---- */

static void visit_labels(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int32_t *value = t->column[0].data;
    for (int64_t i = 0; i < n; i++)
        if (value[i] < 0)
            xa__report(t->v,
                       XA_FINDING_DAMAGE,
                       "%s: row %" PRId64 ": no class: %" PRId32,
                       t->column[0].path.text,
                       first + i,
                       value[i]);
}

static void visit_annotations(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int32_t *class_index = t->column[0].data;
    const uint8_t *kind = t->column[1].data, *flags = t->column[2].data;
    const double *box = t->column[3].data;
    for (int64_t i = 0; i < n; i++) {
        const double *b = box + 4 * i;
        const char *what = NULL;
        if (class_index[i] < -1)
            what = "its class is none";
        else if (kind[i] != 1 && kind[i] != 2)
            what = "its kind is neither 1 (box) nor 2 (mask)";
        else if (flags[i] > 15)
            what = "its flags are beyond 15";
        else if (kind[i] == 1 &&
                 !(isfinite(b[0]) && isfinite(b[1]) && isfinite(b[2]) && isfinite(b[3])))
            what = "its box is not finite";
        if (what)
            xa__report(t->v,
                       XA_FINDING_DAMAGE,
                       XA_GROUP_ANNOTATIONS ": row %" PRId64 ": %s",
                       first + i,
                       what);
    }
}

static void visit_problems(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const uint8_t *problem = t->column[0].data;
    for (int64_t i = 0; i < n; i++)
        if (problem[i] >= XA_ANNOTATION_PROBLEMS)
            xa__report(t->v,
                       XA_FINDING_DAMAGE,
                       "%s: row %" PRId64 ": there is no problem %d",
                       t->column[0].path.text,
                       first + i,
                       (int)problem[i]);
}

/* All of the manifest's tables whose rows the letter counts; `columns` [fields of TABLE]. */
static bool find_tables(xa__verifier *v, char letter, const xa_extents *x, xa__column *columns)
{
    const char rows[2] = {letter, '\0'};
    bool whole = true;
    for (int k = 0; k < XA_FIELDS_OF(TABLE); k++) {
        const xa_field_kind kind = (xa_field_kind)k;
        const char *extents = xa_field_extents(kind);
        if (strchr(xa_field_path(kind), '<') || extents[strcspn(extents, ",")] == '+' ||
            strncmp(extents, rows, strcspn(extents, ",")) != 0)
            continue;
        whole &= xa__verify_find_any(v, &columns[k], kind, NULL, NULL, x);
    }
    return whole;
}

static xa_status annotations(xa__verifier *v, xa_err *err)
{
    tables t = {.v = v};
    xa_extents x = xa_extents_unknown();
    xa__column of[XA_FIELDS_OF(TABLE)], made[XA_FIELDS_OF(ANNOTATION)];
    if (!xa__verify_find(v, &t.column[0], XA_FIELD_ANN_CLASS, NULL, NULL, &x))
        return XA_OK;
    x.annotations = t.column[0].info.dim[0];
    if (find_tables(v, 'A', &x, of)) {
        t.column[1] = of[XA_FIELD_ANN_KIND];
        t.column[2] = of[XA_FIELD_ANN_FLAGS];
        t.column[3] = of[XA_FIELD_ANN_BOX];
        XA_RETURN_TRY(err, xa__verify_blocks(v, t.column, 4, visit_annotations, &t, err));
    }
    if (xa__verify_find_owned(v, made, XA_OWNER_ANNOTATION, NULL, NULL, &x)) {
        t.column[0] = made[XA_FIELD_ANN_PROBLEM - XA_FIELD_ANN_PROBLEM];
        if (t.column[0].info.ndim)
            XA_RETURN_TRY(err, xa__verify_blocks(v, t.column, 1, visit_problems, &t, err));
    }
    return offsets(v, XA_FIELD_ANN_OFFSET, x.annotations, err);
}

static xa_status labels(xa__verifier *v, xa_err *err)
{
    tables t = {.v = v};
    const xa_extents any = xa_extents_unknown();
    if (!xa__verify_find(v, &t.column[0], XA_FIELD_SAMPLE_LABELS_VALUE, NULL, NULL, &any))
        return XA_OK;
    const int64_t rows = t.column[0].info.dim[0];
    XA_RETURN_TRY(err, xa__verify_blocks(v, t.column, 1, visit_labels, &t, err));
    return offsets(v, XA_FIELD_SAMPLE_LABELS_OFFSET, rows, err);
}

/* ---- samples and pairs ---- */

static void visit_samples(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int32_t *width = t->column[0].data, *height = t->column[1].data;
    const char *exclude = t->column[2].data;
    for (int64_t i = 0; i < n; i++) {
        t->v->measured[first + i] = width[i] > 0 && height[i] > 0;
        t->v->excluded[first + i] = exclude[(size_t)i * t->column[2].row_bytes] != '\0';
    }
}

static xa_status samples(xa__verifier *v, xa_err *err)
{
    tables t = {.v = v};
    xa__column of[XA_FIELDS_OF(TABLE)], measured[XA_FIELDS_OF(SAMPLE)];
    xa_extents x = xa_extents_unknown();
    x.samples = v->samples;
    (void)find_tables(v, 'N', &x, of); /* all damage is reported; three columns are read */
    (void)xa__verify_find_owned(v, measured, XA_OWNER_SAMPLE, NULL, NULL, &x);
    t.column[0] = measured[XA_FIELD_SAMPLE_WIDTH - XA_FIELD_SAMPLE_WIDTH];
    t.column[1] = measured[XA_FIELD_SAMPLE_HEIGHT - XA_FIELD_SAMPLE_WIDTH];
    t.column[2] = of[XA_FIELD_SAMPLE_EXCLUDE];
    for (int i = 0; i < 3; i++)
        if (!t.column[i].info.ndim)
            return XA_OK;
    return xa__verify_blocks(v, t.column, 3, visit_samples, &t, err);
}

static void visit_pairs(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int64_t *sample = t->column[0].data;
    const int32_t *class_index = t->column[1].data;
    for (int64_t i = 0; i < n; i++) {
        if (sample[i] < t->before || sample[i] >= t->v->samples || class_index[i] < 0)
            xa__report(t->v,
                       XA_FINDING_DAMAGE,
                       XA_GROUP_EVAL ": row %" PRId64 ": sample %" PRId64 " of %" PRId64
                                     " (after %" PRId64 "), class %" PRId32,
                       first + i,
                       sample[i],
                       t->v->samples,
                       t->before,
                       class_index[i]);
        else
            t->before = sample[i];
    }
}

static xa_status pairs(xa__verifier *v, xa_err *err)
{
    tables t = {.v = v};
    xa_extents x = xa_extents_unknown();
    if (!xa__verify_find(v, &t.column[0], XA_FIELD_EVAL_SAMPLE, NULL, NULL, &x))
        return XA_OK;
    x.pairs = t.column[0].info.dim[0];
    if (!xa__verify_find(v, &t.column[1], XA_FIELD_EVAL_CLASS, NULL, NULL, &x))
        return XA_OK;
    v->pairs = x.pairs;
    return xa__verify_blocks(v, t.column, 2, visit_pairs, &t, err);
}

xa_status xa__verify_tables(xa__verifier *v, xa_err *err)
{
    XA_RETURN_TRY(err, samples(v, err));
    XA_RETURN_TRY(err, labels(v, err));
    XA_RETURN_TRY(err, annotations(v, err));
    return pairs(v, err);
}

typedef struct beyond {
    xa__verifier *v;
    xa__column column;
    int64_t classes;
    const xa_categories *categories;
} beyond;

static void visit_classes(void *arg, int64_t first, int64_t n)
{
    const beyond *b = arg;
    const int32_t *class_index = b->column.data;
    for (int64_t i = 0; i < n; i++)
        if (xa_category_largest(b->categories, class_index[i]) >= b->classes)
            xa__report(b->v,
                       XA_FINDING_DAMAGE,
                       "%s: row %" PRId64 ": class %" PRId32 " of %" PRId64,
                       b->column.path.text,
                       first + i,
                       class_index[i],
                       b->classes);
}

xa_status xa__verify_classes(xa__verifier *v, int64_t classes, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err why = XA_ERR_INIT;
    xa_categories categories = {0};
    static const xa_field_kind of[] = {
        XA_FIELD_SAMPLE_LABELS_VALUE, XA_FIELD_ANN_CLASS, XA_FIELD_EVAL_CLASS};
    const xa_extents any = xa_extents_unknown();
    if (xa_read_categories(v->archive, &categories, &why) != XA_OK)
        xa__report(v, XA_FINDING_DAMAGE, "%s", why.message);
    for (int32_t k = 0; k < categories.count; k++)
        if (xa_category_largest(&categories, XA_CATEGORY + k) >= classes)
            xa__report(v,
                       XA_FINDING_DAMAGE,
                       XA_GROUP_EVAL ": category %d has class %d of %" PRId64,
                       (int)k,
                       (int)xa_category_largest(&categories, XA_CATEGORY + k),
                       classes);
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        beyond b = {.v = v, .classes = classes, .categories = &categories};
        xa_dataset_info info;
        /* what is wrong in its form was reported */
        if (xa_archive_dataset(v->archive, xa_field_path(of[k]), &info, NULL) == XA_OK &&
            info.type == XA_TYPE_I32 && info.ndim == 1 &&
            xa__verify_find(v, &b.column, of[k], NULL, NULL, &any))
            XA_TRY(err, xa__verify_blocks(v, &b.column, 1, visit_classes, &b, err));
    }
done:
    xa_categories_fini(&categories);
    return st;
}
