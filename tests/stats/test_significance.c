/* Sign flips, exchanges between parts, intervals of few groups, Holm's decisions: golden values by
 * SciPy, closed forms, properties. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/stats/golden_significance.h"
#include "stats_internal.h"
#include "xaudit_cmocka.h"

#define COUNT(a) ((int64_t)(sizeof(a) / sizeof *(a)))
enum { N = 40, MANY = 100000 };
static const xa_stats_plan plan = {.seed = 7, .replicates = 1000, .level = 0.95};

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static xa_test flip(int64_t n, const double *a, const double *b, const int64_t *group, int64_t upto)
{
    xa_test t = {0};
    assert_int_equal(xa_stats_flip(&plan, n, a, b, group, NULL, upto, &t, NULL), XA_OK);
    return t;
}

static void test_student(void **state)
{
    (void)state;
    for (int64_t i = 0; i < COUNT(golden_student); i += 4) {
        const double *g = golden_student + i;
        near(xa__student_two_sided(1.0 - g[0], (int64_t)g[1] - 1) / g[2], 1.0, 1e-9);
        near(xa__expanded_tail(g[0], (int64_t)g[1]), g[3], 1e-6 * g[3]);
    }
}

/* Chernoff's bounds: none reached of m leaves 1 - error^(1/m); they hold the share seen. */
static void test_bounds(void **state)
{
    (void)state;
    double low, high;
    xa__binomial_bounds(0, 999, 0.001, &low, &high);
    assert_true(low == 0.0);
    near(high, 1.0 - pow(0.001, 1.0 / 999.0), 1e-12);
    xa__binomial_bounds(999, 999, 0.001, &low, &high);
    near(low, pow(0.001, 1.0 / 999.0), 1e-12);
    assert_true(high == 1.0);
    xa__binomial_bounds(50, 1000, 0.001, &low, &high);
    assert_true(low > 0.02 && low < 0.05 && high > 0.05 && high < 0.09);
}

static void test_flip_golden(void **state)
{
    (void)state;
    xa_test t = flip(N, golden_flip_a, golden_flip_b, golden_flip_group, 999);
    assert_true(t.exact && t.groups == 11 && t.replicates == 0);
    near(t.p, golden_flip_p, 1e-12);
    near(t.least, 0x1p-10, 0.0);
    t = (xa_test){0};
    assert_int_equal(xa_stats_flip(&plan,
                                   N,
                                   golden_flip_a,
                                   golden_flip_b,
                                   golden_flip_group,
                                   golden_flip_class,
                                   999,
                                   &t,
                                   NULL),
                     XA_OK);
    near(t.p, golden_flip_macro_p, 1e-12);
    t = flip(N, golden_flip_a, golden_flip_b, NULL, MANY);
    assert_true(!t.exact && t.groups == 39 && t.replicates == MANY);
    near(t.p, golden_flip_random_p, 6 * sqrt(golden_flip_random_p / MANY));
    assert_true(t.p == (double)(t.reached + 1) / (double)(t.replicates + 1));
    t = flip(N, golden_rate_a, golden_rate_b, golden_flip_group, 999);
    assert_true(t.exact);
    near(t.p, golden_rate_p, 1e-12);
}

static void test_sign_test(void **state)
{
    (void)state;
    enum { M = 108 };
    double win[M], none[M] = {0}, some[M] = {0};
    for (int i = 0; i < M; i++) {
        win[i] = 1.0;
        some[i] = i < 61 ? 1.0 : i < 100 ? -1.0 : 0.0;
    }
    xa_test t = flip(M, win, none, NULL, 999);
    assert_true(t.exact);
    near(t.p / golden_sign_108_0, 1.0, 1e-9);
    t = flip(M, some, none, NULL, 999); /* ties change nothing */
    assert_int_equal(t.groups, 100);
    near(t.p, golden_sign_61_39, 1e-12);
    enum { FAR = 5000 };
    static double always[FAR], never[FAR];
    for (int i = 0; i < FAR; i++)
        always[i] = 1.0;
    t = flip(FAR, always, never, NULL, 999); /* 2^-4999 is no double: never 0 */
    assert_true(t.exact && t.p > 0.0 && t.p <= 0x1p-1000);
    for (int i = 0; i < M; i++) /* a share of all random ways, not whole numbers */
        win[i] = 0.1 + i * 0.001;
    t = flip(M, win, none, NULL, 999);
    assert_true(!t.exact && t.reached == 0 && t.p <= 1.0 / 99999.0);
}

