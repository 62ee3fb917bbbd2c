/* stats: figures over a data set with their uncertainty, from arrays of rows.
 *
 * Pure functions: no files, no ranks, no state. What is random comes from the counter-based
 * generator of util at (seed, stream, replicate * clusters + draw), so that a result depends on its
 * arguments alone.
 *
 * Units and undefined. A unit is one (image, annotated class) pair. A value that is not finite is
 * undefined: left out, counted, never 0. Without a defined unit the figure and its interval are
 * NaN.
 *
 * Clusters. Units with one group id are drawn together (Davison & Hinkley 1997, 3.8: images of one
 * patient are not independent); group = NULL makes each unit a cluster of its own. A replicate
 * draws as many clusters as there are, with replacement; w_k is how often cluster k was drawn. A
 * replicate needs per-cluster sums only.
 *
 * Interval. Percentile bootstrap (Efron & Tibshirani 1993, 13.3): the (1-level)/2 and (1+level)/2
 * quantiles of the replicates, linear between order statistics (type 7, numpy's default). A rate of
 * exactly 0 or 1 has a bootstrap interval of width 0 whatever n is: Wilson's stands in, with the
 * number of clusters as n. Bootstrap intervals of few clusters are too short: of nominal 95 %, 91 %
 * (p = 0.5) and 67 % (p = 0.95) held the truth with 10 clusters of 20 units whose rates differ
 * (results/coverage.md); hence XA_STATS_FEW_GROUPS.
 */
#ifndef XAUDIT_STATS_H
#define XAUDIT_STATS_H

#include "xaudit/util.h"

enum {
    XA_STATS_FEW_GROUPS = 20,  /* below, an interval deserves a warning */
    XA_STATS_THRESHOLDS = 256, /* grey levels of a curve */
    XA_STATS_BINS = 1001,      /* of a histogram: thousandths, 1 alone in the last */
    XA_STATS_HIT_BYTES = 32,   /* one bit a threshold; bit t is byte t / 8, value 1 << t % 8 */
    XA_STATS_MAX_LEVELS = 16,
    XA_STATS_MAX_REPLICATES = 1000000
};

/* Draws that many figures of one data set share, so that they are made once: the caller's, and no
 * result depends on it. NULL through *out is no failure: without it everything is drawn anew. */
typedef struct xa_stats_draws xa_stats_draws;
xa_stats_draws *xa_stats_draws_create(void);
void xa_stats_draws_free(xa_stats_draws *d);

typedef struct xa_stats_plan {
    uint64_t seed, stream;
    int64_t replicates;    /* 1 to XA_STATS_MAX_REPLICATES */
    double level;          /* of the interval, in (0,1): 0.95 */
    xa_stats_draws *draws; /* or NULL */
} xa_stats_plan;

typedef enum xa_interval_kind {
    XA_INTERVAL_NONE, /* nothing was defined */
    XA_INTERVAL_BOOTSTRAP,
    XA_INTERVAL_WILSON
} xa_interval_kind;

typedef struct xa_interval {
    double value, low, high;
    xa_interval_kind kind;
    int64_t n, undefined; /* units */
    int64_t clusters;     /* with a defined unit */
    int64_t classes;      /* of a macro mean; 0 for a micro mean */
    int64_t replicates;   /* that had a value */
} xa_interval;

/* ---- means ----------------------------------------------------------------------------------- */

/* Micro mean sum_k w_k S_k / sum_k w_k N_k, or, with class_of, the macro mean: that ratio for each
 * class, then their plain mean over the classes the replicate holds. x: [n]; group, class_of: [n]
 * or NULL. Every result is the same to the last bit in any order of the units. */
XA_MUST_USE xa_status xa_stats_mean(const xa_stats_plan *plan,
                                    int64_t n,
                                    const double *x,
                                    const int64_t *group,
                                    const int64_t *class_of,
                                    xa_interval *out,
                                    xa_err *err);

typedef struct xa_paired {
    xa_interval difference; /* of a - b; undefined where either is; never Wilson's */
    double p;               /* two-sided, not adjusted; NaN if nothing was defined */
    int64_t win, tie, loss; /* units with a > b, a == b, a < b */
} xa_paired;

/* Mean of the paired differences a - b. p is the bootstrap's achieved significance level (Davison &
 * Hinkley 1997, 4.4 with 5.2): 2 (1 + min(#{d* <= 0}, #{d* >= 0})) / (1 + replicates), at most 1.
 */
