/* What the parts of xa_verify share. */
#ifndef XAUDIT_VERIFY_VERIFY_INTERNAL_H
#define XAUDIT_VERIFY_VERIFY_INTERNAL_H

#include "xaudit/verify.h"

typedef struct xa__verifier {
    xa_archive *archive;
    const xa_verify_options *opt;
    xa_verified *out;
    int64_t samples;
    bool older;        /* of an earlier minor version of the format: fields may be absent */
    int64_t pairs;     /* rows of /eval; -1: that table is damaged */
    uint8_t *measured; /* [samples] image size known */
    uint8_t *excluded; /* [samples] by the manifest */
    uint8_t *reported; /* [samples] a damage of its rows was reported */
    uint8_t *doubted;  /* [samples] its size and pixel hash are not what was written */
    /* [nmodels] of models whose rows can be read: name and status [samples] */
    struct xa__model_status {
        char *model;
        uint8_t *status;
    } * models;
    int64_t nmodels, classes; /* the most that one of them has */
} xa__verifier;

/* A dataset read block by block beside others of as many rows. */
typedef struct xa__column {
    xa_path path;
    xa_dataset_info info;
    size_t row_bytes;
    void *data; /* the rows of the block that is visited */
} xa__column;

void xa__report(xa__verifier *v, xa_finding kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A damage of a sample's rows. */
void xa__report_row(xa__verifier *v, int64_t sample, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "row 5 (airplanes/image_0005)" of a sample, into buf. */
const char *xa__verify_row(xa__verifier *v, int64_t sample, char *buf, size_t size);

/* Looks a field's dataset up: of the table's type and extents, of which -1 means any. Reports what
 * is wrong and returns false then; info.ndim is 0. */
bool xa__verify_find(xa__verifier *v,
                     xa__column *c,
                     xa_field_kind kind,
                     const char *model,
                     const char *explainer,
                     const xa_extents *x);
/* The same for a field that archives may lack: of earlier versions, or of jobs that do not ask for
 * it. True, and no column (info.ndim is 0), where it is not there. */
bool xa__verify_find_any(xa__verifier *v,
                         xa__column *c,
                         xa_field_kind kind,
                         const char *model,
                         const char *explainer,
                         const xa_extents *x);
/* All fields of an owner, each into its place; false: one of them is damaged, and all that are were
 * reported. */
bool xa__verify_find_owned(xa__verifier *v,
                           xa__column *columns,
                           xa_owner owner,
                           const char *model,
                           const char *explainer,
                           const xa_extents *x);
/* Visits all rows of the columns, which have as many, block by block; columns that are not there
 * keep data NULL. A block that cannot be read is reported and ends the visit. NOMEM alone is an
 * error. */
XA_MUST_USE xa_status xa__verify_blocks(xa__verifier *v,
                                        xa__column *columns,
                                        int ncolumns,
                                        void (*visit)(void *arg, int64_t first, int64_t n),
                                        void *arg,
                                        xa_err *err);

/* tables.c: /samples and /eval; fills `pairs`, `measured` and `excluded`. */
XA_MUST_USE xa_status xa__verify_tables(xa__verifier *v, xa_err *err);
/* Labels and annotated classes beyond the models' classes. */
XA_MUST_USE xa_status xa__verify_classes(xa__verifier *v, int64_t classes, xa_err *err);
/* model.c: the rows of a model; status [samples] as stored and *classes; *usable is false
 * when they cannot be read, which was reported. */
XA_MUST_USE xa_status xa__verify_model(xa__verifier *v,
                                       const char *model,
                                       uint8_t *status,
                                       int64_t *classes,
                                       bool *usable,
                                       xa_err *err);
/* maps.c: the maps and localisation scores of one explainer. */
XA_MUST_USE xa_status xa__verify_maps(xa__verifier *v,
                                      const char *model,
                                      const char *explainer,
                                      const uint8_t *status,
                                      int64_t classes,
                                      xa_err *err);
/* sums.c: everything that is covered by checksums beside the rows. */
XA_MUST_USE xa_status xa__verify_sums(xa__verifier *v, xa_err *err);
/* images.c: the images and masks of done rows. */
XA_MUST_USE xa_status xa__verify_images(xa__verifier *v, xa_err *err);

#endif
