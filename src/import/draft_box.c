/* From a source's box, in its convention, to half-open pixels. */
#include <inttypes.h>
#include <string.h>

#include "import_internal.h"

/* To half-open pixel coordinates. */
static void convert(double b[4], xa_box_convention from, const xa__draft_image *im)
{
    if (from == XA_BOX_INCLUSIVE || from == XA_BOX_ONE_BASED) {
        const double shift = from == XA_BOX_ONE_BASED ? 1.0 : 0.0;
        b[0] -= shift;
        b[1] -= shift;
        b[2] += 1.0 - shift;
        b[3] += 1.0 - shift;
    } else if (from == XA_BOX_NORMALISED) {
        b[0] *= (double)im->width;
        b[1] *= (double)im->height;
        b[2] *= (double)im->width;
        b[3] *= (double)im->height;
    }
}

static void drop_box(xa__draft *d,
                     xa_import_what what,
                     const char *reason,
                     const xa__draft_image *im,
                     const double b[4])
{
    xa__drop(d, what, reason, "%s: %g,%g,%g,%g", im->id, b[0], b[1], b[2], b[3]);
}

xa_status xa__draft_box(xa__draft *d,
                        int64_t image,
                        int32_t class_index,
                        uint8_t flags,
                        const double box[4],
                        xa_box_convention from,
                        xa_err *err)
{
    xa__draft_image *im = &d->images[image];
    xa__draft_note n = {.image = image,
                        .class_index = class_index,
                        .mask_value = XA_MASK_ANY,
                        .kind = XA_ANNOTATION_BOX,
                        .flags = flags};
    memcpy(n.box, box, sizeof n.box);
    if (from == XA_BOX_NORMALISED && im->width <= 0) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "fractions of an image of unknown size", "%s", im->id);
        return XA_OK;
    }
    convert(n.box, from, im);
    if (from == XA_BOX_NORMALISED)
        im->declared =
            true; /* the box has pixels of this size, whatever a job does with the orientation */
    if (!(n.box[2] > n.box[0] && n.box[3] > n.box[1])) {
        drop_box(d, XA_IMPORT_ANNOTATION, "the box is empty or inverted", im, box);
        return XA_OK;
    }
    const bool sized = im->width > 0;
    if (from != XA_BOX_NORMALISED && box[0] >= 0.0 && box[1] >= 0.0 && box[2] <= 1.0 &&
        box[3] <= 1.0)
        drop_box(d,
                 XA_IMPORT_NOTED,
                 "no coordinate of the box is above 1, as in fractions of the image: it is not "
                 "scored (csv: --box-convention normalised)",
                 im,
                 box);
    const double right = sized ? (double)im->width : 1e9;
    const double bottom = sized ? (double)im->height : 1e9;
    if (n.box[2] <= 0.0 || n.box[3] <= 0.0 || n.box[0] >= right || n.box[1] >= bottom) {
        drop_box(d, XA_IMPORT_ANNOTATION, "the box lies outside the image", im, box);
        return XA_OK;
    }
    if (n.box[0] < 0.0 || n.box[1] < 0.0 || n.box[2] > right || n.box[3] > bottom) {
        drop_box(d, XA_IMPORT_NOTED, "the box reaches beyond the image (clipped)", im, box);
        n.box[0] = n.box[0] < 0.0 ? 0.0 : n.box[0];
        n.box[1] = n.box[1] < 0.0 ? 0.0 : n.box[1];
        n.box[2] = n.box[2] > right ? right : n.box[2];
        n.box[3] = n.box[3] > bottom ? bottom : n.box[3];
    }
    return xa__draft_note_add(d, &n, err);
}
