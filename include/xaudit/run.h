/* Runs one job over all ranks, into one archive. */
#ifndef XAUDIT_RUN_H
#define XAUDIT_RUN_H

#include "xaudit/comm.h"
#include "xaudit/job.h"

/* Exit codes of the program, as `xaudit --help` states them. */
typedef enum xa_exit {
    XA_EXIT_DONE = 0,    /* done */
    XA_EXIT_FAILED = 1,  /* failed */
    XA_EXIT_USAGE = 2,   /* wrong usage, or a mistake in the job, a model or the manifest */
    XA_EXIT_SAMPLES = 3, /* done, but more samples failed than the job tolerates */
    XA_EXIT_RESUME = 75  /* interrupted: the same command resumes */
} xa_exit;

/* Collective over the ranks of the launcher; starts and stops MPI. Rank 0 reads the job and the
 * manifest, all ranks open the models, one archive is created or resumed, and units of samples are
 * handed out until none is left. Rank 0 prints mistakes, progress and the outcome. Returns the exit
 * code of the process: an xa_exit on rank 0, and 0 on the others. `o` is borrowed. */
int xa_run_job(const xa_run_options *o);

/* Renames a file to NAME.1, NAME.2, ..., the first of these that is free, and says so on standard
 * error: `--fresh` never deletes. Local. IO: it cannot be renamed. LIMIT: all are taken. */
XA_MUST_USE xa_status xa_set_aside(const char *path, xa_err *err);

/* ---- abandon.c: leaving where an orderly end could hang ---- */

/* Collective, after a failure `st` that all ranks know of. True if an orderly end could hang: some
 * rank could not write the archive (NULL: there is none), or messages are lost (COMM). The caller
 * then leaves with xa_abandon. */
bool xa_is_lost(xa_comm *comm, const xa_archive *archive, xa_status st);
/* Collective: xa_archive_close with a time limit, since a rank whose disk fails during it would
 * leave the others waiting. After two minutes the process ends with XA_EXIT_FAILED. archive may be
 * NULL. */
XA_MUST_USE xa_status xa_close_archive(xa_comm *comm, xa_archive *archive, xa_err *err);
/* Ends all ranks with the code of rank 0, which has printed the error. Does not return. */
void xa_abandon(xa_comm *comm, int code);

#endif
