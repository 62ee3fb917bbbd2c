/* The difference of the means of two parts of a data set that share no unit. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "stats_internal.h"

#define MOST_COUNTED 200000.0 /* up to so many ways, all are counted */

typedef struct unit {
    int64_t group;
    double value;
    int side;
} unit;

/* A cluster is of the first part alone, of the second alone, or of both. */
typedef enum kind { FIRST, SECOND, MIXED, KINDS } kind;

typedef struct cluster {
    double sum[2], n[2];
    int64_t first, units; /* its units are values[first] on */
    kind kind;
} cluster;

typedef struct parts {
    unit *units;
    cluster *c;
    double *values; /* [n] by cluster; shuffled within the clusters of both parts */
    int64_t n, nclusters, of_kind[KINDS];
    int64_t draws; /* random numbers that one way needs */
    bool lone, rate;
} parts;

static int by_unit(const void *pa, const void *pb)
{
    const unit *a = pa, *b = pb;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->side != b->side)
        return a->side - b->side;
    return (a->value > b->value) - (a->value < b->value);
}

/* By their contents, so that the order of the groups does not matter. */
static int by_content(const void *pa, const void *pb)
{
    const cluster *a = pa, *b = pb;
    if (a->kind != b->kind)
        return (int)a->kind - (int)b->kind;
    for (int s = 0; s < 2; s++) {
        if (a->n[s] != b->n[s])
            return a->n[s] < b->n[s] ? -1 : 1;
        if (a->sum[s] != b->sum[s])
            return a->sum[s] < b->sum[s] ? -1 : 1;
    }
    return (a->first > b->first) - (a->first < b->first);
}

static void parts_fini(parts *p)
{
    free(p->units);
    free(p->c);
    free(p->values);
}

static int64_t least(double a, double b)
{
    return (int64_t)(a < b ? a : b);
}

static xa_status parts_init(parts *p,
                            int64_t n,
                            const double *x,
                            const int64_t *group,
                            const signed char *side,
                            xa_err *err)
{
    *p = (parts){.units = xa_alloc((size_t)n + 1, sizeof *p->units),
                 .c = xa_alloc((size_t)n + 1, sizeof *p->c),
                 .values = xa_alloc((size_t)n + 1, sizeof *p->values),
                 .rate = true};
    if (!p->units || !p->c || !p->values)
        XA_RETURN_FAIL(err, XA_NOMEM, "two parts: out of memory for %" PRId64 " units", n);
    for (int64_t i = 0; i < n; i++)
        if (side[i] >= 0 && isfinite(x[i])) {
            p->units[p->n++] = (unit){group ? group[i] : i, x[i], side[i] ? 1 : 0};
            p->rate = p->rate && (x[i] == 0.0 || x[i] == 1.0);
        }
    qsort(p->units, (size_t)p->n, sizeof *p->units, by_unit);
    for (int64_t i = 0; i < p->n; i++) {
        const unit *u = &p->units[i];
        if (i == 0 || u->group != u[-1].group)
            p->c[p->nclusters++] = (cluster){.first = i};
        cluster *c = &p->c[p->nclusters - 1];
        c->sum[u->side] += u->value;
        c->n[u->side] += 1.0;
        c->units++;
        p->values[i] = u->value;
    }
    p->lone = p->nclusters == p->n;
    for (int64_t k = 0; k < p->nclusters; k++) {
        cluster *c = &p->c[k];
        c->kind = c->n[1] == 0.0 ? FIRST : c->n[0] == 0.0 ? SECOND : MIXED;
        p->of_kind[c->kind]++;
        if (c->kind == MIXED)
            p->draws += least(c->n[0], c->n[1]);
    }
    p->draws += least((double)p->of_kind[FIRST], (double)p->of_kind[SECOND]);
    qsort(p->c, (size_t)p->nclusters, sizeof *p->c, by_content);
    return XA_OK;
}

/* ---- the difference, and its size over its clustered standard error ---- */

typedef struct sums {
    double sum[2], n[2], square[2], product[2], size[2]; /* of sums, sum * n, n^2, by side */
    double cross, cross_sn, cross_ns, cross_n;           /* of both sides of a cluster */
} sums;

