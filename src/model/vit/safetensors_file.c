/* Safetensors files: the header, which is checked to the last byte, and values, which become
 * float32. */
#include "safetensors_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX = 8, MAX_TENSORS = 1 << 20, CHUNK = 1 << 16 };

static const struct {
    const char *name;
    int bytes;
    int usable; /* an xa__sdtype; -1: values of this type are not read */
} dtypes[] = {{"F16", 2, XA__SDTYPE_F16},
              {"BF16", 2, XA__SDTYPE_BF16},
              {"F32", 4, XA__SDTYPE_F32},
              {"F64", 8, XA__SDTYPE_F64},
              {"BOOL", 1, -1},
              {"U8", 1, -1},
              {"I8", 1, -1},
              {"F8_E5M2", 1, -1},
              {"F8_E4M3", 1, -1},
              {"I16", 2, -1},
              {"U16", 2, -1},
              {"I32", 4, -1},
              {"U32", 4, -1},
              {"I64", 8, -1},
              {"U64", 8, -1}};

static uint64_t little_endian(const unsigned char *p)
{
    uint64_t v = 0;
    for (int i = PREFIX - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

bool xa__sfile_recognises(const unsigned char *start, size_t n)
{
    /* the header is below 4 GiB and begins like JSON */
    return n > PREFIX && start[PREFIX] == '{' && little_endian(start) < (uint64_t)1 << 32;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const xa__stensor *)a)->name, ((const xa__stensor *)b)->name);
}

static int by_place(const void *a, const void *b)
{
    const xa__stensor *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at)
                          : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Reads extents and counts values; false on overflow, or if an extent is none. */
static bool read_shape(const json_t *list, xa__stensor *t, int64_t *count)
{
    *count = 1;
    t->usable = json_array_size(list) <= XA_MAX_DIMS;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const int64_t extent = json_integer_value(item);
        if (!json_is_integer(item) || extent < 0 || !xa_i64_mul(*count, extent, count))
            return false;
        if (t->usable)
            t->shape.dim[t->shape.ndim++] = extent;
    }
    return json_is_array(list);
}

static xa_status
read_tensor(const char *path, const char *name, const json_t *entry, xa__stensor *t, xa_err *err)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    const size_t kinds = sizeof dtypes / sizeof *dtypes;
    size_t kind = 0;
    int64_t count, bytes;
    while (kind < kinds && !(dtype && !strcmp(dtypes[kind].name, dtype)))
        kind++;
    if (kind == kinds)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\" has dtype \"%s\"; F16, BF16, F32 and F64 are read",
                       path,
                       name,
                       dtype ? dtype : "none");
    if (!read_shape(json_object_get(entry, "shape"), t, &count))
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: tensor \"%s\": its shape is no list of extents", path, name);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: tensor \"%s\": data_offsets are not two numbers", path, name);
    t->at = json_integer_value(begin);
    t->bytes = json_integer_value(end) - t->at;
    if (t->at < 0 || json_integer_value(end) < t->at ||
        !xa_i64_mul(count, dtypes[kind].bytes, &bytes) || bytes != t->bytes)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\": data_offsets %" JSON_INTEGER_FORMAT
                       " to %" JSON_INTEGER_FORMAT " do not hold its shape of %s",
                       path,
                       name,
                       json_integer_value(begin),
                       json_integer_value(end),
                       dtype);
    t->usable = t->usable && dtypes[kind].usable >= 0;
    t->dtype = (xa__sdtype)dtypes[kind].usable;
    t->name = xa_strdup(name);
    if (!t->name)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    return XA_OK;
}

/* Checks that tensors lie one after the other from the header to the end of the file. */
static xa_status check_places(xa__sfile *f, int64_t start, int64_t size, xa_err *err)
{
    int64_t at = 0;
    qsort(f->tensors, f->ntensors, sizeof *f->tensors, by_place);
    for (size_t i = 0; i < f->ntensors; i++) {
        xa__stensor *t = &f->tensors[i];
        if (t->at != at)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: tensor \"%s\" begins at byte %" PRId64 " of the data, %s %" PRId64,
                           f->path,
                           t->name,
                           t->at,
                           t->at < at ? "inside another that ends at" : "after a hole from",
                           at);
        if (t->bytes > size - start - at)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: tensor \"%s\" needs %" PRId64 " bytes from byte %" PRId64
                           " of the data on, but the file ends after %" PRId64
                           ": truncated, or its header lies",
                           f->path,
                           t->name,
                           t->bytes,
                           at,
                           size - start);
        at += t->bytes;
        t->at += start;
    }
    if (at != size - start)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: %" PRId64 " bytes after the last tensor belong to nothing",
                       f->path,
                       size - start - at);
    qsort(f->tensors, f->ntensors, sizeof *f->tensors, by_name);
    return XA_OK;
}

