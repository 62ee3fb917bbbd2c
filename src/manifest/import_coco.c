/* COCO: {"images": [..], "annotations": [..], "categories": [..]} in any order, streamed.
 *
 * Categories become classes by ascending id. Boxes are x, y, w, h. With masks, every segmentation
 * is spilled to an unlinked file while the JSON streams by, and afterwards drawn image by image and
 * class by class (crowds apart), so that memory holds 100 bytes an annotation and one image. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import_internal.h"

enum { NUMBERS_MAX = 1 << 21 }; /* of one segmentation */

typedef enum section { NO_SECTION, IMAGES, ANNOTATIONS, CATEGORIES } section;
typedef enum field {
    NO_FIELD,
    FILE_NAME,
    WIDTH,
    HEIGHT,
    IMAGE_ID,
    CATEGORY_ID,
    BBOX,
    SEGMENTATION,
    CROWD,
    NAME,
    SIZE,
    COUNTS
} field;

/* Ids, as text: those of images and of categories, on their first mention by either section. */
typedef struct id_list {
    char **text; /* in the arena */
    int64_t *to; /* what it means; -1: not yet known */
    size_t count, text_cap, to_cap;
    xa__map map;
} id_list;

typedef struct annotation {
    double box[4];
    int64_t spill;           /* place in the spill file; -1: no segmentation */
    int32_t image, category; /* places in the id lists */
    uint32_t spill_bytes;
    bool has_box, crowd;
    bool drawn, faulty; /* faulty: counted while it was read */
} annotation;

/* What a spilled segmentation begins with; the numbers follow. */
typedef enum shape { NO_SHAPE, POLYGONS, RUNS } shape;
typedef struct spill_head {
    int64_t height, width; /* RUNS: of the size it says; 0 when it says none */
    uint32_t shape, parts;
} spill_head;

typedef struct category {
    const char *name;
    int64_t id;
    int32_t slot; /* in categories */
} category;

typedef struct import {
    xa__draft *d;
    section section;
    field field, inner; /* of the entry, and of the segmentation within it */
    id_list images, categories;

    /* The entry being read. */
    xa_str file_name, name;
    int32_t image_id, category_id; /* places in the id lists, -1 */
    double width, height, box[4], crowd;
    int nbox;
    spill_head head;
    int64_t *lengths; /* of the polygons, in numbers */
    double *numbers;  /* polygons */
    int64_t *runs;
    size_t nlengths, nnumbers, nruns, lengths_cap, numbers_cap, runs_cap;
    int nsize;
    const char *bad; /* why the segmentation is of no use */

    annotation *annotations;
    size_t nannotations, annotations_cap;
    category *names;
    size_t nnames, names_cap;
    bool seen_images, seen_annotations;
    int spill;
    int64_t spilled;
} import;

/* ---- ids ---- */

static const char *id_key(const void *arg, int64_t value)
{
    return ((const id_list *)arg)->text[value];
}

static xa_status slot_of(import *im, id_list *l, const char *text, int32_t *out, xa_err *err)
{
    int64_t at = xa__map_find(&l->map, text, id_key, l);
    if (at < 0) {
        const char *copy = NULL;
        if (l->count >= INT32_MAX)
            XA_RETURN_FAIL(err, XA_LIMIT, "too many ids");
        XA_RETURN_TRY(err, xa__draft_text(im->d, text, &copy, err));
        XA_RETURN_TRY(err, xa_grow(&l->text, &l->text_cap, l->count + 1, sizeof *l->text, err));
        XA_RETURN_TRY(err, xa_grow(&l->to, &l->to_cap, l->count + 1, sizeof *l->to, err));
        l->text[l->count] = (char *)copy;
        l->to[l->count] = -1;
        XA_RETURN_TRY(err, xa__map_add(&l->map, copy, (int64_t)l->count, err));
        at = (int64_t)l->count++;
    }
    *out = (int32_t)at;
    return XA_OK;
}

