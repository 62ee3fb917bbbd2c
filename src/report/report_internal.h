/* What the files of the report share. */
#ifndef XAUDIT_REPORT_REPORT_INTERNAL_H
#define XAUDIT_REPORT_REPORT_INTERNAL_H

#include <inttypes.h>

#include "assets.h" /* made from assets/: xa__report_page_<piece>, xa__report_page_css, .._js */
#include "xaudit/chart.h"
#include "xaudit/print.h"
#include "xaudit/report.h"

/* A piece of page.html with its holes: names and values, both text. */
#define XA__PUT(out, piece, ...) xa_fill(out, piece, XA_ESCAPE_HTML, __VA_ARGS__, NULL)

/* A number as text, in the buffer that is given. */
typedef struct xa__number {
    char text[48];
} xa__number;
const char *xa__whole(xa__number *room, int64_t v);
const char *xa__real(xa__number *room, int decimals, double v); /* "%.*f" */

/* ---- facts.c: what was done ---- */

/* What became of the images of the manifest; what the archive says of itself and its models. */
XA_MUST_USE xa_status xa__report_flow(FILE *out, const xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__report_provenance(FILE *out, const xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__report_job(FILE *out, const xa_read *r, xa_err *err);
XA_MUST_USE xa_status xa__report_methods(FILE *out, const char *archive, xa_err *err);
/* anonymise: without messages, which name files, and without the folders of ids. */
void xa__report_failures(FILE *out, const xa_read *r, bool anonymise);

/* ---- tables.c, charts.c, gallery.c ---- */

/* A table for every metric of a model, with intervals. */
XA_MUST_USE xa_status xa__report_tables(FILE *out,
                                        const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        xa_err *err);
/* Every chart that the archive has something for. by_class: the same archive, divided by class. */
XA_MUST_USE xa_status xa__report_charts(
    FILE *out, xa_summary *s, xa_summary *by_class, const xa_stats_plan *plan, xa_err *err);
/* The best, worst, disputed and wrongly answered images of a model with their overlays. *missing
 * grows by the images that are not there or have other pixels than the audited ones. */
XA_MUST_USE xa_status xa__report_gallery(FILE *out,
                                         const xa_report_options *opt,
                                         const xa_summary *s,
                                         const xa_read_model *m,
                                         int64_t *missing,
                                         xa_err *err);

#endif
