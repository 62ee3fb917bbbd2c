/* What speaks against annotations, and boxes brought to the decoded image. */
#include <string.h>

#include "xaudit/manifest.h"
#include "xaudit_cmocka.h"

typedef struct one {
    double box[4];         /* as annotated */
    int32_t width, height; /* declared */
    int64_t found[2];      /* decoded */
    int orientation;
    bool rescale;
    int problem;
    double used[4];
} one;

static void check(const one *x)
{
    double box[4] = {7.0, 7.0, 7.0, 7.0};
    const xa_annotation a = {.kind = XA_ANNOTATION_BOX,
                             .x0 = x->box[0],
                             .y0 = x->box[1],
                             .x1 = x->box[2],
                             .y1 = x->box[3]};
    const xa_sample s = {.width = x->width, .height = x->height};
    const xa_frame f = {.width = x->found[0],
                        .height = x->found[1],
                        .orientation = x->orientation,
                        .rescale = x->rescale};
    assert_string_equal(xa_annotation_problem_name(xa_annotation_box(&s, &a, &f, box)),
                        xa_annotation_problem_name(x->problem));
    for (int i = 0; i < 4; i++)
        assert_true(box[i] - x->used[i] < 1e-9 && x->used[i] - box[i] < 1e-9);
}

static void test_boxes_and_the_image(void **state)
{
    (void)state;
    const one list[] = {
        {{1, 2, 30, 40}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_NONE, {1, 2, 30, 40}},
        {{0, 0, 100, 60}, 100, 60, {100, 60}, 6, false, XA_ANNOTATION_NONE, {0, 0, 100, 60}},
        /* the sum of rounded numbers is not beyond */
        {{1, 2, 100.00001, 40}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_NONE, {1, 2, 100, 40}},
        {{-3, 2, 30, 61}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_CLIPPED, {0, 2, 30, 60}},
        {{1, 2, 5000, 40}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_CLIPPED, {1, 2, 100, 40}},
        {{100, 2, 120, 40}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_OUTSIDE, {0}},
        {{-9, -9, -1, 40}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_OUTSIDE, {0}},
        {{1, 60, 30, 90}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_OUTSIDE, {0}},
        {{.1, .2, .5, .6}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_NORMALISED, {0}},
        {{0, 0, 1, 1}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_NORMALISED, {0}},
        {{0, 0, 1, 1.5}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_NONE, {0, 0, 1, 1.5}},
        {{9.5, 0, 10, 9}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_NONE, {9.5, 0, 10, 9}},
        {{9.6, 0, 10.5, 9}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_THIN, {0}},
        {{99.8, 0, 130, 9}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_THIN, {0}},
        {{2, -9, 30, 0.5}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_THIN, {0}},
        {{2, -9, 30, 0.6}, 0, 0, {100, 60}, 1, false, XA_ANNOTATION_BOX_CLIPPED, {2, 0, 30, 0.6}},
        {{0, 0, 1, 1}, 0, 0, {2, 2}, 1, false, XA_ANNOTATION_NONE, {0, 0, 1, 1}},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        check(&list[i]);
}

static void test_frames(void **state)
{
    (void)state;
    const one list[] = {
        /* 100 x 60 declared: turned by EXIF, turned by nobody knows whom, halved, doubled, other */
        {{1, 2, 30, 40}, 100, 60, {60, 100}, 6, false, XA_ANNOTATION_FRAME_TURNED, {0}},
        {{1, 2, 30, 40}, 100, 60, {60, 100}, 6, true, XA_ANNOTATION_FRAME_TURNED, {0}},
        {{1, 2, 30, 40}, 100, 60, {60, 100}, 1, true, XA_ANNOTATION_FRAME_SWAPPED, {0}},
        {{1, 2, 30, 40}, 100, 60, {60, 100}, 3, true, XA_ANNOTATION_FRAME_SWAPPED, {0}},
        {{1, 2, 30, 40}, 100, 60, {50, 30}, 1, false, XA_ANNOTATION_FRAME_SCALED, {0}},
        {{1, 2, 30, 40}, 100, 60, {50, 30}, 1, true, XA_ANNOTATION_BOX_RESCALED, {.5, 1, 15, 20}},
        {{1, 2, 30, 40}, 100, 60, {200, 120}, 1, true, XA_ANNOTATION_BOX_RESCALED, {2, 4, 60, 80}},
        /* sides were rounded to whole pixels: 333 x 500 to a width of 224 is 224 x 336.3 */
        {{0, 0, 333, 500},
         333,
         500,
         {224, 336},
         1,
         true,
         XA_ANNOTATION_BOX_RESCALED,
         {0, 0, 224, 336}},
        {{0, 0, 333, 500},
         333,
         500,
         {224, 337},
         1,
         true,
         XA_ANNOTATION_BOX_RESCALED,
         {0, 0, 224, 337}},
        {{1, 2, 30, 40}, 500, 335, {100, 60}, 1, true, XA_ANNOTATION_FRAME_OTHER, {0}},
        {{1, 2, 30, 40}, 100, 60, {224, 224}, 1, true, XA_ANNOTATION_FRAME_OTHER, {0}},
        /* a square that was declared with the sides of an image of one more pixel is a copy */
        {{1, 2, 30, 40}, 100, 100, {100, 101}, 1, false, XA_ANNOTATION_FRAME_SCALED, {0}},
        /* fractions are reported as such, whatever the frame is */
        {{.1, .1, .9, .9}, 100, 60, {50, 30}, 1, true, XA_ANNOTATION_BOX_NORMALISED, {0}},
        {{90, 2, 150, 40}, 100, 60, {50, 30}, 1, true, XA_ANNOTATION_BOX_RESCALED, {45, 1, 50, 20}},
        {{110, 2, 150, 40}, 100, 60, {50, 30}, 1, true, XA_ANNOTATION_BOX_OUTSIDE, {0}},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        check(&list[i]);
}

static void test_names(void **state)
{
    (void)state;
    for (int p = 0; p < XA_ANNOTATION_PROBLEMS; p++) {
        assert_true(strlen(xa_annotation_problem_name(p)) > 3);
        assert_true(strlen(xa_annotation_problem_meaning(p)) > 10);
        for (int q = 0; q < p; q++)
            assert_string_not_equal(xa_annotation_problem_name(p), xa_annotation_problem_name(q));
    }
    /* the archive's numbers: they never change */
    assert_int_equal(XA_ANNOTATION_NONE, 0);
    assert_int_equal(XA_ANNOTATION_BOX_CLIPPED, 1);
    assert_int_equal(XA_ANNOTATION_FRAME_TURNED, 4);
    assert_int_equal(XA_ANNOTATION_MASK_MISSING, 9);
    assert_int_equal(XA_ANNOTATION_MASK_EMPTY, 16);
    assert_int_equal(XA_ANNOTATION_BOX_THIN, 18);
    assert_true(xa_annotation_used(XA_ANNOTATION_NONE));
    assert_true(xa_annotation_used(XA_ANNOTATION_BOX_CLIPPED));
    assert_false(xa_annotation_used(XA_ANNOTATION_MASK_JPEG));
    assert_false(xa_annotation_used(XA_ANNOTATION_PROBLEMS));
    assert_false(xa_annotation_used(-1));
    assert_string_equal(xa_annotation_problem_name(200), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_boxes_and_the_image),
                                       cmocka_unit_test(test_frames),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
