/* Several archives into one.
 *
 * Slices of one manifest (`run --slice`), of one identity, become the archive of the undivided run,
 * dataset by dataset the same; only /run differs. Archives of one manifest with other models or
 * other explainers become one that holds them all. Nothing is computed; maps stream through a
 * buffer. */
#ifndef XAUDIT_MERGE_H
#define XAUDIT_MERGE_H

#include "xaudit/archive.h"

typedef struct xa_merged {
    bool slices; /* else models and explainers */
    int64_t samples, models, explainers;
    double bytes; /* of the new archive */
} xa_merged;
/* Local. Written as OUTPUT.part and renamed when it is whole. MISMATCH says which archives do not
 * fit and why: other settings, gaps or overlaps, samples that are pending, other images, models or
 * explainers that both have. BUSY: the output is there. */
XA_MUST_USE xa_status
xa_merge(const char *const *paths, int n, const char *output, xa_merged *out, xa_err *err);

#endif
