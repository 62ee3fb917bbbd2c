/* Figures as text. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print_internal.h"
#include "xaudit/print.h"
#include "xaudit/view.h"

/* ---- what became of the manifest ---- */

/* Maps that are zero everywhere are failed explanations. They are scored, and reported here. */
static void print_zero_maps(const xa_read *r, FILE *out)
{
    char model[128], explainer[128];
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++) {
            const xa_read_map *x = &r->models[m].maps[e];
            int64_t rows;
            const int64_t zeros = xa_summary_zero_maps(&r->models[m], x, &rows);
            if (zeros)
                fprintf(out,
                        "%s/%s: %" PRId64 " of %" PRId64
                        " maps are all zero, and are scored as such\n",
                        xa_shown(r->models[m].name, model, sizeof model),
                        xa_shown(x->name, explainer, sizeof explainer),
                        zeros,
                        rows);
        }
}

/* Values that should add up to a difference of scores, and miss it by more than a twentieth. */
static void print_incomplete(const xa_read *r, FILE *out)
{
    char model[128], explainer[128];
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++) {
            const xa_read_map *x = &r->models[m].maps[e];
            int64_t rows;
            const int64_t missed = xa_summary_incomplete_maps(x, &rows);
            if (!rows)
                continue;
            fprintf(out,
                    "%s/%s: the values of %" PRId64 " of %" PRId64
                    " maps (%.1f %%) miss the difference of scores that they should add up to by "
                    "more than 5 %%%s\n",
                    xa_shown(r->models[m].name, model, sizeof model),
                    xa_shown(x->name, explainer, sizeof explainer),
                    missed,
                    rows,
                    100.0 * (double)missed / (double)rows,
                    20 * missed > rows ? "; more points of the path bring them nearer" : "");
        }
}

void xa_summary_print_flow(const xa_summary *s, FILE *out)
{
    const xa_read *r = s->r;
    int64_t annotated = 0;
    char name[128];
    for (int64_t q = 0; q < r->pairs; q++)
        annotated += q == 0 || r->pair_sample[q] != r->pair_sample[q - 1];
    fprintf(out, "%" PRId64 " image%s in the manifest", r->samples, r->samples == 1 ? "" : "s");
    if (s->grouped)
        fprintf(out, ", %" PRId64 " group%s", s->ngroups, s->ngroups == 1 ? "" : "s");
    fprintf(out,
            "; %" PRId64 " annotated (%" PRId64 " pairs of image and class), %" PRId64 " not\n",
            annotated,
            r->pairs,
            (r->samples - annotated));
    for (int64_t m = 0; m < r->nmodels; m++) {
        int64_t count[4] = {0};
        for (int64_t i = 0; i < r->samples; i++)
            count[r->models[m].status[i] < 4 ? r->models[m].status[i] : 0]++;
        fprintf(out,
                "model %s: %" PRId64 " done, %" PRId64 " failed, %" PRId64 " excluded%s",
                xa_shown(r->models[m].name, name, sizeof name),
                count[XA_SAMPLE_DONE],
                count[XA_SAMPLE_FAILED],
                count[XA_SAMPLE_EXCLUDED],
                count[XA_SAMPLE_PENDING] ? "" : "\n");
        if (count[XA_SAMPLE_PENDING])
            fprintf(out,
                    ", %" PRId64 " not reached yet: figures are over the images done so far\n",
                    count[XA_SAMPLE_PENDING]);
    }
    print_zero_maps(r, out);
    print_incomplete(r, out);
    for (int64_t k = 0; k < s->nexcluded; k++)
        fprintf(out,
                "excluded by the manifest: %" PRId64 ": %s\n",
                s->excluded[k].count,
                xa_shown(s->excluded[k].reason, name, sizeof name));
    if (xa_print_annotations(r, "", out, NULL) != XA_OK)
        fputs("the problems of the annotations cannot be read\n", out);
    if (s->grouped && s->nclusters < XA_STATS_FEW_GROUPS)
        fprintf(out,
                "warning: %" PRId64
                " groups%s: intervals of fewer than %d can be too short, those of fewer "
                "than %d are not given\n",
                s->nclusters,
                s->nclusters > s->ngroups ? " (an image without one is its own)" : "",
                (int)XA_STATS_FEW_GROUPS,
                (int)XA_STATS_LEAST_GROUPS);
}

