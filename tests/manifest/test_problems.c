/* The list of mistakes. */
#include "manifest_internal.h"
#include "manifest_reading.h"

static void test_add(void **state)
{
    (void)state;
    xa_problems p = {0};
    xa_problems_add(&p, "a.csv", 3, false, "x is %d\n", 5);
    xa_problems_add(&p, "a.csv", 4, true, "hm");
    xa_problems_add(&p, NULL, 0, false, "whole");
    assert_int_equal(p.count, 3);
    assert_int_equal(p.errors, 2);
    assert_string_equal(p.items[0].text, "x is 5?"); /* clean for a terminal */
    assert_string_equal(p.items[0].file, "a.csv");
    assert_true(p.items[1].warning);
    assert_string_equal(p.items[2].file, "");
    xa_problems_fini(&p);
    assert_int_equal(p.count, 0);
    xa_problems_fini(NULL);
}

static void test_limit(void **state)
{
    (void)state;
    xa_problems p = {0};
    for (int i = 0; i < 60; i++)
        xa_problems_add(&p, "f", i, true, "warning");
    for (int i = 0; i < 150; i++)
        xa_problems_add(&p, "f", 1000 + i, false, "error");
    xa_problems_add(&p, "f", 9, true, "warning");
    /* Errors take the place of warnings, the last first; then the first hundred stay. */
    assert_int_equal(p.count, 100);
    assert_int_equal(p.errors, 150);
    assert_int_equal(p.dropped, 60 + 150 + 1 - 100);
    for (size_t i = 0; i < p.count; i++) {
        assert_false(p.items[i].warning);
        assert_int_equal(p.items[i].line, 1000 + (int64_t)i);
    }
    xa_problems_fini(&p);
}

static void test_long_text(void **state)
{
    (void)state;
    xa_problems p = {0};
    char text[5000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    xa_problems_add(&p, "f", 1, false, "%s", text);
    assert_true(strlen(p.items[0].text) > 900 && strlen(p.items[0].text) < 1100);
    xa_problems_fini(&p);
}

static void test_reported_once(void **state)
{
    (void)state;
    xa_problems p = {0};
    xa__reporter t;
    xa__reporter_init(&t, &p, "f");
    for (int i = 0; i < 500; i++) {
        if (xa__reporter_first(&t, "a"))
            xa_problems_add(&p, "f", i, false, "about a");
        if (i == 7 && xa__reporter_first(&t, "b"))
            xa_problems_add(&p, "f", i, false, "about b");
        if (i < 2 && xa__reporter_first(&t, "c"))
            xa_problems_add(&p, "f", i, true, "about c");
    }
    xa__reporter_finish(&t);
    assert_int_equal(p.count, 3);
    assert_string_equal(p.items[0].text, "about a (and 499 more lines)");
    assert_string_equal(p.items[1].text, "about c (and 1 more line)");
    assert_string_equal(p.items[2].text, "about b");
    xa__reporter_finish(&t); /* twice is harmless */
    xa_problems_fini(&p);
}

static void test_show(void **state)
{
    (void)state;
    char buffer[XA_SHOWN];
    assert_string_equal(xa_show("a\nb", buffer), "a?b");
    for (size_t n = 0; n < 300; n++) {
        char text[301];
        memset(text, 'x', n);
        text[n] = '\0';
        xa_show(text, buffer);
        assert_true(strlen(buffer) < XA_SHOWN);
        if (strlen(buffer) != n)
            assert_true(xa_str_ends(buffer, "x..."));
        /* Many characters of several bytes. */
        for (size_t i = 0; i + 1 < n; i += 2)
            memcpy(text + i, "\xc3\xa9", 2);
        xa_show(text, buffer);
        assert_true(strlen(buffer) < XA_SHOWN);
        assert_true(xa_str_is_utf8(buffer, strlen(buffer)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_reported_once),
        cmocka_unit_test(test_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
