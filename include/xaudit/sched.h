/* sched: decides which rank works on which samples: grants, blocks, stops, progress, signals.
 *
 * Work has three sizes with a word for each:
 *
 * - a unit is the indivisible piece: the batches of all models over the same samples (a multiple of
 *   every model's batch), cut by the global index in the manifest, never by rank;
 * - a grant is one or more consecutive units that a *node* gets at once, with their manifest rows;
 *   in the node's shared memory it is a block, with room for the rows of its units;
 * - a commit is a block whose rows are written and synced; only then does rank 0 mark them as done.
 *
 * Rank 0 holds the list of units to do and deals with one leader a node (the node's lowest rank,
 * which works too; rank 0 leads its own). A leader's *ask* carries what its node finished and
 * synced, whether a rank wishes to stop, and that one failed; the answer is a grant, STOP or END.
 * A leader asks for the next grant shortly before its node runs out of units, so that no rank waits
 * while there is work. Within a node nobody sends messages: ranks take units from the open block,
 * compute them and put their rows into its memory; when all are through, its columns are written,
 * while the next block is computed already. Leaders deal with messages in the tick callback of the
 * engine (xa_sched_tick); idle ranks nap. There are no collectives between start and end, so
 * signals, a full disk and errors travel with the asks; one agreement ends the run.
 *
 * Grant sizes follow from the measured seconds per unit of a node (target_seconds), start with two
 * units a rank and shrink towards the end. Where the units of a node lie: src/sched/deal.h. Where a
 * node has too little shared memory for its blocks, each of its ranks is a node of its own
 * (xa_comm_part), with blocks in its own memory.
 */
#ifndef XAUDIT_SCHED_H
#define XAUDIT_SCHED_H

#include "xaudit/comm.h"

typedef struct xa_sched xa_sched;

/* A grant on a node, the same for all its ranks. */
typedef struct xa_sched_block {
    int64_t first, n; /* units */
    int64_t serial;   /* of this block: another block of the node has another */
    const void *payload;
    size_t payload_size; /* rank 0's bytes for the block */
    unsigned char *rows; /* 64-byte aligned, of the size that xa_sched_calls.room said; ranks share
                            it, and each writes what belongs to its units */
} xa_sched_block;

/* What the program does; the scheduler only decides which rank does it, and when. */
typedef struct xa_sched_calls {
    void *arg;
    /* Rank 0: how many bytes units [first, first+n) need: of payload (pack() may not give more) and
     * of rows. Neither shrinks when units are added. */
    void (*room)(void *arg, int64_t first, int64_t n, size_t *payload, size_t *rows);
    /* Rank 0: the bytes a node needs for units [first, first+n) (manifest rows), appended to
     * `out`. */
    xa_status (*pack)(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err);
    /* Every rank: compute one unit of the block and put its rows into the block's memory. Calls
     * xa_sched_tick from inside. After an error the unit does not count, and the run ends. */
    xa_status (*work)(void *arg, const xa_sched_block *b, int64_t unit, xa_err *err);
    /* Leaders: write one column of the rows of units [first,
     * first+n) of a block, and bring what this node has written to the disk. */
    xa_status (*write)(
        void *arg, const xa_sched_block *b, int column, int64_t first, int64_t n, xa_err *err);
    xa_status (*sync)(void *arg, xa_err *err);
    /* Leaders: the bytes for rank 0's mark() of units [first, first+n) of a block. Those of units
     * that follow one another, one behind the other, are those of all of them. */
    xa_status (*report)(
        void *arg, const xa_sched_block *b, int64_t first, int64_t n, xa_str *out, xa_err *err);
    /* Rank 0: units [first, first+n) are written and synced: mark them. Called in the order of
     * units, once for commits that wait together and follow one another, whoever made them, with
     * their reports one behind the other; also from a tick within rank 0's own work(). */
    xa_status (*mark)(
        void *arg, int64_t first, int64_t n, const void *report, size_t size, xa_err *err);
    /* Rank 0: makes durable what was marked since the last call; NULL if mark() does that itself.
     * Syncing costs a millisecond or more, so several commits are settled together: marking takes
     * at most a twentieth of rank 0's time. */
    xa_status (*settle)(void *arg, xa_err *err);
    /* Rank 0, at most a few times a second; NULL: no progress. done and total count units of this
     * run; seconds_left is negative while unknown. Called once more at the end. */
    void (*progress)(void *arg, int64_t done, int64_t total, double seconds, double seconds_left);
} xa_sched_calls;

typedef struct xa_sched_options {
    const int64_t *todo; /* rank 0: unit numbers to do, ascending; borrowed for the run */
    int64_t ntodo;
    double target_seconds;   /* length of a grant; 0: 2, or 4 where there are several nodes */
    double progress_seconds; /* default 0.5 */
    int64_t max_grant;       /* units, 0: no limit */
    int columns;             /* of a block, each written by one call of write() */
    int64_t align;           /* units between two places where nodes' rows meet without harm: see
                                src/sched/deal.h; default 1 */
} xa_sched_options;
xa_sched_options xa_sched_defaults(void);

typedef enum xa_sched_end {
    XA_SCHED_DONE,    /* every unit is marked */
    XA_SCHED_STOPPED, /* asked to stop: resumable */
    XA_SCHED_FAILED   /* a rank failed */
} xa_sched_end;

typedef struct xa_sched_result {
    xa_sched_end end;
    int64_t done;                      /* units marked, by rank 0's count */
    int signal;                        /* the signal that stopped the run, or 0 */
    double work_seconds, idle_seconds; /* of this rank */
    double overhead_seconds;           /* leaders: answering, writing, marking within work() */
    int64_t grants;                    /* rank 0: grants given */
} xa_sched_result;

/* Collective: shares the memory of blocks, of 8 MiB a rank or what rank 0's room() says that the
 * largest unit takes, whichever is more, three times a node. All ranks have the same status. */
XA_MUST_USE xa_status xa_sched_create(xa_comm *c,
                                      const xa_sched_options *opt,
                                      const xa_sched_calls *calls,
                                      xa_sched **out,
                                      xa_err *err);
/* Collective; called once per scheduler. Returns when all ranks have left the loop; the status is
 * agreed: the first error of any rank, with its rank and host. A run that was asked to stop is
 * XA_OK with end STOPPED. *result is written in every case. XA_COMM may mean that the ranks cannot
 * reach each other any more: other ranks may then still wait, and only xa_comm_abort ends them. */
XA_MUST_USE xa_status xa_sched_run(xa_sched *s, xa_sched_result *result, xa_err *err);
/* Collective. NULL allowed on all ranks alike. */
void xa_sched_free(xa_sched *s);

/* Local, cheap, from inside work(): reads flags; leaders deal with messages, and write columns that
 * wait. Errors are kept and come out of xa_sched_run.
 * Shape of an xa_tick call. */
void xa_sched_tick(void *sched);
/* Local, from inside work(): this rank wishes the whole run to stop, as a signal would. */
void xa_sched_stop(xa_sched *s);

/* Signals SIGTERM, SIGINT, SIGUSR1 set a flag (async-signal-safe); a second SIGINT ends the process
 * as it would have without this. The flag and the handlers are process-wide by nature. Install them
 * in main before MPI starts, so that no signal is lost, and again when it has started; remove them
 * at the end. MPICH puts a handler of its own on SIGUSR1, which it takes for news of a process that
 * failed: it then asks its launcher, and a program that was started alone waits for one for ever.
 */
void xa_signals_install(void);
void xa_signals_remove(void);
int xa_signals_pending(void); /* the signal number, or 0 */

#endif
