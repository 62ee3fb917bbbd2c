/* What the tags of a TIFF page mean for its pixels: plain numbers, without libtiff. Private to
 * image. */
#ifndef XAUDIT_IMAGE_TIFF_PAGE_H
#define XAUDIT_IMAGE_TIFF_PAGE_H

#include "image_internal.h"

/* Values of tags, TIFF 6.0 and its supplements. */
enum {
    XA__TIFF_CODEC_OJPEG = 6,
    XA__TIFF_CODEC_JPEG = 7,
    XA__TIFF_MINISWHITE = 0,
    XA__TIFF_MINISBLACK = 1,
    XA__TIFF_RGB = 2,
    XA__TIFF_PALETTE = 3,
    XA__TIFF_MASK = 4,
    XA__TIFF_SEPARATED = 5,
    XA__TIFF_YCBCR = 6,
    XA__TIFF_CIELAB = 8,
    XA__TIFF_LOGL = 32844,
    XA__TIFF_LOGLUV = 32845,
    XA__TIFF_LINEAR_RAW = 34892,
    XA__TIFF_PLANAR_CONTIG = 1,
    XA__TIFF_PLANAR_SEPARATE = 2,
    XA__TIFF_FORMAT_UINT = 1,
    XA__TIFF_FORMAT_INT = 2,
    XA__TIFF_FORMAT_FLOAT = 3,
    XA__TIFF_FORMAT_VOID = 4,
    XA__TIFF_ALPHA_ASSOCIATED = 1,
    XA__TIFF_ALPHA_UNASSOCIATED = 2,
    XA__TIFF_INK_CMYK = 1
};

typedef struct xa__tiff_page {
    /* from the tags */
    uint32_t width, height;
    uint16_t spp, bits, format, photometric, planar, codec, orientation, inkset;
    uint16_t nextra, first_extra; /* how many extra samples, and the kind of the first */
    const uint16_t *palette[3];   /* NULL: none; not owned */
    bool tiled;
    /* from xa__tiff_plan */
    bool via_rgba; /* colour models that libtiff alone converts, to 8-bit RGB */
    bool jpeg_rgb; /* libjpeg is told to convert YCbCr to RGB */
    xa_pixel type; /* of the samples that are read */
    bool half;     /* 16-bit floats, which are widened to 32 bits */
    int colours;   /* samples before the extra ones */
    bool alpha, associated;
    int channels; /* of the result */
    const char *colour;
} xa__tiff_page;

/* Fills the second half from the tags. UNSUPPORTED and FORMAT say what the page has and what is
 * expected. */
xa_status xa__tiff_plan(xa__tiff_page *p, const xa_decode_options *opt, xa_err *err);
/* Does the page have one plane per sample, instead of interleaved samples? */
static inline bool xa__tiff_apart(const xa__tiff_page *p)
{
    return p->planar == XA__TIFF_PLANAR_SEPARATE && p->spp > 1;
}
/* Checks that a row of `bytes` holds `count` samples. */
xa_status xa__tiff_check_row(const xa__tiff_page *p, uint64_t bytes, int64_t count, xa_err *err);
/* Unpacks `count` samples of a row of a strip or tile into every `step`-th sample from `dst` on.
 * `line` has room for `count` samples of the page's type. */
void xa__tiff_convert(
    const xa__tiff_page *p, const void *raw, int64_t count, int64_t step, void *line, uint8_t *dst);
/* Compares the header of a JBIG strip (MSB first) with the page. libtiff does not, so that a few
 * bytes could cause days of decoding. */
xa_status xa__tiff_check_jbig(const uint8_t head[20], uint32_t width, uint32_t height, xa_err *err);
/* From the samples that were read to the image's colours: palette, inverted grey, inks, alpha. */
xa_status xa__tiff_to_colours(const xa__tiff_page *p,
                              const xa_decode_options *opt,
                              xa_image *im,
                              xa_err *err);

#endif
