/* Rank 0: keeps the list of units and which node holds which, answers asks and marks commits, while
 * it leads its own node and works. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sched_internal.h"

static void ask(xa_sched *s);
static void news(xa_sched *s);
static xa_status commit_own(xa_sched *s, const xa__ask *a, xa_err *err);

xa_status xa__master_init(xa_sched *s, xa_err *err)
{
    xa__master *m = &s->m;
    xa_status st = XA_OK;
    const int nodes = xa_comm_nodes(s->c);
    int *ranks = xa_alloc((size_t)nodes, sizeof *ranks);
    m->culprit = -1;
    m->peer = xa_alloc((size_t)nodes, sizeof *m->peer);
    m->node_of = xa_alloc((size_t)s->size, sizeof *m->node_of);
    if (!ranks || !m->peer || !m->node_of)
        XA_FAIL(err, XA_NOMEM, "out of memory for the list of %d nodes", nodes);
    for (int i = 0; i < s->size; i++)
        m->node_of[i] = -1;
    for (int i = 0; i < nodes; i++) {
        m->node_of[xa_comm_leader(s->c, i)] = i;
        ranks[i] = xa_comm_ranks_of(s->c, i);
    }
    int64_t most = s->view.x.units;
    if (s->opt.max_grant > 0 && s->opt.max_grant < most)
        most = s->opt.max_grant;
    XA_TRY(err,
           xa__deal_init(&m->deal,
                         s->opt.todo,
                         s->opt.ntodo,
                         ranks,
                         nodes,
                         s->opt.align,
                         s->opt.target_seconds,
                         most,
                         err));
    s->l.ask = ask;
    s->l.news = news;
    s->l.commit = commit_own;
done:
    free(ranks);
    return st;
}

void xa__master_fini(xa_sched *s)
{
    xa__commits_fini(&s->m.commits);
    xa__deal_fini(&s->m.deal);
    free(s->m.peer);
    free(s->m.node_of);
}

xa_sched_end xa__master_end(const xa_sched *s)
{
    if (s->m.culprit >= 0 || s->lost)
        return XA_SCHED_FAILED;
    return s->m.done == s->opt.ntodo ? XA_SCHED_DONE : XA_SCHED_STOPPED;
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

static void send(xa_sched *s, int node, const xa__answer *a)
{
    xa_err why = XA_ERR_INIT;
    xa_str bytes = {0};
    xa_status st = xa__answer_encode(a, &bytes, &why);
    if (st == XA_OK)
        st = xa_comm_post(
            s->c, xa_comm_leader(s->c, node), XA__TAG_ANSWER, bytes.data, bytes.len, &why);
    xa_str_free(&bytes);
    if (st == XA_OK)
        return;
    /* A grant that cannot be sent ends the run in order; without STOP or END there is no order. */
    if (a->kind == XA__GRANT)
        own_failure(s, st, &why);
    else
        xa__sched_lost(s, st, &why);
}

/* ---- rank 0's own node, without messages ----------------------------------------------------- */

static void ask(xa_sched *s)
{
    s->m.peer[0].waiting = true;
}

static void news(xa_sched *s)
{
    const xa__node *node = s->view.node;
    const int64_t failed = atomic_load(&node->failed);
    const int32_t wish = atomic_load(&node->wish);
    if (failed != 0)
        blame(s, (int)(failed & INT32_MAX));
    if (wish == 0)
        return;
    s->stopping = true;
    if (s->signal == 0)
        s->signal = wish - 1;
}

/* ---- grants ---------------------------------------------------------------------------------- */

static bool may_grant(const xa_sched *s)
{
    return !s->stopping && s->m.deal.remaining > 0;
}