XA_MUST_USE xa_status xa_stats_paired(const xa_stats_plan *plan,
                                      int64_t n,
                                      const double *a,
                                      const double *b,
                                      const int64_t *group,
                                      const int64_t *class_of,
                                      xa_paired *out,
                                      xa_err *err);

/* Wilson's score interval (1927) of `hits` successes in `n`: centre (p + z^2/2n) / (1 + z^2/n),
 * half width z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n). NaN unless 0 <= hits <= n, n > 0, 0 < level
 * < 1. */
void xa_stats_wilson(double hits, double n, double level, double *low, double *high);

/* Holm's step-down adjustment (1979): in ascending order, the running maximum of (m - i) p_(i), i
 * from 0, at most 1. A NaN stays NaN and is not counted in m. `adjusted` may be `p`. */
XA_MUST_USE xa_status xa_stats_holm(int64_t n, const double *p, double *adjusted, xa_err *err);

/* Spearman's correlation: Pearson's of average ranks. Pairs with a value that is not finite are
 * left out; NaN with fewer than two pairs left or if one side is constant. */
XA_MUST_USE xa_status
xa_stats_spearman(int64_t n, const double *x, const double *y, double *rho, xa_err *err);

/* ---- curves ---------------------------------------------------------------------------------- */

/* Hits of n units at 256 thresholds and `levels` levels (of IoU). defined: [n] or NULL for all. */
typedef struct xa_hits {
    int64_t n;
    int levels;          /* 1 to XA_STATS_MAX_LEVELS */
    const uint8_t *bits; /* [n, levels, XA_STATS_HIT_BYTES] */
    const bool *defined;
} xa_hits;

/* Accuracy at every threshold, [levels, 256], and the first threshold of each level's maximum; NaN
 * and -1 without a defined unit. Either may be NULL. */
XA_MUST_USE xa_status xa_stats_hit_curve(const xa_hits *h,
                                         double *curve,
                                         int *threshold,
                                         xa_err *err);

/* Box accuracy (Choe et al. 2020): mean over levels of max_t accuracy(level, t). One level is
 * MaxBoxAcc, the levels 0.3, 0.5, 0.7 are MaxBoxAccV2. Every replicate takes its own maxima. With
 * `threshold` [levels], chosen on other units (xa_stats_hit_curve), accuracy there instead of the
 * maxima. group: [n] or NULL; without groups draws follow the order of the units. */
XA_MUST_USE xa_status xa_stats_box_accuracy(const xa_stats_plan *plan,
                                            const xa_hits *h,
                                            const int *threshold,
                                            const int64_t *group,
                                            xa_interval *out,
                                            xa_err *err);

/* PxAP (Choe et al. 2020): average precision of pixels pooled over units, from the highest bin
 * down, sum_t (R_t - R_{t+1}) P_t with R_1001 = 0. histogram: [n, 2, XA_STATS_BINS], background
 * then foreground. Every replicate pools and sums anew. Undefined without foreground; a replicate
 * without any is left out.
 */
XA_MUST_USE xa_status xa_stats_pxap(const xa_stats_plan *plan,
                                    int64_t n,
                                    const uint32_t *histogram,
                                    const bool *defined,
                                    const int64_t *group,
                                    xa_interval *out,
                                    xa_err *err);

/* Paired differences a - b of the two figures above over the units defined on both sides; every
 * replicate takes both anew from the same draw. p as in xa_stats_paired; win, tie and loss are 0:
 * a unit alone has no such figure. a and b: as many units; thresholds NULL, or as above. */
XA_MUST_USE xa_status xa_stats_box_difference(const xa_stats_plan *plan,
                                              const xa_hits *a,
                                              const xa_hits *b,
                                              const int *threshold_a,
                                              const int *threshold_b,
                                              const int64_t *group,
                                              xa_paired *out,
                                              xa_err *err);
XA_MUST_USE xa_status xa_stats_pxap_difference(const xa_stats_plan *plan,
                                               int64_t n,
                                               const uint32_t *a,
                                               const uint32_t *b,
                                               const bool *defined_a,
                                               const bool *defined_b,
                                               const int64_t *group,
                                               xa_paired *out,
                                               xa_err *err);

#endif
