/* The header line: which column is where. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

static const char *const column_names[XA__COLUMN_COUNT] = {
#define X(name) #name,
    XA__COLUMNS(X)
#undef X
};

static int find_column(const char *name)
{
    for (int i = 0; i < XA__COLUMN_COUNT; i++)
        if (strcmp(name, column_names[i]) == 0)
            return i;
    return -1;
}

static const char *header_key(const void *arg, int64_t value)
{
    return ((char *const *)arg)[value];
}

/* Without `path` nothing can be read: says what was found, and what it may have been meant as. */
static void tell_missing_path(const xa__csv_row *row, xa__teller *t)
{
    char shown[XA__SHOWN];
    xa_str found = {0};
    const char *hint = "";
    char meant[XA__SHOWN + 16] = "";
    for (int32_t i = 0; i < row->ncells; i++) {
        if (i < 20)
            xa_str_printf(&found, "%s%s", i > 0 ? ", " : "", xa__show(row->cells[i], shown));
        if (strchr(row->cells[i], '\t') != NULL)
            hint = "; columns are separated by ',' or ';', not by tabs";
    }
    if (row->ncells > 20)
        xa_str_puts(&found, ", ...");
    const char *near = xa_nearest("path", (const char *const *)row->cells, (size_t)row->ncells);
    if (near != NULL && hint[0] == '\0')
        snprintf(meant, sizeof meant, "; is it \"%s\"?", xa__show(near, shown));
    xa_problems_add(t->problems,
                    t->file,
                    row->line,
                    false,
                    "expected a header line with a column \"path\", found: %s%s%s",
                    found.failed ? "other columns" : found.data,
                    hint,
                    meant);
    xa_str_free(&found);
}

static bool has_cell(const xa__csv_row *row, const char *text)
{
    for (int32_t i = 0; i < row->ncells; i++)
        if (strcmp(row->cells[i], text) == 0)
            return true;
    return false;
}

static void take_column(xa__columns *c, const xa__csv_row *row, int32_t i, xa__teller *t)
{
    const char *name = row->cells[i];
    char shown[XA__SHOWN];
    if (name[0] == '\0') {
        c->nameless[c->nnameless++] = i;
        return;
    }
    const int known = find_column(name);
    if (known >= 0) {
        c->at[known] = i;
        return;
    }
    const char *near = xa_nearest(name, column_names, XA__COLUMN_COUNT);
    /* Without a path the error told at the end says the same. */
    if (near != NULL && !has_cell(row, near) && find_column(near) != XA__COLUMN_path)
        xa_problems_add(t->problems,
                        t->file,
                        row->line,
                        true,
                        "column \"%s\" is kept as further text; did you mean \"%s\"?",
                        xa__show(name, shown),
                        near);
    c->extra[c->nextra++] = i;
}

xa_status xa__columns_read(xa__columns *c, const xa__csv_row *row, xa__teller *t, xa_err *err)
{
    xa_status st = XA_OK;
    xa__map seen;
    char shown[XA__SHOWN];
    const size_t errors = t->problems->errors;

    xa__map_init(&seen);
    *c = (xa__columns){.count = row->ncells};
    for (int i = 0; i < XA__COLUMN_COUNT; i++)
        c->at[i] = -1;
    c->extra = xa_alloc((size_t)row->ncells, sizeof *c->extra);
    c->nameless = xa_alloc((size_t)row->ncells, sizeof *c->nameless);
    if (c->extra == NULL || c->nameless == NULL)
        XA_FAIL(err, XA_NOMEM, "no memory for %d columns", row->ncells);
    for (int32_t i = 0; i < row->ncells; i++) {
        const int64_t same = xa__map_find(&seen, row->cells[i], header_key, row->cells);
        if (same >= 0 && row->cells[i][0] != '\0') {
            xa_problems_add(t->problems,
                            t->file,
                            row->line,
                            false,
                            "columns %lld and %d are both named \"%s\"",
                            (long long)same + 1,
                            i + 1,
                            xa__show(row->cells[i], shown));
            continue;
        }
        if (same < 0)
            XA_TRY(err, xa__map_add(&seen, row->cells[i], i, err));
        take_column(c, row, i, t);
    }
    if (c->at[XA__COLUMN_path] < 0)
        tell_missing_path(row, t);
    if (t->problems->errors > errors)
        st = XA_INVALID;
done:
    xa__map_fini(&seen);
    return st;
}

void xa__columns_fini(xa__columns *c)
{
    free(c->extra);
    free(c->nameless);
    *c = (xa__columns){0};
}

const char *xa__cell(const xa__columns *c, const xa__csv_row *row, int column)
{
    const int32_t at = c->at[column];
    return at >= 0 && at < row->ncells ? row->cells[at] : "";
}
