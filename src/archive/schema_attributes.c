/* Attributes of a schema, names, and texts as rows. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

/* What an attribute may have in an object header of this format: 64 KiB with its own description.
 */
enum { ATTR_MAX = 65000 };

/* Bytes beyond ASCII pass if they are text: columns of a manifest have names in any script. */
bool xa__is_format_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > XA_NAME_BYTES || strspn(name, ".") == n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x80 && !isalnum(c) && !strchr("_.- ", c))
            return false;
    }
    char clean[XA_NAME_BYTES + 1];
    xa_str_sanitise(name, clean, sizeof clean);
    return strcmp(clean, name) == 0;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static bool is_path(const char *path)
{
    if (strcmp(path, "/") == 0)
        return true;
    if (path[0] != '/')
        return false;
    while (*path == '/') {
        char name[XA_NAME_BYTES + 1];
        size_t n = strcspn(path + 1, "/");
        if (n > XA_NAME_BYTES)
            return false;
        memcpy(name, path + 1, n);
        name[n] = '\0';
        if (!xa__is_format_name(name))
            return false;
        path += 1 + n;
    }
    return true;
}

static bool is_own(const xa_schema *s, const char *path, const char *name)
{
    if (strcmp(name, "unit") != 0 && strcmp(name, "description") != 0)
        return false;
    for (size_t i = 0; i < s->nfields; i++)
        if (strcmp(s->field[i].path, path) == 0)
            return true;
    return false;
}

/* Takes `values` over, on failure too. */
static xa_status add_attr(xa_schema *s,
                          const char *path,
                          const char *name,
                          xa__attr_kind kind,
                          int64_t n,
                          size_t item_bytes,
                          void *values,
                          xa_err *err)
{
    xa_status st = XA_OK;
    xa__attr a = {.kind = kind, .n = n, .item_bytes = item_bytes};
    size_t bytes = 0;
    if (!is_path(path) || !xa__is_format_name(name))
        XA_FAIL(err, XA_INVALID, "'%s' of '%s' is no name for an attribute", name, path);
    if (!values)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its attribute %s", path, name);
    if (is_own(s, path, name))
        XA_FAIL(err, XA_INVALID, "%s: the archive writes the attribute %s itself", path, name);
    for (size_t i = 0; i < s->nattrs; i++)
        if (strcmp(s->attr[i].path, path) == 0 && strcmp(s->attr[i].name, name) == 0)
            XA_FAIL(err, XA_INVALID, "%s: attribute %s given twice", path, name);
    if (!xa_size_mul((size_t)n, item_bytes, &bytes) || bytes > ATTR_MAX)
        XA_FAIL(err,
                XA_LIMIT,
                "%s: attribute %s may have %d bytes, found %" PRId64 " items of %zu bytes",
                path,
                name,
                ATTR_MAX,
                n,
                item_bytes);
    XA_TRY(err, xa_grow(&s->attr, &s->cap_attrs, s->nattrs + 1, sizeof *s->attr, err));
    a.path = xa_strdup(path);
    a.name = xa_strdup(name);
    if (!a.path || !a.name)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its attribute %s", path, name);
    a.values = values;
    values = NULL;
    s->attr[s->nattrs++] = a;
    a = (xa__attr){.path = NULL};
done:
    free(values);
    free(a.path);
    free(a.name);
    return st;
}

xa_status
xa_schema_attr_text(xa_schema *s, const char *path, const char *name, const char *text, xa_err *err)
{
    size_t bytes = strlen(text);
    /* HDF5 has no strings of no bytes: an empty text is one NUL. */
    return add_attr(s, path, name, XA__ATTR_TEXT, 1, bytes > 0 ? bytes : 1, xa_strdup(text), err);
}

xa_status xa_schema_text(xa_schema *s, xa_field_kind kind, const char *text, xa_err *err)
{
    const xa_field_def *info = xa_field_get(kind);
    const size_t bytes = strlen(text);
    int field;
    if (xa_field_owner(kind) != XA_OWNER_TEXT)
        XA_RETURN_FAIL(err, XA_INVALID, "field %d is no text of the whole archive", (int)kind);
    if (bytes <= ATTR_MAX)
        return xa_schema_attr_text(s, "/", info->path + 1, text, err);
    const xa_field_spec spec = {.kind = kind,
                                .type = XA_TYPE_COUNT,
                                .string_bytes = bytes,
                                .ndim = 1,
                                .dim = {1},
                                .data = text};
    return xa_schema_add(s, &spec, &field, err);
}

xa_status
xa_schema_attr_i64(xa_schema *s, const char *path, const char *name, int64_t value, xa_err *err)
{
    int64_t *copy = xa_alloc(1, sizeof *copy);
    if (copy)
        *copy = value;
    return add_attr(s, path, name, XA__ATTR_I64, 1, sizeof *copy, copy, err);
}

xa_status xa_schema_attr_f64(
    xa_schema *s, const char *path, const char *name, const double *values, int64_t n, xa_err *err)
{
    if (n < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: attribute %s with a count below 0", path, name);
    double *copy = xa_alloc((size_t)n + 1, sizeof *copy);
    if (copy && n > 0)
        memcpy(copy, values, (size_t)n * sizeof *copy);
    return add_attr(s, path, name, XA__ATTR_F64, n, sizeof *copy, copy, err);
}

xa_status xa_schema_attr_texts(xa_schema *s,
                               const char *path,
                               const char *name,
                               const char *const *texts,
                               int64_t n,
                               xa_err *err)
{
    if (n < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: attribute %s with a count below 0", path, name);
    size_t width = xa_text_width(texts, n);
    char *rows = NULL;
    XA_RETURN_TRY(err, xa_text_pack(texts, n, width, &rows, err));
    return add_attr(s, path, name, XA__ATTR_TEXTS, n, width, rows, err);
}

/* ---- texts ----------------------------------------------------------------------------------- */

size_t xa_text_width(const char *const *texts, int64_t n)
{
    size_t width = 1;
    for (int64_t i = 0; i < n; i++) {
        size_t bytes = texts[i] ? strlen(texts[i]) : 0;
        width = bytes > width ? bytes : width;
    }
    return width;
}

void xa_text_put(const char *text, char *row, size_t width)
{
    size_t n = text ? strnlen(text, width + 1) : 0;
    if (n > width) {
        /* Back to the start of the character that the cut would split. */
        n = width;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    if (n > 0)
        memcpy(row, text, n);
    memset(row + n, 0, width - n);
}

xa_status xa_text_pack(const char *const *texts, int64_t n, size_t width, char **rows, xa_err *err)
{
    size_t bytes;
    if (n < 0 || width == 0 || !xa_size_mul((size_t)n, width, &bytes) || bytes == SIZE_MAX)
        XA_RETURN_FAIL(
            err, XA_INVALID, "%" PRId64 " texts of %zu bytes cannot be packed", n, width);
    char *packed = xa_alloc(bytes + 1, 1);
    if (!packed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " texts", n);
    for (int64_t i = 0; i < n; i++)
        xa_text_put(texts[i], packed + (size_t)i * width, width);
    *rows = packed;
    return XA_OK;
}
