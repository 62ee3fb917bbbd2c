/* What the printers of summaries share. Private to app. */
#ifndef XAUDIT_APP_SUMMARY_TEXT_H
#define XAUDIT_APP_SUMMARY_TEXT_H

#include <stdio.h>

/* Sanitised into buf; NULL is "". */
const char *xa_summary_shown(const char *text, char *buf, size_t size);
/* A field, quoted where it must be; a comma and a number, empty where it is not finite. */
void xa_csv_text(FILE *out, const char *text);
void xa_csv_number(FILE *out, double v);

#endif
