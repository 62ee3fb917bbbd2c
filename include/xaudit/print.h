/* print: tables for a terminal, rows as CSV and JSON, templates, problems and errors. */
#ifndef XAUDIT_PRINT_H
#define XAUDIT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "xaudit/manifest.h"

/* The text sanitised (xa_str_sanitise) into buf, which is returned; NULL becomes "". */
const char *xa_shown(const char *text, char *buf, size_t size);
/* Prints the text sanitised, and cut or padded to so many columns of a terminal (at most 120). */
void xa_put_padded(FILE *out, const char *text, int64_t columns);
/* The same, but a longer text is not cut. */
void xa_put_whole(FILE *out, const char *text, int64_t columns);
enum { XA_PRINT_COLUMNS = 79 }; /* of a terminal of 80, which breaks lines itself after its last */
/* Prints the words of a text and a line's end: lines of at most XA_PRINT_COLUMNS columns that begin
 * at column `from`; the first continues a line at column `at`. */
void xa_put_wrapped(FILE *out, const char *text, int from, int at);
/* A score for a table, 6 columns wide or, with its sign, 7: "0.1234". Scores that four decimals
 * would show as 0, and large ones, have an exponent. `room` is returned. */
const char *xa_score_text(double v, bool sign, char room[24]);
/* A field of CSV (RFC 4180), quoted if it must be; and a number, empty if it is not finite. */
void xa_csv_text(FILE *out, const char *text);
void xa_csv_number(FILE *out, double v);

/* ---- fields.c: rows as CSV or JSON, by one list of fields ---- */

typedef enum xa_cell_kind { XA_CELL_TEXT, XA_CELL_WHOLE, XA_CELL_REAL, XA_CELL_BOOL } xa_cell_kind;
typedef struct xa_cell {
    xa_cell_kind kind;
    const char *text; /* NULL: no value */
    char room[512];   /* `text` may point here */
    int64_t whole;    /* of WHOLE and BOOL */
    double real;      /* not finite: no value */
} xa_cell;

/* A value as a field of CSV; as JSON, false: there is no memory. */
void xa_cell_csv(FILE *out, const xa_cell *c);
bool xa_cell_json(FILE *out, const xa_cell *c);

typedef struct xa_field {
    const char *name;
    void (*get)(const void *row, xa_cell *out);
} xa_field;

/* A head line with the names, then `n` rows of `size` bytes. No value is an empty field. */
void xa_fields_csv(
    FILE *out, const xa_field *f, size_t nf, const void *rows, size_t n, size_t size);
/* The rows as an array of objects, in which no value is null. NULL is returned if there is no
 * memory or a text is not UTF-8. */
typedef struct json_t json_t;           /* of jansson */
json_t *xa_json_text(const char *text); /* bytes that are not UTF-8 become '?'; NULL becomes null */
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

/* ---- messages.c: problems and errors ---- */

/* Prints problems, sorted by line, to stderr: "file:line: text". */
void xa_print_problems(const xa_problems *p);
/* "xaudit: message" and, at debug level, the trail. */
void xa_print_error(const xa_err *err);
/* "1h23m", "4m05s"; "?" of a negative time, or of NaN */
const char *xa_duration_text(double seconds, char *buf, size_t size);
/* "[######....]" into buf, `width` cells; part is clamped to 0..1 */
const char *xa_bar_text(double part, int width, char *buf, size_t size);
/* "12.3 GB" */
const char *xa_bytes_text(double bytes, char *buf, size_t size);

#endif
