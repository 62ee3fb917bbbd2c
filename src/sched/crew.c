/* What every rank does: takes units and computes them, writes columns. */
#include "sched_internal.h"

/* Units taken at once are worth so many seconds: taking costs a microsecond. */
#define TAKE_SECONDS 0.05
#define MICRO 1e6

/* ---- columns --------------------------------------------------------------------------------- */

void xa__block_full(xa_sched *s, int i)
{
    int64_t at = 0, first, n;
    xa__columns_begin(
        &s->view, i, xa__next_stretch(&s->view, i, &at, &first, &n) ? s->opt.columns : 0);
}

static xa_status write_stretches(xa_sched *s, int i, int column, xa_err *err)
{
    const xa_sched_block b = xa__sched_block(s, i);
    int64_t at = 0, first, n;
    while (xa__next_stretch(&s->view, i, &at, &first, &n))
        XA_RETURN_TRY(err, s->calls.write(s->calls.arg, &b, column, b.first + first, n, err));
    return XA_OK;
}

static void fail_block(xa_sched *s, xa__block *b, xa_status st, const xa_err *why)
{
    atomic_store(&b->broken, 1);
    xa__sched_keep(s, st, why);
}

bool xa__write_column(xa_sched *s)
{
    int i, column;
    uint64_t turn;
    if (!xa__take_column(&s->view, &i, &turn, &column))
        return false;
    xa__block *b = s->view.block[i].b;
    xa_err why = XA_ERR_INIT;
    xa_status st = atomic_load(&b->broken) ? XA_OK : write_stretches(s, i, column, &why);
    /* A failure is told before the block is. */
    if (st != XA_OK)
        fail_block(s, b, st, &why);
    if (xa__column_done(&s->view, i)) {
        st = atomic_load(&b->broken) ? XA_OK : s->calls.sync(s->calls.arg, &why);
        if (st != XA_OK)
            fail_block(s, b, st, &why);
        xa__block_written(&s->view, i);
    }
    return true;
}

/* ---- units ----------------------------------------------------------------------------------- */

static bool one_unit(xa_sched *s, const xa__claim *c, int64_t k)
{
    const xa_sched_block b = xa__sched_block(s, c->block);
    xa_err why = XA_ERR_INIT;
    const double start = xa_time();
    const int64_t until =
        (int64_t)(MICRO * (start + s->unit_seconds * (double)(c->first + c->n - k)));
    atomic_store_explicit(&s->me->free_at, until, memory_order_relaxed);
    const xa_status st = s->calls.work(s->calls.arg, &b, b.first + k, &why);
    const double seconds = xa_time() - start;
    s->work += seconds;
    if (st != XA_OK)
        xa__sched_keep(s, st, &why);
    else
        s->unit_seconds = s->unit_seconds > 0 ? 0.5 * (s->unit_seconds + seconds) : seconds;
    if (xa__resolve(&s->view, c, k, st == XA_OK, (int64_t)(MICRO * seconds)))
        xa__block_full(s, c->block);
    return st == XA_OK;
}

bool xa__compute(xa_sched *s)
{
    xa__claim c;
    const double worth = s->unit_seconds > 0 ? TAKE_SECONDS / s->unit_seconds : 1;
    const int64_t most = worth < 1e6 ? (int64_t)worth : 1000000;
    if (!xa__take(&s->view, xa_comm_node_size(s->c), most, &c))
        return false;
    for (int64_t k = c.first; k < c.first + c.n; k++) {
        /* What was taken is finished after a signal; after an error the rest is given back. */
        if (s->code == XA_OK)
            (void)one_unit(s, &c, k);
        else if (xa__resolve(&s->view, &c, k, false, 0))
            xa__block_full(s, c.block);
        xa__sched_look(s);
    }
    atomic_store_explicit(&s->me->free_at, 0, memory_order_relaxed);
    return true;
}
