/* Paired comparisons of two series, of one archive or of two, and Holm's decisions over families of
 * them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

/* ---- one comparison ---- */

/* Two series, and which unit of the second each unit of the first is. */
typedef struct sides {
    const xa_summary *a, *b;
    const xa_series *x, *y;
    const int64_t *to; /* [units of x] unit of y, or -1; NULL: the unit of the same number */
    int64_t *own;      /* `to` if it must be freed, else NULL */
} sides;

static int64_t other(const sides *s, int64_t q)
{
    return s->to ? s->to[q] : q;
}

/* Figures can be subtracted if they are of one kind and have the same conventions. */
static bool comparable(const xa_series *x, const xa_series *y)
{
    return x->is == y->is &&
           !strcmp(x->conventions ? x->conventions : "", y->conventions ? y->conventions : "");
}

/* Matches the maps of two explainers by image and class. */
static xa_status match_maps(sides *s, xa_err *err)
{
    s->to = s->own = xa_alloc((size_t)s->x->n + 1, sizeof *s->own);
    if (!s->own)
        XA_RETURN_NOMEM(err);
    int64_t first = 0;
    for (int64_t q = 0; q < s->x->n; q++) {
        while (first < s->y->n && s->y->sample[first] < s->x->sample[q])
            first++;
        s->own[q] = -1;
        for (int64_t k = first; k < s->y->n && s->y->sample[k] == s->x->sample[q]; k++)
            if (s->y->class_of[k] == s->x->class_of[q])
                s->own[q] = k;
    }
    return XA_OK;
}

/* The statistics of b's units in the order of a's units, free(). */
static xa_status rows_of_b(const sides *s, size_t row, unsigned char **out, xa_err *err)
{
    xa_status st = XA_OK;
    void *rows = NULL;
    XA_TRY(err, xa_summary_rows(s->b, s->y, &rows, err));
    *out = rows;
    if (!s->to)
        return XA_OK;
    *out = xa_alloc((size_t)s->x->n + 1, row);
    if (!*out)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < s->x->n; q++)
        if (s->to[q] >= 0)
            memcpy(*out + (size_t)q * row, (unsigned char *)rows + (size_t)s->to[q] * row, row);
done:
    free(rows);
    return st;
}

/* What to compute of two series: their difference, or more replicates of its test. */
typedef struct wanted {
    const xa_stats_plan *plan;
    xa_paired *pair; /* NULL: compute the test */
    xa_test *test;
    int64_t upto;
} wanted;

/* Two series of figures over the data set. */
static xa_status
subtract_curves(const sides *s, const xa__statistic *k, const wanted *w, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = s->x->n, *group = s->a->group;
    void *mine = NULL;
    unsigned char *theirs = NULL;
    bool *in_a = xa_alloc((size_t)n + 1, sizeof *in_a),
         *in_b = xa_alloc((size_t)n + 1, sizeof *in_b);
    int ta[XA_METRIC_LEVELS], tb[XA_METRIC_LEVELS];
    bool chosen_a, chosen_b;
    if (!in_a || !in_b)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < n; q++) {
        in_a[q] = xa_summary_counts(s->a, s->x, q);
        in_b[q] = other(s, q) >= 0 && xa_summary_counts(s->b, s->y, other(s, q));
    }
    XA_TRY(err, xa_summary_rows(s->a, s->x, &mine, err));
    XA_TRY(err, rows_of_b(s, k->row_bytes(s->x), &theirs, err));
    XA_TRY(err, xa_summary_threshold(s->a, s->x, ta, &chosen_a, err));
    XA_TRY(err, xa_summary_threshold(s->b, s->y, tb, &chosen_b, err));
    const xa__rows a = {s->x, n, mine, in_a, chosen_a ? ta : NULL};
    const xa__rows b = {s->y, n, theirs, in_b, chosen_b ? tb : NULL};
    XA_TRY(err,
           w->pair ? k->difference(w->plan, &a, &b, group, w->pair, err)
                   : k->flip(w->plan, &a, &b, group, w->upto, w->test, err));
done:
    free(mine);
    free(theirs);
    free(in_a);
    free(in_b);
    return st;
}

static xa_status subtract(const sides *s, const wanted *w, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = s->x->n;
    const xa__statistic *k = xa__statistic_of(s->x);
    if (k)
        return subtract_curves(s, k, w, err);
    double *theirs = xa_alloc((size_t)n + 1, sizeof *theirs);
    int64_t *group = xa_alloc((size_t)n + 1, sizeof *group);
    if (!theirs || !group)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < n; q++) {
        theirs[q] = other(s, q) >= 0 ? s->y->value[other(s, q)] : NAN;
        group[q] = s->a->group_of_sample[s->x->sample[q]];
    }
    const xa_stats_plan own = xa_series_plan(w->plan, s->x);
    XA_TRY(err,
           w->pair
               ? xa_stats_paired(&own, n, s->x->value, theirs, group, NULL, w->pair, err)
               : xa_stats_flip(&own, n, s->x->value, theirs, group, NULL, w->upto, w->test, err));