/* ---- one row of any table ---- */

const char *xa_no_interval_short(const xa_interval *f)
{
    return f->why == XA_NO_INTERVAL_CONSTANT ? "all the same" : "too few groups";
}

size_t xa__end_of_table(const xa_summary_row *rows, size_t first, size_t n)
{
    size_t end = first;
    while (end < n && !strcmp(rows[end].series->metric, rows[first].series->metric) &&
           !strcmp(rows[end].series->model, rows[first].series->model))
        end++;
    return end;
}

void xa__print_interval(FILE *out, const xa_interval *f)
{
    char v[24], low[24], high[24];
    if (f->n == 0) {
        fprintf(out, "  %24s", "-");
        return;
    }
    fprintf(out, "  %7s ", xa_score_text(f->value, false, v));
    if (f->kind == XA_INTERVAL_NONE)
        fprintf(out, "%-16s", xa_no_interval_short(f));
    else
        fprintf(out,
                "[%s,%s]%s",
                xa_score_text(f->low, false, low),
                xa_score_text(f->high, false, high),
                f->kind == XA_INTERVAL_WILSON ? "w" : " ");
}

/* Below the row of a series: why scores of it are undefined. */
void xa__print_undefined(FILE *out, const xa_summary *s, const xa_series *x)
{
    xa_undefined u;
    xa_str text = {0};
    xa_summary_undefined(s, x, &u);
    xa_summary_undefined_text(&text, &u);
    if (text.len)
        fprintf(out, "    undefined: %s\n", text.data);
    xa_str_free(&text);
}

/* The row of a baseline over all pairs, in the table rows[first..end); NULL: there is none. */
static const xa_summary_row *
baseline_row(const xa_summary_row *rows, size_t first, size_t end, const char *name)
{
    for (size_t i = first; i < end; i++)
        if (rows[i].series->baseline && !rows[i].part && rows[i].figure.micro.n &&
            !strcmp(rows[i].series->explainer, name))
            return &rows[i];
    return NULL;
}

/* Names the explainers of a table that do no better than a baseline. suffix: `baseline` is the end
 * of the name of each explainer's own baseline. */
static void text_beaten(FILE *out,
                        const xa_summary_row *rows,
                        size_t first,
                        size_t end,
                        const char *baseline,
                        bool suffix,
                        const char *what)
{
    const char *between = what;
    char name[64], own[128];
    for (size_t i = first; i < end; i++) {
        const xa_interval *f = &rows[i].figure.micro;
        if (rows[i].series->baseline || rows[i].part || !f->n)
            continue;
        snprintf(own, sizeof own, "%s%s", suffix ? rows[i].series->explainer : "", baseline);
        const xa_summary_row *b = baseline_row(rows, first, end, own);
        if (!b || f->value > b->figure.micro.value)
            continue;
        fprintf(out, "%s%s", between, xa_shown(rows[i].series->explainer, name, sizeof name));
        between = ", ";
    }
    if (*between == ',')
        fputc('\n', out);
}

static void text_all_beaten(FILE *out, const xa_summary_row *rows, size_t first, size_t end)
{
    text_beaten(out,
                rows,
                first,
                end,
                xa_baseline_name(XA_BASELINE_CENTRE),
                false,
                "  not better than looking at the centre: ");
    text_beaten(out,
                rows,
                first,
                end,
                ".shuffled",
                true,
                "  not better than the same maps shuffled among images: ");
    text_beaten(out,
                rows,
                first,
                end,
                ".class_mean",
                true,
                "  not better than the mean map of the class: ");
}

/* Columns of a terminal for the names: as the longest needs, from 24 to 48. */
static int64_t name_width(const xa_summary_row *rows, size_t n)
{
    int64_t width = 24;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].series->checked && rows[i].series->baseline)
            continue; /* a column, not a row */
        const int64_t k = xa_str_columns(rows[i].series->explainer) +
                          (rows[i].series->baseline ? (int64_t)sizeof " (baseline)" - 1 : 0);
        width = k > width ? k : width;
    }
    return width < 48 ? width : 48;
}

