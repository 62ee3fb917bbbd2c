/* Series of an archive, what they are split by, and their figures. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Numbers equal texts alike, in the texts' order; "" becomes -1. names (may be NULL) gets a copy of
 * each, to be freed one by one. */
static xa_status number_texts(
    char *const *text, int64_t n, int64_t *number, char ***names, int64_t *count, xa_err *err)
{
    xa_status st = XA_OK;
    keyed *k = xa_alloc((size_t)n + 1, sizeof *k);
    int64_t next = 0;
    if (names)
        *names = xa_alloc((size_t)n + 1, sizeof **names);
    if (!k || (names && !*names))
        XA_FAIL(err, XA_NOMEM, "out of memory");
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
                XA_FAIL(err, XA_NOMEM, "out of memory");
            next++;
        }
        number[k[i].at] = next - 1;
    }
    *count = next;
done:
    free(k);
    return st;
}

static void free_texts(char **text, int64_t n)
{
    for (int64_t i = 0; text && i < n; i++)
        free(text[i]);
    free(text);
}

/* A numeric dataset of n rows, of one type. */
static xa_status read_array(
    const xa_summary *s, const char *path, xa_type type, int64_t n, void *out_ptr, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_read_all(s->r->archive, path, &info, &data, err));
    if (info.type != type || info.ndim < 1 || info.dim[0] != n) {
        free(data);
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: %s: expected %lld rows of %s",
                       s->path,
                       path,
                       (long long)n,
                       xa_type_name(type));
    }
    memcpy(out_ptr, &data, sizeof data);
    return XA_OK;
}

/* A column of the samples as texts, [samples]. */
static xa_status read_column(const xa_summary *s, const char *path, char ***out, xa_err *err)
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
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t i = 0; i < s->r->samples; i++) {
        const char *row = rows + (size_t)i * info.item_bytes;
        text[i] = xa_strndup(row, strnlen(row, info.item_bytes));
        if (!text[i])
            XA_FAIL(err, XA_NOMEM, "out of memory");
    }
    *out = text;
    text = NULL;
done:
    free(rows);
    free_texts(text, s->r->samples);
    return st;
}

/* ---- what is drawn together ---- */

static xa_status read_groups(xa_summary *s, xa_err *err)
{
    xa_status st = XA_OK;
    char **text = NULL;
    int64_t *of_sample = xa_alloc((size_t)s->r->samples + 1, sizeof *of_sample);
    s->group = xa_alloc((size_t)s->r->pairs + 1, sizeof *s->group);
    if (!of_sample || !s->group)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, read_column(s, "/samples/group", &text, err));
    XA_TRY(err, number_texts(text, s->r->samples, of_sample, NULL, &s->ngroups, err));
    s->grouped = s->ngroups > 0;
    for (int64_t q = 0; q < s->r->pairs; q++) { /* an image without a group is one of its own */
        const int64_t i = s->r->pair_sample[q];
        s->group[q] = of_sample[i] >= 0 ? of_sample[i] : s->ngroups + i;
    }
done:
    free_texts(text, s->r->samples);
    free(of_sample);
    return st;
}

/* ---- parts ---- */

static xa_status part_names(xa_summary *s, const char *const *names, int64_t n, xa_err *err)
{
    s->part_name = xa_alloc((size_t)n + 1, sizeof *s->part_name);
    if (!s->part_name)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    s->nparts = n;
    for (int64_t i = 0; i < n; i++)
        if (!(s->part_name[i] = xa_strdup(names[i])))
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    return XA_OK;
}

static xa_status by_class(xa_summary *s, xa_err *err)
{
    xa_status st = XA_OK;
    int32_t most = -1;
    for (int64_t q = 0; q < s->r->pairs; q++)
        most = s->r->pair_class[q] > most ? s->r->pair_class[q] : most;
    s->part_name = xa_alloc((size_t)most + 2, sizeof *s->part_name);
    if (!s->part_name)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    s->nparts = most + 1;
    for (int32_t c = 0; c <= most; c++) {
        char name[128];
        xa_read_class(&s->r->models[0], c, name, sizeof name);
        s->part_name[c] = xa_strdup(name);
        if (!s->part_name[c])
            XA_FAIL(err, XA_NOMEM, "out of memory");
    }
    for (int64_t q = 0; q < s->r->pairs; q++)
        s->part[q] = s->r->pair_class[q];
done:
    return st;
}

