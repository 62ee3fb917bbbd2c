/* The answers that the page begins with: what beats which reference, and by how much. "Beats" means
 * that the 95 % interval of the paired difference lies above 0; otherwise no difference is shown,
 * which is not the same as none. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"
#include "xaudit/metric.h"

const char *xa__report_main_metric(const xa_summary *s)
{
    const char *first = NULL;
    for (int pass = 0; pass < 2; pass++) /* energy has a value for every image */
        for (int i = 0; i < s->nseries; i++) {
            const xa_series *x = &s->series[i];
            if (x->baseline || x->is != XA_SERIES_SCORES)
                continue;
            if (pass || (x->kind && !strcmp(x->kind, "energy")) || !strcmp(x->metric, "energy"))
                return x->metric;
            first = first ? first : x->metric;
        }
    return first;
}

const xa_series *xa__report_reference(const xa_summary *s, const xa_series *x, const char *name)
{
    char own[256];
    snprintf(own, sizeof own, "%s.%s", x->explainer, name);
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *b = &s->series[i];
        if (b->baseline && !strcmp(b->model, x->model) && !strcmp(b->metric, x->metric) &&
            (!strcmp(b->explainer, name) || !strcmp(b->explainer, own)))
            return b;
    }
    return NULL;
}

xa_status xa__report_beats(const xa_summary *s,
                           const xa_series *x,
                           const char *reference,
                           const xa_stats_plan *plan,
                           xa__beats *out,
                           xa_err *err)
{
    xa_paired pair;
    const xa_series *b = xa__report_reference(s, x, reference);
    *out = XA__NO_REFERENCE;
    if (!b)
        return XA_OK;
    const xa_status st = xa_summary_difference(s, x, b, plan, &pair, err);
    if (st == XA_MISMATCH) {
        *err = (xa_err)XA_ERR_INIT;
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    *out = pair.difference.kind == XA_INTERVAL_NONE ? XA__NO_INTERVAL
           : pair.difference.low > 0.0              ? XA__BEATS
           : pair.difference.high < 0.0             ? XA__WORSE
                                                    : XA__NOT_SHOWN;
    return XA_OK;
}

void xa__report_name(const xa_read *r, const char *model, const char *explainer, xa_str *out)
{
    xa_title t = xa_title_of_explainer(explainer, NULL);
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++)
            if (!strcmp(r->models[m].name, model) && !strcmp(r->models[m].maps[e].name, explainer))
                t = xa_title_of_map(&r->models[m].maps[e]);
    xa_str_printf(out, *t.detail ? "%s (%s)" : "%s%s", t.name, t.detail);
    if (r->nmodels > 1)
        xa_str_printf(out, " of %s", model);
}

void xa__report_title(const xa_summary *s, const xa_series *x, xa_str *out)
{
    xa__report_name(s->r, x->model, x->explainer, out);
}

/* "0.66 [0.60, 0.71]" */
static void put_interval(xa_str *out, const xa_interval *f)
{
    xa_str_printf(out, "%.2f", f->value);
    if (f->kind != XA_INTERVAL_NONE)
        xa_str_printf(out, " [%.2f, %.2f]", f->low, f->high);
}

/* ---- findings ---- */

/* Takes the text of `text`. */
xa_status
xa__findings_add(xa__findings *to, const char *mark, const char *against, xa_str *text, xa_err *err)
{
    const xa_status st = xa_grow(&to->list, &to->cap, to->n + 1, sizeof *to->list, err);
    if (st != XA_OK || text->failed) {
        xa_str_free(text);
        if (st != XA_OK)
            XA_RETURN_TRY(err, st);
        XA_RETURN_NOMEM(err);
    }
    to->list[to->n++] = (xa__finding){.mark = mark, .against = against, .text = text->data};
    *text = (xa_str){0};
    return XA_OK;
}

void xa__findings_fini(xa__findings *f)
{
    for (size_t k = 0; k < f->n; k++)
        free(f->list[k].text);
    free(f->list);
    xa_str_free(&f->headline);
    *f = (xa__findings){0};
}

/* ---- against one reference ---- */

typedef struct against {
    int compared, beaten, worse, unknown; /* explainers; unknown: too few groups for an interval */
    xa_str better;                        /* their titles */
} against;

