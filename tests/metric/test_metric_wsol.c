/* Profile wsol compared with wsolevaluation's own evaluators: every hit, every pixel's bin. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "golden/metric/golden_wsol.inc"
#include "xaudit/metric.h"
#include "xaudit/stats.h"
#include "xaudit_cmocka.h"

enum { SIDE_MOST = 16, BOXES_MOST = 3 };

typedef struct wsol_case {
    int64_t side, width, height, h, w;
    float map[SIDE_MOST * SIDE_MOST];
    int nboxes;
    int64_t box[BOXES_MOST][4];
    bool ignores;
    int64_t ignore[4];
} wsol_case;

static uint32_t state_of_random;

static int64_t below(int64_t n)
{
    state_of_random = state_of_random * 1664525u + 1013904223u;
    return (int64_t)(state_of_random >> 8) % n;
}

static int64_t between(int64_t low, int64_t high)
{
    return low + below(high - low + 1);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

typedef struct blob {
    int64_t x, y, slope, top;
} blob;

static int64_t height_at(const blob *b, int64_t x, int64_t y)
{
    const int64_t v = b->top - ((x - b->x) * (x - b->x) + (y - b->y) * (y - b->y)) * 64 * b->slope;
    return v > 0 ? v : 0;
}

static void make_map(wsol_case *c, blob *brightest)
{
    const int64_t kind = below(8);
    blob b[3];
    for (int k = 0; k < 3; k++) {
        b[k].x = between(0, c->w - 1);
        b[k].y = between(0, c->h - 1);
        b[k].slope = between(1, 6);
        b[k].top = between(200, 4000);
    }
    *brightest = b[0];
    for (int k = 1; k < 3; k++)
        if (b[k].top > brightest->top)
            *brightest = b[k];
    for (int64_t i = 0; i < c->h * c->w; i++) {
        int64_t v = 0;
        for (int k = 0; k < 3; k++)
            v += height_at(&b[k], i % c->w, i / c->w);
        v += kind != 1 ? below(64) : 0;
        v = kind == 2 ? v - 1500 : kind == 3 ? 0 : kind == 4 ? 777 : kind == 5 ? v / 500 * 500 : v;
        c->map[i] = (float)v / 1024.0f;
    }
}

static void add_box(wsol_case *c, int64_t x0, int64_t y0, int64_t x1, int64_t y1)
{
    const int64_t box[4] = {x0, y0, x1, y1};
    memcpy(c->box[c->nboxes++], box, sizeof box);
}

static void make_boxes(wsol_case *c, const blob *b)
{
    if (below(5) > 0) {
        int64_t reach = 0;
        while ((reach + 1) * (reach + 1) * 128 * b->slope <= b->top)
            reach++;
        const int64_t dx = below(c->width / 16 + 1), dy = below(c->height / 16 + 1);
        const int64_t x0 = floor_div((b->x - reach) * c->width, c->w) - dx;
        const int64_t y0 = floor_div((b->y - reach) * c->height, c->h) + dy;
        const int64_t y1 = least(c->height, (b->y + reach + 1) * c->height / c->h);
        if (y1 > (y0 > 0 ? y0 : 0))
            add_box(c,
                    x0 > 0 ? x0 : 0,
                    y0 > 0 ? y0 : 0,
                    least(c->width, (b->x + reach + 1) * c->width / c->w),
                    y1);
    }
    for (int64_t k = between(1 - c->nboxes, 2); k > 0; k--) {
        int64_t x0 = below(c->width - 1), y0 = below(c->height - 1);
        int64_t w = between(1, c->width - x0), h = between(1, c->height - y0);
        const int64_t tiny = below(6);
        if (tiny == 0)
            w = h = 1;
        if (tiny == 1) {
            x0 = y0 = 0;
            w = h = least(least(c->width, c->height), 4);
        }
        add_box(c, x0, y0, x0 + w, y0 + h);
    }
}

/* The same draws in the same order as class Case of make_wsol.py. */
static void make_case(int number, wsol_case *c)
{
    static const int64_t sides[4] = {224, 64, 96, 57};
    static const int64_t common[8][2] = {{640, 480},
                                         {500, 375},
                                         {375, 500},
                                         {333, 500},
                                         {1024, 768},
                                         {448, 448},
                                         {224, 224},
                                         {672, 672}};
    blob brightest;
    *c = (wsol_case){.side = sides[number % 4]};
    state_of_random = (uint32_t)(number + 1) * 2654435761u;
    const int64_t size = below(8);
    c->width = common[size][0];
    c->height = common[size][1];
    if (below(3) == 0) {
        c->width = between(20, 1500);
        c->height = between(20, 1500);
    }
    c->h = between(1, 16);
    c->w = between(1, 16);
    if (below(4) == 0)
        c->h = c->w = 7;
    make_map(c, &brightest);
    make_boxes(c, &brightest);
    const int64_t x0 = below(c->width - 1), y0 = below(c->height - 1);
    c->ignores = below(3) > 0;
    if (c->ignores) {
        const int64_t x1 = between(x0 + 1, c->width), y1 = between(y0 + 1, c->height);
        const int64_t ignore[4] = {x0, y0, x1, y1};
        memcpy(c->ignore, ignore, sizeof ignore);
    }
}

