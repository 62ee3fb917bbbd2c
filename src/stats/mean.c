/* Micro and macro means, and means of paired differences.
 *
 * Units are sorted by (group, class, value) before anything is summed or drawn: the order they came
 * in cannot show, not even in a last bit. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "stats_internal.h"

typedef struct unit {
    int64_t group, class_of;
    double value;
} unit;

/* The units of one class in one cluster. */
typedef struct cell {
    int64_t cluster, class_at;
    double sum, n;
} cell;

typedef struct table {
    unit *units;
    cell *cells;
    int64_t ncells, nclusters, nclasses;
    bool lone;              /* every cluster holds one unit */
    int64_t *classes;       /* [nclasses], ascending */
    double *sums, *numbers; /* [nclasses], of one replicate */
} table;

static int by_unit(const void *pa, const void *pb)
{
    const unit *a = pa;
    const unit *b = pb;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->class_of != b->class_of)
        return a->class_of < b->class_of ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static int by_i64(const void *pa, const void *pb)
{
    int64_t a = *(const int64_t *)pa;
    int64_t b = *(const int64_t *)pb;
    return (a > b) - (a < b);
}

static void table_fini(table *t)
{
    free(t->units);
    free(t->cells);
    free(t->classes);
    free(t->sums);
    free(t->numbers);
}

static void number_classes(table *t, int64_t m)
{
    for (int64_t i = 0; i < m; i++)
        t->classes[i] = t->units[i].class_of;
    qsort(t->classes, (size_t)m, sizeof *t->classes, by_i64);
    for (int64_t i = 0; i < m; i++)
        if (i == 0 || t->classes[i] != t->classes[i - 1])
            t->classes[t->nclasses++] = t->classes[i];
}

static int64_t class_at(const table *t, int64_t c)
{
    const int64_t *at = bsearch(&c, t->classes, (size_t)t->nclasses, sizeof c, by_i64);
    return at - t->classes;
}

/* m: how many of the n units are defined, at least 1. */
static xa_status table_init(table *t,
                            int64_t n,
                            int64_t m,
                            const double *x,
                            const int64_t *group,
                            const int64_t *class_of,
                            xa_err *err)
{
    *t = (table){.units = xa_alloc((size_t)m, sizeof *t->units),
                 .cells = xa_alloc((size_t)m, sizeof *t->cells),
                 .classes = xa_alloc((size_t)m, sizeof *t->classes)};
    if (!t->units || !t->cells || !t->classes)
        XA_RETURN_FAIL(err, XA_NOMEM, "bootstrap: out of memory for %" PRId64 " units", m);
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            t->units[at++] = (unit){group ? group[i] : 0, class_of ? class_of[i] : 0, x[i]};
    qsort(t->units, (size_t)m, sizeof *t->units, by_unit);
    number_classes(t, m);
    for (int64_t i = 0; i < m; i++) {
        const unit *u = &t->units[i];
        bool new_cluster = i == 0 || !group || u->group != u[-1].group;
        if (new_cluster)
            t->nclusters++;
        if (new_cluster || u->class_of != u[-1].class_of)
            t->cells[t->ncells++] = (cell){t->nclusters - 1, class_at(t, u->class_of), 0.0, 0.0};
        t->cells[t->ncells - 1].sum += u->value;
        t->cells[t->ncells - 1].n += 1.0;
    }
    t->lone = t->nclusters == m;
    t->sums = xa_alloc((size_t)t->nclasses, sizeof *t->sums);
    t->numbers = xa_alloc((size_t)t->nclasses, sizeof *t->numbers);
    if (!t->sums || !t->numbers)
        XA_RETURN_FAIL(
            err, XA_NOMEM, "bootstrap: out of memory for %" PRId64 " classes", t->nclasses);
    return XA_OK;
}

