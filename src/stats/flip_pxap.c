/* Sign flips of a difference of PxAP: a turned cluster gives its counts of a to b and its counts of
 * b to a, and every way computes both figures anew from the sums. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curve_internal.h"

enum {
    WIDTH = 2 * XA_STATS_BINS, /* counts of a cluster */
    MOST_COUNTED = 17,         /* groups of which all 2^(G-1) ways are counted */
    TOGETHER = 8               /* ways that share a pass over the counts */
};

/* Counts of two sides: their sums, and by how much each cluster's a exceeds its b. */
typedef struct sides {
    int64_t nclusters;
    double *a, *b; /* [WIDTH] */
    int32_t *less; /* [nclusters, WIDTH] */
    double units;
} sides;

static xa_status sides_init(sides *c, int64_t nclusters, xa_err *err)
{
    size_t size = 0;
    *c = (sides){.nclusters = nclusters};
    if (xa_size_mul((size_t)nclusters, WIDTH, &size))
        c->less = xa_alloc(size, sizeof *c->less);
    c->a = xa_alloc(WIDTH, sizeof *c->a);
    c->b = xa_alloc(WIDTH, sizeof *c->b);
    if (!c->less || !c->a || !c->b)
        XA_RETURN_FAIL(
            err, XA_NOMEM, "out of memory for the pixel counts of %" PRId64 " clusters", nclusters);
    return XA_OK;
}

static void sides_fini(sides *c)
{
    free(c->less);
    free(c->a);
    free(c->b);
}

/* Clusters that are alike in a and b change no figure: only the others are kept. */
static void drop_alike(sides *c)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < c->nclusters; k++) {
        int32_t *row = c->less + k * WIDTH;
        bool alike = true;
        for (int64_t i = 0; i < WIDTH && alike; i++)
            alike = row[i] == 0;
        if (alike)
            continue;
        if (kept < k)
            memcpy(c->less + kept * WIDTH, row, WIDTH * sizeof *row);
        kept++;
    }
    c->nclusters = kept;
}

/* Size of the difference after the counts `turned` have moved from a to b. */
static double size_of(const sides *c, const double *turned, double *a, double *b)
{
    for (int64_t i = 0; i < WIDTH; i++) {
        a[i] = c->a[i] - turned[i];
        b[i] = c->b[i] + turned[i];
    }
    return fabs(xa__ap_figure(NULL, a, c->units) - xa__ap_figure(NULL, b, c->units));
}

static void add(double *restrict to, const int32_t *restrict from, double times)
{
    for (int64_t i = 0; i < WIDTH; i++)
        to[i] += times * (double)from[i];
}

/* In the order of Gray's code, which turns one cluster at a time. The last cluster is never turned:
 * the other half of the ways are mirror images. */
static double counted(const sides *c, double seen, double *turned, double *a, double *b)
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
        add(turned, c->less + k * WIDTH, down[k] ? -1.0 : 1.0);
        down[k] = !down[k];
    }
    return (double)reached / (double)ways;
}

static void random_ways(const xa_stats_plan *plan,
                        const sides *c,
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
        memset(turned, 0, (size_t)(TOGETHER * WIDTH) * sizeof *turned);
        for (int64_t k = 0; k < c->nclusters; k++)
            for (int64_t j = 0; j < now; j++) {
                if (k % 128 == 0)
                    xa_philox(
                        plan->seed, plan->stream, (uint64_t)((r + j) * calls + k / 128), bits[j]);
                if (bits[j][k % 128 / 32] >> k % 32 & 1)
                    add(turned + j * WIDTH, c->less + k * WIDTH, 1.0);
            }
        for (int64_t j = 0; j < now; j++)
            t->reached += size_of(c, turned + j * WIDTH, a, b) >= seen ? 1 : 0;
    }
    t->replicates = upto > t->replicates ? upto : t->replicates;
    t->p = (double)(t->reached + 1) / (double)(t->replicates + 1);
}

/* The clusters that are alike are dropped. */
static xa_status flip(const xa_stats_plan *plan, sides *c, int64_t upto, xa_test *t, xa_err *err)
{
    xa_status st = XA_OK;
    double *turned = xa_alloc(WIDTH, TOGETHER * sizeof *turned);
    double *a = xa_alloc(WIDTH, sizeof *a), *b = xa_alloc(WIDTH, sizeof *b);
    if (!turned || !a || !b)
        XA_NOMEM_FAIL(err);
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

static xa_status
add_unit(sides *c, int64_t cluster, const uint32_t *a, const uint32_t *b, xa_err *err)
{
    int32_t *less = c->less + cluster * WIDTH;
    c->units += 1.0;
    for (int64_t i = 0; i < WIDTH; i++) {
        const int64_t sum = less[i] + (int64_t)a[i] - (int64_t)b[i];
        if (sum > INT32_MAX || sum < -INT32_MAX)
            XA_RETURN_FAIL(err, XA_LIMIT, "PxAP: a group of more than %d pixels", INT32_MAX);
        c->a[i] += (double)a[i];
        c->b[i] += (double)b[i];
        less[i] = (int32_t)sum;
    }
    return XA_OK;
}

xa_status xa_stats_flip_pxap(const xa_stats_plan *plan,
                             int64_t n,
                             const uint32_t *a,
                             const uint32_t *b,
                             const bool *defined_a,
                             const bool *defined_b,
                             const int64_t *group,
                             int64_t upto,
                             xa_test *t,
                             xa_err *err)
{
    xa_status st = XA_OK;
    sides c = {0};
    int64_t *of = NULL, k = 0;
    XA_TRY(err, xa__plan_check(plan, n, err));
    if (t->exact)
        goto done;
    t->p = NAN;
    t->exact = true;
    XA_TRY(err, xa__both_clusters(n, defined_a, defined_b, group, &of, &k, NULL, err));
    if (k == 0)
        goto done;
    XA_TRY(err, sides_init(&c, k, err));
    for (int64_t i = 0; i < n; i++)
        if (of[i] >= 0)
            XA_TRY(err, add_unit(&c, of[i], a + i * WIDTH, b + i * WIDTH, err));
    XA_TRY(err, flip(plan, &c, upto, t, err));
done:
    sides_fini(&c);
    free(of);
    return st;
}
