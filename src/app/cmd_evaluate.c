/* xaudit evaluate: under mpirun or srun, or alone. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "evaluate.h"

static const char usage[] =
    "xaudit evaluate ARCHIVE [--metrics METRICS] [--as NAME.h5] [--image-root FOLDER]\n"
    "                [--seed N] [--fresh] [--quiet]\n"
    "  scores the maps of an archive anew, without a model; ARCHIVE.eval.h5 then holds its "
    "tables,\n"
    "  the new scores, baselines of other images' maps and the classes' mean maps, and links to\n"
    "  the maps of ARCHIVE, which stays as it is: keep both together\n"
    "  --metrics   a list, \"[energy, { kind: iou, threshold: otsu }]\", or a YAML file with a "
    "list\n"
    "              or a job's `metrics`; without it those of the archive's own job\n"
    "  --image-root  where mask files begin that the manifest names relative to itself\n"
    "  --fresh     sets an earlier evaluation of that name aside as NAME.1, ...\n"
    "  --seed      of the maps that are shuffled among images (0)\n";

static bool parse(int argc, char **argv, xa_evaluate_options *o, bool *quiet, bool tell)
{
    enum { METRICS = 256, AS, IMAGE_ROOT, SEED, QUIET, FRESH };
    static const struct option list[] = {{"metrics", required_argument, NULL, METRICS},
                                         {"as", required_argument, NULL, AS},
                                         {"image-root", required_argument, NULL, IMAGE_ROOT},
                                         {"seed", required_argument, NULL, SEED},
                                         {"quiet", no_argument, NULL, QUIET},
                                         {"fresh", no_argument, NULL, FRESH},
                                         {NULL, 0, NULL, 0}};
    int c;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1)
        switch (c) {
        case METRICS:
            o->metrics = optarg;
            break;
        case AS:
            o->output = optarg;
            break;
        case IMAGE_ROOT:
            o->image_root = optarg;
            break;
        case SEED:
            if (!xa_parse_i64(optarg, &o->seed)) {
                if (tell)
                    fprintf(
                        stderr, "xaudit evaluate: --seed: expected a number, found %s\n", optarg);
                return false;
            }
            break;
        case FRESH:
            o->fresh = true;
            break;
        case QUIET:
            *quiet = true;
            break;
        default:
            if (tell)
                fprintf(stderr,
                        "xaudit evaluate: unknown option or missing value: %s\n%s",
                        argv[optind - 1],
                        usage);
            return false;
        }
    if (optind != argc - 1) {
        if (tell)
            fprintf(stderr, "xaudit evaluate: expected one archive\n%s", usage);
        return false;
    }
    o->archive = argv[optind];
    return true;
}

/* NAME.h5 to NAME.eval.h5. */
static char *beside(const char *archive)
{
    const size_t n = strlen(archive);
    const size_t stem = xa_str_ends(archive, ".h5") ? n - 3 : n;
    return xa_strfmt("%.*s.eval.h5", (int)stem, archive);
}

static void report(const xa_evaluate_options *o, const xa_evaluated *d, double seconds)
{
    char bytes[32], rate[32];
    printf("%s: %" PRId64 " of %" PRId64 " pairs of image and class scored by %" PRId64
           " metrics for %" PRId64 " explainers\n"
           "  %s of maps read in %.1f s (%s/s); next: xaudit summary %s\n",
           o->output,
           d->scored,
           d->pairs,
           d->metrics,
           d->explainers,
           xa_bytes_text(d->map_bytes, bytes, sizeof bytes),
           seconds,
           xa_bytes_text(d->map_bytes / (seconds > 1e-9 ? seconds : 1e-9), rate, sizeof rate),
           o->output);
}

int xa_cmd_evaluate(int argc, char **argv)
{
    xa_err err = XA_ERR_INIT;
    xa_evaluate_options o = {0};
    xa_problems problems = {0};
    xa_evaluated d = {0};
    xa_comm *comm = NULL;
    char *output = NULL;
    bool quiet = false;
    int code = XA_EXIT_DONE;
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return XA_EXIT_DONE;
    }
    if (xa_comm_start(&argc, &argv, &comm, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    const bool first = xa_comm_rank(comm) == 0;
    const double start = xa_time();
    if (!parse(argc, argv, &o, &quiet, first)) {
        xa_comm_stop(comm);
        return first ? XA_EXIT_USAGE : XA_EXIT_DONE;
    }
    if (!o.output)
        o.output = output = beside(o.archive);
    const xa_status st = xa_evaluate(&o, comm, &problems, &d, &err);
    if (first)
        xa_print_problems(&problems);
    if (st != XA_OK) {
        if (first && !problems.errors)
            xa_print_error(&err);
        code = st == XA_INVALID || st == XA_BUSY || st == XA_NOT_FOUND || st == XA_FORMAT
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    } else {
        if (first && !quiet)
            report(&o, &d, xa_time() - start);
        if (first && *d.problem)
            fprintf(stderr,
                    "xaudit: %" PRId64 " pairs have no region that can be read, first: %s\n",
                    d.pairs - d.scored,
                    d.problem);
        code = *d.problem ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
    }
    free(output);
    xa_problems_fini(&problems);
    if (d.lost)
        xa_abandon(comm, code);
    xa_comm_stop(comm);
    return first ? code : XA_EXIT_DONE;
}
