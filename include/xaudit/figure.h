/* figure: images with their maps in rows: which samples and explainers a figure shows, their maps
 * and images, read one at a time, and the page that is made of them. */
#ifndef XAUDIT_FIGURE_H
#define XAUDIT_FIGURE_H

#include "xaudit/draw.h"
#include "xaudit/view.h"

/* X(ENUM, name): which samples a figure shows if none is named. WRONG: samples whose predicted
 * class is none of their labels; DISAGREE: samples with the least rank correlation of the model's
 * explainers. */
#define XA_PICK_LIST(X) \
    X(FIRST, "first")   \
    X(BEST, "best")     \
    X(WORST, "worst")   \
    X(MEDIAN, "median") \
    X(RANDOM, "random") \
    X(WRONG, "wrong")   \
    X(DISAGREE, "disagree")
typedef enum xa_pick {
#define X(pick, text) XA_PICK_##pick,
    XA_PICK_LIST(X)
#undef X
} xa_pick;
int xa_pick_parse(const char *name); /* -1 when unknown */

enum { XA_FIGURE_LIST = 64 };
typedef struct xa_choice {
    const char *id[XA_FIGURE_LIST];
    int nids;
    int64_t index[XA_FIGURE_LIST];
    int nindices;
    const char *class_name; /* only samples with this label; NULL: all */
    xa_pick pick;
    const char *metric; /* of BEST, WORST, MEDIAN; NULL: the first of the archive */
    /* name or model/name; columns stand in this order; none: all, in the archive's order */
    const char *explainer[XA_FIGURE_LIST];
    int nexplainers;
    const char *model; /* NULL: all */
    int64_t most;      /* rows at the most, of those chosen by `pick` */
    int64_t seed;
} xa_choice;

typedef struct xa_figure_column {
    const xa_read_model *model;
    const xa_read_map *map;
} xa_figure_column;

typedef struct xa_figure_rows {
    xa_read *r;
    char *path, *image_root;
    int64_t *sample; /* [nrows] */
    char (*why)[64]; /* [nrows] why the row is here: "best of 42"; "" where it was named */
    int nrows;
    char *metric;             /* whose scores stand at the maps, NULL: the archive has none */
    xa_figure_column *column; /* [ncolumns] */
    int ncolumns;
    char digest[XA_SHA256_HEX]; /* xa_figure_digest */
} xa_figure_rows;

/* SHA-256 over the digests of all maps' checksums and all probabilities. It says which archive a
 * figure was made from. */
XA_MUST_USE xa_status xa_figure_digest(const xa_read *r, char hex[XA_SHA256_HEX], xa_err *err);

/* The samples and explainers that `choice` asks for. NOT_FOUND names what is missing and what the
 * archive has instead. */
XA_MUST_USE xa_status xa_figure_rows_open(const char *path,
                                          const xa_choice *choice,
                                          const char *image_root, /* NULL: as the archive says */
                                          xa_figure_rows **out,
                                          xa_err *err);
void xa_figure_rows_close(xa_figure_rows *f);

/* One map of a sample: several channels are reduced to the largest absolute value. values: [height,
 * width] in a new buffer, free(); NULL if the sample has no map of this explainer, or one that is
 * not finite. affine maps the model's input, input_height x input_width, to the stored frame. */
typedef struct xa_figure_map {
    float *values;
    int64_t height, width;
    double input_height, input_width;
    double affine[6];
    int32_t target;
} xa_figure_map;
XA_MUST_USE xa_status xa_figure_map_read(const xa_figure_rows *f,
                                         const xa_figure_column *c,
                                         int64_t sample,
                                         xa_figure_map *out,
                                         xa_err *err);

/* The score of a column's map of a sample by a metric, the mean over the sample's annotated
 * classes; NaN where there is none, or no metric (NULL). */
double xa_figure_score(const xa_figure_rows *f,
                       const xa_figure_column *c,
                       const char *metric,
                       int64_t sample);

/* The map at the size of a picture of the whole stored frame, frame[0] wide and frame[1] high: NaN
 * where the model saw nothing. out: [picture's height, width]. */
void xa_figure_map_grow(const xa_figure_map *m,
                        const double frame[2],
                        const xa_image *picture,
                        float *out);

/* The image for display: RGB 8 bit, its longer side at most `most` pixels; images of other depths
 * are converted by the model's setting. frame: width and height of the stored frame. Where the file
 * is missing, the archive's thumbnail is taken. NOT_FOUND, IO: there is neither; MISMATCH: the
 * pixels are not those that were audited. */
XA_MUST_USE xa_status xa_figure_image_read(const xa_figure_rows *f,
                                           const xa_read_model *m,
                                           int64_t sample,
                                           int64_t most,
                                           xa_image *out,
                                           double frame[2],
                                           xa_err *err);
