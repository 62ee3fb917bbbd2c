/* Checks: figures beside their differences to a random map, and what they object to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"

enum { MOST_CHECKS = 8 };

typedef struct checks {
    const xa_summary *s;
    const xa_stats_plan *plan;
    const xa_series *column[MOST_CHECKS]; /* the first series of each */
    int n, left_out;
} checks;

bool xa__report_has_checks(const xa_summary *s)
{
    for (int i = 0; i < s->nseries; i++)
        if (xa_series_is_head(&s->series[i]))
            return true;
    return false;
}

static void find_columns(checks *t)
{
    for (int i = 0; i < t->s->nseries; i++) {
        const xa_series *x = &t->s->series[i];
        bool seen = !xa_series_is_head(x);
        for (int k = 0; k < t->n && !seen; k++)
            seen = !strcmp(t->column[k]->metric, x->metric);
        if (seen)
            continue;
        if (t->n == MOST_CHECKS)
            t->left_out++;
        else
            t->column[t->n++] = x;
    }
}

static const xa_series *find(const checks *t, const char *model, const char *name, int column)
{
    for (int i = 0; i < t->s->nseries; i++) {
        const xa_series *x = &t->s->series[i];
        if (xa_series_is_head(x) && !strcmp(x->model, model) && !strcmp(x->explainer, name) &&
            !strcmp(x->metric, t->column[column]->metric))
            return x;
    }
    return NULL;
}

/* A figure and its difference to the random map; n is 0 where there is none. */
typedef struct cell {
    xa_interval value, difference;
    int better;
} cell;

static xa_status cell_of(const checks *t, const xa_series *x, cell *out, xa_err *err)
{
    xa_figure f;
    xa_rival_kind rival;
    *out = (cell){.better = 0};
    if (!x)
        return XA_OK;
    out->better = x->better;
    XA_RETURN_TRY(err, xa_summary_figure(t->s, x, t->plan, -1, &f, err));
    out->value = f.micro;
    for (int i = 0; i < t->s->nseries && x->better; i++) {
        const xa_series *d = &t->s->series[i];
        if (d->checked != x->checked || !xa_series_is_difference(d, &rival) ||
            rival != XA_RIVAL_RANDOM)
            continue;
        XA_RETURN_TRY(err, xa_summary_figure(t->s, d, t->plan, -1, &f, err));
        out->difference = f.micro;
    }
    return XA_OK;
}

/* The bar's pixel of a difference, where right is better and `reach` is the end of the bar. */
static const char *at(xa__number *room, const cell *c, double v, double reach)
{
    return xa__report_bar(room, 0.5 + 0.5 * c->better * v / reach);
}

static void put_bar(FILE *out, const cell *c, double reach, const char *colour)
{
    xa__number x0, x1;
    const xa_interval *d = &c->difference;
    const bool interval = d->kind != XA_INTERVAL_NONE;
    XA__PUT(out, xa__report_page_bar_tick, "kind", "cent", "x", xa__report_bar(&x0, 0.5));
    if (interval)
        XA__PUT(out,
                xa__report_page_bar_interval,
                "colour",
                colour,
                "low",
                at(&x0, c, c->better > 0 ? d->low : d->high, reach),
                "high",
                at(&x1, c, c->better > 0 ? d->high : d->low, reach));
    const bool filled = interval && (c->better > 0 ? d->low > 0.0 : d->high < 0.0);
    XA__PUT(out,
            xa__report_page_bar_dot,
            "colour",
            colour,
            "hollow",
            filled ? "" : "hollow",
            "x",
            at(&x0, c, d->value, reach));
}

static void
put_cell(FILE *out, const checks *t, int k, const cell *c, double reach, const char *colour)
{
    char title[96];
    xa__number value, low, high;
    xa_title_of_metric(t->column[k]->metric, title, sizeof title);
    if (!c->value.n) {
        XA__PUT(out, xa__report_page_score_none, "metric", title);
        return;
    }
    const bool interval = c->value.kind != XA_INTERVAL_NONE;
    XA__PUT(out,
            c->difference.n ? xa__report_page_score : xa__report_page_score_alone,
            "metric",
            title,
            "best",
            "",
            "value",
            xa__real(&value, 2, c->value.value),
            "low",
            interval ? xa__real(&low, 3, c->value.low) : "-",
            "high",
            interval ? xa__real(&high, 3, c->value.high) : "-");
    if (!c->difference.n)
        return;
    put_bar(out, c, reach, colour);
    fputs(xa__report_page_score_end, out);
}

