/* TIFF by libtiff: the pages and their pixels. tiff_page.c has the meaning of the tags,
 * tiff_source.c libtiff's input and messages. */
#include "tiff_source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* tiff_page.h has the tags' values without libtiff's header. */
_Static_assert((int)XA__TIFF_CODEC_OJPEG == COMPRESSION_OJPEG &&
                   (int)XA__TIFF_CODEC_JPEG == COMPRESSION_JPEG &&
                   (int)XA__TIFF_PALETTE == PHOTOMETRIC_PALETTE &&
                   (int)XA__TIFF_SEPARATED == PHOTOMETRIC_SEPARATED &&
                   (int)XA__TIFF_YCBCR == PHOTOMETRIC_YCBCR &&
                   (int)XA__TIFF_CIELAB == PHOTOMETRIC_CIELAB &&
                   (int)XA__TIFF_LOGL == PHOTOMETRIC_LOGL &&
                   (int)XA__TIFF_LOGLUV == PHOTOMETRIC_LOGLUV &&
                   (int)XA__TIFF_PLANAR_SEPARATE == PLANARCONFIG_SEPARATE &&
                   (int)XA__TIFF_FORMAT_FLOAT == SAMPLEFORMAT_IEEEFP &&
                   (int)XA__TIFF_ALPHA_ASSOCIATED == EXTRASAMPLE_ASSOCALPHA &&
                   (int)XA__TIFF_INK_CMYK == INKSET_CMYK,
               "the tags' values are those of the TIFF specification");

/* ---- what a page holds ---------------------------------------------------------------------- */

static const char *codec_name(uint16_t codec, char *buf, size_t size)
{
    const TIFFCodec *c = TIFFFindCODEC(codec);
    snprintf(buf, size, "%u%s%s%s", codec, c ? " (" : "", c ? c->name : "", c ? ")" : "");
    return buf;
}

static xa_status read_tags(TIFF *tif, xa__tiff_page *p, xa_err *err)
{
    uint16_t *extra = NULL, *map[3];
    uint32_t depth = 1;
    char buf[64];
    *p = (xa__tiff_page){.spp = 1, .bits = 1, .inkset = INKSET_CMYK};
    if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &p->width) ||
        !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &p->height))
        XA_RETURN_FAIL(err, XA_FORMAT, "TIFF: the page has no width or no height");
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &p->spp);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &p->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &p->format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &p->planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &p->codec);
    TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &p->orientation);
    TIFFGetFieldDefaulted(tif, TIFFTAG_INKSET, &p->inkset);
    if (!TIFFGetFieldDefaulted(tif, TIFFTAG_EXTRASAMPLES, &p->nextra, &extra))
        p->nextra = 0;
    else if (p->nextra > 0)
        p->first_extra = extra[0];
    if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &p->photometric))
        p->photometric = p->spp >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    if (p->photometric == PHOTOMETRIC_PALETTE &&
        TIFFGetField(tif, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        for (int i = 0; i < 3; i++)
            p->palette[i] = map[i];
    p->tiled = TIFFIsTiled(tif) != 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_IMAGEDEPTH, &depth);
    if (depth > 1)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "TIFF: a volume of %u slices in one page; one is expected", depth);
    if (p->spp < 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "TIFF: 0 samples a pixel");
    if (!TIFFIsCODECConfigured(p->codec))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "TIFF: compression %s, which this libtiff was built without",
                       codec_name(p->codec, buf, sizeof buf));
    return XA_OK;
}

/* From tags to plan, with what only libtiff knows. */
static xa_status plan_page(TIFF *tif, xa__tiff_page *p, const xa_decode_options *opt, xa_err *err)
{
    char why[1024] = "";
    XA_RETURN_TRY(err, read_tags(tif, p, err));
    XA_RETURN_TRY(err, xa__tiff_plan(p, opt, err));
    if (p->jpeg_rgb)
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (p->via_rgba && !TIFFRGBAImageOK(tif, why))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "TIFF: %s", why);
    return XA_OK;
}

/* ---- pixels --------------------------------------------------------------------------------- */

