/* The archive as lines. Private to app. */
#ifndef XAUDIT_APP_TABLE_H
#define XAUDIT_APP_TABLE_H

#include "reader.h"

const char *xa_table_status(uint8_t status);
/* The first annotated pair of a sample or, if it has none, of a later one. */
int64_t xa_table_first_pair(const xa_read *r, int64_t sample);
XA_MUST_USE xa_status xa_table_csv(xa_read *r, FILE *out, xa_err *err);

#endif
