/* chart: charts of an archive over its data set, as marks on axes, which draw puts on paper. */
#ifndef XAUDIT_CHART_H
#define XAUDIT_CHART_H

#include "xaudit/draw.h"
#include "xaudit/summary.h"

/* X(ENUM, word, what it shows): `word` is the chart's name. */
#define XA_PLOT_LIST(X)                                                                       \
    X(DISTRIBUTION, distribution, "the scores of every metric, their means with intervals")   \
    X(CURVES, curves, "box accuracy over the grey levels")                                    \
    X(CLASSES, classes, "one metric by class, with intervals")                                \
    X(AGREEMENT, agreement, "rank correlation of every two explainers, mean over images")     \
    X(CONFIDENCE, confidence, "one metric over the class's probability, fifths of pairs")     \
    X(SIZE, size, "one metric over the object's share of the image, fifths of pairs")         \
    X(REMOVAL, removal, "the class while pixels are removed or put back, in the maps' order") \
    X(DIFFERENCES, differences, "checks: each explainer's difference to a random map")        \
    X(ORDERS, orders, "do metrics agree on the order of explainers?")                         \
    X(MEANS, means, "mean map of every class (of an evaluation)")                             \
    X(CLUSTERS, clusters, "mean map of every cluster (of xaudit cluster)")
typedef enum xa_plot_kind {
#define X(kind, word, what) XA_PLOT_##kind,
    XA_PLOT_LIST(X)
#undef X
        XA_PLOT_KINDS
} xa_plot_kind;
int xa_plot_parse(const char *name); /* -1 when unknown */
const char *xa_plot_name(xa_plot_kind k);
const char *xa_plot_what(xa_plot_kind k);

typedef struct xa_plotting {
    xa_summary *s;
    const xa_stats_plan *plan;
    const char *model;  /* NULL: the first */
    const char *metric; /* NULL: the first whose scores are not all 0 or 1; DISTRIBUTION: all */
    double width_mm, font_pt;
} xa_plotting;

/* A chart, or (MEANS) a panel, with the memory that it points into. */
typedef struct xa_plot_page {
    xa_chart chart;
    xa_panel panel;
    bool is_panel;
    void **owned;
    size_t nowned, cap;
    xa_image *pictures;
    int npictures;
} xa_plot_page;
/* NOT_FOUND: the archive has no such model or metric, or nothing to draw such a chart of: the
 * message says what it needs. CLASSES needs a summary divided by class (INVALID otherwise). */
XA_MUST_USE xa_status xa_plot_make(const xa_plotting *p,
                                   xa_plot_kind kind,
                                   xa_plot_page *out,
                                   xa_err *err);
void xa_plot_page_free(xa_plot_page *p);

#endif
