/* A map over its image: comparable blends, and the two pictures of the Keras listings. */
#include "xaudit/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static xa_status check_rgb(const xa_image *im, const char *what, xa_err *err)
{
    if (im->type != XA_PIXEL_U8 || im->channels != 3)
        XA_RETURN_FAIL(err, XA_SHAPE, "%s: expected 8-bit RGB, found %d channels of %s", what, im->channels, xa_pixel_name(im->type));
    return XA_OK;
}

xa_status xa_overlay_blend(
    const xa_image *image, const xa_image *colours, double weight, xa_image *out, xa_err *err)
{
    XA_RETURN_TRY(err, check_rgb(image, "image", err));
    XA_RETURN_TRY(err, check_rgb(colours, "coloured map", err));
    if (image->width != colours->width || image->height != colours->height)
        XA_RETURN_FAIL(err, XA_MISMATCH, "image and coloured map are of two sizes");
    XA_RETURN_TRY(err, xa_image_init(out, image->width, image->height, 3, XA_PIXEL_U8, err));
    const uint8_t *a = image->data, *b = colours->data;
    uint8_t *o = out->data;
    for (int64_t i = 0; i < image->width * image->height * 3; i++)
        o[i] = (uint8_t)lrint((1.0 - weight) * (double)a[i] + weight * (double)b[i]);
    return XA_OK;
}

/* keras.utils.array_to_img: from its minimum to its maximum to 0..255, cut off, in float32. */
static void stretch(const float *x, int64_t n, uint8_t *out)
{
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        low = x[i] < low ? x[i] : low;
    for (int64_t i = 0; i < n; i++)
        high = x[i] - low > high ? x[i] - low : high;
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] - low;
        if (high != 0.0f)
            v /= high;
        out[i] = (uint8_t)(v * 255.0f);
    }
}

xa_status xa_overlay_keras(const xa_image *image,
                           const float *map,
                           int64_t h,
                           int64_t w,
                           double alpha,
                           xa_image *out,
                           xa_err *err)
{
    xa_status st = XA_OK;
    xa_image colours = {0}, grown = {0}, result = {0};
    const uint8_t(*jet)[3] = xa_colormap_table(XA_COLORMAP_JET);
    const int64_t cells = h * w, n = image->width * image->height * 3;
    float *work = xa_alloc((size_t)(cells * 3 > n ? cells * 3 : n), sizeof *work);
    if (!work)
        XA_FAIL(err, XA_NOMEM, "overlay: out of memory");
    XA_TRY(err, check_rgb(image, "image", err));
    XA_TRY(err, xa_image_init(&colours, w, h, 3, XA_PIXEL_U8, err));
    for (int64_t i = 0; i < cells; i++) {
        const float v = 255.0f * map[i];
        const int at = v > 0.0f ? v < 255.0f ? (int)v : 255 : 0;
        for (int c = 0; c < 3; c++)
            work[3 * i + c] = (float)jet[at][c];
    }
    stretch(work, cells * 3, colours.data);
    XA_TRY(err,
           xa_image_resize(
               &colours, image->width, image->height, XA_RESAMPLE_PIL_BICUBIC, &grown, err));
    const uint8_t *a = image->data, *b = grown.data;
    for (int64_t i = 0; i < n; i++)
        work[i] = (float)b[i] * (float)alpha + (float)a[i];
    XA_TRY(err, xa_image_init(&result, image->width, image->height, 3, XA_PIXEL_U8, err));
    stretch(work, n, result.data);
    *out = result;
    result = (xa_image){0};
done:
    xa_image_fini(&colours);
    xa_image_fini(&grown);
    xa_image_fini(&result);
    free(work);
    return st;
}

xa_status xa_relevant_pixels(
    const xa_image *image, const float *map, int tolerance, xa_image *out, xa_err *err)
{
    XA_RETURN_TRY(err, check_rgb(image, "image", err));
    XA_RETURN_TRY(err, xa_image_init(out, image->width, image->height, 3, XA_PIXEL_U8, err));
    const uint8_t *a = image->data;
    uint8_t *o = out->data;
    for (int64_t i = 0; i < image->width * image->height * 3; i++) {
        const int seen = (uint8_t)(map[i / 3] * (float)a[i]); /* attention times image */
        o[i] = seen - tolerance < a[i] && a[i] < seen + tolerance ? a[i] : 255;
    }
    return XA_OK;
}
