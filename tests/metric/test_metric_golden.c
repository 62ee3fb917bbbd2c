/* Localisation metrics compared with their references, and box accuracy level by level. */
#include <math.h>
#include <string.h>

#include "golden/metric/golden_metric.inc"
#include "golden/metric/golden_pointing.inc"
#include "xaudit/metric.h"
#include "xaudit_cmocka.h"

enum { CASES = sizeof golden / sizeof *golden };

static xa_region region_of(const golden_metric *g, int64_t w, int64_t h)
{
    static double boxes[2][4];
    memcpy(boxes, g->box, sizeof boxes);
    return (xa_region){.width = w, .height = h, .nboxes = g->nboxes, .boxes = boxes};
}

static xa_score_map map_of(const float *values, int64_t w, int64_t h)
{
    return (xa_score_map){.values = values,
                          .channels = 1,
                          .height = h,
                          .width = w,
                          .input_height = h,
                          .input_width = w,
                          .affine = {{1, 0, 0}, {0, 1, 0}},
                          .rank = 0};
}

static double
score_one(const xa_metric_spec *spec, const xa_region *r, const xa_score_map *m, void *statistic)
{
    xa_scorer *s = NULL;
    double value;
    assert_int_equal(xa_scorer_create(spec, 1, &s, NULL), XA_OK);
    assert_int_equal(xa_scorer_score(s, r, m, &value, &statistic, NULL), XA_OK);
    xa_scorer_free(s);
    return value;
}

static bool bit(const uint8_t *hits, int level, int g)
{
    return hits[level * XA_HIT_BYTES + g / 8] >> (g % 8) & 1;
}

static void test_boxes_as_wsolevaluation(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++)
        for (int i = 0; i < CASES; i++) {
            const golden_metric *g = &golden[i];
            const double *want = all ? g->box_v2 : g->box_v1;
            const xa_region r = region_of(g, GOLDEN_W, GOLDEN_H);
            const xa_score_map m = map_of(g->map, GOLDEN_W, GOLDEN_H);
            uint8_t hits[XA_METRIC_LEVELS * XA_HIT_BYTES];
            xa_metric_spec spec = xa_metric_defaults(XA_METRIC_BOX_ACC);
            assert_int_equal(xa_metric_profile(&spec, "wsol", NULL), XA_OK);
            spec.all_contours = all;
            spec.nlevels = XA_METRIC_LEVELS;
            for (int d = 0; d < XA_METRIC_LEVELS; d++)
                spec.level[d] = 0.05 + 0.1 * d;
            (void)score_one(&spec, &r, &m, hits);
            for (int d = 0; d < XA_METRIC_LEVELS; d++)
                for (int t = 0; t < GOLDEN_LEVELS; t++)
                    if (bit(hits, d, t) != (want[t] >= spec.level[d]))
                        fail_msg(
                            "%s, %s contours, grey level %d: overlap %.4f, level %.2f: found %s",
                            g->name,
                            all ? "all" : "largest",
                            t,
                            want[t],
                            spec.level[d],
                            bit(hits, d, t) ? "a hit" : "a miss");
        }
}

static void test_pixels_and_ranks(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const golden_metric *g = &golden[i];
        const xa_region r = region_of(g, GOLDEN_W, GOLDEN_H);
        const xa_score_map m = map_of(g->map, GOLDEN_W, GOLDEN_H);
        xa_metric_spec s = xa_metric_defaults(XA_METRIC_PXAP);
        assert_int_equal(xa_metric_profile(&s, "wsol", NULL), XA_OK);
        uint32_t counts[2 * XA_PXAP_BINS];
        assert_true(fabs(score_one(&s, &r, &m, counts) - g->pxap) < 1e-9);
        int64_t n = 0;
        for (int b = 0; b < 2 * XA_PXAP_BINS; b++)
            n += counts[b];
        assert_int_equal(n, GOLDEN_W * GOLDEN_H);
        s = xa_metric_defaults(XA_METRIC_ROC_AUC);
        assert_true(fabs(score_one(&s, &r, &m, NULL) - g->auc) < 1e-9);
        s = xa_metric_defaults(XA_METRIC_RELEVANCE_MASS);
        assert_true(fabs(score_one(&s, &r, &m, NULL) - g->mass) < 1e-9);
        s = xa_metric_defaults(XA_METRIC_RELEVANCE_RANK);
        assert_true(isnan(g->rank) || fabs(score_one(&s, &r, &m, NULL) - g->rank) < 1e-9);
        s = xa_metric_defaults(XA_METRIC_TOP_K);
        s.k = 50;
        assert_true(isnan(g->top) || fabs(score_one(&s, &r, &m, NULL) - g->top) < 1e-9);
        s = xa_metric_defaults(XA_METRIC_IOU);
        s.minmax = true;
        if (fabs(score_one(&s, &r, &m, NULL) - g->otsu) > 1e-9)
            fail_msg("%s: otsu %.6f, OpenCV %.6f", g->name, score_one(&s, &r, &m, NULL), g->otsu);
    }
}

/* ---- each level labelled by itself ---- */

