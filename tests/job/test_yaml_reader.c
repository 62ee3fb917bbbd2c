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
    assert_int_equal(xa__yaml_parse("t.yaml", text, strlen(text), &problems, &y, NULL), XA_OK);
    assert_int_equal(problems.count, 0);
    return y;
}

static void test_kinds_and_lines(void **state)
{
    (void)state;
    xa_yaml *y = parse("a: 1\nb:\n  - x\n  - { c: null, d: 'null' }\n");
    const xa_ynode root = xa__yaml_root(y), b = xa__yaml_get(root, "b");
    assert_int_equal(xa__yaml_kind(root), XA_Y_MAP);
    assert_string_equal(xa__yaml_text(xa__yaml_get(root, "a")), "1");
    assert_int_equal(xa__yaml_kind(b), XA_Y_LIST);
    assert_int_equal(xa__yaml_count(b), 2);
    assert_int_equal(xa__yaml_line(xa__yaml_at(b, 0)), 3);
    assert_int_equal(xa__yaml_line(xa__yaml_at(b, 1)), 4);
    assert_true(xa__yaml_is_null(xa__yaml_get(xa__yaml_at(b, 1), "c")));
    assert_false(xa__yaml_is_null(xa__yaml_get(xa__yaml_at(b, 1), "d")));
    assert_int_equal(xa__yaml_get(root, "zz").id, 0);
    assert_int_equal(xa__yaml_at(b, 2).id, 0);
    assert_null(xa__yaml_text(b));
    xa__yaml_free(y);
}

static void test_set(void **state)
{
    (void)state;
    xa_yaml *y = parse("models:\n  - name: a\n    batch: 1\n  - name: b\noutput: x\n");
    const xa_ynode root = xa__yaml_root(y);
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__yaml_set(y, "output", "y.h5", &err), XA_OK);
    assert_string_equal(xa__yaml_text(xa__yaml_get(root, "output")), "y.h5");
    assert_int_equal(xa__yaml_set(y, "models.1.batch", "4", &err), XA_OK);
    assert_int_equal(xa__yaml_set(y, "models.0.input.scale", "tf", &err), XA_OK);
    const xa_ynode models = xa__yaml_get(root, "models");
    assert_string_equal(xa__yaml_text(xa__yaml_get(xa__yaml_at(models, 1), "batch")), "4");
    const xa_ynode input = xa__yaml_get(xa__yaml_at(models, 0), "input");
    assert_string_equal(xa__yaml_text(xa__yaml_get(input, "scale")), "tf");
    /* lists and maps in brackets */
    assert_int_equal(xa__yaml_set(y, "models.0.input.size", "[128, 96]", &err), XA_OK);
    assert_int_equal(
        xa__yaml_set(y, "models.0.input.scale", "{div: 255, mean: [1, 2], \"k\": 'a b'}", &err),
        XA_OK);
    const xa_ynode size = xa__yaml_get(input, "size"), scale = xa__yaml_get(input, "scale");
    assert_int_equal(xa__yaml_count(size), 2);
    assert_string_equal(xa__yaml_text(xa__yaml_at(size, 1)), "96");
    assert_string_equal(xa__yaml_text(xa__yaml_get(scale, "div")), "255");
    assert_string_equal(xa__yaml_text(xa__yaml_get(scale, "k")), "a b");
    assert_int_equal(xa__yaml_count(xa__yaml_get(scale, "mean")), 2);
    assert_int_equal(xa__yaml_line(size), 0);
    assert_int_equal(xa__yaml_set(y, "models.0.input.size.0", "64", &err), XA_OK);
    assert_string_equal(xa__yaml_text(xa__yaml_at(xa__yaml_get(input, "size"), 0)), "64");
    assert_int_equal(xa__yaml_set(y, "output", "[1", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "--set output=[1: not valid YAML"));
    assert_int_equal(xa__yaml_set(y, "models.0.input.size", "[&x 12, *x]", &err), XA_OK);
    assert_string_equal(xa__yaml_text(xa__yaml_at(xa__yaml_get(input, "size"), 1)), "12");
    assert_int_equal(xa__yaml_set(y, "output", "[*x]", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "no value before it has the anchor &x"));
    assert_int_equal(xa__yaml_set(y, "models.2.batch", "4", &err), XA_INVALID);
    assert_non_null(strstr(err.message, "not an index"));
    assert_int_equal(xa__yaml_set(y, "output.name", "4", &err), XA_INVALID);
    xa__yaml_free(y);
}

/* ---- aliases and merge keys ---- */

static const char *at_key(xa_ynode map, const char *key)
{
    const char *text = xa__yaml_text(xa__yaml_get(map, key));
    return text ? text : "";
}

