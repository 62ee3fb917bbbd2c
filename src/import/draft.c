/* The draft of a manifest, to which importers add, and the counts of what they drop. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import_internal.h"
#include "xaudit/image.h"

enum { IMAGES_MAX = 50 * 1000 * 1000 };

void xa__drop(xa__draft *d, xa_import_what what, const char *reason, const char *fmt, ...)
{
    xa_import_report *r = d->report;
    xa_import_reason *x = NULL;
    for (size_t i = 0; i < r->nreasons && !x; i++)
        if (r->reasons[i].what == what && strcmp(r->reasons[i].text, reason) == 0)
            x = &r->reasons[i];
    if (!x) {
        if (xa_grow(&r->reasons, &r->cap, r->nreasons + 1, sizeof *r->reasons, NULL) != XA_OK)
            return; /* the importer's next allocation fails too, and is reported */
        x = &r->reasons[r->nreasons++];
        *x = (xa_import_reason){.what = what, .text = reason};
    }
    if (x->count < XA_IMPORT_EXAMPLES) {
        char text[256];
        char shown[XA_SHOWN];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        x->examples[x->count] = xa_strdup(xa_show(text, shown));
    }
    x->count++;
}

void xa__drop_odd(xa__draft *d, const xa__json_odd *odd)
{
    if (odd->count == 0)
        return;
    xa__drop(d,
             XA_IMPORT_NOTED,
             "NaN or Infinity in the JSON, which has no such numbers (taken as null)",
             "%" PRId64 " times; the first is %s at line %" PRId64 ", byte %" PRId64 ", %s",
             odd->count,
             odd->word,
             odd->line,
             odd->offset,
             odd->place);
}

void xa_import_report_fini(xa_import_report *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nreasons; i++)
        for (int k = 0; k < XA_IMPORT_EXAMPLES; k++)
            free(r->reasons[i].examples[k]);
    free(r->reasons);
    free(r->classes_file);
    *r = (xa_import_report){0};
}

xa_status xa__draft_text(xa__draft *d, const char *text, const char **out, xa_err *err)
{
    const char *copy = xa_arena_text(&d->arena, text, strlen(text));
    if (!copy)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the manifest's texts");
    *out = copy;
    return XA_OK;
}

/* ---- images ---- */

static const char *id_key(const void *arg, int64_t value)
{
    const xa__draft *d = arg;
    return d->images[value].id;
}

static const char *path_key(const void *arg, int64_t value)
{
    const xa__draft *d = arg;
    return d->images[value].path;
}

/* Reports a file under two ids, since it counts twice. */
static xa_status note_path(xa__draft *d, const xa__draft_image *im, xa_err *err)
{
    const int64_t other = xa_text_map_find(&d->paths, im->path, path_key, d);
    if (other < 0)
        return xa_text_map_add(&d->paths, im->path, (int64_t)d->nimages, err);
    if (strcmp(d->images[other].folder, im->folder) == 0)
        xa__drop(d,
                 XA_IMPORT_NOTED,
                 "one file under two ids: it counts twice",
                 "%s: %s and %s",
                 im->path,
                 d->images[other].id,
                 im->id);
    return XA_OK;
}

int64_t xa__draft_find(const xa__draft *d, const char *id)
{
    return xa_text_map_find(&d->ids, id, id_key, d);
}

