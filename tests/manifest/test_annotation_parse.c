/* The annotation columns: kinds, boxes, masks, flags. */
#include "manifest_reading.h"

#define HEADER "path,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags\n"

static void test_box(void **state)
{
    (void)state;
    reading r = read_good(HEADER "a.png,3,,box,0,1.5,10,2e1,,,difficult|crowd\n"
                                 "b.png,3,,,-2,-3,.5,4,,ig.png, truncated | occluded \n",
                          NULL);
    assert_int_equal(r.m->count, 2);
    const xa_annotation *a = r.m->samples[0].annotations;
    assert_int_equal(r.m->samples[0].nannotations, 1);
    assert_int_equal(a->kind, XA_ANNOTATION_BOX);
    assert_true(a->x0 == 0.0 && a->y0 == 1.5 && a->x1 == 10.0 && a->y1 == 20.0);
    assert_int_equal(a->class_index, 3);
    assert_int_equal(a->flags, XA_ANNOTATION_DIFFICULT | XA_ANNOTATION_CROWD);
    assert_int_equal(a->mask_value, -1);
    assert_null(a->mask);
    assert_null(a->ignore_mask);
    a = r.m->samples[1].annotations;
    assert_int_equal(a->kind, XA_ANNOTATION_BOX);
    assert_true(a->x0 == -2.0 && a->y0 == -3.0 && a->x1 == 0.5 && a->y1 == 4.0);
    assert_int_equal(a->flags, XA_ANNOTATION_TRUNCATED | XA_ANNOTATION_OCCLUDED);
    assert_string_equal(a->ignore_mask, "/tmp/ig.png"); /* beside the manifest */
    release(&r);
}

static void expect_mask(const char *cell, const char *file, int32_t value)
{
    char text[256];
    snprintf(text, sizeof text, HEADER "a.png,3,,,,,,,%s,,\n", cell);
    reading r = read_good(text, NULL);
    assert_int_equal(r.m->samples[0].nannotations, 1);
    const xa_annotation *a = r.m->samples[0].annotations;
    assert_int_equal(a->kind, XA_ANNOTATION_MASK);
    assert_string_equal(a->mask, file);
    assert_int_equal(a->mask_value, value);
    assert_true(a->x0 == 0.0 && a->x1 == 0.0);
    release(&r);
}

static void test_mask(void **state)
{
    (void)state;
    expect_mask("m.png", "/tmp/m.png", -1);
    expect_mask("/d/m.png#0", "/d/m.png", 0);
    expect_mask("m.png#65535", "/tmp/m.png", 65535);
    expect_mask("m#1.png", "/tmp/m#1.png", -1); /* part of the name */
    expect_mask("m#1.png#2", "/tmp/m#1.png", 2);
    expect_mask("m.png#", "/tmp/m.png#", -1);
    expect_mask("m.png#>", "/tmp/m.png#>", -1);
    expect_mask("m.png#>0", "/tmp/m.png", XA_MASK_VALUES);
    expect_mask("m.png#>127", "/tmp/m.png", XA_MASK_VALUES + 127);
    expect_mask("m.png#>65535", "/tmp/m.png", 2 * XA_MASK_VALUES - 1);
    expect_mask("m.png#> 5", "/tmp/m.png#> 5", -1);
    expect_mistake(HEADER "a.png,3,,,,,,,m.png#>65536,,\n",
                   NULL,
                   2,
                   "mask: expected FILE#VALUE or FILE#>VALUE with a value from 0 to 65535, found "
                   "\"m.png#>65536\"");
    expect_mistake(HEADER "a.png,3,,,,,,,m.png,i.png#65536,\n",
                   NULL,
                   2,
                   "ignore_mask: expected FILE#VALUE or FILE#>VALUE with a value from 0 to 65535, "
                   "found \"i.png#65536\"");
    expect_mistake(HEADER "a.png,3,,,,,,,m.png#65536,,\n",
                   NULL,
                   2,
                   "mask: expected FILE#VALUE or FILE#>VALUE with a value from 0 to 65535, found "
                   "\"m.png#65536\"");
    expect_mistake(
        HEADER "a.png,3,,,,,,,#5,,\n",
        NULL,
        2,
        "mask: expected FILE#VALUE or FILE#>VALUE with a value from 0 to 65535, found \"#5\"");
    expect_mistake(
        HEADER "a.png,3,,mask,,,,,,,\n", NULL, 2, "mask is blank: kind mask needs the mask's file");
}

