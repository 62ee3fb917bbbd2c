/* k-means, from k-means++ (Arthur and Vassilvitskii 2007). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/cluster.h"

enum { STARTS = 10, STEPS = 300 };

typedef struct task {
    const double *y;
    int64_t n, d;
    int k;
    double *centre;  /* [k,d] */
    double *least;   /* [n] squared distance to the nearest centre */
    int32_t *number; /* [n] */
    int64_t *size;   /* [k] */
} task;

static double apart(const double *a, const double *b, int64_t d)
{
    double sum = 0.0;
    for (int64_t i = 0; i < d; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The first centre is any row, each further one a row drawn by its squared distance to those
 * chosen. */
static void begin(task *t, uint64_t seed, uint64_t stream)
{
    for (int c = 0; c < t->k; c++) {
        int64_t chosen = xa_random_below(seed, stream, (uint64_t)c, t->n);
        double sum = 0.0;
        for (int64_t i = 0; c && i < t->n; i++)
            sum += t->least[i];
        if (sum > 0.0) {
            double left = xa_random_unit(seed, stream, (uint64_t)c) * sum;
            for (chosen = 0; chosen < t->n - 1 && left >= t->least[chosen]; chosen++)
                left -= t->least[chosen];
        }
        memcpy(t->centre + c * t->d, t->y + chosen * t->d, (size_t)t->d * sizeof *t->centre);
        for (int64_t i = 0; i < t->n; i++) {
            const double far = apart(t->y + i * t->d, t->centre + c * t->d, t->d);
            if (c == 0 || far < t->least[i])
                t->least[i] = far;
        }
    }
}

/* Gives each row to its nearest centre; whether a row moved. */
static bool assign(task *t)
{
    bool moved = false;
    memset(t->size, 0, (size_t)t->k * sizeof *t->size);
    for (int64_t i = 0; i < t->n; i++) {
        int32_t best = 0;
        t->least[i] = apart(t->y + i * t->d, t->centre, t->d);
        for (int32_t c = 1; c < t->k; c++) {
            const double far = apart(t->y + i * t->d, t->centre + c * t->d, t->d);
            if (far < t->least[i]) {
                t->least[i] = far;
                best = c;
            }
        }
        moved = moved || t->number[i] != best;
        t->number[i] = best;
        t->size[best]++;
    }
    for (int32_t c = 0; c < t->k; c++)
        if (!t->size[c]) {
            int64_t far = -1;
            for (int64_t i = 0; i < t->n; i++)
                if (t->size[t->number[i]] > 1 && (far < 0 || t->least[i] > t->least[far]))
                    far = i;
            if (far < 0)
                continue;
            t->size[t->number[far]]--;
            t->number[far] = c;
            t->size[c] = 1;
            t->least[far] = 0.0;
            moved = true;
        }
    return moved;
}

static void average(task *t)
{
    memset(t->centre, 0, (size_t)(t->k * t->d) * sizeof *t->centre);
    for (int64_t i = 0; i < t->n; i++)
        for (int64_t j = 0; j < t->d; j++)
            t->centre[t->number[i] * t->d + j] += t->y[i * t->d + j];
    for (int c = 0; c < t->k; c++)
        for (int64_t j = 0; j < t->d && t->size[c]; j++)
            t->centre[c * t->d + j] /= (double)t->size[c];
}

/* The rank of cluster c: how many are larger, or as large and begin earlier. */
static int32_t rank_of(const task *t, const int64_t *first, int c)
{
    int32_t rank = 0;
    for (int o = 0; o < t->k; o++)
        rank += t->size[o] > t->size[c] || (t->size[o] == t->size[c] && first[o] < first[c]);
    return rank;
}

static void number_by_size(const task *t, int64_t *first, int32_t *out)
{
    for (int c = 0; c < t->k; c++)
        first[c] = t->n + c;
    for (int64_t i = t->n - 1; i >= 0; i--)
        first[t->number[i]] = i;
    for (int64_t i = 0; i < t->n; i++)
        out[i] = rank_of(t, first, t->number[i]);
}

xa_status xa_cluster_means(const double *y,
                           int64_t n,
                           int64_t d,
                           int clusters,
                           uint64_t seed,
                           int32_t *number,
                           double *distance,
                           xa_err *err)
{
    xa_status st = XA_OK;
    task t = {.y = y, .n = n, .d = d, .k = clusters};
    double best = INFINITY;
    int64_t *first = xa_alloc((size_t)clusters + 1, sizeof *first);
    t.centre = xa_alloc((size_t)(clusters * d) + 1, sizeof *t.centre);
    t.least = xa_alloc((size_t)n + 1, sizeof *t.least);
    t.number = xa_alloc((size_t)n + 1, sizeof *t.number);
    t.size = xa_alloc((size_t)clusters + 1, sizeof *t.size);
    if (!first || !t.centre || !t.least || !t.number || !t.size)
        XA_NOMEM_FAIL(err);
    if (clusters < 1 || clusters > n)
        XA_FAIL(err, XA_INVALID, "clusters: %d of %lld maps", clusters, (long long)n);
    for (uint32_t start = 0; start < STARTS; start++) {
        double sum = 0.0;
        begin(&t, seed, xa_random_stream((xa_purpose)XA_CLUSTER_PURPOSE, start));
        memset(t.number, 0xff, (size_t)n * sizeof *t.number);
        for (int step = 0; step < STEPS && assign(&t); step++)
            average(&t);
        for (int64_t i = 0; i < n; i++)
            sum += t.least[i];
        /* a start is better by more than rounding, or it is not better */
        if (sum < best * (1.0 - 1e-9) - 1e-12 || start == 0) {
            best = sum;
            number_by_size(&t, first, number);
            for (int64_t i = 0; i < n; i++)
                distance[i] = sqrt(t.least[i]);
        }
    }
done:
    free(first);
    free(t.centre);
    free(t.least);
    free(t.number);
    free(t.size);
    return st;
}
