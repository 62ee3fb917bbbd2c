/* How often the intervals of xaudit hold the true value, and how often its tests find a difference
 * where there is none, by simulation; prints results/coverage.md.
 *
 *   build/tests/bench/coverage [trials] > results/coverage.md
 *
 * Hits are drawn with probability p. Clustered: each cluster first draws its own rate, 0 with
 * probability (1-p)/2, 1 with p/2, else p, so that the mean stays p and images of one cluster
 * agree. The last table is their cost: CPU seconds of 10,000 units.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/stats.h"

enum { MOST = 2000, REPLICATES = 1000, UNITS = 10000, LEVELS = 3 };

static void fail(const xa_err *err)
{
    fprintf(stderr, "coverage: %s\n", err->message);
    exit(1);
}

static double unit(uint64_t seed, int trial, int i)
{
    return xa_random_unit(seed, (uint64_t)trial, (uint64_t)i);
}

static double normal(uint64_t seed, int trial, int i)
{
    const double u = 1.0 - unit(seed, trial, 2 * i), v = unit(seed, trial, 2 * i + 1);
    return sqrt(-2.0 * log(u)) * cos(6.28318530717958647693 * v);
}

static double cluster_rate(double p, int trial, int cluster)
{
    const double u = unit(2, trial, cluster);
    if (u < (1.0 - p) / 2.0)
        return 0.0;
    return u < 0.5 ? 1.0 : p;
}

/* ---- intervals ---- */

typedef struct score {
    int shown, held, missed, wilson;
    double width;
} score;

static void see(score *s, const xa_interval *f, double truth)
{
    const bool held = f->low <= truth && truth <= f->high;
    if (f->kind == XA_INTERVAL_NONE)
        return;
    s->shown++;
    s->held += held;
    s->missed += !held;
    s->wilson += f->kind == XA_INTERVAL_WILSON;
    s->width += f->high - f->low;
}

static void print_score(const score *s, int trials)
{
    printf("%.1f %% | ", 100.0 * s->shown / trials);
    if (s->shown)
        printf("%.1f %% | %.1f %% | %.3f | %.1f %% |\n",
               100.0 * s->held / s->shown,
               100.0 * s->missed / trials,
               s->width / s->shown,
               100.0 * s->wilson / trials);
    else
        printf("- | 0.0 %% | - | 0.0 %% |\n");
}

