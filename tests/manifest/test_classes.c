/* Class names, and labels resolved with them. */
#include "manifest_internal.h"
#include "manifest_reading.h"

static xa_status read_classes(const char *bytes, size_t size, xa_classes *c, xa_err *err)
{
    char path[64];
    write_temporary(path, bytes, size);
    const xa_status st = xa_classes_read(path, c, err);
    unlink(path);
    return st;
}

static void expect_names(const char *text, int64_t n, const char *const *names)
{
    xa_classes c = {0};
    xa_err err = XA_ERR_INIT;
    assert_int_equal(read_classes(text, strlen(text), &c, &err), XA_OK);
    assert_int_equal(c.count, n);
    for (int64_t i = 0; i < n; i++)
        assert_string_equal(c.names[i], names[i]);
    xa_classes_fini(&c);
    assert_int_equal(c.count, 0);
}

static void test_read(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "a dog", "\xe7\x8a\xac"};
    expect_names("cat\na dog\n\xe7\x8a\xac\n", 3, names);
    expect_names("cat\na dog\n\xe7\x8a\xac", 3, names);
    expect_names("\xef\xbb\xbf"
                 "cat\r\na dog\r\n\xe7\x8a\xac\r\n\r\n\n  \n",
                 3,
                 names);
    expect_names("  cat\t\n a dog \n\xe7\x8a\xac\n", 3, names);
}

static void refuse(const char *bytes, size_t size, const char *words)
{
    xa_classes c = {0};
    xa_err err = XA_ERR_INIT;
    assert_int_equal(read_classes(bytes, size, &c, &err), XA_INVALID);
    if (strstr(err.message, words) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", words, err.message);
    assert_null(c.names);
    assert_int_equal(c.count, 0);
}

static void test_refuse(void **state)
{
    (void)state;
#define REFUSE(bytes, words) refuse(bytes, sizeof bytes - 1, words)
    REFUSE("", ": expected one class name per line, found none");
    REFUSE("\n\n", "found none");
    REFUSE("a\nb\n\nc\n", ":3: expected a class name, found a blank line before \"c\"");
    REFUSE("\na\n", ":1: expected a class name");
    REFUSE("a\0b\n", "NUL");
    REFUSE("a\nb\xe9\n", ":2: class name \"b?\" is not UTF-8");
    REFUSE("a|b\n", ":1: class name \"a|b\" holds '|'");
    REFUSE("a\tb\n", "control character");
    REFUSE("a\rb\n", "control character");
#undef REFUSE
    char longer[2000];
    memset(longer, 'n', sizeof longer);
    refuse(longer, sizeof longer, ":1: expected a class name of at most 1000 bytes, found 2000");
    xa_classes c = {0};
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_classes_read("/nowhere/names.txt", &c, &err), XA_NOT_FOUND);
    xa_classes_fini(NULL);
}

static void test_many(void **state)
{
    (void)state;
    xa_str text = {0};
    for (int i = 0; i < 100000; i++)
        xa_str_printf(&text, "class %d\n", i);
    xa_classes c = {0};
    assert_int_equal(read_classes(text.data, text.len, &c, NULL), XA_OK);
    assert_int_equal(c.count, 100000);
    assert_string_equal(c.names[99999], "class 99999");
    xa__labels l;
    assert_int_equal(xa__labels_init(&l, &c, XA_LABEL_AUTO, NULL), XA_OK);
    for (int32_t i = 0; i < 100000; i += 7)
        assert_int_equal(xa__label_find(&l, c.names[i]), i);
    xa__labels_fini(&l);
    xa_classes_fini(&c);
    xa_str_free(&text);
}

