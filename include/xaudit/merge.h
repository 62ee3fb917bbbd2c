/* Joins several archives into one.
 *
 * Slices of one manifest (`xaudit run --slice I/N`) with one identity become the archive of the
 * undivided run: every dataset but those of /run is the same. Archives of one manifest with other
 * models, or with other explainers of the same models, become one that holds them all. Nothing is
 * computed; maps are copied through a buffer. */
#ifndef XAUDIT_MERGE_H
#define XAUDIT_MERGE_H

#include "xaudit/archive.h"

typedef struct xa_merged {
    bool slices; /* slices were joined; otherwise models or explainers */
    int64_t samples, models, explainers;
    double bytes; /* size of the new archive */
} xa_merged;

/* Local. paths [n] are borrowed and only read. The output is written as OUTPUT.part and renamed
 * when it is complete.
 *
 * MISMATCH says which archives do not fit and why: their settings differ, samples are missing,
 * pending or in two of them, images or masks differ, or two archives hold the same explainer. BUSY:
 * the output exists, or somebody is writing it. NOT_FOUND, FORMAT: an archive cannot be read. */
XA_MUST_USE xa_status
xa_merge(const char *const *paths, int n, const char *output, xa_merged *out, xa_err *err);

#endif
