/* xaudit merge. */
#include <inttypes.h>
#include <stdlib.h>

#include "commands.h"
#include "xaudit/merge.h"

int xa_cmd_merge(const xa_args *a)
{
    xa_err err = XA_ERR_INIT;
    xa_merged m;
    const char *output = xa__args_text(a, XA_OPT_OUTPUT);
    const xa_status st = xa_merge(a->positional, a->npositional, output, &m, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_MISMATCH || st == XA_BUSY || st == XA_NOT_FOUND || st == XA_FORMAT
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    char bytes[32];
    printf("%s: %d %s, %" PRId64 " samples, %" PRId64 " model%s, %" PRId64 " explainers, %s\n",
           output,
           a->npositional,
           m.slices ? "slices" : "archives of one manifest",
           m.samples,
           m.models,
           m.models == 1 ? "" : "s",
           m.explainers,
           xa_bytes_text(m.bytes, bytes, sizeof bytes));
    return XA_EXIT_DONE;
}
