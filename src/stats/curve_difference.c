/* Paired differences of figures over thresholds, with their intervals. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "curve_internal.h"

/* The difference of the figures of two sides; the counts of the second follow those of the first.
 */
static double difference(const void *arg, const double *counts, double units)
{
    const xa__curve *r = arg;
    return r[0].figure(r[0].rule, counts, units) -
           r[1].figure(r[1].rule, counts + r[0].width, units);
}

xa_status xa__both_clusters(int64_t n,
                            const bool *a,
                            const bool *b,
                            const int64_t *group,
                            int64_t **of,
                            int64_t *count,
                            xa_paired *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    bool *both = xa_alloc((size_t)n + 1, sizeof *both);
    *of = xa_alloc((size_t)n + 1, sizeof **of);
    if (!both || !*of)
        XA_FAIL(err, XA_NOMEM, "curves: out of memory for %" PRId64 " units", n);
    for (int64_t i = 0; i < n; i++) {
        const bool in_a = !a || a[i], in_b = !b || b[i];
        both[i] = in_a && in_b;
        if (out) {
            out->only_a += in_a && !in_b ? 1 : 0;
            out->only_b += in_b && !in_a ? 1 : 0;
        }
    }
    XA_TRY(err, xa__clusters(n, group, both, *of, count, err));
done:
    free(both);
    return st;
}

/* side: two with the same number of units. */
static xa_status difference_of_curves(const xa_stats_plan *plan,
                                      const xa__curve side[2],
                                      const int64_t *group,
                                      xa_paired *out,
                                      xa_err *err)
{
    xa_status st = XA_OK;
    xa__counted c = {0};
    int64_t *of = NULL, k = 0;
    xa_paired f = {.difference = xa__no_figure(side->n)};
    XA_TRY(err,
           xa__both_clusters(side->n, side[0].defined, side[1].defined, group, &of, &k, &f, err));
    if (k > 0) {
        XA_TRY(err, xa__curve_counts(side, 2, of, k, &c, err));
        f.difference = (xa_interval){.clusters = k};
        for (int64_t i = 0; i < k; i++)
            f.difference.n += (int64_t)c.units[i];
        f.difference.undefined = side->n - f.difference.n;
        XA_TRY(err, xa__bootstrap_counts(plan, &c, difference, side, &f.difference, err));
    }
    *out = f;
done:
    xa__counted_fini(&c);
    free(of);
    return st;
}

xa_status xa_stats_box_difference(const xa_stats_plan *plan,
                                  const xa_hits *a,
                                  const xa_hits *b,
                                  const int *threshold_a,
                                  const int *threshold_b,
                                  const int64_t *group,
                                  xa_paired *out,
                                  xa_err *err)
{
    const xa__box_rule rule[2] = {{a->levels, threshold_a}, {b->levels, threshold_b}};
    xa__curve side[2];
    XA_RETURN_TRY(err, xa__plan_check(plan, a->n, err));
    XA_RETURN_TRY(err, xa__curve_of_hits(a, &rule[0], &side[0], err));
    XA_RETURN_TRY(err, xa__curve_of_hits(b, &rule[1], &side[1], err));
    if (a->n != b->n)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "box accuracy: %" PRId64 " units cannot be compared with %" PRId64,
                       a->n,
                       b->n);
    return difference_of_curves(plan, side, group, out, err);
}

xa_status xa_stats_pxap_difference(const xa_stats_plan *plan,
                                   int64_t n,
                                   const uint32_t *a,
                                   const uint32_t *b,
                                   const bool *defined_a,
                                   const bool *defined_b,
                                   const int64_t *group,
                                   xa_paired *out,
                                   xa_err *err)
{
    const xa__curve side[2] = {xa__curve_of_pixels(n, a, defined_a),
                               xa__curve_of_pixels(n, b, defined_b)};
    XA_RETURN_TRY(err, xa__plan_check(plan, n, err));
    return difference_of_curves(plan, side, group, out, err);
}
