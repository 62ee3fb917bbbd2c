/* A run of sleeping units, with every promise of the scheduler watched.
 *
 * Each rank keeps books of the units it computed, of the columns it wrote and of what it reported
 * as a leader, rank 0 one of the units marked; afterwards the books are summed. Payloads, rows and
 * reports are bytes that follow from the units, checked on arrival.
 */
#ifndef XA_SCHED_WORLD_H
#define XA_SCHED_WORLD_H

#include "comm/mpi_test.h"
#include "xaudit/sched.h"

enum { WORLD_UNITS = 4000, WORLD_COLUMNS = 3 };

typedef struct world {
    xa_comm *c;
    xa_sched *s;
    int rank, size;
    double unit_seconds; /* of this rank */
    double tick_seconds; /* between two ticks of work() */
    size_t payload_most; /* bytes; varies with the unit */
    size_t report_most;
    bool busy_callbacks; /* pack and mark tick, too */
    /* Things that go wrong; -1: nothing */
    int64_t fail_at;      /* work fails at this unit on whichever rank has it */
    int fail_rank;        /* ... or at a unit of this rank, its fail_turn-th (from 0) */
    int fail_turn;        /* */
    xa_status fail_code;  /* */
    int64_t write_fails;  /* the column of this unit cannot be written, */
    bool sync_fails;      /* or no block be synced */
    int64_t pack_fail_at; /* pack fails at this unit */
    int64_t mark_fails;   /* mark fails once so many units are marked */
    int64_t stop_at;      /* xa_sched_stop at this unit */
    int64_t signal_at;    /* raise(SIGUSR1) at this unit */
    int stop_rank;        /* only on this rank, at any unit; else -1 */
    /* The books */
    int units;    /* calls of work */
    bool stopper; /* xa_sched_stop was called here */
    int64_t most_grant, tail_breaches;
    int64_t remaining; /* rank 0, by the calls of pack */
    int64_t computed[WORLD_UNITS];
    int64_t written[WORLD_COLUMNS][WORLD_UNITS];
    int64_t finished[WORLD_UNITS]; /* reported */
    int64_t marked[WORLD_UNITS];
    bool settles;                             /* there is a settle() */
    int64_t settle_fails;                     /* the settle() that fails, from 0; -1: none */
    double settle_seconds;                    /* how long one takes */
    int64_t unsettled, settled, settle_calls; /* units, units, calls */
    int64_t mark_calls;
    int progress_calls;
    int64_t progress_done;
    xa_sched_result result;
    xa_err err;
} world;

void world_init(world *w, xa_comm *c);
xa_sched_calls world_calls(world *w);
/* Runs the units `todo` (the same list on all ranks). */
xa_status world_run(world *w, const xa_sched_options *opt, const int64_t *todo, int64_t ntodo);
/* All ranks: every unit of the list was finished and marked `times` times, no other ever. */
void world_check(world *w, const int64_t *todo, int64_t ntodo, int64_t times);
/* All ranks: what was marked is what was finished, none twice; returns how many. */
int64_t world_check_part(world *w);
/* The list 0..n-1. */
const int64_t *world_list(int64_t n);
/* The units of the list that are not marked; only rank 0's is filled. */
int64_t world_rest(const world *w, const int64_t *todo, int64_t ntodo, int64_t *rest);

#endif
