/* An archive as the reading commands see it: its models, explainers, metrics and small tables, in
 * memory.  */
#ifndef XAUDIT_VIEW_H
#define XAUDIT_VIEW_H

#include <stdio.h>

#include "xaudit/archive.h"
#include "xaudit/explain.h"
#include "xaudit/faith.h"
#include "xaudit/image.h"
#include "xaudit/manifest.h"
#include "xaudit/metric.h"

/* Datasets of checksums that an archive has, each with those that it covers. */
typedef struct xa_sums xa_sums;

/* A check of an explainer's maps: its figures for the maps that were looked at. */
typedef struct xa_read_checked {
    char *name, *kind, *settings;
    int64_t n;       /* maps whose turn came: every status but "not sampled" */
    int64_t *row;    /* [n] of its maps, ascending */
    int64_t *sample; /* [n] */
    int32_t *target; /* [n] the class asked about: of a map without, the predicted */
    uint8_t *status; /* [n] XA_CHECKED_DONE, .. */
    int64_t count[XA_CHECKED_COUNT]; /* rows of each status, those not sampled too */
    char **figure;                   /* [nfigures] "deletion.auc" */
    char **text;                     /* [nfigures] what it is */
    int *better;                     /* [nfigures] xa_faith_better */
    double **value;                  /* [nfigures][n]; NaN undefined */
    int64_t nfigures;
} xa_read_checked;
/* What the model answered to a check, for the maps whose turn came. */
typedef struct xa_read_answers {
    int64_t blocks, points; /* the map, then its rivals; 0: the check keeps none */
    char **block;           /* [blocks] "map", "random", .. */
    float *score, *prob;    /* [check's n][blocks][points], NaN where none; prob NULL: not kept */
} xa_read_answers;
/* The figure of this name ("auc"), -1: the check has none. */
int64_t xa_read_figure(const xa_read_checked *c, const char *name);

typedef struct xa_read_map {
    char *name;
    int64_t rows;
    int64_t *sample;
    int32_t *target;
    uint8_t *flags;
    float *maximum, *peak;
    char *layer, *kind, *title; /* NULL where absent */
    xa_target_rule rule;
    int32_t minus; /* DIFFERENCE: the class whose score is subtracted; else -1 */
    bool down;     /* what lowers the score is explained */
    char **metrics;
    int64_t nmetrics;
    int64_t pointing;              /* the first of them that is a pointing game, -1: none */
    double **localisation;         /* [nmetrics][pairs] */
    double *check[XA_CHECK_COUNT]; /* [rows]; NULL where the job did not ask */
    /* Of explainers whose values should add up to a difference of scores, else NULL: what they miss
     * [rows], and the two scores [rows,2]. */
    double *completeness, *explained;
    xa_read_checked *checked; /* [nchecked] further ones, in the order of their names */
    int64_t nchecked;
} xa_read_map;

typedef struct xa_read_model {
    char *name;
    int64_t classes;
    char *class_names; /* [nnames] fixed-length texts; NULL when the archive does not hold them */
    size_t class_name_bytes;
    int64_t nnames;
    uint8_t *status, *stage;
    bool values;        /* `head: regression`: the outputs are no classes, none is predicted */
    int32_t *predicted; /* [samples]; -1: not done, or `values` */
    float *probs;       /* [samples, classes]; NaN where the head gives none; NULL of an outcome */
    float *logits;      /* the same; NULL but for such a head */
    const xa_categories *categories; /* of the archive */
    float *set_logits; /* [samples, classes] where there are categories, whose class they choose */
    const float *rank_by; /* what classes are ranked by: probs, or logits where there are none */
    char *message;
    size_t message_bytes;
    xa_read_map *maps;
    int64_t nmaps;
} xa_read_model;

typedef struct xa_read {
    xa_archive *archive;
    char *path;
    xa_sums *sums;    /* the checksums that it has */
    uint64_t checked; /* bit of an XA_FIELD_SUM_... of whose rows all were looked at */
    int64_t samples, pairs;
    char *id;
    size_t id_bytes;
    xa_categories categories; /* sets of classes that labels and annotations name */
    int64_t *label_offset;
    int32_t *label_value;
    int64_t *pair_sample;
    int32_t *pair_class;
    /* Archives before 1.1 hold no problems: all four are NULL then. */
    int64_t *annotation_offset; /* [samples + 1] */
    int32_t *annotation_class;
    uint8_t *annotation_flags;
    uint8_t *problem;    /* xa_annotation_problem, of each annotation */
    uint64_t *mask_hash; /* of each annotation; NULL: the archive has none */
    xa_read_model *models;
    int64_t nmodels;
} xa_read;