static void test_flip_edges(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, NAN}, y[] = {1, 2, NAN, 3};
    xa_test t = flip(4, x, y, NULL, 999); /* all ties */
    assert_true(t.exact && t.p == 1.0 && t.groups == 0 && t.least == 1.0);
    t = flip(2, x + 2, y + 2, NULL, 999); /* nothing is defined on both sides */
    assert_true(t.exact && isnan(t.p));
    t = flip(0, x, y, NULL, 999);
    assert_true(t.exact && isnan(t.p));
    const int64_t one[] = {5, 5, 5, 5};
    const double z[] = {0.5, 0.5, 0.5, 0.5};
    t = flip(3, x, z, one, 999); /* one group cannot tell */
    assert_true(t.exact && t.p == 1.0 && t.groups == 1);
    double far[30], zero[30] = {0};
    for (int i = 0; i < 30; i++)
        far[i] = i % 2 ? 1.7e308 : 1.6e308; /* their sum is beyond a double */
    t = flip(30, far, zero, NULL, 999);
    assert_true(t.reached == 0 && t.p < 0.001 && t.groups == 30);
    /* differences that cancel but for rounding are no difference */
    const double tenth[] = {0.1, 0.2, 0.0}, sum[] = {0.0, 0.0, 0.3};
    t = flip(3, tenth, sum, one, 999);
    assert_true(t.p == 1.0 && t.groups == 0);
}

/* Nothing but the values counts: neither the order of units, nor of groups, nor how many steps. */
static void test_flip_order(void **state)
{
    (void)state;
    enum { M = 301 };
    double a[M], b[M], ra[M], rb[M];
    int64_t g[M], rg[M];
    for (int i = 0; i < M; i++) {
        a[i] = xa_random_unit(1, 2, (uint64_t)i);
        b[i] = xa_random_unit(1, 3, (uint64_t)i) * 0.98;
        g[i] = xa_random_below(1, 4, (uint64_t)i, 60);
    }
    for (int i = 0; i < M; i++) {
        const int j = i * 100 % M;
        ra[i] = a[j];
        rb[i] = b[j];
        rg[i] = 1000 - g[j]; /* other names, the same groups */
    }
    xa_test t = flip(M, a, b, g, MANY), r = flip(M, ra, rb, rg, MANY), s = {0};
    assert_true(t.p == r.p && t.reached == r.reached && !t.exact);
    for (int upto = MANY; upto <= 3 * MANY; upto += MANY)
        assert_int_equal(xa_stats_flip(&plan, M, a, b, g, NULL, upto, &s, NULL), XA_OK);
    t = flip(M, a, b, g, 3 * MANY);
    assert_true(s.reached == t.reached && s.replicates == t.replicates);
    t = flip(M, b, a, g, MANY); /* two-sided */
    assert_true(t.p == r.p);
}

static xa_status boxes(const uint8_t *a, const uint8_t *b, int64_t n, const int *at, xa_test *t)
{
    const xa_hits ha = {.n = n, .levels = 2, .bits = a}, hb = {.n = n, .levels = 2, .bits = b};
    return xa_stats_flip_boxes(&plan, &ha, &hb, at, at, NULL, 999, t, NULL);
}

