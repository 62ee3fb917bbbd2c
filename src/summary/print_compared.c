/* Comparisons as text. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print_internal.h"
#include "xaudit/print.h"

/* ---- text ---- */

/* The larger of `width` and the columns of a name, which count up to 44. */
static int64_t widest(int64_t width, const char *name)
{
    const int64_t n = xa_str_columns(name);
    return n > width ? n < 44 ? n : 44 : width;
}

static void put_p(FILE *out, double p)
{
    if (isnan(p))
        fprintf(out, " %8s", "-");
    else
        fprintf(out, p < 0.0001 ? " %8.1e" : " %8.4f", p);
}

static void put_difference(FILE *out, const xa_interval *d)
{
    char v[24], low[24], high[24];
    fprintf(out, "%s ", xa_score_text(d->value, true, v));
    if (d->kind == XA_INTERVAL_NONE)
        fprintf(out, "%-17s", xa_no_interval_short(d));
    else
        fprintf(
            out, "[%s,%s]", xa_score_text(d->low, true, low), xa_score_text(d->high, true, high));
}

/* What the lines below a family of comparisons report. */
typedef struct verdicts {
    int tested, undecided, groups, alike;
    int64_t most;
    double least;
    bool why[XA_NO_INTERVAL_CONSTANT + 1];
    const char *note; /* about the kind of figure, or NULL */
} verdicts;

static void count_verdict(verdicts *v, const xa_verdict *of, const xa_interval *f)
{
    const xa_test *t = &of->test;
    v->tested += !isnan(t->p);
    v->alike += t->groups == 0 && t->p == 1.0;
    v->most = t->replicates > v->most ? t->replicates : v->most;
    v->undecided += of->decision == XA_DECISION_UNDECIDED;
    if (of->decision == XA_DECISION_GROUPS && t->groups > 0)
        v->least = v->groups++ ? fmin(v->least, t->least) : t->least;
    if (f->n)
        v->why[f->why] = true;
}

static void put_verdicts(FILE *out, const verdicts *v, const xa_compare_options *o)
{
    if (v->tested > 1)
        fprintf(out, "  p (Holm) is adjusted over these %d comparisons.\n", v->tested);
    if (v->tested == 1)
        fputs("  p (Holm) is adjusted over this comparison alone.\n", out);
    if (v->note)
        fprintf(out, "  %s\n", v->note);
    if (v->alike)
        fprintf(out, "  In %d of them no group differs.\n", v->alike);
    if (v->groups)
        fprintf(out,
                "  %d of them cannot be significant at %g whatever they show: so few groups differ "
                "that p cannot fall below %.2g.\n",
                v->groups,
                o->alpha,
                v->least);
    if (v->undecided)
        fprintf(out,
                "  warning: %d of them are not decided after %" PRId64
                " replicates: more are needed "
                "(--permutations).\n",
                v->undecided,
                v->most);
    for (int k = XA_NO_INTERVAL_FEW; k <= XA_NO_INTERVAL_CONSTANT; k++)
        if (v->why[k])
            fprintf(out, "  %s.\n", xa_stats_no_interval((xa_no_interval)k));
}

static void put_foot(FILE *out, const xa_compare_options *o, const char *how, bool parts)
{
    fprintf(
        out,
        "\n*: significant. p: two-sided, %s;\nall ways counted where they are few, else random "
        "ones, (reached + 1) / (all + 1), until Holm's decision at %g is clear,\nat most %" PRId64,
        how,
        o->alpha,
        (parts ? o->permutations / 10 : o->permutations));
    if (!parts)
        fprintf(out, " (%" PRId64 " for figures over the data set)", (o->permutations / 10));
    fprintf(out,
            "; seed %" PRIu64 ". Intervals: 95 %%, expanded percentile bootstrap, %" PRId64
            " replicates.\n",
            o->plan->seed,
            o->plan->replicates);
}