static void test_aliases(void **state)
{
    (void)state;
    xa_yaml *y = parse("both: &both\n"
                       "  - { kind: saliency }\n"
                       "  - &cam { kind: gradcam, layer: auto }\n"
                       "one: *both\n"
                       "two: *both\n"
                       "three: [*cam, *cam]\n"
                       "text: &t here\n"
                       "*t : there\n");
    const xa_ynode root = xa__yaml_root(y);
    const xa_ynode one = xa__yaml_get(root, "one"), two = xa__yaml_get(root, "two");
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__yaml_count(one), 2);
    assert_string_equal(at_key(xa__yaml_at(two, 1), "layer"), "auto");
    assert_string_equal(at_key(xa__yaml_at(xa__yaml_get(root, "three"), 1), "kind"), "gradcam");
    assert_string_equal(at_key(root, "here"), "there");
    /* a copy's line is where its text stands */
    assert_int_equal(xa__yaml_line(xa__yaml_at(two, 1)), 3);
    /* --set changes one place */
    assert_int_equal(xa__yaml_set(y, "two.1.layer", "add_11", &err), XA_OK);
    assert_int_equal(xa__yaml_set(y, "two.0", "gradient", &err), XA_OK);
    assert_string_equal(at_key(xa__yaml_at(two, 1), "layer"), "add_11");
    assert_string_equal(xa__yaml_text(xa__yaml_at(two, 0)), "gradient");
    assert_string_equal(at_key(xa__yaml_at(one, 1), "layer"), "auto");
    assert_string_equal(at_key(xa__yaml_at(one, 0), "kind"), "saliency");
    assert_string_equal(at_key(xa__yaml_at(xa__yaml_get(root, "both"), 1), "layer"), "auto");
    assert_string_equal(at_key(xa__yaml_at(xa__yaml_get(root, "three"), 0), "layer"), "auto");
    xa__yaml_free(y);
    /* a name given anew means the later value */
    y = parse("a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
    assert_string_equal(at_key(xa__yaml_root(y), "b"), "1");
    assert_string_equal(at_key(xa__yaml_root(y), "d"), "2");
    xa__yaml_free(y);
}

static void test_merge_keys(void **state)
{
    (void)state;
    xa_yaml *y = parse("base: &base { a: 1, b: 2, deep: { x: 1, y: 2 } }\n"
                       "more: &more { b: 3, c: 4 }\n"
                       "one: { <<: *base, b: own }\n"
                       "two: { <<: [*more, *base] }\n"
                       "chain: &chain\n"
                       "  <<: *base\n"
                       "  deep: { z: 3 }\n"
                       "three: { d: 5, <<: *chain }\n"
                       "four: { <<: { a: inline } }\n"
                       "quoted: { '<<': 1 }\n");
    const xa_ynode root = xa__yaml_root(y);
    const xa_ynode one = xa__yaml_get(root, "one"), two = xa__yaml_get(root, "two"),
                   three = xa__yaml_get(root, "three");
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__yaml_count(one), 3);
    assert_string_equal(at_key(one, "a"), "1");
    assert_string_equal(at_key(one, "b"), "own");
    assert_string_equal(at_key(two, "b"), "3"); /* the earlier source */
    assert_string_equal(at_key(two, "a"), "1");
    assert_string_equal(at_key(two, "c"), "4");
    assert_string_equal(at_key(three, "a"), "1");
    assert_string_equal(at_key(three, "d"), "5");
    assert_int_equal(xa__yaml_count(xa__yaml_get(three, "deep")), 1); /* maps are not mixed */
    assert_string_equal(at_key(xa__yaml_get(root, "four"), "a"), "inline");
    assert_string_equal(at_key(xa__yaml_get(root, "quoted"), "<<"), "1");
    assert_int_equal(xa__yaml_set(y, "one.deep.x", "9", &err), XA_OK);
    assert_string_equal(at_key(xa__yaml_get(one, "deep"), "x"), "9");
    assert_string_equal(at_key(xa__yaml_get(two, "deep"), "x"), "1");
    assert_string_equal(at_key(xa__yaml_get(xa__yaml_get(root, "base"), "deep"), "x"), "1");
    xa__yaml_free(y);
}

/* Every mistake of a text, at its line. */
static void refuses(const char *text, int n, const int *lines, const char *const *words)
{
    xa_problems problems = {0};
    xa_yaml *y = NULL;
    assert_int_equal(xa__yaml_parse("t.yaml", text, strlen(text), &problems, &y, NULL), XA_FORMAT);
    assert_null(y);
    for (size_t i = 0; i < problems.count && (int)problems.count != n; i++)
        print_message("%d: %s\n", (int)problems.items[i].line, problems.items[i].text);
    assert_int_equal(problems.count, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(problems.items[i].line, lines[i]);
        if (!strstr(problems.items[i].text, words[i]))
            fail_msg("\"%s\" does not say \"%s\"", problems.items[i].text, words[i]);
    }
    xa_problems_fini(&problems);
}

