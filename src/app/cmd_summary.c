/* xaudit summary: an archive's figures with their intervals. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "summary.h"

typedef struct options {
    const char *archive, *other, *by, *against, *from_split;
    bool compare;
    xa_summary_form form;
    int64_t replicates, seed;
} options;

static xa_status read_options(const xa_args *a, options *o, xa_err *err)
{
    *o = (options){.archive = a->positional[0],
                   .other = a->npositional > 1 ? a->positional[1] : NULL,
                   .by = xa_args_text(a, XA_OPT_BY),
                   .against = xa_args_text(a, XA_OPT_AGAINST),
                   .from_split = xa_args_text(a, XA_OPT_FROM_SPLIT),
                   .form = xa_args_has(a, XA_OPT_CSV_SUMMARY)    ? XA_SUMMARY_CSV
                           : xa_args_has(a, XA_OPT_JSON_SUMMARY) ? XA_SUMMARY_JSON
                           : xa_args_has(a, XA_OPT_LATEX)        ? XA_SUMMARY_LATEX
                                                                 : XA_SUMMARY_TEXT,
                   .replicates = xa_args_integer(a, XA_OPT_REPLICATES),
                   .seed = xa_args_integer(a, XA_OPT_SEED)};
    o->compare = xa_args_has(a, XA_OPT_COMPARE) || o->against || o->other;
    if (o->other && (o->by || o->against))
        XA_RETURN_FAIL(err, XA_INVALID, "--by and --against are for one archive");
    if (o->compare && (o->form == XA_SUMMARY_JSON || o->form == XA_SUMMARY_LATEX))
        XA_RETURN_FAIL(err, XA_INVALID, "comparisons are printed as text or --csv");
    return XA_OK;
}

/* Two archives: what they share, and every explainer and metric that both have. */
static xa_status
compare_archives(const xa_summary *a, const options *o, const xa_stats_plan *plan, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *b = NULL;
    xa_joined j = {0};
    xa_compared *c = NULL;
    int n = 0, left_out = 0;
    XA_TRY(err, xa_summary_open(o->other, NULL, &b, err));
    if (o->from_split)
        XA_TRY(err, xa_summary_choose_on(b, o->from_split, err));
    XA_TRY(err, xa_summary_join(a, b, &j, err));
    if (o->form == XA_SUMMARY_TEXT)
        printf("a: %s\nb: %s\n%lld pairs of image and class in both with the same pixels; of a's "
               "others %lld are not in b, %lld have other pixels, %lld are not done in both\n",
               o->archive,
               o->other,
               (long long)j.joined,
               (long long)j.absent,
               (long long)j.other_pixels,
               (long long)j.not_done);
    XA_TRY(err, xa_summary_compare_archives(a, b, &j, plan, &c, &n, &left_out, err));
    if (n == 0)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s and %s share no explainer and metric with the same conventions",
                o->archive,
                o->other);
    xa_summary_print_compared(c, n, left_out, plan, o->form, stdout);
done:
    free(c);
    free(j.to);
    xa_summary_close(b);
    return st;
}

static xa_status summarise(const options *o, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *s = NULL;
    xa_compared *c = NULL;
    int n = 0, left_out = 0;
    const xa_stats_plan plan = {.seed = (uint64_t)o->seed,
                                .stream = 1,
                                .replicates = o->replicates,
                                .level = 0.95,
                                .draws = xa_stats_draws_create()};
    XA_TRY(err, xa_summary_open(o->archive, o->by, &s, err));
    if (s->nseries == 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: no localisation scores; name metrics in the job and annotate images in the "
                "manifest",
                o->archive);
    if (o->from_split)
        XA_TRY(err, xa_summary_choose_on(s, o->from_split, err));
    if (o->other) {
        XA_TRY(err, compare_archives(s, o, &plan, err));
        goto done;
    }
    if (o->form == XA_SUMMARY_TEXT)
        xa_summary_print_flow(s, stdout);
    if (o->compare) {
        XA_TRY(err, xa_summary_compare(s, o->against, &plan, &c, &n, &left_out, err));
        xa_summary_print_compared(c, n, left_out, &plan, o->form, stdout);
    } else {
        XA_TRY(err, xa_summary_print(s, &plan, o->form, stdout, err));
    }
done:
    xa_stats_draws_free(plan.draws);
    free(c);
    xa_summary_close(s);
    return st;
}

int xa_cmd_summary(const xa_args *a)
{
    options o;
    xa_err err = XA_ERR_INIT;
    if (read_options(a, &o, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_USAGE;
    }
    const xa_status st = summarise(&o, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_INVALID || (st == XA_NOT_FOUND && (o.against || o.from_split))
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    return fflush(stdout) || ferror(stdout) ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
