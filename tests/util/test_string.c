/* Growing strings and copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void test_str(void **state)
{
    (void)state;
    xa_str s = {0};
    xa_str_puts(&s, "");
    assert_string_equal(s.data, "");
    xa_str_puts(&s, "abc");
    xa_str_add(&s, "d\0e", 3);
    xa_str_printf(&s, "%d", 42);
    assert_int_equal(s.len, 8);
    assert_memory_equal(s.data, "abcd\0e42", 9);
    for (int i = 0; i < 1000; i++)
        xa_str_printf(&s, "%0300d", i); /* longer than the small buffer */
    assert_int_equal(s.len, 8 + 300 * 1000);
    assert_int_equal(s.data[s.len], '\0');
    assert_string_equal(s.data + s.len - 4, "0999");
    assert_false(s.failed);
    xa_str_free(&s);
    assert_null(s.data);
    xa_str_free(NULL);
}

static void test_str_failure_stays(void **state)
{
    (void)state;
    xa_str s = {0};
    xa_str_puts(&s, "abc");
    s.len = SIZE_MAX - 1; /* as if the memory were used up */
    xa_str_puts(&s, "def");
    assert_true(s.failed);
    s.len = 3;
    xa_str_puts(&s, "ghi");
    xa_str_printf(&s, "%0400d", 1);
    assert_string_equal(s.data, "abc");
    xa_str_free(&s);
    assert_false(s.failed);
}

static void test_copies(void **state)
{
    (void)state;
    assert_null(xa_strdup(NULL));
    assert_null(xa_strndup(NULL, 3));
    char *a = xa_strdup("xyz");
    char *b = xa_strndup("xyz", 2);
    char *c = xa_strndup("xy", 100);
    char *d = xa_strfmt("%s-%d", "x", 9);
    char *e = xa_strfmt("%s", "");
    assert_string_equal(a, "xyz");
    assert_string_equal(b, "xy");
    assert_string_equal(c, "xy");
    assert_string_equal(d, "x-9");
    assert_string_equal(e, "");
    free(a);
    free(b);
    free(c);
    free(d);
    free(e);
}

static void test_ends(void **state)
{
    (void)state;
    assert_true(xa_str_ends("a.png", ".png"));
    assert_true(xa_str_ends(".png", ".png"));
    assert_true(xa_str_ends("a", ""));
    assert_false(xa_str_ends("png", ".png"));
    assert_false(xa_str_ends("a.PNG", ".png"));
}

static void test_words_and_names(void **state)
{
    (void)state;
    assert_true(xa_words_have("axis epsilon", "epsilon"));
    assert_true(xa_words_have("axis epsilon", "axis"));
    assert_false(xa_words_have("axis epsilon", "eps"));
    assert_false(xa_words_have("axis epsilon", "silon"));
    assert_false(xa_words_have("axis epsilon", ""));
    static const char *const words[] = {"one", "two", "one"};
    assert_int_equal(xa_word_index("one", words, 3), 0);
    assert_int_equal(xa_word_index("two", words, 3), 1);
    assert_int_equal(xa_word_index("tw", words, 3), -1);
    assert_int_equal(xa_word_index("one", words, 0), -1);
    xa_names n = {0};
    xa_names_free(&n);
    assert_int_equal(xa_names_add(&n, "abc", 2, NULL), XA_OK);
    assert_int_equal(xa_names_add(&n, "", 0, NULL), XA_OK);
    assert_int_equal(n.count, 2);
    assert_string_equal(n.item[0], "ab");
    assert_string_equal(n.item[1], "");
    xa_names_free(&n);
    assert_true(!n.item && n.count == 0 && n.cap == 0);
}

static void test_words(void **state)
{
    (void)state;
    static const char *const words[] = {"one", "two"};
    assert_int_equal(xa_word_index("two", words, 2), 1);
    assert_int_equal(xa_word_index("tw", words, 2), -1);
    assert_int_equal(xa_word_index("two", words, 1), -1);
    assert_int_equal(xa_word_index("", words, 0), -1);
    char **texts = xa_alloc(2, sizeof *texts);
    assert_non_null(texts);
    texts[0] = xa_strdup("a"); /* the second may not have been made */
    xa_texts_free(texts, 2);
    xa_texts_free(NULL, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_str),
        cmocka_unit_test(test_str_failure_stays),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_words_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
