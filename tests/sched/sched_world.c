/* See sched_world.h. */
#include "sched/sched_world.h"

#include <signal.h>
#include <time.h>

void world_init(world *w, xa_comm *c)
{
    *w = (world){
        .c = c,
        .rank = xa_comm_rank(c),
        .size = xa_comm_size(c),
        .unit_seconds = 0.001,
        .tick_seconds = 0.0002,
        .payload_most = 100,
        .report_most = 100,
        .fail_at = -1,
        .fail_rank = -1,
        .pack_fail_at = -1,
        .mark_fails = -1,
        .write_fails = -1,
        .settle_fails = -1,
        .stop_at = -1,
        .signal_at = -1,
        .stop_rank = -1,
    };
}

static size_t length(int64_t first, int64_t n, size_t most)
{
    return most == 0 ? 0 : (size_t)(first * 7919 + n * 104729) % (most + 1);
}

static char letter(int64_t first, int64_t n, size_t i, int salt)
{
    return (char)(first * 13 + n * 17 + (int64_t)i * 31 + (int64_t)(i >> 8) + salt);
}

static void
check_bytes(int64_t first, int64_t n, const void *data, size_t size, size_t most, int salt)
{
    const char *bytes = data;
    assert_int_equal(size, length(first, n, most));
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != letter(first, n, i, salt))
            assert_int_equal(bytes[i], letter(first, n, i, salt));
    }
}

static void write_bytes(int64_t first, int64_t n, xa_str *out, size_t most, int salt)
{
    const size_t size = length(first, n, most);
    for (size_t i = 0; i < size; i++) {
        const char x = letter(first, n, i, salt);
        xa_str_add(out, &x, 1);
    }
}

/* Payloads and reports are those of the units, one behind the other: commits are joined before they
 * are marked. */
static size_t lengths(int64_t first, int64_t n, size_t most)
{
    size_t all = 0;
    for (int64_t i = 0; i < n; i++)
        all += length(first + i, 1, most);
    return all;
}

static void write_units(int64_t first, int64_t n, xa_str *out, size_t most, int salt)
{
    for (int64_t i = 0; i < n; i++)
        write_bytes(first + i, 1, out, most, salt);
}

static void
check_units(int64_t first, int64_t n, const void *data, size_t size, size_t most, int salt)
{
    size_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        const size_t k = length(first + i, 1, most);
        assert_true(k <= size - at);
        check_bytes(first + i, 1, (const char *)data + at, k, most, salt);
        at += k;
    }
    assert_int_equal(at, size);
}

static void room(void *arg, int64_t first, int64_t n, size_t *payload, size_t *rows)
{
    const world *w = arg;
    *payload = lengths(first, n, w->payload_most);
    *rows = (size_t)n * WORLD_COLUMNS * sizeof(int64_t);
}

/* A number a unit in each of the columns, one column behind the other. */
static int64_t *row(const xa_sched_block *b, int column, int64_t unit)
{
    return (int64_t *)(void *)b->rows + column * b->n + (unit - b->first);
}

static xa_status pack(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    world *w = arg;
    assert_int_equal(w->rank, 0);
    if (w->busy_callbacks)
        xa_sched_tick(w->s);
    if (w->pack_fail_at >= first && w->pack_fail_at < first + n)
        XA_RETURN_FAIL(err, XA_FORMAT, "no row for unit %lld", (long long)w->pack_fail_at);
    const int64_t nodes = xa_comm_nodes(w->c), each = (w->remaining + nodes - 1) / nodes;
    const int64_t most = xa_comm_largest_node(w->c), one = each < most ? each : most;
    if (n > one && n > w->remaining / (2 * nodes) && nodes > 1)
        w->tail_breaches++;
    w->remaining -= n;
    w->most_grant = n > w->most_grant ? n : w->most_grant;
    write_units(first, n, out, w->payload_most, 1);
    return XA_OK;
}

static void spend(world *w, double seconds)
{
    const double until = xa_time() + seconds;
    do {
        xa_sched_tick(w->s);
        struct timespec t = {.tv_nsec = (long)(w->tick_seconds * 1e9)};
        if (seconds > 0)
            nanosleep(&t, NULL);
    } while (xa_time() < until);
}

