/* Headings, captions of rows and the key of a panel: the same code measures and draws. */
#include "panel.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Soft ink has 6 : 1 on white, green and red more than 4.5 : 1. */
const double xa__panel_soft[3] = {0.337, 0.365, 0.412};
const double xa__panel_good[3] = {0.043, 0.459, 0.282};
const double xa__panel_bad[3] = {0.702, 0.149, 0.118};
const double xa__panel_truth[3] = {0.071, 0.839, 0.878};

static const double letter_mm = 3.6, bar_mm = 26.0, bar_height_mm = 1.9, sample_mm = 5.0;

/* ---- headings ---- */

static bool same_group(const xa_panel *p, int a, int b)
{
    const char *x = p->column[a].group, *y = p->column[b].group;
    return x && y && !strcmp(x, y);
}

/* Names of groups over a rule across their columns. */
static double put_groups(const xa__ink *k, const xa__panel *l, double y, bool draw)
{
    const xa_panel *p = l->p;
    xa__ink heavy = *k;
    double height = 0.0;
    heavy.bold = true;
    for (int c = 0, end; c < p->columns; c = end) {
        for (end = c + 1; end < p->columns && same_group(p, c, end); end++)
            ;
        if (!p->column[c].group)
            continue;
        const double x = xa__panel_x(l, c), w = xa__panel_x(l, end - 1) + l->cell - x;
        const xa__wrapped t = xa__wrap(&heavy, p->column[c].group, w, l->name, XA__LEAST_PT, true);
        height = fmax(height, t.n * t.line + 0.9 * XA__MM);
        if (!draw)
            continue;
        xa__put_wrapped(&heavy, &t, x, y + l->group - 0.9 * XA__MM - t.n * t.line, w, XA__LEFT);
        cairo_set_line_width(k->cr, 0.5);
        cairo_move_to(k->cr, x, y + l->group - 0.6 * XA__MM);
        cairo_line_to(k->cr, x + w, y + l->group - 0.6 * XA__MM);
        cairo_stroke(k->cr);
    }
    return height;
}

double xa__panel_headings(const xa__ink *k, xa__panel *l, double y, bool draw)
{
    const xa_panel *p = l->p;
    double names = 0.0, details = 0.0;
    if (!p->column)
        return 0.0;
    l->group = put_groups(k, l, y, false);
    if (draw)
        (void)put_groups(k, l, y, true);
    for (int pass = 0; pass <= draw; pass++) /* details begin below the highest name */
        for (int c = 0; c < p->columns; c++) {
            const xa_panel_column *h = &p->column[c];
            const double x = xa__panel_x(l, c), top = y + l->group;
            if (h->name) {
                const xa__wrapped t = xa__wrap(k, h->name, l->cell, l->name, XA__LEAST_PT, false);
                names = fmax(names, t.n * t.line);
                if (pass)
                    xa__put_wrapped(k, &t, x, top, l->cell, XA__LEFT);
            }
            if (h->detail) {
                const xa__wrapped t =
                    xa__wrap(k, h->detail, l->cell, l->small, XA__LEAST_PT, false);
                details = fmax(details, t.n * t.line);
                if (pass) {
                    xa__set_colour(k, xa__panel_soft);
                    xa__put_wrapped(k, &t, x, top + names, l->cell, XA__LEFT);
                    xa__set_colour(k, NULL);
                }
            }
        }
    return l->group + names + details + 0.6 * XA__MM;
}

xa_status xa__panel_check_words(const xa__ink *k, const xa__panel *l, xa_err *err)
{
    const xa_panel *p = l->p;
    for (int c = 0; p->column && c < p->columns; c++)
        for (int which = 0; which < 2; which++) {
            const char *text = which ? p->column[c].detail : p->column[c].name;
            if (!text)
                continue;
            const xa__wrapped t = xa__wrap(k, text, l->cell, l->name, XA__LEAST_PT, false);
            if (t.needs <= 1.01 * l->cell)
                continue;
            const double needed = l->width + (t.needs - l->cell) * p->columns;
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "the heading \"%s\" has a word that needs %.1f mm at 5.5 pt, a column "
                           "of this figure has %.1f mm: make it at least %.0f mm wide, take fewer "
                           "columns, or give a shorter name",
                           text,
                           t.needs / XA__MM,
                           l->cell / XA__MM,
                           ceil(needed / XA__MM));
        }
    return XA_OK;
}

