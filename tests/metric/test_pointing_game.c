/* Regions and the pointing game: drawn cases with known answers. */
#include <math.h>
#include <string.h>

#include "xaudit/metric.h"
#include "xaudit_cmocka.h"

static bool contains(const xa_region *r, double x, double y)
{
    const xa_metric_spec m = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    return xa_region_contains(&m, r, x, y);
}

static xa_region region_of(xa_annotation *a, int32_t n, int32_t class_index)
{
    xa_region r;
    const xa_sample s = {.annotations = a, .nannotations = n};
    assert_int_equal(
        xa_region_init(
            &r, &s, class_index, &(xa_frame){.width = 100, .height = 50}, NULL, NULL, NULL),
        XA_OK);
    return r;
}

static xa_annotation box(int32_t class_index, double x0, double y0, double x1, double y1)
{
    return (xa_annotation){.class_index = class_index,
                           .kind = XA_ANNOTATION_BOX,
                           .mask_value = -1,
                           .x0 = x0,
                           .y0 = y0,
                           .x1 = x1,
                           .y1 = y1};
}

static void test_boxes_are_half_open(void **state)
{
    (void)state;
    xa_annotation a[] = {box(1, 10, 10, 20, 20), box(1, 60, 5, 70, 8), box(2, 0, 0, 100, 50)};
    xa_metric_spec m = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    xa_region r = region_of(a, 3, 1);
    assert_int_equal(r.nboxes, 2); /* the other class' box is not part of it */
    assert_true(xa_pointing_game(&m, &r, true, 10.0, 10.0) == 1.0);
    assert_true(xa_pointing_game(&m, &r, true, 19.999, 19.999) == 1.0);
    assert_true(xa_pointing_game(&m, &r, true, 20.0, 15.0) == 0.0);
    assert_true(xa_pointing_game(&m, &r, true, 65.0, 6.0) == 1.0);
    assert_true(xa_pointing_game(&m, &r, true, 40.0, 6.0) == 0.0);
    assert_true(xa_pointing_game(&m, &r, false, 15.0, 15.0) == 0.0); /* degenerate: a miss */
    xa_region_fini(&r);
}

/* tau: a pixel of the region strictly closer than tau to the point. */
static void test_tolerance_is_strict(void **state)
{
    (void)state;
    xa_annotation a[] = {box(0, 10, 10, 20, 20)};
    xa_metric_spec m = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    xa_region r = region_of(a, 1, 0);
    m.tolerance = 5.0;
    /* the nearest pixel centre is (19.5, 15.5) */
    assert_true(xa_pointing_game(&m, &r, true, 24.4, 15.5) == 1.0);
    assert_true(xa_pointing_game(&m, &r, true, 24.5, 15.5) == 0.0);
    assert_true(xa_pointing_game(&m, &r, true, 22.5, 23.5) == 0.0); /* (3,4): distance 5 */
    assert_true(xa_pointing_game(&m, &r, true, 22.4, 23.5) == 1.0);
    xa_region_fini(&r);
}

static void test_outside_and_empty(void **state)
{
    (void)state;
    xa_annotation a[] = {box(0, -30, -30, -5, -5), box(1, 90, 40, 300, 300)};
    xa_metric_spec m = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    xa_region r = region_of(a, 2, 0);
    assert_true(r.empty);
    assert_true(isnan(xa_pointing_game(&m, &r, true, 1.0, 1.0)));
    xa_region_fini(&r);
    r = region_of(a, 2, 1); /* clipped to the frame */
    assert_true(xa_pointing_game(&m, &r, true, 99.5, 49.5) == 1.0);
    xa_region_fini(&r);
    r = region_of(a, 2, 7);
    assert_true(r.empty);
    xa_region_fini(&r);
}

/* TorchRay skips pairs of difficult boxes alone, and counts all boxes of the others. */
static void test_difficult(void **state)
{
    (void)state;
    xa_annotation a[] = {box(1, 10, 10, 20, 20), box(1, 60, 5, 70, 8), box(2, 0, 0, 100, 50)};
    xa_metric_spec keep = xa_metric_defaults(XA_METRIC_POINTING_GAME), skip = keep;
    assert_int_equal(xa_metric_profile(&skip, "torchray", NULL), XA_OK);
    assert_true(skip.skip_difficult && !skip.ignore_crowd);
    assert_true(!keep.skip_difficult && keep.ignore_crowd);
    a[0].flags = XA_ANNOTATION_DIFFICULT;
    xa_region r = region_of(a, 3, 1);
    assert_false(r.all_difficult);
    assert_true(xa_pointing_game(&skip, &r, true, 15.0, 15.0) == 1.0);
    xa_region_fini(&r);
    a[1].flags = XA_ANNOTATION_DIFFICULT | XA_ANNOTATION_TRUNCATED;
    r = region_of(a, 3, 1);
    assert_true(r.all_difficult && !r.empty);
    assert_true(isnan(xa_pointing_game(&skip, &r, true, 15.0, 15.0)));
    assert_true(isnan(xa_pointing_game(&skip, &r, false, 0.0, 0.0)));
    assert_true(xa_pointing_game(&keep, &r, true, 15.0, 15.0) == 1.0);
    xa_region_fini(&r);
    r = region_of(a, 3, 2);
    assert_false(r.all_difficult);
    xa_region_fini(&r);
}

