/* One table of explainers and metrics: a value, and its interval as a bar on 0 to 1. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"

enum { MOST_METRICS = 6 }; /* what a page of 1,180 pixels has room for */

typedef struct scores {
    const xa_summary *s;
    const xa_stats_plan *plan;
    const char *metric[MOST_METRICS];
    int n, left_out;
} scores;

/* Shares and hits fit on 0 to 1; checks have scales of their own and stand in the tables below. */
static void find_metrics(scores *t)
{
    for (int i = 0; i < t->s->nseries; i++) {
        const xa_series *x = &t->s->series[i];
        bool seen = x->baseline || x->is == XA_SERIES_CHECK;
        for (int k = 0; k < t->n; k++)
            seen = seen || !strcmp(t->metric[k], x->metric);
        if (seen)
            continue;
        if (t->n == MOST_METRICS)
            t->left_out++;
        else
            t->metric[t->n++] = x->metric;
    }
}

static const xa_series *find(const scores *t, const char *model, const char *name, int metric)
{
    for (int i = 0; i < t->s->nseries; i++) {
        const xa_series *x = &t->s->series[i];
        if (!strcmp(x->model, model) && !strcmp(x->explainer, name) &&
            !strcmp(x->metric, t->metric[metric]) && x->is != XA_SERIES_CHECK)
            return x;
    }
    return NULL;
}

static xa_status value_of(const scores *t, const xa_series *x, xa_interval *out, xa_err *err)
{
    xa_figure f;
    *out = (xa_interval){.value = NAN};
    if (!x)
        return XA_OK;
    XA_RETURN_TRY(err, xa_summary_figure(t->s, x, t->plan, -1, &f, err));
    if (f.micro.n)
        *out = f.micro;
    return XA_OK;
}

const char *xa__report_bar(xa__number *room, double v)
{
    return xa__real(room, 1, 4.0 + 120.0 * fmin(fmax(v, 0.0), 1.0));
}

static void put_tick(FILE *out, const char *kind, double v)
{
    xa__number x;
    if (isfinite(v))
        XA__PUT(out, xa__report_page_bar_tick, "kind", kind, "x", xa__report_bar(&x, v));
}

/* A filled dot: better than the centre and than maps of other images, as far as there are any. */
static xa_status is_filled(const scores *t, const xa_series *x, bool *filled, xa_err *err)
{
    static const char *const references[] = {"centre", "shuffled"};
    int compared = 0;
    *filled = true;
    for (int k = 0; k < 2 && *filled; k++) {
        xa__beats b;
        XA_RETURN_TRY(err, xa__report_beats(t->s, x, references[k], t->plan, &b, err));
        compared += b != XA__NO_REFERENCE;
        *filled = b == XA__BEATS || b == XA__NO_REFERENCE;
    }
    *filled = *filled && compared > 0;
    return XA_OK;
}

static xa_status put_cell(FILE *out,
                          const scores *t,
                          const xa_series *x,
                          int metric,
                          const char *colour,
                          bool best,
                          xa_err *err)
{
    xa_interval f, reference;
    xa__number value, low, high, x0, x1;
    char title[96];
    bool filled = false;
    xa_title_of_metric(t->metric[metric], title, sizeof title);
    XA_RETURN_TRY(err, value_of(t, x, &f, err));
    if (!isfinite(f.value)) {
        XA__PUT(out, xa__report_page_score_none, "metric", title);
        return XA_OK;
    }
    const bool interval = f.kind != XA_INTERVAL_NONE;
    XA__PUT(out,
            xa__report_page_score,
            "metric",
            title,
            "best",
            best ? "best" : "",
            "value",
            xa__real(&value, 2, f.value),
            "low",
            interval ? xa__real(&low, 3, f.low) : "-",
            "high",
            interval ? xa__real(&high, 3, f.high) : "-");
    if (!x->baseline) {
        const xa_series *other = xa__report_reference(t->s, x, "shuffled");
        XA_RETURN_TRY(err, value_of(t, other, &reference, err));
        put_tick(out, "shuf", reference.value);
        XA_RETURN_TRY(err, value_of(t, xa__report_reference(t->s, x, "centre"), &reference, err));
        put_tick(out, "cent", reference.value);
        XA_RETURN_TRY(err, is_filled(t, x, &filled, err));
    }
    if (interval)
        XA__PUT(out,
                xa__report_page_bar_interval,
                "colour",
                colour,
                "low",
                xa__report_bar(&x0, f.low),
                "high",
                xa__report_bar(&x1, f.high));
    XA__PUT(out,
            xa__report_page_bar_dot,
            "colour",
            colour,
            "hollow",
            filled ? "" : "hollow",
            "x",
            xa__report_bar(&x0, f.value));
    fputs(xa__report_page_score_end, out);
    return XA_OK;
}

