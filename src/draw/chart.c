/* Charts: fields with axes and marks in columns, with one legend. Lengths in this file are points.
 */
#include "xaudit/draw.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ink.h"

static const double pt_per_mm = 72.0 / 25.4;
enum { FOOT_LINES = 12, TICKS = 12 };

/* Okabe & Ito, Color universal design (2008); black last. */
static const double palette[8][3] = {{0.00, 0.45, 0.70},
                                     {0.90, 0.60, 0.00},
                                     {0.00, 0.62, 0.45},
                                     {0.80, 0.40, 0.00},
                                     {0.80, 0.47, 0.65},
                                     {0.34, 0.71, 0.91},
                                     {0.60, 0.55, 0.00},
                                     {0.00, 0.00, 0.00}};
static const double grey[3] = {0.55, 0.55, 0.55}, pale[3] = {0.88, 0.88, 0.88};

static const double *colour_of(int i)
{
    return i < 0 ? grey : palette[i % 8];
}

typedef struct layout {
    const xa_chart *c;
    double width, height, line, gap, column; /* column: width of a plot with its axis */
    double left, head, below;                /* around a field: y labels, title, x labels */
    double field_h, legend, foot;
    int rows, legend_rows;
    double legend_cell;
} layout;

/* ---- ticks ---- */

/* Fills `at` with round numbers between low and high, and returns how many. */
static int ticks_of(const xa_axis *a, double *at)
{
    const double span = a->high - a->low;
    int n = 0;
    if (!(span > 0.0))
        return 0;
    double step = pow(10.0, floor(log10(span / 4.0)));
    while (span / step > 6.0)
        step *= span / step > 12.0 ? 5.0 : 2.0;
    for (double v = ceil(a->low / step - 1e-9) * step; v <= a->high + 1e-9 * span && n < TICKS;
         v += step)
        at[n++] = fabs(v) < 1e-12 * span ? 0.0 : v;
    return n;
}

static void tick_text(double v, char *out, size_t size)
{
    snprintf(out, size, "%.4g", v);
}

/* ---- where things go ---- */

static double label_width(const xa__ink *k, const xa_axis *a, double size)
{
    double w = 0.0, at[TICKS];
    char text[32];
    for (int i = 0; a->names && i < a->nnames; i++)
        w = fmax(w, xa__text_width(k, a->names[i], size));
    const int n = a->names ? 0 : ticks_of(a, at);
    for (int i = 0; i < n; i++) {
        tick_text(at[i], text, sizeof text);
        w = fmax(w, xa__text_width(k, text, size));
    }
    return w;
}

/* Whether names below a field must stand upright, because they would touch. */
static bool upright(const xa__ink *k, const xa_axis *a, double field, double size)
{
    if (!a->names)
        return false;
    return label_width(k, a, size) > 0.9 * field / (a->nnames > 0 ? a->nnames : 1);
}

static xa_status lay_out(layout *l, const xa_chart *c, const xa__ink *k, xa_err *err)
{
    *l = (layout){.c = c, .width = c->width_mm * pt_per_mm, .gap = 0.6 * c->font_pt};
    l->line = xa__line_height(k, c->font_pt);
    l->rows = (c->nplots + c->columns - 1) / c->columns;
    l->column = (l->width - (c->columns - 1) * 2.0 * l->gap) / c->columns;
    l->field_h = c->plot_mm * pt_per_mm;
    for (int i = 0; i < c->nplots; i++) {
        const xa_plot *p = &c->plots[i];
        const double labels = fmin(label_width(k, &p->y, c->font_pt), 0.45 * l->column);
        l->left = fmax(l->left, labels + l->gap + (p->y.label ? l->line + 0.9 * l->gap : 0.0));
        l->head = fmax(l->head, p->title ? l->line + 0.3 * l->gap : 0.3 * l->gap);
    }
    for (int i = 0; i < c->nplots; i++) {
        const xa_plot *p = &c->plots[i];
        const double field = l->column - l->left;
        const double names = upright(k, &p->x, field, c->font_pt)
                                 ? fmin(label_width(k, &p->x, c->font_pt), 0.5 * l->column)
                                 : l->line;
        l->below = fmax(l->below, names + 0.5 * l->gap + (p->x.label ? l->line : 0.0));
    }
    if (l->column - l->left < 6.0 * c->font_pt)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "a chart of %g mm has no room for %d columns: make it wider",
                       c->width_mm,
                       c->columns);
    if (c->nlegend > 0) {
        double w = 0.0;
        for (int i = 0; i < c->nlegend; i++)
            w = fmax(w, xa__text_width(k, c->legend[i], c->font_pt));
        l->legend_cell = fmin(w + 3.5 * c->font_pt, l->width);
        const int across = (int)fmax(1.0, floor(l->width / l->legend_cell));
        l->legend_rows = (c->nlegend + across - 1) / across;
        l->legend = l->legend_rows * l->line + 0.5 * l->gap;
    }
    if (c->footnote) {
        const int lines = xa__put_lines(
            k, c->footnote, 0.0, 0.0, l->width, 0.8 * c->font_pt, XA__LEFT, FOOT_LINES, true);
        l->foot = lines * xa__line_height(k, 0.8 * c->font_pt) + 0.5 * l->gap;
    }
    l->height = l->rows * (l->head + l->field_h + l->below) + (l->rows - 1) * l->gap + l->legend +
                l->foot + 0.2 * c->font_pt;
    return XA_OK;
}

