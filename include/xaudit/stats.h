/* stats: figures over a data set with their uncertainty, from arrays of rows.
 *
 * Pure functions: no files, no ranks, no state. Random numbers come from the counter-based
 * generator of util at (seed, stream, replicate * clusters + draw), so that a result depends on its
 * arguments alone.
 *
 * Units. A unit is one pair of an image and a class annotated in it. A value that is not finite is
 * undefined: it is left out and counted, and never taken as 0. Without a defined unit the figure
 * and its interval are NaN.
 *
 * Clusters. Units with the same group id are drawn together, since images of one patient are not
 * independent (Davison & Hinkley 1997, 3.8); group = NULL makes each unit a cluster of its own. A
 * replicate draws as many clusters as there are, with replacement; w_k is how often cluster k was
 * drawn. A replicate needs the sums of each cluster only.
 *
 * Interval. Expanded percentile bootstrap (Hesterberg, What Teachers Should Know About the
 * Bootstrap, The American Statistician 69, 2015): the q and 1-q quantiles of the replicates, linear
 * between order statistics (type 7, numpy's default), where q = Phi(-sqrt(G/(G-1)) t) for G
 * clusters, and t is Student's quantile with G-1 degrees of freedom. With few clusters the plain
 * percentile interval (Efron & Tibshirani 1993, 13.3) is too short; with many the two agree. A rate
 * over clusters of one unit each has Wilson's interval. So has a rate of exactly 0 or 1, with the
 * number of clusters as n, because a bootstrap interval has width 0 there.
 *
 * No interval. There is none, of whatever kind, from fewer than XA_STATS_LEAST_GROUPS clusters. Nor
 * is there one where all clusters have the same value, unless the values are hits and misses
 * (plan->measures is false). Nor is there one where clusters are nearly all 0 or nearly all 1: so
 * few clusters may hold none of those that would differ. A rate p over G clusters has an interval
 * if G min(p, 1-p) >= XA_STATS_LEAST_SHARE; a difference of rates has one if two counts reach that
 * number: the units that differ, and the units that do not differ in the more frequent direction,
 * both in clusters' worth. Without an interval low and high are NaN, and `why` holds the reason.
 * results/coverage.md holds the coverage by simulation.
 *
 * Ties. Scores come from float32 maps, so a paired difference a - b with |a - b| <= XA_STATS_TIE
 * max(|a|, |b|) is rounding: it counts as a tie, and as 0 in means of differences and in sign
 * flips.
 *
 * Tests. Under the null hypothesis the paired differences of a cluster could equally well have had
 * the other sign. There are 2^G ways to turn the clusters round, and p is the share of ways whose
 * figure is at least as far from 0 as the observed one (Fisher 1935; Ernst, Permutation Methods,
 * Statistical Science 19, 2004; by clusters: Cameron, Gelbach & Miller 2008). All ways are counted
 * where that is feasible; otherwise p = (reached + 1) / (replicates + 1) over random ways (Phipson
 * & Smyth 2010), as many as Holm's decision needs (Gandy & Hahn, MMCTest, Scandinavian Journal of
 * Statistics 41, 2014). results/coverage.md holds the type-I errors by simulation.
 */
#ifndef XAUDIT_STATS_H
#define XAUDIT_STATS_H

#include "xaudit/util.h"

#define XA_STATS_TIE 1e-6 /* of the larger of two scores: smaller differences are rounding */
enum {
    XA_STATS_FEW_GROUPS = 20,  /* an interval of fewer deserves a warning */
    XA_STATS_LEAST_GROUPS = 5, /* fewer have no interval */
    XA_STATS_LEAST_SHARE = 2, /* clusters' worth of 0 and of 1; a rate with fewer has no interval */
    XA_STATS_THRESHOLDS = 256, /* grey levels of a curve */
    XA_STATS_BINS = 1001,      /* of a histogram: one for each thousandth; the last holds 1 alone */
    XA_STATS_HIT_BYTES = 32,   /* one bit per threshold: bit t is 1 << t % 8 of byte t / 8 */
    XA_STATS_MAX_LEVELS = 16,
    XA_STATS_MAX_REPLICATES = 1000000
};

