/* COCO: {"images": [..], "annotations": [..], "categories": [..]} in any order, streamed.
 *
 * Categories become classes by ascending id. Boxes are x, y, w, h. With masks, every segmentation
 * is spilled to an unlinked file while the JSON streams by, and afterwards drawn image by image and
 * class by class (crowds apart), so that memory holds 100 bytes an annotation and one image. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coco.h"

enum { NUMBERS_MAX = 1 << 21 }; /* of one segmentation */

/* ---- ids ---- */

static const char *id_key(const void *arg, int64_t value)
{
    return ((const id_list *)arg)->text[value];
}

static xa_status slot_of(xa__coco *im, id_list *l, const char *text, int32_t *out, xa_err *err)
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
slot_of_event(xa__coco *im, id_list *l, const xa__json_event *e, int32_t *out, xa_err *err)
{
    char text[32];
    if (e->kind == XA__JSON_NUMBER && e->number < 9e15 && e->number > -9e15 &&
        e->number == (double)(int64_t)e->number) {
        snprintf(text, sizeof text, "%" PRId64, (int64_t)e->number);
        return slot_of(im, l, text, out, err);
    }
    if (e->kind == XA__JSON_TEXT || e->kind == XA__JSON_NUMBER)
        return slot_of(im, l, e->text, out, err);
    return XA_OK; /* stays -1 */
}

/* ---- entries ---- */

static void begin_entry(xa__coco *im)
{
    im->file_name.len = im->url.len = im->name.len = 0;
    im->fresh = im->npartial;
    im->image_id = im->category_id = -1;
    im->width = im->height = im->crowd = 0.0;
    im->nbox = 0;
    im->head = (spill_head){0};
    im->nlengths = im->nnumbers = im->nruns = 0;
    im->nsize = 0;
    im->bad = NULL;
    im->field = im->inner = NO_FIELD;
}

/* A number, or its text. Anything else, null too, is no size. */
static double size_of(const xa__json_event *e)
{
    double v = -1.0;
    if (e->kind == XA__JSON_NUMBER)
        return e->number;
    return e->kind == XA__JSON_TEXT && xa_parse_f64(e->text, &v) ? v : -1.0;
}

static int64_t extent(double v)
{
    return v >= 1.0 && v <= 1e9 && v == (double)(int64_t)v ? (int64_t)v : 0;
}

/* LVIS has no file_name: the file is the last part of coco_url, below the folder before it where
 * the image folder holds both train2017 and val2017. */
static xa_status name_by_url(xa__coco *im, xa_err *err)
{
    if (im->url.len == 0)
        return XA_OK;
    im->url.data[strcspn(im->url.data, "?#")] = '\0';
    const char *last = strrchr(im->url.data, '/');
    const char *two = last;
    while (two && two > im->url.data && two[-1] != '/')
        two--;
    const char *name = last ? last + 1 : im->url.data;
    char *file = two && last > two ? xa__join(im->d->opt->images, two) : NULL;
    if (file && !xa__path_leaves(two) && xa__is_file(file))
        name = two;
    free(file);
    im->file_name.len = 0;
    xa_str_puts(&im->file_name, name);
    if (im->file_name.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a name");
    return XA_OK;
}

static xa_status end_image(xa__coco *im, xa_err *err)
{
    xa__draft *d = im->d;
    int64_t image = -1;
    if (im->file_name.len == 0)
        XA_RETURN_TRY(err, name_by_url(im, err));
    if (im->image_id < 0 || im->file_name.len == 0) {
        xa__drop(d,
                 XA_IMPORT_IMAGE,
                 "an image entry without an id, or without file_name and coco_url",
                 "%s%s",
                 im->image_id < 0 ? "file_name " : "id ",
                 im->image_id >= 0       ? im->images.text[im->image_id]
                 : im->file_name.len > 0 ? im->file_name.data
                                         : "not said either");
        im->npartial = im->fresh;
        return XA_OK;
    }
    for (size_t i = im->fresh; i < im->npartial; i++)
        im->partial[i][0] = im->image_id;
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
        if ((im->width != 0.0 || im->height != 0.0) &&
            (extent(im->width) == 0 || extent(im->height) == 0))
            xa__drop(d,
                     XA_IMPORT_TOLD,
                     "a size that is not two whole numbers of pixels (taken as not said)",
                     "%s",
                     im->file_name.data);
        xa__draft_declare(d, image, extent(im->width), extent(im->height));
    }
    return XA_OK;
}

static xa_status end_category(xa__coco *im, xa_err *err)
{
    category c = {.slot = im->category_id};
    if (im->category_id < 0 || im->name.len == 0 ||
        !xa_parse_i64(im->categories.text[im->category_id], &c.id)) {
        xa__drop(im->d,
                 XA_IMPORT_TOLD,
                 "a category without a whole-number id or a name",
                 "%s",
                 im->name.data ? im->name.data : "");
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__draft_text(im->d, im->name.data, &c.name, err));
    XA_RETURN_TRY(err, xa_grow(&im->names, &im->names_cap, im->nnames + 1, sizeof *im->names, err));
    im->names[im->nnames++] = c;
    return XA_OK;
}

static xa_status spill(xa__coco *im, const void *bytes, size_t size, xa_err *err)
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

static const char *shape_fault(xa__coco *im)
{
    if (im->bad)
        return im->bad;
    if (im->head.shape == RUNS && (im->nsize != 2 || im->head.height < 1 || im->head.width < 1))
        return "run lengths without a size";
    for (size_t i = 0; im->head.shape == POLYGONS && i < im->nlengths; i++)
        if (im->lengths[i] < 6 || im->lengths[i] % 2 != 0)
            return "a polygon of fewer than three points, or of half a point";
    return NULL;
}

