/* Figures as text, CSV, JSON and LaTeX. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotations.h"
#include "summary.h"
#include "text_out.h"

static const char *figure_name(const xa_series *x)
{
    if (x->is == XA_SERIES_PIXELS)
        return "PxAP";
    if (x->is == XA_SERIES_HITS)
        return x->from_split   ? x->levels > 1 ? "BoxAccV2" : "BoxAcc"
               : x->levels > 1 ? "MaxBoxAccV2"
                               : "MaxBoxAcc";
    return "mean";
}

/* ---- what became of the manifest ---- */

void xa_summary_print_flow(const xa_summary *s, FILE *out)
{
    const xa_read *r = s->r;
    int64_t annotated = 0;
    char name[128];
    for (int64_t q = 0; q < r->pairs; q++)
        annotated += q == 0 || r->pair_sample[q] != r->pair_sample[q - 1];
    fprintf(out, "%lld images in the manifest", (long long)r->samples);
    if (s->grouped)
        fprintf(out, ", %lld groups", (long long)s->ngroups);
    fprintf(out,
            "; %lld annotated (%lld pairs of image and class), %lld not\n",
            (long long)annotated,
            (long long)r->pairs,
            (long long)(r->samples - annotated));
    for (int64_t m = 0; m < r->nmodels; m++) {
        int64_t count[4] = {0};
        for (int64_t i = 0; i < r->samples; i++)
            count[r->models[m].status[i] < 4 ? r->models[m].status[i] : 0]++;
        fprintf(out,
                "model %s: %lld done, %lld failed, %lld excluded%s",
                xa_shown(r->models[m].name, name, sizeof name),
                (long long)count[XA_SAMPLE_DONE],
                (long long)count[XA_SAMPLE_FAILED],
                (long long)count[XA_SAMPLE_EXCLUDED],
                count[XA_SAMPLE_PENDING] ? "" : "\n");
        if (count[XA_SAMPLE_PENDING])
            fprintf(out,
                    ", %lld not reached yet: figures are of what is done\n",
                    (long long)count[XA_SAMPLE_PENDING]);
    }
    for (int64_t k = 0; k < s->nexcluded; k++)
        fprintf(out,
                "excluded by the manifest: %lld: %s\n",
                (long long)s->excluded[k].count,
                xa_shown(s->excluded[k].reason, name, sizeof name));
    if (xa_print_annotations(r, "", out, NULL) != XA_OK)
        fputs("what speaks against the annotations cannot be read\n", out);
    if (s->grouped && s->ngroups < XA_STATS_FEW_GROUPS)
        fprintf(out,
                "warning: %lld groups: intervals of fewer than %d are too short\n",
                (long long)s->ngroups,
                (int)XA_STATS_FEW_GROUPS);
}

/* ---- one row of any table ---- */

typedef struct row {
    const xa_series *series;
    const char *part; /* NULL: all pairs */
    xa_figure figure;
} row;

static void text_interval(FILE *out, const xa_interval *f)
{
    if (f->n == 0)
        fprintf(out, "  %22s", "-");
    else
        fprintf(out,
                "  %7.4f [%6.4f,%6.4f]%s",
                f->value,
                f->low,
                f->high,
                f->kind == XA_INTERVAL_WILSON ? "w" : " ");
}

/* Why scores of a series are undefined: "2 image not done, 1 mask missing". */
static void why_undefined(const xa_summary *s, const xa_series *x, xa_str *out)
{
    xa_undefined u;
    xa_summary_undefined(s, x, &u);
    const struct {
        int64_t n;
        const char *what;
    } why[] = {{u.not_done, "image not done"},
               {u.no_map, "no map of the class"},
               {u.nonfinite, "map not finite"},
               {u.other, "map undefined, or nothing of the region is in the model's view"}};
    for (size_t k = 0; k < sizeof why / sizeof *why; k++)
        if (why[k].n)
            xa_str_printf(out, "%s%lld %s", out->len ? ", " : "", (long long)why[k].n, why[k].what);
    for (int p = 0; p <= XA_ANNOTATION_PROBLEMS; p++)
        if (u.annotation[p])
            xa_str_printf(out,
                          "%s%lld %s",
                          out->len ? ", " : "",
                          (long long)u.annotation[p],
                          xa_annotation_problem_name(p));
}

