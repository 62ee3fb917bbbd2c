/* COCO, after the file was read: from ids to images and classes; boxes, and masks drawn image by
 * image. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coco.h"

static int by_category_id(const void *a, const void *b)
{
    const int64_t x = ((const xa__coco_category *)a)->id;
    const int64_t y = ((const xa__coco_category *)b)->id;
    return (x > y) - (x < y);
}

xa_status xa__coco_name_classes(xa__coco *im, xa_err *err)
{
    if (im->nnames > 0)
        qsort(im->names, im->nnames, sizeof *im->names, by_category_id);
    for (size_t i = 0; i < im->nnames; i++) {
        const xa__coco_category *c = &im->names[i];
        const size_t before = im->d->nclasses;
        int32_t index = -1;
        if (i > 0 && c->id == im->names[i - 1].id) {
            xa__drop(im->d, XA_IMPORT_NOTED, "an earlier category has the same id", "%s", c->name);
            continue;
        }
        XA_RETURN_TRY(err, xa__draft_class(im->d, c->name, XA_IMPORT_NOTED, &index, err));
        if (index >= 0 && !im->d->classes_fixed && im->d->nclasses == before)
            xa__drop(
                im->d, XA_IMPORT_NOTED, "two categories of one name become one", "%s", c->name);
        im->categories.to[c->slot] = index >= 0 ? index : -2;
    }
    return XA_OK;
}

/* The image of an annotation; -1 if it has no image or class, which is counted. */
static int64_t image_of(xa__coco *im, const xa__coco_annotation *a)
{
    const char *id = im->images.text[a->image];
    const int64_t image = im->images.to[a->image];
    const int64_t class_index = im->categories.to[a->category];
    if (image == -1)
        xa__drop(im->d, XA_IMPORT_ANNOTATION, "its image is not in the file", "image %s", id);
    else if (image == -2)
        xa__drop(im->d, XA_IMPORT_ANNOTATION, "its image was dropped", "image %s", id);
    else if (class_index == -1)
        xa__drop(im->d,
                 XA_IMPORT_ANNOTATION,
                 "its category is not in the file",
                 "image %s, category %s",
                 id,
                 im->categories.text[a->category]);
    else if (class_index == -2)
        xa__drop(im->d,
                 XA_IMPORT_ANNOTATION,
                 "its category is no class",
                 "image %s, category %s",
                 id,
                 im->categories.text[a->category]);
    else
        return image;
    return -1;
}

static xa_status add_box(xa__coco *im, const xa__coco_annotation *a, int64_t image, xa_err *err)
{
    const double box[4] = {a->box[0], a->box[1], a->box[0] + a->box[2], a->box[1] + a->box[3]};
    if (!a->has_box) {
        xa__drop(im->d,
                 XA_IMPORT_ANNOTATION,
                 "an annotation without a box of four numbers",
                 "image %s",
                 im->images.text[a->image]);
        return XA_OK;
    }
    return xa__draft_box(im->d,
                         image,
                         (int32_t)im->categories.to[a->category],
                         a->crowd ? XA_ANNOTATION_CROWD : 0,
                         box,
                         XA_BOX_HALF_OPEN,
                         err);
}

typedef struct canvas {
    uint8_t *mask, *toggle;
    size_t mask_cap, toggle_cap;
    char *bytes;
    size_t bytes_cap;
} canvas;

static xa_status load(xa__coco *im, const xa__coco_annotation *a, canvas *c, xa_err *err)
{
    size_t got = 0;
    XA_RETURN_TRY(err, xa_grow(&c->bytes, &c->bytes_cap, (size_t)a->spill_bytes, 1, err));
    while (got < a->spill_bytes) {
        const ssize_t n =
            pread(im->spill, c->bytes + got, a->spill_bytes - got, a->spill + (int64_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            XA_RETURN_FAIL(err, XA_IO, "a temporary file cannot be read: %s", strerror(errno));
        got += (size_t)n;
    }
    return XA_OK;
}

static xa_status
draw(xa__coco *im, xa__coco_annotation *a, canvas *c, const xa__draft_image *d, xa_err *err)
{
    XA_RETURN_TRY(err, load(im, a, c, err));
    xa__coco_spill_head head;
    memcpy(&head, c->bytes, sizeof head);
    const int64_t *counts = (const int64_t *)(void *)(c->bytes + sizeof head);
    if (head.shape == XA__COCO_RUNS) {
        if (head.width != d->width || head.height != d->height)
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     "run lengths of another size than their image",
                     "%s: %" PRId64 "x%" PRId64,
                     d->id,
                     head.width,
                     head.height);
        else if (!xa__raster_runs(counts, head.parts, d->width, d->height, c->mask))
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     "run lengths that do not add up to the image",
                     "%s",
                     d->id);
        else
            a->drawn = true;
        return XA_OK;
    }
    const double *points = (const double *)(const void *)(counts + head.parts);
    for (uint32_t i = 0; i < head.parts; points += counts[i++])
        xa__raster_polygon(points, counts[i] / 2, d->width, d->height, c->toggle, c->mask);
    a->drawn = true;
    return XA_OK;
}