/* Everything but the map values. Done and failed rows are as they were written: DAMAGED where a
 * status, stage, flag, target or class is none, or a checksum of what is read says otherwise, with
 * the command that mends it. */
XA_MUST_USE xa_status xa_read_open(const char *path, xa_read **out, xa_err *err);
/* Without probabilities and explainers, which of a large data set take more memory than the run
 * had: what became of each sample. */
XA_MUST_USE xa_status xa_read_open_outcome(const char *path, xa_read **out, xa_err *err);
void xa_read_close(xa_read *r);
/* How a run read the images of this archive: whoever reads them again does it in the same way. */
xa_decode_options xa_read_decode(const xa_read *r);
/* The same for what was not read yet: all rows whose checksums are of this kind
 * (XA_FIELD_SUM_STATISTICS, ...), once. An archive without such checksums passes. */
XA_MUST_USE xa_status xa_read_check(xa_read *r, xa_field_kind sums, xa_err *err);
/* The maps of one explainer, for reading row by row. */
typedef struct xa_read_values {
    const xa_read *r;
    char *path;
    int64_t channels, height, width, count;
    int64_t input_height, input_width; /* of the model */
    const xa_read_model *model;
    const xa_read_map *map;
    uint16_t *half;     /* one row as stored; NULL: f32 */
    uint32_t *checksum; /* [rows] */
    float *scale;       /* [rows], not finite where no map was made */
} xa_read_values;
XA_MUST_USE xa_status xa_read_values_open(const xa_read *r,
                                          const xa_read_model *m,
                                          const xa_read_map *x,
                                          xa_read_values *out,
                                          xa_err *err);
void xa_read_values_close(xa_read_values *v);
/* out: [count]. DAMAGED: the row is not what its checksum says. */
XA_MUST_USE xa_status xa_read_values_row(const xa_read_values *v,
                                         int64_t row,
                                         float *out,
                                         xa_err *err);
/* The affine maps of samples [first, first + n) of a model as doubles, out [n,2,3]; archives before
 * 0.9 hold them in single precision. */
XA_MUST_USE xa_status xa_read_affine(
    const xa_read *r, const xa_read_model *m, int64_t first, int64_t n, double *out, xa_err *err);
/* The first row of a sample or, if it has none, of a later one; rows ascend by sample. */
int64_t xa_read_first_row(const xa_read_map *x, int64_t sample);
/* The first annotated pair of a sample or, if it has none, of a later one. */
int64_t xa_read_first_pair(const xa_read *r, int64_t sample);
/* "done", "failed", .. */
const char *xa_read_status_name(uint8_t status);
/* "reading", "decoding", ..: where a sample failed; "" of one that did not, "?" of another number.
 */
const char *xa_read_stage_name(uint8_t stage);
/* Agreement of the maps of two explainers of a model, [samples], NaN where it is not defined, in a
 * new buffer; NULL where the two were not compared in this order. */
XA_MUST_USE xa_status xa_read_agreement(xa_read *r,
                                        const xa_read_model *m,
                                        const xa_read_map *a,
                                        const xa_read_map *b,
                                        xa_agreement_kind kind,
                                        double **out,
                                        xa_err *err);
/* FORMAT: the datasets are not those of the attributes. xa_read_answers_free, which also takes
 * zeroes. */
XA_MUST_USE xa_status xa_read_answers_load(const xa_read *r,
                                           const xa_read_model *m,
                                           const xa_read_map *x,
                                           const xa_read_checked *c,
                                           xa_read_answers *out,
                                           xa_err *err);
void xa_read_answers_free(xa_read_answers *a);
/* ---- clusters.c: what `xaudit cluster` found among the maps of an explainer ---- */

