/* Rank 0: keeps the list of units and who holds which, answers asks and marks commits, while it
 * works on units of its own. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sched_internal.h"

xa_status xa__master_init(xa_sched *s, xa_err *err)
{
    xa__master *m = &s->m;
    m->todo = s->opt.todo;
    m->ntodo = s->opt.ntodo;
    m->culprit = -1;
    m->peer = xa_alloc((size_t)s->size, sizeof *m->peer);
    if (!m->peer)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the list of %d ranks", s->size);
    return XA_OK;
}

void xa__master_fini(xa_sched *s)
{
    xa__commits_fini(&s->m.commits);
    free(s->m.peer);
}

xa_sched_end xa__master_end(const xa_sched *s)
{
    if (s->m.culprit >= 0 || s->lost)
        return XA_SCHED_FAILED;
    return s->m.done == s->m.ntodo ? XA_SCHED_DONE : XA_SCHED_STOPPED;
}

static void blame(xa_sched *s, int rank)
{
    if (s->m.culprit < 0)
        s->m.culprit = rank;
    s->stopping = true;
}

static void own_failure(xa_sched *s, xa_status code, const xa_err *why)
{
    xa__sched_keep(s, code, why);
    blame(s, 0);
}

static void send(xa_sched *s, int rank, const xa__answer *a)
{
    xa_err why = XA_ERR_INIT;
    xa_str bytes = {0};
    xa_status st = xa__answer_encode(a, &bytes, &why);
    if (st == XA_OK)
        st = xa_comm_post(s->c, rank, XA__TAG_ANSWER, bytes.data, bytes.len, &why);
    xa_str_free(&bytes);
    if (st == XA_OK)
        return;
    /* A grant that cannot be sent ends the run in order; without STOP or END there is no order. */
    if (a->kind == XA__GRANT)
        own_failure(s, st, &why);
    else
        xa__sched_lost(s, st, &why);
}

/* ---- grants ---------------------------------------------------------------------------------- */

static bool may_grant(const xa_sched *s)
{
    return !s->stopping && s->m.next < s->m.ntodo;
}

/* The rank's part in the speed of all; ranks not measured yet count as the average. */
static double share_of(const xa_sched *s, int rank)
{
    double speed = 0;
    int known = 0;
    for (int i = 0; i < s->size; i++) {
        if (s->m.peer[i].unit_seconds > 0) {
            speed += 1 / s->m.peer[i].unit_seconds;
            known++;
        }
    }
    return xa__share(speed, known, s->size, s->m.peer[rank].unit_seconds);
}

/* Takes units off the list for a rank and packs them; false if none is left to give. */
static bool take(xa_sched *s, int rank, xa__range *grant, xa_str *payload)
{
    xa__master *m = &s->m;
    xa__peer *p = &m->peer[rank];
    if (!may_grant(s) || p->nheld >= XA__HELD)
        return false;
    const xa__grant_state g = {
        .target_seconds = s->opt.target_seconds,
        .unit_seconds = p->unit_seconds,
        .share = share_of(s, rank),
        .remaining = m->ntodo - m->next,
        .previous = p->last,
        .most = s->opt.max_grant,
        .ranks = s->size,
    };
    const int64_t most = xa__grant_units(&g);
    /* Consecutive numbers only: a resumed run has holes. */
    const xa__range r = {.first = m->todo[m->next], .n = 1};
    int64_t n = 1;
    while (n < most && m->todo[m->next + n] == r.first + n)
        n++;
    xa_err why = XA_ERR_INIT;
    xa_status st = s->calls.pack(s->calls.arg, r.first, n, payload, &why);
    if (st == XA_OK && payload->failed)
        st = XA_ERR(&why, XA_NOMEM, "out of memory for the rows of %" PRId64 " units", n);
    if (st != XA_OK) {
        own_failure(s, st, &why);
        return false;
    }
    *grant = (xa__range){.first = r.first, .n = n};
    m->next += n;
    m->grants++;
    p->held[p->nheld++] = *grant;
    /* A hole cut it short: growth goes on from what the rank could have had. */
    p->last = most;
    return true;
}

static void answer_asks(xa_sched *s)
{
    /* Those without work first; then those who ask ahead. */
    for (int held = 0; held < XA__HELD; held++) {
        for (int i = 1; i < s->size && may_grant(s); i++) {
            xa__peer *p = &s->m.peer[i];
            if (!p->waiting || p->nheld != held)
                continue;
            xa_str payload = {0};
            xa__answer a = {.kind = XA__GRANT, .culprit = -1};
            xa__range r;
            if (take(s, i, &r, &payload)) {
                a.first = r.first;
                a.n = r.n;
                a.payload = payload.data;
                a.payload_size = payload.len;
                p->waiting = false;
                send(s, i, &a);
            }
            xa_str_free(&payload);
        }
    }
}

