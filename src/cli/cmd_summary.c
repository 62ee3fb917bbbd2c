/* xaudit summary: prints the figures of an archive with their intervals, and comparisons. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/job.h"
#include "xaudit/report.h"
#include "xaudit/summary.h"

typedef struct options {
    const char *archive, *other, *by, *against, *from_split, *between;
    bool compare, across, findings;
    xa_summary_form form;
    int64_t replicates, permutations, seed;
    xa_selection only;
} options;

/* The names given by a repeatable option, which may also have several with commas between them. */
static xa_status names_of(const xa_args *a, xa_option_id id, char ***names, int *n, xa_err *err)
{
    size_t cap = 0;
    for (int k = 0; xa__args_nth(a, id, k); k++)
        for (const char *text = xa__args_nth(a, id, k)->text; text;) {
            const size_t len = strcspn(text, ",");
            if (len == 0)
                XA_RETURN_FAIL(err,
                               XA_INVALID,
                               "--%s %s: expected a name, or names with commas between them",
                               xa__option_of(id)->name,
                               xa__args_nth(a, id, k)->text);
            XA_RETURN_TRY(err, xa_grow(names, &cap, (size_t)*n + 1, sizeof **names, err));
            (*names)[*n] = xa_strndup(text, len);
            if (!(*names)[(*n)++])
                XA_RETURN_NOMEM(err);
            text = text[len] ? text + len + 1 : NULL;
        }
    return XA_OK;
}

/* Why the options cannot be used together; NULL: they can. */
static const char *clash(const options *o)
{
    if (o->findings &&
        (o->other || o->by || o->compare || o->between || o->form != XA_SUMMARY_TEXT))
        return "--findings cannot be used with another archive, --by, --compare, --between, --csv, "
               "--json or --latex";
    if (o->other && (o->by || o->against || o->between || o->across))
        return "--by, --against, --across and --between need a single archive";
    if (o->between && (o->compare || o->by))
        return "--between cannot be used with --compare, --against or --by";
    if (o->across && !o->compare)
        return "--across needs --compare or --against";
    if (o->compare && o->by)
        return "--compare and --against cannot be used with --by; --between compares parts";
    if ((o->compare || o->between) && o->form == XA_SUMMARY_LATEX)
        return "--latex cannot print comparisons; use --csv or --json";
    return NULL;
}

static xa_status read_options(const xa_args *a, options *o, xa_err *err)
{
    *o = (options){.archive = a->positional[0],
                   .other = a->npositional > 1 ? a->positional[1] : NULL,
                   .by = xa__args_text(a, XA_OPT_BY),
                   .against = xa__args_text(a, XA_OPT_AGAINST),
                   .across = xa__args_has(a, XA_OPT_ACROSS),
                   .findings = xa__args_has(a, XA_OPT_FINDINGS),
                   .between = xa__args_text(a, XA_OPT_BETWEEN),
                   .from_split = xa__args_text(a, XA_OPT_FROM_SPLIT),
                   .form = xa__args_has(a, XA_OPT_CSV_SUMMARY)    ? XA_SUMMARY_CSV
                           : xa__args_has(a, XA_OPT_JSON_SUMMARY) ? XA_SUMMARY_JSON
                           : xa__args_has(a, XA_OPT_LATEX)        ? XA_SUMMARY_LATEX
                                                                  : XA_SUMMARY_TEXT,
                   .replicates = xa__args_integer(a, XA_OPT_REPLICATES),
                   .permutations = xa__args_integer(a, XA_OPT_PERMUTATIONS),
                   .seed = xa__args_integer(a, XA_OPT_SEED)};
    o->compare = xa__args_has(a, XA_OPT_COMPARE) || o->against || o->other;
    xa_selection *only = &o->only;
    XA_RETURN_TRY(err, names_of(a, XA_OPT_ONLY_METRIC, &only->metric, &only->nmetrics, err));
    XA_RETURN_TRY(err, names_of(a, XA_OPT_ONLY_MODEL, &only->model, &only->nmodels, err));
    XA_RETURN_TRY(err,
                  names_of(a, XA_OPT_ONLY_EXPLAINER, &only->explainer, &only->nexplainers, err));
    const char *why = clash(o);
    if (why)
        XA_RETURN_FAIL(err, XA_INVALID, "%s", why);
    return XA_OK;
}