/* Which pixels are meant. */
static void test_mask_takes(void **state)
{
    (void)state;
    assert_true(!xa_mask_takes(XA_MASK_ANY, 0) && xa_mask_takes(XA_MASK_ANY, 1) &&
                xa_mask_takes(XA_MASK_ANY, 65535));
    assert_true(xa_mask_takes(0, 0) && !xa_mask_takes(0, 1));
    assert_true(xa_mask_takes(65535, 65535) && !xa_mask_takes(65535, 65534));
    assert_true(!xa_mask_takes(XA_MASK_VALUES + 127, 127) &&
                xa_mask_takes(XA_MASK_VALUES + 127, 128));
    assert_true(!xa_mask_takes(2 * XA_MASK_VALUES - 1, 65535));
}

static void test_ignore_value(void **state)
{
    (void)state;
    reading r = read_good(HEADER "a.png,3,,,1,2,3,4,,i.png#255,\n"
                                 "b.png,3,,,1,2,3,4,,i.png,\n",
                          NULL);
    assert_string_equal(r.m->samples[0].annotations[0].ignore_mask, "/tmp/i.png");
    assert_int_equal(r.m->samples[0].annotations[0].ignore_value, 255);
    assert_int_equal(r.m->samples[1].annotations[0].ignore_value, XA_MASK_ANY);
    release(&r);
}

static void test_none(void **state)
{
    (void)state;
    reading r = read_good(HEADER "a.png,3,,none,,,,,,,\nb.png,,,,,,,,,,\n", NULL);
    assert_int_equal(r.m->samples[0].nannotations, 0);
    assert_null(r.m->samples[0].annotations);
    assert_int_equal(r.m->samples[1].nannotations, 0);
    release(&r);
    expect_warning(HEADER "a.png,,3,,,,,,,,\nb.png,,3,none,,,,,,,\n",
                   NULL,
                   2,
                   "class is given without a box or mask and is not used (the image's own class is "
                   "the column label) (and 1 more line)");
    expect_warning(HEADER "a.png,,,,,,,,,,crowd\n",
                   NULL,
                   2,
                   "flags is given without a box or mask and is not used");
    expect_warning(HEADER "a.png,,,,,,,,,i.png,\n",
                   NULL,
                   2,
                   "ignore_mask is given without a box or mask and is not used");
}

static void test_kind(void **state)
{
    (void)state;
    expect_mistake(HEADER "a.png,3,,boks,,,,,,,\n",
                   NULL,
                   2,
                   "kind: expected box, mask, none or blank, found \"boks\"");
    expect_mistake(
        HEADER "a.png,3,,bbox,1,2,3,4,,,\n",
        NULL,
        2,
        "kind: expected box, mask, none or blank, found \"bbox\"; did you mean \"box\"?");
    expect_mistake(HEADER "a.png,3,,none,1,2,3,4,,,\n",
                   NULL,
                   2,
                   "kind is none, but the line has coordinates: leave one of them out");
    expect_mistake(HEADER "a.png,3,,none,,,,,m.png,,\n",
                   NULL,
                   2,
                   "kind is none, but the line has a mask: leave one of them out");
    expect_mistake(HEADER "a.png,3,,mask,1,2,3,4,m.png,,\n",
                   NULL,
                   2,
                   "kind is mask, but the line has coordinates: leave one of them out");
    expect_mistake(HEADER "a.png,3,,box,1,2,3,4,m.png,,\n",
                   NULL,
                   2,
                   "kind is box, but the line has a mask: leave one of them out");
    expect_mistake(HEADER "a.png,3,,,1,2,3,4,m.png,,\n",
                   NULL,
                   2,
                   "coordinates and a mask in one line: give each its own line with the same id");
}