/* Can the program open the image under this path? If not, the reason is counted. */
static bool check_path(xa__draft *d, const char *folder, const char *path, const char *file)
{
    if (path[0] == '\0') {
        xa__drop(d, XA_IMPORT_IMAGE, "no file name", "%s", folder);
        return false;
    }
    if (!xa_str_is_utf8(path, strlen(path))) {
        xa__drop(d, XA_IMPORT_IMAGE, "the name is not UTF-8", "%s", path);
        return false;
    }
    if (xa__path_leaves(path)) {
        if (!d->paths_free) {
            xa__drop(d, XA_IMPORT_IMAGE, "the path leaves the image folder", "%s", path);
            return false;
        }
        xa__drop(d, XA_IMPORT_NOTED, "the path leaves the table's folder (kept)", "%s", path);
    }
    struct stat info;
    if (lstat(file, &info) != 0) {
        xa__drop(d, XA_IMPORT_IMAGE, "no such file", "%s", file);
        return false;
    }
    if (S_ISLNK(info.st_mode) && !xa__path_leaves(path) && xa__links_out(folder, file))
        xa__drop(
            d, XA_IMPORT_NOTED, "a symbolic link leads out of the image folder (kept)", "%s", path);
    if (!S_ISREG(info.st_mode) && !xa__is_file(file)) {
        xa__drop(d, XA_IMPORT_IMAGE, "not a regular file", "%s", file);
        return false;
    }
    return true;
}

xa_status xa__draft_image_add(
    xa__draft *d, const char *folder, const char *path, const char *id, int64_t *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa__draft_image im = {0};
    const char *base = folder ? folder : "";
    const char *name = id && id[0] != '\0' ? id : path;
    char *above = NULL;
    if (d->paths_free && path[0] == '/') {
        const char *last = strrchr(path, '/') + 1;
        xa__drop(d, XA_IMPORT_NOTED, "the path leaves the table's folder (kept)", "%s", path);
        above = xa_strndup(path, (size_t)(last - path));
        if (!above)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
        base = above;
        path = last;
    }
    char *file = xa__join(base, path);
    *out = -1;
    if (!file)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (!check_path(d, base, path, file))
        goto done;
    if (!xa_str_is_utf8(name, strlen(name))) {
        xa__drop(d, XA_IMPORT_IMAGE, "the id is not UTF-8", "%s", name);
        goto done;
    }
    if (xa__draft_find(d, name) >= 0) {
        xa__drop(d, XA_IMPORT_IMAGE, "the id is taken by an earlier image", "%s", name);
        goto done;
    }
    if (d->nimages >= IMAGES_MAX)
        XA_FAIL(err, XA_LIMIT, "at most %d images are accepted", (int)IMAGES_MAX);
    XA_TRY(err, xa__draft_text(d, path, &im.path, err));
    im.id = im.path;
    if (name != path)
        XA_TRY(err, xa__draft_text(d, name, &im.id, err));
    /* There are few folders, and mostly it is that of the last image. */
    if (d->nimages > 0 && strcmp(d->images[d->nimages - 1].folder, base) == 0)
        im.folder = d->images[d->nimages - 1].folder;
    else
        XA_TRY(err, xa__draft_text(d, base, &im.folder, err));
    if (d->nextra > 0) {
        im.extra = xa_arena_take(&d->arena, (size_t)d->nextra, sizeof *im.extra);
        if (!im.extra)
            XA_FAIL(err, XA_NOMEM, "out of memory for further columns");
        memset(im.extra, 0, (size_t)d->nextra * sizeof *im.extra);
    }
    XA_TRY(err, xa_grow(&d->images, &d->images_cap, d->nimages + 1, sizeof *d->images, err));
    d->images[d->nimages] = im;
    if (im.id != im.path)
        XA_TRY(err, note_path(d, &im, err));
    XA_TRY(err, xa_text_map_add(&d->ids, im.id, (int64_t)d->nimages, err));
    *out = (int64_t)d->nimages++;
done:
    free(above);
    free(file);
    return st;
}

xa_status
xa__draft_found_add(xa__draft *d, const char *path, const char *id, int64_t *out, xa_err *err)
{
    *out = -1;
    if (!path) {
        xa__drop(d, XA_IMPORT_IMAGE, "no such file", "%s in %s", id, d->opt->images);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__draft_image_add(d, d->opt->images, path, id, out, err));
    if (*out >= 0)
        d->images[*out].split = d->opt->split;
    return XA_OK;
}