static void flood(const uint8_t *in, uint8_t *seen, int w, int h, int at, int box[4])
{
    static int stack[4096];
    int n = 0;
    stack[n++] = at;
    seen[at] = 1;
    while (n) {
        const int i = stack[--n], x = i % w, y = i / w;
        box[0] = x < box[0] ? x : box[0];
        box[1] = y < box[1] ? y : box[1];
        box[2] = x > box[2] ? x : box[2];
        box[3] = y > box[3] ? y : box[3];
        for (int v = -1; v <= 1; v++)
            for (int u = -1; u <= 1; u++) {
                const int k = i + v * w + u;
                if (x + u < 0 || x + u >= w || y + v < 0 || y + v >= h || !in[k] || seen[k])
                    continue;
                seen[k] = 1;
                stack[n++] = k;
            }
    }
}

static double exact_overlap(const int p[4], const double t[4])
{
    const double w = fmin(p[2] + 1, t[2]) - fmax(p[0], t[0]),
                 h = fmin(p[3] + 1, t[3]) - fmax(p[1], t[1]);
    const double both = w > 0 && h > 0 ? w * h : 0;
    return both / ((p[2] + 1 - p[0]) * (p[3] + 1 - p[1]) + (t[2] - t[0]) * (t[3] - t[1]) - both);
}

/* The sweep over sorted pixels gives what labelling every grey level gives, on random maps of many
 * sizes, with exact boxes. */
static void test_levels_one_by_one(void **state)
{
    (void)state;
    static float map[64 * 64];
    static uint8_t in[64 * 64], seen[64 * 64];
    for (uint64_t round = 0; round < 60; round++) {
        const int w = 1 + (int)xa_random_below(3, round, 0, 40),
                  h = 1 + (int)xa_random_below(3, round, 1, 40);
        const int smooth = (int)xa_random_below(3, round, 2, 3);
        golden_metric g = {.nboxes = 1, .box = {{0.3 * w, 0.2 * h, 0.9 * w, 0.7 * h}}};
        for (int i = 0; i < w * h; i++)
            map[i] = (float)xa_random_unit(4, round, (uint64_t)i);
        for (int k = 0; k < smooth; k++)
            for (int i = 1; i < w * h; i++)
                map[i] = 0.5f * (map[i] + map[i - (i >= w ? w : 1)]);
        float low = map[0], high = map[0];
        for (int i = 0; i < w * h; i++) {
            low = fminf(low, map[i]);
            high = fmaxf(high, map[i]);
        }
        uint8_t hits[3 * XA_HIT_BYTES];
        const xa_metric_spec spec = xa_metric_defaults(XA_METRIC_BOX_ACC);
        const xa_region r = region_of(&g, w, h);
        const xa_score_map m = map_of(map, w, h);
        const double value = score_one(&spec, &r, &m, hits);
        if (w * h == 1)
            continue;
        assert_false(isnan(value));
        for (int t = 0; t < 255; t++) {
            double best = 0.0;
            for (int i = 0; i < w * h; i++) {
                in[i] = (uint8_t)(((double)map[i] - low) / ((double)high - low) * 255.0) > t;
                seen[i] = 0;
            }
            for (int i = 0; i < w * h; i++) {
                int box[4] = {w, h, -1, -1};
                if (!in[i] || seen[i])
                    continue;
                flood(in, seen, w, h, i, box);
                best = fmax(best, exact_overlap(box, g.box[0]));
            }
            for (int d = 0; d < 3; d++)
                if (bit(hits, d, t) != (best >= spec.level[d]) &&
                    fabs(best - spec.level[d]) > 1e-12)
                    fail_msg("%dx%d, grey level %d: overlap %.6f", w, h, t, best);
        }
    }
}

/* Every point compared with TorchRay's answer; its pixel (u,v) is the point at the pixel's centre.
 */
static void test_pointing_as_torchray(void **state)
{
    enum { W = 40, H = 30 };
    (void)state;
    double boxes[2][2][4] = {{{5, 6, 17, 15}}, {{0, 0, 3, 4}, {30, 20, 40, 30}}};
    uint8_t disc[H * W];
    int hits = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            disc[y * W + x] = hypot(x - 22.0, y - 12.0) < 6.0;
    const xa_region regions[3] = {{.width = W, .height = H, .nboxes = 1, .boxes = boxes[0]},
                                  {.width = W, .height = H, .nboxes = 2, .boxes = boxes[1]},
                                  {.width = W, .height = H, .mask = disc, .has_mask = true}};
    xa_metric_spec spec = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    assert_int_equal(xa_metric_profile(&spec, "torchray", NULL), XA_OK);
    assert_true(spec.tolerance == 15.0 && !spec.tolerance_is_share);
    for (size_t i = 0; i < sizeof golden_points / sizeof *golden_points; i++) {
        const golden_pointing *g = &golden_points[i];
        spec.tolerance = g->tolerance;
        const double got =
            xa_pointing_game(&spec, &regions[g->shape], true, g->x + 0.5, g->y + 0.5);
        if (got != g->hit)
            fail_msg("point %zu: got %g, TorchRay %d", i, got, g->hit);
        hits += g->hit;
    }
    assert_true(hits > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes_as_wsolevaluation),
        cmocka_unit_test(test_pointing_as_torchray),
        cmocka_unit_test(test_pixels_and_ranks),
        cmocka_unit_test(test_levels_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
