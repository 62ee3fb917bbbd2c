/* Scores by class. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

xa_status xa__plot_classes(xa__maker *k, xa_err *err)
{
    enum { MOST = 40 };
    const xa_summary *s = k->p->s;
    xa__ranked *order;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    if (!s->by || strcmp(s->by, "class") != 0)
        XA_RETURN_FAIL(err, XA_INVALID, "chart: the summary is not split by class");
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)s->nparts, sizeof *order, &order, err));
    for (int64_t c = 0; c < s->nparts; c++) {
        double sum = 0.0;
        int64_t count = 0;
        for (int64_t q = 0; q < s->r->pairs; q++)
            if (xa_summary_part_of(s, k->series[0], q) == c && isfinite(k->series[0]->value[q])) {
                sum += k->series[0]->value[q];
                count++;
            }
        if (count > 0)
            order[n++] = (xa__ranked){sum / (double)count, c};
    }
    qsort(order, (size_t)n, sizeof *order, xa__plot_by_value);
    const int64_t all = n;
    if (n > MOST) { /* keep the best and the worst */
        memmove(order + MOST / 2, order + n - MOST / 2, MOST / 2 * sizeof *order);
        n = MOST;
    }
    if (n == 0)
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: no class has a score", s->path);
    const char **names;
    xa_mark *marks;
    xa_plot *plot;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    int at = 0;
    for (int64_t i = 0; i < n; i++) {
        names[i] = s->part_name[order[i].part];
        for (int e = 0; e < k->n; e++)
            XA_RETURN_TRY(err,
                          xa__plot_interval(
                              k,
                              k->series[e],
                              order[i].part,
                              (double)i + (k->n > 1 ? 0.6 * ((double)e / (k->n - 1) - 0.5) : 0.0),
                              e,
                              true,
                              &marks[at++],
                              err));
    }
    double low, high;
    xa__plot_value_range(k, &low, &high);
    *plot = (xa_plot){.x = {.label = k->series[0]->metric, .low = low, .high = high},
                      .y = {.low = -0.5, .high = (double)n - 0.5, .names = names, .nnames = (int)n},
                      .marks = marks,
                      .nmarks = at};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = (double)n * (0.22 * k->n + 0.5) * k->p->font_pt * 0.5};
    const char *more = "";
    if (all > MOST)
        XA_RETURN_TRY(err,
                      xa__plot_own_text(
                          k->o,
                          xa_strfmt("The 20 best and the 20 worst of %" PRId64 " classes.", all),
                          &more,
                          err));
    return xa__plot_conventions_note(k, k->series[0], more, &k->o->chart.footnote, err);
}
