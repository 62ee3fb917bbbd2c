/* Private to image: the decoders, and helpers that its files share. */
#ifndef XAUDIT_IMAGE_INTERNAL_H
#define XAUDIT_IMAGE_INTERNAL_H

#include "xaudit/image.h"

/* ---- decoders -------------------------------------------------------------------------------- */

/* Each fills a zeroed `im`; with header_only, data stays NULL. On failure `im` may hold pixels,
 * which the caller frees. The orientation is set, not applied. */

xa_status xa__jpeg_decode(const uint8_t *data,
                          size_t size,
                          const xa_decode_options *opt,
                          bool header_only,
                          xa_image *im,
                          xa_err *err);
xa_status xa__png_decode(const uint8_t *data,
                         size_t size,
                         const xa_decode_options *opt,
                         bool header_only,
                         xa_image *im,
                         xa_err *err);
/* Reads through `fd`, at any offset and without closing it, so that one page of a large stack costs
 * one page. */
xa_status xa__tiff_decode(int fd,
                          uint64_t size,
                          const xa_decode_options *opt,
                          bool header_only,
                          xa_image *im,
                          xa_err *err);

/* ---- orientation: in the same places as Pillow, in its order --------------------------------- */

enum { XA__NO_ORIENTATION = 0 };
/* Of a TIFF-structured block, as it follows "Exif\0\0" (up to two such prefixes are skipped): the
 * first value of tag 0x112, of any numeric type, if it is 1..8; 1 for any other value;
 * XA__NO_ORIENTATION without the tag. */
int xa__exif_orientation(const uint8_t *block, size_t size);
/* tiff:Orientation of an XMP packet, as attribute ("=\"6\"") or element (">6"): its first digit;
 * XA__NO_ORIENTATION without one. */
int xa__xmp_orientation(const char *packet, size_t size);
/* 1..8: of the EXIF block if that has the tag, else of the XMP packet, else 1. Either may be NULL.
 */
int xa__orientation(const uint8_t *exif, size_t exif_size, const char *xmp, size_t xmp_size);
/* Of a PNG file in memory, which need not be complete. */
int xa__png_orientation(const uint8_t *data, size_t size);

/* Checks extents against the options, then sets width, height, channels, type and, unless
 * header_only, allocates zeroed pixels. Keeps the other fields of `im`. */
xa_status xa__image_prepare(xa_image *im,
                            int64_t width,
                            int64_t height,
                            int64_t channels,
                            xa_pixel type,
                            const xa_decode_options *opt,
                            bool header_only,
                            xa_err *err);

/* Applies im->orientation (1..8) to the extents and, if there are any, the pixels. */
xa_status xa__image_orient(xa_image *im, xa_err *err);

/* out: new pixels of these extents and type; everything else (bits, format, ...) is that of `like`.
 */
xa_status xa__image_like(const xa_image *like,
                         int64_t width,
                         int64_t height,
                         int channels,
                         xa_pixel type,
                         xa_image *out,
                         xa_err *err);

static inline size_t xa__image_samples(const xa_image *im)
{
    return (size_t)im->width * (size_t)im->height * (size_t)im->channels;
}

/* ---- samples as files have them (samples.c) -------------------------------------------------- */

/* Unpacks `count` samples of `bits` (1..16) packed MSB first into bytes (bits <= 8) or native
 * uint16_t; values are not scaled. */
void xa__samples_unpack(const uint8_t *src, int64_t count, int bits, void *dst);
/* v * 255 / (2^bits - 1), rounded, in place. */
void xa__samples_widen(uint8_t *v, size_t count, int bits);
/* Four CMYK samples (0 = no ink) to RGB, as Pillow's convert("RGB"); U8 and U16; dst may be src.
 * src has `stride` samples per pixel, dst one fewer: the samples after K are kept. */
xa_status
xa__samples_cmyk_to_rgb(const void *src, void *dst, int64_t pixels, int stride, xa_pixel type);
/* Palette indices of `bits` (U8 or U16 samples, the first of every `stride`) to 8-bit RGB, followed
 * by the samples after the index. Entries of the palette are 16-bit; if none is above 255 they are
 * taken as 8-bit, as old programs wrote them. */
void xa__samples_palette(const void *src,
                         uint8_t *dst,
                         int64_t pixels,
                         int stride,
                         xa_pixel type,
                         const uint16_t *const map[3],
                         int bits);
/* Inverts the first `colours` of every `stride` samples, so that larger values are lighter: max - v
 * for unsigned ones (of `bits`), -1 - v for signed ones, -v for floats. */
void xa__samples_invert(
    void *data, int64_t pixels, int stride, int colours, xa_pixel type, int bits);
/* Divides colours by the last of every `stride` samples: from associated to unassociated alpha. */
void xa__samples_unpremultiply(void *data, int64_t pixels, int stride, xa_pixel type, int bits);

/* ---- resamplers: dst has its extents, type and pixels; src has another size ------------------ */

xa_status xa__resize_pil(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
xa_status xa__resize_cv2(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
xa_status xa__resize_tf(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
/* A library's rule for nearest: which of `in` pixels each of `out` pixels is. from: [out]. */
typedef void xa__nearest_fn(int64_t *from, int64_t in, int64_t out);
/* Every pixel of dst is one of src, by the same rule along both axes. */
xa_status xa__resize_nearest(const xa_image *src, xa_image *dst, xa__nearest_fn *rule, xa_err *err);

/* Names and versions of the decoders' libraries. */
const char *xa__jpeg_library(void);
const char *xa__png_library(void);
const char *xa__tiff_library(void);

#endif
