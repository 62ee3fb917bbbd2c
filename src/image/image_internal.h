/* image, between its files: the decoders' entry points and small helpers they share. */
#ifndef XAUDIT_IMAGE_INTERNAL_H
#define XAUDIT_IMAGE_INTERNAL_H

#include "xaudit/image.h"

/* ---- decoders: each fills a zeroed `im`; with header_only data stays NULL ---------------------
 * On failure `im` may hold pixels: the caller releases it. Orientation is reported, not applied. */

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
/* Reads through `fd` (at any offset; not closed), so that one page of a large stack costs a page.
 */
xa_status xa__tiff_decode(int fd,
                          uint64_t size,
                          const xa_decode_options *opt,
                          bool header_only,
                          xa_image *im,
                          xa_err *err);

/* ---- orientation: where Pillow looks for it, and in its order
 * ------------------------------------
 */

enum { XA__NO_ORIENTATION = 0 };
/* Of a TIFF-structured block (what follows "Exif\0\0"; up to two such prefixes are passed over):
 * the first value of tag 0x112, whatever its numeric type, when it is 1..8; 1 when the tag is there
 * and says something else; XA__NO_ORIENTATION without the tag. */
int xa__exif_orientation(const uint8_t *block, size_t size);
/* tiff:Orientation of an XMP packet, as attribute ("=\"6\"") or element (">6"): its first digit;
 * XA__NO_ORIENTATION without one. */
int xa__xmp_orientation(const char *packet, size_t size);
/* 1..8: of the EXIF block where that has the tag, else of the XMP packet, else 1. NULL: none. */
int xa__orientation(const uint8_t *exif, size_t exif_size, const char *xmp, size_t xmp_size);
/* Of a PNG file in memory, complete or not. */
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

/* Applies im->orientation (1..8) to extents and, where there are any, pixels. */
xa_status xa__image_orient(xa_image *im, xa_err *err);

/* out = new pixels of the given extents and type, everything else (bits, format, ...) as in `like`.
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

/* ---- samples as files have them (samples.c) ----------------------------------------------------
 */

/* Unpacks `count` samples of `bits` (1..16) packed MSB first into bytes (bits <= 8) or native
 * uint16_t; values are not scaled. */
void xa__samples_unpack(const uint8_t *src, int64_t count, int bits, void *dst);
/* v * 255 / (2^bits - 1), rounded, in place. */
void xa__samples_widen(uint8_t *v, size_t count, int bits);
/* Four CMYK samples (0 = no ink) to RGB as Pillow's convert("RGB"); U8 and U16, in place allowed
 * when dst is src. src has `stride` samples a pixel, dst 3 + (stride - 4): what follows K is kept.
 */
xa_status
xa__samples_cmyk_to_rgb(const void *src, void *dst, int64_t pixels, int stride, xa_pixel type);
/* Indices of `bits` (U8 or U16 samples, the first of every `stride`) to RGB of 8 bits, followed by
 * what followed the index. Entries are 16-bit, or 8-bit as old writers had them, when none is above
 * 255. */
void xa__samples_palette(const void *src,
                         uint8_t *dst,
                         int64_t pixels,
                         int stride,
                         xa_pixel type,
                         const uint16_t *const map[3],
                         int bits);
/* Larger = darker to larger = lighter, the first `colours` of every `stride` samples: max - v for
 * unsigned (of `bits`), -1 - v for signed, -v for floats. */
void xa__samples_invert(
    void *data, int64_t pixels, int stride, int colours, xa_pixel type, int bits);
/* Divides colours by the last of every `stride` samples (associated to unassociated alpha). */
void xa__samples_unpremultiply(void *data, int64_t pixels, int stride, xa_pixel type, int bits);

/* ---- resamplers: dst has its extents, type and pixels; src differs in size --------------------
 */

xa_status xa__resize_pil(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
xa_status xa__resize_cv2(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
xa_status xa__resize_tf(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err);
/* Which of `in` pixels each of `out` pixels is, by a library's rule: from [out]. */
typedef void xa__nearest_fn(int64_t *from, int64_t in, int64_t out);
/* Every pixel of dst is one of src, by the same rule along both axes. */
xa_status xa__resize_nearest(const xa_image *src, xa_image *dst, xa__nearest_fn *rule, xa_err *err);

/* Names and versions of the decoders' libraries. */
const char *xa__jpeg_library(void);
const char *xa__png_library(void);
const char *xa__tiff_library(void);

#endif
