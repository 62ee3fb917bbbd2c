/* JPEG by libjpeg-turbo, which only this file sees.
 *
 * The library reports problems by callbacks that must not return (error_exit) or may
 * (emit_message). All state is in one struct behind a pointer, so that no longjmp passes over a
 * variable of the function that called setjmp.
 */
#include "image_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A progressive file can require thousands of passes over its pixels. */
enum { MAX_SCANS = 500, MARKER_APP1 = JPEG_APP0 + 1 };

struct jpeg_job {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    xa_status code;
    char message[JMSG_LENGTH_MAX + 64];
    JSAMPLE *line; /* a line of four inks; NULL if the file is not CMYK */
};

static _Noreturn void stop(struct jpeg_job *job)
{
    longjmp(job->back, 1);
}

static void on_error(j_common_ptr c)
{
    struct jpeg_job *job = c->client_data;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    switch (c->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        job->code = XA_NOMEM;
        break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
        job->code = XA_UNSUPPORTED;
        break;
    case JERR_IMAGE_TOO_BIG:
        job->code = XA_LIMIT;
        break;
    default:
        job->code = XA_FORMAT;
    }
    snprintf(job->message, sizeof job->message, "%s", text);
    stop(job);
}

/* Warnings after which the pixels are complete. Any other one means damage, where the library would
 * fill in grey. */
static bool harmless(int code)
{
    return code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR || code == JWRN_NOT_SEQUENTIAL ||
           code == JWRN_EXTRANEOUS_DATA || code == JWRN_BOGUS_ICC;
}

static void on_message(j_common_ptr c, int level)
{
    struct jpeg_job *job = c->client_data;
    if (level >= 0 || harmless(c->err->msg_code))
        return;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    job->code = XA_FORMAT;
    if (c->is_decompressor && job->c.global_state > 0 && job->c.output_scanline > 0)
        snprintf(job->message,
                 sizeof job->message,
                 "%s (at line %u of %u)",
                 text,
                 job->c.output_scanline,
                 job->c.output_height);
    else
        snprintf(job->message, sizeof job->message, "%s", text);
    stop(job);
}

static void on_output(j_common_ptr c)
{
    (void)c; /* nothing is printed */
}

static void on_progress(j_common_ptr c)
{
    struct jpeg_job *job = c->client_data;
    if (job->c.input_scan_number <= MAX_SCANS)
        return;
    job->code = XA_LIMIT;
    snprintf(job->message, sizeof job->message, "more than %d scans", MAX_SCANS);
    stop(job);
}

/* If there are several, the first EXIF segment and the last XMP packet count. */
static int orientation_of(const struct jpeg_decompress_struct *c)
{
    static const char exif_key[] = "Exif\0", xmp_key[] = "http://ns.adobe.com/xap/1.0/";
    const uint8_t *exif = NULL, *xmp = NULL;
    size_t nexif = 0, nxmp = 0;
    for (jpeg_saved_marker_ptr m = c->marker_list; m; m = m->next) {
        if (m->marker != MARKER_APP1)
            continue;
        if (!exif && m->data_length > sizeof exif_key &&
            !memcmp(m->data, exif_key, sizeof exif_key)) {
            exif = m->data; /* with its prefix */
            nexif = m->data_length;
        } else if (m->data_length > sizeof xmp_key && !memcmp(m->data, xmp_key, sizeof xmp_key)) {
            xmp = m->data + sizeof xmp_key;
            nxmp = m->data_length - sizeof xmp_key;
        }
    }
    return xa__orientation(exif, nexif, (const char *)xmp, nxmp);
}

static const char *colour_of(J_COLOR_SPACE space)
{
    switch (space) {
    case JCS_GRAYSCALE:
        return "grey";
    case JCS_RGB:
        return "rgb";
    case JCS_YCbCr:
        return "ycbcr";
    case JCS_CMYK:
        return "cmyk";
    case JCS_YCCK:
        return "ycck";
    default:
        return "unknown";
    }
}