static void test_flip_curves(void **state)
{
    (void)state;
    enum { UNITS = 7, PIXELS = 60 };
    static uint32_t a[UNITS * 2 * XA_STATS_BINS], b[UNITS * 2 * XA_STATS_BINS];
    xa_test t = {0};
    assert_int_equal(boxes(golden_boxes_a, golden_boxes_b, 9, NULL, &t), XA_OK);
    assert_true(t.exact && t.groups == (int64_t)golden_boxes_groups);
    near(t.p, golden_boxes_p, 1e-12);
    for (int64_t i = 0; i < (int64_t)UNITS * PIXELS; i++) {
        const int64_t row = i / PIXELS * 2 * XA_STATS_BINS + golden_pixels_truth[i] * XA_STATS_BINS;
        a[row + golden_pixels_a[i]]++;
        b[row + golden_pixels_b[i]]++;
    }
    t = (xa_test){0};
    assert_int_equal(xa_stats_flip_pxap(&plan, UNITS, a, b, NULL, NULL, NULL, 999, &t, NULL),
                     XA_OK);
    near(t.p, golden_pixels_p, 1e-12);
    /* grey levels given: the exact test of the hits there */
    const int at[] = {10, 200};
    double x[9], y[9];
    for (int i = 0; i < 9; i++) {
        x[i] = y[i] = 0.0;
        for (int d = 0; d < 2; d++) {
            const int byte = (i * 2 + d) * XA_STATS_HIT_BYTES + at[d] / 8;
            x[i] += golden_boxes_a[byte] >> at[d] % 8 & 1;
            y[i] += golden_boxes_b[byte] >> at[d] % 8 & 1;
        }
    }
    t = (xa_test){0};
    assert_int_equal(boxes(golden_boxes_a, golden_boxes_b, 9, at, &t), XA_OK);
    near(t.p, flip(9, x, y, NULL, 999).p, 1e-15);
    t = (xa_test){0};
    assert_int_equal(boxes(golden_boxes_a, golden_boxes_a, 9, NULL, &t), XA_OK);
    assert_true(t.p == 1.0 && t.groups == 0);
    assert_int_equal(boxes(NULL, NULL, 0, NULL, (t = (xa_test){0}, &t)), XA_OK);
    assert_true(isnan(t.p));
}

/* Best thresholds are those over the units that both sides define, and each side may have its own
 * given: 20 units right only at grey level 40 in a, only at 200 in b, so that the accuracies are
 * equal and no unit differs. */
static void test_flip_boxes_thresholds(void **state)
{
    (void)state;
    enum { M = 20 };
    static uint8_t a[M * XA_STATS_HIT_BYTES], b[M * XA_STATS_HIT_BYTES];
    bool in_a[M], in_b[M];
    for (int i = 0; i < M; i++) {
        in_a[i] = i != 3;
        in_b[i] = i != 4;
        a[i * XA_STATS_HIT_BYTES + 40 / 8] |= 1 << 40 % 8;
        b[i * XA_STATS_HIT_BYTES + 200 / 8] |= (uint8_t)(1 << 200 % 8);
    }
    const xa_hits ha = {.n = M, .levels = 1, .bits = a, .defined = in_a},
                  hb = {.n = M, .levels = 1, .bits = b, .defined = in_b};
    xa_test t = {0};
    assert_int_equal(xa_stats_flip_boxes(&plan, &ha, &hb, NULL, NULL, NULL, 999, &t, NULL), XA_OK);
    assert_true(t.exact && t.p == 1.0 && t.groups == 0);
    const int at = 200; /* there, a has no hit: all 18 units that both define differ one way */
    t = (xa_test){0};
    assert_int_equal(xa_stats_flip_boxes(&plan, &ha, &hb, &at, NULL, NULL, 999, &t, NULL), XA_OK);
    assert_true(t.exact && t.groups == 18);
    near(t.p, ldexp(1.0, -17), 1e-18);
    const xa_hits fewer = {.n = M - 1, .levels = 1, .bits = b};
    assert_int_equal(xa_stats_flip_boxes(&plan, &ha, &fewer, NULL, NULL, NULL, 999, &t, NULL),
                     XA_INVALID);
}

/* Random ways agree with all ways: 17 groups are counted, 18 are drawn. */
static void test_flip_pxap_random(void **state)
{
    (void)state;
    enum { M = 18, WIDTH = 2 * XA_STATS_BINS };
    static uint32_t a[M * WIDTH], b[M * WIDTH];
    for (int i = 0; i < M - 1; i++)
        for (int k = 0; k < 40; k++) { /* pixels of each side and kind */
            const uint64_t at = (uint64_t)(i * 40 + k);
            a[i * WIDTH + xa_random_below(3, 1, at, 800)]++;
            b[i * WIDTH + xa_random_below(3, 2, at, 800)]++;
            a[i * WIDTH + XA_STATS_BINS + xa_random_below(3, 3, at, 1000)]++;
            b[i * WIDTH + XA_STATS_BINS + xa_random_below(3, 4, at, i % 3 ? 1000 : 600)]++;
        }
    xa_test all = {0}, some = {0};
    assert_int_equal(xa_stats_flip_pxap(&plan, M - 1, a, b, NULL, NULL, NULL, 999, &all, NULL),
                     XA_OK);
    assert_true(all.exact && all.p > 0.005 && all.p < 0.995);
    /* one more that differs in one pixel below all others of the region: as good as alike */
    a[(M - 1) * WIDTH] = 1;
    assert_int_equal(xa_stats_flip_pxap(&plan, M, a, b, NULL, NULL, NULL, 20000, &some, NULL),
                     XA_OK);
    assert_true(!some.exact && some.replicates == 20000);
    near(some.p, all.p, 6 * sqrt(all.p / 20000) + 0.002);
}

