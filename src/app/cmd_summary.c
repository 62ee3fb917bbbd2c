/* xaudit summary: an archive's figures with their intervals. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "summary.h"

static const char usage[] =
    "xaudit summary ARCHIVE [OTHER] [--by class|correct|size|group|split|COLUMN] "
    "[--csv|--json|--latex]\n"
    "               [--compare | --against EXPLAINER] [--replicates N] [--seed N]\n"
    "               [--from-split SPLIT]  box_acc: grey level chosen on SPLIT, figures of the "
    "others\n"
    "With OTHER: the two archives compared, pair by pair, over the samples they share.\n";

typedef struct options {
    const char *archive, *other, *by, *against, *from_split;
    bool compare;
    xa_summary_form form;
    int64_t replicates, seed;
} options;

static bool parse(int argc, char **argv, options *o)
{
    static const struct option list[] = {{"by", required_argument, NULL, 'b'},
                                         {"csv", no_argument, NULL, 'c'},
                                         {"json", no_argument, NULL, 'j'},
                                         {"latex", no_argument, NULL, 'l'},
                                         {"compare", no_argument, NULL, 'C'},
                                         {"against", required_argument, NULL, 'a'},
                                         {"replicates", required_argument, NULL, 'r'},
                                         {"seed", required_argument, NULL, 's'},
                                         {"from-split", required_argument, NULL, 'f'},
                                         {NULL, 0, NULL, 0}};
    int c, forms = 0;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        switch (c) {
        case 'b':
            o->by = optarg;
            break;
        case 'c':
        case 'j':
        case 'l':
            o->form = c == 'c' ? XA_SUMMARY_CSV : c == 'j' ? XA_SUMMARY_JSON : XA_SUMMARY_LATEX;
            forms++;
            break;
        case 'f':
            o->from_split = optarg;
            break;
        case 'C':
            o->compare = true;
            break;
        case 'a':
            o->compare = true;
            o->against = optarg;
            break;
        case 'r':
            if (!xa_parse_i64(optarg, &o->replicates) || o->replicates < 100 ||
                o->replicates > XA_STATS_MAX_REPLICATES) {
                fprintf(stderr, "xaudit summary: --replicates: expected 100 to 1000000\n");
                return false;
            }
            break;
        case 's':
            if (!xa_parse_i64(optarg, &o->seed) || o->seed < 0) {
                fprintf(stderr, "xaudit summary: --seed: expected a whole number\n");
                return false;
            }
            break;
        default:
            fprintf(stderr,
                    "xaudit summary: unknown option or missing value: %s\n%s",
                    argv[optind - 1],
                    usage);
            return false;
        }
    }
    if (optind < argc - 2 || optind >= argc || forms > 1) {
        fprintf(stderr,
                "xaudit summary: expected one or two archives and one form of output\n%s",
                usage);
        return false;
    }
    o->other = optind == argc - 2 ? argv[optind + 1] : NULL;
    if (o->other && (o->by || o->against)) {
        fprintf(stderr, "xaudit summary: --by and --against are for one archive\n");
        return false;
    }
    o->compare = o->compare || o->other;
    if (o->compare && (o->form == XA_SUMMARY_JSON || o->form == XA_SUMMARY_LATEX)) {
        fprintf(stderr, "xaudit summary: comparisons are printed as text or --csv\n");
        return false;
    }
    o->archive = argv[optind];
    return true;
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

int xa_cmd_summary(int argc, char **argv)
{
    options o = {.replicates = 1000, .seed = 1};
    xa_err err = XA_ERR_INIT;
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return XA_EXIT_DONE;
    }
    if (!parse(argc, argv, &o))
        return XA_EXIT_USAGE;
    const xa_status st = summarise(&o, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_INVALID || (st == XA_NOT_FOUND && (o.against || o.from_split))
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    return fflush(stdout) || ferror(stdout) ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
