/* What the files of merge share. */
#ifndef XAUDIT_MERGE_MERGE_INTERNAL_H
#define XAUDIT_MERGE_MERGE_INTERNAL_H

#include "xaudit/merge.h"
#include "xaudit/view.h"

typedef struct xa__merge_part {
    const char *path;
    xa_read *r;
    char *identity;  /* its lines, without that of the slice */
    char **sections; /* [nsections] one identity for each archive that it was merged from, or its
                        own */
    int nsections;
    int64_t first, whole; /* of a slice: its first sample, and the samples of the whole manifest;
                             whole is 0 for others */
} xa__merge_part;

/* ---- identity.c ---- */

/* Fills `sections` from `identity`. FORMAT: it is empty. */
XA_MUST_USE xa_status xa__merge_sections(xa__merge_part *p, xa_err *err);
/* MISMATCH: the archive was made by a release with another format or other definitions. */
XA_MUST_USE xa_status xa__merge_is_current(const xa__merge_part *p, xa_err *err);
/* Slices: MISMATCH names all lines that differ. */
XA_MUST_USE xa_status xa__merge_same_job(const xa__merge_part *a,
                                         const xa__merge_part *b,
                                         xa_err *err);
/* Archives with other models or explainers: MISMATCH names the lines that differ among those about
 * what both have, which are the numerics, the manifest with its annotations, the class names,
 * models of one name with their input, and metrics of one name with their settings. */
XA_MUST_USE xa_status xa__merge_same_conventions(const xa__merge_part *a,
                                                 const xa__merge_part *b,
                                                 xa_err *err);
/* The identities of all parts, one after another. No job has such an identity, so that no run
 * continues the merged archive. */
XA_MUST_USE xa_status xa__merge_identity(const xa__merge_part *parts,
                                         int n,
                                         xa_str *out,
                                         xa_err *err);

/* ---- slices.c, models.c: create the whole file `part` ---- */

/* The parts are in the order of their first samples. */
XA_MUST_USE xa_status xa__merge_slices(const xa__merge_part *parts,
                                       int n,
                                       const char *part,
                                       xa_err *err);
/* The parts are in the order of the command line. */
XA_MUST_USE xa_status xa__merge_models(const xa__merge_part *parts,
                                       int n,
                                       const char *part,
                                       xa_err *err);

#endif
