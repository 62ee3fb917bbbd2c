/* What the printers of summaries share. */
#ifndef XAUDIT_SUMMARY_SUMMARY_PRINT_H
#define XAUDIT_SUMMARY_SUMMARY_PRINT_H

#include "summary_internal.h"

/* One row of any table of figures. */
typedef struct xa_summary_row {
    const xa_summary *s;
    const xa_series *series;
    const char *part; /* NULL: all units */
    xa_figure figure;
} xa_summary_row;

/* Rows of one model and metric from `first` on end here. */
size_t xa__end_of_table(const xa_summary_row *rows, size_t first, size_t n);

/* What stands below the figures. */
typedef struct xa__found {
    xa_judged *judged;
    int njudged;
    xa_orders *orders; /* [models] */
} xa__found;

/* The order of tables and rows: by model, metric, explainers before baselines, name. */
int xa__series_order(const xa_series *x, const xa_series *y);

/* ---- checks beside their rivals: rows are in the order of xa__series_order ---- */

/* The row like `r` (model, explainer, part) of another figure of its check, or of a rival's maps;
 * NULL: there is none. */
const xa_summary_row *
xa__row_of_figure(const xa_summary_row *rows, size_t n, const xa_summary_row *r, int64_t figure);
const xa_summary_row *
xa__row_of_rival(const xa_summary_row *rows, size_t n, const xa_summary_row *r, xa_rival_kind k);
/* The row of the difference between `r` and a rival; NULL: there is none. */
const xa_summary_row *xa__row_of_difference(const xa_summary_row *rows,
                                            size_t n,
                                            const xa_summary_row *r,
                                            xa_rival_kind k);
/* Whether a row stands in the table of its check's first figure, so that it has no table itself. */
bool xa__row_is_folded(const xa_summary_row *rows, size_t n, const xa_summary_row *r);

/* The table of a check whose first figures are rows[first..end), and what else it tells. */
void xa__print_check(FILE *out,
                     const xa_summary *s,
                     const xa_summary_row *rows,
                     size_t n,
                     size_t first,
                     size_t end,
                     int64_t width);
void xa__print_orders(FILE *out, const xa_read_model *m, const xa_orders *o);
void xa__print_judged(FILE *out, const xa_judged *j, int n);
/* "  0.1234 [0.1000,0.2000] ", or why it has no interval. */
void xa__print_interval(FILE *out, const xa_interval *f);
/* Below a row: why units of it are undefined. */
void xa__print_undefined(FILE *out, const xa_summary *s, const xa_series *x);

void xa__print_csv(const xa_summary_row *rows, size_t n, FILE *out);
bool xa__print_json(const xa_summary *s,
                    const xa_summary_row *rows,
                    size_t n,
                    const xa_stats_plan *plan,
                    const xa__found *found,
                    FILE *out);
/* Comparisons as CSV or JSON; rows: [n] of xa_compared or of xa_parted. */
typedef enum xa__comparison_kind { XA__COMPARED, XA__PARTED } xa__comparison_kind;
xa_status xa__write_comparisons(xa__comparison_kind kind,
                                const void *rows,
                                size_t n,
                                int left_out,
                                const xa_compare_options *o,
                                xa_summary_form form,
                                FILE *out,
                                xa_err *err);
void xa__print_latex(const xa_summary *s,
                     const xa_summary_row *rows,
                     size_t n,
                     const xa_stats_plan *plan,
                     FILE *out);

#endif
