/* Sign flips of a difference of box accuracies.
 *
 * Each side is scored at its own best threshold of each level, found once over the units compared.
 * Every way of turning the clusters keeps these thresholds, for ways that took their own maxima
 * would mix the grey scales of two explainers: two of equal accuracy at different thresholds would
 * then seem to differ. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "stats_internal.h"

/* How many levels the unit is a hit at, each at its threshold. A whole number, so that sums are
 * counted exactly; the accuracy is this over the number of levels, which no p value depends on. */
static double hits_at(const xa_hits *h, const int *threshold, int64_t unit)
{
    const uint8_t *bits = h->bits + unit * h->levels * XA_STATS_HIT_BYTES;
    int sum = 0;
    for (int d = 0; d < h->levels; d++)
        sum += bits[d * XA_STATS_HIT_BYTES + threshold[d] / 8] >> threshold[d] % 8 & 1;
    return (double)sum;
}

/* hit: [n], NaN where the unit is not compared. */
static xa_status
count_hits(const xa_hits *h, const int *threshold, const bool *both, double *hit, xa_err *err)
{
    int best[XA_STATS_MAX_LEVELS];
    const xa_hits compared = {.n = h->n, .levels = h->levels, .bits = h->bits, .defined = both};
    if (!threshold)
        XA_RETURN_TRY(err, xa_stats_hit_curve(&compared, NULL, best, err));
    for (int64_t i = 0; i < h->n; i++)
        hit[i] = both[i] ? hits_at(h, threshold ? threshold : best, i) : NAN;
    return XA_OK;
}

xa_status xa_stats_flip_boxes(const xa_stats_plan *plan,
                              const xa_hits *a,
                              const xa_hits *b,
                              const int *threshold_a,
                              const int *threshold_b,
                              const int64_t *group,
                              int64_t upto,
                              xa_test *t,
                              xa_err *err)
{
    xa_status st = XA_OK;
    double *x = NULL, *y = NULL;
    bool *both = NULL;
    XA_TRY(err, xa__plan_check(plan, a->n, err));
    XA_TRY(err, xa__hits_check(a, threshold_a, err));
    XA_TRY(err, xa__hits_check(b, threshold_b, err));
    if (a->n != b->n || a->levels != b->levels)
        XA_FAIL(err,
                XA_INVALID,
                "box accuracy: %" PRId64 " units of %d levels cannot be compared with %" PRId64
                " of %d",
                a->n,
                a->levels,
                b->n,
                b->levels);
    if (t->exact)
        goto done;
    x = xa_alloc((size_t)a->n + 1, sizeof *x);
    y = xa_alloc((size_t)a->n + 1, sizeof *y);
    both = xa_alloc((size_t)a->n + 1, sizeof *both);
    if (!x || !y || !both)
        XA_FAIL(err, XA_NOMEM, "out of memory for the hits of %" PRId64 " units", a->n);
    for (int64_t i = 0; i < a->n; i++)
        both[i] = (!a->defined || a->defined[i]) && (!b->defined || b->defined[i]);
    XA_TRY(err, count_hits(a, threshold_a, both, x, err));
    XA_TRY(err, count_hits(b, threshold_b, both, y, err));
    XA_TRY(err, xa_stats_flip(plan, a->n, x, y, group, NULL, upto, t, err));
done:
    free(x);
    free(y);
    free(both);
    return st;
}
