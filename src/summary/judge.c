/* What checks object to, in words. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

/* A baseline that leaves the class in more images than this says little of a ranking. */
#define LEAVES 0.2

/* ---- one check ---- */

/* What a check found of an explainer's maps. */
typedef struct evidence {
    const xa_read_checked *check;
    int64_t looked_at, kept; /* images with a figure; of them the baseline leaves the class */
    bool has_baseline;       /* the check asks whether it does */
    xa_interval difference;  /* to the random map, without those images */
} evidence;

/* "0.012 [-0.010, 0.030] over 38 images" */
static void put_difference(xa_str *out, const xa_interval *f)
{
    xa_str_printf(out,
                  "the difference is %+.3f [%+.3f, %+.3f] over %" PRId64 " images",
                  f->value,
                  f->low,
                  f->high,
                  f->n);
}

static const char *rival_of(const evidence *e)
{
    const int kind = xa_faith_kind_parse(e->check->kind);
    const bool ranks = kind >= 0 && xa_faith_has((xa_faith_kind)kind, XA_FAITH_HAS_TIES);
    return ranks ? "a random ranking" : "a random map";
}

/* The one place where findings become words. True: the check objects. */
static bool judge_random(const evidence *e, bool *judged, xa_str *out)
{
    const xa_interval *f = &e->difference;
    const int better = e->check->better[0];
    *judged = f->n > 0 && f->kind != XA_INTERVAL_NONE;
    if (!f->n) {
        xa_str_printf(out, "%s: not judged: no image is left for it", e->check->name);
        return false;
    }
    if (!*judged) {
        xa_str_printf(out, "%s: not judged: %s", e->check->name, xa_stats_no_interval(f->why));
        return false;
    }
    const double least = better > 0 ? f->low : -f->high, most = better > 0 ? f->high : -f->low;
    if (least > 0.0)
        return false;
    xa_str_printf(
        out, "%s: %s than %s (", e->check->name, most < 0.0 ? "worse" : "no better", rival_of(e));
    put_difference(out, f);
    xa_str_puts(out, ")");
    return true;
}

static bool judge_baseline(const evidence *e, xa_str *out)
{
    if (!e->has_baseline || (double)e->kept <= LEAVES * (double)e->looked_at)
        return false;
    const char *settings = strstr(e->check->settings, "baseline ");
    const char *name = settings ? settings + sizeof "baseline " - 1 : "";
    xa_str_printf(out,
                  "%s: the baseline%s%.*s leaves the class in %.0f %% of the images",
                  e->check->name,
                  *name ? " " : "",
                  (int)strcspn(name, ";"),
                  name,
                  100.0 * (double)e->kept / (double)e->looked_at);
    return true;
}

const char *xa_judged_rules(void)
{
    return "A check objects to an explainer's maps where the 95 % interval of their difference to "
           "a "
           "random map reaches 0 or lies on the wrong side, and where its baseline leaves the "
           "class "
           "(more than half of the image's probability remains) in more than 20 % of the images; "
           "such images are left out of the difference. No objection is no proof that a map is "
           "true "
           "to its model.";
}

/* ---- what was found ---- */

/* False: there is no rule for such a check. */
static xa_status find(const xa_summary *s,
                      const xa_read_checked *c,
                      const xa_stats_plan *plan,
                      evidence *e,
                      bool *any,
                      xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t random = xa_read_figure(c, "minus_random"),
                  keeps = xa_read_figure(c, "base_keeps");
    double *value = NULL;
    int64_t *group = NULL;
    *e = (evidence){.check = c, .has_baseline = keeps >= 0};
    *any = random >= 0 && c->better[0] != 0;
    if (!*any)
        return XA_OK;
    value = xa_alloc((size_t)c->n + 1, sizeof *value);
    group = xa_alloc((size_t)c->n + 1, sizeof *group);
    if (!value || !group)
        XA_NOMEM_FAIL(err);
    for (int64_t q = 0; q < c->n; q++) {
        const bool kept = keeps >= 0 && c->value[keeps][q] > 0.5;
        group[q] = s->group_of_sample[c->sample[q]];
        value[q] = kept ? NAN : c->value[random][q];
        e->looked_at += isfinite(c->value[0][q]);
        e->kept += kept;
    }
    xa_stats_plan own = *plan;
    own.measures = true;
    XA_TRY(err, xa_stats_mean(&own, c->n, value, group, NULL, &e->difference, err));
done:
    free(value);
    free(group);
    return st;
}

/* Whether a check is among the series that are kept. */
static bool is_kept(const xa_summary *s, const xa_read_checked *c)
{
    for (int i = 0; i < s->nseries; i++)
        if (s->series[i].checked == c)
            return true;
    return false;
}

/* ---- an explainer ---- */

static xa_status add(xa_judged *j, size_t *cap, xa_str *text, xa_err *err)
{
    if (!text->len)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&j->text, cap, (size_t)j->n + 1, sizeof *j->text, err));
    j->text[j->n] = xa_strdup(text->data);
    if (!j->text[j->n++])
        XA_RETURN_NOMEM(err);
    text->len = 0;
    return XA_OK;
}

static xa_status judge(const xa_summary *s,
                       const xa_read_map *x,
                       const xa_stats_plan *plan,
                       xa_judged *j,
                       bool *any,
                       xa_err *err)
{
    xa_status st = XA_OK;
    xa_str text = {0};
    size_t cap = 0;
    *any = false;
    for (int64_t k = 0; k < x->nchecked; k++) {
        evidence e;
        bool rule, judged;
        if (!is_kept(s, &x->checked[k]))
            continue;
        XA_TRY(err, find(s, &x->checked[k], plan, &e, &rule, err));
        /* a check that is not for these maps has nothing to say of them */
        if (!rule || !e.looked_at)
            continue;
        *any = true;
        const bool baseline = judge_baseline(&e, &text);
        XA_TRY(err, add(j, &cap, &text, err));
        const bool random = judge_random(&e, &judged, &text);
        XA_TRY(err, add(j, &cap, &text, err));
        j->objections += baseline || random;
        j->judged += judged || baseline;
    }
    if (*any && !j->objections && j->judged) {
        xa_str_puts(&text, "no objection");
        XA_TRY(err, add(j, &cap, &text, err));
    }
done:
    xa_str_free(&text);
    return st;
}

void xa_judged_free(xa_judged *j, int n)
{
    for (int i = 0; j && i < n; i++)
        xa_texts_free(j[i].text, j[i].n);
    free(j);
}

xa_status xa_summary_judge(
    const xa_summary *s, const xa_stats_plan *plan, xa_judged **out, int *n, xa_err *err)
{
    xa_status st = XA_OK;
    xa_judged *all = NULL;
    size_t cap = 0;
    int count = 0;
    for (int64_t m = 0; m < s->r->nmodels; m++)
        for (int64_t e = 0; e < s->r->models[m].nmaps; e++) {
            const xa_read_map *x = &s->r->models[m].maps[e];
            bool any;
            XA_TRY(err, xa_grow(&all, &cap, (size_t)count + 1, sizeof *all, err));
            xa_judged *j = &all[count++];
            *j = (xa_judged){.model = s->r->models[m].name, .explainer = x->name};
            XA_TRY(err, judge(s, x, plan, j, &any, err));
            if (!any) {
                xa_texts_free(j->text, j->n);
                count--;
            }
        }
    *out = all;
    *n = count;
    all = NULL;
done:
    xa_judged_free(all, count);
    return st;
}
