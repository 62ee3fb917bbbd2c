/* xaudit merge. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "app.h"
#include "merge.h"

static const char usage[] =
    "xaudit merge ARCHIVE ARCHIVE... -o OUTPUT.h5\n"
    "  slices of one manifest (xaudit run --slice I/N) become the archive of the undivided run;\n"
    "  archives of one manifest with other models, or other explainers of the same models, become\n"
    "  one that holds them all\n";

int xa_cmd_merge(int argc, char **argv)
{
    static const struct option list[] = {{"output", required_argument, NULL, 'o'},
                                         {"help", no_argument, NULL, 'h'},
                                         {NULL, 0, NULL, 0}};
    xa_err err = XA_ERR_INIT;
    xa_merged m;
    const char *output = NULL;
    int c;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:h", list, NULL)) != -1) {
        if (c == 'o') {
            output = optarg;
        } else if (c == 'h') {
            fputs(usage, stdout);
            return XA_EXIT_DONE;
        } else {
            fprintf(stderr,
                    "xaudit merge: unknown option or missing value: %s\n%s",
                    argv[optind - 1],
                    usage);
            return XA_EXIT_USAGE;
        }
    }
    if (!output || argc - optind < 2) {
        fprintf(stderr, "xaudit merge: expected two archives at least, and -o\n%s", usage);
        return XA_EXIT_USAGE;
    }
    const xa_status st =
        xa_merge((const char *const *)(argv + optind), argc - optind, output, &m, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_MISMATCH || st == XA_BUSY || st == XA_NOT_FOUND || st == XA_FORMAT
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    char bytes[32];
    printf("%s: %d %s, %" PRId64 " samples, %" PRId64 " model%s, %" PRId64 " explainers, %s\n",
           output,
           argc - optind,
           m.slices ? "slices" : "archives of one manifest",
           m.samples,
           m.models,
           m.models == 1 ? "" : "s",
           m.explainers,
           xa_bytes_text(m.bytes, bytes, sizeof bytes));
    return fflush(stdout) ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
