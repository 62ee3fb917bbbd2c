/* What a figure shows: which samples, which explainers, and their maps and images, read one row at
 * a time.  */
#ifndef XAUDIT_FIGURE_H
#define XAUDIT_FIGURE_H

#include "xaudit/draw.h"
#include "xaudit/view.h"

/* X(ENUM, name): which samples a figure shows where none is named. DISAGREE: those on which the
 * model's explainers have the least rank correlation; WRONG: whose prediction is no label. */
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
    const char *class_name; /* samples of this label only */
    xa_pick pick;
    const char *metric; /* BEST, WORST, MEDIAN; NULL: the first the archive has */
    const char *explainer[XA_FIGURE_LIST]; /* name or model/name; none: all */
    int nexplainers;
    const char *model; /* NULL: all */
    int64_t most;      /* rows */
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
    int nrows;
    xa_figure_column *column; /* [ncolumns] */
    int ncolumns;
    char digest[XA_SHA256_HEX]; /* of the checksums of all maps and of all scores */
} xa_figure_rows;

/* SHA-256 over the digests of all maps' checksums and all probabilities: which archive a figure is
 * of. */
XA_MUST_USE xa_status xa_figure_digest(const xa_read *r, char hex[XA_SHA256_HEX], xa_err *err);

/* NOT_FOUND and INVALID name what was asked for and what there is. */
XA_MUST_USE xa_status xa_figure_rows_open(const char *path,
                                          const xa_choice *choice,
                                          const char *image_root, /* NULL: as the archive says */
                                          xa_figure_rows **out,
                                          xa_err *err);
void xa_figure_rows_close(xa_figure_rows *f);

/* The map of a column for a sample, channels reduced to the largest size: values [h,w] in a new
 * buffer, free(). *values NULL: there is none. */
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

/* The map at the size of a picture of the whole stored frame, frame[0] wide and frame[1] high: NaN
 * where the model saw nothing. out: [picture's height, width]. */
void xa_figure_map_grow(const xa_figure_map *m,
                        const double frame[2],
                        const xa_image *picture,
                        float *out);

/* The image as it is shown: RGB 8 bit, its longer side `most` pixels at the most; other depths by
 * the model's setting. MISMATCH: its pixels are not those that were audited. */
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

/* Lines over a picture, x0,y0,x1,y1 in the stored frame; free edge. */
typedef struct xa_figure_edges {
    double (*edge)[4];
    int n;
    size_t cap;
} xa_figure_edges;
/* Borders of a sample's masks, appended. Fails as reading a mask does. */
XA_MUST_USE xa_status xa_figure_outlines(const xa_figure_rows *f,
                                         int64_t sample,
                                         xa_figure_edges *out,
                                         xa_err *err);
/* The cells of the model's coarsest map over its input, appended: the patches of a vision
 * transformer with attention or token maps, the last layer's cells of a convolutional network. */
XA_MUST_USE xa_status xa_figure_grid(const xa_figure_rows *f,
                                     const xa_read_model *m,
                                     int64_t sample,
                                     xa_figure_edges *out,
                                     xa_err *err);

/* ---- */
/* One figure: what is shown and how, and writing it.  */

typedef enum xa_page_style { XA_PAGE_PANEL, XA_PAGE_KERAS, XA_PAGE_RELEVANT } xa_page_style;

typedef struct xa_page {
    const char *archive, *output, *image_root;
    xa_choice choice;
    xa_page_style style;
    bool overlay, map, shared, boxes, anonymise;
    bool patches; /* the image shows the cells of the coarsest map */
    xa_colormap colormap;
    double weight, width_mm, dpi, font_pt;
    int plot; /* an xa_plot_kind of the data set; -1: images */
    char *command;
} xa_page;
/* Images that are missing or others than audited are told on stderr, leave their tiles empty and
 * are counted in *missing. */
XA_MUST_USE xa_status xa_page_write(const xa_page *p, int64_t *missing, xa_err *err);

#endif
