/* Do metrics agree on which explainer is better? */
#include <math.h>

#include "chart_internal.h"

static xa_status fill(xa__maker *k, const xa_orders *o, xa_err *err)
{
    const int n = o->n;
    double *x, *y, *v;
    const char **text, **names;
    xa_mark *mark;
    xa_plot *plot;
    int cells = 0;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *x, &x, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *y, &y, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *v, &v, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *text, &text, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *mark, &mark, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    for (int a = 0; a < n; a++) {
        char title[96];
        xa_title_of_metric(o->name[a], title, sizeof title);
        XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strdup(title), &names[a], err));
        for (int b = 0; b < a; b++) { /* the lower triangle says all */
            const double rho = o->rho[a * n + b];
            if (!isfinite(rho))
                continue;
            x[cells] = b;
            y[cells] = a;
            v[cells] = 0.5 * (rho + 1.0); /* -1 to 1 over the colours */
            XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strfmt("%.1f", rho), &text[cells], err));
            cells++;
        }
    }
    *mark = (xa_mark){.kind = XA_MARK_CELL, .n = cells, .x = x, .y = y, .low = v, .text = text};
    const xa_axis axis = {.low = -0.5, .high = n - 0.5, .names = names, .nnames = n};
    *plot = (xa_plot){.title = k->m->name, .x = axis, .y = axis, .marks = mark, .nmarks = 1};
    k->o->chart = (xa_chart){.plots = plot, .nplots = 1, .columns = 1};
    k->o->chart.plot_mm = 0.8 * n * k->p->font_pt;
    return xa__plot_own_text(
        k->o,
        xa_strfmt(
            "Spearman's correlation of the orders in which two metrics put the %d explainers, "
            "best first, by their figures over the data set: 1 is the same order, -1 the "
            "opposite one. Mean of all pairs: %.2f.",
            (int)k->m->nmaps,
            o->mean),
        &k->o->chart.footnote,
        err);
}

xa_status xa__plot_orders(xa__maker *k, xa_err *err)
{
    xa_status st = XA_OK;
    xa_orders o = {0};
    XA_TRY(err, xa_summary_orders(k->p->s, k->m, k->p->plan, &o, err));
    if (!o.n)
        XA_FAIL(
            err,
            XA_NOT_FOUND,
            "%s: orders of metrics are compared over at least three explainers and two metrics, "
            "which model %s has not",
            k->p->s->path,
            k->m->name);
    XA_TRY(err, fill(k, &o, err));
done:
    xa_orders_free(&o);
    return st;
}
