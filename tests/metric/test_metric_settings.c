/* Which settings a metric has, their bounds, profiles, and how they are put in words. */
#include "xaudit/metric.h"
#include "xaudit_cmocka.h"

static void test_profiles_and_conventions(void **state)
{
    (void)state;
    xa_metric_spec s = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    xa_err err = XA_ERR_INIT;
    xa_str text = {0};
    assert_int_equal(xa_metric_profile(&s, "torchray", &err), XA_OK);
    xa_metric_conventions(&s, &text);
    assert_string_equal(text.data,
                        "at the image's pixels; values as they are; tolerance 15 px; skipped where "
                        "all is difficult, crowds count");
    xa_str_free(&text);
    s = xa_metric_defaults(XA_METRIC_ENERGY);
    xa_metric_conventions(&s, &text);
    assert_string_equal(text.data,
                        "at the model's input; positive values; difficult objects count, crowds "
                        "are ignored");
    xa_str_free(&text);
    s = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    assert_int_equal(xa_metric_profile(&s, "wsol", &err), XA_INVALID);
    assert_string_equal(err.message,
                        "profile wsol does not define pointing_game: it is for box_acc, pxap");
    err = (xa_err)XA_ERR_INIT;
    assert_int_equal(xa_metric_profile(&s, "wsl", &err), XA_NOT_FOUND);
    s.grid = 0;
    s.at = XA_AT_GRID;
    assert_int_equal(xa_metric_check(&s, NULL), XA_INVALID);
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        s = xa_metric_defaults((xa_metric_kind)k);
        assert_int_equal(xa_metric_check(&s, NULL), XA_OK);
        assert_int_equal(xa_metric_parse(xa_metric_kind_name((xa_metric_kind)k)), k);
        assert_non_null(xa_metric_reference((xa_metric_kind)k));
    }
}

/* Which metric has which setting, and what it stores: a wrong entry in a metric's own file fails.
 */
static void test_table(void **state)
{
    (void)state;
    enum {
        POINT = 1 << XA_SETTING_TOLERANCE | 1 << XA_SETTING_SMOOTHING,
        CUT = 1 << XA_SETTING_THRESHOLD | 1 << XA_SETTING_STRETCH,
        HIT = CUT | 1 << XA_SETTING_IOU,
        CURVE = 1 << XA_SETTING_STRETCH | 1 << XA_SETTING_IOU | 1 << XA_SETTING_CONTOURS |
                1 << XA_SETTING_FROM_SPLIT
    };
    static const struct {
        int settings, levels;
        xa_metric_scale scale;
        xa_metric_statistic statistic;
    } expected[XA_METRIC_COUNT] = {
        [XA_METRIC_POINTING_GAME] = {.settings = POINT, .scale = XA_SCALE_HIT},
        [XA_METRIC_TOP_K] = {.settings = 1 << XA_SETTING_K},
        [XA_METRIC_AVERAGE_FOCUS] = {.settings = 1 << XA_SETTING_STRETCH},
        [XA_METRIC_IOU] = {.settings = CUT},
        [XA_METRIC_BOX_IOU] = {.settings = CUT},
        [XA_METRIC_GT_KNOWN] = {.settings = HIT, .levels = 1, .scale = XA_SCALE_HIT},
        [XA_METRIC_TOP1] = {.settings = HIT, .levels = 1, .scale = XA_SCALE_HIT},
        [XA_METRIC_TOP5] = {.settings = HIT, .levels = 1, .scale = XA_SCALE_HIT},
        [XA_METRIC_BOX_ACC] = {.settings = CURVE, .levels = 8, .statistic = XA_STATISTIC_HITS},
        [XA_METRIC_PXAP] = {.settings = 1 << XA_SETTING_STRETCH, .statistic = XA_STATISTIC_PIXELS},
    };
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        const xa_metric_kind kind = (xa_metric_kind)k;
        for (int s = 0; s < XA_METRIC_SETTING_COUNT; s++)
            if (xa_metric_has(kind, (xa_metric_setting)s) != (expected[k].settings >> s & 1))
                fail_msg("%s, %s",
                         xa_metric_kind_name(kind),
                         xa_metric_setting_key((xa_metric_setting)s));
        assert_int_equal(xa_metric_most_levels(kind), expected[k].levels);
        assert_int_equal(xa_metric_scale_of(kind), expected[k].scale);
        assert_int_equal(xa_metric_statistic_of(kind), expected[k].statistic);
        assert_true(xa_metric_defaults(kind).nlevels <= expected[k].levels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles_and_conventions),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