done:
    free(theirs);
    free(group);
    return st;
}

/* Counts why units are left out. Units that are in one archive only are left out by the join. */
static void count_undefined(const sides *s, xa_compared *c)
{
    for (int64_t q = 0; q < s->x->n; q++) {
        const int64_t k = other(s, q);
        const bool in_a = isfinite(s->x->value[q]), in_b = k >= 0 && isfinite(s->y->value[k]);
        if (k < 0 && s->a != s->b)
            continue;
        if (in_a && !in_b)
            xa_summary_add_undefined(s->b, s->y, k, &c->only_b);
        else if (!in_a && in_b)
            xa_summary_add_undefined(s->a, s->x, q, &c->only_a);
        else if (!in_a)
            xa_summary_add_undefined(s->a, s->x, q, &c->neither);
    }
}

/* ---- families ---- */

/* A growing list of comparisons. Their p values are found family by family, for Holm's decisions.
 */
typedef struct comparisons {
    const xa_summary *a, *b;
    const int64_t *to; /* [pairs of a] as in xa_joined; NULL: one archive */
    const xa_compare_options *o;
    xa_compared *c;
    int n, left_out;
    xa_compared *family; /* the family being tested */
} comparisons;

static xa_status sides_init(const comparisons *l, const xa_compared *c, sides *s, xa_err *err)
{
    *s = (sides){.a = l->a, .b = l->b, .x = c->a, .y = c->b, .to = l->to};
    return c->a->is == XA_SERIES_CHECK ? match_maps(s, err) : XA_OK;
}

static xa_status add(comparisons *l, const xa_series *x, const xa_series *y, xa_err *err)
{
    xa_status st = XA_OK;
    sides s = {0};
    if (!comparable(x, y)) {
        l->left_out++;
        return XA_OK;
    }
    xa_compared *c = &l->c[l->n++];
    *c = (xa_compared){.a = x, .b = y};
    const wanted w = {.plan = l->o->plan, .pair = &c->pair};
    XA_TRY(err, sides_init(l, c, &s, err));
    XA_TRY(err, subtract(&s, &w, err));
    count_undefined(&s, c);
done:
    free(s.own);
    return st;
}

static xa_status more(void *arg, int64_t i, int64_t upto, xa_test *t, xa_err *err)
{
    xa_status st = XA_OK;
    comparisons *l = arg;
    sides s = {0};
    const wanted w = {.plan = l->o->plan, .test = t, .upto = upto};
    XA_TRY(err, sides_init(l, &l->family[i], &s, err));
    XA_TRY(err, subtract(&s, &w, err));
done:
    free(s.own);
    return st;
}

/* By metric, then by model. */
static int by_family(const void *a, const void *b)
{
    const xa_compared *x = a, *y = b;
    const int metric = strcmp(x->a->metric, y->a->metric);
    const int model = strcmp(x->a->model, y->a->model);
    const int other_model = strcmp(x->b->model, y->b->model);
    const int left = strcmp(x->a->explainer, y->a->explainer);
    return metric        ? metric
           : model       ? model
           : other_model ? other_model
           : left        ? left
                         : strcmp(x->b->explainer, y->b->explainer);
}

static bool is_family(const comparisons *l, const xa_compared *x, const xa_compared *y)
{
    return !strcmp(x->a->metric, y->a->metric) &&
           (l->o->across ||
            (!strcmp(x->a->model, y->a->model) && !strcmp(x->b->model, y->b->model)));
}

int64_t xa__summary_most(const xa_compare_options *o, const xa_series *x)
{
    const bool means = xa_series_has_classes(x);
    return means || o->permutations < 10 ? o->permutations : o->permutations / 10;
}

xa_status xa__decide(const xa_compare_options *o,
                     int64_t most,
                     xa_test_more *more_of,
                     void *arg,
                     xa_verdict *first,
                     size_t stride,
                     int count,
                     int number,
                     xa_err *err)
{
    xa_status st = XA_OK;
    xa_test *t = xa_alloc((size_t)count, sizeof *t);
    double *adjusted = xa_alloc((size_t)count, sizeof *adjusted);
    xa_decision *decision = xa_alloc((size_t)count, sizeof *decision);
    if (!t || !adjusted || !decision)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_stats_decide(count, o->alpha, most, more_of, arg, t, adjusted, decision, err));
    for (int i = 0; i < count; i++) {
        xa_verdict *v = (xa_verdict *)(void *)((char *)first + (size_t)i * stride);
        *v = (xa_verdict){t[i], adjusted[i], decision[i], number, count};
    }
done:
    free(t);
    free(adjusted);
    free(decision);
    return st;
}

static xa_status decide_all(comparisons *l, xa_err *err)
{
    int number = 0;
    qsort(l->c, (size_t)l->n, sizeof *l->c, by_family);
    for (int first = 0, end; first < l->n; first = end) {
        for (end = first; end < l->n && is_family(l, &l->c[first], &l->c[end]);)
            end++;
        l->family = l->c + first;
        XA_RETURN_TRY(err,
                      xa__decide(l->o,
                                 xa__summary_most(l->o, l->family->a),
                                 more,
                                 l,
                                 &l->family->verdict,
                                 sizeof *l->family,
                                 end - first,
                                 number++,
                                 err));
    }
    return XA_OK;
}

