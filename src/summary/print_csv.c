/* Figures as CSV and JSON. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "print_internal.h"
#include "xaudit/print.h"

#define TEXT(name, value)                           \
    static void name(const void *row, xa_cell *out) \
    {                                               \
        const xa_summary_row *r = row;              \
        out->kind = XA_CELL_TEXT;                   \
        out->text = (value);                        \
    }
#define WHOLE(name, value)                          \
    static void name(const void *row, xa_cell *out) \
    {                                               \
        const xa_summary_row *r = row;              \
        out->kind = XA_CELL_WHOLE;                  \
        out->whole = (value);                       \
    }
#define REAL(name, value)                           \
    static void name(const void *row, xa_cell *out) \
    {                                               \
        const xa_summary_row *r = row;              \
        out->kind = XA_CELL_REAL;                   \
        out->real = (value);                        \
    }

static const char *interval_name(const xa_interval *f)
{
    return f->n == 0                          ? NULL
           : f->kind == XA_INTERVAL_WILSON    ? "wilson"
           : f->kind == XA_INTERVAL_BOOTSTRAP ? "bootstrap"
                                              : "none";
}

static const char *why(const xa_interval *f)
{
    return f->n && f->kind == XA_INTERVAL_NONE ? xa_stats_no_interval(f->why) : NULL;
}

static double of(const xa_interval *f, double v)
{
    return f->n ? v : NAN;
}

TEXT(get_model, r->series->model)
TEXT(get_explainer, r->series->explainer)
TEXT(get_baseline, r->series->baseline ? "yes" : "no")
TEXT(get_metric, r->series->metric)
TEXT(get_figure, xa__figure_name(r->series))
TEXT(get_conventions, r->series->conventions)
TEXT(get_by, r->s->by)
TEXT(get_part, r->part ? r->part : "all")
WHOLE(get_n, r->figure.micro.n)
WHOLE(get_undefined, r->figure.micro.undefined)
WHOLE(get_clusters, r->figure.micro.clusters)
REAL(get_value, of(&r->figure.micro, r->figure.micro.value))
REAL(get_low, of(&r->figure.micro, r->figure.micro.low))
REAL(get_high, of(&r->figure.micro, r->figure.micro.high))
TEXT(get_interval, interval_name(&r->figure.micro))
TEXT(get_no_interval, why(&r->figure.micro))
REAL(get_macro, of(&r->figure.macro, r->figure.macro.value))
REAL(get_macro_low, of(&r->figure.macro, r->figure.macro.low))
REAL(get_macro_high, of(&r->figure.macro, r->figure.macro.high))
TEXT(get_macro_interval, interval_name(&r->figure.macro))
TEXT(get_macro_no_interval, why(&r->figure.macro))
WHOLE(get_classes, r->figure.macro.classes)

static void get_undefined_why(const void *row, xa_cell *out)
{
    const xa_summary_row *r = row;
    xa_undefined u;
    xa_str text = {0};
    out->kind = XA_CELL_TEXT;
    if (r->part || !r->figure.micro.undefined)
        return;
    xa_summary_undefined(r->s, r->series, &u);
    xa_summary_undefined_text(&text, &u);
    snprintf(out->room, sizeof out->room, "%s", text.data ? text.data : "");
    out->text = out->room;
    xa_str_free(&text);
}

static const xa_field fields[] = {{"model", get_model},
                                  {"explainer", get_explainer},
                                  {"baseline", get_baseline},
                                  {"metric", get_metric},
                                  {"figure", get_figure},
                                  {"conventions", get_conventions},
                                  {"by", get_by},
                                  {"part", get_part},
                                  {"n", get_n},
                                  {"undefined", get_undefined},
                                  {"clusters", get_clusters},
                                  {"value", get_value},
                                  {"low", get_low},
                                  {"high", get_high},
                                  {"interval", get_interval},
                                  {"no_interval", get_no_interval},
                                  {"macro", get_macro},
                                  {"macro_low", get_macro_low},
                                  {"macro_high", get_macro_high},
                                  {"macro_interval", get_macro_interval},
                                  {"macro_no_interval", get_macro_no_interval},
                                  {"classes", get_classes},
                                  {"undefined_why", get_undefined_why}};

void xa__print_csv(const xa_summary_row *rows, size_t n, FILE *out)
{
    xa_fields_csv(out, fields, sizeof fields / sizeof *fields, rows, n, sizeof *rows);
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *interval_json(const xa_interval *f)
{
    return json_pack("{s:o, s:o, s:o, s:s?, s:s?, s:I, s:I, s:I, s:I}",
                     "value",
                     number(of(f, f->value)),
                     "low",
                     number(of(f, f->low)),
                     "high",
                     number(of(f, f->high)),
                     "interval",
                     interval_name(f),
                     "no_interval",
                     why(f),
                     "n",
                     (json_int_t)f->n,
                     "undefined",
                     (json_int_t)f->undefined,
                     "clusters",
                     (json_int_t)f->clusters,
                     "classes",
                     (json_int_t)f->classes);
}

static json_t *undefined_json(const xa_summary_row *r)
{
    xa_undefined u;
    xa_summary_undefined(r->s, r->series, &u);
    int64_t annotation = 0;
    for (int p = 0; p <= XA_ANNOTATION_PROBLEMS; p++)
        annotation += u.annotation[p];
    return json_pack("{s:I, s:I, s:I, s:I, s:I}",
                     "not_done",
                     (json_int_t)u.not_done,
                     "no_map",
                     (json_int_t)u.no_map,
                     "not_finite",
                     (json_int_t)u.nonfinite,
                     "annotation",
                     (json_int_t)annotation,
                     "not_defined",
                     (json_int_t)(u.other + u.of_map + u.of_check + u.of_answer + u.of_figure));
}

static json_t *judged_json(const xa_judged *j, int n)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++) {
        json_t *texts = json_array();
        for (int k = 0; texts && k < j[i].n; k++)
            (void)json_array_append_new(texts, xa_json_text(j[i].text[k]));
        ok = json_array_append_new(list,
                                   json_pack("{s:s, s:s, s:i, s:i, s:o}",
                                             "model",
                                             j[i].model,
                                             "explainer",
                                             j[i].explainer,
                                             "judged",
                                             j[i].judged,
                                             "objections",
                                             j[i].objections,
                                             "text",
                                             texts)) == 0;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

/* Of models where metrics can be compared. */
static json_t *orders_json(const xa_summary *s, const xa_orders *o)
{
    json_t *list = json_array();
    for (int64_t m = 0; m < s->r->nmodels; m++) {
        if (!o[m].n)
            continue;
        json_t *metrics = json_array(), *rho = json_array();
        for (int a = 0; a < o[m].n; a++) {
            json_t *row = json_array();
            for (int b = 0; b < o[m].n; b++)
                (void)json_array_append_new(row, number(o[m].rho[a * o[m].n + b]));
            (void)json_array_append_new(metrics, xa_json_text(o[m].name[a]));
            (void)json_array_append_new(rho, row);
        }
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:f, s:o, s:o}",
                                              "model",
                                              s->r->models[m].name,
                                              "mean",
                                              o[m].mean,
                                              "metrics",
                                              metrics,
                                              "spearman",
                                              rho));
    }
    return list;
}

