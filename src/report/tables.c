/* Figures over the data set, in tables. */
#include <string.h>

#include "report_internal.h"

const char *xa__whole(xa__number *room, int64_t v)
{
    snprintf(room->text, sizeof room->text, "%" PRId64, v);
    return room->text;
}

const char *xa__real(xa__number *room, int decimals, double v)
{
    snprintf(room->text, sizeof room->text, "%.*f", decimals, v);
    return room->text;
}

static void put_interval(FILE *out, const xa_interval *f)
{
    xa__number key, value, low, high;
    if (!f->n) {
        XA__PUT(out, xa__report_page_cell, "value", "-");
        return;
    }
    snprintf(key.text, sizeof key.text, "%.9g", f->value); /* the column is sorted by it */
    xa__real(&value, 4, f->value);
    if (f->kind == XA_INTERVAL_NONE)
        XA__PUT(out,
                xa__report_page_cell_no_interval,
                "key",
                key.text,
                "value",
                value.text,
                "why",
                xa_stats_no_interval(f->why),
                "short",
                xa_no_interval_short(f));
    else
        XA__PUT(out,
                f->kind == XA_INTERVAL_WILSON ? xa__report_page_cell_wilson
                                              : xa__report_page_cell_interval,
                "key",
                key.text,
                "value",
                value.text,
                "low",
                xa__real(&low, 4, f->low),
                "high",
                xa__real(&high, 4, f->high));
}

static xa_status
put_row(FILE *out, const xa_summary *s, const xa_series *x, const xa_stats_plan *plan, xa_err *err)
{
    xa_figure f;
    xa__number n, undefined;
    XA_RETURN_TRY(err, xa_summary_figure(s, x, plan, -1, &f, err));
    XA__PUT(out,
            x->baseline ? xa__report_page_row_baseline : xa__report_page_row,
            "explainer",
            x->explainer,
            "n",
            xa__whole(&n, f.micro.n),
            "undefined",
            xa__whole(&undefined, f.micro.undefined));
    put_interval(out, &f.micro);
    if (xa_series_has_classes(x))
        put_interval(out, &f.macro);
    fputs(xa__report_page_row_end, out);
    return XA_OK;
}

static bool is_of_table(const xa_series *x, const xa_series *like)
{
    return x->model == like->model && !strcmp(x->metric, like->metric);
}

/* All series of one model and metric. */
static xa_status put_table(
    FILE *out, const xa_summary *s, const xa_stats_plan *plan, const xa_series *like, xa_err *err)
{
    XA__PUT(out,
            xa__report_page_table,
            "model",
            like->model,
            "metric",
            like->metric,
            "conventions",
            like->conventions ? like->conventions : "conventions not stored",
            "unit",
            xa_series_unit(like));
    if (xa_series_has_classes(like))
        fputs(xa__report_page_head_classes, out);
    fputs(xa__report_page_head_end, out);
    for (int i = 0; i < s->nseries; i++)
        if (is_of_table(&s->series[i], like))
            XA_RETURN_TRY(err, put_row(out, s, &s->series[i], plan, err));
    fputs(xa__report_page_table_end, out);
    return XA_OK;
}

xa_status xa__report_tables(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    xa__number replicates, seed;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool first = !x->baseline;
        for (int k = 0; k < i && first; k++)
            first = !is_of_table(&s->series[k], x);
        if (first)
            XA_RETURN_TRY(err, put_table(out, s, plan, x, err));
    }
    if (s->nseries == 0)
        fputs(xa__report_page_no_scores, out);
    else
        XA__PUT(out,
                xa__report_page_intervals,
                "replicates",
                xa__whole(&replicates, plan->replicates),
                "seed",
                xa__whole(&seed, (int64_t)plan->seed),
                "units",
                s->grouped ? "groups" : "units of an image");
    return XA_OK;
}
