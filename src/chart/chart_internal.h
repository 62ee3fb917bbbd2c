/* What the makers of charts share. Each chart is a file of its own with a function xa__plot_<word>,
 * the word being that of XA_PLOT_LIST. */
#ifndef XAUDIT_CHART_CHART_INTERNAL_H
#define XAUDIT_CHART_CHART_INTERNAL_H

#include "xaudit/chart.h"

typedef struct xa__maker {
    const xa_plotting *p;
    const xa_read_model *m;
    xa_plot_page *o;
    const xa_series **series; /* [n] the explainers' of one metric, in the archive's order */
    const char **name;        /* [n] of the explainers */
    int n;
} xa__maker;

#define X(kind, word, what) xa_status xa__plot_##word(xa__maker *k, xa_err *err);
XA_PLOT_LIST(X)
#undef X

/* ---- plots.c: memory of a page ---- */

/* Zeroed memory that lives as long as the page, through *out_ptr, a pointer to a pointer. */
xa_status xa__plot_own(xa_plot_page *o, size_t n, size_t bytes, void *out_ptr, xa_err *err);
/* A text, which the page takes over, on failure too; NULL is out of memory. */
xa_status xa__plot_own_text(xa_plot_page *o, char *text, const char **out, xa_err *err);

/* ---- series.c ---- */

/* Whether all scores are 0 or 1. */
bool xa__plot_is_rate(const xa_series *x, int64_t pairs);
/* "Grad-CAM (label)": an explainer of k->m as people read it. */
xa_status xa__plot_title(xa__maker *k, const char *explainer, const char **out, xa_err *err);
/* Sets k->series to those of a metric. NULL: of the first metric of this kind, shares before rates.
 * NOT_FOUND: there is none. */
xa_status xa__plot_find_series(xa__maker *k, const char *metric, xa_series_kind is, xa_err *err);
/* The series of a baseline, of the same model and metric; NULL: the archive has none. */
const xa_series *xa__plot_baseline(const xa__maker *k, const xa_series *x, const char *name);
/* "metric, model NAME: conventions. more" */
xa_status xa__plot_conventions_note(
    xa__maker *k, const xa_series *x, const char *more, const char **out, xa_err *err);
/* 0 to 1, wider if scores are. */
void xa__plot_value_range(const xa__maker *k, double *low, double *high);
/* The figure of a series over one part (-1: all) as a mark with its interval, at (value, at) if
 * `sideways`, else at (at, value). */
xa_status xa__plot_interval(xa__maker *k,
                            const xa_series *x,
                            int64_t part,
                            double at,
                            int colour,
                            bool sideways,
                            xa_mark *out,
                            xa_err *err);

typedef struct xa__ranked {
    double value;
    int64_t part;
} xa__ranked;
/* For qsort: descending by value, then ascending by part. */
int xa__plot_by_value(const void *a, const void *b);

#endif