bool xa__print_json(const xa_summary *s,
                    const xa_summary_row *rows,
                    size_t n,
                    const xa_stats_plan *plan,
                    const xa__found *found,
                    FILE *out)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        const xa_series *x = rows[i].series;
        json_t *o = json_pack("{s:s, s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o}",
                              "model",
                              x->model,
                              "explainer",
                              x->explainer,
                              "baseline",
                              (int)x->baseline,
                              "metric",
                              x->metric,
                              "figure",
                              xa__figure_name(x),
                              "conventions",
                              xa_json_text(x->conventions),
                              "by",
                              xa_json_text(s->by),
                              "part",
                              xa_json_text(rows[i].part),
                              "micro",
                              interval_json(&rows[i].figure.micro));
        ok = o != NULL;
        if (ok && xa_series_has_classes(x))
            ok = json_object_set_new(o, "macro", interval_json(&rows[i].figure.macro)) == 0;
        if (ok && !rows[i].part)
            ok = json_object_set_new(o, "undefined_because", undefined_json(&rows[i])) == 0;
        ok = json_array_append_new(list, o) == 0 && ok;
    }
    json_t *all = ok ? json_pack("{s:I, s:I, s:f, s:b, s:o, s:o, s:o}",
                                 "replicates",
                                 (json_int_t)plan->replicates,
                                 "seed",
                                 (json_int_t)plan->seed,
                                 "level",
                                 plan->level,
                                 "grouped",
                                 (int)s->grouped,
                                 "figures",
                                 list,
                                 "objections",
                                 judged_json(found->judged, found->njudged),
                                 "orders",
                                 orders_json(s, found->orders))
                     : NULL;
    ok = all && json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0;
    json_decref(all);
    fputc('\n', out);
    return ok;
}
