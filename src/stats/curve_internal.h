/* Figures over thresholds, inside: counts of clusters and what is made of their sums. */
#ifndef XA_CURVE_INTERNAL_H
#define XA_CURVE_INTERNAL_H

#include "stats_internal.h"

/* Counts of clusters: small ones in 16 bits, where no replicate's sum can pass them, for memory and
 * lanes are what limits here. */
typedef struct xa__counted {
    int64_t nclusters, width;
    double *units;   /* [nclusters] */
    double *counts;  /* [nclusters, width]; NULL: */
    uint16_t *small; /* likewise */
} xa__counted;

/* most: the largest count a cluster may have; INT64_MAX: unknown. */
xa_status
xa__counted_init(xa__counted *c, int64_t nclusters, int64_t width, int64_t most, xa_err *err);
void xa__counted_fini(xa__counted *c);
/* The most units that a cluster holds. */
int64_t xa__largest_cluster(const int64_t *of, int64_t n, int64_t clusters);
/* The figure, and its interval from replicates that each take it anew. */
xa_status xa__bootstrap_counts(const xa_stats_plan *plan,
                               const xa__counted *c,
                               xa__figure_fn *figure,
                               const void *arg,
                               xa_interval *out,
                               xa_err *err);

xa_status xa__hits_check(const xa_hits *h, xa_err *err);
xa_status xa__thresholds_check(const xa_hits *h, const int *threshold, xa_err *err);
/* A unit's hits into its cluster's counts from `at` on. */
void xa__add_hits(xa__counted *c, int64_t cluster, int64_t at, const xa_hits *h, int64_t unit);

typedef struct xa__box_rule {
    int levels;
    const int *threshold; /* NULL: each level's maximum */
} xa__box_rule;
/* arg: a box rule, [levels, 256] counts; arg NULL, [2, bins] counts. */
double xa__box_figure(const void *arg, const double *counts, double units);
double xa__ap_figure(const void *arg, const double *counts, double units);

#endif
