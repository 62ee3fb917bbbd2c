/* What the files of sched share. Each calls only those above it: state.c, crew.c (what every rank
 * does), lead.c (a node's blocks), master.c (rank 0), worker.c (other leaders),
 * sched.c. */
#ifndef XA_SCHED_INTERNAL_H
#define XA_SCHED_INTERNAL_H

#include "commits.h"
#include "deal.h"
#include "node.h"
#include "protocol.h"
#include "xaudit/sched.h"

/* What rank 0 knows of each node, its own included. */
typedef struct xa__peer {
    xa__range held[XA__BLOCKS];
    int nheld;
    bool waiting; /* has an ask that is not answered */
    bool bye;
} xa__peer;

typedef struct xa__master {
    int64_t done, grants;
    xa__deal deal;
    xa__peer *peer; /* [nodes] */
    int *node_of;   /* [size] the node that a rank leads, or -1 */
    int culprit;    /* rank of the first error, or -1 */
    bool stop_sent; /* STOP was sent to all */
    bool mark_failed;
    xa__commits commits; /* not marked yet */
    double started, progressed;
    double mark_at; /* commits are marked from then on: see xa_sched_calls.settle */
    bool ended;     /* END was sent */
} xa__master;

/* A leader's side of its node. */
typedef struct xa__lead {
    int64_t serial;
    bool asked; /* an ask is under way */
    double asked_at, latency;
    bool told;            /* the stop wish was sent */
    bool blamed;          /* the error of the node was sent */
    double unit_seconds;  /* a unit of the node, over the blocks so far; 0: not measured */
    double block_seconds; /* what the last block should take */
    double overhead;
    /* How rank 0 hears of it: master.c or worker.c. A commit; a wish for a grant; an error or a
     * wish to stop of the node that is not told yet. */
    xa_status (*commit)(xa_sched *s, const xa__ask *a, xa_err *err);
    void (*ask)(xa_sched *s);
    void (*news)(xa_sched *s);
} xa__lead;

struct xa_sched {
    xa_comm *c;
    xa_sched_options opt;
    xa_sched_calls calls;
    int rank, size;
    bool leader;
    xa_shared memory;
    xa__view view;
    xa__member *me;
    bool stopping;
    bool asked_to_stop; /* xa_sched_stop was called here */
    int signal;
    bool in_tick;
    double looked; /* when messages were polled last */
    /* First error of this rank. `lost`: the ranks cannot be reached any more. */
    bool lost;
    xa_status code;
    xa_err err;
    double work, idle;
    double unit_seconds; /* of this rank */
    xa__lead l;          /* leaders */
    xa__master m;        /* rank 0 */
};

/* ---- state.c ---- */

/* Keeps the first error of this rank. Its text is in s->err already, or in *why. */
void xa__sched_keep(xa_sched *s, xa_status code, const xa_err *why);
void xa__sched_lost(xa_sched *s, xa_status code, const xa_err *why);
/* Brings this rank's wishes and the node's together: signals, STOP, the end. Shows that it lives.
 */
void xa__sched_look(xa_sched *s);
/* The block as the callbacks see it. */
xa_sched_block xa__sched_block(const xa_sched *s, int i);

/* ---- crew.c ---- */

/* Writes one column of a full block; false: there is none. */
bool xa__write_column(xa_sched *s);
/* Takes units and computes them; false: there are none. */
bool xa__compute(xa_sched *s);
/* A block became full: what is finished of it can be written. */
void xa__block_full(xa_sched *s, int i);

/* ---- lead.c ---- */

/* Puts a grant into a free block. */
void xa__lead_open(xa_sched *s, xa__range grant, const void *payload, size_t size);
/* Writes columns that wait, tells what is committed, asks for the next grant in time. `between` is
 * called between two columns. */
void xa__lead_service(xa_sched *s, void (*between)(xa_sched *s));
/* The run is over on this node. */
void xa__lead_end(xa_sched *s, const xa__answer *end);

/* ---- master.c ---- */

XA_MUST_USE xa_status xa__master_init(xa_sched *s, xa_err *err);
void xa__master_fini(xa_sched *s);
/* Reads and answers messages that have arrived, marks commits, reports progress. Never waits. */
void xa__master_service(xa_sched *s);
/* After the loop: all leaders have said goodbye. */
void xa__master_leave(xa_sched *s);
xa_sched_end xa__master_end(const xa_sched *s);

/* ---- worker.c ---- */

void xa__worker_init(xa_sched *s);
void xa__worker_service(xa_sched *s);
void xa__worker_leave(xa_sched *s);

#endif
