/* Series of an archive and their figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

/* ---- series ---- */

static xa_path scores_of(const xa_series *x)
{
    return xa_field_name(
        x->baseline ? XA_FIELD_BASELINE : XA_FIELD_LOCALISATION, x->model, x->explainer, x->metric);
}

/* The path does not depend on the kind of statistic. */
static xa_path statistics_of(const xa_series *x)
{
    return xa_field_name(x->baseline ? XA_FIELD_BASELINE_HITS : XA_FIELD_STATISTIC_HITS,
                         x->model,
                         x->explainer,
                         x->metric);
}

/* Whether an attribute is this word. Archives before format 1.1 do not have it. */
static xa_status says(const xa_summary *s,
                      const char *path,
                      const char *attribute,
                      const char *word,
                      bool *out,
                      xa_err *err)
{
    char *text = NULL;
    XA_RETURN_TRY(err, xa_archive_attr_text(s->r->archive, path, attribute, &text, err));
    *out = text && !strcmp(text, word);
    free(text);
    return XA_OK;
}

xa_stats_plan xa_series_plan(const xa_stats_plan *plan, const xa_series *x)
{
    xa_stats_plan own = *plan;
    const int metric = x->kind ? xa_metric_parse(x->kind) : -1;
    if (x->is == XA_SERIES_CHECK)
        own.measures = strcmp(x->metric, xa_check_name(XA_CHECK_INCREASE)) != 0 &&
                       !xa_str_ends(x->metric, ".base_keeps");
    else if (metric >= 0)
        own.measures = xa_metric_scale_of((xa_metric_kind)metric) == XA_SCALE_SHARE;
    return own;
}

static xa_status read_series(xa_summary *s, xa_series *x, xa_err *err)
{
    const xa_path path = scores_of(x);
    xa_archive *a = s->r->archive;
    XA_RETURN_TRY(err, xa_archive_attr_text(a, path.text, "metric", &x->kind, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(a, path.text, "conventions", &x->conventions, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(a, path.text, "from_split", &x->from_split, err));
    XA_RETURN_TRY(err, says(s, path.text, "difficult", "skip", &x->skips_difficult, err));
    XA_RETURN_TRY(err, says(s, path.text, "crowd", "ignore", &x->ignores_crowds, err));
    return xa__statistic_read(s, statistics_of(x).text, x, err);
}

static xa_status add_series(xa_summary *s, size_t *cap, const xa_series *x, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&s->series, cap, (size_t)s->nseries + 1, sizeof *s->series, err));
    xa_series *own = &s->series[s->nseries++];
    *own = *x;
    if (x->is == XA_SERIES_CHECK) {
        own->kind = xa_strdup(x->metric);
        own->conventions = xa_strdup(x->conventions);
        if (!own->kind || !own->conventions)
            XA_RETURN_NOMEM(err);
        return XA_OK;
    }
    own->n = s->r->pairs;
    own->sample = s->r->pair_sample;
    own->class_of = s->r->pair_class;
    return read_series(s, own, err);
}

/* A check of the job gives a score for each map; its description serves as conventions. */
static xa_status
add_checks(xa_summary *s, const xa_read_model *m, const xa_read_map *e, size_t *cap, xa_err *err)
{
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        const xa_check_kind kind = (xa_check_kind)k;
        const xa_series x = {.model = m->name,
                             .explainer = e->name,
                             .metric = xa_check_name(kind),
                             .conventions = (char *)(uintptr_t)xa_check_description(kind),
                             .is = XA_SERIES_CHECK,
                             .better = kind == XA_CHECK_AVERAGE_DROP   ? -1
                                       : kind == XA_CHECK_RANDOM_LOGIT ? 0
                                                                       : 1,
                             .n = e->rows,
                             .sample = e->sample,
                             .class_of = e->target,
                             .value = e->check[k]};
        if (x.value)
            XA_RETURN_TRY(err, add_series(s, cap, &x, err));
    }
    for (int64_t k = 0; k < e->nchecked; k++)
        for (int64_t f = 0; f < e->checked[k].nfigures; f++) {
            const xa_read_checked *c = &e->checked[k];
            const xa_series x = {.model = m->name,
                                 .explainer = e->name,
                                 .metric = c->figure[f],
                                 .conventions = c->text[f],
                                 .is = XA_SERIES_CHECK,
                                 .better = c->better[f],
                                 .n = c->n,
                                 .sample = c->sample,
                                 .class_of = c->target,
                                 .value = c->value[f],
                                 .checked = c,
                                 .figure = f};
            XA_RETURN_TRY(err, add_series(s, cap, &x, err));
        }
    return XA_OK;
}

