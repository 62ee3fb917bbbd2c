/* Start, agreement, broadcast, reductions. */
#include <time.h>

#include "comm/mpi_test.h"
#include "comm_internal.h"

static void test_surroundings(void **state)
{
    xa_comm *c = *state;
    int size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    assert_int_equal(xa_comm_size(c), size);
    assert_in_range(xa_comm_rank(c), 0, size - 1);
    assert_in_range(xa_comm_node_rank(c), 0, xa_comm_node_size(c) - 1);
    assert_in_range(xa_comm_node_size(c), 1, size);
    assert_in_range(xa_comm_nodes(c), 1, size);
    assert_true(strlen(xa_comm_host(c)) > 0);
    char text[64];
    xa_comm_library(text, sizeof text);
    assert_true(strlen(text) > 4);
    assert_null(strchr(text, '\n'));
    /* The leaders' node sizes add up to all ranks. */
    xa_err err = XA_ERR_INIT;
    int64_t n = xa_comm_node_rank(c) == 0 ? xa_comm_node_size(c) : 0;
    assert_ok(xa_comm_sum_i64(c, &n, &err), err);
    assert_int_equal(n, size);
    /* two_nodes.sh says how many there must be. */
    const char *nodes = getenv("XA_TEST_NODES");
    if (nodes != NULL)
        assert_int_equal(xa_comm_nodes(c), atoi(nodes));
    /* A duplicate, so that messages of others on the world are not taken for ours. */
    int relation = 0;
    MPI_Comm_compare(MPI_COMM_WORLD, xa_comm_mpi(c), &relation);
    assert_int_equal(relation, MPI_CONGRUENT);
}

static void test_reductions(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    const int64_t base = INT64_C(1) << 40, rank = xa_comm_rank(c), size = xa_comm_size(c);
    int64_t v = base + rank;
    assert_ok(xa_comm_min_i64(c, &v, &err), err);
    assert_int_equal(v, base);
    v = base + rank;
    assert_ok(xa_comm_max_i64(c, &v, &err), err);
    assert_int_equal(v, base + size - 1);
    v = -base;
    assert_ok(xa_comm_sum_i64(c, &v, &err), err);
    assert_int_equal(v, -base * size);
    assert_ok(xa_comm_barrier(c, &err), err);
}

static void test_agree_good(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_comm_agree(c, XA_OK, NULL, &err), XA_OK);
    assert_int_equal(err.code, XA_OK);
    assert_int_equal(xa_comm_agree(c, XA_OK, &err, &err), XA_OK);
}

/* Every set of up to two failed ranks: all hear the lower one's words. */
static void test_agree_failures(void **state)
{
    xa_comm *c = *state;
    const int rank = xa_comm_rank(c), size = xa_comm_size(c);
    for (int a = 0; a < size; a++) {
        for (int b = a; b < size; b++) {
            xa_err err = XA_ERR_INIT;
            xa_status st = XA_OK;
            if (rank == b)
                st = xa_err_set(&err, XA_IO, __FILE__, __func__, __LINE__, "late %d", rank);
            if (rank == a)
                st = xa_err_set(&err, XA_NOSPACE, __FILE__, __func__, __LINE__, "disk of %d", rank);
            /* The same object for mine and out, as callers do. */
            assert_int_equal(xa_comm_agree(c, st, &err, &err), XA_NOSPACE);
            assert_int_equal(err.code, XA_NOSPACE);
            assert_true(err.nframes >= 1);
            char want[512];
            if (size == 1)
                snprintf(want, sizeof want, "disk of 0");
            else
                snprintf(want, sizeof want, "rank %d on %s: disk of %d", a, xa_comm_host(c), a);
            /* Host names differ where ranks are on several nodes. */
            if (xa_comm_nodes(c) == 1)
                assert_string_equal(err.message, want);
        }
    }
}

static void test_agree_without_words(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    const int last = xa_comm_size(c) - 1;
    xa_status mine = xa_comm_rank(c) == last ? XA_NOMEM : XA_OK;
    assert_int_equal(xa_comm_agree(c, mine, NULL, &err), XA_NOMEM);
    assert_non_null(strstr(err.message, "out of memory"));
    assert_int_equal(xa_comm_agree(c, mine, NULL, NULL), XA_NOMEM);
}

static unsigned char byte_of(size_t i, int root)
{
    return (unsigned char)((i * 2654435761u >> 7) + (unsigned)root);
}

static void check_broadcast(xa_comm *c, int root, size_t size, size_t piece)
{
    xa_err err = XA_ERR_INIT;
    unsigned char *mine = NULL;
    void *data = NULL;
    size_t n = 0;
    if (xa_comm_rank(c) == root) {
        mine = malloc(size + 1);
        assert_non_null(mine);
        for (size_t i = 0; i < size; i++)
            mine[i] = byte_of(i, root);
        data = mine;
        n = size;
    }
    assert_ok(xa__comm_broadcast(c, root, &data, &n, piece, &err), err);
    assert_int_equal(n, size);
    const unsigned char *got = data;
    for (size_t i = 0; i < size; i++)
        assert_int_equal(got[i], byte_of(i, root));
    if (mine == NULL) {
        assert_int_equal(got[size], 0);
        free(data);
    } else {
        assert_ptr_equal(data, mine);
        free(mine);
    }
}

static void test_broadcast(void **state)
{
    xa_comm *c = *state;
    const int last = xa_comm_size(c) - 1;
    check_broadcast(c, 0, 100000, 1 << 30);
    check_broadcast(c, last, 12345, 1 << 30);
    /* Pieces: one less, exact, one more, none. */
    check_broadcast(c, last, 999, 1000);
    check_broadcast(c, 0, 3000, 1000);
    check_broadcast(c, last, 3001, 1000);
    check_broadcast(c, 0, 0, 1000);
    void *data = NULL;
    size_t n = 0;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_comm_broadcast(c, last + 1, &data, &n, &err), XA_INVALID);
    assert_int_equal(xa_comm_broadcast(c, -1, &data, &n, &err), XA_INVALID);
}

/* A size that nobody has memory for: all fail, none hangs. */
static void test_broadcast_no_memory(void **state)
{
    xa_comm *c = *state;
    if (xa_comm_size(c) == 1)
        return;
#if defined(__SANITIZE_ADDRESS__)
    return; /* the allocator ends the program instead */
#endif
    xa_err err = XA_ERR_INIT;
    unsigned char one = 1;
    void *data = &one;
    size_t n = SIZE_MAX / 4;
    assert_int_equal(xa_comm_broadcast(c, 0, &data, &n, &err), XA_NOMEM);
    assert_non_null(strstr(err.message, "rank 1 on "));
    assert_ptr_equal(data, &one);
}

/* Waiting for a late rank costs hardly any processor time. */
static void test_wait_naps(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    if (xa_comm_size(c) == 1)
        return;
    assert_ok(xa_comm_barrier(c, &err), err);
    const double cpu = xa_cpu_time();
    if (xa_comm_rank(c) == 0) {
        const double until = xa_time() + 0.5;
        struct timespec t = {.tv_nsec = 10000000};
        while (xa_time() < until)
            nanosleep(&t, NULL);
    }
    assert_ok(xa_comm_barrier(c, &err), err);
    assert_true(xa_cpu_time() - cpu < 0.25);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_surroundings),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_agree_good),
        cmocka_unit_test(test_agree_failures),
        cmocka_unit_test(test_agree_without_words),
        cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_broadcast_no_memory),
        cmocka_unit_test(test_wait_naps),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
