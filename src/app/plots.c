/* From an archive's scores to charts. */
#include "plots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

static const struct {
    const char *name, *what;
} kinds[XA_PLOT_KINDS] = {
#define X(kind, text, what) [XA_PLOT_##kind] = {text, what},
    XA_PLOT_LIST(X)
#undef X
};

int xa_plot_parse(const char *name)
{
    for (int k = 0; k < XA_PLOT_KINDS; k++)
        if (!strcmp(name, kinds[k].name))
            return k;
    return -1;
}

const char *xa_plot_name(xa_plot_kind k)
{
    return kinds[k].name;
}

const char *xa_plot_what(xa_plot_kind k)
{
    return kinds[k].what;
}

/* ---- memory ---- */

static xa_status own(xa_plot_page *o, size_t n, size_t bytes, void *out_ptr, xa_err *err)
{
    void *p = xa_alloc(n + 1, bytes);
    if (!p || xa_grow(&o->owned, &o->cap, o->nowned + 1, sizeof *o->owned, err) != XA_OK) {
        free(p);
        XA_RETURN_FAIL(err, XA_NOMEM, "chart: out of memory");
    }
    o->owned[o->nowned++] = p;
    memcpy(out_ptr, &p, sizeof p);
    return XA_OK;
}

static xa_status own_text(xa_plot_page *o, char *text, const char **out, xa_err *err)
{
    if (!text || xa_grow(&o->owned, &o->cap, o->nowned + 1, sizeof *o->owned, err) != XA_OK) {
        free(text);
        XA_RETURN_FAIL(err, XA_NOMEM, "chart: out of memory");
    }
    o->owned[o->nowned++] = text;
    *out = text;
    return XA_OK;
}

void xa_plot_page_free(xa_plot_page *p)
{
    for (int i = 0; i < p->npictures; i++)
        xa_image_fini(&p->pictures[i]);
    for (size_t i = 0; i < p->nowned; i++)
        free(p->owned[i]);
    free(p->owned);
    *p = (xa_plot_page){0};
}

/* ---- what is drawn ---- */

typedef struct maker {
    const xa_plotting *p;
    const xa_read_model *m;
    xa_plot_page *o;
    const xa_series **series; /* explainers of one metric, in the archive's order */
    const char **name;        /* of each */
    int n;
} maker;

static xa_status find_model(maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    for (int64_t m = 0; m < r->nmodels && !k->m; m++)
        if (!k->p->model || !strcmp(k->p->model, r->models[m].name))
            k->m = &r->models[m];
    if (!k->m)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: no model \"%s\"",
                       k->p->s->path,
                       k->p->model ? k->p->model : "");
    return XA_OK;
}

static bool is_rate(const xa_series *x, int64_t pairs)
{
    for (int64_t q = 0; q < pairs; q++)
        if (isfinite(x->value[q]) && x->value[q] != 0.0 && x->value[q] != 1.0)
            return false;
    return true;
}

/* The explainers' series of a metric; NULL: the first of the kind wanted, shares before rates. */
static xa_status find_series(maker *k, const char *metric, xa_series_kind is, xa_err *err)
{
    const xa_summary *s = k->p->s;
    const char *chosen = metric;
    k->n = 0;
    for (int rates = 0; rates < 2 && !chosen; rates++)
        for (int i = 0; i < s->nseries && !chosen; i++)
            if (s->series[i].model == k->m->name && !s->series[i].baseline &&
                s->series[i].is == is &&
                (is != XA_SERIES_SCORES || rates || !is_rate(&s->series[i], s->r->pairs)))
                chosen = s->series[i].metric;
    XA_RETURN_TRY(err, own(k->o, (size_t)s->nseries, sizeof *k->series, &k->series, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)s->nseries, sizeof *k->name, &k->name, err));
    for (int i = 0; chosen && i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (x->model != k->m->name || x->baseline || strcmp(x->metric, chosen) != 0 || x->is != is)
            continue;
        k->series[k->n] = x;
        k->name[k->n++] = x->explainer;
    }
    if (k->n == 0)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: model %s has no %s%s%s",
                       s->path,
                       k->m->name,
                       is == XA_SERIES_HITS ? "box_acc metric" : "scores",
                       metric ? " called " : "",
                       metric ? metric : "");
    return XA_OK;
}

