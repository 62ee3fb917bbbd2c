/* How much the maps of two explainers agree. */
#include <math.h>
#include <stdlib.h>

#include "chart_internal.h"

/* Mean rank correlation of two explainers over the images, NaN where they were not compared. */
static xa_status mean_agreement(
    const xa__maker *k, const xa_read_map *a, const xa_read_map *b, double *out, xa_err *err)
{
    xa_read *r = k->p->s->r;
    double *value = NULL, sum = 0.0;
    int64_t count = 0;
    XA_RETURN_TRY(err, xa_read_agreement(r, k->m, a, b, XA_AGREEMENT_SPEARMAN, &value, err));
    for (int64_t i = 0; value && i < r->samples; i++)
        if (isfinite(value[i])) {
            sum += value[i];
            count++;
        }
    free(value);
    *out = count ? sum / (double)count : NAN;
    return XA_OK;
}

/* v: [n,n], both halves. */
static xa_status fill_matrix(xa__maker *k, int n, double *v, xa_err *err)
{
    bool any = false;
    for (int a = 0; a < n; a++) {
        v[a * n + a] = 1.0;
        for (int b = 0; b < n; b++) {
            double mean;
            if (a == b)
                continue;
            XA_RETURN_TRY(err, mean_agreement(k, &k->m->maps[a], &k->m->maps[b], &mean, err));
            if (isfinite(mean)) /* stored for a before b, or for b before a */
                v[a * n + b] = v[b * n + a] = mean;
            any = any || isfinite(mean);
        }
    }
    if (!any)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: model %s has no two explainers whose maps were compared",
                       k->p->s->path,
                       k->m->name);
    return XA_OK;
}

xa_status xa__plot_agreement(xa__maker *k, xa_err *err)
{
    const int n = (int)k->m->nmaps;
    const size_t cells = (size_t)n * (size_t)n;
    double *x, *y, *v;
    const char **names, **text;
    xa_mark *mark;
    xa_plot *plot;
    XA_RETURN_TRY(err, xa__plot_own(k->o, cells, sizeof *x, &x, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, cells, sizeof *y, &y, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, cells, sizeof *v, &v, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, cells, sizeof *text, &text, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *mark, &mark, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    for (int i = 0; i < n * n; i++) {
        const int row = i / n;
        x[i] = i % n;
        y[i] = row;
        v[i] = NAN;
    }
    XA_RETURN_TRY(err, fill_matrix(k, n, v, err));
    for (int a = 0; a < n; a++)
        XA_RETURN_TRY(err, xa__plot_title(k, k->m->maps[a].name, &names[a], err));
    for (int i = 0; i < n * n; i++)
        if (isfinite(v[i]))
            XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strfmt("%.2f", v[i]), &text[i], err));
    *mark = (xa_mark){
        .kind = XA_MARK_CELL, .n = (int64_t)cells, .x = x, .y = y, .low = v, .text = text};
    const xa_axis axis = {.low = -0.5, .high = n - 0.5, .names = names, .nnames = n};
    *plot = (xa_plot){.title = k->m->name, .x = axis, .y = axis, .marks = mark, .nmarks = 1};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .plot_mm = 1.1 * n * k->p->font_pt,
                             .footnote = "Rank correlation of the maps of two explainers on the "
                                         "coarser of their grids, mean over images."};
    return XA_OK;
}