/* ---- commits --------------------------------------------------------------------------------- */

/* Moves the report into the list of commits to mark. */
static xa_status commit(xa_sched *s,
                        int rank,
                        xa__range r,
                        int64_t finished,
                        double seconds,
                        char **report,
                        size_t size,
                        xa_err *err)
{
    xa__master *m = &s->m;
    xa__peer *p = &m->peer[rank];
    int k = 0;
    while (k < p->nheld && (p->held[k].first != r.first || p->held[k].n != r.n))
        k++;
    if (k == p->nheld)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "rank %d reports %" PRId64 " units from %" PRId64 ", which it does not hold",
                       rank,
                       r.n,
                       r.first);
    if (finished > 0) {
        const xa__range done = {.first = r.first, .n = finished};
        XA_RETURN_TRY(err, xa__commits_add(&m->commits, done, *report, size, err));
        *report = NULL;
    }
    p->nheld--;
    if (k < p->nheld)
        p->held[k] = p->held[p->nheld];
    p->unit_seconds = xa__unit_seconds(p->unit_seconds, finished, seconds);
    return XA_OK;
}

/* Marks the commits that are due, joined where they meet and settled together. `now`: all commits,
 * due or not. */
static void mark_commits(xa_sched *s, bool now)
{
    enum { PART = 20 };
    xa__master *m = &s->m;
    const double start = xa_time();
    int64_t marked = 0;
    xa_err why = XA_ERR_INIT;
    xa_status st = XA_OK;
    if (m->commits.n == 0 || (!now && start < m->mark_at))
        return;
    xa__commits_join(&m->commits);
    /* After one failure nothing more is marked: a full disk stays full. */
    for (size_t i = 0; i < m->commits.n && st == XA_OK && !m->mark_failed; i++) {
        const xa__commit *k = &m->commits.item[i];
        st = s->calls.mark(s->calls.arg, k->done.first, k->done.n, k->report, k->size, &why);
        if (st == XA_OK)
            marked += k->done.n;
    }
    xa__commits_clear(&m->commits);
    if (st == XA_OK && !m->mark_failed && s->calls.settle)
        st = s->calls.settle(s->calls.arg, &why);
    else if (st != XA_OK && marked > 0 && s->calls.settle) {
        xa_err second = XA_ERR_INIT; /* what was marked before the failure still counts */
        if (s->calls.settle(s->calls.arg, &second) == XA_OK)
            m->done += marked;
        marked = 0;
    }
    if (st == XA_OK) {
        m->done += marked;
    } else {
        if (!s->calls.settle)
            m->done += marked;
        m->mark_failed = true;
        own_failure(s, st, &why);
    }
    const double end = xa_time();
    m->mark_at = end + (PART - 1) * (end - start);
}

/* ---- messages -------------------------------------------------------------------------------- */

static xa_status handle(xa_sched *s, const xa_message *msg, xa_err *err)
{
    xa__ask a;
    if (msg->source < 1 || msg->source >= s->size || msg->tag != XA__TAG_ASK)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an unexpected message from rank %d (tag %d, %zu bytes)",
                       msg->source,
                       msg->tag,
                       msg->size);
    XA_RETURN_TRY(err, xa__ask_decode(msg->data, msg->size, &a, err));
    xa__peer *p = &s->m.peer[msg->source];
    if (p->bye || (a.want && p->waiting))
        XA_RETURN_FAIL(err, XA_COMM, "rank %d asks out of turn", msg->source);
    if (a.n > 0) {
        char *report = NULL;
        if (a.finished > 0) {
            report = malloc(a.report_size + 1);
            if (!report)
                XA_RETURN_FAIL(
                    err, XA_NOMEM, "out of memory for a report of %zu bytes", a.report_size);
            if (a.report_size > 0)
                memcpy(report, a.report, a.report_size);
            report[a.report_size] = '\0';
        }
        const xa__range r = {.first = a.first, .n = a.n};
        xa_status st =
            commit(s, msg->source, r, a.finished, a.seconds, &report, a.report_size, err);
        free(report);
        if (st != XA_OK)
            return XA_ERR_PASS(err, st);
    }
    p->waiting = p->waiting || a.want;
    p->bye = a.bye;
    if (a.stop)
        s->stopping = true;
    if (a.signal != 0 && s->signal == 0)
        s->signal = a.signal;
    if (a.code != XA_OK)
        blame(s, msg->source);
    return XA_OK;
}

