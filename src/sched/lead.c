/* A leader's side of its node: grants go into blocks, committed blocks are told, the next grant is
 * asked for in time. How it is asked for and told is master.c's matter or worker.c's. */
#include <string.h>

#include "sched_internal.h"

/* How early to ask: a part of what a block takes, because its length is only an estimate, a few
 * times the slowest answer of late, and some looks at messages. */
#define LEAD_PART 0.1
#define LEAD_ANSWERS 2.0
#define LEAD_LOOKS 4e-3
#define MICRO 1e-6

static int with_phase(const xa_sched *s, xa__phase p)
{
    for (int i = 0; i < XA__BLOCKS; i++) {
        if (xa__phase_of(s->view.block[i].b) == p)
            return i;
    }
    return -1;
}

void xa__lead_open(xa_sched *s, xa__range grant, const void *payload, size_t size)
{
    xa_err why = XA_ERR_INIT;
    const int i = with_phase(s, XA__FREE);
    if (i < 0 || grant.n > s->view.x.units || size > s->view.x.payload) {
        const xa_status st =
            XA_ERR(&why, XA_COMM, "a grant came for which this node has no room: %zu bytes", size);
        xa__sched_lost(s, st, &why);
        return;
    }
    if (size > 0)
        memcpy(s->view.block[i].payload, payload, size);
    s->l.asked = false;
    s->l.block_seconds = (double)grant.n * s->l.unit_seconds;
    xa__block_open(&s->view, i, ++s->l.serial, grant.first, grant.n, size);
}

/* ---- commits --------------------------------------------------------------------------------- */

/* Tells one stretch, or (n = 0) that nothing of the block is left to tell. */
static xa_status tell(xa_sched *s, const xa__ask *about, const xa_sched_block *b, xa_err *err)
{
    xa_status st = XA_OK;
    xa__ask a = *about;
    xa_str report = {0};
    if (a.finished > 0)
        XA_TRY(err, s->calls.report(s->calls.arg, b, a.from, a.finished, &report, err));
    if (report.failed)
        XA_FAIL(err, XA_NOMEM, "out of memory for the report of a block");
    a.report = report.data;
    a.report_size = report.len;
    XA_TRY(err, s->l.commit(s, &a, err));
done:
    xa_str_free(&report);
    return st;
}

/* A block that is written: rank 0 learns which of its units are done. */
static void tell_block(xa_sched *s, int i)
{
    const xa__block *b = s->view.block[i].b;
    const xa_sched_block block = xa__sched_block(s, i);
    const double spent = MICRO * (double)atomic_load(&b->worked) / xa_comm_node_size(s->c);
    const bool broken = atomic_load(&b->broken) != 0;
    int64_t at = 0, first, n, all = 0, told = 0;
    xa_err why = XA_ERR_INIT;
    xa_status st = XA_OK;
    s->l.news(s); /* the error before what it left undone */
    while (!broken && xa__next_stretch(&s->view, i, &at, &first, &n))
        all += n;
    at = 0;
    while (st == XA_OK && told < all && xa__next_stretch(&s->view, i, &at, &first, &n)) {
        told += n;
        const xa__ask a = {.first = b->first,
                           .n = b->n,
                           .from = b->first + first,
                           .finished = n,
                           .through = told == all,
                           .seconds = spent * (double)n / (double)all};
        st = tell(s, &a, &block, &why);
    }
    if (all == 0) {
        const xa__ask nothing = {.first = b->first, .n = b->n, .through = true};
        st = tell(s, &nothing, &block, &why);
    }
    /* A grant that is not given back keeps rank 0 waiting for ever. */
    if (st != XA_OK)
        xa__sched_lost(s, st, &why);
    if (all > 0)
        s->l.unit_seconds = xa__unit_seconds(s->l.unit_seconds, all, spent);
    xa__block_free(&s->view, i);
}

/* ---- asks ------------------------------------------------------------------------------------ */

/* When the first rank of this node has nothing left to take, in seconds; < 0: not known. */
static double seconds_left(const xa_sched *s, double enough)
{
    const double now = xa_time();
    int64_t left = 0, resolved = 0;
    double worked = 0;
    for (int i = 0; i < XA__BLOCKS; i++) {
        const xa__block *b = s->view.block[i].b;
        left += xa__block_left(b);
        if (xa__phase_of(b) == XA__OPEN) {
            resolved += atomic_load(&b->resolved);
            worked += MICRO * (double)atomic_load(&b->worked);
        }
    }
    const int ranks = xa_comm_node_size(s->c);
    for (int k = 0; k < ranks && left == 0; k++) {
        if (atomic_load_explicit(&s->view.member[k].free_at, memory_order_relaxed) == 0)
            return 0; /* a rank has nothing to do */
    }
    double unit = s->l.unit_seconds;
    if (unit <= 0 && resolved > 0)
        unit = worked / (double)resolved / ranks;
    if (unit <= 0)
        return -1;
    const double queued = (double)left * unit;
    if (queued > enough)
        return queued;
    double first = 1e9;
    for (int k = 0; k < ranks; k++) {
        const double at =
            MICRO * (double)atomic_load_explicit(&s->view.member[k].free_at, memory_order_relaxed);
        first = at - now < first ? at - now : first;
    }
    return queued + (first > 0 ? first : 0);
}

static void ask_in_time(xa_sched *s)
{
    if (s->l.asked || with_phase(s, XA__FREE) < 0)
        return;
    bool busy = false;
    for (int i = 0; i < XA__BLOCKS; i++)
        busy = busy || xa__phase_of(s->view.block[i].b) == XA__OPEN;
    if (busy) {
        if (s->stopping)
            return; /* asked when all is given back */
        double lead = LEAD_PART * s->l.block_seconds;
        if (lead < LEAD_ANSWERS * s->l.latency)
            lead = LEAD_ANSWERS * s->l.latency;
        if (lead < LEAD_LOOKS)
            lead = LEAD_LOOKS;
        const double left = seconds_left(s, lead);
        if (left < 0 || left > lead)
            return;
    }
    s->l.news(s);
    s->l.asked = true;
    s->l.asked_at = xa_time();
    s->l.ask(s);
}

void xa__lead_service(xa_sched *s, void (*between)(xa_sched *s))
{
    if (s->stopping)
        atomic_store(&s->view.node->stop, 1);
    for (int i = 0; i < XA__BLOCKS && s->stopping; i++) {
        if (xa__phase_of(s->view.block[i].b) == XA__OPEN && xa__block_close(&s->view, i))
            xa__block_full(s, i);
    }
    while (!s->lost && xa__write_column(s))
        between(s);
    /* In the order of units, and so that rank 0 learns of the first one first. */
    for (int k = 0; k < XA__BLOCKS && !s->lost; k++) {
        int best = -1;
        for (int i = 0; i < XA__BLOCKS; i++) {
            const xa__block *b = s->view.block[i].b;
            if (xa__phase_of(b) == XA__WRITTEN &&
                (best < 0 || b->serial < s->view.block[best].b->serial))
                best = i;
        }
        if (best >= 0)
            tell_block(s, best);
    }
    if (!s->lost)
        ask_in_time(s);
}

void xa__lead_end(xa_sched *s, const xa__answer *end)
{
    xa__node *node = s->view.node;
    node->end = end->end;
    node->signal = end->signal;
    node->culprit = end->culprit;
    node->done = end->done;
    atomic_store(&node->over, 1);
}
