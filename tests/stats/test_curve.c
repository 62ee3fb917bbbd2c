/* Box accuracy and PxAP: golden values, closed forms, a plain second computation of every
 * replicate. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/stats.h"
#include "xaudit_cmocka.h"

#include "golden/stats/golden_curve.h"

enum { T = XA_STATS_THRESHOLDS, B = XA_STATS_HIT_BYTES };
static const xa_stats_plan plan = {.seed = 3, .stream = 2, .replicates = 101, .level = 0.9};

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static void set_hit(uint8_t *bits, int levels, int64_t unit, int level, int t)
{
    uint8_t *byte = &bits[(unit * levels + level) * B + t / 8];
    *byte = (uint8_t)(*byte | 1 << t % 8);
}

static xa_interval box_accuracy(const xa_hits *h, const int *threshold, const int64_t *group)
{
    xa_interval f;
    assert_int_equal(xa_stats_box_accuracy(&plan, h, threshold, group, &f, NULL), XA_OK);
    return f;
}

/* Four units: threshold 200 hits three of them at level 0, threshold 9 two at level 1. */
static void test_box_accuracy(void **state)
{
    (void)state;
    uint8_t bits[4 * 2 * B] = {0};
    double curve[2 * T];
    int threshold[2];
    for (int i = 0; i < 3; i++)
        set_hit(bits, 2, i, 0, 200);
    set_hit(bits, 2, 3, 0, 255);
    set_hit(bits, 2, 0, 1, 9);
    set_hit(bits, 2, 1, 1, 9);
    set_hit(bits, 2, 2, 1, 10);
    xa_hits h = {.n = 4, .levels = 2, .bits = bits};
    assert_int_equal(xa_stats_hit_curve(&h, curve, threshold, NULL), XA_OK);
    assert_true(threshold[0] == 200 && threshold[1] == 9);
    assert_true(curve[200] == 0.75 && curve[255] == 0.25 && curve[0] == 0.0 &&
                curve[T + 10] == 0.25);
    near(box_accuracy(&h, NULL, NULL).value, (0.75 + 0.5) / 2, 1e-15);
    const int elsewhere[2] = {255, 10};
    near(box_accuracy(&h, elsewhere, NULL).value, 0.25, 1e-15);
    const int never[2] = {1, 1};
    xa_interval f = box_accuracy(&h, never, NULL);
    assert_true(f.value == 0.0 && f.why == XA_NO_INTERVAL_FEW && isnan(f.high)); /* four units */
    double low, high;
    const uint8_t none[6 * 2 * XA_STATS_HIT_BYTES] = {0};
    const xa_hits six = {.n = 6, .levels = 2, .bits = none};
    f = box_accuracy(&six, never, NULL);
    xa_stats_wilson(0, 6, 0.9, &low, &high);
    assert_true(f.value == 0.0 && f.kind == XA_INTERVAL_WILSON && f.high == high);
    const bool defined[] = {false, true, false, true};
    h.defined = defined;
    f = box_accuracy(&h, NULL, NULL);
    assert_true(f.n == 2 && f.undefined == 2 && f.clusters == 2);
    near(f.value, 0.5, 1e-15);
    const bool nothing[4] = {false};
    h.defined = nothing;
    f = box_accuracy(&h, NULL, NULL);
    assert_true(isnan(f.value) && f.kind == XA_INTERVAL_NONE && f.undefined == 4);
    assert_int_equal(xa_stats_hit_curve(&h, curve, threshold, NULL), XA_OK);
    assert_true(isnan(curve[0]) && threshold[0] == -1);
}

/* Units that need one of three thresholds, two each: the figure is 1/3, and a replicate re-takes
 * the maximum, which is never below 1/3 and reaches 5/6. A fixed threshold gives 0 at times. */
