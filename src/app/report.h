/* An archive as one HTML page that needs nothing else. Private to app. */
#ifndef XAUDIT_APP_REPORT_H
#define XAUDIT_APP_REPORT_H

#include <stdio.h>

#include "xaudit/util.h"

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
