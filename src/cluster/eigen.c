/* Eigenvectors of the graph of neighbours: the only file that calls LAPACK. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/cluster.h"

/* LAPACK's own name: Debian's OpenBLAS has it, but no header of it. The last two are the lengths of
 * the texts, which Fortran passes. */
extern void dsyev_(const char *job,
                   const char *triangle,
                   const blasint *n,
                   double *a,
                   const blasint *lda,
                   double *w,
                   double *work,
                   const blasint *lwork,
                   blasint *info,
                   size_t job_length,
                   size_t triangle_length);

enum { DENSE = 400, BLOCKS = 8, BESIDE = 8, RESTARTS = 200, MOST_VECTORS = 64 };
static const double ENOUGH = 1e-9;

/* a [n,n] symmetric becomes its eigenvectors, one a row; w ascending. On one thread, so that the
 * last bits do not depend on the machine's cores. */
static xa_status take_apart(double *a, int64_t n, double *w, xa_err *err)
{
    const blasint order = (blasint)n, room = (blasint)(n * 66);
    blasint info = 0;
    double *work = xa_alloc((size_t)room, sizeof *work);
    if (!work)
        XA_RETURN_NOMEM(err);
    openblas_set_num_threads(1);
    dsyev_("V", "U", &order, a, &order, w, work, &room, &info, 1, 1);
    free(work);
    if (info)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "clusters: LAPACK's dsyev does not find the eigenvectors (info %d)",
                       (int)info);
    return XA_OK;
}

/* Sums of a fixed order, in eight parts. */
static double dot(const double *a, const double *b, int64_t n)
{
    double part[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; l++)
            part[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        part[0] += a[i] * b[i];
    return ((part[0] + part[1]) + (part[2] + part[3])) +
           ((part[4] + part[5]) + (part[6] + part[7]));
}

static void add(double *to, double factor, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

typedef struct graph {
    const int32_t *near;
    int64_t n, k;
    double *root; /* [n] 1 / sqrt(degree) */
    double *work; /* [n] */
} graph;

/* y = D^-1/2 W D^-1/2 x */
static void multiply(const graph *g, const double *x, double *y)
{
    for (int64_t i = 0; i < g->n; i++) {
        g->work[i] = 0.5 * g->root[i] * x[i];
        y[i] = 0.0;
    }
    for (int64_t i = 0; i < g->n; i++)
        for (int64_t q = 0; q < g->k; q++) {
            const int64_t j = g->near[i * g->k + q];
            y[i] += g->work[j];
            y[j] += g->work[i];
        }
    for (int64_t i = 0; i < g->n; i++)
        y[i] *= g->root[i];
}

static xa_status dense(const graph *g, int vectors, double *value, double *vector, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = g->n;
    double *a = xa_alloc((size_t)(n * n), sizeof *a), *w = xa_alloc((size_t)n, sizeof *w);
    if (!a || !w)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < n; i++)
        for (int64_t q = 0; q < g->k; q++) {
            const int64_t j = g->near[i * g->k + q];
            const double v = 0.5 * g->root[i] * g->root[j];
            a[i * n + j] += v;
            a[j * n + i] += v;
        }
    XA_TRY(err, take_apart(a, n, w, err));
    for (int v = 0; v < vectors; v++) {
        value[v] = w[n - 1 - v];
        memcpy(vector + v * n, a + (n - 1 - v) * n, (size_t)n * sizeof *a);
    }
done:
    free(a);
    free(w);
    return st;
}

/* The Krylov space of a block: v [m,n] orthonormal, sv [m,n] its images. */
typedef struct space {
    const graph *g;
    int64_t p, m; /* vectors of the block, of the space */
    double *v, *sv, *x, *small, *w;
    uint64_t seed, drawn;
} space;

static void draw(space *s, double *to)
{
    const uint64_t stream = xa_random_stream((xa_purpose)XA_CLUSTER_PURPOSE, 1000);
    for (int64_t i = 0; i < s->g->n; i++)
        to[i] = xa_random_unit(s->seed, stream, s->drawn++) - 0.5;
}

/* Makes row j orthogonal to the rows before and brings it to length 1; a row that lies within them
 * is drawn anew. */
static void orthonormal(space *s, int64_t j)
{
    const int64_t n = s->g->n;
    double *row = s->v + j * n;
    for (int tries = 0; tries < 8; tries++) {
        const double before = sqrt(dot(row, row, n));
        for (int pass = 0; pass < 2; pass++)
            for (int64_t i = 0; i < j; i++)
                add(row, -dot(row, s->v + i * n, n), s->v + i * n, n);
        const double length = sqrt(dot(row, row, n));
        if (length > 1e-10 * before && length > 0.0) {
            for (int64_t i = 0; i < n; i++)
                row[i] /= length;
            return;
        }
        draw(s, row);
    }
}

/* One space, and the best vectors in it as the next block; the largest residual of the first. */
static xa_status turn(space *s, int vectors, double *value, double *residual, xa_err *err)
{
    const int64_t n = s->g->n, m = s->m;
    for (int64_t j = 0; j < m; j++) {
        if (j >= s->p)
            memcpy(s->v + j * n, s->sv + (j - s->p) * n, (size_t)n * sizeof *s->v);
        orthonormal(s, j);
        multiply(s->g, s->v + j * n, s->sv + j * n);
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j <= i; j++)
            s->small[i * m + j] = s->small[j * m + i] = dot(s->v + i * n, s->sv + j * n, n);
    XA_RETURN_TRY(err, take_apart(s->small, m, s->w, err));
    *residual = 0.0;
    memset(s->x, 0, (size_t)(s->p * n) * sizeof *s->x);
    for (int64_t q = 0; q < s->p; q++) {
        const double *y = s->small + (m - 1 - q) * m;
        for (int64_t j = 0; j < m; j++)
            add(s->x + q * n, y[j], s->v + j * n, n);
        if (q >= vectors)
            continue;
        value[q] = s->w[m - 1 - q];
        multiply(s->g, s->x + q * n, s->sv);
        add(s->sv, -value[q], s->x + q * n, n);
        *residual = fmax(*residual, sqrt(dot(s->sv, s->sv, n)));
    }
    memcpy(s->v, s->x, (size_t)(s->p * n) * sizeof *s->v);
    return XA_OK;
}

static xa_status
krylov(const graph *g, int vectors, uint64_t seed, double *value, double *vector, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = g->n, p = vectors + BESIDE;
    space s = {.g = g, .p = p, .m = BLOCKS * p < n ? BLOCKS * p : n, .seed = seed};
    double residual = INFINITY;
    s.v = xa_alloc((size_t)(s.m * n), sizeof *s.v);
    s.sv = xa_alloc((size_t)(s.m * n), sizeof *s.sv);
    s.x = xa_alloc((size_t)(p * n), sizeof *s.x);
    s.small = xa_alloc((size_t)(s.m * s.m), sizeof *s.small);
    s.w = xa_alloc((size_t)s.m, sizeof *s.w);
    if (!s.v || !s.sv || !s.x || !s.small || !s.w)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < p; q++)
        draw(&s, s.v + q * n);
    for (int i = 0; i < RESTARTS && !(residual < ENOUGH); i++)
        XA_TRY(err, turn(&s, vectors, value, &residual, err));
    if (!(residual < ENOUGH))
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "clusters: the eigenvectors of %lld maps are not found in %d restarts (residual "
                "%.2g): take more neighbours, or fewer maps",
                (long long)n,
                RESTARTS,
                residual);
    memcpy(vector, s.x, (size_t)(vectors * n) * sizeof *vector);
