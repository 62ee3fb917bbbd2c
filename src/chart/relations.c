/* Charts of how scores relate to other things: of explainers to one another, to confidence and
 * size; and the classes' mean maps. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

/* ---- agreement ---- */

xa_status xa__make_agreement(maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    const int n = (int)k->m->nmaps;
    double *x, *y, *v;
    const char **names, **text;
    xa_mark *mark;
    xa_plot *plot;
    bool any = false;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *x, &x, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *y, &y, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *v, &v, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(n * n), sizeof *text, &text, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)n, sizeof *names, &names, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *mark, &mark, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    for (int i = 0; i < n * n; i++) {
        x[i] = i % n;
        const int row = i / n;
        y[i] = row;
        v[i] = i % n == i / n ? 1.0 : NAN;
    }
    for (int a = 0; a < n; a++) {
        names[a] = k->m->maps[a].name;
        for (int b = 0; b < n; b++) {
            xa_dataset_info info;
            double *value = NULL, sum = 0.0;
            int64_t count = 0;
            char *path =
                xa_strdup(xa_field_name(XA_FIELD_AGREEMENT,
                                        k->m->name,
                                        xa_pair_name(k->m->maps[a].name, k->m->maps[b].name).text,
                                        xa_agreement_name(XA_AGREEMENT_SPEARMAN))
                              .text);
            xa_status st = path ? xa_archive_dataset(r->archive, path, &info, NULL) : XA_NOMEM;
            if (st == XA_OK)
                st = xa_read_check(k->p->s->r, XA_FIELD_SUM_PAIRS, err);
            if (st == XA_OK && info.type == XA_TYPE_F64)
                st = xa_archive_read_all(r->archive, path, &info, (void **)&value, err);
            free(path);
            if (st == XA_NOT_FOUND)
                continue;
            XA_RETURN_TRY(err, st);
            for (int64_t i = 0; value && i < info.dim[0]; i++)
                if (isfinite(value[i])) {
                    sum += value[i];
                    count++;
                }
            free(value);
            if (count > 0)
                v[a * n + b] = v[b * n + a] = sum / (double)count;
            any = any || count > 0;
        }
    }
    if (!any)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: model %s has no two explainers whose maps were compared",
                       k->p->s->path,
                       k->m->name);
    for (int i = 0; i < n * n; i++)
        if (isfinite(v[i]))
            XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strfmt("%.2f", v[i]), &text[i], err));
    *mark = (xa_mark){
        .kind = XA_MARK_CELL, .n = (int64_t)n * n, .x = x, .y = y, .low = v, .text = text};
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

/* ---- over a quantity ---- */

/* Means in fifths of the pairs by a quantity, [pairs]; NaN: left out. */
static xa_status make_binned(maker *k, const double *by, const char *label, xa_err *err)
{
    enum { BINS = 5 };
    const xa_summary *s = k->p->s;
    const int64_t pairs = s->r->pairs;
    ranked *order;
    xa_mark *marks;
    xa_plot *plot;
    int64_t n = 0, *group;
    double *value, low = INFINITY, high = -INFINITY, low_y, high_y;
    XA_RETURN_TRY(err, xa__plot_find_series(k, k->p->metric, XA_SERIES_SCORES, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *order, &order, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *value, &value, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)pairs, sizeof *group, &group, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 2 * (size_t)k->n, sizeof *marks, &marks, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, 1, sizeof *plot, &plot, err));
    for (int64_t q = 0; q < pairs; q++)
        if (isfinite(by[q])) {
            order[n++] = (ranked){-by[q], q}; /* by_value descends */
            low = by[q] < low ? by[q] : low;
            high = by[q] > high ? by[q] : high;
        }
    if (n < BINS)
        XA_RETURN_FAIL(
            err, XA_NOT_FOUND, "%s: fewer than %d pairs have a %s", s->path, (int)BINS, label);
    qsort(order, (size_t)n, sizeof *order, xa__plot_by_value);
    const double span = high > low ? high - low : 1.0;
    for (int e = 0; e < k->n; e++) {
        double *d;
        XA_RETURN_TRY(err, xa__plot_own(k->o, 4 * BINS, sizeof *d, &d, err));
        for (int b = 0; b < BINS; b++) {
            xa_interval f;
            int64_t m = 0;
            double sum = 0.0;
            for (int64_t i = n * b / BINS; i < n * (b + 1) / BINS; i++, m++) {
                value[m] = k->series[e]->value[order[i].part];
                group[m] = s->group[order[i].part];
                sum -= order[i].value;
            }
            const xa_stats_plan own = xa_series_plan(k->p->plan, k->series[e]);
            XA_RETURN_TRY(err, xa_stats_mean(&own, m, value, group, NULL, &f, err));
            /* explainers a little apart, so that their bars can be told */
            d[b] = sum / (double)m + 0.006 * span * (e - 0.5 * (k->n - 1));
            d[BINS + b] = f.n ? f.value : NAN;
            d[2 * BINS + b] = f.low;
            d[3 * BINS + b] = f.high;
        }
        marks[2 * e] =
            (xa_mark){.kind = XA_MARK_LINE, .colour = e, .n = BINS, .x = d, .y = d + BINS};
        marks[2 * e + 1] = (xa_mark){.kind = XA_MARK_INTERVAL,
                                     .colour = e,
                                     .n = BINS,
                                     .x = d,
                                     .y = d + BINS,
                                     .low = d + 2 * BINS,
                                     .high = d + 3 * BINS};
    }
    xa__plot_value_range(k, &low_y, &high_y);
    *plot = (xa_plot){.x = {.label = label, .low = low - 0.03 * span, .high = high + 0.03 * span},
                      .y = {.label = k->series[0]->metric, .low = low_y, .high = high_y},
                      .marks = marks,
                      .nmarks = 2 * k->n};
    k->o->chart = (xa_chart){.plots = plot,
                             .nplots = 1,
                             .columns = 1,
                             .legend = k->name,
                             .nlegend = k->n,
                             .plot_mm = 45.0};
    return xa__plot_conventions_note(k,
                                     k->series[0],
                                     "Means of fifths of the pairs with 95 % intervals.",
                                     &k->o->chart.footnote,
                                     err);
}

