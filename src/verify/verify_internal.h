/* What the parts of xa_verify share. */
#ifndef XAUDIT_VERIFY_VERIFY_INTERNAL_H
#define XAUDIT_VERIFY_VERIFY_INTERNAL_H

#include "xaudit/verify.h"

typedef struct xa_verifier {
    xa_archive *archive;
    const xa_verify_options *opt;
    xa_verdict *out;
    int64_t samples;
    int64_t pairs;     /* rows of /eval; -1: that table is damaged */
    uint8_t *measured; /* [samples] image size known */
    uint8_t *excluded; /* [samples] by the manifest */
    uint8_t *told;     /* [samples] a damage of its rows was */
    uint8_t *doubted;  /* [samples] its size and pixel hash are not what was written */
    /* [nmodels] of models whose rows can be told: name and status [samples] */
    struct xa_verify_status {
        char *model;
        uint8_t *status;
    } * models;
    int64_t nmodels, classes; /* the most that one of them has */
} xa_verifier;

/* A dataset read block by block beside others of as many rows. */
typedef struct xa_verify_column {
    char path[512];
    xa_dataset_info info;
    size_t row_bytes;
    void *data; /* the rows of the block in hand */
} xa_verify_column;

void xa_verify_tell(xa_verifier *v, xa_finding kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A damage of a sample's rows. */
void xa_verify_tell_row(xa_verifier *v, int64_t sample, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "row 5 (airplanes/image_0005)" of a sample, into buf. */
const char *xa_verify_row(xa_verifier *v, int64_t sample, char *buf, size_t size);

/* Looks a dataset up. want[ndim]: its extents, -1 any. Tells what is wrong and returns false then.
 */
bool xa_verify_column_find(xa_verifier *v,
                           xa_verify_column *c,
                           const char *group,
                           const char *name,
                           xa_type type,
                           int ndim,
                           const int64_t *want);
/* Visits all rows of the columns, which have as many, block by block. Blocks that cannot be read
 * are told and end the visit. NOMEM alone is an error. */
XA_MUST_USE xa_status xa_verify_blocks(xa_verifier *v,
                                       xa_verify_column *columns,
                                       int ncolumns,
                                       void (*visit)(void *arg, int64_t first, int64_t n),
                                       void *arg,
                                       xa_err *err);

/* verify_tables.c: /samples and /eval; fills `pairs`, `measured` and `excluded`. */
XA_MUST_USE xa_status xa_verify_tables(xa_verifier *v, xa_err *err);
/* Labels and annotated classes beyond the models' classes. */
XA_MUST_USE xa_status xa_verify_classes(xa_verifier *v, int64_t classes, xa_err *err);
/* verify_model.c: the rows of a model; status [samples] as stored and *classes; *usable is false
 * when they cannot be told (and why was). */
XA_MUST_USE xa_status xa_verify_model(xa_verifier *v,
                                      const char *model,
                                      uint8_t *status,
                                      int64_t *classes,
                                      bool *usable,
                                      xa_err *err);
/* verify_maps.c: the maps and localisation scores of one explainer. */
XA_MUST_USE xa_status xa_verify_maps(xa_verifier *v,
                                     const char *model,
                                     const char *explainer,
                                     const uint8_t *status,
                                     int64_t classes,
                                     xa_err *err);
/* verify_sums.c: everything that is covered by checksums beside the rows. */
XA_MUST_USE xa_status xa_verify_sums(xa_verifier *v, xa_err *err);
/* verify_images.c: the images and masks of done rows. */
XA_MUST_USE xa_status xa_verify_images(xa_verifier *v, xa_err *err);

#endif