static const xa_series *baseline_of(const maker *k, const xa_series *x, const char *name)
{
    const xa_summary *s = k->p->s;
    for (int i = 0; i < s->nseries; i++)
        if (s->series[i].baseline && s->series[i].model == x->model &&
            !strcmp(s->series[i].metric, x->metric) && !strcmp(s->series[i].explainer, name))
            return &s->series[i];
    return NULL;
}

static xa_status
conventions_note(maker *k, const xa_series *x, const char *more, const char **out, xa_err *err)
{
    return own_text(k->o,
                    xa_strfmt("%s, model %s: %s.%s%s",
                              x->metric,
                              x->model,
                              x->conventions ? x->conventions : "conventions not stored",
                              *more ? " " : "",
                              more),
                    out,
                    err);
}

/* ---- distribution ---- */

enum { DENSITY = 96 };

/* Gaussian kernel density of the finite values on [low, high], Silverman's bandwidth; scaled to a
 * largest value of 1. False with fewer than two different values. */
static bool density(const double *v, int64_t n, double low, double high, double *out)
{
    double mean = 0.0, var = 0.0, most = 0.0;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            mean += v[i];
            m++;
        }
    if (m < 2)
        return false;
    mean /= (double)m;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i]))
            var += (v[i] - mean) * (v[i] - mean);
    const double h = 1.06 * sqrt(var / (double)(m - 1)) * pow((double)m, -0.2);
    if (!(h > 0.0))
        return false;
    for (int j = 0; j < DENSITY; j++) {
        const double x = low + (high - low) * j / (DENSITY - 1);
        out[j] = 0.0;
        for (int64_t i = 0; i < n; i++)
            if (isfinite(v[i]))
                out[j] += exp(-0.5 * (x - v[i]) * (x - v[i]) / (h * h));
        most = out[j] > most ? out[j] : most;
    }
    for (int j = 0; j < DENSITY; j++)
        out[j] /= most;
    return true;
}

static void value_range(const maker *k, double *low, double *high)
{
    *low = 0.0;
    *high = 1.0;
    for (int i = 0; i < k->n; i++)
        for (int64_t q = 0; q < k->p->s->r->pairs; q++) {
            const double v = k->series[i]->value[q];
            if (isfinite(v)) {
                *low = v < *low ? v : *low;
                *high = v > *high ? v : *high;
            }
        }
}

/* One interval mark of a figure at (value, at) sideways or (at, value). */
static xa_status interval_mark(maker *k,
                               const xa_series *x,
                               int64_t part,
                               double at,
                               int colour,
                               bool sideways,
                               xa_mark *out,
                               xa_err *err)
{
    xa_figure f;
    double *d;
    XA_RETURN_TRY(err, xa_summary_figure(k->p->s, x, k->p->plan, part, &f, err));
    XA_RETURN_TRY(err, own(k->o, 4, sizeof *d, &d, err));
    d[0] = f.micro.n ? f.micro.value : NAN;
    d[1] = at;
    d[2] = f.micro.low;
    d[3] = f.micro.high;
    *out = (xa_mark){.kind = XA_MARK_INTERVAL,
                     .colour = colour,
                     .n = 1,
                     .x = sideways ? d : d + 1,
                     .y = sideways ? d + 1 : d,
                     .low = d + 2,
                     .high = d + 3,
                     .sideways = sideways};
    return XA_OK;
}

static xa_status violin(maker *k, int e, double low, double high, xa_mark *out, xa_err *err)
{
    double *x, *y, d[DENSITY];
    XA_RETURN_TRY(err, own(k->o, 2 * DENSITY, sizeof *x, &x, err));
    XA_RETURN_TRY(err, own(k->o, 2 * DENSITY, sizeof *y, &y, err));
    *out = (xa_mark){.kind = XA_MARK_AREA, .colour = e, .n = 0, .x = x, .y = y};
    if (!density(k->series[e]->value, k->p->s->r->pairs, low, high, d))
        return XA_OK;
    for (int j = 0; j < DENSITY; j++) {
        x[j] = x[2 * DENSITY - 1 - j] = low + (high - low) * j / (DENSITY - 1);
        y[j] = e - 0.4 * d[j];
        y[2 * DENSITY - 1 - j] = e + 0.4 * d[j];
    }
    out->n = 2 * DENSITY;
    return XA_OK;
}

