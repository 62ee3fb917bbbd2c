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

void xa__print_csv(const xa_summary_row *rows, size_t n, FILE *out);
bool xa__print_json(const xa_summary *s,
                    const xa_summary_row *rows,
                    size_t n,
                    const xa_stats_plan *plan,
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
