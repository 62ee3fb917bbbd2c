/* Who gets which units: territories and grants of nodes, each unit once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deal.h"

enum { N = 100000 };

static int64_t list[N];
static int owner[N];

static void all_units(void)
{
    for (int64_t i = 0; i < N; i++)
        list[i] = i;
}

/* Deals everything to nodes of `ranks` ranks in turn, those of lower numbers more often; checks
 * that each unit is dealt once. */
static void deal_all(xa__deal *d, int nodes, int64_t n, double unit_seconds)
{
    int64_t dealt = 0;
    int idle = 0;
    memset(owner, -1, sizeof owner);
    for (int turn = 0; d->remaining > 0; turn++) {
        const int node = turn % nodes;
        const xa__range r = xa__deal_next(d, node, NULL, NULL);
        idle = r.n == 0 ? idle + 1 : 0;
        assert_true(idle <= nodes); /* somebody always gets what is left */
        for (int64_t u = r.first; u < r.first + r.n; u++) {
            assert_int_equal(owner[u], -1);
            owner[u] = node;
        }
        dealt += r.n;
        xa__deal_learn(d, node, r.n, unit_seconds * (double)r.n);
    }
    assert_int_equal(dealt, n);
}

static void test_all_are_dealt(void **state)
{
    (void)state;
    int ranks[16];
    all_units();
    for (int nodes = 1; nodes <= 16; nodes++) {
        for (int i = 0; i < nodes; i++)
            ranks[i] = 1 + i % 3;
        const int64_t counts[] = {0, 1, 2, 5, 40, 1000, N};
        for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
            for (int64_t align = 1; align <= 4096; align *= 64) {
                xa__deal d;
                xa_err err = XA_ERR_INIT;
                assert_int_equal(
                    xa__deal_init(&d, list, counts[k], ranks, nodes, align, 0.5, 0, &err), XA_OK);
                deal_all(&d, nodes, counts[k], 0.001);
                xa__deal_fini(&d);
            }
        }
    }
}

/* No stretch of 4,096 units is dealt to two nodes where its end would be reached soon enough. */
static void test_pages(void **state)
{
    (void)state;
    const int ranks[4] = {2, 2, 2, 2};
    all_units();
    xa__deal d;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__deal_init(&d, list, N, ranks, 4, 4096, 4, 0, &err), XA_OK);
    deal_all(&d, 4, N, 1e-5);
    for (int64_t i = 1; i < N; i++)
        if (i % 4096 != 0)
            assert_int_equal(owner[i], owner[i - 1]);
    xa__deal_fini(&d);
    /* Slow units: at the end a page is shared rather than that nodes wait. */
    assert_int_equal(xa__deal_init(&d, list, N, ranks, 4, 4096, 4, 0, &err), XA_OK);
    deal_all(&d, 4, N, 0.01);
    int shared = 0;
    for (int64_t i = 1; i < N; i++)
        shared += i % 4096 != 0 && owner[i] != owner[i - 1];
    assert_in_range(shared, 1, 100);
    xa__deal_fini(&d);
}

/* A list with holes: grants are consecutive, and end at a hole. */
static void test_holes(void **state)
{
    (void)state;
    const int ranks[3] = {4, 1, 1};
    int64_t n = 0;
    for (int64_t i = 0; n < 9000; i++)
        if (i % 7 != 3 && (i < 5000 || i > 9000))
            list[n++] = i;
    xa__deal d;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__deal_init(&d, list, n, ranks, 3, 512, 1, 0, &err), XA_OK);
    deal_all(&d, 3, n, 0.002);
    xa__deal_fini(&d);
    int64_t k = 0;
    for (int64_t i = 0; i < list[n - 1]; i++) {
        const bool listed = k < n && list[k] == i;
        assert_true(listed == (owner[i] >= 0));
        k += listed;
    }
}

static int64_t three(void *arg, int64_t first, int64_t n)
{
    (void)arg;
    (void)first;
    return n < 3 ? n : 3;
}

static void test_first_and_fit(void **state)
{
    (void)state;
    const int ranks[2] = {8, 8};
    all_units();
    xa__deal d;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__deal_init(&d, list, 1000, ranks, 2, 1, 2, 0, &err), XA_OK);
    assert_int_equal(xa__deal_next(&d, 0, NULL, NULL).n, 16); /* two a rank */
    xa__deal_learn(&d, 0, 16, 0.016);
    assert_int_equal(xa__deal_next(&d, 0, three, NULL).n, 3);
    xa__deal_learn(&d, 0, 3, 0.003);
    /* Growth goes on from what it could have had. */
    assert_true(xa__deal_next(&d, 0, NULL, NULL).n > 16);
    xa__deal_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_dealt),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_first_and_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