/* n hits; in `clusters` clusters, or 0: independent. grouped: the interval knows the clusters. */
static void rates(int n, double p, int clusters, bool grouped, int trials)
{
    double x[MOST];
    int64_t group[MOST];
    score s = {0};
    for (int t = 0; t < trials; t++) {
        const xa_stats_plan plan = {
            .seed = 3, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        xa_interval f;
        xa_err err = XA_ERR_INIT;
        for (int i = 0; i < n; i++) {
            group[i] = clusters ? i % clusters : i;
            x[i] = unit(1, t, i) < (clusters ? cluster_rate(p, t, i % clusters) : p) ? 1.0 : 0.0;
        }
        if (xa_stats_mean(&plan, n, x, grouped ? group : NULL, NULL, &f, &err) != XA_OK)
            fail(&err);
        see(&s, &f, p);
    }
    if (clusters)
        printf("| %d | %.2f | %d clusters | %s | ", n, p, clusters, grouped ? "cluster" : "unit");
    else
        printf("| %d | %.2f | independent | unit | ", n, p);
    print_score(&s, trials);
}

/* Shares: a cluster's level and a unit's noise, both skewed; 4 units a cluster. */
static void shares(int clusters, int trials)
{
    double x[MOST];
    int64_t group[MOST];
    score s = {0};
    for (int t = 0; t < trials; t++) {
        const xa_stats_plan plan = {
            .seed = 3, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        xa_interval f;
        xa_err err = XA_ERR_INIT;
        for (int i = 0; i < 4 * clusters; i++) {
            group[i] = i % clusters;
            x[i] = 0.5 * pow(unit(4, t, i % clusters), 3.0) + 0.5 * pow(unit(5, t, i), 3.0);
        }
        if (xa_stats_mean(&plan, 4 * clusters, x, group, NULL, &f, &err) != XA_OK)
            fail(&err);
        see(&s, &f, 0.25);
    }
    printf("| %d | mean 0.25 | shares, %d clusters | cluster | ", 4 * clusters, clusters);
    print_score(&s, trials);
}

/* ---- tests where there is nothing to find ---- */

typedef enum null_kind { SYMMETRIC, RATES, SKEWED, NULLS } null_kind;
static const char *const null_name[] = {
    "shares, symmetric differences",
    "rates, equally often right",
    "differences of mean 0, skewed (not what the test supposes)"};

/* One pair of scores of which neither is better. */
static void nothing(null_kind k, int trial, int cluster, int i, double *a, double *b)
{
    if (k == SYMMETRIC) {
        *a = normal(11, trial, cluster) + normal(12, trial, i);
        *b = 0.0;
    } else if (k == RATES) {
        *a = unit(13, trial, i) < (unit(14, trial, cluster) < 0.5 ? 0.9 : 0.5) ? 1.0 : 0.0;
        *b = unit(15, trial, i) < (unit(16, trial, cluster) < 0.5 ? 0.9 : 0.5) ? 1.0 : 0.0;
    } else {
        *a = -log(1.0 - unit(17, trial, cluster)) - log(1.0 - unit(18, trial, i)) - 2.0;
        *b = 0.0;
    }
}

static void
print_errors(const char *test, int clusters, int each, bool grouped, const int below[2], int trials)
{
    printf("| paired: %s | %d clusters of %d | %s | %.1f %% | %.1f %% |\n",
           test,
           clusters,
           each,
           grouped ? "cluster" : "unit",
           100.0 * below[0] / trials,
           100.0 * below[1] / trials);
}

static void paired(null_kind kind, int clusters, int each, bool grouped, int trials)
{
    double a[MOST], b[MOST];
    int64_t group[MOST];
    int below[2] = {0};
    for (int t = 0; t < trials; t++) {
        const xa_stats_plan plan = {
            .seed = 19, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        xa_test test = {0};
        xa_err err = XA_ERR_INIT;
        const int n = clusters * each;
        for (int i = 0; i < n; i++) {
            group[i] = i % clusters;
            nothing(kind, t, i % clusters, i, &a[i], &b[i]);
        }
        if (xa_stats_flip(&plan, n, a, b, grouped ? group : NULL, NULL, 999, &test, &err) != XA_OK)
            fail(&err);
        below[0] += test.p <= 0.05;
        below[1] += test.p <= 0.01;
    }
    print_errors(null_name[kind], clusters, each, grouped, below, trials);
}

/* Where the best threshold lies: anywhere; anywhere, but a's among the darker and b's among the
 * brighter levels; at one level for all units that are ever hits, seven of ten. */
typedef enum box_kind { ANYWHERE, TWO_SCALES, ONE_LEVEL, BOX_KINDS } box_kind;
static const char *const box_name[] = {
    "box accuracy at best thresholds, which lie anywhere",
    "box accuracy at best thresholds, which lie on two scales of grey",
    "box accuracy at best thresholds, of which one is clear"};

/* The grey levels [first, last) at which a unit is a hit; those of a cluster begin near one
 * another. */
static void levels_of(box_kind kind, int trial, int cluster, int i, int side, int *first, int *last)
{
    const double at =
        0.7 * unit(26, trial, 2 * cluster + side) + 0.3 * unit(21, trial, 4 * i + side);
    const double length = unit(21, trial, 4 * i + 2 + side);
    if (kind == ONE_LEVEL) {
        const bool hit = 0.5 * (at + length) < 0.57; /* for about seven of ten */
        *first = 90;
        *last = hit ? 110 : 90;
        return;
    }
    *first = kind == TWO_SCALES ? (int)(128.0 * at) + 128 * side : (int)(256.0 * at);
    *last = *first + (int)((kind == TWO_SCALES ? 60.0 : 120.0) * length);
    *last = *last < 256 ? *last : 256;
}

/* Box accuracy of two equally good explainers, each at its own best thresholds. */
static void boxes(box_kind kind, int clusters, int each, int trials)
{
    static uint8_t hit[2][MOST * XA_STATS_HIT_BYTES];
    int64_t group[MOST];
    int below[2] = {0};
    const int n = clusters * each;
    for (int t = 0; t < trials; t++) {
        const xa_stats_plan plan = {
            .seed = 20, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        const xa_hits side[2] = {{.n = n, .levels = 1, .bits = hit[0]},
                                 {.n = n, .levels = 1, .bits = hit[1]}};
        xa_test test = {0};
        xa_err err = XA_ERR_INIT;
        memset(hit, 0, sizeof hit);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < 2; k++) {
                int first, last;
                group[i] = i % clusters;
                levels_of(kind, t, i % clusters, i, k, &first, &last);
                for (int g = first; g < last; g++)
                    hit[k][i * XA_STATS_HIT_BYTES + g / 8] |= (uint8_t)(1 << g % 8);
            }
        if (xa_stats_flip_boxes(&plan, &side[0], &side[1], NULL, NULL, group, 999, &test, &err) !=
            XA_OK)
            fail(&err);
        below[0] += test.p <= 0.05;
        below[1] += test.p <= 0.01;
    }
    print_errors(box_name[kind], clusters, each, true, below, trials);
}

/* Two parts of the same mean: na clusters, whose values scatter `wide` times as much, and nb. */
static void between(int na, int nb, int each, double wide, bool mixed, int trials)
{
    double x[MOST];
    int64_t group[MOST];
    signed char side[MOST];
    int below[2] = {0};
    score s = {0};
    for (int t = 0; t < trials; t++) {
        const xa_stats_plan plan = {
            .seed = 22, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        xa_between f = {.test = {0}};
        xa_err err = XA_ERR_INIT;
        const int n = (na + nb) * each;
        for (int i = 0; i < n; i++) {
            const int c = i / each;
            group[i] = c;
            side[i] = (signed char)(mixed    ? unit(25, t, i) < (double)na / (na + nb) ? 0 : 1
                                    : c < na ? 0
                                             : 1);
            x[i] = (c < na ? wide : 1.0) * (normal(23, t, c) + normal(24, t, i));
        }
        if (xa_stats_between(&plan, n, x, group, side, 999, &f, &err) != XA_OK)
            fail(&err);
        below[0] += f.test.p <= 0.05;
        below[1] += f.test.p <= 0.01;
        see(&s, &f.difference, 0.0);
    }
    printf("| between: %s%s | %d and %d clusters of %d | cluster | %.1f %% | %.1f %% | %.1f %% |\n",
           mixed ? "parts within clusters" : "clusters of one part",
           wide != 1.0 ? ", one scatters three times as much" : "",
           na,
           nb,
           each,
           100.0 * below[0] / trials,
           100.0 * below[1] / trials,
           100.0 * s.held / (s.shown ? s.shown : 1));
}

/* ---- cost ---- */

static double a[UNITS], b[UNITS];
static uint8_t bits[2][UNITS * LEVELS * XA_STATS_HIT_BYTES];
static uint32_t histogram[2][UNITS * 2 * XA_STATS_BINS];

static void cost(void)
{
    const xa_stats_plan plan = {.seed = 1, .replicates = REPLICATES, .level = 0.95};
    const xa_hits h = {.n = UNITS, .levels = LEVELS, .bits = bits[0]},
                  g = {.n = UNITS, .levels = LEVELS, .bits = bits[1]};
    xa_interval f;
    xa_paired d;
    xa_test t[3] = {{0}};
    xa_err err = XA_ERR_INIT;
    double at[7];
    for (int i = 0; i < UNITS; i++) {
        a[i] = xa_random_unit(4, 0, (uint64_t)i);
        b[i] = xa_random_unit(4, 1, (uint64_t)i);
    }
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof bits[k]; i++)
            bits[k][i] = (uint8_t)xa_random_below(4, (uint64_t)(2 + 8 * k), i, 256);
        for (size_t i = 0; i < sizeof histogram[k] / sizeof *histogram[k]; i++)
            histogram[k][i] = (uint32_t)xa_random_below(4, (uint64_t)(3 + 8 * k), i, 1000);
    }
    at[0] = xa_cpu_time();
    if (xa_stats_paired(&plan, UNITS, a, b, NULL, NULL, &d, &err) != XA_OK)
        fail(&err);
    at[1] = xa_cpu_time();
    if (xa_stats_box_accuracy(&plan, &h, NULL, NULL, &f, &err) != XA_OK)
        fail(&err);
    at[2] = xa_cpu_time();
    if (xa_stats_pxap(&plan, UNITS, histogram[0], NULL, NULL, &f, &err) != XA_OK)
        fail(&err);
    at[3] = xa_cpu_time();
    if (xa_stats_flip(&plan, UNITS, a, b, NULL, NULL, 999, &t[0], &err) != XA_OK)
        fail(&err);
    at[4] = xa_cpu_time();
    if (xa_stats_flip_boxes(&plan, &h, &g, NULL, NULL, NULL, 999, &t[1], &err) != XA_OK)
        fail(&err);
    at[5] = xa_cpu_time();
    if (xa_stats_flip_pxap(
            &plan, UNITS, histogram[0], histogram[1], NULL, NULL, NULL, 999, &t[2], &err) != XA_OK)
        fail(&err);
    at[6] = xa_cpu_time();
    printf("\n| 10,000 units, each its own cluster | CPU seconds |\n| --- | --- |\n");
    static const char *const what[] = {
        "interval of a paired difference, 1000 replicates", "of MaxBoxAccV2 (3 levels)", "of PxAP"};
    for (int k = 0; k < 3; k++)
        printf("| %s | %.2f |\n", what[k], at[k + 1] - at[k]);
    static const char *const test[] = {
        "sign flips of a paired difference", "of MaxBoxAccV2", "of PxAP"};
    for (int k = 0; k < 3; k++)
        if (t[k].exact)
            printf("| %s, all ways counted | %.2f |\n", test[k], at[k + 4] - at[k + 3]);
        else
            printf("| %s, %lld random ways | %.2f |\n",
                   test[k],
                   (long long)t[k].replicates,
                   at[k + 4] - at[k + 3]);
}

static void intervals(int trials)
{
    static const int ns[] = {20, 50, 200}, few[] = {4, 5, 8, 10, 15, 20, 50};
    static const double ps[] = {0.5, 0.8, 0.95};
    printf("| n | p | data | resampled | shown | held, of those shown | shown and missed, of all | "
           "mean width | Wilson |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < 6; i++)
        rates(ns[i / 2], i % 2 ? 0.95 : 0.5, 0, false, trials);
    for (int i = 0; i < 6; i++)
        rates(ns[i / 2], i % 2 ? 0.95 : 0.5, 10, false, trials);
    for (int i = 0; i < 6; i++)
        rates(ns[i / 2], i % 2 ? 0.95 : 0.5, 10, true, trials);
    for (int k = 0; k < 7; k++)
        for (int i = 0; i < 3; i++)
            rates(20 * few[k], ps[i], few[k], true, trials);
    for (int k = 0; k < 7; k++)
        shares(few[k], trials);
}

static void tests(int trials)
{
    static const int few[] = {6, 10, 25, 100};
    printf(
        "\nHow often p is at most 0.05, and at most 0.01, where there is no difference (no more "
        "than "
        "that, if the\ntest is right; less with few clusters, for p has steps):\n\n"
        "| test | data | turned or moved | p <= 0.05 | p <= 0.01 |\n| --- | --- | --- | --- | --- "
        "|\n");
    for (null_kind k = SYMMETRIC; k < NULLS; k++)
        for (int i = 0; i < 4; i++)
            paired(k, few[i], 4, true, trials);
    paired(SYMMETRIC, 25, 4, false, trials);
    for (box_kind k = ANYWHERE; k < BOX_KINDS; k++)
        for (int i = 0; i < 4; i++)
            boxes(k, few[i], 4, trials);
    printf(
        "\nBox accuracies are compared as `summary --compare` does: each explainer at its own best "
        "threshold, found over\n"
        "the same images. The test never erred more often than it may. Where many thresholds are "
        "nearly as good as the\n"
        "best, it errs far less often: it is then conservative, and misses small differences.\n"
        "\nTwo parts of a data set, with the coverage of the interval of their difference:\n\n"
        "| test | data | turned or moved | p <= 0.05 | p <= 0.01 | held |\n| --- | --- | --- | --- "
        "| --- | --- |\n");
    between(10, 10, 4, 1.0, false, trials);
    between(10, 40, 4, 1.0, false, trials);
    between(10, 40, 4, 3.0, false, trials);
    between(40, 10, 4, 3.0, false, trials);
    between(10, 20, 8, 1.0, true, trials);
}

int main(int argc, char **argv)
{
    int64_t trials = 2000;
    if (argc > 2 ||
        (argc == 2 && (!xa_parse_i64(argv[1], &trials) || trials < 4 || trials > 1000000))) {
        fprintf(stderr, "usage: coverage [trials, 4 to 1000000]\n");
        return 2;
    }
    printf(
        "# Coverage of the 95 %% intervals, and errors of the tests\n\n"
        "Made by `build/tests/bench/coverage %lld > results/coverage.md` (cmake -DXAUDIT_BENCH=ON) "
        "from %lld\nsimulated data sets a row; %d replicates an interval. A rate whose clusters "
        "are nearly all 0 or 1, and\nfewer than %d clusters, have no interval (\"too few "
        "groups\"): "
        "`shown` is how often there was one, and the\nnext two columns how often it held the true "
        "value then, and how often a shown one missed it, of all.\nWilson: how often the rate was "
        "of "
        "single units, or all were hits or misses, so that Wilson's interval stood in.\n\n",
        (long long)trials,
        (long long)trials,
        REPLICATES,
        XA_STATS_LEAST_GROUPS);
    intervals((int)trials);
    tests((int)trials);
    cost();
    return 0;
}
