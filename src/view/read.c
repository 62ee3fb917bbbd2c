#include "xaudit/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "xaudit/model.h"

/* What a dataset must be; an extent of -1: any. */
typedef struct want {
    xa_type type;
    int ndim;
    int64_t rows, columns;
} want;

static want a_row(xa_type type, int64_t rows)
{
    return (want){type, 1, rows, -1};
}

/* Nothing that follows from a file's extents or indices is trusted before it was looked at. */
static xa_status check_extents(const char *path, const want *w, xa_dataset_info *info, xa_err *err)
{
    if (info->type != w->type)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: expected %s, found %s",
                       path,
                       xa_type_name(w->type),
                       info->type < XA_TYPE_COUNT ? xa_type_name(info->type)
                                                  : "a type of a later format");
    const int64_t extent[2] = {w->rows, w->columns};
    if (info->ndim != w->ndim)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: %d dimensions, expected %d", path, info->ndim, w->ndim);
    for (int i = 0; i < w->ndim; i++)
        if (extent[i] >= 0 && info->dim[i] != extent[i])
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: extent %d is %" PRId64
                           ", the archive's other tables ask for %" PRId64,
                           path,
                           i,
                           info->dim[i],
                           extent[i]);
    return XA_OK;
}

static xa_status
load(xa_read *r, const char *path, want w, void *out_ptr, xa_dataset_info *info, xa_err *err)
{
    xa_dataset_info own;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_dataset(r->archive, path, &own, err));
    XA_RETURN_TRY(err, check_extents(path, &w, &own, err));
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, path, &own, &data, err));
    memcpy(out_ptr, &data, sizeof data);
    if (info)
        *info = own;
    return XA_OK;
}

/* Names are printed and become columns: what a schema would not take is refused. */
static xa_status check_names(const char *group, char *const *names, int64_t n, xa_err *err)
{
    char clean[512];
    for (int64_t i = 0; i < n; i++) {
        xa_str_sanitise(names[i], clean, sizeof clean);
        if (strcmp(clean, names[i]) != 0)
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: \"%s\" is no name of format 1", group, clean);
    }
    return XA_OK;
}

/* Every value of `index` lies in [0, below). */
static xa_status
check_indices(const char *what, const int64_t *index, int64_t n, int64_t below, xa_err *err)
{
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= below)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: row %" PRId64 " is %" PRId64 ", expected 0 to %" PRId64,
                           what,
                           i,
                           index[i],
                           below - 1);
    return XA_OK;
}

/* The same for "<group>/<name>". */
static xa_status load_in(xa_read *r,
                         const char *group,
                         const char *name,
                         want w,
                         void *out_ptr,
                         xa_dataset_info *info,
                         xa_err *err)
{
    char *path = xa_strfmt("%s/%s", group, name);
    if (!path)
        XA_RETURN_NOMEM(err);
    const xa_status st = load(r, path, w, out_ptr, info, err);
    free(path);
    return st;
}

static void free_list(char **list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++)
        free(list[i]);
    free(list);
}

static xa_status load_localisation(xa_read *r, const char *model, xa_read_map *x, xa_err *err)
{
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_LOCALISATION, model, x->name).text);
    x->pointing = -1;
    if (!group)
        XA_NOMEM_FAIL(err);
    st = xa_archive_list(r->archive, group, &x->metrics, &x->nmetrics, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        x->nmetrics = 0;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    XA_TRY(err, check_names(group, x->metrics, x->nmetrics, err));
    for (int64_t k = x->nmetrics - 1; k >= 0; k--) {
        char *path = xa_strfmt("%s/%s", group, x->metrics[k]), *kind = NULL;
        if (!path)
            XA_NOMEM_FAIL(err);
        st = xa_archive_attr_text(r->archive, path, "metric", &kind, err);
        if (kind && !strcmp(kind, "pointing_game"))
            x->pointing = k;
        free(path);
        free(kind);
        XA_TRY(err, st);
    }
    x->localisation = xa_alloc((size_t)x->nmetrics + 1, sizeof(double *));
    if (!x->localisation)
        XA_NOMEM_FAIL(err);
    for (int64_t k = 0; k < x->nmetrics; k++)
        XA_TRY(err,
               load_in(r,
                       group,
                       x->metrics[k],
                       a_row(XA_TYPE_F64, r->pairs),
                       &x->localisation[k],
                       NULL,
                       err));
done:
    free(group);
    return st;
}