/* How many units have room in a block; one has. */
static int64_t fit(void *arg, int64_t first, int64_t n)
{
    const xa_sched *s = arg;
    int64_t low = 1, high = n;
    while (low < high) {
        const int64_t mid = low + (high - low + 1) / 2;
        size_t payload = 0, rows = 0;
        s->calls.room(s->calls.arg, first, mid, &payload, &rows);
        if (payload <= s->view.x.payload && rows <= s->view.x.rows)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Takes units for a node and packs them; false if there are none for it. */
static bool take(xa_sched *s, int node, xa__range *grant, xa_str *payload)
{
    xa__master *m = &s->m;
    xa__peer *p = &m->peer[node];
    if (!may_grant(s) || p->nheld >= XA__BLOCKS)
        return false;
    const xa__range r = xa__deal_next(&m->deal, node, fit, s);
    if (r.n == 0)
        return false;
    xa_err why = XA_ERR_INIT;
    xa_status st = s->calls.pack(s->calls.arg, r.first, r.n, payload, &why);
    if (st == XA_OK && payload->failed)
        st = XA_ERR(&why, XA_NOMEM, "out of memory for the rows of %" PRId64 " units", r.n);
    if (st == XA_OK && payload->len > s->view.x.payload)
        st = XA_ERR(&why,
                    XA_INVALID,
                    "the rows of %" PRId64 " units are %zu bytes, at most %zu were expected",
                    r.n,
                    payload->len,
                    s->view.x.payload);
    if (st != XA_OK) {
        own_failure(s, st, &why);
        return false;
    }
    *grant = r;
    m->grants++;
    p->held[p->nheld++] = r;
    return true;
}

static void answer(xa_sched *s, int node)
{
    xa_str payload = {0};
    xa__range r;
    if (take(s, node, &r, &payload)) {
        s->m.peer[node].waiting = false;
        const xa__answer a = {.kind = XA__GRANT,
                              .culprit = -1,
                              .first = r.first,
                              .n = r.n,
                              .payload = payload.data,
                              .payload_size = payload.len};
        if (node == 0)
            xa__lead_open(s, r, payload.data, payload.len);
        else
            send(s, node, &a);
    }
    xa_str_free(&payload);
}

static void answer_asks(xa_sched *s)
{
    const int nodes = xa_comm_nodes(s->c);
    /* Those without work first; then those who ask ahead. */
    for (int held = 0; held < XA__BLOCKS; held++) {
        for (int i = 0; i < nodes && may_grant(s); i++) {
            if (s->m.peer[i].waiting && s->m.peer[i].nheld == held)
                answer(s, i);
        }
    }
}

/* ---- commits --------------------------------------------------------------------------------- */

/* Moves the report into the list of commits to mark. */
static xa_status commit(xa_sched *s, int node, const xa__ask *a, xa_err *err)
{
    xa__master *m = &s->m;
    xa__peer *p = &m->peer[node];
    int k = 0;
    while (k < p->nheld && (p->held[k].first != a->first || p->held[k].n != a->n))
        k++;
    if (k == p->nheld)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "node %d reports %" PRId64 " units from %" PRId64 ", which it does not hold",
                       node,
                       a->n,
                       a->first);
    if (a->finished > 0) {
        const xa__range done = {.first = a->from, .n = a->finished};
        char *report = malloc(a->report_size + 1);
        if (!report)
            XA_RETURN_FAIL(
                err, XA_NOMEM, "out of memory for a report of %zu bytes", a->report_size);
        if (a->report_size > 0)
            memcpy(report, a->report, a->report_size);
        report[a->report_size] = '\0';
        xa_status st = xa__commits_add(&m->commits, done, report, a->report_size, err);
        if (st != XA_OK) {
            free(report);
            return XA_ERR_PASS(err, st);
        }
    }
    xa__deal_learn(&m->deal, node, a->finished, a->seconds);
    if (a->through) {
        p->nheld--;
        p->held[k] = p->held[p->nheld];
    }
    return XA_OK;
}

static xa_status commit_own(xa_sched *s, const xa__ask *a, xa_err *err)
{
    return commit(s, 0, a, err);
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
    const int node = msg->source >= 0 && msg->source < s->size ? s->m.node_of[msg->source] : -1;
    if (node < 1 || msg->tag != XA__TAG_ASK)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an unexpected message from rank %d (tag %d, %zu bytes)",
                       msg->source,
                       msg->tag,
                       msg->size);
    XA_RETURN_TRY(err, xa__ask_decode(msg->data, msg->size, &a, err));
    xa__peer *p = &s->m.peer[node];
    if (p->bye || (a.want && p->waiting))
        XA_RETURN_FAIL(err, XA_COMM, "rank %d asks out of turn", msg->source);
    if (a.n > 0)
        XA_RETURN_TRY(err, commit(s, node, &a, err));
    p->waiting = p->waiting || a.want;
    p->bye = a.bye;
    if (a.stop)
        s->stopping = true;
    if (a.signal != 0 && s->signal == 0)
        s->signal = a.signal;
    if (a.code != XA_OK)
        blame(s, a.culprit);
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
    for (int i = 1; i < xa_comm_nodes(s->c) && !s->lost; i++)
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
        left = seconds / (double)m->done * (double)(s->opt.ntodo - m->done);
    s->calls.progress(s->calls.arg, m->done, s->opt.ntodo, seconds, left);
}

