/* Comparisons as text and CSV. */
#include <string.h>

#include "summary.h"
#include "text_out.h"

static void csv_next(FILE *out, double v)
{
    fputc(',', out);
    xa_csv_number(out, v);
}

void xa_summary_print_compared(const xa_compared *c,
                               int n,
                               int left_out,
                               const xa_stats_plan *plan,
                               xa_summary_form form,
                               FILE *out)
{
    char a[64], b[64];
    if (form == XA_SUMMARY_CSV) {
        fprintf(out,
                "metric,model_a,explainer_a,model_b,explainer_b,n,undefined,difference,low,high,p,"
                "p_holm,win,tie,loss\n");
        for (int i = 0; i < n; i++) {
            const char *texts[] = {
                c[i].a->metric, c[i].a->model, c[i].a->explainer, c[i].b->model, c[i].b->explainer};
            const xa_interval *d = &c[i].pair.difference;
            for (size_t k = 0; k < 5; k++) {
                if (k)
                    fputc(',', out);
                xa_csv_text(out, texts[k]);
            }
            fprintf(out, ",%lld,%lld", (long long)d->n, (long long)d->undefined);
            csv_next(out, d->value);
            csv_next(out, d->low);
            csv_next(out, d->high);
            csv_next(out, c[i].pair.p);
            csv_next(out, c[i].adjusted);
            fprintf(out,
                    ",%lld,%lld,%lld\n",
                    (long long)c[i].pair.win,
                    (long long)c[i].pair.tie,
                    (long long)c[i].pair.loss);
        }
        return;
    }
    for (int i = 0; i < n; i++) {
        const xa_interval *d = &c[i].pair.difference;
        if (i == 0 || strcmp(c[i].a->metric, c[i - 1].a->metric) != 0)
            fprintf(out,
                    "\n%s: a - b over the same pairs\n  %-28s %-28s %6s  %-26s %8s %8s  %s\n",
                    xa_shown(c[i].a->metric, a, sizeof a),
                    "a",
                    "b",
                    "n",
                    "difference [95 %]",
                    "p",
                    "p (Holm)",
                    "win/tie/loss");
        char left[64], right[64];
        snprintf(left,
                 sizeof left,
                 "%.30s/%.30s",
                 xa_shown(c[i].a->model, a, sizeof a),
                 xa_shown(c[i].a->explainer, b, sizeof b));
        snprintf(right,
                 sizeof right,
                 "%.30s/%.30s",
                 xa_shown(c[i].b->model, a, sizeof a),
                 xa_shown(c[i].b->explainer, b, sizeof b));
        fprintf(out, "  %-28.28s %-28.28s %6lld  ", left, right, (long long)d->n);
        if (!d->n) {
            fprintf(out, "no pair is defined on both sides\n");
            continue;
        }
        fprintf(out,
                "%+7.4f [%+7.4f,%+7.4f] %8.4f %8.4f  ",
                d->value,
                d->low,
                d->high,
                c[i].pair.p,
                c[i].adjusted);
        if (c[i].a->is == XA_SERIES_SCORES)
            fprintf(out,
                    "%lld/%lld/%lld\n",
                    (long long)c[i].pair.win,
                    (long long)c[i].pair.tie,
                    (long long)c[i].pair.loss);
        else
            fprintf(out, "of the data set\n");
    }
    fprintf(out,
            "\n%d comparisons; p: paired bootstrap, two-sided, at least 2/%lld; Holm's over all of "
            "them.\n",
            n,
            (long long)(plan->replicates + 1));
    if (left_out)
        fprintf(out, "%d comparisons left out: their conventions differ.\n", left_out);
}