/* The same below the row of the series. */
static void text_undefined(FILE *out, const xa_summary *s, const xa_series *x)
{
    xa_str why = {0};
    why_undefined(s, x, &why);
    if (why.len)
        fprintf(out, "    undefined: %s\n", why.data);
    xa_str_free(&why);
}

/* The row of a baseline in the table rows[first..end), over all pairs; NULL. */
static const row *baseline_row(const row *rows, size_t first, size_t end, const char *name)
{
    for (size_t i = first; i < end; i++)
        if (rows[i].series->baseline && !rows[i].part && rows[i].figure.micro.n &&
            !strcmp(rows[i].series->explainer, name))
            return &rows[i];
    return NULL;
}

/* Explainers of a table that do no better than a baseline; suffix: each than its own. */
static void text_beaten(FILE *out,
                        const row *rows,
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
        const row *b = baseline_row(rows, first, end, own);
        if (!b || f->value > b->figure.micro.value)
            continue;
        fprintf(out, "%s%s", between, xa_shown(rows[i].series->explainer, name, sizeof name));
        between = ", ";
    }
    if (*between == ',')
        fputc('\n', out);
}

static void text_all_beaten(FILE *out, const row *rows, size_t first, size_t end)
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

/* Columns that the longest name takes, within reason. */
static int name_width(const row *rows, size_t n)
{
    size_t width = 24;
    for (size_t i = 0; i < n; i++) {
        const size_t k = strlen(rows[i].series->explainer) +
                         (rows[i].series->baseline ? sizeof " (baseline)" - 1 : 0);
        width = k > width ? k : width;
    }
    return width < 48 ? (int)width : 48;
}

static void
print_text(const xa_summary *s, const row *rows, size_t n, const xa_stats_plan *plan, FILE *out)
{
    char a[64], b[64], c[256];
    bool wilson = false;
    const int width = name_width(rows, n);
    size_t table = 0;
    for (size_t i = 0; i < n; i++) {
        const xa_series *x = rows[i].series;
        const bool first = i == 0 || strcmp(x->metric, rows[i - 1].series->metric) != 0 ||
                           strcmp(x->model, rows[i - 1].series->model) != 0;
        if (first) {
            fprintf(
                out,
                "\n%s  %s  (%s; %s)\n",
                xa_shown(x->model, a, sizeof a),
                xa_shown(x->metric, b, sizeof b),
                figure_name(x),
                xa_shown(x->conventions ? x->conventions : "conventions not stored", c, sizeof c));
            fprintf(out,
                    "  %-*s %-*s %6s %5s  %-25s %s\n",
                    width,
                    "explainer",
                    s->by ? 18 : 0,
                    s->by ? xa_shown(s->by, a, sizeof a) : "",
                    "n",
                    "undef",
                    x->is == XA_SERIES_SCORES ? "over pairs [95 %]" : "over the data set [95 %]",
                    x->is == XA_SERIES_SCORES ? "over classes [95 %]" : "");
        }
        char name[80];
        snprintf(name,
                 sizeof name,
                 "%s%s",
                 xa_shown(x->explainer, a, sizeof a),
                 x->baseline ? " (baseline)" : "");
        fprintf(out,
                "  %-*.*s %-*.18s %6lld %5lld",
                width,
                width,
                name,
                s->by ? 18 : 0,
                rows[i].part ? xa_shown(rows[i].part, b, sizeof b)
                : s->by      ? "all"
                             : "",
                (long long)rows[i].figure.micro.n,
                (long long)rows[i].figure.micro.undefined);
        text_interval(out, &rows[i].figure.micro);
        if (x->is == XA_SERIES_SCORES)
            text_interval(out, &rows[i].figure.macro);
        fputc('\n', out);
        if (!rows[i].part && rows[i].figure.micro.undefined && !x->baseline)
            text_undefined(out, s, x);
        table = first ? i : table;
        if (i + 1 == n || strcmp(x->metric, rows[i + 1].series->metric) != 0 ||
            strcmp(x->model, rows[i + 1].series->model) != 0)
            text_all_beaten(out, rows, table, i + 1);
        wilson = wilson || rows[i].figure.micro.kind == XA_INTERVAL_WILSON;
    }
    fprintf(out,
            "\nIntervals: 95 %%, percentile bootstrap, %lld replicates, seed %llu, %s drawn "
            "together%s.\n",
            (long long)plan->replicates,
            (unsigned long long)plan->seed,
            s->grouped ? "groups" : "the pairs of an image",
            wilson ? "; w: Wilson's, the rate is 0 or 1" : "");
}

