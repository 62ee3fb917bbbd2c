/* Means, differences, Wilson, Holm, Spearman: golden values, closed forms, properties. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/stats/golden_stats.h"
#include "xaudit/stats.h"
#include "xaudit_cmocka.h"

#define COUNT(a) ((int64_t)(sizeof(a) / sizeof *(a)))
static const xa_stats_plan plan = {.seed = 7, .replicates = 1000, .level = 0.95};

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static xa_interval
mean_of(int64_t n, const double *x, const int64_t *group, const int64_t *class_of)
{
    xa_interval f;
    assert_int_equal(xa_stats_mean(&plan, n, x, group, class_of, &f, NULL), XA_OK);
    return f;
}

static void test_wilson_golden(void **state)
{
    (void)state;
    for (int64_t i = 0; i < COUNT(golden_wilson); i++) {
        const double *g = golden_wilson[i];
        double low, high;
        xa_stats_wilson(g[0], g[1], g[2], &low, &high);
        near(low, g[3], 1e-12);
        near(high, g[4], 1e-12);
    }
    double low, high;
    xa_stats_wilson(3, 2, 0.95, &low, &high);
    assert_true(isnan(low) && isnan(high));
    xa_stats_wilson(0, 0, 0.95, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static void holm(int64_t n, const double *p, const double *want)
{
    double got[32];
    assert_int_equal(xa_stats_holm(n, p, got, NULL), XA_OK);
    for (int64_t i = 0; i < n; i++)
        near(got[i], want[i], 1e-14);
}

static void test_holm_golden(void **state)
{
    (void)state;
    holm(COUNT(golden_holm_p0), golden_holm_p0, golden_holm_a0);
    holm(COUNT(golden_holm_p1), golden_holm_p1, golden_holm_a1);
    holm(COUNT(golden_holm_p2), golden_holm_p2, golden_holm_a2);
    holm(COUNT(golden_holm_p3), golden_holm_p3, golden_holm_a3);
    /* NaN is not one of the m; in place */
    double p[] = {0.02, NAN, 0.03};
    assert_int_equal(xa_stats_holm(3, p, p, NULL), XA_OK);
    near(p[0], 0.04, 1e-15);
    assert_true(isnan(p[1]));
    near(p[2], 0.04, 1e-15);
}

static double spearman(int64_t n, const double *x, const double *y)
{
    double rho = -2.0;
    assert_int_equal(xa_stats_spearman(n, x, y, &rho, NULL), XA_OK);
    return rho;
}