/* 7, 7.0 and "7" are one id. */
static xa_status
slot_of_event(import *im, id_list *l, const xa__json_event *e, int32_t *out, xa_err *err)
{
    char text[32];
    if (e->kind == XA__JSON_NUMBER && e->number == (double)(int64_t)e->number && e->number < 9e15 &&
        e->number > -9e15) {
        snprintf(text, sizeof text, "%lld", (long long)e->number);
        return slot_of(im, l, text, out, err);
    }
    if (e->kind == XA__JSON_TEXT || e->kind == XA__JSON_NUMBER)
        return slot_of(im, l, e->text, out, err);
    return XA_OK; /* stays -1 */
}

/* ---- entries ---- */

static void begin_entry(import *im)
{
    im->file_name.len = im->name.len = 0;
    im->image_id = im->category_id = -1;
    im->width = im->height = im->crowd = 0.0;
    im->nbox = 0;
    im->head = (spill_head){0};
    im->nlengths = im->nnumbers = im->nruns = 0;
    im->nsize = 0;
    im->bad = NULL;
    im->field = im->inner = NO_FIELD;
}

static int64_t extent(double v)
{
    return v >= 1.0 && v <= 1e9 && v == (double)(int64_t)v ? (int64_t)v : 0;
}

static xa_status end_image(import *im, xa_err *err)
{
    xa__draft *d = im->d;
    int64_t image = -1;
    if (im->image_id < 0 || im->file_name.len == 0) {
        xa__drop(
            d, XA_IMPORT_IMAGE, "an image entry without id or file_name", "%s", im->file_name.data);
        return XA_OK;
    }
    if (im->images.to[im->image_id] >= 0) {
        xa__drop(d,
                 XA_IMPORT_IMAGE,
                 "the image id is taken by an earlier entry",
                 "%s: %s",
                 im->images.text[im->image_id],
                 im->file_name.data);
        return XA_OK;
    }
    XA_RETURN_TRY(
        err,
        xa__draft_image_add(
            d, d->opt->images, im->file_name.data, im->images.text[im->image_id], &image, err));
    im->images.to[im->image_id] = image >= 0 ? image : -2; /* known, and dropped */
    if (image >= 0) {
        d->images[image].split = d->opt->split;
        d->images[image].width = extent(im->width);
        d->images[image].height = extent(im->height);
        if (d->images[image].width == 0 || d->images[image].height == 0)
            d->images[image].width = d->images[image].height = 0;
    }
    return XA_OK;
}

static xa_status end_category(import *im, xa_err *err)
{
    category c = {.slot = im->category_id};
    if (im->category_id < 0 || im->name.len == 0 ||
        !xa_parse_i64(im->categories.text[im->category_id], &c.id)) {
        xa__drop(im->d,
                 XA_IMPORT_TOLD,
                 "a category without a whole-number id or a name",
                 "%s",
                 im->name.data != NULL ? im->name.data : "");
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__draft_text(im->d, im->name.data, &c.name, err));
    XA_RETURN_TRY(err, xa_grow(&im->names, &im->names_cap, im->nnames + 1, sizeof *im->names, err));
    im->names[im->nnames++] = c;
    return XA_OK;
}