static void test_maximum_is_taken_anew(void **state)
{
    (void)state;
    uint8_t bits[6 * B] = {0};
    for (int i = 0; i < 6; i++)
        set_hit(bits, 1, i, 0, 5 + i % 3 * 70);
    const xa_hits h = {.n = 6, .levels = 1, .bits = bits};
    xa_interval f = box_accuracy(&h, NULL, NULL);
    near(f.value, 1.0 / 3.0, 1e-15);
    assert_true(f.low == f.value && f.high > 0.6);
    const int at = 5;
    f = box_accuracy(&h, &at, NULL);
    assert_true(f.low == 0.0 && f.high > 0.6);
}

static int by_value(const void *pa, const void *pb)
{
    double a = *(const double *)pa;
    double b = *(const double *)pb;
    return (a > b) - (a < b);
}

static double at_quantile(double *r, int64_t n, double q)
{
    qsort(r, (size_t)n, sizeof *r, by_value);
    double at = q * (double)(n - 1);
    int64_t i = (int64_t)at;
    return i + 1 < n ? r[i] + (at - (double)i) * (r[i + 1] - r[i]) : r[n - 1];
}

/* The obvious computation: units are resampled one by one and the curve is built from them. */
static void test_box_replicates(void **state)
{
    (void)state;
    enum { N = 37, D = 3, K = 9 };
    static uint8_t bits[N * D * B];
    int64_t group[N];
    double replicate[101];
    for (int i = 0; i < N * D * B; i++)
        bits[i] = (uint8_t)xa_random_below(11, 0, (uint64_t)i, 256);
    for (int i = 0; i < N; i++)
        group[i] = 100 - i % K; /* cluster of group g is g - 92 */
    const xa_hits h = {.n = N, .levels = D, .bits = bits};
    for (int64_t b = 0; b < plan.replicates; b++) {
        int counts[D * T] = {0};
        int n = 0;
        for (int64_t i = 0; i < K; i++) {
            int64_t k = xa_random_below(plan.seed, plan.stream, (uint64_t)(b * K + i), K);
            for (int u = 0; u < N; u++) {
                if (group[u] - 92 != k)
                    continue;
                n++;
                for (int c = 0; c < D * T; c++)
                    counts[c] += bits[u * D * B + c / 8] >> c % 8 & 1;
            }
        }
        double sum = 0.0;
        for (int d = 0; d < D; d++) {
            int best = 0;
            for (int t = 0; t < T; t++)
                best = counts[d * T + t] > best ? counts[d * T + t] : best;
            sum += (double)best / n;
        }
        replicate[b] = sum / D;
    }
    xa_interval f = box_accuracy(&h, NULL, group);
    assert_int_equal(f.clusters, K);
    assert_int_equal(f.replicates, 101);
    /* 9 clusters, 90 %: Student's t with 8 degrees is 1.8595480375228424 (SciPy) */
    const double tail = 0.5 * erfc(sqrt(9.0 / 8.0) * 1.8595480375228424 / sqrt(2.0));
    near(f.low, at_quantile(replicate, 101, tail), 1e-12);
    near(f.high, at_quantile(replicate, 101, 1.0 - tail), 1e-12);
}

static xa_interval pxap(int64_t n, const uint32_t *hist, const bool *defined, const int64_t *group)
{
    xa_interval f;
    assert_int_equal(xa_stats_pxap(&plan, n, hist, defined, group, &f, NULL), XA_OK);
    return f;
}

static double pxap_of_pixels(const uint8_t *level, const uint8_t *truth, int n, int units)
{
    uint32_t *hist = xa_alloc((size_t)units * 2 * XA_STATS_BINS, sizeof *hist);
    assert_non_null(hist);
    for (int i = 0; i < n; i++)
        hist[(i % units * 2 + truth[i]) * XA_STATS_BINS + level[i]]++;
    xa_interval f = pxap(units, hist, NULL, NULL);
    assert_true(units < XA_STATS_LEAST_GROUPS ? f.why == XA_NO_INTERVAL_FEW
                                              : f.low <= f.value && f.value <= f.high);
    free(hist);
    return f.value;
}

/* The same pixels pool to the same figure, however they lie in units. */
static void test_pxap_golden(void **state)
{
    (void)state;
    static const int units[] = {1, 7, 200};
    for (int i = 0; i < 3; i++) {
        near(pxap_of_pixels(golden_ap_level0, golden_ap_truth0, 200, units[i]),
             golden_ap_value0,
             1e-14);
        near(pxap_of_pixels(golden_ap_level1, golden_ap_truth1, 200, units[i]),
             golden_ap_value1,
             1e-14);
    }
}

