/* Where everything of a panel lies, in points; private to draw. Rows are laid out by panel.c and
 * drawn by panel_draw.c, headings, captions and the key at the bottom by panel_text.c, which also
 * measures them. */
#ifndef XAUDIT_DRAW_PANEL_H
#define XAUDIT_DRAW_PANEL_H

#include "ink.h"

#ifdef XA_HAVE_CAIRO

#define XA__MM (72.0 / 25.4)
/* Type is never smaller: what Nature and Elsevier ask for is 5 to 7 pt. */
#define XA__LEAST_PT 5.5

typedef struct xa__panel {
    const xa_panel *p;
    double width, height;
    double margin, gap;         /* around all; between cells */
    double name, small, letter; /* sizes of type */
    bool above;                 /* captions of rows: above them, or in a column at the left */
    double side;                /* width of that column */
    double cell;                /* width of a cell */
    double group, head;         /* heights: of the groups' names, of all headings */
    double *row, *caption;      /* [rows] heights of pictures, and of captions above them */
    bool *scored;               /* [rows] is there a line below? */
    bool lettered;
    double foot; /* height of the key and the footnote */
} xa__panel;

/* Left end of a column of cells. */
static inline double xa__panel_x(const xa__panel *l, int column)
{
    return l->margin + l->side + column * (l->cell + l->gap);
}

extern const double xa__panel_soft[3], xa__panel_good[3], xa__panel_bad[3], xa__panel_truth[3];

/* Each returns the height that it takes and draws only if `draw` is set; y is the top. */
double xa__panel_headings(const xa__ink *k, xa__panel *l, double y, bool draw);
double xa__panel_caption(const xa__ink *k, const xa__panel *l, int row, double y, bool draw);
double xa__panel_foot(const xa__ink *k, const xa__panel *l, double y, bool draw);
/* SHAPE: a word above a column is wider than the column at 5.5 pt. */
XA_MUST_USE xa_status xa__panel_check_words(const xa__ink *k, const xa__panel *l, xa_err *err);

/* Cyan over a dark casing, which is seen on any picture; white likewise. The path is the current
 * one; it is kept. */
void xa__panel_stroke(cairo_t *cr, const double rgb[3], double width, double casing);
void xa__panel_draw(const xa__ink *k, const void *layout);

#endif
#endif