static xa_status spill(import *im, const void *bytes, size_t size, xa_err *err)
{
    const char *p = bytes;
    while (size > 0) {
        const ssize_t n = write(im->spill, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            XA_RETURN_FAIL(err,
                           errno == ENOSPC ? XA_NOSPACE : XA_IO,
                           "a temporary file beside %s: cannot write: %s",
                           im->d->opt->output,
                           strerror(errno));
        p += n;
        size -= (size_t)n;
        im->spilled += n;
    }
    return XA_OK;
}

static const char *shape_fault(import *im)
{
    if (im->bad != NULL)
        return im->bad;
    if (im->head.shape == RUNS && (im->nsize != 2 || im->head.height < 1 || im->head.width < 1))
        return "run lengths without a size";
    for (size_t i = 0; im->head.shape == POLYGONS && i < im->nlengths; i++)
        if (im->lengths[i] < 6 || im->lengths[i] % 2 != 0)
            return "a polygon of fewer than three points, or of half a point";
    return NULL;
}

static xa_status spill_shape(import *im, annotation *a, xa_err *err)
{
    const int64_t start = im->spilled;
    const char *fault = shape_fault(im);
    if (fault == NULL &&
        (im->head.shape == NO_SHAPE || (im->head.shape == POLYGONS && im->nlengths == 0)))
        return XA_OK;
    if (fault != NULL) {
        a->faulty = true;
        xa__drop(im->d, XA_IMPORT_ANNOTATION, fault, "%s", im->images.text[a->image]);
        return XA_OK;
    }
    im->head.parts = (uint32_t)(im->head.shape == RUNS ? im->nruns : im->nlengths);
    XA_RETURN_TRY(err, spill(im, &im->head, sizeof im->head, err));
    if (im->head.shape == RUNS) {
        XA_RETURN_TRY(err, spill(im, im->runs, im->nruns * sizeof *im->runs, err));
    } else {
        XA_RETURN_TRY(err, spill(im, im->lengths, im->nlengths * sizeof *im->lengths, err));
        XA_RETURN_TRY(err, spill(im, im->numbers, im->nnumbers * sizeof *im->numbers, err));
    }
    a->spill = start;
    a->spill_bytes = (uint32_t)(im->spilled - start);
    return XA_OK;
}

static xa_status end_annotation(import *im, xa_err *err)
{
    annotation a = {.spill = -1,
                    .image = im->image_id,
                    .category = im->category_id,
                    .has_box = im->nbox == 4,
                    .crowd = im->crowd != 0.0};
    if (im->image_id < 0 || im->category_id < 0) {
        xa__drop(im->d,
                 XA_IMPORT_ANNOTATION,
                 "an annotation without image_id or category_id",
                 "annotation %zu",
                 im->nannotations);
        return XA_OK;
    }
    memcpy(a.box, im->box, sizeof a.box);
    if (im->d->opt->as_masks)
        XA_RETURN_TRY(err, spill_shape(im, &a, err));
    XA_RETURN_TRY(err,
                  xa_grow(&im->annotations,
                          &im->annotations_cap,
                          im->nannotations + 1,
                          sizeof *im->annotations,
                          err));
    im->annotations[im->nannotations++] = a;
    return XA_OK;
}

/* ---- the stream ---- */

static field field_of(const import *im, const char *key)
{
    static const struct {
        section section;
        const char *key;
        field field;
    } fields[] = {
        {IMAGES, "id", IMAGE_ID},
        {IMAGES, "file_name", FILE_NAME},
        {IMAGES, "width", WIDTH},
        {IMAGES, "height", HEIGHT},
        {ANNOTATIONS, "image_id", IMAGE_ID},
        {ANNOTATIONS, "category_id", CATEGORY_ID},
        {ANNOTATIONS, "bbox", BBOX},
        {ANNOTATIONS, "segmentation", SEGMENTATION},
        {ANNOTATIONS, "iscrowd", CROWD},
        {CATEGORIES, "id", CATEGORY_ID},
        {CATEGORIES, "name", NAME},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].section == im->section && strcmp(fields[i].key, key) == 0)
            return fields[i].field;
    return NO_FIELD;
}

static void copy_text(xa_str *s, const xa__json_event *e)
{
    s->len = 0;
    if (e->kind == XA__JSON_TEXT && strlen(e->text) == e->len)
        xa_str_add(s, e->text, e->len);
}