static xa_status distribution_plot(maker *k, const char *metric, xa_plot *out, xa_err *err)
{
    double low, high;
    xa_mark *marks;
    int n = 0;
    XA_RETURN_TRY(err, find_series(k, metric, XA_SERIES_SCORES, err));
    const int rows = k->n;
    const xa_series *centre = baseline_of(k, k->series[0], xa_baseline_name(XA_BASELINE_CENTRE));
    const char **names;
    XA_RETURN_TRY(err, own(k->o, (size_t)rows + 1, sizeof *names, &names, err));
    XA_RETURN_TRY(err, own(k->o, 2 * (size_t)rows + 2, sizeof *marks, &marks, err));
    value_range(k, &low, &high);
    const bool rate = is_rate(k->series[0], k->p->s->r->pairs);
    for (int e = 0; e < rows; e++) {
        names[e] = k->name[e];
        if (!rate)
            XA_RETURN_TRY(err, violin(k, e, low, high, &marks[n++], err));
        XA_RETURN_TRY(err, interval_mark(k, k->series[e], -1, e, e, true, &marks[n++], err));
    }
    if (centre) {
        names[rows] = "centre (baseline)";
        XA_RETURN_TRY(err, interval_mark(k, centre, -1, rows, -1, true, &marks[n++], err));
    }
    *out = (xa_plot){.title = k->series[0]->metric,
                     .x = {.low = low, .high = high},
                     .y = {.low = -0.5,
                           .high = rows + (centre ? 1 : 0) - 0.5,
                           .names = names,
                           .nnames = rows + (centre ? 1 : 0)},
                     .marks = marks,
                     .nmarks = n};
    return XA_OK;
}

static xa_status make_distribution(maker *k, xa_err *err)
{
    const xa_summary *s = k->p->s;
    xa_plot *plots;
    int n = 0, rows = 1;
    XA_RETURN_TRY(err, own(k->o, (size_t)s->nseries, sizeof *plots, &plots, err));
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool seen = x->model != k->m->name || x->baseline || x->is != XA_SERIES_SCORES ||
                    (k->p->metric && strcmp(k->p->metric, x->metric) != 0);
        for (int j = 0; j < n && !seen; j++)
            seen = !strcmp(plots[j].title, x->metric);
        if (seen)
            continue;
        XA_RETURN_TRY(err, distribution_plot(k, x->metric, &plots[n], err));
        rows = plots[n].y.nnames > rows ? plots[n].y.nnames : rows;
        n++;
    }
    if (n == 0)
        return find_series(k, k->p->metric, XA_SERIES_SCORES, err);
    const int columns = n < 2 ? 1 : 2;
    k->o->chart = (xa_chart){.plots = plots,
                             .nplots = n,
                             .columns = columns,
                             .plot_mm = 0.75 * rows * k->p->font_pt,
                             .footnote = "Dots: mean over pairs of image and class with its 95 % "
                                         "bootstrap interval; shapes: density of the scores."};
    return XA_OK;
}

/* ---- curves ---- */

static xa_status
curves_of(maker *k, const xa_series *x, int colour, xa_mark *marks, int stride, xa_err *err)
{
    xa_status st = XA_OK;
    void *rows = NULL;
    double *curve, *grey;
    bool *defined;
    const int64_t pairs = k->p->s->r->pairs;
    XA_TRY(err, own(k->o, (size_t)x->levels * XA_GREY_LEVELS, sizeof *curve, &curve, err));
    XA_TRY(err, own(k->o, XA_GREY_LEVELS, sizeof *grey, &grey, err));
    XA_TRY(err, own(k->o, (size_t)pairs, sizeof *defined, &defined, err));
    XA_TRY(err, xa_summary_rows(k->p->s, x, &rows, err));
    for (int64_t q = 0; q < pairs; q++)
        defined[q] = xa_summary_counts(k->p->s, x, q);
    for (int g = 0; g < XA_GREY_LEVELS; g++)
        grey[g] = g;
    const xa_hits h = {.n = pairs, .levels = x->levels, .bits = rows, .defined = defined};
    XA_TRY(err, xa_stats_hit_curve(&h, curve, NULL, err));
    for (int d = 0; d < x->levels; d++)
        marks[d * stride] = (xa_mark){.kind = XA_MARK_LINE,
                                      .colour = colour,
                                      .n = XA_GREY_LEVELS,
                                      .x = grey,
                                      .y = curve + d * XA_GREY_LEVELS};
done:
    free(rows);
    return st;
}

