/* Checks: how much better than a random map each explainer is, image by image. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

/* The difference to the random map beside a head series; NULL: its check has none. */
static const xa_series *difference_of(const xa_summary *s, const xa_series *head)
{
    xa_rival_kind rival;
    for (int i = 0; i < s->nseries; i++)
        if (s->series[i].checked == head->checked &&
            xa_series_is_difference(&s->series[i], &rival) && rival == XA_RIVAL_RANDOM)
            return &s->series[i];
    return NULL;
}

static bool has_difference(const xa__maker *k, const xa_series *x)
{
    bool any = false;
    for (int64_t q = 0; q < x->n && !any; q++)
        any = isfinite(x->value[q]);
    return any && x->model == k->m->name && xa_series_is_head(x) && x->better &&
           (!k->p->metric || !strcmp(k->p->metric, x->metric)) && difference_of(k->p->s, x);
}

/* Room for the ends of all bars, and for 0. */
static void widen(const xa_mark *m, double *low, double *high)
{
    const double v[] = {m->x[0], m->low[0], m->high[0]};
    for (int i = 0; m->n && i < 3; i++)
        if (isfinite(v[i])) {
            *low = fmin(*low, v[i]);
            *high = fmax(*high, v[i]);
        }
}

static xa_status difference_plot(
    xa__maker *k, const char *metric, const char *const *names, xa_plot *out, xa_err *err)
{
    const xa_summary *s = k->p->s;
    const int rows = (int)k->m->nmaps;
    const xa_series *first = NULL;
    double low = 0.0, high = 0.0, *zero, *ends;
    xa_mark *marks;
    int n = 1;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows + 1, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2, sizeof *zero, &zero, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2, sizeof *ends, &ends, err));
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (!has_difference(k, x) || strcmp(x->metric, metric) != 0)
            continue;
        int e = 0;
        while (e < rows && strcmp(k->m->maps[e].name, x->explainer) != 0)
            e++;
        first = first ? first : x;
        XA_RETURN_TRY(err,
                      xa__plot_interval(k, difference_of(s, x), -1, e, e, true, &marks[n], err));
        widen(&marks[n++], &low, &high);
    }
    ends[0] = -0.5;
    ends[1] = rows - 0.5;
    marks[0] = (xa_mark){.kind = XA_MARK_LINE, .colour = -1, .n = 2, .x = zero, .y = ends};
    const double room = 0.06 * (high - low);
    char title[96];
    xa_title_of_metric(first->checked->name, title, sizeof title);
    XA_RETURN_TRY(
        err,
        xa__plot_own_text(
            k->o,
            xa_strfmt(first->better > 0 ? "%s: better \u2192" : "%s: \u2190 better", title),
            &out->title,
            err));
    out->x = (xa_axis){.low = low - room, .high = high > low ? high + room : low + 1.0};
    out->y = (xa_axis){.low = -0.5, .high = rows - 0.5, .names = names, .nnames = rows};
    out->marks = marks;
    out->nmarks = n;
    return XA_OK;
}

xa_status xa__plot_differences(xa__maker *k, xa_err *err)
{
    const xa_summary *s = k->p->s;
    const int rows = (int)k->m->nmaps;
    const char **names, **done;
    xa_plot *plots;
    int n = 0;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *plots, &plots, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *done, &done, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows, sizeof *names, &names, err));
    for (int e = 0; e < rows; e++)
        XA_RETURN_TRY(err, xa__plot_title(k, k->m->maps[e].name, &names[e], err));
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool seen = !has_difference(k, x);
        for (int j = 0; j < n && !seen; j++)
            seen = !strcmp(done[j], x->metric);
        if (seen)
            continue;
        done[n] = x->metric;
        XA_RETURN_TRY(err, difference_plot(k, x->metric, names, &plots[n++], err));
    }
    if (n == 0)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: model %s has no check with a random map beside it%s%s",
                       s->path,
                       k->m->name,
                       k->p->metric ? " called " : "",
                       k->p->metric ? k->p->metric : "");
    k->o->chart =
        (xa_chart){.plots = plots,
                   .nplots = n,
                   .columns = n < 2 ? 1 : 2,
                   .plot_mm = 0.75 * rows * k->p->font_pt,
                   .footnote = "Each check's figure of an explainer minus that of a random "
                               "map, image by image: mean with its 95 % interval (no bar: "
                               "too few groups). The line is 0, no better than random."};
    return XA_OK;
}
