/* From the stored frame to the model's input, and the affine map back. */
#include "image_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* An image of one line of pixels, whose short side becomes hundreds of pixels, would fill the
 * memory. */
enum { MOST_PIXELS = 1 << 26 };

/* The image is resized to (width, height), and its corner lies at (left, top) of the frame; where
 * that is negative, it is cut. */
struct place {
    int64_t width, height, left, top;
};

static int64_t at_least_1(double v)
{
    return v < 1 ? 1 : (int64_t)v;
}

/* As CenterCrop of torchvision: half of the surplus, rounded to even, is cut before the image; a
 * missing part is padded, with the larger half after the image. */
static int64_t crop_start(int64_t have, int64_t want)
{
    if (want > have)
        return (want - have) / 2;
    return -(int64_t)rint((double)(have - want) / 2.0);
}

/* As Resize(short_side) of torchvision: the long side is truncated. */
static struct place
place_crop(int64_t w, int64_t h, int64_t width, int64_t height, int64_t short_side)
{
    struct place p;
    const bool wide = w > h;
    const double shorter = (double)(wide ? h : w), longer = (double)(wide ? w : h);
    const int64_t far = at_least_1(floor((double)short_side * longer / shorter));
    p.width = wide ? far : short_side;
    p.height = wide ? short_side : far;
    p.left = crop_start(p.width, width);
    p.top = crop_start(p.height, height);
    return p;
}

/* As ImageOps.pad of Pillow: the free side is rounded to even, and the image is centred. */
static struct place place_pad(int64_t w, int64_t h, int64_t width, int64_t height)
{
    struct place p = {.width = width, .height = height};
    const double ratio = (double)w / (double)h, frame = (double)width / (double)height;
    if (ratio > frame)
        p.height = at_least_1(rint((double)h / (double)w * (double)width));
    else if (ratio < frame)
        p.width = at_least_1(rint((double)w / (double)h * (double)height));
    p.left = (int64_t)rint((double)(width - p.width) * 0.5);
    p.top = (int64_t)rint((double)(height - p.height) * 0.5);
    return p;
}

static void fill(xa_image *im, double value)
{
    const size_t n = xa__image_samples(im);
    if (im->type == XA_PIXEL_U8) {
        const double v = value < 0 ? 0 : value > 255 ? 255 : rint(value);
        memset(im->data, (int)v, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        ((float *)im->data)[i] = (float)value;
}

/* Copies the part of `src` that lies inside `dst` if src's corner is at (left, top). */
static void paste(const xa_image *src, xa_image *dst, int64_t left, int64_t top)
{
    const size_t pixel = (size_t)src->channels * xa_pixel_bytes(src->type);
    const int64_t x0 = left > 0 ? left : 0, y0 = top > 0 ? top : 0;
    const int64_t x1 = left + src->width < dst->width ? left + src->width : dst->width;
    const int64_t y1 = top + src->height < dst->height ? top + src->height : dst->height;
    for (int64_t y = y0; y < y1 && x0 < x1; y++)
        memcpy((uint8_t *)dst->data + (size_t)(y * dst->width + x0) * pixel,
               (const uint8_t *)src->data + (size_t)((y - top) * src->width + x0 - left) * pixel,
               (size_t)(x1 - x0) * pixel);
}

xa_status xa_image_fit(const xa_image *im,
                       int64_t width,
                       int64_t height,
                       const xa_fit *fit,
                       xa_resample how,
                       xa_image *out,
                       double affine[2][3],
                       xa_err *err)
{
    xa_status st;
    xa_image scaled = {0}, framed = {0};
    struct place p = {.width = width, .height = height};
    if (width < 1 || height < 1 || width > INT32_MAX || height > INT32_MAX)
        XA_RETURN_FAIL(err, XA_INVALID, "a model input of %" PRId64 " x %" PRId64, width, height);
    switch (fit->kind) {
    case XA_FIT_STRETCH:
        break;
    case XA_FIT_CROP:
        if (fit->short_side < 1 || fit->short_side > INT32_MAX / 8)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "fit: short side %" PRId64 "; at least 1 is expected",
                           fit->short_side);
        p = place_crop(im->width, im->height, width, height, fit->short_side);
        if (p.width > MOST_PIXELS / p.height)
            XA_RETURN_FAIL(err,
                           XA_LIMIT,
                           "fit: a short side of %" PRId64 " makes %" PRId64 " x %" PRId64
                           " of %" PRId64 " x %" PRId64 " pixels; the "
                           "image is too narrow to be cropped, use stretch or pad",
                           fit->short_side,
                           p.width,
                           p.height,
                           im->width,
                           im->height);
        break;
    case XA_FIT_PAD:
        p = place_pad(im->width, im->height, width, height);
        break;
    default:
        XA_RETURN_FAIL(err, XA_INVALID, "unknown fit kind %d", (int)fit->kind);
    }
    XA_TRY(err, xa_image_resize(im, p.width, p.height, how, &scaled, err));
    if (p.left != 0 || p.top != 0 || p.width != width || p.height != height) {
        XA_TRY(err,
               xa__image_like(&scaled, width, height, scaled.channels, scaled.type, &framed, err));
        if (fit->pad_value != 0 && (p.width < width || p.height < height))
            fill(&framed, fit->pad_value);
        paste(&scaled, &framed, p.left, p.top);
        xa_image_fini(&scaled);
        scaled = framed;
    }
    const double sx = (double)im->width / (double)p.width;
    const double sy = (double)im->height / (double)p.height;
    const double map[2][3] = {{sx, 0, -(double)p.left * sx}, {0, sy, -(double)p.top * sy}};
    memcpy(affine, map, sizeof map);
    *out = scaled;
    return XA_OK;
done:
    xa_image_fini(&scaled);
    return st;
}
