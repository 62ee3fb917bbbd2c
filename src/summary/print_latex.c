/* Figures as LaTeX, by the pieces of assets/table.tex. */
#include <inttypes.h>
#include <string.h>

#include "assets.h"
#include "print_internal.h"
#include "xaudit/print.h"

/* 1 if a larger value is better, -1 if a smaller one is, 0 if neither is. */
static int better(const xa_series *x)
{
    return x->is == XA_SERIES_CHECK ? x->better : 1;
}

/* The best of the table rows[first..n); n if no value is better than another. */
static size_t best_of(const xa_summary_row *rows, size_t first, size_t n)
{
    const int sign = better(rows[first].series);
    size_t best = n;
    for (size_t i = first; i < n && sign; i++)
        if (rows[i].figure.micro.n && !(rows[i].series->checked && rows[i].series->baseline) &&
            (best == n || sign * (rows[i].figure.micro.value - rows[best].figure.micro.value) > 0))
            best = i;
    return best;
}

static bool overlap(const xa_interval *a, const xa_interval *b)
{
    return a->low <= b->high && b->low <= a->high; /* false without an interval */
}

/* "0.512 [0.410, 0.603]", in bold or marked beside the best of the table; best NULL: no row is the
 * best. */
static void put_figure(FILE *out, const xa_interval *f, const xa_interval *best)
{
    char value[32], interval[64];
    if (!f->n) {
        fputs(xa__latex_table_none, out);
        return;
    }
    snprintf(value, sizeof value, "%.3f", f->value);
    if (f->kind == XA_INTERVAL_NONE)
        snprintf(interval, sizeof interval, "(%s)", xa_no_interval_short(f));
    else
        snprintf(interval, sizeof interval, "[%.3f, %.3f]", f->low, f->high);
    const char *piece = f == best                  ? xa__latex_table_best
                        : best && overlap(f, best) ? xa__latex_table_near
                                                   : xa__latex_table_other;
    xa_fill(out, piece, XA_ESCAPE_LATEX, "value", value, "interval", interval, NULL);
}

static void put_row(FILE *out, const xa_summary_row *r, const xa_interval *best)
{
    char n[24];
    const char *all = r->s->by ? "all" : "";
    snprintf(n, sizeof n, "%" PRId64, r->figure.micro.n);
    xa_fill(out,
            r->series->baseline ? xa__latex_table_row_baseline : xa__latex_table_row,
            XA_ESCAPE_LATEX,
            "model",
            r->series->model,
            "explainer",
            r->series->explainer,
            "part",
            r->part ? r->part : all,
            "n",
            n,
            NULL);
    put_figure(out, &r->figure.micro, best);
}

/* A check's table has a column for each rival's value and one for the difference to the random map.
 */
static void put_check(FILE *out,
                      const xa_summary *s,
                      const xa_summary_row *rows,
                      size_t n,
                      size_t first,
                      size_t end,
                      const xa_interval *best)
{
    xa_str columns = {0}, names = {0};
    bool rival[XA_RIVAL_COUNT] = {false};
    for (int k = 0; k < XA_RIVAL_COUNT; k++) {
        rival[k] = xa__row_of_rival(rows, n, &rows[first], (xa_rival_kind)k) != NULL;
        if (rival[k]) {
            xa_str_puts(&columns, "r");
            xa_str_printf(&names, " & %s", xa_rival_name((xa_rival_kind)k));
        }
    }
    const bool any = columns.len > 0;
    xa_str_puts(&columns, any ? "c" : "");
    xa_fill(out,
            xa__latex_table_head_check,
            XA_ESCAPE_LATEX,
            "columns",
            any ? columns.data : "",
            "by",
            s->by,
            "metric",
            rows[first].series->metric,
            "rivals",
            any ? names.data : "",
            NULL);
    fputs(any ? xa__latex_table_head_difference : xa__latex_table_head_alone, out);
    for (size_t i = first; i < end; i++) {
        if (rows[i].series->baseline)
            continue;
        put_row(out, &rows[i], best);
        for (int k = 0; k < XA_RIVAL_COUNT; k++) {
            char value[32];
            const xa_summary_row *r = xa__row_of_rival(rows, n, &rows[i], (xa_rival_kind)k);
            if (rival[k] && r && r->figure.micro.n) {
                snprintf(value, sizeof value, "%.3f", r->figure.micro.value);
                xa_fill(out, xa__latex_table_rival, XA_ESCAPE_LATEX, "value", value, NULL);
            } else if (rival[k]) {
                fputs(xa__latex_table_none, out);
            }
        }
        const xa_summary_row *d = xa__row_of_difference(rows, n, &rows[i], XA_RIVAL_RANDOM);
        static const xa_interval none = {0};
        if (any)
            put_figure(out, d ? &d->figure.micro : &none, NULL);
        fputs(xa__latex_table_row_end, out);
    }
    xa_str_free(&columns);
    xa_str_free(&names);
}

static void put_comment(FILE *out, const xa_series *x, const xa_stats_plan *plan, bool best)
{
    char replicates[24], seed[24];
    snprintf(replicates, sizeof replicates, "%" PRId64, plan->replicates);
    snprintf(seed, sizeof seed, "%" PRIu64, plan->seed);
    xa_fill(out,
            xa__latex_table_comment,
            XA_ESCAPE_LATEX_COMMENT,
            "figure",
            xa__figure_name(x),
            "metric",
            x->metric,
            "conventions",
            x->conventions ? x->conventions : "conventions not stored",
            "replicates",
            replicates,
            "seed",
            seed,
            "marks",
            best ? xa__latex_table_marks : "",
            NULL);
}

/* One table for each model and metric: the best value in bold, and a mark at those whose interval
 * overlaps its. */
void xa__print_latex(
    const xa_summary *s, const xa_summary_row *rows, size_t n, const xa_stats_plan *plan, FILE *out)
{
    for (size_t i = 0, end; i < n; i = end) {
        const xa_series *x = rows[i].series;
        end = xa__end_of_table(rows, i, n);
        if (xa__row_is_folded(rows, n, &rows[i]))
            continue;
        const size_t at = best_of(rows, i, end);
        const xa_interval *best = at < end ? &rows[at].figure.micro : NULL;
        xa_fill(out,
                xa__latex_table_title,
                XA_ESCAPE_LATEX_COMMENT,
                "model",
                x->model,
                "metric",
                x->metric,
                NULL);
        if (xa_series_is_head(x)) {
            put_check(out, s, rows, n, i, end, best);
        } else {
            xa_fill(
                out, xa__latex_table_head, XA_ESCAPE_LATEX, "by", s->by, "metric", x->metric, NULL);
            for (size_t k = i; k < end; k++) {
                put_row(out, &rows[k], best);
                fputs(xa__latex_table_row_end, out);
            }
        }
        fputs(xa__latex_table_foot, out);
        put_comment(out, x, plan, best != NULL);
    }
}