/* Share of the image that the boxes of the pair's class cover, counted once a box; NaN: no box. */
static xa_status by_size(xa_summary *s, xa_err *err)
{
    static const char *const names[] = {"below 10 %", "10 to 30 %", "30 % and more"};
    xa_status st = XA_OK;
    int64_t *offset = NULL;
    int32_t *class_of = NULL, *width = NULL, *height = NULL;
    uint8_t *kind = NULL;
    double *box = NULL;
    const int64_t n = s->r->samples;
    XA_TRY(err, read_array(s, "/samples/annotations/offset", XA_TYPE_I64, n + 1, &offset, err));
    const int64_t count = offset[n];
    for (int64_t i = 0; i < n; i++)
        if (offset[i] < 0 || offset[i] > offset[i + 1])
            XA_FAIL(err, XA_FORMAT, "%s: /samples/annotations/offset does not ascend", s->path);
    XA_TRY(err, read_array(s, "/samples/annotations/class", XA_TYPE_I32, count, &class_of, err));
    XA_TRY(err, read_array(s, "/samples/annotations/kind", XA_TYPE_U8, count, &kind, err));
    XA_TRY(err, read_array(s, "/samples/annotations/box", XA_TYPE_F64, count, &box, err));
    XA_TRY(err, read_array(s, "/samples/width", XA_TYPE_I32, n, &width, err));
    XA_TRY(err, read_array(s, "/samples/height", XA_TYPE_I32, n, &height, err));
    XA_TRY(err, part_names(s, names, 3, err));
    for (int64_t q = 0; q < s->r->pairs; q++) {
        const int64_t i = s->r->pair_sample[q];
        double area = 0.0;
        bool any = false;
        for (int64_t k = offset[i]; k < offset[i + 1]; k++)
            if (class_of[k] == s->r->pair_class[q] && kind[k] == XA_ANNOTATION_BOX) {
                any = true;
                area += (box[4 * k + 2] - box[4 * k]) * (box[4 * k + 3] - box[4 * k + 1]);
            }
        const double share = area / ((double)width[i] * (double)height[i]);
        s->part[q] = !any || !isfinite(share) ? -1 : share < 0.1 ? 0 : share < 0.3 ? 1 : 2;
    }
done:
    free(offset);
    free(class_of);
    free(kind);
    free(box);
    free(width);
    free(height);
    return st;
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
        XA_FAIL(err, XA_NOMEM, "out of memory");
    st = xa_archive_list(s->r->archive, "/samples/extra", &further, &nfurther, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        nfurther = 0;
        st = XA_OK;
    }
    XA_TRY(err, st);
    for (size_t k = 0; k < 2 && !path; k++)
        if (!strcmp(by, own[k]))
            path = xa_strfmt("/samples/%s", by);
    for (int64_t k = 0; k < nfurther && !path; k++)
        if (!strcmp(by, further[k]))
            path = xa_strfmt("/samples/extra/%s", by);
    for (int64_t k = 0; k < nfurther; k++)
        xa_str_printf(&list, ", %s", further[k]);
    if (!path)
        XA_FAIL(err,
                XA_INVALID,
                "--by %s: expected class, correct, size, group, split%s",
                by,
                list.data ? list.data : "");
    XA_TRY(err, read_column(s, path, &text, err));
    XA_TRY(err, number_texts(text, s->r->samples, of_sample, &s->part_name, &s->nparts, err));
    for (int64_t q = 0; q < s->r->pairs; q++)
        s->part[q] = of_sample[s->r->pair_sample[q]];
done:
    free_texts(text, s->r->samples);
    free_texts(further, nfurther);
    xa_str_free(&list);
    free(of_sample);
    free(path);
    return st;
}

static xa_status read_parts(xa_summary *s, const char *by, xa_err *err)
{
    static const char *const answers[] = {"wrong", "right"};
    if (!by)
        return XA_OK;
    s->by = xa_strdup(by);
    s->part = xa_alloc((size_t)s->r->pairs + 1, sizeof *s->part);
    if (!s->by || !s->part)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    if (!strcmp(by, "class"))
        return by_class(s, err);
    if (!strcmp(by, "size"))
        return by_size(s, err);
    if (!strcmp(by, "correct")) /* each model's own answers: see part_of */
        return part_names(s, answers, 2, err);
    return by_column(s, by, err);
}

static const xa_read_model *model_of(const xa_summary *s, const xa_series *x)
{
    for (int64_t m = 0; m < s->r->nmodels; m++)
        if (s->r->models[m].name == x->model)
            return &s->r->models[m];
    return NULL;
}

static int64_t part_of(const xa_summary *s, const xa_series *x, int64_t q)
{
    if (strcmp(s->by, "correct") != 0)
        return s->part[q];
    const int32_t answer = model_of(s, x)->predicted[s->r->pair_sample[q]];
    return answer < 0 ? -1 : answer == s->r->pair_class[q];
}

/* ---- series ---- */

static char *series_path(const xa_series *x, const char *group)
{
    return xa_strfmt("/%s/%s/%s/%s", group, x->model, x->explainer, x->metric);
}

