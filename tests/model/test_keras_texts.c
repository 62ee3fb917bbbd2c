/* Configurations of Keras models that are long, deeply nested, or no JSON. Each is refused. */
#include <stdlib.h>
#include <string.h>

#include "damaged_model.h"
#include "refused_model.h"
#include "xaudit_cmocka.h"

static char *repeated(const char *before, const char *piece, int times, const char *after)
{
    xa_str s = {0};
    xa_str_puts(&s, before);
    for (int i = 0; i < times; i++)
        xa_str_puts(&s, piece);
    xa_str_puts(&s, after);
    assert_false(s.failed);
    return s.data;
}

static void text_refused(char *text, const char *what, xa_status want, const char *words)
{
    damaged_write(SEQUENTIAL, text, refused_path);
    refused(what, want, "", words);
    free(text);
}

static void test_texts(void **state)
{
    (void)state;
    text_refused(repeated("", "[", 1000000, ""), "a million brackets", XA_LIMIT, "nested");
    text_refused(repeated("", "{\"a\":", 300, ""), "300 objects", XA_LIMIT, "nested");
    text_refused(repeated("{\"class_name\":\"Sequential\",\"config\":", "[", 200, ""),
                 "brackets that do not end",
                 XA_FORMAT,
                 "no valid JSON");
    text_refused(repeated("{\"class_name\":\"", "x", 20000000, "\",\"config\":{}}"),
                 "a class of 20 MB",
                 XA_FORMAT,
                 "neither");
    text_refused(repeated("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":"
                          "\"Dense\",\"config\":{\"name\":\"",
                          "n",
                          5000000,
                          "\"}}]}}"),
                 "a name of 5 MB",
                 XA_LIMIT,
                 "a layer name of 5000000 bytes");
    text_refused(repeated("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":"
                          "\"",
                          "C",
                          5000000,
                          "\"}]}}"),
                 "a class of a layer of 5 MB",
                 XA_LIMIT,
                 "a layer name");
    text_refused(repeated("{\"class_name\":\"Sequential\",\"config\":[", "{},", 100000, "{}]}"),
                 "100001 empty layers",
                 XA_LIMIT,
                 "100001 layers");
    text_refused(repeated("[", "0,", 9000000, "0]"), "nine million values", XA_LIMIT, "values");
    text_refused(repeated("{\"a\":\"", "\\", 100001, ""),
                 "an odd number of backslashes",
                 XA_FORMAT,
                 "no valid JSON");
    text_refused(repeated("", "", 0, ""), "no text", XA_FORMAT, "no valid JSON");
    text_refused(repeated("\"", "a", 10, "\""), "a string", XA_FORMAT, "");
    text_refused(repeated("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":"
                          "\"\\u001b[31m",
                          "x",
                          3,
                          "\",\"config\":{}}]}}"),
                 "an escape sequence",
                 XA_UNSUPPORTED,
                 "x");
    /* models in models */
    xa_str s = {0};
    for (int i = 0; i < 60; i++)
        xa_str_printf(
            &s, "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m%d\",\"layers\":[", i);
    for (int i = 0; i < 60; i++)
        xa_str_puts(&s, "]}}");
    assert_false(s.failed);
    text_refused(s.data, "sixty models in each other", XA_LIMIT, "nested");
    assert_int_equal(refused_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, refused_make, refused_remove);
}