static void add(sums *t, double s0, double n0, double s1, double n1)
{
    const double s[2] = {s0, s1}, n[2] = {n0, n1};
    for (int k = 0; k < 2; k++) {
        t->sum[k] += s[k];
        t->n[k] += n[k];
        t->square[k] += s[k] * s[k];
        t->product[k] += s[k] * n[k];
        t->size[k] += n[k] * n[k];
    }
    t->cross += s0 * s1;
    t->cross_sn += s0 * n1;
    t->cross_ns += n0 * s1;
    t->cross_n += n0 * n1;
}

/* Variance of the difference: clusters' residuals, (s - m n) / N, first part less second, squared
 * and summed. Of the order of rounding: 0. */
static double studentised(const sums *t)
{
    double m[2], var = 0.0, scale = 0.0;
    for (int k = 0; k < 2; k++) {
        m[k] = t->sum[k] / t->n[k];
        const double residual =
            t->square[k] - 2.0 * m[k] * t->product[k] + m[k] * m[k] * t->size[k];
        var += residual / (t->n[k] * t->n[k]);
        scale += (t->square[k] + m[k] * m[k] * t->size[k]) / (t->n[k] * t->n[k]);
    }
    var -= 2.0 * (t->cross - m[1] * t->cross_sn - m[0] * t->cross_ns + m[0] * m[1] * t->cross_n) /
           (t->n[0] * t->n[1]);
    const double d = fabs(m[0] - m[1]);
    if (var <= 1e-13 * scale)
        return d * d <= 1e-13 * scale ? 0.0 : INFINITY;
    return d / sqrt(var);
}

static sums observed(const parts *p)
{
    sums t = {0};
    for (int64_t k = 0; k < p->nclusters; k++)
        add(&t, p->c[k].sum[0], p->c[k].n[0], p->c[k].sum[1], p->c[k].n[1]);
    return t;
}

static void add_whole(sums *t, const cluster *c, int side)
{
    const double s = c->sum[0] + c->sum[1], n = c->n[0] + c->n[1];
    add(t, side ? 0.0 : s, side ? 0.0 : n, side ? s : 0.0, side ? n : 0.0);
}

/* ---- exchanges ---- */

