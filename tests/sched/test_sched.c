/* Runs that go well: every unit exactly once, bytes whole, work where it is done quickest. */
#include "sched/sched_world.h"

static xa_sched_options quick(void)
{
    xa_sched_options o = xa_sched_defaults();
    o.target_seconds = 0.02;
    o.progress_seconds = 0.01;
    return o;
}

static void run_well(world *w, const xa_sched_options *o, const int64_t *todo, int64_t n)
{
    assert_ok(world_run(w, o, todo, n), w->err);
    assert_int_equal(w->result.end, XA_SCHED_DONE);
    assert_int_equal(w->result.done, n);
    assert_int_equal(w->result.signal, 0);
    world_check(w, todo, n, 1);
    if (w->rank == 0) {
        assert_int_equal(w->tail_breaches, 0);
        assert_true(w->progress_calls >= 1);
        assert_int_equal(w->progress_done, n);
        assert_int_equal(w->remaining, 0);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    const xa_sched_options o = xa_sched_defaults();
    assert_true(o.target_seconds == 0);
    assert_int_equal(o.align, 1);
    assert_true(o.progress_seconds == 0.5);
    assert_int_equal(o.max_grant, 0);
}

static void test_counts(void **state)
{
    xa_comm *c = *state;
    static const int64_t counts[] = {0, 1, 2, 3, 5, 17, 300};
    const xa_sched_options o = quick();
    static world w;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        world_init(&w, c);
        run_well(&w, &o, world_list(counts[i]), counts[i]);
    }
}

/* Commits wait for one another while settling takes long; in the end all of them are settled, and
 * only what is settled counts as done. */
static void test_settling(void **state)
{
    xa_comm *c = *state;
    static world w;
    for (int slow = 0; slow < 2; slow++) {
        world_init(&w, c);
        w.settles = true;
        w.settle_seconds = slow ? 0.01 : 0.0;
        w.unit_seconds = 0.0005;
        xa_sched_options o = quick();
        o.max_grant = 2;
        run_well(&w, &o, world_list(WORLD_UNITS), WORLD_UNITS);
        if (w.rank == 0) {
            assert_int_equal(w.settled, WORLD_UNITS);
            assert_int_equal(w.unsettled, 0);
            if (slow) /* one for each commit would be half of the units at least */
                assert_true(w.settle_calls < WORLD_UNITS / 4);
            if (slow) /* ranks hold stretches that follow one another, and are marked together */
                assert_true(w.mark_calls < WORLD_UNITS / 4);
        }
    }
    world_init(&w, c);
    w.settles = true;
    w.settle_fails = 0;
    const xa_sched_options o = quick();
    assert_int_equal(world_run(&w, &o, world_list(40), 40), XA_IO);
    assert_int_equal(w.result.end, XA_SCHED_FAILED);
    assert_int_equal(w.result.done, 0);
    assert_non_null(strstr(w.err.message, "the disk does not answer"));
}

/* Units that cost nothing: the protocol alone, as fast as it goes. */
static void test_free_units(void **state)
{
    xa_comm *c = *state;
    static world w;
    world_init(&w, c);
    w.unit_seconds = 0;
    w.busy_callbacks = true;
    xa_sched_options o = quick();
    o.max_grant = 2;
    run_well(&w, &o, world_list(WORLD_UNITS), WORLD_UNITS);
    if (w.rank == 0) {
        assert_true(w.result.grants >= WORLD_UNITS / 2);
        assert_true(w.most_grant <= 2);
    }
}

static void test_default_options(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = xa_sched_defaults();
    static world w;
    world_init(&w, c);
    run_well(&w, &o, world_list(500), 500);
}

/* A resumed run: single units, pairs, long runs, gaps. */
static void test_holes(void **state)
{
    xa_comm *c = *state;
    static int64_t list[WORLD_UNITS];
    int64_t n = 0;
    for (int64_t u = 3; u < 1000; u++) {
        if (u % 7 == 0 || u % 11 == 5 || (u > 400 && u < 500) || u == 999)
            list[n++] = u;
    }
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    run_well(&w, &o, list, n);
}

/* Beyond every eager limit, while the receiver works. */
static void test_large_messages(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.payload_most = 700000;
    w.report_most = 500000;
    run_well(&w, &o, world_list(60), 60);
}

static void test_no_payload(void **state)
{
    xa_comm *c = *state;
    const xa_sched_options o = quick();
    static world w;
    world_init(&w, c);
    w.payload_most = 0;
    w.report_most = 0;
    run_well(&w, &o, world_list(60), 60);
}

