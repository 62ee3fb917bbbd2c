/* The table of formats, and what all imports have in common. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import_internal.h"

typedef xa_status import_fn(xa__draft *d, xa_err *err);

static const struct {
    const char *name;
    import_fn *run;
} formats[XA_IMPORT_COUNT] = {
    {"folder", xa__import_folder},
    {"voc", xa__import_voc},
    {"coco", xa__import_coco},
    {"cub", xa__import_cub},
    {"wsol", xa__import_wsol},
    {"imagenet", xa__import_imagenet},
    {"openimages", xa__import_openimages},
    {"isic", xa__import_isic},
    {"chexlocalize", xa__import_chexlocalize},
    {"nih", xa__import_nih},
    {"csv", xa__import_csv},
};

int xa_import_parse(const char *name)
{
    for (int i = 0; i < XA_IMPORT_COUNT; i++)
        if (strcmp(name, formats[i].name) == 0)
            return i;
    return -1;
}

const char *xa_import_name(xa_import_format f)
{
    return (unsigned)f < XA_IMPORT_COUNT ? formats[f].name : "?";
}

int xa_box_convention_parse(const char *name)
{
    static const char *const names[] = {"half-open", "inclusive", "one-based", "normalised"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return i + XA_BOX_HALF_OPEN;
    return -1;
}

/* Fills the draft; a source without images is a mistake. */
static xa_status fill(xa__draft *d, xa_err *err)
{
    const xa_import_options *opt = d->opt;
    XA_RETURN_TRY(err, xa__draft_classes_init(d, err));
    XA_RETURN_TRY(err, formats[opt->format].run(d, err));
    if (d->nimages == 0) {
        const xa_import_reason *r = d->report->nreasons > 0 ? &d->report->reasons[0] : NULL;
        const bool missing = r && strcmp(r->text, "no such file") == 0;
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: no image was found%s%s%s%s%s",
                       opt->source,
                       r ? "; the first reason: " : "",
                       r ? r->text : "",
                       r && r->examples[0] ? ": " : "",
                       r && r->examples[0] ? r->examples[0] : "",
                       missing ? "; --images DIR names the folder that the paths are below" : "");
    }
    return XA_OK;
}

static void draft_init(xa__draft *d)
{
    xa_text_map_init(&d->ids);
    xa_text_map_init(&d->paths);
    xa_text_map_init(&d->class_map);
}

xa_status xa_import(const xa_import_options *opt,
                    xa_import_report *report,
                    xa_problems *problems,
                    xa_err *err)
{
    xa_status st = XA_OK;
    xa_import_report made = {0};
    xa_problems own = {0};
    struct stat info;
    xa__draft d = {.opt = opt, .report = &made, .problems = problems ? problems : &own};
    draft_init(&d);
    if ((unsigned)opt->format >= XA_IMPORT_COUNT || !opt->source || !opt->output)
        XA_FAIL(err, XA_INVALID, "an import needs a format, a source and an output");
    if (!opt->force && lstat(opt->output, &info) == 0)
        XA_FAIL(err, XA_BUSY, "%s: exists already; --force replaces it", opt->output);
    XA_TRY(err, fill(&d, err));
    XA_TRY(err, xa__draft_write(&d, err));
    *report = made;
    made = (xa_import_report){0};
done:
    xa__draft_fini(&d);
    xa_import_report_fini(&made);
    xa_problems_fini(&own);
    return st;
}

/* Adds what an importer dropped to the problems, as warnings. */
static void warn(const xa_import_report *r, const char *file, xa_problems *problems)
{
    static const char *const what[] = {"image(s) dropped: ", "annotation(s) dropped: ", ""};
    for (size_t i = 0; i < r->nreasons; i++)
        xa_problems_add(problems,
                        file,
                        0,
                        true,
                        "%" PRId64 " %s%s (%s)",
                        r->reasons[i].count,
                        what[r->reasons[i].what],
                        r->reasons[i].text,
                        r->reasons[i].examples[0] ? r->reasons[i].examples[0] : "");
}

xa_status xa_manifest_read_wsol(const xa_import_options *opt,
                                int64_t limit,
                                xa_manifest **out,
                                xa_problems *problems,
                                xa_err *err)
{
    xa_status st = XA_OK;
    xa_import_report made = {0};
    xa_problems own = {0};
    xa_problems *list = problems ? problems : &own;
    xa__draft d = {.opt = opt, .report = &made, .problems = list};
    const xa_manifest_options as_index = {.label_as = XA_LABEL_INDEX, .limit = limit};
    char *name = xa__join(opt->source, "wsol");
    char path[40];
    FILE *file = NULL;
    int fd = -1;
    draft_init(&d);
    if (!name)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (opt->format != XA_IMPORT_WSOL || opt->output)
        XA_FAIL(err, XA_INVALID, "only wsol metadata are read directly");
    XA_TRY(err, fill(&d, err));
    fd = memfd_create("manifest", MFD_CLOEXEC);
    file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        XA_FAIL(err, XA_IO, "no memory file for a manifest: %s", strerror(errno));
    XA_TRY(err, xa__draft_rows(&d, file, name, name, err));
    if (fflush(file) != 0)
        XA_FAIL(err, XA_IO, "no memory file for a manifest: %s", strerror(errno));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    XA_TRY(err, xa_manifest_read_as(path, name, &as_index, out, list, err));
    warn(&made, opt->source, list);
done:
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    free(name);
    xa__draft_fini(&d);
    xa_import_report_fini(&made);
    xa_problems_fini(&own);
    return st;
}