static xa_status spill_shape(xa__coco *im, annotation *a, xa_err *err)
{
    const int64_t start = im->spilled;
    const char *fault = shape_fault(im);
    if (!fault && (im->head.shape == NO_SHAPE || (im->head.shape == POLYGONS && im->nlengths == 0)))
        return XA_OK;
    if (fault) {
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

static xa_status end_annotation(xa__coco *im, xa_err *err)
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

static field field_of(const xa__coco *im, const char *key)
{
    static const struct {
        section section;
        const char *key;
        field field;
    } fields[] = {
        {IMAGES, "id", IMAGE_ID},
        {IMAGES, "file_name", FILE_NAME},
        {IMAGES, "coco_url", COCO_URL},
        {IMAGES, "not_exhaustive_category_ids", NOT_EXHAUSTIVE},
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
static xa_status take_value(xa__coco *im, const xa__json_event *e, xa_err *err)
{
    switch (im->field) {
    case IMAGE_ID:
        return slot_of_event(im, &im->images, e, &im->image_id, err);
    case CATEGORY_ID:
        return slot_of_event(im, &im->categories, e, &im->category_id, err);
    case FILE_NAME:
        copy_text(&im->file_name, e);
        return XA_OK;
    case COCO_URL:
        copy_text(&im->url, e);
        return XA_OK;
    case NAME:
        copy_text(&im->name, e);
        return XA_OK;
    case WIDTH:
        im->width = size_of(e);
        return XA_OK;
    case HEIGHT:
        im->height = size_of(e);
        return XA_OK;
    case CROWD:
        im->crowd = e->number;
        return XA_OK;
    default:
        return XA_OK;
    }
}

static xa_status take_polygon_number(xa__coco *im, double v, xa_err *err)
{
    if (v > 1e7 || v < -1e7)
        im->bad = "a polygon reaches farther than 1e7 pixels";
    if (im->nnumbers >= NUMBERS_MAX)
        im->bad = "a segmentation of more than 2 million numbers";
    if (im->bad)
        return XA_OK;
    XA_RETURN_TRY(
        err, xa_grow(&im->numbers, &im->numbers_cap, im->nnumbers + 1, sizeof *im->numbers, err));
    im->numbers[im->nnumbers++] = v;
    im->lengths[im->nlengths - 1]++;
    return XA_OK;
}

static xa_status take_run(xa__coco *im, double v, xa_err *err)
{
    if (!(v >= 0.0 && v <= 4e9 && v == (double)(int64_t)v))
        im->bad = "a run length is no whole number";
    if (im->nruns >= NUMBERS_MAX)
        im->bad = "a segmentation of more than 2 million numbers";
    if (im->bad)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&im->runs, &im->runs_cap, im->nruns + 1, sizeof *im->runs, err));
    im->runs[im->nruns++] = (int64_t)v;
    return XA_OK;
}

static xa_status take_compressed(xa__coco *im, const xa__json_event *e, xa_err *err)
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
static xa_status take_segmentation(xa__coco *im, const xa__json_event *e, xa_err *err)
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

static xa_status end_entry(xa__coco *im, xa_err *err)
{
    if (im->file_name.failed || im->url.failed || im->name.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a text");
    if (im->section == IMAGES)
        return end_image(im, err);
    return im->section == ANNOTATIONS ? end_annotation(im, err) : end_category(im, err);
}

static xa_status take_event(void *arg, const xa__json_event *e, xa_err *err)
{
    xa__coco *im = arg;
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
    if (im->field == NOT_EXHAUSTIVE && e->depth == 4) {
        int32_t slot = -1;
        XA_RETURN_TRY(err, slot_of_event(im, &im->categories, e, &slot, err));
        XA_RETURN_TRY(
            err,
            xa_grow(&im->partial, &im->partial_cap, im->npartial + 1, sizeof *im->partial, err));
        im->partial[im->npartial][0] = -1;
        im->partial[im->npartial][1] = slot;
        im->npartial += slot >= 0;
        return XA_OK;
    }
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

/* A file that is gone when the program is. */
static xa_status open_spill(xa__coco *im, xa_err *err)
{
    char *name = xa_strfmt("%s.spill.XXXXXX", im->d->opt->output);
    if (!name)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
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
    xa__coco im = {.d = d, .spill = -1};
    xa__map_init(&im.images.map);
    xa__map_init(&im.categories.map);
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "coco: --images says where the images lie");
    if (d->opt->as_masks)
        XA_TRY(err, open_spill(&im, err));
    xa__json_odd odd;
    XA_TRY(err, xa__json_read(d->opt->source, take_event, &im, &odd, err));
    xa__drop_odd(d, &odd);
    if (!im.seen_images || !im.seen_annotations)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: expected lists \"images\" and \"annotations\": is it an instances file?",
                d->opt->source);
    XA_TRY(err, xa__coco_name_classes(&im, err));
    XA_TRY(err, xa__coco_add_annotations(&im, err));
done:
    if (im.spill >= 0)
        close(im.spill);
    ids_fini(&im.images);
    ids_fini(&im.categories);
    xa_str_free(&im.file_name);
    xa_str_free(&im.url);
    free(im.partial);
    xa_str_free(&im.name);
    free(im.lengths);
    free(im.numbers);
    free(im.runs);
    free(im.annotations);
    free(im.names);
    return st;
}
