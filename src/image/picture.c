/* Any decoded image as a picture for people: 8-bit RGB of limited size. */
#include <math.h>

#include "image_internal.h"

/* Samples of another depth to 0..255. */
static xa_status to_bytes(const xa_image *in, const xa_depth *depth, xa_image *out, xa_err *err)
{
    static const xa_depth percentiles = {.kind = XA_DEPTH_PERCENTILE, .low = 1.0, .high = 99.0};
    xa_status st = XA_OK;
    xa_image flat = {0};
    const bool said = depth && depth->kind != XA_DEPTH_NONE && depth->kind != XA_DEPTH_RAW;
    XA_TRY(err, xa_image_apply_depth(in, said ? depth : &percentiles, &flat, err));
    if (flat.type != XA_PIXEL_F32) {
        *out = flat;
        flat = (xa_image){0};
        goto done;
    }
    const int64_t count = flat.width * flat.height * flat.channels;
    XA_TRY(err, xa_image_init(out, flat.width, flat.height, flat.channels, XA_PIXEL_U8, err));
    out->has_alpha = flat.has_alpha;
    for (int64_t i = 0; i < count; i++) {
        const float v = ((const float *)flat.data)[i];
        ((uint8_t *)out->data)[i] = (uint8_t)(v > 0.0f ? v < 255.0f ? v + 0.5f : 255.0f : 0.0f);
    }
done:
    xa_image_fini(&flat);
    return st;
}

xa_status xa_image_to_picture(
    const xa_image *in, const xa_depth *depth, int64_t most, xa_image *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image bytes = {0}, rgb = {0};
    const xa_image *from = in;
    const int colours = in->channels - (in->has_alpha ? 1 : 0);
    if (colours != 1 && colours != 3)
        XA_FAIL(err, XA_UNSUPPORTED, "%d channels are no picture", in->channels);
    if (in->type != XA_PIXEL_U8) {
        XA_TRY(err, to_bytes(in, depth, &bytes, err));
        from = &bytes;
    }
    XA_TRY(err, xa_image_to_channels(from, 3, &rgb, err));
    const int64_t longer = rgb.width > rgb.height ? rgb.width : rgb.height;
    if (longer > most) {
        const double by = (double)most / (double)longer;
        const int64_t w = (int64_t)fmax(1.0, round((double)rgb.width * by));
        const int64_t h = (int64_t)fmax(1.0, round((double)rgb.height * by));
        XA_TRY(err, xa_image_resize(&rgb, w, h, XA_RESAMPLE_PIL_BILINEAR, out, err));
    } else {
        *out = rgb;
        rgb = (xa_image){0};
    }
done:
    xa_image_fini(&bytes);
    xa_image_fini(&rgb);
    return st;
}
