/* The leaders of all nodes but rank 0's: what they say to rank 0, and hear from it. */
#include <stdlib.h>

#include "sched_internal.h"

#define LATENCY_FORGET 0.9

static xa_status say(xa_sched *s, const xa__ask *a, xa_err *err)
{
    xa_str bytes = {0};
    xa_status st = xa__ask_encode(a, &bytes, err);
    if (st == XA_OK)
        st = xa_comm_post(s->c, 0, XA__TAG_ASK, bytes.data, bytes.len, err);
    xa_str_free(&bytes);
    return st == XA_OK ? st : XA_ERR_PASS(err, st);
}

static void say_or_lost(xa_sched *s, const xa__ask *a)
{
    xa_err why = XA_ERR_INIT;
    const xa_status st = say(s, a, &why);
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
}

static void ask(xa_sched *s)
{
    const xa__ask a = {.want = true};
    say_or_lost(s, &a);
}

static void news(xa_sched *s)
{
    const xa__node *node = s->view.node;
    const int64_t failed = atomic_load(&node->failed);
    const int32_t wish = atomic_load(&node->wish);
    xa__ask a = {0};
    if (failed != 0 && !s->l.blamed) {
        a.code = (xa_status)(failed >> 32);
        a.culprit = (int)(failed & INT32_MAX);
        s->l.blamed = true;
    }
    if (wish != 0 && !s->l.told) {
        a.stop = true;
        a.signal = wish - 1;
        s->l.told = true;
    }
    if (a.code != XA_OK || a.stop)
        say_or_lost(s, &a);
}

void xa__worker_init(xa_sched *s)
{
    s->l.ask = ask;
    s->l.news = news;
    s->l.commit = say;
}

static xa_status handle(xa_sched *s, const xa_message *msg, xa_err *err)
{
    xa__answer a;
    if (msg->source != 0 || msg->tag != XA__TAG_ANSWER)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an unexpected message from rank %d (tag %d, %zu bytes)",
                       msg->source,
                       msg->tag,
                       msg->size);
    XA_RETURN_TRY(err, xa__answer_decode(msg->data, msg->size, &a, err));
    switch (a.kind) {
    case XA__GRANT: {
        if (!s->l.asked)
            XA_RETURN_FAIL(err, XA_COMM, "rank 0 sent a grant that was not requested");
        const double took = xa_time() - s->l.asked_at;
        s->l.latency *= LATENCY_FORGET;
        if (s->l.latency < took)
            s->l.latency = took;
        const xa__range r = {.first = a.first, .n = a.n};
        xa__lead_open(s, r, a.payload, a.payload_size);
        break;
    }
    case XA__STOP:
        s->stopping = true;
        break;
    case XA__END:
        for (int i = 0; i < XA__BLOCKS; i++) {
            if (xa__phase_of(s->view.block[i].b) != XA__FREE)
                XA_RETURN_FAIL(err, XA_COMM, "rank 0 ends the run while this node holds units");
        }
        xa__lead_end(s, &a);
        break;
    }
    return XA_OK;
}

static void listen(xa_sched *s)
{
    bool got = true;
    while (got && !s->lost && !atomic_load(&s->view.node->over)) {
        xa_err why = XA_ERR_INIT;
        xa_message msg;
        xa_status st = xa_comm_poll(s->c, &msg, &got, &why);
        if (st == XA_OK && got) {
            st = handle(s, &msg, &why);
            free(msg.data);
        }
        if (st != XA_OK)
            xa__sched_lost(s, st, &why);
    }
}

void xa__worker_service(xa_sched *s)
{
    if (s->lost || atomic_load(&s->view.node->over))
        return;
    news(s);
    if (!s->lost)
        listen(s);
    if (!s->lost && !atomic_load(&s->view.node->over))
        xa__lead_service(s, listen);
}

void xa__worker_leave(xa_sched *s)
{
    if (s->lost)
        return;
    const xa__ask bye = {.bye = true};
    say_or_lost(s, &bye);
    xa_err why = XA_ERR_INIT;
    const xa_status st = s->lost ? XA_OK : xa_comm_flush(s->c, &why);
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
}
