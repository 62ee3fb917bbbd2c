/* Whether an archive is of this job and of this release. Private to app. */
#ifndef XAUDIT_APP_IDENTITY_H
#define XAUDIT_APP_IDENTITY_H

#include "xaudit/archive.h"

/* The parts of an identity (job_identity.c), as bits of what differs. VERSIONS: the format's or any
 * of the definitions', whatever else. */
enum {
    XA_IDENTITY_VERSIONS = 1,
    XA_IDENTITY_PASS = 2,
    XA_IDENTITY_MAPS = 4,
    XA_IDENTITY_METRICS = 8, /* settings of metrics, and nothing else of scores */
    XA_IDENTITY_SCORES = 16, /* anything else of scores */
    XA_IDENTITY_SLICE = 32,
    XA_IDENTITY_LIMITS = 64 /* max_pixels or max_bytes, larger in the second */
};

/* How two identities differ. What stands or falls with a list that differs anyway (the settings of
 * a metric that only one has) is not told. */
typedef struct xa_identity_difference {
    unsigned parts;
    int n;       /* lines told of */
    xa_str told; /* xa_identity_tell; VERSIONS: those alone. Freed by the caller */
} xa_identity_difference;
/* The texts are called a_name and b_name. NOMEM. */
XA_MUST_USE xa_status xa_identity_differ(const char *a,
                                         const char *b,
                                         const char *a_name,
                                         const char *b_name,
                                         xa_identity_difference *out,
                                         xa_err *err);

/* The lines of versions: of an identity, and of this release. */
void xa_identity_versions(const char *identity, xa_str *out);
void xa_identity_current(xa_str *out);
/* Is a key one of those that an evaluation makes anew: metrics, their settings, their version? */
bool xa_identity_of_metrics(const char *key, size_t size);

/* May the archive at `path` go on with a job of this identity? MISMATCH says what differs, and what
 * to do about it. `job`: the job's file, for the advice. retry_failed: limits of what is read may
 * be larger, as failed images are read again (the identity stays that of the beginning). Other
 * errors as xa_archive_check_identity's, NOT_FOUND among them. */
XA_MUST_USE xa_status xa_identity_check(
    const char *path, const char *text, const char *job, bool retry_failed, xa_err *err);

/* Versions of the numbers in an archive; 1 where it does not say. `file` is for messages. */
typedef struct xa_versions {
    int64_t metrics, map_scores; /* XA_METRICS_VERSION, XA_MAP_SCORES_VERSION of its making */
    char tool[32];               /* the release's */
} xa_versions;
XA_MUST_USE xa_status xa_versions_read(xa_archive *a,
                                       const char *file,
                                       xa_versions *out,
                                       xa_err *err);
/* MISMATCH where scores of the two archives mean other things: names both versions and the way to
 * one. */
XA_MUST_USE xa_status
xa_versions_same(xa_archive *a, const char *a_file, xa_archive *b, const char *b_file, xa_err *err);
/* Warns where an archive's scores are not of this release's definitions. */
XA_MUST_USE xa_status xa_versions_tell(xa_archive *a, const char *file, xa_err *err);

#endif
