/* What the files of evaluate share. */
#ifndef XAUDIT_EVALUATE_EVALUATE_INTERNAL_H
#define XAUDIT_EVALUATE_EVALUATE_INTERNAL_H

#include "xaudit/evaluate.h"
#include "xaudit/record.h"
#include "xaudit/view.h"

/* ---- regions.c: annotations of an archive as the manifest had them ---- */

typedef struct xa_regions {
    const xa_read *r;
    char *image_root;
    int64_t *offset; /* [samples + 1] */
    int32_t *class_index, *mask_value, *ignore_value, *width, *height;
    uint8_t *kind, *flags;
    double (*box)[4];
    size_t text_bytes; /* of a mask's name; 0: there are none */
    int32_t (*declared)[2];
    bool rescale;        /* the rule for frames */
    bool as_they_lie;    /* images and masks were read without turning them */
    uint8_t *problem;    /* of all annotations, as the archive has it and as reading them adds */
    uint64_t *mask_hash; /* likewise of their masks */
    char changed[512];   /* the first mask that is another than the archive was scored with; "" */
    xa_annotation *list; /* of one sample */
    uint64_t *hash;      /* likewise */
    uint8_t *found;      /* likewise */
    size_t cap, found_cap, hash_cap;
} xa_regions;
XA_MUST_USE xa_status xa_regions_open(const xa_read *r,
                                      const char *image_root,
                                      xa_regions *out,
                                      xa_err *err);
void xa_regions_close(xa_regions *a);
/* The region of a class in a sample; fails as xa_region_init does. Notes what speaks against its
 * annotations in `problem`, and their masks in `mask_hash` and `changed`. */
XA_MUST_USE xa_status
xa_regions_read(xa_regions *a, int64_t sample, int32_t class_index, xa_region *out, xa_err *err);

/* ---- scoring ---- */

enum { XA_EVAL_SHUFFLED, XA_EVAL_CLASS_MEAN, XA_EVAL_OWN_BASELINES };

/* One map that is scored for every pair: an explainer's, or a baseline's. */
typedef struct xa_eval_series {
    xa_map_fields f;
    double **value;       /* [nmetrics][XA_EVAL_BLOCK] rows on their way to the file */
    unsigned char **rows; /* [nmetrics] the same of statistics; NULL: has none */
} xa_eval_series;

typedef struct xa_eval_map {
    const xa_read_map *x;
    xa_read_values values;
    xa_target_rule rule;
    xa_eval_series own, beside[XA_EVAL_OWN_BASELINES];
    int mean_field, count_field;
    int64_t mean_height, mean_width;
    int64_t *sum;   /* [classes, mean_height, mean_width] */
    int64_t *count; /* [classes] */
} xa_eval_map;

typedef struct xa_eval_model {
    const xa_read_model *m;
    double *affine;    /* [samples, 2, 3] */
    xa_eval_map *maps; /* [m->nmaps] */
    xa_eval_series baseline[XA_BASELINE_COUNT];
} xa_eval_model;

enum { XA_EVAL_BLOCK = 256 };

typedef struct xa_evaluation {
    const xa_evaluate_options *opt;
    xa_comm *comm;
    int rank, size;
    xa_audit_spec spec; /* metrics only */
    xa_read *r;
    xa_regions regions;
    xa_schema *schema;
    char *identity;        /* of the new archive, borrowed by its schema */
    int problem;           /* field */
    int mask_hash;         /* field */
    xa_eval_model *models; /* [r->nmodels] */
    xa_archive *archive;
    xa_scorer *scorer;
    float baseline[XA_BASELINE_COUNT][XA_BASELINE_SIDE * XA_BASELINE_SIDE];
    float *plain, *other;  /* a map, and work for its mean cells */
    int64_t *cells, *left; /* a mean map */
    float *mean;
    double *out; /* [nmetrics] */
    void **statistic;
    xa_evaluated done; /* of this rank */
} xa_evaluation;

/* The classes' sums, over all ranks. Collective. */
XA_MUST_USE xa_status xa_eval_means(xa_evaluation *e, xa_err *err);
/* Rank 0: mean and count of every class into the archive. */
XA_MUST_USE xa_status xa_eval_write_means(xa_evaluation *e, xa_err *err);
/* Local: scores the pairs [first, end) and writes them. */
XA_MUST_USE xa_status xa_eval_pairs(xa_evaluation *e, int64_t first, int64_t end, xa_err *err);

#endif
