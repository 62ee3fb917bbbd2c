/* YAML with positions, and --set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"
#include "yaml_reader.h"

static xa_yaml *parse(const char *text)
{
    xa_problems problems = {0};
    xa_yaml *y = NULL;
    assert_int_equal(xa_yaml_parse("t.yaml", text, strlen(text), &problems, &y, NULL), XA_OK);
    assert_int_equal(problems.count, 0);
    return y;
}

static void test_kinds_and_lines(void **state)
{
    (void)state;
    xa_yaml *y = parse("a: 1\nb:\n  - x\n  - { c: null, d: 'null' }\n");
    const xa_ynode root = xa_yaml_root(y), b = xa_yaml_get(root, "b");
    assert_int_equal(xa_yaml_kind(root), XA_Y_MAP);
    assert_string_equal(xa_yaml_text(xa_yaml_get(root, "a")), "1");
    assert_int_equal(xa_yaml_kind(b), XA_Y_LIST);
    assert_int_equal(xa_yaml_count(b), 2);
    assert_int_equal(xa_yaml_line(xa_yaml_at(b, 0)), 3);
    assert_int_equal(xa_yaml_line(xa_yaml_at(b, 1)), 4);
    assert_true(xa_yaml_is_null(xa_yaml_get(xa_yaml_at(b, 1), "c")));
    assert_false(xa_yaml_is_null(xa_yaml_get(xa_yaml_at(b, 1), "d")));
    assert_int_equal(xa_yaml_get(root, "zz").id, 0);
    assert_int_equal(xa_yaml_at(b, 2).id, 0);
    assert_null(xa_yaml_text(b));
    xa_yaml_free(y);
}

static void test_set(void **state)
{
    (void)state;
    xa_yaml *y = parse("models:\n  - name: a\n    batch: 1\n  - name: b\noutput: x\n");
    const xa_ynode root = xa_yaml_root(y);
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_yaml_set(y, "output", "y.h5", &err), XA_OK);
    assert_string_equal(xa_yaml_text(xa_yaml_get(root, "output")), "y.h5");
    assert_int_equal(xa_yaml_set(y, "models.1.batch", "4", &err), XA_OK);
    assert_int_equal(xa_yaml_set(y, "models.0.input.scale", "tf", &err), XA_OK);
    const xa_ynode models = xa_yaml_get(root, "models");
    assert_string_equal(xa_yaml_text(xa_yaml_get(xa_yaml_at(models, 1), "batch")), "4");
    const xa_ynode input = xa_yaml_get(xa_yaml_at(models, 0), "input");
    assert_string_equal(xa_yaml_text(xa_yaml_get(input, "scale")), "tf");
    /* lists and maps in brackets */
    assert_int_equal(xa_yaml_set(y, "models.0.input.size", "[128, 96]", &err), XA_OK);
    assert_int_equal(
        xa_yaml_set(y, "models.0.input.scale", "{div: 255, mean: [1, 2], \"k\": 'a b'}", &err),
        XA_OK);
    const xa_ynode size = xa_yaml_get(input, "size"), scale = xa_yaml_get(input, "scale");
    assert_int_equal(xa_yaml_count(size), 2);
    assert_string_equal(xa_yaml_text(xa_yaml_at(size, 1)), "96");
    assert_string_equal(xa_yaml_text(xa_yaml_get(scale, "div")), "255");
    assert_string_equal(xa_yaml_text(xa_yaml_get(scale, "k")), "a b");
    assert_int_equal(xa_yaml_count(xa_yaml_get(scale, "mean")), 2);
    assert_int_equal(xa_yaml_line(size), 0);
    assert_int_equal(xa_yaml_set(y, "models.0.input.size.0", "64", &err), XA_OK);
    assert_string_equal(xa_yaml_text(xa_yaml_at(xa_yaml_get(input, "size"), 0)), "64");
    assert_int_equal(xa_yaml_set(y, "output", "[1", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "--set output=[1: not valid YAML"));
    assert_int_equal(xa_yaml_set(y, "output", "[&x 1, *x]", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "aliases"));
    assert_int_equal(xa_yaml_set(y, "models.2.batch", "4", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "not an index"));
    assert_int_equal(xa_yaml_set(y, "output.name", "4", &err), XA_INVALID);
    xa_yaml_free(y);
}

/* Whatever the text, an answer: a document or problems that name the file. */
static void test_bad_texts(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "a: [1, 2",
                                 "a: b: c",
                                 "\t- x",
                                 "a: &x [*x]",
                                 "a: &x 1\nb: *x\n",
                                 "\xff\xfe\x00",
                                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        xa_problems problems = {0};
        xa_yaml *y = NULL;
        assert_int_equal(xa_yaml_parse("bad.yaml", texts[i], strlen(texts[i]), &problems, &y, NULL),
                         XA_FORMAT);
        assert_null(y);
        assert_true(problems.errors >= 1);
        assert_string_equal(problems.items[0].file, "bad.yaml");
        xa_problems_fini(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds_and_lines),
                                       cmocka_unit_test(test_set),
                                       cmocka_unit_test(test_bad_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
