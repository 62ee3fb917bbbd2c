/* The pieces of `xaudit run`. Private to app. */
#ifndef XAUDIT_APP_RUN_INTERNAL_H
#define XAUDIT_APP_RUN_INTERNAL_H

#include "app.h"
#include "fault.h"
#include "xaudit/sched.h"

typedef struct run {
    xa_comm *comm;
    int rank;
    xa_run_options opt;
    xa_fault fault;
    xa_problems problems;
    xa_loaded loaded;
    xa_counts counts;
    xa_shared weights;
    bool has_weights;
    void *arena;
    xa_rows *rows;
    xa_contents *contents;
    xa_archive *archive;
    xa_stage *stage;
    xa_lock *lock;
    xa_sched *sched;
    /* rank 0 */
    int64_t *labels_before, *annotated_before, *annotations_before; /* [samples+1] */
    int64_t *todo;                                                  /* units */
    int64_t ntodo, units;
    int32_t session;
    bool resumed;    /* the archive was there */
    bool setup_done; /* mistakes until here are the user's: exit 2 */
    bool refused;    /* so are an archive of another job, a locked or an unwritable one */
    double started, progress_last;
    bool progress_shown;
    xa_sched_result result;
    xa_outcome outcome;
} run;

/* run_slice.c. --slice I/N takes whole units, so that every batch is one of the undivided run, and
 * keeps the widths of texts of the whole manifest: `xaudit merge` then makes the undivided run's
 * archive. INVALID: more slices than units. Rank 0, after the whole manifest was counted. */
XA_MUST_USE xa_status xa_run_take_slice(run *r, xa_err *err);
/* The job's own output out.h5 becomes out.2-of-4.h5; --output stands. */
XA_MUST_USE xa_status xa_run_name_slice(run *r, xa_err *err);

/* run_archive.c. Collective: creates or checks and opens the archive; rank 0 lists the units to do.
 */
XA_MUST_USE xa_status xa_run_open_archive(run *r, xa_err *err);
/* Local, rank 0: notes the start or the end of this session. */
XA_MUST_USE xa_status xa_run_session(run *r, bool end, xa_err *err);

/* run_units.c. Collective: hands out and computes. INTERRUPTED when stopped by a signal. */
XA_MUST_USE xa_status xa_run_units(run *r, xa_err *err);
/* Rank 0: what was done, to stdout. */
XA_MUST_USE xa_status xa_run_report(run *r, xa_status st, xa_err *err);

#endif
