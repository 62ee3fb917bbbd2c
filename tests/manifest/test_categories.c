/* Sets of classes: files of them, and in a manifest's class and label. */
#include <math.h>

#include "manifest_reading.h"

static const char *const names[] = {"tabby", "siamese", "beagle", "banana", "crane", "crane"};
enum { NAMES = sizeof names / sizeof *names };

static xa_status
read_file(const char *text, const xa_classes *classes, xa_categories *out, xa_err *err)
{
    char path[64];
    write_temporary(path, text, strlen(text));
    const xa_status st = xa_categories_read(path, classes, XA_LABEL_AUTO, out, err);
    unlink(path);
    return st;
}

static void assert_category(const xa_category *c, const char *name, const char *members)
{
    xa_str text = {0};
    assert_non_null(c);
    assert_string_equal(c->name, name);
    for (int32_t i = 0; i < c->count; i++)
        xa_str_printf(&text, "%s%d", i ? " " : "", (int)c->members[i]);
    assert_string_equal(text.data, members);
    xa_str_free(&text);
}

static void test_file(void **state)
{
    (void)state;
    xa_classes classes = make_classes(names, NAMES);
    xa_categories c = {0};
    xa_err err = XA_ERR_INIT;
    const char *text = "\xef\xbb\xbf# COCO\r\n\r\ncat : siamese | tabby|siamese\r\ndog:2\n"
                       "banana: banana\nbird: 4 | 5\nbeast: 2|0|tabby";
    if (read_file(text, &classes, &c, &err) != XA_OK)
        fail_msg("%s", err.message);
    /* a name that is that of a class means the class */
    assert_int_equal(c.count, 4);
    assert_category(&c.items[0], "cat", "0 1");
    assert_category(&c.items[1], "dog", "2");
    assert_category(&c.items[2], "bird", "4 5");
    assert_category(&c.items[3], "beast", "0 2");
    /* and back from what an archive keeps */
    xa_str kept = {0};
    xa_categories again = {0};
    assert_int_equal(xa_categories_text(&c, &kept, NULL), XA_OK);
    assert_string_equal(kept.data, "0|1\tcat\n2\tdog\n4|5\tbird\n0|2\tbeast\n");
    assert_int_equal(xa_categories_parse(kept.data, &again, NULL), XA_OK);
    assert_int_equal(again.count, 4);
    assert_category(&again.items[3], "beast", "0 2");
    xa_categories_fini(&again);
    xa_str_free(&kept);
    xa_categories_fini(&c);
    xa_classes_fini(&classes);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "expected lines \"name: class | class | ...\", found none"},
        {"# nothing\n\n", "found none"},
        {"cat tabby\n", ":1: expected \"name: class | class | ...\", found \"cat tabby\""},
        {"\ncat: tabby | tabbi\n", ":2: category \"cat\": class \"tabbi\" is not a class"},
        {"cat: tabby |\n", "found nothing"},
        {"cat:\n", "found nothing"},
        {"cat: |tabby\n", "found nothing"},
        {"cat: 6\n", "expected a class index from 0 to 5"},
        {"cat: -1\n", "\"-1\" is not a class"},
        {": tabby\n", "expected a name before ':'"},
        {"a|b: tabby\n", "holds '|'"},
        {"7: tabby | beagle\n", "is a number"},
        {"cat: tabby\ncat: siamese\n", ":2: category \"cat\": there are two"},
        {"banana: tabby | banana\n", "is also the name of class 3, and means other classes"},
        {"banana: tabby\n", "is also the name of class 3"},
        {"bird: crane\n", "is the name of classes 4 and 5"},
        {"c\xff: tabby\n", "is not UTF-8"},
        {"c\x01: tabby\n", "control character"},
        {"cat: beast\nbeast: tabby\n", "\"beast\" is not a class"},
    };
    xa_classes classes = make_classes(names, NAMES);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xa_categories c = {0};
        xa_err err = XA_ERR_INIT;
        assert_int_equal(read_file(bad[i].text, &classes, &c, &err), XA_INVALID);
        if (strstr(err.message, bad[i].words) == NULL)
            fail_msg("expected \"%s\", found: %s", bad[i].words, err.message);
        assert_int_equal(c.count, 0);
    }
    xa_classes_fini(&classes);
}