/* What the job's `checks` asked for, one a map; NULL where it did not. */
static xa_status load_checks(xa_read *r, const char *group, xa_read_map *x, xa_err *err)
{
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        char *name = xa_strfmt("scores/%s", xa_check_name((xa_check_kind)k));
        if (!name)
            XA_RETURN_NOMEM(err);
        xa_status st =
            load_in(r, group, name, a_row(XA_TYPE_F64, x->rows), &x->check[k], NULL, err);
        free(name);
        if (st == XA_NOT_FOUND) {
            *err = (xa_err)XA_ERR_INIT;
            st = XA_OK;
        }
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}

static xa_status load_map(xa_read *r, const char *model, xa_read_map *x, xa_err *err)
{
    xa_dataset_info info;
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, model, x->name).text);
    if (!group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, load_in(r, group, "sample", a_row(XA_TYPE_I64, -1), &x->sample, &info, err));
    const int64_t rows = info.dim[0];
    XA_TRY(err, check_indices(group, x->sample, rows, r->samples, err));
    XA_TRY(err, load_in(r, group, "target", a_row(XA_TYPE_I32, rows), &x->target, NULL, err));
    XA_TRY(err, load_in(r, group, "flags", a_row(XA_TYPE_U8, rows), &x->flags, NULL, err));
    XA_TRY(err, load_in(r, group, "maximum", a_row(XA_TYPE_F32, rows), &x->maximum, NULL, err));
    const want peak = {XA_TYPE_F32, 2, rows, 2};
    XA_TRY(err, load_in(r, group, "peak", peak, &x->peak, NULL, err));
    x->rows = rows;
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "layer", &x->layer, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "kind", &x->kind, err));
    XA_TRY(err, load_checks(r, group, x, err));
    XA_TRY(err, load_localisation(r, model, x, err));
done:
    free(group);
    return st;
}

/* probs, or of an outcome only how many classes there are */
static xa_status
load_probs(xa_read *r, const char *group, bool outcome, xa_read_model *m, xa_err *err)
{
    const want probs = {XA_TYPE_F32, 2, r->samples, -1};
    xa_dataset_info info;
    if (outcome) {
        char *path = xa_strfmt("%s/probs", group);
        if (!path)
            XA_RETURN_NOMEM(err);
        xa_status st = xa_archive_dataset(r->archive, path, &info, err);
        if (st == XA_OK)
            st = check_extents(path, &probs, &info, err);
        free(path);
        XA_RETURN_TRY(err, st);
    } else {
        XA_RETURN_TRY(err, load_in(r, group, "probs", probs, &m->probs, &info, err));
    }
    m->classes = info.dim[1];
    return XA_OK;
}