static void put_dropped(FILE *out, const xa_compared *c)
{
    const struct {
        const xa_undefined *u;
        const char *where;
    } sides[] = {{&c->only_a, "a alone"}, {&c->only_b, "b alone"}, {&c->neither, "both"}};
    const char *between = "    not compared: ";
    for (size_t k = 0; k < 3; k++) {
        xa_str text = {0};
        if (!sides[k].u->pairs)
            continue;
        xa_summary_undefined_text(&text, sides[k].u);
        fprintf(out,
                "%s%" PRId64 " undefined in %s (%s)",
                between,
                sides[k].u->pairs,
                sides[k].where,
                text.data ? text.data : "");
        xa_str_free(&text);
        between = ", ";
    }
    if (*between == ',')
        fputc('\n', out);
    if (c->only_a.pairs || c->only_b.pairs)
        fprintf(out,
                "    note: what is undefined in only one of the two is left out, which flatters "
                "that one\n");
}

static char *name_of(const xa_series *x)
{
    return xa_strfmt("%s/%s", x->model, x->explainer);
}

static void put_compared(FILE *out, const xa_compared *c, int64_t wa, int64_t wb)
{
    const xa_interval *d = &c->pair.difference;
    char *a = name_of(c->a), *b = name_of(c->b);
    fputs("  ", out);
    xa_put_padded(out, a, wa);
    fputc(' ', out);
    xa_put_padded(out, b, wb);
    free(a);
    free(b);
    fprintf(out, " %6" PRId64 "  ", d->n);
    if (!d->n) {
        fprintf(out, "no pair is defined on both sides\n");
        put_dropped(out, c);
        return;
    }
    put_difference(out, d);
    put_p(out, c->verdict.test.p);
    put_p(out, c->verdict.adjusted);
    fputs(c->verdict.decision == XA_DECISION_SIGNIFICANT ? "*  " : "   ", out);
    if (xa_series_has_classes(c->a))
        fprintf(
            out, "%" PRId64 "/%" PRId64 "/%" PRId64 "\n", c->pair.win, c->pair.tie, c->pair.loss);
    else
        fprintf(out, "of the data set\n");
    put_dropped(out, c);
}

static void compared_text(const xa_compared *c, int n, const xa_compare_options *o, FILE *out)
{
    char metric[128];
    for (int first = 0, end; first < n; first = end) {
        int64_t wa = 12, wb = 12;
        const xa__statistic *statistic = xa__statistic_of(c[first].a);
        verdicts v = {.note = statistic ? statistic->note : NULL};
        for (end = first; end < n && c[end].verdict.family == c[first].verdict.family; end++) {
            char *a = name_of(c[end].a), *b = name_of(c[end].b);
            wa = widest(wa, a);
            wb = widest(wb, b);
            free(a);
            free(b);
        }
        fprintf(out,
                "\n%s: a - b over the same %s%s%s\n  ",
                xa_shown(c[first].a->metric, metric, sizeof metric),
                c[first].a->is == XA_SERIES_CHECK ? "images and classes" : "pairs",
                c[first].a->checked ? "; " : "",
                c[first].a->checked ? xa_series_direction(c[first].a) : "");
        xa_put_padded(out, "a", wa);
        fputc(' ', out);
        xa_put_padded(out, "b", wb);
        fprintf(out,
                " %6s  %-25s %8s %8s   %s\n",
                "n",
                "difference [95 %]",
                "p",
                "p (Holm)",
                "win/tie/loss");
        for (int i = first; i < end; i++) {
            put_compared(out, &c[i], wa, wb);
            count_verdict(&v, &c[i].verdict, &c[i].pair.difference);
        }
        put_verdicts(out, &v, o);
    }
    if (n == 0) {
        fprintf(out,
                "\nThere is nothing to compare: no metric has two explainers%s.\n",
                o->across ? "" : " of one model (--across compares those of two models)");
        return;
    }
    put_foot(out,
             o,
             "paired: the differences of a group (or image) might as well have had the other sign",
             false);
}