/* Crowds are ignored but where an object of its own lies, or count like any box. */
static void test_crowd(void **state)
{
    (void)state;
    xa_annotation a[] = {box(1, 10, 10, 60, 40), box(1, 20, 15, 30, 25)};
    xa_metric_spec ignore = xa_metric_defaults(XA_METRIC_POINTING_GAME), keep = ignore;
    keep.ignore_crowd = false;
    a[0].flags = XA_ANNOTATION_CROWD;
    xa_region r = region_of(a, 2, 1);
    assert_int_equal(r.nboxes, 1);
    assert_int_equal(r.ncrowds, 1);
    assert_true(r.boxes[0][0] == 20.0 && r.boxes[1][0] == 10.0);
    assert_true(xa_region_contains(&ignore, &r, 25.0, 20.0));
    assert_true(!xa_region_contains(&ignore, &r, 50.0, 30.0));
    assert_true(xa_region_ignores(&ignore, &r, 50.0, 30.0));
    assert_true(!xa_region_ignores(&ignore, &r, 25.0, 20.0));
    assert_true(!xa_region_ignores(&ignore, &r, 5.0, 5.0));
    assert_true(xa_region_contains(&keep, &r, 50.0, 30.0));
    assert_true(!xa_region_ignores(&keep, &r, 50.0, 30.0));
    assert_true(xa_pointing_game(&ignore, &r, true, 50.0, 30.0) == 0.0);
    assert_true(xa_pointing_game(&keep, &r, true, 50.0, 30.0) == 1.0);
    xa_region_fini(&r);
    r = region_of(a, 1, 1);
    assert_true(r.only_crowds && !r.empty);
    assert_true(isnan(xa_pointing_game(&ignore, &r, true, 50.0, 30.0)));
    assert_true(xa_pointing_game(&keep, &r, true, 50.0, 30.0) == 1.0);
    xa_region_fini(&r);
    char file[] = XA_PROJECT "/tests/metric/mask_4x3.png"; /* ones at (1,1), (2,1), (3,2) */
    xa_annotation m[] = {
        {.class_index = 0, .kind = XA_ANNOTATION_MASK, .mask_value = -1, .mask = file},
        {.class_index = 0, .kind = XA_ANNOTATION_MASK, .mask_value = 0, .mask = file}};
    m[1].flags = XA_ANNOTATION_CROWD; /* the rest of the picture */
    m[1].ignore_mask = file;
    m[1].ignore_value = 0;
    const xa_sample s = {.annotations = m, .nannotations = 2};
    assert_int_equal(
        xa_region_init(&r, &s, 0, &(xa_frame){.width = 4, .height = 3}, NULL, NULL, NULL), XA_OK);
    assert_true(!r.only_crowds && r.mask[0] == XA_REGION_CROWD && r.mask[5] == XA_REGION_INSIDE);
    assert_true(xa_region_ignores(&ignore, &r, 0.5, 0.5) &&
                xa_region_contains(&keep, &r, 0.5, 0.5));
    xa_region_fini(&r);
}

