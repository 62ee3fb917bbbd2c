/* The draft of a manifest: what importers add to, and where everything dropped is counted. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import_internal.h"
#include "xaudit/image.h"

enum { IMAGES_MAX = 50 * 1000 * 1000, CLASSES_MAX = 10 * 1000 * 1000 };

void xa__drop(xa__draft *d, xa_import_what what, const char *reason, const char *fmt, ...)
{
    xa_import_report *r = d->report;
    xa_import_reason *x = NULL;
    for (size_t i = 0; i < r->nreasons && !x; i++)
        if (r->reasons[i].what == what && strcmp(r->reasons[i].text, reason) == 0)
            x = &r->reasons[i];
    if (!x) {
        if (xa_grow(&r->reasons, &r->cap, r->nreasons + 1, sizeof *r->reasons, NULL) != XA_OK)
            return; /* the next allocation of the importer fails and is told */
        x = &r->reasons[r->nreasons++];
        *x = (xa_import_reason){.what = what, .text = reason};
    }
    if (x->count < XA_IMPORT_EXAMPLES) {
        char text[256];
        char shown[XA__SHOWN];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        x->examples[x->count] = xa_strdup(xa__show(text, shown));
    }
    x->count++;
}

void xa__drop_odd(xa__draft *d, const xa__json_odd *odd)
{
    if (odd->count == 0)
        return;
    xa__drop(d,
             XA_IMPORT_TOLD,
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
    const char *copy = xa__arena_text(&d->arena, text, strlen(text));
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

/* One file under two ids would count twice. */
static xa_status note_path(xa__draft *d, const xa__draft_image *im, xa_err *err)
{
    const int64_t other = xa__map_find(&d->paths, im->path, path_key, d);
    if (other < 0)
        return xa__map_add(&d->paths, im->path, (int64_t)d->nimages, err);
    if (strcmp(d->images[other].folder, im->folder) == 0)
        xa__drop(d,
                 XA_IMPORT_TOLD,
                 "one file under two ids: it counts twice",
                 "%s: %s and %s",
                 im->path,
                 d->images[other].id,
                 im->id);
    return XA_OK;
}

int64_t xa__draft_find(const xa__draft *d, const char *id)
{
    return xa__map_find(&d->ids, id, id_key, d);
}

/* Whether the program could open the image under this path; tells why not. */
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
        xa__drop(d, XA_IMPORT_TOLD, "the path leaves the table's folder (kept)", "%s", path);
    }
    struct stat info;
    if (lstat(file, &info) != 0) {
        xa__drop(d, XA_IMPORT_IMAGE, "no such file", "%s", file);
        return false;
    }
    if (S_ISLNK(info.st_mode) && !xa__path_leaves(path) && xa__links_out(folder, file))
        xa__drop(
            d, XA_IMPORT_TOLD, "a symbolic link leads out of the image folder (kept)", "%s", path);
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
        xa__drop(d, XA_IMPORT_TOLD, "the path leaves the table's folder (kept)", "%s", path);
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
    /* Folders are few: the last image's is mostly the same. */
    if (d->nimages > 0 && strcmp(d->images[d->nimages - 1].folder, base) == 0)
        im.folder = d->images[d->nimages - 1].folder;
    else
        XA_TRY(err, xa__draft_text(d, base, &im.folder, err));
    if (d->nextra > 0) {
        im.extra = xa__arena_take(&d->arena, (size_t)d->nextra, sizeof *im.extra);
        if (!im.extra)
            XA_FAIL(err, XA_NOMEM, "out of memory for further columns");
        memset(im.extra, 0, (size_t)d->nextra * sizeof *im.extra);
    }
    XA_TRY(err, xa_grow(&d->images, &d->images_cap, d->nimages + 1, sizeof *d->images, err));
    d->images[d->nimages] = im;
    if (im.id != im.path)
        XA_TRY(err, note_path(d, &im, err));
    XA_TRY(err, xa__map_add(&d->ids, im.id, (int64_t)d->nimages, err));
    *out = (int64_t)d->nimages++;
done:
    free(above);
    free(file);
    return st;
}

/* Reads the header once. *orientation may be NULL. */
static bool read_header(xa__draft *d, xa__draft_image *im, int *orientation)
{
    xa_image header = {0};
    xa_err why = XA_ERR_INIT;
    if (im->found_width != 0)
        return im->found_width > 0;
    im->found_width = im->found_height = -1; /* tried */
    d->probed++;
    char *file = xa__join(im->folder, im->path);
    if (file && xa_image_probe(file, NULL, &header, &why) == XA_OK) {
        im->found_width = header.width;
        im->found_height = header.height;
        if (orientation)
            *orientation = header.orientation;
    } else {
        xa__drop(d, XA_IMPORT_TOLD, "the image's header cannot be read", "%s", why.message);
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
                 XA_IMPORT_TOLD,
                 frame_reason(p),
                 "%s: %" PRId64 "x%" PRId64 " declared, %" PRId64 "x%" PRId64 " found",
                 im->path,
                 width,
                 height,
                 im->found_width,
                 im->found_height);
}