/* Compares two archives over what they share, for every explainer and metric that both have. */
static xa_status
compare_archives(xa_summary *a, const options *o, const xa_compare_options *how, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *b = NULL;
    xa_joined j = {0};
    xa_compared *c = NULL;
    int n = 0, left_out = 0;
    XA_TRY(err, xa_summary_open(o->other, NULL, &b, err));
    XA_TRY(err, xa_versions_same(a->r->archive, o->archive, b->r->archive, o->other, err));
    if (o->from_split)
        XA_TRY(err, xa_summary_choose_on(b, o->from_split, err));
    XA_TRY(err, xa_summary_join(a, b, &j, err));
    if (o->form == XA_SUMMARY_TEXT)
        printf("a: %s\nb: %s\n%" PRId64
               " pairs of image and class are in both with the same pixels; of the other pairs "
               "of a, %" PRId64 " are not in b, %" PRId64 " have different pixels, %" PRId64
               " are not done in both\n",
               o->archive,
               o->other,
               j.joined,
               j.absent,
               j.other_pixels,
               j.not_done);
    XA_TRY(err, xa_summary_compare_archives(a, b, &j, how, &c, &n, &left_out, err));
    if (n == 0)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s and %s share no explainer and metric with the same conventions",
                o->archive,
                o->other);
    XA_TRY(err, xa_summary_print_compared(c, n, left_out, how, o->form, stdout, err));
done:
    free(c);
    free(j.to);
    xa_summary_close(b);
    return st;
}

static xa_status
compare(xa_summary *s, const options *o, const xa_compare_options *how, xa_err *err)
{
    xa_status st = XA_OK;
    xa_compared *c = NULL;
    int n = 0, left_out = 0;
    XA_TRY(err, xa_summary_compare(s, how, &c, &n, &left_out, err));
    XA_TRY(err, xa_summary_print_compared(c, n, left_out, how, o->form, stdout, err));
done:
    free(c);
    return st;
}

static xa_status
between(xa_summary *s, const options *o, const xa_compare_options *how, xa_err *err)
{
    xa_status st = XA_OK;
    xa_parted *c = NULL;
    int n = 0, left_out = 0;
    XA_TRY(err, xa_summary_between(s, how, &c, &n, &left_out, err));
    XA_TRY(err, xa_summary_print_between(s, c, n, left_out, how, o->form, stdout, err));
done:
    free(c);
    return st;
}

static xa_status summarise(const options *o, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *s = NULL;
    const xa_stats_plan plan = {.seed = (uint64_t)o->seed,
                                .stream = 1,
                                .replicates = o->replicates,
                                .level = 0.95,
                                .draws = xa_stats_draws_create()};
    const xa_compare_options how = {.plan = &plan,
                                    .against = o->against,
                                    .across = o->across,
                                    .alpha = 0.05,
                                    .permutations = o->permutations};
    XA_TRY(err, xa_summary_open(o->archive, o->between ? o->between : o->by, &s, err));
    XA_TRY(err, xa_versions_warn(s->r->archive, o->archive, err));
    if (o->findings) {
        XA_TRY(err, xa_summary_select(s, &o->only, err));
        XA_TRY(err, xa_print_findings(s, &plan, stdout, err));
        goto done;
    }
    if (s->nseries == 0 && o->form == XA_SUMMARY_TEXT && !o->other)
        xa_summary_print_flow(s, stdout); /* what became of the images is known all the same */
    if (s->nseries == 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: no localisation scores; name metrics in the job and annotate images in the "
                "manifest, or name checks in the job",
                o->archive);
    XA_TRY(err, xa_summary_select(s, &o->only, err));
    if (o->from_split)
        XA_TRY(err, xa_summary_choose_on(s, o->from_split, err));
    if (o->form == XA_SUMMARY_TEXT && !o->other)
        xa_summary_print_flow(s, stdout);
    if (o->other)
        XA_TRY(err, compare_archives(s, o, &how, err));
    else if (o->between)
        XA_TRY(err, between(s, o, &how, err));
    else if (o->compare)
        XA_TRY(err, compare(s, o, &how, err));
    else
        XA_TRY(err, xa_summary_print(s, &plan, o->form, stdout, err));
done:
    xa_stats_draws_free(plan.draws);
    xa_summary_close(s);
    return st;
}

static int run(const xa_args *a, options *o)
{
    xa_err err = XA_ERR_INIT;
    if (read_options(a, o, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_USAGE;
    }
    const xa_status st = summarise(o, &err);
    if (st != XA_OK) {
        const bool named = o->against || o->from_split || o->only.nmetrics || o->only.nmodels ||
                           o->only.nexplainers;
        xa_print_error(&err);
        return st == XA_INVALID || (st == XA_NOT_FOUND && named) ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    return XA_EXIT_DONE;
}

int xa_cmd_summary(const xa_args *a)
{
    options o = {0};
    const int code = run(a, &o);
    xa_texts_free(o.only.metric, o.only.nmetrics);
    xa_texts_free(o.only.model, o.only.nmodels);
    xa_texts_free(o.only.explainer, o.only.nexplainers);
    return code;
}