static xa_status make_curves(maker *k, xa_err *err)
{
    XA_RETURN_TRY(err, find_series(k, k->p->metric, XA_SERIES_HITS, err));
    const xa_series *first = k->series[0];
    const xa_series *centre = baseline_of(k, first, xa_baseline_name(XA_BASELINE_CENTRE));
    const int levels = first->levels, stride = k->n + 1;
    xa_plot *plots;
    xa_mark *marks;
    XA_RETURN_TRY(err, own(k->o, (size_t)levels, sizeof *plots, &plots, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)levels * (size_t)stride, sizeof *marks, &marks, err));
    if (centre && centre->levels == levels)
        XA_RETURN_TRY(err, curves_of(k, centre, -1, marks, stride, err));
    for (int e = 0; e < k->n; e++)
        if (k->series[e]->levels == levels)
            XA_RETURN_TRY(err, curves_of(k, k->series[e], e, marks + 1 + e, stride, err));
    for (int d = 0; d < levels; d++) {
        plots[d] = (xa_plot){.x = {.label = "grey level of the threshold", .high = 255.0},
                             .y = {.label = d ? NULL : "box accuracy", .high = 1.0},
                             .marks = marks + d * stride,
                             .nmarks = stride};
        XA_RETURN_TRY(
            err,
            own_text(k->o, xa_strfmt("IoU at least %g", first->level[d]), &plots[d].title, err));
    }
    k->o->chart = (xa_chart){.plots = plots,
                             .nplots = levels,
                             .columns = levels < 3 ? levels : 3,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 35.0};
    return conventions_note(
        k, first, centre ? "Grey: a Gaussian at the centre." : "", &k->o->chart.footnote, err);
}

/* ---- by class ---- */

typedef struct ranked {
    double value;
    int64_t part;
} ranked;

static int by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value ? -1 : 1)
                                : (x->part > y->part) - (x->part < y->part);
}

static xa_status make_classes(maker *k, xa_err *err)
{
    enum { MOST = 40 };
    const xa_summary *s = k->p->s;
    ranked *order;
    int64_t n = 0;
    XA_RETURN_TRY(err, find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    if (!s->by || strcmp(s->by, "class") != 0)
        XA_RETURN_FAIL(err, XA_INVALID, "chart: the summary is not split by class");
    XA_RETURN_TRY(err, own(k->o, (size_t)s->nparts, sizeof *order, &order, err));
    for (int64_t c = 0; c < s->nparts; c++) {
        double sum = 0.0;
        int64_t count = 0;
        for (int64_t q = 0; q < s->r->pairs; q++)
            if (xa__summary_part_of(s, k->series[0], q) == c && isfinite(k->series[0]->value[q])) {
                sum += k->series[0]->value[q];
                count++;
            }
        if (count > 0)
            order[n++] = (ranked){sum / (double)count, c};
    }
    qsort(order, (size_t)n, sizeof *order, by_value);
    const int64_t all = n;
    if (n > MOST) { /* the best and the worst */
        memmove(order + MOST / 2, order + n - MOST / 2, MOST / 2 * sizeof *order);
        n = MOST;
    }
    if (n == 0)
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: no class has a score", s->path);
    const char **names;
    xa_mark *marks;
    xa_plot *plot;
    XA_RETURN_TRY(err, own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)n * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, own(k->o, 1, sizeof *plot, &plot, err));
    int at = 0;
    for (int64_t i = 0; i < n; i++) {
        names[i] = s->part_name[order[i].part];
        for (int e = 0; e < k->n; e++)
            XA_RETURN_TRY(
                err,
                interval_mark(k,
                              k->series[e],
                              order[i].part,
                              (double)i + (k->n > 1 ? 0.6 * ((double)e / (k->n - 1) - 0.5) : 0.0),
                              e,
                              true,
                              &marks[at++],
                              err));
    }
    double low, high;
    value_range(k, &low, &high);
    *plot = (xa_plot){.x = {.label = k->series[0]->metric, .low = low, .high = high},
                      .y = {.low = -0.5, .high = (double)n - 0.5, .names = names, .nnames = (int)n},
                      .marks = marks,
                      .nmarks = at};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = (double)n * (0.22 * k->n + 0.5) * k->p->font_pt * 0.5};
    const char *more = "";
    if (all > MOST)
        XA_RETURN_TRY(
            err,
            own_text(k->o,
                     xa_strfmt("The 20 best and the 20 worst of %lld classes.", (long long)all),
                     &more,
                     err));
    return conventions_note(k, k->series[0], more, &k->o->chart.footnote, err);
}

