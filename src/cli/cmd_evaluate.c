/* xaudit evaluate: under mpirun or srun, or alone. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/evaluate.h"
#include "xaudit/run.h"

/* Turns NAME.h5 into NAME.<what>.h5. */
static char *beside(const char *archive, const char *what)
{
    const size_t n = strlen(archive);
    const size_t stem = xa_str_ends(archive, ".h5") ? n - 3 : n;
    return xa_strfmt("%.*s.%s.h5", (int)stem, archive, what);
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

/* --checks: the job runs over the stored maps. */
static int check_maps(const xa_args *a)
{
    const char *archive = a->positional[0], *job = xa__args_text(a, XA_OPT_CHECKED_JOB);
    const char *as = xa__args_text(a, XA_OPT_EVALUATION);
    char *own = as ? NULL : beside(archive, "checks");
    char *set = xa_strfmt("checks=%s", xa__args_text(a, XA_OPT_CHECKS));
    int code = XA_EXIT_FAILED;
    if (!job) {
        fprintf(stderr,
                "xaudit evaluate: --checks needs --job JOB.yaml, the job that %s was made with\n",
                archive);
        code = XA_EXIT_USAGE;
    } else if (set && (as || own)) {
        const char *const list[] = {set};
        const xa_run_options o = {.job = job,
                                  .set = (const char **)(uintptr_t)list,
                                  .nset = 1,
                                  .output = as ? as : own,
                                  .maps_from = archive,
                                  .fresh = xa__args_has(a, XA_OPT_FRESH_EVALUATION),
                                  .quiet = xa__args_has(a, XA_OPT_QUIET)};
        code = xa_run_job(&o);
    }
    free(own);
    free(set);
    return code;
}

int xa_cmd_evaluate(const xa_args *a)
{
    if (xa__args_has(a, XA_OPT_CHECKS))
        return check_maps(a);
    xa_err err = XA_ERR_INIT;
    xa_evaluate_options o = {.archive = a->positional[0],
                             .output = xa__args_text(a, XA_OPT_EVALUATION),
                             .image_root = xa__args_text(a, XA_OPT_MASK_ROOT),
                             .metrics = xa__args_text(a, XA_OPT_METRICS),
                             .seed = xa__args_integer(a, XA_OPT_SHUFFLE_SEED),
                             .fresh = xa__args_has(a, XA_OPT_FRESH_EVALUATION)};
    xa_problems problems = {0};
    xa_evaluated d = {0};
    xa_comm *comm = NULL;
    char *output = NULL;
    const bool quiet = xa__args_has(a, XA_OPT_QUIET);
    int code = XA_EXIT_DONE;
    if (xa_comm_start(NULL, NULL, &comm, &err) != XA_OK) {
        xa_print_error(&err);
        return err.code == XA_INVALID ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    const bool first = xa_comm_rank(comm) == 0;
    const double start = xa_time();
    if (!o.output)
        o.output = output = beside(o.archive, "eval");
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
                    "xaudit: %" PRId64 " pairs of image and class were not scored, since their "
                    "region cannot be read; the first: %s\n",
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
