/* Box accuracy over the grey levels. */
#include <stdlib.h>

#include "chart_internal.h"

static xa_status
curves_of(xa__maker *k, const xa_series *x, int colour, xa_mark *marks, int stride, xa_err *err)
{
    xa_status st = XA_OK;
    void *rows = NULL;
    double *curve, *grey;
    bool *defined;
    const int64_t pairs = k->p->s->r->pairs;
    XA_TRY(err, xa__plot_own(k->o, (size_t)x->levels * XA_GREY_LEVELS, sizeof *curve, &curve, err));
    XA_TRY(err, xa__plot_own(k->o, XA_GREY_LEVELS, sizeof *grey, &grey, err));
    XA_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *defined, &defined, err));
    XA_TRY(err, xa_summary_rows(k->p->s, x, &rows, err));
    for (int64_t q = 0; q < pairs; q++)
        defined[q] = xa_summary_counts(k->p->s, x, q);
    for (int g = 0; g < XA_GREY_LEVELS; g++)
        grey[g] = g;
    const xa_hits h = {.n = pairs, .levels = x->levels, .bits = rows, .defined = defined};
    XA_TRY(err, xa_stats_hit_curve(&h, curve, NULL, err));
    for (int d = 0; d < x->levels; d++)
        marks[d * stride] = (xa_mark){.kind = XA_MARK_LINE,
                                      .colour = colour,
                                      .n = XA_GREY_LEVELS,
                                      .x = grey,
                                      .y = curve + d * XA_GREY_LEVELS};
done:
    free(rows);
    return st;
}

xa_status xa__plot_curves(xa__maker *k, xa_err *err)
{
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_HITS, err));
    const xa_series *first = k->series[0];
    const xa_series *centre = xa__plot_baseline(k, first, xa_baseline_name(XA_BASELINE_CENTRE));
    const int levels = first->levels, stride = k->n + 1;
    xa_plot *plots;
    xa_mark *marks;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)levels, sizeof *plots, &plots, err));
    XA_RETURN_TRY(err,
                  xa__plot_own(k->o, (size_t)levels * (size_t)stride, sizeof *marks, &marks, err));
    if (centre && centre->levels == levels)
        XA_RETURN_TRY(err, curves_of(k, centre, -1, marks, stride, err));
    for (int e = 0; e < k->n; e++)
        if (k->series[e]->levels == levels)
            XA_RETURN_TRY(err, curves_of(k, k->series[e], e, marks + 1 + e, stride, err));
    for (int d = 0; d < levels; d++) {
        plots[d] = (xa_plot){.x = {.label = "grey level of the threshold", .high = 255.0},
                             .y = {.label = d ? NULL : "box accuracy", .high = 1.0},
                             .marks = marks + d * stride,
                             .nmarks = stride};
        XA_RETURN_TRY(
            err,
            xa__plot_own_text(
                k->o, xa_strfmt("IoU at least %g", first->level[d]), &plots[d].title, err));
    }
    k->o->chart = (xa_chart){.plots = plots,
                             .nplots = levels,
                             .columns = levels < 3 ? levels : 3,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 35.0};
    return xa__plot_conventions_note(
        k, first, centre ? "Grey: a Gaussian at the centre." : "", &k->o->chart.footnote, err);
}
