/* Sanitised text and near names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void clean(const char *text, const char *expected)
{
    char out[256];
    xa_str_sanitise(text, out, sizeof out);
    assert_string_equal(out, expected);
}

static void test_sanitise(void **state)
{
    (void)state;
    clean("", "");
    clean(NULL, "");
    clean("plain, text \"x\"", "plain, text \"x\"");
    clean("a\tb\r\nc\x7f\x1b[31m", "a?b??c??[31m");
    clean("caf\xc3\xa9 \xe7\x8a\xac \xf0\x9f\x90\x95", "caf\xc3\xa9 \xe7\x8a\xac \xf0\x9f\x90\x95");
    clean("\xc2\x9b", "?"); /* a control sequence in one C1 character */
    clean("a\xe2\x80\xae"
          "b",
          "a?b"); /* right-to-left override */
    clean("\xef\xbb\xbf"
          "a",
          "?a");                       /* byte order mark */
    clean("\xff\xfe", "??");           /* no UTF-8 at all */
    clean("\xc0\xaf", "??");           /* overlong "/" */
    clean("\xe0\x80\xaf", "???");      /* overlong */
    clean("\xed\xa0\x80", "???");      /* surrogate */
    clean("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
    clean("\xc3", "?");                /* cut */
    clean("\xe7\x8a", "??");           /* cut */
    clean("\xf0\x9f\x90", "???");      /* cut */
    clean("\xc3(", "?(");
    clean("\x80\xbf", "??");
}

static void padded(const char *text, int64_t columns, const char *want)
{
    char out[64];
    xa_str_pad(text, columns, out, sizeof out);
    assert_string_equal(out, want);
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(xa_str_columns(""), 0);
    assert_int_equal(xa_str_columns(NULL), 0);
    assert_int_equal(xa_str_columns("dog"), 3);
    assert_int_equal(xa_str_columns("K\xc3\xb6ter"), 5);       /* o with dots, one character */
    assert_int_equal(xa_str_columns("Ko\xcc\x88ter"), 5);      /* o, then the dots */
    assert_int_equal(xa_str_columns("\xe7\x8a\xac"), 2);       /* East Asian wide */
    assert_int_equal(xa_str_columns("a\xf0\x9f\x90\x95z"), 4); /* emoji */
    assert_int_equal(xa_str_columns("\xff\xfe"), 2);           /* no UTF-8 */
    assert_int_equal(xa_str_columns("\xce\xb1\xce\xb2"), 2);   /* Greek */
    padded("dog", 5, "dog  ");
    padded("K\xc3\xb6ter", 6, "K\xc3\xb6ter ");
    padded("K\xc3\xb6ter", 2, "K\xc3\xb6");
    padded("a\xe7\x8a\xac", 2, "a "); /* a wide character is kept whole or not at all */
    padded("", 2, "  ");
    padded("dog", 0, "");
    char small[4];
    xa_str_pad("dogs", 8, small, sizeof small);
    assert_string_equal(small, "dog");
    xa_str_pad("\xc3\xb6\xc3\xb6", 8, small, sizeof small);
    assert_string_equal(small, "\xc3\xb6 ");
}

static void test_markup_and_utf8(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* text, as markup, as UTF-8 */
        {"", "", ""},
        {"a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;&#39;", "a<b>&\"c\"'"},
        {"\t\n\r\x01", "\t\n??", "\t\n\r\x01"},
        {"\xc3\xa4\xc3", "\xc3\xa4?", "\xc3\xa4?"},
        {"\xe2\x80\xae", "?", "\xe2\x80\xae"},
        {"\xed\xa0\x80", "???", "???"},
        {NULL, "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_str markup = {0}, valid = {0};
        xa_str_markup(&markup, cases[i][0]);
        xa_str_utf8(&valid, cases[i][0]);
        assert_string_equal(markup.data ? markup.data : "", cases[i][1]);
        assert_string_equal(valid.data ? valid.data : "", cases[i][2]);
        xa_str_free(&markup);
        xa_str_free(&valid);
    }
}