/* One baseline's scores by one metric. */
static xa_status add_baseline(xa_summary *s,
                              const xa_read_model *m,
                              const char *name,
                              const char *metric,
                              size_t *cap,
                              xa_err *err)
{
    xa_status st = XA_OK;
    double *value = NULL;
    xa_series x = {.model = m->name,
                   .explainer = xa_strdup(name),
                   .metric = xa_strdup(metric),
                   .baseline = true};
    if (!x.explainer || !x.metric)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_read_check(s->r, XA_FIELD_SUM_BASELINES, err));
    XA_TRY(err, xa__summary_array(s, scores_of(&x).text, XA_TYPE_F64, s->r->pairs, &value, err));
    x.value = value;
    const int before = s->nseries;
    st = add_series(s, cap, &x, err);
    if (s->nseries > before) /* xa_summary_close frees it, on failure too */
        x = (xa_series){0};
    XA_TRY(err, st);
done:
    if (x.baseline)
        xa_series_free(&x);
    return st;
}

/* Adds the baselines of a model; some archives have none. */
static xa_status find_baselines(xa_summary *s, const xa_read_model *m, size_t *cap, xa_err *err)
{
    xa_status st = XA_OK;
    char **names = NULL, **metrics = NULL;
    int64_t n = 0, nmetrics = 0;
    const xa_path group = xa_field_group(XA_FIELD_BASELINE, m->name, NULL);
    st = xa_archive_list(s->r->archive, group.text, &names, &n, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    for (int64_t b = 0; b < n; b++) {
        const xa_path path = xa_field_group(XA_FIELD_BASELINE, m->name, names[b]);
        xa_texts_free(metrics, nmetrics);
        metrics = NULL;
        XA_TRY(err, xa_archive_list(s->r->archive, path.text, &metrics, &nmetrics, err));
        for (int64_t k = 0; k < nmetrics; k++)
            XA_TRY(err, add_baseline(s, m, names[b], metrics[k], cap, err));
    }
done:
    xa_texts_free(names, n);
    xa_texts_free(metrics, nmetrics);
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
        for (int64_t e = 0; e < model->nmaps; e++)
            XA_RETURN_TRY(err, add_checks(s, model, &model->maps[e], &cap, err));
    }
    return XA_OK;
}

xa_status xa_summary_open(const char *path, const char *by, xa_summary **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_NOMEM_FAIL(err);
    s->path = xa_strdup(path);
    if (!s->path)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_read_open(path, &s->r, err));
    XA_TRY(err, xa__summary_groups(s, err));
    XA_TRY(err, xa__summary_excluded(s, err));
    XA_TRY(err, xa__summary_parts(s, by, err));
    XA_TRY(err, find_series(s, err));
    for (int i = 0; i < s->nseries && !s->split; i++)
        if (s->series[i].from_split)
            XA_TRY(err,
                   xa__summary_column(s, xa_field_path(XA_FIELD_SAMPLE_SPLIT), &s->split, err));
    *out = s;
    s = NULL;
done:
    xa_summary_close(s);
    return st;
}

void xa_series_free(xa_series *x)
{
    free(x->kind);
    free(x->conventions);
    free(x->from_split);
    if (x->baseline) {
        free((void *)(uintptr_t)x->explainer);
        free((void *)(uintptr_t)x->metric);
        free((void *)(uintptr_t)x->value);
    }
}

void xa_summary_close(xa_summary *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->nseries; i++)
        xa_series_free(&s->series[i]);
    free(s->series);
    for (int64_t k = 0; s->excluded && k < s->nexcluded; k++)
        free(s->excluded[k].reason);
    free(s->excluded);
    free(s->group);
    free(s->group_of_sample);
    xa_texts_free(s->split, s->r ? s->r->samples : 0);
    free(s->part);
    free(s->part_of_sample);
    xa_texts_free(s->part_name, s->nparts);
    free(s->by);
    free(s->path);
    xa_read_close(s->r);
    free(s);
}

/* ---- figures ---- */

xa_status xa_summary_choose_on(xa_summary *s, const char *split, xa_err *err)
{
    if (!s->split)
        XA_RETURN_TRY(err,
                      xa__summary_column(s, xa_field_path(XA_FIELD_SAMPLE_SPLIT), &s->split, err));
    for (int i = 0; i < s->nseries; i++) {
        xa_series *x = &s->series[i];
        if (x->is != XA_SERIES_HITS)
            continue;
        free(x->from_split);
        x->from_split = xa_strdup(split);
        if (!x->from_split)
            XA_RETURN_NOMEM(err);
    }
    return XA_OK;
}