static xa_between between(const double *x, const int64_t *group, const int64_t *part, int64_t upto)
{
    xa_between f = {.test = {0}};
    signed char side[N];
    for (int i = 0; i < N; i++)
        side[i] = (signed char)part[i];
    assert_int_equal(xa_stats_between(&plan, N, x, group, side, upto, &f, NULL), XA_OK);
    return f;
}

static void test_between(void **state)
{
    (void)state;
    xa_between f = between(golden_flip_b, golden_flip_group, golden_part, 999);
    assert_true(f.test.exact && f.clusters[0] == 6 && f.clusters[1] == 5);
    near(f.test.p, golden_between_p, 1e-9);
    assert_true(f.difference.low < f.difference.value && f.difference.value < f.difference.high);
    f = between(golden_flip_b, NULL, golden_alone, MANY);
    assert_true(!f.test.exact && f.test.replicates == MANY);
    near(f.test.p, golden_between_random_p, 6 * sqrt(0.25 / MANY));
    f = between(golden_rate_a, NULL, golden_alone, 999);
    near(f.difference.low, golden_newcombe[0], 1e-12);
    near(f.difference.high, golden_newcombe[1], 1e-12);
    /* groups on both sides: p is small where parts differ, large where they do not */
    double x[N];
    for (int i = 0; i < N; i++)
        x[i] = golden_flip_b[i] + (golden_alone[i] ? 0.5 : 0.0);
    assert_true(between(x, golden_flip_group, golden_alone, 9999).test.p < 0.01);
    assert_true(between(golden_flip_b, golden_flip_group, golden_alone, 9999).test.p > 0.1);
    /* too few groups on one side, nothing on one side */
    int64_t few[N] = {0};
    few[0] = few[1] = few[2] = 1;
    f = between(golden_flip_b, NULL, few, 999);
    assert_true(f.difference.why == XA_NO_INTERVAL_FEW && isnan(f.difference.low) && f.test.p <= 1);
    memset(few, 0, sizeof few);
    f = between(golden_flip_b, NULL, few, 999);
    assert_true(isnan(f.test.p) && isnan(f.difference.value) && f.n[1] == 0);
}

static void test_interval_golden(void **state)
{
    (void)state;
    xa_stats_plan many = plan;
    many.replicates = 200000;
    xa_interval f;
    assert_int_equal(xa_stats_mean(&many, N, golden_flip_b, NULL, NULL, &f, NULL), XA_OK);
    near(f.low, golden_mean_interval[0], 0.002);
    near(f.high, golden_mean_interval[1], 0.002);
    assert_int_equal(xa_stats_mean(&many, N, golden_flip_b, golden_flip_group, NULL, &f, NULL),
                     XA_OK);
    near(f.low, golden_group_interval[0], 0.002);
    near(f.high, golden_group_interval[1], 0.002);
}

/* p units of `of` are hits in each of g groups. */
static xa_interval rate(int g, int of, int hits)
{
    double x[400];
    int64_t group[400];
    for (int i = 0; i < g * of; i++) {
        group[i] = i / of;
        x[i] = i < hits;
    }
    xa_interval f;
    assert_int_equal(xa_stats_mean(&plan, (int64_t)g * of, x, group, NULL, &f, NULL), XA_OK);
    return f;
}