static xa_status compare_all(const xa_summary *s,
                             const char *metric,
                             const char *reference,
                             const xa_stats_plan *plan,
                             against *a,
                             xa_err *err)
{
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        xa__beats b;
        if (x->baseline || x->is != XA_SERIES_SCORES || strcmp(x->metric, metric) != 0)
            continue;
        XA_RETURN_TRY(err, xa__report_beats(s, x, reference, plan, &b, err));
        a->compared += b != XA__NO_REFERENCE;
        a->unknown += b == XA__NO_INTERVAL;
        a->worse += b == XA__WORSE;
        if (b != XA__BEATS)
            continue;
        xa_str_puts(&a->better, a->beaten ? ", " : "");
        xa__report_title(s, x, &a->better);
        a->beaten++;
    }
    return XA_OK;
}

/* A verdict of one reference: "Against the centre: 2 of 6 explainers are better by energy: ...". */
static xa_status put_against(xa__findings *to,
                             const xa_summary *s,
                             const char *metric,
                             const char *reference,
                             const char *what,
                             const xa_stats_plan *plan,
                             xa_err *err)
{
    against a = {0};
    xa_status st = compare_all(s, metric, reference, plan, &a, err);
    if (st == XA_OK && a.compared) {
        char name[96];
        xa_str text = {0};
        xa_title_of_metric(metric, name, sizeof name);
        const int rest = a.compared - a.beaten - a.worse - a.unknown;
        if (a.beaten == 0)
            xa_str_printf(
                &text, "none of %d explainers is shown to be better by %s", a.compared, name);
        else if (a.beaten == a.compared)
            xa_str_printf(&text, "all %d explainers are better by %s", a.compared, name);
        else
            xa_str_printf(&text,
                          "%d of %d explainers %s better by %s: %s",
                          a.beaten,
                          a.compared,
                          a.beaten == 1 ? "is" : "are",
                          name,
                          a.better.data);
        if (a.worse)
            xa_str_printf(&text, "; %d %s worse", a.worse, a.worse == 1 ? "is" : "are");
        if (rest)
            xa_str_printf(&text, "; for %d no difference is shown", rest);
        if (a.unknown)
            xa_str_printf(&text, "; for %d there are too few groups for an interval", a.unknown);
        st = xa__findings_add(to,
                              a.beaten == 0           ? "no"
                              : a.beaten < a.compared ? "part"
                                                      : "yes",
                              what,
                              &text,
                              err);
    }
    xa_str_free(&a.better);
    return st;
}

/* ---- the headline ---- */

static xa_status find_best(const xa_summary *s,
                           const char *metric,
                           const xa_stats_plan *plan,
                           const xa_series **best,
                           xa_figure *figure,
                           xa_err *err)
{
    *best = NULL;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        xa_figure f;
        if (x->baseline || strcmp(x->metric, metric) != 0 || x->is != XA_SERIES_SCORES)
            continue;
        XA_RETURN_TRY(err, xa_summary_figure(s, x, plan, -1, &f, err));
        if (f.micro.n && (!*best || f.micro.value > figure->micro.value)) {
            *best = x;
            *figure = f;
        }
    }
    return XA_OK;
}

/* Images that failed for some model. */
static int64_t count_failed(const xa_read *r)
{
    int64_t failed = 0;
    for (int64_t i = 0; i < r->samples; i++) {
        bool any = false;
        for (int64_t m = 0; m < r->nmodels; m++)
            any = any || r->models[m].status[i] == XA_SAMPLE_FAILED;
        failed += any;
    }
    return failed;
}

/* A model whose accuracy does not differ from chance; NULL: none. */
static const char *at_chance(const xa_read *r)
{
    for (int64_t m = 0; m < r->nmodels; m++) {
        xa_answered a;
        xa_read_answered(r, &r->models[m], &a);
        /* two standard errors above chance still look like chance */
        const double chance = 1.0 / (double)r->models[m].classes;
        const double doubt = chance + 2.0 * sqrt(chance * (1.0 - chance) / (double)(a.n ? a.n : 1));
        if (a.n >= 10 && (double)a.right / (double)a.n <= doubt)
            return r->models[m].name;
    }
    return NULL;
}

