/* The explorer of images: what it shows, and the data that the page's script reads. Private to
 * report. */
#ifndef XAUDIT_REPORT_EXPLORER_H
#define XAUDIT_REPORT_EXPLORER_H

#include "report_internal.h"
#include "xaudit/figure.h"

enum { XA__EXPLAINERS = 16, XA__METRICS = 12 };

typedef struct xa__explorer {
    const xa_report_options *opt;
    const xa_summary *s;
    xa_figure_rows *f; /* a row per image that the first model explained; columns of all models */
    int columns;       /* those that are shown: at most XA__EXPLAINERS of f's */
    const char *metric[XA__METRICS];
    int nmetrics;
    int main_column, main_metric; /* what the page begins with; -1: no metric */
    bool *pictured;               /* [f->nrows] the page has pictures of it */
    int npictured;
    int64_t *missing;
} xa__explorer;

/* ---- explorer.c ---- */
/* The score of a column's map by a metric: mean over the sample's annotated classes, or NAN. */
double xa__explorer_score(const xa__explorer *x, int column, int metric, int row);
int xa__explorer_model(const xa__explorer *x, int column); /* its number in the archive */

/* ---- explorer_pictures.c ---- */
/* Writes one image's photograph, maps, contours and annotations as a JSON object, or null where the
 * image is missing. */
XA_MUST_USE xa_status xa__explorer_pictures(FILE *out, const xa__explorer *x, int row, xa_err *err);
/* A text as JSON: escaped so that it may stand inside a script element. */
void xa__json_text(FILE *out, const char *text);
/* "data:image/png;base64,..." of bytes. */
void xa__data_uri(FILE *out, const char *type, const xa_str *bytes);

#endif