/* The label must resolve to `index`, or (-1) be refused in these words. */
static void
label(const xa_classes *c, xa_label_as as, const char *text, int32_t index, const char *words)
{
    xa__labels l;
    assert_int_equal(xa__labels_init(&l, c, as, NULL), XA_OK);
    assert_int_equal(xa__label_find(&l, text), index);
    if (index < 0) {
        char why[XA__WHY];
        xa__label_why(&l, "label", text, why);
        assert_string_equal(why, words);
    }
    xa__labels_fini(&l);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"cats", "dogs", "0", "3", "007"};
    xa_classes c = make_classes(names, 5);
    label(&c, XA_LABEL_AUTO, "dogs", 1, NULL);
    label(&c, XA_LABEL_AUTO, "1", 1, NULL); /* no name matches: an index */
    label(&c, XA_LABEL_AUTO, "4", 4, NULL);
    label(&c, XA_LABEL_AUTO, "3", 3, NULL);   /* name and index agree */
    label(&c, XA_LABEL_AUTO, "007", 4, NULL); /* 7 is no index here */
    label(&c,
          XA_LABEL_AUTO,
          "0",
          -1,
          "label \"0\" is the name of class 2 and the index of class \"cats\": say which with "
          "label_as: name or label_as: index");
    label(&c, XA_LABEL_NAME, "0", 2, NULL);
    label(&c, XA_LABEL_INDEX, "0", 0, NULL);
    label(&c, XA_LABEL_NAME, "1", -1, "label \"1\" is not a class of this job");
    label(&c, XA_LABEL_INDEX, "007", -1, "label 007: expected a class index from 0 to 4");
    label(&c, XA_LABEL_AUTO, "5", -1, "label 5: expected a class index from 0 to 4");
    label(&c,
          XA_LABEL_AUTO,
          "dog",
          -1,
          "label \"dog\" is not a class of this job; did you mean \"dogs\"?");
    label(&c, XA_LABEL_AUTO, "zebra", -1, "label \"zebra\" is not a class of this job");
    label(&c, XA_LABEL_AUTO, "-1", -1, "label \"-1\" is not a class of this job");
    label(&c,
          XA_LABEL_AUTO,
          "",
          -1,
          "label: expected class names or indices between '|', found nothing");
    label(&c,
          XA_LABEL_INDEX,
          "dogs",
          -1,
          "label \"dogs\": expected a class index (from 0), as label_as: index says");
    xa_classes_fini(&c);
}

/* ImageNet has two classes "crane": the file is read, the name alone is refused. */
static void test_twins(void **state)
{
    (void)state;
    static const char *const names[] = {"crane", "0", "crane", "maillot", "crane", "maillot"};
    expect_names("crane\n0\ncrane\nmaillot\ncrane\nmaillot\n", 6, names);
    xa_classes c = make_classes(names, 6);
    label(&c,
          XA_LABEL_AUTO,
          "crane",
          -1,
          "label \"crane\" is the name of classes 0 and 2: write the index that is meant");
    label(
        &c,
        XA_LABEL_NAME,
        "maillot",
        -1,
        "label \"maillot\" is the name of classes 3 and 5: write the index that is meant, without "
        "label_as: name");
    label(&c, XA_LABEL_AUTO, "2", 2, NULL);
    label(&c, XA_LABEL_INDEX, "5", 5, NULL);
    label(&c, XA_LABEL_NAME, "0", 1, NULL);
    xa_classes_fini(&c);
}

static void test_indices(void **state)
{
    (void)state;
    const xa_classes ten = {.names = NULL, .count = 10};
    label(NULL, XA_LABEL_AUTO, "0", 0, NULL);
    label(NULL, XA_LABEL_INDEX, "16777215", XA_CATEGORY - 1, NULL); /* sets of classes follow */
    label(NULL,
          XA_LABEL_AUTO,
          "16777216",
          -1,
          "label 16777216: expected a class index from 0 to 16777215");
    label(&ten, XA_LABEL_AUTO, "9", 9, NULL);
    label(&ten, XA_LABEL_AUTO, "10", -1, "label 10: expected a class index from 0 to 9");
    label(
        &ten, XA_LABEL_AUTO, "3.0", -1, "label \"3.0\": a class index is a whole number: write 3");
    label(NULL,
          XA_LABEL_AUTO,
          "dog",
          -1,
          "label \"dog\": expected a class index (from 0); names need a list of classes (classes: "
          "FILE)");
    label(NULL,
          XA_LABEL_AUTO,
          "99999999999999999999",
          -1,
          "label \"99999999999999999999\": expected a class index (from 0); names need a list of "
          "classes (classes: FILE)");
    xa__labels l;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__labels_init(&l, &ten, XA_LABEL_NAME, &err), XA_INVALID);
    assert_int_equal(xa__labels_init(&l, NULL, XA_LABEL_NAME, &err), XA_INVALID);
    assert_string_equal(err.message, "label_as: name needs class names (classes: a file of names)");
    assert_int_equal(xa__labels_init(&l, NULL, (xa_label_as)7, &err), XA_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