/* Keeps the random draws that many figures of one data set share, so that they are made once. No
 * result depends on it. NULL (out of memory) may be used, too: then each figure makes its own. */
typedef struct xa_stats_draws xa_stats_draws;
xa_stats_draws *xa_stats_draws_create(void);
void xa_stats_draws_free(xa_stats_draws *d);

typedef struct xa_stats_plan {
    uint64_t seed, stream;
    int64_t replicates;    /* 1 to XA_STATS_MAX_REPLICATES */
    double level;          /* of the interval, in (0,1): 0.95 */
    xa_stats_draws *draws; /* or NULL */
    bool measures;         /* the values are not hits and misses, even if all of them are 0 or 1 */
} xa_stats_plan;

typedef enum xa_interval_kind {
    XA_INTERVAL_NONE, /* `why` holds the reason */
    XA_INTERVAL_BOOTSTRAP,
    XA_INTERVAL_WILSON
} xa_interval_kind;

typedef enum xa_no_interval {
    XA_NO_INTERVAL_NOT, /* there is one */
    XA_NO_INTERVAL_UNDEFINED,
    XA_NO_INTERVAL_FEW,
    XA_NO_INTERVAL_EXTREME,
    XA_NO_INTERVAL_CONSTANT
} xa_no_interval;
/* The reason in words; "" for XA_NO_INTERVAL_NOT. */
const char *xa_stats_no_interval(xa_no_interval why);

typedef struct xa_interval {
    double value, low, high;
    xa_interval_kind kind;
    xa_no_interval why;
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
    int64_t win, tie, loss; /* units with a > b, a tie, a < b */
    int64_t only_a, only_b; /* units defined in a alone and in b alone: they are left out, which
                               flatters an explainer that fails on hard images */
} xa_paired;

/* Mean of the paired differences a - b. */
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

/* Accuracy at every threshold, [levels, 256], and the first threshold at which each level has its
 * maximum; NaN and -1 without a defined unit. Either may be NULL. */
XA_MUST_USE xa_status xa_stats_hit_curve(const xa_hits *h,
                                         double *curve,
                                         int *threshold,
                                         xa_err *err);

/* Box accuracy (Choe et al. 2020): mean over levels of max_t accuracy(level, t). One level is
 * MaxBoxAcc, the levels 0.3, 0.5, 0.7 are MaxBoxAccV2. Every replicate takes its own maxima. With
 * `threshold` [levels], chosen on other units (xa_stats_hit_curve), accuracy there instead of the
 * maxima. group: [n] or NULL; without groups the draws depend on the order of the units. */
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
 * replicate takes both anew from the same draw. win, tie and loss are 0: a unit alone has no such
 * figure. a and b: as many units; thresholds NULL, or as above. */
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

/* ---- tests ----------------------------------------------------------------------------------- */

/* A test that can be continued with more replicates: {0} before its first call. */
typedef struct xa_test {
    double p;           /* two-sided, not adjusted; NaN if no unit was defined */
    bool exact;         /* all ways were counted: more replicates change nothing */
    int64_t replicates; /* random ways so far; 0 if exact */
    int64_t reached;    /* those at least as far from 0 as the observed figure */
    int64_t groups;     /* clusters whose turning changes the figure */
    double least;       /* the smallest p that so many groups can give: 2^(1-groups), or 2^-1000
                            if that is smaller */
} xa_test;

/* The mean of a - b as in xa_stats_paired, turned round by clusters. After the call at least `upto`
 * random ways were tried (more where that is cheap). All ways are counted instead for up to 20
 * groups that differ, and for whole-number sums (rates) of moderate size. Only seed and stream of
 * the plan are used. */
