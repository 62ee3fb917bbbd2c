/* Metrics of drawn maps whose scores are known on paper, and every case without a defined score. */
#include "metric_test.h"

enum { W = 10, H = 8 };

static bool contains(const xa_region *r, double x, double y)
{
    const xa_metric_spec s = xa_metric_defaults(XA_METRIC_ENERGY);
    return xa_region_contains(&s, r, x, y);
}

static bool ignores(const xa_region *r, double x, double y)
{
    const xa_metric_spec s = xa_metric_defaults(XA_METRIC_ENERGY);
    return xa_region_ignores(&s, r, x, y);
}

static double of(xa_metric_kind kind, const xa_region *r, const xa_score_map *m)
{
    return one(xa_metric_defaults(kind), r, m);
}

/* A box of 4x2 pixels of ten by eight; the map is 3 in it, 1 on as many pixels outside. */
static void test_on_paper(void **state)
{
    (void)state;
    double box[1][4] = {{2, 3, 6, 5}};
    const xa_region r = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    float v[W * H] = {0};
    for (int y = 3; y < 5; y++)
        for (int x = 2; x < 6; x++) {
            v[y * W + x] = 3.0f;
            v[(y + 3) * W + x] = 1.0f; /* rows 6 and 7 */
        }
    const xa_score_map m = map_of(v, W, H);
    assert_true(near(of(XA_METRIC_ENERGY, &r, &m), 0.75));
    assert_true(near(of(XA_METRIC_RELEVANCE_MASS, &r, &m), 0.75));
    assert_true(near(of(XA_METRIC_RELEVANCE_RANK, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_ROC_AUC, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_AVERAGE_FOCUS, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_POINTING_GAME, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_PXAP, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_BOX_IOU, &r, &m), 1.0)); /* the first of two equal components */
    assert_true(near(of(XA_METRIC_BOX_ACC, &r, &m), 1.0));
    xa_metric_spec s = xa_metric_defaults(XA_METRIC_TOP_K);
    s.k = 12; /* 8 inside, then 4 of 8 tied outside */
    assert_true(near(one(s, &r, &m), 8.0 / 12.0));
    s.k = 1000; /* all pixels */
    assert_true(near(one(s, &r, &m), 8.0 / 80.0));
    s = xa_metric_defaults(XA_METRIC_IOU);
    s.cut = XA_CUT_FRACTION;
    s.threshold = 0.2; /* both blobs */
    assert_true(near(one(s, &r, &m), 0.5));
    s.threshold = 0.5;
    assert_true(near(one(s, &r, &m), 1.0));
    s.cut = XA_CUT_MEAN; /* 8 * (1 + 1/3) / 80 = 0.133: both */
    assert_true(near(one(s, &r, &m), 0.5));
    s.cut = XA_CUT_OTSU;
    assert_true(near(one(s, &r, &m), 1.0));
}

static void test_predictions(void **state)
{
    (void)state;
    double box[1][4] = {{2, 3, 6, 5}};
    const xa_region r = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    float v[W * H] = {0};
    for (int x = 2; x < 6; x++)
        v[3 * W + x] = 1.0f; /* half of the box: overlap 0.5, a hit */
    xa_score_map m = map_of(v, W, H);
    assert_true(near(of(XA_METRIC_BOX_IOU, &r, &m), 0.5));
    assert_true(of(XA_METRIC_GT_KNOWN, &r, &m) == 1.0);
    assert_true(of(XA_METRIC_TOP1, &r, &m) == 1.0);
    m.rank = 4;
    assert_true(of(XA_METRIC_TOP1, &r, &m) == 0.0);
    assert_true(of(XA_METRIC_TOP5, &r, &m) == 1.0);
    m.rank = 5;
    assert_true(of(XA_METRIC_TOP5, &r, &m) == 0.0);
    m.rank = -1; /* a class the model does not know */
    assert_true(isnan(of(XA_METRIC_TOP1, &r, &m)) && isnan(of(XA_METRIC_TOP5, &r, &m)));
    assert_true(of(XA_METRIC_GT_KNOWN, &r, &m) == 1.0);
}

