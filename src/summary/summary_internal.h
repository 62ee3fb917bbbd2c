/* What the files of a summary share. */
#ifndef XAUDIT_SUMMARY_SUMMARY_INTERNAL_H
#define XAUDIT_SUMMARY_SUMMARY_INTERNAL_H

#include "xaudit/summary.h"

/* A numeric dataset of n rows of one type, and a column of the samples as texts [samples], into new
 * buffers. FORMAT: it is another. */
XA_MUST_USE xa_status xa__summary_array(
    const xa_summary *s, const char *path, xa_type type, int64_t n, void *out_ptr, xa_err *err);
XA_MUST_USE xa_status xa__summary_column(const xa_summary *s,
                                         const char *path,
                                         char ***out,
                                         xa_err *err);
/* Fill group, excluded, and part with its names. */
XA_MUST_USE xa_status xa__summary_groups(xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__summary_excluded(xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__summary_parts(xa_summary *s, const char *by, xa_err *err);
/* Holm's decisions over `count` comparisons of one family, whose verdicts lie `stride` bytes apart;
 * `more` continues the test of one (xa_stats_decide). number: of the family. */
XA_MUST_USE xa_status xa__decide(const xa_compare_options *o,
                                 int64_t most,
                                 xa_test_more *more,
                                 void *arg,
                                 xa_verdict *first,
                                 size_t stride,
                                 int count,
                                 int number,
                                 xa_err *err);
/* Most random permutations of a comparison of this kind. */
int64_t xa__summary_most(const xa_compare_options *o, const xa_series *x);
/* The model of a series. */
const xa_read_model *xa__summary_model(const xa_summary *s, const xa_series *x);

/* checks.c: the difference of a head series to the random map, where it is not among the series
 * that are kept: it stands in the table all the same. xa_series_free it if *any. */
XA_MUST_USE xa_status xa__summary_difference_of(
    const xa_summary *s, const xa_series *head, xa_series *out, bool *any, xa_err *err);

/* ---- statistic.c: what a metric stores of each pair beside its score ---- */

/* Rows of a series for a figure over the data set, or for one side of a difference. */
typedef struct xa__rows {
    const xa_series *x;
    int64_t n;
    const void *row;      /* [n, row_bytes] */
    const bool *defined;  /* [n] */
    const int *threshold; /* [levels] chosen on other images; NULL: none was */
} xa__rows;

/* One kind of statistic. */
typedef struct xa__statistic {
    xa_type type;
    /* Whether a dataset [pairs, .., ..] holds this kind; then x->levels or x->bins are set. */
    bool (*read)(const xa_dataset_info *info, xa_series *x);
    const char *(*name)(const xa_series *x); /* of the figure: "MaxBoxAcc" */
    size_t (*row_bytes)(const xa_series *x);
    /* Brings n rows of an earlier version to today's; NULL: they are the same. */
    xa_status (*convert)(const xa_series *x, int64_t n, void **rows, xa_err *err);
    xa_status (*figure)(const xa_stats_plan *plan,
                        const xa__rows *r,
                        const int64_t *group,
                        xa_interval *out,
                        xa_err *err);
    xa_status (*difference)(const xa_stats_plan *plan,
                            const xa__rows *a,
                            const xa__rows *b,
                            const int64_t *group,
                            xa_paired *out,
                            xa_err *err);
    xa_status (*flip)(const xa_stats_plan *plan,
                      const xa__rows *a,
                      const xa__rows *b,
                      const int64_t *group,
                      int64_t upto,
                      xa_test *t,
                      xa_err *err);
    const char *note; /* below a table of comparisons; NULL: none */
} xa__statistic;
/* NULL of SCORES and CHECK, whose figures are means. */
const xa__statistic *xa__statistic_of(const xa_series *x);
/* Sets what x is by the dataset of its statistics; a path without one leaves it as it is. FORMAT:
 * the dataset is of no kind. */
XA_MUST_USE xa_status xa__statistic_read(const xa_summary *s,
                                         const char *path,
                                         xa_series *x,
                                         xa_err *err);
/* "mean", "MaxBoxAcc", .. */
const char *xa__figure_name(const xa_series *x);

#endif