/* Reads the header at the first call; orientation may be NULL. */
static bool read_header(xa__draft *d, xa__draft_image *im, int *orientation)
{
    xa_image header = {0};
    xa_err why = XA_ERR_INIT;
    if (im->found_width != 0)
        return im->found_width > 0;
    im->found_width = im->found_height = -1; /* it was tried */
    d->probed++;
    char *file = xa__join(im->folder, im->path);
    if (file && xa_image_probe(file, NULL, &header, &why) == XA_OK) {
        im->found_width = header.width;
        im->found_height = header.height;
        if (orientation)
            *orientation = header.orientation;
    } else {
        xa__drop(d, XA_IMPORT_NOTED, "the image's header cannot be read", "%s", why.message);
    }
    free(file);
    return im->found_width > 0;
}

bool xa__draft_size(xa__draft *d, int64_t image)
{
    xa__draft_image *im = &d->images[image];
    if (im->width <= 0 && read_header(d, im, NULL)) {
        im->width = im->found_width;
        im->height = im->found_height;
    }
    return im->width > 0;
}

bool xa__draft_found(xa__draft *d, int64_t image, int64_t *width, int64_t *height)
{
    xa__draft_image *im = &d->images[image];
    if (!read_header(d, im, NULL))
        return false;
    *width = im->found_width;
    *height = im->found_height;
    return true;
}

static const char *frame_reason(xa_annotation_problem p)
{
    switch (p) {
    case XA_ANNOTATION_FRAME_TURNED:
        return "the declared size is that before the EXIF orientation: boxes are not scored";
    case XA_ANNOTATION_FRAME_SWAPPED:
        return "the declared size has the sides of the image swapped: boxes are not scored";
    case XA_ANNOTATION_FRAME_SCALED:
        return "the declared size is a multiple of the image's: boxes are scored with `frame: "
               "rescale` in the job, else not";
    default:
        return "the declared size is not the image's: boxes are not scored";
    }
}

void xa__draft_declare(xa__draft *d, int64_t image, int64_t width, int64_t height)
{
    xa__draft_image *im = &d->images[image];
    int orientation = 1;
    if (width < 1 || height < 1 || width > INT32_MAX || height > INT32_MAX)
        return;
    im->width = width;
    im->height = height;
    im->declared = true;
    if (!read_header(d, im, &orientation))
        return;
    const xa_sample s = {.width = (int32_t)width, .height = (int32_t)height};
    const xa_frame f = {
        .width = im->found_width, .height = im->found_height, .orientation = orientation};
    const xa_annotation_problem p = xa_sample_frame(&s, &f);
    if (p != XA_ANNOTATION_NONE)
        xa__drop(d,
                 XA_IMPORT_NOTED,
                 frame_reason(p),
                 "%s: %" PRId64 "x%" PRId64 " declared, %" PRId64 "x%" PRId64 " found",
                 im->path,
                 width,
                 height,
                 im->found_width,
                 im->found_height);
}

/* ---- labels and annotations ---- */

xa_status xa__draft_label_add(xa__draft *d, int64_t image, int32_t class_index, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&d->labels, &d->labels_cap, d->nlabels + 1, sizeof *d->labels, err));
    d->labels[d->nlabels++] = (xa__draft_label){image, class_index};
    return XA_OK;
}

xa_status xa__draft_note_add(xa__draft *d, const xa__draft_note *note, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&d->notes, &d->notes_cap, d->nnotes + 1, sizeof *d->notes, err));
    d->notes[d->nnotes++] = *note;
    return XA_OK;
}

void xa__draft_fini(xa__draft *d)
{
    free(d->images);
    free(d->notes);
    free(d->labels);
    free(d->classes);
    xa_text_map_fini(&d->ids);
    xa_text_map_fini(&d->paths);
    xa_text_map_fini(&d->class_map);
    xa_arena_fini(&d->arena);
}