static xa_score_map map_of(const wsol_case *c)
{
    return (xa_score_map){.values = c->map,
                          .channels = 1,
                          .height = c->h,
                          .width = c->w,
                          .input_height = c->side,
                          .input_width = c->side,
                          .affine = {{(double)c->width / (double)c->side, 0, -0.0},
                                     {0, (double)c->height / (double)c->side, -0.0}},
                          .rank = 0};
}

/* Bits of what changes at the given levels. */
static const uint8_t *unpack(const uint8_t *change, uint8_t hits[XA_HIT_BYTES])
{
    bool hit = false;
    memset(hits, 0, XA_HIT_BYTES);
    for (int g = 0, k = 0; g < XA_GREY_LEVELS; g++) {
        if (k < change[0] && change[1 + k] == g) {
            hit = !hit;
            k++;
        }
        hits[g / 8] |= (uint8_t)(hit << g % 8);
    }
    return change + 1 + change[0];
}

static void test_hits(void **state)
{
    (void)state;
    const uint8_t *change = wsol_changes;
    int differ = 0, ones = 0, bits = 0;
    for (int i = 0; i < WSOL_CASES; i++) {
        wsol_case c;
        double boxes[BOXES_MOST][4];
        make_case(i, &c);
        for (int k = 0; k < c.nboxes * 4; k++)
            boxes[k / 4][k % 4] = (double)c.box[k / 4][k % 4];
        const xa_region r = {
            .width = c.width, .height = c.height, .nboxes = c.nboxes, .boxes = boxes};
        const xa_score_map m = map_of(&c);
        for (int all = 1; all >= 0; all--) {
            xa_metric_spec spec = xa_metric_defaults(XA_METRIC_BOX_ACC);
            xa_scorer *s = NULL;
            uint8_t got[3 * XA_HIT_BYTES], want[XA_HIT_BYTES];
            void *statistic = got;
            double value;
            assert_int_equal(xa_metric_profile(&spec, "wsol", NULL), XA_OK);
            spec.all_contours = all;
            assert_int_equal(xa_scorer_create(&spec, 1, &s, NULL), XA_OK);
            assert_int_equal(xa_scorer_score(s, &r, &m, &value, &statistic, NULL), XA_OK);
            xa_scorer_free(s);
            int any = 0;
            for (int d = 0; d < 3; d++) {
                change = unpack(change, want);
                bool hit = false;
                for (int g = 0; g < XA_GREY_LEVELS; g++) {
                    const bool a = got[d * XA_HIT_BYTES + g / 8] >> g % 8 & 1;
                    const bool b = want[g / 8] >> g % 8 & 1;
                    if (a != b)
                        print_message("case %d, contours %d, level %d, grey %d: %d, expected %d\n",
                                      i,
                                      all,
                                      d,
                                      g,
                                      a,
                                      b);
                    differ += a != b;
                    ones += b;
                    bits++;
                    hit = hit || b;
                }
                any += hit;
            }
            if (value != any / 3.0)
                print_message("case %d, contours %d: %g, expected %g\n", i, all, value, any / 3.0);
            differ += value != any / 3.0;
        }
    }
    assert_int_equal(change - wsol_changes, sizeof wsol_changes);
    assert_true(ones > bits / 20);
    assert_int_equal(differ, 0);
}

