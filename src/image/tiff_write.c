/* Pictures as TIFF files, which journals accept. */
#include "image_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tiffio.h>

typedef struct said {
    char text[256];
} said;

static int on_error(TIFF *tif, void *arg, const char *module, const char *form, va_list ap)
{
    said *s = arg;
    (void)tif, (void)module;
    vsnprintf(s->text, sizeof s->text, form, ap);
    return 1;
}

static TIFF *open_quietly(const char *path, said *s)
{
#if TIFFLIB_VERSION >= 20221213
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o)
        return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, s);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_error, s);
    TIFF *tif = TIFFOpenExt(path, "w", o);
    TIFFOpenOptionsFree(o);
    return tif;
#else
    (void)s, (void)on_error;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return TIFFOpen(path, "w");
#endif
}

static bool set_tags(TIFF *tif, const xa_image *im, double dpi, const char *description)
{
    bool ok = TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)im->width) &&
              TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)im->height) &&
              TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8) &&
              TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3) &&
              TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB) &&
              TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
              TIFFSetField(tif, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT) &&
              TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_LZW) &&
              TIFFSetField(tif, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL) &&
              TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(tif, 0));
    if (dpi > 0.0)
        ok = ok && TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH) &&
             TIFFSetField(tif, TIFFTAG_XRESOLUTION, dpi) &&
             TIFFSetField(tif, TIFFTAG_YRESOLUTION, dpi);
    if (description)
        ok = ok && TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, description);
    return ok;
}

xa_status xa_image_write_tiff(
    const char *path, const xa_image *im, double dpi, const char *description, xa_err *err)
{
    xa_status st = XA_OK;
    said why = {""};
    TIFF *tif = NULL;
    uint8_t *row = NULL;
    if (im->type != XA_PIXEL_U8 || im->channels != 3)
        XA_FAIL(err, XA_SHAPE, "%s: a picture of 8-bit RGB is expected", path);
    if (im->width > UINT32_MAX || im->height > UINT32_MAX)
        XA_FAIL(err, XA_SHAPE, "%s: too large for a TIFF", path);
    const size_t bytes = (size_t)im->width * 3;
    row = xa_alloc(bytes, 1); /* the predictor works in place */
    if (!row)
        XA_FAIL(err, XA_NOMEM, "no memory to write %s", path);
    errno = 0;
    tif = open_quietly(path, &why);
    if (!tif)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, errno ? strerror(errno) : why.text);
    if (!set_tags(tif, im, dpi, description))
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, why.text);
    for (int64_t y = 0; y < im->height; y++) {
        memcpy(row, (const uint8_t *)im->data + (size_t)y * bytes, bytes);
        if (TIFFWriteScanline(tif, row, (uint32_t)y, 0) < 0)
            XA_FAIL(err,
                    errno == ENOSPC ? XA_NOSPACE : XA_IO,
                    "%s: cannot write: %s",
                    path,
                    errno ? strerror(errno) : why.text);
    }
    if (!TIFFFlush(tif))
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, errno ? strerror(errno) : why.text);
done:
    if (tif) {
        TIFFClose(tif);
        if (st != XA_OK)
            unlink(path);
    }
    free(row);
    return st;
}