/* ---- captions of rows ---- */

/* a, b, .., z, aa, ab, .. */
static void letter_of(int row, char out[4])
{
    int n = 0;
    if (row >= 26)
        out[n++] = (char)('a' + (row / 26 - 1) % 26);
    out[n++] = (char)('a' + row % 26);
    out[n] = '\0';
}

static void put_letter(const xa__ink *k, const xa__panel *l, int row, double y)
{
    char letter[4];
    xa__ink heavy = *k;
    heavy.bold = true;
    letter_of(row, letter);
    xa__put_line(&heavy, letter, l->margin, y, letter_mm * XA__MM, l->letter, XA__LEFT, false);
}

static const double *colour_of(xa_panel_verdict v)
{
    return v == XA_PANEL_RIGHT   ? xa__panel_good
           : v == XA_PANEL_WRONG ? xa__panel_bad
                                 : xa__panel_soft;
}

/* A tick or a cross on a line of small print: fonts differ in whether they have them. */
static double put_mark(const xa__ink *k, const xa__panel *l, xa_panel_verdict v, double x, double y)
{
    const double side = 0.62 * l->small, top = y + 0.32 * xa__line_height(k, l->small);
    if (v == XA_PANEL_NONE)
        return 0.0;
    if (k->cr && x >= 0.0) {
        cairo_set_line_width(k->cr, 0.14 * l->small);
        cairo_set_line_cap(k->cr, CAIRO_LINE_CAP_ROUND);
        cairo_new_path(k->cr);
        if (v == XA_PANEL_RIGHT) {
            cairo_move_to(k->cr, x, top + 0.55 * side);
            cairo_line_to(k->cr, x + 0.35 * side, top + 0.9 * side);
            cairo_line_to(k->cr, x + side, top);
        } else {
            cairo_move_to(k->cr, x, top);
            cairo_line_to(k->cr, x + 0.85 * side, top + 0.9 * side);
            cairo_move_to(k->cr, x, top + 0.9 * side);
            cairo_line_to(k->cr, x + 0.85 * side, top);
        }
        cairo_stroke(k->cr);
    }
    return 1.5 * side;
}

/* In a column at the left: name, reason, then an answer a line. */
static double put_beside(const xa__ink *k, const xa__panel *l, int row, double y, bool draw)
{
    const xa_panel_row *r = &l->p->row[row];
    const double in = l->lettered ? letter_mm * XA__MM : 0.0;
    const double x = l->margin + in, w = l->side - in - 1.2 * XA__MM, top = y;
    xa__ink heavy = *k;
    heavy.bold = true;
    if (draw && l->lettered)
        put_letter(k, l, row, y);
    if (r->name) {
        const xa__wrapped t = xa__wrap(&heavy, r->name, w, l->name, XA__LEAST_PT, true);
        if (draw)
            xa__put_wrapped(&heavy, &t, x, y, w, XA__LEFT);
        y += t.n * t.line;
    }
    if (r->why) {
        const xa__wrapped t = xa__wrap(k, r->why, w, l->small, XA__LEAST_PT, true);
        xa__set_colour(k, xa__panel_soft);
        if (draw)
            xa__put_wrapped(k, &t, x, y, w, XA__LEFT);
        y += t.n * t.line;
    }
    for (int i = 0; i < r->nanswers; i++) {
        const xa_panel_answer *a = &r->answer[i];
        xa__set_colour(k, colour_of(a->verdict));
        const double mark = put_mark(k, l, a->verdict, draw ? x : -1.0, y);
        const xa__wrapped t = xa__wrap(k, a->text, w - mark, l->small, XA__LEAST_PT, true);
        if (draw)
            xa__put_wrapped(k, &t, x + mark, y, w - mark, XA__LEFT);
        y += t.n * t.line;
    }
    xa__set_colour(k, NULL);
    return y - top;
}

/* Pieces of text that follow one another on lines as wide as the figure. */
typedef struct flow {
    const xa__ink *k;
    double left, right, x, y, line;
    bool draw;
} flow;

static void new_line(flow *f)
{
    f->x = f->left;
    f->y += f->line;
}