/* Is any explainer better than this reference, by any metric of which each image has a score? */
static xa_status any_beats(const xa_summary *s,
                           const char *reference,
                           const xa_stats_plan *plan,
                           bool *known,
                           bool *any,
                           xa_err *err)
{
    *known = *any = false;
    for (int i = 0; i < s->nseries && !*any; i++) {
        xa__beats b;
        if (s->series[i].baseline || s->series[i].is != XA_SERIES_SCORES)
            continue;
        XA_RETURN_TRY(err, xa__report_beats(s, &s->series[i], reference, plan, &b, err));
        *known = *known || b == XA__BEATS || b == XA__WORSE || b == XA__NOT_SHOWN;
        *any = b == XA__BEATS;
    }
    return XA_OK;
}

/* The first that fits: a model that guesses, many failures, no explainer better than the centre, or
 * than maps of other images, else the best explainer. */
static xa_status
make_headline(const xa_summary *s, const xa_stats_plan *plan, xa_str *out, xa_err *err)
{
    const char *metric = xa__report_main_metric(s), *guesses = at_chance(s->r);
    const xa_series *best = NULL;
    xa_figure f;
    bool known, any;
    char name[96];
    if (guesses) {
        xa_str_printf(out, "%s guesses: its accuracy does not differ from chance.", guesses);
        return XA_OK;
    }
    const double failed = s->r->samples ? (double)count_failed(s->r) / (double)s->r->samples : 0.0;
    if (failed > 0.02) {
        xa_str_printf(out, "%.1f %% of the images failed.", 100.0 * failed);
        return XA_OK;
    }
    if (!metric) {
        xa_str_printf(out,
                      "%" PRId64 " images, explained. No localisation scores: the job asks for no "
                      "metric, or no image is annotated.",
                      s->r->samples);
        return XA_OK;
    }
    XA_RETURN_TRY(err, any_beats(s, "centre", plan, &known, &any, err));
    if (known && !any) {
        xa_str_puts(out,
                    "No explainer is shown to find the object better than a blob at the centre of "
                    "the image.");
        return XA_OK;
    }
    XA_RETURN_TRY(err, any_beats(s, "shuffled", plan, &known, &any, err));
    if (known && !any) {
        xa_str_puts(out,
                    "No explainer is shown to find the object better than its maps of other "
                    "images.");
        return XA_OK;
    }
    XA_RETURN_TRY(err, find_best(s, metric, plan, &best, &f, err));
    if (!best)
        return XA_OK;
    xa_title_of_metric(metric, name, sizeof name);
    xa__report_title(s, best, out);
    xa_str_printf(out, " finds the object best: %s %.2f", name, f.micro.value);
    const xa_series *centre = xa__report_reference(s, best, "centre");
    if (centre) {
        XA_RETURN_TRY(err, xa_summary_figure(s, centre, plan, -1, &f, err));
        if (f.micro.n)
            xa_str_printf(out, ", a blob at the centre %.2f", f.micro.value);
    }
    xa_str_puts(out, ".");
    return XA_OK;
}

/* ---- the section ---- */

static xa_status put_best(xa__findings *to,
                          const xa_summary *s,
                          const char *metric,
                          const xa_stats_plan *plan,
                          xa_err *err)
{
    const xa_series *best;
    xa_figure f, c;
    xa_str text = {0};
    char name[96];
    XA_RETURN_TRY(err, find_best(s, metric, plan, &best, &f, err));
    if (!best)
        return XA_OK;
    xa_title_of_metric(metric, name, sizeof name);
    xa__report_title(s, best, &text);
    xa_str_printf(&text, " has %s ", name);
    put_interval(&text, &f.micro);
    const xa_series *centre = xa__report_reference(s, best, "centre");
    xa_status st = centre ? xa_summary_figure(s, centre, plan, -1, &c, err) : XA_OK;
    if (st == XA_OK && centre && c.micro.n) {
        xa_str_puts(&text, ", a Gaussian at the centre ");
        put_interval(&text, &c.micro);
    }
    if (st == XA_OK)
        return xa__findings_add(to, "plain", "The best explainer:", &text, err);
    xa_str_free(&text);
    return st;
}