static xa_status damaged(const xa__tiff_source *s, const char *where, uint32_t at, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "TIFF: %s %u: %s",
                   where,
                   at,
                   s->message[0] ? s->message : "the data do not decode");
}

static xa_status check_jbig(TIFF *tif, uint32_t strip, uint32_t width, uint32_t height, xa_err *err)
{
    uint8_t head[20];
    uint16_t order = FILLORDER_MSB2LSB;
    TIFFGetFieldDefaulted(tif, TIFFTAG_FILLORDER, &order);
    if (TIFFReadRawStrip(tif, strip, head, sizeof head) != (tmsize_t)sizeof head)
        XA_RETURN_FAIL(err, XA_FORMAT, "TIFF: a JBIG strip of less than %zu bytes", sizeof head);
    if (order == FILLORDER_MSB2LSB) /* libtiff reverses them before it decodes */
        TIFFReverseBits(head, sizeof head);
    return xa__tiff_check_jbig(head, width, height, err);
}

/* Reads whole strips, since some codecs cannot decode less; directly into the image if samples need
 * no conversion. */
static xa_status read_strips(TIFF *tif,
                             const xa__tiff_page *p,
                             const xa__tiff_source *s,
                             const xa_decode_options *opt,
                             xa_image *im,
                             xa_err *err)
{
    xa_status st;
    const bool apart = xa__tiff_apart(p);
    const uint16_t planes = apart ? p->spp : 1;
    const int64_t count = (int64_t)p->width * (apart ? 1 : p->spp);
    const size_t bytes = xa_pixel_bytes(p->type);
    const bool direct = !apart && !p->half && p->bits == 8 * bytes;
    const uint64_t row = TIFFScanlineSize64(tif), size = TIFFStripSize64(tif);
    uint32_t per = 0;
    void *raw = NULL, *line = NULL;
    TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &per);
    per = per == 0 || per > p->height ? p->height : per;
    XA_TRY(err, xa__tiff_check_row(p, row, count, err));
    if (direct && row != (uint64_t)count * bytes)
        XA_FAIL(err, XA_FORMAT, "TIFF: %" PRIu64 " bytes per row", row);
    if (size / per < row || size > (uint64_t)opt->max_bytes)
        XA_FAIL(err,
                size > (uint64_t)opt->max_bytes ? XA_LIMIT : XA_FORMAT,
                "TIFF: strips of %u lines in %" PRIu64 " bytes; the limit is %" PRId64,
                per,
                size,
                opt->max_bytes);
    raw = direct ? NULL : xa_alloc((size_t)size, 1);
    line = xa_alloc((size_t)count, bytes);
    if ((!direct && !raw) || !line)
        XA_FAIL(err, XA_NOMEM, "TIFF: out of memory for a strip of %" PRIu64 " bytes", size);
    for (uint16_t plane = 0; plane < planes; plane++)
        for (uint32_t y = 0; y < p->height; y += per) {
            const uint32_t rows = p->height - y < per ? p->height - y : per;
            const size_t want = (size_t)(rows * row);
            uint8_t *dst =
                (uint8_t *)im->data + ((size_t)y * p->width * p->spp + (apart ? plane : 0)) * bytes;
            const uint32_t strip = TIFFComputeStrip(tif, y, plane);
            if (p->codec == COMPRESSION_JBIG)
                XA_TRY(err, check_jbig(tif, strip, p->width, rows, err));
            const tmsize_t got =
                TIFFReadEncodedStrip(tif, strip, direct ? dst : raw, (tmsize_t)want);
            if (got < 0 || (size_t)got < want || s->damaged)
                XA_TRY(err, damaged(s, "strip at line", y, err));
            for (uint32_t j = 0; !direct && j < rows; j++)
                xa__tiff_convert(p,
                                 (const uint8_t *)raw + j * row,
                                 count,
                                 apart ? p->spp : 1,
                                 line,
                                 dst + (size_t)j * p->width * p->spp * bytes);
            if (p->height - y <= per)
                break; /* y + per could overflow */
        }
done:
    free(raw);
    free(line);
    return st;
}

