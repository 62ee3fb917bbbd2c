/* Wilson's interval, Holm's adjustment, Spearman's correlation. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "stats_internal.h"

void xa_stats_wilson(double hits, double n, double level, double *low, double *high)
{
    *low = *high = NAN;
    if (!(n > 0.0 && hits >= 0.0 && hits <= n && level > 0.0 && level < 1.0))
        return;
    double z = xa__normal_two_sided(1.0 - level);
    double p = hits / n;
    double scale = 1.0 + z * z / n;
    double centre = (p + z * z / (2.0 * n)) / scale;
    double half = z * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / scale;
    *low = hits == 0.0 ? 0.0 : fmax(0.0, centre - half);
    *high = hits == n ? 1.0 : fmin(1.0, centre + half);
}

typedef struct ranked {
    double value;
    int64_t at;
} ranked;

static int by_value(const void *pa, const void *pb)
{
    const ranked *a = pa;
    const ranked *b = pb;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

xa_status xa_stats_holm(int64_t n, const double *p, double *adjusted, xa_err *err)
{
    if (n < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "Holm's adjustment: %" PRId64 " values", n);
    ranked *r = xa_alloc((size_t)n + 1, sizeof *r);
    if (!r)
        XA_RETURN_FAIL(err, XA_NOMEM, "Holm's adjustment: out of memory for %" PRId64, n);
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isnan(p[i]))
            r[m++] = (ranked){p[i], i};
        else
            adjusted[i] = NAN;
    }
    qsort(r, (size_t)m, sizeof *r, by_value);
    double most = 0.0;
    for (int64_t i = 0; i < m; i++) {
        most = fmax(most, fmin(1.0, (double)(m - i) * r[i].value));
        adjusted[r[i].at] = most;
    }
    free(r);
    return XA_OK;
}

/* Twice the average rank of each value, minus (m + 1): whole numbers that sum to 0. */
static void centred_ranks(const double *x, int64_t m, ranked *r, double *rank)
{
    for (int64_t i = 0; i < m; i++)
        r[i] = (ranked){x[i], i};
    qsort(r, (size_t)m, sizeof *r, by_value);
    for (int64_t i = 0; i < m;) {
        int64_t j = i;
        while (j < m && r[j].value == r[i].value)
            j++;
        for (int64_t k = i; k < j; k++)
            rank[r[k].at] = (double)(i + 1 + j - (m + 1));
        i = j;
    }
}

xa_status xa_stats_spearman(int64_t n, const double *x, const double *y, double *rho, xa_err *err)
{
    if (n < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "Spearman's correlation: %" PRId64 " pairs", n);
    xa_status st = XA_OK;
    ranked *r = xa_alloc((size_t)n + 1, sizeof *r);
    double *u = xa_alloc((size_t)n + 1, sizeof *u);
    double *v = xa_alloc((size_t)n + 1, sizeof *v);
    if (!r || !u || !v)
        XA_FAIL(err, XA_NOMEM, "Spearman's correlation: out of memory for %" PRId64 " pairs", n);
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            u[m] = x[i];
            v[m++] = y[i];
        }
    centred_ranks(u, m, r, u);
    centred_ranks(v, m, r, v);
    double uu = 0.0;
    double vv = 0.0;
    double uv = 0.0;
    for (int64_t i = 0; i < m; i++) {
        uu += u[i] * u[i];
        vv += v[i] * v[i];
        uv += u[i] * v[i];
    }
    *rho = uu > 0.0 && vv > 0.0 ? fmax(-1.0, fmin(1.0, uv / (sqrt(uu) * sqrt(vv)))) : NAN;
done:
    free(v);
    free(u);
    free(r);
    return st;
}
