/* Do metrics put explainers in one order? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

void xa_orders_free(xa_orders *o)
{
    free(o->name);
    free(o->rho);
    free(o->explainers);
    *o = (xa_orders){0};
}

static int direction_of(const xa_series *x)
{
    return x->is == XA_SERIES_CHECK ? x->better : 1;
}

/* Scores of maps against annotations, and what checks are about. */
static bool orders(const xa_series *x, const xa_read_model *m)
{
    return x->model == m->name && !x->baseline && direction_of(x) != 0 &&
           (!x->checked || xa_series_is_head(x));
}

static int64_t explainer_of(const xa_read_model *m, const char *name)
{
    for (int64_t e = 0; e < m->nmaps; e++)
        if (!strcmp(m->maps[e].name, name))
            return e;
    return -1;
}

/* value [metrics, explainers]: larger is better; NaN: none. */
static xa_status fill(const xa_summary *s,
                      const xa_read_model *m,
                      const xa_stats_plan *plan,
                      xa_orders *o,
                      double *value,
                      xa_err *err)
{
    xa_stats_plan few = *plan;
    few.replicates = 1; /* values alone are wanted */
    few.draws = NULL;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        xa_figure f;
        if (!orders(x, m))
            continue;
        int k = 0;
        while (k < o->n && strcmp(o->name[k], x->metric) != 0)
            k++;
        if (k == o->n)
            o->name[o->n++] = x->metric;
        const int64_t e = explainer_of(m, x->explainer);
        if (e < 0)
            continue;
        XA_RETURN_TRY(err, xa_summary_figure(s, x, &few, -1, &f, err));
        if (f.micro.n)
            value[k * m->nmaps + e] = direction_of(x) * f.micro.value;
    }
    return XA_OK;
}

/* Leaves metrics that fewer than three explainers have. */
static void leave_few(const xa_read_model *m, double *value, xa_orders *o)
{
    int kept = 0;
    for (int k = 0; k < o->n; k++) {
        int n = 0;
        for (int64_t e = 0; e < m->nmaps; e++)
            n += isfinite(value[k * m->nmaps + e]);
        if (n < 3)
            continue;
        memmove(value + kept * m->nmaps, value + k * m->nmaps, (size_t)m->nmaps * sizeof *value);
        o->name[kept++] = o->name[k];
    }
    o->n = kept;
}

static xa_status correlate(const xa_read_model *m, const double *value, xa_orders *o, xa_err *err)
{
    double sum = 0.0;
    int known = 0;
    for (int a = 0; a < o->n; a++)
        for (int b = 0; b < o->n; b++) {
            const double *x = value + a * m->nmaps, *y = value + b * m->nmaps;
            double *rho = &o->rho[a * o->n + b];
            int *n = &o->explainers[a * o->n + b];
            for (int64_t e = 0; e < m->nmaps; e++)
                *n += isfinite(x[e]) && isfinite(y[e]);
            XA_RETURN_TRY(err, xa_stats_spearman(m->nmaps, x, y, rho, err));
            if (*n < 3)
                *rho = NAN;
            if (a < b && isfinite(*rho)) {
                sum += *rho;
                known++;
            }
        }
    o->mean = known ? sum / known : NAN;
    return XA_OK;
}

xa_status xa_summary_orders(const xa_summary *s,
                            const xa_read_model *m,
                            const xa_stats_plan *plan,
                            xa_orders *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    const size_t most = (size_t)s->nseries + 1, cells = most * (size_t)(m->nmaps + 1);
    double *value = NULL;
    *out = (xa_orders){.mean = NAN};
    if (m->nmaps < 3)
        return XA_OK;
    value = xa_alloc(cells, sizeof *value);
    out->name = xa_alloc(most, sizeof *out->name);
    if (!value || !out->name)
        XA_NOMEM_FAIL(err);
    for (size_t i = 0; i < cells; i++)
        value[i] = NAN;
    XA_TRY(err, fill(s, m, plan, out, value, err));
    leave_few(m, value, out);
    const size_t pairs = (size_t)out->n * (size_t)out->n + 1;
    out->rho = xa_alloc(pairs, sizeof *out->rho);
    out->explainers = xa_alloc(pairs, sizeof *out->explainers);
    if (!out->rho || !out->explainers)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, correlate(m, value, out, err));
    if (out->n < 2 || isnan(out->mean))
        xa_orders_free(out);
done:
    if (st != XA_OK)
        xa_orders_free(out);
    free(value);
    return st;
}
