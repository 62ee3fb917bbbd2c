/* draw: pictures of maps for papers, from maps and images; no archive and no model here.
 *
 * Colours are 8-bit sRGB. Lengths on paper are millimetres, type is in points (1 pt = 25.4/72 mm).
 * Everything drawn is text and vectors through cairo and pango; photographs and maps are images of
 * their own resolution inside. Built without them (XAUDIT_FIGURES=OFF), writing a panel fails with
 * UNSUPPORTED and says so; colouring and overlays work.
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

/* map [h,w] f32 to an RGB image of its size: low and below is the first colour, high and above the
 * last, between them floor(256 t) as matplotlib; NaN is grey. *out is initialised here. */
XA_MUST_USE xa_status xa_map_colour(const float *map,
                                    int64_t h,
                                    int64_t w,
                                    double low,
                                    double high,
                                    xa_colormap c,
                                    xa_image *out,
                                    xa_err *err);
/* A map at the size an image is shown: every pixel centre of [oh,ow], a picture of the whole stored
 * frame of frame_w x frame_h, is carried back by the affine map (model input to stored frame) and
 * the map interpolated there, bilinear, edges clamped; NaN where the model saw nothing. */
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
/* (1 - weight) image + weight colours, rounded: the same weight everywhere, no stretching, so that
 * two overlays can be compared. Both RGB of one size. */
XA_MUST_USE xa_status xa_overlay_blend(
    const xa_image *image, const xa_image *colours, double weight, xa_image *out, xa_err *err);
/* keras.io's display_gradcam: uint8(255 * map) through jet, stretched to 0..255, resized by
 * Pillow's bicubic to the image, times alpha, plus the image, stretched to 0..255 (array_to_img,
 * twice). map [h,w] in 0..1; image RGB 8 bit. The stretching differs from image to image. */
XA_MUST_USE xa_status xa_overlay_keras(const xa_image *image,
                                       const float *map,
                                       int64_t h,
                                       int64_t w,
                                       double alpha,
                                       xa_image *out,
                                       xa_err *err);
/* "Relevant pixels" of the seed's listing: every channel's value is kept where uint8(map * value)
 * lies less than `tolerance` below it, else white. Illustrative only: values below the tolerance
 * always pass, whatever the map. map [H,W] in 0..1, of the image's size. */
XA_MUST_USE xa_status xa_relevant_pixels(
    const xa_image *image, const float *map, int tolerance, xa_image *out, xa_err *err);

/* ---- panels ---------------------------------------------------------------------------------- */

typedef struct xa_tile {
    const xa_image *picture; /* RGB 8 bit; NULL: nothing but the note */
    const char *note;        /* a line below, or NULL */
    int nboxes;
    const double (*box)[4]; /* x0,y0,x1,y1 in pixels of `frame`, drawn over the picture */
    int nedges;
    const double (*edge)[4]; /* x0,y0,x1,y1 likewise: outlines of masks, lines of a grid */
    double frame[2];         /* width and height of what the picture shows */
} xa_tile;

typedef struct xa_panel {
    int rows, columns;
    const xa_tile *tiles;             /* [rows, columns] */
    const char *const *column_labels; /* [columns] or NULL; an entry may be NULL */
    const char *const *row_labels;    /* [rows] or NULL: beside the row, ellipsised to fit */
    double width_mm;                  /* of the whole figure */
    double font_pt;
    const char *font; /* family; NULL: sans */
    bool bar;         /* a colour bar below */
    xa_colormap bar_map;
    char bar_low[32], bar_high[32]; /* what stands at its ends */
    const char *bar_label;
    const char *footnote; /* small print at the bottom, or NULL */
} xa_panel;

/* What is written into the file besides the picture: "COMMAND # xaudit archive DIGEST". */
typedef struct xa_provenance {
    const char *command; /* that makes the file again */
    const char *digest;  /* of the archive */
} xa_provenance;
/* The command of a file that xa_panel_write made, whatever its format; free(). FORMAT: there is
 * none. */
XA_MUST_USE xa_status xa_provenance_read(const char *path, char **command, xa_err *err);

/* Writes path as PNG, PDF, SVG or TIFF, by its ending. dpi: of PNG and TIFF. SHAPE: the figure is
 * too narrow for its columns (says how wide it must be); UNSUPPORTED: another ending, or no cairo;
 * IO, NOSPACE name the file. Text is never cut off: it is ellipsised. */
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
    int colour; /* of the palette, by the legend's order; -1: grey */
    int64_t n;
    const double *x, *y;
    const double *low, *high; /* INTERVAL, CELL; NaN: no bar, no cell */
    bool sideways;            /* INTERVAL: values run along x */
    const char *const *text;  /* [n] CELL: what stands in it, or NULL */
} xa_mark;

typedef struct xa_axis {
    const char *label;        /* or NULL */
    double low, high;         /* what is shown; names: -0.5 to nnames - 0.5 */
    const char *const *names; /* categories at 0, 1, ...; NULL: numbers */
    int nnames;
} xa_axis;
typedef struct xa_plot {
    const char *title; /* or NULL */
    xa_axis x, y;      /* y upward; with names downward, the first on top */
    const xa_mark *marks;
    int nmarks;
} xa_plot;
typedef struct xa_chart {
    const xa_plot *plots;
    int nplots, columns;
    const char *const *legend; /* [nlegend] in the palette's order */
    int nlegend;
    double width_mm, plot_mm; /* of the whole; height of a plot's field */
    double font_pt;
    const char *font;     /* family; NULL: sans */
    const char *footnote; /* or NULL */
} xa_chart;

/* As xa_panel_write. The palette is that of Okabe and Ito, which colour-blind readers tell apart;
 * from the ninth series on lines are dashed. */
XA_MUST_USE xa_status xa_chart_write(
    const xa_chart *c, const char *path, double dpi, const xa_provenance *from, xa_err *err);
/* The chart as one svg element, text as text, for a page of HTML; ids begin with prefix. */
XA_MUST_USE xa_status xa_chart_svg(const xa_chart *c, const char *prefix, xa_str *out, xa_err *err);

#endif
