/* Runs that end early: errors, stops, signals. Nobody hangs, nothing counts that is not there. */
#include <signal.h>
#include <time.h>

#include "sched/sched_world.h"

enum { N = 400 };

static xa_sched_options quick(void)
{
    xa_sched_options o = xa_sched_defaults();
    o.target_seconds = 0.01;
    o.progress_seconds = 0.01;
    return o;
}

static void expect_message(const world *w, int rank, const char *text)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "rank %d on ", rank);
    if (w->size > 1)
        assert_ptr_equal(strstr(w->err.message, prefix), w->err.message);
    assert_non_null(strstr(w->err.message, text));
}

static void test_failing_rank(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    for (int rank = 0; rank < xa_comm_size(c); rank++) {
        for (int turn = 0; turn < 3; turn += 2) {
            world_init(&w, c);
            w.fail_rank = rank;
            w.fail_turn = turn;
            w.fail_code = XA_IO;
            assert_int_equal(world_run(&w, &o, world_list(N), N), XA_IO);
            assert_int_equal(w.result.end, XA_SCHED_FAILED);
            expect_message(&w, rank, "turn ");
            const int64_t done = world_check_part(&w);
            assert_int_equal(done, w.result.done);
            assert_true(done < N);
            /* What others had in hand was finished and counts. */
            if (w.size > 1 && turn > 0)
                assert_true(done > 0);
        }
    }
}

/* One unit nobody can do, met by whoever gets it. */
static void test_failing_unit(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.fail_at = N / 2;
    w.fail_code = XA_FORMAT;
    assert_int_equal(world_run(&w, &o, world_list(N), N), XA_FORMAT);
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    assert_non_null(strstr(w.err.message, "unit 200 is impossible"));
    assert_int_equal(world_check_part(&w), w.result.done);
}

/* All fail at once: one of them is named, the same everywhere (world_run compares). */
static void test_all_fail(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.fail_rank = w.rank;
    w.fail_code = w.rank % 2 == 0 ? XA_NOMEM : XA_IO;
    xa_status st = world_run(&w, &o, world_list(N), N);
    assert_true(st == XA_NOMEM || st == XA_IO);
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    assert_int_equal(world_check_part(&w), 0);
}

static void test_mark_fails(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.mark_fails = N / 3;
    assert_int_equal(world_run(&w, &o, world_list(N), N), XA_NOSPACE);
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    expect_message(&w, 0, "the disk is full");
    int64_t marked = 0;
    for (int i = 0; i < N; i++)
        marked += w.marked[i];
    if (w.rank == 0)
        assert_int_equal(marked, w.result.done);
    assert_true(w.result.done <= N / 3);
}

static void test_pack_fails(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.pack_fail_at = N / 2;
    assert_int_equal(world_run(&w, &o, world_list(N), N), XA_FORMAT);
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    expect_message(&w, 0, "no row for unit 200");
    /* All before it was granted, finished or given back. */
    assert_int_equal(world_check_part(&w), w.result.done);
    assert_true(w.result.done <= N / 2);
}

/* A column that cannot be written, a block that cannot be synced: nothing of the block counts. */
static void test_write_fails(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.write_fails = N / 2;
    assert_int_equal(world_run(&w, &o, world_list(N), N), XA_NOSPACE);
    assert_non_null(strstr(w.err.message, "no room for column 1"));
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    assert_int_equal(world_check_part(&w), w.result.done);
    assert_int_equal(w.finished[N / 2], 0);
    world_init(&w, c);
    w.sync_fails = true;
    assert_int_equal(world_run(&w, &o, world_list(N), N), XA_IO);
    assert_non_null(strstr(w.err.message, "the disk is gone"));
    assert_int_equal(world_check_part(&w), 0);
    assert_int_equal(w.result.done, 0);
}

/* Stops, then goes on with the rest until all is done: each unit once over all runs. */
static void test_stop_and_resume(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    static int64_t rest[WORLD_UNITS];
    world_init(&w, c);
    int64_t n = N;
    memcpy(rest, world_list(N), N * sizeof *rest);
    for (int round = 0; round < 4; round++) {
        /* A unit of this round's list: rank 0's is the true one, the others' stays behind. */
        xa_err err = XA_ERR_INIT;
        w.stop_at = w.rank == 0 && round < 3 ? rest[n / 3] : -1;
        assert_ok(xa_comm_max_i64(c, &w.stop_at, &err), err);
        w.progress_done = 0;
        const int64_t before = N - n;
        assert_ok(world_run(&w, &o, rest, n), w.err);
        assert_int_equal(w.result.end, round < 3 ? XA_SCHED_STOPPED : XA_SCHED_DONE);
        assert_int_equal(w.result.signal, 0);
        const int64_t done = world_check_part(&w);
        assert_int_equal(done, before + w.result.done);
        if (w.rank == 0)
            n = world_rest(&w, world_list(N), N, rest);
        if (w.rank != 0)
            n = 0;
        assert_ok(xa_comm_max_i64(c, &n, &err), err);
        /* The unit at which it stopped is still to do. */
        assert_true(round == 3 ? n == 0 : n >= 1);
    }
    world_check(&w, world_list(N), N, 1);
}

