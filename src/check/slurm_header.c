#include "xaudit/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How long to measure; how long a run should take if nobody names the ranks; the most ranks that
 * are asked for then. */
enum { MEASURE_SECONDS = 5, WISHED_SECONDS = 1800, MOST_RANKS = 512 };

/* Measures the seconds per sample on one core. The first unit has cold caches and new pages, so it
 * does not count unless it is the only one. */
static xa_status measure(const xa_loaded *l, double *seconds, int64_t *measured, xa_err *err)
{
    xa_status st = XA_OK;
    xa_trial t;
    XA_TRY(err, xa_trial_start(l, &t, err));
    XA_TRY(err, xa_trial_unit(&t, err));
    if (t.next)
        xa_trial_reset(&t);
    while (t.next && t.seconds < MEASURE_SECONDS)
        XA_TRY(err, xa_trial_unit(&t, err));
    *measured = t.images;
    *seconds = t.seconds / (double)t.images;
done:
    xa_trial_end(&t);
    return st;
}

static int64_t up_to(double v, int64_t step)
{
    return (int64_t)ceil(v / (double)step) * step;
}

/* Prints the run of the job that was checked, with the same options. */
static xa_status
print_command(const char *program, const xa_run_options *opt, FILE *out, xa_err *err)
{
    xa_str s = {0};
    xa_str_word(&s, program);
    xa_str_puts(&s, " run ");
    xa_str_word(&s, opt->job);
    if (opt->output) {
        xa_str_puts(&s, " --output ");
        xa_str_word(&s, opt->output);
    }
    if (opt->limit)
        xa_str_printf(&s, " --limit %" PRId64, opt->limit);
    for (int i = 0; i < opt->nset; i++) {
        xa_str_puts(&s, " --set ");
        xa_str_word(&s, opt->set[i]);
    }
    const bool made = !s.failed;
    if (made)
        fprintf(out, "%s\n", s.data);
    xa_str_free(&s);
    if (!made)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa_slurm_header(const xa_loaded *l,
                          const xa_memory *memory,
                          const char *program,
                          const xa_run_options *opt,
                          FILE *out,
                          xa_err *err)
{
    double each = 0.0;
    int64_t measured = 0;
    const int64_t unit = xa_audit_unit_samples(l->audit), n = l->manifest->count;
    const int64_t units = (n + unit - 1) / unit;
    int64_t ranks = opt->ranks;
    XA_RETURN_TRY(err, measure(l, &each, &measured, err));
    const double total = each * (double)n;
    if (ranks == 0) {
        ranks = (int64_t)ceil(total / WISHED_SECONDS);
        ranks = ranks > MOST_RANKS ? MOST_RANKS : ranks;
    }
    ranks = ranks > units ? units : ranks < 1 ? 1 : ranks;
    const double bytes = memory->rank + memory->node + memory->first + XA_MEMORY_BASE;
    const int64_t minutes = up_to(1.5 * total / (double)ranks / 60.0 + 5.0, 5);
    fprintf(out,
            "#!/bin/bash\n"
            "# %" PRId64 " images take %.3f s each on one core here (%" PRId64
            " were measured): %.2f core hours.\n"
            "# The memory suffices even if rank 0 has a node of its own: %.0f MB for activations,\n"
            "# %.0f MB for weights (once per node), %.0f MB for the %" PRId64
            " rows of the manifest\n"
            "# (rank 0 only), and 100 MB for MPI and HDF5.\n"
            "#SBATCH --job-name=xaudit\n"
            "#SBATCH --ntasks=%" PRId64 "\n"
            "#SBATCH --cpus-per-task=%d\n"
            "#SBATCH --mem-per-cpu=%" PRId64 "M\n"
            "#SBATCH --time=%02" PRId64 ":%02" PRId64 ":00\n"
            "#SBATCH --output=xaudit-%%j.log\n"
            "set -eu\n"
            "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1\n"
            "srun --mpi=pmix ",
            n,
            each,
            measured,
            total / 3600.0,
            memory->rank / 1e6,
            memory->node / 1e6,
            memory->first / 1e6,
            n,
            ranks,
            l->job.threads,
            up_to(bytes / 1e6 / (double)l->job.threads, 50),
            minutes / 60,
            minutes % 60);
    return print_command(program, opt, out, err);
}
