/* The distribution of scores: a shape for each explainer, its mean with an interval. */
#include <math.h>
#include <string.h>

#include "chart_internal.h"

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

static xa_status violin(xa__maker *k, int e, double low, double high, xa_mark *out, xa_err *err)
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

static xa_status distribution_plot(xa__maker *k, const char *metric, xa_plot *out, xa_err *err)
{
    double low, high;
    xa_mark *marks;
    int n = 0;
    XA_RETURN_TRY(err, xa__plot_find_series(k, metric, XA_SERIES_SCORES, err));
    const int rows = k->n;
    const xa_series *centre =
        xa__plot_baseline(k, k->series[0], xa_baseline_name(XA_BASELINE_CENTRE));
    const char **names;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows + 1, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * (size_t)rows + 2, sizeof *marks, &marks, err));
    xa__plot_value_range(k, &low, &high);
    const bool rate = xa__plot_is_rate(k->series[0], k->p->s->r->pairs);
    for (int e = 0; e < rows; e++) {
        names[e] = k->name[e];
        if (!rate)
            XA_RETURN_TRY(err, violin(k, e, low, high, &marks[n++], err));
        XA_RETURN_TRY(err, xa__plot_interval(k, k->series[e], -1, e, e, true, &marks[n++], err));
    }
    if (centre) {
        names[rows] = "centre (baseline)";
        XA_RETURN_TRY(err, xa__plot_interval(k, centre, -1, rows, -1, true, &marks[n++], err));
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

xa_status xa__plot_distribution(xa__maker *k, xa_err *err)
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