static void test_alias_mistakes(void **state)
{
    (void)state;
    refuses("a: *nowhere\nb: &x 1\nc: { <<: *x }\nd: &d [*d]\ne: { <<: [1, { k: 1 }], f: *none }\n",
            5,
            (const int[]){1, 2, 4, 5, 5},
            (const char *const[]){"&nowhere",
                                  "<< expects a map or a list of maps",
                                  "inside the value that it means",
                                  "&none",
                                  "<< expects a map or a list of maps"});
    refuses("a: &a { b: 1 }\nc:\n  <<: *a\n  <<: *a\n",
            1,
            (const int[]){4},
            (const char *const[]){"<< is given twice"});
    refuses("a: !include b.yaml\n", 1, (const int[]){1}, (const char *const[]){"!include"});
    refuses("a: 1\n---\nb: 2\n", 1, (const int[]){2}, (const char *const[]){"second document"});
    refuses("a: \"x\\0y\"\n", 1, (const int[]){1}, (const char *const[]){"NUL"});
}

/* Few bytes that stand for much: refused at once, whatever they are made of. */
static void test_expansions(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "[%s, %s, %s, %s, %s, %s, %s, %s, %s, %s]",
        "{ a: %s, b: %s, c: %s, d: %s, e: %s, f: %s, g: %s, h: %s, "
        "i: %s, j: %s }",
        "{ <<: { a: %s }, b: %s, c: [%s, %s], d: %s, e: %s, "
        "f: { <<: { x: %s, y: %s } }, g: %s, h: %s }"};
    for (size_t k = 0; k < sizeof bodies / sizeof *bodies; k++) {
        xa_str text = {0};
        xa_str_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++) {
            char last[16];
            snprintf(last, sizeof last, "*a%d ", i - 1);
            xa_str_printf(&text, "a%d: &a%d ", i, i);
            for (const char *c = bodies[k]; *c; c++)
                if (c[0] == '%') {
                    xa_str_puts(&text, last);
                    c++;
                } else {
                    xa_str_add(&text, c, 1);
                }
            xa_str_puts(&text, "\n");
        }
        refuses(text.data, 1, (const int[]){5}, (const char *const[]){"more than 100000 values"});
        xa_str_free(&text);
    }
    /* a long text, many times */
    xa_str text = {0};
    xa_str_puts(&text, "a: &a ");
    for (int i = 0; i < 100000; i++)
        xa_str_puts(&text, "x");
    xa_str_puts(&text, "\nb: [");
    for (int i = 0; i < 200; i++)
        xa_str_puts(&text, "*a, ");
    xa_str_puts(&text, "]\n");
    refuses(text.data, 1, (const int[]){2}, (const char *const[]){"more than 16 MiB"});
    xa_str_free(&text);
    /* deep by aliases */
    xa_str_puts(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 40; i++)
        xa_str_printf(&text, "a%d: &a%d [*a%d ]\n", i, i, i - 1);
    refuses(text.data, 1, (const int[]){32}, (const char *const[]){"deeper than 32 levels"});
    xa_str_free(&text);
    /* a map of keys without end */
    for (int i = 0; i < 2000; i++)
        xa_str_printf(&text, "k%d: 1\n", i);
    refuses(text.data, 1, (const int[]){1001}, (const char *const[]){"more than 1000 keys"});
    xa_str_free(&text);
    for (int m = 0; m < 3; m++) {
        xa_str_printf(&text, "m%d: &m%d\n", m, m);
        for (int i = 0; i < 600; i++)
            xa_str_printf(&text, "  k%d_%d: 1\n", m, i);
    }
    xa_str_puts(&text, "all: { <<: [*m0, *m1, *m2] }\n");
    refuses(text.data, 1, (const int[]){1804}, (const char *const[]){"more than 1000 keys"});
    xa_str_free(&text);
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
                                 "a: *x\nb: &x 1\n",
                                 "\xff\xfe\x00",
                                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        xa_problems problems = {0};
        xa_yaml *y = NULL;
        assert_int_equal(
            xa__yaml_parse("bad.yaml", texts[i], strlen(texts[i]), &problems, &y, NULL), XA_FORMAT);
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
                                       cmocka_unit_test(test_aliases),
                                       cmocka_unit_test(test_merge_keys),
                                       cmocka_unit_test(test_alias_mistakes),
                                       cmocka_unit_test(test_expansions),
                                       cmocka_unit_test(test_bad_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
