/* draw: pictures of maps for papers, from maps and images alone: it knows no archive and no model.
 *
 * Colours are 8-bit sRGB. Lengths on paper are millimetres, type is in points (1 pt = 25.4/72 mm).
 * Text and lines are drawn as vectors by cairo and pango; photographs and maps are embedded at
 * their own resolution. In a build without cairo and pango (XAUDIT_FIGURES=OFF) writing a panel or
 * chart fails with UNSUPPORTED; colours and overlays work.
 */
#ifndef XAUDIT_DRAW_H
#define XAUDIT_DRAW_H

#include "xaudit/image.h"

/* ---- colour ---------------------------------------------------------------------------------- */

/* X(ENUM, name): matplotlib's tables of 256 colours. */
#define XA_COLORMAP_LIST(X) \
    X(VIRIDIS, "viridis")   \
    X(INFERNO, "inferno")   \
    X(CIVIDIS, "cividis")   \
    X(TURBO, "turbo")       \
    X(JET, "jet")
typedef enum xa_colormap {
#define X(name, text) XA_COLORMAP_##name,
    XA_COLORMAP_LIST(X)
#undef X
        XA_COLORMAP_COUNT
} xa_colormap;
int xa_colormap_parse(const char *name); /* -1 when unknown */
const char *xa_colormap_name(xa_colormap c);
const uint8_t (*xa_colormap_table(xa_colormap c))[3]; /* [256][3] */

/* Colours a map [h,w] as an RGB image of its size: values up to `low` have the first colour, values
 * from `high` on the last, those between colour floor(256 t) as in matplotlib; NaN is grey. *out is
 * initialised here. */
XA_MUST_USE xa_status xa_map_colour(const float *map,
                                    int64_t h,
                                    int64_t w,
                                    double low,
                                    double high,
                                    xa_colormap c,
                                    xa_image *out,
                                    xa_err *err);
/* Brings a map to the size of a picture [oh,ow] of the whole stored frame, frame_w x frame_h: each
 * pixel centre is carried to the model's input by the inverse of `affine` (which maps input to
 * frame), where the map is interpolated bilinearly with clamped edges; NaN outside of the input. */
void xa_map_at_picture(const float *map,
                       int64_t h,
                       int64_t w,
                       double input_h,
                       double input_w,
                       const double affine[6],
                       double frame_h,
                       double frame_w,
                       float *out,
                       int64_t oh,
                       int64_t ow);
/* How a map lies over its photograph. Figures and reports alone see it, scores never do.
 *
 * A map v is smoothed, divided by its full strength f (the percentile of |v|) and clipped: t = v/f
 * in -1..1. A pixel becomes (1 - a) photograph + a colour(t) with a = opacity s^2 (3 - 2 s) and
 * s = max(0, (|t| - floor)/(1 - floor)): what a map does not mark stays a photograph. */
typedef struct xa_overlay {
    double smooth; /* sigma of a Gaussian, as a share of the longer side of the map's own grid */
    double percentile;    /* 0..100; 100: the largest */
    double opacity;       /* of a value of full strength, 0..1 */
    double floor;         /* 0..1, below 1 */
    double chroma;        /* what the photograph keeps of its colour: 1 all, 0 none; luma stays */
    xa_colormap colormap; /* of values from 0 to full strength; see xa_overlay_colour */
} xa_overlay;
/* Of a coarse grid, as class activation maps have it; or (pixelwise) of a map with a value for each
 * pixel, whose marks are small: it is smoothed by 0.8 % and drawn stronger. */
xa_overlay xa_overlay_defaults(bool pixelwise);
/* The colour of t. 0..1: the colour map from its place 0.30 to 0.97, since the dark end of a table
 * reads as shadow on a photograph. signed: -1..1, from blue to yellow; both ends are bright, so
 * that sign and size are read on dark and on light photographs. */
void xa_overlay_colour(const xa_overlay *o, bool is_signed, double t, uint8_t rgb[3]);
/* a of t, see above. */
double xa_overlay_opacity(const xa_overlay *o, double t);
/* Convolves map [h,w] with a Gaussian of sigma grid cells, cut at 3 sigma; edges are reflected.
 * sigma <= 0: a copy. out [h,w] may not be map. */
XA_MUST_USE xa_status
xa_map_smooth(const float *map, int64_t h, int64_t w, double sigma, float *out, xa_err *err);
/* The percentile q (0..100) of |map|, interpolated linearly as numpy does; values that are not
 * finite are left out; 0 without any. */
