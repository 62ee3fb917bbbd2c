/* check --against: this build beside Keras' own results on the user's model and images. Private to
 * app. */
#ifndef XAUDIT_APP_AGAINST_H
#define XAUDIT_APP_AGAINST_H

#include "app.h"

/* Compares the job's model with a reference of tests/parity/reference.py and prints the agreement
 * to stdout. *agrees: everything within the tolerances that are printed beside it. */
XA_MUST_USE xa_status xa_check_against(const xa_loaded *l,
                                       const char *reference,
                                       bool *agrees,
                                       xa_err *err);

#endif