static void paint(uint8_t *mask, int64_t width, const int64_t box[4], uint8_t as)
{
    for (int64_t y = box[1]; y < box[3]; y++)
        for (int64_t x = box[0]; x < box[2]; x++)
            if (mask[y * width + x] != 1)
                mask[y * width + x] = as;
}

/* Every pixel's bin, the ignored ones left out: counts of each case, and what all give together. */
static void test_pixels(void **state)
{
    (void)state;
    uint32_t *all = xa_alloc((size_t)WSOL_CASES * 2 * XA_PXAP_BINS, sizeof *all);
    bool *defined = xa_alloc(WSOL_CASES, sizeof *defined);
    int ndefined = 0;
    xa_metric_spec spec = xa_metric_defaults(XA_METRIC_PXAP);
    xa_scorer *s = NULL;
    assert_non_null(all);
    assert_non_null(defined);
    assert_int_equal(xa_metric_profile(&spec, "wsol", NULL), XA_OK);
    assert_int_equal(xa_metric_statistic_bytes(&spec), 2 * XA_PXAP_BINS * sizeof *all);
    assert_int_equal(xa_scorer_create(&spec, 1, &s, NULL), XA_OK);
    for (int i = 0; i < WSOL_CASES; i++) {
        wsol_case c;
        const wsol_mask *want = &wsol_masks[i];
        uint32_t *counts = all + (size_t)i * 2 * XA_PXAP_BINS;
        void *statistic = counts;
        double value;
        int64_t n[2] = {0}, bins[2] = {0};
        make_case(i, &c);
        xa_region r = {.width = c.width, .height = c.height, .has_mask = true};
        r.mask = xa_alloc((size_t)(c.width * c.height), 1);
        assert_non_null(r.mask);
        paint(r.mask, c.width, c.box[0], 1);
        if (c.ignores)
            paint(r.mask, c.width, c.ignore, 2);
        const xa_score_map m = map_of(&c);
        assert_int_equal(xa_scorer_score(s, &r, &m, &value, &statistic, NULL), XA_OK);
        free(r.mask);
        for (int b = 0; b < 2 * XA_PXAP_BINS; b++) {
            n[b / XA_PXAP_BINS] += counts[b];
            bins[b / XA_PXAP_BINS] += (int64_t)counts[b] * (b % XA_PXAP_BINS);
        }
        defined[i] = want->region > 0;
        ndefined += defined[i];
        assert_true(isnan(value) == (want->region == 0));
        if (!defined[i])
            continue; /* the mask is too small for the input's pixels: no counts are kept */
        if (n[0] != want->background || n[1] != want->region || bins[0] != want->background_bins ||
            bins[1] != want->region_bins || fabs(value - want->pxap) > 1e-12)
            fail_msg("case %d: %g, expected %g", i, value, want->pxap);
    }
    assert_true(ndefined > WSOL_CASES / 2);
    const xa_stats_plan plan = {.seed = 1, .replicates = 1, .level = 0.95};
    xa_interval f;
    assert_int_equal(xa_stats_pxap(&plan, WSOL_CASES, all, defined, NULL, &f, NULL), XA_OK);
    assert_int_equal(f.n, ndefined);
    assert_true(fabs(f.value - wsol_pxap_of_all) < 1e-12);
    xa_scorer_free(s);
    free(all);
    free(defined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits),
        cmocka_unit_test(test_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
