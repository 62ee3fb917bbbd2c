/* Time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void test_monotonic(void **state)
{
    (void)state;
    const double t0 = xa_time();
    const double c0 = xa_cpu_time();
    volatile double x = 1.0;
    while (xa_cpu_time() - c0 < 0.02)
        x = x * 1.0000001;
    const double wall = xa_time() - t0;
    assert_true(wall >= 0.015 && wall < 60.0); /* one thread: no more CPU than wall time */
}

static void test_iso(void **state)
{
    (void)state;
    char text[24];
    const time_t before = time(NULL);
    xa_time_iso(text);
    const time_t after = time(NULL);
    assert_int_equal(strlen(text), 20);
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    assert_non_null(end);
    assert_int_equal(*end, '\0');
    const time_t t = timegm(&tm);
    assert_true(t >= before && t <= after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monotonic),
        cmocka_unit_test(test_iso),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