static void test_pxap_closed_forms(void **state)
{
    (void)state;
    static uint32_t hist[2 * 2 * XA_STATS_BINS];
    /* unit 0: 30 of 40 pixels of one grey level are foreground: the base rate */
    hist[12] = 10;
    hist[XA_STATS_BINS + 12] = 30;
    const bool first[] = {true, false};
    xa_interval f = pxap(2, hist, first, NULL);
    near(f.value, 0.75, 1e-15);
    assert_true(f.n == 1 && f.undefined == 1);
    /* foreground in the highest bin is not forgotten */
    hist[XA_STATS_BINS + 12] = 0;
    hist[XA_STATS_BINS + 255] = 30;
    assert_true(pxap(2, hist, first, NULL).value == 1.0);
    /* unit 1 has no foreground: replicates of it alone have no figure */
    hist[2 * XA_STATS_BINS + 3] = 5;
    f = pxap(2, hist, NULL, NULL);
    assert_true(f.value == 1.0 && f.replicates > 0 && f.replicates < plan.replicates);
    const bool second[] = {false, true};
    f = pxap(2, hist, second, NULL);
    assert_true(isnan(f.value) && isnan(f.low) && f.kind == XA_INTERVAL_NONE);
}

static void test_mistakes(void **state)
{
    (void)state;
    uint8_t bits[B] = {0};
    xa_interval f = {.value = 42};
    xa_err err = XA_ERR_INIT;
    xa_hits h = {.n = 1, .levels = 0, .bits = bits};
    assert_int_equal(xa_stats_box_accuracy(&plan, &h, NULL, NULL, &f, &err), XA_INVALID);
    h.levels = XA_STATS_MAX_LEVELS + 1;
    assert_int_equal(xa_stats_hit_curve(&h, NULL, NULL, &err), XA_INVALID);
    h.levels = 1;
    const int bad = 256;
    assert_int_equal(xa_stats_box_accuracy(&plan, &h, &bad, NULL, &f, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "threshold 256"));
    const int none = -1;
    assert_int_equal(xa_stats_box_accuracy(&plan, &h, &none, NULL, &f, &err), XA_INVALID);
    h.n = -1;
    assert_int_equal(xa_stats_hit_curve(&h, NULL, NULL, &err), XA_INVALID);
    assert_true(f.value == 42);
}

/* So many units in a cluster that its counts need the wide form: three clusters hit always, three
 * never. */
static void test_large_clusters(void **state)
{
    enum { N = 70000 };
    (void)state;
    uint8_t *bits = xa_alloc(N, B);
    int64_t *group = xa_alloc(N, sizeof *group);
    assert_true(bits != NULL && group != NULL);
    for (int i = 0; i < N; i++) {
        group[i] = i % 6;
        if (i % 2)
            set_hit(bits, 1, i, 0, 5);
    }
    const xa_hits h = {.n = N, .levels = 1, .bits = bits};
    const xa_interval f = box_accuracy(&h, NULL, group);
    assert_true(f.value == 0.5 && f.low < 0.3 && f.high > 0.7 && f.clusters == 6 && f.n == N);
    free(bits);
    free(group);
}