static void test_bad_texts(void **state)
{
    (void)state;
    static const char *const bad[] = {"0|1",
                                      "0|1\t\n",
                                      "\tcat\n",
                                      "1|0\tcat\n",
                                      "1|1\tcat\n",
                                      "-1\tcat\n",
                                      "0|\tcat\n",
                                      "16777216\tcat\n",
                                      "x\tcat\n",
                                      "\n0\tcat\n",
                                      "0\tcat",
                                      "00\tcat\n",
                                      "+1\tcat\n",
                                      " 1\tcat\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xa_categories c = {0};
        assert_int_equal(xa_categories_parse(bad[i], &c, NULL), XA_FORMAT);
        assert_int_equal(c.count, 0);
    }
}

/* A set has the name that the file gives it, else its classes' names; each set is one category. */
static void test_manifest(void **state)
{
    (void)state;
    xa_classes classes = make_classes(names, NAMES);
    xa_categories file = {0};
    assert_int_equal(read_file("cat: 0|1\nbird: 4|5\nunused: 2|3\n", &classes, &file, NULL), XA_OK);
    const xa_manifest_options opt = {.classes = &classes, .categories = &file};
    reading r = read_good("path,label,class,x0,y0,x1,y1\n"
                          "a.png,cat|beagle,cat,1,2,3,4\n"
                          "a.png,,beagle|siamese,1,2,3,4\n"
                          "a.png,,siamese | beagle | 1,5,2,7,4\n"
                          "b.png,cat,,1,2,3,4\n"
                          "c.png,2,siamese|0,1,2,3,4\n"
                          "c.png,,4|5,1,2,3,4\n"
                          "d.png,3,beagle|beagle,1,2,3,4\n",
                          &opt);
    const xa_sample *s = r.m->samples;
    assert_int_equal(r.m->categories.count, 3);
    assert_category(&r.m->categories.items[0], "cat", "0 1");
    assert_category(&r.m->categories.items[1], "siamese|beagle", "1 2");
    assert_category(&r.m->categories.items[2], "bird", "4 5");
    assert_int_equal(s[0].nlabels, 2);
    assert_int_equal(s[0].labels[0], 2);
    assert_int_equal(s[0].labels[1], XA_CATEGORY);
    assert_int_equal(s[0].annotations[0].class_index, XA_CATEGORY);
    assert_int_equal(s[0].annotations[1].class_index, XA_CATEGORY + 1);
    assert_int_equal(s[0].annotations[2].class_index, XA_CATEGORY + 1);
    assert_int_equal(s[1].annotations[0].class_index, XA_CATEGORY);
    assert_int_equal(s[2].annotations[0].class_index, XA_CATEGORY);
    assert_int_equal(s[2].annotations[1].class_index, XA_CATEGORY + 2);
    assert_int_equal(s[3].annotations[0].class_index, 2);
    int32_t distinct[3];
    assert_int_equal(xa_sample_annotated(&s[0], distinct), 2);
    assert_int_equal(r.m->max_class, 5);
    assert_true(s[3].categories == &r.m->categories);
    release(&r);

    /* without the file: names of classes, numbers where two classes share one */
    const xa_manifest_options plain = {.classes = &classes};
    r = read_good("path,class,x0,y0,x1,y1\na.png,beagle|4,1,2,3,4\nb.png,2|5,1,2,3,4\n", &plain);
    assert_category(&r.m->categories.items[0], "beagle|crane", "2 4");
    assert_category(&r.m->categories.items[1], "2|5", "2 5");
    release(&r);
    r = read_good("path,class,x0,y0,x1,y1\na.png,9|4,1,2,3,4\n", NULL);
    assert_category(&r.m->categories.items[0], "4|9", "4 9");
    assert_int_equal(r.m->max_class, 9);
    release(&r);
    expect_mistake(
        "path,class,x0,y0,x1,y1\na.png,beagle|tabbi,1,2,3,4\nb.png,beagle|tabbi,1,2,3,4\n",
        &plain,
        2,
        "class \"tabbi\" is not a class of this job; did you mean \"tabby\"? (and 1 more line)");
    expect_mistake("path,class,x0,y0,x1,y1\na.png,beagle|,1,2,3,4\n",
                   &plain,
                   2,
                   "class: expected class names or indices between '|', found nothing");
    xa_categories_fini(&file);
    xa_classes_fini(&classes);
}

