/* report: an archive as one HTML page that loads nothing, and the paragraph for a methods section.
 */
#ifndef XAUDIT_REPORT_H
#define XAUDIT_REPORT_H

#include <stdio.h>

#include "xaudit/summary.h"

/* A paragraph for a paper's methods section: models, preprocessing, explainers, metrics with their
 * conventions, intervals, and the references. */
XA_MUST_USE xa_status xa_print_methods(const char *archive, FILE *out, xa_err *err);

/* The sentences that the page begins with, for a terminal: what finds the object best, accuracy,
 * and what is better than the centre, than maps of other images and than class means. */
XA_MUST_USE xa_status xa_print_findings(const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        FILE *out,
                                        xa_err *err);

/* ---- the page ---- */

typedef struct xa_report_options {
    const char *archive, *output;
    const char *image_root; /* NULL: as the archive says */
    const char *title;      /* NULL: the job's, else the archive's name */
    bool anonymise;         /* leave out the job, messages, and folders in ids */
    bool images;            /* with a gallery */
} xa_report_options;
/* Writes the page as OUTPUT.part and renames it. *missing counts images that are not there or are
 * not the audited ones; the page says so in their places. */
XA_MUST_USE xa_status xa_report_write(const xa_report_options *opt, int64_t *missing, xa_err *err);

#endif