/* Values of `status`. */
enum {
    XA_CLUSTER_NO_MAP,
    XA_CLUSTER_DONE,
    XA_CLUSTER_NOT_SAMPLED,
    XA_CLUSTER_ZERO,
    XA_CLUSTER_FEW,
    XA_CLUSTER_STATUSES
};
enum { XA_CLUSTER_VECTORS = 32, XA_CLUSTER_SIDE = 16 };
/* The members are the datasets of XA_CLUSTER_FIELDS (format.h). */
typedef struct xa_read_clusters {
    int64_t rows, groups, clusters; /* clusters: K, the most that a group has */
    int64_t height, width;          /* of the means, at most XA_CLUSTER_SIDE */
    uint8_t *status;
    int32_t *group, *number;
    float *distance, *embedding;                      /* [rows], [rows, VECTORS] */
    int32_t *class_index, *maps, *neighbours, *count; /* [groups] */
    double *eigenvalue;                               /* [groups, VECTORS] */
    float *mean;                                      /* [groups, clusters, height, width] */
} xa_read_clusters;
/* NOT_FOUND: the archive has none, and which command makes them. FORMAT: datasets that do not
 * belong together. xa_read_clusters_free, which also takes zeroes. */
XA_MUST_USE xa_status xa_read_clusters_load(const xa_read *r,
                                            const xa_read_model *m,
                                            const xa_read_map *x,
                                            xa_read_clusters *out,
                                            xa_err *err);
void xa_read_clusters_free(xa_read_clusters *c);
/* The rows of one cluster, the most typical first, in a new buffer, free(); their number. */
XA_MUST_USE xa_status xa_read_cluster_rows(const xa_read_clusters *c,
                                           int64_t group,
                                           int32_t number,
                                           int64_t **out,
                                           int64_t *n,
                                           xa_err *err);

/* ---- images.c: the images themselves ---- */

/* How they were decoded; the defaults where an older archive does not say. */
XA_MUST_USE xa_status xa_read_decoding(xa_archive *a, xa_decode_options *out, xa_err *err);
/* Row i of a table of files, below `root` in the same way; NULL through *out where it is empty. */
XA_MUST_USE xa_status xa_read_file_name(
    xa_archive *a, const char *path, const char *root, int64_t i, char **out, xa_err *err);
/* A sample's file, below `root` (NULL: where the archive says that images are); free(). */
XA_MUST_USE xa_status
xa_read_image_file(xa_archive *a, const char *root, int64_t sample, char **out, xa_err *err);
/* The pixel hash that was stored, and whether an image is the one. */
XA_MUST_USE xa_status
xa_read_same_pixels(xa_archive *a, int64_t sample, const xa_image *im, bool *same, xa_err *err);
/* NUL-terminated copy of row i of a fixed-length string table. */
void xa_read_text(const char *table, size_t bytes, int64_t i, char *out, size_t size);
/* The class that a class or category of the sample stands for (xa_category_target), -1: none. */
int32_t xa_read_target(const xa_read_model *m, int64_t sample, int32_t c);
/* Of an archive, none where it has none; FORMAT. */
XA_MUST_USE xa_status xa_read_categories(xa_archive *a, xa_categories *out, xa_err *err);
/* The name of the class or category, or its number, into buf. */
const char *xa_read_class(const xa_read_model *m, int32_t c, char *buf, size_t size);
/* What a map row explains, into buf: "cat", "cat - dog", "unit 2", and "cat (down)" where it is
 * what lowers the score; "" if it explains nothing. */
const char *xa_read_target_text(
    const xa_read_model *m, const xa_read_map *x, int64_t row, char *buf, size_t size);
/* The first thing that keeps annotations of the pair's class from being used; NONE: nothing;
 * XA_ANNOTATION_PROBLEMS: what only a later version knows. */
int xa_read_pair_problem(const xa_read *r, int64_t pair);
/* Does every annotation of the pair's class carry the flag (xa_annotation_flag)? */
bool xa_read_pair_flagged(const xa_read *r, int64_t pair, uint8_t flag);
/* Does the sample carry label c, or a category that it is of? */
bool xa_read_has_label(const xa_read *r, int64_t sample, int32_t c);

/* ---- sums.c ---- */

/* The checksums of an archive's rows, beside the rows.  */

/* The archive is borrowed. */
XA_MUST_USE xa_status xa_sums_open(xa_archive *a, xa_sums **out, xa_err *err);
void xa_sums_close(xa_sums *s);

typedef struct xa_sums_info {
    const char *path; /* of the checksums */
    xa_field_kind kind;
    xa_field_names names;
    int64_t rows;
} xa_sums_info;
int xa_sums_count(const xa_sums *s);
xa_sums_info xa_sums_at(const xa_sums *s, int k);
/* A dataset that an archive of this version has checksums of and this one has not; NULL: none. */
const char *xa_sums_lacking(const xa_sums *s);
/* The same where the archive's own format promises them, so that they were lost: formats from 1.1
 * on. An evaluation promises those of its own scores: what it is of may be of format 1.0. */
