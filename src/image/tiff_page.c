/* The meaning of a TIFF page's tags, and its samples brought to pixels. */
#include "tiff_page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- from tags to a plan -------------------------------------------------------------------- */

static xa_status pick_type(xa__tiff_page *p, xa_err *err)
{
    static const char *const FORMATS[] = {
        "?", "unsigned", "signed", "float", "untyped", "complex int", "complex float"};
    const char *format = p->format < sizeof FORMATS / sizeof *FORMATS ? FORMATS[p->format] : "?";
    bool ok = true;
    switch (p->format) {
    case XA__TIFF_FORMAT_UINT:
    case XA__TIFF_FORMAT_VOID:
        p->type = p->bits <= 8 ? XA_PIXEL_U8 : p->bits <= 16 ? XA_PIXEL_U16 : XA_PIXEL_U32;
        ok = p->bits >= 1 && (p->bits <= 16 || p->bits == 24 || p->bits == 32);
        break;
    case XA__TIFF_FORMAT_INT:
        p->type = p->bits == 8 ? XA_PIXEL_I8 : p->bits == 16 ? XA_PIXEL_I16 : XA_PIXEL_I32;
        ok = p->bits == 8 || p->bits == 16 || p->bits == 32;
        break;
    case XA__TIFF_FORMAT_FLOAT:
        p->type = p->bits == 64 ? XA_PIXEL_F64 : XA_PIXEL_F32;
        p->half = p->bits == 16;
        ok = p->bits == 16 || p->bits == 32 || p->bits == 64;
        break;
    default:
        ok = false;
    }
    if (!ok)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "TIFF: %u-bit %s samples; 1 to 16, 24 or 32 bits unsigned, 8, 16 or 32 "
                       "signed, or 16, 32 or 64 float are expected",
                       p->bits,
                       format);
    return XA_OK;
}

/* An extra sample is alpha if it is the only one and the tag says so. */
static void pick_alpha(xa__tiff_page *p)
{
    if (p->spp != p->colours + 1 || p->nextra < 1)
        return;
    p->associated = p->first_extra == XA__TIFF_ALPHA_ASSOCIATED;
    p->alpha = p->associated || p->first_extra == XA__TIFF_ALPHA_UNASSOCIATED;
}

static xa_status pick_colour(xa__tiff_page *p, const xa_decode_options *opt, xa_err *err)
{
    const bool index = opt->palette_index;
    switch (p->photometric) {
    case XA__TIFF_MINISWHITE:
    case XA__TIFF_MINISBLACK:
    case XA__TIFF_MASK:
    case XA__TIFF_LINEAR_RAW:
        p->colours = 1;
        p->colour = p->photometric == XA__TIFF_MINISWHITE ? "miniswhite" : "grey";
        break;
    case XA__TIFF_RGB:
        p->colours = 3;
        p->colour = "rgb";
        break;
    case XA__TIFF_PALETTE:
        p->colours = 1;
        p->colour = "palette";
        if (p->type != (p->bits <= 8 ? XA_PIXEL_U8 : XA_PIXEL_U16) || p->bits > (index ? 8 : 16))
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "TIFF: a palette of %u-bit %s indices; %s are expected",
                           p->bits,
                           xa_pixel_name(p->type),
                           index ? "1 to 8 bits" : "1 to 16 bits");
        break;
    case XA__TIFF_SEPARATED:
        p->colours = p->inkset == XA__TIFF_INK_CMYK && p->spp >= 4 ? 4 : 1;
        p->colour = p->colours == 4 ? "cmyk" : "inks";
        break;
    case XA__TIFF_YCBCR:
        p->colours = 3;
        p->colour = "ycbcr";
        p->jpeg_rgb = p->codec == XA__TIFF_CODEC_JPEG && p->planar == XA__TIFF_PLANAR_CONTIG;
        p->via_rgba = !p->jpeg_rgb; /* libtiff converts everything else */
        break;
    case XA__TIFF_CIELAB:
    case XA__TIFF_LOGL:
    case XA__TIFF_LOGLUV:
        p->colours = 3;
        p->colour = p->photometric == XA__TIFF_CIELAB ? "lab" : "log";
        p->via_rgba = true;
        break;
    default:
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "TIFF: photometric interpretation %u; grey, RGB, palette, CMYK, YCbCr, CIE "
                       "L*a*b* or LogLuv are expected",
                       p->photometric);
    }
    if (p->codec == XA__TIFF_CODEC_OJPEG)
        p->via_rgba = true;
    return XA_OK;
}

xa_status xa__tiff_plan(xa__tiff_page *p, const xa_decode_options *opt, xa_err *err)
{
    p->type = XA_PIXEL_U8;
    const bool luv = p->photometric == XA__TIFF_LOGL || p->photometric == XA__TIFF_LOGLUV;
    if (!luv)
        XA_RETURN_TRY(err, pick_type(p, err));
    XA_RETURN_TRY(err, pick_colour(p, opt, err));
    if (p->via_rgba) {
        p->type = XA_PIXEL_U8;
        p->channels = 3;
        return XA_OK;
    }
    if (p->spp < p->colours)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "TIFF: %u samples a pixel, but the colour model (%s) needs %d",
                       p->spp,
                       p->colour,
                       p->colours);
    pick_alpha(p);
    p->channels = p->spp;
    if (p->photometric == XA__TIFF_PALETTE)
        p->channels = opt->palette_index ? 1 : p->spp + 2;
    else if (p->colours == 4) {
        p->channels = p->spp - 1;
        if (p->type != XA_PIXEL_U8 && p->type != XA_PIXEL_U16)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "TIFF: CMYK of %s; 8 or 16 bits are expected",
                           xa_pixel_name(p->type));
    } else if (p->colours == 1 && p->channels > (p->alpha ? 2 : 1))
        p->colour = "bands";
    if (p->photometric == XA__TIFF_PALETTE && opt->palette_index)
        p->alpha = p->associated = false;
    return XA_OK;
}

