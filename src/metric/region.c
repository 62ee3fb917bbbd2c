/* The annotated region of a class: union of boxes and masks, clipped to the frame. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/metric.h"

/* Sets `as` where the mask takes a pixel; ignored pixels never replace the region's. */
static xa_status
add_mask(xa_region *r, const char *file, int32_t value, uint8_t as, const char *what, xa_err *err)
{
    xa_image im = {0};
    xa_status st = XA_OK;
    XA_TRY(err, xa_image_read_labels(file, NULL, &im, err));
    if (im.width != r->width || im.height != r->height)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s \"%s\" is %" PRId64 "x%" PRId64 ", its image is %" PRId64 "x%" PRId64,
                what,
                file,
                im.width,
                im.height,
                r->width,
                r->height);
    const int64_t n = r->width * r->height;
    if (!r->mask) {
        r->mask = xa_alloc((size_t)n, 1);
        if (!r->mask)
            XA_FAIL(err, XA_NOMEM, "%s \"%s\": out of memory", what, file);
    }
    for (int64_t i = 0; i < n; i++) {
        const uint32_t v =
            im.type == XA_PIXEL_U8 ? ((const uint8_t *)im.data)[i] : ((const uint16_t *)im.data)[i];
        if (xa_mask_takes(value, v) && r->mask[i] != 1)
            r->mask[i] = as;
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
            XA_TRY(err, add_mask(&q, a->mask, a->mask_value, 1, "mask", err));
            q.has_mask = true;
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
    for (int32_t i = 0; i < s->nannotations; i++) {
        const xa_annotation *a = &s->annotations[i];
        if (a->class_index == class_index && a->ignore_mask)
            XA_TRY(err, add_mask(&q, a->ignore_mask, a->ignore_value, 2, "ignore mask", err));
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
    return r->mask[(int64_t)y * r->width + (int64_t)x] == 1;
}

bool xa_region_ignores(const xa_region *r, double x, double y)
{
    if (!r->mask || !(x >= 0.0) || !(y >= 0.0) || x >= (double)r->width || y >= (double)r->height)
        return false;
    return r->mask[(int64_t)y * r->width + (int64_t)x] == 2 && !xa_region_contains(r, x, y);
}