static void test_no_interval(void **state)
{
    (void)state;
    xa_interval f = rate(4, 10, 20); /* four groups */
    assert_true(f.why == XA_NO_INTERVAL_FEW && isnan(f.low) && f.kind == XA_INTERVAL_NONE);
    assert_non_null(strstr(xa_stats_no_interval(f.why), "too few groups for an interval"));
    f = rate(5, 10, 25);
    assert_true(f.kind == XA_INTERVAL_BOOTSTRAP && f.why == XA_NO_INTERVAL_NOT);
    f = rate(10, 20, 195); /* a quarter group of misses */
    assert_true(f.why == XA_NO_INTERVAL_EXTREME && isnan(f.high) && f.value == 0.975);
    assert_non_null(strstr(xa_stats_no_interval(f.why), "nearly all are 0 or 1"));
    f = rate(10, 20, 5);
    assert_int_equal(f.why, XA_NO_INTERVAL_EXTREME);
    f = rate(10, 20, 159); /* two groups' worth, and a little less */
    assert_int_equal(f.kind, XA_INTERVAL_BOOTSTRAP);
    f = rate(10, 20, 160);
    assert_int_equal(f.kind, XA_INTERVAL_BOOTSTRAP);
    f = rate(10, 20, 161);
    assert_int_equal(f.why, XA_NO_INTERVAL_EXTREME);
    f = rate(10, 20, 200); /* all hits: Wilson's by groups */
    assert_int_equal(f.kind, XA_INTERVAL_WILSON);
    f = rate(20, 1, 19); /* images for themselves: Wilson's */
    double low, high;
    xa_stats_wilson(19, 20, 0.95, &low, &high);
    assert_true(f.kind == XA_INTERVAL_WILSON);
    near(f.low, low, 1e-15);
    near(f.high, high, 1e-15);
    const double same[] = {0.7, 0.7, 0.7, 0.7, 0.7, 0.7};
    assert_int_equal(xa_stats_mean(&plan, 6, same, NULL, NULL, &f, NULL), XA_OK);
    assert_int_equal(f.why, XA_NO_INTERVAL_CONSTANT);
    /* differences that are rounding alone */
    const double up[] = {0.3, 0.3, 0.7, 0.7, 0.9, 0.9};
    double off[6];
    for (int i = 0; i < 6; i++)
        off[i] = i % 2 ? nextafter(up[i], 1.0) : up[i];
    xa_paired rounding;
    assert_int_equal(xa_stats_paired(&plan, 6, up, off, NULL, NULL, &rounding, NULL), XA_OK);
    assert_int_equal(rounding.difference.why, XA_NO_INTERVAL_CONSTANT);
    /* so are those of float32 maps, all to one side: ties, and p is 1; twice the bound is none */
    xa_test flips = {0};
    for (int i = 0; i < 6; i++)
        off[i] = up[i] * (1.0 - 0.9e-6);
    assert_int_equal(xa_stats_paired(&plan, 6, up, off, NULL, NULL, &rounding, NULL), XA_OK);
    assert_int_equal(xa_stats_flip(&plan, 6, up, off, NULL, NULL, 999, &flips, NULL), XA_OK);
    assert_true(rounding.tie == 6 && rounding.win == 0 && rounding.difference.value == 0.0);
    assert_true(flips.p == 1.0 && flips.groups == 0);
    for (int i = 0; i < 6; i++)
        off[i] = up[i] * (1.0 - 2e-6);
    flips = (xa_test){0};
    assert_int_equal(xa_stats_paired(&plan, 6, up, off, NULL, NULL, &rounding, NULL), XA_OK);
    assert_int_equal(xa_stats_flip(&plan, 6, up, off, NULL, NULL, 999, &flips, NULL), XA_OK);
    assert_true(rounding.win == 6 && flips.groups == 6 && flips.p < 0.05);
    /* paired rates of which one differs */
    double a[30] = {1.0}, b[30] = {0.0};
    xa_paired d;
    assert_int_equal(xa_stats_paired(&plan, 30, a, b, NULL, NULL, &d, NULL), XA_OK);
    assert_int_equal(d.difference.why, XA_NO_INTERVAL_EXTREME);
    a[1] = b[2] = 1.0;
    assert_int_equal(xa_stats_paired(&plan, 30, a, b, NULL, NULL, &d, NULL), XA_OK);
    assert_int_equal(d.difference.kind, XA_INTERVAL_BOOTSTRAP);
    a[3] = NAN;
    b[4] = b[5] = NAN;
    assert_int_equal(xa_stats_paired(&plan, 30, a, b, NULL, NULL, &d, NULL), XA_OK);
    assert_true(d.only_a == 2 && d.only_b == 1 && d.difference.undefined == 3);
}