/* A given rank wishes to stop in the middle of its grants. */
static void test_stop_wish(void **state)
{
    xa_comm *c = *state;
    xa_sched_options o = quick();
    static world w;
    for (int rank = 0; rank < xa_comm_size(c); rank++) {
        world_init(&w, c);
        w.stop_rank = rank;
        const double from = xa_time();
        assert_ok(world_run(&w, &o, world_list(WORLD_UNITS), WORLD_UNITS), w.err);
        assert_int_equal(w.result.end, XA_SCHED_STOPPED);
        assert_int_equal(w.result.signal, 0);
        assert_int_equal(world_check_part(&w), w.result.done);
        assert_true(xa_time() - from < 3);
    }
}

/* Blocks of hundreds of units: the other ranks are told to stop in the middle of them. */
static void test_stop_reaches_all(void **state)
{
    xa_comm *c = *state;
    static world w;
    world_init(&w, c);
    xa_sched_options o = quick();
    o.target_seconds = 100;
    w.stop_at = 500;
    assert_ok(world_run(&w, &o, world_list(WORLD_UNITS), WORLD_UNITS), w.err);
    assert_int_equal(w.result.end, XA_SCHED_STOPPED);
    const int64_t done = world_check_part(&w);
    assert_int_equal(done, w.result.done);
    /* Half of all is granted by then. */
    if (w.size > 1)
        assert_true(done < WORLD_UNITS / 2);
}

static void test_signal(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    xa_signals_install();
    w.signal_at = N / 4;
    assert_ok(world_run(&w, &o, world_list(N), N), w.err);
    assert_int_equal(w.result.end, XA_SCHED_STOPPED);
    assert_int_equal(w.result.signal, SIGUSR1);
    const int64_t done = world_check_part(&w);
    assert_int_equal(done, w.result.done);
    assert_true(done < N);
    xa_signals_remove();
    assert_ok(xa_comm_barrier(c, &err), err);
}

/* Pending before the start: nothing is begun. */
static void test_signal_before(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    xa_signals_install();
    raise(SIGTERM);
    assert_ok(world_run(&w, &o, world_list(N), N), w.err);
    assert_int_equal(w.result.end, XA_SCHED_STOPPED);
    assert_int_equal(w.result.signal, SIGTERM);
    assert_int_equal(w.result.done, 0);
    assert_int_equal(world_check_part(&w), 0);
    xa_signals_remove();
    assert_ok(xa_comm_barrier(c, &err), err);
}

/* The signal reaches a rank that has nothing to do; rank 0 is in the middle of a long unit. */
static void test_signal_while_idle(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    static world w;
    world_init(&w, c);
    if (w.size == 1)
        return;
    const xa_sched_options o = quick();
    xa_signals_install();
    /* As many units as ranks without the last; long, but each looks whether to stop. */
    w.unit_seconds = 0.4;
    timer_t timer = NULL;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    if (w.rank == w.size - 1) {
        struct itimerspec at = {.it_value.tv_nsec = 100000000};
        assert_int_equal(timer_settime(timer, 0, &at, NULL), 0);
    }
    const int64_t n = w.size - 1;
    assert_ok(world_run(&w, &o, world_list(n), n), w.err);
    /* The units in hand are finished all the same. */
    const int64_t done = world_check_part(&w);
    assert_int_equal(done, w.result.done);
    assert_int_equal(w.result.end, done == n ? XA_SCHED_DONE : XA_SCHED_STOPPED);
    assert_int_equal(w.result.signal, SIGUSR1);
    timer_delete(timer);
    xa_signals_remove();
    assert_ok(xa_comm_barrier(c, &err), err);
}

/* Nothing of one run reaches the next on the same communicator. */
static void test_run_after_failure(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    for (int i = 0; i < 20; i++) {
        world_init(&w, c);
        w.unit_seconds = 0;
        w.fail_at = 3 * i;
        w.fail_code = XA_LIMIT;
        assert_int_equal(world_run(&w, &o, world_list(70), 70), XA_LIMIT);
        world_check_part(&w);
        world_init(&w, c);
        w.unit_seconds = 0;
        assert_ok(world_run(&w, &o, world_list(70), 70), w.err);
        world_check(&w, world_list(70), 70, 1);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_rank),
        cmocka_unit_test(test_failing_unit),
        cmocka_unit_test(test_all_fail),
        cmocka_unit_test(test_mark_fails),
        cmocka_unit_test(test_pack_fails),
        cmocka_unit_test(test_write_fails),
        cmocka_unit_test(test_stop_and_resume),
        cmocka_unit_test(test_stop_wish),
        cmocka_unit_test(test_stop_reaches_all),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_signal_before),
        cmocka_unit_test(test_signal_while_idle),
        cmocka_unit_test(test_run_after_failure),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