/* The explainer of the highest value of each metric; ties leave it to the first. */
static xa_status find_best(const scores *t, const xa_read_model *m, int *best, xa_err *err)
{
    for (int k = 0; k < t->n; k++) {
        double highest = -INFINITY;
        best[k] = -1;
        for (int e = 0; m->nmaps > 1 && e < m->nmaps; e++) {
            xa_interval f;
            XA_RETURN_TRY(err, value_of(t, find(t, m->name, m->maps[e].name, k), &f, err));
            if (isfinite(f.value) && f.value > highest) {
                highest = f.value;
                best[k] = e;
            }
        }
    }
    return XA_OK;
}

void xa__report_row_head(FILE *out,
                         const xa_read_map *x,
                         int *number,
                         char colour[XA__COLOUR_BYTES])
{
    const xa_title title = xa_title_of_map(x);
    snprintf(colour, XA__COLOUR_BYTES, "e%d", (*number)++ % 6);
    XA__PUT(out,
            xa__report_page_scores_row,
            "colour",
            colour,
            "name",
            title.name,
            "detail",
            title.detail);
}

static xa_status put_model(FILE *out, const scores *t, int64_t model, int *number, xa_err *err)
{
    const xa_read_model *m = &t->s->r->models[model];
    int best[MOST_METRICS];
    xa__number span;
    XA_RETURN_TRY(err, find_best(t, m, best, err));
    XA__PUT(
        out, xa__report_page_scores_model, "model", m->name, "columns", xa__whole(&span, t->n + 1));
    for (int e = 0; e < m->nmaps; e++) {
        char colour[XA__COLOUR_BYTES];
        xa__report_row_head(out, &m->maps[e], number, colour);
        for (int k = 0; k < t->n; k++)
            XA_RETURN_TRY(
                err,
                put_cell(
                    out, t, find(t, m->name, m->maps[e].name, k), k, colour, best[k] == e, err));
        fputs(xa__report_page_row_end, out);
    }
    bool centre = false;
    for (int k = 0; k < t->n; k++)
        centre = centre || find(t, m->name, "centre", k);
    if (centre) {
        fputs(xa__report_page_scores_centre, out);
        for (int k = 0; k < t->n; k++)
            XA_RETURN_TRY(err,
                          put_cell(out, t, find(t, m->name, "centre", k), k, "base", false, err));
        fputs(xa__report_page_row_end, out);
    }
    return XA_OK;
}

xa_status xa__report_scores(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    scores t = {.s = s, .plan = plan};
    int number = 0;
    xa__number more;
    find_metrics(&t);
    if (t.n == 0) {
        fputs(xa__report_page_no_scores, out);
        return XA_OK;
    }
    fputs(xa__report_page_scores, out);
    for (int k = 0; k < t.n; k++) {
        char title[96];
        xa_title_of_metric(t.metric[k], title, sizeof title);
        XA__PUT(out, xa__report_page_scores_metric, "metric", title);
    }
    fputs(xa__report_page_head_end, out);
    for (int64_t m = 0; m < s->r->nmodels; m++)
        XA_RETURN_TRY(err, put_model(out, &t, m, &number, err));
    fputs(xa__report_page_scores_end, out);
    if (t.left_out)
        XA__PUT(out, xa__report_page_scores_more, "more", xa__whole(&more, t.left_out));
    return XA_OK;
}
