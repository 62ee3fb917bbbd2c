/* COCO: {"images": [..], "annotations": [..], "categories": [..]} in any order, streamed.
 *
 * Categories become classes by ascending id. Boxes are x, y, w, h. With masks, every segmentation
 * is written to an unlinked file, the spill file, while the JSON is read. Afterwards they are drawn
 * image by image and class by class, crowds by themselves, so that memory holds 100 bytes per
 * annotation and one image. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coco.h"

static xa__coco_field field_of(const xa__coco *im, const char *key)
{
    static const struct {
        xa__coco_section section;
        const char *key;
        xa__coco_field field;
    } fields[] = {
        {XA__COCO_IMAGES, "id", XA__COCO_IMAGE_ID},
        {XA__COCO_IMAGES, "file_name", XA__COCO_FILE_NAME},
        {XA__COCO_IMAGES, "coco_url", XA__COCO_COCO_URL},
        {XA__COCO_IMAGES, "not_exhaustive_category_ids", XA__COCO_NOT_EXHAUSTIVE},
        {XA__COCO_IMAGES, "width", XA__COCO_WIDTH},
        {XA__COCO_IMAGES, "height", XA__COCO_HEIGHT},
        {XA__COCO_ANNOTATIONS, "image_id", XA__COCO_IMAGE_ID},
        {XA__COCO_ANNOTATIONS, "category_id", XA__COCO_CATEGORY_ID},
        {XA__COCO_ANNOTATIONS, "bbox", XA__COCO_BBOX},
        {XA__COCO_ANNOTATIONS, "segmentation", XA__COCO_SEGMENTATION},
        {XA__COCO_ANNOTATIONS, "iscrowd", XA__COCO_CROWD},
        {XA__COCO_CATEGORIES, "id", XA__COCO_CATEGORY_ID},
        {XA__COCO_CATEGORIES, "name", XA__COCO_NAME},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].section == im->section && strcmp(fields[i].key, key) == 0)
            return fields[i].field;
    return XA__COCO_NO_FIELD;
}

static void copy_text(xa_str *s, const xa__json_event *e)
{
    s->len = 0;
    if (e->kind == XA__JSON_TEXT && strlen(e->text) == e->len)
        xa_str_add(s, e->text, e->len);
}

/* A value that stands directly in an entry. */
static xa_status take_value(xa__coco *im, const xa__json_event *e, xa_err *err)
{
    switch (im->field) {
    case XA__COCO_IMAGE_ID:
        return xa__coco_slot(im, &im->images, e, &im->image_id, err);
    case XA__COCO_CATEGORY_ID:
        return xa__coco_slot(im, &im->categories, e, &im->category_id, err);
    case XA__COCO_FILE_NAME:
        copy_text(&im->file_name, e);
        return XA_OK;
    case XA__COCO_COCO_URL:
        copy_text(&im->url, e);
        return XA_OK;
    case XA__COCO_NAME:
        copy_text(&im->name, e);
        return XA_OK;
    case XA__COCO_WIDTH:
        im->width = xa__coco_number(e);
        return XA_OK;
    case XA__COCO_HEIGHT:
        im->height = xa__coco_number(e);
        return XA_OK;
    case XA__COCO_CROWD:
        im->crowd = e->number;
        return XA_OK;
    default:
        return XA_OK;
    }
}

static xa_status take_event(void *arg, const xa__json_event *e, xa_err *err)
{
    xa__coco *im = arg;
    if (e->depth == 0 && e->kind != XA__JSON_MAP && e->kind != XA__JSON_MAP_END)
        XA_RETURN_FAIL(err, XA_FORMAT, "expected a map with images, annotations and categories");
    if (e->depth == 1 && e->kind == XA__JSON_KEY) {
        im->section = strcmp(e->text, "images") == 0        ? XA__COCO_IMAGES
                      : strcmp(e->text, "annotations") == 0 ? XA__COCO_ANNOTATIONS
                      : strcmp(e->text, "categories") == 0  ? XA__COCO_CATEGORIES
                                                            : XA__COCO_NO_SECTION;
        im->seen_images = im->seen_images || im->section == XA__COCO_IMAGES;
        im->seen_annotations = im->seen_annotations || im->section == XA__COCO_ANNOTATIONS;
        return XA_OK;
    }
    if (im->section == XA__COCO_NO_SECTION || e->depth < 1)
        return XA_OK;
    if (e->depth == 1 && e->kind != XA__JSON_LIST && e->kind != XA__JSON_LIST_END)
        XA_RETURN_FAIL(err, XA_FORMAT, "expected a list of entries");
    if (e->depth == 2) {
        if (e->kind == XA__JSON_MAP)
            xa__coco_begin_entry(im);
        else if (e->kind == XA__JSON_MAP_END)
            return xa__coco_end_entry(im, err);
        else
            XA_RETURN_FAIL(err, XA_FORMAT, "expected a map for each entry");
        return XA_OK;
    }
    if (e->depth == 3 && e->kind == XA__JSON_KEY) {
        im->field = field_of(im, e->text);
        return XA_OK;
    }
    if (im->field == XA__COCO_SEGMENTATION && e->depth >= 3)
        return xa__coco_take_segmentation(im, e, err);
    if (im->field == XA__COCO_NOT_EXHAUSTIVE && e->depth == 4) {
        int32_t slot = -1;
        XA_RETURN_TRY(err, xa__coco_slot(im, &im->categories, e, &slot, err));
        XA_RETURN_TRY(
            err,
            xa_grow(&im->partial, &im->partial_cap, im->npartial + 1, sizeof *im->partial, err));
        im->partial[im->npartial][0] = -1;
        im->partial[im->npartial][1] = slot;
        im->npartial += slot >= 0;
        return XA_OK;
    }
    if (im->field == XA__COCO_BBOX && e->depth == 4 && e->kind == XA__JSON_NUMBER) {
        if (im->nbox < 4)
            im->box[im->nbox] = e->number;
        im->nbox++;
        return XA_OK;
    }
    if (e->depth == 3)
        return take_value(im, e, err);
    return XA_OK;
}

/* Opens a file without a name, which vanishes when the program ends. */
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

static void ids_fini(xa__coco_id_list *l)
{
    free(l->text);
    free(l->to);
    xa_text_map_fini(&l->map);
}

xa_status xa__import_coco(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    xa__coco im = {.d = d, .spill = -1};
    xa_text_map_init(&im.images.map);
    xa_text_map_init(&im.categories.map);
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
