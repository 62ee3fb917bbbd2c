/* PNG by libpng, which only this file and png_write.c see.
 *
 * Checksums must be right, and the file is read to its end, so that an image that decodes is
 * complete. Chunks that do not change pixels are skipped. As in jpeg.c, all state is behind one
 * pointer.
 */
#include "image_internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct png_job {
    png_structp png;
    png_infop info;
    const uint8_t *data;
    size_t size, at;
    xa_status code;
    char message[256];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct png_job *job = png_get_error_ptr(png);
    if (job->code == XA_OK)
        job->code = strstr(text, "emory") ? XA_NOMEM : XA_FORMAT;
    snprintf(job->message, sizeof job->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text; /* warnings are about colour profiles and the like */
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    struct png_job *job = png_get_io_ptr(png);
    if (n > job->size - job->at)
        png_error(png, "the file ends early");
    memcpy(out, job->data + job->at, n);
    job->at += n;
}

/* The file's samples, and those that the library is to return. */
struct layout {
    int channels;
    xa_pixel type;
    const char *colour;
};

static struct layout plan(struct png_job *job, const xa_decode_options *opt)
{
    png_structp png = job->png;
    const int bits = png_get_bit_depth(png, job->info);
    const int kind = png_get_color_type(png, job->info);
    const bool key = png_get_valid(png, job->info, PNG_INFO_tRNS) != 0;
    struct layout l = {.type = bits == 16 ? XA_PIXEL_U16 : XA_PIXEL_U8};
    switch (kind) {
    case PNG_COLOR_TYPE_PALETTE:
        l.colour = "palette";
        if (opt->palette_index) {
            png_set_packing(png);
            l.channels = 1;
            return l;
        }
        png_set_palette_to_rgb(png);
        l.channels = 3;
        break;
    case PNG_COLOR_TYPE_GRAY:
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        l.colour = "grey";
        png_set_expand_gray_1_2_4_to_8(png);
        l.channels = kind == PNG_COLOR_TYPE_GRAY ? 1 : 2;
        break;
    default:
        l.colour = "rgb";
        l.channels = kind == PNG_COLOR_TYPE_RGB ? 3 : 4;
    }
    if (key) {
        png_set_tRNS_to_alpha(png);
        l.channels++;
    }
    if (bits == 16 && (union {
                          uint16_t v;
                          uint8_t b[2];
                      }){.v = 1}
                              .b[0] == 1)
        png_set_swap(png);
    return l;
}

/* Everything that may longjmp. */
static xa_status decode(
    struct png_job *job, const xa_decode_options *opt, bool header_only, xa_image *im, xa_err *err)
{
    png_structp png = job->png;
    png_set_read_fn(png, job, on_read);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* our own limits follow */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(png, job->info);

    const struct layout l = plan(job, opt);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, job->info);
    snprintf(im->format, sizeof im->format, "png");
    snprintf(im->colour, sizeof im->colour, "%s", l.colour);
    im->bits = png_get_bit_depth(png, job->info);
    im->pages = 1;
    im->has_alpha = l.channels == 2 || l.channels == 4;
    im->orientation = xa__png_orientation(job->data, job->size);
    XA_RETURN_TRY(err,
                  xa__image_prepare(im,
                                    png_get_image_width(png, job->info),
                                    png_get_image_height(png, job->info),
                                    l.channels,
                                    l.type,
                                    opt,
                                    header_only,
                                    err));
    if (header_only)
        return XA_OK;
    const size_t row = (size_t)im->width * (size_t)im->channels * xa_pixel_bytes(im->type);
    if (png_get_rowbytes(png, job->info) != row)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "PNG: rows of %zu bytes where %zu are expected",
                       (size_t)png_get_rowbytes(png, job->info),
                       row);
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < im->height; y++)
            png_read_row(png, (uint8_t *)im->data + (size_t)y * row, NULL);
    png_read_end(png, NULL);
    return XA_OK;
}

/* The bits per sample in the file, before the library expands them. */
static int stored_bits(const uint8_t *data, size_t size)
{
    return size > 24 ? data[24] : 8;
}

xa_status xa__png_decode(const uint8_t *data,
                         size_t size,
                         const xa_decode_options *opt,
                         bool header_only,
                         xa_image *im,
                         xa_err *err)
{
    xa_status st = XA_NOMEM;
    struct png_job *job = xa_alloc(1, sizeof *job);
    if (!job)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory to decode a PNG");
    job->data = data;
    job->size = size;
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    if (job->png)
        job->info = png_create_info_struct(job->png);
    if (!job->info)
        XA_ERR(err, XA_NOMEM, "no memory to decode a PNG");
    else if (setjmp(png_jmpbuf(job->png)) == 0)
        st = decode(job, opt, header_only, im, err);
    else
        st = XA_ERR(err, job->code, "PNG: %s", job->message);
    if (st == XA_OK)
        im->bits = stored_bits(data, size);
    png_destroy_read_struct(&job->png, &job->info, NULL);
    free(job);
    return st;
}

const char *xa__png_library(void)
{
    return png_get_libpng_ver(NULL);
}