static xa_status
read_header(xa__sfile *f, const char *text, size_t bytes, int64_t size, xa_err *err)
{
    xa_status st = XA_OK;
    json_error_t why;
    const char *name;
    json_t *entry;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        char reason[128];
        xa_str_sanitise(root ? "it is no object" : why.text, reason, sizeof reason);
        XA_FAIL(err, XA_FORMAT, "%s: its header is no JSON object: %s", f->path, reason);
    }
    if (json_object_size(root) > MAX_TENSORS)
        XA_FAIL(err, XA_LIMIT, "%s: more than %d tensors", f->path, MAX_TENSORS);
    f->tensors = xa_alloc(json_object_size(root) + 1, sizeof *f->tensors);
    if (!f->tensors)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", f->path);
    json_object_foreach(root, name, entry)
    {
        if (!strcmp(name, "__metadata__"))
            continue;
        f->ntensors++;
        XA_TRY(err, read_tensor(f->path, name, entry, &f->tensors[f->ntensors - 1], err));
    }
    XA_TRY(err, check_places(f, PREFIX + (int64_t)bytes, size, err));
done:
    json_decref(root);
    return st;
}

xa_status xa__sfile_open(const char *path, size_t max_header, xa__sfile **out, xa_err *err)
{
    xa_status st = XA_OK;
    unsigned char prefix[PREFIX];
    char *text = NULL;
    int64_t size = 0;
    size_t got = 0;
    xa__sfile *f = xa_alloc(1, sizeof *f);
    if (!f)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    f->fd = -1;
    if (!(f->path = xa_strdup(path)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_TRY(err, xa_open_regular(path, &f->fd, &size, err));
    XA_TRY(err, xa_read_fd(f->fd, path, prefix, PREFIX, &got, err));
    const uint64_t header = got == PREFIX ? little_endian(prefix) : 0;
    if (got < PREFIX || header < 2 || header > (uint64_t)(size - PREFIX))
        XA_FAIL(err,
                XA_FORMAT,
                "%s: not a safetensors file, or truncated: it says its header has %" PRIu64
                " bytes, and the file has %" PRId64,
                path,
                header,
                size);
    if (header > max_header)
        XA_FAIL(err,
                XA_LIMIT,
                "%s: its header has %" PRIu64 " bytes, at most %zu are read",
                path,
                header,
                max_header);
    text = xa_alloc((size_t)header + 1, 1);
    if (!text)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_TRY(err, xa_read_fd(f->fd, path, text, (size_t)header, &got, err));
    if (got != header)
        XA_FAIL(err, XA_FORMAT, "%s: the file ends inside its header", path);
    XA_TRY(err, read_header(f, text, (size_t)header, size, err));
    *out = f;
    f = NULL;
done:
    free(text);
    xa__sfile_free(f);
    return st;
}

void xa__sfile_close(xa__sfile *f)
{
    if (f && f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
}

void xa__sfile_free(xa__sfile *f)
{
    if (!f)
        return;
    xa__sfile_close(f);
    for (size_t i = 0; i < f->ntensors; i++)
        free(f->tensors[i].name);
    free(f->tensors);
    free(f->path);
    free(f);
}

int xa__sfile_find(const xa__sfile *f, const char *name)
{
    const xa__stensor key = {.name = (char *)name};
    const xa__stensor *t =
        f->ntensors ? bsearch(&key, f->tensors, f->ntensors, sizeof *f->tensors, by_name) : NULL;
    return t ? (int)(t - f->tensors) : -1;
}

static void widen(xa__sdtype dtype, const unsigned char *from, int64_t n, float *to)
{
    for (int64_t i = 0; i < n; i++) {
        uint16_t half;
        uint32_t bits;
        double wide;
        switch (dtype) {
        case XA__SDTYPE_F16:
            memcpy(&half, from + 2 * i, 2);
            to[i] = xa_f32_from_f16(half);
            break;
        case XA__SDTYPE_BF16:
            memcpy(&half, from + 2 * i, 2);
            bits = (uint32_t)half << 16;
            memcpy(&to[i], &bits, 4);
            break;
        case XA__SDTYPE_F32:
            memcpy(&to[i], from + 4 * i, 4);
            break;
        case XA__SDTYPE_F64:
            memcpy(&wide, from + 8 * i, 8);
            to[i] = (float)wide;
            break;
        }
    }
}

xa_status
xa__sfile_read(xa__sfile *f, int tensor, int64_t first, int64_t n, float *dst, xa_err *err)
{
    const xa__stensor *t = &f->tensors[tensor];
    const int64_t item = t->dtype == XA__SDTYPE_F64 ? 8 : t->dtype == XA__SDTYPE_F32 ? 4 : 2;
    unsigned char buffer[CHUNK];
    int64_t size;
    if (f->fd < 0)
        XA_RETURN_TRY(err, xa_open_regular(f->path, &f->fd, &size, err));
    for (int64_t done = 0; done < n;) {
        const int64_t part = n - done < CHUNK / item ? n - done : CHUNK / item;
        size_t got = 0;
        if (lseek(f->fd, (off_t)(t->at + (first + done) * item), SEEK_SET) < 0)
            XA_RETURN_FAIL(err, XA_IO, "%s: cannot seek to tensor \"%s\"", f->path, t->name);
        XA_RETURN_TRY(err, xa_read_fd(f->fd, f->path, buffer, (size_t)(part * item), &got, err));
        if (got != (size_t)(part * item))
            XA_RETURN_FAIL(
                err, XA_FORMAT, "%s: the file ends inside tensor \"%s\"", f->path, t->name);
        widen(t->dtype, buffer, part, dst + done);
        done += part;
    }
    return XA_OK;
}