static xa_status work(void *arg, const xa_sched_block *b, int64_t unit, xa_err *err)
{
    world *w = arg;
    assert_in_range(unit, b->first, b->first + b->n - 1);
    assert_int_equal(b->payload_size, lengths(b->first, b->n, w->payload_most));
    check_units(unit,
                1,
                (const char *)b->payload + lengths(b->first, unit - b->first, w->payload_most),
                length(unit, 1, w->payload_most),
                w->payload_most,
                1);
    const int turn = w->units++;
    if (w->fail_rank == w->rank && w->fail_turn == turn)
        XA_RETURN_FAIL(err, w->fail_code, "turn %d of rank %d", turn, w->rank);
    if (unit == w->fail_at)
        XA_RETURN_FAIL(err, w->fail_code, "unit %lld is impossible", (long long)unit);
    if (unit == w->stop_at || w->stop_rank == w->rank) {
        w->stopper = true;
        xa_sched_stop(w->s);
    }
    if (unit == w->signal_at)
        raise(SIGUSR1);
    for (int k = 0; k < WORLD_COLUMNS; k++)
        *row(b, k, unit) = -1;
    spend(w, w->unit_seconds);
    for (int k = 0; k < WORLD_COLUMNS; k++)
        *row(b, k, unit) = 10 * unit + k;
    w->computed[unit]++;
    return XA_OK;
}

static xa_status
write_rows(void *arg, const xa_sched_block *b, int column, int64_t first, int64_t n, xa_err *err)
{
    world *w = arg;
    assert_int_equal(xa_comm_node_rank(w->c), 0);
    assert_in_range(column, 0, WORLD_COLUMNS - 1);
    assert_true(first >= b->first && n >= 1 && first + n <= b->first + b->n);
    if (w->busy_callbacks)
        xa_sched_tick(w->s);
    if (w->write_fails >= first && w->write_fails < first + n && column == 1)
        XA_RETURN_FAIL(err, XA_NOSPACE, "no room for column %d", column);
    for (int64_t u = first; u < first + n; u++) {
        assert_int_equal(*row(b, column, u), 10 * u + column);
        w->written[column][u]++;
    }
    return XA_OK;
}

static xa_status sync_rows(void *arg, xa_err *err)
{
    const world *w = arg;
    if (w->sync_fails)
        XA_RETURN_FAIL(err, XA_IO, "the disk is gone");
    return XA_OK;
}

static xa_status
report(void *arg, const xa_sched_block *b, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    world *w = arg;
    (void)err;
    assert_int_equal(xa_comm_node_rank(w->c), 0);
    for (int64_t u = first; u < first + n; u++) {
        assert_int_equal(*row(b, 0, u), 10 * u);
        w->finished[u]++;
    }
    write_units(first, n, out, w->report_most, 2);
    return XA_OK;
}

static xa_status
mark(void *arg, int64_t first, int64_t n, const void *bytes, size_t size, xa_err *err)
{
    world *w = arg;
    assert_int_equal(w->rank, 0);
    if (w->busy_callbacks)
        xa_sched_tick(w->s);
    check_units(first, n, bytes, size, w->report_most, 2);
    w->mark_calls++;
    if (w->mark_fails >= 0) {
        w->mark_fails -= n;
        if (w->mark_fails < 0) {
            w->mark_fails = 0;
            XA_RETURN_FAIL(err, XA_NOSPACE, "the disk is full");
        }
    }
    for (int64_t i = 0; i < n; i++)
        w->marked[first + i]++;
    w->unsettled += n;
    return XA_OK;
}

static xa_status settle(void *arg, xa_err *err)
{
    world *w = arg;
    assert_int_equal(w->rank, 0);
    assert_true(w->unsettled > 0); /* never for nothing */
    if (w->settle_calls++ == w->settle_fails)
        XA_RETURN_FAIL(err, XA_IO, "the disk does not answer");
    const double until = xa_time() + w->settle_seconds;
    while (xa_time() < until)
        ;
    w->settled += w->unsettled;
    w->unsettled = 0;
    return XA_OK;
}

static void progress(void *arg, int64_t done, int64_t total, double seconds, double left)
{
    world *w = arg;
    assert_int_equal(w->rank, 0);
    assert_in_range(done, 0, total);
    assert_true(done >= w->progress_done);
    assert_true(seconds >= 0);
    assert_true(done == 0 ? left < 0 : left >= 0);
    w->progress_done = done;
    w->progress_calls++;
}

