/* Figures over thresholds: box accuracy from hit masks, average precision from histograms.
 *
 * Both add up per-cluster counts, w_k times each. Sums are whole numbers below 2^53 and so exact in
 * double, in any order. Several replicates share a pass over the counts, which may not fit in
 * cache. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curve_internal.h"

enum { T = XA_STATS_THRESHOLDS, BINS = XA_STATS_BINS, TOGETHER = 8 };

/* most: the largest count that a cluster may have; INT64_MAX where it is not known. */
static xa_status
counted_init(xa__counted *c, int64_t nclusters, int64_t width, int64_t most, xa_err *err)
{
    size_t size;
    *c = (xa__counted){.nclusters = nclusters, .width = width};
    if (xa_size_mul((size_t)nclusters, (size_t)width, &size)) {
        c->units = xa_alloc((size_t)nclusters, sizeof *c->units);
        if (most <= UINT16_MAX / nclusters) /* a replicate draws nclusters clusters */
            c->small = xa_alloc(size, sizeof *c->small);
        else
            c->counts = xa_alloc(size, sizeof *c->counts);
    }
    if (!c->units || (!c->counts && !c->small))
        XA_RETURN_FAIL(err,
                       XA_NOMEM,
                       "curves: out of memory for %" PRId64 " clusters of %" PRId64 " counts",
                       nclusters,
                       width);
    return XA_OK;
}

void xa__counted_fini(xa__counted *c)
{
    free(c->units);
    free(c->counts);
    free(c->small);
}

static void add_large(double *restrict to, const double *restrict from, double w, int64_t width)
{
    for (int64_t i = 0; i < width; i++)
        to[i] += w * from[i];
}

static void
add_small(uint16_t *restrict to, const uint16_t *restrict from, uint16_t w, int64_t width)
{
    for (int64_t i = 0; i < width; i++)
        to[i] = (uint16_t)(to[i] + w * from[i]);
}

/* Sums of one replicate, [width]: `small` where the counts are small, and then copied to `large`.
 */
typedef struct sums {
    double *large;
    uint16_t *small;
} sums;

static void add_cluster(const xa__counted *c, int64_t cluster, uint32_t w, const sums *to)
{
    if (c->small)
        add_small(to->small, c->small + cluster * c->width, (uint16_t)w, c->width);
    else
        add_large(to->large, c->counts + cluster * c->width, (double)w, c->width);
}

static double
figure_of(const xa__counted *c, const sums *s, xa__figure_fn *figure, const void *arg, double units)
{
    for (int64_t i = 0; c->small && i < c->width; i++)
        s->large[i] = (double)s->small[i];
    return figure(arg, s->large, units);
}

static void clear(const xa__counted *c, const sums *s)
{
    if (c->small)
        memset(s->small, 0, (size_t)c->width * sizeof *s->small);
    else
        memset(s->large, 0, (size_t)c->width * sizeof *s->large);
}

xa_status xa__bootstrap_counts(const xa_stats_plan *plan,
                               const xa__counted *c,
                               xa__figure_fn *figure,
                               const void *arg,
                               xa_interval *out,
                               xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t k = c->nclusters;
    uint32_t *weight = xa_alloc((size_t)k, TOGETHER * sizeof *weight);
    double *large = xa_alloc((size_t)c->width, TOGETHER * sizeof *large);
    uint16_t *small = xa_alloc((size_t)c->width, TOGETHER * sizeof *small);
    double *replicate = xa_alloc((size_t)plan->replicates, sizeof *replicate);
    sums sum[TOGETHER];
    double all = 0.0;
    if (!weight || !large || !small || !replicate)
        XA_FAIL(err, XA_NOMEM, "curves: out of memory for %" PRId64 " clusters", k);
    for (int j = 0; j < TOGETHER; j++)
        sum[j] = (sums){large + j * c->width, small + j * c->width};
    for (int64_t i = 0; i < k; i++) {
        all += c->units[i];
        add_cluster(c, i, 1, &sum[0]);
    }
    out->value = figure_of(c, &sum[0], figure, arg, all);
    for (int64_t b = 0; b < plan->replicates; b += TOGETHER) {
        const int64_t left = plan->replicates - b;
        const int64_t nb = left < TOGETHER ? left : TOGETHER;
        double units[TOGETHER] = {0};
        for (int64_t j = 0; j < nb; j++) {
            clear(c, &sum[j]);
            xa__draw(plan, b + j, k, weight + j * k);
        }
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < nb; j++) {
                const uint32_t w = weight[j * k + i];
                if (w == 0)
                    continue;
                units[j] += (double)w * c->units[i];
                add_cluster(c, i, w, &sum[j]);
            }
        for (int64_t j = 0; j < nb; j++)
            replicate[b + j] = figure_of(c, &sum[j], figure, arg, units[j]);
    }
    out->why = XA_NO_INTERVAL_NOT;
    if (isnan(out->value))
        xa__refuse(XA_NO_INTERVAL_UNDEFINED, out);
    else
        xa__percentile(replicate, plan->replicates, plan->level, 1.0, out);