/* ---- a field ---- */

typedef struct field {
    const xa_plot *p;
    double x, y, w, h;
} field;

static double across(const field *f, double v)
{
    return f->x + (v - f->p->x.low) / (f->p->x.high - f->p->x.low) * f->w;
}

static double up(const field *f, double v)
{
    const double t = (v - f->p->y.low) / (f->p->y.high - f->p->y.low);
    return f->p->y.names ? f->y + t * f->h : f->y + (1.0 - t) * f->h;
}

static void rule(const xa__ink *k, double x0, double y0, double x1, double y1)
{
    cairo_move_to(k->cr, x0, y0);
    cairo_line_to(k->cr, x1, y1);
    cairo_stroke(k->cr);
}

static void draw_x_axis(const xa__ink *k, const layout *l, const field *f)
{
    const xa_axis *a = &f->p->x;
    const double size = l->c->font_pt, top = f->y + f->h + 0.3 * l->gap;
    double at[TICKS];
    char text[32];
    if (a->names) {
        const bool stand = upright(k, a, f->w, size);
        const double each = f->w / (a->nnames > 0 ? a->nnames : 1);
        const double length = l->below - 0.5 * l->gap - (a->label ? l->line : 0.0);
        for (int i = 0; i < a->nnames; i++) {
            if (stand)
                xa__put_upright(k, a->names[i], across(f, i), top + 0.5 * length, length, size);
            else
                xa__put_line(
                    k, a->names[i], across(f, i) - 0.5 * each, top, each, size, XA__CENTRE, false);
        }
    } else {
        const int n = ticks_of(a, at);
        for (int i = 0; i < n; i++) {
            xa__set_colour(k, pale);
            rule(k, across(f, at[i]), f->y, across(f, at[i]), f->y + f->h);
            xa__set_colour(k, NULL);
            tick_text(at[i], text, sizeof text);
            const double w = xa__text_width(k, text, size);
            double x = across(f, at[i]) - 0.5 * w; /* keep the text inside the column */
            x = fmin(x, f->x + f->w - w);
            xa__put_line(k, text, x, top, w + 1.0, size, XA__LEFT, false);
        }
    }
    xa__set_colour(k, NULL);
    if (a->label)
        xa__put_line(
            k, a->label, f->x, f->y + f->h + l->below - l->line, f->w, size, XA__CENTRE, false);
}

static void draw_y_axis(const xa__ink *k, const layout *l, const field *f)
{
    const xa_axis *a = &f->p->y;
    const double size = l->c->font_pt, side = a->label ? l->line + 0.9 * l->gap : 0.0;
    const double room = l->left - l->gap - side, x = f->x - room - 0.5 * l->gap;
    double at[TICKS];
    char text[32];
    const int n = a->names ? a->nnames : ticks_of(a, at);
    for (int i = 0; i < n; i++) {
        const double y = up(f, a->names ? (double)i : at[i]);
        if (!a->names)
            tick_text(at[i], text, sizeof text);
        xa__set_colour(k, pale);
        rule(k, f->x, y, f->x + f->w, y);
        xa__set_colour(k, NULL);
        xa__put_line(k,
                     a->names ? a->names[i] : text,
                     x,
                     y - 0.5 * l->line,
                     room,
                     size,
                     XA__RIGHT,
                     a->names != NULL);
    }
    if (a->label)
        xa__put_upright(k, a->label, x - 0.5 * side, f->y + 0.5 * f->h, f->h, size);
}

