/* Scores over a quantity of each pair: the class's probability, the object's size. */
#include <math.h>
#include <stdlib.h>

#include "chart_internal.h"

/* Means over fifths of the pairs, which are sorted by a quantity, by[pairs]; pairs with NaN are
 * left out. */
static xa_status make_binned(xa__maker *k, const double *by, const char *label, xa_err *err)
{
    enum { BINS = 5 };
    const xa_summary *s = k->p->s;
    const int64_t pairs = s->r->pairs;
    xa__ranked *order;
    xa_mark *marks;
    xa_plot *plot;
    int64_t n = 0, *group;
    double *value, low = INFINITY, high = -INFINITY, low_y, high_y;
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *order, &order, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *value, &value, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *group, &group, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    for (int64_t q = 0; q < pairs; q++)
        if (isfinite(by[q])) {
            order[n++] = (xa__ranked){-by[q], q}; /* xa__plot_by_value sorts in descending order */
            low = by[q] < low ? by[q] : low;
            high = by[q] > high ? by[q] : high;
        }
    if (n < BINS)
        XA_RETURN_FAIL(
            err, XA_NOT_FOUND, "%s: fewer than %d pairs have a %s", s->path, (int)BINS, label);
    qsort(order, (size_t)n, sizeof *order, xa__plot_by_value);
    const double span = high > low ? high - low : 1.0;
    for (int e = 0; e < k->n; e++) {
        double *d;
        XA_RETURN_TRY(err, xa__plot_own(k->o, 4 * BINS, sizeof *d, &d, err));
        for (int b = 0; b < BINS; b++) {
            xa_interval f;
            int64_t m = 0;
            double sum = 0.0;
            for (int64_t i = n * b / BINS; i < n * (b + 1) / BINS; i++, m++) {
                value[m] = k->series[e]->value[order[i].part];
                group[m] = s->group[order[i].part];
                sum -= order[i].value;
            }
            const xa_stats_plan own = xa_series_plan(k->p->plan, k->series[e]);
            XA_RETURN_TRY(err, xa_stats_mean(&own, m, value, group, NULL, &f, err));
            /* explainers stand a little apart, so that their bars do not hide one another */
            d[b] = sum / (double)m + 0.006 * span * (e - 0.5 * (k->n - 1));
            d[BINS + b] = f.n ? f.value : NAN;
            d[2 * BINS + b] = f.low;
            d[3 * BINS + b] = f.high;
        }
        marks[2 * e] =
            (xa_mark){.kind = XA_MARK_LINE, .colour = e, .n = BINS, .x = d, .y = d + BINS};
        marks[2 * e + 1] = (xa_mark){.kind = XA_MARK_INTERVAL,
                                     .colour = e,
                                     .n = BINS,
                                     .x = d,
                                     .y = d + BINS,
                                     .low = d + 2 * BINS,
                                     .high = d + 3 * BINS};
    }
    xa__plot_value_range(k, &low_y, &high_y);
    *plot = (xa_plot){.x = {.label = label, .low = low - 0.03 * span, .high = high + 0.03 * span},
                      .y = {.label = k->series[0]->metric, .low = low_y, .high = high_y},
                      .marks = marks,
                      .nmarks = 2 * k->n};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 45.0};
    return xa__plot_conventions_note(k,
                                     k->series[0],
                                     "Means of fifths of the pairs with 95 % intervals.",
                                     &k->o->chart.footnote,
                                     err);
}

xa_status xa__plot_confidence(xa__maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    double *by;
    if (k->m->logits)
        XA_RETURN_FAIL(
            err,
            XA_NOT_FOUND,
            "%s: model %s has plain scores and no probabilities (head: none), which this "
            "chart is drawn over",
            k->p->s->path,
            k->m->name);
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)r->pairs, sizeof *by, &by, err));
    for (int64_t q = 0; q < r->pairs; q++) {
        const int32_t c = xa_read_target(k->m, r->pair_sample[q], r->pair_class[q]);
        by[q] = c >= 0 && c < k->m->classes && k->m->status[r->pair_sample[q]] == XA_SAMPLE_DONE
                    ? (double)k->m->probs[r->pair_sample[q] * k->m->classes + c]
                    : NAN;
    }
    return make_binned(k, by, "probability of the annotated class", err);
}

xa_status xa__plot_size(xa__maker *k, xa_err *err)
{
    double *by = NULL;
    XA_RETURN_TRY(err, xa_summary_size_shares(k->p->s, &by, err));
    const xa_status st = make_binned(k, by, "share of the image in the object's boxes", err);
    free(by);
    return st;
}
