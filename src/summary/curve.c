/* Curves of checks, averaged over images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

void xa_check_curve_free(xa_check_curve *c)
{
    free(c->x);
    free(c->at);
    *c = (xa_check_curve){0};
}

/* The explainer's maps that a check is of. */
static const xa_read_map *map_of(const xa_read_model *m, const xa_read_checked *c)
{
    for (int64_t e = 0; m && e < m->nmaps; e++)
        if (m->maps[e].checked && c >= m->maps[e].checked &&
            c < m->maps[e].checked + m->maps[e].nchecked)
            return &m->maps[e];
    return NULL;
}

static int64_t block_of(const xa_read_answers *a, const char *name)
{
    for (int64_t b = 0; b < a->blocks; b++)
        if (!strcmp(a->block[b], name))
            return b;
    return -1;
}

/* The value of image q at a point; points of ROAD are shares, MoRF and then LeRF. */
static double value_at(const xa_read_answers *a, bool road, int64_t q, int64_t block, int64_t i)
{
    const int64_t first = (q * a->blocks + block) * a->points;
    if (!road)
        return (double)a->prob[first + i];
    return 0.5 * ((double)a->score[first + a->points / 2 + i] - (double)a->score[first + i]);
}

static xa_status average(const xa_summary *s,
                         const xa_read_checked *c,
                         const xa_read_answers *a,
                         bool road,
                         int64_t block,
                         const xa_stats_plan *plan,
                         xa_check_curve *out,
                         xa_err *err)
{
    xa_status st = XA_OK;
    xa_stats_plan own = *plan;
    double *value = xa_alloc((size_t)c->n + 1, sizeof *value);
    int64_t *group = xa_alloc((size_t)c->n + 1, sizeof *group);
    own.measures = true;
    out->n = (int)(road ? a->points / 2 : a->points);
    out->x = xa_alloc((size_t)out->n + 1, sizeof *out->x);
    out->at = xa_alloc((size_t)out->n + 1, sizeof *out->at);
    if (!value || !group || !out->x || !out->at)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < out->n; i++) {
        out->x[i] = road ? xa_faith_road_share(i) / 100.0 : (double)i / (out->n - 1);
        for (int64_t q = 0; q < c->n; q++) {
            const bool done = c->status[q] == XA_CHECKED_DONE;
            group[q] = s->group_of_sample[c->sample[q]];
            value[q] = done ? value_at(a, road, q, block, i) : NAN;
        }
        XA_TRY(err, xa_stats_mean(&own, c->n, value, group, NULL, &out->at[i], err));
    }
done:
    free(value);
    free(group);
    return st;
}

xa_status xa_summary_curve(const xa_summary *s,
                           const xa_series *head,
                           const xa_rival_kind *rival,
                           const xa_stats_plan *plan,
                           xa_check_curve *out,
                           xa_err *err)
{
    xa_status st = XA_OK;
    xa_read_answers a = {0};
    const xa_read_model *m = xa__summary_model(s, head);
    const xa_read_checked *c = head->checked;
    const xa_read_map *x = c ? map_of(m, c) : NULL;
    const int kind = c ? xa_faith_kind_parse(c->kind) : -1;
    const bool road = kind == XA_FAITH_ROAD;
    *out = (xa_check_curve){0};
    if (!x ||
        !(road || kind == XA_FAITH_DELETION || kind == XA_FAITH_INSERTION || kind == XA_FAITH_IROF))
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: %s has no curve", s->path, head->metric);
    XA_TRY(err, xa_read_answers_load(s->r, m, x, c, &a, err));
    const int64_t block = rival ? block_of(&a, xa_rival_name(*rival)) : 0;
    if (block < 0 || !a.blocks || (!road && !a.prob))
        XA_FAIL(err, XA_NOT_FOUND, "%s: %s keeps no such curve", s->path, head->metric);
    if (road ? a.points != 2 * XA_FAITH_SHARES : a.points < 2)
        XA_FAIL(err, XA_FORMAT, "%s: the curve of %s has other points", s->path, head->metric);
    XA_TRY(err, average(s, c, &a, road, block, plan, out, err));
done:
    if (st != XA_OK)
        xa_check_curve_free(out);
    xa_read_answers_free(&a);
    return st;
}