XA_MUST_USE xa_status
xa_map_percentile(const float *map, int64_t n, double q, double *out, xa_err *err);
/* The value above which lies `share` of the positive mass of map; INFINITY if there is none. */
XA_MUST_USE xa_status
xa_map_level(const float *map, int64_t n, double share, double *out, xa_err *err);
/* Draws t [height,width], NaN where there is no map, over an RGB image of that size. *out is
 * initialised here. */
XA_MUST_USE xa_status xa_overlay_draw(const xa_overlay *o,
                                      const xa_image *photograph,
                                      const float *t,
                                      bool is_signed,
                                      xa_image *out,
                                      xa_err *err);

/* Lines through points. Line i is point[first[i]] to point[first[i + 1] - 1]; one that ends where
 * it began is closed. Zeroed: none. */
typedef struct xa_lines {
    double (*point)[2];
    int *first; /* [n + 1] */
    int n;
} xa_lines;
void xa_lines_fini(xa_lines *l);
/* The lines on which field [h,w] has the value `level`, by marching squares between the centres of
 * its cells (Lorensen and Cline 1987, in the plane), in the pixels of a frame. Unless `all`, closed
 * lines around less than 1 % of the frame and open ones that extend over less than 11 % of its
 * sides are left out. */
XA_MUST_USE xa_status xa_map_contour(const float *field,
                                     int64_t h,
                                     int64_t w,
                                     double level,
                                     const double frame[2],
                                     bool all,
                                     xa_lines *out,
                                     xa_err *err);
/* The overlay of keras.io's display_gradcam: uint8(255 * map) through jet, stretched to 0..255,
 * resized to the image by Pillow's bicubic filter, times alpha, plus the image, stretched to 0..255
 * again (array_to_img stretches both times). map [h,w] in 0..1; image RGB 8 bit. The stretching
 * differs from image to image. */
XA_MUST_USE xa_status xa_overlay_keras(const xa_image *image,
                                       const float *map,
                                       int64_t h,
                                       int64_t w,
                                       double alpha,
                                       xa_image *out,
                                       xa_err *err);
/* "Relevant pixels" of the listing that xaudit began with: the value of a channel is kept where
 * uint8(map * value) lies less than `tolerance` below it, and white elsewhere. Illustrative only:
 * values below the tolerance are always kept, whatever the map. map [H,W] in 0..1, of the image's
 * size. */
XA_MUST_USE xa_status xa_relevant_pixels(
    const xa_image *image, const float *map, int tolerance, xa_image *out, xa_err *err);

/* ---- panels ---------------------------------------------------------------------------------- */

typedef struct xa_tile {
    const xa_image *picture; /* RGB 8 bit; NULL: the note stands in its place */
    const char *note;        /* or NULL: small print below the picture, at its left */
    const char *score;       /* or NULL: below the picture, at its right */
    bool best;               /* the score is set in bold */
    int nboxes;
    const double (*box)[4]; /* x0,y0,x1,y1 in pixels of `frame`: what is annotated */
    int nedges;
    const double (*edge)[4]; /* lines from x0,y0 to x1,y1: outlines of what is annotated */
    const xa_lines *contour; /* or NULL: lines that say something of the map */
    double frame[2];         /* width and height of what the picture shows */
} xa_tile;

/* The heading of a column: a name, and small print below it (NULL: none). Neighbours with the same
 * group (NULL: none) stand under one rule with its name. */
typedef struct xa_panel_column {
    const char *name, *detail, *group;
} xa_panel_column;

/* What a model says of an image. */
typedef enum xa_panel_verdict { XA_PANEL_NONE, XA_PANEL_RIGHT, XA_PANEL_WRONG } xa_panel_verdict;
typedef struct xa_panel_answer {
    xa_panel_verdict verdict; /* a tick, a cross, or neither where no label says */
    const char *text;
} xa_panel_answer;
typedef struct xa_panel_row {
    const char *name; /* of the image, in bold */
    const char *why;  /* small print, or NULL: its class, why it is shown */
    const xa_panel_answer *answer;
    int nanswers;
} xa_panel_row;

/* The colour bar. With `over`: as maps lie over photographs, above on white, below on black. */
typedef struct xa_panel_bar {
    const xa_overlay *over;
    bool is_signed;
    xa_colormap colormap;   /* without `over` */
    const char *low, *high; /* texts at its ends */
} xa_panel_bar;