static bool can_draw(xa__coco *im, int64_t image, xa_err *err, canvas *c, xa_status *st)
{
    const xa__draft_image *d = &im->d->images[image];
    int64_t pixels = 0;
    *st = XA_OK;
    if (!xa__draft_size(im->d, image) || !xa_i64_mul(d->width, d->height, &pixels) ||
        pixels > XA__RASTER_PIXELS_MAX) {
        xa__drop(im->d,
                 XA_IMPORT_ANNOTATION,
                 "its image's size is unknown or beyond 2^28 pixels",
                 "%s",
                 d->id);
        return false;
    }
    const size_t before = c->toggle_cap;
    *st = xa_grow(&c->mask, &c->mask_cap, (size_t)pixels, 1, err);
    if (*st == XA_OK)
        *st = xa_grow(&c->toggle, &c->toggle_cap, (size_t)d->height + 1, 1, err);
    if (*st == XA_OK) {
        memset(c->mask, 0, (size_t)pixels);
        if (c->toggle_cap > before)
            memset(c->toggle, 0, c->toggle_cap);
    }
    return *st == XA_OK;
}

typedef struct key {
    int64_t image;
    int32_t class_index;
    bool crowd;
    size_t at;
} key;

static int by_key(const void *a, const void *b)
{
    const key *x = a;
    const key *y = b;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    if (x->class_index != y->class_index)
        return x->class_index < y->class_index ? -1 : 1;
    if (x->crowd != y->crowd)
        return x->crowd ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

static bool same_mask(const key *a, const key *b)
{
    return a->image == b->image && a->class_index == b->class_index && a->crowd == b->crowd;
}

/* Writes one mask for all objects of a class in an image, and one for its crowds. */
static xa_status draw_masks(xa__coco *im, key *keys, size_t n, xa_err *err)
{
    xa_status st = XA_OK;
    canvas c = {0};
    size_t end = 0;
    if (n > 0)
        qsort(keys, n, sizeof *keys, by_key);
    for (size_t i = 0; i < n; i = end) {
        bool some = false;
        for (end = i; end < n && same_mask(&keys[i], &keys[end]); end++) {
        }
        const bool can = can_draw(im, keys[i].image, err, &c, &st);
        XA_TRY(err, st);
        for (size_t k = i; can && k < end; k++) {
            xa__coco_annotation *a = &im->annotations[keys[k].at];
            XA_TRY(err, draw(im, a, &c, &im->d->images[keys[k].image], err));
            some = some || a->drawn;
        }
        const xa__draft_image *d = &im->d->images[keys[i].image];
        if (some && !memchr(c.mask, 255, (size_t)(d->width * d->height)))
            xa__drop(im->d, XA_IMPORT_ANNOTATION, "no pixel lies in the shape", "%s", d->id);
        else if (some)
            XA_TRY(err,
                   xa__draft_mask_write(im->d,
                                        keys[i].image,
                                        keys[i].class_index,
                                        keys[i].crowd ? XA_ANNOTATION_CROWD : 0,
                                        c.mask,
                                        err));
    }
done:
    free(c.mask);
    free(c.toggle);
    free(c.bytes);
    return st;
}

static int by_pair(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    if (x[0] != y[0])
        return x[0] < y[0] ? -1 : 1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

/* LVIS: the category may have further objects in the image, without annotation. */
static void report_partial(xa__coco *im, const xa__coco_annotation *a, int64_t image)
{
    const int32_t pair[2] = {a->image, a->category};
    if (im->npartial > 0 && bsearch(pair, im->partial, im->npartial, sizeof pair, by_pair))
        xa__drop(im->d,
                 XA_IMPORT_NOTED,
                 "the category is not annotated exhaustively in the image: what is outside its "
                 "annotations may be the object too (kept)",
                 "%s, category %s",
                 im->d->images[image].id,
                 im->categories.text[a->category]);
}

xa_status xa__coco_add_annotations(xa__coco *im, xa_err *err)
{
    xa_status st = XA_OK;
    const bool masks = im->d->opt->as_masks;
    key *keys = masks ? xa_alloc(im->nannotations + 1, sizeof *keys) : NULL;
    size_t n = 0;
    if (masks && !keys)
        XA_FAIL(err, XA_NOMEM, "out of memory for %zu annotations", im->nannotations);
    if (im->npartial > 0)
        qsort(im->partial, im->npartial, sizeof *im->partial, by_pair);
    for (size_t i = 0; i < im->nannotations; i++) {
        const xa__coco_annotation *a = &im->annotations[i];
        const int64_t image = image_of(im, a);
        if (image < 0)
            continue;
        const int32_t class_index = (int32_t)im->categories.to[a->category];
        report_partial(im, a, image);
        XA_TRY(err, xa__draft_label_add(im->d, image, class_index, err));
        if (!masks)
            XA_TRY(err, add_box(im, a, image, err));
        else if (a->spill >= 0)
            keys[n++] = (key){image, class_index, a->crowd, i};
        else if (!a->faulty)
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     "an annotation without a usable segmentation",
                     "image %s",
                     im->images.text[a->image]);
    }
    if (masks)
        XA_TRY(err, draw_masks(im, keys, n, err));
done:
    free(keys);
    return st;
}