/* Nothing annotated, everything annotated, maps of one value, maps with infinities. */
static void test_undefined(void **state)
{
    (void)state;
    double box[1][4] = {{2, 3, 6, 5}}, whole[1][4] = {{0, 0, W, H}};
    const xa_region none = {.width = W, .height = H, .empty = true};
    const xa_region some = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    const xa_region all = {.width = W, .height = H, .nboxes = 1, .boxes = whole};
    float flat[W * H], ramp[W * H];
    for (int i = 0; i < W * H; i++) {
        flat[i] = 2.0f;
        ramp[i] = (float)i;
    }
    const xa_score_map f = map_of(flat, W, H), g = map_of(ramp, W, H);
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        assert_true(isnan(of((xa_metric_kind)k, &none, &g)));
        xa_score_map bad = g;
        bad.nonfinite = true;
        assert_true(isnan(of((xa_metric_kind)k, &some, &bad)));
        const double v = of((xa_metric_kind)k, &some, &g);
        assert_true(v >= 0.0 && v <= 1.0);
    }
    assert_true(isnan(of(XA_METRIC_ROC_AUC, &all, &g)));
    assert_true(isnan(of(XA_METRIC_RELEVANCE_RANK, &all, &g)));
    assert_true(near(of(XA_METRIC_ENERGY, &some, &f), 8.0 / 80.0)); /* the region's share */
    assert_true(near(of(XA_METRIC_RELEVANCE_RANK, &some, &f), 8.0 / 80.0));
    assert_true(near(of(XA_METRIC_ROC_AUC, &some, &f), 0.5));
    assert_true(near(of(XA_METRIC_IOU, &some, &f), 8.0 / 80.0));
}

/* A map of zeros is a failed explanation: metric.h says what each metric makes of it. */
static void test_zero_map(void **state)
{
    (void)state;
    static const double expected[XA_METRIC_COUNT] = {
        [XA_METRIC_POINTING_GAME] = 0.0,
        [XA_METRIC_ENERGY] = 0.0,
        [XA_METRIC_RELEVANCE_MASS] = NAN,
        [XA_METRIC_RELEVANCE_RANK] = 0.1,
        [XA_METRIC_TOP_K] = 0.1,
        [XA_METRIC_ROC_AUC] = 0.5,
        [XA_METRIC_AVERAGE_FOCUS] = 0.0,
        [XA_METRIC_IOU] = 0.0,
        [XA_METRIC_BOX_IOU] = 0.0,
        [XA_METRIC_GT_KNOWN] = 0.0,
        [XA_METRIC_TOP1] = 0.0,
        [XA_METRIC_TOP5] = 0.0,
        [XA_METRIC_BOX_ACC] = 0.0,
        [XA_METRIC_PXAP] = 0.1,
    };
    double box[1][4] = {{2, 3, 6, 5}};
    const xa_region r = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    float zero[W * H] = {0}, negative[W * H];
    for (int i = 0; i < W * H; i++)
        negative[i] = -1.0f - (float)i;
    xa_score_map m[2] = {map_of(zero, W, H), map_of(negative, W, H)};
    m[0].degenerate = true;
    m[0].rank = m[1].rank = 0;
    for (int k = 0; k < XA_METRIC_COUNT; k++)
        for (int i = 0; i < 2; i++) { /* nothing positive: the same */
            xa_metric_spec s = xa_metric_defaults((xa_metric_kind)k);
            if (i == 1)
                s.sign = XA_SIGN_POSITIVE;
            const double got = one(s, &r, &m[i]);
            if (isnan(expected[k]) ? !isnan(got) : !near(got, expected[k]))
                fail_msg("%s, map %d: %g, expected %g", s.name, i, got, expected[k]);
        }
}

/* The map's maximum lies where it is ignored: it is stretched, and cut, by its own range. */
static void test_range_is_the_whole_maps(void **state)
{
    (void)state;
    uint8_t mask[W * H] = {0};
    float v[W * H] = {0};
    mask[0] = 1;
    mask[1] = 2;
    v[0] = v[2] = 1.0f;
    v[1] = 10.0f;
    const xa_region r = {.width = W, .height = H, .mask = mask, .has_mask = true};
    const xa_score_map m = map_of(v, W, H);
    uint32_t counts[2 * XA_PXAP_BINS];
    void *statistic = counts;
    double value;
    xa_scorer *s = NULL;
    xa_metric_spec spec = xa_metric_defaults(XA_METRIC_PXAP);
    assert_int_equal(xa_scorer_create(&spec, 1, &s, NULL), XA_OK);
    assert_int_equal(xa_scorer_score(s, &r, &m, &value, &statistic, NULL), XA_OK);
    xa_scorer_free(s);
    assert_int_equal(counts[100], 1); /* 1 of 10 is a tenth */
    assert_int_equal(counts[XA_PXAP_BINS + 100], 1);
    assert_int_equal(counts[0], W * H - 3);
    assert_true(near(value, 0.5));
    spec = xa_metric_defaults(XA_METRIC_IOU);
    spec.cut = XA_CUT_FRACTION;
    spec.threshold = 0.15;
    assert_true(one(spec, &r, &m) == 0.0);
    spec.threshold = 0.05;
    assert_true(near(one(spec, &r, &m), 0.5));
}

