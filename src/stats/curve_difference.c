/* Paired differences of figures over thresholds, their intervals and their sign flips. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "curve_internal.h"

enum { T = XA_STATS_THRESHOLDS, BINS = XA_STATS_BINS };

/* Counts of a stand before those of b. */
typedef struct difference_rule {
    xa__figure_fn *figure;
    const void *a, *b;
    int64_t first_of_b;
} difference_rule;

static double difference(const void *arg, const double *counts, double units)
{
    const difference_rule *r = arg;
    return r->figure(r->a, counts, units) - r->figure(r->b, counts + r->first_of_b, units);
}

/* Which units are defined on both sides, as clusters. */
static xa_status both_clusters(int64_t n,
                               const bool *a,
                               const bool *b,
                               const int64_t *group,
                               int64_t **of,
                               int64_t *count,
                               xa_paired *out, /* NULL, or its only_a and only_b */
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

static xa_status subtract(const xa_stats_plan *plan,
                          xa__counted *c,
                          const int64_t *of,
                          int64_t n,
                          const difference_rule *rule,
                          xa_paired *out,
                          xa_err *err)
{
    xa_paired f = {.only_a = out->only_a,
                   .only_b = out->only_b,
                   .difference = {.undefined = n, .clusters = c->nclusters}};
    for (int64_t i = 0; i < n; i++)
        if (of[i] >= 0) {
            c->units[of[i]] += 1.0;
            f.difference.n++;
        }
    f.difference.undefined = n - f.difference.n;
    XA_RETURN_TRY(err, xa__bootstrap_counts(plan, c, difference, rule, &f.difference, err));
    *out = f;
    return XA_OK;
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
    xa_status st = XA_OK;
    xa__counted c = {0};
    int64_t *of = NULL, k = 0;
    const xa__box_rule ra = {a->levels, threshold_a}, rb = {b->levels, threshold_b};
    const difference_rule rule = {xa__box_figure, &ra, &rb, (int64_t)a->levels * T};
    XA_TRY(err, xa__plan_check(plan, a->n, err));
    XA_TRY(err, xa__hits_check(a, err));
    XA_TRY(err, xa__hits_check(b, err));
    XA_TRY(err, xa__thresholds_check(a, threshold_a, err));
    XA_TRY(err, xa__thresholds_check(b, threshold_b, err));
    if (a->n != b->n)
        XA_FAIL(err, XA_INVALID, "box accuracy: %" PRId64 " units beside %" PRId64, a->n, b->n);
    *out = (xa_paired){.difference = xa__no_figure(a->n)};
    XA_TRY(err, both_clusters(a->n, a->defined, b->defined, group, &of, &k, out, err));
    if (k > 0) {
        const int64_t most = xa__largest_cluster(of, a->n, k);
        XA_TRY(err, xa__counted_init(&c, k, (int64_t)(a->levels + b->levels) * T, most, err));
        for (int64_t i = 0; i < a->n; i++)
            if (of[i] >= 0) {
                xa__add_hits(&c, of[i], 0, a, i);
                xa__add_hits(&c, of[i], rule.first_of_b, b, i);
            }
        XA_TRY(err, subtract(plan, &c, of, a->n, &rule, out, err));
    }
done:
    xa__counted_fini(&c);
    free(of);
    return st;
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
    xa_status st = XA_OK;
    xa__counted c = {0};
    int64_t *of = NULL, k = 0;
    const int64_t w = 2 * BINS;
    const difference_rule rule = {xa__ap_figure, NULL, NULL, w};
    XA_TRY(err, xa__plan_check(plan, n, err));
    *out = (xa_paired){.difference = xa__no_figure(n)};
    XA_TRY(err, both_clusters(n, defined_a, defined_b, group, &of, &k, out, err));
    if (k > 0) {
        XA_TRY(err, xa__counted_init(&c, k, 2 * w, INT64_MAX, err));
        for (int64_t i = 0; i < n && c.counts; i++)
            for (int64_t t = 0; of[i] >= 0 && t < w; t++) {
                c.counts[of[i] * c.width + t] += (double)a[i * w + t];
                c.counts[of[i] * c.width + w + t] += (double)b[i * w + t];
            }
        XA_TRY(err, subtract(plan, &c, of, n, &rule, out, err));
    }
done:
    xa__counted_fini(&c);
    free(of);
    return st;
}

/* ---- sign flips ------------------------------------------------------------------------------ */

static int hit_at(const xa_hits *h, int64_t unit, int64_t i)
{
    return h->bits[unit * h->levels * XA_STATS_HIT_BYTES + i / 8] >> i % 8 & 1;
}

/* Accuracy of one unit where the grey levels are given: a mean over levels. */
static double accuracy_at(const xa_hits *h, const int *threshold, int64_t unit)
{
    int sum = 0;
    for (int d = 0; d < h->levels; d++)
        sum += hit_at(h, unit, (int64_t)d * T + threshold[d]);
    return (double)sum;
}

/* Whole numbers of hits: sums of them are counted exactly; the factor 1 / levels is left out, which
 * no p sees. */
static xa_status flip_at(const xa_stats_plan *plan,
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
    double *x = xa_alloc((size_t)a->n + 1, sizeof *x), *y = xa_alloc((size_t)a->n + 1, sizeof *y);
    if (!x || !y)
        XA_FAIL(err, XA_NOMEM, "box accuracy: out of memory for %" PRId64 " units", a->n);
    for (int64_t i = 0; i < a->n; i++) {
        x[i] = !a->defined || a->defined[i] ? accuracy_at(a, threshold_a, i) : NAN;
        y[i] = !b->defined || b->defined[i] ? accuracy_at(b, threshold_b, i) : NAN;
    }
    XA_TRY(err, xa_stats_flip(plan, a->n, x, y, group, NULL, upto, t, err));
done:
    free(x);
    free(y);
    return st;
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
    xa__flip_counts c = {0};
    int64_t *of = NULL, k = 0;
    const xa__box_rule rule = {a->levels, NULL};
    XA_TRY(err, xa__plan_check(plan, a->n, err));
    XA_TRY(err, xa__hits_check(a, err));
    XA_TRY(err, xa__hits_check(b, err));
    XA_TRY(err, xa__thresholds_check(a, threshold_a, err));
    XA_TRY(err, xa__thresholds_check(b, threshold_b, err));
    if (a->n != b->n || a->levels != b->levels || !threshold_a != !threshold_b)
        XA_FAIL(err,
                XA_INVALID,
                "box accuracy: %" PRId64 " units of %d levels beside %" PRId64 " of %d",
                a->n,
                a->levels,
                b->n,
                b->levels);
    if (t->exact)
        goto done;
    if (threshold_a) {
        XA_TRY(err, flip_at(plan, a, b, threshold_a, threshold_b, group, upto, t, err));
        goto done;
    }
    t->p = NAN;
    t->exact = true;
    XA_TRY(err, both_clusters(a->n, a->defined, b->defined, group, &of, &k, NULL, err));
    if (k == 0)
        goto done;
    XA_TRY(err, xa__flip_init(&c, k, (int64_t)a->levels * T, err));
    c.figure = xa__box_figure;
    c.rule_a = c.rule_b = &rule;
    for (int64_t i = 0; i < a->n; i++)
        if (of[i] >= 0) {
            c.units += 1.0;
            for (int64_t j = 0; j < c.width; j++) {
                const int in_a = hit_at(a, i, j), in_b = hit_at(b, i, j);
                c.a[j] += (double)in_a;
                c.b[j] += (double)in_b;
                c.less[of[i] * c.width + j] += in_a - in_b;
            }
        }
    XA_TRY(err, xa__flip_curves(plan, &c, upto, t, err));
done:
    xa__flip_fini(&c);
    free(of);
    return st;
}

xa_status xa_stats_flip_pxap(const xa_stats_plan *plan,
                             int64_t n,
                             const uint32_t *a,
                             const uint32_t *b,
                             const bool *defined_a,
                             const bool *defined_b,
                             const int64_t *group,
                             int64_t upto,
                             xa_test *t,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa__flip_counts c = {0};
    int64_t *of = NULL, k = 0;
    XA_TRY(err, xa__plan_check(plan, n, err));
    if (t->exact)
        goto done;
    t->p = NAN;
    t->exact = true;
    XA_TRY(err, both_clusters(n, defined_a, defined_b, group, &of, &k, NULL, err));
    if (k == 0)
        goto done;
    XA_TRY(err, xa__flip_init(&c, k, 2 * BINS, err));
    c.figure = xa__ap_figure;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; of[i] >= 0 && j < c.width; j++) {
            const int64_t in_a = a[i * c.width + j], in_b = b[i * c.width + j];
            const int64_t less = c.less[of[i] * c.width + j] + in_a - in_b;
            if (less > INT32_MAX || less < -INT32_MAX)
                XA_FAIL(err, XA_LIMIT, "PxAP: a group of more than %d pixels", INT32_MAX);
            c.a[j] += (double)in_a;
            c.b[j] += (double)in_b;
            c.less[of[i] * c.width + j] = (int32_t)less;
        }
    XA_TRY(err, xa__flip_curves(plan, &c, upto, t, err));
done:
    xa__flip_fini(&c);
    free(of);
    return st;
}
