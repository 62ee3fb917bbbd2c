/* xaudit report. */
#include <inttypes.h>
#include <stdlib.h>

#include "commands.h"
#include "xaudit/report.h"

int xa_cmd_report(const xa_args *a)
{
    const xa_report_options o = {.archive = a->positional[0],
                                 .output = xa__args_text(a, XA_OPT_OUTPUT),
                                 .image_root = xa__args_text(a, XA_OPT_IMAGE_ROOT),
                                 .title = xa__args_text(a, XA_OPT_TITLE),
                                 .anonymise = xa__args_has(a, XA_OPT_ANONYMISE),
                                 .images = !xa__args_has(a, XA_OPT_NO_IMAGES)};
    xa_err err = XA_ERR_INIT;
    int64_t missing = 0;
    const xa_status st = xa_report_write(&o, &missing, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_NOT_FOUND || st == XA_FORMAT ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    if (missing)
        fprintf(stderr,
                "xaudit report: %" PRId64 " images are missing or are not those that were audited; "
                "--image-root names their folder\n",
                missing);
    return missing ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
}