static void trace(const xa__ink *k, const field *f, const xa_mark *m)
{
    bool pen = false;
    for (int64_t i = 0; i < m->n; i++) {
        if (!isfinite(m->x[i]) || !isfinite(m->y[i])) {
            pen = false;
            continue;
        }
        if (pen)
            cairo_line_to(k->cr, across(f, m->x[i]), up(f, m->y[i]));
        else
            cairo_move_to(k->cr, across(f, m->x[i]), up(f, m->y[i]));
        pen = true;
    }
}

static void dot(const xa__ink *k, double x, double y, double radius)
{
    cairo_arc(k->cr, x, y, radius, 0.0, 4.0 * acos(0.0));
    cairo_fill(k->cr);
}

static void draw_intervals(const xa__ink *k, const field *f, const xa_mark *m, double font)
{
    for (int64_t i = 0; i < m->n; i++) {
        if (!isfinite(m->x[i]) || !isfinite(m->y[i]))
            continue;
        const double x = across(f, m->x[i]), y = up(f, m->y[i]);
        if (m->low && m->high && isfinite(m->low[i]) && isfinite(m->high[i])) {
            if (m->sideways)
                rule(k, across(f, m->low[i]), y, across(f, m->high[i]), y);
            else
                rule(k, x, up(f, m->low[i]), x, up(f, m->high[i]));
        }
        dot(k, x, y, 0.28 * font);
    }
}

static void draw_cells(const xa__ink *k, const layout *l, const field *f, const xa_mark *m)
{
    const uint8_t(*table)[3] = xa_colormap_table(XA_COLORMAP_VIRIDIS);
    for (int64_t i = 0; i < m->n; i++) {
        const double x0 = across(f, m->x[i] - 0.5), x1 = across(f, m->x[i] + 0.5);
        const double y0 = up(f, m->y[i] - 0.5), y1 = up(f, m->y[i] + 0.5);
        const double top = fmin(y0, y1);
        if (isfinite(m->low[i])) {
            const uint8_t *c = table[(int)(255.0 * fmax(0.0, fmin(1.0, m->low[i])))];
            const double rgb[3] = {c[0] / 255.0, c[1] / 255.0, c[2] / 255.0};
            xa__set_colour(k, rgb);
            cairo_rectangle(k->cr, x0, top, x1 - x0, fabs(y1 - y0));
            cairo_fill(k->cr);
        }
        if (m->text && m->text[i]) {
            const double white[3] = {1.0, 1.0, 1.0};
            xa__set_colour(k, isfinite(m->low[i]) && m->low[i] < 0.6 ? white : NULL);
            xa__put_line(k,
                         m->text[i],
                         x0,
                         0.5 * (y0 + y1 - l->line),
                         x1 - x0,
                         l->c->font_pt,
                         XA__CENTRE,
                         false);
        }
    }
}

static void dash(const xa__ink *k, int colour, double font)
{
    const double on = 0.6 * font;
    cairo_set_dash(k->cr, &on, colour >= 8 ? 1 : 0, 0.0);
}

static void draw_mark(const xa__ink *k, const layout *l, const field *f, const xa_mark *m)
{
    const double font = l->c->font_pt, *c = colour_of(m->colour);
    xa__set_colour(k, c);
    cairo_set_line_width(k->cr, 0.16 * font);
    switch (m->kind) {
    case XA_MARK_LINE:
        dash(k, m->colour, font);
        trace(k, f, m);
        cairo_stroke(k->cr);
        dash(k, 0, font);
        break;
    case XA_MARK_AREA:
        trace(k, f, m);
        cairo_close_path(k->cr);
        cairo_set_source_rgba(k->cr, c[0], c[1], c[2], 0.3);
        cairo_fill(k->cr);
        break;
    case XA_MARK_POINTS:
        for (int64_t i = 0; i < m->n; i++)
            if (isfinite(m->x[i]) && isfinite(m->y[i]))
                dot(k, across(f, m->x[i]), up(f, m->y[i]), 0.15 * font);
        break;
    case XA_MARK_INTERVAL:
        draw_intervals(k, f, m, font);
        break;
    default:
        draw_cells(k, l, f, m);
    }
}

