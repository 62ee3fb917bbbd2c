/* Every rank but 0: works on one grant, has the next one sent while it does. */
#include <stdlib.h>
#include <string.h>

#include "sched_internal.h"

/* How early to ask: a few times the slowest answer of late, and a part of the grant because its
 * length is only an estimate. Asking much earlier would keep a unit from ranks that are idle. */
#define LEAD_ANSWERS 2.0
#define LEAD_PART 0.05
#define LATENCY_FORGET 0.9

void xa__worker_fini(xa_sched *s)
{
    free(s->w.next_message.data);
}

static void send_ask(xa_sched *s, xa__ask *a)
{
    xa__worker *w = &s->w;
    /* Wishes and errors go with whatever leaves first. */
    if (!w->wished && (s->signal != 0 || s->asked_to_stop)) {
        a->stop = true;
        a->signal = s->signal;
        w->wished = true;
    }
    xa_err why = XA_ERR_INIT;
    xa_str bytes = {0};
    xa_status st = xa__ask_encode(a, &bytes, &why);
    if (st == XA_OK)
        st = xa_comm_post(s->c, 0, XA__TAG_ASK, bytes.data, bytes.len, &why);
    xa_str_free(&bytes);
    if (st != XA_OK) {
        xa__sched_lost(s, st, &why);
        return;
    }
    if (a->want) {
        w->asked = true;
        w->asked_at = xa_time();
    }
}

static xa_status handle(xa_sched *s, xa_message *msg, xa_err *err)
{
    xa__worker *w = &s->w;
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
    case XA__GRANT:
        if (!w->asked || w->has_next)
            XA_RETURN_FAIL(err, XA_COMM, "rank 0 sent a grant that was not requested");
        w->asked = false;
        const double took = xa_time() - w->asked_at;
        w->latency *= LATENCY_FORGET;
        if (w->latency < took)
            w->latency = took;
        w->has_next = true;
        w->next = (xa__range){.first = a.first, .n = a.n};
        w->next_message = *msg;
        w->payload = a.payload;
        w->payload_size = a.payload_size;
        msg->data = NULL;
        break;
    case XA__STOP:
        s->stopping = true;
        break;
    case XA__END:
        if (w->working || w->has_next)
            XA_RETURN_FAIL(err, XA_COMM, "rank 0 ends the run while this rank holds units");
        w->ended = true;
        w->end = a;
        w->end.payload = NULL;
        break;
    }
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

void xa__worker_tick(xa_sched *s, double now)
{
    xa__worker *w = &s->w;
    xa__sched_signal(s);
    if (!w->wished && (s->signal != 0 || s->asked_to_stop)) {
        xa__ask wish = {0};
        send_ask(s, &wish);
    }
    bool got = true;
    while (got && !s->lost) {
        xa_err why = XA_ERR_INIT;
        xa_message msg;
        xa_status st = xa_comm_poll(s->c, &msg, &got, &why);
        if (st != XA_OK)
            xa__sched_lost(s, st, &why);
        else if (got)
            take_message(s, &msg);
    }
    if (!w->working || w->asked || w->has_next || s->stopping || w->work_expected <= 0)
        return;
    double lead = LEAD_PART * w->work_expected;
    if (lead < LEAD_ANSWERS * w->latency)
        lead = LEAD_ANSWERS * w->latency;
    if (now >= w->work_since + w->work_expected - lead) {
        xa__ask ahead = {.want = true};
        send_ask(s, &ahead);
    }
}

static void work_on(xa_sched *s)
{
    xa__worker *w = &s->w;
    const xa__range r = w->next;
    unsigned char *message = w->next_message.data;
    w->next_message = (xa_message){0};
    w->has_next = false;
    w->working = true;
    w->work_since = xa_time();
    w->work_expected = (double)r.n * w->unit_seconds;
    xa_err why = XA_ERR_INIT;
    xa_str report = {0};
    int64_t finished = 0;
    double seconds = 0;
    xa_status st =
        xa__sched_work(s, r, w->payload, w->payload_size, &finished, &seconds, &report, &why);
    w->working = false;
    if (st != XA_OK)
        xa__sched_keep(s, st, &why);
    w->unit_seconds = xa__unit_seconds(w->unit_seconds, finished, seconds);
    /* Reported at once: units that are not marked are done again after a kill. */
    xa__ask a = {
        .want = !w->asked && !w->has_next,
        .code = st,
        .first = r.first,
        .n = r.n,
        .finished = finished,
        .seconds = seconds,
        .report = report.data,
        .report_size = finished > 0 ? report.len : 0,
    };
    if (!s->lost)
        send_ask(s, &a);
    xa_str_free(&report);
    free(message);
}

static void give_back(xa_sched *s)
{
    xa__worker *w = &s->w;
    free(w->next_message.data);
    w->next_message = (xa_message){0};
    w->has_next = false;
    xa__ask a = {.want = !w->asked, .first = w->next.first, .n = w->next.n};
    send_ask(s, &a);
}

/* Between naps: false when there is a wish to send. */
static bool idle_tick(void *arg)
{
    return !xa__sched_signal(arg);
}

static void wait_for_answer(xa_sched *s)
{
    xa_message msg;
    if (xa__sched_wait(s, idle_tick, &msg)) {
        take_message(s, &msg);
    } else if (!s->lost && !s->w.wished) {
        xa__ask wish = {0};
        send_ask(s, &wish);
    }
}

void xa__worker_run(xa_sched *s)
{
    xa__worker *w = &s->w;
    xa__ask first = {.want = true};
    xa__sched_signal(s);
    send_ask(s, &first);
    while (!w->ended && !s->lost) {
        if (!w->has_next)
            wait_for_answer(s);
        else if (s->stopping)
            give_back(s);
        else
            work_on(s);
    }
    if (s->lost)
        return;
    xa__ask bye = {.bye = true};
    send_ask(s, &bye);
    xa_err why = XA_ERR_INIT;
    xa_status st = s->lost ? XA_OK : xa_comm_flush(s->c, &why);
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
}
