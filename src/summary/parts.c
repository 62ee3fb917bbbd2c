/* Groups and parts: which units are drawn together, and what figures are divided by. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"
#include "xaudit/view.h"

/* ---- texts to numbers ---- */

typedef struct keyed {
    const char *text;
    int64_t at;
} keyed;

static int by_text(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* Gives equal texts one number, ascending in the order of the texts; "" has -1. *names (names may
 * be NULL) becomes a list of them, xa_texts_free. */
static xa_status number_texts(
    char *const *text, int64_t n, int64_t *number, char ***names, int64_t *count, xa_err *err)
{
    xa_status st = XA_OK;
    keyed *k = xa_alloc((size_t)n + 1, sizeof *k);
    int64_t next = 0;
    if (names)
        *names = xa_alloc((size_t)n + 1, sizeof **names);
    if (!k || (names && !*names))
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < n; i++)
        k[i] = (keyed){text[i], i};
    qsort(k, (size_t)n, sizeof *k, by_text);
    for (int64_t i = 0; i < n; i++) {
        const bool fresh = i == 0 || strcmp(k[i].text, k[i - 1].text) != 0;
        number[k[i].at] = -1;
        if (!*k[i].text)
            continue;
        if (fresh) {
            if (names && !((*names)[next] = xa_strdup(k[i].text)))
                XA_NOMEM_FAIL(err);
            next++;
        }
        number[k[i].at] = next - 1;
    }
    *count = next;
done:
    free(k);
    return st;
}

xa_status xa__summary_array(
    const xa_summary *s, const char *path, xa_type type, int64_t n, void *out_ptr, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_read_all(s->r->archive, path, &info, &data, err));
    if (info.type != type || info.ndim < 1 || info.dim[0] != n) {
        free(data);
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: %s: expected %" PRId64 " rows of %s",
                       s->path,
                       path,
                       n,
                       xa_type_name(type));
    }
    memcpy(out_ptr, &data, sizeof data);
    return XA_OK;
}

xa_status xa__summary_column(const xa_summary *s, const char *path, char ***out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    char *rows = NULL;
    char **text = NULL;
    XA_TRY(err, xa_archive_read_all(s->r->archive, path, &info, (void **)&rows, err));
    if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != s->r->samples)
        XA_FAIL(err, XA_FORMAT, "%s: %s: expected a text for each sample", s->path, path);
    text = xa_alloc((size_t)s->r->samples + 1, sizeof *text);
    if (!text)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < s->r->samples; i++) {
        const char *row = rows + (size_t)i * info.item_bytes;
        text[i] = xa_strndup(row, strnlen(row, info.item_bytes));
        if (!text[i])
            XA_NOMEM_FAIL(err);
    }
    *out = text;
    text = NULL;
done:
    free(rows);
    xa_texts_free(text, s->r->samples);
    return st;
}

/* ---- groups ---- */

xa_status xa__summary_groups(xa_summary *s, xa_err *err)
{
    xa_status st = XA_OK;
    char **text = NULL;
    int64_t *of_sample = xa_alloc((size_t)s->r->samples + 1, sizeof *of_sample);
    s->group_of_sample = of_sample;
    s->group = xa_alloc((size_t)s->r->pairs + 1, sizeof *s->group);
    if (!of_sample || !s->group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa__summary_column(s, xa_field_path(XA_FIELD_SAMPLE_GROUP), &text, err));
    XA_TRY(err, number_texts(text, s->r->samples, of_sample, NULL, &s->ngroups, err));
    s->grouped = s->ngroups > 0;
    s->nclusters = s->ngroups;
    for (int64_t i = 0; i < s->r->samples; i++) /* an image without a group is a group of its own */
        if (of_sample[i] < 0) {
            of_sample[i] = s->ngroups + i;
            s->nclusters++;
        }
    for (int64_t q = 0; q < s->r->pairs; q++)
        s->group[q] = of_sample[s->r->pair_sample[q]];
done:
    xa_texts_free(text, s->r->samples);
    return st;
}

xa_status xa__summary_excluded(xa_summary *s, xa_err *err)
{
    xa_status st = XA_OK;
    char **text = NULL, **names = NULL;
    int64_t n = 0;
    int64_t *number = xa_alloc((size_t)s->r->samples + 1, sizeof *number);
    if (!number)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa__summary_column(s, xa_field_path(XA_FIELD_SAMPLE_EXCLUDE), &text, err));
    XA_TRY(err, number_texts(text, s->r->samples, number, &names, &n, err));
    s->excluded = xa_alloc((size_t)n + 1, sizeof *s->excluded);
    if (!s->excluded)
        XA_NOMEM_FAIL(err);
    s->nexcluded = n;
    for (int64_t k = 0; k < n; k++) {
        s->excluded[k].reason = names[k];
        names[k] = NULL;
    }
    for (int64_t i = 0; i < s->r->samples; i++)
        if (number[i] >= 0)
            s->excluded[number[i]].count++;