static void draw_plot(const xa__ink *k, const layout *l, const xa_plot *p, double x, double y)
{
    const field f = {p, x + l->left, y + l->head, l->column - l->left, l->field_h};
    cairo_set_line_width(k->cr, 0.06 * l->c->font_pt);
    if (p->title)
        xa__put_line(k, p->title, f.x, y, f.w, l->c->font_pt, XA__LEFT, false);
    draw_x_axis(k, l, &f);
    cairo_set_line_width(k->cr, 0.06 * l->c->font_pt);
    draw_y_axis(k, l, &f);
    cairo_save(k->cr);
    cairo_rectangle(k->cr,
                    f.x - 0.3 * l->c->font_pt,
                    f.y - 0.3 * l->c->font_pt,
                    f.w + 0.6 * l->c->font_pt,
                    f.h + 0.6 * l->c->font_pt);
    cairo_clip(k->cr);
    for (int i = 0; i < p->nmarks; i++)
        draw_mark(k, l, &f, &p->marks[i]);
    cairo_restore(k->cr);
    xa__set_colour(k, NULL);
    cairo_set_line_width(k->cr, 0.08 * l->c->font_pt);
    cairo_rectangle(k->cr, f.x, f.y, f.w, f.h);
    cairo_stroke(k->cr);
}

static void draw(const xa__ink *k, const void *arg)
{
    const layout *l = arg;
    const xa_chart *c = l->c;
    double y = 0.1 * c->font_pt;
    for (int i = 0; i < c->nplots; i++) {
        const int row = i / c->columns, column = i % c->columns;
        draw_plot(k,
                  l,
                  &c->plots[i],
                  column * (l->column + 2.0 * l->gap),
                  y + row * (l->head + l->field_h + l->below + l->gap));
    }
    y += l->rows * (l->head + l->field_h + l->below) + (l->rows - 1) * l->gap + 0.5 * l->gap;
    const int each = c->nlegend ? (int)fmax(1.0, floor(l->width / l->legend_cell)) : 1;
    for (int i = 0; i < c->nlegend; i++) {
        const int below = i / each;
        const double x = (i % each) * l->legend_cell, at = y + below * l->line;
        xa__set_colour(k, colour_of(i));
        cairo_set_line_width(k->cr, 0.2 * c->font_pt);
        dash(k, i, c->font_pt);
        rule(k, x, at + 0.55 * l->line, x + 2.0 * c->font_pt, at + 0.55 * l->line);
        dash(k, 0, c->font_pt);
        dot(k, x + 1.0 * c->font_pt, at + 0.55 * l->line, 0.28 * c->font_pt);
        xa__set_colour(k, NULL);
        xa__put_line(k,
                     c->legend[i],
                     x + 2.5 * c->font_pt,
                     at,
                     l->legend_cell - 3.0 * c->font_pt,
                     c->font_pt,
                     XA__LEFT,
                     false);
    }
    y += l->legend;
    if (c->footnote)
        (void)xa__put_lines(
            k, c->footnote, 0.0, y, l->width, 0.8 * c->font_pt, XA__LEFT, FOOT_LINES, false);
}

static xa_status page_of(const xa_chart *c, layout *l, xa__page *p, xa_err *err)
{
    xa__ink k = xa__measure_begin(c->font);
    const xa_status st = lay_out(l, c, &k, err);
    xa__measure_end(&k);
    *p =
        (xa__page){.width = l->width, .height = l->height, .font = c->font, .draw = draw, .arg = l};
    return st;
}

xa_status xa_chart_write(
    const xa_chart *c, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    layout l;
    xa__page p;
    XA_RETURN_TRY(err, page_of(c, &l, &p, err));
    return xa__page_write(&p, path, dpi, from, err);
}

xa_status xa_chart_svg(const xa_chart *c, const char *prefix, xa_str *out, xa_err *err)
{
    layout l;
    xa__page p;
    XA_RETURN_TRY(err, page_of(c, &l, &p, err));
    return xa__page_svg(&p, prefix, out, err);
}

#else

xa_status xa_chart_write(
    const xa_chart *c, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    (void)c, (void)dpi, (void)from;
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: this xaudit was built without figures (cairo and pango; XAUDIT_FIGURES=ON)",
                   path);
}

xa_status xa_chart_svg(const xa_chart *c, const char *prefix, xa_str *out, xa_err *err)
{
    (void)c, (void)prefix, (void)out;
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "this xaudit was built without figures");
}

#endif
