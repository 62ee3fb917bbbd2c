/* summary: figures of an archive over its data set, comparisons, and how they are printed.
 *
 * A series holds the scores of one explainer of one model by one metric, one score for each unit. A
 * unit is a pair of an image and a class annotated in it; for a check that the job asks for it is a
 * map. The bootstrap draws all units of a group together or, for an image without a group, all
 * units of the image. */
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
    const char *model, *explainer, *metric; /* borrowed from the reader; owned by a baseline */
    bool baseline;                          /* the maps do not depend on the image */
    char *kind, *conventions, *from_split;  /* owned; NULL where the archive does not say */
    bool skips_difficult, ignores_crowds;
    xa_series_kind is;
    int better; /* CHECK: 1 if a larger value is better, -1 if a smaller one, 0 if neither */
    int64_t n;  /* units: pairs of the archive; of a CHECK, maps of the explainer */
    const int64_t *sample;   /* [n] ascending; borrowed from the reader */
    const int32_t *class_of; /* [n] borrowed from the reader */
    const double *value;     /* [n] NaN: undefined; owned by a baseline, else borrowed */
    int bins;                /* PIXELS: bins of a stored histogram */
    int levels;              /* HITS */
    double level[XA_METRIC_LEVELS];
    /* Of a check with settings: it, and which of its figures; else NULL. Borrowed. The first figure
     * is what the check is about; others are differences to rivals, or tell more of it. */
    const xa_read_checked *checked;
    int64_t figure;
} xa_series;

/* Whether its figure has a macro mean (over classes) besides the micro mean. */
bool xa_series_has_classes(const xa_series *x);
/* What the figure is over: "over pairs", "over maps", "over the data set". */
const char *xa_series_unit(const xa_series *x);
/* The plan with `measures` set by what the series' metric or check measures. */
xa_stats_plan xa_series_plan(const xa_stats_plan *plan, const xa_series *x);

