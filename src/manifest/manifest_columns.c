/* The header line: the place of each column. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Without a column `path` nothing can be read: reports the columns that were found, and a near
 * name. */
static void report_missing_path(const xa_csv_row *row, xa__reporter *t)
{
    char shown[XA_SHOWN];
    xa_str found = {0};
    const char *hint = "";
    char meant[XA_SHOWN + 16] = "";
    for (int32_t i = 0; i < row->ncells; i++) {
        if (i < 20)
            xa_str_printf(&found, "%s%s", i > 0 ? ", " : "", xa_show(row->cells[i], shown));
        if (strchr(row->cells[i], '\t'))
            hint = "; columns are separated by ',' or ';', not by tabs";
    }
    if (row->ncells > 20)
        xa_str_puts(&found, ", ...");
    const char *near = xa_nearest("path", (const char *const *)row->cells, (size_t)row->ncells);
    if (near && hint[0] == '\0')
        snprintf(meant, sizeof meant, "; is it \"%s\"?", xa_show(near, shown));
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

static bool has_cell(const xa_csv_row *row, const char *text)
{
    for (int32_t i = 0; i < row->ncells; i++)
        if (strcmp(row->cells[i], text) == 0)
            return true;
    return false;
}

static void take_column(xa__columns *c, const xa_csv_row *row, int32_t i, xa__reporter *t)
{
    const char *name = row->cells[i];
    char shown[XA_SHOWN];
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
    /* If `path` is missing, the error at the end says the same. */
    if (near && !has_cell(row, near) && find_column(near) != XA__COLUMN_path)
        xa_problems_add(t->problems,
                        t->file,
                        row->line,
                        true,
                        "column \"%s\" is kept as further text; did you mean \"%s\"?",
                        xa_show(name, shown),
                        near);
    c->extra[c->nextra++] = i;
}

/* The place of a name, whatever the case of its letters; -1: it is not there. */
static int32_t place_of(const xa_csv_row *row, const char *name)
{
    for (int32_t i = 0; i < row->ncells; i++)
        if (strcasecmp(row->cells[i], name) == 0)
            return i;
    return -1;
}

/* Columns of boxes as other tools name them are one mistake, reported with the command that
 * converts them. */
static bool report_foreign_boxes(const xa_csv_row *row, xa__reporter *t)
{
    static const struct {
        const char *name[4];
        bool size; /* the last two are width and height */
    } sets[] = {{{"xmin", "ymin", "xmax", "ymax"}, false},
                {{"x_min", "y_min", "x_max", "y_max"}, false},
                {{"x1", "y1", "x2", "y2"}, false},
                {{"left", "top", "right", "bottom"}, false},
                {{"bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2"}, false},
                {{"bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax"}, false},
                {{"x", "y", "w", "h"}, true},
                {{"x", "y", "width", "height"}, true},
                {{"left", "top", "width", "height"}, true},
                {{"bbox_x", "bbox_y", "bbox_w", "bbox_h"}, true},
                {{"bbox_x", "bbox_y", "bbox_width", "bbox_height"}, true}};
    static const char *const paths[] = {
        "path", "filename", "file_name", "file", "image", "image_path", "ImageID", "img"};
    char shown[4][XA_SHOWN], at_path[XA_SHOWN] = "NAME";
    if (has_cell(row, "x0") && has_cell(row, "y0") && has_cell(row, "x1") && has_cell(row, "y1"))
        return false;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && strcmp(at_path, "NAME") == 0; i++)
        if (place_of(row, paths[i]) >= 0)
            xa_show(row->cells[place_of(row, paths[i])], at_path);
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        int found = 0;
        for (int k = 0; k < 4 && place_of(row, sets[s].name[k]) >= 0; k++, found++)
            xa_show(row->cells[place_of(row, sets[s].name[k])], shown[k]);
        if (found < 4)
            continue;
        xa_problems_add(
            t->problems,
            t->file,
            row->line,
            false,
            "the boxes are in columns %s, %s, %s, %s; a manifest has path, x0, y0, x1, y1, 0-based "
            "with x1 and y1 just outside. Rename the columns if they mean that, or convert the "
            "file: xaudit manifest csv FILE -o NEW.csv --path-column %s %s %s,%s,%s,%s "
            "--box-convention half-open|inclusive|one-based|normalised",
            shown[0],
            shown[1],
            shown[2],
            shown[3],
            at_path,
            sets[s].size ? "--box-xywh" : "--box",
            shown[0],
            shown[1],
            shown[2],
            shown[3]);
        return true;
    }
    return false;
}

xa_status xa__columns_read(xa__columns *c, const xa_csv_row *row, xa__reporter *t, xa_err *err)
{
    xa_status st = XA_OK;
    xa_text_map seen;
    char shown[XA_SHOWN];
    const size_t errors = t->problems->errors;

    xa_text_map_init(&seen);
    *c = (xa__columns){.count = row->ncells};
    for (int i = 0; i < XA__COLUMN_COUNT; i++)
        c->at[i] = -1;
    c->extra = xa_alloc((size_t)row->ncells, sizeof *c->extra);
    c->nameless = xa_alloc((size_t)row->ncells, sizeof *c->nameless);
    if (!c->extra || !c->nameless)
        XA_FAIL(err, XA_NOMEM, "out of memory for %d columns", row->ncells);
    if (report_foreign_boxes(row, t)) {
        st = XA_INVALID;
        goto done;
    }
    for (int32_t i = 0; i < row->ncells; i++) {
        const int64_t same = xa_text_map_find(&seen, row->cells[i], header_key, row->cells);
        if (same >= 0 && row->cells[i][0] != '\0') {
            xa_problems_add(t->problems,
                            t->file,
                            row->line,
                            false,
                            "columns %" PRId64 " and %d are both named \"%s\"",
                            same + 1,
                            i + 1,
                            xa_show(row->cells[i], shown));
            continue;
        }
        if (same < 0)
            XA_TRY(err, xa_text_map_add(&seen, row->cells[i], i, err));
        take_column(c, row, i, t);
    }
    if (c->at[XA__COLUMN_path] < 0)
        report_missing_path(row, t);
    if (t->problems->errors > errors)
        st = XA_INVALID;
done:
    xa_text_map_fini(&seen);
    return st;
}

void xa__columns_fini(xa__columns *c)
{
    free(c->extra);
    free(c->nameless);
    *c = (xa__columns){0};
}

const char *xa__cell(const xa__columns *c, const xa_csv_row *row, int column)
{
    const int32_t at = c->at[column];
    return at >= 0 && at < row->ncells ? row->cells[at] : "";
}
