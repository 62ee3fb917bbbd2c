/* Figures of an archive over its data set.
 *
 * A series is the scores of one (model, explainer, metric), one a unit: a pair of image and
 * annotated class or, of a check of the job, a map. Units of one group (or, without a group, of one
 * image) are drawn together by the bootstrap. */
#ifndef XAUDIT_SUMMARY_H
#define XAUDIT_SUMMARY_H

#include <stdio.h>

#include "xaudit/stats.h"
#include "xaudit/view.h"

typedef enum xa_series_kind {
    XA_SERIES_SCORES,
    XA_SERIES_HITS,
    XA_SERIES_PIXELS,
    XA_SERIES_CHECK /* a score of each map, under the check's name */
} xa_series_kind;

typedef struct xa_series {
    const char *model, *explainer, *metric; /* the reader's; a baseline's are owned */
    bool baseline;                          /* of maps that know nothing of the image */
    char *kind, *conventions, *from_split;  /* owned; NULL where the archive does not say */
    bool skips_difficult, ignores_crowds;
    xa_series_kind is;
    int64_t n;               /* units: the archive's pairs or, of a CHECK, the explainer's maps */
    const int64_t *sample;   /* [n], the reader's; ascending */
    const int32_t *class_of; /* [n], the reader's */
    const double *value;     /* [n], NaN undefined; a baseline's is owned */
    int bins;                /* PIXELS: as they are stored */
    int levels;              /* HITS */
    double level[XA_METRIC_LEVELS];
} xa_series;

/* Whether its figure has a macro mean, over classes, too. */
bool xa_series_has_classes(const xa_series *x);
/* What the figure is over: "over pairs", "over maps", "over the data set". */
const char *xa_series_unit(const xa_series *x);
/* The plan for a series: whether its values are hits and misses is what its metric is. */
xa_stats_plan xa_series_plan(const xa_stats_plan *plan, const xa_series *x);

typedef struct xa_summary {
    xa_read *r;
    char *path;
    xa_series *series;
    int nseries;
    int64_t *group;           /* [pairs] what is drawn together */
    int64_t *group_of_sample; /* [samples] */
    bool grouped;             /* the manifest has a group column */
    int64_t ngroups;
    int64_t nclusters; /* groups, and images without one */
    struct {
        char *reason;
        int64_t count;
    } * excluded; /* [nexcluded] why images are excluded */
    int64_t nexcluded;
    char **split; /* [samples]; NULL where no figure asks for it */
    /* What `--by` splits by: index of the part, -1: none, of each pair or, of a column of the
     * manifest, of each sample; NULL without --by. */
    int64_t *part, *part_of_sample;
    char **part_name;
    int64_t nparts;
    char *by;
} xa_summary;
/* by: NULL, or class, group, size, correct, or a column of the manifest. INVALID lists the columns.
 */
XA_MUST_USE xa_status xa_summary_open(const char *path,
                                      const char *by,
                                      xa_summary **out,
                                      xa_err *err);
void xa_summary_close(xa_summary *s);
/* Figures of HITS choose their grey level on images of this split, as from_split of the metric
 * does, and are of the other images. NOT_FOUND: no image is of it. */
XA_MUST_USE xa_status xa_summary_choose_on(xa_summary *s, const char *split, xa_err *err);
/* The grey level of each level of IoU, chosen so; false: there is none, each maximum is meant. */
XA_MUST_USE xa_status xa_summary_threshold(
    const xa_summary *s, const xa_series *x, int *threshold, bool *chosen, xa_err *err);
/* The rows of a series' statistics, free(). */
XA_MUST_USE xa_status xa_summary_rows(const xa_summary *s,
                                      const xa_series *x,
                                      void **out,
                                      xa_err *err);
/* Whether a pair counts: it is defined, and not of the images that the level was chosen on. */
bool xa_summary_counts(const xa_summary *s, const xa_series *x, int64_t pair);

/* One figure of a series: its mean, MaxBoxAcc over its levels, or PxAP. */
typedef struct xa_figure {
    xa_interval micro, macro; /* macro: over classes, SCORES only; else n is 0 */
} xa_figure;
/* Over the pairs of one part, or (part < 0) all. */
XA_MUST_USE xa_status xa_summary_figure(const xa_summary *s,
                                        const xa_series *x,
                                        const xa_stats_plan *plan,
                                        int64_t part,
                                        xa_figure *out,
                                        xa_err *err);

/* Share of the image that the boxes of each pair's class cover, counted once a box [pairs]; NaN:
 * no box. free(). */
XA_MUST_USE xa_status xa_summary_size_shares(const xa_summary *s, double **out, xa_err *err);
/* The part of a unit, -1: none. */
int64_t xa_summary_part_of(const xa_summary *s, const xa_series *x, int64_t q);
/* Two words where there is no interval: "too few groups". */
const char *xa_no_interval_short(const xa_interval *f);
/* Why scores are undefined, over all units. */
typedef struct xa_undefined {
    int64_t pairs, not_done, no_map, nonfinite, other;
    int64_t of_check;          /* not defined for this map */
    int64_t difficult, crowds; /* nothing else is annotated, and the metric skips or ignores it */
    /* The first of the pair's that is not used; the last: one of a later version. */
    int64_t annotation[XA_ANNOTATION_PROBLEMS + 1];
} xa_undefined;
/* How many maps of an explainer, of images that are done, are all zero; *rows: of so many. */
int64_t xa_summary_zero_maps(const xa_read_model *m, const xa_read_map *x, int64_t *rows);
void xa_summary_undefined(const xa_summary *s, const xa_series *x, xa_undefined *out);
/* Adds the reason of one unit that is undefined; unit -1: there is no such unit. */
void xa_summary_add_undefined(const xa_summary *s,
                              const xa_series *x,
                              int64_t unit,
                              xa_undefined *out);
