/* What the files of stats share. */
#ifndef XA_STATS_INTERNAL_H
#define XA_STATS_INTERNAL_H

#include "xaudit/stats.h"

/* INVALID if the plan or n is out of range. */
xa_status xa__plan_check(const xa_stats_plan *plan, int64_t n, xa_err *err);
/* How often replicate b draws each of k clusters. */
void xa__draw(const xa_stats_plan *plan, int64_t b, int64_t k, uint32_t *weight);
/* Sorts the replicates, leaves out NaN, and sets low, high, kind, why and replicates of `out`,
 * whose clusters must be set. scale: size of the values; 1e-12 of it is rounding. */
void xa__percentile(double *replicate, int64_t b, double level, double scale, xa_interval *out);
/* Wilson's interval, for rates whose bootstrap interval has width 0. */
void xa__degenerate_rate(double level, xa_interval *out);
/* Takes the interval away if a rate of `share` leaves less than two clusters' worth on one side. */
void xa__refuse_extreme(double share, xa_interval *out);
void xa__refuse(xa_no_interval why, xa_interval *out);
/* The figure of n units none of which is defined. */
xa_interval xa__no_figure(int64_t n);

/* a - b, 0 where they tie (stats.h), NaN where either is undefined. */
double xa__difference(double a, double b);

/* Cluster of every defined unit, numbered by ascending group id, -1 for the others. `of`: [n]. */
xa_status xa__clusters(
    int64_t n, const int64_t *group, const bool *defined, int64_t *of, int64_t *count, xa_err *err);

/* z with P(|Z| > z) = alpha, 0 < alpha < 1, and t with P(|T| > t) = alpha of Student's distribution
 * with df degrees of freedom, at least 1. */
double xa__normal_two_sided(double alpha);
double xa__student_two_sided(double alpha, int64_t df);
/* The tail that the expanded percentile interval cuts off on each side. */
double xa__expanded_tail(double level, int64_t clusters);
/* Chernoff's bounds of a binomial's probability, each wrong with a chance of at most `error`. */
void xa__binomial_bounds(int64_t reached, int64_t of, double error, double *low, double *high);

/* What every cluster adds to the (micro or macro) mean: [clusters] in the order of the group ids,
 * which the caller frees; NULL if no unit is defined. */
xa_status xa__contributions(int64_t n,
                            const double *x,
                            const int64_t *group,
                            const int64_t *class_of,
                            double **out,
                            int64_t *clusters,
                            xa_err *err);

/* xa_stats_flip of what the clusters add to a difference, [n]; the array is overwritten. */
xa_status xa__flip_sums(const xa_stats_plan *plan,
                        double *contribution,
                        int64_t n,
                        int64_t upto,
                        xa_test *t,
                        xa_err *err);

/* ---- curve.c, curve_difference.c ---- */

/* The figure of a sum of counts, [width], over so many units. */
typedef double xa__figure_fn(const void *arg, const double *counts, double units);

/* INVALID: levels, units or thresholds (NULL: none are given) are out of range. */
xa_status xa__hits_check(const xa_hits *h, const int *threshold, xa_err *err);

#endif
