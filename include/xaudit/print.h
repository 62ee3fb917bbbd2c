/* Text and numbers of tables: for a terminal and as CSV.  */
#ifndef XAUDIT_PRINT_H
#define XAUDIT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "xaudit/manifest.h"

/* Sanitised into buf; NULL is "". */
const char *xa_shown(const char *text, char *buf, size_t size);
/* Sanitised, cut or padded to that many columns of a terminal (at most 120). */
void xa_put_padded(FILE *out, const char *text, int64_t columns);
/* Sanitised and padded likewise, but never cut. */
void xa_put_whole(FILE *out, const char *text, int64_t columns);
enum { XA_PRINT_COLUMNS = 79 }; /* of a terminal of 80, which breaks lines itself after its last */
/* Prints the words of a text and a line's end: lines of at most XA_PRINT_COLUMNS columns that begin
 * at column `from`; the first continues a line at column `at`. */
void xa_put_wrapped(FILE *out, const char *text, int from, int at);
/* A score for a table, 6 columns wide or, with its sign, 7: 0.1234, but -1.2e-05 where that would
 * hide what there is. `room` is returned. */
const char *xa_score_text(double v, bool sign, char room[24]);
/* A field of CSV (RFC 4180), quoted where it must be; a number, empty where it is not finite. */
void xa_csv_text(FILE *out, const char *text);
void xa_csv_number(FILE *out, double v);

/* ---- fields.c: rows ---- */

/* Rows of a table as CSV or JSON, names and fields from one list.  */

typedef enum xa_cell_kind { XA_CELL_TEXT, XA_CELL_WHOLE, XA_CELL_REAL, XA_CELL_BOOL } xa_cell_kind;
typedef struct xa_cell {
    xa_cell_kind kind;
    const char *text; /* NULL: nothing */
    char room[512];   /* for texts that are made */
    int64_t whole;    /* BOOL too */
    double real;      /* not finite: nothing */
} xa_cell;

typedef struct xa_field {
    const char *name;
    void (*get)(const void *row, xa_cell *out);
} xa_field;

/* "Nothing" is an empty field and null. */
void xa_fields_csv(
    FILE *out, const xa_field *f, size_t nf, const void *rows, size_t n, size_t size);
/* An array of objects; NULL: out of memory, or a text that is no UTF-8. */
typedef struct json_t json_t; /* of jansson */
json_t *xa_fields_json(const xa_field *f, size_t nf, const void *rows, size_t n, size_t size);

/* ---- template.c: text with holes ---- */

typedef enum xa_escape {
    XA_ESCAPE_HTML,         /* text, or the value of an attribute in double quotes */
    XA_ESCAPE_LATEX,        /* text of a document */
    XA_ESCAPE_LATEX_COMMENT /* one line behind a % */
} xa_escape;
/* Writes `text`, each "@{name}" of it replaced by the value of that name with its special
 * characters escaped, and each "@!{name}" by the value as it is. After `escape` come pairs of name
 * and value, both const char *, then NULL; a value of NULL is empty. A hole that no pair names is
 * written as it stands, so that a test sees it. */
void xa_fill(FILE *out, const char *text, xa_escape escape, ...) __attribute__((sentinel));
/* One value, escaped. */
void xa_escape_text(FILE *out, xa_escape escape, const char *value);

/* ---- messages.c: what is wrong ---- */

/* Prints problems, sorted by line, to stderr: "file:line: text". */
void xa_print_problems(const xa_problems *p);
/* "xaudit: message" and, at debug level, the trail. */
void xa_print_error(const xa_err *err);
/* "12.3 GB" */
const char *xa_bytes_text(double bytes, char *buf, size_t size);

#endif
