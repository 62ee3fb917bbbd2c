/* Figures over thresholds, inside: counts of clusters, and the figures made of their sums. */
#ifndef XA_CURVE_INTERNAL_H
#define XA_CURVE_INTERNAL_H

#include "stats_internal.h"

/* Counts of each cluster. They take 16 bits each where no replicate's sum can exceed that: memory
 * and vector lanes limit the speed of a bootstrap. */
typedef struct xa__counted {
    int64_t nclusters, width;
    double *units;   /* [nclusters] */
    double *counts;  /* [nclusters, width], or NULL where `small` holds them */
    uint16_t *small; /* [nclusters, width], or NULL */
} xa__counted;

void xa__counted_fini(xa__counted *c);
/* The figure of all clusters, and its interval from replicates that each compute it anew. */
xa_status xa__bootstrap_counts(const xa_stats_plan *plan,
                               const xa__counted *c,
                               xa__figure_fn *figure,
                               const void *arg,
                               xa_interval *out,
                               xa_err *err);

/* ---- rows of counts ---- */

typedef struct xa__box_rule {
    int levels;
    const int *threshold; /* NULL: each level's maximum */
} xa__box_rule;

/* One side of a figure over thresholds: a row of counts of each unit, as hits or as histograms, and
 * the figure made of their sum. */
typedef struct xa__curve {
    int64_t n, width;          /* rows, and counts of a row */
    const bool *defined;       /* [n], or NULL for all */
    const xa_hits *hits;       /* NULL: `histogram` holds the rows */
    const uint32_t *histogram; /* [n, width] */
    xa__figure_fn *figure;
    const void *rule; /* first argument of `figure` */
} xa__curve;

/* rule: borrowed. INVALID: levels, thresholds or units are out of range. */
xa_status
xa__curve_of_hits(const xa_hits *h, const xa__box_rule *rule, xa__curve *out, xa_err *err);
xa__curve xa__curve_of_pixels(int64_t n, const uint32_t *histogram, const bool *defined);
/* Counts of every cluster, those of each of `ncurves` curves side by side. of: [n] the cluster of a
 * unit, -1 for none. */
xa_status xa__curve_counts(const xa__curve *curve,
                           int ncurves,
                           const int64_t *of,
                           int64_t nclusters,
                           xa__counted *out,
                           xa_err *err);

/* Average precision of [2, bins] counts; arg is NULL. */
double xa__ap_figure(const void *arg, const double *counts, double units);

/* Clusters of the units that are defined on both sides, in a new buffer: [n], free(). `out` may be
 * NULL; its only_a and only_b are added to. */
xa_status xa__both_clusters(int64_t n,
                            const bool *a,
                            const bool *b,
                            const int64_t *group,
                            int64_t **of,
                            int64_t *count,
                            xa_paired *out,
                            xa_err *err);

#endif