/* weight: [nclusters], NULL for the figure itself. With one class this is the micro mean. */
static double table_mean(table *t, const uint32_t *weight)
{
    for (int64_t c = 0; c < t->nclasses; c++)
        t->sums[c] = t->numbers[c] = 0.0;
    for (int64_t i = 0; i < t->ncells; i++) {
        const cell *e = &t->cells[i];
        double w = weight ? (double)weight[e->cluster] : 1.0;
        t->sums[e->class_at] += w * e->sum;
        t->numbers[e->class_at] += w * e->n;
    }
    double sum = 0.0;
    double n = 0.0;
    for (int64_t c = 0; c < t->nclasses; c++)
        if (t->numbers[c] > 0.0) {
            sum += t->sums[c] / t->numbers[c];
            n += 1.0;
        }
    return sum / n;
}

/* Fills all of `out` but low and high. *replicate, which the caller frees, holds the replicates;
 * NULL if no unit is defined. */
static xa_status bootstrap(const xa_stats_plan *plan,
                           int64_t n,
                           const double *x,
                           const int64_t *group,
                           const int64_t *class_of,
                           xa_interval *out,
                           bool *lone,
                           double **replicate,
                           xa_err *err)
{
    xa_status st = XA_OK;
    table t = {0};
    uint32_t *weight = NULL;
    double *r = NULL;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        m += isfinite(x[i]) ? 1 : 0;
    *replicate = NULL;
    *out = xa__no_figure(n);
    if (m == 0)
        return XA_OK;
    XA_TRY(err, table_init(&t, n, m, x, group, class_of, err));
    weight = xa_alloc((size_t)t.nclusters, sizeof *weight);
    r = xa_alloc((size_t)plan->replicates, sizeof *r);
    if (!weight || !r)
        XA_FAIL(err, XA_NOMEM, "bootstrap: out of memory for %" PRId64 " clusters", t.nclusters);
    out->value = table_mean(&t, NULL);
    out->n = m;
    out->undefined = n - m;
    out->clusters = t.nclusters;
    out->classes = class_of ? t.nclasses : 0;
    out->why = XA_NO_INTERVAL_NOT;
    *lone = t.lone;
    for (int64_t b = 0; b < plan->replicates; b++) {
        xa__draw(plan, b, t.nclusters, weight);
        r[b] = table_mean(&t, weight);
    }
    *replicate = r;
    r = NULL;
done:
    free(r);
    free(weight);
    table_fini(&t);
    return st;
}

double xa__difference(double a, double b)
{
    const double d = a - b;
    if (!isfinite(a) || !isfinite(b))
        return NAN;
    return fabs(d) <= XA_STATS_TIE * fmax(fabs(a), fabs(b)) ? 0.0 : d;
}

static bool is_rate(int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && x[i] != 0.0 && x[i] != 1.0)
            return false;
    return true;
}

xa_status xa_stats_mean(const xa_stats_plan *plan,
                        int64_t n,
                        const double *x,
                        const int64_t *group,
                        const int64_t *class_of,
                        xa_interval *out,
                        xa_err *err)
{
    double *replicate = NULL;
    bool lone = false;
    xa_interval f;
    XA_RETURN_TRY(err, xa__plan_check(plan, n, err));
    XA_RETURN_TRY(err, bootstrap(plan, n, x, group, class_of, &f, &lone, &replicate, err));
    const bool rate = !plan->measures && is_rate(n, x);
    if (replicate && rate && (f.value == 0.0 || f.value == 1.0 || (lone && !class_of))) {
        xa__degenerate_rate(plan->level, &f);
    } else if (replicate) {
        xa__percentile(replicate, plan->replicates, plan->level, fabs(f.value), &f);
        if (rate)
            xa__refuse_extreme(f.value, &f);
    }
    free(replicate);
    *out = f;
    return XA_OK;
}

/* Of a difference of rates: the units that differ, and those that do not differ in the more
 * frequent direction, must both be enough (stats.h). */