/* ---- agreement ---- */

static xa_status make_agreement(maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    const int n = (int)k->m->nmaps;
    double *x, *y, *v;
    const char **names, **text;
    xa_mark *mark;
    xa_plot *plot;
    bool any = false;
    XA_RETURN_TRY(err, own(k->o, (size_t)(n * n), sizeof *x, &x, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)(n * n), sizeof *y, &y, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)(n * n), sizeof *v, &v, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)(n * n), sizeof *text, &text, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, own(k->o, 1, sizeof *mark, &mark, err));
    XA_RETURN_TRY(err, own(k->o, 1, sizeof *plot, &plot, err));
    for (int i = 0; i < n * n; i++) {
        x[i] = i % n;
        y[i] = i / n;
        v[i] = i % n == i / n ? 1.0 : NAN;
    }
    for (int a = 0; a < n; a++) {
        names[a] = k->m->maps[a].name;
        for (int b = 0; b < n; b++) {
            xa_dataset_info info;
            double *value = NULL, sum = 0.0;
            int64_t count = 0;
            char *path = xa_strfmt(
                "/pairs/%s/%s__%s/spearman", k->m->name, k->m->maps[a].name, k->m->maps[b].name);
            xa_status st = path ? xa_archive_dataset(r->archive, path, &info, NULL) : XA_NOMEM;
            if (st == XA_OK && info.type == XA_TYPE_F64)
                st = xa_archive_read_all(r->archive, path, &info, (void **)&value, err);
            free(path);
            if (st == XA_NOT_FOUND)
                continue;
            XA_RETURN_TRY(err, st);
            for (int64_t i = 0; value && i < info.dim[0]; i++)
                if (isfinite(value[i])) {
                    sum += value[i];
                    count++;
                }
            free(value);
            if (count > 0)
                v[a * n + b] = v[b * n + a] = sum / (double)count;
            any = any || count > 0;
        }
    }
    if (!any)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: model %s has no two explainers whose maps were compared",
                       k->p->s->path,
                       k->m->name);
    for (int i = 0; i < n * n; i++)
        if (isfinite(v[i]))
            XA_RETURN_TRY(err, own_text(k->o, xa_strfmt("%.2f", v[i]), &text[i], err));
    *mark = (xa_mark){
        .kind = XA_MARK_CELL, .n = (int64_t)n * n, .x = x, .y = y, .low = v, .text = text};
    const xa_axis axis = {.low = -0.5, .high = n - 0.5, .names = names, .nnames = n};
    *plot = (xa_plot){.title = k->m->name, .x = axis, .y = axis, .marks = mark, .nmarks = 1};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .plot_mm = 1.1 * n * k->p->font_pt,
                             .footnote = "Rank correlation of the maps of two explainers on the "
                                         "coarser of their grids, mean over images."};
    return XA_OK;
}

/* ---- over a quantity ---- */

