/* JPEG into memory by libjpeg-turbo: photographs in PDF and HTML. Equal pixels give equal bytes. */
#include "image_internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct jpeg_write_job {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    unsigned char *bytes; /* the library's buffer, from malloc */
    unsigned long size;
    char message[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr c)
{
    struct jpeg_write_job *job = c->client_data;
    c->err->format_message(c, job->message);
    longjmp(job->back, 1);
}

static void on_message(j_common_ptr c, int level)
{
    (void)c, (void)level;
}

/* Everything that may longjmp; false after an error, whose text is in job->message. */
static bool encode(struct jpeg_write_job *job, const xa_image *im, int quality)
{
    if (setjmp(job->back) != 0)
        return false;
    jpeg_create_compress(&job->c);
    jpeg_mem_dest(&job->c, &job->bytes, &job->size);
    job->c.image_width = (JDIMENSION)im->width;
    job->c.image_height = (JDIMENSION)im->height;
    job->c.input_components = 3;
    job->c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&job->c);
    jpeg_set_quality(&job->c, quality, TRUE);
    job->c.comp_info[0].h_samp_factor = 1; /* colour at full resolution: maps are colour */
    job->c.comp_info[0].v_samp_factor = 1;
    job->c.optimize_coding = TRUE;
    jpeg_start_compress(&job->c, TRUE);
    while (job->c.next_scanline < job->c.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)((const uint8_t *)im->data +
                                             (size_t)job->c.next_scanline * (size_t)im->width * 3);
        jpeg_write_scanlines(&job->c, &row, 1);
    }
    jpeg_finish_compress(&job->c);
    return true;
}

xa_status xa_image_jpeg(const xa_image *im, int quality, xa_str *out, xa_err *err)
{
    xa_status st = XA_OK;
    struct jpeg_write_job *job = xa_alloc(1, sizeof *job);
    if (!job)
        XA_RETURN_NOMEM(err);
    if (im->type != XA_PIXEL_U8 || im->channels != 3 || im->width < 1 || im->height < 1 ||
        im->width > JPEG_MAX_DIMENSION || im->height > JPEG_MAX_DIMENSION)
        XA_FAIL(err,
                XA_SHAPE,
                "a JPEG has 8-bit RGB and at most %ld pixels a side",
                (long)JPEG_MAX_DIMENSION);
    job->c.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->c.client_data = job;
    if (!encode(job, im, quality))
        XA_FAIL(err, XA_IO, "a JPEG cannot be made: %s", job->message);
    xa_str_add(out, (const char *)job->bytes, (size_t)job->size);
    if (out->failed)
        XA_NOMEM_FAIL(err);
done:
    jpeg_destroy_compress(&job->c);
    free(job->bytes);
    free(job);
    return st;
}
