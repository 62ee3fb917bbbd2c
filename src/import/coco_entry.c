/* COCO: the entries of its three lists. Each is kept or counted when it ends. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coco.h"

/* ---- ids ---- */

static const char *id_key(const void *arg, int64_t value)
{
    return ((const xa__coco_id_list *)arg)->text[value];
}

static xa_status
slot_of(xa__coco *im, xa__coco_id_list *l, const char *text, int32_t *out, xa_err *err)
{
    int64_t at = xa_text_map_find(&l->map, text, id_key, l);
    if (at < 0) {
        const char *copy = NULL;
        if (l->count >= INT32_MAX)
            XA_RETURN_FAIL(err, XA_LIMIT, "too many ids");
        XA_RETURN_TRY(err, xa__draft_text(im->d, text, &copy, err));
        XA_RETURN_TRY(err, xa_grow(&l->text, &l->text_cap, l->count + 1, sizeof *l->text, err));
        XA_RETURN_TRY(err, xa_grow(&l->to, &l->to_cap, l->count + 1, sizeof *l->to, err));
        l->text[l->count] = (char *)copy;
        l->to[l->count] = -1;
        XA_RETURN_TRY(err, xa_text_map_add(&l->map, copy, (int64_t)l->count, err));
        at = (int64_t)l->count++;
    }
    *out = (int32_t)at;
    return XA_OK;
}

xa_status
xa__coco_slot(xa__coco *im, xa__coco_id_list *l, const xa__json_event *e, int32_t *out, xa_err *err)
{
    char text[32];
    if (e->kind == XA__JSON_NUMBER && e->number < 9e15 && e->number > -9e15 &&
        e->number == (double)(int64_t)e->number) {
        snprintf(text, sizeof text, "%" PRId64, (int64_t)e->number);
        return slot_of(im, l, text, out, err);
    }
    if (e->kind == XA__JSON_TEXT || e->kind == XA__JSON_NUMBER)
        return slot_of(im, l, e->text, out, err);
    return XA_OK; /* *out stays -1 */
}

/* ---- entries ---- */

void xa__coco_begin_entry(xa__coco *im)
{
    im->file_name.len = im->url.len = im->name.len = 0;
    im->fresh = im->npartial;
    im->image_id = im->category_id = -1;
    im->width = im->height = im->crowd = 0.0;
    im->nbox = 0;
    im->head = (xa__coco_spill_head){0};
    im->nlengths = im->nnumbers = im->nruns = 0;
    im->nsize = 0;
    im->bad = NULL;
    im->field = im->inner = XA__COCO_NO_FIELD;
}

double xa__coco_number(const xa__json_event *e)
{
    double v = -1.0;
    if (e->kind == XA__JSON_NUMBER)
        return e->number;
    return e->kind == XA__JSON_TEXT && xa_parse_f64(e->text, &v) ? v : -1.0;
}

int64_t xa__coco_extent(double v)
{
    return v >= 1.0 && v <= 1e9 && v == (double)(int64_t)v ? (int64_t)v : 0;
}

/* LVIS has no file_name. The file is the last part of coco_url, in the folder that coco_url names
 * before it if the image folder holds both train2017 and val2017. */
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
                                         : "missing too");
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
    im->images.to[im->image_id] = image >= 0 ? image : -2; /* -2: it was dropped */
    if (image >= 0) {
        d->images[image].split = d->opt->split;
        if ((im->width != 0.0 || im->height != 0.0) &&
            (xa__coco_extent(im->width) == 0 || xa__coco_extent(im->height) == 0))
            xa__drop(d,
                     XA_IMPORT_NOTED,
                     "a size that is not two whole numbers of pixels (taken as not said)",
                     "%s",
                     im->file_name.data);
        xa__draft_declare(d, image, xa__coco_extent(im->width), xa__coco_extent(im->height));
    }
    return XA_OK;
}

static xa_status end_category(xa__coco *im, xa_err *err)
{
    xa__coco_category c = {.slot = im->category_id};
    if (im->category_id < 0 || im->name.len == 0 ||
        !xa_parse_i64(im->categories.text[im->category_id], &c.id)) {
        xa__drop(im->d,
                 XA_IMPORT_NOTED,
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

static xa_status end_annotation(xa__coco *im, xa_err *err)
{
    xa__coco_annotation a = {.spill = -1,
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
        XA_RETURN_TRY(err, xa__coco_spill_shape(im, &a, err));
    XA_RETURN_TRY(err,
                  xa_grow(&im->annotations,
                          &im->annotations_cap,
                          im->nannotations + 1,
                          sizeof *im->annotations,
                          err));
    im->annotations[im->nannotations++] = a;
    return XA_OK;
}

xa_status xa__coco_end_entry(xa__coco *im, xa_err *err)
{
    if (im->file_name.failed || im->url.failed || im->name.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a text");
    if (im->section == XA__COCO_IMAGES)
        return end_image(im, err);
    return im->section == XA__COCO_ANNOTATIONS ? end_annotation(im, err) : end_category(im, err);
}
