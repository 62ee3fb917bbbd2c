/* run: one job over all ranks, into one archive. */
#ifndef XAUDIT_RUN_H
#define XAUDIT_RUN_H

#include "xaudit/comm.h"
#include "xaudit/job.h"

/* Exit codes, documented in --help. */
typedef enum xa_exit {
    XA_EXIT_DONE = 0,
    XA_EXIT_FAILED = 1,
    XA_EXIT_USAGE = 2,
    XA_EXIT_SAMPLES = 3,
    XA_EXIT_RESUME = 75
} xa_exit;

/* Collective: starts and stops MPI. Rank 0 reads the job and the manifest, all ranks open the
 * models, one archive is created or resumed, units are handed out until none is left. Prints
 * mistakes, progress and the outcome; the exit code, 0 on ranks other than 0. */
int xa_run_job(const xa_run_options *o);

/* --fresh: renames a file to NAME.1, NAME.2, ..., the first that is free, and says so; never
 * deletes. */
XA_MUST_USE xa_status xa_set_aside(const char *path, xa_err *err);

/* ---- abandon.c: the end without closing ---- */

/* Collective. After a failure that all ranks know of: an orderly end could hang, since a rank could
 * not write the archive (NULL allowed) or messages are lost (XA_COMM). */
bool xa_is_lost(xa_comm *comm, const xa_archive *archive, xa_status st);
/* Collective. xa_archive_close, which ends the process with XA_EXIT_FAILED after two minutes: a
 * rank whose disk dies just now leaves the others in there. NULL allowed. */
XA_MUST_USE xa_status xa_close_archive(xa_comm *comm, xa_archive *archive, xa_err *err);
/* Ends all ranks with rank 0's code, once rank 0 has told the error. Does not come back. */
void xa_abandon(xa_comm *comm, int code);

#endif
