/* stats, inside: what the figures share. */
#ifndef XA_STATS_INTERNAL_H
#define XA_STATS_INTERNAL_H

#include "xaudit/stats.h"

/* INVALID if the plan or n is out of range. */
xa_status xa__plan_check(const xa_stats_plan *plan, int64_t n, xa_err *err);
/* How often replicate b draws each of k clusters. */
void xa__draw(const xa_stats_plan *plan, int64_t b, int64_t k, uint32_t *weight);
/* Sorts the replicates, NaN left out, and sets low, high, kind and replicates of `out`. */
void xa__percentile(double *replicate, int64_t b, double level, xa_interval *out);
/* The bootstrap's achieved significance level of a difference (xa_stats_paired); a replicate
 * without a value counts on both sides. */
double xa__two_sided_p(const double *replicate, int64_t b);
/* Wilson's interval in place of a bootstrap's of width 0. */
void xa__degenerate_rate(double level, xa_interval *out);
/* Nothing defined among n units. */
xa_interval xa__no_figure(int64_t n);

/* Cluster of every defined unit, numbered by ascending group id, -1 for the others. `of`: [n]. */
xa_status xa__clusters(
    int64_t n, const int64_t *group, const bool *defined, int64_t *of, int64_t *count, xa_err *err);

#endif
