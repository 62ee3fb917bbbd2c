/* What the makers of charts share. */
#ifndef XAUDIT_CHART_PLOTS_INTERNAL_H
#define XAUDIT_CHART_PLOTS_INTERNAL_H

#include "xaudit/chart.h"

typedef struct maker {
    const xa_plotting *p;
    const xa_read_model *m;
    xa_plot_page *o;
    const xa_series **series; /* explainers of one metric, in the archive's order */
    const char **name;        /* of each */
    int n;
} maker;

typedef struct ranked {
    double value;
    int64_t part;
} ranked;

/* Descending by value, then by part. */
int xa__plot_by_value(const void *a, const void *b);

/* Zeroed memory, and a text (taken over, on failure too), that live as long as the page. */
xa_status xa__plot_own(xa_plot_page *o, size_t n, size_t bytes, void *out_ptr, xa_err *err);
xa_status xa__plot_own_text(xa_plot_page *o, char *text, const char **out, xa_err *err);
/* The explainers' series of a metric; NULL: the first of the kind wanted, shares before rates. */
xa_status xa__plot_find_series(maker *k, const char *metric, xa_series_kind is, xa_err *err);
/* "metric, model, conventions. more" */
xa_status xa__plot_conventions_note(
    maker *k, const xa_series *x, const char *more, const char **out, xa_err *err);
/* 0 to 1, wider where scores are. */
void xa__plot_value_range(const maker *k, double *low, double *high);

/* plots_relations.c */
xa_status xa__make_agreement(maker *k, xa_err *err);
xa_status xa__make_confidence(maker *k, xa_err *err);
xa_status xa__make_size(maker *k, xa_err *err);
xa_status xa__make_means(maker *k, xa_err *err);

#endif