xa_status xa_summary_print_compared(const xa_compared *c,
                                    int n,
                                    int left_out,
                                    const xa_compare_options *o,
                                    xa_summary_form form,
                                    FILE *out,
                                    xa_err *err)
{
    if (form == XA_SUMMARY_CSV || form == XA_SUMMARY_JSON)
        return xa__write_comparisons(XA__COMPARED, c, (size_t)n, left_out, o, form, out, err);
    compared_text(c, n, o, out);
    if (left_out)
        fprintf(out, "%d comparisons left out: their conventions differ.\n", left_out);
    return XA_OK;
}

/* ---- parts ---- */

static void put_parted(FILE *out, const xa_parted *c, int64_t we, const int64_t wp[2])
{
    fputs("  ", out);
    xa_put_padded(out, c->x->explainer, we);
    for (int k = 0; k < 2; k++) {
        fputc(' ', out);
        xa_put_padded(out, c->part[k], wp[k]);
    }
    fprintf(out, " %6" PRId64 " %6" PRId64 "  ", c->between.n[0], c->between.n[1]);
    if (!c->between.n[0] || !c->between.n[1]) {
        fprintf(out, "nothing is defined on one side\n");
        return;
    }
    put_difference(out, &c->between.difference);
    put_p(out, c->verdict.test.p);
    put_p(out, c->verdict.adjusted);
    fputs(c->verdict.decision == XA_DECISION_SIGNIFICANT ? "*\n" : "\n", out);
}

static void
parted_text(const xa_summary *s, const xa_parted *c, int n, const xa_compare_options *o, FILE *out)
{
    char a[128], b[128], by[128];
    for (int first = 0, end; first < n; first = end) {
        int64_t we = 12, wp[2] = {8, 8};
        verdicts v = {0};
        for (end = first; end < n && c[end].verdict.family == c[first].verdict.family; end++) {
            we = widest(we, c[end].x->explainer);
            for (int k = 0; k < 2; k++)
                wp[k] = widest(wp[k], c[end].part[k]);
        }
        fprintf(out,
                "\n%s  %s: a - b, parts of the images by %s\n  ",
                xa_shown(c[first].x->model, a, sizeof a),
                xa_shown(c[first].x->metric, b, sizeof b),
                xa_shown(s->by, by, sizeof by));
        xa_put_padded(out, "explainer", we);
        fputc(' ', out);
        xa_put_padded(out, "a", wp[0]);
        fputc(' ', out);
        xa_put_padded(out, "b", wp[1]);
        fprintf(out,
                " %6s %6s  %-25s %8s %8s\n",
                "n of a",
                "n of b",
                "difference [95 %]",
                "p",
                "p (Holm)");
        for (int i = first; i < end; i++) {
            put_parted(out, &c[i], we, wp);
            count_verdict(&v, &c[i].verdict, &c[i].between.difference);
        }
        put_verdicts(out, &v, o);
    }
    put_foot(out,
             o,
             "unpaired: groups (or images) exchanged between the parts, the difference over its "
             "standard error",
             true);
}

xa_status xa_summary_print_between(const xa_summary *s,
                                   const xa_parted *c,
                                   int n,
                                   int left_out,
                                   const xa_compare_options *o,
                                   xa_summary_form form,
                                   FILE *out,
                                   xa_err *err)
{
    if (form == XA_SUMMARY_CSV || form == XA_SUMMARY_JSON)
        return xa__write_comparisons(XA__PARTED, c, (size_t)n, left_out, o, form, out, err);
    parted_text(s, c, n, o, out);
    if (left_out)
        fprintf(out,
                "%d series of figures over the data set (box_acc, pxap) are not compared between "
                "parts: --by shows each.\n",
                left_out);
    return XA_OK;
}
