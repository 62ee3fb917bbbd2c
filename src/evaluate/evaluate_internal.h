/* What the files of evaluate share. */
#ifndef XAUDIT_EVALUATE_EVALUATE_INTERNAL_H
#define XAUDIT_EVALUATE_EVALUATE_INTERNAL_H

#include "xaudit/evaluate.h"
#include "xaudit/job.h"
#include "xaudit/record.h"
#include "xaudit/view.h"

/* ---- regions.c: the annotations of an archive, as the manifest had them ---- */

typedef struct xa__regions {
    const xa_read *r;
    char *image_root;
    int64_t *offset; /* [samples + 1] first annotation of each sample */
    int32_t *class_index, *mask_value, *ignore_value; /* [annotations], as the next ones are */
    uint8_t *kind, *flags;
    double (*box)[4];
    size_t text_bytes;       /* of a mask's name; 0: the archive names none */
    int32_t *width, *height; /* [samples] of the decoded images */
    int32_t (
        *declared)[2]; /* [samples] width and height that the annotations are of; 0: as decoded */
    bool rescale;      /* frame: rescale */
    bool as_they_lie;  /* images and masks were read without turning them by EXIF */
    uint8_t *problem;  /* [annotations] as the archive has it, and as reading the region finds it */
    uint64_t *mask_hash; /* [annotations] of their masks, in the same way */
    char changed[512];   /* the first mask that is not the one the scores are of; "" */
    xa_annotation *list; /* work: annotations of one sample, */
    uint64_t *hash;      /* the hashes of their masks, */
    uint8_t *found;      /* and their problems */
    size_t cap, found_cap, hash_cap;
} xa__regions;
/* Reads the tables. image_root: the folder of relative mask files; NULL: as the archive says. */
XA_MUST_USE xa_status xa__regions_open(const xa_read *r,
                                       const char *image_root,
                                       xa__regions *out,
                                       xa_err *err);
void xa__regions_close(xa__regions *a);
/* The region of a class in a sample; the caller frees it with xa_region_fini. Fails as
 * xa_region_init does. Notes the problems of the annotations in `problem`, the hashes of their
 * masks in `mask_hash`, and a mask that is another one in `changed`. */
XA_MUST_USE xa_status
xa__regions_read(xa__regions *a, int64_t sample, int32_t class_index, xa_region *out, xa_err *err);

/* ---- what is scored ---- */

enum { XA_EVAL_SHUFFLED, XA_EVAL_CLASS_MEAN, XA_EVAL_OWN_BASELINES };
enum { XA_EVAL_BLOCK = 256 }; /* pairs that are scored between two writes */

/* One map that is scored for every pair: an explainer's or a baseline's. */
typedef struct xa__eval_series {
    xa_map_fields f;
    double **value;       /* [metrics][XA_EVAL_BLOCK] scores on their way to the file */
    unsigned char **rows; /* [metrics] rows of statistics on theirs; NULL: the metric has none */
} xa__eval_series;

typedef struct xa__eval_map {
    const xa_read_map *x;
    xa_read_values values;
    xa_target_rule rule;
    xa__eval_series own, beside[XA_EVAL_OWN_BASELINES];
    int mean_field, count_field;
    int64_t mean_height, mean_width;
    int64_t *sum;   /* [classes, mean_height, mean_width] of the images' mean cells */
    int64_t *count; /* [classes] images in each sum */
} xa__eval_map;

typedef struct xa__eval_model {
    const xa_read_model *m;
    double *affine;     /* [samples, 2, 3] from image to input pixels */
    xa__eval_map *maps; /* [m->nmaps] */
    xa__eval_series baseline[XA_BASELINE_COUNT];
} xa__eval_model;

typedef struct xa__evaluation {
    const xa_evaluate_options *opt;
    xa_comm *comm;
    int rank, size;
    xa_audit_spec spec; /* its metrics only */
    xa_read *r;
    xa__regions regions;
    xa_schema *schema;
    char *identity;         /* of the new archive; its schema borrows it */
    int problem, mask_hash; /* fields */
    xa__eval_model *models; /* [r->nmodels] */
    xa_archive *archive;
    xa_scorer *scorer;
    float baseline[XA_BASELINE_COUNT][XA_BASELINE_SIDE * XA_BASELINE_SIDE];
    float *plain, *other;  /* work: a map, and what its mean cells need */
    int64_t *cells, *left; /* work: a mean map */
    float *mean;
    double *out; /* [metrics] */
    void **statistic;
    xa_evaluated done; /* by this rank */
} xa__evaluation;

/* ---- source.c. Local ---- */

/* Opens the archive, with its regions, models and maps, and allocates what scoring needs. */
XA_MUST_USE xa_status xa__eval_open(xa__evaluation *e, xa_err *err);
/* Reads the metrics from a text: a job, a list, or a list in brackets. Mistakes go to problems. */
XA_MUST_USE xa_status xa__eval_metrics(xa__evaluation *e,
                                       const char *text,
                                       xa_problems *problems,
                                       xa_err *err);

/* ---- schema.c. Local ---- */

/* The new archive's fields and attributes; `metrics` is the text that they were read from. */
XA_MUST_USE xa_status xa__eval_schema(xa__evaluation *e, const char *metrics, xa_err *err);

/* ---- score.c ---- */

/* Collective: sums the maps of every class over all ranks. */
XA_MUST_USE xa_status xa__eval_means(xa__evaluation *e, xa_err *err);
/* Local, rank 0: writes the mean and the count of every class. */
XA_MUST_USE xa_status xa__eval_write_means(xa__evaluation *e, xa_err *err);
/* Local: scores the pairs [first, end) and writes them. */
XA_MUST_USE xa_status xa__eval_pairs(xa__evaluation *e, int64_t first, int64_t end, xa_err *err);

#endif
