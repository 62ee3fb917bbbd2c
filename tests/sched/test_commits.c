/* Commits that wait: joined where they follow one another, reports in the order of units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commits.h"

static void add(xa__commits *c, int64_t first, int64_t n, const char *report)
{
    xa_err err = XA_ERR_INIT;
    char *copy = xa_strdup(report);
    assert_non_null(copy);
    assert_int_equal(xa__commits_add(c, (xa__range){first, n}, copy, strlen(report), &err), XA_OK);
}

static void expect(const xa__commits *c, size_t i, int64_t first, int64_t n, const char *report)
{
    assert_true(i < c->n);
    assert_int_equal(c->item[i].done.first, first);
    assert_int_equal(c->item[i].done.n, n);
    assert_int_equal(c->item[i].size, strlen(report));
    assert_memory_equal(c->item[i].report, report, strlen(report));
}

static void test_join(void **state)
{
    (void)state;
    xa__commits c = {0};
    xa__commits_join(&c);
    assert_int_equal(c.n, 0);
    add(&c, 7, 2, "gh");
    add(&c, 0, 3, "abc");
    add(&c, 12, 1, "");
    add(&c, 9, 1, "");
    add(&c, 3, 2, "de");
    add(&c, 20, 5, "uvwxy");
    add(&c, 13, 2, "no");
    xa__commits_join(&c);
    assert_int_equal(c.n, 4);
    expect(&c, 0, 0, 5, "abcde");
    expect(&c, 1, 7, 3, "gh");
    expect(&c, 2, 12, 3, "no");
    expect(&c, 3, 20, 5, "uvwxy");
    add(&c, 5, 2, "fg"); /* between two that were joined */
    xa__commits_join(&c);
    assert_int_equal(c.n, 3);
    expect(&c, 0, 0, 10, "abcdefggh");
    xa__commits_clear(&c);
    assert_int_equal(c.n, 0);
    xa__commits_fini(&c);
}

/* Thousands in any order make one. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 4099 };
    xa__commits c = {0};
    for (int64_t i = 0; i < N; i++) {
        const int64_t at = i * 1009 % N;
        char letter[2] = {(char)('a' + at % 26), '\0'};
        add(&c, at, 1, letter);
    }
    xa__commits_join(&c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.item[0].done.n, N);
    assert_int_equal(c.item[0].size, N);
    for (int64_t i = 0; i < N; i++)
        assert_int_equal(c.item[0].report[i], 'a' + i % 26);
    xa__commits_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