/* Means in fifths of the pairs by a quantity, [pairs]; NaN: left out. */
static xa_status make_binned(maker *k, const double *by, const char *label, xa_err *err)
{
    enum { BINS = 5 };
    const xa_summary *s = k->p->s;
    const int64_t pairs = s->r->pairs;
    ranked *order;
    xa_mark *marks;
    xa_plot *plot;
    int64_t n = 0, *group;
    double *value, low = INFINITY, high = -INFINITY, low_y, high_y;
    XA_RETURN_TRY(err, find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)pairs, sizeof *order, &order, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)pairs, sizeof *value, &value, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)pairs, sizeof *group, &group, err));
    XA_RETURN_TRY(err, own(k->o, 2 * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, own(k->o, 1, sizeof *plot, &plot, err));
    for (int64_t q = 0; q < pairs; q++)
        if (isfinite(by[q])) {
            order[n++] = (ranked){-by[q], q}; /* by_value descends */
            low = by[q] < low ? by[q] : low;
            high = by[q] > high ? by[q] : high;
        }
    if (n < BINS)
        XA_RETURN_FAIL(
            err, XA_NOT_FOUND, "%s: fewer than %d pairs have a %s", s->path, (int)BINS, label);
    qsort(order, (size_t)n, sizeof *order, by_value);
    const double span = high > low ? high - low : 1.0;
    for (int e = 0; e < k->n; e++) {
        double *d;
        XA_RETURN_TRY(err, own(k->o, 4 * BINS, sizeof *d, &d, err));
        for (int b = 0; b < BINS; b++) {
            xa_interval f;
            int64_t m = 0;
            double sum = 0.0;
            for (int64_t i = n * b / BINS; i < n * (b + 1) / BINS; i++, m++) {
                value[m] = k->series[e]->value[order[i].part];
                group[m] = s->group[order[i].part];
                sum -= order[i].value;
            }
            XA_RETURN_TRY(err, xa_stats_mean(k->p->plan, m, value, group, NULL, &f, err));
            /* explainers a little apart, so that their bars can be told */
            d[b] = sum / (double)m + 0.006 * span * (e - 0.5 * (k->n - 1));
            d[BINS + b] = f.n ? f.value : NAN;
            d[2 * BINS + b] = f.low;
            d[3 * BINS + b] = f.high;
        }
        marks[2 * e] =
            (xa_mark){.kind = XA_MARK_LINE, .colour = e, .n = BINS, .x = d, .y = d + BINS};
        marks[2 * e + 1] = (xa_mark){.kind = XA_MARK_INTERVAL,
                                     .colour = e,
                                     .n = BINS,
                                     .x = d,
                                     .y = d + BINS,
                                     .low = d + 2 * BINS,
                                     .high = d + 3 * BINS};
    }
    value_range(k, &low_y, &high_y);
    *plot = (xa_plot){.x = {.label = label, .low = low - 0.03 * span, .high = high + 0.03 * span},
                      .y = {.label = k->series[0]->metric, .low = low_y, .high = high_y},
                      .marks = marks,
                      .nmarks = 2 * k->n};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 45.0};
    return conventions_note(k,
                            k->series[0],
                            "Means of fifths of the pairs with 95 % intervals.",
                            &k->o->chart.footnote,
                            err);
}

static xa_status make_confidence(maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    double *by;
    XA_RETURN_TRY(err, own(k->o, (size_t)r->pairs, sizeof *by, &by, err));
    for (int64_t q = 0; q < r->pairs; q++) {
        const int32_t c = r->pair_class[q];
        by[q] = c >= 0 && c < k->m->classes && k->m->status[r->pair_sample[q]] == XA_SAMPLE_DONE
                    ? (double)k->m->probs[r->pair_sample[q] * k->m->classes + c]
                    : NAN;
    }
    return make_binned(k, by, "probability of the annotated class", err);
}

static xa_status make_size(maker *k, xa_err *err)
{
    double *by = NULL;
    XA_RETURN_TRY(err, xa__summary_size_shares(k->p->s, &by, err));
    const xa_status st = make_binned(k, by, "share of the image in the object's boxes", err);
    free(by);
    return st;
}

/* ---- mean maps ---- */

