/* Panels: pictures in rows and columns with labels, boxes and a colour bar, drawn once for every
 * format by the same code through cairo and pango. Lengths here are points. */
#include "xaudit/draw.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ink.h"

static const double pt_per_mm = 72.0 / 25.4;
enum { FOOT_LINES = 12 };

typedef struct layout {
    const xa_panel *p;
    double width, height, line, small; /* a line of text; of small print */
    double gap, row_label, cell,
        head;         /* between cells; width of row labels; width of a cell; labels */
    double bar, foot; /* heights */
    double *row;      /* [rows] heights of pictures */
    bool *noted;      /* [rows] a line of notes below */
} layout;

/* ---- where things go ---- */

static double aspect(const xa_tile *t)
{
    if (!t->picture || !(t->frame[0] > 0.0))
        return 0.0;
    return t->frame[1] / t->frame[0];
}

static xa_status lay_out(layout *l, const xa_panel *p, const xa__ink *k, xa_err *err)
{
    *l = (layout){.p = p, .width = p->width_mm * pt_per_mm, .gap = 0.5 * p->font_pt};
    l->row = xa_alloc((size_t)p->rows + 1, sizeof *l->row);
    l->noted = xa_alloc((size_t)p->rows + 1, sizeof *l->noted);
    if (!l->row || !l->noted)
        XA_RETURN_FAIL(err, XA_NOMEM, "figure: out of memory");
    l->line = xa__line_height(k, p->font_pt);
    l->small = 0.8 * l->line;
    for (int r = 0; p->row_labels && r < p->rows; r++) {
        if (!p->row_labels[r])
            continue;
        const double w = xa__text_width(k, p->row_labels[r], p->font_pt);
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
        const int lines = xa__put_lines(
            k, p->column_labels[c], 0.0, 0.0, l->cell, p->font_pt, XA__CENTRE, 2, true);
        l->head = fmax(l->head, lines * l->line + 0.3 * l->gap);
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
        const int lines = xa__put_lines(
            k, p->footnote, 0.0, 0.0, l->width, 0.8 * p->font_pt, XA__LEFT, FOOT_LINES, true);
        l->foot = lines * xa__line_height(k, 0.8 * p->font_pt) + 0.5 * l->gap;
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

/* A white line below a dark one, which is visible on any picture. */
static void draw_boxes(cairo_t *cr, const xa_tile *t, double scale_x, double scale_y, double font)
{
    for (int pass = 0; pass < 2; pass++) {
        cairo_set_line_cap(cr, CAIRO_LINE_CAP_SQUARE);
        cairo_set_line_width(cr, (pass ? 0.08 : 0.2) * font);
        cairo_set_source_rgb(cr, pass ? 0.0 : 1.0, pass ? 0.0 : 1.0, pass ? 0.0 : 1.0);
        for (int i = 0; i < t->nboxes; i++)
            cairo_rectangle(cr,
                            t->box[i][0] * scale_x,
                            t->box[i][1] * scale_y,
                            (t->box[i][2] - t->box[i][0]) * scale_x,
                            (t->box[i][3] - t->box[i][1]) * scale_y);
        for (int i = 0; i < t->nedges; i++) {
            cairo_move_to(cr, t->edge[i][0] * scale_x, t->edge[i][1] * scale_y);
            cairo_line_to(cr, t->edge[i][2] * scale_x, t->edge[i][3] * scale_y);
        }
        cairo_stroke(cr);
    }
}

/* Centred in its cell, with its own aspect ratio. */
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

static void draw_bar(const xa__ink *k, const layout *l, double y)
{
    cairo_t *cr = k->cr;
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
    xa__put_line(k, p->bar_low, 0.0, y + 0.5 * (h - l->line), side, p->font_pt, XA__RIGHT, false);
    xa__put_line(
        k, p->bar_high, x + w + l->gap, y + 0.5 * (h - l->line), side, p->font_pt, XA__LEFT, false);
    if (p->bar_label)
        xa__put_line(k, p->bar_label, 0.0, below, l->width, p->font_pt, XA__CENTRE, false);
}

static void draw(const xa__ink *k, const void *arg)
{
    const layout *l = arg;
    const xa_panel *p = l->p;
    double y = l->head;
    for (int c = 0; p->column_labels && c < p->columns; c++) {
        const double x = l->row_label + c * (l->cell + l->gap);
        if (!p->column_labels[c])
            continue;
        const int lines =
            xa__put_lines(k, p->column_labels[c], x, 0.0, l->cell, p->font_pt, XA__CENTRE, 2, true);
        (void)xa__put_lines(k,
                            p->column_labels[c],
                            x,
                            l->head - 0.3 * l->gap - lines * l->line,
                            l->cell,
                            p->font_pt,
                            XA__CENTRE,
                            2,
                            false);
    }
    for (int r = 0; r < p->rows; r++) {
        if (p->row_labels && p->row_labels[r])
            xa__put_line(k,
                         p->row_labels[r],
                         0.0,
                         y + 0.5 * (l->row[r] - l->line),
                         l->row_label - l->gap,
                         p->font_pt,
                         XA__LEFT,
                         true);
        for (int c = 0; c < p->columns; c++) {
            const xa_tile *t = &p->tiles[r * p->columns + c];
            const double x = l->row_label + c * (l->cell + l->gap);
            draw_tile(k->cr, l, t, x, y, l->row[r]);
            xa__set_colour(k, NULL);
            if (t->note)
                xa__put_line(
                    k, t->note, x, y + l->row[r], l->cell, 0.9 * p->font_pt, XA__CENTRE, false);
        }
        y += l->row[r] + (l->noted[r] ? l->line : 0.0) + l->gap;
    }
    if (p->bar)
        draw_bar(k, l, y);
    y += l->bar;
    xa__set_colour(k, NULL);
    if (p->footnote)
        (void)xa__put_lines(
            k, p->footnote, 0.0, y, l->width, 0.8 * p->font_pt, XA__LEFT, FOOT_LINES, false);
}

xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    xa_status st = XA_OK;
    layout l = {0};
    xa__ink k = xa__measure_begin(p->font);
    XA_TRY(err, lay_out(&l, p, &k, err));
    const xa__page page = {
        .width = l.width, .height = l.height, .font = p->font, .draw = draw, .arg = &l};
    XA_TRY(err, xa__page_write(&page, path, dpi, from, err));
done:
    xa__measure_end(&k);
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
