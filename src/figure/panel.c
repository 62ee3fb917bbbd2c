/* Panels: pictures in rows and columns with labels, boxes and a colour bar, drawn once for every
 * format by the same code through cairo and pango. Lengths here are points. */
#include "xaudit/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef XA_HAVE_CAIRO

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <pango/pangocairo.h>

static const double pt_per_mm = 72.0 / 25.4;

typedef struct layout {
    const xa_panel *p;
    double width, height, line, small; /* a line of text; of small print */
    double gap, row_label, cell,
        head;         /* between cells; width of row labels; width of a cell; labels */
    double bar, foot; /* heights */
    double *row;      /* [rows] heights of pictures */
    bool *noted;      /* [rows] a line of notes below */
} layout;

/* ---- text ---- */

static PangoLayout *
text_layout(cairo_t *cr, const xa_panel *p, const char *text, double size, double width)
{
    PangoLayout *l = pango_cairo_create_layout(cr);
    PangoFontDescription *d = pango_font_description_from_string(p->font ? p->font : "sans");
    pango_font_description_set_absolute_size(d, size * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_text(l, text, -1);
    if (width > 0.0)
        pango_layout_set_width(l, (int)(width * PANGO_SCALE));
    return l;
}

static void measure(PangoLayout *l, double *width, double *height)
{
    int w, h;
    pango_layout_get_size(l, &w, &h);
    *width = (double)w / PANGO_SCALE;
    *height = (double)h / PANGO_SCALE;
}

/* A label in lines of that width, two at the most; the rest is ellipsised. */
static PangoLayout *label_layout(cairo_t *cr, const xa_panel *p, const char *text, double width)
{
    PangoLayout *l = text_layout(cr, p, text, p->font_pt, width);
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_height(l, -2);
    pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
    pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
    return l;
}

/* One line in a box of that width, ellipsised; align 0 left, 1 centre, 2 right, 3 left and the
 * beginning left out: the ends of names differ. */
static void put_line(cairo_t *cr,
                     const xa_panel *p,
                     const char *text,
                     double x,
                     double y,
                     double width,
                     double size,
                     int align)
{
    PangoLayout *l = text_layout(cr, p, text, size, width);
    pango_layout_set_single_paragraph_mode(l, TRUE);
    pango_layout_set_ellipsize(l, align == 3 ? PANGO_ELLIPSIZE_START : PANGO_ELLIPSIZE_END);
    pango_layout_set_alignment(l,
                               align == 0 || align == 3 ? PANGO_ALIGN_LEFT
                               : align == 1             ? PANGO_ALIGN_CENTER
                                                        : PANGO_ALIGN_RIGHT);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, l);
    g_object_unref(l);
}

/* ---- where things go ---- */

static double aspect(const xa_tile *t)
{
    if (!t->picture || !(t->frame[0] > 0.0))
        return 0.0;
    return t->frame[1] / t->frame[0];
}

static xa_status lay_out(layout *l, const xa_panel *p, cairo_t *cr, xa_err *err)
{
    double w, h;
    *l = (layout){.p = p, .width = p->width_mm * pt_per_mm, .gap = 0.5 * p->font_pt};
    l->row = xa_alloc((size_t)p->rows + 1, sizeof *l->row);
    l->noted = xa_alloc((size_t)p->rows + 1, sizeof *l->noted);
    if (!l->row || !l->noted)
        XA_RETURN_FAIL(err, XA_NOMEM, "figure: out of memory");
    PangoLayout *t = text_layout(cr, p, "Ag", p->font_pt, 0.0);
    measure(t, &w, &l->line);
    g_object_unref(t);
    l->small = 0.8 * l->line;
    for (int r = 0; p->row_labels && r < p->rows; r++) {
        if (!p->row_labels[r])
            continue;
        t = text_layout(cr, p, p->row_labels[r], p->font_pt, 0.0);
        measure(t, &w, &h);
        g_object_unref(t);
        l->row_label = fmax(l->row_label, fmin(w + l->gap, 0.2 * l->width));
    }
    l->cell = (l->width - l->row_label - (p->columns - 1) * l->gap) / p->columns;
    if (l->cell < 4.0 * p->font_pt)
        XA_RETURN_FAIL(
            err,
            XA_SHAPE,
            "a figure of %g mm leaves %.1f mm for each of %d columns: make it at least %.0f mm "
            "wide, or take fewer",
            p->width_mm,
            l->cell / pt_per_mm,
            p->columns,
            ceil((l->row_label + (p->columns - 1) * l->gap + 4.0 * p->font_pt * p->columns) /
                 pt_per_mm));
    for (int c = 0; p->column_labels && c < p->columns; c++) {
        if (!p->column_labels[c])
            continue;
        t = label_layout(cr, p, p->column_labels[c], l->cell);
        measure(t, &w, &h);
        g_object_unref(t);
        l->head = fmax(l->head, h + 0.3 * l->gap);
    }
    l->height = l->head;
    for (int r = 0; r < p->rows; r++) {
        for (int c = 0; c < p->columns; c++) {
            const xa_tile *tile = &p->tiles[r * p->columns + c];
            l->row[r] = fmax(l->row[r], fmin(aspect(tile), 1.5) * l->cell);
            l->noted[r] = l->noted[r] || tile->note;
        }
        l->row[r] = fmax(l->row[r], 2.0 * l->line);
        l->height += l->row[r] + (l->noted[r] ? l->line : 0.0) + l->gap;
    }
    if (p->bar)
        l->bar = 1.2 * p->font_pt + (p->bar_label ? l->line : 0.0) + l->gap;
    if (p->footnote) {
        t = text_layout(cr, p, p->footnote, 0.8 * p->font_pt, l->width);
        pango_layout_set_wrap(t, PANGO_WRAP_WORD_CHAR);
        measure(t, &w, &h);
        g_object_unref(t);
        l->foot = h + 0.5 * l->gap;
    }
    l->height += l->bar + l->foot;
    return XA_OK;
}

