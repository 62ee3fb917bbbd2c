/* The annotated region of a class: union of boxes and masks, clipped to the frame. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/metric.h"

/* Why a mask's file gave no mask. */
static xa_annotation_problem why_unread(const char *file, xa_status st)
{
    xa_image head = {0};
    if (st == XA_NOT_FOUND)
        return XA_ANNOTATION_MASK_MISSING;
    if (st != XA_UNSUPPORTED || xa_image_probe(file, NULL, &head, NULL) != XA_OK)
        return XA_ANNOTATION_MASK_UNREADABLE;
    const int colours = head.channels - (head.has_alpha ? 1 : 0);
    const bool whole = head.type == XA_PIXEL_U8 || head.type == XA_PIXEL_U16;
    const bool jpeg = strcmp(head.format, "jpeg") == 0;
    xa_image_fini(&head);
    return jpeg                    ? XA_ANNOTATION_MASK_JPEG
           : whole && colours == 3 ? XA_ANNOTATION_MASK_COLOURED
                                   : XA_ANNOTATION_MASK_UNREADABLE;
}

/* Sets `as` where the mask takes a pixel; ignored pixels never replace the region's. *problem is
 * left as it is where nothing speaks against the mask. */
static xa_status add_mask(xa_region *r,
                          const char *file,
                          int32_t value,
                          uint8_t as,
                          const char *what,
                          uint8_t *problem,
                          xa_err *err)
{
    xa_image im = {0};
    xa_err why = XA_ERR_INIT;
    xa_status st = xa_image_read_labels(file, NULL, &im, &why);
    if (st != XA_OK) {
        *problem = (uint8_t)why_unread(file, st);
        XA_FAIL(err, st, "%s: %s", what, why.message);
    }
    if (im.width != r->width || im.height != r->height) {
        *problem = XA_ANNOTATION_MASK_SIZE;
        XA_FAIL(err,
                XA_MISMATCH,
                "%s \"%s\" is %" PRId64 "x%" PRId64 ", its image is %" PRId64 "x%" PRId64,
                what,
                file,
                im.width,
                im.height,
                r->width,
                r->height);
    }
    const int64_t n = r->width * r->height;
    if (!r->mask) {
        r->mask = xa_alloc((size_t)n, 1);
        if (!r->mask)
            XA_FAIL(err, XA_NOMEM, "%s \"%s\": out of memory", what, file);
    }
    bool any = false;
    uint32_t seen = 0; /* the first value but 0 */
    for (int64_t i = 0; i < n; i++) {
        const uint32_t v =
            im.type == XA_PIXEL_U8 ? ((const uint8_t *)im.data)[i] : ((const uint16_t *)im.data)[i];
        seen = seen ? seen : v;
        if (value == XA_MASK_ANY && v && v != seen)
            *problem = XA_ANNOTATION_MASK_VALUES;
        any = any || xa_mask_takes(value, v);
        if (xa_mask_takes(value, v) && r->mask[i] != 1)
            r->mask[i] = as;
    }
    if (!any && as == 1)
        *problem = XA_ANNOTATION_MASK_EMPTY;
done:
    xa_image_fini(&im);
    return st;
}

/* What is told of an annotation of which two things could be: that it is not used goes first. */
static bool is_worse(uint8_t found, uint8_t so_far)
{
    return xa_annotation_used(so_far) && (!xa_annotation_used(found) || !so_far);
}

/* One annotation into the region. */
static xa_status add(xa_region *r,
                     const xa_sample *s,
                     int32_t i,
                     const xa_frame *frame,
                     uint8_t *problem,
                     xa_err *err)
{
    const xa_annotation *a = &s->annotations[i];
    if (a->kind == XA_ANNOTATION_MASK) {
        r->has_mask = true;
        return add_mask(r, a->mask, a->mask_value, 1, "mask", problem, err);
    }
    *problem = (uint8_t)xa_annotation_box(s, a, frame, r->boxes[r->nboxes]);
    r->nboxes += xa_annotation_used(*problem);
    return XA_OK;
}

xa_status xa_region_init(xa_region *r,
                         const xa_sample *s,
                         int32_t class_index,
                         const xa_frame *frame,
                         uint8_t *problem,
                         xa_err *err)
{
    xa_status st = XA_OK;
    xa_err why = XA_ERR_INIT;
    xa_region q = {.width = frame->width, .height = frame->height, .empty = true};
    q.boxes = xa_alloc((size_t)s->nannotations + 1, sizeof *q.boxes);
    if (!q.boxes)
        XA_FAIL(err, XA_NOMEM, "annotations: out of memory");
    /* ignored pixels last: the region's are set by then. All are looked at, the first failure told.
     */
    for (int32_t k = 0; k < 2 * s->nannotations; k++) {
        const int32_t i = k % s->nannotations;
        const xa_annotation *a = &s->annotations[i];
        uint8_t found = XA_ANNOTATION_NONE;
        xa_err now = XA_ERR_INIT;
        xa_status one = XA_OK;
        if (a->class_index != class_index || (k >= s->nannotations && !a->ignore_mask))
            continue;
        if (k < s->nannotations)
            one = add(&q, s, i, frame, &found, &now);
        else
            one = add_mask(&q, a->ignore_mask, a->ignore_value, 2, "ignore mask", &found, &now);
        if (problem && (k < s->nannotations || is_worse(found, problem[i])))
            problem[i] = found;
        if (one != XA_OK && (st == XA_OK || one == XA_NOMEM)) {
            st = one;
            why = now;
        }
    }
    if (st != XA_OK)
        XA_FAIL(err, st, "%s", why.message);
    q.empty = q.nboxes == 0 && (!q.mask || !memchr(q.mask, 1, (size_t)(q.width * q.height)));
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
