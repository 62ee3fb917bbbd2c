/* An archive as the reading commands see it: its models, explainers, metrics and small tables, in
 * memory. Private to app. */
#ifndef XAUDIT_APP_READER_H
#define XAUDIT_APP_READER_H

#include "sums.h"
#include "xaudit/image.h"
#include "xaudit/manifest.h"
#include "xaudit/metric.h"

typedef struct xa_read_map {
    char *name;
    int64_t rows;
    int64_t *sample;
    int32_t *target;
    uint8_t *flags;
    float *maximum, *peak;
    char *layer, *kind; /* NULL where absent */
    char **metrics;
    int64_t nmetrics;
    int64_t pointing;              /* the first of them that is a pointing game, -1: none */
    double **localisation;         /* [nmetrics][pairs] */
    double *check[XA_CHECK_COUNT]; /* [rows]; NULL where the job did not ask */
} xa_read_map;

typedef struct xa_read_model {
    char *name;
    int64_t classes;
    char *class_names; /* [nnames] fixed-length texts; NULL when the archive does not hold them */
    size_t class_name_bytes;
    int64_t nnames;
    uint8_t *status, *stage;
    int32_t *predicted;
    float *probs;  /* [samples, classes]; NaN where the head gives none; NULL of an outcome */
    float *logits; /* the same; NULL but for such a head */
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
    /* Archives of before 1.1 hold no problems: all four are NULL then. */
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
/* How a run read the images of this archive: whoever looks at them again does it likewise. */
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
/* ---- reader_images.c: the images themselves ---- */

/* How they were decoded; the defaults where an older archive does not say. */
XA_MUST_USE xa_status xa_read_decoding(xa_archive *a, xa_decode_options *out, xa_err *err);
/* Row i of a table of files, below `root` likewise; NULL through *out where it is empty. */
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
/* The first thing that keeps annotations of the pair's class from being used; NONE: nothing;
 * XA_ANNOTATION_PROBLEMS: what only a later version knows. */
int xa_read_pair_problem(const xa_read *r, int64_t pair);
/* Does every annotation of the pair's class carry the flag (xa_annotation_flag)? */
bool xa_read_pair_flagged(const xa_read *r, int64_t pair, uint8_t flag);
/* Does the sample carry label c, or a category that it is of? */
bool xa_read_has_label(const xa_read *r, int64_t sample, int32_t c);

#endif
