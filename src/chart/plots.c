/* From an archive's scores to charts. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

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

xa_status xa__plot_own(xa_plot_page *o, size_t n, size_t bytes, void *out_ptr, xa_err *err)
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

xa_status xa__plot_own_text(xa_plot_page *o, char *text, const char **out, xa_err *err)
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
xa_status xa__plot_find_series(maker *k, const char *metric, xa_series_kind is, xa_err *err)
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
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *k->series, &k->series, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *k->name, &k->name, err));
    for (int i = 0; chosen && i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (x->model != k->m->name || x->baseline || !x->metric || strcmp(x->metric, chosen) != 0 ||
            x->is != is)
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

xa_status xa__plot_conventions_note(
    maker *k, const xa_series *x, const char *more, const char **out, xa_err *err)
{
    return xa__plot_own_text(k->o,
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

void xa__plot_value_range(const maker *k, double *low, double *high)
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
    XA_RETURN_TRY(err, xa__plot_own(k->o, 4, sizeof *d, &d, err));
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
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * DENSITY, sizeof *x, &x, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * DENSITY, sizeof *y, &y, err));
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
    XA_RETURN_TRY(err, xa__plot_find_series(k, metric, XA_SERIES_SCORES, err));
    const int rows = k->n;
    const xa_series *centre = baseline_of(k, k->series[0], xa_baseline_name(XA_BASELINE_CENTRE));
    const char **names;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows + 1, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * (size_t)rows + 2, sizeof *marks, &marks, err));
    xa__plot_value_range(k, &low, &high);
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
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *plots, &plots, err));
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
        return xa__plot_find_series(k, k->p->metric, XA_SERIES_SCORES, err);
    const int columns = n < 2 ? 1 : 2;
    k->o->chart =
        (xa_chart){.plots = plots,
                   .nplots = n,
                   .columns = columns,
                   .plot_mm = 0.75 * rows * k->p->font_pt,
                   .footnote = "Dots: mean over pairs of image and class with its 95 % "
                               "interval (no bar: too few groups); shapes: density of the scores."};
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
    XA_TRY(err, xa__plot_own(k->o, (size_t)x->levels * XA_GREY_LEVELS, sizeof *curve, &curve, err));
    XA_TRY(err, xa__plot_own(k->o, XA_GREY_LEVELS, sizeof *grey, &grey, err));
    XA_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *defined, &defined, err));
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
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_HITS, err));
    const xa_series *first = k->series[0];
    const xa_series *centre = baseline_of(k, first, xa_baseline_name(XA_BASELINE_CENTRE));
    const int levels = first->levels, stride = k->n + 1;
    xa_plot *plots;
    xa_mark *marks;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)levels, sizeof *plots, &plots, err));
    XA_RETURN_TRY(err,
                  xa__plot_own(k->o, (size_t)levels * (size_t)stride, sizeof *marks, &marks, err));
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
            xa__plot_own_text(
                k->o, xa_strfmt("IoU at least %g", first->level[d]), &plots[d].title, err));
    }
    k->o->chart = (xa_chart){.plots = plots,
                             .nplots = levels,
                             .columns = levels < 3 ? levels : 3,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 35.0};
    return xa__plot_conventions_note(
        k, first, centre ? "Grey: a Gaussian at the centre." : "", &k->o->chart.footnote, err);
}

/* ---- by class ---- */

int xa__plot_by_value(const void *a, const void *b)
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
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    if (!s->by || strcmp(s->by, "class") != 0)
        XA_RETURN_FAIL(err, XA_INVALID, "chart: the summary is not split by class");
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nparts, sizeof *order, &order, err));
    for (int64_t c = 0; c < s->nparts; c++) {
        double sum = 0.0;
        int64_t count = 0;
        for (int64_t q = 0; q < s->r->pairs; q++)
            if (xa_summary_part_of(s, k->series[0], q) == c && isfinite(k->series[0]->value[q])) {
                sum += k->series[0]->value[q];
                count++;
            }
        if (count > 0)
            order[n++] = (ranked){sum / (double)count, c};
    }
    qsort(order, (size_t)n, sizeof *order, xa__plot_by_value);
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
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
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
    xa__plot_value_range(k, &low, &high);
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
        XA_RETURN_TRY(err,
                      xa__plot_own_text(
                          k->o,
                          xa_strfmt("The 20 best and the 20 worst of %" PRId64 " classes.", all),
                          &more,
                          err));
    return xa__plot_conventions_note(k, k->series[0], more, &k->o->chart.footnote, err);
}

xa_status xa_plot_make(const xa_plotting *p, xa_plot_kind kind, xa_plot_page *out, xa_err *err)
{
    static xa_status (*const makers[XA_PLOT_KINDS])(maker *, xa_err *) = {
        [XA_PLOT_DISTRIBUTION] = make_distribution,
        [XA_PLOT_CURVES] = make_curves,
        [XA_PLOT_CLASSES] = make_classes,
        [XA_PLOT_AGREEMENT] = xa__make_agreement,
        [XA_PLOT_CONFIDENCE] = xa__make_confidence,
        [XA_PLOT_SIZE] = xa__make_size,
        [XA_PLOT_MEANS] = xa__make_means};
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
