/* Agreement of two maps of one image on the coarser of their grids. */
#include "metric_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct cell {
    uint32_t key;
    int32_t at;
} cell;

static int by_key(const void *a, const void *b)
{
    const cell *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* rank: 1..n, tied cells have their average. top: 1 for the k largest cells, 0 for others; cells
 * that tie at the k-th place share what is left of k. */
static void ranks(const float *v, int64_t n, int64_t k, cell *c, double *rank, double *top)
{
    for (int64_t i = 0; i < n; i++)
        c[i] = (cell){xa__key(v[i]), (int32_t)i};
    qsort(c, (size_t)n, sizeof *c, by_key);
    for (int64_t first = 0, end; first < n; first = end) {
        end = first + 1;
        while (end < n && c[end].key == c[first].key)
            end++;
        const int64_t above = n - end; /* cells that are larger */
        double share = (double)(k - above) / (double)(end - first);
        share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
        for (int64_t i = first; i < end; i++) {
            rank[c[i].at] = 0.5 * (double)(first + end + 1);
            top[c[i].at] = share;
        }
    }
}

static double correlation(const double *a, const double *b, int64_t n)
{
    const double mean = 0.5 * (double)(n + 1);
    double ab = 0.0, aa = 0.0, bb = 0.0;
    for (int64_t i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : NAN;
}

static double top_iou(const double *a, const double *b, int64_t n)
{
    double both = 0.0, any = 0.0;
    for (int64_t i = 0; i < n; i++) {
        both += a[i] < b[i] ? a[i] : b[i];
        any += a[i] > b[i] ? a[i] : b[i];
    }
    return any > 0.0 ? both / any : NAN;
}

static int64_t largest(const float *v, int64_t n)
{
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[at])
            at = i;
    return at;
}

static int64_t least3(int64_t a, int64_t b, int64_t c)
{
    return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

static bool neighbours(int64_t a, int64_t b, int64_t w)
{
    return llabs(a % w - b % w) <= 1 && llabs(a / w - b / w) <= 1;
}

xa_status xa_agreement(const xa_score_map *a,
                       const xa_score_map *b,
                       double out[XA_AGREEMENT_COUNT],
                       xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t h = least3(a->height, b->height, XA_AGREEMENT_SIDE);
    const int64_t w = least3(a->width, b->width, XA_AGREEMENT_SIDE), n = h * w;
    const int64_t na = a->height * a->width, nb = b->height * b->width;
    float *va = NULL, *vb = NULL, *full = NULL;
    double *rank = NULL;
    cell *cells = NULL;
    for (int k = 0; k < XA_AGREEMENT_COUNT; k++)
        out[k] = NAN;
    if (a->degenerate || a->nonfinite || b->degenerate || b->nonfinite)
        return XA_OK;
    va = xa_alloc((size_t)n, sizeof *va);
    vb = xa_alloc((size_t)n, sizeof *vb);
    full = xa_alloc((size_t)(na > nb ? na : nb), sizeof *full);
    rank = xa_alloc((size_t)n * 4, sizeof *rank);
    cells = xa_alloc((size_t)n, sizeof *cells);
    if (!va || !vb || !full || !rank || !cells)
        XA_FAIL(err, XA_NOMEM, "agreement: out of memory for grids of %" PRId64 " cells", n);
    xa__reduce_channels(a, full);
    xa__area_mean(full, a->height, a->width, va, h, w);
    xa__reduce_channels(b, full);
    xa__area_mean(full, b->height, b->width, vb, h, w);
    const int64_t k = n / 10 > 0 ? n / 10 : 1;
    ranks(va, n, k, cells, rank, rank + n);
    ranks(vb, n, k, cells, rank + 2 * n, rank + 3 * n);
    out[XA_AGREEMENT_SPEARMAN] = correlation(rank, rank + 2 * n, n);
    out[XA_AGREEMENT_TOP_IOU] = top_iou(rank + n, rank + 3 * n, n);
    out[XA_AGREEMENT_POINTING] = neighbours(largest(va, n), largest(vb, n), w) ? 1.0 : 0.0;
done:
    free(va);
    free(vb);
    free(full);
    free(rank);
    free(cells);
    return st;
}
