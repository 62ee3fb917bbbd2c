/* Create, run, tick: the loop of every rank; leaders serve their node in between (master.c on rank
 * 0, worker.c elsewhere). */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "sched_internal.h"

/* Seconds between two looks at messages and flags from inside work(). A poll costs 1 us in shared
 * memory and 4 us over TCP; asks are sent early enough that no node waits for the next one. */
#define LOOK_SECONDS 1e-3
/* An idle rank looks for units so often: first at once, then ever longer naps. */
#define NAP_FIRST 20e-6
#define NAP_LONGEST 1e-3

xa_sched_options xa_sched_defaults(void)
{
    return (xa_sched_options){.progress_seconds = 0.5, .align = 1};
}

static xa_status
check_options(const xa_sched_options *opt, const xa_sched_calls *calls, bool master, xa_err *err)
{
    if (!calls->work || !calls->write || !calls->sync || !calls->report ||
        (master && (!calls->room || !calls->pack || !calls->mark)))
        XA_RETURN_FAIL(
            err, XA_INVALID, "the scheduler needs room, pack, work, write, sync, report and mark");
    if (!(opt->target_seconds >= 0) || !(opt->target_seconds <= 86400) ||
        !(opt->progress_seconds >= 0) || opt->max_grant < 0 || opt->columns < 0 || opt->align < 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "grants of %g s (0 to 86400), at most %" PRId64
                       " units (>= 0), progress every %g s (>= 0), %d columns (>= 0), %" PRId64
                       " units between borders (>= 1)",
                       opt->target_seconds,
                       opt->max_grant,
                       opt->progress_seconds,
                       opt->columns,
                       opt->align);
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

/* ---- the memory of a node's blocks ----------------------------------------------------------- */

enum { BLOCK_UNITS = 1 << 20 };
#define RANK_ROWS ((size_t)8 << 20)     /* of a block, for each rank */
#define MOST_ROWS ((size_t)256 << 20)   /* unless a unit a rank needs more */
#define RANK_PAYLOAD ((size_t)64 << 10) /* for each rank, and as much again */

static size_t at_least(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rank 0: how large blocks are, by the largest unit and by all there is to do. `lean`: as small as
 * they can be. */
static xa_status plan_blocks(const xa_sched *s, bool lean, xa__extents *x, xa_err *err)
{
    const size_t ranks = (size_t)x->ranks;
    size_t payload = 0, rows = 0, all_payload = 0, all_rows = 0, unit_rows = 0;
    for (int64_t i = 0; i < s->opt.ntodo; i++) {
        size_t p = 0, r = 0;
        s->calls.room(s->calls.arg, s->opt.todo[i], 1, &p, &r);
        payload = at_least(payload, p);
        unit_rows = at_least(unit_rows, r);
        all_payload = all_payload > SIZE_MAX - p ? SIZE_MAX : all_payload + p;
        all_rows = all_rows > SIZE_MAX - r ? SIZE_MAX : all_rows + r;
    }
    if (!xa_size_mul(unit_rows, ranks, &rows))
        XA_RETURN_FAIL(err, XA_LIMIT, "a unit's rows take %zu bytes", unit_rows);
    if (!lean) {
        rows = at_least(rows, at_most(ranks * RANK_ROWS, MOST_ROWS));
        payload = at_least(payload, (ranks + 1) * RANK_PAYLOAD);
    }
    x->rows = at_least(at_most(rows, all_rows), unit_rows);
    x->payload = at_most(payload, all_payload);
    x->units = s->opt.ntodo < BLOCK_UNITS ? s->opt.ntodo : BLOCK_UNITS;
    if (xa__node_bytes(x) == 0)
        XA_RETURN_FAIL(err, XA_LIMIT, "blocks of %zu bytes of rows", x->rows);
    return XA_OK;
}

/* Collective: one size of blocks for all nodes. */
static xa_status agree_extents(xa_sched *s, bool lean, xa__extents *x, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    *x = (xa__extents){.ranks = xa_comm_largest_node(s->c)};
    xa_status st = s->rank == 0 ? plan_blocks(s, lean, x, &mine) : XA_OK;
    XA_RETURN_TRY(err, xa_comm_agree(s->c, st, &mine, err));
    int64_t v[3] = {x->units, (int64_t)x->payload, (int64_t)x->rows};
    XA_RETURN_TRY(err, xa_comm_sum_i64s(s->c, v, 3, err)); /* the other ranks' are zero */
    x->units = v[0];
    x->payload = (size_t)v[1];
    x->rows = (size_t)v[2];
    return XA_OK;
}

/* Collective. First with all the room blocks should have, then with the least; a node that has no
 * room for that either is taken apart. */
static xa_status share_blocks(xa_sched *s, xa_err *err)
{
    xa__extents x;
    int64_t refused = 0;
    for (int lean = 0; lean < 2; lean++) {
        XA_RETURN_TRY(err, agree_extents(s, lean == 1, &x, err));
        XA_RETURN_TRY(err,
                      xa_shared_alloc(s->c,
                                      xa__node_bytes(&x),
                                      lean == 1 ? "blocks of rows" : "large blocks of rows",
                                      &s->memory,
                                      err));
        refused = s->memory.is_private;
        XA_RETURN_TRY(err, xa_comm_max_i64(s->c, &refused, err));
        if (!refused)
            break;
        if (lean == 0)
            xa_shared_free(s->c, &s->memory);
    }
    if (refused)
        XA_RETURN_TRY(err, xa_comm_part(s->c, s->memory.is_private, err));
    xa__node_view(&x, s->memory.data, &s->view);
    s->leader = xa_comm_node_rank(s->c) == 0;
    if (s->leader)
        xa__node_clear(&s->view);
    XA_RETURN_TRY(err, xa_shared_ready(s->c, &s->memory, err));
    s->me = &s->view.member[xa_comm_node_rank(s->c)];
    return XA_OK;
}

xa_status xa_sched_create(xa_comm *c,
                          const xa_sched_options *opt,
                          const xa_sched_calls *calls,
                          xa_sched **out,
                          xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_sched *s = NULL;
    const bool master = xa_comm_rank(c) == 0;
    xa_status st = check_options(opt, calls, master, &mine);
    if (st == XA_OK && !(s = xa_alloc(1, sizeof *s)))
        st = XA_ERR(&mine, XA_NOMEM, "out of memory for the scheduler");
    st = xa_comm_agree(c, st, &mine, err);
    if (st != XA_OK || !s)
        goto done;
    s->c = c;
    s->opt = *opt;
    s->calls = *calls;
    s->rank = xa_comm_rank(c);
    s->size = xa_comm_size(c);
    /* Until an answer was timed: long enough for rank 0 to finish decoding an image. */
    s->l.latency = 0.1;
    XA_TRY(err, share_blocks(s, err));
    if (s->opt.target_seconds <= 0)
        s->opt.target_seconds = xa_comm_nodes(c) > 1 ? 4 : 2;
    if (master)
        st = xa__master_init(s, &mine);
    else
        xa__worker_init(s);
    st = xa_comm_agree(c, st, &mine, err);
    if (st != XA_OK)
        goto done;
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
    xa_shared_free(s->c, &s->memory);
    free(s);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void serve(xa_sched *s)
{
    s->in_tick = true;
    xa__sched_look(s);
    if (s->rank == 0)
        xa__master_service(s);
    else if (s->leader)
        xa__worker_service(s);
    s->in_tick = false;
}

void xa_sched_tick(void *sched)
{
    xa_sched *s = sched;
    /* pack, write, mark and progress may come through code that ticks. */
    if (s->in_tick || s->lost)
        return;
    const double now = xa_time();
    if (now - s->looked < LOOK_SECONDS)
        return;
    serve(s);
    s->looked = s->leader ? xa_time() : now;
    s->l.overhead += s->looked - now;
}

static void nap(double *length)
{
    const struct timespec t = {.tv_nsec = (long)(*length * 1e9)};
    nanosleep(&t, NULL); /* a signal may cut it short, which is welcome */
    *length = 1.2 * *length < NAP_LONGEST ? 1.2 * *length : NAP_LONGEST;
}

static void loop(xa_sched *s)
{
    double length = NAP_FIRST, since = xa_time();
    for (;;) {
        serve(s);
        if (s->lost || atomic_load(&s->view.node->over))
            break;
        const double now = xa_time();
        if (!s->stopping && xa__compute(s)) {
            s->idle += now - since;
            since = xa_time();
            length = NAP_FIRST;
        } else {
            nap(&length);
        }
    }
    s->idle += xa_time() - since;
}

xa_status xa_sched_run(xa_sched *s, xa_sched_result *result, xa_err *err)
{
    xa_sched_result r = {.end = XA_SCHED_FAILED};
    int culprit = -1;
    loop(s);
    if (s->rank == 0)
        xa__master_leave(s);
    else if (s->leader)
        xa__worker_leave(s);
    if (!s->lost) {
        const xa__node *node = s->view.node;
        culprit = node->culprit;
        r.end = (xa_sched_end)node->end;
        r.done = node->done;
        r.signal = node->signal;
    }
    r.grants = s->m.grants;
    r.overhead_seconds = s->l.overhead;
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