/* ---- Holm's decisions ---- */

typedef struct urns {
    double p[4]; /* the share of ways that reach */
    int64_t asked[4];
} urns;

static xa_status more(void *arg, int64_t i, int64_t upto, xa_test *t, xa_err *err)
{
    (void)err;
    urns *u = arg;
    for (; t->replicates < upto; t->replicates++)
        t->reached += xa_random_unit(9, (uint64_t)i, (uint64_t)t->replicates) < u->p[i] ? 1 : 0;
    t->p = (double)(t->reached + 1) / (double)(t->replicates + 1);
    u->asked[i]++;
    return XA_OK;
}

static void test_decide(void **state)
{
    (void)state;
    /* two at once, one not, one between 0.05 / 4 and 0.05, which waits for others and longer */
    urns u = {.p = {1e-7, 0.5, 0.0001, 0.02}};
    xa_test t[4] = {{0}};
    double adjusted[4];
    xa_decision d[4];
    assert_int_equal(xa_stats_decide(4, 0.05, 1000000, more, &u, t, adjusted, d, NULL), XA_OK);
    assert_true(d[0] == XA_DECISION_SIGNIFICANT && d[1] == XA_DECISION_NOT);
    assert_true(d[2] == XA_DECISION_SIGNIFICANT && d[3] == XA_DECISION_SIGNIFICANT);
    assert_true(t[1].replicates == 999 && t[3].replicates > 999 && u.asked[1] == 1);
    assert_true(adjusted[3] <= 0.05 && adjusted[1] > 0.4);
    /* at the limit: bounded, and said */
    u = (urns){.p = {0.0125, 0.5, 0.6, 0.7}};
    memset(t, 0, sizeof t);
    assert_int_equal(xa_stats_decide(4, 0.05, 4000, more, &u, t, adjusted, d, NULL), XA_OK);
    assert_true(d[0] == XA_DECISION_UNDECIDED && t[0].replicates == 4000);
    /* all counted, with so few groups that no p is small */
    xa_test few[2] = {{.p = 0.0625, .exact = true, .groups = 5, .least = 0.0625, .replicates = 0},
                      {.p = NAN, .exact = true}};
    assert_int_equal(xa_stats_decide(2, 0.05, 4000, more, &u, few, adjusted, d, NULL), XA_OK);
    assert_true(d[0] == XA_DECISION_GROUPS && d[1] == XA_DECISION_NONE && isnan(adjusted[1]));
    assert_int_equal(xa_stats_decide(0, 0.05, 4000, more, &u, few, adjusted, d, NULL), XA_OK);
    /* exact beside one that is not clear at the limit: 0.022 is above 0.05 / 3, yet below 0.05 / 2
     * once the other is significant; 0.001 and 0.2 are what they are either way */
    const xa_decision want[4] = {
        XA_DECISION_UNDECIDED, XA_DECISION_UNDECIDED, XA_DECISION_SIGNIFICANT, XA_DECISION_NOT};
    xa_test both[4] = {{0},
                       {.p = 0.022, .exact = true, .groups = 30, .least = 1e-9},
                       {.p = 0.001, .exact = true, .groups = 30, .least = 1e-9},
                       {.p = 0.2, .exact = true, .groups = 30, .least = 1e-9}};
    u = (urns){.p = {0.0166667}};
    assert_int_equal(xa_stats_decide(4, 0.05, 4000, more, &u, both, adjusted, d, NULL), XA_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(d[i], want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_student),
                                       cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_flip_golden),
                                       cmocka_unit_test(test_sign_test),
                                       cmocka_unit_test(test_flip_edges),
                                       cmocka_unit_test(test_flip_order),
                                       cmocka_unit_test(test_flip_curves),
                                       cmocka_unit_test(test_flip_boxes_thresholds),
                                       cmocka_unit_test(test_flip_pxap_random),
                                       cmocka_unit_test(test_between),
                                       cmocka_unit_test(test_interval_golden),
                                       cmocka_unit_test(test_no_interval),
                                       cmocka_unit_test(test_decide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
