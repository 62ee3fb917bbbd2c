/* Figures as LaTeX. */
#include <inttypes.h>
#include <string.h>

#include "print_internal.h"

static void latex_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("#$%&_{}", *text))
            fputc('\\', out);
        if (*text == '\\')
            fputs("\\textbackslash{}", out);
        else if (*text == '~')
            fputs("\\textasciitilde{}", out);
        else if (*text == '^')
            fputs("\\textasciicircum{}", out);
        else
            fputc(*text, out);
    }
}

/* A comment ends with its line. */
static void latex_comment(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
}

/* 1: a larger value is better, -1: a smaller one, 0: neither. */
static int better(const xa_series *x)
{
    if (x->is != XA_SERIES_CHECK)
        return 1;
    return !strcmp(x->metric, xa_check_name(XA_CHECK_AVERAGE_DROP))   ? -1
           : !strcmp(x->metric, xa_check_name(XA_CHECK_RANDOM_LOGIT)) ? 0
                                                                      : 1;
}

/* The best of a table's rows; n: none. */
static size_t best_of(const xa_summary_row *rows, size_t first, size_t n)
{
    const int sign = better(rows[first].series);
    size_t best = n;
    for (size_t i = first; i < n && sign; i++)
        if (rows[i].figure.micro.n &&
            (best == n || sign * (rows[i].figure.micro.value - rows[best].figure.micro.value) > 0))
            best = i;
    return best;
}

static void put_figure(FILE *out, const xa_interval *f, bool best)
{
    if (!f->n) {
        fputs("--", out);
        return;
    }
    fprintf(out, best ? "\\textbf{%.3f}" : "%.3f", f->value);
    if (f->kind == XA_INTERVAL_NONE)
        fprintf(out, " (%s)", xa_no_interval_short(f));
    else
        fprintf(out, " [%.3f, %.3f]", f->low, f->high);
}

static bool overlap(const xa_interval *a, const xa_interval *b)
{
    return a->low <= b->high && b->low <= a->high; /* not without an interval */
}

static void put_comment(FILE *out, const xa_series *x, const xa_stats_plan *plan, bool best)
{
    fprintf(out, "%% %s of ", xa__figure_name(x));
    latex_comment(out, x->metric);
    fputs(": ", out);
    latex_comment(out, x->conventions ? x->conventions : "conventions not stored");
    fprintf(out,
            ". Intervals: expanded percentile bootstrap, %" PRId64 " replicates, seed %" PRIu64
            "; Wilson's for "
            "rates over single images; none where too few groups tell one.%s\n\n",
            plan->replicates,
            plan->seed,
            best ? " Bold: best; =: interval overlaps the best's (see --compare for paired "
                   "differences)."
                 : "");
}

/* One table a model and metric: the best value in bold, those whose interval reaches it marked. */
void xa__print_latex(
    const xa_summary *s, const xa_summary_row *rows, size_t n, const xa_stats_plan *plan, FILE *out)
{
    for (size_t i = 0, end; i < n; i = end) {
        const xa_series *x = rows[i].series;
        end = xa__end_of_table(rows, i, n);
        const size_t best = best_of(rows, i, end);
        fputs("% ", out);
        latex_comment(out, x->model);
        fputs(": ", out);
        latex_comment(out, x->metric);
        fputs("\n\\begin{tabular}{lllrc}\n\\toprule\nModel & Explainer & ", out);
        latex_text(out, s->by ? s->by : "");
        fputs(" & $n$ & ", out);
        latex_text(out, x->metric);
        fputs(" [95\\,\\%] \\\\\n\\midrule\n", out);
        for (size_t k = i; k < end; k++) {
            const xa_interval *f = &rows[k].figure.micro;
            latex_text(out, rows[k].series->model);
            fputs(" & ", out);
            latex_text(out, rows[k].series->explainer);
            if (rows[k].series->baseline)
                fputs(" (baseline)", out);
            fputs(" & ", out);
            latex_text(out, rows[k].part ? rows[k].part : s->by ? "all" : "");
            fprintf(out, " & %" PRId64 " & ", f->n);
            put_figure(out, f, k == best);
            if (f->n && best < end && k != best && overlap(f, &rows[best].figure.micro))
                fputs("$^{=}$", out);
            fputs(" \\\\\n", out);
        }
        fputs("\\bottomrule\n\\end{tabular}\n", out);
        put_comment(out, x, plan, best < end);
    }
}
