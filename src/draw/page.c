/* One page in any format: PNG and TIFF drawn at their resolution, PDF and SVG as vectors and text.
 */
#include "ink.h"

#ifdef XA_HAVE_CAIRO

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void draw(const xa__page *p, cairo_t *cr, xa_str *svg)
{
    const xa__ink k = {.cr = cr, .font = p->font, .svg = svg};
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
    p->draw(&k, p->arg);
}

static xa_status cairo_failed(cairo_status_t s, const char *path, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   s == CAIRO_STATUS_NO_MEMORY ? XA_NOMEM : XA_IO,
                   "%s: cannot write: %s%s%s",
                   path,
                   cairo_status_to_string(s),
                   errno ? ": " : "",
                   errno ? strerror(errno) : "");
}

static xa_status write_raster(const xa__page *l,
                              const char *path,
                              double dpi,
                              const xa_provenance *from,
                              bool tiff,
                              xa_err *err)
{
    xa_status st = XA_OK;
    xa_image im = {0};
    const double scale = dpi / 72.0;
    const double w = ceil(l->width * scale - 1e-6), h = ceil(l->height * scale - 1e-6);
    char *both = NULL;
    if (!(w >= 1.0 && h >= 1.0 && w <= 32767.0 && h <= 32767.0))
        XA_RETURN_FAIL(
            err, XA_SHAPE, "%s: %.0f x %.0f pixels: fewer dpi or rows are needed", path, w, h);
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h);
    cairo_t *cr = cairo_create(s);
    cairo_scale(cr, scale, scale);
    draw(l, cr, NULL);
    const cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    cairo_surface_flush(s);
    if (status != CAIRO_STATUS_SUCCESS) {
        st = cairo_failed(status, path, err);
        goto done;
    }
    XA_TRY(err, xa_image_init(&im, (int64_t)w, (int64_t)h, 3, XA_PIXEL_U8, err));
    const unsigned char *pixels = cairo_image_surface_get_data(s);
    const int stride = cairo_image_surface_get_stride(s);
    uint8_t *to = im.data;
    for (int64_t y = 0; y < im.height; y++)
        for (int64_t x = 0; x < im.width; x++, to += 3) {
            uint32_t v;
            memcpy(&v, pixels + y * stride + 4 * x, sizeof v);
            to[0] = (uint8_t)(v >> 16);
            to[1] = (uint8_t)(v >> 8);
            to[2] = (uint8_t)v;
        }
    if (tiff) {
        both = xa_strfmt("%s # xaudit archive %s", from->command, from->digest);
        XA_TRY(err, xa_image_write_tiff(path, &im, dpi, both, err));
    } else {
        both = xa_strfmt("%s # xaudit archive %s", from->command, from->digest);
        const xa_file_text texts[] = {{"Software", "xaudit"}, {"Source", both ? both : ""}};
        XA_TRY(err, xa_image_write_png(path, &im, dpi, texts, 2, err));
    }
done:
    cairo_surface_destroy(s);
    xa_image_fini(&im);
    free(both);
    return st;
}

static xa_status
write_pdf(const xa__page *l, const char *path, const xa_provenance *from, xa_err *err)
{
    errno = 0;
    cairo_surface_t *s = cairo_pdf_surface_create(path, l->width, l->height);
    char *both = xa_strfmt("%s # xaudit archive %s", from->command, from->digest);
    if (both) {
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR, "xaudit");
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_SUBJECT, both);
    }
    free(both);
    cairo_t *cr = cairo_create(s);
    draw(l, cr, NULL);
    cairo_destroy(cr);
    cairo_surface_finish(s);
    const cairo_status_t status = cairo_surface_status(s);
    cairo_surface_destroy(s);
    if (status == CAIRO_STATUS_SUCCESS)
        return XA_OK;
    const xa_status st = cairo_failed(status, path, err);
    unlink(path);
    return st;
}