/* Annotated boxes of a sample, [n][4] in the stored frame; free(). */
XA_MUST_USE xa_status
xa_figure_boxes(const xa_figure_rows *f, int64_t sample, double (**out)[4], int *n, xa_err *err);

/* Lines over a picture, from x0,y0 to x1,y1 in the stored frame; free() edge. */
typedef struct xa_figure_edges {
    double (*edge)[4];
    int n;
    size_t cap;
} xa_figure_edges;
/* Appends the borders of a sample's masks. Errors are those of reading a mask. */
XA_MUST_USE xa_status xa_figure_outlines(const xa_figure_rows *f,
                                         int64_t sample,
                                         xa_figure_edges *out,
                                         xa_err *err);
/* 1 where one of the sample's masks is, else 0, at the centres of a grid over the image; *any: the
 * sample has a mask. Errors are those of reading a mask. */
XA_MUST_USE xa_status xa_figure_masked(const xa_figure_rows *f,
                                       int64_t sample,
                                       int64_t height,
                                       int64_t width,
                                       float *out, /* [height, width] */
                                       bool *any,
                                       xa_err *err);
/* Appends the grid of the model's coarsest map over its input: the patches of a vision transformer
 * with attention or token maps, the cells of the last layer of a convolutional network. */
XA_MUST_USE xa_status xa_figure_grid(const xa_figure_rows *f,
                                     const xa_read_model *m,
                                     int64_t sample,
                                     xa_figure_edges *out,
                                     xa_err *err);

/* ---- overlay.c: maps over photographs ---- */

/* How the maps of one column are drawn. */
typedef struct xa_figure_tone {
    xa_overlay over;
    bool pixelwise;  /* a value for each pixel of the model's input: smoothed, without contours */
    bool is_signed;  /* a shown map has values below 0: two-sided colours over a grey photograph */
    double strength; /* the value of full strength of a scale shared by the column; 0: each map has
                        its own */
    double smoothed,
        side; /* sigma and longer side of the grid, in its cells; 0 where not smoothed */
} xa_figure_tone;
/* Reads the column's maps of all rows. `over`: what the user chose; its smooth and opacity are set
 * here if they are negative, by whether the maps are pixelwise. */
XA_MUST_USE xa_status xa_figure_tone_of(const xa_figure_rows *f,
                                        const xa_figure_column *c,
                                        const xa_overlay *over,
                                        bool shared,
                                        xa_figure_tone *out,
                                        xa_err *err);
/* The map as t in -1..1 (xa_overlay) at the size of a picture of the whole frame: t [height,width],
 * free(). strength: the value that became 1. */
XA_MUST_USE xa_status xa_figure_map_show(const xa_figure_map *m,
                                         const xa_figure_tone *tone,
                                         const double frame[2],
                                         int64_t height,
                                         int64_t width,
                                         float **t,
                                         double *strength,
                                         xa_err *err);
/* The line around the places that hold half of the map's positive mass, in the frame. */
XA_MUST_USE xa_status xa_figure_half_mass(const xa_figure_map *m,
                                          const double frame[2],
                                          xa_lines *out,
                                          xa_err *err);

/* ---- page.c: one figure ---- */

typedef enum xa_page_style { XA_PAGE_PANEL, XA_PAGE_KERAS, XA_PAGE_RELEVANT } xa_page_style;

/* Which annotations are drawn. AUTO: outlines of masks, and boxes where an image has none. */
typedef enum xa_page_truth {
    XA_TRUTH_AUTO,
    XA_TRUTH_BOX,
    XA_TRUTH_OUTLINE,
    XA_TRUTH_BOTH,
    XA_TRUTH_NONE
} xa_page_truth;

typedef struct xa_page {
    const char *archive, *output, *image_root;
    xa_choice choice;
    xa_page_style style;
    bool overlay, map, shared, anonymise, contours;
    xa_page_truth truth;
    bool patches;    /* draw the grid of the coarsest map over the image */
    xa_overlay over; /* smooth and opacity below 0: by the kind of map */
    /* "explainer=TEXT" or "model/explainer=TEXT": headings instead of the shown names */
    const char *name[XA_FIGURE_LIST];
    int nnames;
    double width_mm, dpi, font_pt;
    int plot; /* an xa_plot_kind of the data set; -1: images */
    char *command;
} xa_page;
/* Writes the figure, and beside it a caption: OUTPUT without its end, and ".caption.txt". Images
 * that are missing, and images that are not the audited ones, are reported on stderr; their tiles
 * stay empty, and *missing counts them. */
XA_MUST_USE xa_status xa_page_write(const xa_page *p, int64_t *missing, xa_err *err);

#endif