/* The identity moves with a category's classes and with its name, and not with one that is unused.
 */
static void test_identity(void **state)
{
    (void)state;
    static const char *const files[] = {
        "cat: 0|1\n", "cat: 0|2\n", "feline: 0|1\n", "cat: 1|0\nx: 3|4\n"};
    static const bool moves[] = {false, true, true, false};
    char first[XA_SHA256_HEX] = "";
    for (size_t i = 0; i < 4; i++) {
        xa_categories file = {0};
        assert_int_equal(read_file(files[i], NULL, &file, NULL), XA_OK);
        const xa_manifest_options opt = {.categories = &file};
        reading r = read_good(i == 2 ? "path,class,x0,y0,x1,y1\na.png,feline,1,2,3,4\n"
                                     : "path,class,x0,y0,x1,y1\na.png,cat,1,2,3,4\n",
                              &opt);
        if (i == 0)
            memcpy(first, r.m->identity[XA_MANIFEST_ANNOTATED], sizeof first);
        assert_int_equal(strcmp(first, r.m->identity[XA_MANIFEST_ANNOTATED]) != 0, moves[i]);
        release(&r);
        xa_categories_fini(&file);
    }
}

static void test_many(void **state)
{
    (void)state;
    xa_str text = {0};
    xa_str_puts(&text, "path,class,x0,y0,x1,y1\n");
    for (int i = 0; i < 3000; i++)
        xa_str_printf(&text, "a.png,%d|%d,1,2,3,4\n", i, i + 1);
    reading r = read_text(text.data, NULL);
    assert_int_equal(r.st, XA_INVALID);
    assert_int_equal(r.problems.errors, 1);
    assert_non_null(strstr(r.err.message, "take more than 60000 bytes"));
    release(&r);
    xa_str_free(&text);
}

static void test_target(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 3.0f, -2.0f, 3.0f, NAN};
    const int32_t members[] = {0, 1, 3}, undefined[] = {4, 9};
    xa_categories c = {0};
    assert_int_equal(xa_categories_add(&c, "a", members, 3, NULL), XA_OK);
    assert_int_equal(xa_categories_add(&c, "b", undefined, 2, NULL), XA_OK);
    assert_int_equal(xa_category_target(&c, XA_CATEGORY, logits, 5), 1); /* the first of two */
    assert_int_equal(xa_category_target(&c, XA_CATEGORY, logits, 1), 0);
    assert_int_equal(xa_category_target(&c, XA_CATEGORY + 1, logits, 5), -1);
    assert_int_equal(xa_category_target(&c, XA_CATEGORY + 2, logits, 5), -1);
    assert_int_equal(xa_category_target(NULL, XA_CATEGORY, logits, 5), -1);
    assert_int_equal(xa_category_target(&c, 2, logits, 5), 2);
    assert_true(xa_category_has(&c, XA_CATEGORY, 3) && xa_category_has(NULL, 3, 3));
    assert_false(xa_category_has(&c, XA_CATEGORY, 2));
    assert_int_equal(xa_category_largest(&c, XA_CATEGORY + 1), 9);
    xa_categories_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