static void test_coordinates(void **state)
{
    (void)state;
    expect_mistake(
        HEADER "a.png,3,,,40,1,12,9,,,\n", NULL, 2, "x1 (12) must be larger than x0 (40)");
    expect_mistake(
        HEADER "a.png,3,,,1,5,12,5.0,,,\n", NULL, 2, "y1 (5.0) must be larger than y0 (5)");
    expect_mistake(HEADER "a.png,3,,,-9,1,-2,9,,,\n",
                   NULL,
                   2,
                   "x1 (-2) must be larger than 0: the box lies outside every image");
    expect_mistake(
        HEADER "a.png,3,,,1,,3,4,,,\n", NULL, 2, "y0 is blank: a box needs x0, y0, x1 and y1");
    static const char *const bad[] = {"nan", "inf", "-inf", "NaN", "1e999", "0x5", "1.2.3", "ten"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256];
        char words[256];
        snprintf(text, sizeof text, HEADER "a.png,3,,,1,2,%s,4,,,\n", bad[i]);
        snprintf(words, sizeof words, "x1: expected a finite number, found \"%s\"", bad[i]);
        expect_mistake(text, NULL, 2, words);
    }
    expect_mistake(
        HEADER "a.png,3,,,\"1,5\",2,3,4,,,\n",
        NULL,
        2,
        "x0: expected a finite number, found \"1,5\" (decimals are written with a point)");
    expect_mistake(
        HEADER "a.png,3,,,1,2,3,1e10,,,\n", NULL, 2, "y1: expected a pixel coordinate, found 1e10");
    /* All mistakes of a line are reported at once. */
    reading r = read_text(HEADER "a.png,3,,box,,,,,,,\n", NULL);
    assert_int_equal(r.problems.errors, 4);
    release(&r);
}

static void test_flags(void **state)
{
    (void)state;
    expect_mistake(
        HEADER "a.png,3,,,1,2,3,4,,,dificult|crowd\n",
        NULL,
        2,
        "flags: expected difficult, crowd, truncated or occluded (several as a|b), found "
        "\"dificult\"; did you mean \"difficult\"?");
    expect_mistake(
        HEADER "a.png,3,,,1,2,3,4,,,crowd|\n",
        NULL,
        2,
        "flags: expected difficult, crowd, truncated or occluded (several as a|b), found "
        "\"\"");
    expect_mistake(
        HEADER "a.png,3,,,1,2,3,4,,,1\n",
        NULL,
        2,
        "flags: expected difficult, crowd, truncated or occluded (several as a|b), found "
        "\"1\"");
}

static void test_class(void **state)
{
    (void)state;
    reading r = read_good(HEADER "a.png,1|2,2,,1,2,3,4,,,\n" /* one of several */
                                 "b.png,1,7,,1,2,3,4,,,\n"   /* another than the label */
                                 "c.png,,,,1,2,3,4,,,\n"     /* unknown */
                                 "d.png,,5,,1,2,3,4,,,\n",
                          NULL);
    static const int32_t expected[] = {2, 7, -1, 5};
    for (int i = 0; i < 4; i++)
        assert_int_equal(r.m->samples[i].annotations[0].class_index, expected[i]);
    assert_int_equal(r.m->max_class, 7);
    release(&r);
    expect_mistake(HEADER "a.png,1|2,,,1,2,3,4,,,\n",
                   NULL,
                   2,
                   "class is blank, but the image has 2 labels: say which one is annotated");
    r = read_good(HEADER "a.png,1,1|2,,1,2,3,4,,,\n", NULL); /* any of them */
    assert_int_equal(r.m->samples[0].annotations[0].class_index, XA_CATEGORY);
    assert_true(xa_category_has(&r.m->categories, XA_CATEGORY, 2));
    release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_box),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_mask_takes),
        cmocka_unit_test(test_ignore_value),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
