/* Text and numbers of tables: for a terminal and as CSV. Private to app. */
#ifndef XAUDIT_APP_TEXT_OUT_H
#define XAUDIT_APP_TEXT_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Sanitised into buf; NULL is "". */
const char *xa_shown(const char *text, char *buf, size_t size);
/* Sanitised, cut or padded to that many columns of a terminal (at most 120). */
void xa_put_padded(FILE *out, const char *text, int64_t columns);
/* Sanitised and padded likewise, but never cut. */
void xa_put_whole(FILE *out, const char *text, int64_t columns);
/* A score for a table, 6 columns wide or, with its sign, 7: 0.1234, but -1.2e-05 where that would
 * hide what there is. `room` is returned. */
const char *xa_score_text(double v, bool sign, char room[24]);
/* A field of CSV (RFC 4180), quoted where it must be; a number, empty where it is not finite. */
void xa_csv_text(FILE *out, const char *text);
void xa_csv_number(FILE *out, double v);

#endif
