/* Draws, clusters, expanded percentile intervals. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

xa_status xa__plan_check(const xa_stats_plan *plan, int64_t n, xa_err *err)
{
    if (plan->replicates < 1 || plan->replicates > XA_STATS_MAX_REPLICATES)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "bootstrap: %" PRId64 " replicates, expected 1 to %d",
                       plan->replicates,
                       XA_STATS_MAX_REPLICATES);
    if (!(plan->level > 0.0 && plan->level < 1.0))
        XA_RETURN_FAIL(err, XA_INVALID, "bootstrap: level %g, expected within (0,1)", plan->level);
    if (n < 0 || n > INT32_MAX)
        XA_RETURN_FAIL(
            err, XA_LIMIT, "bootstrap: %" PRId64 " units, expected 0 to %d", n, INT32_MAX);
    return XA_OK;
}

/* How often each cluster is drawn in each replicate of one plan. */
struct xa_stats_draws {
    uint64_t seed, stream;
    int64_t clusters, replicates;
    uint16_t *weight; /* [replicates, clusters] */
    bool *made;       /* [replicates] */
};

xa_stats_draws *xa_stats_draws_create(void)
{
    return xa_alloc(1, sizeof(xa_stats_draws));
}

void xa_stats_draws_free(xa_stats_draws *d)
{
    if (!d)
        return;
    free(d->weight);
    free(d->made);
    free(d);
}

/* Makes room for the draws of k clusters, and says whether there is. The room for the largest
 * number of clusters so far is kept. */
static bool keeps(xa_stats_draws *d, const xa_stats_plan *plan, int64_t k)
{
    const size_t most = (size_t)1 << 28;
    size_t n;
    if (d->clusters == k && d->seed == plan->seed && d->stream == plan->stream &&
        d->replicates == plan->replicates)
        return true;
    if (k <= d->clusters || !xa_size_mul((size_t)k, (size_t)plan->replicates, &n) ||
        n > most / sizeof(uint16_t))
        return false;
    uint16_t *weight = xa_alloc(n, sizeof *weight);
    bool *made = xa_alloc((size_t)plan->replicates, sizeof *made);
    if (!weight || !made) {
        free(weight);
        free(made);
        return false;
    }
    free(d->weight);
    free(d->made);
    *d = (xa_stats_draws){plan->seed, plan->stream, k, plan->replicates, weight, made};
    return true;
}

void xa__draw(const xa_stats_plan *plan, int64_t b, int64_t k, uint32_t *weight)
{
    xa_stats_draws *d = plan->draws;
    uint16_t *row = d && keeps(d, plan, k) ? d->weight + b * k : NULL;
    if (row && d->made[b]) {
        for (int64_t i = 0; i < k; i++)
            weight[i] = row[i];
        return;
    }
    memset(weight, 0, (size_t)k * sizeof *weight);
    uint32_t largest = 0;
    for (int64_t i = 0; i < k; i++) {
        const int64_t at = xa_random_below(plan->seed, plan->stream, (uint64_t)(b * k + i), k);
        weight[at]++;
        largest = weight[at] > largest ? weight[at] : largest;
    }
    if (!row || largest > UINT16_MAX)
        return;
    for (int64_t i = 0; i < k; i++)
        row[i] = (uint16_t)weight[i];
    d->made[b] = true;
}

static int by_value(const void *pa, const void *pb)
{
    double a = *(const double *)pa;
    double b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Linear between order statistics (type 7 of Hyndman and Fan, the default of numpy). */
static double quantile(const double *sorted, int64_t n, double q)
{
    double at = q * (double)(n - 1);
    int64_t i = (int64_t)floor(at);
    if (i >= n - 1)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

void xa__refuse(xa_no_interval why, xa_interval *out)
{
    out->low = out->high = NAN;
    out->kind = XA_INTERVAL_NONE;
    out->why = why;
}

void xa__percentile(double *replicate, int64_t b, double level, double scale, xa_interval *out)
{
    int64_t m = 0;
    for (int64_t i = 0; i < b; i++)
        if (!isnan(replicate[i]))
            replicate[m++] = replicate[i];
    out->replicates = m;
    if (out->clusters < XA_STATS_LEAST_GROUPS || m == 0) {
        xa__refuse(XA_NO_INTERVAL_FEW, out);
        return;
    }
    qsort(replicate, (size_t)m, sizeof *replicate, by_value);
    if (replicate[m - 1] - replicate[0] <= 1e-12 * scale) {
        xa__refuse(XA_NO_INTERVAL_CONSTANT, out);
        return;
    }
    const double tail = xa__expanded_tail(level, out->clusters);
    out->low = quantile(replicate, m, tail);
    out->high = quantile(replicate, m, 1.0 - tail);
    out->kind = XA_INTERVAL_BOOTSTRAP;
}

void xa__refuse_extreme(double share, xa_interval *out)
{
    if (out->kind == XA_INTERVAL_BOOTSTRAP &&
        (double)out->clusters * fmin(share, 1.0 - share) < XA_STATS_LEAST_SHARE - 1e-9)
        xa__refuse(XA_NO_INTERVAL_EXTREME, out);
}

const char *xa_stats_no_interval(xa_no_interval why)
{
    switch (why) {
    case XA_NO_INTERVAL_UNDEFINED:
        return "nothing is defined";
    case XA_NO_INTERVAL_FEW:
        return "too few groups for an interval: fewer than 5";
    case XA_NO_INTERVAL_EXTREME:
        return "too few groups for an interval: nearly all are 0 or 1";
    case XA_NO_INTERVAL_CONSTANT:
        return "no interval: every group has the same value";
    default:
        return "";
    }
}

void xa__degenerate_rate(double level, xa_interval *out)
{
    double k = (double)out->clusters;
    if (out->clusters < XA_STATS_LEAST_GROUPS) {
        xa__refuse(XA_NO_INTERVAL_FEW, out);
        return;
    }
    xa_stats_wilson(out->value * k, k, level, &out->low, &out->high);
    out->kind = XA_INTERVAL_WILSON;
    out->why = XA_NO_INTERVAL_NOT;
}

xa_interval xa__no_figure(int64_t n)
{
    return (xa_interval){
        .value = NAN, .low = NAN, .high = NAN, .undefined = n, .why = XA_NO_INTERVAL_UNDEFINED};
}

typedef struct keyed {
    int64_t group, unit;
} keyed;

static int by_group(const void *pa, const void *pb)
{
    const keyed *a = pa;
    const keyed *b = pb;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->unit > b->unit) - (a->unit < b->unit);
}

xa_status xa__clusters(
    int64_t n, const int64_t *group, const bool *defined, int64_t *of, int64_t *count, xa_err *err)
{
    int64_t m = 0;
    keyed *k = xa_alloc((size_t)n + 1, sizeof *k);
    if (!k)
        XA_RETURN_FAIL(err, XA_NOMEM, "bootstrap: out of memory for %" PRId64 " units", n);
    for (int64_t i = 0; i < n; i++) {
        of[i] = -1;
        if (!defined || defined[i])
            k[m++] = (keyed){group ? group[i] : i, i};
    }
    qsort(k, (size_t)m, sizeof *k, by_group);
    int64_t c = -1;
    for (int64_t i = 0; i < m; i++) {
        if (i == 0 || k[i].group != k[i - 1].group)
            c++;
        of[k[i].unit] = c;
    }
    *count = c + 1;
    free(k);
    return XA_OK;
}
