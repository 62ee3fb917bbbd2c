/* clang-format off */
/* image: pixels from files, exact resamplers, and the affine map from the model's input to the image.
 *
 * Conventions of the whole program:
 *  - Pixel (x, y) covers [x, x+1) x [y, y+1); its centre is at (x+0.5, y+0.5). Boxes are half-open.
 *  - The *stored frame* is the image after its EXIF orientation is applied; width and height,
 *    boxes and masks of a manifest refer to it.
 *  - Memory is row-major, channels interleaved: data[(y*width + x)*channels + c].
 *  - A resampler gives the result of the library in its name. pil-*: Pillow 13, antialiased when it
 *    shrinks (earlier versions differ by the rounding between the two passes where the height shrinks
 *    more than twice as much as the width); cv2-*: OpenCV's own code, not IPP; tf-*:
 *    tf.image.resize(antialias=False), with half-pixel centres. Alpha is resized like any channel.
 */
/* clang-format on */
#ifndef XAUDIT_IMAGE_H
#define XAUDIT_IMAGE_H

#include "xaudit/util.h"

/* ---- pixels ---------------------------------------------------------------------------------- */

#define XA_PIXEL_LIST(X) \
    X(U8, "uint8", 1)    \
    X(U16, "uint16", 2)  \
    X(U32, "uint32", 4)  \
    X(I8, "int8", 1)     \
    X(I16, "int16", 2)   \
    X(I32, "int32", 4)   \
    X(F32, "float32", 4) \
    X(F64, "float64", 8)
typedef enum xa_pixel {
#define X(name, text, bytes) XA_PIXEL_##name,
    XA_PIXEL_LIST(X)
#undef X
        XA_PIXEL_COUNT
} xa_pixel;
size_t xa_pixel_bytes(xa_pixel type);
const char *xa_pixel_name(xa_pixel type);

/* A decoded image: its EXIF orientation is applied, palettes and CMYK are converted to RGB,
 * MINISWHITE is inverted so that larger values are lighter, and samples of fewer than 8 bits are
 * scaled to 0..255. */
typedef struct xa_image {
    int64_t width, height;
    int channels;   /* 1 grey, 2 grey+alpha, 3 RGB, 4 RGB+alpha (has_alpha), else n bands */
    bool has_alpha; /* the last channel is unassociated alpha */
    xa_pixel type;
    void *data;        /* owned; [height, width, channels] of type, native byte order */
    int bits;          /* bits per sample in the file (1, 2, 4, 8, 10, 12, 16, 32, 64) */
    char format[16];   /* "jpeg", "png", "tiff" */
    char colour[24];   /* the file's colours: "grey", "rgb", "palette", "cmyk", "ycbcr", ... */
    int orientation;   /* of EXIF or TIFF in the file, 1..8; already applied to the pixels */
    int pages;         /* number of pages in the file (TIFF directories), else 1 */
    bool alpha_varies; /* xa_image_read_labels: the alpha that was dropped had several values */
} xa_image;

void xa_image_fini(xa_image *im); /* frees data, zeroes the struct */
XA_MUST_USE xa_status xa_image_init(xa_image *im,
                                    int64_t width,
                                    int64_t height,
                                    int channels,
                                    xa_pixel type,
                                    xa_err *err); /* zeroed pixels */

typedef struct xa_decode_options {
    int64_t max_pixels; /* larger images are refused before memory is allocated; default
                           357913940, twice the size that Pillow refuses */
    int64_t max_bytes;  /* larger files and decoded buffers are refused; default 4 GiB. A strip of
                           a TIFF may need as much again while it is converted. */
    int page;           /* TIFF directory, default 0 */
    bool palette_index; /* keep palette indices as 1-channel U8 instead of colours (masks) */
    bool ignore_orientation;
    bool lossy_labels; /* xa_image_read_labels reads a JPEG too, for masks with a threshold */
} xa_decode_options;
xa_decode_options xa_decode_defaults(void);

/* Decodes a JPEG, PNG or TIFF file, which its content identifies, not its name. The file must be a
 * regular one. A truncated or damaged file is an error: no pixel is made up. Errors: NOT_FOUND, IO,
 * FORMAT (what is damaged, and where), UNSUPPORTED, LIMIT, NOMEM. `im` is initialised on success
 * only; opt NULL: defaults. */
XA_MUST_USE xa_status xa_image_read(const char *path,
                                    const xa_decode_options *opt,
                                    xa_image *im,
                                    xa_err *err);
/* Reads the header only: width, height (orientation applied), channels, type, bits, format, colour,
 * pages; data stays NULL. Errors as xa_image_read. */