static void layout_fini(layout *l)
{
    free(l->row);
    free(l->noted);
}

/* ---- drawing ---- */

static cairo_surface_t *surface_of(const xa_image *im)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)im->width, (int)im->height);
    if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS)
        return s;
    unsigned char *to = cairo_image_surface_get_data(s);
    const int stride = cairo_image_surface_get_stride(s);
    const uint8_t *from = im->data;
    for (int64_t y = 0; y < im->height; y++)
        for (int64_t x = 0; x < im->width; x++, from += 3) {
            const uint32_t v = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
            memcpy(to + y * stride + 4 * x, &v, sizeof v);
        }
    cairo_surface_mark_dirty(s);
    return s;
}

/* White below dark, so that a box shows on any picture. */
static void draw_boxes(cairo_t *cr, const xa_tile *t, double scale_x, double scale_y, double font)
{
    for (int pass = 0; pass < 2; pass++) {
        cairo_set_line_width(cr, (pass ? 0.08 : 0.2) * font);
        cairo_set_source_rgb(cr, pass ? 0.0 : 1.0, pass ? 0.0 : 1.0, pass ? 0.0 : 1.0);
        for (int i = 0; i < t->nboxes; i++)
            cairo_rectangle(cr,
                            t->box[i][0] * scale_x,
                            t->box[i][1] * scale_y,
                            (t->box[i][2] - t->box[i][0]) * scale_x,
                            (t->box[i][3] - t->box[i][1]) * scale_y);
        cairo_stroke(cr);
    }
}

/* In a cell, its own aspect kept, centred. */
static void
draw_tile(cairo_t *cr, const layout *l, const xa_tile *t, double x, double y, double height)
{
    if (!t->picture)
        return;
    double w = l->cell, h = w * aspect(t);
    if (h > height) {
        w *= height / h;
        h = height;
    }
    cairo_surface_t *s = surface_of(t->picture);
    cairo_save(cr);
    cairo_translate(cr, x + 0.5 * (l->cell - w), y + 0.5 * (height - h));
    cairo_rectangle(cr, 0.0, 0.0, w, h);
    cairo_clip(cr);
    cairo_save(cr);
    cairo_scale(cr, w / (double)t->picture->width, h / (double)t->picture->height);
    cairo_set_source_surface(cr, s, 0.0, 0.0);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_restore(cr);
    draw_boxes(cr, t, w / t->frame[0], h / t->frame[1], l->p->font_pt);
    cairo_restore(cr);
    cairo_surface_destroy(s);
}

static void draw_bar(cairo_t *cr, const layout *l, double y)
{
    const xa_panel *p = l->p;
    const double w = fmin(0.5 * l->width, 30.0 * p->font_pt), h = 1.0 * p->font_pt;
    const double x = 0.5 * (l->width - w);
    const uint8_t(*table)[3] = xa_colormap_table(p->bar_map);
    cairo_pattern_t *ramp = cairo_pattern_create_linear(x, 0.0, x + w, 0.0);
    for (int i = 0; i < 256; i++)
        cairo_pattern_add_color_stop_rgb(
            ramp, i / 255.0, table[i][0] / 255.0, table[i][1] / 255.0, table[i][2] / 255.0);
    cairo_set_source(cr, ramp);
    cairo_rectangle(cr, x, y, w, h);
    cairo_fill_preserve(cr);
    cairo_pattern_destroy(ramp);
    cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
    cairo_set_line_width(cr, 0.05 * p->font_pt);
    cairo_stroke(cr);
    const double below = y + h + 0.1 * p->font_pt, side = x - l->gap;
    put_line(cr, p, p->bar_low, 0.0, y + 0.5 * (h - l->line), side, p->font_pt, 2);
    put_line(cr, p, p->bar_high, x + w + l->gap, y + 0.5 * (h - l->line), side, p->font_pt, 0);
    if (p->bar_label)
        put_line(cr, p, p->bar_label, 0.0, below, l->width, p->font_pt, 1);
}

