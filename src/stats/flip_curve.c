/* Sign flips of differences of figures over thresholds: a turned cluster gives its counts of a to b
 * and its counts of b to a. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

enum {
    MOST_COUNTED = 17, /* groups of which all 2^(G-1) ways are counted */
    TOGETHER = 8       /* ways that share a pass over the counts */
};

xa_status xa__flip_init(xa__flip_counts *c, int64_t nclusters, int64_t width, xa_err *err)
{
    size_t size = 0;
    *c = (xa__flip_counts){.nclusters = nclusters, .width = width};
    if (xa_size_mul((size_t)nclusters, (size_t)width, &size))
        c->less = xa_alloc(size, sizeof *c->less);
    c->a = xa_alloc((size_t)width, sizeof *c->a);
    c->b = xa_alloc((size_t)width, sizeof *c->b);
    if (!c->less || !c->a || !c->b)
        XA_RETURN_FAIL(err,
                       XA_NOMEM,
                       "sign flips: out of memory for %" PRId64 " clusters of %" PRId64 " counts",
                       nclusters,
                       width);
    return XA_OK;
}

void xa__flip_fini(xa__flip_counts *c)
{
    free(c->less);
    free(c->a);
    free(c->b);
}

/* Clusters that are alike in a and b change nothing: the others move to the front. */
static void drop_alike(xa__flip_counts *c)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < c->nclusters; k++) {
        int32_t *row = c->less + k * c->width;
        bool alike = true;
        for (int64_t i = 0; i < c->width && alike; i++)
            alike = row[i] == 0;
        if (alike)
            continue;
        if (kept < k)
            memcpy(c->less + kept * c->width, row, (size_t)c->width * sizeof *row);
        kept++;
    }
    c->nclusters = kept;
}

/* Size of the difference where `turned` has moved from a to b. */
static double size_of(const xa__flip_counts *c, const double *turned, double *a, double *b)
{
    for (int64_t i = 0; i < c->width; i++) {
        a[i] = c->a[i] - turned[i];
        b[i] = c->b[i] + turned[i];
    }
    return fabs(c->figure(c->rule_a, a, c->units) - c->figure(c->rule_b, b, c->units));
}

static void add(double *restrict to, const int32_t *restrict from, double times, int64_t width)
{
    for (int64_t i = 0; i < width; i++)
        to[i] += times * (double)from[i];
}

/* Gray's code; the last cluster stays, for the other half of the ways are mirror images. */
static double counted(const xa__flip_counts *c, double seen, double *turned, double *a, double *b)
{
    const int64_t ways = INT64_C(1) << (c->nclusters - 1);
    int64_t reached = 0;
    bool down[MOST_COUNTED] = {false};
    for (int64_t w = 1;; w++) {
        reached += size_of(c, turned, a, b) >= seen ? 1 : 0;
        if (w == ways)
            break;
        int k = 0;
        while (!(w >> k & 1))
            k++;
        add(turned, c->less + k * c->width, down[k] ? -1.0 : 1.0, c->width);
        down[k] = !down[k];
    }
    return (double)reached / (double)ways;
}

static void random_ways(const xa_stats_plan *plan,
                        const xa__flip_counts *c,
                        double seen,
                        int64_t upto,
                        double *turned,
                        double *a,
                        double *b,
                        xa_test *t)
{
    const int64_t calls = (c->nclusters + 127) / 128;
    for (int64_t r = t->replicates; r < upto; r += TOGETHER) {
        const int64_t left = upto - r, now = left < TOGETHER ? left : TOGETHER;
        uint32_t bits[TOGETHER][4];
        memset(turned, 0, (size_t)(TOGETHER * c->width) * sizeof *turned);
        for (int64_t k = 0; k < c->nclusters; k++)
            for (int64_t j = 0; j < now; j++) {
                if (k % 128 == 0)
                    xa_philox(
                        plan->seed, plan->stream, (uint64_t)((r + j) * calls + k / 128), bits[j]);
                if (bits[j][k % 128 / 32] >> k % 32 & 1)
                    add(turned + j * c->width, c->less + k * c->width, 1.0, c->width);
            }
        for (int64_t j = 0; j < now; j++)
            t->reached += size_of(c, turned + j * c->width, a, b) >= seen ? 1 : 0;
    }
    t->replicates = upto > t->replicates ? upto : t->replicates;
    t->p = (double)(t->reached + 1) / (double)(t->replicates + 1);
}

xa_status xa__flip_curves(
    const xa_stats_plan *plan, xa__flip_counts *c, int64_t upto, xa_test *t, xa_err *err)
{
    xa_status st = XA_OK;
    double *turned = xa_alloc((size_t)c->width, TOGETHER * sizeof *turned);
    double *a = xa_alloc((size_t)c->width, sizeof *a), *b = xa_alloc((size_t)c->width, sizeof *b);
    if (!turned || !a || !b)
        XA_FAIL(err, XA_NOMEM, "sign flips: out of memory for %" PRId64 " counts", c->width);
    drop_alike(c);
    t->groups = c->nclusters;
    t->least = t->groups ? ldexp(1.0, t->groups < 1000 ? 1 - (int)t->groups : -1000) : 1.0;
    const double seen = size_of(c, turned, a, b) - 1e-12;
    t->exact = isnan(seen) || c->nclusters <= MOST_COUNTED;
    if (isnan(seen))
        t->p = NAN;
    else if (c->nclusters == 0)
        t->p = 1.0;
    else if (t->exact)
        t->p = counted(c, seen, turned, a, b);
    else
        random_ways(plan, c, seen, upto, turned, a, b, t);
done:
    free(turned);
    free(a);
    free(b);
    return st;
}