/* A value directly in an entry. */
static xa_status take_value(import *im, const xa__json_event *e, xa_err *err)
{
    switch (im->field) {
    case IMAGE_ID:
        return slot_of_event(im, &im->images, e, &im->image_id, err);
    case CATEGORY_ID:
        return slot_of_event(im, &im->categories, e, &im->category_id, err);
    case FILE_NAME:
        copy_text(&im->file_name, e);
        return XA_OK;
    case NAME:
        copy_text(&im->name, e);
        return XA_OK;
    case WIDTH:
        im->width = e->number;
        return XA_OK;
    case HEIGHT:
        im->height = e->number;
        return XA_OK;
    case CROWD:
        im->crowd = e->number;
        return XA_OK;
    default:
        return XA_OK;
    }
}

static xa_status take_polygon_number(import *im, double v, xa_err *err)
{
    if (v > 1e7 || v < -1e7)
        im->bad = "a polygon reaches farther than 1e7 pixels";
    if (im->nnumbers >= NUMBERS_MAX)
        im->bad = "a segmentation of more than 2 million numbers";
    if (im->bad != NULL)
        return XA_OK;
    XA_RETURN_TRY(
        err, xa_grow(&im->numbers, &im->numbers_cap, im->nnumbers + 1, sizeof *im->numbers, err));
    im->numbers[im->nnumbers++] = v;
    im->lengths[im->nlengths - 1]++;
    return XA_OK;
}

static xa_status take_run(import *im, double v, xa_err *err)
{
    if (!(v >= 0.0 && v <= 4e9 && v == (double)(int64_t)v))
        im->bad = "a run length is no whole number";
    if (im->nruns >= NUMBERS_MAX)
        im->bad = "a segmentation of more than 2 million numbers";
    if (im->bad != NULL)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&im->runs, &im->runs_cap, im->nruns + 1, sizeof *im->runs, err));
    im->runs[im->nruns++] = (int64_t)v;
    return XA_OK;
}

static xa_status take_compressed(import *im, const xa__json_event *e, xa_err *err)
{
    if (e->len > NUMBERS_MAX) {
        im->bad = "a segmentation of more than 2 million numbers";
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa_grow(&im->runs, &im->runs_cap, e->len + 1, sizeof *im->runs, err));
    if (!xa__runs_decode(e->text, e->len, im->runs, &im->nruns))
        im->bad = "the compressed run lengths are damaged";
    return XA_OK;
}

/* Inside "segmentation": [[x, y, ..], ..] or {"size": [h, w], "counts": [..] or ".."}. */
static xa_status take_segmentation(import *im, const xa__json_event *e, xa_err *err)
{
    const int inside = e->depth - 3; /* 0: the segmentation's own begin and end */
    if (!im->d->opt->as_masks)
        return XA_OK;
    if (inside == 0) {
        if (e->kind == XA__JSON_LIST)
            im->head.shape = POLYGONS;
        else if (e->kind == XA__JSON_MAP)
            im->head.shape = RUNS;
        im->inner = NO_FIELD;
        return XA_OK;
    }
    if (im->head.shape == POLYGONS) {
        if (inside == 1 && e->kind == XA__JSON_LIST) {
            XA_RETURN_TRY(
                err,
                xa_grow(
                    &im->lengths, &im->lengths_cap, im->nlengths + 1, sizeof *im->lengths, err));
            im->lengths[im->nlengths++] = 0;
        } else if (inside == 2 && e->kind == XA__JSON_NUMBER) {
            return take_polygon_number(im, e->number, err);
        } else if (e->kind != XA__JSON_LIST_END) {
            im->bad = "a segmentation of another form";
        }
        return XA_OK;
    }
    if (inside == 1 && e->kind == XA__JSON_KEY) {
        im->inner = strcmp(e->text, "size") == 0     ? SIZE
                    : strcmp(e->text, "counts") == 0 ? COUNTS
                                                     : NO_FIELD;
    } else if (im->inner == SIZE && inside == 2 && e->kind == XA__JSON_NUMBER) {
        if (im->nsize < 2)
            *(im->nsize == 0 ? &im->head.height : &im->head.width) = extent(e->number);
        im->nsize++;
    } else if (im->inner == COUNTS && inside == 1 && e->kind == XA__JSON_TEXT) {
        return take_compressed(im, e, err);
    } else if (im->inner == COUNTS && inside == 2 && e->kind == XA__JSON_NUMBER) {
        return take_run(im, e->number, err);
    }
    return XA_OK;
}