static void text_head(FILE *out, const xa_summary *s, const xa_series *x, int64_t width)
{
    char a[128], b[128], c[512], unit[48];
    snprintf(unit, sizeof unit, "%s [95 %%]", xa_series_unit(x));
    fprintf(out,
            "\n%s  %s  (%s; %s)\n  ",
            xa_shown(x->model, a, sizeof a),
            xa_shown(x->metric, b, sizeof b),
            xa__figure_name(x),
            xa_shown(x->conventions ? x->conventions : "conventions not stored", c, sizeof c));
    xa_put_padded(out, "explainer", width);
    fputc(' ', out);
    xa_put_padded(out, s->by, s->by ? 18 : 0);
    fprintf(out,
            " %6s %5s  %-25s %s\n",
            "n",
            "undef",
            unit,
            xa_series_has_classes(x) ? " over classes [95 %]" : "");
}

static void text_row(FILE *out, const xa_summary *s, const xa_summary_row *r, int64_t width)
{
    const xa_series *x = r->series;
    char name[300];
    snprintf(name, sizeof name, "%s%s", x->explainer, x->baseline ? " (baseline)" : "");
    fputs("  ", out);
    xa_put_padded(out, name, width);
    fputc(' ', out);
    xa_put_padded(out, r->part ? r->part : s->by ? "all" : "", s->by ? 18 : 0);
    fprintf(out, " %6" PRId64 " %5" PRId64, r->figure.micro.n, r->figure.micro.undefined);
    xa__print_interval(out, &r->figure.micro);
    if (xa_series_has_classes(x))
        xa__print_interval(out, &r->figure.macro);
    fputc('\n', out);
    if (!r->part && r->figure.micro.undefined && !x->baseline)
        xa__print_undefined(out, s, x);
}

/* What the marks beside intervals mean. */
static void text_foot(
    FILE *out, const xa_summary *s, const xa_summary_row *rows, size_t n, const xa_stats_plan *plan)
{
    bool wilson = false, why[XA_NO_INTERVAL_CONSTANT + 1] = {false};
    for (size_t i = 0; i < n; i++) {
        const xa_interval *f[] = {&rows[i].figure.micro, &rows[i].figure.macro};
        for (int k = 0; k < 2; k++) {
            wilson = wilson || f[k]->kind == XA_INTERVAL_WILSON;
            if (f[k]->n)
                why[f[k]->why] = true;
        }
    }
    fprintf(out,
            "\nIntervals: 95 %%, expanded percentile bootstrap, %" PRId64
            " replicates, seed %" PRIu64 ", %s drawn "
            "together.\n",
            plan->replicates,
            plan->seed,
            s->grouped ? "groups" : "units of an image");
    if (wilson)
        fputs("w: Wilson's interval, for a rate over single images and for a rate of 0 or 1.\n",
              out);
    for (int k = XA_NO_INTERVAL_FEW; k <= XA_NO_INTERVAL_CONSTANT; k++)
        if (why[k])
            fprintf(out,
                    "%s%s.\n",
                    xa_stats_no_interval((xa_no_interval)k),
                    s->grouped ? "" : " (a group is what belongs to one image)");
}

static void print_text(const xa_summary *s,
                       const xa_summary_row *rows,
                       size_t n,
                       const xa_stats_plan *plan,
                       const xa__found *found,
                       FILE *out)
{
    const int64_t width = name_width(rows, n);
    for (size_t first = 0, end; first < n; first = end) {
        end = xa__end_of_table(rows, first, n);
        if (xa__row_is_folded(rows, n, &rows[first]))
            continue;
        if (xa_series_is_head(rows[first].series)) {
            xa__print_check(out, s, rows, n, first, end, width);
            continue;
        }
        text_head(out, s, rows[first].series, width);
        for (size_t i = first; i < end; i++)
            text_row(out, s, &rows[i], width);
        if (rows[first].series->is != XA_SERIES_CHECK) /* baselines have no checks */
            text_all_beaten(out, rows, first, end);
    }
    xa__print_judged(out, found->judged, found->njudged);
    for (int64_t m = 0; m < s->r->nmodels; m++)
        xa__print_orders(out, &s->r->models[m], &found->orders[m]);
    text_foot(out, s, rows, n, plan);
}

int xa__series_order(const xa_series *x, const xa_series *y)
{
    const int model = strcmp(x->model, y->model), metric = strcmp(x->metric, y->metric);
    return model                        ? model
           : metric                     ? metric
           : x->baseline != y->baseline ? (int)x->baseline - (int)y->baseline
                                        : strcmp(x->explainer, y->explainer);
}

