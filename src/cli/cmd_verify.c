/* xaudit verify: checks that an archive is undamaged. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "xaudit/verify.h"
#include "xaudit/view.h"

static void print_finding(void *arg, xa_finding kind, int64_t sample, const char *text)
{
    static const char *const names[] = {"damage", "missing", "image", "mask", "note"};
    (void)arg;
    (void)sample;
    printf("%s: %s\n", names[kind], text);
}

static void print_verified(const char *path, const xa_verified *v, bool images)
{
    char mend[1024];
    printf("%" PRId64 " samples, %" PRId64 " models, %" PRId64 " explainers: %" PRId64
           " rows done, %" PRId64 " maps with their checksums; ",
           v->samples,
           v->models,
           v->explainers,
           v->done,
           v->maps);
    if (v->damages)
        printf("%" PRId64 " damaged\n", v->damages);
    else if (v->missing)
        puts("whole so far, and some samples are still to be computed");
    else
        puts(v->state == 2 ? "complete and whole" : "whole; the end of the run is not recorded");
    if (images)
        printf("%" PRId64 " images were read again; %" PRId64
               " are not those that were audited, or "
               "cannot be read\n",
               v->images,
               v->other_images);
    if (v->masks || v->other_masks)
        printf("masks of %" PRId64 " annotations were read again; %" PRId64
               " are not those that were used for the scores, or cannot be read\n",
               v->masks,
               v->other_masks);
    if (v->damages && xa_mend_text(path, mend, sizeof mend))
        printf("%s\n", mend);
}

int xa_cmd_verify(const xa_args *a)
{
    xa_verify_options opt = {.values = true,
                             .images = xa__args_has(a, XA_OPT_VERIFY_IMAGES) ||
                                       xa__args_has(a, XA_OPT_IMAGE_ROOT),
                             .image_root = xa__args_text(a, XA_OPT_IMAGE_ROOT),
                             .report = print_finding};
    xa_err err = XA_ERR_INIT;
    xa_verified v;
    if (xa_verify(a->positional[0], &opt, &v, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    print_verified(a->positional[0], &v, opt.images);
    return v.damages || v.other_images || v.other_masks ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
