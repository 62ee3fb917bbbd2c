/* The pictures of a panel with what is drawn over them. */
#include "panel.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void free_text(void *data)
{
    free(data);
}

/* Formats with vectors keep a picture as a JPEG (quality 92), which is a tenth of its pixels. */
static void attach_jpeg(cairo_surface_t *s, const xa_image *im)
{
    xa_str jpeg = {0};
    xa_err none = XA_ERR_INIT;
    if (xa_image_jpeg(im, 92, &jpeg, &none) == XA_OK && jpeg.len &&
        cairo_surface_set_mime_data(s,
                                    CAIRO_MIME_TYPE_JPEG,
                                    (const unsigned char *)jpeg.data,
                                    jpeg.len,
                                    free_text,
                                    jpeg.data) == CAIRO_STATUS_SUCCESS)
        return;
    xa_str_free(&jpeg); /* the pixels are written as they are */
}

static cairo_surface_t *surface_of(const xa_image *im, bool vectors)
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
    if (vectors && im->width * im->height >= 64 * 64) /* small maps stay exact */
        attach_jpeg(s, im);
    return s;
}

void xa__panel_stroke(cairo_t *cr, const double rgb[3], double width, double casing)
{
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.45);
    cairo_set_line_width(cr, casing);
    cairo_stroke_preserve(cr);
    cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
    cairo_set_line_width(cr, width);
    cairo_stroke_preserve(cr);
}

static void draw_contour(cairo_t *cr, const xa_lines *l, double scale_x, double scale_y)
{
    static const double white[3] = {1.0, 1.0, 1.0};
    cairo_new_path(cr);
    for (int i = 0; i < l->n; i++) {
        const double(*p)[2] = (const double(*)[2])(l->point + l->first[i]);
        const int n = l->first[i + 1] - l->first[i];
        for (int j = 0; j < n; j++)
            (j ? cairo_line_to : cairo_move_to)(cr, p[j][0] * scale_x, p[j][1] * scale_y);
        if (n > 2 && p[0][0] == p[n - 1][0] && p[0][1] == p[n - 1][1])
            cairo_close_path(cr);
    }
    xa__panel_stroke(cr, white, 0.7, 1.6);
    cairo_new_path(cr);
}

static void draw_truth(cairo_t *cr, const xa_tile *t, double scale_x, double scale_y)
{
    cairo_new_path(cr);
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
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_SQUARE);
    xa__panel_stroke(cr, xa__panel_truth, 0.8, 1.7);
    cairo_new_path(cr);
}

/* Centred in its cell, with its own aspect ratio. */
static void
draw_tile(const xa__ink *k, const xa__panel *l, const xa_tile *t, double x, double y, double height)
{
    cairo_t *cr = k->cr;
    if (!t->picture)
        return;
    double w = l->cell, h = w * t->frame[1] / t->frame[0];
    if (h > height) {
        w *= height / h;
        h = height;
    }
    const bool vectors = cairo_surface_get_type(cairo_get_target(cr)) != CAIRO_SURFACE_TYPE_IMAGE;
    cairo_surface_t *s = surface_of(t->picture, vectors);
    cairo_save(cr);
    cairo_translate(cr, x + 0.5 * (l->cell - w), y + 0.5 * (height - h));
    cairo_rectangle(cr, 0.0, 0.0, w, h);
    cairo_clip(cr);
    cairo_save(cr);
    cairo_scale(cr, w / (double)t->picture->width, h / (double)t->picture->height);
    cairo_set_source_surface(cr, s, 0.0, 0.0);
    if (!vectors) /* a picture that is padded would be written as its pixels */
        cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_restore(cr);
    if (t->contour)
        draw_contour(cr, t->contour, w / t->frame[0], h / t->frame[1]);
    draw_truth(cr, t, w / t->frame[0], h / t->frame[1]);
    cairo_restore(cr);
    cairo_surface_destroy(s);
}

/* The score at the right, the note in what is left of it. */
static void put_below(const xa__ink *k, const xa__panel *l, const xa_tile *t, double x, double y)
{
    double used = 0.0;
    if (t->score) {
        xa__ink heavy = *k;
        heavy.bold = t->best;
        used = xa__text_width(&heavy, t->score, l->small) + 0.5 * l->small;
        xa__put_line(&heavy, t->score, x, y, l->cell, l->small, XA__RIGHT, false);
    }
    if (!t->note)
        return;
    xa__set_colour(k, xa__panel_soft);
    xa__put_line(k, t->note, x, y, l->cell - used, l->small, XA__LEFT, false);
    xa__set_colour(k, NULL);
}

void xa__panel_draw(const xa__ink *k, const void *layout)
{
    xa__panel l = *(const xa__panel *)layout;
    const xa_panel *p = l.p;
    const double line = xa__line_height(k, l.small);
    double y = l.margin;
    (void)xa__panel_headings(k, &l, y, true);
    y += l.head;
    for (int r = 0; r < p->rows; r++) {
        if (p->row)
            (void)xa__panel_caption(k, &l, r, y, true);
        y += l.caption[r];
        for (int c = 0; c < p->columns; c++) {
            const xa_tile *t = &p->tiles[r * p->columns + c];
            const double x = xa__panel_x(&l, c);
            draw_tile(k, &l, t, x, y, l.row[r]);
            xa__set_colour(k, NULL);
            if (t->picture)
                put_below(k, &l, t, x, y + l.row[r] + 0.05 * line);
            else if (t->note) {
                const xa__wrapped w = xa__wrap(k, t->note, l.cell, l.small, XA__LEAST_PT, true);
                xa__set_colour(k, xa__panel_soft);
                xa__put_wrapped(k, &w, x, y + 0.5 * (l.row[r] - w.n * w.line), l.cell, XA__CENTRE);
            }
            xa__set_colour(k, NULL);
        }
        y += l.row[r] + (l.scored[r] ? 1.05 * line : 0.0) + 1.5 * XA__MM;
    }
    (void)xa__panel_foot(k, &l, y, true);
}

#else
typedef int xa__no_panel_draw;
#endif