/* ---- classes ---- */

static const char *class_key(const void *arg, int64_t value)
{
    const xa__draft *d = arg;
    return d->classes[value];
}

static xa_status add_class(xa__draft *d, const char *name, int32_t *out, xa_err *err)
{
    const char *copy = NULL;
    if (d->nclasses >= CLASSES_MAX)
        XA_RETURN_FAIL(err, XA_LIMIT, "at most %d classes are accepted", (int)CLASSES_MAX);
    XA_RETURN_TRY(err, xa__draft_text(d, name, &copy, err));
    XA_RETURN_TRY(err,
                  xa_grow(&d->classes, &d->classes_cap, d->nclasses + 1, sizeof *d->classes, err));
    d->classes[d->nclasses] = (char *)copy;
    XA_RETURN_TRY(err, xa__map_add(&d->class_map, copy, (int64_t)d->nclasses, err));
    *out = (int32_t)d->nclasses++;
    return XA_OK;
}

/* What a list of class names cannot hold. */
static bool name_fits(const char *name)
{
    const size_t n = strlen(name);
    if (n == 0 || n > 1000 || !xa_str_is_utf8(name, n) || name[0] == ' ' || name[n - 1] == ' ')
        return false;
    if (strncmp(name, "\xef\xbb\xbf", 3) == 0)
        return false; /* on the first line it would be the file's own mark */
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '|')
            return false;
    return true;
}

xa_status
xa__draft_class(xa__draft *d, const char *name, xa_import_what what, int32_t *out, xa_err *err)
{
    int64_t index = -1;
    *out = -1;
    if (d->indices) {
        if (name[0] >= '0' && name[0] <= '9' && xa_parse_i64(name, &index) && index < INT32_MAX)
            *out = (int32_t)index;
        else
            xa__drop(d, what, "the class is no index from 0", "%s", name);
        return XA_OK;
    }
    index = xa__map_find(&d->class_map, name, class_key, d);
    if (index >= 0)
        *out = (int32_t)index;
    else if (d->classes_fixed)
        xa__drop(d, what, "the class is not in --classes", "%s", name);
    else if (!name_fits(name))
        xa__drop(d,
                 what,
                 "not a class name ('|', control or byte-order mark, outer blanks, or not UTF-8)",
                 "%s",
                 name);
    else
        XA_RETURN_TRY(err, add_class(d, name, out, err));
    return XA_OK;
}

xa_status xa__draft_classes_init(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    xa_classes list = {0};
    if (!d->opt->classes)
        return XA_OK;
    XA_TRY(err, xa_classes_read(d->opt->classes, &list, err));
    for (int64_t i = 0; i < list.count; i++) {
        int32_t index = 0;
        /* Synset lists: "n01440764 tench, Tinca tinca". */
        if (d->opt->format == XA_IMPORT_IMAGENET)
            list.names[i][strcspn(list.names[i], " \t,")] = '\0';
        if (xa__map_find(&d->class_map, list.names[i], class_key, d) >= 0)
            XA_FAIL(err, XA_INVALID, "%s: %s is there twice", d->opt->classes, list.names[i]);
        XA_TRY(err, add_class(d, list.names[i], &index, err));
    }
    d->classes_fixed = true;
    d->classes_rewritten = d->opt->format == XA_IMPORT_IMAGENET;
done:
    xa_classes_fini(&list);
    return st;
}

xa_status xa__draft_label_add(xa__draft *d, int64_t image, int32_t class_index, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&d->labels, &d->labels_cap, d->nlabels + 1, sizeof *d->labels, err));
    d->labels[d->nlabels++] = (xa__draft_label){image, class_index};
    return XA_OK;
}

typedef struct named {
    const char *name;
    int32_t from;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

xa_status xa__draft_sort_classes(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    named *order = NULL;
    int32_t *to = NULL;
    if (d->classes_fixed || d->indices || !d->classes_sorted || d->nclasses < 2)
        return XA_OK; /* indices stand for themselves */
    order = xa_alloc(d->nclasses, sizeof *order);
    to = xa_alloc(d->nclasses, sizeof *to);
    if (!order || !to)
        XA_FAIL(err, XA_NOMEM, "out of memory for %zu classes", d->nclasses);
    for (size_t i = 0; i < d->nclasses; i++)
        order[i] = (named){d->classes[i], (int32_t)i};
    qsort(order, d->nclasses, sizeof *order, by_name);
    xa__map_fini(&d->class_map);
    xa__map_init(&d->class_map);
    for (size_t i = 0; i < d->nclasses; i++) {
        to[order[i].from] = (int32_t)i;
        d->classes[i] = (char *)order[i].name;
        XA_TRY(err, xa__map_add(&d->class_map, order[i].name, (int64_t)i, err));
    }
    for (size_t i = 0; i < d->nnotes; i++)
        if (d->notes[i].class_index >= 0)
            d->notes[i].class_index = to[d->notes[i].class_index];
    for (size_t i = 0; i < d->nlabels; i++)
        d->labels[i].class_index = to[d->labels[i].class_index];
done:
    free(order);
    free(to);
    return st;
}

/* ---- annotations ---- */

xa_status xa__draft_note_add(xa__draft *d, const xa__draft_note *note, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&d->notes, &d->notes_cap, d->nnotes + 1, sizeof *d->notes, err));
    d->notes[d->nnotes++] = *note;
    return XA_OK;
}

