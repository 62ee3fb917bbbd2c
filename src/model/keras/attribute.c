/* Attributes of text in Keras files. */
#include "attribute.h"

#include <hdf5.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME_BYTES = 64 << 20, MAX_CHUNKS = 4096 };

static xa_status read_fixed(hid_t attr,
                            hid_t type,
                            size_t count,
                            size_t limit,
                            const char *name,
                            xa_names *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    const size_t width = H5Tget_size(type);
    size_t bytes = 0;
    char *buf = NULL;
    if (width == 0 || !xa_size_mul(width, count, &bytes) || bytes > limit)
        XA_FAIL(err,
                XA_LIMIT,
                "attribute %s holds %zu strings of %zu bytes; the limit is %zu bytes",
                name,
                count,
                width,
                limit);
    buf = xa_alloc(bytes + 1, 1);
    if (!buf)
        XA_FAIL(err, XA_NOMEM, "attribute %s: out of memory", name);
    if (H5Aread(attr, type, buf) < 0)
        XA_FAIL(err, XA_FORMAT, "attribute %s cannot be read", name);
    for (size_t i = 0; i < count; i++)
        XA_TRY(err, xa_names_add(out, buf + i * width, width, err));
done:
    free(buf);
    return st;
}

static xa_status read_variable(
    hid_t attr, hid_t type, hid_t space, size_t count, size_t limit, xa_names *out, xa_err *err)
{
    xa_status st = XA_OK;
    char **text = xa_alloc(count, sizeof *text);
    hid_t memory = H5Tcopy(H5T_C_S1);
    bool filled = false;
    if (!text)
        XA_NOMEM_FAIL(err);
    if (memory < 0 || H5Tset_size(memory, H5T_VARIABLE) < 0 ||
        H5Tset_cset(memory, H5Tget_cset(type)) < 0 || H5Aread(attr, memory, text) < 0)
        XA_FAIL(err, XA_FORMAT, "an attribute of strings cannot be read");
    filled = true;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const char *s = text[i] ? text[i] : "";
        total += strlen(s);
        if (total > limit)
            XA_FAIL(err, XA_LIMIT, "an attribute holds more than %zu bytes of text", limit);
        XA_TRY(err, xa_names_add(out, s, limit, err));
    }
done:
    if (filled)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, text);
    if (memory >= 0)
        H5Tclose(memory);
    free(text);
    return st;
}

/* Adds the attribute's strings to out. An empty attribute has none, of whatever type, since Keras
 * writes an empty list as floats. */
static xa_status
read_strings(hid_t object, const char *name, size_t limit, xa_names *out, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t type = -1, space = -1;
    const hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    if (attr < 0)
        XA_FAIL(err, XA_FORMAT, "attribute %s cannot be opened", name);
    type = H5Aget_type(attr);
    space = H5Aget_space(attr);
    if (type < 0 || space < 0)
        XA_FAIL(err, XA_FORMAT, "attribute %s cannot be read", name);
    const hssize_t count =
        H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    if (count < 0 || count > XA__KMAX_NAMES)
        XA_FAIL(err, XA_LIMIT, "attribute %s holds %" PRId64 " strings", name, (int64_t)count);
    if (count == 0)
        goto done;
    if (H5Tget_class(type) != H5T_STRING)
        XA_FAIL(err, XA_FORMAT, "attribute %s holds no text", name);
    if (H5Tis_variable_str(type) > 0)
        XA_TRY(err, read_variable(attr, type, space, (size_t)count, limit, out, err));
    else
        XA_TRY(err, read_fixed(attr, type, (size_t)count, limit, name, out, err));
done:
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attr >= 0)
        H5Aclose(attr);
    return st;
}

xa_status xa__kattr_text(int64_t object, const char *name, size_t limit, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names all = {0};
    *out = NULL;
    if (H5Aexists((hid_t)object, name) <= 0)
        return XA_OK;
    XA_TRY(err, read_strings((hid_t)object, name, limit, &all, err));
    if (all.count != 1)
        XA_FAIL(err, XA_FORMAT, "attribute %s holds %zu strings, expected 1", name, all.count);
    *out = all.item[0];
    all.item[0] = NULL;
done:
    xa_names_free(&all);
    return st;
}

xa_status xa__kattr_list(int64_t object, const char *name, xa_names *out, bool *found, xa_err *err)
{
    char piece[64];
    *found = H5Aexists((hid_t)object, name) > 0;
    if (*found)
        return read_strings((hid_t)object, name, MAX_NAME_BYTES, out, err);
    for (int i = 0; i < MAX_CHUNKS; i++) {
        snprintf(piece, sizeof piece, "%s%d", name, i);
        if (H5Aexists((hid_t)object, piece) <= 0)
            break;
        *found = true;
        XA_RETURN_TRY(err, read_strings((hid_t)object, piece, MAX_NAME_BYTES, out, err));
    }
    return XA_OK;
}