static void test_sanitise_cuts_between_characters(void **state)
{
    (void)state;
    const char *text = "a\xc3\xa9\xf0\x9f\x90\x95z";
    static const size_t length[] = {0, 0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    for (size_t size = 0; size < sizeof length / sizeof *length; size++) {
        char out[16];
        memset(out, '#', sizeof out);
        xa_str_sanitise(text, out, size);
        if (size == 0) {
            assert_int_equal(out[0], '#');
            continue;
        }
        assert_int_equal(strlen(out), length[size]);
        assert_memory_equal(out, text, length[size]);
        assert_int_equal(out[size], '#');
    }
}

static void test_is_utf8(void **state)
{
    (void)state;
    assert_true(xa_str_is_utf8("", 0));
    assert_true(xa_str_is_utf8("a\0b", 3));
    assert_true(xa_str_is_utf8("12345678\xc3\xa9", 10));
    assert_false(xa_str_is_utf8("12345678\xc3\xa9", 9)); /* cut by the length */
    assert_false(xa_str_is_utf8("1234567\xe9 789", 12)); /* Latin-1 */
    assert_false(xa_str_is_utf8("\xc3\0\xa9", 3));
    assert_false(xa_str_is_utf8("\xed\xa0\x80", 3));
    /* Every valid character at every offset, with every cut refused. */
    for (size_t at = 0; at < 20; at++) {
        char text[32];
        memset(text, 'x', sizeof text);
        memcpy(text + at, "\xf0\x9f\x90\x95", 4);
        assert_true(xa_str_is_utf8(text, sizeof text));
        assert_true(xa_str_is_utf8(text, at + 4));
        for (size_t cut = 1; cut < 4; cut++)
            assert_false(xa_str_is_utf8(text, at + cut));
    }
}

static bool is_clean(const char *text)
{
    char again[512];
    xa_str_sanitise(text, again, sizeof again);
    return strcmp(text, again) == 0;
}

static void test_sanitise_random(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        char text[65];
        char out[65];
        for (size_t k = 0; k < 64; k++)
            text[k] = (char)xa_random_below(3, i, k, 256);
        text[64] = '\0';
        const size_t size = (size_t)xa_random_below(4, 0, i, 65) + 1;
        xa_str_sanitise(text, out, size);
        assert_true(strlen(out) < size);
        assert_true(is_clean(out));
    }
}

static void near(const char *text, const char *expected)
{
    static const char *const names[] = {"cats", "dogs", "Golden Retriever", "x0", "batch", "bath"};
    const char *found = xa_nearest(text, names, sizeof names / sizeof *names);
    if (expected == NULL)
        assert_null(found);
    else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    near("dog", "dogs");
    near("DOGS", "dogs");
    near("odgs", "dogs"); /* swapped neighbours are one mistake */
    near("golden retreiver", "Golden Retriever");
    near("batsh", "batch");
    near("bat", "bath"); /* nearer than batch */
    near("zebra", NULL);
    near("", NULL);
    near("q", NULL); /* nothing of it agrees */
    near(NULL, NULL);
    assert_null(xa_nearest("a", NULL, 0));
    const char *const holes[] = {NULL, "", "abc"};
    assert_string_equal(xa_nearest("abd", holes, 3), "abc");
    char longer[1000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const huge[] = {longer};
    assert_null(xa_nearest(longer, huge, 1)); /* too long to compare: no guess */
    assert_null(xa_nearest("aaa", huge, 1));
}

/* The full table, as it is defined; lengths below 32, lower case. */
static size_t distance_ref(const char *a, const char *b)
{
    size_t t[32][32];
    const size_t na = strlen(a);
    const size_t nb = strlen(b);
    for (size_t i = 0; i <= na; i++)
        for (size_t j = 0; j <= nb; j++) {
            if (i == 0 || j == 0) {
                t[i][j] = i + j;
                continue;
            }
            size_t d = t[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d = t[i - 1][j] + 1 < d ? t[i - 1][j] + 1 : d;
            d = t[i][j - 1] + 1 < d ? t[i][j - 1] + 1 : d;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                t[i - 2][j - 2] + 1 < d)
                d = t[i - 2][j - 2] + 1;
            t[i][j] = d;
        }
    return t[na][nb];
}

/* Random words of few letters: the nearest is the first of those at the least distance, if that is
 * at most a third of the longer word. */
static void test_nearest_random(void **state)
{
    (void)state;
    enum { WORDS = 6 };
    int found = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        char words[WORDS + 1][16];
        const char *names[WORDS];
        uint64_t n = 0;
        for (int w = 0; w <= WORDS; w++) {
            const size_t len = (size_t)xa_random_below(5, i, n++, 12) + 1;
            for (size_t k = 0; k < len; k++)
                words[w][k] = (char)('a' + xa_random_below(5, i, n++, 3));
            words[w][len] = '\0';
        }
        const char *best = NULL;
        size_t least = SIZE_MAX;
        for (int w = 0; w < WORDS; w++) {
            names[w] = words[w];
            const size_t a = strlen(words[w]);
            const size_t b = strlen(words[WORDS]);
            const size_t longer = a > b ? a : b;
            const size_t d = distance_ref(words[WORDS], words[w]);
            if (d < least && d < longer && (d <= longer / 3 || d <= 1)) {
                least = d;
                best = names[w];
            }
        }
        assert_ptr_equal(xa_nearest(words[WORDS], names, WORDS), best);
        found += best != NULL;
    }
    assert_true(found > 2000 && found < 18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markup_and_utf8),
        cmocka_unit_test(test_sanitise),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_sanitise_cuts_between_characters),
        cmocka_unit_test(test_sanitise_random),
        cmocka_unit_test(test_is_utf8),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
