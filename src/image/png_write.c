/* PNG files by libpng: masks as 1-bit grey, pictures as RGB with their resolution and texts. No
 * time is written, so that equal pixels give equal files. */
#include "image_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <png.h>

struct write_job {
    const xa_image *picture; /* NULL: a mask */
    const xa_file_text *texts;
    int ntexts;
    double dpi;
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
        job->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE); /* filters gain nothing with two levels */
    png_set_compression_level(job->png, 6);
    png_write_info(job->png, job->info);
    png_set_packing(job->png); /* pixels are given as bytes: 0, or any other value for 1 */
    for (int64_t y = 0; y < height; y++)
        png_write_row(job->png, pixels + (size_t)y * (size_t)width);
    png_write_end(job->png, NULL);
}

static void encode_picture(struct write_job *job)
{
    const xa_image *im = job->picture;
    png_init_io(job->png, job->file);
    png_set_IHDR(job->png,
                 job->info,
                 (png_uint_32)im->width,
                 (png_uint_32)im->height,
                 8,
                 im->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (job->dpi > 0.0) {
        const png_uint_32 metre = (png_uint_32)(job->dpi / 0.0254 + 0.5);
        png_set_pHYs(job->png, job->info, metre, metre, PNG_RESOLUTION_METER);
    }
    for (int i = 0; i < job->ntexts; i++) {
        char key[80];
        snprintf(key, sizeof key, "%.79s", job->texts[i].key);
        png_text t = {.compression = PNG_ITXT_COMPRESSION_NONE,
                      .key = key,
                      .text = (char *)(uintptr_t)job->texts[i].text};
        png_set_text(job->png, job->info, &t, 1);
    }
    png_write_info(job->png, job->info);
    for (int64_t y = 0; y < im->height; y++)
        png_write_row(job->png,
                      (const uint8_t *)im->data +
                          (size_t)y * (size_t)im->width * (size_t)im->channels);
    png_write_end(job->png, NULL);
}

/* false after an error, whose text is in job->message. */
static bool try_encode(struct write_job *job, const uint8_t *pixels, int64_t width, int64_t height)
{
    if (setjmp(png_jmpbuf(job->png)) != 0)
        return false;
    if (job->picture)
        encode_picture(job);
    else
        encode(job, pixels, width, height);
    return true;
}

/* `settings` has what is written, and the open file; if that is NULL, `path` is written. */
static xa_status write_png(const char *path,
                           const struct write_job *settings,
                           const uint8_t *pixels,
                           int64_t width,
                           int64_t height,
                           xa_err *err)
{
    xa_status st = XA_OK;
    struct write_job *job = xa_alloc(1, sizeof *job);
    if (!job)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory to write %s", path);
    *job = *settings;
    if (width < 1 || height < 1 || width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX)
        XA_FAIL(err, XA_SHAPE, "%s: a PNG cannot be %" PRId64 "x%" PRId64, path, width, height);
    if (!job->file)
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
    if (job->file && !settings->file && fclose(job->file) != 0 && st == XA_OK)
        st = XA_ERR(err,
                    errno == ENOSPC ? XA_NOSPACE : XA_IO,
                    "%s: cannot write: %s",
                    path,
                    strerror(errno));
    if (st != XA_OK && job->file && !settings->file)
        unlink(path);
    free(job);
    return st;
}

xa_status xa_image_write_mask(
    const char *path, const uint8_t *pixels, int64_t width, int64_t height, xa_err *err)
{
    const struct write_job mask = {.picture = NULL};
    return write_png(path, &mask, pixels, width, height, err);
}

xa_status xa_image_write_png(const char *path,
                             const xa_image *im,
                             double dpi,
                             const xa_file_text *texts,
                             int ntexts,
                             xa_err *err)
{
    const struct write_job picture = {.picture = im, .dpi = dpi, .texts = texts, .ntexts = ntexts};
    if (im->type != XA_PIXEL_U8 || im->channels != 3)
        XA_RETURN_FAIL(err, XA_SHAPE, "%s: a picture of 8-bit RGB is expected", path);
    return write_png(path, &picture, NULL, im->width, im->height, err);
}

xa_status xa_image_png(const xa_image *im, xa_str *out, xa_err *err)
{
    xa_status st = XA_OK;
    char *bytes = NULL;
    size_t size = 0;
    struct write_job picture = {.picture = im};
    if (im->type != XA_PIXEL_U8 || (im->channels != 3 && im->channels != 1))
        XA_RETURN_FAIL(err, XA_SHAPE, "a picture of 8-bit RGB or grey is expected");
    picture.file = open_memstream(&bytes, &size);
    if (!picture.file)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a picture");
    st = write_png("a picture", &picture, NULL, im->width, im->height, err);
    if (fclose(picture.file) == 0 && st == XA_OK)
        xa_str_add(out, bytes, size);
    free(bytes);
    XA_RETURN_TRY(err, st);
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a picture");
    return XA_OK;
}