static xa_status end_entry(import *im, xa_err *err)
{
    if (im->file_name.failed || im->name.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory for a text");
    if (im->section == IMAGES)
        return end_image(im, err);
    return im->section == ANNOTATIONS ? end_annotation(im, err) : end_category(im, err);
}

static xa_status take_event(void *arg, const xa__json_event *e, xa_err *err)
{
    import *im = arg;
    if (e->depth == 0 && e->kind != XA__JSON_MAP && e->kind != XA__JSON_MAP_END)
        XA_RETURN_FAIL(err, XA_FORMAT, "expected a map with images, annotations and categories");
    if (e->depth == 1 && e->kind == XA__JSON_KEY) {
        im->section = strcmp(e->text, "images") == 0        ? IMAGES
                      : strcmp(e->text, "annotations") == 0 ? ANNOTATIONS
                      : strcmp(e->text, "categories") == 0  ? CATEGORIES
                                                            : NO_SECTION;
        im->seen_images = im->seen_images || im->section == IMAGES;
        im->seen_annotations = im->seen_annotations || im->section == ANNOTATIONS;
        return XA_OK;
    }
    if (im->section == NO_SECTION || e->depth < 1)
        return XA_OK;
    if (e->depth == 1 && e->kind != XA__JSON_LIST && e->kind != XA__JSON_LIST_END)
        XA_RETURN_FAIL(err, XA_FORMAT, "expected a list of entries");
    if (e->depth == 2) {
        if (e->kind == XA__JSON_MAP)
            begin_entry(im);
        else if (e->kind == XA__JSON_MAP_END)
            return end_entry(im, err);
        else
            XA_RETURN_FAIL(err, XA_FORMAT, "expected a map for each entry");
        return XA_OK;
    }
    if (e->depth == 3 && e->kind == XA__JSON_KEY) {
        im->field = field_of(im, e->text);
        return XA_OK;
    }
    if (im->field == SEGMENTATION && e->depth >= 3)
        return take_segmentation(im, e, err);
    if (im->field == BBOX && e->depth == 4 && e->kind == XA__JSON_NUMBER) {
        if (im->nbox < 4)
            im->box[im->nbox] = e->number;
        im->nbox++;
        return XA_OK;
    }
    if (e->depth == 3)
        return take_value(im, e, err);
    return XA_OK;
}

/* ---- afterwards ---- */

static int by_category_id(const void *a, const void *b)
{
    const int64_t x = ((const category *)a)->id;
    const int64_t y = ((const category *)b)->id;
    return (x > y) - (x < y);
}

static xa_status name_classes(import *im, xa_err *err)
{
    if (im->nnames > 0)
        qsort(im->names, im->nnames, sizeof *im->names, by_category_id);
    for (size_t i = 0; i < im->nnames; i++) {
        const category *c = &im->names[i];
        const size_t before = im->d->nclasses;
        int32_t index = -1;
        if (i > 0 && c->id == im->names[i - 1].id) {
            xa__drop(im->d, XA_IMPORT_TOLD, "the category id is there twice", "%s", c->name);
            continue;
        }
        XA_RETURN_TRY(err, xa__draft_class(im->d, c->name, XA_IMPORT_TOLD, &index, err));
        if (index >= 0 && !im->d->classes_fixed && im->d->nclasses == before)
            xa__drop(im->d, XA_IMPORT_TOLD, "two categories of one name become one", "%s", c->name);
        im->categories.to[c->slot] = index >= 0 ? index : -2;
    }
    return XA_OK;
}

/* -1 when the annotation has no image or class (counted). */
static int64_t image_of(import *im, const annotation *a)
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

static xa_status add_box(import *im, const annotation *a, int64_t image, xa_err *err)
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

static xa_status load(import *im, const annotation *a, canvas *c, xa_err *err)
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

static xa_status draw(import *im, annotation *a, canvas *c, const xa__draft_image *d, xa_err *err)
{
    XA_RETURN_TRY(err, load(im, a, c, err));
    spill_head head;
    memcpy(&head, c->bytes, sizeof head);
    const int64_t *counts = (const int64_t *)(void *)(c->bytes + sizeof head);
    if (head.shape == RUNS) {
        if (head.width != d->width || head.height != d->height)
            xa__drop(im->d,
                     XA_IMPORT_ANNOTATION,
                     "run lengths of another size than their image",
                     "%s: %lldx%lld",
                     d->id,
                     (long long)head.width,
                     (long long)head.height);
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

static bool can_draw(import *im, int64_t image, xa_err *err, canvas *c, xa_status *st)
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

/* One mask for all of an image's objects of a class, and one for its crowds. */
static xa_status draw_masks(import *im, key *keys, size_t n, xa_err *err)
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
            annotation *a = &im->annotations[keys[k].at];
            XA_TRY(err, draw(im, a, &c, &im->d->images[keys[k].image], err));
            some = some || a->drawn;
        }
        const xa__draft_image *d = &im->d->images[keys[i].image];
        if (some && memchr(c.mask, 255, (size_t)(d->width * d->height)) == NULL)
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

static xa_status add_annotations(import *im, xa_err *err)
{
    xa_status st = XA_OK;
    const bool masks = im->d->opt->as_masks;
    key *keys = masks ? xa_alloc(im->nannotations + 1, sizeof *keys) : NULL;
    size_t n = 0;
    if (masks && keys == NULL)
        XA_FAIL(err, XA_NOMEM, "no memory for %zu annotations", im->nannotations);
    for (size_t i = 0; i < im->nannotations; i++) {
        const annotation *a = &im->annotations[i];
        const int64_t image = image_of(im, a);
        if (image < 0)
            continue;
        const int32_t class_index = (int32_t)im->categories.to[a->category];
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

/* A file that is gone when the program is. */
static xa_status open_spill(import *im, xa_err *err)
{
    char *name = xa_strfmt("%s.spill.XXXXXX", im->d->opt->output);
    if (name == NULL)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory for a path");
    im->spill = mkostemp(name, O_CLOEXEC);
    const int why = errno;
    if (im->spill >= 0)
        unlink(name);
    free(name);
    if (im->spill < 0)
        XA_RETURN_FAIL(
            err, XA_IO, "%s: cannot write beside it: %s", im->d->opt->output, strerror(why));
    return XA_OK;
}

static void ids_fini(id_list *l)
{
    free(l->text);
    free(l->to);
    xa__map_fini(&l->map);
}

xa_status xa__import_coco(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
import im = {.d = d, .spill = - 1 };
    xa__map_init(&im.images.map);
    xa__map_init(&im.categories.map);
    if (d->opt->images == NULL)
        XA_FAIL(err, XA_INVALID, "coco: --images says where the images lie");
    if (d->opt->as_masks)
        XA_TRY(err, open_spill(&im, err));
    XA_TRY(err, xa__json_read(d->opt->source, take_event, &im, err));
    if (!im.seen_images || !im.seen_annotations)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: expected lists \"images\" and \"annotations\": is it an instances file?",
                d->opt->source);
    XA_TRY(err, name_classes(&im, err));
    XA_TRY(err, add_annotations(&im, err));
done:
    if (im.spill >= 0)
        close(im.spill);
    ids_fini(&im.images);
    ids_fini(&im.categories);
    xa_str_free(&im.file_name);
    xa_str_free(&im.name);
    free(im.lengths);
    free(im.numbers);
    free(im.runs);
    free(im.annotations);
    free(im.names);
    return st;
}
