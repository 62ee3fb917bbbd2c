/* xaudit: explain every image of a data set, in parallel, into one HDF5 archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

static const char usage[] =
    "xaudit " XA_TOOL_VERSION ": explains every image of a data set into one HDF5 archive\n"
    "\n"
    "  xaudit run JOB.yaml [--output F] [--set key=value]... [--limit N] [--fresh]\n"
    "                      [--retry-failed] [--slice I/N] [--quiet|--json]\n"
    "                      runs or resumes the job; under mpirun or srun, or alone;\n"
    "                      --slice: the I-th of N pieces, for xaudit merge\n"
    "  xaudit check JOB.yaml [--layers] [--against REF.h5] [--probe N] [--slurm [--ranks N]]\n"
    "                      [--set key=value]...\n"
    "                      what would run: models, memory, sizes; every mistake at once;\n"
    "                      --against: agreement with Keras (tests/parity/reference.py);\n"
    "                      --slurm: an sbatch script that fits, from a short measurement;\n"
    "                      --probe: accuracy on N labelled images under the usual scalings\n"
    "  xaudit bench JOB.yaml [--seconds S] [--top N] [--json] [--set key=value]...\n"
    "                      time, GFLOP/s, GB/s and share of this core's peak, by operator and "
    "layer\n"
    "  xaudit info FILE [--digest] [--job] [--methods]\n"
    "                      an archive, a model or an image, in a page\n"
    "  xaudit verify ARCHIVE\n"
    "                      checksums, ranges and sizes of every done row; exit 1 on damage,\n"
    "                      0 when whole, also if there are samples to resume\n"
    "  xaudit table ARCHIVE [--csv]\n"
    "                      one line per image (or per image, class, model, explainer)\n"
    "  xaudit summary ARCHIVE [--by COLUMN] [--compare | --against EXPLAINER]\n"
    "                      [--csv|--json|--latex] [--replicates N] [--seed N]\n"
    "                      every metric over the data set, with 95 % intervals\n"
    "  xaudit evaluate ARCHIVE [--metrics METRICS] [--as NAME.h5] [...]\n"
    "                      scores its maps anew, without a model, into NAME.eval.h5; under\n"
    "                      mpirun or alone: xaudit evaluate --help\n"
    "  xaudit merge ARCHIVE ARCHIVE... -o OUTPUT.h5\n"
    "                      slices of one manifest, or other models and explainers of it, into one\n"
    "  xaudit figure ARCHIVE -o FILE [...]\n"
    "                      maps and overlays as PNG, TIFF, PDF or SVG: xaudit figure --help\n"
    "  xaudit report ARCHIVE -o FILE.html [...]\n"
    "                      one page with figures, charts, images, failures: xaudit report --help\n"
    "  xaudit manifest FORMAT SOURCE -o MANIFEST.csv [...]\n"
    "                      makes a manifest: xaudit manifest --help lists the formats\n"
    "  xaudit --version | --help\n"
    "\n"
    "Exit codes: 0 done; 1 failed; 2 bad usage, job, model or manifest; 3 done, but samples "
    "failed\n"
    "(tolerate_failed in the job turns this into 0); 75 interrupted, run again to resume.\n"
    "XAUDIT_LOG=debug shows where an error came from.\n";

static void log_line(void *arg, xa_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const xa_log_level *most = arg;
    if (level <= *most)
        fprintf(stderr, "xaudit: %s: %s\n", names[level], message);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"run", xa_cmd_run},
                    {"check", xa_cmd_check},
                    {"info", xa_cmd_info},
                    {"table", xa_cmd_table},
                    {"manifest", xa_cmd_manifest},
                    {"verify", xa_cmd_verify},
                    {"summary", xa_cmd_summary},
                    {"figure", xa_cmd_figure},
                    {"evaluate", xa_cmd_evaluate},
                    {"merge", xa_cmd_merge},
                    {"report", xa_cmd_report},
                    {"bench", xa_cmd_bench}};
    static const char *const names[] = {"run",
                                        "check",
                                        "info",
                                        "table",
                                        "manifest",
                                        "verify",
                                        "summary",
                                        "figure",
                                        "evaluate",
                                        "merge",
                                        "report",
                                        "bench"};
    const char *wanted_level = getenv("XAUDIT_LOG");
    static xa_log_level most = XA_LOG_WARN;
    if (wanted_level && !strcmp(wanted_level, "debug"))
        most = XA_LOG_DEBUG;
    else if (wanted_level && !strcmp(wanted_level, "info"))
        most = XA_LOG_INFO;
    xa_log_sink(log_line, &most);
    if (argc < 2) {
        fputs(usage, stderr);
        return XA_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        fputs(usage, stdout);
        return XA_EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("xaudit " XA_TOOL_VERSION);
        return XA_EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    const char *near = xa_nearest(argv[1], names, sizeof names / sizeof *names);
    fprintf(stderr,
            "xaudit: unknown command \"%s\"%s%s%s; see xaudit --help\n",
            argv[1],
            near ? "; did you mean \"" : "",
            near ? near : "",
            near ? "\"?" : "");
    return XA_EXIT_USAGE;
}