static xa_status load_model(xa_read *r, bool outcome, xa_read_model *m, xa_err *err)
{
    xa_dataset_info info;
    char **names = NULL, *head = NULL;
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL).text),
         *maps = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, m->name, NULL).text);
    if (!group || !maps)
        XA_NOMEM_FAIL(err);
    const int64_t n = r->samples;
    XA_TRY(err, load_in(r, group, "status", a_row(XA_TYPE_U8, n), &m->status, NULL, err));
    XA_TRY(err, load_in(r, group, "stage", a_row(XA_TYPE_U8, n), &m->stage, NULL, err));
    XA_TRY(err, load_in(r, group, "predicted", a_row(XA_TYPE_I32, n), &m->predicted, NULL, err));
    XA_TRY(err, load_probs(r, group, outcome, m, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "head", &head, err));
    m->rank_by = m->probs;
    if (!outcome && head && !strcmp(head, xa_head_name(XA_HEAD_NONE))) {
        const want logits = {XA_TYPE_F32, 2, n, m->classes};
        XA_TRY(err, load_in(r, group, "logits", logits, &m->logits, NULL, err));
        m->rank_by = m->logits;
    }
    m->categories = &r->categories;
    if (!outcome && r->categories.count) {
        const want logits = {XA_TYPE_F32, 2, n, m->classes};
        XA_TRY(err, load_in(r, group, "logits", logits, &m->set_logits, NULL, err));
    }
    XA_TRY(err, xa_read_check_model(r, m, err));
    XA_TRY(err, load_in(r, group, "message", a_row(XA_TYPE_STR, n), &m->message, &info, err));
    m->message_bytes = info.item_bytes;
    st = load_in(r, group, "class_names", a_row(XA_TYPE_STR, -1), &m->class_names, &info, err);
    if (st == XA_OK) {
        m->class_name_bytes = info.item_bytes;
        m->nnames = info.dim[0];
    } else if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
    } else {
        goto done;
    }
    if (outcome) {
        st = XA_OK;
        goto done;
    }
    st = xa_archive_list(r->archive, maps, &names, &m->nmaps, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        m->nmaps = 0;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    m->maps = xa_alloc((size_t)m->nmaps + 1, sizeof(xa_read_map));
    if (!m->maps)
        XA_NOMEM_FAIL(err);
    for (int64_t e = 0; e < m->nmaps; e++) {
        m->maps[e].name = names[e];
        names[e] = NULL;
    }
    for (int64_t e = 0; e < m->nmaps; e++)
        XA_TRY(err, check_names(maps, &m->maps[e].name, 1, err));
    for (int64_t e = 0; e < m->nmaps; e++) {
        XA_TRY(err, load_map(r, m->name, &m->maps[e], err));
        XA_TRY(err, xa_read_check_map(r, m, &m->maps[e], err));
    }
done:
    free_list(names, m->maps ? m->nmaps : 0);
    free(head);
    free(group);
    free(maps);
    return st;
}

static xa_status load_labels(xa_read *r, xa_err *err)
{
    xa_dataset_info info;
    const want offsets = a_row(XA_TYPE_I64, r->samples + 1), values = a_row(XA_TYPE_I32, -1);
    XA_RETURN_TRY(
        err,
        load(
            r, xa_field_path(XA_FIELD_SAMPLE_LABELS_OFFSET), offsets, &r->label_offset, NULL, err));
    XA_RETURN_TRY(
        err,
        load(r, xa_field_path(XA_FIELD_SAMPLE_LABELS_VALUE), values, &r->label_value, &info, err));
    for (int64_t i = 0; i <= r->samples; i++)
        if (r->label_offset[i] < (i ? r->label_offset[i - 1] : 0) ||
            r->label_offset[i] > info.dim[0])
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "/samples/labels/offset: row %" PRId64 " is %" PRId64
                           ", which is no place among %" PRId64 " labels",
                           i,
                           r->label_offset[i],
                           info.dim[0]);
    return XA_OK;
}

/* What speaks against annotations; older archives do not say. */
static xa_status load_problems(xa_read *r, xa_err *err)
{
    static const char path[] = "/samples/annotations/problem";
    xa_dataset_info info;
    const want offsets = a_row(XA_TYPE_I64, r->samples + 1);
    const xa_status st = xa_archive_dataset(r->archive, path, &info, NULL);
    if (st == XA_NOT_FOUND)
        return XA_OK;
    XA_RETURN_TRY(err, load(r, path, a_row(XA_TYPE_U8, -1), &r->problem, &info, err));
    const want classes = a_row(XA_TYPE_I32, info.dim[0]);
    XA_RETURN_TRY(
        err,
        load(r, xa_field_path(XA_FIELD_ANN_OFFSET), offsets, &r->annotation_offset, NULL, err));
    XA_RETURN_TRY(
        err, load(r, xa_field_path(XA_FIELD_ANN_CLASS), classes, &r->annotation_class, NULL, err));
    const want flags = a_row(XA_TYPE_U8, info.dim[0]);
    XA_RETURN_TRY(
        err, load(r, xa_field_path(XA_FIELD_ANN_FLAGS), flags, &r->annotation_flags, NULL, err));
    const int64_t *offset = r->annotation_offset;
    for (int64_t i = 0; i <= r->samples; i++)
        if (offset[i] < (i ? offset[i - 1] : 0) || offset[i] > info.dim[0])
            XA_RETURN_FAIL(
                err, XA_FORMAT, "/samples/annotations/offset: row %" PRId64 " is no place", i);
    static const char hashes[] = "/samples/annotations/mask_hash";
    if (xa_archive_dataset(r->archive, hashes, &info, NULL) == XA_NOT_FOUND)
        return XA_OK;
    const want hash = a_row(XA_TYPE_U64, classes.rows);
    return load(r, hashes, hash, &r->mask_hash, NULL, err);
}

