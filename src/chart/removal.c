/* Removal curves: what becomes of the class while pixels are removed or put back in the maps'
 * order, with bands, and the same for a random map. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

/* Of every series: a band and a line; a value without an interval has no band there. */
static xa_status curve_of(xa__maker *k,
                          const xa_series *x,
                          const xa_rival_kind *rival,
                          int colour,
                          xa_mark *band,
                          xa_mark *line,
                          double *low,
                          double *high,
                          xa_err *err)
{
    xa_status st = XA_OK;
    xa_check_curve c = {0};
    double *bx, *by, *lx, *ly;
    XA_TRY(err, xa_summary_curve(k->p->s, x, rival, k->p->plan, &c, err));
    XA_TRY(err, xa__plot_own(k->o, 2 * (size_t)c.n, sizeof *bx, &bx, err));
    XA_TRY(err, xa__plot_own(k->o, 2 * (size_t)c.n, sizeof *by, &by, err));
    XA_TRY(err, xa__plot_own(k->o, (size_t)c.n, sizeof *lx, &lx, err));
    XA_TRY(err, xa__plot_own(k->o, (size_t)c.n, sizeof *ly, &ly, err));
    int n = 0, banded = 0;
    for (int i = 0; i < c.n; i++) {
        const xa_interval *f = &c.at[i];
        if (!f->n)
            continue;
        lx[n] = 100.0 * c.x[i];
        ly[n++] = f->value;
        const bool has = f->kind != XA_INTERVAL_NONE;
        by[banded] = has ? f->low : f->value;
        bx[banded++] = 100.0 * c.x[i];
        *low = fmin(*low, has ? f->low : f->value);
        *high = fmax(*high, has ? f->high : f->value);
    }
    int back = banded;
    for (int i = c.n - 1; i >= 0; i--)
        if (c.at[i].n) {
            const bool has = c.at[i].kind != XA_INTERVAL_NONE;
            bx[back] = 100.0 * c.x[i];
            by[back++] = has ? c.at[i].high : c.at[i].value;
        }
    *band = (xa_mark){.kind = XA_MARK_AREA, .colour = colour, .n = back, .x = bx, .y = by};
    *line = (xa_mark){.kind = XA_MARK_LINE, .colour = colour, .n = n, .x = lx, .y = ly};
done:
    xa_check_curve_free(&c);
    return st;
}

static bool is_curve(const xa_series *x)
{
    const int kind = xa_series_is_head(x) ? xa_faith_kind_parse(x->checked->kind) : -1;
    return kind == XA_FAITH_DELETION || kind == XA_FAITH_INSERTION || kind == XA_FAITH_IROF ||
           kind == XA_FAITH_ROAD;
}

/* One check: bands lie below lines. */
static xa_status removal_plot(xa__maker *k, const char *metric, xa_plot *out, xa_err *err)
{
    const xa_summary *s = k->p->s;
    const xa_rival_kind random = XA_RIVAL_RANDOM;
    double low = 0.0, high = 0.0;
    const xa_series *first = NULL;
    xa_mark *marks;
    const int most = (int)k->m->nmaps + 1;
    int n = 0;
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * (size_t)most, sizeof *marks, &marks, err));
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (x->model != k->m->name || !is_curve(x) || strcmp(x->metric, metric) != 0)
            continue;
        int64_t e = 0;
        while (e < k->m->nmaps && strcmp(k->m->maps[e].name, x->explainer) != 0)
            e++;
        if (!first)
            XA_RETURN_TRY(err, curve_of(k, x, &random, -1, marks, marks + most, &low, &high, err));
        n += first ? 1 : 2;
        first = first ? first : x;
        XA_RETURN_TRY(
            err,
            curve_of(k, x, NULL, (int)e, marks + n - 1, marks + most + n - 1, &low, &high, err));
    }
    memmove(marks + n, marks + most, (size_t)n * sizeof *marks);
    const bool road = xa_faith_kind_parse(first->checked->kind) == XA_FAITH_ROAD;
    const bool insertion = xa_faith_kind_parse(first->checked->kind) == XA_FAITH_INSERTION;
    const double room = road ? 0.04 * (high - low) : 0.0;
    char title[96];
    xa_title_of_metric(first->checked->name, title, sizeof title);
    XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strdup(title), &out->title, err));
    *out = (xa_plot){
        .title = out->title,
        .x = {.label = insertion ? "pixels put back (%)" : "pixels removed (%)", .high = 100.0},
        .y = {.label = road ? "difference of scores / 2" : "probability",
              .low = low - room,
              .high = road ? high + room : 1.0},
        .marks = marks,
        .nmarks = 2 * n};
    return XA_OK;
}

xa_status xa__plot_removal(xa__maker *k, xa_err *err)
{
    const xa_summary *s = k->p->s;
    xa_plot *plots;
    const char **names, **done;
    int n = 0;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *plots, &plots, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *done, &done, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)k->m->nmaps, sizeof *names, &names, err));
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool seen = x->model != k->m->name || !is_curve(x) ||
                    (k->p->metric && strcmp(k->p->metric, x->metric) != 0);
        for (int j = 0; j < n && !seen; j++)
            seen = !strcmp(done[j], x->metric);
        if (seen)
            continue;
        done[n] = x->metric;
        XA_RETURN_TRY(err, removal_plot(k, x->metric, &plots[n++], err));
    }
    if (n == 0)
        XA_RETURN_FAIL(
            err,
            XA_NOT_FOUND,
            "%s: model %s has no check with a curve (deletion, insertion, irof, road)%s%s",
            s->path,
            k->m->name,
            k->p->metric ? " called " : "",
            k->p->metric ? k->p->metric : "");
    for (int64_t e = 0; e < k->m->nmaps; e++)
        XA_RETURN_TRY(err, xa__plot_title(k, k->m->maps[e].name, &names[e], err));
    k->o->chart = (xa_chart){
        .plots = plots,
        .nplots = n,
        .columns = n < 3    ? n
                   : n == 4 ? 2
                            : 3,
        .legend = names,
        .nlegend = (int)k->m->nmaps,
        .plot_mm = 38.0,
        .footnote =
            "Grey: a random map. Lines: mean over images; bands: its 95 % "
            "interval at each point. Deletion and insertion: the class's "
            "probability while pixels are removed, or put back, the map's "
            "largest values first: a low curve of deletion and a high one of "
            "insertion speak for the map; IROF removes cells. ROAD: half the difference of the "
            "class's score when the smallest and when the largest values are "
            "removed and imputed: above 0 speaks for the map."};
    return XA_OK;
}