static double farthest(const cell *c, double reach)
{
    const double v[] = {c->difference.value, c->difference.low, c->difference.high};
    const int n = c->difference.kind == XA_INTERVAL_NONE ? 1 : 3;
    for (int i = 0; c->difference.n && i < n; i++)
        reach = fmax(reach, fabs(v[i]));
    return reach;
}

static xa_status
put_model(FILE *out, const checks *t, const xa_read_model *m, int *number, xa_err *err)
{
    xa_status st = XA_OK;
    double reach[MOST_CHECKS];
    xa__number span;
    cell *cells = xa_alloc((size_t)m->nmaps * MOST_CHECKS + 1, sizeof *cells);
    if (!cells)
        XA_NOMEM_FAIL(err);
    for (int k = 0; k < t->n; k++)
        reach[k] = 1e-12;
    for (int64_t e = 0; e < m->nmaps; e++)
        for (int k = 0; k < t->n; k++) {
            cell *c = &cells[e * MOST_CHECKS + k];
            XA_TRY(err, cell_of(t, find(t, m->name, m->maps[e].name, k), c, err));
            reach[k] = farthest(c, reach[k]);
        }
    XA__PUT(
        out, xa__report_page_scores_model, "model", m->name, "columns", xa__whole(&span, t->n + 1));
    for (int64_t e = 0; e < m->nmaps; e++) {
        char colour[XA__COLOUR_BYTES];
        xa__report_row_head(out, &m->maps[e], number, colour);
        for (int k = 0; k < t->n; k++)
            put_cell(out, t, k, &cells[e * MOST_CHECKS + k], reach[k], colour);
        fputs(xa__report_page_row_end, out);
    }
done:
    free(cells);
    return st;
}

/* "deletion: ..; road: .." */
static void join(const xa_judged *j, xa_str *out)
{
    for (int k = 0; k < j->n; k++)
        xa_str_printf(out, "%s%s", k ? "; " : "", j->text[k]);
}

static xa_status
put_objections(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    xa_judged *j = NULL;
    int n = 0;
    XA_RETURN_TRY(err, xa_summary_judge(s, plan, &j, &n, err));
    if (n)
        fputs(xa__report_page_objections, out);
    for (int i = 0; i < n; i++) {
        xa_str name = {0}, text = {0};
        xa__report_name(s->r, j[i].model, j[i].explainer, &name);
        join(&j[i], &text);
        XA__PUT(out,
                xa__report_page_objection,
                "mark",
                j[i].objections ? "no"
                : j[i].judged   ? "yes"
                                : "plain",
                "explainer",
                name.data,
                "text",
                text.data);
        xa_str_free(&name);
        xa_str_free(&text);
    }
    if (n)
        fputs(xa__report_page_objections_end, out);
    xa_judged_free(j, n);
    return XA_OK;
}

xa_status xa__report_checks(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    checks t = {.s = s, .plan = plan};
    int number = 0;
    xa__number more;
    find_columns(&t);
    if (!t.n)
        return XA_OK;
    fputs(xa__report_page_checks, out);
    fputs(xa__report_page_checks_head, out);
    for (int k = 0; k < t.n; k++) {
        char title[96];
        const int better = t.column[k]->better;
        xa_title_of_metric(t.column[k]->metric, title, sizeof title);
        XA__PUT(out,
                xa__report_page_checks_column,
                "metric",
                title,
                "direction",
                better > 0   ? "high is good"
                : better < 0 ? "low is good"
                             : "",
                "what",
                t.column[k]->conventions);
    }
    fputs(xa__report_page_head_end, out);
    for (int64_t m = 0; m < s->r->nmodels; m++)
        XA_RETURN_TRY(err, put_model(out, &t, &s->r->models[m], &number, err));
    fputs(xa__report_page_checks_end, out);
    if (t.left_out)
        XA__PUT(out, xa__report_page_scores_more, "more", xa__whole(&more, t.left_out));
    return put_objections(out, s, plan, err);
}

xa_status
xa__report_objections(xa__findings *to, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    xa_judged *j = NULL;
    int n = 0, judged = 0, without = 0;
    xa_str text = {0};
    XA_RETURN_TRY(err, xa_summary_judge(s, plan, &j, &n, err));
    for (int i = 0; i < n; i++) {
        judged += j[i].judged > 0;
        without += j[i].judged > 0 && !j[i].objections;
    }
    xa_judged_free(j, n);
    if (!judged)
        return XA_OK;
    if (without == judged)
        xa_str_printf(&text, "the checks object to none of %d explainers", judged);
    else
        xa_str_printf(&text, "the checks object to %d of %d explainers", judged - without, judged);
    return xa__findings_add(to,
                            !without            ? "no"
                            : without == judged ? "yes"
                                                : "part",
                            "Against the model:",
                            &text,
                            err);
}
