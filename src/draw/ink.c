/* Text: measured by pango, drawn or written. */
#include "ink.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The first has the widths of the others and lies in the distribution. */
static const char default_font[] = "Liberation Sans,Arial,Helvetica,sans";

/* Measures must not depend on the resolution: nothing is rounded to pixels. */
static PangoLayout *layout_of(const xa__ink *k, const char *text, size_t n, double size)
{
    PangoLayout *l = pango_cairo_create_layout(k->cr);
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    pango_cairo_context_set_font_options(pango_layout_get_context(l), o);
    cairo_font_options_destroy(o);
    pango_context_set_round_glyph_positions(pango_layout_get_context(l), FALSE);
    PangoFontDescription *d = pango_font_description_from_string(k->font ? k->font : default_font);
    if (k->bold)
        pango_font_description_set_weight(d, PANGO_WEIGHT_BOLD);
    pango_font_description_set_absolute_size(d, size * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_single_paragraph_mode(l, TRUE);
    char *part = xa_strndup(text, n);
    xa_str valid = {0}; /* of the same length: ids and names may hold any bytes, pango may not */
    xa_str_utf8(&valid, part);
    pango_layout_set_text(l, valid.data ? valid.data : "", (int)valid.len);
    xa_str_free(&valid);
    free(part);
    return l;
}

static double width_of(const xa__ink *k, const char *text, size_t n, double size)
{
    int w, h;
    PangoLayout *l = layout_of(k, text, n, size);
    pango_layout_get_size(l, &w, &h);
    g_object_unref(l);
    return (double)w / PANGO_SCALE;
}

double xa__text_width(const xa__ink *k, const char *text, double size)
{
    return width_of(k, text, strlen(text), size);
}

double xa__line_height(const xa__ink *k, double size)
{
    int w, h;
    PangoLayout *l = layout_of(k, "Ag", 2, size);
    pango_layout_get_size(l, &w, &h);
    g_object_unref(l);
    return (double)h / PANGO_SCALE;
}

static bool is_inside(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

static const char ellipsis[] = "\xe2\x80\xa6";

/* text[0..n) if it fits, else the longest part of it that fits with an ellipsis; free(). */
static char *
fit(const xa__ink *k, const char *text, size_t n, double size, double width, bool keep_end)
{
    size_t low = 0, high = n;
    if (width_of(k, text, n, size) <= width * 1.005 + 0.01)
        return xa_strndup(text, n);
    while (low < high) { /* search for the most bytes that can be kept */
        size_t keep = (low + high + 1) / 2;
        while (keep > 0 && keep < n && is_inside(keep_end ? text + n - keep : text + keep))
            keep--;
        if (keep <= low) { /* in the middle of a character: try behind it */
            keep = low + 1;
            while (keep < n && is_inside(keep_end ? text + n - keep : text + keep))
                keep++;
            if (keep > high)
                break;
        }
        char *cut = keep_end ? xa_strfmt("%s%.*s", ellipsis, (int)keep, text + n - keep)
                             : xa_strfmt("%.*s%s", (int)keep, text, ellipsis);
        if (!cut)
            return NULL;
        if (xa__text_width(k, cut, size) <= width)
            low = keep;
        else
            high = keep - 1;
        free(cut);
    }
    if (low == 0)
        return xa_strdup(ellipsis);
    return keep_end ? xa_strfmt("%s%.*s", ellipsis, (int)low, text + n - low)
                    : xa_strfmt("%.*s%s", (int)low, text, ellipsis);
}

void xa__set_colour(const xa__ink *k, const double rgb[3])
{
    static const double black[3] = {0.0, 0.0, 0.0};
    const double *c = rgb ? rgb : black;
    cairo_set_source_rgb(k->cr, c[0], c[1], c[2]);
}

/* Text elements of SVG stand outside of cairo's groups, so the current matrix is applied here. */
static void
write_text(const xa__ink *k, PangoLayout *l, const char *text, double size, bool upright)
{
    double x, y, r = 0.0, g = 0.0, b = 0.0, a;
    int w, h;
    cairo_get_current_point(k->cr, &x, &y);
    cairo_user_to_device(k->cr, &x, &y);
    const double base = (double)pango_layout_get_baseline(l) / PANGO_SCALE;
    pango_layout_get_size(l, &w, &h);
    (void)cairo_pattern_get_rgba(cairo_get_source(k->cr), &r, &g, &b, &a);
    x += upright ? base : 0.0;
    y += upright ? 0.0 : base;
    xa_str_printf(k->svg,
                  "<text x=\"%.3f\" y=\"%.3f\" font-size=\"%.3f\" font-family=\"%s\" "
                  "textLength=\"%.3f\" lengthAdjust=\"spacingAndGlyphs\"",
                  x,
                  y,
                  size,
                  k->font ? k->font : "Liberation Sans, Arial, Helvetica, sans-serif",
                  (double)w / PANGO_SCALE);
    if (k->bold)
        xa_str_puts(k->svg, " font-weight=\"bold\"");
    if (r > 0.0 || g > 0.0 || b > 0.0)
        xa_str_printf(k->svg,
                      " fill=\"#%02x%02x%02x\"",
                      (unsigned)lround(255.0 * r),
                      (unsigned)lround(255.0 * g),
                      (unsigned)lround(255.0 * b));
    if (upright)
        xa_str_printf(k->svg, " transform=\"rotate(-90 %.3f %.3f)\"", x, y);
    xa_str_puts(k->svg, ">");
    xa_str_markup(k->svg, text);
    xa_str_puts(k->svg, "</text>\n");
}

/* At the current point. */
static void show(const xa__ink *k, const char *text, double size, bool upright)
{
    if (!*text)
        return;
    PangoLayout *l = layout_of(k, text, strlen(text), size);
    if (k->svg) {
        write_text(k, l, text, size, upright);
    } else if (upright) {
        double x, y;
        cairo_get_current_point(k->cr, &x, &y);
        cairo_save(k->cr);
        cairo_translate(k->cr, x, y);
        cairo_rotate(k->cr, -acos(0.0));
        cairo_move_to(k->cr, 0.0, 0.0);
        pango_cairo_show_layout(k->cr, l);
        cairo_restore(k->cr);
    } else {
        pango_cairo_show_layout(k->cr, l);
    }
    g_object_unref(l);
}

static void put_part(const xa__ink *k,
                     const char *text,
                     size_t n,
                     double x,
                     double y,
                     double width,
                     double size,
                     xa__align align,
                     bool keep_end)
{
    char *line = fit(k, text, n, size, width, keep_end);
    if (!line)
        return;
    const double w = xa__text_width(k, line, size);
    const double at = align == XA__CENTRE  ? 0.5 * (width - w)
                      : align == XA__RIGHT ? width - w
                                           : 0.0;
    cairo_move_to(k->cr, x + at, y);
    show(k, line, size, false);
    free(line);
}

void xa__put_line(const xa__ink *k,
                  const char *text,
                  double x,
                  double y,
                  double width,
                  double size,
                  xa__align align,
                  bool keep_end)
{
    put_part(k, text, strlen(text), x, y, width, size, align, keep_end);
}

void xa__put_upright(
    const xa__ink *k, const char *text, double x, double y, double length, double size)
{
    char *line = fit(k, text, strlen(text), size, length, false);
    if (!line)
        return;
    cairo_move_to(
        k->cr, x - 0.5 * xa__line_height(k, size), y + 0.5 * xa__text_width(k, line, size));
    show(k, line, size, true);
    free(line);
}

int xa__put_lines(const xa__ink *k,
                  const char *text,
                  double x,
                  double y,
                  double width,
                  double size,
                  xa__align align,
                  int most,
                  bool measure_only)
{
    const double line = xa__line_height(k, size);
    PangoLayout *l = layout_of(k, text, strlen(text), size);
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_width(l, (int)(width * PANGO_SCALE));
    const int all = pango_layout_get_line_count(l), n = all < most ? all : most;
    for (int i = 0; !measure_only && i < n; i++) {
        const PangoLayoutLine *p = pango_layout_get_line_readonly(l, i);
        const char *begin = text + p->start_index;
        size_t length = i + 1 == n ? strlen(begin) : (size_t)p->length;
        while (i + 1 < n && length > 0 && begin[length - 1] == ' ')
            length--;
        put_part(k, begin, length, x, y + i * line, width, size, align, false);
    }
    g_object_unref(l);
    return n;
}

xa__ink xa__measure_begin(const char *font)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    xa__ink k = {.cr = cairo_create(s), .font = font};
    cairo_surface_destroy(s);
    return k;
}

void xa__measure_end(xa__ink *k)
{
    cairo_destroy(k->cr);
    k->cr = NULL;
}

#else
typedef int xa__no_ink;
#endif