/* Of what was read. */
static xa_status check_sums(xa_read *r, bool outcome, xa_err *err)
{
    XA_RETURN_TRY(err, xa_read_check_tables(r, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_SAMPLES, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_MODEL, err));
    if (outcome)
        return XA_OK;
    for (int64_t m = 0; m < r->nmodels; m++)
        if (r->models[m].logits || r->models[m].set_logits)
            XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_LOGITS, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_MAPS, err));
    return xa_read_check(r, XA_FIELD_SUM_LOCALISATION, err);
}

static xa_status open_all(const char *path, bool outcome, xa_read **out, xa_err *err)
{
    xa_dataset_info info;
    char **names = NULL;
    xa_status st = XA_OK;
    xa_read *r = xa_alloc(1, sizeof *r);
    if (!r)
        XA_NOMEM_FAIL(err);
    r->path = xa_strdup(path);
    if (!r->path)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_open_read(path, &r->archive, err));
    XA_TRY(err, xa_sums_open(r->archive, &r->sums, err));
    XA_TRY(err,
           load(r, xa_field_path(XA_FIELD_SAMPLE_ID), a_row(XA_TYPE_STR, -1), &r->id, &info, err));
    r->samples = info.dim[0];
    r->id_bytes = info.item_bytes;
    XA_TRY(err, load_labels(r, err));
    XA_TRY(err, xa_read_categories(r->archive, &r->categories, err));
    XA_TRY(err,
           load(r,
                xa_field_path(XA_FIELD_EVAL_SAMPLE),
                a_row(XA_TYPE_I64, -1),
                &r->pair_sample,
                &info,
                err));
    r->pairs = info.dim[0];
    XA_TRY(err,
           check_indices(
               xa_field_path(XA_FIELD_EVAL_SAMPLE), r->pair_sample, r->pairs, r->samples, err));
    XA_TRY(err,
           load(r,
                xa_field_path(XA_FIELD_EVAL_CLASS),
                a_row(XA_TYPE_I32, r->pairs),
                &r->pair_class,
                NULL,
                err));
    XA_TRY(err, load_problems(r, err));
    XA_TRY(err, xa_archive_list(r->archive, "/models", &names, &r->nmodels, err));
    r->models = xa_alloc((size_t)r->nmodels + 1, sizeof(xa_read_model));
    if (!r->models)
        XA_NOMEM_FAIL(err);
    for (int64_t m = 0; m < r->nmodels; m++) {
        r->models[m].name = names[m];
        names[m] = NULL;
    }
    for (int64_t m = 0; m < r->nmodels; m++)
        XA_TRY(err, check_names("/models", &r->models[m].name, 1, err));
    for (int64_t m = 0; m < r->nmodels; m++)
        XA_TRY(err, load_model(r, outcome, &r->models[m], err));
    XA_TRY(err, check_sums(r, outcome, err));
    *out = r;
    free(names);
    return XA_OK;
done:
    if (r)
        free_list(names, r->nmodels);
    xa_read_close(r);
    return st;
}

xa_status xa_read_open(const char *path, xa_read **out, xa_err *err)
{
    return open_all(path, false, out, err);
}

xa_status xa_read_open_outcome(const char *path, xa_read **out, xa_err *err)
{
    return open_all(path, true, out, err);
}