xa_status xa__make_confidence(maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    double *by;
    if (k->m->logits)
        XA_RETURN_FAIL(
            err,
            XA_NOT_FOUND,
            "%s: model %s has plain scores and no probabilities (head: none), which this "
            "chart is drawn over",
            k->p->s->path,
            k->m->name);
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)r->pairs, sizeof *by, &by, err));
    for (int64_t q = 0; q < r->pairs; q++) {
        const int32_t c = xa_read_target(k->m, r->pair_sample[q], r->pair_class[q]);
        by[q] = c >= 0 && c < k->m->classes && k->m->status[r->pair_sample[q]] == XA_SAMPLE_DONE
                    ? (double)k->m->probs[r->pair_sample[q] * k->m->classes + c]
                    : NAN;
    }
    return make_binned(k, by, "probability of the annotated class", err);
}

xa_status xa__make_size(maker *k, xa_err *err)
{
    double *by = NULL;
    XA_RETURN_TRY(err, xa_summary_size_shares(k->p->s, &by, err));
    const xa_status st = make_binned(k, by, "share of the image in the object's boxes", err);
    free(by);
    return st;
}

/* ---- mean maps ---- */

static xa_status
mean_tile(maker *k, int e, int64_t c, xa_image *picture, xa_tile *tile, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    float *v = NULL, low = 0.0f, high = 0.0f;
    int64_t count = 0;
    const char *explainer = k->m->maps[e].name;
    char *path = xa_strdup(xa_field_name(XA_FIELD_CLASS_MEAN, k->m->name, explainer, NULL).text);
    char *beside =
        xa_strdup(xa_field_name(XA_FIELD_CLASS_MEAN_COUNT, k->m->name, explainer, NULL).text);
    if (!path || !beside)
        XA_NOMEM_FAIL(err);
    st = xa_archive_dataset(k->p->s->r->archive, path, &info, err);
    if (st == XA_NOT_FOUND)
        XA_FAIL(err, st, "%s: no mean maps: xaudit evaluate makes them", k->p->s->path);
    XA_TRY(err, st);
    if (info.type != XA_TYPE_F32 || info.ndim != 3 || c >= info.dim[0] || info.dim[1] < 1 ||
        info.dim[2] < 1 || info.dim[1] > XA_MEAN_SIDE || info.dim[2] > XA_MEAN_SIDE)
        XA_FAIL(err, XA_FORMAT, "%s: %s: no mean maps", k->p->s->path, path);
    v = xa_alloc((size_t)(info.dim[1] * info.dim[2]), sizeof *v);
    if (!v)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, path, c, 1, v, err));
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, beside, c, 1, &count, err));
    if (count < 1)
        goto done;
    for (int64_t i = 0; i < info.dim[1] * info.dim[2]; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    XA_TRY(err,
           xa_map_colour(v,
                         info.dim[1],
                         info.dim[2],
                         (double)low,
                         (double)high,
                         XA_COLORMAP_VIRIDIS,
                         picture,
                         err));
    tile->picture = picture;
    tile->frame[0] = tile->frame[1] = 1.0;
    XA_TRY(err, xa__plot_own_text(k->o, xa_strfmt("%" PRId64 " maps", count), &tile->note, err));
done:
    free(v);
    free(path);
    free(beside);
    return st;
}

xa_status xa__make_means(maker *k, xa_err *err)
{
    enum { MOST = 24 };
    const int columns = (int)k->m->nmaps;
    const int rows = k->m->classes < MOST ? (int)k->m->classes : MOST;
    xa_tile *tiles;
    const char **heads, **sides;
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(rows * columns), sizeof *tiles, &tiles, err));
    XA_RETURN_TRY(
        err, xa__plot_own(k->o, (size_t)(rows * columns), sizeof(xa_image), &k->o->pictures, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)columns, sizeof *heads, &heads, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows, sizeof *sides, &sides, err));
    k->o->npictures = rows * columns;
    for (int e = 0; e < columns; e++)
        heads[e] = k->m->maps[e].name;
    for (int c = 0; c < rows; c++) {
        char name[128];
        XA_RETURN_TRY(
            err,
            xa__plot_own_text(
                k->o, xa_strdup(xa_read_class(k->m, c, name, sizeof name)), &sides[c], err));
        for (int e = 0; e < columns; e++)
            XA_RETURN_TRY(
                err,
                mean_tile(k, e, c, &k->o->pictures[c * columns + e], &tiles[c * columns + e], err));
    }
    k->o->is_panel = true;
    k->o->panel =
        (xa_panel){.rows = rows,
                   .columns = columns,
                   .tiles = tiles,
                   .column_labels = heads,
                   .row_labels = sides,
                   .width_mm = k->p->width_mm,
                   .font_pt = k->p->font_pt,
                   .bar = true,
                   .bar_map = XA_COLORMAP_VIRIDIS,
                   .bar_low = "least",
                   .bar_high = "largest",
                   .footnote = "Mean over the class's maps, each over its largest size, on "
                               "the model's input."};
    return XA_OK;
}