static void csv_next(FILE *out, double v)
{
    fputc(',', out);
    xa_csv_number(out, v);
}

static void print_csv(const xa_summary *s, const row *rows, size_t n, FILE *out)
{
    fprintf(out,
            "model,explainer,baseline,metric,figure,conventions,by,part,n,undefined,clusters,value,"
            "low,high,"
            "interval,macro,macro_low,macro_high,classes,undefined_why\n");
    for (size_t i = 0; i < n; i++) {
        const xa_series *x = rows[i].series;
        const xa_figure *f = &rows[i].figure;
        const char *texts[] = {x->model,
                               x->explainer,
                               x->baseline ? "yes" : "no",
                               x->metric,
                               figure_name(x),
                               x->conventions ? x->conventions : "",
                               s->by ? s->by : "",
                               rows[i].part ? rows[i].part : "all"};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            if (k)
                fputc(',', out);
            xa_csv_text(out, texts[k]);
        }
        fprintf(out,
                ",%lld,%lld,%lld",
                (long long)f->micro.n,
                (long long)f->micro.undefined,
                (long long)f->micro.clusters);
        csv_next(out, f->micro.value);
        csv_next(out, f->micro.low);
        csv_next(out, f->micro.high);
        fprintf(out,
                ",%s",
                f->micro.kind == XA_INTERVAL_WILSON      ? "wilson"
                : f->micro.kind == XA_INTERVAL_BOOTSTRAP ? "bootstrap"
                                                         : "");
        const bool macro = f->macro.n > 0;
        csv_next(out, macro ? f->macro.value : NAN);
        csv_next(out, macro ? f->macro.low : NAN);
        csv_next(out, macro ? f->macro.high : NAN);
        fprintf(out, ",%lld,", (long long)f->macro.classes);
        xa_str why = {0};
        if (!rows[i].part && f->micro.undefined)
            why_undefined(s, x, &why);
        xa_csv_text(out, why.data ? why.data : "");
        xa_str_free(&why);
        fputc('\n', out);
    }
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *interval_json(const xa_interval *f)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I}",
                     "value",
                     number(f->n ? f->value : NAN),
                     "low",
                     number(f->n ? f->low : NAN),
                     "high",
                     number(f->n ? f->high : NAN),
                     "n",
                     (json_int_t)f->n,
                     "undefined",
                     (json_int_t)f->undefined,
                     "clusters",
                     (json_int_t)f->clusters);
}

static bool
print_json(const xa_summary *s, const row *rows, size_t n, const xa_stats_plan *plan, FILE *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const xa_series *x = rows[i].series;
        json_t *o = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s?, s:s?, s:s?, s:o}",
                              "model",
                              x->model,
                              "explainer",
                              x->explainer,
                              "baseline",
                              (int)x->baseline,
                              "metric",
                              x->metric,
                              "figure",
                              figure_name(x),
                              "conventions",
                              x->conventions,
                              "by",
                              s->by,
                              "part",
                              rows[i].part,
                              "micro",
                              interval_json(&rows[i].figure.micro));
        if (o && x->is == XA_SERIES_SCORES)
            json_object_set_new(o, "macro", interval_json(&rows[i].figure.macro));
        json_array_append_new(list, o);
    }
    json_t *all = json_pack("{s:I, s:I, s:f, s:b, s:o}",
                            "replicates",
                            (json_int_t)plan->replicates,
                            "seed",
                            (json_int_t)plan->seed,
                            "level",
                            plan->level,
                            "grouped",
                            (int)s->grouped,
                            "figures",
                            list);
    const bool ok = all && json_dumpf(all, out, JSON_INDENT(1)) == 0;
    json_decref(all);
    fputc('\n', out);
    return ok;
}

static void latex_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("#$%&_{}", *text))
            fputc('\\', out);
        if (*text == '\\')
            fputs("\\textbackslash{}", out);
        else if (*text == '~')
            fputs("\\textasciitilde{}", out);
        else if (*text == '^')
            fputs("\\textasciicircum{}", out);
        else
            fputc(*text, out);
    }
}

/* A comment ends with its line. */
static void latex_comment(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
}

