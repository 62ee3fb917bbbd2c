/* Unit tests on several ranks: one communicator a program, one voice, one verdict.
 *
 *     #include "comm/mpi_test.h"
 *     static void test_x(void **state) { xa_comm *c = *state; ... }
 *     int main(int argc, char **argv)
 *     {
 *         const struct CMUnitTest tests[] = {cmocka_unit_test(test_x)};
 *         return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
 *     }
 *
 * Every rank runs every test. Rank 0 alone reports; a failed assertion on any rank names its place
 * and ends the whole job at once (the others may be waiting for that rank), so the test fails. */
#ifndef XA_MPI_TEST_H
#define XA_MPI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/comm.h"

/* Fails the test with the message behind the status. */
#define assert_ok(call, err)                                 \
    do {                                                     \
        xa_status got_ = (call);                             \
        if (got_ != XA_OK) {                                 \
            print_error("%s: %s\n", #call, (err).message);   \
            assert_string_equal(xa_status_name(got_), "OK"); \
        }                                                    \
    } while (0)

static inline int
mpi_test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t ntests)
{
    /* Instead of a jump out of a collective call, which would hang the other ranks. */
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    xa_err err = XA_ERR_INIT;
    xa_comm *c = NULL;
    if (xa_comm_start(&argc, &argv, &c, &err) != XA_OK) {
        fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
    }
    struct CMUnitTest mine[64];
    if (ntests > sizeof mine / sizeof mine[0])
        xa_comm_abort(c, EXIT_FAILURE);
    int failed = 0;
    for (size_t i = 0; i < ntests; i++) {
        mine[i] = tests[i];
        mine[i].initial_state = c;
    }
    if (xa_comm_rank(c) == 0) {
        failed = _cmocka_run_group_tests("ranks", mine, ntests, NULL, NULL);
    } else {
        /* The other ranks run the same functions without the runner's report. */
        for (size_t i = 0; i < ntests; i++) {
            void *state = c;
            mine[i].test_func(&state);
        }
    }
    xa_comm_stop(c);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