static xa_status read_tiles(TIFF *tif,
                            const xa__tiff_page *p,
                            const xa__tiff_source *s,
                            const xa_decode_options *opt,
                            xa_image *im,
                            xa_err *err)
{
    xa_status st;
    const bool apart = xa__tiff_apart(p);
    const uint16_t planes = apart ? p->spp : 1;
    const int64_t across = apart ? 1 : p->spp, step = apart ? p->spp : 1;
    const size_t bytes = xa_pixel_bytes(p->type);
    uint32_t tw = 0, th = 0;
    void *raw = NULL, *line = NULL;
    if (!TIFFGetField(tif, TIFFTAG_TILEWIDTH, &tw) || !TIFFGetField(tif, TIFFTAG_TILELENGTH, &th) ||
        tw == 0 || th == 0)
        XA_FAIL(err, XA_FORMAT, "TIFF: tiles of %u x %u pixels", tw, th);
    const uint64_t size = TIFFTileSize64(tif), row = TIFFTileRowSize64(tif);
    XA_TRY(err, xa__tiff_check_row(p, row, (int64_t)tw * across, err));
    if (size / th < row || size > (uint64_t)opt->max_bytes)
        XA_FAIL(err,
                size > (uint64_t)opt->max_bytes ? XA_LIMIT : XA_FORMAT,
                "TIFF: tiles of %u x %u pixels in %" PRIu64 " bytes; the limit is %" PRId64,
                tw,
                th,
                size,
                opt->max_bytes);
    if (p->codec == COMPRESSION_JBIG)
        XA_FAIL(err, XA_UNSUPPORTED, "TIFF: JBIG in tiles; strips are expected");
    raw = xa_alloc((size_t)size, 1);
    line = xa_alloc((size_t)tw * (size_t)across, bytes);
    if (!raw || !line)
        XA_FAIL(err, XA_NOMEM, "TIFF: out of memory for a tile of %" PRIu64 " bytes", size);
    for (uint16_t plane = 0; plane < planes; plane++)
        for (uint32_t y = 0; y < p->height; y += th)
            for (uint32_t x = 0; x < p->width; x += tw) {
                if (TIFFReadTile(tif, raw, x, y, 0, plane) < 0 || s->damaged)
                    XA_TRY(err, damaged(s, "tile at line", y, err));
                const uint32_t w = p->width - x < tw ? p->width - x : tw;
                const uint32_t h = p->height - y < th ? p->height - y : th;
                for (uint32_t j = 0; j < h; j++)
                    xa__tiff_convert(
                        p,
                        (const uint8_t *)raw + j * row,
                        (int64_t)w * across,
                        step,
                        line,
                        (uint8_t *)im->data +
                            (((size_t)(y + j) * p->width + x) * p->spp + (apart ? plane : 0)) *
                                bytes);
                if (p->width - x <= tw)
                    break; /* x + tw could overflow */
            }
done:
    free(raw);
    free(line);
    return st;
}

/* libtiff's own conversion to 8-bit RGB. */
static xa_status read_rgba(TIFF *tif,
                           const xa__tiff_page *p,
                           const xa__tiff_source *s,
                           const xa_decode_options *opt,
                           xa_image *im,
                           xa_err *err)
{
    const size_t n = (size_t)p->width * p->height;
    if ((int64_t)n > opt->max_bytes / 4)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "TIFF: %zu pixels to be converted need more than the limit of %" PRId64
                       " bytes",
                       n,
                       opt->max_bytes);
    uint32_t *raster = xa_alloc(n, sizeof *raster);
    if (!raster)
        XA_RETURN_FAIL(err, XA_NOMEM, "TIFF: no memory to convert %zu pixels", n);
    /* In the file's own orientation, so that nothing is turned here. */
    const int ok = TIFFReadRGBAImageOriented(tif, p->width, p->height, raster, p->orientation, 1);
    for (size_t i = 0; ok && i < n; i++) {
        uint8_t *d = (uint8_t *)im->data + 3 * i;
        d[0] = (uint8_t)TIFFGetR(raster[i]);
        d[1] = (uint8_t)TIFFGetG(raster[i]);
        d[2] = (uint8_t)TIFFGetB(raster[i]);
    }
    free(raster);
    if (!ok || s->damaged)
        XA_RETURN_TRY(err, damaged(s, "line", 0, err));
    return XA_OK;
}