/* The demo's masks are 1-bit PNGs of the photographs' size. */
static void test_mask_of_another_size_is_told(void **state)
{
    (void)state;
    char file[] = XA_PROJECT "/tests/metric/mask_4x3.png";
    xa_annotation a = {
        .class_index = 0, .kind = XA_ANNOTATION_MASK, .mask_value = -1, .mask = file};
    const xa_sample s = {.annotations = &a, .nannotations = 1};
    xa_err err = XA_ERR_INIT;
    xa_region r;
    assert_int_equal(
        xa_region_init(&r, &s, 0, &(xa_frame){.width = 100, .height = 50}, NULL, NULL, &err),
        XA_MISMATCH);
    assert_non_null(strstr(err.message, "4x3"));
    assert_non_null(strstr(err.message, "100x50"));
    assert_int_equal(
        xa_region_init(&r, &s, 0, &(xa_frame){.width = 4, .height = 3}, NULL, NULL, &err), XA_OK);
    /* the file holds ones at (1,1), (2,1), (3,2) */
    assert_true(contains(&r, 1.5, 1.5));
    assert_true(contains(&r, 2.0, 1.0));
    assert_true(contains(&r, 3.9, 2.9));
    assert_false(contains(&r, 0.5, 0.5));
    assert_false(contains(&r, 4.0, 2.5));
    assert_false(contains(&r, -0.1, 1.5));
    xa_metric_spec m = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    m.tolerance = 1.2;
    assert_true(xa_pointing_game(&m, &r, true, 0.5, 1.5) == 1.0);
    assert_true(xa_pointing_game(&m, &r, true, 0.1, 0.1) == 0.0);
    xa_region_fini(&r);
    a.mask_value = 7; /* no pixel has it */
    assert_int_equal(
        xa_region_init(&r, &s, 0, &(xa_frame){.width = 4, .height = 3}, NULL, NULL, &err), XA_OK);
    assert_true(r.empty);
    xa_region_fini(&r);
}

/* A mask that was changed has another hash; a box and a mask that cannot be used have none. */
static void test_masks_have_hashes(void **state)
{
    (void)state;
    char file[] = XA_PROJECT "/tests/metric/mask_4x3.png", copy[] = "mask_hash_4x3.png";
    char gone[] = "no such mask.png";
    const xa_frame frame = {.width = 4, .height = 3}, other = {.width = 5, .height = 3};
    xa_annotation a[] = {
        {.kind = XA_ANNOTATION_MASK, .mask_value = -1, .mask = file},
        {.kind = XA_ANNOTATION_MASK, .mask_value = -1, .mask = file, .ignore_mask = file},
        {.kind = XA_ANNOTATION_BOX, .x1 = 2, .y1 = 2},
        {.kind = XA_ANNOTATION_BOX, .x1 = 2, .y1 = 2, .ignore_mask = file},
        {.class_index = 1, .kind = XA_ANNOTATION_MASK, .mask_value = -1, .mask = file}};
    const xa_sample s = {.annotations = a, .nannotations = 5};
    uint64_t hash[5] = {0}, again, first;
    const char *which = NULL;
    xa_err err = XA_ERR_INIT;
    xa_region r;
    assert_int_equal(xa_region_init(&r, &s, 0, &frame, NULL, hash, &err), XA_OK);
    xa_region_fini(&r);
    assert_true(hash[0] && hash[1] && hash[3] && hash[0] != hash[1] && hash[0] == hash[3]);
    assert_true(hash[2] == 0 && hash[4] == 0); /* no mask; another class */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(xa_mask_hash(&a[i], false, &again, &which, &err), XA_OK);
        assert_true(again == hash[i]);
    }
    first = hash[0];
    uint8_t pixels[12] = {0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1};
    for (int painted = 0; painted < 2; painted++) {
        pixels[0] = (uint8_t)painted;
        assert_int_equal(xa_image_write_mask(copy, pixels, 4, 3, &err), XA_OK);
        a[0].mask = copy;
        assert_int_equal(xa_region_init(&r, &s, 0, &frame, NULL, hash, &err), XA_OK);
        xa_region_fini(&r);
        assert_true((hash[0] == first) == !painted); /* of the pixels, not of the file */
        a[0].mask = file;
        a[1].ignore_mask = copy;
        assert_int_equal(xa_region_init(&r, &s, 0, &frame, NULL, hash, &err), XA_OK);
        xa_region_fini(&r);
        assert_true(painted ? hash[1] != again : hash[1] != 0);
        again = hash[1];
        a[1].ignore_mask = file;
    }
    remove(copy);
    /* of another size, or gone: it was not scored with */
    assert_int_equal(xa_region_init(&r, &s, 0, &other, NULL, hash, NULL), XA_MISMATCH);
    assert_true(hash[0] == 0 && hash[1] == 0);
    a[0].mask = a[1].ignore_mask = gone;
    assert_int_equal(xa_region_init(&r, &s, 0, &frame, NULL, hash, NULL), XA_NOT_FOUND);
    assert_true(hash[0] == 0 && hash[1] == 0 && hash[3] == first);
    assert_int_equal(xa_mask_hash(&a[1], false, &again, &which, NULL), XA_NOT_FOUND);
    assert_ptr_equal(which, gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_boxes_are_half_open),
                                       cmocka_unit_test(test_tolerance_is_strict),
                                       cmocka_unit_test(test_outside_and_empty),
                                       cmocka_unit_test(test_difficult),
                                       cmocka_unit_test(test_crowd),
                                       cmocka_unit_test(test_mask_of_another_size_is_told),
                                       cmocka_unit_test(test_masks_have_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
