/* What the files of merge share. */
#ifndef XAUDIT_MERGE_MERGE_INTERNAL_H
#define XAUDIT_MERGE_MERGE_INTERNAL_H

#include "xaudit/merge.h"
#include "xaudit/view.h"

typedef struct xa_merge_part {
    const char *path;
    xa_read *r;
    char *identity;  /* its lines, without that of the slice */
    char **sections; /* [nsections] the identities of what it was merged of, or its own */
    int nsections;
    int64_t first, whole; /* of a slice; whole is 0 otherwise */
} xa_merge_part;

/* merge_identity.c. Fills sections from identity. */
XA_MUST_USE xa_status xa_merge_sections(xa_merge_part *p, xa_err *err);
/* MISMATCH: it is of a release with another format or other definitions. */
XA_MUST_USE xa_status xa_merge_is_current(const xa_merge_part *p, xa_err *err);
/* MISMATCH tells the lines that differ: all of them; or, of archives with other models and
 * explainers, those about what both have: the numerics, the manifest with its annotations, models
 * of one name with their input, metrics of one name with their settings, class names. */
XA_MUST_USE xa_status xa_merge_same_job(const xa_merge_part *a,
                                        const xa_merge_part *b,
                                        xa_err *err);
XA_MUST_USE xa_status xa_merge_same_conventions(const xa_merge_part *a,
                                                const xa_merge_part *b,
                                                xa_err *err);
/* The identity of all together, with which no run goes on: theirs, one after another. */
XA_MUST_USE xa_status xa_merge_identity(const xa_merge_part *parts,
                                        int n,
                                        xa_str *out,
                                        xa_err *err);

/* Both create `part` whole; the parts are sorted (slices) or in the order of the command. */
XA_MUST_USE xa_status xa_merge_slices(const xa_merge_part *parts,
                                      int n,
                                      const char *part,
                                      xa_err *err);
XA_MUST_USE xa_status xa_merge_models(const xa_merge_part *parts,
                                      int n,
                                      const char *part,
                                      xa_err *err);

#endif