/* A 20x16 photograph, cropped to its right half and shrunk by 2: annotations follow. */
static void test_crop(void **state)
{
    (void)state;
    double box[2][4] = {{12, 4, 16, 8}, {0, 0, 4, 4}};
    const xa_region r = {.width = 20, .height = 16, .nboxes = 2, .boxes = box};
    const xa_region hidden = {.width = 20, .height = 16, .nboxes = 1, .boxes = box + 1};
    float v[5 * 8] = {0};
    for (int y = 2; y < 4; y++)
        for (int x = 1; x < 3; x++)
            v[y * 5 + x] = 1.0f; /* stored x 12..16, y 4..8 */
    xa_score_map m = map_of(v, 5, 8);
    m.affine[0][0] = m.affine[1][1] = 2.0;
    m.affine[0][2] = 10.0;
    assert_true(near(of(XA_METRIC_ENERGY, &r, &m), 1.0));
    assert_true(near(of(XA_METRIC_BOX_IOU, &r, &m), 1.0));
    assert_true(isnan(of(XA_METRIC_ENERGY, &hidden, &m))); /* cut away */
    xa_metric_spec s = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    s.at = XA_AT_IMAGE;
    assert_true(one(s, &r, &m) == 1.0);
    s = xa_metric_defaults(XA_METRIC_ROC_AUC);
    s.at = XA_AT_IMAGE; /* pixels that the model never saw count nowhere */
    assert_true(one(s, &r, &m) > 0.98);
    s.at = XA_AT_GRID;
    s.grid = 4;
    assert_true(one(s, &r, &m) > 0.5);
}

static void test_ignored_pixels(void **state)
{
    (void)state;
    uint8_t mask[W * H] = {0};
    float v[W * H] = {0};
    mask[0] = 1;
    mask[1] = 2; /* ignored */
    v[0] = v[1] = v[2] = 1.0f;
    const xa_region r = {.width = W, .height = H, .mask = mask, .has_mask = true};
    const xa_score_map m = map_of(v, W, H);
    assert_true(near(of(XA_METRIC_ENERGY, &r, &m), 0.5));
    assert_true(contains(&r, 0.5, 0.5) && !contains(&r, 1.5, 0.5));
    assert_true(ignores(&r, 1.5, 0.5) && !ignores(&r, 0.5, 0.5));
}

/* A crowd's box and an object in it, on every grid; and together in one scorer, where scenes that
 * differ in nothing else must not be shared. */
static void test_crowds_and_difficult_pairs(void **state)
{
    (void)state;
    double box[2][4] = {{2, 2, 4, 4}, {0, 0, 6, 8}}; /* 4 of 48 pixels of the crowd */
    xa_region r = {.width = W, .height = H, .nboxes = 1, .ncrowds = 1, .boxes = box};
    float v[W * H];
    for (int i = 0; i < W * H; i++)
        v[i] = 1.0f;
    v[5] = 2.0f; /* the peak is in the crowd, the next in the object */
    v[2 * W + 2] = 1.5f;
    xa_score_map m = map_of(v, W, H);
    m.has_peak = true;
    m.peak[0] = 5.5;
    m.peak[1] = 0.5;
    static const xa_metric_at at[] = {XA_AT_MAP, XA_AT_INPUT, XA_AT_IMAGE};
    for (int i = 0; i < 3; i++) {
        xa_metric_spec s[4] = {xa_metric_defaults(XA_METRIC_ENERGY),
                               xa_metric_defaults(XA_METRIC_ENERGY),
                               xa_metric_defaults(XA_METRIC_POINTING_GAME),
                               xa_metric_defaults(XA_METRIC_POINTING_GAME)};
        double value[4];
        xa_scorer *scorer = NULL;
        for (int k = 0; k < 4; k++)
            s[k].at = at[i];
        s[1].ignore_crowd = s[3].ignore_crowd = false;
        assert_int_equal(xa_scorer_create(s, 4, &scorer, NULL), XA_OK);
        assert_int_equal(xa_scorer_score(scorer, &r, &m, value, NULL, NULL), XA_OK);
        assert_true(near(value[0], 4.5 / 36.5));
        assert_true(near(value[1], 49.5 / 81.5));
        assert_true(value[2] == 1.0);
        assert_true(value[3] == 1.0);
        r.all_difficult = true;
        s[0].skip_difficult = s[2].skip_difficult = true;
        assert_int_equal(xa_scorer_score(scorer, &r, &m, value, NULL, NULL), XA_OK);
        assert_true(isnan(value[0]) && !isnan(value[1]) && isnan(value[2]) && value[3] == 1.0);
        r.all_difficult = false;
        xa_scorer_free(scorer);
    }
    r.boxes = box + 1; /* crowds alone */
    r.nboxes = 0;
    r.only_crowds = true;
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        xa_metric_spec s = xa_metric_defaults((xa_metric_kind)k);
        assert_true(isnan(one(s, &r, &m)));
        s.ignore_crowd = false;
        assert_false(isnan(one(s, &r, &m)));
    }
}