done:
    free(replicate);
    free(large);
    free(small);
    free(weight);
    return st;
}

/* The most units that a cluster holds. */
static int64_t largest_cluster(const int64_t *of, int64_t n, int64_t clusters)
{
    int64_t most = INT64_MAX;
    int64_t *count = xa_alloc((size_t)clusters, sizeof *count);
    if (!count)
        return most; /* not known: the wide counts hold any number */
    most = 0;
    for (int64_t i = 0; i < n; i++)
        if (of[i] >= 0 && ++count[of[i]] > most)
            most = count[of[i]];
    free(count);
    return most;
}

static void add_row(xa__counted *c, int64_t first, const xa__curve *r, int64_t unit)
{
    const uint8_t *bits = r->hits ? r->hits->bits + unit * r->width / 8 : NULL;
    for (int64_t i = 0; i < r->width; i++) {
        const uint32_t count = bits ? bits[i / 8] >> i % 8 & 1 : r->histogram[unit * r->width + i];
        if (c->small)
            c->small[first + i] = (uint16_t)(c->small[first + i] + count);
        else
            c->counts[first + i] += (double)count;
    }
}

xa_status xa__curve_counts(const xa__curve *curve,
                           int ncurves,
                           const int64_t *of,
                           int64_t nclusters,
                           xa__counted *out,
                           xa_err *err)
{
    /* a unit has at most one hit at each threshold; its pixels are not bounded */
    const int64_t n = curve->n, most = curve->hits ? largest_cluster(of, n, nclusters) : INT64_MAX;
    int64_t width = 0, at = 0;
    for (int k = 0; k < ncurves; k++)
        width += curve[k].width;
    XA_RETURN_TRY(err, counted_init(out, nclusters, width, most, err));
    for (int k = 0; k < ncurves; at += curve[k++].width)
        for (int64_t i = 0; i < n; i++)
            if (of[i] >= 0)
                add_row(out, of[i] * width + at, &curve[k], i);
    for (int64_t i = 0; i < n; i++)
        if (of[i] >= 0)
            out->units[of[i]] += 1.0;
    return XA_OK;
}

/* The figure of one curve with its interval. */
static xa_status figure_of_curve(const xa_stats_plan *plan,
                                 const xa__curve *r,
                                 const int64_t *group,
                                 xa_interval *out,
                                 xa_err *err)
{
    xa_status st = XA_OK;
    xa__counted c = {0};
    int64_t k = 0, *of = xa_alloc((size_t)r->n + 1, sizeof *of);
    *out = xa__no_figure(r->n);
    if (!of)
        XA_FAIL(err, XA_NOMEM, "curves: out of memory for %" PRId64 " units", r->n);
    XA_TRY(err, xa__clusters(r->n, group, r->defined, of, &k, err));
    if (k == 0)
        goto done;
    XA_TRY(err, xa__curve_counts(r, 1, of, k, &c, err));
    for (int64_t i = 0; i < k; i++)
        out->n += (int64_t)c.units[i];
    out->undefined = r->n - out->n;
    out->clusters = k;
    XA_TRY(err, xa__bootstrap_counts(plan, &c, r->figure, r->rule, out, err));
done:
    xa__counted_fini(&c);
    free(of);
    return st;
}

/* ---- hit masks ------------------------------------------------------------------------------- */

xa_status xa__hits_check(const xa_hits *h, const int *threshold, xa_err *err)
{
    if (h->levels < 1 || h->levels > XA_STATS_MAX_LEVELS)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "box accuracy: %d levels, expected 1 to %d",
                       h->levels,
                       XA_STATS_MAX_LEVELS);
    if (h->n < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "box accuracy: %" PRId64 " units", h->n);
    for (int d = 0; threshold && d < h->levels; d++)
        if (threshold[d] < 0 || threshold[d] >= T)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "box accuracy: threshold %d of level %d, expected 0 to %d",
                           threshold[d],
                           d,
                           T - 1);
    return XA_OK;
}

