/* What the files of run share. */
#ifndef XAUDIT_RUN_RUN_INTERNAL_H
#define XAUDIT_RUN_RUN_INTERNAL_H

#include "fault.h"
#include "xaudit/print.h"
#include "xaudit/record.h"
#include "xaudit/run.h"
#include "xaudit/sched.h"
#include "xaudit/view.h"

typedef struct xa__stored xa__stored; /* the archive whose maps are taken */

typedef struct xa__run {
    xa_comm *comm;
    int rank;
    xa_run_options opt;
    xa__fault fault;
    xa_problems problems;
    xa_loaded loaded;
    xa_counts counts; /* of the manifest, on all ranks */
    xa_shared weights;
    bool has_weights;
    void *arena;
    xa_rows *rows;
    xa_contents *contents;
    xa_archive *archive;
    xa_stage *stage;
    xa_lock *lock;
    xa_sched *sched;
    /* The samples of the block at hand, unpacked; NULL: none. And a place within it. */
    xa_manifest *held;
    int64_t held_serial;
    xa_place held_place;
    /* The next ones are of rank 0 alone. Rows, labels and annotations before each sample: */
    int64_t *labels_before, *annotated_before, *annotations_before; /* [samples + 1] */
    int64_t *packed_before; /* [units + 1] bytes of all samples before a unit in grants */
    size_t pack_head;       /* bytes of a grant beside its samples */
    int64_t *todo;          /* [ntodo] units to compute */
    int64_t ntodo, units;
    uint8_t *reopen;  /* [models, samples] 1: the row is computed again; NULL: no row is */
    int64_t damaged;  /* samples whose rows are damaged */
    uint64_t *expect; /* [samples] pixel hash of an image that was audited before; 0: not known;
                         NULL: none is known */
    uint64_t
        *expect_mask;     /* [annotations] hash of its mask, in the same way; NULL if `expect` is */
    int32_t session;      /* row of this run in /run/sessions */
    double core_seconds;  /* that earlier sessions took, cores x time; 0: none, or not known */
    xa__stored *stored;   /* NULL: maps are made */
    bool resumed;         /* the archive existed */
    bool setup_done;      /* a mistake before this is the user's: exit code 2, */
    bool refused;         /* and so is an archive of another job, or a locked one */
    double begun;         /* time at which the program began */
    char processors[320]; /* names of all ranks' processors */
    double started, progress_last; /* time of the first unit, and of the last line of progress */
    bool progress_shown;           /* the cursor stands behind a bar of progress */
    bool before_shown;             /* how much earlier sessions did was said */
    xa_sched_result result;
    xa_outcome outcome;
} xa__run;

/* ---- slice.c: --slice I/N ---- */

/* Rank 0, after the whole manifest was counted: keeps one slice of it. A slice is made of whole
 * units, so that its batches are those of the undivided run, and it keeps the widths of texts of
 * the whole manifest: `xaudit merge` then makes the archive of the undivided run. INVALID: more
 * slices than units. */
XA_MUST_USE xa_status xa__run_take_slice(xa__run *r, xa_err *err);
/* Turns the job's output out.h5 into out.2-of-4.h5. A name given by --output stays. */
XA_MUST_USE xa_status xa__run_name_slice(xa__run *r, xa_err *err);

/* ---- damage.c: an archive that exists. Rank 0, but for the last two ---- */

/* Verifies all but the values of the maps, and those too with --redo-damaged. Fills `reopen` and
 * `damaged`. DAMAGED: there is damage, and the message names the command that mends it. */
XA_MUST_USE xa_status xa__run_find_damage(xa__run *r, xa_err *err);
/* Fills `expect` and `expect_mask` for the samples of the units in `open` [units]. Compares the
 * images and masks of damaged rows with those that were audited. MISMATCH: one is another; nothing
 * has been overwritten. */
XA_MUST_USE xa_status xa__run_expect_images(xa__run *r, const bool *open, xa_err *err);
/* Writes the status of the rows in `reopen`: pending, or excluded. */
XA_MUST_USE xa_status xa__run_reopen(xa__run *r, xa_err *err);
/* Compares the images of a unit with the pixel hashes expected [samples of the unit], unaligned.
 * MISMATCH: one is another. */
XA_MUST_USE xa_status xa__run_same_images(const xa_sample *samples,
                                          const xa_rows *rows,
                                          const void *expected,
                                          xa_err *err);
/* The same for masks and their hashes [annotations of the unit]. */
XA_MUST_USE xa_status xa__run_same_masks(const xa_sample *samples,
                                         const xa_rows *rows,
                                         const void *expected,
                                         xa_err *err);

/* ---- archive.c ---- */

/* Collective: creates the archive, or checks and opens the existing one. Rank 0 lists the units
 * that are to be computed. */
XA_MUST_USE xa_status xa__run_open_archive(xa__run *r, xa_err *err);

/* ---- stored.c: maps that were made before (xa_run_options.maps_from) ---- */

/* Collective, if maps are to be taken: every rank opens their archive, and units take maps from it.
 * INVALID: its run has not ended, or the job asks for what needs the explainers themselves. FORMAT,
 * DAMAGED: it cannot be read. */
XA_MUST_USE xa_status xa__stored_open(xa__run *r, xa_err *err);
/* Rank 0: MISMATCH where the job would make other maps: another model, other images, settings of
 * passes or explainers; the message lists the lines that differ. `identity` is the job's. */
XA_MUST_USE xa_status xa__stored_check(const xa__run *r, const char *identity, xa_err *err);
/* The sample that the next unit begins with. */
void xa__stored_at(xa__stored *s, int64_t sample);
void xa__stored_close(xa__stored *s);

/* ---- session.c: what the archive says of this run ---- */

/* Collective: fills `processors`. */
XA_MUST_USE xa_status xa__run_processors(xa__run *r, xa_err *err);
/* Local, rank 0: writes the start or the end of this session. */
XA_MUST_USE xa_status xa__run_session(xa__run *r, bool end, xa_err *err);
/* Local, rank 0: writes how long this session has lasted. The next sync brings it to the disk. */
XA_MUST_USE xa_status xa__run_session_time(xa__run *r, xa_err *err);

/* ---- units.c ---- */

/* Collective, when rank 0 has listed the units, and before the archive is opened: shares the memory
 * of blocks, after which it stands who leads which node. */
XA_MUST_USE xa_status xa__run_prepare_units(xa__run *r, xa_err *err);
/* Collective: hands units out, computes and writes them until none is left. INTERRUPTED: a signal
 * stopped the run. */
XA_MUST_USE xa_status xa__run_units(xa__run *r, xa_err *err);

/* ---- progress.c: rank 0 ---- */

/* A call of the scheduler (xa_sched_calls.progress). */
void xa__run_progress(void *arg, int64_t done, int64_t total, double seconds, double left);
/* Prints what was done, and fills `outcome` from the archive. */
XA_MUST_USE xa_status xa__run_report(xa__run *r, xa_status st, xa_err *err);

#endif