static void listen(xa_sched *s)
{
    /* Alone there is nobody to listen to. */
    bool got = xa_comm_nodes(s->c) > 1;
    while (got && !s->lost) {
        xa_err why = XA_ERR_INIT;
        xa_message msg;
        xa_status st = xa_comm_poll(s->c, &msg, &got, &why);
        if (st != XA_OK)
            xa__sched_lost(s, st, &why);
        else if (got)
            take_message(s, &msg);
    }
}

/* What other nodes wait for, also between two columns that rank 0 writes. */
static void deal(xa_sched *s)
{
    listen(s);
    if (s->lost)
        return;
    news(s);
    tell_stop(s);
    answer_asks(s);
}

static bool all_wait(const xa_sched *s)
{
    for (int i = 0; i < xa_comm_nodes(s->c); i++) {
        if (!s->m.peer[i].waiting || s->m.peer[i].nheld > 0)
            return false;
    }
    return true;
}

static void end(xa_sched *s)
{
    mark_commits(s, true);
    const xa__answer a = {
        .kind = XA__END,
        .end = (int)xa__master_end(s),
        .signal = s->signal,
        .culprit = s->m.culprit,
        .done = s->m.done,
    };
    s->m.ended = true;
    for (int i = 1; i < xa_comm_nodes(s->c) && !s->lost; i++)
        send(s, i, &a);
    xa__lead_end(s, &a);
}

void xa__master_service(xa_sched *s)
{
    if (s->m.ended || s->lost)
        return;
    if (s->m.started <= 0) {
        s->m.started = xa_time();
        s->m.progressed = s->m.started;
    }
    deal(s);
    if (!s->lost)
        xa__lead_service(s, deal);
    if (s->lost)
        return;
    deal(s);
    mark_commits(s, false);
    /* A mark or a grant may have failed just now. */
    tell_stop(s);
    progress(s, false);
    if (!s->lost && !may_grant(s) && all_wait(s))
        end(s);
}

static bool all_gone(const xa_sched *s)
{
    for (int i = 1; i < xa_comm_nodes(s->c); i++) {
        if (!s->m.peer[i].bye)
            return false;
    }
    return true;
}

void xa__master_leave(xa_sched *s)
{
    /* A node may have sent a late wish; after its goodbye nothing can come. */
    while (!s->lost && !all_gone(s)) {
        xa_err why = XA_ERR_INIT;
        xa_message msg;
        bool got = false;
        xa_status st = xa_comm_wait(s->c, &msg, NULL, NULL, &got, &why);
        if (st != XA_OK)
            xa__sched_lost(s, st, &why);
        else if (got)
            take_message(s, &msg);
    }
    if (!s->lost)
        progress(s, true);
}
