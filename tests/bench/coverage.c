/* How often the intervals of xaudit hold the true value, by simulation; prints results/coverage.md.
 *
 *   build/tests/bench/coverage [trials] > results/coverage.md
 *
 * Hits are drawn with probability p. Clustered: each of 10 clusters first draws its own rate, 0
 * with probability (1-p)/2, 1 with p/2, else p, so that the mean stays p and images of one cluster
 * agree. The last table is their cost: CPU seconds of 10,000 units and 1000 replicates.
 */
#include <stdio.h>
#include <stdlib.h>

#include "xaudit/stats.h"

enum { MOST = 200, REPLICATES = 1000, CLUSTERS = 10, UNITS = 10000, LEVELS = 3 };

static double hit(double p, uint64_t stream, int i)
{
    return xa_random_unit(1, stream, (uint64_t)i) < p ? 1.0 : 0.0;
}

static double cluster_rate(double p, uint64_t stream, int cluster)
{
    double u = xa_random_unit(2, stream, (uint64_t)cluster);
    if (u < (1.0 - p) / 2.0)
        return 0.0;
    return u < 0.5 ? 1.0 : p;
}

/* One row of the table; grouped: the interval knows the clusters. */
static int row(int n, double p, bool clustered, bool grouped, int trials)
{
    double x[MOST];
    int64_t group[MOST];
    int held = 0;
    int wilson = 0;
    double width = 0.0;
    for (int t = 0; t < trials; t++) {
        xa_stats_plan plan = {
            .seed = 3, .stream = (uint64_t)t, .replicates = REPLICATES, .level = 0.95};
        xa_interval f;
        xa_err err = XA_ERR_INIT;
        for (int i = 0; i < n; i++) {
            group[i] = i % CLUSTERS;
            double rate = clustered ? cluster_rate(p, (uint64_t)t, i % CLUSTERS) : p;
            x[i] = hit(rate, (uint64_t)t, i);
        }
        if (xa_stats_mean(&plan, n, x, grouped ? group : NULL, NULL, &f, &err) != XA_OK) {
            fprintf(stderr, "coverage: %s\n", err.message);
            return 1;
        }
        held += f.low <= p && p <= f.high ? 1 : 0;
        wilson += f.kind == XA_INTERVAL_WILSON ? 1 : 0;
        width += f.high - f.low;
    }
    printf("| %d | %.2f | %s | %s | %.1f %% | %.3f | %.1f %% |\n",
           n,
           p,
           clustered ? "10 clusters" : "independent",
           grouped ? "cluster" : "unit",
           100.0 * held / trials,
           width / trials,
           100.0 * wilson / trials);
    return 0;
}

static int cost(void)
{
    static double a[UNITS], b[UNITS];
    static uint8_t bits[UNITS * LEVELS * XA_STATS_HIT_BYTES];
    static uint32_t histogram[UNITS * 2 * XA_STATS_BINS];
    const xa_stats_plan plan = {.seed = 1, .replicates = REPLICATES, .level = 0.95};
    const xa_hits h = {.n = UNITS, .levels = LEVELS, .bits = bits};
    xa_interval f;
    xa_paired d;
    xa_err err = XA_ERR_INIT;
    for (int i = 0; i < UNITS; i++) {
        a[i] = xa_random_unit(4, 0, (uint64_t)i);
        b[i] = xa_random_unit(4, 1, (uint64_t)i);
    }
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)xa_random_below(4, 2, i, 256);
    for (size_t i = 0; i < sizeof histogram / sizeof *histogram; i++)
        histogram[i] = (uint32_t)xa_random_below(4, 3, i, 1000);
    double start = xa_cpu_time();
    xa_status st = xa_stats_paired(&plan, UNITS, a, b, NULL, NULL, &d, &err);
    double paired = xa_cpu_time();
    if (st == XA_OK)
        st = xa_stats_box_accuracy(&plan, &h, NULL, NULL, &f, &err);
    double box = xa_cpu_time();
    if (st == XA_OK)
        st = xa_stats_pxap(&plan, UNITS, histogram, NULL, NULL, &f, &err);
    double end = xa_cpu_time();
    if (st != XA_OK) {
        fprintf(stderr, "coverage: %s\n", err.message);
        return 1;
    }
    printf(
        "\n| 10,000 units, each its own cluster, 1000 replicates | CPU seconds |\n| --- | --- |\n"
        "| paired difference | %.2f |\n| MaxBoxAccV2 (3 levels) | %.2f |\n| PxAP | %.2f |\n",
        paired - start,
        box - paired,
        end - box);
    return 0;
}

int main(int argc, char **argv)
{
    static const int ns[] = {20, 50, 200};
    static const double ps[] = {0.5, 0.95};
    int64_t trials = 2000;
    int failed = 0;
    if (argc > 2 ||
        (argc == 2 && (!xa_parse_i64(argv[1], &trials) || trials < 1 || trials > 1000000))) {
        fprintf(stderr, "usage: coverage [trials, 1 to 1000000]\n");
        return 2;
    }
    printf("# Coverage of the 95 %% intervals\n\n"
           "Made by `build/tests/bench/coverage %lld > results/coverage.md` (cmake -DXA_BENCH=ON): "
           "the\n"
           "share of %lld simulated data sets whose interval holds the true rate p; %d replicates "
           "each.\n"
           "Wilson: how often all were hits or all misses, so that Wilson's interval stood in.\n\n"
           "| n | p | data | resampled | coverage | mean width | Wilson |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n",
           (long long)trials,
           (long long)trials,
           REPLICATES);
    for (int clustered = 0; clustered < 2; clustered++)
        for (int grouped = 0; grouped <= clustered; grouped++)
            for (int i = 0; i < 6; i++)
                failed |= row(ns[i / 2], ps[i % 2], clustered, grouped, (int)trials);
    return failed | cost();
}