/* A figure of 150 mm or more has the captions of rows in a column of 25 mm at the left; a narrower
 * one has them above the rows. Text
 * breaks at spaces, then behind '.', '_', '/' and '-', never inside a word, and is set in smaller
 * type, down to 5.5 pt, where it does not fit. */
typedef struct xa_panel {
    int rows, columns;
    const xa_tile *tiles;          /* [rows, columns] */
    const xa_panel_column *column; /* [columns] */
    const xa_panel_row *row;       /* [rows] or NULL */
    bool letters;                  /* a, b, c, .. before the rows */
    double width_mm;               /* of the whole figure */
    double font_pt;                /* of names; small print has 6/7 of it, at least 5.5 pt */
    const char *font;              /* family; NULL: Liberation Sans, or what has Arial's widths */
    const xa_panel_bar *bar;       /* or NULL */
    const char *truth;             /* or NULL: key of the boxes and outlines */
    const char *contour;           /* or NULL: key of the contours */
    const char *footnote;          /* small print at the bottom, or NULL */
} xa_panel;

/* Where a figure comes from; written into its file as "COMMAND # xaudit archive DIGEST". */
typedef struct xa_provenance {
    const char *command; /* makes the file again */
    const char *digest;  /* of the archive */
} xa_provenance;
/* The command in a file of any format that xa_panel_write or xa_chart_write made; free(). FORMAT:
 * the file holds none. */
XA_MUST_USE xa_status xa_provenance_read(const char *path, char **command, xa_err *err);

/* Writes path as PNG, PDF, SVG or TIFF, by the end of its name. dpi: of PNG and TIFF. SHAPE: the
 * figure is too narrow for its columns or for a word above one (the message says how wide it must
 * be); UNSUPPORTED: the name ends otherwise, or there is no cairo; IO and NOSPACE name the file. */
XA_MUST_USE xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err);

/* ---- charts ---------------------------------------------------------------------------------- */

typedef enum xa_mark_kind {
    XA_MARK_LINE,     /* through the points */
    XA_MARK_AREA,     /* the polygon through them, pale */
    XA_MARK_POINTS,   /* a small dot each */
    XA_MARK_INTERVAL, /* a dot at each point, a bar from low to high along the axis of values */
    XA_MARK_CELL      /* a square of side 1 around each point, coloured by low (0..1, viridis) */
} xa_mark_kind;
typedef struct xa_mark {
    xa_mark_kind kind;
    int colour; /* index into the palette, in the order of the legend; -1: grey */
    int64_t n;
    const double *x, *y;
    const double *low, *high; /* INTERVAL: ends of the bars; CELL: low is the value; NaN: none */
    bool sideways;            /* INTERVAL: the bars run along x */
    const char *const *text;  /* [n] CELL: text in each cell; NULL: none */
} xa_mark;

typedef struct xa_axis {
    const char *label;        /* or NULL */
    double low, high;         /* ends; of names: -0.5 and nnames - 0.5 */
    const char *const *names; /* categories at 0, 1, ...; NULL: numbers */
    int nnames;
} xa_axis;
typedef struct xa_plot {
    const char *title; /* or NULL */
    xa_axis x, y;      /* y runs upward, but names run downward from the top */
    const xa_mark *marks;
    int nmarks;
} xa_plot;
typedef struct xa_chart {
    const xa_plot *plots;
    int nplots, columns;
    const char *const *legend; /* [nlegend] in the palette's order */
    int nlegend;
    double width_mm, plot_mm; /* width of the whole; height of the field of a plot */
    double font_pt;
    const char *font;     /* family; NULL: sans */
    const char *footnote; /* or NULL */
} xa_chart;

/* Writes a chart as xa_panel_write writes a panel. The palette is that of Okabe and Ito, whose
 * colours colour-blind readers can distinguish; from the ninth series on lines are dashed. */
XA_MUST_USE xa_status xa_chart_write(
    const xa_chart *c, const char *path, double dpi, const xa_provenance *from, xa_err *err);
/* The chart as one svg element for a page of HTML; text stays text, and every id begins with
 * prefix. */
XA_MUST_USE xa_status xa_chart_svg(const xa_chart *c, const char *prefix, xa_str *out, xa_err *err);

#endif
