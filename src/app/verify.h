/* Is an archive whole? Private to app. */
#ifndef XAUDIT_APP_VERIFY_H
#define XAUDIT_APP_VERIFY_H

#include "xaudit/archive.h"

typedef enum xa_finding {
    XA_FINDING_DAMAGE, /* something that no run writes */
    XA_FINDING_MISSING /* work that is not done yet; a run resumes it */
} xa_finding;

typedef struct xa_verdict {
    int64_t samples, models, explainers;
    int64_t done;    /* rows of models, done */
    int64_t maps;    /* rows of maps whose checksum was taken */
    int64_t damages; /* findings of each kind */
    int64_t missing;
    uint8_t state; /* /run/state */
} xa_verdict;

/* Reads the whole archive once, in blocks of a few MiB (or one row, if that is larger) and a byte a
 * sample of one model, and tells every finding, one line each, naming model, explainer and row. In
 * detail:
 * tables: types and extents, offsets from 0 up to the flat array's end, classes and rows in range;
 * models: statuses, stages, messages; a done row has finite scores, the probabilities that the head
 * gives for its logits (within 1e-6), the class they predict, a finite affine map, an image size;
 * maps: of done samples the checksum of the stored values, and flags, maximum, scale and target
 * that go with them. Rows that are not done are not looked at: they may be half written.
 * Not seen: damage to peaks, localisation scores, seconds and free texts that keeps their form.
 * Errors are those of opening and memory; what cannot be read later is a finding. */
XA_MUST_USE xa_status xa_verify(const char *path,
                                void (*tell)(void *arg, xa_finding kind, const char *text),
                                void *arg,
                                xa_verdict *out,
                                xa_err *err);

#endif
