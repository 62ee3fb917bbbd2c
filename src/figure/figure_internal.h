/* Private to figure: the pictures of a page. */
#ifndef XAUDIT_FIGURE_FIGURE_INTERNAL_H
#define XAUDIT_FIGURE_FIGURE_INTERNAL_H

#include "xaudit/figure.h"

enum { XA__RELEVANT_TOLERANCE = 40 }; /* grey levels */

/* Each changes the map's values. `to`: one picture of Keras', two of relevant pixels. */
XA_MUST_USE xa_status xa__figure_keras(const xa_figure_map *m,
                                       const xa_image *image,
                                       xa_image *to,
                                       xa_err *err);
XA_MUST_USE xa_status xa__figure_relevant(const xa_figure_map *m,
                                          const xa_image *image,
                                          xa_image *to,
                                          xa_err *err);

/* What a figure is made of; it lives until the file is written. */
enum { XA__NOTE = 192 };
typedef struct xa__sheet {
    const xa_page *page;
    xa_figure_rows *rows;
    int each, columns;    /* pictures of each map; columns, with that of the photograph */
    xa_figure_tone *tone; /* [rows->ncolumns] */
    xa_image *pictures;   /* [rows, columns], as are the next four */
    xa_tile *tiles;
    char (*notes)[XA__NOTE], (*scores)[16];
    xa_lines *contours;
    xa_panel_column *head;                         /* [columns] */
    char (*names)[XA__NOTE], (*details)[XA__NOTE]; /* [columns] */
    xa_panel_row *row;                             /* [rows] */
    char (*ids)[XA__NOTE], (*reasons)[XA__NOTE];   /* [rows] */
    xa_panel_answer *answers;                      /* [rows, nmodels] */
    char (*said)[XA__NOTE];                        /* [rows, nmodels] */
    const xa_read_model **models;                  /* [nmodels] of the columns */
    int nmodels;
    double (**boxes)[4];
    xa_figure_edges *edges, *grids; /* [rows] */
    bool has_boxes, has_edges, has_contours;
    xa_str footnote;
} xa__sheet;

/* ---- page_text.c ---- */
void xa__sheet_name_columns(xa__sheet *s);
void xa__sheet_name_row(xa__sheet *s, int r);
void xa__sheet_score_row(xa__sheet *s, int r);
void xa__sheet_footnote(xa__sheet *s);
/* Key of what is annotated; NULL: nothing is drawn. */
const char *xa__sheet_truth(const xa__sheet *s);
/* Sentences that say all that a reader of the figure must know. */
void xa__sheet_caption(const xa__sheet *s, xa_str *out);

#endif