/* The same in words: "3 image not done, 1 map not finite"; "" of none. */
void xa_summary_undefined_text(xa_str *out, const xa_undefined *u);

/* What is left of the series. Lists of names, NULL for all. */
typedef struct xa_selection {
    char **metric, **model, **explainer;
    int nmetrics, nmodels, nexplainers;
} xa_selection;
/* Baselines stay with their explainer; those of every explainer (centre, full) always. NOT_FOUND: a
 * name that no series has; lists those there are. */
XA_MUST_USE xa_status xa_summary_select(xa_summary *s, const xa_selection *wanted, xa_err *err);

/* ---- comparisons ---- */

typedef struct xa_compare_options {
    const xa_stats_plan *plan;
    const char *against;  /* NULL, or only pairs with this explainer (or model/explainer) */
    bool across;          /* pairs of two models too */
    double alpha;         /* that Holm's decision is made at */
    int64_t permutations; /* most random ones a p; of figures over the data set, and between parts,
                             a tenth */
} xa_compare_options;

/* The test of one comparison and what Holm's method decides within its family. */
typedef struct xa_verdict {
    xa_test test;
    double adjusted; /* Holm's p over the family */
    xa_decision decision;
    int family, members; /* number of the family, and of the comparisons in it */
} xa_verdict;

typedef struct xa_compared {
    const xa_series *a, *b; /* the same metric; one model, or two */
    xa_paired pair;
    xa_verdict verdict;
    xa_undefined only_a, only_b, neither; /* why units do not count: only a is undefined, .. */
} xa_compared;
/* Every two series of one metric and model (`across`: of one metric), or those with `against`. A
 * family of Holm's is a metric within a model (`across`: a metric). Figures over the data set
 * (HITS, PIXELS) are compared as such. *left_out counts those that cannot be compared. free() the
 * list. NOT_FOUND: nothing is called `against`. */
XA_MUST_USE xa_status xa_summary_compare(const xa_summary *s,
                                         const xa_compare_options *o,
                                         xa_compared **out,
                                         int *n,
                                         int *left_out,
                                         xa_err *err);

/* One series over two parts of the images. */
typedef struct xa_parted {
    const xa_series *x;
    const char *part[2];
    xa_between between; /* without its test, which is the verdict's */
    xa_verdict verdict;
} xa_parted;
/* Every two parts of the summary's `by`, for every SCORES and CHECK series. A family is a metric
 * within a model. *left_out counts series of figures over the data set. INVALID: too many parts. */
XA_MUST_USE xa_status xa_summary_between(const xa_summary *s,
                                         const xa_compare_options *o,
                                         xa_parted **out,
                                         int *n,
                                         int *left_out,
                                         xa_err *err);

/* Which pairs of two archives are the same: sample id, annotated class (by name where both know
 * names), and the pixels. to: [a's pairs] pair of b, or -1. */
typedef struct xa_joined {
    int64_t *to;
    int64_t joined, absent, other_pixels, not_done;
} xa_joined;
XA_MUST_USE xa_status xa_summary_join(const xa_summary *a,
                                      const xa_summary *b,
                                      xa_joined *out,
                                      xa_err *err);
/* Series of one explainer and metric in both, whatever the model's name; *left_out counts metrics
 * whose conventions differ. A family is a metric. Checks are not compared. */
XA_MUST_USE xa_status xa_summary_compare_archives(const xa_summary *a,
                                                  const xa_summary *b,
                                                  const xa_joined *j,
                                                  const xa_compare_options *o,
                                                  xa_compared **out,
                                                  int *n,
                                                  int *left_out,
                                                  xa_err *err);

/* ---- summary_print*.c ---- */

void xa_summary_print_flow(const xa_summary *s, FILE *out);
typedef enum xa_summary_form {
    XA_SUMMARY_TEXT,
    XA_SUMMARY_CSV,
    XA_SUMMARY_JSON,
    XA_SUMMARY_LATEX
} xa_summary_form;
XA_MUST_USE xa_status xa_summary_print(
    const xa_summary *s, const xa_stats_plan *plan, xa_summary_form form, FILE *out, xa_err *err);
/* As text, CSV or JSON. */
XA_MUST_USE xa_status xa_summary_print_compared(const xa_compared *c,
                                                int n,
                                                int left_out,
                                                const xa_compare_options *o,
                                                xa_summary_form form,
                                                FILE *out,
                                                xa_err *err);
XA_MUST_USE xa_status xa_summary_print_between(const xa_summary *s,
                                               const xa_parted *c,
                                               int n,
                                               int left_out,
                                               const xa_compare_options *o,
                                               xa_summary_form form,
                                               FILE *out,
                                               xa_err *err);

#endif
