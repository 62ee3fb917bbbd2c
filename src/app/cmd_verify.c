/* xaudit verify: is an archive whole? */
#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "verify.h"

static void tell(void *arg, xa_finding kind, const char *text)
{
    (void)arg;
    printf("%s: %s\n", kind == XA_FINDING_DAMAGE ? "damage" : "missing", text);
}

int xa_cmd_verify(const xa_args *a)
{
    xa_err err = XA_ERR_INIT;
    xa_verdict v;
    if (xa_verify(a->positional[0], tell, NULL, &v, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    printf("%" PRId64 " samples, %" PRId64 " models, %" PRId64 " explainers: %" PRId64
           " rows done, %" PRId64 " maps with their checksums; ",
           v.samples,
           v.models,
           v.explainers,
           v.done,
           v.maps);
    if (v.damages)
        printf("%" PRId64 " damaged\n", v.damages);
    else if (v.missing)
        puts("whole so far, to be resumed");
    else
        puts(v.state == 2 ? "complete and whole" : "whole; the end of the run is not recorded");
    return v.damages ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
