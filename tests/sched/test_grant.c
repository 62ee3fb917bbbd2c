/* Grant sizes: pure arithmetic, and a simulated run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "grant.h"

static xa__grant_state usual(void)
{
    return (xa__grant_state){
        .target_seconds = 2,
        .unit_seconds = 0.01,
        .share = 0.25,
        .remaining = 100000,
        .previous = 200,
        .ranks = 4,
    };
}

static void test_sizes(void **state)
{
    (void)state;
    xa__grant_state g = usual();
    assert_int_equal(xa__grant_units(&g), 200);
    g.unit_seconds = 0; /* nothing measured */
    assert_int_equal(xa__grant_units(&g), 1);
    g = usual();
    g.previous = 0;
    assert_int_equal(xa__grant_units(&g), 1);
    g = usual();
    g.unit_seconds = 100; /* longer than a grant should be */
    assert_int_equal(xa__grant_units(&g), 1);
    g = usual();
    g.unit_seconds = 1e-9; /* a first batch of broken images */
    g.previous = 1;
    assert_int_equal(xa__grant_units(&g), 4);
    g = usual();
    g.most = 16;
    assert_int_equal(xa__grant_units(&g), 16);
    g = usual();
    g.target_seconds = 1e300;
    g.unit_seconds = 1e-300;
    g.previous = INT64_MAX;
    assert_int_equal(xa__grant_units(&g), 12500);
}

static void test_tail(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 64; ranks++) {
        for (int64_t remaining = 1; remaining < 2000; remaining += 7) {
            xa__grant_state g = usual();
            g.ranks = ranks;
            g.share = 1.0 / ranks;
            g.remaining = remaining;
            const int64_t n = xa__grant_units(&g);
            const int64_t tail = remaining / (2 * ranks);
            assert_in_range(n, 1, tail > 1 ? tail : 1);
        }
    }
    /* Four times slower than the three others: a share of 1/13. */
    xa__grant_state g = usual();
    g.remaining = 1300;
    g.unit_seconds = 0.001;
    g.share = 1.0 / 13;
    assert_int_equal(xa__grant_units(&g), 50);
    g.share = 4.0 / 13;
    assert_int_equal(xa__grant_units(&g), 162);
}

static void test_estimate(void **state)
{
    (void)state;
    assert_true(xa__unit_seconds(0, 4, 2) == 0.5);
    assert_true(xa__unit_seconds(0.5, 0, 2) == 0.5);
    assert_true(xa__unit_seconds(0.5, 2, 3) == 1.0);
    assert_true(xa__unit_seconds(0, 10, 0) > 0);
}

/* Ranks of different speed on paper: the run ends within little more than the ideal time. */
static void simulate(const double *unit_seconds, int ranks, int64_t units)
{
    enum { MOST = 16 };
    double free_at[MOST] = {0}, measured[MOST] = {0}, speed = 0;
    int64_t last[MOST] = {0}, left = units, got[MOST] = {0};
    for (int i = 0; i < ranks; i++)
        speed += 1 / unit_seconds[i];
    double slowest = 0;
    for (int i = 0; i < ranks; i++)
        slowest = unit_seconds[i] > slowest ? unit_seconds[i] : slowest;
    while (left > 0) {
        int r = 0;
        for (int i = 1; i < ranks; i++)
            r = free_at[i] < free_at[r] ? i : r;
        double known = 0;
        int n = 0;
        for (int i = 0; i < ranks; i++) {
            known += measured[i] > 0 ? 1 / measured[i] : 0;
            n += measured[i] > 0;
        }
        const xa__grant_state g = {
            .target_seconds = 2,
            .unit_seconds = measured[r],
            .share = measured[r] > 0 ? 1 / measured[r] / (known * ranks / n) : 0,
            .remaining = left,
            .previous = last[r],
            .ranks = ranks,
        };
        const int64_t k = xa__grant_units(&g);
        assert_in_range(k, 1, left);
        left -= k;
        got[r] += k;
        last[r] = k;
        free_at[r] += (double)k * unit_seconds[r];
        measured[r] = xa__unit_seconds(measured[r], k, (double)k * unit_seconds[r]);
    }
    double end = 0;
    for (int i = 0; i < ranks; i++)
        end = free_at[i] > end ? free_at[i] : end;
    const double ideal = (double)units / speed;
    assert_true(end <= ideal * 1.02 + 2 * slowest);
}

static void test_simulated(void **state)
{
    (void)state;
    const double equal[8] = {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01};
    const double mixed[8] = {0.01, 0.01, 0.04, 0.02, 0.01, 0.1, 0.01, 0.01};
    for (int ranks = 1; ranks <= 8; ranks++) {
        for (int64_t units = 1; units < 100000; units = units * 3 + 1) {
            simulate(equal, ranks, units);
            simulate(mixed, ranks, units);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
