/* Sign flips of a mean of paired differences.
 *
 * Only the size of what each cluster adds to the mean counts, for its sign is what is flipped: the
 * sizes are sorted, so that no order of clusters or units can show. They become whole parts of 2^52
 * of their sum: sums of them are exact in any order; ways that tie with what was seen but for
 * rounding count as reached. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

enum {
    MOST_COUNTED = 20, /* groups of which all 2^(G-1) ways are counted */
    SLICE = 4,         /* groups looked up together */
    WAYS = 1 << SLICE,
    CHEAP = 20000000 /* lookups that take some hundredths of a second */
};
#define PARTS 0x1p52
#define TIES INT64_C(4096) /* sums that differ by fewer parts are equal but for rounding */

/* Groups that differ, ascending by size. */
typedef struct sizes {
    double *size;
    int64_t *parts;
    int64_t n, seen; /* seen: absolute value of the observed sum, in parts, less rounding */
    double all, signed_all;
} sizes;

static int by_size(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* n: at least 1. */
static xa_status sizes_init(sizes *z, double *contribution, int64_t n, xa_err *err)
{
    double up = 0.0, down = 0.0;
    *z = (sizes){.size = contribution};
    qsort(contribution,
          (size_t)n,
          sizeof *contribution,
          by_size);                                          /* so that sums do not depend on it */
    if (fmax(-contribution[0], contribution[n - 1]) > 1e290) /* keeps their sum finite */
        for (int64_t i = 0; i < n; i++)
            contribution[i] *= 0x1p-64;
    for (int64_t i = 0; i < n; i++) {
        down += contribution[i] < 0.0 ? -contribution[i] : 0.0;
        up += contribution[i] > 0.0 ? contribution[i] : 0.0;
    }
    z->all = up + down;
    z->signed_all = fabs(up - down);
    for (int64_t i = 0; i < n; i++)
        if (fabs(contribution[i]) > 1e-15 * z->all) /* a smaller one is the rounding of a tie */
            z->size[z->n++] = fabs(contribution[i]);
    z->parts = xa_alloc((size_t)z->n + 1, sizeof *z->parts);
    if (!z->parts)
        XA_RETURN_FAIL(err, XA_NOMEM, "sign flips: out of memory for %" PRId64 " groups", z->n);
    qsort(z->size, (size_t)z->n, sizeof *z->size, by_size);
    for (int64_t i = 0; i < z->n; i++)
        z->parts[i] = llround(z->size[i] / z->all * PARTS);
    if (z->n > 0)
        z->seen = llround(z->signed_all / z->all * PARTS) - TIES - z->n;
    return XA_OK;
}

/* ---- all ways ---- */

/* Whole numbers: the distribution of the sum of the groups turned up is built group by group. */
static bool is_whole(const sizes *z)
{
    for (int64_t i = 0; i < z->n; i++)
        if (z->size[i] != floor(z->size[i]))
            return false;
    return z->all <= 0x1p24 && z->all * (double)z->n <= 4e8;
}

static xa_status whole(const sizes *z, double *p, xa_err *err)
{
    const int64_t all = (int64_t)z->all;
    const int64_t least = (int64_t)(z->all + z->signed_all) / 2; /* 2 up - all >= seen */
    double *from = xa_alloc((size_t)all + 1, sizeof *from);
    double *to = xa_alloc((size_t)all + 1, sizeof *to), sum = 0.0;
    int64_t reach = 0;
    if (!from || !to) {
        free(from);
        free(to);
        XA_RETURN_FAIL(err, XA_NOMEM, "sign flips: out of memory for sums up to %" PRId64, all);
    }
    from[0] = 1.0;
    for (int64_t i = 0; i < z->n; i++) {
        const int64_t d = (int64_t)z->size[i];
        memset(from + reach + 1, 0, (size_t)d * sizeof *from);
        reach += d;
        for (int64_t s = 0; s < d; s++)
            to[s] = 0.5 * from[s];
        for (int64_t s = d; s <= reach; s++)
            to[s] = 0.5 * (from[s] + from[s - d]);
        double *swap = from;
        from = to;
        to = swap;
    }
    for (int64_t s = all; s >= least; s--) /* smallest first */
        sum += from[s];
    *p = z->signed_all == 0.0 ? 1.0 : fmin(1.0, 2.0 * sum);
    free(from);
    free(to);
    return XA_OK;
}

/* Gray's code: each way turns one group more than the last. The largest group stays: the other half
 * of the ways are mirror images. */
static double counted(const sizes *z)
{
    const int64_t ways = INT64_C(1) << (z->n - 1);
    int64_t sum = 0, reached = 0;
    bool down[MOST_COUNTED] = {false};
    for (int64_t i = 0; i < z->n; i++)
        sum += z->parts[i];
    for (int64_t w = 1;; w++) {
        reached += (sum < 0 ? -sum : sum) >= z->seen ? 1 : 0;
        if (w == ways)
            break;
        int k = 0;
        while (!(w >> k & 1))
            k++;
        sum += down[k] ? 2 * z->parts[k] : -2 * z->parts[k];
        down[k] = !down[k];
    }
    return (double)reached / (double)ways;
}

/* ---- random ways ---- */

static xa_status
random_ways(const xa_stats_plan *plan, const sizes *z, int64_t upto, xa_test *t, xa_err *err)
{
    const int64_t slices = (z->n + SLICE - 1) / SLICE, calls = (z->n + 127) / 128;
    const int64_t cheap = CHEAP / slices < 99999 ? CHEAP / slices : 99999;
    upto = upto > cheap ? upto : cheap;
    int64_t(*sum)[WAYS] = xa_alloc((size_t)slices, sizeof *sum);
    if (!sum)
        XA_RETURN_FAIL(err, XA_NOMEM, "sign flips: out of memory for %" PRId64 " groups", z->n);
    for (int64_t i = 0; i < z->n; i++)
        for (int w = 0; w < WAYS; w++)
            sum[i / SLICE][w] += w >> i % SLICE & 1 ? z->parts[i] : -z->parts[i];
    for (int64_t r = t->replicates; r < upto; r++) {
        int64_t all = 0, at = 0;
        for (int64_t c = 0; c < calls; c++) {
            uint32_t bits[4];
            xa_philox(plan->seed, plan->stream, (uint64_t)(r * calls + c), bits);
            for (int k = 0; k < 32 && at < slices; k++, at++)
                all += sum[at][bits[k / 8] >> k % 8 * SLICE & (WAYS - 1)];
        }
        t->reached += (all < 0 ? -all : all) >= z->seen ? 1 : 0;
    }
    t->replicates = upto > t->replicates ? upto : t->replicates;
    t->p = (double)(t->reached + 1) / (double)(t->replicates + 1);
    free(sum);
    return XA_OK;
}

xa_status xa__flip_sums(const xa_stats_plan *plan,
                        double *contribution,
                        int64_t n,
                        int64_t upto,
                        xa_test *t,
                        xa_err *err)
{
    xa_status st = XA_OK;
    sizes z = {0};
    if (t->exact)
        return XA_OK;
    if (n == 0) {
        *t = (xa_test){.p = NAN, .exact = true, .least = 1.0};
        return XA_OK;
    }
    XA_TRY(err, sizes_init(&z, contribution, n, err));
    t->groups = z.n;
    t->least = z.n ? ldexp(1.0, z.n < 1000 ? 1 - (int)z.n : -1000) : 1.0;
    t->exact = true;
    if (z.n == 0)
        t->p = 1.0;
    else if (is_whole(&z))
        XA_TRY(err, whole(&z, &t->p, err));
    else if (z.n <= MOST_COUNTED)
        t->p = counted(&z);
    else {
        t->exact = false;
        XA_TRY(err, random_ways(plan, &z, upto, t, err));
    }
    t->p = fmax(t->p, t->least); /* a smaller sum than a double can hold is 0 */
done:
    free(z.parts);
    return st;
}

xa_status xa_stats_flip(const xa_stats_plan *plan,
                        int64_t n,
                        const double *a,
                        const double *b,
                        const int64_t *group,
                        const int64_t *class_of,
                        int64_t upto,
                        xa_test *t,
                        xa_err *err)
{
    xa_status st = XA_OK;
    double *contribution = NULL;
    int64_t clusters;
    XA_RETURN_TRY(err, xa__plan_check(plan, n, err));
    double *d = xa_alloc((size_t)n + 1, sizeof *d);
    if (!d)
        XA_FAIL(err, XA_NOMEM, "sign flips: out of memory for %" PRId64 " units", n);
    for (int64_t i = 0; i < n; i++)
        d[i] = xa__difference(a[i], b[i]);
    XA_TRY(err, xa__contributions(n, d, group, class_of, &contribution, &clusters, err));
    XA_TRY(err, xa__flip_sums(plan, contribution, clusters, upto, t, err));
done:
    free(contribution);
    free(d);
    return st;
}
