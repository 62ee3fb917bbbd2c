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
/* (1 - weight) image + weight colours, rounded. The weight is the same everywhere and nothing is
 * stretched, so that two overlays can be compared. Both are RGB images of one size. */
XA_MUST_USE xa_status xa_overlay_blend(
    const xa_image *image, const xa_image *colours, double weight, xa_image *out, xa_err *err);
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
    const xa_image *picture; /* RGB 8 bit; NULL: only the note is drawn */
    const char *note;        /* a line below, or NULL */
    int nboxes;
    const double (*box)[4]; /* x0,y0,x1,y1 in pixels of `frame`, drawn over the picture */
    int nedges;
    const double (*edge)[4]; /* lines from x0,y0 to x1,y1, in the same pixels */
    double frame[2];         /* width and height of what the picture shows */
} xa_tile;

typedef struct xa_panel {
    int rows, columns;
    const xa_tile *tiles;             /* [rows, columns] */
    const char *const *column_labels; /* [columns] or NULL; an entry may be NULL */
    const char *const *row_labels;    /* [rows] or NULL: left of the row, shortened to fit */
    double width_mm;                  /* of the whole figure */
    double font_pt;
    const char *font; /* family; NULL: sans */
    bool bar;         /* a colour bar below */
    xa_colormap bar_map;
    char bar_low[32], bar_high[32]; /* texts at its ends */
    const char *bar_label;
    const char *footnote; /* small print at the bottom, or NULL */
} xa_panel;

/* Where a figure comes from; written into its file as "COMMAND # xaudit archive DIGEST". */
typedef struct xa_provenance {
    const char *command; /* makes the file again */
    const char *digest;  /* of the archive */
} xa_provenance;
/* The command in a file of any format that xa_panel_write or xa_chart_write made; free(). FORMAT:
 * the file holds none. */
XA_MUST_USE xa_status xa_provenance_read(const char *path, char **command, xa_err *err);

/* Writes path as PNG, PDF, SVG or TIFF, by the end of its name. dpi: of PNG and TIFF. Text that
 * does not fit is shortened and ends in an ellipsis. SHAPE: the figure is too narrow for its
 * columns (the message says how wide it must be); UNSUPPORTED: the name ends otherwise, or there is
 * no cairo; IO and NOSPACE name the file. */
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
