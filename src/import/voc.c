/* Pascal VOC: ROOT/Annotations/ID.xml, ROOT/ImageSets/{Main,Segmentation}/SPLIT.txt,
 * ROOT/JPEGImages/ID.jpg and, for masks, ROOT/SegmentationClass/ID.png: a palette image whose index
 * is the class (0 background, 255 void, which becomes the ignore mask). */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"
#include "xaudit/image.h"

static const char *const twenty[] = {"aeroplane",   "bicycle", "bird",  "boat",      "bottle",
                                     "bus",         "car",     "cat",   "chair",     "cow",
                                     "diningtable", "dog",     "horse", "motorbike", "person",
                                     "pottedplant", "sheep",   "sofa",  "train",     "tvmonitor"};
enum { VOID_LABEL = 255 };

typedef struct import {
    xa__draft *d;
    xa__voc voc;
    char *images; /* folder */
    xa_str path;
    xa__finder finder;
    bool searched; /* the finder is initialised */
} import;

static xa_status make_path(import *im, xa_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static xa_status make_path(import *im, xa_err *err, const char *fmt, ...)
{
    va_list ap;
    im->path.len = 0;
    va_start(ap, fmt);
    xa_str_vprintf(&im->path, fmt, ap);
    va_end(ap);
    if (im->path.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    return XA_OK;
}

static xa_status add_boxes(import *im, int64_t image, xa_err *err)
{
    for (size_t i = 0; i < im->voc.count; i++) {
        const xa__voc_object *o = &im->voc.objects[i];
        int32_t index = -1;
        if (o->bad) {
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     o->bad,
                     "%s: object %zu%s%s",
                     im->d->images[image].id,
                     i + 1,
                     o->name[0] != '\0' ? ", " : "",
                     o->name);
            continue;
        }
        if (o->name[0] == '\0') {
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     "an object without a name",
                     "%s: object %zu",
                     im->d->images[image].id,
                     i + 1);
            continue;
        }
        XA_RETURN_TRY(err, xa__draft_class(im->d, o->name, XA_IMPORT_ANNOTATION, &index, err));
        if (index < 0)
            continue;
        XA_RETURN_TRY(err, xa__draft_label_add(im->d, image, index, err));
        if (im->d->opt->as_masks)
            continue;
        if (!o->has_box)
            xa__drop(
                im->d, XA_IMPORT_ANNOTATION, "an object without a box", "%s", im->voc.filename);
        else
            XA_RETURN_TRY(
                err, xa__draft_box(im->d, image, index, o->flags, o->box, XA_BOX_ONE_BASED, err));
    }
    return XA_OK;
}

/* Adds one mask per class that the palette image has, with the void pixels as its ignore mask. */
static xa_status add_masks(import *im, int64_t image, const char *id, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image labels = {0};
    xa_err why = XA_ERR_INIT;
    bool found[256] = {false};
    char *ignore = NULL;
    xa__draft *d = im->d;
    XA_TRY(err, make_path(im, err, "%s/SegmentationClass/%s.png", d->opt->source, id));
    if (!xa__is_file(im->path.data)) {
        xa__drop(d, XA_IMPORT_NOTED, "an image without a SegmentationClass mask", "%s", id);
        goto done;
    }
    if (xa_image_read_labels(im->path.data, NULL, &labels, &why) != XA_OK) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask cannot be read", "%s", why.message);
        goto done;
    }
    int64_t width, height;
    if (labels.type != XA_PIXEL_U8 || strcmp(labels.colour, "rgb") == 0) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask has no 8-bit class numbers", "%s", id);
        goto done;
    }
    if (xa__draft_found(d, image, &width, &height) &&
        (width != labels.width || height != labels.height)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask is not of the image's size", "%s", id);
        goto done;
    }
    const uint8_t *p = labels.data;
    for (int64_t i = 0; i < labels.width * labels.height; i++)
        found[p[i]] = true;
    if (found[VOID_LABEL]) {
        ignore = xa_strfmt("%s#%d", im->path.data, (int)VOID_LABEL);
        if (!ignore)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    }
    for (int v = 1; v < VOID_LABEL; v++) {
        if (!found[v])
            continue;
        if ((size_t)v > d->nclasses) {
            xa__drop(d, XA_IMPORT_ANNOTATION, "no class has that number", "%s: %d", id, v);
            continue;
        }
        XA_TRY(err, xa__draft_label_add(d, image, v - 1, err));
        XA_TRY(err, xa__draft_mask(d, image, v - 1, 0, im->path.data, v, ignore, err));
    }
done:
    xa_image_fini(&labels);
    free(ignore);
    return st;
}

/* Does the image folder have such a file? im->path becomes its path. */
static xa_status try_image(import *im, const char *name, bool *there, xa_err *err)
{
    *there = false;
    if (name[0] == '\0' || xa__path_leaves(name))
        return XA_OK;
    XA_RETURN_TRY(
        err,
        make_path(im, err, "%s%s%s", im->images, xa_str_ends(im->images, "/") ? "" : "/", name));
    *there = xa__is_file(im->path.data);
    return *there ? make_path(im, err, "%s", name) : XA_OK;
}

/* Sets im->path to the image of an annotation file: the file in <filename>, or the last part of
 * that, or the annotation file's own name with any ending; else ID.jpg, which is then counted as
 * missing. */
