/* Comparisons between parts of the images. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

enum { MOST_PARTS = 40 };

typedef struct parted_list {
    const xa_summary *s;
    const xa_compare_options *o;
    xa_parted *family;
    int64_t upto;
} parted_list;

/* The difference of two parts, with its test continued up to `upto` random ways. */
static xa_status look(const parted_list *l, xa_parted *c, int64_t upto, xa_test *t, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_series *x = c->x;
    int64_t *group = xa_alloc((size_t)x->n + 1, sizeof *group);
    signed char *side = xa_alloc((size_t)x->n + 1, sizeof *side);
    if (!group || !side)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < x->n; q++) {
        const int64_t part = xa_summary_part_of(l->s, x, q);
        const char *name = part < 0 ? NULL : l->s->part_name[part];
        group[q] = l->s->group_of_sample[x->sample[q]];
        side[q] = !name ? -1 : name == c->part[0] ? 0 : name == c->part[1] ? 1 : -1;
    }
    c->between.test = *t;
    const xa_stats_plan own = xa_series_plan(l->o->plan, x);
    XA_TRY(err, xa_stats_between(&own, x->n, x->value, group, side, upto, &c->between, err));
    *t = c->between.test;
done:
    free(group);
    free(side);
    return st;
}

static xa_status more(void *arg, int64_t i, int64_t upto, xa_test *t, xa_err *err)
{
    parted_list *l = arg;
    return look(l, &l->family[i], upto, t, err);
}

static int by_family(const void *a, const void *b)
{
    const xa_parted *x = a, *y = b;
    const int metric = strcmp(x->x->metric, y->x->metric);
    const int model = strcmp(x->x->model, y->x->model);
    const int explainer = strcmp(x->x->explainer, y->x->explainer);
    const int left = strcmp(x->part[0], y->part[0]);
    return metric      ? metric
           : model     ? model
           : explainer ? explainer
           : left      ? left
                       : strcmp(x->part[1], y->part[1]);
}

/* Which parts hold units of a series: (*out)[nparts], free(). */
static xa_status find_parts(const xa_summary *s, const xa_series *x, bool **out, xa_err *err)
{
    *out = xa_alloc((size_t)s->nparts + 1, sizeof **out);
    if (!*out)
        XA_RETURN_NOMEM(err);
    for (int64_t q = 0; q < x->n; q++) {
        const int64_t part = xa_summary_part_of(s, x, q);
        if (part >= 0)
            (*out)[part] = true;
    }
    return XA_OK;
}

static xa_status
add_series(const xa_summary *s, const xa_series *x, xa_parted **c, size_t *cap, int *n, xa_err *err)
{
    xa_status st = XA_OK;
    bool *there = NULL;
    int64_t count = 0;
    XA_TRY(err, find_parts(s, x, &there, err));
    for (int64_t p = 0; p < s->nparts; p++)
        count += there[p];
    if (count > MOST_PARTS)
        XA_FAIL(err,
                XA_INVALID,
                "--between %s: %" PRId64
                " parts, at most %d can be compared with one another; a column "
                "of the manifest can hold coarser ones",
                s->by,
                count,
                (int)MOST_PARTS);
    for (int64_t p = 0; p < s->nparts; p++)
        for (int64_t q = p + 1; q < s->nparts && there[p]; q++)
            if (there[q]) {
                XA_TRY(err, xa_grow(c, cap, (size_t)*n + 1, sizeof **c, err));
                (*c)[(*n)++] = (xa_parted){.x = x, .part = {s->part_name[p], s->part_name[q]}};
            }
done:
    free(there);
    return st;
}

xa_status xa_summary_between(const xa_summary *s,
                             const xa_compare_options *o,
                             xa_parted **out,
                             int *n,
                             int *left_out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_parted *c = NULL;
    size_t cap = 0;
    int count = 0, number = 0;
    parted_list l = {.s = s, .o = o};
    *left_out = 0;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        if (xa_series_has_classes(x))
            XA_TRY(err, add_series(s, x, &c, &cap, &count, err));
        else
            ++*left_out;
    }
    if (count)
        qsort(c, (size_t)count, sizeof *c, by_family);
    for (int first = 0, end; first < count; first = end) {
        for (end = first; end < count && !strcmp(c[end].x->metric, c[first].x->metric) &&
                          !strcmp(c[end].x->model, c[first].x->model);)
            end++;
        l.family = c + first;
        XA_TRY(err,
               xa__decide(o,
                          o->permutations < 10 ? 1 : o->permutations / 10,
                          more,
                          &l,
                          &l.family->verdict,
                          sizeof *l.family,
                          end - first,
                          number++,
                          err));
    }
    if (count == 0 && *left_out < s->nseries)
        XA_FAIL(err,
                XA_INVALID,
                "--between %s: %s; two parts are needed",
                s->by,
                s->nparts ? "the scored images are of one part only"
                          : "no scored image has a value of it");
    *out = c;
    *n = count;
    c = NULL;
done:
    free(c);
    return st;
}
