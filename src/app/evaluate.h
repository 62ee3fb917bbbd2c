/* Localisation scored anew from the maps of an archive, without a model pass. Private to app.
 *
 * What comes out is an archive like its source: its tables and scores of maps are copied, its maps
 * linked, and what metrics say is made new: /localisation, /statistics, /baselines,
 * /baseline_statistics and /class_means. The same metrics give the numbers of the run itself.
 * Beside the baselines of a run it has two for every explainer <e>:
 *   <e>.shuffled     the map of another image, drawn at random, laid on this one
 *   <e>.class_mean   the mean map of the annotated class over all other images */
#ifndef XAUDIT_APP_EVALUATE_H
#define XAUDIT_APP_EVALUATE_H

#include "contents_tables.h"
#include "reader.h"

typedef struct xa_evaluate_options {
    const char *archive, *output;
    const char *image_root; /* of relative mask files; NULL: as the archive says */
    const char *metrics;    /* a job file, a file with a list, or a list in brackets; NULL: as the
                               archive's job has them */
    int64_t seed;           /* of what is shuffled */
    bool fresh;             /* sets an output that is there aside */
} xa_evaluate_options;

typedef struct xa_evaluated {
    int64_t pairs, scored; /* pairs: of images that are done; scored: whose region could be read */
    int64_t models, explainers, metrics;
    double map_bytes;             /* read by all ranks */
    char problem[XA_ERR_MESSAGE]; /* the first region that could not be read; "" */
    bool lost;                    /* after a failure: leave by xa_abandon */
} xa_evaluated;

/* Collective. The output is written as NAME.part and renamed when it is whole. INVALID: metrics
 * that make no sense, told through problems; BUSY: the output is there, or being written. */
XA_MUST_USE xa_status xa_evaluate(const xa_evaluate_options *opt,
                                  xa_comm *comm,
                                  xa_problems *problems,
                                  xa_evaluated *out,
                                  xa_err *err);

/* ---- evaluate_regions.c: annotations of an archive as the manifest had them ---- */

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

#endif
