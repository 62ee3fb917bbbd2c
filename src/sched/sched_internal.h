/* Shared by state.c, master.c, worker.c and sched.c, each of which calls only those before it. */
#ifndef XA_SCHED_INTERNAL_H
#define XA_SCHED_INTERNAL_H

#include "commits.h"
#include "grant.h"
#include "protocol.h"
#include "xaudit/sched.h"

/* Grants a rank holds at most: the current one and the next. */
enum { XA__HELD = 2 };

/* What rank 0 knows of each rank, itself included. */
typedef struct xa__peer {
    xa__range held[XA__HELD];
    int nheld;
    bool waiting; /* has an ask that is not answered */
    bool bye;
    double unit_seconds; /* 0: not measured */
    int64_t last;        /* units of its last grant */
} xa__peer;

typedef struct xa__master {
    const int64_t *todo; /* borrowed */
    int64_t ntodo, next; /* todo[next] is the first unit not granted */
    int64_t done, grants;
    xa__peer *peer; /* [size] */
    int culprit;    /* rank of the first error, or -1 */
    bool stop_sent; /* STOP was sent to all */
    bool mark_failed;
    xa__commits commits; /* not marked yet */
    double started, progressed;
    double mark_at;  /* commits are marked from then on: see xa_sched_calls.settle */
    double overhead; /* seconds in answers and marks while rank 0 had work */
} xa__master;

typedef struct xa__worker {
    bool asked; /* an ask is under way */
    double asked_at, latency;
    bool has_next;
    xa__range next;
    xa_message next_message; /* holds the payload */
    const void *payload;
    size_t payload_size;
    bool working;
    double work_since, work_expected; /* of the current grant; expected 0: not known */
    double unit_seconds;
    bool wished; /* the stop wish was sent */
    bool ended;
    xa__answer end;
} xa__worker;

struct xa_sched {
    xa_comm *c;
    xa_sched_options opt;
    xa_sched_calls calls;
    int rank, size;
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
    xa__master m; /* rank 0 */
    xa__worker w; /* all other ranks */
};

/* Keeps the first error of this rank. Its text is in s->err already, or in *why. */
void xa__sched_keep(xa_sched *s, xa_status code, const xa_err *why);
void xa__sched_lost(xa_sched *s, xa_status code, const xa_err *why);
/* Notes a pending signal; true if it is new. */
bool xa__sched_signal(xa_sched *s);
/* Waits for a message; `tick`, called between naps, ends the wait by false. True: *msg arrived. The
 * time counts as idle; an error of the wait means that the ranks are lost. */
bool xa__sched_wait(xa_sched *s, bool (*tick)(void *arg), xa_message *msg);
/* calls.work with its result checked and its time taken; *finished is 0 after an error. */
xa_status xa__sched_work(xa_sched *s,
                         xa__range grant,
                         const void *payload,
                         size_t size,
                         int64_t *finished,
                         double *seconds,
                         xa_str *report,
                         xa_err *err);

XA_MUST_USE xa_status xa__master_init(xa_sched *s, xa_err *err);
void xa__master_fini(xa_sched *s);
/* Reads and answers messages that have arrived, marks commits, reports progress. Never waits. */
void xa__master_service(xa_sched *s);
void xa__master_run(xa_sched *s);
xa_sched_end xa__master_end(const xa_sched *s);

void xa__worker_fini(xa_sched *s);
void xa__worker_tick(xa_sched *s, double now);
void xa__worker_run(xa_sched *s);

#endif
