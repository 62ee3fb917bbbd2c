/* Encoding and bounds-checked decoding of asks and answers. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "protocol.h"
#include "xaudit/sched.h"

enum { ASK_MAGIC = 0x41415831, ANSWER_MAGIC = 0x41415832 };
enum { WANT = 1, STOP = 2, BYE = 4, THROUGH = 8, KNOWN = 15 };
enum { SIGNAL_MOST = 128 };

/* Fixed part of an ask; no padding: 4-byte fields in pairs before the 8-byte ones. */
typedef struct ask_wire {
    uint32_t magic, flags;
    int32_t signal, code, culprit, spare;
    int64_t first, n, from, finished;
    double seconds;
    uint64_t report_size;
} ask_wire;

typedef struct answer_wire {
    uint32_t magic;
    int32_t kind, end, signal, culprit, spare;
    int64_t first, n, done;
    uint64_t payload_size;
} answer_wire;

static xa_status
append(xa_str *out, const void *a, size_t na, const void *b, size_t nb, xa_err *err)
{
    xa_str_add(out, a, na);
    if (nb > 0)
        xa_str_add(out, b, nb);
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a message of %zu bytes", na + nb);
    return XA_OK;
}

xa_status xa__ask_encode(const xa__ask *a, xa_str *out, xa_err *err)
{
    const ask_wire w = {
        .magic = ASK_MAGIC,
        .flags = (a->want ? WANT : 0u) | (a->stop ? STOP : 0u) | (a->bye ? BYE : 0u) |
                 (a->through ? THROUGH : 0u),
        .signal = a->signal,
        .code = (int32_t)a->code,
        .culprit = a->culprit,
        .first = a->first,
        .n = a->n,
        .from = a->from,
        .finished = a->finished,
        .seconds = a->seconds,
        .report_size = a->report_size,
    };
    return append(out, &w, sizeof w, a->report, a->report_size, err);
}

xa_status xa__answer_encode(const xa__answer *a, xa_str *out, xa_err *err)
{
    const answer_wire w = {
        .magic = ANSWER_MAGIC,
        .kind = (int32_t)a->kind,
        .end = a->end,
        .signal = a->signal,
        .culprit = a->culprit,
        .first = a->first,
        .n = a->n,
        .done = a->done,
        .payload_size = a->payload_size,
    };
    return append(out, &w, sizeof w, a->payload, a->payload_size, err);
}

static bool range_ok(int64_t first, int64_t n)
{
    return first >= 0 && n >= 0 && first <= INT64_MAX - n;
}

xa_status xa__ask_decode(const void *data, size_t size, xa__ask *a, xa_err *err)
{
    ask_wire w;
    if (size < sizeof w)
        XA_RETURN_FAIL(err, XA_COMM, "an ask of %zu bytes, at least %zu expected", size, sizeof w);
    memcpy(&w, data, sizeof w);
    if (w.magic != ASK_MAGIC || (w.flags & ~(uint32_t)KNOWN) != 0)
        XA_RETURN_FAIL(err, XA_COMM, "not an ask: marks %#x, flags %#x", w.magic, w.flags);
    if (w.report_size != size - sizeof w)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an ask with a report of %" PRIu64 " bytes, %zu came",
                       w.report_size,
                       size - sizeof w);
    if (w.signal < 0 || w.signal > SIGNAL_MOST || w.code < 0 || w.code >= XA_STATUS_COUNT ||
        w.culprit < 0)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an ask with signal %d and error %d of rank %d",
                       w.signal,
                       w.code,
                       w.culprit);
    if (!range_ok(w.first, w.n) || w.finished < 0 || w.finished > w.n || w.from < 0 ||
        (w.finished > 0 && (w.from < w.first || w.from - w.first > w.n - w.finished)) ||
        !isfinite(w.seconds) || w.seconds < 0)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an ask that commits %" PRId64 " units from %" PRId64 " of %" PRId64
                       " from %" PRId64 " in %g s",
                       w.finished,
                       w.from,
                       w.n,
                       w.first,
                       w.seconds);
    *a = (xa__ask){
        .want = (w.flags & WANT) != 0,
        .stop = (w.flags & STOP) != 0,
        .bye = (w.flags & BYE) != 0,
        .through = (w.flags & THROUGH) != 0,
        .signal = w.signal,
        .code = (xa_status)w.code,
        .culprit = w.culprit,
        .first = w.first,
        .n = w.n,
        .from = w.from,
        .finished = w.finished,
        .seconds = w.seconds,
        .report = (const unsigned char *)data + sizeof w,
        .report_size = (size_t)w.report_size,
    };
    return XA_OK;
}

xa_status xa__answer_decode(const void *data, size_t size, xa__answer *a, xa_err *err)
{
    answer_wire w;
    if (size < sizeof w)
        XA_RETURN_FAIL(
            err, XA_COMM, "an answer of %zu bytes, at least %zu expected", size, sizeof w);
    memcpy(&w, data, sizeof w);
    if (w.magic != ANSWER_MAGIC || w.kind < XA__GRANT || w.kind > XA__END)
        XA_RETURN_FAIL(err, XA_COMM, "not an answer: mark %#x, kind %d", w.magic, w.kind);
    if (w.payload_size != size - sizeof w)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an answer with a payload of %" PRIu64 " bytes, %zu came",
                       w.payload_size,
                       size - sizeof w);
    if (!range_ok(w.first, w.n) || (w.kind == XA__GRANT) != (w.n > 0))
        XA_RETURN_FAIL(
            err, XA_COMM, "an answer that grants %" PRId64 " units from %" PRId64, w.n, w.first);
    if (w.end < XA_SCHED_DONE || w.end > XA_SCHED_FAILED || w.signal < 0 ||
        w.signal > SIGNAL_MOST || w.culprit < -1 || w.done < 0)
        XA_RETURN_FAIL(err,
                       XA_COMM,
                       "an answer with end %d, signal %d, failed rank %d, %" PRId64 " units done",
                       w.end,
                       w.signal,
                       w.culprit,
                       w.done);
    *a = (xa__answer){
        .kind = (xa__answer_kind)w.kind,
        .first = w.first,
        .n = w.n,
        .payload = (const unsigned char *)data + sizeof w,
        .payload_size = (size_t)w.payload_size,
        .end = w.end,
        .signal = w.signal,
        .culprit = w.culprit,
        .done = w.done,
    };
    return XA_OK;
}