XA_MUST_USE xa_status xa_image_probe(const char *path,
                                     const xa_decode_options *opt,
                                     xa_image *im,
                                     xa_err *err);
/* Reads a mask or label map: one channel, U8 or U16, with the numbers that are in the file, that is
 * palette indices or grey values as stored (a 1-bit mask has 0 and 1). A file in colours is read if
 * red, green and blue are equal everywhere (in a JPEG: nearly); else UNSUPPORTED, as are signed,
 * 32-bit and float samples, and, without lossy_labels, JPEG, which changes numbers. Alpha is
 * dropped, and alpha_varies set if it had several values; INVALID if the grey values do not vary
 * but alpha does, since alpha then is the mask. opt NULL: defaults. */
XA_MUST_USE xa_status xa_image_read_labels(const char *path,
                                           const xa_decode_options *opt,
                                           xa_image *im,
                                           xa_err *err);
/* Pixel i, in row-major order, of an image of xa_image_read_labels. */
static inline uint32_t xa_image_label(const xa_image *labels, int64_t i)
{
    return labels->type == XA_PIXEL_U8 ? ((const uint8_t *)labels->data)[i]
                                       : ((const uint16_t *)labels->data)[i];
}
/* Writes pixels [height, width] as a 1-bit PNG: 0 stays 0, everything else is 1. Equal pixels give
 * equal bytes. */
XA_MUST_USE xa_status xa_image_write_mask(
    const char *path, const uint8_t *pixels, int64_t width, int64_t height, xa_err *err);
/* Writing pictures, which are RGB U8 images. texts: a PNG keyword of at most 79 bytes and a UTF-8
 * text each. dpi 0: the file does not say. IO and NOSPACE name the file; a file that is not
 * complete is removed. */
typedef struct xa_file_text {
    const char *key, *text;
} xa_file_text;
/* Appends the bytes of a PNG file without texts to out, of 8-bit RGB or grey. */
XA_MUST_USE xa_status xa_image_png(const xa_image *im, xa_str *out, xa_err *err);
/* Appends an 8-bit RGB image as a JPEG file of `quality` 1 to 100, its colour at full resolution.
 */
XA_MUST_USE xa_status xa_image_jpeg(const xa_image *im, int quality, xa_str *out, xa_err *err);
XA_MUST_USE xa_status xa_image_write_png(const char *path,
                                         const xa_image *im,
                                         double dpi,
                                         const xa_file_text *texts,
                                         int ntexts,
                                         xa_err *err);
/* A baseline TIFF of one page, LZW with horizontal differences; description may be NULL. */
XA_MUST_USE xa_status xa_image_write_tiff(
    const char *path, const xa_image *im, double dpi, const char *description, xa_err *err);
/* Hash of the decoded pixels (type, extents and samples): the archive's pixel_hash. */
uint64_t xa_image_hash(const xa_image *im);

/* ---- from samples to 0..255 and to the channels a model wants ----------------------------------
 */

/* How samples that are not 8-bit become 0..255. There is no default: NONE with such an image is an
 * error that names type, minimum and maximum, and what to write in the job. */
typedef enum xa_depth_kind {
    XA_DEPTH_NONE,       /* 8-bit samples only */
    XA_DEPTH_DIV257,     /* 16-bit: v/257 */
    XA_DEPTH_CLIP255,    /* min(max(v,0),255) */
    XA_DEPTH_WINDOW,     /* (v-low)/(high-low)*255, clipped */
    XA_DEPTH_PERCENTILE, /* a window between the image's own percentiles low and high (0..100),
                            over all channels but alpha, interpolated linearly as by
                            numpy.percentile; samples that are not finite are an error */
    XA_DEPTH_RAW         /* the samples themselves as float, for `scale` settings made for them */
} xa_depth_kind;
typedef struct xa_depth {
    xa_depth_kind kind;
    double low, high; /* WINDOW, PERCENTILE */
} xa_depth;
/* "window", ... ; -1 when unknown. */
int xa_depth_parse(const char *name);
const char *xa_depth_name(xa_depth_kind kind);

/* 8-bit input stays U8. Anything else becomes F32 in 0..255 (unrounded; resampled as float). */
XA_MUST_USE xa_status xa_image_apply_depth(const xa_image *im,
                                           const xa_depth *depth,
                                           xa_image *out,
                                           xa_err *err);
/* To exactly `channels`. Alpha and whatever follows the colours of an RGB file is dropped, colours
 * stay as they are, as Pillow's convert does. 3 to 1 is Pillow's "L": (19595 R + 38470 G + 7471 B +
 * 32768) >> 16 for U8, its float formula otherwise. 1 to 3 repeats the channel, n to n copies;
 * SHAPE otherwise. UNSUPPORTED: 3 to 1 needs U8 or F32.
 */
