/* What the files of merge share. */
#ifndef XAUDIT_APP_MERGE_INTERNAL_H
#define XAUDIT_APP_MERGE_INTERNAL_H

#include "merge.h"
#include "reader.h"

typedef struct xa_merge_part {
    const char *path;
    xa_read *r;
    char *identity;       /* its lines, without that of the slice */
    int64_t first, whole; /* of a slice; whole is 0 otherwise */
} xa_merge_part;

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
