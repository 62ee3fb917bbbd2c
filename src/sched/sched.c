/* Create, run, tick: each calls the part of rank 0 (master.c) or that of the other ranks
 * (worker.c).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sched_internal.h"

/* Seconds between two polls for messages from inside work(). A poll costs 1 us in shared memory and
 * 4 us over TCP; asks are sent early enough that no rank waits for the next poll. */
#define LOOK_SECONDS 1e-3

xa_sched_options xa_sched_defaults(void)
{
    return (xa_sched_options){.target_seconds = 2, .progress_seconds = 0.5};
}

static xa_status
check_options(const xa_sched_options *opt, const xa_sched_calls *calls, bool master, xa_err *err)
{
    if (!calls->work || (master && (!calls->pack || !calls->mark)))
        XA_RETURN_FAIL(err, XA_INVALID, "the scheduler needs pack, work and mark");
    if (!(opt->target_seconds > 0) || !(opt->target_seconds <= 86400) ||
        !(opt->progress_seconds >= 0) || opt->max_grant < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "grants of %g s (0 to 86400), at most %" PRId64
                       " units (>= 0), progress every "
                       "%g s (>= 0)",
                       opt->target_seconds,
                       opt->max_grant,
                       opt->progress_seconds);
    if (!master)
        return XA_OK;
    if (opt->ntodo < 0 || (opt->ntodo > 0 && !opt->todo))
        XA_RETURN_FAIL(err, XA_INVALID, "a list of %" PRId64 " units to do is missing", opt->ntodo);
    for (int64_t i = 0; i < opt->ntodo; i++) {
        const int64_t least = i > 0 ? opt->todo[i - 1] + 1 : 0;
        if (opt->todo[i] < least || opt->todo[i] == INT64_MAX)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "units to do must ascend: entry %" PRId64 " is %" PRId64
                           ", at least %" PRId64 " expected",
                           i,
                           opt->todo[i],
                           least);
    }
    return XA_OK;
}

xa_status xa_sched_create(xa_comm *c,
                          const xa_sched_options *opt,
                          const xa_sched_calls *calls,
                          xa_sched **out,
                          xa_err *err)
{
    xa_status st = XA_OK;
    xa_sched *s = NULL;
    const bool master = xa_comm_rank(c) == 0;
    XA_TRY(err, check_options(opt, calls, master, err));
    s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_FAIL(err, XA_NOMEM, "out of memory for the scheduler");
    s->c = c;
    s->opt = *opt;
    s->calls = *calls;
    s->rank = xa_comm_rank(c);
    s->size = xa_comm_size(c);
    /* Until an answer was timed: long enough for rank 0 to finish decoding an image. */
    s->w.latency = 0.1;
    if (master)
        XA_TRY(err, xa__master_init(s, err));
    *out = s;
    s = NULL;
done:
    xa_sched_free(s);
    return st;
}

void xa_sched_free(xa_sched *s)
{
    if (!s)
        return;
    xa__master_fini(s);
    xa__worker_fini(s);
    free(s);
}

void xa_sched_tick(void *sched)
{
    xa_sched *s = sched;
    /* pack, mark and progress may come through code that ticks. */
    if (s->in_tick || s->lost)
        return;
    const double now = xa_time();
    if (now - s->looked < LOOK_SECONDS)
        return;
    s->in_tick = true;
    if (s->rank == 0) {
        xa__master_service(s);
        s->looked = xa_time();
        s->m.overhead += s->looked - now;
    } else {
        xa__worker_tick(s, now);
        s->looked = now;
    }
    s->in_tick = false;
}

xa_status xa_sched_run(xa_sched *s, xa_sched_result *result, xa_err *err)
{
    xa_sched_result r = {.end = XA_SCHED_FAILED};
    int culprit = -1;
    if (s->rank == 0) {
        xa__master_run(s);
        culprit = s->m.culprit;
        r.end = xa__master_end(s);
        r.done = s->m.done;
        r.grants = s->m.grants;
        r.overhead_seconds = s->m.overhead;
        r.signal = s->signal;
    } else {
        xa__worker_run(s);
        if (!s->lost) {
            culprit = s->w.end.culprit;
            r.end = (xa_sched_end)s->w.end.end;
            r.done = s->w.end.done;
            r.signal = s->w.end.signal;
        }
    }
    r.work_seconds = s->work;
    r.idle_seconds = s->idle;
    if (s->lost) {
        r.end = XA_SCHED_FAILED;
        *result = r;
        xa_err_prefix(&s->err, "the ranks have lost each other");
        XA_RETURN_FAIL(err, XA_COMM, "%s", s->err.message);
    }
    /* One error caused the end; what followed from it elsewhere is not worth a message. */
    const xa_status mine = culprit == s->rank ? s->code : XA_OK;
    const double from = xa_time();
    xa_status st = xa_comm_agree(s->c, mine, &s->err, err);
    r.idle_seconds += xa_time() - from;
    if (st != XA_OK)
        r.end = XA_SCHED_FAILED;
    *result = r;
    return st;
}
