/* Scores that need no annotation: of one map, of two maps of one image, mean maps, ranks of
 * classes. */
#include "metric_test.h"

enum { W = 10, H = 8 };

static void test_maps_alone(void **state)
{
    (void)state;
    float even[W * H], point[W * H] = {0};
    uint32_t work[3 * W * H];
    double out[XA_MAP_SCORE_COUNT];
    for (int i = 0; i < W * H; i++)
        even[i] = -0.5f; /* sizes count */
    xa_score_map m = map_of(even, W, H);
    xa_map_scores(&m, work, out);
    assert_true(fabs(out[XA_MAP_SCORE_GINI]) < 1e-12 && near(out[XA_MAP_SCORE_ENTROPY], 1.0) &&
                near(out[XA_MAP_SCORE_CENTRE_BIAS], 1.0));
    point[0] = 2.0f;
    m = map_of(point, W, H);
    xa_map_scores(&m, work, out);
    assert_true(near(out[XA_MAP_SCORE_GINI], 1.0 - 1.0 / (W * H)));
    assert_true(near(out[XA_MAP_SCORE_ENTROPY], 0.0));
    assert_true(out[XA_MAP_SCORE_CENTRE_BIAS] > 1.5); /* a corner */
    m.degenerate = true;
    xa_map_scores(&m, work, out);
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        assert_true(isnan(out[k]));
}

static void test_agreement(void **state)
{
    (void)state;
    float a[W * H], b[W * H], coarse[4 * 5];
    double out[XA_AGREEMENT_COUNT];
    for (int i = 0; i < W * H; i++) {
        a[i] = (float)i;
        b[i] = (float)(i * i); /* the same order */
    }
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 5; x++) /* the means of a over 2x2 cells, by another factor */
            coarse[y * 5 + x] = -2.0f * (float)(20 * y + 2 * x);
    const xa_score_map ma = map_of(a, W, H), mb = map_of(b, W, H), mc = map_of(coarse, 5, 4);
    assert_int_equal(xa_agreement(&ma, &mb, out, NULL), XA_OK);
    assert_true(near(out[XA_AGREEMENT_SPEARMAN], 1.0) && near(out[XA_AGREEMENT_TOP_IOU], 1.0) &&
                out[XA_AGREEMENT_POINTING] == 1.0);
    assert_int_equal(xa_agreement(&ma, &mc, out, NULL), XA_OK);
    assert_true(near(out[XA_AGREEMENT_SPEARMAN], -1.0) && out[XA_AGREEMENT_TOP_IOU] == 0.0 &&
                out[XA_AGREEMENT_POINTING] == 0.0);
    double back[XA_AGREEMENT_COUNT];
    assert_int_equal(xa_agreement(&mc, &ma, back, NULL), XA_OK);
    assert_memory_equal(out, back, sizeof out); /* symmetric */
    xa_score_map none = ma;
    none.nonfinite = true;
    assert_int_equal(xa_agreement(&none, &mb, out, NULL), XA_OK);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
}

/* A map's share of its class's mean: over its largest size, on the coarser grid. */
static void test_mean_cells(void **state)
{
    (void)state;
    const float values[2 * 4] = {1, 3, -8, 0, 1, 3, -8, 4};
    float work[2 * 4 + 2 * 4];
    int64_t cells[4], h = 2, w = 4, many_h = 32, many_w = 512;
    xa_score_map m = {.values = values, .channels = 1, .height = 2, .width = 4};
    xa_mean_size(10, &h, &w);
    assert_true(h == 2 && w == 4);
    xa_mean_size(21841, &many_h, &many_w);
    assert_true(many_h == many_w && many_w * many_w * 21841 <= XA_MEAN_CELLS && many_w > 20);
    assert_true(xa_mean_cells(&m, 1, 2, work, cells));
    assert_true(cells[0] == (int64_t)(0.25 * XA_MEAN_ONE));
    assert_true(cells[1] == (int64_t)(-0.375 * XA_MEAN_ONE));
    m.degenerate = true;
    assert_false(xa_mean_cells(&m, 1, 2, work, cells));
    m.degenerate = false;
    m.nonfinite = true;
    assert_false(xa_mean_cells(&m, 1, 2, work, cells));
    const float zeros[8] = {0};
    m.nonfinite = false;
    m.values = zeros;
    assert_false(xa_mean_cells(&m, 1, 2, work, cells));
}

static void test_class_rank(void **state)
{
    (void)state;
    const float p[4] = {0.1f, 0.4f, 0.4f, 0.1f};
    assert_true(xa_class_rank(p, 4, 1) == 0 && xa_class_rank(p, 4, 2) == 1);
    assert_true(xa_class_rank(p, 4, 0) == 2 && xa_class_rank(p, 4, 3) == 3);
    assert_true(xa_class_rank(p, 4, -1) == -1 && xa_class_rank(p, 4, 4) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_alone),
        cmocka_unit_test(test_agreement),
        cmocka_unit_test(test_mean_cells),
        cmocka_unit_test(test_class_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
