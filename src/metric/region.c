/* The annotated region of a class: union of boxes and masks, clipped to the frame. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/metric.h"

/* The problem of an annotation whose mask could not be read. */
static xa_annotation_problem why_unread(const char *file, xa_status st)
{
    xa_image head = {0};
    if (st == XA_NOT_FOUND)
        return XA_ANNOTATION_MASK_MISSING;
    if (st == XA_INVALID)
        return XA_ANNOTATION_MASK_IN_ALPHA;
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

/* May a pixel change from `was` to `as`? Pixels of the region stay so; ignored pixels come last and
 * replace nothing. */
static bool may_become(uint8_t as, uint8_t was)
{
    return as == XA_REGION_INSIDE || (as == XA_REGION_CROWD && was != XA_REGION_INSIDE) ||
           was == XA_REGION_NONE;
}

/* The hash of a mask's labels, and of the mask before it. */
static uint64_t chained(const xa_image *labels, uint64_t before)
{
    const uint64_t hash = xa_image_hash(labels);
    return xa_hash64(&hash, sizeof hash, before);
}

static xa_status
read_labels(const char *file, int32_t value, bool as_they_lie, xa_image *out, xa_err *err)
{
    xa_decode_options opt = xa_decode_defaults();
    opt.lossy_labels = value >= XA_MASK_VALUES;
    opt.ignore_orientation = as_they_lie;
    return xa_image_read_labels(file, &opt, out, err);
}

xa_status xa_mask_hash(
    const xa_annotation *a, bool as_they_lie, uint64_t *hash, const char **file, xa_err *err)
{
    const char *const files[] = {a->kind == XA_ANNOTATION_MASK ? a->mask : NULL, a->ignore_mask};
    const int32_t values[] = {a->mask_value, a->ignore_value};
    *hash = 0;
    for (int i = 0; i < 2; i++) {
        xa_image im = {0};
        if (!files[i])
            continue;
        *file = files[i];
        XA_RETURN_TRY(err, read_labels(files[i], values[i], as_they_lie, &im, err));
        *hash = chained(&im, *hash);
        xa_image_fini(&im);
    }
    return XA_OK;
}

/* Sets every pixel of the mask to `as` if it may become so. *problem is unchanged if the mask can
 * be used; *hash covers this mask too. */
static xa_status add_mask(xa_region *r,
                          const char *file,
                          int32_t value,
                          bool as_they_lie,
                          uint8_t as,
                          const char *what,
                          uint8_t *problem,
                          uint64_t *hash,
                          xa_err *err)
{
    xa_image im = {0};
    xa_err why = XA_ERR_INIT;
    xa_status st = read_labels(file, value, as_they_lie, &im, &why);
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
    *hash = chained(&im, *hash);
    const int64_t n = r->width * r->height;
    if (!r->mask) {
        r->mask = xa_alloc((size_t)n, 1);
        if (!r->mask)
            XA_FAIL(err, XA_NOMEM, "%s \"%s\": out of memory", what, file);
    }
    if (im.alpha_varies)
        *problem = XA_ANNOTATION_MASK_ALPHA;
    bool any = false;
    uint32_t seen = 0; /* the first value other than 0 */
    for (int64_t i = 0; i < n; i++) {
        const uint32_t v = xa_image_label(&im, i);
        seen = seen ? seen : v;
        if (value == XA_MASK_ANY && v && v != seen)
            *problem = XA_ANNOTATION_MASK_VALUES;
        any = any || xa_mask_takes(value, v);
        if (xa_mask_takes(value, v) && may_become(as, r->mask[i]))
            r->mask[i] = as;
    }
    if (!any && as != XA_REGION_IGNORED)
        *problem = XA_ANNOTATION_MASK_EMPTY;
done:
    xa_image_fini(&im);
    return st;
}

/* Of two problems of one annotation, the one that is reported: that it is not used goes first. */
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
                     uint64_t *hash,
                     xa_err *err)
{
    const xa_annotation *a = &s->annotations[i];
    const bool crowd = (a->flags & XA_ANNOTATION_CROWD) != 0;
    if (a->kind == XA_ANNOTATION_MASK) {
        const uint8_t as = crowd ? XA_REGION_CROWD : XA_REGION_INSIDE;
        r->has_mask = true;
        return add_mask(
            r, a->mask, a->mask_value, frame->ignore_orientation, as, "mask", problem, hash, err);
    }
    double box[4];
    *problem = (uint8_t)xa_annotation_box(s, a, frame, box);
    if (!xa_annotation_used(*problem))
        return XA_OK;
    double(*at)[4] = r->boxes + r->nboxes + r->ncrowds;
    if (crowd) {
        memcpy(*at, box, sizeof box);
        r->ncrowds++;
    } else { /* crowds stay behind the objects' boxes */
        memcpy(*at, r->boxes[r->nboxes], sizeof box);
        memcpy(r->boxes[r->nboxes++], box, sizeof box);
    }
    return XA_OK;
}

