/*  */
#ifndef XAUDIT_REPORT_H
#define XAUDIT_REPORT_H

#include <stdio.h>

#include "xaudit/util.h"

/* A paragraph for a paper's methods section: models, preprocessing, explainers, metrics with their
 * conventions, intervals, and the references. */
XA_MUST_USE xa_status xa_print_methods(const char *archive, FILE *out, xa_err *err);

/* ---- */
/* An archive as one HTML page that needs nothing else.  */

typedef struct xa_report_options {
    const char *archive, *output;
    const char *image_root; /* NULL: as the archive says */
    const char *title;      /* NULL: the archive's name */
    bool anonymise;         /* no folders, no host */
    bool images;            /* a gallery */
} xa_report_options;
/* Written as OUTPUT.part and renamed. *missing counts images that are not there, or are not those
 * that were audited: their places say so. */
XA_MUST_USE xa_status xa_report_write(const xa_report_options *opt, int64_t *missing, xa_err *err);

#endif
