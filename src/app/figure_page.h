/* One figure: what is shown and how, and writing it. Private to app. */
#ifndef XAUDIT_APP_FIGURE_PAGE_H
#define XAUDIT_APP_FIGURE_PAGE_H

#include "figure_rows.h"

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