/* ---- a page ---------------------------------------------------------------------------------- */

/* That of the page's tag; without the tag, that of its XMP packet. */
static int orientation_of(TIFF *tif, const xa__tiff_page *p)
{
    uint16_t tag = 0;
    uint32_t size = 0;
    void *xmp = NULL;
    if (TIFFGetField(tif, TIFFTAG_ORIENTATION, &tag))
        return p->orientation >= 1 && p->orientation <= 8 ? p->orientation : 1;
    if (!TIFFGetField(tif, TIFFTAG_XMLPACKET, &size, &xmp))
        return 1;
    return xa__orientation(NULL, 0, xmp, size);
}

static xa_status decode_page(TIFF *tif,
                             xa__tiff_source *s,
                             const xa_decode_options *opt,
                             bool header_only,
                             xa_image *im,
                             xa_err *err)
{
    xa__tiff_page p;
    XA_RETURN_TRY(err, plan_page(tif, &p, opt, err));
    snprintf(im->format, sizeof im->format, "tiff");
    snprintf(im->colour, sizeof im->colour, "%s", p.colour);
    im->bits = p.bits;
    im->has_alpha = p.alpha;
    im->orientation = orientation_of(tif, &p);
    const bool as_is = p.via_rgba || header_only;
    const bool from_palette = p.photometric == PHOTOMETRIC_PALETTE && !opt->palette_index;
    XA_RETURN_TRY(err,
                  xa__image_prepare(im,
                                    p.width,
                                    p.height,
                                    as_is ? p.channels : p.spp,
                                    header_only && from_palette ? XA_PIXEL_U8 : p.type,
                                    opt,
                                    header_only,
                                    err));
    if (header_only)
        return XA_OK;
    s->decoding = true;
    s->strict = p.codec == COMPRESSION_JPEG || p.codec == COMPRESSION_OJPEG ||
                p.codec == COMPRESSION_CCITTRLE || p.codec == COMPRESSION_CCITTRLEW ||
                p.codec == COMPRESSION_CCITTFAX3 || p.codec == COMPRESSION_CCITTFAX4;
    if (p.via_rgba)
        return read_rgba(tif, &p, s, opt, im, err);
    if (p.tiled)
        XA_RETURN_TRY(err, read_tiles(tif, &p, s, opt, im, err));
    else
        XA_RETURN_TRY(err, read_strips(tif, &p, s, opt, im, err));
    return xa__tiff_to_colours(&p, opt, im, err);
}

xa_status xa__tiff_decode(int fd,
                          uint64_t size,
                          const xa_decode_options *opt,
                          bool header_only,
                          xa_image *im,
                          xa_err *err)
{
    xa_status st;
    xa__tiff_source s = {.fd = fd, .size = size};
    TIFF *tif = xa__tiff_open(&s, opt->max_bytes);
    if (!tif)
        XA_FAIL(err, XA_FORMAT, "TIFF: %s", s.message[0] ? s.message : "no page can be read");
    const int64_t pages = (int64_t)TIFFNumberOfDirectories(tif);
    if (opt->page >= pages)
        XA_FAIL(err,
                XA_INVALID,
                "page %d is requested, but the TIFF has %" PRId64 " (counted from 0)",
                opt->page,
                pages);
    s.message[0] = '\0';
    if (!TIFFSetDirectory(tif, (tdir_t)opt->page))
        XA_FAIL(err,
                XA_FORMAT,
                "TIFF: page %d: %s",
                opt->page,
                s.message[0] ? s.message : "its directory cannot be read");
    XA_TRY(err, decode_page(tif, &s, opt, header_only, im, err));
    im->pages = (int)(pages > INT32_MAX ? INT32_MAX : pages);
done:
    if (tif)
        TIFFClose(tif);
    return st;
}

const char *xa__tiff_library(void)
{
    return TIFFGetVersion(); /* "LIBTIFF, Version 4.5.0" and lines of copyright */
}