xa_sched_calls world_calls(world *w)
{
    return (xa_sched_calls){.arg = w,
                            .room = room,
                            .pack = pack,
                            .work = work,
                            .write = write_rows,
                            .sync = sync_rows,
                            .report = report,
                            .mark = mark,
                            .settle = w->settles ? settle : NULL,
                            .progress = progress};
}

xa_status world_run(world *w, const xa_sched_options *opt, const int64_t *todo, int64_t ntodo)
{
    xa_sched_options o = *opt;
    if (w->rank == 0) {
        o.todo = todo;
        o.ntodo = ntodo;
    }
    o.columns = WORLD_COLUMNS;
    const xa_sched_calls calls = world_calls(w);
    w->remaining = ntodo;
    w->err = (xa_err)XA_ERR_INIT;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_sched_create(w->c, &o, &calls, &w->s, &err), err);
    xa_status st = xa_sched_run(w->s, &w->result, &w->err);
    xa_sched_free(w->s);
    w->s = NULL;
    /* All have the same verdict, word by word. */
    int64_t low = st, high = st;
    assert_ok(xa_comm_min_i64(w->c, &low, &err), err);
    assert_ok(xa_comm_max_i64(w->c, &high, &err), err);
    assert_int_equal(low, high);
    char text[XA_ERR_MESSAGE];
    snprintf(text, sizeof text, "%s", w->err.message);
    void *words = text;
    size_t size = sizeof text;
    assert_ok(xa_comm_broadcast(w->c, 0, &words, &size, &err), err);
    assert_string_equal(words, w->err.message);
    if (words != text)
        free(words);
    low = w->result.end;
    high = w->result.end;
    assert_ok(xa_comm_min_i64(w->c, &low, &err), err);
    assert_ok(xa_comm_max_i64(w->c, &high, &err), err);
    assert_int_equal(low, high);
    return st;
}

/* Sums a book of all ranks: a copy in the caller's array. */
static void sum_book(world *w, const int64_t *book, int64_t *sum)
{
    MPI_Allreduce(book, sum, WORLD_UNITS, MPI_INT64_T, MPI_SUM, xa_comm_mpi(w->c));
}

static void sum_finished(world *w, int64_t *sum)
{
    sum_book(w, w->finished, sum);
}

/* What was reported was computed, and written in every column, once. */
static void check_books(world *w, const int64_t *finished)
{
    static int64_t sum[WORLD_UNITS];
    for (int k = -1; k < WORLD_COLUMNS; k++) {
        sum_book(w, k < 0 ? w->computed : w->written[k], sum);
        for (int i = 0; i < WORLD_UNITS; i++) {
            assert_true(sum[i] >= finished[i]);
            if (finished[i] > 0 || k < 0)
                assert_in_range(sum[i], finished[i], 1);
        }
    }
}

void world_check(world *w, const int64_t *todo, int64_t ntodo, int64_t times)
{
    static int64_t sum[WORLD_UNITS], want[WORLD_UNITS];
    sum_finished(w, sum);
    memset(want, 0, sizeof want);
    check_books(w, sum);
    for (int64_t i = 0; i < ntodo; i++)
        want[todo[i]] = times;
    for (int i = 0; i < WORLD_UNITS; i++) {
        assert_int_equal(sum[i], want[i]);
        if (w->rank == 0)
            assert_int_equal(w->marked[i], want[i]);
    }
}

int64_t world_check_part(world *w)
{
    static int64_t sum[WORLD_UNITS];
    sum_finished(w, sum);
    int64_t n = 0;
    check_books(w, sum);
    for (int i = 0; i < WORLD_UNITS; i++) {
        assert_in_range(sum[i], 0, 1);
        if (w->rank == 0)
            assert_int_equal(w->marked[i], sum[i]);
        n += sum[i];
    }
    return n;
}

const int64_t *world_list(int64_t n)
{
    static int64_t list[WORLD_UNITS];
    assert_in_range(n, 0, WORLD_UNITS);
    for (int64_t i = 0; i < WORLD_UNITS; i++)
        list[i] = i;
    return list;
}

int64_t world_rest(const world *w, const int64_t *todo, int64_t ntodo, int64_t *rest)
{
    int64_t n = 0;
    for (int64_t i = 0; i < ntodo; i++) {
        if (w->marked[todo[i]] == 0)
            rest[n++] = todo[i];
    }
    return n;
}