static void refuse_extreme_differences(const xa_paired *p, xa_interval *f)
{
    const double n = (double)f->n;
    const int64_t most = p->win > p->loss ? p->win : p->loss;
    xa__refuse_extreme((double)(p->win + p->loss) / n < 0.5 ? (double)(p->win + p->loss) / n
                                                            : 1.0 - (double)most / n,
                       f);
}

xa_status xa_stats_paired(const xa_stats_plan *plan,
                          int64_t n,
                          const double *a,
                          const double *b,
                          const int64_t *group,
                          const int64_t *class_of,
                          xa_paired *out,
                          xa_err *err)
{
    xa_status st = XA_OK;
    double *d = NULL;
    double *replicate = NULL;
    double scale = 0.0;
    bool lone;
    xa_paired f = {0};
    XA_RETURN_TRY(err, xa__plan_check(plan, n, err));
    d = xa_alloc((size_t)n + 1, sizeof *d);
    if (!d)
        XA_FAIL(err, XA_NOMEM, "paired differences: out of memory for %" PRId64 " units", n);
    for (int64_t i = 0; i < n; i++) {
        const bool in_a = isfinite(a[i]), in_b = isfinite(b[i]);
        d[i] = xa__difference(a[i], b[i]);
        scale = in_a && in_b ? fmax(scale, fmax(fabs(a[i]), fabs(b[i]))) : scale;
        f.win += d[i] > 0.0 ? 1 : 0;
        f.tie += d[i] == 0.0 ? 1 : 0;
        f.loss += d[i] < 0.0 ? 1 : 0;
        f.only_a += in_a && !in_b ? 1 : 0;
        f.only_b += in_b && !in_a ? 1 : 0;
    }
    XA_TRY(err, bootstrap(plan, n, d, group, class_of, &f.difference, &lone, &replicate, err));
    if (replicate) {
        xa__percentile(replicate, plan->replicates, plan->level, scale, &f.difference);
        if (!plan->measures && is_rate(n, a) && is_rate(n, b))
            refuse_extreme_differences(&f, &f.difference);
    }
    *out = f;
done:
    free(replicate);
    free(d);
    return st;
}

xa_status xa__contributions(int64_t n,
                            const double *x,
                            const int64_t *group,
                            const int64_t *class_of,
                            double **out,
                            int64_t *clusters,
                            xa_err *err)
{
    xa_status st = XA_OK;
    table t = {0};
    double *size = NULL;
    int64_t m = 0, k = 0;
    *out = NULL;
    *clusters = 0;
    for (int64_t i = 0; i < n; i++)
        m += isfinite(x[i]) ? 1 : 0;
    if (m == 0)
        return XA_OK;
    XA_TRY(err, table_init(&t, n, m, x, group, class_of, err));
    *out = xa_alloc((size_t)t.nclusters, sizeof **out);
    size = xa_alloc((size_t)t.nclusters, sizeof *size);
    if (!*out || !size)
        XA_FAIL(err, XA_NOMEM, "differences: out of memory for %" PRId64 " clusters", t.nclusters);
    *clusters = t.nclusters;
    for (int64_t i = 0; i < t.ncells; i++)
        t.numbers[t.cells[i].class_at] += t.cells[i].n;
    for (int64_t i = 0; i < t.ncells; i++) {
        const cell *e = &t.cells[i];
        const double weight = t.nclasses == 1 ? 1.0 : 1.0 / t.numbers[e->class_at];
        (*out)[e->cluster] += weight * e->sum;
        for (int64_t u = 0; u < (int64_t)e->n; u++)
            size[e->cluster] += weight * fabs(t.units[k++].value);
    }
    for (int64_t c = 0; c < t.nclusters; c++)
        if (fabs((*out)[c]) <= 1e-14 * size[c]) /* 0 but for rounding */
            (*out)[c] = 0.0;
done:
    free(size);
    table_fini(&t);
    return st;
}
