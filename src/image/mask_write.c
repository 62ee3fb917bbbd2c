/* Masks as PNG files, through libpng: 1-bit grey, no times or texts, so that equal pixels are equal
 * files. */
#include "image_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <png.h>

struct write_job {
    png_structp png;
    png_infop info;
    FILE *file;
    char message[256];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct write_job *job = png_get_error_ptr(png);
    snprintf(job->message, sizeof job->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

/* Everything that may longjmp. */
static void encode(struct write_job *job, const uint8_t *pixels, int64_t width, int64_t height)
{
    png_init_io(job->png, job->file);
    png_set_IHDR(job->png,
                 job->info,
                 (png_uint_32)width,
                 (png_uint_32)height,
                 1,
                 PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_filter(
        job->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE); /* two levels: nothing gained */
    png_set_compression_level(job->png, 6);
    png_write_info(job->png, job->info);
    png_set_packing(job->png); /* a byte a pixel: 0, or anything else for 1 */
    for (int64_t y = 0; y < height; y++)
        png_write_row(job->png, pixels + (size_t)y * (size_t)width);
    png_write_end(job->png, NULL);
}

/* false after an error, with its words in job->message. */
static bool try_encode(struct write_job *job, const uint8_t *pixels, int64_t width, int64_t height)
{
    if (setjmp(png_jmpbuf(job->png)) != 0)
        return false;
    encode(job, pixels, width, height);
    return true;
}

xa_status xa_image_write_mask(
    const char *path, const uint8_t *pixels, int64_t width, int64_t height, xa_err *err)
{
    xa_status st = XA_OK;
    struct write_job *job = xa_alloc(1, sizeof *job);
    if (!job)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory to write %s", path);
    if (width < 1 || height < 1 || width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX)
        XA_FAIL(err,
                XA_SHAPE,
                "%s: a PNG cannot be %lldx%lld",
                path,
                (long long)width,
                (long long)height);
    job->file = fopen(path, "wbe");
    if (!job->file)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, strerror(errno));
    job->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    if (job->png)
        job->info = png_create_info_struct(job->png);
    if (!job->info)
        XA_FAIL(err, XA_NOMEM, "no memory to write %s", path);
    if (!try_encode(job, pixels, width, height))
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, job->message);
done:
    if (job->png)
        png_destroy_write_struct(&job->png, &job->info);
    if (job->file && fclose(job->file) != 0 && st == XA_OK)
        st = xa_err_set(err,
                        errno == ENOSPC ? XA_NOSPACE : XA_IO,
                        __FILE__,
                        __func__,
                        __LINE__,
                        "%s: cannot write: %s",
                        path,
                        strerror(errno));
    if (st != XA_OK && job->file)
        unlink(path);
    free(job);
    return st;
}