/* One table a model and metric: the best value in bold, those whose interval reaches it marked. */
static void
print_latex(const xa_summary *s, const row *rows, size_t n, const xa_stats_plan *plan, FILE *out)
{
    for (size_t i = 0, end; i < n; i = end) {
        const xa_series *x = rows[i].series;
        size_t best = i;
        for (end = i; end < n && !strcmp(rows[end].series->metric, x->metric) &&
                      !strcmp(rows[end].series->model, x->model);
             end++)
            if (rows[end].figure.micro.n &&
                (!rows[best].figure.micro.n ||
                 rows[end].figure.micro.value > rows[best].figure.micro.value))
                best = end;
        fputs("% ", out);
        latex_comment(out, x->model);
        fputs(": ", out);
        latex_comment(out, x->metric);
        fputs("\n\\begin{tabular}{lllrc}\n\\toprule\nModel & Explainer & ", out);
        latex_text(out, s->by ? s->by : "");
        fputs(" & $n$ & ", out);
        latex_text(out, x->metric);
        fputs(" [95\\,\\%] \\\\\n\\midrule\n", out);
        for (size_t k = i; k < end; k++) {
            const xa_interval *f = &rows[k].figure.micro;
            latex_text(out, rows[k].series->model);
            fputs(" & ", out);
            latex_text(out, rows[k].series->explainer);
            if (rows[k].series->baseline)
                fputs(" (baseline)", out);
            fputs(" & ", out);
            latex_text(out, rows[k].part ? rows[k].part : s->by ? "all" : "");
            fprintf(out, " & %lld & ", (long long)f->n);
            if (!f->n)
                fputs("--", out);
            else
                fprintf(out,
                        k == best ? "\\textbf{%.3f} [%.3f, %.3f]" : "%.3f [%.3f, %.3f]",
                        f->value,
                        f->low,
                        f->high);
            if (f->n && k != best && f->high >= rows[best].figure.micro.low)
                fputs("$^{=}$", out);
            fputs(" \\\\\n", out);
        }
        fputs("\\bottomrule\n\\end{tabular}\n% ", out);
        fprintf(out, "%s of %s: ", figure_name(x), x->metric);
        latex_comment(out, x->conventions ? x->conventions : "conventions not stored");
        fprintf(out,
                ". Intervals: percentile bootstrap, %lld replicates, seed %llu. Bold: best; =: "
                "interval "
                "overlaps the best's (see --compare for paired differences).\n\n",
                (long long)plan->replicates,
                (unsigned long long)plan->seed);
    }
}

/* Rows of one metric stand together, models apart. */
static int by_metric(const void *a, const void *b)
{
    const xa_series *x = *(const xa_series *const *)a, *y = *(const xa_series *const *)b;
    const int model = strcmp(x->model, y->model), metric = strcmp(x->metric, y->metric);
    return model                        ? model
           : metric                     ? metric
           : x->baseline != y->baseline ? (int)x->baseline - (int)y->baseline
                                        : strcmp(x->explainer, y->explainer);
}

xa_status xa_summary_print(
    const xa_summary *s, const xa_stats_plan *plan, xa_summary_form form, FILE *out, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_series **order = xa_alloc((size_t)s->nseries + 1, sizeof *order);
    row *rows = xa_alloc((size_t)s->nseries * (size_t)(s->nparts + 1) + 1, sizeof *rows);
    size_t n = 0;
    bool ok = true;
    if (!order || !rows)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int i = 0; i < s->nseries; i++)
        order[i] = &s->series[i];
    qsort(order, (size_t)s->nseries, sizeof *order, by_metric);
    for (int i = 0; i < s->nseries; i++)
        for (int64_t part = -1; part < s->nparts; part++) {
            rows[n] = (row){.series = order[i], .part = part < 0 ? NULL : s->part_name[part]};
            XA_TRY(err, xa_summary_figure(s, order[i], plan, part, &rows[n].figure, err));
            n += part < 0 || rows[n].figure.micro.n + rows[n].figure.micro.undefined > 0;
        }
    switch (form) {
    case XA_SUMMARY_CSV:
        print_csv(s, rows, n, out);
        break;
    case XA_SUMMARY_JSON:
        ok = print_json(s, rows, n, plan, out);
        break;
    case XA_SUMMARY_LATEX:
        print_latex(s, rows, n, plan, out);
        break;
    default:
        print_text(s, rows, n, plan, out);
    }
    if (!ok)
        XA_FAIL(err, XA_NOMEM, "the figures cannot be written as JSON");
done:
    free(order);
    free(rows);
    return st;
}
