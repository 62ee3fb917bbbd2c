/* Reading attributes: texts and numbers, from files that others may have written. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

/* An attribute may be 64 KiB; dense storage of later formats allows more, this much is enough. */
#define ATTRIBUTE_MAX ((size_t)1 << 24)

typedef struct attribute {
    hid_t id, type, space;
    size_t item_bytes;
    int64_t n;
} attribute;

static void close_attribute(attribute *a)
{
    xa__close_type(&a->type);
    xa__close_space(&a->space);
    xa__close_attribute(&a->id);
}

/* *there is false when the object has no such attribute. NOT_FOUND: no such object. */
static xa_status open_attribute(
    hid_t file, const char *path, const char *name, attribute *out, bool *there, xa_err *err)
{
    xa_status st = XA_OK;
    attribute a = {.id = -1, .type = -1, .space = -1};
    *there = false;
    hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    if (object < 0)
        XA_H5_FAIL(err, XA_NOT_FOUND, "no group or dataset %s", path);
    if (H5Aexists(object, name) <= 0)
        goto done;
    a.id = H5Aopen(object, name, H5P_DEFAULT);
    a.type = a.id >= 0 ? H5Aget_type(a.id) : -1;
    a.space = a.id >= 0 ? H5Aget_space(a.id) : -1;
    hssize_t n = a.space >= 0 ? H5Sget_simple_extent_npoints(a.space) : -1;
    if (a.type < 0 || n < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot open the attribute %s", path, name);
    a.item_bytes = H5Tget_size(a.type);
    a.n = (int64_t)n;
    size_t bytes;
    if (!xa_size_mul(a.item_bytes, (size_t)n, &bytes) || bytes > ATTRIBUTE_MAX)
        XA_FAIL(err, XA_LIMIT, "%s: the attribute %s is too large", path, name);
    *there = true;
    *out = a;
    a.id = a.type = a.space = -1;
done:
    close_attribute(&a);
    xa__close_object(&object);
    return st;
}

/* All items as new strings. Other programs write variable-length ones; both are read. */
static xa_status read_texts(const attribute *a,
                            const char *path,
                            const char *name,
                            char ***out,
                            int64_t *count,
                            xa_err *err)
{
    xa_status st = XA_OK;
    const bool variable = H5Tis_variable_str(a->type) > 0;
    char **texts = NULL;
    char *rows = NULL;
    if (H5Tget_class(a->type) != H5T_STRING)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute %s is not a text", path, name);
    texts = xa_alloc((size_t)a->n + 1, sizeof *texts);
    rows = xa_alloc((size_t)a->n * a->item_bytes + 1, 1);
    if (!texts || !rows)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its attribute %s", path, name);
    if (a->n > 0 && H5Aread(a->id, a->type, rows) < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot read the attribute %s", path, name);
    bool complete = true;
    for (int64_t i = 0; i < a->n; i++) {
        const char *item = rows + (size_t)i * a->item_bytes;
        if (variable) {
            char *text;
            memcpy(&text, item, sizeof text);
            texts[i] = xa_strdup(text ? text : "");
        } else {
            texts[i] = xa_strndup(item, strnlen(item, a->item_bytes));
        }
        complete = complete && texts[i];
    }
    if (variable && a->n > 0)
        (void)H5Dvlen_reclaim(a->type, a->space, H5P_DEFAULT, rows);
    if (!complete)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its attribute %s", path, name);
    *out = texts;
    *count = a->n;
    texts = NULL;
done:
    for (int64_t i = 0; texts && i < a->n; i++)
        free(texts[i]);
    free(texts);
    free(rows);
    return st;
}

xa_status xa__read_text(hid_t file, const char *path, const char *name, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    attribute a = {.id = -1, .type = -1, .space = -1};
    char **texts = NULL;
    int64_t n = 0;
    bool there = false;
    XA_TRY(err, open_attribute(file, path, name, &a, &there, err));
    if (!there) {
        *out = NULL;
        goto done;
    }
    XA_TRY(err, read_texts(&a, path, name, &texts, &n, err));
    if (n != 1)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: the attribute %s holds %" PRId64 " texts, expected 1",
                path,
                name,
                n);
    *out = texts[0];
    texts[0] = NULL;
done:
    for (int64_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
    close_attribute(&a);
    return st;
}

xa_status
xa_archive_attr_text(xa_archive *a, const char *path, const char *name, char **out, xa_err *err)
{
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    xa_status st = xa__read_text(a->file, path, name, out, err);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_attr_texts(
    xa_archive *a, const char *path, const char *name, char ***out, int64_t *n, xa_err *err)
{
    xa_status st = XA_OK;
    attribute attr = {.id = -1, .type = -1, .space = -1};
    bool there = false;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, open_attribute(a->file, path, name, &attr, &there, err));
    if (there) {
        XA_TRY(err, read_texts(&attr, path, name, out, n, err));
    } else {
        *out = NULL;
        *n = 0;
    }
done:
    close_attribute(&attr);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_attr_f64(xa_archive *a,
                              const char *path,
                              const char *name,
                              double *values,
                              int64_t room,
                              int64_t *n,
                              xa_err *err)
{
    xa_status st = XA_OK;
    attribute attr = {.id = -1, .type = -1, .space = -1};
    bool there = false;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, open_attribute(a->file, path, name, &attr, &there, err));
    if (!there) {
        *n = 0;
        goto done;
    }
    const H5T_class_t class = H5Tget_class(attr.type);
    if (class != H5T_FLOAT && class != H5T_INTEGER)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute %s is not a number", path, name);
    if (attr.n > room)
        XA_FAIL(err,
                XA_LIMIT,
                "%s: the attribute %s holds %" PRId64 " numbers, expected %" PRId64 " at most",
                path,
                name,
                attr.n,
                room);
    if (attr.n > 0 && H5Aread(attr.id, H5T_NATIVE_DOUBLE, values) < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot read the attribute %s", path, name);
    *n = attr.n;
done:
    close_attribute(&attr);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}