static cairo_status_t take(void *closure, const unsigned char *data, unsigned int n)
{
    xa_str *s = closure;
    xa_str_add(s, (const char *)data, n);
    return s->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* The drawing as SVG; its texts are inserted before the end of the svg element. */
static xa_status draw_svg(const xa__page *p, xa_str *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str drawn = {0}, texts = {0};
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(take, &drawn, p->width, p->height);
    cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PT);
    cairo_t *cr = cairo_create(s);
    draw(p, cr, &texts);
    cairo_destroy(cr);
    cairo_surface_finish(s);
    const cairo_status_t status = cairo_surface_status(s);
    cairo_surface_destroy(s);
    char *end = NULL;
    for (char *at = drawn.data; at && (at = strstr(at, "</svg>")); at++)
        end = at;
    if (status != CAIRO_STATUS_SUCCESS || !end)
        XA_FAIL(err, XA_IO, "cannot draw: %s", cairo_status_to_string(status));
    xa_str_add(out, drawn.data, (size_t)(end - drawn.data));
    if (texts.data)
        xa_str_add(out, texts.data, texts.len);
    xa_str_puts(out, end);
    if (out->failed || texts.failed)
        XA_NOMEM_FAIL(err);
done:
    xa_str_free(&drawn);
    xa_str_free(&texts);
    return st;
}

/* cairo writes no metadata into SVG, so it is inserted behind the opening tag. */
static xa_status
write_svg(const xa__page *p, const char *path, const xa_provenance *from, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str drawn = {0}, whole = {0};
    FILE *f = NULL;
    XA_TRY(err, draw_svg(p, &drawn, err));
    const char *open_tag = strstr(drawn.data, "<svg");
    const char *end = open_tag ? strchr(open_tag, '>') : NULL;
    if (!end)
        XA_FAIL(err, XA_IO, "%s: cannot draw", path);
    xa_str_add(&whole, drawn.data, (size_t)(end + 1 - drawn.data));
    xa_str_puts(&whole, "\n<metadata>");
    xa_str_markup(&whole, from->command);
    xa_str_puts(&whole, " # xaudit archive ");
    xa_str_markup(&whole, from->digest);
    xa_str_puts(&whole, "</metadata>");
    xa_str_puts(&whole, end + 1);
    if (whole.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    errno = 0;
    f = fopen(path, "wbe");
    if (!f || fwrite(whole.data, 1, whole.len, f) != whole.len || fflush(f) != 0)
        XA_FAIL(err,
                errno == ENOSPC ? XA_NOSPACE : XA_IO,
                "%s: cannot write: %s",
                path,
                strerror(errno));
done:
    if (f)
        fclose(f);
    if (st != XA_OK && f)
        unlink(path);
    xa_str_free(&drawn);
    xa_str_free(&whole);
    return st;
}

/* Puts the prefix before every id and reference, for pages with several svg elements. */
static void add_prefixed(xa_str *out, const char *svg, const char *prefix)
{
    static const char *const marks[] = {" id=\"", "url(#", "href=\"#"};
    while (*svg) {
        const char *next = NULL;
        size_t n = 0;
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
            const char *at = strstr(svg, marks[k]);
            if (at && (!next || at < next)) {
                next = at;
                n = strlen(marks[k]);
            }
        }
        if (!next) {
            xa_str_puts(out, svg);
            return;
        }
        xa_str_add(out, svg, (size_t)(next - svg) + n);
        xa_str_puts(out, prefix);
        svg = next + n;
    }
}

xa_status xa__page_svg(const xa__page *p, const char *prefix, xa_str *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str drawn = {0};
    XA_TRY(err, draw_svg(p, &drawn, err));
    const char *open_tag = strstr(drawn.data, "<svg");
    if (!open_tag)
        XA_FAIL(err, XA_IO, "cannot draw");
    add_prefixed(out, open_tag, prefix);
    if (out->failed)
        XA_NOMEM_FAIL(err);
done:
    xa_str_free(&drawn);
    return st;
}

xa_status xa__page_write(
    const xa__page *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    errno = 0;
    if (xa_str_ends(path, ".png"))
        return write_raster(p, path, dpi, from, false, err);
    if (xa_str_ends(path, ".tif") || xa_str_ends(path, ".tiff"))
        return write_raster(p, path, dpi, from, true, err);
    if (xa_str_ends(path, ".pdf"))
        return write_pdf(p, path, from, err);
    if (xa_str_ends(path, ".svg"))
        return write_svg(p, path, from, err);
    XA_RETURN_FAIL(
        err, XA_UNSUPPORTED, "%s: expected a name ending in .png, .tiff, .pdf or .svg", path);
}

#else
typedef int xa__no_page;
#endif
