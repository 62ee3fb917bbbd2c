/* sched: decides which rank works on which samples: grants, asks, stops, progress, signals.
 *
 * Work has three sizes with a word for each:
 *
 * - a unit is the indivisible piece: the batches of all models over the same samples (a multiple of
 *   every model's batch), cut by the global index in the manifest, never by rank;
 * - a grant is one or more consecutive units that a rank gets at once, with their manifest rows;
 * - a commit is what a rank has written and synced, reported when its grant ends; only then does
 *   rank 0 mark the rows as done.
 *
 * Rank 0 holds the list of units to do. A rank's *ask* carries what it finished and synced, whether
 * it wishes to stop, and that it failed; the answer is a grant, STOP or END. A rank asks for
 * its next grant shortly before the current one ends (not during its very first grant, whose length
 * is unknown), so that it neither waits while there is work nor keeps work from other ranks. Rank 0
 * works too and answers from the tick callback of the engine (xa_sched_tick); idle ranks nap. There
 * are no collectives between start and end, so signals, a full disk and errors travel with the
 * asks; one agreement ends the run.
 *
 * Grant sizes follow from the measured seconds per unit (target_seconds), start with one unit and
 * shrink towards the end: never more than remaining/(2*ranks), less for a slow rank, at least one
 * unit.
 */
#ifndef XAUDIT_SCHED_H
#define XAUDIT_SCHED_H

#include "xaudit/comm.h"

typedef struct xa_sched xa_sched;

/* What the program does; the scheduler only decides which rank does it, and when. */
typedef struct xa_sched_calls {
    void *arg;
    /* Rank 0: the bytes a worker needs for units [first, first+n) (manifest rows), appended to
     * `out`. */
    xa_status (*pack)(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err);
    /* Every rank: compute units [first, first+n), write their rows and sync them. `report` receives
     * bytes for rank 0's mark(). Calls xa_sched_tick from inside. When xa_sched_stopping() turns
     * true it may return early with *finished < n: the first *finished units are synced and
     * reported. After an error none of them count as finished. */
    xa_status (*work)(void *arg,
                      int64_t first,
                      int64_t n,
                      const void *payload,
                      size_t size,
                      int64_t *finished,
                      xa_str *report,
                      xa_err *err);
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
    double target_seconds;   /* length of a grant; default 2 */
    double progress_seconds; /* default 0.5 */
    int64_t max_grant;       /* units, 0: no limit */
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
    double overhead_seconds;           /* rank 0: answering and marking in ticks of its work() */
    int64_t grants;                    /* rank 0: grants given */
} xa_sched_result;

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
void xa_sched_free(xa_sched *s);

/* Local, cheap, from inside work(): rank 0 answers waiting asks, every rank sends its next ask in
 * time and reads the signal flag. Errors are kept and come out of xa_sched_run. Shape of an
 * xa_tick call. */
void xa_sched_tick(void *sched);
/* True once this rank knows that the run is to stop after the current batches. */
bool xa_sched_stopping(const xa_sched *s);
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