static xa_status find_image(import *im, const char *id, const char *filename, xa_err *err)
{
    bool there = false;
    const char *last = filename;
    for (const char *p = filename; *p != '\0'; p++)
        if (*p == '/' || *p == '\\')
            last = p + 1;
    const char *const names[] = {filename, last};
    for (int i = 0; i < 2 && !there; i++) {
        XA_RETURN_TRY(err, try_image(im, names[i], &there, err));
        const char *dot = strrchr(names[i], '.');
        const size_t stem = dot ? (size_t)(dot - names[i]) : strlen(names[i]);
        if (there && (strlen(id) != stem || strncmp(id, names[i], stem) != 0) && i == 0)
            xa__drop(
                im->d,
                XA_IMPORT_NOTED,
                "<filename> names another image than the annotation file's name does; it is taken",
                "%s: %s",
                id,
                names[i]);
    }
    if (there)
        return XA_OK;
    if (!im->searched)
        XA_RETURN_TRY(err, xa__finder_init(&im->finder, im->images, err));
    im->searched = true;
    const char *found = xa__finder_find(&im->finder, id);
    return found ? make_path(im, err, "%s", found) : make_path(im, err, "%s.jpg", id);
}

static xa_status take_id(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    xa__draft *d = im->d;
    xa_err why = XA_ERR_INIT;
    int64_t image = -1;
    (void)number;
    line[strcspn(line, " \t")] = '\0'; /* in the list of one class, -1, 0 or 1 follows */
    const char *id = line;
    if (xa__path_leaves(id)) {
        xa__drop(d, XA_IMPORT_IMAGE, "the path leaves the image folder", "%s", id);
        return XA_OK;
    }
    XA_RETURN_TRY(err, make_path(im, err, "%s/Annotations/%s.xml", d->opt->source, id));
    const bool annotated = xa__is_file(im->path.data);
    if (annotated && xa__voc_read(im->path.data, &im->voc, &why) != XA_OK) {
        if (why.code == XA_NOMEM)
            XA_RETURN_FAIL(err, XA_NOMEM, "%s", why.message);
        xa__drop(d, XA_IMPORT_IMAGE, "the annotation file cannot be read", "%s", why.message);
        return XA_OK;
    }
    XA_RETURN_TRY(err, find_image(im, id, annotated ? im->voc.filename : "", err));
    XA_RETURN_TRY(err, xa__draft_image_add(d, im->images, im->path.data, id, &image, err));
    if (image < 0)
        return XA_OK;
    if (annotated && im->voc.bad_size)
        xa__drop(
            d, XA_IMPORT_NOTED, "a size that is not two numbers (taken as not said)", "%s", id);
    d->images[image].split = d->opt->split;
    if (annotated) {
        xa__draft_declare(d, image, im->voc.width, im->voc.height);
        XA_RETURN_TRY(err, add_boxes(im, image, err));
    } else if (!d->opt->as_masks) {
        xa__drop(d, XA_IMPORT_NOTED, "an image without an annotation file", "%s", id);
    }
    if (d->opt->as_masks)
        XA_RETURN_TRY(err, add_masks(im, image, id, err));
    return XA_OK;
}

/* Without a split, takes every annotation file, by name. */
static xa_status take_all(import *im, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names names = {0};
    const bool masks = im->d->opt->as_masks;
    const char *end = masks ? ".png" : ".xml";
    XA_TRY(err,
           make_path(
               im, err, "%s/%s", im->d->opt->source, masks ? "SegmentationClass" : "Annotations"));
    XA_TRY(err, xa__folder_list(im->path.data, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (!xa_str_ends(names.item[i], end)) {
            xa__drop(im->d, XA_IMPORT_NOTED, "not an annotation file", "%s", names.item[i]);
            continue;
        }
        names.item[i][strlen(names.item[i]) - 4] = '\0';
        XA_TRY(err, take_id(im, names.item[i], 0, err));
    }
done:
    xa_names_free(&names);
    return st;
}

xa_status xa__import_voc(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
import im = {.d = d };
    im.images = d->opt->images ? xa_strdup(d->opt->images) : xa__join(d->opt->source, "JPEGImages");
    if (!im.images)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    /* A mask's numbers are places in the list of the twenty classes, so that all are added. */
    if (!d->classes_fixed) {
        int32_t index;
        for (size_t i = 0; i < sizeof twenty / sizeof *twenty; i++)
            XA_TRY(err, xa__draft_class(d, twenty[i], XA_IMPORT_NOTED, &index, err));
        d->classes_fixed = false;
    }
    if (!d->opt->split) {
        XA_TRY(err, take_all(&im, err));
    } else {
        char *list = xa_strfmt("%s/ImageSets/%s/%s.txt",
                               d->opt->source,
                               d->opt->as_masks ? "Segmentation" : "Main",
                               d->opt->split);
        if (!list)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        st = xa__lines_read(list, take_id, &im, err);
        free(list);
        XA_TRY(err, st);
    }
    if (!d->opt->as_masks && !d->opt->classes && d->nclasses > sizeof twenty / sizeof *twenty)
        xa__drop(d,
                 XA_IMPORT_NOTED,
                 "names besides VOC's twenty follow them in the list of classes: --classes sets it",
                 "%s",
                 d->classes[sizeof twenty / sizeof *twenty]);
done:
    xa__voc_fini(&im.voc);
    if (im.searched)
        xa__finder_fini(&im.finder);
    xa_str_free(&im.path);
    free(im.images);
    return st;
}
