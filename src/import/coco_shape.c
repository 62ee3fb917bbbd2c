/* COCO: segmentations, from the stream's events to the spill file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "coco.h"

enum { NUMBERS_MAX = 1 << 21 }; /* of one segmentation */

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

xa_status xa__coco_take_segmentation(xa__coco *im, const xa__json_event *e, xa_err *err)
{
    const int inside = e->depth - 3; /* 0: the segmentation itself begins or ends */
    if (!im->d->opt->as_masks)
        return XA_OK;
    if (inside == 0) {
        if (e->kind == XA__JSON_LIST)
            im->head.shape = XA__COCO_POLYGONS;
        else if (e->kind == XA__JSON_MAP)
            im->head.shape = XA__COCO_RUNS;
        im->inner = XA__COCO_NO_FIELD;
        return XA_OK;
    }
    if (im->head.shape == XA__COCO_POLYGONS) {
        if (inside == 1 && e->kind == XA__JSON_LIST) {
            XA_RETURN_TRY(
                err,
                xa_grow(
                    &im->lengths, &im->lengths_cap, im->nlengths + 1, sizeof *im->lengths, err));
            im->lengths[im->nlengths++] = 0;
        } else if (inside == 2 && e->kind == XA__JSON_NUMBER) {
            return take_polygon_number(im, e->number, err);
        } else if (e->kind != XA__JSON_LIST_END) {
            im->bad = "a segmentation that is neither polygons nor run lengths";
        }
        return XA_OK;
    }
    if (inside == 1 && e->kind == XA__JSON_KEY) {
        im->inner = strcmp(e->text, "size") == 0     ? XA__COCO_SIZE
                    : strcmp(e->text, "counts") == 0 ? XA__COCO_COUNTS
                                                     : XA__COCO_NO_FIELD;
    } else if (im->inner == XA__COCO_SIZE && inside == 2 && e->kind == XA__JSON_NUMBER) {
        if (im->nsize < 2)
            *(im->nsize == 0 ? &im->head.height : &im->head.width) = xa__coco_extent(e->number);
        im->nsize++;
    } else if (im->inner == XA__COCO_COUNTS && inside == 1 && e->kind == XA__JSON_TEXT) {
        return take_compressed(im, e, err);
    } else if (im->inner == XA__COCO_COUNTS && inside == 2 && e->kind == XA__JSON_NUMBER) {
        return take_run(im, e->number, err);
    }
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
    if (im->head.shape == XA__COCO_RUNS &&
        (im->nsize != 2 || im->head.height < 1 || im->head.width < 1))
        return "run lengths without a size";
    for (size_t i = 0; im->head.shape == XA__COCO_POLYGONS && i < im->nlengths; i++)
        if (im->lengths[i] < 6 || im->lengths[i] % 2 != 0)
            return "a polygon of fewer than three points, or of half a point";
    return NULL;
}

xa_status xa__coco_spill_shape(xa__coco *im, xa__coco_annotation *a, xa_err *err)
{
    const int64_t start = im->spilled;
    const char *fault = shape_fault(im);
    if (!fault && (im->head.shape == XA__COCO_NO_SHAPE ||
                   (im->head.shape == XA__COCO_POLYGONS && im->nlengths == 0)))
        return XA_OK;
    if (fault) {
        a->faulty = true;
        xa__drop(im->d, XA_IMPORT_ANNOTATION, fault, "%s", im->images.text[a->image]);
        return XA_OK;
    }
    im->head.parts = (uint32_t)(im->head.shape == XA__COCO_RUNS ? im->nruns : im->nlengths);
    XA_RETURN_TRY(err, spill(im, &im->head, sizeof im->head, err));
    if (im->head.shape == XA__COCO_RUNS) {
        XA_RETURN_TRY(err, spill(im, im->runs, im->nruns * sizeof *im->runs, err));
    } else {
        XA_RETURN_TRY(err, spill(im, im->lengths, im->nlengths * sizeof *im->lengths, err));
        XA_RETURN_TRY(err, spill(im, im->numbers, im->nnumbers * sizeof *im->numbers, err));
    }
    a->spill = start;
    a->spill_bytes = (uint32_t)(im->spilled - start);
    return XA_OK;
}
