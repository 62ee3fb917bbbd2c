/* What one job's archive holds: its schema, and the way from a unit's rows into it.
 */
#ifndef XAUDIT_RECORD_H
#define XAUDIT_RECORD_H

#include "xaudit/job.h"

/* Sizes that only the manifest knows: rank 0 counts them and sends them to the others as bytes, so
 * they are plain numbers. */
typedef struct xa_counts {
    int64_t samples, labels, annotations, pairs;
    int64_t text_bytes[XA_FIELDS_OF(TABLE)]; /* by field: its longest text; 0 of numbers */
} xa_counts;
void xa_counts_of(const xa_manifest *m, xa_counts *out);
/* The same as extents of the table; what the manifest does not say is -1. */
xa_extents xa_counts_extents(const xa_counts *c);

/* Map rows of a rule over the whole manifest. */
int64_t xa_counts_rows(const xa_counts *c, xa_target_rule rule, int32_t top);

/* Indices of fields in the schema, named as in the format's table. The same numbers lie in an array
 * beside them. -1: the archive does not have the field. */
typedef struct xa_check_fields {
    int status, figures, scores, probs;
} xa_check_fields;
typedef struct xa_map_fields {
    int values, sample;
    union {
        struct {
            XA_MAP_FIELDS(XA_MEMBER_INDEX)
        };
        int column[XA_FIELDS_OF(MAP)];
    };
    int *localisation; /* [nmetrics] */
    int *statistic;    /* [nmetrics], -1: none */
    int score[XA_MAP_SCORE_COUNT];
    int check[XA_CHECK_COUNT]; /* those that the job asks for */
    xa_check_fields *faith;    /* [nfaith] */
} xa_map_fields;
typedef struct xa_model_fields {
    union {
        struct {
            XA_MODEL_FIELDS(XA_MEMBER_INDEX)
        };
        int column[XA_FIELDS_OF(MODEL)];
    };
    xa_map_fields *maps; /* [nexplainers], then the baselines' scores */
    int *agreement;      /* [pairs of explainers * XA_AGREEMENT_COUNT] */
} xa_model_fields;
typedef struct xa_contents {
    const xa_job *job;
    const xa_audit *audit;
    xa_counts counts;
    xa_schema *schema;
    union {
        struct {
            XA_SAMPLE_FIELDS(XA_MEMBER_INDEX)
        };
        int sample[XA_FIELDS_OF(SAMPLE)];
    };
    union {
        struct {
            XA_ANNOTATION_FIELDS(XA_MEMBER_INDEX)
        };
        int annotation[XA_FIELDS_OF(ANNOTATION)];
    };
    union {
        struct {
            XA_SESSION_FIELDS(XA_MEMBER_INDEX)
        };
        int session[XA_FIELDS_OF(SESSION)];
    };
    xa_model_fields *models;
    void **owned; /* data of the manifest's tables, freed with the contents */
    size_t nowned, owned_cap;
    size_t owned_bytes; /* of all of them */
} xa_contents;

/* With a manifest (rank 0, for creating) the tables' data are attached; without, only their
 * extents. The same calls in the same order either way, so that field indices agree. */
XA_MUST_USE xa_status xa_contents_create(const xa_job *job,
                                         const xa_audit *audit,
                                         const xa_counts *counts,
                                         const xa_manifest *m,
                                         const char *identity, /* until the archive is created */
                                         xa_contents **out,
                                         xa_err *err);
void xa_contents_free(xa_contents *c);

/* Where a unit's rows go. */
typedef struct xa_place {
    int64_t sample; /* first sample */
    int64_t labels; /* labels before it: first row of a `label` rule */
    int64_t
        annotated; /* annotated classes before it: first row of an `annotated` rule, first pair */
    int64_t annotations; /* annotations before it */
} xa_place;

/* Consecutive samples, by the places of the first one and of the one behind the last. */
typedef struct xa_span {
    xa_place from, to;
} xa_span;

/* Rows on their way into the archive. The rows of a block of units lie column by column in memory
 * that ranks may share; a column is what the archive has as a dataset, and is written in one piece,
 * however small the images. */
typedef struct xa_stage xa_stage;
XA_MUST_USE xa_status xa_stage_create(const xa_contents *c, xa_stage **out, xa_err *err);
void xa_stage_free(xa_stage *s);
/* How many columns there are, status bytes apart. */
int xa_stage_columns(const xa_stage *s);
/* Bytes of all rows of a block; SIZE_MAX beyond what a number holds. Never shrinks with its span.
 */
size_t xa_stage_bytes(const xa_stage *s, const xa_span *block);
/* Local. Puts everything of a unit into the block's memory [xa_stage_bytes], which is 64-byte
 * aligned; `unit` lies within `block`. Units may be put by several ranks at once, each once.
 * INVALID: the rows are not those of the span. */
XA_MUST_USE xa_status xa_stage_put(xa_stage *s,
                                   const xa_span *block,
                                   unsigned char *memory,
                                   const xa_span *unit,
                                   const xa_rows *rows,
                                   xa_err *err);
/* The status bytes of a block: [samples, models]. Rank 0 writes them when all rows are on the disk.
 */
uint8_t *xa_stage_status(unsigned char *memory);
/* Local. Writes the rows that one column has of the samples in `part`, within `block`. */
XA_MUST_USE xa_status xa_stage_write(xa_stage *s,
                                     xa_archive *archive,
                                     const xa_span *block,
                                     const unsigned char *memory,
                                     int column,
                                     const xa_span *part,
                                     xa_err *err);

/* ---- fields that evaluate and merge make, too ---- */

/* The datasets of all metrics for one explainer, or (baseline) for a map that knows nothing of the
 * image; allocates f->localisation and f->statistic. */
XA_MUST_USE xa_status xa_contents_metrics(xa_schema *schema,
                                          const xa_audit_spec *spec,
                                          int64_t pairs,
                                          const char *model,
                                          const char *name,
                                          bool baseline,
                                          xa_map_fields *f,
                                          xa_err *err);
/* What speaks against the annotations, with the names of the numbers and the rule for frames beside
 * it. data: [annotations] or NULL, as of xa_field_spec. */
XA_MUST_USE xa_status xa_contents_problems(xa_schema *schema,
                                           int64_t annotations,
                                           const uint8_t *data,
                                           bool rescale,
                                           int *field,
                                           xa_err *err);
/* Hashes of the annotations' masks; `data` as above. */
XA_MUST_USE xa_status xa_contents_mask_hashes(
    xa_schema *schema, int64_t annotations, const uint64_t *data, int *field, xa_err *err);

#endif