/* Makes room for a piece: on this line, or at the beginning of the next. */
static void make_room(flow *f, double width)
{
    if (f->x > f->left && f->x + width > f->right)
        new_line(f);
}

static void put_piece(flow *f, const xa__ink *k, const char *text, double size, double lower)
{
    const double w = xa__text_width(k, text, size);
    if (w <= f->right - f->left) {
        make_room(f, w);
        if (f->draw)
            xa__put_line(k, text, f->x, f->y + lower, w * 1.01, size, XA__LEFT, false);
        f->x += w;
        return;
    }
    if (f->x > f->left)
        new_line(f);
    const xa__wrapped t = xa__wrap(k, text, f->right - f->left, size, XA__LEAST_PT, true);
    if (f->draw)
        xa__put_wrapped(k, &t, f->x, f->y, f->right - f->left, XA__LEFT);
    f->y += (t.n - 1) * t.line;
    f->x = f->right;
}

/* Above the row: name, answers, and the reason at the right. */
static double put_over(const xa__ink *k, const xa__panel *l, int row, double y, bool draw)
{
    const xa_panel_row *r = &l->p->row[row];
    const double between = 2.5 * XA__MM;
    xa__ink heavy = *k;
    heavy.bold = true;
    const double line = xa__line_height(&heavy, l->name);
    const double lower = 0.8 * (line - xa__line_height(k, l->small)); /* onto one base line */
    const double left = l->margin + (l->lettered ? letter_mm * XA__MM : 0.0);
    flow f = {k, left, l->width - l->margin, left, y, line, draw};
    if (!r->name && !r->why && !r->nanswers)
        return 0.0;
    if (draw && l->lettered)
        put_letter(k, l, row, y - 0.8 * (xa__line_height(&heavy, l->letter) - line));
    if (r->name) {
        put_piece(&f, &heavy, r->name, l->name, 0.0);
        f.x += between;
    }
    for (int i = 0; i < r->nanswers; i++) {
        const xa_panel_answer *a = &r->answer[i];
        const double mark = put_mark(k, l, a->verdict, -1.0, 0.0);
        make_room(&f, mark + xa__text_width(k, a->text, l->small));
        xa__set_colour(k, colour_of(a->verdict));
        if (draw)
            (void)put_mark(k, l, a->verdict, f.x, f.y + lower);
        f.x += mark;
        put_piece(&f, k, a->text, l->small, lower);
        f.x += between;
    }
    if (r->why) {
        xa__set_colour(k, xa__panel_soft);
        const double w = xa__text_width(k, r->why, l->small);
        make_room(&f, w);
        if (w <= f.right - f.x)
            f.x = f.right - w;
        put_piece(&f, k, r->why, l->small, lower);
    }
    xa__set_colour(k, NULL);
    return f.y + line + 0.3 * XA__MM - y;
}

double xa__panel_caption(const xa__ink *k, const xa__panel *l, int row, double y, bool draw)
{
    return l->above ? put_over(k, l, row, y, draw) : put_beside(k, l, row, y, draw);
}

/* ---- the key ---- */

/* The opacity is part of the scale, so the bar lies on white and on black. */
static xa_status make_bar(const xa_panel_bar *b, xa_image *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image ground = {0};
    float t[2][256];
    if (!b->over) {
        XA_RETURN_TRY(err, xa_image_init(out, 256, 1, 3, XA_PIXEL_U8, err));
        memcpy(out->data, xa_colormap_table(b->colormap), (size_t)256 * 3);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa_image_init(&ground, 256, 2, 3, XA_PIXEL_U8, err));
    memset(ground.data, 255, (size_t)256 * 3);
    for (int i = 0; i < 256; i++)
        t[0][i] = t[1][i] = (float)(b->is_signed ? 2.0 * i / 255.0 - 1.0 : i / 255.0);
    st = xa_overlay_draw(b->over, &ground, t[0], b->is_signed, out, err);
    xa_image_fini(&ground);
    return st;
}