static void add_hits(double *counts, const xa_hits *h, int64_t unit)
{
    const uint8_t *bits = h->bits + unit * h->levels * XA_STATS_HIT_BYTES;
    for (int64_t i = 0; i < (int64_t)h->levels * T; i++)
        counts[i] += (double)(bits[i / 8] >> i % 8 & 1);
}

static int first_maximum(const double *counts)
{
    int best = 0;
    for (int t = 1; t < T; t++)
        if (counts[t] > counts[best])
            best = t;
    return best;
}

xa_status xa_stats_hit_curve(const xa_hits *h, double *curve, int *threshold, xa_err *err)
{
    XA_RETURN_TRY(err, xa__hits_check(h, NULL, err));
    double counts[XA_STATS_MAX_LEVELS * T] = {0};
    double n = 0.0;
    for (int64_t i = 0; i < h->n; i++)
        if (!h->defined || h->defined[i]) {
            add_hits(counts, h, i);
            n += 1.0;
        }
    for (int d = 0; d < h->levels; d++) {
        if (threshold)
            threshold[d] = n > 0.0 ? first_maximum(counts + d * T) : -1;
        for (int t = 0; curve && t < T; t++)
            curve[d * T + t] = n > 0.0 ? counts[d * T + t] / n : NAN;
    }
    return XA_OK;
}

/* counts: [levels, 256]. */
static double box_figure(const void *arg, const double *counts, double units)
{
    const xa__box_rule *r = arg;
    double sum = 0.0;
    for (int d = 0; d < r->levels; d++) {
        const double *c = counts + d * T;
        sum += c[r->threshold ? r->threshold[d] : first_maximum(c)];
    }
    return sum / (units * (double)r->levels);
}

xa_status xa__curve_of_hits(const xa_hits *h, const xa__box_rule *rule, xa__curve *out, xa_err *err)
{
    XA_RETURN_TRY(err, xa__hits_check(h, rule->threshold, err));
    *out = (xa__curve){.n = h->n,
                       .width = (int64_t)h->levels * T,
                       .defined = h->defined,
                       .hits = h,
                       .figure = box_figure,
                       .rule = rule};
    return XA_OK;
}

xa_status xa_stats_box_accuracy(const xa_stats_plan *plan,
                                const xa_hits *h,
                                const int *threshold,
                                const int64_t *group,
                                xa_interval *out,
                                xa_err *err)
{
    const xa__box_rule rule = {h->levels, threshold};
    xa__curve curve;
    xa_interval f;
    XA_RETURN_TRY(err, xa__plan_check(plan, h->n, err));
    XA_RETURN_TRY(err, xa__curve_of_hits(h, &rule, &curve, err));
    XA_RETURN_TRY(err, figure_of_curve(plan, &curve, group, &f, err));
    if (f.n && (f.value == 0.0 || f.value == 1.0))
        xa__degenerate_rate(plan->level, &f);
    else if (f.n)
        xa__refuse_extreme(f.value, &f);
    *out = f;
    return XA_OK;
}

/* ---- histograms ------------------------------------------------------------------------------ */

double xa__ap_figure(const void *arg, const double *counts, double units)
{
    (void)arg;
    (void)units;
    const double *background = counts;
    const double *foreground = counts + BINS;
    double all = 0.0;
    double tp = 0.0;
    double fp = 0.0;
    double ap = 0.0;
    for (int t = 0; t < BINS; t++)
        all += foreground[t];
    if (all == 0.0)
        return NAN;
    for (int t = BINS - 1; t >= 0; t--) {
        tp += foreground[t];
        fp += background[t];
        if (foreground[t] > 0.0)
            ap += foreground[t] * (tp / (tp + fp));
    }
    return ap / all;
}

xa__curve xa__curve_of_pixels(int64_t n, const uint32_t *histogram, const bool *defined)
{
    return (xa__curve){.n = n,
                       .width = 2 * BINS,
                       .defined = defined,
                       .histogram = histogram,
                       .figure = xa__ap_figure};
}

xa_status xa_stats_pxap(const xa_stats_plan *plan,
                        int64_t n,
                        const uint32_t *histogram,
                        const bool *defined,
                        const int64_t *group,
                        xa_interval *out,
                        xa_err *err)
{
    const xa__curve curve = xa__curve_of_pixels(n, histogram, defined);
    xa_interval f;
    XA_RETURN_TRY(err, xa__plan_check(plan, n, err));
    XA_RETURN_TRY(err, figure_of_curve(plan, &curve, group, &f, err));
    *out = f;
    return XA_OK;
}
