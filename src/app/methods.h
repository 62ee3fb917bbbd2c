/* Private to app. */
#ifndef XAUDIT_APP_METHODS_H
#define XAUDIT_APP_METHODS_H

#include <stdio.h>

#include "xaudit/util.h"

/* A paragraph for a paper's methods section: models, preprocessing, explainers, metrics with their
 * conventions, intervals, and the references. */
XA_MUST_USE xa_status xa_print_methods(const char *archive, FILE *out, xa_err *err);

#endif