static xa_status
mean_tile(maker *k, int e, int64_t c, xa_image *picture, xa_tile *tile, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    float *v = NULL, low = 0.0f, high = 0.0f;
    int64_t count = 0;
    const char *explainer = k->m->maps[e].name;
    char *path = xa_strfmt("/class_means/%s/%s/mean", k->m->name, explainer);
    char *beside = xa_strfmt("/class_means/%s/%s/count", k->m->name, explainer);
    if (!path || !beside)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    st = xa_archive_dataset(k->p->s->r->archive, path, &info, err);
    if (st == XA_NOT_FOUND)
        XA_FAIL(err, st, "%s: no mean maps: xaudit evaluate makes them", k->p->s->path);
    XA_TRY(err, st);
    if (info.type != XA_TYPE_F32 || info.ndim != 3 || c >= info.dim[0] || info.dim[1] < 1 ||
        info.dim[2] < 1 || info.dim[1] > XA_MEAN_SIDE || info.dim[2] > XA_MEAN_SIDE)
        XA_FAIL(err, XA_FORMAT, "%s: %s: no mean maps", k->p->s->path, path);
    v = xa_alloc((size_t)(info.dim[1] * info.dim[2]), sizeof *v);
    if (!v)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, path, c, 1, v, err));
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, beside, c, 1, &count, err));
    if (count < 1)
        goto done;
    for (int64_t i = 0; i < info.dim[1] * info.dim[2]; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    XA_TRY(err,
           xa_map_colour(v,
                         info.dim[1],
                         info.dim[2],
                         (double)low,
                         (double)high,
                         XA_COLORMAP_VIRIDIS,
                         picture,
                         err));
    tile->picture = picture;
    tile->frame[0] = tile->frame[1] = 1.0;
    XA_TRY(err, own_text(k->o, xa_strfmt("%lld maps", (long long)count), &tile->note, err));
done:
    free(v);
    free(path);
    free(beside);
    return st;
}

static xa_status make_means(maker *k, xa_err *err)
{
    enum { MOST = 24 };
    const int columns = (int)k->m->nmaps;
    const int rows = k->m->classes < MOST ? (int)k->m->classes : MOST;
    xa_tile *tiles;
    const char **heads, **sides;
    XA_RETURN_TRY(err, own(k->o, (size_t)(rows * columns), sizeof *tiles, &tiles, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)(rows * columns), sizeof(xa_image), &k->o->pictures, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)columns, sizeof *heads, &heads, err));
    XA_RETURN_TRY(err, own(k->o, (size_t)rows, sizeof *sides, &sides, err));
    k->o->npictures = rows * columns;
    for (int e = 0; e < columns; e++)
        heads[e] = k->m->maps[e].name;
    for (int c = 0; c < rows; c++) {
        char name[128];
        XA_RETURN_TRY(
            err,
            own_text(k->o, xa_strdup(xa_read_class(k->m, c, name, sizeof name)), &sides[c], err));
        for (int e = 0; e < columns; e++)
            XA_RETURN_TRY(
                err,
                mean_tile(k, e, c, &k->o->pictures[c * columns + e], &tiles[c * columns + e], err));
    }
    k->o->is_panel = true;
    k->o->panel =
        (xa_panel){.rows = rows,
                   .columns = columns,
                   .tiles = tiles,
                   .column_labels = heads,
                   .row_labels = sides,
                   .width_mm = k->p->width_mm,
                   .font_pt = k->p->font_pt,
                   .bar = true,
                   .bar_map = XA_COLORMAP_VIRIDIS,
                   .bar_low = "least",
                   .bar_high = "largest",
                   .footnote = "Mean over the class's maps, each over its largest size, on "
                               "the model's input."};
    return XA_OK;
}

xa_status xa_plot_make(const xa_plotting *p, xa_plot_kind kind, xa_plot_page *out, xa_err *err)
{
    static xa_status (*const makers[XA_PLOT_KINDS])(maker *, xa_err *) = {
        [XA_PLOT_DISTRIBUTION] = make_distribution,
        [XA_PLOT_CURVES] = make_curves,
        [XA_PLOT_CLASSES] = make_classes,
        [XA_PLOT_AGREEMENT] = make_agreement,
        [XA_PLOT_CONFIDENCE] = make_confidence,
        [XA_PLOT_SIZE] = make_size,
        [XA_PLOT_MEANS] = make_means};
    xa_status st = XA_OK;
    xa_plot_page o = {0};
    maker k = {.p = p, .o = &o};
    XA_TRY(err, find_model(&k, err));
    XA_TRY(err, makers[kind](&k, err));
    o.chart.width_mm = p->width_mm;
    o.chart.font_pt = p->font_pt;
    *out = o;
    o = (xa_plot_page){0};
done:
    xa_plot_page_free(&o);
    return st;
}
