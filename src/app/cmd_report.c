/* xaudit report. */
#include <getopt.h>
#include <stdlib.h>

#include "app.h"
#include "report.h"

static const char usage[] =
    "xaudit report ARCHIVE -o FILE.html [--title TEXT] [--image-root FOLDER] [--anonymise]\n"
    "              [--no-images]\n"
    "  one page that needs nothing else: what was done, every metric with intervals and "
    "baselines,\n"
    "  charts, best and worst and disputed images, failures, methods\n";

int xa_cmd_report(int argc, char **argv)
{
    enum { TITLE = 256, IMAGE_ROOT, ANONYMISE, NO_IMAGES };
    static const struct option list[] = {{"output", required_argument, NULL, 'o'},
                                         {"title", required_argument, NULL, TITLE},
                                         {"image-root", required_argument, NULL, IMAGE_ROOT},
                                         {"anonymise", no_argument, NULL, ANONYMISE},
                                         {"no-images", no_argument, NULL, NO_IMAGES},
                                         {"help", no_argument, NULL, 'h'},
                                         {NULL, 0, NULL, 0}};
    xa_report_options o = {.images = true};
    xa_err err = XA_ERR_INIT;
    int64_t missing = 0;
    int c;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:h", list, NULL)) != -1)
        switch (c) {
        case 'o':
            o.output = optarg;
            break;
        case TITLE:
            o.title = optarg;
            break;
        case IMAGE_ROOT:
            o.image_root = optarg;
            break;
        case ANONYMISE:
            o.anonymise = true;
            break;
        case NO_IMAGES:
            o.images = false;
            break;
        case 'h':
            fputs(usage, stdout);
            return XA_EXIT_DONE;
        default:
            fprintf(stderr,
                    "xaudit report: unknown option or missing value: %s\n%s",
                    argv[optind - 1],
                    usage);
            return XA_EXIT_USAGE;
        }
    if (optind != argc - 1 || !o.output) {
        fprintf(stderr, "xaudit report: expected one archive and -o FILE.html\n%s", usage);
        return XA_EXIT_USAGE;
    }
    o.archive = argv[optind];
    const xa_status st = xa_report_write(&o, &missing, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_NOT_FOUND || st == XA_FORMAT ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    if (missing)
        fprintf(stderr,
                "xaudit report: %lld images are not there or are not those that were audited; "
                "--image-root names their folder\n",
                (long long)missing);
    return missing ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
}