done:
    xa_texts_free(text, s->r->samples);
    xa_texts_free(names, n);
    free(number);
    return st;
}

/* ---- parts ---- */

static xa_status part_names(xa_summary *s, const char *const *names, int64_t n, xa_err *err)
{
    s->part_name = xa_alloc((size_t)n + 1, sizeof *s->part_name);
    if (!s->part_name)
        XA_RETURN_NOMEM(err);
    s->nparts = n;
    for (int64_t i = 0; i < n; i++)
        if (!(s->part_name[i] = xa_strdup(names[i])))
            XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* Classes first, then categories. */
static xa_status by_class(xa_summary *s, xa_err *err)
{
    xa_status st = XA_OK;
    int32_t most = -1;
    const int32_t sets = s->r->nmodels ? s->r->categories.count : 0;
    for (int64_t q = 0; q < s->r->pairs; q++) {
        const int32_t c = s->r->pair_class[q];
        most = c > most && c < XA_CATEGORY ? c : most;
    }
    for (int64_t m = 0; m < s->r->nmodels;
         m++) /* a check is of a map, whose class may not be annotated anywhere */
        for (int64_t e = 0; e < s->r->models[m].nmaps; e++)
            for (int64_t k = 0; k < s->r->models[m].maps[e].rows; k++) {
                const int32_t c = s->r->models[m].maps[e].target[k];
                most = c > most && c < s->r->models[m].classes ? c : most;
            }
    s->part_name = xa_alloc((size_t)(most + sets) + 2, sizeof *s->part_name);
    if (!s->part_name)
        XA_NOMEM_FAIL(err);
    s->nparts = most + 1 + sets;
    for (int32_t c = 0; c <= most + sets; c++) {
        char name[128];
        const int32_t of = c <= most ? c : XA_CATEGORY + c - most - 1;
        xa_read_class(&s->r->models[0], of, name, sizeof name);
        s->part_name[c] = xa_strdup(name);
        if (!s->part_name[c])
            XA_NOMEM_FAIL(err);
    }
    for (int64_t q = 0; q < s->r->pairs; q++)
        s->part[q] = s->r->pair_class[q] < XA_CATEGORY
                         ? s->r->pair_class[q]
                         : s->r->pair_class[q] - XA_CATEGORY + most + 1;
done:
    return st;
}

xa_status xa_summary_size_shares(const xa_summary *s, double **out, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t *offset = NULL;
    int32_t *class_of = NULL;
    xa_frames frames = {0};
    uint8_t *kind = NULL;
    double *box = NULL, *share = NULL;
    const int64_t n = s->r->samples;
    XA_TRY(
        err,
        xa__summary_array(s, xa_field_path(XA_FIELD_ANN_OFFSET), XA_TYPE_I64, n + 1, &offset, err));
    const int64_t count = offset[n];
    for (int64_t i = 0; i < n; i++)
        if (offset[i] < 0 || offset[i] > offset[i + 1])
            XA_FAIL(err, XA_FORMAT, "%s: /samples/annotations/offset does not ascend", s->path);
    XA_TRY(err,
           xa__summary_array(
               s, xa_field_path(XA_FIELD_ANN_CLASS), XA_TYPE_I32, count, &class_of, err));
    XA_TRY(err,
           xa__summary_array(s, xa_field_path(XA_FIELD_ANN_KIND), XA_TYPE_U8, count, &kind, err));
    XA_TRY(err,
           xa__summary_array(s, xa_field_path(XA_FIELD_ANN_BOX), XA_TYPE_F64, count, &box, err));
    XA_TRY(err, xa_frames_read(s->r, 0, n, &frames, err));
    share = xa_alloc((size_t)s->r->pairs + 1, sizeof *share);
    if (!share)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < s->r->pairs; q++) {
        const int64_t i = s->r->pair_sample[q];
        double area = 0.0, b[4];
        bool any = false;
        for (int64_t k = offset[i]; k < offset[i + 1]; k++)
            if (class_of[k] == s->r->pair_class[q] && kind[k] == XA_ANNOTATION_BOX &&
                xa_frames_box(&frames, i, box + 4 * k, b)) {
                any = true;
                area += (b[2] - b[0]) * (b[3] - b[1]);
            }
        share[q] = any ? area / ((double)frames.width[i] * (double)frames.height[i]) : NAN;
    }
    *out = share;
done:
    free(offset);
    free(class_of);
    free(kind);
    free(box);
    xa_frames_fini(&frames);
    return st;
}

