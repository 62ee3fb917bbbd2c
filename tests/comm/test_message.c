/* Post, poll, wait, flush. */
#include <limits.h>
#include <time.h>

#include "comm/mpi_test.h"
#include "comm_internal.h"

static unsigned char byte_of(size_t i, int from, int number)
{
    return (unsigned char)(i * 31u + (unsigned)from * 7u + (unsigned)number * 13u + (i >> 8));
}

static void post(xa_comm *c, int dest, int number, size_t size)
{
    xa_err err = XA_ERR_INIT;
    unsigned char *data = malloc(size + 1);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = byte_of(i, xa_comm_rank(c), number);
    assert_ok(xa_comm_post(c, dest, number, data, size, &err), err);
    /* The bytes were copied: what happens to ours does not matter. */
    memset(data, 0xee, size);
    free(data);
}

static void take(xa_comm *c, xa_message *m)
{
    xa_err err = XA_ERR_INIT;
    bool got = false;
    assert_ok(xa_comm_wait(c, m, NULL, NULL, &got, &err), err);
    assert_true(got);
}

static void settle(xa_comm *c)
{
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_comm_flush(c, &err), err);
    assert_ok(xa_comm_barrier(c, &err), err);
    xa_message m;
    bool got = true;
    assert_ok(xa_comm_poll(c, &m, &got, &err), err);
    assert_false(got);
    assert_int_equal(c->nposted, 0);
    assert_int_equal(c->narriving, 0);
    /* Nobody starts the next test before all have looked. */
    assert_ok(xa_comm_barrier(c, &err), err);
}

/* All to all, small and large (beyond any eager limit) mixed: bytes whole, order kept. */
static void test_all_to_all(void **state)
{
    xa_comm *c = *state;
    static const size_t sizes[] = {0, 1, 300000, 17, 4096, 2000000, 64, 70000};
    enum { N = sizeof sizes / sizeof sizes[0] };
    const int size = xa_comm_size(c);
    int *next = xa_alloc((size_t)size, sizeof *next);
    for (int d = 0; d < size; d++) {
        for (int k = 0; k < N; k++)
            post(c, d, k, sizes[k]);
    }
    for (int i = 0; i < size * N; i++) {
        xa_message m;
        take(c, &m);
        assert_in_range(m.source, 0, size - 1);
        assert_int_equal(m.tag, next[m.source]);
        next[m.source]++;
        assert_int_equal(m.size, sizes[m.tag]);
        for (size_t k = 0; k < m.size; k++) {
            if (m.data[k] != byte_of(k, m.source, m.tag))
                assert_int_equal(m.data[k], byte_of(k, m.source, m.tag));
        }
        free(m.data);
    }
    free(next);
    settle(c);
}

/* More messages than receives under way at a time. */
static void test_many(void **state)
{
    xa_comm *c = *state;
    enum { N = 1000 };
    const int right = (xa_comm_rank(c) + 1) % xa_comm_size(c);
    for (int k = 0; k < N; k++)
        post(c, right, k, (size_t)(k % 50));
    for (int k = 0; k < N; k++) {
        xa_message m;
        take(c, &m);
        assert_int_equal(m.tag, k);
        assert_int_equal(m.size, k % 50);
        free(m.data);
    }
    settle(c);
}

/* The receiver of a large message is not held up by a sender that is elsewhere, and the small one
 * posted after it, which is there at once, does not overtake it. */
static void test_poll_never_waits(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    if (xa_comm_size(c) == 1)
        return;
    const size_t size = 20000000;
    if (xa_comm_rank(c) == 1) {
        post(c, 0, 3, size);
        post(c, 0, 4, 10);
        struct timespec t = {.tv_nsec = 400000000};
        nanosleep(&t, NULL);
    }
    if (xa_comm_rank(c) == 0) {
        double longest = 0;
        bool got = false;
        xa_message m;
        while (!got) {
            const double from = xa_time();
            assert_ok(xa_comm_poll(c, &m, &got, &err), err);
            const double took = xa_time() - from;
            longest = took > longest ? took : longest;
            struct timespec t = {.tv_nsec = 1000000};
            nanosleep(&t, NULL);
        }
        assert_int_equal(m.tag, 3);
        assert_int_equal(m.size, size);
        assert_int_equal(m.data[size - 1], byte_of(size - 1, 1, 3));
        free(m.data);
        take(c, &m);
        assert_int_equal(m.tag, 4);
        free(m.data);
        assert_true(longest < 0.3);
    }
    settle(c);
}

static bool count_down(void *arg)
{
    int *left = arg;
    return --*left > 0;
}

static void test_wait_tick(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    int left = 200;
    bool got = true;
    xa_message m;
    const double wall = xa_time(), cpu = xa_cpu_time();
    assert_ok(xa_comm_wait(c, &m, count_down, &left, &got, &err), err);
    assert_false(got);
    assert_int_equal(left, 0);
    /* 32 yields, then naps that grow to 1 ms. */
    assert_true(xa_time() - wall > 0.02);
    assert_true(xa_cpu_time() - cpu < 0.1);
    settle(c);
}

static void test_refusals(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    char byte = 0;
    assert_int_equal(xa_comm_post(c, xa_comm_size(c), 0, &byte, 1, &err), XA_INVALID);
    assert_int_equal(xa_comm_post(c, -1, 0, &byte, 1, &err), XA_INVALID);
    assert_int_equal(xa_comm_post(c, 0, -1, &byte, 1, &err), XA_INVALID);
    assert_int_equal(xa_comm_post(c, 0, 40000, &byte, 1, &err), XA_INVALID);
    /* Refused before a byte is read. */
    assert_int_equal(xa_comm_post(c, 0, 0, &byte, (size_t)INT_MAX + 1, &err), XA_LIMIT);
    assert_non_null(strstr(err.message, "2147483648 bytes"));
    settle(c);
}

/* MPI's own words come through. */
static void test_mpi_error(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    int value = 0;
    int code = MPI_Bcast(&value, 1, MPI_INT, xa_comm_size(c) + 5, xa_comm_mpi(c));
    assert_int_not_equal(code, MPI_SUCCESS); /* returned, not fatal */
    assert_int_equal(xa__mpi_fail(&err, __FILE__, __func__, __LINE__, code), XA_COMM);
    /* Open MPI: MPI_ERR_ROOT, MPICH: Invalid root */
    assert_non_null(strcasestr(err.message, "root"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_to_all),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_poll_never_waits),
        cmocka_unit_test(test_wait_tick),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_mpi_error),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