/* Chooses `some` of n places: the first ones of `order`, which remains a permutation of all n. */
static void
choose(const xa_stats_plan *plan, uint64_t *counter, int64_t *order, int64_t n, int64_t some)
{
    for (int64_t i = 0; i < some; i++) {
        const int64_t j = i + xa_random_below(plan->seed, plan->stream, (*counter)++, n - i);
        const int64_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

/* Exchanges whole clusters, those of one part alone. */
static void exchange_wholes(
    const parts *p, const xa_stats_plan *plan, uint64_t *counter, int64_t *order, sums *t)
{
    const int64_t n = p->of_kind[FIRST] + p->of_kind[SECOND];
    const int fewer = p->of_kind[FIRST] <= p->of_kind[SECOND] ? 0 : 1;
    const int64_t some = p->of_kind[fewer];
    choose(plan, counter, order, n, some);
    for (int64_t i = 0; i < n; i++)
        add_whole(t, &p->c[order[i]], i < some ? fewer : 1 - fewer);
}

/* Exchanges units within each cluster of both parts. */
static void exchange_units(parts *p, const xa_stats_plan *plan, uint64_t *counter, sums *t)
{
    for (int64_t k = p->of_kind[FIRST] + p->of_kind[SECOND]; k < p->nclusters; k++) {
        const cluster *c = &p->c[k];
        double *v = p->values + c->first, chosen = 0.0;
        const int fewer = c->n[0] <= c->n[1] ? 0 : 1;
        const int64_t some = (int64_t)c->n[fewer];
        for (int64_t i = 0; i < some; i++) {
            const int64_t j =
                i + xa_random_below(plan->seed, plan->stream, (*counter)++, c->units - i);
            const double swap = v[i];
            v[i] = v[j];
            v[j] = swap;
            chosen += v[i];
        }
        const double rest = c->sum[0] + c->sum[1] - chosen;
        add(t, fewer ? rest : chosen, c->n[0], fewer ? chosen : rest, c->n[1]);
    }
}

/* All ways to choose which clusters are of the first part, in lexicographic order. */
static double counted(const parts *p, double seen, int64_t *chosen)
{
    const int64_t n = p->nclusters, some = p->of_kind[FIRST];
    double reached = 0.0, ways = 0.0;
    for (int64_t i = 0; i < some; i++)
        chosen[i] = i;
    for (;;) {
        sums t = {0};
        int64_t next = 0;
        for (int64_t k = 0; k < n; k++) {
            const bool in = next < some && chosen[next] == k;
            add_whole(&t, &p->c[k], in ? 0 : 1);
            next += in ? 1 : 0;
        }
        reached += studentised(&t) >= seen ? 1.0 : 0.0;
        ways += 1.0;
        int64_t i = some - 1;
        while (i >= 0 && chosen[i] == n - some + i)
            i--;
        if (i < 0)
            return reached / ways;
        chosen[i]++;
        for (int64_t j = i + 1; j < some; j++)
            chosen[j] = chosen[j - 1] + 1;
    }
}

static double ways_of(const parts *p)
{
    double log_ways = 0.0;
    const int64_t wholes = p->of_kind[FIRST] + p->of_kind[SECOND];
    log_ways += lgamma((double)wholes + 1.0) - lgamma((double)p->of_kind[FIRST] + 1.0) -
                lgamma((double)p->of_kind[SECOND] + 1.0);
    for (int64_t k = wholes; k < p->nclusters; k++)
        log_ways += lgamma(p->c[k].n[0] + p->c[k].n[1] + 1.0) - lgamma(p->c[k].n[0] + 1.0) -
                    lgamma(p->c[k].n[1] + 1.0);
    return exp(fmin(log_ways, 700.0));
}

/* Every way starts from the same order, so that it does not depend on those before it. */
static xa_status test(parts *p, const xa_stats_plan *plan, int64_t upto, xa_test *t, xa_err *err)
{
    const int64_t wholes = p->of_kind[FIRST] + p->of_kind[SECOND];
    int64_t *order = xa_alloc((size_t)p->nclusters + 1, sizeof *order);
    if (!order)
        XA_RETURN_FAIL(
            err, XA_NOMEM, "two parts: out of memory for %" PRId64 " clusters", p->nclusters);
    const sums now = observed(p);
    const double seen = studentised(&now) * (1.0 - 1e-9), ways = ways_of(p);
    t->groups = p->nclusters;
    t->least = fmin(1.0, 1.0 / floor(ways + 0.5));
    if (p->of_kind[MIXED] == 0 && ways <= MOST_COUNTED) {
        t->exact = true;
        t->p = counted(p, seen, order);
    } else {
        for (int64_t r = t->replicates; r < upto; r++) {
            uint64_t counter = (uint64_t)(r * p->draws);
            sums s = {0};
            for (int64_t k = 0; k < wholes; k++)
                order[k] = k;
            for (int64_t k = wholes; k < p->nclusters; k++)
                for (int64_t i = p->c[k].first; i < p->c[k].first + p->c[k].units; i++)
                    p->values[i] = p->units[i].value;
            exchange_wholes(p, plan, &counter, order, &s);
            exchange_units(p, plan, &counter, &s);
            t->reached += studentised(&s) >= seen ? 1 : 0;
        }
        t->replicates = upto > t->replicates ? upto : t->replicates;
        t->p = (double)(t->reached + 1) / (double)(t->replicates + 1);
    }
    free(order);
    return XA_OK;
}

/* ---- interval ---- */

static xa_status bootstrap(const parts *p, const xa_stats_plan *plan, xa_between *out, xa_err *err)
{
    double *replicate = xa_alloc((size_t)plan->replicates, sizeof *replicate);
    if (!replicate)
        XA_RETURN_FAIL(
            err, XA_NOMEM, "two parts: out of memory for %" PRId64 " replicates", plan->replicates);
    const int64_t start[KINDS] = {0, p->of_kind[FIRST], p->of_kind[FIRST] + p->of_kind[SECOND]};
    for (int64_t b = 0; b < plan->replicates; b++) {
        double sum[2] = {0}, n[2] = {0};
        for (int64_t k = 0; k < p->nclusters; k++) {
            const kind of = p->c[k].kind;
            const cluster *c = &p->c[start[of] + xa_random_below(plan->seed,
                                                                 plan->stream,
                                                                 (uint64_t)(b * p->nclusters + k),
                                                                 p->of_kind[of])];
            for (int s = 0; s < 2; s++) {
                sum[s] += c->sum[s];
                n[s] += c->n[s];
            }
        }
        replicate[b] = sum[0] / n[0] - sum[1] / n[1];
    }
    xa_interval *f = &out->difference;
    const int64_t both = f->clusters;
    f->clusters = out->clusters[0] < out->clusters[1] ? out->clusters[0] : out->clusters[1];
    const double scale = fmax(fabs(out->value[0]), fabs(out->value[1]));
    xa__percentile(replicate, plan->replicates, plan->level, scale, f);
    for (int s = 0; p->rate && s < 2; s++) {
        f->clusters = out->clusters[s];
        xa__refuse_extreme(out->value[s], f);
    }
    f->clusters = both;
    free(replicate);
    return XA_OK;
}

/* Of two independent rates, from the Wilson interval of each. */
static void newcombe(const xa_stats_plan *plan, xa_between *out)
{
    double low[2], high[2];
    if (out->n[0] < XA_STATS_LEAST_GROUPS || out->n[1] < XA_STATS_LEAST_GROUPS) {
        xa__refuse(XA_NO_INTERVAL_FEW, &out->difference);
        return;
    }
    for (int s = 0; s < 2; s++)
        xa_stats_wilson(
            out->value[s] * (double)out->n[s], (double)out->n[s], plan->level, &low[s], &high[s]);
    const double *v = out->value;
    xa_interval *f = &out->difference;
    f->low = f->value - hypot(v[0] - low[0], high[1] - v[1]);
    f->high = f->value + hypot(high[0] - v[0], v[1] - low[1]);
    f->kind = XA_INTERVAL_WILSON;
}

xa_status xa_stats_between(const xa_stats_plan *plan,
                           int64_t n,
                           const double *x,
                           const int64_t *group,
                           const signed char *side,
                           int64_t upto,
                           xa_between *out,
                           xa_err *err)
{
    xa_status st = XA_OK;
    parts p = {0};
    xa_between f = {.difference = xa__no_figure(0), .value = {NAN, NAN}, .test = out->test};
    XA_TRY(err, xa__plan_check(plan, n, err));
    XA_TRY(err, parts_init(&p, n, x, group, side, err));
    p.rate = p.rate && !plan->measures;
    for (int64_t i = 0; i < n; i++)
        if (side[i] >= 0 && !isfinite(x[i]))
            f.undefined[side[i] ? 1 : 0]++;
    f.difference.undefined = f.undefined[0] + f.undefined[1];
    const sums t = observed(&p);
    for (int s = 0; s < 2; s++) {
        f.n[s] = (int64_t)t.n[s];
        f.clusters[s] = p.of_kind[s] + p.of_kind[MIXED];
        f.value[s] = t.sum[s] / t.n[s]; /* NaN if the part has no unit */
    }
    f.difference.n = p.n;
    f.difference.clusters = p.nclusters;
    if (f.n[0] == 0 || f.n[1] == 0) {
        f.test.p = NAN;
        f.test.exact = true;
    } else {
        f.difference.value = f.value[0] - f.value[1];
        f.difference.why = XA_NO_INTERVAL_NOT;
        if (p.lone && p.rate)
            newcombe(plan, &f);
        else
            XA_TRY(err, bootstrap(&p, plan, &f, err));
        if (!f.test.exact)
            XA_TRY(err, test(&p, plan, upto, &f.test, err));
    }
    *out = f;
done:
    parts_fini(&p);
    return st;
}
