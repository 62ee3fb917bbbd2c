/* Resampling by name: the resamplers' names, and the code that they share. */
#include "image_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef xa_status resize_fn(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);

static const char *const NAMES[XA_RESAMPLE_COUNT] = {
#define X(name, text) [XA_RESAMPLE_##name] = text,
    XA_RESAMPLE_LIST(X)
#undef X
};

int xa_resample_parse(const char *name)
{
    return name ? xa_word_index(name, NAMES, XA_RESAMPLE_COUNT) : -1;
}

const char *xa_resample_name(xa_resample r)
{
    return (unsigned)r < XA_RESAMPLE_COUNT ? NAMES[r] : "unknown";
}

static resize_fn *family(xa_resample how)
{
    if (how <= XA_RESAMPLE_PIL_LANCZOS)
        return xa__resize_pil;
    return how <= XA_RESAMPLE_CV2_AREA ? xa__resize_cv2 : xa__resize_tf;
}

static void gather(const xa_image *src, xa_image *dst, const int64_t *from_x, const int64_t *from_y)
{
    const size_t pixel = (size_t)src->channels * xa_pixel_bytes(src->type);
    const size_t src_row = (size_t)src->width * pixel, dst_row = (size_t)dst->width * pixel;
    for (int64_t y = 0; y < dst->height; y++) {
        const uint8_t *in = (const uint8_t *)src->data + (size_t)from_y[y] * src_row;
        uint8_t *out = (uint8_t *)dst->data + (size_t)y * dst_row;
        if (y > 0 && from_y[y] == from_y[y - 1]) {
            memcpy(out, out - dst_row, dst_row);
            continue;
        }
        for (int64_t x = 0; x < dst->width; x++, out += pixel)
            memcpy(out, in + (size_t)from_x[x] * pixel, pixel);
    }
}

xa_status xa__resize_nearest(const xa_image *src, xa_image *dst, xa__nearest_fn *rule, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t *from_x = xa_alloc((size_t)dst->width, sizeof *from_x);
    int64_t *from_y = xa_alloc((size_t)dst->height, sizeof *from_y);
    if (!from_x || !from_y)
        XA_FAIL(err, XA_NOMEM, "out of memory for the positions of a resized image");
    rule(from_x, src->width, dst->width);
    rule(from_y, src->height, dst->height);
    gather(src, dst, from_x, from_y);
done:
    free(from_x);
    free(from_y);
    return st;
}

static void copy_pixels(const xa_image *src, xa_image *dst)
{
    const size_t n = xa__image_samples(src);
    if (src->type == dst->type) {
        memcpy(dst->data, src->data, n * xa_pixel_bytes(src->type));
        return;
    }
    for (size_t i = 0; i < n; i++) /* tf-*: a copy as float */
        ((float *)dst->data)[i] = ((const uint8_t *)src->data)[i];
}

xa_status xa_image_resize(
    const xa_image *im, int64_t width, int64_t height, xa_resample how, xa_image *out, xa_err *err)
{
    xa_image r = {0};
    xa_status st;
    if ((unsigned)how >= XA_RESAMPLE_COUNT)
        XA_RETURN_FAIL(err, XA_INVALID, "unknown resampler %d", (int)how);
    if (im->type != XA_PIXEL_U8 && im->type != XA_PIXEL_F32)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s resizes uint8 and float32 images, not %s; set `depth` for such images",
                       xa_resample_name(how),
                       xa_pixel_name(im->type));
    /* The libraries count pixels in int, and larger sizes would overflow there. */
    if (width < 1 || height < 1 || width > INT32_MAX / 8 || height > INT32_MAX / 8 ||
        im->width > INT32_MAX / 8 || im->height > INT32_MAX / 8)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s from %" PRId64 " x %" PRId64 " to %" PRId64 " x %" PRId64
                       ": sizes from 1 to %d are expected",
                       xa_resample_name(how),
                       im->width,
                       im->height,
                       width,
                       height,
                       INT32_MAX / 8);
    const bool real = how == XA_RESAMPLE_TF_BILINEAR || how == XA_RESAMPLE_TF_BICUBIC;
    XA_TRY(
        err,
        xa__image_like(im, width, height, im->channels, real ? XA_PIXEL_F32 : im->type, &r, err));
    if (width == im->width && height == im->height)
        copy_pixels(im, &r);
    else
        XA_TRY(err, family(how)(im, &r, how, err));
    *out = r;
    return XA_OK;
done:
    xa_image_fini(&r);
    return st;
}
