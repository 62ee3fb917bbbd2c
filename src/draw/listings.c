/* The two pictures of the Keras listings that the program began with. */
#include "xaudit/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "overlay.h"

/* keras.utils.array_to_img: stretches minimum..maximum to 0..255 and truncates, in float32. */
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

/* matplotlib's jet before it is rounded to 8 bits: straight lines between corners (position,
 * value), at i / 255. */
static float jet_channel(int i, const double (*corner)[2], int n)
{
    const double at = i / 255.0;
    for (int k = 1; k < n; k++)
        if (at <= corner[k][0]) {
            const double part = (at - corner[k - 1][0]) / (corner[k][0] - corner[k - 1][0]);
            return (float)(corner[k - 1][1] + part * (corner[k][1] - corner[k - 1][1]));
        }
    return (float)corner[n - 1][1];
}

static void jet_colour(int i, float rgb[3])
{
    static const double red[][2] = {{0, 0}, {0.35, 0}, {0.66, 1}, {0.89, 1}, {1, 0.5}};
    static const double green[][2] = {{0, 0}, {0.125, 0}, {0.375, 1}, {0.64, 1}, {0.91, 0}, {1, 0}};
    static const double blue[][2] = {{0, 0.5}, {0.11, 1}, {0.34, 1}, {0.65, 0}, {1, 0}};
    rgb[0] = jet_channel(i, red, 5);
    rgb[1] = jet_channel(i, green, 6);
    rgb[2] = jet_channel(i, blue, 5);
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
    const int64_t cells = h * w, n = image->width * image->height * 3;
    float *work = xa_alloc((size_t)(cells * 3 > n ? cells * 3 : n), sizeof *work);
    if (!work)
        XA_FAIL(err, XA_NOMEM, "overlay: out of memory");
    XA_TRY(err, xa__overlay_check_rgb(image, "image", err));
    XA_TRY(err, xa_image_init(&colours, w, h, 3, XA_PIXEL_U8, err));
    for (int64_t i = 0; i < cells; i++) {
        const float v = 255.0f * map[i];
        const int at = v > 0.0f ? v < 255.0f ? (int)v : 255 : 0;
        jet_colour(at, work + 3 * i);
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
    XA_RETURN_TRY(err, xa__overlay_check_rgb(image, "image", err));
    XA_RETURN_TRY(err, xa_image_init(out, image->width, image->height, 3, XA_PIXEL_U8, err));
    const uint8_t *a = image->data;
    uint8_t *o = out->data;
    for (int64_t i = 0; i < image->width * image->height * 3; i++) {
        const int seen = (uint8_t)(map[i / 3] * (float)a[i]); /* attention times image */
        o[i] = seen - tolerance < a[i] && a[i] < seen + tolerance ? a[i] : 255;
    }
    return XA_OK;
}
