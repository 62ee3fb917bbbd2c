/* Arrays of numpy's .npy files (format 1 to 3): numbers and truths, little-endian, in C's order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

/* Where the value of a key of the header begins; NULL: there is no such key. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    while (*at == ' ' || *at == ':')
        at++;
    return at;
}

/* "(3, 4)", "(7,)", "()"; false: none of these, or of more than NPY_DIMS numbers. */
static bool read_shape(const char *at, xa__npy *a)
{
    a->ndim = 0;
    a->count = 1;
    if (!at || *at++ != '(')
        return false;
    for (;;) {
        while (*at == ' ' || *at == ',')
            at++;
        if (*at == ')')
            return true;
        char *end;
        const long long extent = strtoll(at, &end, 10);
        if (end == at || extent < 0 || a->ndim == XA__NPY_DIMS ||
            !xa_i64_mul(a->count, (int64_t)extent, &a->count))
            return false;
        a->dim[a->ndim++] = (int64_t)extent;
        at = end;
    }
}

static double number(const unsigned char *at, char kind, size_t bytes)
{
    uint64_t whole = 0;
    for (size_t i = 0; i < bytes; i++)
        whole |= (uint64_t)at[i] << (8 * i);
    if (kind == 'f' && bytes == 2)
        return (double)xa_f32_from_f16((uint16_t)whole);
    if (kind == 'f' && bytes == 4) {
        const uint32_t bits = (uint32_t)whole;
        float v;
        memcpy(&v, &bits, sizeof v);
        return (double)v;
    }
    if (kind == 'f') {
        double v;
        memcpy(&v, &whole, sizeof v);
        return v;
    }
    if (kind == 'i') { /* the sign bit is extended */
        const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
        return (double)(int64_t)((whole ^ sign) - sign);
    }
    return (double)whole;
}

/* '<f4' and the like: kind and bytes; false: a type that is not read. */
static bool read_type(const char *at, char *kind, size_t *bytes)
{
    if (!at || *at++ != '\'' || !strchr("<|", *at++))
        return false;
    *kind = *at++;
    *bytes = *at >= '1' && *at <= '8' ? (size_t)(*at - '0') : 0;
    const bool power = *bytes && !(*bytes & (*bytes - 1));
    return power && at[1] == '\'' &&
           ((*kind == 'f' && *bytes >= 2) || *kind == 'i' || *kind == 'u' ||
            (*kind == 'b' && *bytes == 1));
}

xa_status xa__npy_read(const char *path, size_t most, xa__npy *out, xa_err *err)
{
    static const char magic[] = "\x93NUMPY";
    enum { MAGIC = 6, SMALL = 10, LARGE = 12 };
    xa_status st = XA_OK;
    char *data = NULL, *header = NULL, kind = 0;
    size_t size = 0, length = 0, bytes = 0;
    *out = (xa__npy){0};
    XA_TRY(err, xa_read_file(path, most, &data, &size, err));
    const unsigned char *b = (const unsigned char *)data;
    if (size < LARGE || memcmp(b, magic, MAGIC) != 0 || b[6] < 1 || b[6] > 3)
        XA_FAIL(err, XA_FORMAT, "%s: not an array of numpy (.npy)", path);
    const size_t start = b[6] == 1 ? SMALL : LARGE;
    for (size_t i = 8; i < start; i++)
        length |= (size_t)b[i] << (8 * (i - 8));
    if (length > size - start)
        XA_FAIL(err, XA_FORMAT, "%s: its header is cut off", path);
    if (!(header = xa_strndup(data + start, length)))
        XA_NOMEM_FAIL(err);
    if (!read_type(value_of(header, "'descr'"), &kind, &bytes))
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: its header is %.100s, expected little-endian numbers; write it as float32",
                path,
                header);
    if (!read_shape(value_of(header, "'shape'"), out))
        XA_FAIL(err, XA_FORMAT, "%s: its header has no shape that is read: %.100s", path, header);
    const char *order = value_of(header, "'fortran_order'");
    if (!order || (strncmp(order, "False", 5) != 0 && out->ndim > 1))
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: it is in Fortran's order; write numpy.ascontiguousarray of it",
                path);
    if ((uint64_t)out->count > (size - start - length) / bytes)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: it should hold %" PRId64 " values and holds %zu",
                path,
                out->count,
                (size - start - length) / bytes);
    if (!(out->values = xa_alloc((size_t)out->count + 1, sizeof(double))))
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < out->count; i++)
        out->values[i] = number(b + start + length + (size_t)i * bytes, kind, bytes);
done:
    free(data);
    free(header);
    return st;
}