static bool is_chosen_on(const xa_summary *s, const xa_series *x, int64_t pair)
{
    return x->is == XA_SERIES_HITS && x->from_split &&
           !strcmp(s->split[s->r->pair_sample[pair]], x->from_split);
}

bool xa_summary_counts(const xa_summary *s, const xa_series *x, int64_t pair)
{
    return isfinite(x->value[pair]) && !is_chosen_on(s, x, pair);
}

xa_status xa_summary_rows(const xa_summary *s, const xa_series *x, void **out, xa_err *err)
{
    const xa__statistic *k = xa__statistic_of(x);
    const xa_field_kind sums =
        x->baseline ? XA_FIELD_SUM_BASELINE_STATISTICS : XA_FIELD_SUM_STATISTICS;
    XA_RETURN_TRY(err, xa_read_check(s->r, sums, err));
    XA_RETURN_TRY(err, xa__summary_array(s, statistics_of(x).text, k->type, s->r->pairs, out, err));
    if (!k->convert)
        return XA_OK;
    const xa_status st = k->convert(x, s->r->pairs, out, err);
    if (st != XA_OK) {
        free(*out);
        *out = NULL;
    }
    XA_RETURN_TRY(err, st);
    return XA_OK;
}

xa_status xa_summary_threshold(
    const xa_summary *s, const xa_series *x, int *threshold, bool *chosen, xa_err *err)
{
    xa_status st = XA_OK;
    void *rows = NULL;
    bool *defined = NULL, any = false;
    *chosen = x->is == XA_SERIES_HITS && x->from_split;
    if (!*chosen)
        return XA_OK;
    defined = xa_alloc((size_t)s->r->pairs + 1, sizeof *defined);
    if (!defined)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_summary_rows(s, x, &rows, err));
    for (int64_t q = 0; q < s->r->pairs; q++) {
        defined[q] = isfinite(x->value[q]) && is_chosen_on(s, x, q);
        any = any || defined[q];
    }
    if (!any)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: %s of %s: no scored image is of the split \"%s\" that chooses its grey level",
                s->path,
                x->metric,
                x->explainer,
                x->from_split);
    const xa_hits h = {.n = s->r->pairs, .levels = x->levels, .bits = rows, .defined = defined};
    XA_TRY(err, xa_stats_hit_curve(&h, NULL, threshold, err));
done:
    free(rows);
    free(defined);
    return st;
}

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

/* Copies the units of one part (-1: all), with the rows of their statistics. */
static xa_status pick(const xa_summary *s, const xa_series *x, int64_t part, picked *p, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t pairs = x->n;
    const xa__statistic *k = xa__statistic_of(x);
    const size_t row = k ? k->row_bytes(x) : 0;
    p->value = xa_alloc((size_t)pairs + 1, sizeof *p->value);
    p->group = xa_alloc((size_t)pairs + 1, sizeof *p->group);
    p->class_of = xa_alloc((size_t)pairs + 1, sizeof *p->class_of);
    p->defined = xa_alloc((size_t)pairs + 1, sizeof *p->defined);
    if (!p->value || !p->group || !p->class_of || !p->defined)
        XA_NOMEM_FAIL(err);
    if (row) {
        void *rows;
        XA_TRY(err, xa_summary_rows(s, x, &rows, err));
        p->rows = rows;
    }
    for (int64_t q = 0; q < pairs; q++) {
        if ((part >= 0 && xa_summary_part_of(s, x, q) != part) || is_chosen_on(s, x, q))
            continue;
        p->value[p->n] = x->value[q];
        p->group[p->n] = s->group_of_sample[x->sample[q]];
        p->class_of[p->n] = x->class_of[q];
        p->defined[p->n] = isfinite(x->value[q]);
        if (row)
            memmove(p->rows + (size_t)p->n * row, p->rows + (size_t)q * row, row);
        p->n++;
    }
done:
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
    const xa__statistic *k = xa__statistic_of(x);
    *out = (xa_figure){0};
    XA_TRY(err, pick(s, x, part, &p, err));
    if (k) {
        int threshold[XA_METRIC_LEVELS];
        bool chosen;
        XA_TRY(err, xa_summary_threshold(s, x, threshold, &chosen, err));
        const xa__rows r = {x, p.n, p.rows, p.defined, chosen ? threshold : NULL};
        XA_TRY(err, k->figure(plan, &r, p.group, &out->micro, err));
    } else {
        const xa_stats_plan own = xa_series_plan(plan, x);
        XA_TRY(err, xa_stats_mean(&own, p.n, p.value, p.group, NULL, &out->micro, err));
        XA_TRY(err, xa_stats_mean(&own, p.n, p.value, p.group, p.class_of, &out->macro, err));
    }
done:
    picked_fini(&p);
    return st;
}
