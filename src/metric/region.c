/* The annotated region of a class: union of boxes and masks, clipped to the frame. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/metric.h"

/* One sample of a decoded mask as a number; masks are 8- or 16-bit grey, palette indices, or
 * colours. */
static int64_t mask_sample(const xa_image *im, int64_t at)
{
    switch (im->type) {
    case XA_PIXEL_U8:
        return ((const uint8_t *)im->data)[at];
    case XA_PIXEL_U16:
        return ((const uint16_t *)im->data)[at];
    case XA_PIXEL_U32:
        return ((const uint32_t *)im->data)[at];
    case XA_PIXEL_F32:
        return ((const float *)im->data)[at] != 0.0f;
    default:
        return -1;
    }
}

static xa_status add_mask(xa_region *r, const xa_annotation *a, xa_err *err)
{
    xa_image im = {0};
    xa_decode_options opt = xa_decode_defaults();
    xa_status st = XA_OK;
    opt.palette_index = true;
    XA_TRY(err, xa_image_read(a->mask, &opt, &im, err));
    if (im.width != r->width || im.height != r->height)
        XA_FAIL(err,
                XA_MISMATCH,
                "mask \"%s\" is %" PRId64 "x%" PRId64 ", its image is %" PRId64 "x%" PRId64,
                a->mask,
                im.width,
                im.height,
                r->width,
                r->height);
    if (im.type != XA_PIXEL_U8 && im.type != XA_PIXEL_U16 && im.type != XA_PIXEL_U32 &&
        im.type != XA_PIXEL_F32)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "mask \"%s\" has %s samples, expected unsigned 8, 16 or 32 bit or float32",
                a->mask,
                xa_pixel_name(im.type));
    const int colours = im.has_alpha ? im.channels - 1 : im.channels;
    if (a->mask_value >= 0 && colours != 1)
        XA_FAIL(err,
                XA_INVALID,
                "mask \"%s#%d\": a value needs a grey or palette mask, this one has %d channels",
                a->mask,
                (int)a->mask_value,
                colours);
    const int64_t n = r->width * r->height;
    if (!r->mask) {
        r->mask = xa_alloc((size_t)n, 1);
        if (!r->mask)
            XA_FAIL(err, XA_NOMEM, "mask \"%s\": out of memory", a->mask);
    }
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < colours; c++) {
            const int64_t v = mask_sample(&im, i * im.channels + c);
            if (a->mask_value < 0 ? v != 0 : v == a->mask_value)
                r->mask[i] = 1;
        }
done:
    xa_image_fini(&im);
    return st;
}

static double clip(double v, double high)
{
    return v < 0.0 ? 0.0 : v > high ? high : v;
}

xa_status xa_region_init(xa_region *r,
                         const xa_sample *s,
                         int32_t class_index,
                         int64_t width,
                         int64_t height,
                         xa_err *err)
{
    xa_status st = XA_OK;
    xa_region q = {.width = width, .height = height, .empty = true};
    q.boxes = xa_alloc((size_t)s->nannotations + 1, sizeof *q.boxes);
    if (!q.boxes)
        XA_FAIL(err, XA_NOMEM, "annotations: out of memory");
    for (int32_t i = 0; i < s->nannotations; i++) {
        const xa_annotation *a = &s->annotations[i];
        if (a->class_index != class_index)
            continue;
        if (a->kind == XA_ANNOTATION_MASK) {
            XA_TRY(err, add_mask(&q, a, err));
            continue;
        }
        double *b = q.boxes[q.nboxes];
        b[0] = clip(a->x0, (double)width);
        b[1] = clip(a->y0, (double)height);
        b[2] = clip(a->x1, (double)width);
        b[3] = clip(a->y1, (double)height);
        if (b[2] > b[0] && b[3] > b[1])
            q.nboxes++;
    }
    q.empty = q.nboxes == 0 && (!q.mask || !memchr(q.mask, 1, (size_t)(width * height)));
    *r = q;
    return XA_OK;
done:
    xa_region_fini(&q);
    return st;
}

void xa_region_fini(xa_region *r)
{
    if (!r)
        return;
    free(r->boxes);
    free(r->mask);
    *r = (xa_region){0};
}

bool xa_region_contains(const xa_region *r, double x, double y)
{
    for (int i = 0; i < r->nboxes; i++) {
        const double *b = r->boxes[i];
        if (x >= b[0] && x < b[2] && y >= b[1] && y < b[3])
            return true;
    }
    if (!r->mask || !(x >= 0.0) || !(y >= 0.0) || x >= (double)r->width || y >= (double)r->height)
        return false;
    return r->mask[(int64_t)y * r->width + (int64_t)x] != 0;
}
