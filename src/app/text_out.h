/* Text and numbers of tables: for a terminal and as CSV. Private to app. */
#ifndef XAUDIT_APP_TEXT_OUT_H
#define XAUDIT_APP_TEXT_OUT_H

#include <stdint.h>
#include <stdio.h>

/* Sanitised into buf; NULL is "". */
const char *xa_shown(const char *text, char *buf, size_t size);
/* Sanitised, cut or padded to that many columns of a terminal (at most 120). */
void xa_put_padded(FILE *out, const char *text, int64_t columns);
/* A field of CSV (RFC 4180), quoted where it must be; a number, empty where it is not finite. */
void xa_csv_text(FILE *out, const char *text);
void xa_csv_number(FILE *out, double v);

#endif