static xa_status read_series(xa_summary *s, xa_series *x, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    int64_t n = 0;
    char *path = series_path(x, x->baseline ? "baselines" : "localisation");
    char *beside = series_path(x, x->baseline ? "baseline_statistics" : "statistics");
    if (!path || !beside)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, xa_archive_attr_text(s->r->archive, path, "metric", &x->kind, err));
    XA_TRY(err, xa_archive_attr_text(s->r->archive, path, "conventions", &x->conventions, err));
    st = xa_archive_dataset(s->r->archive, beside, &info, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    if (info.ndim == 3 && info.dim[0] == s->r->pairs && info.type == XA_TYPE_U8 &&
        info.dim[1] >= 1 && info.dim[1] <= XA_METRIC_LEVELS && info.dim[2] == XA_HIT_BYTES) {
        x->is = XA_SERIES_HITS;
        x->levels = (int)info.dim[1];
        XA_TRY(
            err,
            xa_archive_attr_f64(s->r->archive, beside, "iou", x->level, XA_METRIC_LEVELS, &n, err));
    } else if (info.ndim == 3 && info.dim[0] == s->r->pairs && info.type == XA_TYPE_U32 &&
               info.dim[1] == 2 && info.dim[2] == XA_STATS_BINS) {
        x->is = XA_SERIES_PIXELS;
    } else {
        XA_FAIL(
            err, XA_FORMAT, "%s: %s: neither hits nor pixel counts of each pair", s->path, beside);
    }
done:
    free(path);
    free(beside);
    return st;
}

static xa_status add_series(xa_summary *s, size_t *cap, const xa_series *x, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&s->series, cap, (size_t)s->nseries + 1, sizeof *s->series, err));
    s->series[s->nseries++] = *x;
    return read_series(s, &s->series[s->nseries - 1], err);
}

/* The baselines of a model, behind its explainers; archives without them have none. */
static xa_status find_baselines(xa_summary *s, const xa_read_model *m, size_t *cap, xa_err *err)
{
    xa_status st = XA_OK;
    char **names = NULL, **metrics = NULL;
    int64_t n = 0, nmetrics = 0;
    char *group = xa_strfmt("/baselines/%s", m->name), *path = NULL;
    if (!group)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    st = xa_archive_list(s->r->archive, group, &names, &n, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    for (int64_t b = 0; b < n; b++) {
        free_texts(metrics, nmetrics);
        metrics = NULL;
        free(path);
        path = xa_strfmt("%s/%s", group, names[b]);
        if (!path)
            XA_FAIL(err, XA_NOMEM, "out of memory");
        XA_TRY(err, xa_archive_list(s->r->archive, path, &metrics, &nmetrics, err));
        for (int64_t k = 0; k < nmetrics; k++) {
            double *value = NULL;
            xa_series x = {.model = m->name, .baseline = true};
            char *data = xa_strfmt("%s/%s", path, metrics[k]);
            st = data ? read_array(s, data, XA_TYPE_F64, s->r->pairs, &value, err) : XA_NOMEM;
            free(data);
            XA_TRY(err, st);
            x.value = value;
            x.explainer = xa_strdup(names[b]);
            x.metric = xa_strdup(metrics[k]);
            XA_TRY(err, add_series(s, cap, &x, err));
            if (!x.explainer || !x.metric)
                XA_FAIL(err, XA_NOMEM, "out of memory");
        }
    }
done:
    free_texts(names, n);
    free_texts(metrics, nmetrics);
    free(group);
    free(path);
    return st;
}

static xa_status find_series(xa_summary *s, xa_err *err)
{
    size_t cap = 0;
    for (int64_t m = 0; m < s->r->nmodels; m++) {
        const xa_read_model *model = &s->r->models[m];
        for (int64_t e = 0; e < model->nmaps; e++)
            for (int64_t k = 0; k < model->maps[e].nmetrics; k++) {
                const xa_series x = {.model = model->name,
                                     .explainer = model->maps[e].name,
                                     .metric = model->maps[e].metrics[k],
                                     .value = model->maps[e].localisation[k]};
                XA_RETURN_TRY(err, add_series(s, &cap, &x, err));
            }
        XA_RETURN_TRY(err, find_baselines(s, model, &cap, err));
    }
    return XA_OK;
}

xa_status xa_summary_open(const char *path, const char *by, xa_summary **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    s->path = xa_strdup(path);
    if (!s->path)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, xa_read_open(path, &s->r, err));
    XA_TRY(err, read_groups(s, err));
    XA_TRY(err, read_parts(s, by, err));
    XA_TRY(err, find_series(s, err));
    *out = s;
    s = NULL;
done:
    xa_summary_close(s);
    return st;
}