/* To half-open pixel coordinates. */
static void convert(double b[4], xa_box_convention from, const xa__draft_image *im)
{
    if (from == XA_BOX_INCLUSIVE || from == XA_BOX_ONE_BASED) {
        const double shift = from == XA_BOX_ONE_BASED ? 1.0 : 0.0;
        b[0] -= shift;
        b[1] -= shift;
        b[2] += 1.0 - shift;
        b[3] += 1.0 - shift;
    } else if (from == XA_BOX_NORMALISED) {
        b[0] *= (double)im->width;
        b[1] *= (double)im->height;
        b[2] *= (double)im->width;
        b[3] *= (double)im->height;
    }
}

xa_status xa__draft_box(xa__draft *d,
                        int64_t image,
                        int32_t class_index,
                        uint8_t flags,
                        const double box[4],
                        xa_box_convention from,
                        xa_err *err)
{
    xa__draft_image *im = &d->images[image];
    xa__draft_note n = {.image = image,
                        .class_index = class_index,
                        .mask_value = XA_MASK_ANY,
                        .kind = XA_ANNOTATION_BOX,
                        .flags = flags};
    memcpy(n.box, box, sizeof n.box);
    if (from == XA_BOX_NORMALISED && im->width <= 0) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "fractions of an image of unknown size", "%s", im->id);
        return XA_OK;
    }
    convert(n.box, from, im);
    if (from == XA_BOX_NORMALISED)
        im->declared = true; /* pixels of this size, whatever a job does with the orientation */
    if (!(n.box[2] > n.box[0] && n.box[3] > n.box[1])) {
        xa__drop(d,
                 XA_IMPORT_ANNOTATION,
                 "the box is empty or inverted",
                 "%s: %g,%g,%g,%g",
                 im->id,
                 box[0],
                 box[1],
                 box[2],
                 box[3]);
        return XA_OK;
    }
    const bool sized = im->width > 0;
    if (from != XA_BOX_NORMALISED && box[0] >= 0.0 && box[1] >= 0.0 && box[2] <= 1.0 &&
        box[3] <= 1.0)
        xa__drop(d,
                 XA_IMPORT_TOLD,
                 "no coordinate of the box is above 1, as in fractions of the image: it is not "
                 "scored (csv: --box-convention normalised)",
                 "%s: %g,%g,%g,%g",
                 im->id,
                 box[0],
                 box[1],
                 box[2],
                 box[3]);
    const double right = sized ? (double)im->width : 1e9;
    const double bottom = sized ? (double)im->height : 1e9;
    if (n.box[2] <= 0.0 || n.box[3] <= 0.0 || n.box[0] >= right || n.box[1] >= bottom) {
        xa__drop(d,
                 XA_IMPORT_ANNOTATION,
                 "the box lies outside the image",
                 "%s: %g,%g,%g,%g",
                 im->id,
                 box[0],
                 box[1],
                 box[2],
                 box[3]);
        return XA_OK;
    }
    if (n.box[0] < 0.0 || n.box[1] < 0.0 || n.box[2] > right || n.box[3] > bottom) {
        xa__drop(d,
                 XA_IMPORT_TOLD,
                 "the box reaches beyond the image (clipped)",
                 "%s: %g,%g,%g,%g",
                 im->id,
                 box[0],
                 box[1],
                 box[2],
                 box[3]);
        n.box[0] = n.box[0] < 0.0 ? 0.0 : n.box[0];
        n.box[1] = n.box[1] < 0.0 ? 0.0 : n.box[1];
        n.box[2] = n.box[2] > right ? right : n.box[2];
        n.box[3] = n.box[3] > bottom ? bottom : n.box[3];
    }
    return xa__draft_note_add(d, &n, err);
}

void xa__draft_fini(xa__draft *d)
{
    free(d->images);
    free(d->notes);
    free(d->labels);
    free(d->classes);
    xa__map_fini(&d->ids);
    xa__map_fini(&d->paths);
    xa__map_fini(&d->class_map);
    xa__arena_fini(&d->arena);
}