/* "2.1 %", or "-" where it is not known. */
static void put_percent(xa__number *out, bool known, double share)
{
    snprintf(out->text, sizeof out->text, known ? "%.1f %%" : "-", 100.0 * share);
}

static void put_accuracy(FILE *out, const xa_read *r)
{
    for (int64_t m = 0; m < r->nmodels; m++) {
        xa_answered a;
        xa__number of, share, ece;
        xa_read_answered(r, &r->models[m], &a);
        put_percent(&share, a.n > 0, (double)a.right / (double)(a.n ? a.n : 1));
        put_percent(&ece, isfinite(a.ece), a.ece);
        XA__PUT(out,
                xa__report_page_accuracy,
                "model",
                r->models[m].name,
                "share",
                share.text,
                "of",
                xa__whole(&of, a.n),
                "ece",
                ece.text);
    }
    xa__number bad, all;
    XA__PUT(out,
            xa__report_page_failed,
            "failed",
            xa__whole(&bad, count_failed(r)),
            "all",
            xa__whole(&all, r->samples));
}

xa_status
xa__findings_make(const xa_summary *s, const xa_stats_plan *plan, xa__findings *out, xa_err *err)
{
    static const char *const references[][2] = {
        {"centre", "Against a blob at the centre:"},
        {"shuffled", "Against the map of another image:"},
        {"class_mean", "Against the mean map of the class:"}};
    const char *metric = xa__report_main_metric(s);
    xa_status st = XA_OK;
    *out = (xa__findings){0};
    XA_TRY(err, make_headline(s, plan, &out->headline, err));
    if (metric)
        XA_TRY(err, put_best(out, s, metric, plan, err));
    for (size_t k = 0; metric && k < sizeof references / sizeof *references; k++)
        XA_TRY(err, put_against(out, s, metric, references[k][0], references[k][1], plan, err));
    XA_TRY(err, xa__report_objections(out, s, plan, err));
done:
    if (st != XA_OK)
        xa__findings_fini(out);
    return st;
}

xa_status
xa__report_verdicts(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    xa__findings f;
    XA_RETURN_TRY(err, xa__findings_make(s, plan, &f, err));
    XA__PUT(out, xa__report_page_headline, "text", f.headline.data);
    for (size_t k = 0; k < f.n; k++)
        XA__PUT(out,
                xa__report_page_verdict,
                "mark",
                f.list[k].mark,
                "against",
                f.list[k].against,
                "text",
                f.list[k].text);
    fputs(xa__report_page_verdicts_end, out);
    put_accuracy(out, s->r);
    fputs(xa__report_page_accuracy_end, out);
    xa__findings_fini(&f);
    return XA_OK;
}

xa_status xa_print_findings(const xa_summary *s, const xa_stats_plan *plan, FILE *out, xa_err *err)
{
    xa__findings f;
    XA_RETURN_TRY(err, xa__findings_make(s, plan, &f, err));
    xa_put_wrapped(out, f.headline.data ? f.headline.data : "", 0, 0);
    for (int64_t m = 0; m < s->r->nmodels; m++) {
        xa_answered a;
        xa_read_answered(s->r, &s->r->models[m], &a);
        fprintf(out, "  %s: ", s->r->models[m].name);
        if (a.n)
            fprintf(out,
                    "right for %.1f %% of %" PRId64 " labelled images",
                    100.0 * (double)a.right / (double)a.n,
                    a.n);
        else
            fputs("no labels, or outputs that are no classes, so no accuracy", out);
        if (isfinite(a.ece))
            fprintf(out, "; calibration error (ECE) %.1f %%", 100.0 * a.ece);
        fputc('\n', out);
    }
    const int64_t failed = count_failed(s->r);
    if (failed)
        fprintf(out, "  %" PRId64 " of %" PRId64 " images failed\n", failed, s->r->samples);
    for (size_t k = 0; k < f.n; k++) {
        fprintf(out, "  %s ", f.list[k].against);
        xa_put_wrapped(out, f.list[k].text, 4, 3 + (int)xa_str_columns(f.list[k].against));
    }
    xa__findings_fini(&f);
    return XA_OK;
}