const char *xa_sums_lost(const xa_sums *s);

/* Tables written at creation that have a checksum of their own; whether the k-th is what it says.
 */
int xa_sums_tables(const xa_sums *s);
XA_MUST_USE xa_status
xa_sums_check_table(const xa_sums *s, int k, const char **path, bool *same, xa_err *err);

/* Reads the k-th and all that it covers once, in blocks, and reports the rows that differ. FORMAT:
 * the datasets have other rows than their checksums. */
XA_MUST_USE xa_status xa_sums_check(
    const xa_sums *s, int k, void (*differs)(void *arg, int64_t row), void *arg, xa_err *err);

/* ---- mend.c ---- */

/* What mends a damaged archive.  */

/* The command, as a sentence: for a run's archive, an evaluation, or one merged of models. False
 * where the archive cannot be opened. */
bool xa_mend_text(const char *path, char *out, size_t size);
/* The same where no row that is computed again mends it: a run's archive is made anew. */
bool xa_mend_whole_text(const char *path, char *out, size_t size);
/* Sets DAMAGED: what is wrong, which command lists all of it, and which mends it. */
xa_status xa_mend_fail(const char *path, xa_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- annotations.c ---- */

/* Problems of the annotations of an archive, counted and reported. */

typedef struct xa_annotation_counts {
    int64_t all; /* annotations that were looked at */
    struct {
        int64_t count, sample;        /* sample: of the first */
        char why[160];                /* of the first; "" */
    } of[XA_ANNOTATION_PROBLEMS + 1]; /* the last: what only a later version knows */
} xa_annotation_counts;

/* Of the whole archive; all zero where it does not say. Names of files and sizes are read for the
 * first of each kind. */
XA_MUST_USE xa_status xa_annotations_count(const xa_read *r,
                                           xa_annotation_counts *out,
                                           xa_err *err);
/* Adds what was found of one sample, `s` the sample's number in the caller's order. mask, frame:
 * what is said of the first mask and of the first frame, "" where there is nothing to say. */
void xa_annotations_add(xa_annotation_counts *c,
                        int64_t s,
                        const uint8_t *problem,
                        int64_t n,
                        const char *mask,
                        const char *frame);
/* "3 of 12 annotations are not used: mask missing; the first is of cat_01 (no such file)". */
void xa_annotation_line(const xa_annotation_counts *c, int problem, const char *id, xa_str *out);
/* One line per kind of problem, each behind `indent`; nothing where no annotation has one. */
XA_MUST_USE xa_status xa_print_annotations(const xa_read *r,
                                           const char *indent,
                                           FILE *out,
                                           xa_err *err);
/* The frames of samples [first, first + n): what brings their boxes to the image as it was scored.
 */
typedef struct xa_frames {
    int32_t (*declared)[2], *width, *height;
    bool rescale;
} xa_frames;
XA_MUST_USE xa_status
xa_frames_read(const xa_read *r, int64_t first, int64_t n, xa_frames *out, xa_err *err);
void xa_frames_fini(xa_frames *f);
/* A box of the i-th of them, x0,y0,x1,y1 as it is stored, in pixels of the image; false: it was not
 * used. */
bool xa_frames_box(const xa_frames *f, int64_t i, const double stored[4], double out[4]);
/* "100x60 declared, 50x30 found: scaled by 0.5" */
void xa_frame_text(const int64_t declared[2], const int64_t found[2], char *out, size_t size);

/* ---- sessions.c ---- */

/* What an archive says of the runs that worked on it.  */

typedef struct xa_session {
    char start[32], end[32]; /* end: "" where it was killed */
    char text[256], cpu[400], libraries[400];
    int ranks, nodes, threads;
    double seconds; /* NaN: not stored (earlier versions) */
} xa_session;

typedef struct xa_sessions {
    xa_session *list;
    int32_t n, count;  /* in the table, and in all */
    double core_hours; /* ranks x threads x wall time; NaN where a session's time is not stored */
} xa_sessions;
/* For people alone: what is not as it should be is left out. NOMEM. */
XA_MUST_USE xa_status xa_sessions_read(xa_archive *a, xa_sessions *out, xa_err *err);
void xa_sessions_fini(xa_sessions *s);
/* One line a session, and the core hours of all. */
void xa_sessions_print(const xa_sessions *s, FILE *out);
/* The same in a sentence for a methods section. */
void xa_sessions_tell(const xa_sessions *s, FILE *out);

/* ---- class_order.c ---- */

/* Whether predictions fit the labels far better under another order of the class names.
 *
 * Rule. Images are split in two halves, label by label. From one half every label gets the class
 * that is predicted for it, no class twice, the most frequent pairs first; the other half tells how
 * often that holds, and the other way round. Of the labels that move (their class is not their own
 * in both halves, and the same in both) it is said when
 *   - two labels move at least,
 *   - at least 60 % of their images hold (each counted in the half that did not choose), and
 *   - at most 20 % are right as written, and
 *   - of the images that are given these classes at least 60 % have these labels, and
 *   - so many holding is less than 1 in 1000 by chance: a binomial tail at the share of the most
 *     frequent label among them.
 * A model that is merely bad spreads its answers or gives one class for all, and passes none of
 * this.
 */

/* An image with one label, and what was predicted for it. */
typedef struct xa_answer {
    int32_t label, predicted;
} xa_answer;

typedef struct xa_answers {
    xa_answer *item;
    size_t count, cap;
} xa_answers;
XA_MUST_USE xa_status xa_answers_add(xa_answers *a, int32_t label, int32_t predicted, xa_err *err);
void xa_answers_free(xa_answers *a);

typedef struct xa_class_order {
    xa_answer *moved; /* [nmoved] label and the class predicted for it, by label; owned */
    int64_t nmoved;
    int64_t images;      /* with a label that moves */
    int64_t held, right; /* of them under the other order, and as written */
} xa_class_order;

/* nmoved is 0 when the rule finds no other order. Sorts the answers. */
XA_MUST_USE xa_status xa_class_order_find(xa_answers *a, xa_class_order *out, xa_err *err);
void xa_class_order_free(xa_class_order *o);

/* "cat <-> dog; a -> b, b -> c, c -> a", at most six of them; name gives a class' name. */
void xa_class_order_text(const xa_class_order *o,
                         const char *(*name)(void *arg, int32_t c, char *buffer, size_t size),
                         void *arg,
                         xa_str *out);

/* ---- outcome.c: what an archive says about its run ---- */

typedef struct xa_outcome {
    int64_t samples, done, failed, excluded, pending; /* of the worst model */
    int64_t annotations, unused; /* all; those that could not be used, whatever the reason */
} xa_outcome;
/* Prints accuracy where labels exist, warns near chance, lists failed samples. */
XA_MUST_USE xa_status
xa_print_outcome(const char *archive, bool brief, FILE *out, xa_outcome *outcome, xa_err *err);

/* ---- answers.c: how often a model is right, and how sure it is ---- */

enum { XA_CALIBRATION_BINS = 15 };
typedef struct xa_answered {
    int64_t n, right;  /* labelled images that the model explained; right answers among them */
    double confidence; /* mean probability of its answers to them */
    /* Expected calibration error: sum over XA_CALIBRATION_BINS equal bins of probability of n_b/n
     * |accuracy_b - confidence_b|, lower ends excluded (Guo et al., On calibration of modern neural
     * networks, ICML 2017, eq. 3). */
    double ece;
} xa_answered;
/* n is 0 where there are no labels, or the outputs are no classes. The probabilities are NaN where
 * n is 0, where the head gives none, and of an outcome. */
void xa_read_answered(const xa_read *r, const xa_read_model *m, xa_answered *out);

/* ---- names.c: names as papers write them ---- */

/* "gradcam.label.prob" of kind "gradcam": name "Grad-CAM", detail "label, probability". A name that
 * does not begin with its kind was given by the user and stays as it is. */
typedef struct xa_title {
    char name[96], detail[128]; /* detail may be "" */
} xa_title;
xa_title xa_title_of_explainer(const char *name, const char *kind /* NULL: not known */);
/* The title that the job gives it, else the above. */
xa_title xa_title_of_map(const xa_read_map *x);
/* "box_acc" -> "MaxBoxAcc"; a metric with a name of its own: '_' becomes a space. */
void xa_title_of_metric(const char *name, char *out, size_t size);
/* Do maps of this kind have a value of its own for each pixel, as gradients have it? */
bool xa_kind_is_pixelwise(const char *kind /* NULL: false */);

#endif
