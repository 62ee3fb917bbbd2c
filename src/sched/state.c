/* What rank 0 and the other ranks share, below both: first errors, the wish to stop, work. */
#include <inttypes.h>

#include "sched_internal.h"

void xa__sched_keep(xa_sched *s, xa_status code, const xa_err *why)
{
    s->stopping = true;
    if (s->code != XA_OK)
        return;
    s->code = code;
    s->err = *why;
    if (s->err.code == XA_OK)
        XA_ERR(&s->err, code, "%s, without a reason", xa_status_text(code));
}

void xa__sched_lost(xa_sched *s, xa_status code, const xa_err *why)
{
    if (!s->lost) {
        s->lost = true;
        s->code = XA_OK;
    }
    xa__sched_keep(s, code, why);
}

bool xa__sched_signal(xa_sched *s)
{
    const int number = xa_signals_pending();
    if (number == 0 || s->signal != 0)
        return false;
    s->signal = number;
    s->stopping = true;
    return true;
}

bool xa_sched_stopping(const xa_sched *s)
{
    return s->stopping || xa_signals_pending() != 0;
}

void xa_sched_stop(xa_sched *s)
{
    s->asked_to_stop = true;
    s->stopping = true;
}

bool xa__sched_wait(xa_sched *s, bool (*tick)(void *arg), xa_message *msg)
{
    xa_err why = XA_ERR_INIT;
    bool got = false;
    const double from = xa_time();
    const xa_status st = xa_comm_wait(s->c, msg, tick, s, &got, &why);
    s->idle += xa_time() - from;
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
    return st == XA_OK && got;
}

xa_status xa__sched_work(xa_sched *s,
                         xa__range grant,
                         const void *payload,
                         size_t size,
                         int64_t *finished,
                         double *seconds,
                         xa_str *report,
                         xa_err *err)
{
    const double start = xa_time();
    int64_t n = 0;
    xa_status st =
        s->calls.work(s->calls.arg, grant.first, grant.n, payload, size, &n, report, err);
    *seconds = xa_time() - start;
    s->work += *seconds;
    *finished = 0;
    if (st != XA_OK)
        return XA_ERR_PASS(err, st);
    if (report->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the report of %" PRId64 " units", n);
    if (n < 0 || n > grant.n || (n < grant.n && !xa_sched_stopping(s)))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "work finished %" PRId64 " of %" PRId64 " units without being asked to stop",
                       n,
                       grant.n);
    *finished = n;
    return XA_OK;
}
