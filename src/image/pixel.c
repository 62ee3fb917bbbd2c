/* Pixel buffers: types, extents, orientation, hash. */
#include "image_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} PIXELS[XA_PIXEL_COUNT] = {
#define X(name, text, bytes) [XA_PIXEL_##name] = {text, bytes},
    XA_PIXEL_LIST(X)
#undef X
};

size_t xa_pixel_bytes(xa_pixel type)
{
    return (unsigned)type < XA_PIXEL_COUNT ? PIXELS[type].bytes : 0;
}

const char *xa_pixel_name(xa_pixel type)
{
    return (unsigned)type < XA_PIXEL_COUNT ? PIXELS[type].name : "unknown";
}

void xa_image_fini(xa_image *im)
{
    if (!im)
        return;
    free(im->data);
    memset(im, 0, sizeof *im);
}

static bool image_bytes(int64_t width, int64_t height, int64_t channels, xa_pixel type, size_t *out)
{
    size_t n;
    return xa_size_mul((size_t)width, (size_t)height, &n) && xa_size_mul(n, (size_t)channels, &n) &&
           xa_size_mul(n, xa_pixel_bytes(type), out) && *out <= PTRDIFF_MAX;
}

xa_status
xa_image_init(xa_image *im, int64_t width, int64_t height, int channels, xa_pixel type, xa_err *err)
{
    size_t bytes;
    if (width < 1 || height < 1 || channels < 1 || (unsigned)type >= XA_PIXEL_COUNT)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "an image needs width, height and channels of at least 1, not %" PRId64
                       " x %" PRId64 " x "
                       "%d (%s)",
                       width,
                       height,
                       channels,
                       xa_pixel_name(type));
    if (!image_bytes(width, height, channels, type, &bytes))
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "an image of %" PRId64 " x %" PRId64 " x %d %s does not fit memory",
                       width,
                       height,
                       channels,
                       xa_pixel_name(type));
    void *data = xa_alloc(bytes, 1);
    if (!data)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for an image of %zu bytes", bytes);
    *im = (xa_image){.width = width,
                     .height = height,
                     .channels = channels,
                     .type = type,
                     .data = data,
                     .bits = (int)(8 * xa_pixel_bytes(type)),
                     .orientation = 1,
                     .pages = 1};
    return XA_OK;
}

xa_status xa__image_prepare(xa_image *im,
                            int64_t width,
                            int64_t height,
                            int64_t channels,
                            xa_pixel type,
                            const xa_decode_options *opt,
                            bool header_only,
                            xa_err *err)
{
    int64_t pixels;
    size_t bytes = 0;
    if (width < 1 || height < 1 || channels < 1 || channels > INT32_MAX)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "the header gives %" PRId64 " x %" PRId64 " pixels of %" PRId64
                       " channels; at least 1 of each is "
                       "expected",
                       width,
                       height,
                       channels);
    if (!xa_i64_mul(width, height, &pixels) || pixels > opt->max_pixels)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%" PRId64 " x %" PRId64 " pixels are more than the limit of %" PRId64
                       " pixels; raise max_pixels "
                       "if the file is to be trusted",
                       width,
                       height,
                       opt->max_pixels);
    if (!image_bytes(width, height, channels, type, &bytes) || (int64_t)bytes > opt->max_bytes)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%" PRId64 " x %" PRId64 " pixels of %" PRId64
                       " %s channels need more than the limit of %" PRId64 " "
                       "bytes; raise max_bytes if the file is to be trusted",
                       width,
                       height,
                       channels,
                       xa_pixel_name(type),
                       opt->max_bytes);
    if (!header_only) {
        im->data = xa_alloc(bytes, 1);
        if (!im->data)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the %zu bytes of its pixels", bytes);
    }
    im->width = width;
    im->height = height;
    im->channels = (int)channels;
    im->type = type;
    return XA_OK;
}

xa_status xa__image_like(const xa_image *like,
                         int64_t width,
                         int64_t height,
                         int channels,
                         xa_pixel type,
                         xa_image *out,
                         xa_err *err)
{
    xa_image im;
    XA_RETURN_TRY(err, xa_image_init(&im, width, height, channels, type, err));
    void *data = im.data;
    im = *like;
    im.width = width;
    im.height = height;
    im.channels = channels;
    im.type = type;
    im.data = data;
    *out = im;
    return XA_OK;
}

/* Pixel (x, y) of the output is pixel start + x*step_x + y*step_y of the input. */
static void orient_copy(const uint8_t *src,
                        uint8_t *dst,
                        int64_t width,
                        int64_t height,
                        size_t pixel,
                        int64_t start,
                        int64_t step_x,
                        int64_t step_y)
{
    for (int64_t y = 0; y < height; y++) {
        int64_t at = start + y * step_y;
        for (int64_t x = 0; x < width; x++, at += step_x, dst += pixel)
            memcpy(dst, src + (size_t)at * pixel, pixel);
    }
}

xa_status xa__image_orient(xa_image *im, xa_err *err)
{
    const int64_t w = im->width, h = im->height;
    const bool turned = im->orientation >= 5;
    int64_t start, step_x, step_y;
    switch (im->orientation) {
    case 2: /* mirrored left-right */
        start = w - 1, step_x = -1, step_y = w;
        break;
    case 3: /* half a turn */
        start = w * h - 1, step_x = -1, step_y = -w;
        break;
    case 4: /* mirrored top-bottom */
        start = w * (h - 1), step_x = 1, step_y = -w;
        break;
    case 5: /* transposed */
        start = 0, step_x = w, step_y = 1;
        break;
    case 6: /* to be turned clockwise */
        start = w * (h - 1), step_x = -w, step_y = 1;
        break;
    case 7: /* transposed over the other diagonal */
        start = w * h - 1, step_x = -w, step_y = -1;
        break;
    case 8: /* to be turned anticlockwise */
        start = w - 1, step_x = w, step_y = -1;
        break;
    default:
        return XA_OK;
    }
    if (im->data) {
        const size_t pixel = (size_t)im->channels * xa_pixel_bytes(im->type);
        uint8_t *out = xa_alloc((size_t)w * (size_t)h, pixel);
        if (!out)
            XA_RETURN_FAIL(
                err, XA_NOMEM, "no memory to turn %" PRId64 " x %" PRId64 " pixels", w, h);
        orient_copy(im->data, out, turned ? h : w, turned ? w : h, pixel, start, step_x, step_y);
        free(im->data);
        im->data = out;
    }
    if (turned) {
        im->width = h;
        im->height = w;
    }
    return XA_OK;
}

uint64_t xa_image_hash(const xa_image *im)
{
    const uint64_t head[4] = {
        (uint64_t)im->type, (uint64_t)im->width, (uint64_t)im->height, (uint64_t)im->channels};
    const uint64_t seed = xa_hash64(head, sizeof head, 0);
    return xa_hash64(im->data, xa__image_samples(im) * xa_pixel_bytes(im->type), seed);
}
