/* What the files of run share. */
#ifndef XAUDIT_RUN_RUN_INTERNAL_H
#define XAUDIT_RUN_RUN_INTERNAL_H

#include "fault.h"
#include "xaudit/print.h"
#include "xaudit/record.h"
#include "xaudit/run.h"
#include "xaudit/sched.h"
#include "xaudit/view.h"

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
    uint8_t *reopen;  /* [nmodels, samples] rows that are done no more; NULL: none */
    int64_t damaged;  /* samples whose rows are damaged */
    uint64_t *expect; /* [samples] pixel hash of images audited before; 0: not known; NULL: none */
    uint64_t *expect_mask; /* [annotations] likewise of their masks; NULL as `expect` is */
    int32_t session;
    bool resumed;         /* the archive was there */
    bool setup_done;      /* mistakes until here are the user's: exit 2 */
    bool refused;         /* so are an archive of another job, a locked or an unwritable one */
    double begun;         /* the program */
    char processors[320]; /* of all ranks */
    double started, progress_last;
    bool progress_shown;
    xa_sched_result result;
    xa_outcome outcome;
} run;

/* slice.c. --slice I/N takes whole units, so that every batch is one of the undivided run, and
 * keeps the widths of texts of the whole manifest: `xaudit merge` then makes the undivided run's
 * archive. INVALID: more slices than units. Rank 0, after the whole manifest was counted. */
XA_MUST_USE xa_status xa_run_take_slice(run *r, xa_err *err);
/* The job's own output out.h5 becomes out.2-of-4.h5; --output stands. */
XA_MUST_USE xa_status xa_run_name_slice(run *r, xa_err *err);

/* damage.c. Rank 0, of an archive that was there. Looks at all but the maps' values, with
 * --redo-damaged at those too. DAMAGED: damage, and the command that mends it. Fills `reopen` and
 * `damaged`. */
XA_MUST_USE xa_status xa_run_find_damage(run *r, xa_err *err);
/* Fills `expect` and `expect_mask` for the samples of the units in `open` [units], and compares the
 * images and masks of damaged rows with what was audited: MISMATCH before anything is overwritten.
 */
XA_MUST_USE xa_status xa_run_expect_images(run *r, const bool *open, xa_err *err);
/* The rows in `reopen` are written to be pending, or excluded. */
XA_MUST_USE xa_status xa_run_reopen(run *r, xa_err *err);
/* An image of this unit that was audited before is another one now. */
XA_MUST_USE xa_status xa_run_same_images(const xa_sample *samples,
                                         const xa_rows *rows,
                                         const void *expected,
                                         xa_err *err);
/* Likewise a mask. */
XA_MUST_USE xa_status xa_run_same_masks(const xa_sample *samples,
                                        const xa_rows *rows,
                                        const void *expected,
                                        xa_err *err);

/* archive.c. Collective: creates or checks and opens the archive; rank 0 lists the units to do.
 */
XA_MUST_USE xa_status xa_run_open_archive(run *r, xa_err *err);
/* session.c. Collective: names the ranks' processors, in `processors`. */
XA_MUST_USE xa_status xa_run_processors(run *r, xa_err *err);
/* Local, rank 0: how long this session has lasted; before a sync. */
XA_MUST_USE xa_status xa_run_session_time(run *r, xa_err *err);
/* Local, rank 0: notes the start or the end of this session. */
XA_MUST_USE xa_status xa_run_session(run *r, bool end, xa_err *err);

/* units.c. Collective: hands out and computes. INTERRUPTED when stopped by a signal. */
XA_MUST_USE xa_status xa_run_units(run *r, xa_err *err);
/* Rank 0: what was done, to stdout. */
XA_MUST_USE xa_status xa_run_report(run *r, xa_status st, xa_err *err);

#endif
