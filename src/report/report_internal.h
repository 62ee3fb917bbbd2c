/* What the files of the report share: writing HTML. */
#ifndef XAUDIT_REPORT_REPORT_INTERNAL_H
#define XAUDIT_REPORT_REPORT_INTERNAL_H

#include "xaudit/chart.h"
#include "xaudit/report.h"

/* Text with what HTML reads as its own escaped, control characters out. */
void xa_html_text(FILE *out, const char *text);
/* Best, worst, disputed and wrongly answered images of a model with their overlays. */
XA_MUST_USE xa_status xa_report_gallery(FILE *out,
                                        const xa_report_options *opt,
                                        const xa_summary *s,
                                        const xa_read_model *m,
                                        int64_t *missing,
                                        xa_err *err);
extern const char xa_report_head[], xa_report_tail[]; /* style, and the script that sorts */

#endif
