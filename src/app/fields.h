/* Rows of a table as CSV or JSON, names and fields from one list. Private to app. */
#ifndef XAUDIT_APP_FIELDS_H
#define XAUDIT_APP_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
json_t *xa_fields_json(const xa_field *f, size_t nf, const void *rows, size_t n, size_t size);

#endif
