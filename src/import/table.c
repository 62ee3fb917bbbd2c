/* Tables and lists for importers: CSV by column names, text by lines. */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

struct xa__table {
    xa__draft *draft;
    const char *path;
    const xa__wanted *wanted;
    int nwanted;
    xa__table_fn *fn;
    void *arg;
    int32_t at[XA__TABLE_COLUMNS];
    bool have_header;
};

static xa_status take_header(xa__table *t, const xa_csv_row *row)
{
    bool good = true;
    for (int w = 0; w < t->nwanted; w++) {
        t->at[w] = -1;
        for (int32_t i = 0; i < row->ncells && t->at[w] < 0; i++)
            if (strcmp(row->cells[i], t->wanted[w].name) == 0)
                t->at[w] = i;
        if (t->at[w] >= 0 || t->wanted[w].optional)
            continue;
        xa_str found = {0};
        char shown[XA_SHOWN];
        for (int32_t i = 0; i < row->ncells && i < 20; i++)
            xa_str_printf(&found, "%s%s", i > 0 ? ", " : "", xa_show(row->cells[i], shown));
        xa_problems_add(t->draft->problems,
                        t->path,
                        row->line,
                        false,
                        "expected a column \"%s\", found: %s%s",
                        xa_show(t->wanted[w].name, shown),
                        found.data ? found.data : "",
                        row->ncells > 20 ? ", ..." : "");
        xa_str_free(&found);
        good = false;
    }
    t->have_header = true;
    return good ? XA_OK : XA_INVALID;
}

static xa_status take_row(void *arg, const xa_csv_row *row, xa_err *err)
{
    xa__table *t = arg;
    const char *cells[XA__TABLE_COLUMNS];
    if (!t->have_header)
        return take_header(t, row);
    for (int w = 0; w < t->nwanted; w++)
        cells[w] = t->at[w] >= 0 && t->at[w] < row->ncells ? row->cells[t->at[w]] : "";
    return t->fn(t->arg, cells, row->line, err);
}

xa_status xa__table_read(xa__draft *d,
                         const char *path,
                         const xa__wanted *wanted,
                         int nwanted,
                         xa__table_fn *fn,
                         void *arg,
                         xa_err *err)
{
    char hex[XA_SHA256_HEX];
    const size_t before = d->problems->errors;
    xa__table t = {
        .draft = d, .path = path, .wanted = wanted, .nwanted = nwanted, .fn = fn, .arg = arg};
    const xa_status st = xa_csv_read(path, take_row, &t, d->problems, hex, err);
    if (st == XA_OK && !t.have_header)
        xa_problems_add(d->problems, path, 0, false, "expected a header line, found an empty file");
    if (d->problems->errors > before)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: the table has mistakes", path);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

xa_status xa__lines_read(const char *path, xa__line_fn *fn, void *arg, xa_err *err)
{
    enum { FILE_MAX = 1 << 30 };
    xa_status st = XA_OK;
    char *data = NULL;
    size_t size = 0;
    XA_TRY(err, xa_read_file(path, FILE_MAX, &data, &size, err));
    if (memchr(data, '\0', size) || !xa_str_is_utf8(data, size))
        XA_FAIL(err, XA_FORMAT, "%s: expected UTF-8 text", path);
    char *p = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? data + 3 : data;
    for (int64_t number = 1; *p != '\0'; number++) {
        char *end = p + strcspn(p, "\n");
        char *next = *end != '\0' ? end + 1 : end;
        while (end > p && strchr(" \t\r\n", end[-1]))
            end--;
        if (*next != '\0' || end < next)
            *end = '\0';
        while (*p == ' ' || *p == '\t')
            p++;
        if (*p != '\0')
            XA_TRY(err, fn(arg, p, number, err));
        p = next;
    }
done:
    if (st != XA_OK && st != XA_NOT_FOUND && err && !strstr(err->message, path))
        xa_err_prefix(err, "%s", path);
    free(data);
    return st;
}

bool xa__four(const char *const text[4], double out[4])
{
    for (int i = 0; i < 4; i++)
        if (!xa_parse_f64(text[i], &out[i]) || out[i] > 1e9 || out[i] < -1e9)
            return false;
    return true;
}
