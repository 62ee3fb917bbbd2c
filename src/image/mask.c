/* Masks and label maps: files whose samples are numbers, not brightness. */
#include "image_internal.h"

#include <stdlib.h>
#include <string.h>

/* The decoder scales samples of fewer than 8 bits to 0..255 and rounds; this is the inverse. */
static void narrow(xa_image *im)
{
    const int most = (1 << im->bits) - 1;
    uint8_t *v = im->data;
    for (size_t i = 0; i < xa__image_samples(im); i++)
        v[i] = (uint8_t)((v[i] * most + 127) / 255);
}

/* By how much red, green and blue of a grey picture may differ after a JPEG's conversion of
 * colours. */
enum { GREY_JPEG = 8 };

#define FIRST_OF(type)                                                                  \
    do {                                                                                \
        const type *p = src->data;                                                      \
        type *q = dst->data;                                                            \
        for (int64_t i = 0; i < n; i++, p += src->channels) {                           \
            if (colours == 3 && (abs(p[0] - p[1]) > apart || abs(p[0] - p[2]) > apart)) \
                return false;                                                           \
            q[i] = colours == 3 ? p[1] : p[0];                                          \
        }                                                                               \
    } while (0)

/* One channel of several: of three colours green; false if they differ by more than `apart`. */
static bool first_channel(const xa_image *src, int colours, int apart, xa_image *dst)
{
    const int64_t n = src->width * src->height;
    if (src->type == XA_PIXEL_U8)
        FIRST_OF(uint8_t);
    else
        FIRST_OF(uint16_t);
    return true;
}

/* Does the image have alpha with several values? */
static bool alpha_varies(const xa_image *im)
{
    if (!im->has_alpha)
        return false;
    const size_t pixel = xa_pixel_bytes(im->type) * (size_t)im->channels,
                 last = pixel - xa_pixel_bytes(im->type);
    const uint8_t *p = im->data;
    for (int64_t i = 1; i < im->width * im->height; i++)
        if (memcmp(p + last, p + (size_t)i * pixel + last, pixel - last) != 0)
            return true;
    return false;
}

static bool is_flat(const xa_image *im)
{
    const size_t bytes = xa_pixel_bytes(im->type);
    const uint8_t *p = im->data;
    return memcmp(p, p + bytes, (xa__image_samples(im) - 1) * bytes) == 0;
}

xa_status
xa_image_read_labels(const char *path, const xa_decode_options *options, xa_image *im, xa_err *err)
{
    xa_status st = XA_OK;
    xa_decode_options opt = options ? *options : xa_decode_defaults();
    xa_image read = {0}, one = {0};
    opt.palette_index = true;
    XA_TRY(err, xa_image_read(path, &opt, &read, err));
    const int colours = read.channels - (read.has_alpha ? 1 : 0);
    const bool jpeg = strcmp(read.format, "jpeg") == 0;
    if (jpeg && !opt.lossy_labels)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: a JPEG does not keep the numbers of a mask; FILE#>127 takes what is above 127",
                path);
    const bool alpha = alpha_varies(&read);
    if (read.type != XA_PIXEL_U8 && read.type != XA_PIXEL_U16)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: a mask of %s samples, expected uint8 or uint16",
                path,
                xa_pixel_name(read.type));
    if (strcmp(read.colour, "palette") != 0 && read.type == XA_PIXEL_U8 && read.bits < 8)
        narrow(&read);
    if (read.channels > 1) {
        if (colours != 1 && colours != 3)
            XA_FAIL(err, XA_UNSUPPORTED, "%s: a mask of %d channels", path, colours);
        XA_TRY(err, xa__image_like(&read, read.width, read.height, 1, read.type, &one, err));
        one.has_alpha = false;
        if (!first_channel(&read, colours, jpeg ? GREY_JPEG : 0, &one))
            XA_FAIL(err,
                    XA_UNSUPPORTED,
                    "%s: a mask in colours, expected grey values or palette indices",
                    path);
        xa_image_fini(&read);
        read = one;
        one = (xa_image){0};
    }
    read.alpha_varies = alpha;
    if (alpha && is_flat(&read))
        XA_FAIL(err,
                XA_INVALID,
                "%s: the mask is one grey value everywhere and only its alpha channel varies: save "
                "the alpha channel as the mask",
                path);
    *im = read;
    read = (xa_image){0};
done:
    xa_image_fini(&read);
    xa_image_fini(&one);
    return st;
}