/* Inks are stored inverted, as Adobe writes them; Pillow assumes that too. */
static void read_lines(struct jpeg_job *job, xa_image *im)
{
    const bool inks = job->line != NULL;
    const size_t row = (size_t)im->width * (size_t)im->channels;
    while (job->c.output_scanline < job->c.output_height) {
        JSAMPLE *out = (uint8_t *)im->data + job->c.output_scanline * row;
        JSAMPLE *to = inks ? job->line : out;
        if (jpeg_read_scanlines(&job->c, &to, 1) != 1) {
            job->code = XA_FORMAT;
            snprintf(job->message, sizeof job->message, "the data ends early");
            stop(job);
        }
        if (!inks)
            continue;
        for (int64_t i = 0; i < 4 * im->width; i++)
            to[i] = (JSAMPLE)(255 - to[i]);
        (void)xa__samples_cmyk_to_rgb(to, out, im->width, 4, XA_PIXEL_U8);
    }
}

/* Everything that may longjmp. */
static xa_status decode(struct jpeg_job *job,
                        const uint8_t *data,
                        size_t size,
                        const xa_decode_options *opt,
                        bool header_only,
                        xa_image *im,
                        xa_err *err)
{
    struct jpeg_decompress_struct *c = &job->c;
    jpeg_create_decompress(c);
    c->progress = &job->progress;
    jpeg_mem_src(c, data, (unsigned long)size);
    jpeg_save_markers(c, MARKER_APP1, 0xFFFF);
    jpeg_read_header(c, TRUE);

    const int parts = c->num_components;
    snprintf(im->format, sizeof im->format, "jpeg");
    snprintf(im->colour, sizeof im->colour, "%s", colour_of(c->jpeg_color_space));
    im->bits = c->data_precision;
    im->pages = 1;
    im->orientation = orientation_of(c);
    if (parts != 1 && parts != 3 && parts != 4)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "a JPEG of %d components; 1 (grey), 3 (colour) or 4 (CMYK) are expected",
                       parts);
    c->out_color_space = parts == 1 ? JCS_GRAYSCALE : parts == 3 ? JCS_RGB : JCS_CMYK;
    XA_RETURN_TRY(err,
                  xa__image_prepare(im,
                                    c->image_width,
                                    c->image_height,
                                    parts == 1 ? 1 : 3,
                                    XA_PIXEL_U8,
                                    opt,
                                    header_only,
                                    err));
    if (header_only)
        return XA_OK;
    if (parts == 4) {
        job->line = xa_alloc((size_t)im->width, 4);
        if (!job->line)
            XA_RETURN_FAIL(
                err, XA_NOMEM, "out of memory for a line of %" PRId64 " pixels", im->width);
    }
    jpeg_start_decompress(c);
    read_lines(job, im);
    jpeg_finish_decompress(c);
    return XA_OK;
}

xa_status xa__jpeg_decode(const uint8_t *data,
                          size_t size,
                          const xa_decode_options *opt,
                          bool header_only,
                          xa_image *im,
                          xa_err *err)
{
    xa_status st;
    struct jpeg_job *job = xa_alloc(1, sizeof *job);
    if (!job)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory to decode a JPEG");
    job->c.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->errors.output_message = on_output;
    job->progress.progress_monitor = on_progress;
    job->c.client_data = job;
    if (setjmp(job->back) == 0)
        st = decode(job, data, size, opt, header_only, im, err);
    else
        st = XA_ERR(err, job->code, "JPEG: %s", job->message);
    jpeg_destroy_decompress(&job->c);
    free(job->line);
    free(job);
    return st;
}

#define TEXT_OF(x) #x
#define AS_TEXT(x) TEXT_OF(x)

const char *xa__jpeg_library(void)
{
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " AS_TEXT(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " AS_TEXT(JPEG_LIB_VERSION);
#endif
}
