/* From the channels of a file to those that a model needs. */
#include "image_internal.h"

#include <string.h>

/* Pillow's convert("L"): ITU-R 601-2 luma in 16-bit fixed point. */
static void luma_u8(const uint8_t *src, int64_t pixels, int stride, uint8_t *dst)
{
    for (int64_t i = 0; i < pixels; i++, src += stride)
        dst[i] = (uint8_t)((19595u * src[0] + 38470u * src[1] + 7471u * src[2] + 32768u) >> 16);
}

/* Samples that are not integers: Pillow's weights for float results, 0.299, 0.587 and 0.114. */
static void luma_f32(const float *src, int64_t pixels, int stride, float *dst)
{
    for (int64_t i = 0; i < pixels; i++, src += stride)
        dst[i] = (float)((299.0 * src[0] + 587.0 * src[1] + 114.0 * src[2]) / 1000.0);
}

/* Copies `take` of every `stride` samples to dst; with `repeat`, the first one `take` times. */
static void pick(const uint8_t *src,
                 int64_t pixels,
                 int stride,
                 int take,
                 bool repeat,
                 size_t bytes,
                 uint8_t *dst)
{
    for (int64_t i = 0; i < pixels; i++, src += (size_t)stride * bytes)
        for (int c = 0; c < take; c++, dst += bytes)
            memcpy(dst, repeat ? src : src + (size_t)c * bytes, bytes);
}

xa_status xa_image_to_channels(const xa_image *im, int channels, xa_image *out, xa_err *err)
{
    xa_image r;
    const int64_t pixels = im->width * im->height;
    /* In RGB with further bands that are not alpha, the first three are the colours, as in Pillow.
     */
    const bool rgb = strcmp(im->colour, "rgb") == 0 && im->channels > 3;
    const int colours = rgb ? 3 : im->channels - (im->has_alpha ? 1 : 0);
    const bool same = channels == im->channels, drop = channels == colours;
    const bool to_grey = colours == 3 && channels == 1, to_rgb = colours == 1 && channels == 3;

    if (!same && !drop && !to_grey && !to_rgb)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "the image has %d channels (%s%s), the model wants %d; only 1 and 3 are "
                       "converted into each other",
                       im->channels,
                       im->colour[0] ? im->colour : "colour unknown",
                       im->has_alpha ? ", the last is alpha" : "",
                       channels);
    if (to_grey && !same && im->type != XA_PIXEL_U8 && im->type != XA_PIXEL_F32)
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "colour to grey needs uint8 or float32 samples, not %s; set `depth` for such "
            "images",
            xa_pixel_name(im->type));
    XA_RETURN_TRY(err, xa__image_like(im, im->width, im->height, channels, im->type, &r, err));
    r.has_alpha = same && im->has_alpha;
    const size_t bytes = xa_pixel_bytes(im->type);
    if (same)
        memcpy(r.data, im->data, xa__image_samples(im) * bytes);
    else if (drop)
        pick(im->data, pixels, im->channels, channels, false, bytes, r.data);
    else if (to_rgb)
        pick(im->data, pixels, im->channels, 3, true, bytes, r.data);
    else if (im->type == XA_PIXEL_U8)
        luma_u8(im->data, pixels, im->channels, r.data);
    else
        luma_f32(im->data, pixels, im->channels, r.data);
    *out = r;
    return XA_OK;
}
