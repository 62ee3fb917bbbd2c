/* The checksums of an archive's rows, beside the rows. Private to app. */
#ifndef XAUDIT_APP_SUMS_H
#define XAUDIT_APP_SUMS_H

#include "xaudit/archive.h"

/* Datasets of checksums that an archive has, each with those that it covers. */
typedef struct xa_sums xa_sums;
/* The archive is borrowed. */
XA_MUST_USE xa_status xa_sums_open(xa_archive *a, xa_sums **out, xa_err *err);
void xa_sums_close(xa_sums *s);

typedef struct xa_sums_info {
    const char *path; /* of the checksums */
    xa_field_kind kind;
    xa_field_names names;
    int64_t rows;
} xa_sums_info;
int xa_sums_count(const xa_sums *s);
xa_sums_info xa_sums_at(const xa_sums *s, int k);
/* A dataset that an archive of this version has checksums of and this one has not; NULL: none. */
const char *xa_sums_lacking(const xa_sums *s);
/* The same where the archive's own format promises them, so that they were lost: formats from 1.1
 * on. An evaluation promises those of its own scores: what it is of may be of format 1.0. */
const char *xa_sums_lost(const xa_sums *s);

/* Tables written at creation that have a checksum of their own; whether the k-th is what it says.
 */
int xa_sums_tables(const xa_sums *s);
XA_MUST_USE xa_status
xa_sums_check_table(const xa_sums *s, int k, const char **path, bool *same, xa_err *err);

/* Reads the k-th and all that it covers once, in blocks, and tells the rows that differ. FORMAT:
 * the datasets have other rows than their checksums. */
XA_MUST_USE xa_status xa_sums_check(
    const xa_sums *s, int k, void (*differs)(void *arg, int64_t row), void *arg, xa_err *err);

#endif
