/* Arguments of run and check, and what all commands print. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

/* I/N */
static bool read_slice(const char *text, xa_run_options *out)
{
    const char *stroke = strchr(text, '/');
    char *first = stroke ? xa_strndup(text, (size_t)(stroke - text)) : NULL;
    const bool ok = first && xa_parse_i64(first, &out->slice) &&
                    xa_parse_i64(stroke + 1, &out->slices) && out->slice >= 1 &&
                    out->slice <= out->slices && out->slices <= 1000000;
    free(first);
    return ok;
}

bool xa_run_options_parse(int argc, char **argv, const char *command, xa_run_options *out)
{
    enum {
        OUTPUT = 256,
        SET,
        LIMIT,
        FRESH,
        RETRY,
        QUIET,
        JSON,
        LAYERS,
        AGAINST,
        PROBE,
        SLICE,
        SLURM,
        RANKS
    };
    static const struct option list[] = {{"output", required_argument, NULL, OUTPUT},
                                         {"set", required_argument, NULL, SET},
                                         {"limit", required_argument, NULL, LIMIT},
                                         {"fresh", no_argument, NULL, FRESH},
                                         {"retry-failed", no_argument, NULL, RETRY},
                                         {"quiet", no_argument, NULL, QUIET},
                                         {"json", no_argument, NULL, JSON},
                                         {"layers", no_argument, NULL, LAYERS},
                                         {"against", required_argument, NULL, AGAINST},
                                         {"probe", required_argument, NULL, PROBE},
                                         {"slice", required_argument, NULL, SLICE},
                                         {"slurm", no_argument, NULL, SLURM},
                                         {"ranks", required_argument, NULL, RANKS},
                                         {NULL, 0, NULL, 0}};
    int c;
    *out = (xa_run_options){0};
    out->set = xa_alloc((size_t)argc + 1, sizeof(char *));
    if (!out->set)
        return false;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        switch (c) {
        case OUTPUT:
            out->output = optarg;
            break;
        case SET:
            out->set[out->nset++] = optarg;
            break;
        case LIMIT:
            if (!xa_parse_i64(optarg, &out->limit) || out->limit < 1) {
                fprintf(stderr,
                        "xaudit %s: --limit: expected a number of samples, found %s\n",
                        command,
                        optarg);
                return false;
            }
            break;
        case PROBE:
            if (!xa_parse_i64(optarg, &out->probe) || out->probe < 1) {
                fprintf(stderr,
                        "xaudit %s: --probe: expected a number of images, found %s\n",
                        command,
                        optarg);
                return false;
            }
            break;
        case SLURM:
            out->slurm = true;
            break;
        case RANKS:
            if (!xa_parse_i64(optarg, &out->ranks) || out->ranks < 1 || out->ranks > 1000000) {
                fprintf(stderr,
                        "xaudit %s: --ranks: expected a number of ranks, found %s\n",
                        command,
                        optarg);
                return false;
            }
            break;
        case SLICE:
            if (!read_slice(optarg, out)) {
                fprintf(stderr,
                        "xaudit %s: --slice: expected I/N, 1/4 to 4/4, found %s\n",
                        command,
                        optarg);
                return false;
            }
            break;
        case FRESH:
            out->fresh = true;
            break;
        case RETRY:
            out->retry_failed = true;
            break;
        case QUIET:
            out->quiet = true;
            break;
        case JSON:
            out->json = true;
            break;
        case AGAINST:
            out->against = optarg;
            break;
        case LAYERS:
            out->layers = true;
            break;
        default:
            fprintf(stderr,
                    "xaudit %s: %s %s; see xaudit --help\n",
                    command,
                    "unknown option or missing value:",
                    argv[optind - 1]);
            return false;
        }
    }
    if (out->slices && out->limit) {
        fprintf(stderr, "xaudit %s: --slice and --limit exclude one another\n", command);
        return false;
    }
    if (optind != argc - 1) {
        fprintf(stderr,
                "xaudit %s: expected one job file, found %d arguments; see xaudit --help\n",
                command,
                argc - optind);
        return false;
    }
    out->job = argv[optind];
    return true;
}

void xa_run_options_fini(xa_run_options *o)
{
    free(o->set);
    o->set = NULL;
}

static int by_line(const void *a, const void *b)
{
    const xa_problem *x = *(const xa_problem *const *)a, *y = *(const xa_problem *const *)b;
    const int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (files)
        return files;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x < y ? -1 : x > y;
}

void xa_print_problems(const xa_problems *p)
{
    const xa_problem **order = xa_alloc(p->count + 1, sizeof(xa_problem *));
    if (!order)
        return;
    for (size_t i = 0; i < p->count; i++)
        order[i] = &p->items[i];
    qsort(order, p->count, sizeof(xa_problem *), by_line);
    for (size_t i = 0; i < p->count; i++) {
        char text[2048];
        xa_str_sanitise(order[i]->text, text, sizeof text);
        if (order[i]->line > 0)
            fprintf(stderr,
                    "%s:%lld: %s%s\n",
                    order[i]->file,
                    (long long)order[i]->line,
                    order[i]->warning ? "warning: " : "",
                    text);
        else
            fprintf(
                stderr, "%s: %s%s\n", order[i]->file, order[i]->warning ? "warning: " : "", text);
    }
    if (p->dropped)
        fprintf(stderr, "... and %zu more\n", p->dropped);
    free(order);
}

void xa_print_error(const xa_err *err)
{
    char text[XA_ERR_MESSAGE], trail[2048];
    xa_str_sanitise(err->message, text, sizeof text);
    fprintf(stderr, "xaudit: %s\n", text);
    xa_err_trail(err, trail, sizeof trail);
    xa_log(XA_LOG_DEBUG, "%s\n%s", xa_status_text(err->code), trail);
}

const char *xa_bytes_text(double bytes, char *buf, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int u = 0;
    while (bytes >= 1000.0 && u < 5) {
        bytes /= 1000.0;
        u++;
    }
    snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return buf;
}

xa_status xa_set_aside(const char *path, xa_err *err)
{
    for (int i = 1; i < 10000; i++) {
        char *to = xa_strfmt("%s.%d", path, i);
        if (!to)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
        if (access(to, F_OK) == 0) {
            free(to);
            continue;
        }
        const int failed = rename(path, to);
        if (!failed)
            fprintf(stderr, "xaudit: --fresh: the earlier archive is now %s\n", to);
        free(to);
        if (failed)
            XA_RETURN_FAIL(
                err, XA_IO, "--fresh: \"%s\" cannot be renamed: %s", path, strerror(errno));
        return XA_OK;
    }
    XA_RETURN_FAIL(err, XA_LIMIT, "--fresh: too many earlier archives beside \"%s\"", path);
}