/* ---- samples -------------------------------------------------------------------------------- */

xa_status xa__tiff_check_row(const xa__tiff_page *p, uint64_t bytes, int64_t count, xa_err *err)
{
    const uint64_t want = ((uint64_t)count * p->bits + 7) / 8;
    if (bytes < want)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "TIFF: %" PRIu64 " bytes per row where %" PRIu64 " are expected",
                       bytes,
                       want);
    return XA_OK;
}

void xa__tiff_convert(
    const xa__tiff_page *p, const void *raw, int64_t count, int64_t step, void *line, uint8_t *dst)
{
    const size_t bytes = xa_pixel_bytes(p->type);
    void *to = step == 1 ? (void *)dst : line;
    if (p->half) {
        for (int64_t i = 0; i < count; i++)
            ((float *)to)[i] = xa_f32_from_f16(((const uint16_t *)raw)[i]);
    } else if (p->bits == 24) {
        for (int64_t i = 0; i < count; i++) { /* libtiff returns three bytes in native order */
            uint32_t v = 0;
            const uint8_t *b = (const uint8_t *)raw + 3 * i;
            for (int k = 0; k < 3; k++)
                v |= (uint32_t)b[k] << (8 * k);
            ((uint32_t *)to)[i] = v;
        }
    } else if (p->bits < 8 || (p->bits > 8 && p->bits < 16)) {
        xa__samples_unpack(raw, count, p->bits, to);
        if (p->bits < 8 && p->photometric != XA__TIFF_PALETTE)
            xa__samples_widen(to, (size_t)count, p->bits);
    } else {
        memcpy(to, raw, (size_t)count * bytes);
    }
    for (int64_t i = 0; step != 1 && i < count; i++)
        memcpy(dst + (size_t)(i * step) * bytes, (const uint8_t *)line + (size_t)i * bytes, bytes);
}

xa_status xa__tiff_check_jbig(const uint8_t head[20], uint32_t width, uint32_t height, xa_err *err)
{
    const uint32_t w = (uint32_t)head[4] << 24 | (uint32_t)head[5] << 16 | head[6] << 8 | head[7];
    const uint32_t h = (uint32_t)head[8] << 24 | (uint32_t)head[9] << 16 | head[10] << 8 | head[11];
    if (w != width || h != height || head[2] != 1)
        XA_RETURN_FAIL(
            err,
            XA_FORMAT,
            "TIFF: a JBIG strip of %u x %u pixels and %u planes where %u x %u of one are "
            "expected",
            w,
            h,
            head[2],
            width,
            height);
    return XA_OK;
}

/* ---- colours -------------------------------------------------------------------------------- */

/* Indices, and the samples after them, to 8-bit RGB and the same samples. */
static xa_status
expand_palette(const xa__tiff_page *p, const xa_decode_options *opt, xa_image *im, xa_err *err)
{
    xa_image out = *im;
    if (!p->palette[0])
        XA_RETURN_FAIL(err, XA_FORMAT, "TIFF: a palette image without a colour map");
    out.data = NULL;
    XA_RETURN_TRY(
        err,
        xa__image_prepare(&out, im->width, im->height, p->spp + 2, XA_PIXEL_U8, opt, false, err));
    xa__samples_palette(
        im->data, out.data, im->width * im->height, p->spp, im->type, p->palette, p->bits);
    free(im->data);
    im->data = out.data;
    im->channels = out.channels;
    im->type = out.type;
    return XA_OK;
}

/* Keeps the first sample of every pixel. */
static void keep_index(const xa__tiff_page *p, xa_image *im)
{
    uint8_t *d = im->data;
    for (size_t i = 0; p->spp > 1 && i < (size_t)im->width * (size_t)im->height; i++)
        d[i] = d[i * p->spp];
    im->channels = 1;
}

xa_status
xa__tiff_to_colours(const xa__tiff_page *p, const xa_decode_options *opt, xa_image *im, xa_err *err)
{
    const int64_t pixels = im->width * im->height;
    if (p->photometric == XA__TIFF_PALETTE && opt->palette_index)
        keep_index(p, im);
    else if (p->photometric == XA__TIFF_PALETTE)
        XA_RETURN_TRY(err, expand_palette(p, opt, im, err));
    if (p->photometric == XA__TIFF_MINISWHITE)
        xa__samples_invert(im->data, pixels, p->spp, 1, p->type, p->bits);
    if (p->colours == 4) {
        XA_RETURN_TRY(err, xa__samples_cmyk_to_rgb(im->data, im->data, pixels, p->spp, p->type));
        im->channels = p->channels;
    }
    if (p->associated)
        xa__samples_unpremultiply(im->data, pixels, im->channels, im->type, im->bits);
    return XA_OK;
}