static void take_message(xa_sched *s, xa_message *msg)
{
    xa_err why = XA_ERR_INIT;
    xa_status st = handle(s, msg, &why);
    free(msg->data);
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
}

static void tell_stop(xa_sched *s)
{
    if (!s->stopping || s->m.stop_sent)
        return;
    s->m.stop_sent = true;
    const xa__answer a = {.kind = XA__STOP, .culprit = -1};
    for (int i = 1; i < s->size && !s->lost; i++)
        send(s, i, &a);
}

static void progress(xa_sched *s, bool last)
{
    xa__master *m = &s->m;
    const double now = xa_time();
    if (!s->calls.progress || (!last && now - m->progressed < s->opt.progress_seconds))
        return;
    m->progressed = now;
    const double seconds = now - m->started;
    double left = -1;
    if (m->done > 0)
        left = seconds / (double)m->done * (double)(m->ntodo - m->done);
    s->calls.progress(s->calls.arg, m->done, m->ntodo, seconds, left);
}

void xa__master_service(xa_sched *s)
{
    xa__sched_signal(s);
    /* Alone there is nobody to listen to. */
    bool got = s->size > 1;
    while (got && !s->lost) {
        xa_err why = XA_ERR_INIT;
        xa_message msg;
        xa_status st = xa_comm_poll(s->c, &msg, &got, &why);
        if (st != XA_OK)
            xa__sched_lost(s, st, &why);
        else if (got)
            take_message(s, &msg);
    }
    if (s->lost)
        return;
    tell_stop(s);
    answer_asks(s);
    mark_commits(s, false);
    /* A mark or a grant may have failed just now. */
    tell_stop(s);
    progress(s, false);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void own_grant(xa_sched *s)
{
    xa_err why = XA_ERR_INIT;
    xa_str payload = {0}, report = {0};
    xa__range r;
    /* A tick from within pack() would hand out the same units. */
    s->in_tick = true;
    const bool have = take(s, 0, &r, &payload);
    s->in_tick = false;
    if (have) {
        int64_t finished = 0;
        double seconds = 0;
        xa_status st =
            xa__sched_work(s, r, payload.data, payload.len, &finished, &seconds, &report, &why);
        if (st != XA_OK)
            own_failure(s, st, &why);
        xa_err odd = XA_ERR_INIT;
        st = commit(s, 0, r, finished, seconds, &report.data, report.len, &odd);
        if (st != XA_OK)
            own_failure(s, st, &odd);
    }
    xa_str_free(&payload);
    xa_str_free(&report);
}

/* Between naps: false if there is something to do other than messages. */
static bool idle_tick(void *arg)
{
    xa_sched *s = arg;
    const bool stopping = s->stopping;
    if (xa__sched_signal(s))
        return false;
    s->in_tick = true;
    mark_commits(s, false);
    s->in_tick = false;
    if (s->stopping != stopping)
        return false; /* marking failed: the other ranks must be stopped */
    progress(s, false);
    return true;
}

static void wait_for_message(xa_sched *s)
{
    xa_message msg;
    if (xa__sched_wait(s, idle_tick, &msg))
        take_message(s, &msg);
}

static bool all_wait(const xa_sched *s)
{
    for (int i = 1; i < s->size; i++) {
        if (!s->m.peer[i].waiting || s->m.peer[i].nheld > 0)
            return false;
    }
    return true;
}

static bool all_gone(const xa_sched *s)
{
    for (int i = 1; i < s->size; i++) {
        if (!s->m.peer[i].bye)
            return false;
    }
    return true;
}

/* The service outside work(): ticks from pack() and mark() are kept away, too. */
static void serve(xa_sched *s)
{
    s->in_tick = true;
    xa__master_service(s);
    s->in_tick = false;
}

void xa__master_run(xa_sched *s)
{
    s->m.started = xa_time();
    s->m.progressed = s->m.started;
    for (;;) {
        serve(s);
        if (s->lost)
            return;
        if (may_grant(s)) {
            own_grant(s);
            continue;
        }
        if (all_wait(s))
            break;
        wait_for_message(s);
    }
    s->in_tick = true;
    mark_commits(s, true);
    s->in_tick = false;
    const xa__answer end = {
        .kind = XA__END,
        .end = (int)xa__master_end(s),
        .signal = s->signal,
        .culprit = s->m.culprit,
        .done = s->m.done,
    };
    for (int i = 1; i < s->size && !s->lost; i++)
        send(s, i, &end);
    /* A rank may have sent a late wish; after its goodbye nothing can come. */
    while (!s->lost && !all_gone(s))
        wait_for_message(s);
    if (!s->lost)
        progress(s, true);
}