static void test_signs_and_channels(void **state)
{
    (void)state;
    double box[1][4] = {{0, 0, 5, H}};
    const xa_region r = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    float v[2 * W * H] = {0};
    v[0] = -4.0f; /* in the box */
    v[W - 1] = 1.0f;
    xa_score_map m = map_of(v, W, H);
    xa_metric_spec s = xa_metric_defaults(XA_METRIC_ENERGY);
    assert_true(one(s, &r, &m) == 0.0);
    s.sign = XA_SIGN_ABS;
    assert_true(near(one(s, &r, &m), 0.8));
    assert_true(near(of(XA_METRIC_RELEVANCE_MASS, &r, &m), 4.0 / 3.0)); /* -4 of -3 */
    v[W * H + W - 1] = -6.0f; /* the second channel is larger there */
    m.channels = 2;
    assert_true(near(of(XA_METRIC_ENERGY, &r, &m), 0.4));
}

/* Of equal values the first in row-major order is the peak, on every grid; a map of one value has
 * none, whatever peak was stored. */
static void test_plateaus(void **state)
{
    (void)state;
    enum { N = 4, SCALE = 8 };
    static const xa_metric_at at[] = {XA_AT_MAP, XA_AT_INPUT, XA_AT_IMAGE};
    float v[N * N] = {0}, even[N * N];
    v[1 * N + 2] = v[1 * N + 3] = v[2 * N + 1] = v[2 * N + 2] = 1.0f;
    for (int i = 0; i < N * N; i++)
        even[i] = 1.0f;
    xa_score_map m = map_of(v, N, N), e = map_of(even, N, N);
    m.input_height = m.input_width = e.input_height = e.input_width = N * SCALE;
    e.has_peak = true;
    e.peak[0] = e.peak[1] = 0.5 * SCALE;
    for (int i = 0; i < 3; i++)
        for (int there = 0; there < 2; there++) {
            /* cells (2,1) and (3,1) are one plateau, whose first pixel is in the first of them; the
             * other plateau, which is below, has its own cell (1,2) */
            double first[1][4] = {{2 * SCALE, SCALE, 3 * SCALE, 2 * SCALE}};
            double second[1][4] = {{SCALE, 2 * SCALE, 2 * SCALE, 3 * SCALE}};
            double all[1][4] = {{0, 0, N * SCALE, N * SCALE}};
            xa_region r = {.width = N * SCALE,
                           .height = N * SCALE,
                           .nboxes = 1,
                           .boxes = there ? first : second};
            xa_metric_spec s = xa_metric_defaults(XA_METRIC_POINTING_GAME);
            s.at = at[i];
            assert_true(one(s, &r, &m) == (there ? 1.0 : 0.0));
            r.boxes = all;
            assert_true(one(s, &r, &e) == 0.0);
        }
}

static void test_smoothing_moves_the_peak(void **state)
{
    (void)state;
    double box[1][4] = {{6, 2, 10, 6}};
    const xa_region r = {.width = W, .height = H, .nboxes = 1, .boxes = box};
    float v[W * H] = {0};
    v[0] = 1.5f; /* one bright pixel, and a broad bump */
    for (int y = 2; y < 6; y++)
        for (int x = 6; x < 10; x++)
            v[y * W + x] = 1.0f;
    const xa_score_map m = map_of(v, W, H);
    xa_metric_spec s = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    assert_true(one(s, &r, &m) == 0.0);
    s.smoothing = 0.1;
    assert_true(one(s, &r, &m) == 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_paper),
        cmocka_unit_test(test_predictions),
        cmocka_unit_test(test_undefined),
        cmocka_unit_test(test_zero_map),
        cmocka_unit_test(test_range_is_the_whole_maps),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_ignored_pixels),
        cmocka_unit_test(test_crowds_and_difficult_pairs),
        cmocka_unit_test(test_signs_and_channels),
        cmocka_unit_test(test_plateaus),
        cmocka_unit_test(test_smoothing_moves_the_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