static xa_status by_size(xa_summary *s, xa_err *err)
{
    static const char *const names[] = {"below 10 %", "10 to 30 %", "30 % and more"};
    double *share = NULL;
    XA_RETURN_TRY(err, part_names(s, names, 3, err));
    XA_RETURN_TRY(err, xa_summary_size_shares(s, &share, err));
    for (int64_t q = 0; q < s->r->pairs; q++)
        s->part[q] = !isfinite(share[q]) ? -1 : share[q] < 0.1 ? 0 : share[q] < 0.3 ? 1 : 2;
    free(share);
    return XA_OK;
}

static xa_status by_column(xa_summary *s, const char *by, xa_err *err)
{
    static const char *const own[] = {"group", "split"};
    xa_status st = XA_OK;
    char **text = NULL, **further = NULL;
    int64_t nfurther = 0;
    xa_str list = {0};
    int64_t *of_sample = xa_alloc((size_t)s->r->samples + 1, sizeof *of_sample);
    char *path = NULL;
    if (!of_sample)
        XA_NOMEM_FAIL(err);
    st = xa_archive_list(s->r->archive, XA_GROUP_EXTRA, &further, &nfurther, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        nfurther = 0;
        st = XA_OK;
    }
    XA_TRY(err, st);
    for (size_t k = 0; k < 2 && !path; k++)
        if (!strcmp(by, own[k]))
            path = xa_strfmt(XA_GROUP_SAMPLES "/%s", by);
    for (int64_t k = 0; k < nfurther && !path; k++)
        if (!strcmp(by, further[k]))
            path = xa_strdup(xa_field_name(XA_FIELD_SAMPLE_EXTRA, NULL, NULL, by).text);
    for (int64_t k = 0; k < nfurther; k++)
        xa_str_printf(&list, ", %s", further[k]);
    if (!path)
        XA_FAIL(err,
                XA_INVALID,
                "there is no column \"%s\" to divide the images by: expected class, correct, "
                "size, group, split%s",
                by,
                list.data ? list.data : "");
    XA_TRY(err, xa__summary_column(s, path, &text, err));
    XA_TRY(err, number_texts(text, s->r->samples, of_sample, &s->part_name, &s->nparts, err));
    s->part_of_sample = of_sample;
    of_sample = NULL;
done:
    xa_texts_free(text, s->r->samples);
    xa_texts_free(further, nfurther);
    xa_str_free(&list);
    free(of_sample);
    free(path);
    return st;
}

xa_status xa__summary_parts(xa_summary *s, const char *by, xa_err *err)
{
    static const char *const answers[] = {"wrong", "right"};
    if (!by)
        return XA_OK;
    s->by = xa_strdup(by);
    s->part = xa_alloc((size_t)s->r->pairs + 1, sizeof *s->part);
    if (!s->by || !s->part)
        XA_RETURN_NOMEM(err);
    if (!strcmp(by, "class"))
        return by_class(s, err);
    if (!strcmp(by, "size"))
        return by_size(s, err);
    if (!strcmp(by, "correct")) /* it differs between models: see xa_summary_part_of */
        return part_names(s, answers, 2, err);
    return by_column(s, by, err);
}

const xa_read_model *xa__summary_model(const xa_summary *s, const xa_series *x)
{
    for (int64_t m = 0; m < s->r->nmodels; m++)
        if (s->r->models[m].name == x->model)
            return &s->r->models[m];
    return NULL;
}

/* Whether the model predicted the unit's class or, for the map of a check, a label of the image; -1
 * if that is not known. */
static int64_t is_answer(const xa_summary *s, const xa_series *x, int64_t q)
{
    const int64_t i = x->sample[q];
    const int32_t answer = xa__summary_model(s, x)->predicted[i];
    if (answer < 0)
        return -1;
    if (x->is != XA_SERIES_CHECK)
        return xa_category_has(&s->r->categories, x->class_of[q], answer);
    return s->r->label_offset[i] == s->r->label_offset[i + 1] ? -1
                                                              : xa_read_has_label(s->r, i, answer);
}

int64_t xa_summary_part_of(const xa_summary *s, const xa_series *x, int64_t q)
{
    if (!strcmp(s->by, "correct"))
        return is_answer(s, x, q);
    if (s->part_of_sample)
        return s->part_of_sample[x->sample[q]];
    if (x->is != XA_SERIES_CHECK)
        return s->part[q];
    if (!strcmp(s->by, "class"))
        return x->class_of[q] >= 0 && x->class_of[q] < s->nparts ? x->class_of[q] : -1;
    for (int64_t k = xa_read_first_pair(s->r, x->sample[q]);
         k < s->r->pairs && s->r->pair_sample[k] == x->sample[q];
         k++) /* the size of the object that the map is of */
        if (xa_category_has(&s->r->categories, s->r->pair_class[k], x->class_of[q]))
            return s->part[k];
    return -1;
}