/* The last rank is ten times slower: it gets less, and the others do not wait for it. */
static void test_slow_rank(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    static world w;
    world_init(&w, c);
    if (w.size == 1)
        return;
    const bool slow = w.rank == w.size - 1;
    w.unit_seconds = slow ? 0.02 : 0.002;
    const int64_t n = 150 * w.size;
    const xa_sched_options o = quick();
    const double from = xa_time();
    run_well(&w, &o, world_list(n), n);
    const double took = xa_time() - from;
    int64_t mine = 0;
    for (int64_t i = 0; i < n; i++)
        mine += w.computed[i];
    int64_t slow_units = slow ? mine : 0, total = mine;
    assert_ok(xa_comm_sum_i64(c, &slow_units, &err), err);
    assert_ok(xa_comm_sum_i64(c, &total, &err), err);
    assert_int_equal(total, n);
    assert_true(slow_units >= 1);
    assert_true(slow_units < 150 / 2);
    /* An equal share of 150 units would have taken it 3 s. */
    assert_true(took < 2.5);
}

/* Fewer units than ranks, long ones: nobody holds two while others have none. */
static void test_one_each(void **state)
{
    xa_comm *c = *state;
    static world w;
    world_init(&w, c);
    w.unit_seconds = 0.2;
    const xa_sched_options o = quick();
    run_well(&w, &o, world_list(w.size), w.size);
    /* Start-up of a rank may be slow on a loaded machine, but not by a unit's length for many. */
    assert_true(w.units <= 2);
}

/* Grants of 100 ms, and a rank 0 that looks at its messages every 40 ms only, as one that decodes a
 * large image: the next grant is there all the same when one ends. Start and tail, where grants
 * are short, cost a seventh of this short run; without asking ahead workers wait for 43 % of it. */
static void test_asks_ahead(void **state)
{
    xa_comm *c = *state;
    static world w;
    world_init(&w, c);
    if (w.size == 1 || w.size > 4)
        return; /* more ranks than cores say nothing about waiting */
    w.unit_seconds = w.rank == 0 ? 0.04 : 0.005;
    w.tick_seconds = w.rank == 0 ? 0.04 : 0.0002;
    xa_sched_options o = quick();
    o.target_seconds = 0.1;
    const int64_t n = 400 * (w.size - 1);
    run_well(&w, &o, world_list(n), n);
    const double all = w.result.work_seconds + w.result.idle_seconds;
    if (w.rank > 0)
        assert_true(w.result.work_seconds > 0.72 * all);
    else
        assert_true(w.result.overhead_seconds < 0.1 * all);
}

static void test_bad_options(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_sched *s = NULL;
    const xa_sched_calls none = {0};
    xa_sched_options o = xa_sched_defaults();
    assert_int_equal(xa_sched_create(c, &o, &none, &s, &err), XA_INVALID);
    assert_null(s);
    xa_sched_free(s);
    static world w;
    world_init(&w, c);
    /* A list that does not ascend is found where the list is, and known to all. */
    static const int64_t lists[][3] = {{1, 1, 2}, {3, 2, 4}, {-1, 0, 1}, {0, 1, INT64_MAX}};
    const xa_sched_calls calls = world_calls(&w);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        o.todo = lists[i];
        o.ntodo = 3;
        assert_int_equal(xa_sched_create(c, &o, &calls, &s, &err), XA_INVALID);
        assert_non_null(strstr(err.message, "must ascend"));
    }
    o.todo = NULL;
    assert_int_equal(xa_sched_create(c, &o, &calls, &s, &err), XA_INVALID);
    o = xa_sched_defaults();
    o.target_seconds = -1;
    assert_int_equal(xa_sched_create(c, &o, &calls, &s, &err), XA_INVALID);
    o = xa_sched_defaults();
    o.max_grant = -1;
    assert_int_equal(xa_sched_create(c, &o, &calls, &s, &err), XA_INVALID);
    o = xa_sched_defaults();
    o.align = 0;
    assert_int_equal(xa_sched_create(c, &o, &calls, &s, &err), XA_INVALID);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_settling),
        cmocka_unit_test(test_free_units),
        cmocka_unit_test(test_default_options),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_large_messages),
        cmocka_unit_test(test_no_payload),
        cmocka_unit_test(test_slow_rank),
        cmocka_unit_test(test_one_each),
        cmocka_unit_test(test_asks_ahead),
        cmocka_unit_test(test_bad_options),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