void xa_summary_close(xa_summary *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->nseries; i++) {
        free(s->series[i].kind);
        free(s->series[i].conventions);
        if (s->series[i].baseline) {
            free((void *)(uintptr_t)s->series[i].explainer);
            free((void *)(uintptr_t)s->series[i].metric);
            free((void *)(uintptr_t)s->series[i].value);
        }
    }
    free(s->series);
    free(s->group);
    free(s->part);
    free_texts(s->part_name, s->nparts);
    free(s->by);
    free(s->path);
    xa_read_close(s->r);
    free(s);
}

/* ---- figures ---- */

typedef struct picked {
    double *value;
    int64_t *group, *class_of;
    bool *defined;
    unsigned char *rows;
    int64_t n;
} picked;

static void picked_fini(picked *p)
{
    free(p->value);
    free(p->group);
    free(p->class_of);
    free(p->defined);
    free(p->rows);
}

/* The pairs of one part, with their statistics' rows. */
static xa_status pick(const xa_summary *s, const xa_series *x, int64_t part, picked *p, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t pairs = s->r->pairs;
    const size_t row = x->is == XA_SERIES_HITS     ? (size_t)x->levels * XA_HIT_BYTES
                       : x->is == XA_SERIES_PIXELS ? 2 * XA_STATS_BINS * sizeof(uint32_t)
                                                   : 0;
    char *path = series_path(x, x->baseline ? "baseline_statistics" : "statistics");
    p->value = xa_alloc((size_t)pairs + 1, sizeof *p->value);
    p->group = xa_alloc((size_t)pairs + 1, sizeof *p->group);
    p->class_of = xa_alloc((size_t)pairs + 1, sizeof *p->class_of);
    p->defined = xa_alloc((size_t)pairs + 1, sizeof *p->defined);
    if (!path || !p->value || !p->group || !p->class_of || !p->defined)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    if (row)
        XA_TRY(
            err,
            read_array(
                s, path, x->is == XA_SERIES_HITS ? XA_TYPE_U8 : XA_TYPE_U32, pairs, &p->rows, err));
    for (int64_t q = 0; q < pairs; q++) {
        if (part >= 0 && part_of(s, x, q) != part)
            continue;
        p->value[p->n] = x->value[q];
        p->group[p->n] = s->group[q];
        p->class_of[p->n] = s->r->pair_class[q];
        p->defined[p->n] = isfinite(x->value[q]);
        if (row)
            memmove(p->rows + (size_t)p->n * row, p->rows + (size_t)q * row, row);
        p->n++;
    }
done:
    free(path);
    return st;
}

xa_status xa_summary_figure(const xa_summary *s,
                            const xa_series *x,
                            const xa_stats_plan *plan,
                            int64_t part,
                            xa_figure *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    picked p = {0};
    *out = (xa_figure){0};
    XA_TRY(err, pick(s, x, part, &p, err));
    if (x->is == XA_SERIES_HITS) {
        const xa_hits h = {.n = p.n, .levels = x->levels, .bits = p.rows, .defined = p.defined};
        XA_TRY(err, xa_stats_box_accuracy(plan, &h, NULL, p.group, &out->micro, err));
    } else if (x->is == XA_SERIES_PIXELS) {
        XA_TRY(err,
               xa_stats_pxap(plan,
                             p.n,
                             (const uint32_t *)(const void *)p.rows,
                             p.defined,
                             p.group,
                             &out->micro,
                             err));
    } else {
        XA_TRY(err, xa_stats_mean(plan, p.n, p.value, p.group, NULL, &out->micro, err));
        XA_TRY(err, xa_stats_mean(plan, p.n, p.value, p.group, p.class_of, &out->macro, err));
    }
done:
    picked_fini(&p);
    return st;
}

static int64_t first_row(const xa_read_map *x, int64_t sample)
{
    int64_t low = 0, high = x->rows;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (x->sample[mid] < sample)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void xa_summary_undefined(const xa_summary *s, const xa_series *x, xa_undefined *out)
{
    const xa_read_model *m = model_of(s, x);
    *out = (xa_undefined){.pairs = s->r->pairs};
    const xa_read_map *map = NULL;
    for (int64_t e = 0; e < m->nmaps; e++)
        if (m->maps[e].name == x->explainer)
            map = &m->maps[e];
    for (int64_t q = 0; q < s->r->pairs; q++) {
        const int64_t i = s->r->pair_sample[q];
        bool made = false, nonfinite = false;
        if (isfinite(x->value[q]))
            continue;
        for (int64_t k = map ? first_row(map, i) : 0; map && k < map->rows && map->sample[k] == i;
             k++) {
            made = true;
            nonfinite = nonfinite || (map->flags[k] & XA_MAP_NONFINITE);
        }
        if (m->status[i] != XA_SAMPLE_DONE)
            out->not_done++;
        else if (map && !made)
            out->no_map++;
        else if (nonfinite)
            out->nonfinite++;
        else
            out->no_region++;
    }
}