static void
draw_bar(const xa__ink *k, const xa_panel_bar *b, double x, double y, double w, double h)
{
    cairo_t *cr = k->cr;
    xa_image im = {0};
    xa_err none = XA_ERR_INIT;
    if (make_bar(b, &im, &none) != XA_OK)
        return;
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)im.width, (int)im.height);
    unsigned char *to = cairo_image_surface_get_data(s);
    for (int64_t i = 0; to && i < im.width * im.height; i++) {
        const uint8_t *c = (const uint8_t *)im.data + 3 * i;
        const uint32_t v = (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
        memcpy(to + (i / im.width) * cairo_image_surface_get_stride(s) + 4 * (i % im.width), &v, 4);
    }
    cairo_surface_mark_dirty(s);
    cairo_save(cr);
    cairo_rectangle(cr, x, y, w, h);
    cairo_clip(cr);
    cairo_translate(cr, x, y);
    cairo_scale(cr, w / (double)im.width, h / (double)im.height);
    cairo_set_source_surface(cr, s, 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_rectangle(cr, x, y, w, h);
    cairo_set_source_rgb(cr, 0.6, 0.63, 0.67);
    cairo_set_line_width(cr, 0.4);
    cairo_stroke(cr);
    cairo_surface_destroy(s);
    xa_image_fini(&im);
}

static void put_bar(flow *f, const xa__panel *l)
{
    const xa_panel_bar *b = l->p->bar;
    const double air = 0.8 * XA__MM, h = bar_height_mm * XA__MM;
    const double low = xa__text_width(f->k, b->low, l->small);
    const double high = xa__text_width(f->k, b->high, l->small);
    double w = fmin(bar_mm * XA__MM, 0.18 * l->width);
    const double room = f->right - f->left - low - high - 2.0 * air;
    w = fmax(fmin(w, room), 8.0 * XA__MM);
    make_room(f, low + w + high + 2.0 * air);
    if (f->draw) {
        xa__set_colour(f->k, NULL);
        xa__put_line(f->k, b->low, f->x, f->y, low * 1.01, l->small, XA__LEFT, false);
        draw_bar(f->k, b, f->x + low + air, f->y + 0.5 * (f->line - h), w, h);
        xa__set_colour(f->k, NULL);
    }
    f->x += low + w + 2.0 * air;
    put_piece(f, f->k, b->high, l->small, 0.0);
    f->x += 4.0 * XA__MM;
}

static void put_sample(flow *f, const xa__panel *l, const double rgb[3], const char *text)
{
    const double w = sample_mm * XA__MM, air = 1.0 * XA__MM;
    make_room(f, w + air + xa__text_width(f->k, text, l->small));
    if (f->draw) {
        cairo_new_path(f->k->cr);
        cairo_set_line_cap(f->k->cr, CAIRO_LINE_CAP_BUTT);
        cairo_move_to(f->k->cr, f->x, f->y + 0.5 * f->line);
        cairo_line_to(f->k->cr, f->x + w, f->y + 0.5 * f->line);
        xa__panel_stroke(f->k->cr, rgb, 1.1, 2.1);
        cairo_new_path(f->k->cr);
        xa__set_colour(f->k, NULL);
    }
    f->x += w + air;
    put_piece(f, f->k, text, l->small, 0.0);
    f->x += 4.0 * XA__MM;
}

double xa__panel_foot(const xa__ink *k, const xa__panel *l, double y, bool draw)
{
    static const double white[3] = {1.0, 1.0, 1.0};
    const xa_panel *p = l->p;
    const double line = xa__line_height(k, l->small), left = l->margin + l->side;
    flow f = {k, left, l->width - l->margin, left, y, 1.15 * line, draw};
    if (p->bar)
        put_bar(&f, l);
    if (p->truth)
        put_sample(&f, l, xa__panel_truth, p->truth);
    if (p->contour)
        put_sample(&f, l, white, p->contour);
    if (f.x > f.left || f.y > y)
        f.y += f.line;
    if (p->footnote) {
        const xa__wrapped t =
            xa__wrap(k, p->footnote, f.right - f.left, l->small, XA__LEAST_PT, true);
        xa__set_colour(k, xa__panel_soft);
        if (draw)
            xa__put_wrapped(k, &t, f.left, f.y, f.right - f.left, XA__LEFT);
        xa__set_colour(k, NULL);
        f.y += t.n * t.line + 0.3 * XA__MM;
    }
    return f.y - y;
}

#else
typedef int xa__no_panel_text;
#endif
