/* What every chart is made of: the series drawn, their ranges, marks and notes. */
#include <math.h>
#include <string.h>

#include "chart_internal.h"

bool xa__plot_is_rate(const xa_series *x, int64_t pairs)
{
    for (int64_t q = 0; q < pairs; q++)
        if (isfinite(x->value[q]) && x->value[q] != 0.0 && x->value[q] != 1.0)
            return false;
    return true;
}

xa_status xa__plot_title(xa__maker *k, const char *explainer, const char **out, xa_err *err)
{
    xa_title t = xa_title_of_explainer(explainer, NULL);
    for (int64_t e = 0; e < k->m->nmaps; e++)
        if (!strcmp(k->m->maps[e].name, explainer))
            t = xa_title_of_map(&k->m->maps[e]);
    return xa__plot_own_text(
        k->o, *t.detail ? xa_strfmt("%s (%s)", t.name, t.detail) : xa_strdup(t.name), out, err);
}

xa_status xa__plot_find_series(xa__maker *k, const char *metric, xa_series_kind is, xa_err *err)
{
    const xa_summary *s = k->p->s;
    const char *chosen = metric;
    k->n = 0;
    for (int rates = 0; rates < 2 && !chosen; rates++)
        for (int i = 0; i < s->nseries && !chosen; i++)
            if (s->series[i].model == k->m->name && !s->series[i].baseline &&
                s->series[i].is == is &&
                (is != XA_SERIES_SCORES || rates || !xa__plot_is_rate(&s->series[i], s->r->pairs)))
                chosen = s->series[i].metric;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *k->series, &k->series, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nseries, sizeof *k->name, &k->name, err));
    for (int i = 0; chosen && i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (x->model != k->m->name || x->baseline || !x->metric || strcmp(x->metric, chosen) != 0 ||
            x->is != is)
            continue;
        k->series[k->n] = x;
        XA_RETURN_TRY(err, xa__plot_title(k, x->explainer, &k->name[k->n], err));
        k->n++;
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

const xa_series *xa__plot_baseline(const xa__maker *k, const xa_series *x, const char *name)
{
    const xa_summary *s = k->p->s;
    for (int i = 0; i < s->nseries; i++)
        if (s->series[i].baseline && s->series[i].model == x->model &&
            !strcmp(s->series[i].metric, x->metric) && !strcmp(s->series[i].explainer, name))
            return &s->series[i];
    return NULL;
}

xa_status xa__plot_conventions_note(
    xa__maker *k, const xa_series *x, const char *more, const char **out, xa_err *err)
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

void xa__plot_value_range(const xa__maker *k, double *low, double *high)
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

xa_status xa__plot_interval(xa__maker *k,
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

int xa__plot_by_value(const void *a, const void *b)
{
    const xa__ranked *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value ? -1 : 1)
                                : (x->part > y->part) - (x->part < y->part);
}