typedef struct xa_summary {
    xa_read *r;
    char *path;
    xa_series *series;
    int nseries;
    int64_t *group;           /* [pairs] units of one number are drawn together */
    int64_t *group_of_sample; /* [samples] */
    bool grouped;             /* the manifest has a group column */
    int64_t ngroups;
    int64_t nclusters; /* groups, and images without a group */
    struct {
        char *reason;
        int64_t count;
    } * excluded; /* [nexcluded] why images are excluded */
    int64_t nexcluded;
    char **split; /* [samples] NULL while no figure needs it */
    /* The part that each pair is in (`--by`), -1: none. A column of the manifest gives the part of
     * each sample instead. Both are NULL without --by. */
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
/* From now on figures of HITS choose their grey level on the images of this split and are over the
 * other images, as the metric's setting from_split does. */
XA_MUST_USE xa_status xa_summary_choose_on(xa_summary *s, const char *split, xa_err *err);
/* The grey level of each level of IoU that was chosen on a split. *chosen false: none was; the
 * figure is each level's maximum. NOT_FOUND: no scored image is of the split. */
XA_MUST_USE xa_status xa_summary_threshold(
    const xa_summary *s, const xa_series *x, int *threshold, bool *chosen, xa_err *err);
/* The rows of a series' statistics, in a new buffer; free(). */
XA_MUST_USE xa_status xa_summary_rows(const xa_summary *s,
                                      const xa_series *x,
                                      void **out,
                                      xa_err *err);
/* Whether a pair counts: it is defined, and the grey level was not chosen on its image. */
bool xa_summary_counts(const xa_summary *s, const xa_series *x, int64_t pair);

/* One figure of a series: its mean, MaxBoxAcc over its levels, or PxAP. */
typedef struct xa_figure {
    xa_interval micro, macro; /* macro: over classes; n is 0 where there is none */
} xa_figure;
/* Over the units of one part; part -1: over all units. */
XA_MUST_USE xa_status xa_summary_figure(const xa_summary *s,
                                        const xa_series *x,
                                        const xa_stats_plan *plan,
                                        int64_t part,
                                        xa_figure *out,
                                        xa_err *err);

/* Share of the image that the boxes of each pair's class cover, [pairs] in a new buffer, free():
 * the sum of their areas over that of the image, so that overlaps count twice; NaN without a box.
 */
XA_MUST_USE xa_status xa_summary_size_shares(const xa_summary *s, double **out, xa_err *err);
/* The part of a unit, -1: none. */
int64_t xa_summary_part_of(const xa_summary *s, const xa_series *x, int64_t q);
/* A few words in place of an interval that there is not: "too few groups". */
const char *xa_no_interval_short(const xa_interval *f);
/* Why scores are undefined, over all units. */
typedef struct xa_undefined {
    int64_t pairs, not_done, no_map, nonfinite, other;
    int64_t of_check;          /* the check is not defined for this map */
    int64_t of_map;            /* the check has nothing to rank: the map is zero everywhere */
    int64_t of_answer;         /* an answer of the model to the check was not finite */
    int64_t of_figure;         /* the check was made, and has no such figure for this map */
    int64_t difficult, crowds; /* nothing else is annotated, and the metric leaves these out */
    /* Why the pair's annotation was not used, by xa_annotation_problem; the last number counts
     * problems that only a later version knows. */
    int64_t annotation[XA_ANNOTATION_PROBLEMS + 1];
} xa_undefined;
/* How many maps of an explainer are zero everywhere, of *rows maps whose images are done. */
int64_t xa_summary_zero_maps(const xa_read_model *m, const xa_read_map *x, int64_t *rows);
/* Maps whose values miss the difference of scores that they should add up to by more than 5 % of
 * it, of those where both are known (rows; 0: the explainer promises no sum). */
int64_t xa_summary_incomplete_maps(const xa_read_map *x, int64_t *rows);
void xa_summary_undefined(const xa_summary *s, const xa_series *x, xa_undefined *out);
/* Adds the reason of one undefined unit; unit -1: the series has no such unit. */
void xa_summary_add_undefined(const xa_summary *s,
                              const xa_series *x,
                              int64_t unit,
                              xa_undefined *out);
/* The counts in words: "3 image not done, 1 map not finite"; "" if all are 0. */
void xa_summary_undefined_text(xa_str *out, const xa_undefined *u);

/* ---- checks: checks.c, judge.c ---- */

/* Whether a series is what its check is about, and whether it is a difference to a rival; then
 * *rival (NULL: not wanted) is which. */
bool xa_series_is_head(const xa_series *x);
bool xa_series_is_difference(const xa_series *x, xa_rival_kind *rival);
/* "larger is better", .., of a CHECK. */
const char *xa_series_direction(const xa_series *x);
/* Figures of a check's rivals, for the images of head: its figure minus the stored difference. Each
 * is a baseline called EXPLAINER.RIVAL. xa_series_free each; a failure leaves none. */
XA_MUST_USE xa_status xa_summary_rivals(const xa_series *head,
                                        xa_series out[XA_RIVAL_COUNT],
                                        int *n,
                                        xa_err *err);
void xa_series_free(xa_series *x);

/* The mean curve of a check over its images, with pointwise intervals. deletion, insertion: the
 * class's probability over the share of pixels changed, with both ends; road: half the difference
 * of scores over the share removed. */
typedef struct xa_check_curve {
    int n;           /* points */
    double *x;       /* [n] share of pixels, 0 to 1 */
    xa_interval *at; /* [n] */
} xa_check_curve;
/* Of the maps of a head series, or of a rival. NOT_FOUND: the check keeps no such curve.
 * xa_check_curve_free, which also takes zeroes. */
XA_MUST_USE xa_status xa_summary_curve(const xa_summary *s,
                                       const xa_series *head,
                                       const xa_rival_kind *rival,
                                       const xa_stats_plan *plan,
                                       xa_check_curve *out,
                                       xa_err *err);
void xa_check_curve_free(xa_check_curve *c);

/* Do metrics agree on which explainer is better? Spearman's correlation of the orders in which two
 * metrics, or checks, put the explainers of a model, over those that have both; NaN with fewer than
 * three, or where all have one value. A figure of which neither direction is better is left out. */
typedef struct xa_orders {
    int n;             /* metrics */
    const char **name; /* [n] borrowed */
    double *rho;       /* [n,n] */
    int *explainers;   /* [n,n] compared */
    double mean;       /* of all pairs of two metrics; NaN: none is known */
} xa_orders;
/* Of fewer than two such metrics, or three explainers, n is 0. xa_orders_free. */
XA_MUST_USE xa_status xa_summary_orders(const xa_summary *s,
                                        const xa_read_model *m,
                                        const xa_stats_plan *plan,
                                        xa_orders *out,
                                        xa_err *err);
void xa_orders_free(xa_orders *o);

/* What the checks object to in the maps of one explainer, in words. No check can say that maps are
 * faithful, so that none does. The rules, over the images looked at:
 *
 *   leaves the class     p(x0) > p(x)/2 in more than 20 % of the images (deletion, insertion). Such
 *                        images are left out of the next rule.
 *   no better than a     the interval of the difference to the random map reaches 0, or lies on its
 *   random ranking, map  wrong side (deletion, insertion, road: rankings; sensitivity_n,
 *                        infidelity: maps)
 *
 * Without an interval, or without an image, a check is not judged, which is said. */
typedef struct xa_judged {
    const char *model, *explainer; /* borrowed */
    int objections, judged;        /* checks that object; that were judged */
    char **text;                   /* [n] "deletion: no better than a random ranking (..)" */
    int n;
} xa_judged;
/* One for each explainer that has a check with a rule, in the order of models and explainers, with
 * at least one text: "no objection" where it was judged and no check objects. xa_judged_free. */
XA_MUST_USE xa_status xa_summary_judge(
    const xa_summary *s, const xa_stats_plan *plan, xa_judged **out, int *n, xa_err *err);
void xa_judged_free(xa_judged *j, int n);
/* The rules in sentences, for a methods section. */
const char *xa_judged_rules(void);

/* Which series to keep. An empty list of names keeps all. */
typedef struct xa_selection {
    char **metric, **model, **explainer;
    int nmetrics, nmodels, nexplainers;
} xa_selection;
/* A baseline of one explainer is kept with it; those of every explainer (centre, full) are always
 * kept. NOT_FOUND: no series has a name; the message lists those there are. */
XA_MUST_USE xa_status xa_summary_select(xa_summary *s, const xa_selection *wanted, xa_err *err);

/* ---- comparisons ---- */

typedef struct xa_compare_options {
    const xa_stats_plan *plan;
    const char *against;  /* compare with this explainer (or model/explainer) only; NULL: all */
    bool across;          /* compare explainers of different models, too */
    double alpha;         /* level of Holm's decision */
    int64_t permutations; /* most random ones for each p; a tenth of it for figures over the data
                             set and for parts */
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
    xa_undefined only_a, only_b, neither; /* why units are left out: undefined in a alone, in b
                                             alone, in both */
} xa_compared;
/* Compares every two series of one metric and model (with `across`, of one metric), or each with
 * `against`. The comparisons of a metric within a model (with `across`, of a metric) are one family
 * for Holm's method. *left_out counts pairs whose conventions differ. free() the list. NOT_FOUND:
 * nothing is called `against`. */
XA_MUST_USE xa_status xa_summary_compare(const xa_summary *s,
                                         const xa_compare_options *o,
                                         xa_compared **out,
                                         int *n,
                                         int *left_out,
                                         xa_err *err);

/* The paired difference a - b of two series of one model, over the units that both have; not of
 * CHECK. MISMATCH: they follow other conventions. */
XA_MUST_USE xa_status xa_summary_difference(const xa_summary *s,
                                            const xa_series *a,
                                            const xa_series *b,
                                            const xa_stats_plan *plan,
                                            xa_paired *out,
                                            xa_err *err);

/* One series over two parts of the images. */
typedef struct xa_parted {
    const xa_series *x;
    const char *part[2];
    xa_between between; /* without its test, which is the verdict's */
    xa_verdict verdict;
} xa_parted;
/* Compares every two parts (`by` of the summary) within every series of scores or checks. The
 * comparisons of a metric within a model are one family. *left_out counts series of figures over
 * the data set. free() the list. INVALID: too many parts, or fewer than two. */
XA_MUST_USE xa_status xa_summary_between(const xa_summary *s,
                                         const xa_compare_options *o,
                                         xa_parted **out,
                                         int *n,
                                         int *left_out,
                                         xa_err *err);

/* Which pairs of two archives are the same: the sample id, the annotated class (by name if both
 * archives hold class names, else by number) and the pixels are equal. */
typedef struct xa_joined {
    int64_t *to;                    /* [a's pairs] pair of b, or -1; free() */
    int64_t joined, absent;         /* pairs of a that are in b, and those that are not */
    int64_t other_pixels, not_done; /* in both, but with other pixels, or not done in one of them */
} xa_joined;
XA_MUST_USE xa_status xa_summary_join(const xa_summary *a,
                                      const xa_summary *b,
                                      xa_joined *out,
                                      xa_err *err);
/* Compares series whose explainer and metric have one name in both archives, whatever the model is
 * called. *left_out counts those whose conventions differ. The comparisons of a metric are one
 * family. Checks are not compared. free() the list. */
XA_MUST_USE xa_status xa_summary_compare_archives(const xa_summary *a,
                                                  const xa_summary *b,
                                                  const xa_joined *j,
                                                  const xa_compare_options *o,
                                                  xa_compared **out,
                                                  int *n,
                                                  int *left_out,
                                                  xa_err *err);

/* ---- printing ---- */

/* What became of the images of the manifest. */
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