/* Every replicate of a difference is the difference of the figures of that draw. */
static void test_differences(void **state)
{
    enum { N = 17, G = 6 };
    (void)state;
    uint8_t x[N * 2 * B] = {0}, y[N * B] = {0};
    static uint32_t px[N * 2 * XA_STATS_BINS], py[N * 2 * XA_STATS_BINS];
    int64_t group[N];
    bool in_x[N], in_y[N];
    for (int i = 0; i < N; i++) {
        group[i] = i % G;
        in_x[i] = i != 3;
        in_y[i] = i != 5;
        for (int t = 0; t < T; t++) {
            if (xa_random_unit(1, 1, (uint64_t)(i * T + t)) < 0.4)
                set_hit(x, 2, i, t % 2, t);
            if (xa_random_unit(1, 2, (uint64_t)(i * T + t)) < 0.3)
                set_hit(y, 1, i, 0, t);
        }
        for (int t = 0; t < 2 * XA_STATS_BINS; t++) {
            const uint64_t at = (uint64_t)(i * 2 * XA_STATS_BINS + t);
            px[at] = (uint32_t)xa_random_below(1, 3, at, 9);
            py[at] = (uint32_t)xa_random_below(1, 4, at, 5);
        }
    }
    const xa_hits hx = {.n = N, .levels = 2, .bits = x, .defined = in_x};
    const xa_hits hy = {.n = N, .levels = 1, .bits = y, .defined = in_y};
    bool both[N];
    for (int i = 0; i < N; i++)
        both[i] = in_x[i] && in_y[i];
    xa_hits ax = hx, ay = hy;
    ax.defined = ay.defined = both;
    xa_paired d, r;
    assert_int_equal(xa_stats_box_difference(&plan, &hx, &hy, NULL, NULL, group, &d, NULL), XA_OK);
    near(d.difference.value,
         box_accuracy(&ax, NULL, group).value - box_accuracy(&ay, NULL, group).value,
         1e-12);
    assert_true(d.difference.n == N - 2 && d.difference.undefined == 2 &&
                d.difference.clusters == G && d.only_a == 1 && d.only_b == 1);
    assert_true(d.win == 0 && d.tie == 0 && d.loss == 0);
    /* the other way round: the same draws, so everything turns its sign */
    assert_int_equal(xa_stats_box_difference(&plan, &hy, &hx, NULL, NULL, group, &r, NULL), XA_OK);
    near(r.difference.value, -d.difference.value, 1e-12);
    near(r.difference.low, -d.difference.high, 1e-12);
    near(r.difference.high, -d.difference.low, 1e-12);
    /* with itself: nothing differs in any replicate */
    assert_int_equal(xa_stats_box_difference(&plan, &hx, &hx, NULL, NULL, group, &d, NULL), XA_OK);
    assert_true(d.difference.value == 0.0 && d.difference.why == XA_NO_INTERVAL_CONSTANT);
    /* but at another grey level it does */
    const int low[2] = {0, 1}, high[2] = {200, 201};
    assert_int_equal(xa_stats_box_difference(&plan, &hx, &hx, low, high, group, &d, NULL), XA_OK);
    near(d.difference.value,
         box_accuracy(&hx, low, group).value - box_accuracy(&hx, high, group).value,
         1e-12);
    xa_interval fx, fy;
    assert_int_equal(xa_stats_pxap(&plan, N, px, both, group, &fx, NULL), XA_OK);
    assert_int_equal(xa_stats_pxap(&plan, N, py, both, group, &fy, NULL), XA_OK);
    assert_int_equal(xa_stats_pxap_difference(&plan, N, px, py, in_x, in_y, group, &d, NULL),
                     XA_OK);
    near(d.difference.value, fx.value - fy.value, 1e-12);
    assert_true(d.difference.n == N - 2 && d.difference.low <= d.difference.value);
    /* nothing in common */
    const bool none[N] = {false};
    assert_int_equal(xa_stats_pxap_difference(&plan, N, px, py, none, in_y, group, &d, NULL),
                     XA_OK);
    assert_true(d.difference.n == 0 && isnan(d.difference.value) &&
                d.difference.why == XA_NO_INTERVAL_UNDEFINED);
    const xa_hits fewer = {.n = N - 1, .levels = 1, .bits = y};
    assert_int_equal(xa_stats_box_difference(&plan, &hx, &fewer, NULL, NULL, group, &d, NULL),
                     XA_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_box_accuracy),
                                       cmocka_unit_test(test_maximum_is_taken_anew),
                                       cmocka_unit_test(test_differences),
                                       cmocka_unit_test(test_large_clusters),
                                       cmocka_unit_test(test_box_replicates),
                                       cmocka_unit_test(test_pxap_golden),
                                       cmocka_unit_test(test_pxap_closed_forms),
                                       cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