/* ---- one archive ---- */

static bool called(const xa_series *x, const char *name)
{
    const size_t m = strlen(x->model);
    if (!strcmp(x->explainer, name))
        return true;
    return !strncmp(name, x->model, m) && name[m] == '/' && !strcmp(name + m + 1, x->explainer);
}

/* Figures of a check whose differences between explainers are those of its first figure, or
 * nothing: rivals and what the baseline does depend on the image alone. They are compared where
 * their check's first figure is not. */
static bool repeats(const xa_summary *s, const xa_series *x)
{
    if (!x->checked || xa_series_is_head(x))
        return false;
    const char *own = x->checked->figure[x->figure] + strlen(x->checked->name) + 1;
    if (!xa_series_is_difference(x, NULL) && strcmp(own, "base_prob") != 0 &&
        strcmp(own, "base_keeps") != 0)
        return false;
    for (int i = 0; i < s->nseries; i++)
        if (s->series[i].checked == x->checked && xa_series_is_head(&s->series[i]))
            return true;
    return false;
}

/* Whether series i is compared with k. Each two are compared once. */
static bool is_wanted(const xa_summary *s, const xa_compare_options *o, int i, int k)
{
    const xa_series *a = &s->series[i], *b = &s->series[k];
    const bool one_model = !strcmp(a->model, b->model);
    if (k == i || strcmp(a->metric, b->metric) != 0 || a->baseline || (!one_model && !o->across) ||
        repeats(s, a))
        return false;
    if (b->baseline && (!o->against || !one_model))
        return false;
    if (!o->against)
        return k > i;
    return called(b, o->against) && !(called(a, o->against) && k < i);
}

static xa_status must_be_called(const xa_summary *s, const char *against, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str list = {0};
    bool found = !against;
    for (int i = 0; i < s->nseries; i++) {
        found = found || called(&s->series[i], against);
        bool seen = false;
        for (int k = 0; k < i && !seen; k++)
            seen = !strcmp(s->series[i].model, s->series[k].model) &&
                   !strcmp(s->series[i].explainer, s->series[k].explainer);
        if (!seen)
            xa_str_printf(
                &list, "%s%s/%s", i ? ", " : "", s->series[i].model, s->series[i].explainer);
    }
    if (!found)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "--against %s: there is no such explainer; there are: %s",
                against,
                list.data ? list.data : "none");
done:
    xa_str_free(&list);
    return st;
}

xa_status xa_summary_compare(const xa_summary *s,
                             const xa_compare_options *o,
                             xa_compared **out,
                             int *n,
                             int *left_out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    comparisons l = {.a = s, .b = s, .o = o};
    XA_TRY(err, must_be_called(s, o->against, err));
    l.c = xa_alloc((size_t)s->nseries * (size_t)s->nseries + 1, sizeof *l.c);
    if (!l.c)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < s->nseries; i++)
        for (int k = 0; k < s->nseries; k++)
            if (is_wanted(s, o, i, k))
                XA_TRY(err, add(&l, &s->series[i], &s->series[k], err));
    XA_TRY(err, decide_all(&l, err));
    *out = l.c;
    *n = l.n;
    *left_out = l.left_out;
    l.c = NULL;
done:
    free(l.c);
    return st;
}

xa_status xa_summary_difference(const xa_summary *s,
                                const xa_series *a,
                                const xa_series *b,
                                const xa_stats_plan *plan,
                                xa_paired *out,
                                xa_err *err)
{
    const sides both = {.a = s, .b = s, .x = a, .y = b};
    const wanted w = {.plan = plan, .pair = out};
    if (!comparable(a, b))
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s of %s and of %s follow other conventions",
                       a->metric,
                       a->explainer,
                       b->explainer);
    return subtract(&both, &w, err);
}

/* ---- two archives ---- */

xa_status xa_summary_compare_archives(const xa_summary *a,
                                      const xa_summary *b,
                                      const xa_joined *j,
                                      const xa_compare_options *o,
                                      xa_compared **out,
                                      int *n,
                                      int *left_out,
                                      xa_err *err)
{
    xa_status st = XA_OK;
    comparisons l = {.a = a, .b = b, .to = j->to, .o = o};
    l.c = xa_alloc((size_t)a->nseries * (size_t)b->nseries + 1, sizeof *l.c);
    if (!l.c)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < a->nseries; i++)
        for (int k = 0; k < b->nseries; k++) {
            const xa_series *x = &a->series[i], *y = &b->series[k];
            if (!x->baseline && !y->baseline && x->is != XA_SERIES_CHECK &&
                !strcmp(x->explainer, y->explainer) && !strcmp(x->metric, y->metric))
                XA_TRY(err, add(&l, x, y, err));
        }
    XA_TRY(err, decide_all(&l, err));
    *out = l.c;
    *n = l.n;
    *left_out = l.left_out;
    l.c = NULL;
done:
    free(l.c);
    return st;
}