static void free_model(xa_read *r, xa_read_model *m)
{
    (void)r;
    free(m->name);
    free(m->class_names);
    free(m->status);
    free(m->stage);
    free(m->predicted);
    free(m->probs);
    free(m->logits);
    free(m->set_logits);
    free(m->message);
    for (int64_t e = 0; m->maps && e < m->nmaps; e++) {
        xa_read_map *x = &m->maps[e];
        free(x->name);
        free(x->sample);
        free(x->target);
        free(x->flags);
        free(x->maximum);
        free(x->peak);
        free(x->layer);
        free(x->kind);
        for (int k = 0; k < XA_CHECK_COUNT; k++)
            free(x->check[k]);
        free_list(x->metrics, x->nmetrics);
        for (int64_t k = 0; x->localisation && k < x->nmetrics; k++)
            free(x->localisation[k]);
        free(x->localisation);
    }
    free(m->maps);
}

void xa_read_close(xa_read *r)
{
    if (!r)
        return;
    for (int64_t m = 0; r->models && m < r->nmodels; m++)
        free_model(r, &r->models[m]);
    free(r->models);
    free(r->id);
    xa_categories_fini(&r->categories);
    free(r->label_offset);
    free(r->label_value);
    free(r->pair_sample);
    free(r->pair_class);
    free(r->annotation_offset);
    free(r->annotation_class);
    free(r->annotation_flags);
    free(r->problem);
    free(r->mask_hash);
    xa_sums_close(r->sums);
    free(r->path);
    if (r->archive && xa_archive_close(r->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    free(r);
}

const char *xa_read_status_name(uint8_t s)
{
    static const char *const names[] = {"pending", "done", "failed", "excluded"};
    return s < 4 ? names[s] : "?";
}

int64_t xa_read_first_pair(const xa_read *r, int64_t sample)
{
    int64_t low = 0, high = r->pairs;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (r->pair_sample[mid] < sample)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void xa_read_text(const char *table, size_t bytes, int64_t i, char *out, size_t size)
{
    char *copy = xa_strndup(table + (size_t)i * bytes, strnlen(table + (size_t)i * bytes, bytes));
    xa_str_sanitise(copy ? copy : "", out, size);
    free(copy);
}

const char *xa_read_class(const xa_read_model *m, int32_t c, char *buf, size_t size)
{
    const xa_category *set = xa_category_of(m->categories, c);
    if (set)
        xa_str_sanitise(set->name, buf, size);
    else if (c >= 0 && m->class_names && c < m->nnames)
        xa_read_text(m->class_names, m->class_name_bytes, c, buf, size);
    else
        snprintf(buf, size, "%d", (int)c);
    return buf;
}

int xa_read_pair_problem(const xa_read *r, int64_t pair)
{
    const int64_t i = r->pair_sample[pair];
    for (int64_t k = r->problem ? r->annotation_offset[i] : 0;
         r->problem && k < r->annotation_offset[i + 1];
         k++)
        if (r->annotation_class[k] == r->pair_class[pair] && !xa_annotation_used(r->problem[k]))
            return r->problem[k] < XA_ANNOTATION_PROBLEMS ? r->problem[k] : XA_ANNOTATION_PROBLEMS;
    return XA_ANNOTATION_NONE;
}

bool xa_read_has_label(const xa_read *r, int64_t sample, int32_t c)
{
    for (int64_t k = r->label_offset[sample]; k < r->label_offset[sample + 1]; k++)
        if (xa_category_has(&r->categories, r->label_value[k], c))
            return true;
    return false;
}

bool xa_read_pair_flagged(const xa_read *r, int64_t pair, uint8_t flag)
{
    const int64_t i = r->pair_sample[pair];
    bool any = false;
    for (int64_t k = r->annotation_flags ? r->annotation_offset[i] : 0;
         r->annotation_flags && k < r->annotation_offset[i + 1];
         k++)
        if (r->annotation_class[k] == r->pair_class[pair]) {
            if (!(r->annotation_flags[k] & flag))
                return false;
            any = true;
        }
    return any;
}

xa_decode_options xa_read_decode(const xa_read *r)
{
    xa_decode_options opt;
    return xa_read_decoding(r->archive, &opt, NULL) == XA_OK ? opt : xa_decode_defaults();
}
