/* Rows of a table as CSV or JSON. */
#include "xaudit/print.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>

static const void *row_at(const void *rows, size_t i, size_t size)
{
    return (const char *)rows + i * size;
}

void xa_cell_csv(FILE *out, const xa_cell *c)
{
    switch (c->kind) {
    case XA_CELL_TEXT:
        xa_csv_text(out, c->text ? c->text : "");
        break;
    case XA_CELL_WHOLE:
        fprintf(out, "%" PRId64, c->whole);
        break;
    case XA_CELL_BOOL:
        fputs(c->whole ? "yes" : "no", out);
        break;
    default:
        xa_csv_number(out, c->real);
    }
}

void xa_fields_csv(FILE *out, const xa_field *f, size_t nf, const void *rows, size_t n, size_t size)
{
    for (size_t k = 0; k < nf; k++) {
        fputs(k ? "," : "", out);
        xa_csv_text(out, f[k].name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < nf; k++) {
            xa_cell c = {0};
            f[k].get(row_at(rows, i, size), &c);
            fputs(k ? "," : "", out);
            xa_cell_csv(out, &c);
        }
        fputc('\n', out);
    }
}

json_t *xa_json_text(const char *text)
{
    xa_str s = {0};
    if (!text)
        return json_null();
    xa_str_utf8(&s, text);
    json_t *out = s.failed ? NULL : json_string(s.data ? s.data : "");
    xa_str_free(&s);
    return out;
}

static json_t *cell_json(const xa_cell *c)
{
    switch (c->kind) {
    case XA_CELL_TEXT:
        return xa_json_text(c->text);
    case XA_CELL_WHOLE:
        return json_integer(c->whole);
    case XA_CELL_BOOL:
        return json_boolean(c->whole != 0);
    default:
        return isfinite(c->real) ? json_real(c->real) : json_null();
    }
}

bool xa_cell_json(FILE *out, const xa_cell *c)
{
    json_t *v = cell_json(c);
    const bool ok = v && json_dumpf(v, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) == 0;
    json_decref(v);
    return ok;
}

json_t *xa_fields_json(const xa_field *f, size_t nf, const void *rows, size_t n, size_t size)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        json_t *o = json_object();
        for (size_t k = 0; ok && k < nf; k++) {
            xa_cell c = {0};
            f[k].get(row_at(rows, i, size), &c);
            ok = json_object_set_new(o, f[k].name, cell_json(&c)) == 0;
        }
        ok = json_array_append_new(list, o) == 0 && ok;
    }
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return list;
}