static void draw(cairo_t *cr, const layout *l)
{
    const xa_panel *p = l->p;
    double y = l->head;
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
    for (int c = 0; p->column_labels && c < p->columns; c++) {
        double w, h;
        if (!p->column_labels[c])
            continue;
        PangoLayout *t = label_layout(cr, p, p->column_labels[c], l->cell);
        measure(t, &w, &h);
        cairo_move_to(cr, l->row_label + c * (l->cell + l->gap), l->head - 0.3 * l->gap - h);
        pango_cairo_show_layout(cr, t);
        g_object_unref(t);
    }
    for (int r = 0; r < p->rows; r++) {
        cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
        if (p->row_labels && p->row_labels[r])
            put_line(cr,
                     p,
                     p->row_labels[r],
                     0.0,
                     y + 0.5 * (l->row[r] - l->line),
                     l->row_label - l->gap,
                     p->font_pt,
                     3);
        for (int c = 0; c < p->columns; c++) {
            const xa_tile *t = &p->tiles[r * p->columns + c];
            const double x = l->row_label + c * (l->cell + l->gap);
            draw_tile(cr, l, t, x, y, l->row[r]);
            cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
            if (t->note)
                put_line(cr, p, t->note, x, y + l->row[r], l->cell, 0.9 * p->font_pt, 1);
        }
        y += l->row[r] + (l->noted[r] ? l->line : 0.0) + l->gap;
    }
    if (p->bar)
        draw_bar(cr, l, y);
    y += l->bar;
    cairo_set_source_rgb(cr, 0.0, 0.0, 0.0);
    if (p->footnote) {
        PangoLayout *t = text_layout(cr, p, p->footnote, 0.8 * p->font_pt, l->width);
        pango_layout_set_wrap(t, PANGO_WRAP_WORD_CHAR);
        cairo_move_to(cr, 0.0, y);
        pango_cairo_show_layout(cr, t);
        g_object_unref(t);
    }
}

/* ---- formats ---- */

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

static xa_status write_raster(const layout *l,
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
    draw(cr, l);
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
write_pdf(const layout *l, const char *path, const xa_provenance *from, xa_err *err)
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
    draw(cr, l);
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

static void add_escaped(xa_str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            xa_str_puts(out, "&amp;");
        else if (*text == '<')
            xa_str_puts(out, "&lt;");
        else if (*text == '>')
            xa_str_puts(out, "&gt;");
        else
            xa_str_add(out, text, 1);
    }
}

/* cairo writes no metadata into SVG: it goes behind the opening tag. */
static xa_status
write_svg(const layout *l, const char *path, const xa_provenance *from, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str drawn = {0}, whole = {0};
    FILE *f = NULL;
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(take, &drawn, l->width, l->height);
    cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PT);
    cairo_t *cr = cairo_create(s);
    draw(cr, l);
    cairo_destroy(cr);
    cairo_surface_finish(s);
    const cairo_status_t status = cairo_surface_status(s);
    cairo_surface_destroy(s);
    const char *open_tag = drawn.data ? strstr(drawn.data, "<svg") : NULL;
    const char *end = open_tag ? strchr(open_tag, '>') : NULL;
    if (status != CAIRO_STATUS_SUCCESS || !end)
        XA_FAIL(err, XA_IO, "%s: cannot draw: %s", path, cairo_status_to_string(status));
    xa_str_add(&whole, drawn.data, (size_t)(end + 1 - drawn.data));
    xa_str_puts(&whole, "\n<metadata>");
    add_escaped(&whole, from->command);
    xa_str_puts(&whole, " # xaudit archive ");
    add_escaped(&whole, from->digest);
    xa_str_puts(&whole, "</metadata>");
    xa_str_puts(&whole, end + 1);
    if (whole.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
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

xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    xa_status st = XA_OK;
    layout l = {0};
    cairo_surface_t *scratch = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(scratch);
    XA_TRY(err, lay_out(&l, p, cr, err));
    errno = 0;
    if (xa_str_ends(path, ".png"))
        XA_TRY(err, write_raster(&l, path, dpi, from, false, err));
    else if (xa_str_ends(path, ".tif") || xa_str_ends(path, ".tiff"))
        XA_TRY(err, write_raster(&l, path, dpi, from, true, err));
    else if (xa_str_ends(path, ".pdf"))
        XA_TRY(err, write_pdf(&l, path, from, err));
    else if (xa_str_ends(path, ".svg"))
        XA_TRY(err, write_svg(&l, path, from, err));
    else
        XA_FAIL(
            err, XA_UNSUPPORTED, "%s: expected a name ending in .png, .tiff, .pdf or .svg", path);
done:
    cairo_destroy(cr);
    cairo_surface_destroy(scratch);
    layout_fini(&l);
    return st;
}

#else

xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    (void)p, (void)dpi, (void)from;
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: this xaudit was built without figures (cairo and pango; XAUDIT_FIGURES=ON)",
                   path);
}

#endif