XA_MUST_USE xa_status xa_image_to_channels(const xa_image *im,
                                           int channels,
                                           xa_image *out,
                                           xa_err *err);

/* ---- resampling ------------------------------------------------------------------------------ */

/* X(ENUM, name) */
#define XA_RESAMPLE_LIST(X)         \
    X(PIL_NEAREST, "pil-nearest")   \
    X(PIL_BILINEAR, "pil-bilinear") \
    X(PIL_BICUBIC, "pil-bicubic")   \
    X(PIL_LANCZOS, "pil-lanczos")   \
    X(CV2_NEAREST, "cv2-nearest")   \
    X(CV2_LINEAR, "cv2-linear")     \
    X(CV2_CUBIC, "cv2-cubic")       \
    X(CV2_AREA, "cv2-area")         \
    X(TF_NEAREST, "tf-nearest")     \
    X(TF_BILINEAR, "tf-bilinear")   \
    X(TF_BICUBIC, "tf-bicubic")
typedef enum xa_resample {
#define X(name, text) XA_RESAMPLE_##name,
    XA_RESAMPLE_LIST(X)
#undef X
        XA_RESAMPLE_COUNT
} xa_resample;
int xa_resample_parse(const char *name); /* -1 when unknown */
const char *xa_resample_name(xa_resample r);

/* Resizes U8 or F32 images of any channel count. pil-* and cv2-* on U8 give U8 (their 8-bit
 * fixed-point results), tf-bilinear and tf-bicubic give F32, nearest keeps the type. Resizing to
 * the same size copies (as the libraries do). */
XA_MUST_USE xa_status xa_image_resize(
    const xa_image *im, int64_t width, int64_t height, xa_resample how, xa_image *out, xa_err *err);

/* Enlarges a map: bilinear, half-pixel centres, edges clamped, no antialiasing, as INTER_LINEAR of
 * cv2 on floats and bilinear of torch with align_corners=False. src [h,w] f32 to dst [oh,ow] f32,
 * both row-major, the caller's. */
void xa_upsample_linear(const float *src, int64_t h, int64_t w, float *dst, int64_t oh, int64_t ow);
/* The same by cubic convolution, as cv2.resize with INTER_CUBIC on a map of doubles: weights in
 * single precision, sums in double and in its order. src [h,w] f32 to dst [oh,ow] f64. NOMEM. */
XA_MUST_USE xa_status xa_upsample_cubic(
    const float *src, int64_t h, int64_t w, double *dst, int64_t oh, int64_t ow, xa_err *err);

/* ---- fit: from the stored frame to the model's input -------------------------------------------
 */

typedef enum xa_fit_kind {
    XA_FIT_STRETCH, /* to width x height, aspect not kept */
    XA_FIT_CROP,    /* the short side to `short_side` (the long side as torchvision truncates it),
                       then a crop of width x height from the centre (torchvision's rounding) */
    XA_FIT_PAD      /* the largest size that fits, centred; the rest is `pad_value` (ImageOps.pad of
                       Pillow) */
} xa_fit_kind;
typedef struct xa_fit {
    xa_fit_kind kind;
    int64_t short_side; /* CROP */
    double pad_value;   /* PAD, and CROP if it is larger than the image; 0..255, default 0 */
} xa_fit;

/* out: the image as the model's input has it, width x height, same channels. affine maps
 * coordinates of the model's input to the stored frame, so that boxes and maps can be transferred:
 * X = a00*x + a01*y + a02, Y = a10*x + a11*y + a12, in continuous coordinates whose origin is the
 * corner of the first pixel. */
XA_MUST_USE xa_status xa_image_fit(const xa_image *im,
                                   int64_t width,
                                   int64_t height,
                                   const xa_fit *fit,
                                   xa_resample how,
                                   xa_image *out,
                                   double affine[2][3],
                                   xa_err *err);

/* A picture for people: RGB U8, its longer side at most `most` pixels (Pillow's bilinear). Samples
 * that are not 8-bit are scaled by `depth`; if that is NULL, NONE or RAW, between the 1st and the
 * 99th percentile. UNSUPPORTED if the image has neither one nor three colours. *out is initialised
 * here. */
XA_MUST_USE xa_status xa_image_to_picture(
    const xa_image *in, const xa_depth *depth, int64_t most, xa_image *out, xa_err *err);

/* "libjpeg-turbo 2.1.5, libpng 1.6.39, libtiff 4.5.0": the libraries in use; libjpeg's version is
 * the one that this program was built with. */
void xa_image_libraries(char *out, size_t size);

#endif
