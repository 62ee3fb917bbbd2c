/* Is an archive whole?  */
#ifndef XAUDIT_VERIFY_H
#define XAUDIT_VERIFY_H

#include "xaudit/archive.h"

typedef enum xa_finding {
    XA_FINDING_DAMAGE,  /* something that no run writes */
    XA_FINDING_MISSING, /* work that is not done yet; a run resumes it */
    XA_FINDING_IMAGE,   /* an image is not the one that was audited */
    XA_FINDING_MASK,    /* a mask is not the one that was scored with */
    XA_FINDING_NOTE     /* what could not be looked at */
} xa_finding;

/* What mends a damage: computing the sample's rows again; any run (-2); nothing but an earlier copy
 * or a new archive (-1). */
enum { XA_MENDED_BY_NOTHING = -1, XA_MENDED_BY_RUN = -2 };

/* What was looked at, and how many findings there are. */
typedef struct xa_verified {
    int64_t samples, models, explainers;
    int64_t done;    /* rows of models, done */
    int64_t maps;    /* rows of maps whose checksum was taken */
    int64_t rows;    /* checksums of other rows that were taken */
    int64_t images;  /* images that were read */
    int64_t masks;   /* annotations whose masks were read */
    int64_t damages; /* findings of each kind */
    int64_t missing, other_images, other_masks;
    uint8_t state; /* /run/state */
} xa_verified;

typedef struct xa_verify_options {
    bool values;            /* the maps themselves, too */
    bool images;            /* the images and masks of done rows, read again */
    const char *image_root; /* where they are; NULL: as the archive says */
    /* One line per finding; `sample` of a damage as above. */
    void (*report)(void *arg, xa_finding kind, int64_t sample, const char *text);
    void *arg;
} xa_verify_options;

/* Reads the archive once, in blocks of a few MiB (or one row, if that is larger) and a byte per
 * sample and model, and reports every finding, one line each, which names model, explainer and row.
 * In detail: tables: types and extents, offsets from 0 up to the flat array's end, classes and rows
 * in range; models: statuses, stages, messages; a done row has finite scores, the probabilities
 * that the head gives for its logits (within 1e-6), the class they predict, a finite affine map, an
 * image size; maps (if requested): of done samples the checksum of the stored values, and flags,
 * maximum, scale and target that go with them; checksums (archive.h) of everything else that a run
 * writes for done and failed samples, scores and statistics among them; a sample is reported once.
 * Rows that are not done are not looked at: they may be half written.
 * Not seen: damage to seconds, mean maps and texts from the manifest that keeps their form.
 * Errors are those of opening and memory; what cannot be read later is a finding. */
XA_MUST_USE xa_status xa_verify(const char *path,
                                const xa_verify_options *opt,
                                xa_verified *out,
                                xa_err *err);

#endif
