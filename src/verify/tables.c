/* Is an archive whole? The manifest's tables: /samples and /eval. */
#include <inttypes.h>
#include <math.h>

#include "verify_internal.h"
#include "xaudit/manifest.h"
#include "xaudit/view.h"

typedef struct tables {
    xa_verifier *v;
    xa_verify_column column[4];
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
            xa_verify_tell(t->v,
                           XA_FINDING_DAMAGE,
                           "%s: row %" PRId64 ": %" PRId64 " after %" PRId64 ", of %" PRId64,
                           t->column[0].path,
                           first + i,
                           offset[i],
                           t->before,
                           t->end);
        else
            t->before = offset[i];
    }
}

static xa_status offsets(xa_verifier *v, const char *group, int64_t end, xa_err *err)
{
    tables t = {.v = v, .end = end};
    const int64_t rows = v->samples + 1;
    if (!xa_verify_column_find(v, &t.column[0], group, "offset", XA_TYPE_I64, 1, &rows))
        return XA_OK;
    return xa_verify_blocks(v, t.column, 1, visit_offsets, &t, err);
}

/* ---- labels and annotations ---- */

static void visit_labels(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int32_t *value = t->column[0].data;
    for (int64_t i = 0; i < n; i++)
        if (value[i] < 0)
            xa_verify_tell(t->v,
                           XA_FINDING_DAMAGE,
                           "%s: row %" PRId64 ": no class: %" PRId32,
                           t->column[0].path,
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
            xa_verify_tell(t->v,
                           XA_FINDING_DAMAGE,
                           "/samples/annotations: row %" PRId64 ": %s",
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
            xa_verify_tell(t->v,
                           XA_FINDING_DAMAGE,
                           "%s: row %" PRId64 ": there is no problem %d",
                           t->column[0].path,
                           first + i,
                           (int)problem[i]);
}

/* Archives of before do not hold them. */
static xa_status problems(xa_verifier *v, int64_t rows, xa_err *err)
{
    static const char group[] = "/samples/annotations", path[] = "/samples/annotations/problem";
    tables t = {.v = v};
    xa_dataset_info info;
    if (xa_archive_dataset(v->archive, path, &info, NULL) == XA_NOT_FOUND ||
        !xa_verify_column_find(v, &t.column[0], group, "problem", XA_TYPE_U8, 1, &rows))
        return XA_OK;
    XA_RETURN_TRY(err, xa_verify_blocks(v, t.column, 1, visit_problems, &t, err));
    static const char hashes[] = "/samples/annotations/mask_hash";
    if (xa_archive_dataset(v->archive, hashes, &info, NULL) != XA_NOT_FOUND)
        (void)xa_verify_column_find(v, &t.column[0], group, "mask_hash", XA_TYPE_U64, 1, &rows);
    return XA_OK;
}

static xa_status annotations(xa_verifier *v, xa_err *err)
{
    static const char group[] = "/samples/annotations";
    tables t = {.v = v};
    const int64_t any = -1;
    if (!xa_verify_column_find(v, &t.column[0], group, "class", XA_TYPE_I32, 1, &any))
        return XA_OK;
    const int64_t rows = t.column[0].info.dim[0], box[2] = {rows, 4};
    const bool whole =
        xa_verify_column_find(v, &t.column[1], group, "kind", XA_TYPE_U8, 1, &rows) &&
        xa_verify_column_find(v, &t.column[2], group, "flags", XA_TYPE_U8, 1, &rows) &&
        xa_verify_column_find(v, &t.column[3], group, "box", XA_TYPE_F64, 2, box);
    if (whole)
        XA_RETURN_TRY(err, xa_verify_blocks(v, t.column, 4, visit_annotations, &t, err));
    XA_RETURN_TRY(err, problems(v, rows, err));
    return offsets(v, group, rows, err);
}

static xa_status labels(xa_verifier *v, xa_err *err)
{
    tables t = {.v = v};
    const int64_t any = -1;
    if (!xa_verify_column_find(v, &t.column[0], "/samples/labels", "value", XA_TYPE_I32, 1, &any))
        return XA_OK;
    const int64_t rows = t.column[0].info.dim[0];
    XA_RETURN_TRY(err, xa_verify_blocks(v, t.column, 1, visit_labels, &t, err));
    return offsets(v, "/samples/labels", rows, err);
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

static xa_status samples(xa_verifier *v, xa_err *err)
{
    tables t = {.v = v};
    const int64_t rows = v->samples;
    xa_verify_column other;
    const bool whole =
        xa_verify_column_find(v, &t.column[0], "/samples", "width", XA_TYPE_I32, 1, &rows) &&
        xa_verify_column_find(v, &t.column[1], "/samples", "height", XA_TYPE_I32, 1, &rows) &&
        xa_verify_column_find(v, &t.column[2], "/samples", "exclude", XA_TYPE_STR, 1, &rows);
    (void)xa_verify_column_find(v, &other, "/samples", "path", XA_TYPE_STR, 1, &rows);
    (void)xa_verify_column_find(v, &other, "/samples", "label", XA_TYPE_I32, 1, &rows);
    (void)xa_verify_column_find(v, &other, "/samples", "split", XA_TYPE_STR, 1, &rows);
    (void)xa_verify_column_find(v, &other, "/samples", "group", XA_TYPE_STR, 1, &rows);
    (void)xa_verify_column_find(v, &other, "/samples", "pixel_hash", XA_TYPE_U64, 1, &rows);
    return whole ? xa_verify_blocks(v, t.column, 3, visit_samples, &t, err) : XA_OK;
}

static void visit_pairs(void *arg, int64_t first, int64_t n)
{
    tables *t = arg;
    const int64_t *sample = t->column[0].data;
    const int32_t *class_index = t->column[1].data;
    for (int64_t i = 0; i < n; i++) {
        if (sample[i] < t->before || sample[i] >= t->v->samples || class_index[i] < 0)
            xa_verify_tell(t->v,
                           XA_FINDING_DAMAGE,
                           "/eval: row %" PRId64 ": sample %" PRId64 " of %" PRId64
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

static xa_status pairs(xa_verifier *v, xa_err *err)
{
    tables t = {.v = v};
    const int64_t any = -1;
    if (!xa_verify_column_find(v, &t.column[0], "/eval", "sample", XA_TYPE_I64, 1, &any))
        return XA_OK;
    const int64_t rows = t.column[0].info.dim[0];
    if (!xa_verify_column_find(v, &t.column[1], "/eval", "class", XA_TYPE_I32, 1, &rows))
        return XA_OK;
    v->pairs = rows;
    return xa_verify_blocks(v, t.column, 2, visit_pairs, &t, err);
}

xa_status xa_verify_tables(xa_verifier *v, xa_err *err)
{
    XA_RETURN_TRY(err, samples(v, err));
    XA_RETURN_TRY(err, labels(v, err));
    XA_RETURN_TRY(err, annotations(v, err));
    return pairs(v, err);
}

typedef struct beyond {
    xa_verifier *v;
    xa_verify_column column;
    int64_t classes;
    const xa_categories *categories;
} beyond;

static void visit_classes(void *arg, int64_t first, int64_t n)
{
    const beyond *b = arg;
    const int32_t *class_index = b->column.data;
    for (int64_t i = 0; i < n; i++)
        if (xa_category_largest(b->categories, class_index[i]) >= b->classes)
            xa_verify_tell(b->v,
                           XA_FINDING_DAMAGE,
                           "%s: row %" PRId64 ": class %" PRId32 " of %" PRId64,
                           b->column.path,
                           first + i,
                           class_index[i],
                           b->classes);
}

xa_status xa_verify_classes(xa_verifier *v, int64_t classes, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err why = XA_ERR_INIT;
    xa_categories categories = {0};
    static const char *const of[][2] = {
        {"/samples/labels", "value"}, {"/samples/annotations", "class"}, {"/eval", "class"}};
    if (xa_read_categories(v->archive, &categories, &why) != XA_OK)
        xa_verify_tell(v, XA_FINDING_DAMAGE, "%s", why.message);
    for (int32_t k = 0; k < categories.count; k++)
        if (xa_category_largest(&categories, XA_CATEGORY + k) >= classes)
            xa_verify_tell(v,
                           XA_FINDING_DAMAGE,
                           "/eval: category %d has class %d of %" PRId64,
                           (int)k,
                           (int)xa_category_largest(&categories, XA_CATEGORY + k),
                           classes);
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        beyond b = {.v = v, .classes = classes, .categories = &categories};
        xa_dataset_info info;
        char path[64];
        snprintf(path, sizeof path, "%s/%s", of[k][0], of[k][1]);
        /* what is wrong in its form was told */
        if (xa_archive_dataset(v->archive, path, &info, NULL) == XA_OK &&
            info.type == XA_TYPE_I32 && info.ndim == 1 &&
            xa_verify_column_find(v, &b.column, of[k][0], of[k][1], XA_TYPE_I32, 1, &info.dim[0]))
            XA_TRY(err, xa_verify_blocks(v, &b.column, 1, visit_classes, &b, err));
    }
done:
    xa_categories_fini(&categories);
    return st;
}