XA_MUST_USE xa_status xa_stats_flip(const xa_stats_plan *plan,
                                    int64_t n,
                                    const double *a,
                                    const double *b,
                                    const int64_t *group,
                                    const int64_t *class_of,
                                    int64_t upto,
                                    xa_test *t,
                                    xa_err *err);
/* The same of box accuracies: means of hits at one threshold for each level and side, `threshold_a`
 * and `threshold_b` [levels], chosen on other units. NULL: each side's own best thresholds over the
 * units that are defined on both sides, which all ways keep. INVALID: a and b differ in units or
 * levels. */
XA_MUST_USE xa_status xa_stats_flip_boxes(const xa_stats_plan *plan,
                                          const xa_hits *a,
                                          const xa_hits *b,
                                          const int *threshold_a,
                                          const int *threshold_b,
                                          const int64_t *group,
                                          int64_t upto,
                                          xa_test *t,
                                          xa_err *err);
/* The same of PxAP: a turned cluster gives its counts of a to b and those of b to a, and every way
 * computes both figures anew. The hypothesis is that a and b could be exchanged cluster by cluster,
 * which is more than that their figures are equal. */
XA_MUST_USE xa_status xa_stats_flip_pxap(const xa_stats_plan *plan,
                                         int64_t n,
                                         const uint32_t *a,
                                         const uint32_t *b,
                                         const bool *defined_a,
                                         const bool *defined_b,
                                         const int64_t *group,
                                         int64_t upto,
                                         xa_test *t,
                                         xa_err *err);

/* ---- two parts of a data set ----------------------------------------------------------------- */

typedef struct xa_between {
    xa_interval difference; /* of the means, first part - second; n, clusters: of both */
    int64_t n[2], clusters[2], undefined[2];
    double value[2];
    xa_test test;
} xa_between;

/* Means of two parts that share no unit: side [n] is 0, 1, or -1 for units of neither. Interval:
 * clusters drawn within those of the first part, of the second, of both; G of the quantiles is the
 * smaller part's; two rates over clusters of one unit have Newcombe's (1998, method 10) from
 * Wilson's. p: sides exchanged at random (clusters of one part as wholes, units within clusters of
 * both), the difference over its clustered standard error: exact where the parts are alike,
 * asymptotically right where only their means are (Chung & Romano, Annals of Statistics 41, 2013).
 * upto: of out->test, as above. */
XA_MUST_USE xa_status xa_stats_between(const xa_stats_plan *plan,
                                       int64_t n,
                                       const double *x,
                                       const int64_t *group,
                                       const signed char *side,
                                       int64_t upto,
                                       xa_between *out,
                                       xa_err *err);

/* ---- Holm's decisions ------------------------------------------------------------------------ */

typedef enum xa_decision {
    XA_DECISION_NONE, /* no p */
    XA_DECISION_SIGNIFICANT,
    XA_DECISION_NOT,
    XA_DECISION_UNDECIDED, /* more replicates are needed */
    XA_DECISION_GROUPS     /* cannot be significant: `least` times Holm's factor exceeds alpha */
} xa_decision;
/* Continues test i up to `upto` replicates. */
typedef xa_status xa_test_more(void *arg, int64_t i, int64_t upto, xa_test *t, xa_err *err);
/* Runs n tests of one family in rounds, each with four times the replicates of the last, until no
 * further replicates could change Holm's decision at alpha (the bounds used are all right with a
 * chance of at least 99 %), or until `most` replicates are reached. t, adjusted, decision: [n]. */
XA_MUST_USE xa_status xa_stats_decide(int64_t n,
                                      double alpha,
                                      int64_t most,
                                      xa_test_more *more,
                                      void *arg,
                                      xa_test *t,
                                      double *adjusted,
                                      xa_decision *decision,
                                      xa_err *err);

#endif
