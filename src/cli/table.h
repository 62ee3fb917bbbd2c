/* What the files of `xaudit table` share. */
#ifndef XAUDIT_CLI_TABLE_H
#define XAUDIT_CLI_TABLE_H

#include "xaudit/print.h"
#include "xaudit/view.h"

/* What a line is about. x is NULL if the model has no map, row and pair are -1 if there is none. */
typedef struct xa__table_line {
    const xa_read *r;
    const xa_read_model *m;
    const xa_read_map *x;
    int64_t i, row, pair;
    xa_str *room; /* of the text that a column gives */
} xa__table_line;

typedef struct xa__table_column {
    char *name;
    void (*get)(const xa__table_line *l, const struct xa__table_column *c, xa_cell *out);
    const char *source; /* METRIC, CHECKED: its name in the archive */
    int check;          /* CHECK; of CHECKED: the figure, -1: the status */
    char *texts;        /* MANIFEST: [samples], owned */
    size_t bytes;
} xa__table_column;

typedef struct xa__table_columns {
    xa__table_column *list;
    size_t n, cap;
} xa__table_columns;
/* All columns of an archive; xa__table_columns_fini, after a failure too. */
XA_MUST_USE xa_status xa__table_columns_find(xa_read *r, xa__table_columns *out, xa_err *err);
void xa__table_columns_fini(xa__table_columns *c);

#endif