static bool all_difficult(const xa_sample *s, int32_t class_index)
{
    bool any = false;
    for (int32_t i = 0; i < s->nannotations; i++)
        if (s->annotations[i].class_index == class_index) {
            if (!(s->annotations[i].flags & XA_ANNOTATION_DIFFICULT))
                return false;
            any = true;
        }
    return any;
}

xa_status xa_region_init(xa_region *r,
                         const xa_sample *s,
                         int32_t class_index,
                         const xa_frame *frame,
                         uint8_t *problem,
                         uint64_t *hash,
                         xa_err *err)
{
    xa_status st = XA_OK;
    xa_err why = XA_ERR_INIT;
    xa_region q = {.width = frame->width, .height = frame->height, .empty = true};
    q.boxes = xa_alloc((size_t)s->nannotations + 1, sizeof *q.boxes);
    if (!q.boxes)
        XA_FAIL(err, XA_NOMEM, "annotations: out of memory");
    /* Ignore masks come last, when the region's pixels are set. All masks are read, and the first
     * failure is reported. */
    for (int32_t k = 0; k < 2 * s->nannotations; k++) {
        const int32_t i = k % s->nannotations;
        const xa_annotation *a = &s->annotations[i];
        uint8_t found = XA_ANNOTATION_NONE;
        uint64_t read = 0;
        const bool again = k >= s->nannotations;
        xa_err now = XA_ERR_INIT;
        xa_status one = XA_OK;
        if (a->class_index != class_index || (again && !a->ignore_mask))
            continue;
        if (again && hash)
            read = hash[i];
        const bool unread = again && a->kind == XA_ANNOTATION_MASK && !read;
        if (!again)
            one = add(&q, s, i, frame, &found, &read, &now);
        else
            one = add_mask(&q,
                           a->ignore_mask,
                           a->ignore_value,
                           frame->ignore_orientation,
                           XA_REGION_IGNORED,
                           "ignore mask",
                           &found,
                           &read,
                           &now);
        if (hash)
            hash[i] = one == XA_OK && !unread ? read : 0;
        if (problem && (!again || is_worse(found, problem[i])))
            problem[i] = found;
        if (one != XA_OK && (st == XA_OK || one == XA_NOMEM)) {
            st = one;
            why = now;
        }
    }
    if (st != XA_OK)
        XA_FAIL(err, st, "%s", why.message);
    const size_t n = (size_t)(q.width * q.height);
    const bool inside = q.nboxes > 0 || (q.mask && memchr(q.mask, XA_REGION_INSIDE, n));
    q.only_crowds = !inside && (q.ncrowds > 0 || (q.mask && memchr(q.mask, XA_REGION_CROWD, n)));
    q.empty = !inside && !q.only_crowds;
    q.all_difficult = all_difficult(s, class_index);
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

static uint8_t pixel_at(const xa_region *r, double x, double y)
{
    if (!r->mask || !(x >= 0.0) || !(y >= 0.0) || x >= (double)r->width || y >= (double)r->height)
        return XA_REGION_NONE;
    return r->mask[(int64_t)y * r->width + (int64_t)x];
}

static bool in_box(const xa_region *r, int first, int n, double x, double y)
{
    for (int i = first; i < first + n; i++) {
        const double *b = r->boxes[i];
        if (x >= b[0] && x < b[2] && y >= b[1] && y < b[3])
            return true;
    }
    return false;
}

bool xa_region_contains(const xa_metric_spec *s, const xa_region *r, double x, double y)
{
    const uint8_t is = pixel_at(r, x, y);
    return in_box(r, 0, r->nboxes + (s->ignore_crowd ? 0 : r->ncrowds), x, y) ||
           is == XA_REGION_INSIDE || (is == XA_REGION_CROWD && !s->ignore_crowd);
}

bool xa_region_ignores(const xa_metric_spec *s, const xa_region *r, double x, double y)
{
    const uint8_t is = pixel_at(r, x, y);
    return (is == XA_REGION_IGNORED ||
            (s->ignore_crowd &&
             (is == XA_REGION_CROWD || in_box(r, r->nboxes, r->ncrowds, x, y)))) &&
           !xa_region_contains(s, r, x, y);
}

bool xa_region_counts(const xa_metric_spec *s, const xa_region *r)
{
    return !r->empty && !(s->skip_difficult && r->all_difficult) &&
           !(s->ignore_crowd && r->only_crowds);
}