done:
    free(s.v);
    free(s.sv);
    free(s.x);
    free(s.small);
    free(s.w);
    return st;
}

static void turn_positive(double *v, int64_t n)
{
    int64_t at = 0;
    /* 1e-7: components that are equal but for rounding count as equal */
    for (int64_t i = 1; i < n; i++)
        if (fabs(v[i]) > fabs(v[at]) * (1.0 + 1e-7))
            at = i;
    for (int64_t i = 0, turned = v[at] < 0.0; turned && i < n; i++)
        v[i] = -v[i];
}

xa_status xa_cluster_eigen(const int32_t *near,
                           int64_t n,
                           int64_t k,
                           int vectors,
                           uint64_t seed,
                           double *value,
                           double *vector,
                           xa_err *err)
{
    xa_status st = XA_OK;
    graph g = {.near = near, .n = n, .k = k};
    if (vectors < 1 || vectors > MOST_VECTORS || vectors > n || k < 1)
        XA_FAIL(err, XA_INVALID, "clusters: %d eigenvectors of %lld maps", vectors, (long long)n);
    g.root = xa_alloc((size_t)n, sizeof *g.root);
    g.work = xa_alloc((size_t)n, sizeof *g.work);
    if (!g.root || !g.work)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < n; i++)
        g.root[i] += 0.5 * (double)k;
    for (int64_t i = 0; i < n * k; i++)
        g.root[near[i]] += 0.5;
    for (int64_t i = 0; i < n; i++)
        g.root[i] = 1.0 / sqrt(g.root[i]);
    XA_TRY(err,
           n <= DENSE ? dense(&g, vectors, value, vector, err)
                      : krylov(&g, vectors, seed, value, vector, err));
    for (int v = 0; v < vectors; v++) {
        const double gone = 1.0 - value[v];
        value[v] = gone > 0.0 ? gone : 0.0; /* what rounding takes below */
        turn_positive(vector + v * n, n);
    }
done:
    free(g.root);
    free(g.work);
    return st;
}

int xa_cluster_gap(const double *value, int vectors, int least, int most)
{
    int best = least;
    for (int k = least + 1; k <= most && k < vectors; k++)
        if (value[k] - value[k - 1] > value[best] - value[best - 1])
            best = k;
    return best;
}