static int by_metric(const void *a, const void *b)
{
    return xa__series_order(*(const xa_series *const *)a, *(const xa_series *const *)b);
}

/* The series of a summary in the order of their tables, with the rivals of checks. */
typedef struct ordered {
    const xa_series **list;
    xa_series *rivals; /* [nrivals] owned */
    int n, nrivals;
} ordered;

static void ordered_fini(ordered *o)
{
    for (int i = 0; i < o->nrivals; i++)
        xa_series_free(&o->rivals[i]);
    free(o->rivals);
    free(o->list);
}

/* tables: with what stands in a table beside a check's figure, whatever was chosen. */
static xa_status order(const xa_summary *s, bool tables, ordered *o, xa_err *err)
{
    const size_t most = (size_t)s->nseries * (XA_RIVAL_COUNT + 2) + 1;
    o->list = xa_alloc(most, sizeof *o->list);
    o->rivals = xa_alloc(most, sizeof *o->rivals);
    if (!o->list || !o->rivals)
        XA_RETURN_NOMEM(err);
    for (int i = 0; i < s->nseries; i++) {
        int n = 0;
        bool any = false;
        const xa_series *x = &s->series[i];
        o->list[o->n++] = x;
        if (!xa_series_is_head(x))
            continue;
        XA_RETURN_TRY(err, xa_summary_rivals(x, &o->rivals[o->nrivals], &n, err));
        o->nrivals += n;
        if (tables)
            XA_RETURN_TRY(err, xa__summary_difference_of(s, x, &o->rivals[o->nrivals], &any, err));
        o->nrivals += any;
    }
    for (int i = 0; i < o->nrivals; i++)
        o->list[o->n++] = &o->rivals[i];
    qsort(o->list, (size_t)o->n, sizeof *o->list, by_metric);
    return XA_OK;
}

static void found_fini(const xa_summary *s, xa__found *f)
{
    xa_judged_free(f->judged, f->njudged);
    for (int64_t m = 0; f->orders && m < s->r->nmodels; m++)
        xa_orders_free(&f->orders[m]);
    free(f->orders);
}

static xa_status
find_more(const xa_summary *s, const xa_stats_plan *plan, xa__found *f, xa_err *err)
{
    f->orders = xa_alloc((size_t)s->r->nmodels + 1, sizeof *f->orders);
    if (!f->orders)
        XA_RETURN_NOMEM(err);
    for (int64_t m = 0; m < s->r->nmodels; m++)
        XA_RETURN_TRY(err, xa_summary_orders(s, &s->r->models[m], plan, &f->orders[m], err));
    return xa_summary_judge(s, plan, &f->judged, &f->njudged, err);
}

xa_status xa_summary_print(
    const xa_summary *s, const xa_stats_plan *plan, xa_summary_form form, FILE *out, xa_err *err)
{
    xa_status st = XA_OK;
    ordered o = {0};
    xa_summary_row *rows = NULL;
    xa__found found = {0};
    size_t n = 0;
    bool ok = true;
    XA_TRY(err, order(s, form == XA_SUMMARY_TEXT || form == XA_SUMMARY_LATEX, &o, err));
    rows = xa_alloc((size_t)o.n * (size_t)(s->nparts + 1) + 1, sizeof *rows);
    if (!rows)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < o.n; i++)
        for (int64_t part = -1; part < s->nparts; part++) {
            rows[n] = (xa_summary_row){
                .s = s, .series = o.list[i], .part = part < 0 ? NULL : s->part_name[part]};
            XA_TRY(err, xa_summary_figure(s, o.list[i], plan, part, &rows[n].figure, err));
            n += part < 0 || rows[n].figure.micro.n + rows[n].figure.micro.undefined > 0;
        }
    XA_TRY(err, find_more(s, plan, &found, err));
    switch (form) {
    case XA_SUMMARY_CSV:
        xa__print_csv(rows, n, out);
        break;
    case XA_SUMMARY_JSON:
        ok = xa__print_json(s, rows, n, plan, &found, out);
        break;
    case XA_SUMMARY_LATEX:
        xa__print_latex(s, rows, n, plan, out);
        break;
    default:
        print_text(s, rows, n, plan, &found, out);
    }
    if (!ok)
        XA_FAIL(err, XA_NOMEM, "the figures cannot be written as JSON");
done:
    found_fini(s, &found);
    ordered_fini(&o);
    free(rows);
    return st;
}