static void test_spearman_golden(void **state)
{
    (void)state;
#define CHECK(i)                                                                            \
    near(spearman(COUNT(golden_spearman_x##i), golden_spearman_x##i, golden_spearman_y##i), \
         golden_spearman_r##i,                                                              \
         1e-14)
    CHECK(0);
    CHECK(1);
    CHECK(2);
    CHECK(3);
#undef CHECK
    const double x[] = {1, 2, NAN, 3, 4};
    const double y[] = {1, 4, 0, INFINITY, 9};
    const double flat[] = {5, 5, 5, 5, 5};
    near(spearman(5, x, y), 1.0, 1e-15); /* three pairs left */
    assert_true(isnan(spearman(5, x, flat)));
    assert_true(isnan(spearman(1, x, y)));
    assert_true(isnan(spearman(0, x, y)));
}

/* Four clusters {0, 0} and one {2}: a replicate that draws the last one j times of five has the
 * mean 2j / (10 - j); j is binomial(5, 1/5). */
static void test_cluster_closed_form(void **state)
{
    (void)state;
    const double x[] = {0, 0, 2, 0, 0, 0, 0, 0, 0};
    const int64_t group[] = {9, 9, -4, 1, 1, 2, 2, 3, 3};
    xa_interval f = mean_of(9, x, group, NULL);
    near(f.value, 2.0 / 9.0, 1e-15);
    assert_int_equal(f.clusters, 5);
    assert_true(f.low == 0.0 && f.high > 0.8 && f.kind == XA_INTERVAL_BOOTSTRAP);
    xa_stats_plan some = plan;
    some.level = 0.2; /* cut at 38 % and 62 %: j is 1 from 33 % to 74 % */
    assert_int_equal(xa_stats_mean(&some, 9, x, group, NULL, &f, NULL), XA_OK);
    near(f.low, 2.0 / 9.0, 1e-15);
    near(f.high, 2.0 / 9.0, 1e-15);
}

/* One cluster has nothing to vary: no interval. */
static void test_one_cluster(void **state)
{
    (void)state;
    const double x[] = {0.25, 0.5, 1};
    const int64_t group[] = {1, 1, 1};
    xa_interval f = mean_of(3, x, group, NULL);
    assert_true(isnan(f.low) && isnan(f.high) && f.clusters == 1 && f.why == XA_NO_INTERVAL_FEW);
}

static void test_macro(void **state)
{
    (void)state;
    const double x[] = {1, 1, 1, 0, 0.5};
    const int64_t class_of[] = {3, 3, 3, 8, 8};
    xa_interval f = mean_of(5, x, NULL, class_of);
    near(f.value, 0.625, 1e-15);
    assert_int_equal(f.classes, 2);
    xa_interval micro = mean_of(5, x, NULL, NULL);
    near(micro.value, 0.7, 1e-15);
    assert_int_equal(micro.classes, 0);
    const int64_t same[] = {2, 2, 2, 2, 2};
    xa_interval one = mean_of(5, x, NULL, same); /* one class: micro and macro agree */
    assert_true(one.value == micro.value && one.low == micro.low && one.high == micro.high);
}

static void test_undefined(void **state)
{
    (void)state;
    const double x[] = {NAN, 0.25, INFINITY, 0.75, -INFINITY};
    xa_interval f = mean_of(5, x, NULL, NULL);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.undefined, 3);
    near(f.value, 0.5, 1e-15);
    const double nothing[] = {NAN, NAN};
    f = mean_of(2, nothing, NULL, NULL);
    assert_true(isnan(f.value) && isnan(f.low) && isnan(f.high) && f.kind == XA_INTERVAL_NONE);
    assert_int_equal(f.undefined, 2);
    f = mean_of(0, nothing, NULL, NULL);
    assert_true(isnan(f.value) && f.n == 0);
}

/* Rates of 0 and 1: Wilson over clusters, units left out do not count. */
static void test_degenerate_rate(void **state)
{
    (void)state;
    const double ones[] = {1, 1, NAN, 1, 1, 1, 1, 1};
    const int64_t group[] = {1, 1, 2, 3, 3, 4, 5, 6};
    double low, high;
    xa_interval f = mean_of(8, ones, NULL, NULL);
    xa_stats_wilson(7, 7, 0.95, &low, &high);
    assert_true(f.kind == XA_INTERVAL_WILSON && f.low == low && f.high == high);
    f = mean_of(8, ones, group, NULL);
    xa_stats_wilson(5, 5, 0.95, &low, &high);
    assert_true(f.clusters == 5 && f.low == low && f.high == high);
    /* four clusters have none, of no kind: of one unit each, of several */
    f = mean_of(5, ones, NULL, NULL);
    assert_true(f.clusters == 4 && f.why == XA_NO_INTERVAL_FEW && isnan(f.low));
    f = mean_of(7, ones, group, NULL);
    assert_true(f.clusters == 4 && f.why == XA_NO_INTERVAL_FEW && isnan(f.low));
    const double half[] = {0, 1, 1, 0};
    assert_int_equal(mean_of(4, half, NULL, NULL).why, XA_NO_INTERVAL_FEW);
    /* values of 1 that are no hits are all the same */
    const xa_stats_plan measures = {
        .seed = 1, .stream = 2, .replicates = 100, .level = 0.95, .measures = true};
    assert_int_equal(xa_stats_mean(&measures, 8, ones, NULL, NULL, &f, NULL), XA_OK);
    assert_true(f.value == 1.0 && f.why == XA_NO_INTERVAL_CONSTANT && isnan(f.low));
    const double cancel[] = {-1, 1, -1, 1, -1, 1}; /* a mean of 0 that is no rate */
    assert_int_equal(mean_of(6, cancel, NULL, NULL).kind, XA_INTERVAL_BOOTSTRAP);
}

static void test_order_invariance(void **state)
{
    (void)state;
    enum { N = 301 };
    double x[N], rx[N];
    int64_t g[N], rg[N], c[N], rc[N];
    for (int i = 0; i < N; i++) {
        x[i] = i % 11 ? xa_random_unit(1, 2, (uint64_t)i) / 3.0 : NAN;
        g[i] = xa_random_below(1, 3, (uint64_t)i, 40) * 1000 - 7;
        c[i] = xa_random_below(1, 4, (uint64_t)i, 6);
    }
    for (int i = 0; i < N; i++) {
        int j = i * 100 % N; /* 301 and 100 share no factor */
        rx[i] = x[j];
        rg[i] = g[j];
        rc[i] = c[j];
    }
    for (int k = 0; k < 4; k++) {
        xa_interval a = mean_of(N, x, k & 1 ? g : NULL, k & 2 ? c : NULL);
        xa_interval b = mean_of(N, rx, k & 1 ? rg : NULL, k & 2 ? rc : NULL);
        assert_true(a.value == b.value && a.low == b.low && a.high == b.high);
        assert_true(a.low < a.value && a.value < a.high);
    }
}

static void test_seed(void **state)
{
    (void)state;
    double x[50];
    for (int i = 0; i < 50; i++)
        x[i] = xa_random_unit(5, 0, (uint64_t)i);
    xa_interval a = mean_of(50, x, NULL, NULL);
    xa_interval b = mean_of(50, x, NULL, NULL);
    assert_true(a.low == b.low && a.high == b.high);
    xa_stats_plan other = plan;
    other.seed++;
    assert_int_equal(xa_stats_mean(&other, 50, x, NULL, NULL, &b, NULL), XA_OK);
    assert_true(a.value == b.value && a.low != b.low);
    other = plan;
    other.stream++;
    assert_int_equal(xa_stats_mean(&other, 50, x, NULL, NULL, &b, NULL), XA_OK);
    assert_true(a.low != b.low);
}

/* The bootstrap's standard error of a mean is sd/sqrt(n), sd with n in the denominator. */
static void test_width(void **state)
{
    (void)state;
    double x[400];
    for (int i = 0; i < 400; i++)
        x[i] = i % 2 * 2; /* no rate */
    xa_stats_plan many = plan;
    many.replicates = 20000;
    xa_interval f;
    assert_int_equal(xa_stats_mean(&many, 400, x, NULL, NULL, &f, NULL), XA_OK);
    near(f.high - f.low, 2 * 1.959964 / 20.0, 0.008);
}

static void test_paired(void **state)
{
    (void)state;
    const double a[] = {1, 1, 0, 1, NAN, 0.5};
    const double b[] = {0, 1, 1, 0, 1, NAN};
    xa_paired d, r;
    assert_int_equal(xa_stats_paired(&plan, 6, a, b, NULL, NULL, &d, NULL), XA_OK);
    assert_true(d.win == 2 && d.tie == 1 && d.loss == 1);
    assert_true(d.difference.n == 4 && d.difference.undefined == 2);
    near(d.difference.value, 0.25, 1e-15);
    assert_true(d.only_a == 1 && d.only_b == 1);
    assert_int_equal(xa_stats_paired(&plan, 6, b, a, NULL, NULL, &r, NULL), XA_OK);
    near(r.difference.value, -0.25, 1e-15);
    assert_true(r.win == d.loss && r.loss == d.win);
    /* no difference at all, or the same everywhere: nothing to draw from */
    assert_int_equal(xa_stats_paired(&plan, 5, b, b, NULL, NULL, &d, NULL), XA_OK);
    assert_true(d.tie == 5 && d.difference.value == 0.0 &&
                d.difference.why == XA_NO_INTERVAL_CONSTANT);
    const double x[] = {3, 4, 5, 6, 7, 9}, y[] = {1, 2, 3, 4, 5, 5};
    assert_int_equal(xa_stats_paired(&plan, 6, x, y, NULL, NULL, &d, NULL), XA_OK);
    assert_true(d.difference.kind == XA_INTERVAL_BOOTSTRAP && d.difference.low >= 2.0);
    const double none[] = {NAN};
    assert_int_equal(xa_stats_paired(&plan, 1, none, x, NULL, NULL, &d, NULL), XA_OK);
    assert_true(d.difference.why == XA_NO_INTERVAL_UNDEFINED && isnan(d.difference.value));
}

static void test_mistakes(void **state)
{
    (void)state;
    const double x[] = {1};
    xa_interval f = {.value = 42};
    xa_err err = XA_ERR_INIT;
    xa_stats_plan bad = plan;
    bad.replicates = 0;
    assert_int_equal(xa_stats_mean(&bad, 1, x, NULL, NULL, &f, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "0 replicates"));
    bad = plan;
    bad.level = 1.0;
    assert_int_equal(xa_stats_mean(&bad, 1, x, NULL, NULL, &f, &err), XA_INVALID);
    bad.level = NAN;
    assert_int_equal(xa_stats_mean(&bad, 1, x, NULL, NULL, &f, &err), XA_INVALID);
    assert_int_equal(xa_stats_mean(&plan, -1, x, NULL, NULL, &f, &err), XA_LIMIT);
    assert_true(f.value == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wilson_golden),
                                       cmocka_unit_test(test_holm_golden),
                                       cmocka_unit_test(test_spearman_golden),
                                       cmocka_unit_test(test_cluster_closed_form),
                                       cmocka_unit_test(test_one_cluster),
                                       cmocka_unit_test(test_macro),
                                       cmocka_unit_test(test_undefined),
                                       cmocka_unit_test(test_degenerate_rate),
                                       cmocka_unit_test(test_order_invariance),
                                       cmocka_unit_test(test_seed),
                                       cmocka_unit_test(test_width),
                                       cmocka_unit_test(test_paired),
                                       cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
