/* Right answers whose map peaks off the object: the model may be right for another reason. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"

enum { MOST = 40 }; /* images that are named for an explainer */

static const xa_read_model *model_of(const xa_summary *s, const char *name)
{
    for (int64_t m = 0; m < s->r->nmodels; m++)
        if (!strcmp(s->r->models[m].name, name))
            return &s->r->models[m];
    return NULL;
}

/* 1 where the answer is the annotated class and the map peaks off it, 0 where it peaks on it, NaN
 * where the answer is another or the score undefined. */
static double is_off(const xa_read *r, const xa_read_model *m, const xa_series *x, int64_t q)
{
    const int64_t i = x->sample[q];
    if (m->status[i] != XA_SAMPLE_DONE || m->predicted[i] < 0 || isnan(x->value[q]) ||
        !xa_category_has(&r->categories, x->class_of[q], m->predicted[i]))
        return NAN;
    return x->value[q] > 0.5 ? 0.0 : 1.0;
}

static void put_row(FILE *out,
                    const xa_summary *s,
                    const xa_series *x,
                    const double *off,
                    const xa_interval *share,
                    bool anonymise)
{
    xa_str name = {0};
    xa__number of, more;
    char text[64], id[256];
    int64_t named = 0, all = 0;
    xa__report_title(s, x, &name);
    if (share->kind == XA_INTERVAL_NONE)
        snprintf(text, sizeof text, "%.1f %%", 100.0 * share->value);
    else
        snprintf(text,
                 sizeof text,
                 "%.1f %% [%.1f, %.1f]",
                 100.0 * share->value,
                 100.0 * share->low,
                 100.0 * share->high);
    XA__PUT(out,
            xa__report_page_off_row,
            "name",
            name.data,
            "share",
            text,
            "of",
            xa__whole(&of, share->n));
    for (int64_t q = 0; q < x->n; q++) {
        if (!(off[q] > 0.5) || all++ >= MOST)
            continue;
        xa_read_text(s->r->id, s->r->id_bytes, x->sample[q], id, sizeof id);
        XA__PUT(out,
                xa__report_page_off_id,
                "before",
                named++ ? ", " : "",
                "id",
                anonymise ? xa_path_last(id) : id);
    }
    if (all > MOST)
        XA__PUT(out, xa__report_page_off_more, "n", xa__whole(&more, all - MOST));
    fputs(xa__report_page_off_row_end, out);
    xa_str_free(&name);
}

xa_status xa__report_off_object(
    FILE *out, const xa_summary *s, const xa_stats_plan *plan, bool anonymise, xa_err *err)
{
    xa_status st = XA_OK;
    double *off = NULL;
    int64_t *group = NULL;
    bool any = false;
    for (int k = 0; k < s->nseries; k++) {
        const xa_series *x = &s->series[k];
        const xa_read_model *m = model_of(s, x->model);
        xa_interval share;
        if (x->baseline || !m || !x->kind || strcmp(x->kind, "pointing_game") != 0)
            continue;
        off = xa_alloc((size_t)x->n + 1, sizeof *off);
        group = xa_alloc((size_t)x->n + 1, sizeof *group);
        if (!off || !group)
            XA_NOMEM_FAIL(err);
        int64_t known = 0;
        for (int64_t q = 0; q < x->n; q++) {
            off[q] = is_off(s->r, m, x, q);
            known += !isnan(off[q]);
            group[q] = s->group_of_sample[x->sample[q]];
        }
        if (known) {
            XA_TRY(err, xa_stats_mean(plan, x->n, off, group, NULL, &share, err));
            if (!any)
                fputs(xa__report_page_off, out);
            any = true;
            put_row(out, s, x, off, &share, anonymise);
        }
        free(off);
        free(group);
        off = NULL;
        group = NULL;
    }
    if (any)
        fputs(xa__report_page_table_end, out);
done:
    free(off);
    free(group);
    return st;
}
