/* Text on a page, private to draw. Every format has the same words at the same places: pango draws
 * them, but SVG has text elements (cairo would write outlines), as wide as pango measured them.
 * Lengths are points; y is the top of the line. */
#ifndef XAUDIT_DRAW_INK_H
#define XAUDIT_DRAW_INK_H

#include "xaudit/draw.h"

#ifdef XA_HAVE_CAIRO

#include <pango/pangocairo.h>

typedef struct xa__ink {
    cairo_t *cr;
    const char *font; /* family; NULL: Liberation Sans, or what has Arial's widths */
    bool bold;
    xa_str *svg; /* where text elements go; NULL: text is drawn */
} xa__ink;

typedef enum xa__align { XA__LEFT, XA__CENTRE, XA__RIGHT } xa__align;

double xa__line_height(const xa__ink *k, double size);
double xa__text_width(const xa__ink *k, const char *text, double size);
/* One line in a box of that width, cut to fit with an ellipsis: at its end, or (keep_end) at its
 * beginning, where the ends of names differ. */
void xa__put_line(const xa__ink *k,
                  const char *text,
                  double x,
                  double y,
                  double width,
                  double size,
                  xa__align align,
                  bool keep_end);
/* Bottom to top, centred on (x, y). */
void xa__put_upright(
    const xa__ink *k, const char *text, double x, double y, double length, double size);
/* In lines of that width, `most` at the most, the last cut to fit; how many there are or would be.
 */
int xa__put_lines(const xa__ink *k,
                  const char *text,
                  double x,
                  double y,
                  double width,
                  double size,
                  xa__align align,
                  int most,
                  bool measure_only);
/* Text as it is broken into lines: at spaces, then behind '.', '_', '/' and '-', never inside a
 * word; in type of `size` or, if a word is too wide, in smaller type, down to `least`. */
enum { XA__LINES = 12 };
typedef struct xa__wrapped {
    const char *begin[XA__LINES];
    int bytes[XA__LINES];
    int n;
    double size, line; /* of the type that fits; height of a line */
    double needs;      /* width of the widest word at that size: more than `width` if none fits */
} xa__wrapped;
/* cut: a word that is too wide at the least size is cut, as an id of a hundred letters must be. */
xa__wrapped
xa__wrap(const xa__ink *k, const char *text, double width, double size, double least, bool cut);
/* Draws them from y on. */
void xa__put_wrapped(
    const xa__ink *k, const xa__wrapped *t, double x, double y, double width, xa__align align);
/* Black, or of the colour; the ink keeps it. */
void xa__set_colour(const xa__ink *k, const double rgb[3]);

/* A page of any format. */
typedef struct xa__page {
    double width, height;
    const char *font;
    void (*draw)(const xa__ink *k, const void *arg);
    const void *arg;
} xa__page;
XA_MUST_USE xa_status xa__page_write(
    const xa__page *p, const char *path, double dpi, const xa_provenance *from, xa_err *err);
/* The svg element alone, with `prefix` before its ids, for a page of HTML. */
XA_MUST_USE xa_status xa__page_svg(const xa__page *p, const char *prefix, xa_str *out, xa_err *err);
/* A context to measure with, before the size is known; xa__measure_end frees it. */
xa__ink xa__measure_begin(const char *font);
void xa__measure_end(xa__ink *k);

#endif
#endif
