/* Tensors of an ONNX file: shapes, and where their values lie, in the file or beside it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"

/* Text of a field of bytes; NULs inside end it. */
const char *xa__onnx_text_of(xa__onnx *m, const xa__wire *w, const xa__field *f)
{
    if (f->kind != XA__WIRE_BYTES)
        return "";
    const char *t = xa__onnx_keep_text(m, w->base + f->at, f->len);
    return t ? t : "";
}

xa_status xa__onnx_damaged(const xa__onnx *m, const xa__wire *w, const char *what, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "%s: damaged or truncated: no valid field of %s at byte %zu",
                   m->path,
                   what,
                   w->at);
}

xa_status xa__onnx_too_many(const xa__onnx *m, const char *what, xa_err *err)
{
    XA_RETURN_FAIL(err, XA_LIMIT, "%s: more than %d %s", m->path, XA__ONNX_MOST, what);
}

/* key and value of an entry of texts */
void xa__onnx_read_entry(xa__onnx *m, xa__wire w, const char **key, const char **value)
{
    xa__field f;
    *key = *value = "";
    while (xa__wire_next(&w, &f))
        if (f.number == 1)
            *key = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 2)
            *value = xa__onnx_text_of(m, &w, &f);
}

typedef struct external {
    const char *location;
    const char *offset, *length; /* NULL: not said */
} external;

static void read_external(xa__onnx *m, const xa__wire *w, const xa__field *f, external *x)
{
    const char *key, *value;
    xa__onnx_read_entry(m, xa__wire_inside(w, f), &key, &value);
    if (!strcmp(key, "location"))
        x->location = value;
    else if (!strcmp(key, "offset"))
        x->offset = value;
    else if (!strcmp(key, "length"))
        x->length = value;
}

/* A file beside the model: a plain name, a regular file. */
static xa_status find_external(xa__onnx *m, const char *location, int *file, xa_err *err)
{
    xa_status st = XA_OK;
    xa__onnx_external e = {.fd = -1};
    if (!*location || strchr(location, '/') || !strcmp(location, "..") || !strcmp(location, "."))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: a tensor lies in \"%s\": expected the plain name of a file in the "
                       "model's folder",
                       m->path,
                       location);
    e.path = xa_path_beside(m->path, location);
    if (!e.path)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    for (int i = 0; i < m->nexternal; i++)
        if (!strcmp(m->external[i].path, e.path)) {
            *file = i + 1;
            goto done;
        }
    if (m->nexternal >= XA__ONNX_FILES)
        XA_FAIL(err, XA_LIMIT, "%s: tensors in more than %d files", m->path, XA__ONNX_FILES);
    st = xa_open_regular(e.path, &e.fd, &e.size, err);
    if (st == XA_NOT_FOUND)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: its weights lie in \"%s\", which is not beside it: copy both files together, "
                "or export with external_data=False",
                m->path,
                location);
    XA_TRY(err, st);
    XA_TRY(err,
           xa_grow(
               &m->external, &m->external_cap, (size_t)m->nexternal + 1, sizeof *m->external, err));
    close(e.fd); /* read again when a tensor is */
    e.fd = -1;
    m->external[m->nexternal++] = e;
    *file = m->nexternal;
    return XA_OK;
done:
    if (e.fd >= 0)
        close(e.fd);
    free(e.path);
    return st;
}

static xa_status place_external(xa__onnx *m, xa__onnx_tensor *t, const external *x, xa_err *err)
{
    int64_t at = 0, bytes = -1;
    if (!x->location)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: tensor \"%s\" lies nowhere", m->path, t->name);
    XA_RETURN_TRY(err, find_external(m, x->location, &t->file, err));
    const int64_t size = m->external[t->file - 1].size;
    if ((x->offset && !xa_parse_i64(x->offset, &at)) ||
        (x->length && !xa_parse_i64(x->length, &bytes)))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\": its place in \"%s\" is no number",
                       m->path,
                       t->name,
                       x->location);
    if (!x->length)
        bytes = size - at;
    if (at < 0 || bytes < 0 || at > size || bytes > size - at)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\" should lie at bytes %" PRId64 " to %" PRId64
                       " of \"%s\", which has %" PRId64 ": it is truncated or another file",
                       m->path,
                       t->name,
                       at,
                       at > INT64_MAX - bytes ? INT64_MAX : at + bytes,
                       x->location,
                       size);
    t->raw = true;
    t->at = at;
    t->bytes = bytes;
    return XA_OK;
}

static int64_t bytes_of(int type)
{
    switch (type) {
    case XA__ONNX_UINT8:
    case XA__ONNX_INT8:
    case XA__ONNX_BOOL:
        return 1;
    case XA__ONNX_UINT16:
    case XA__ONNX_INT16:
    case XA__ONNX_FLOAT16:
    case XA__ONNX_BFLOAT16:
        return 2;
    case XA__ONNX_FLOAT:
    case XA__ONNX_INT32:
    case XA__ONNX_UINT32:
        return 4;
    case XA__ONNX_DOUBLE:
    case XA__ONNX_INT64:
    case XA__ONNX_UINT64:
        return 8;
    default:
        return 0; /* text, complex and narrow numbers: reported when a node reads one */
    }
}

static xa_status check_tensor(const xa__onnx *m, xa__onnx_tensor *t, xa_err *err)
{
    const int64_t item = bytes_of(t->type);
    char text[128];
    int64_t bytes;
    t->count = 1;
    for (int i = 0; i < t->shape.rank; i++)
        if (t->shape.dim[i] < 0 || !xa_i64_mul(t->count, t->shape.dim[i], &t->count))
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: tensor \"%s\" has an absurd shape, %s",
                           m->path,
                           t->name,
                           xa__onnx_shape_text(&t->shape, text, sizeof text));
    if (item == 0)
        return XA_OK;
    /* typed fields take at least a byte a value */
    if (!xa_i64_mul(t->count, t->raw ? item : 1, &bytes) ||
        (t->raw ? bytes != t->bytes : bytes > t->bytes))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\": %" PRId64 " bytes do not hold its shape %s of %s",
                       m->path,
                       t->name,
                       t->bytes,
                       xa__onnx_shape_text(&t->shape, text, sizeof text),
                       xa__onnx_type_name(t->type));
    return XA_OK;
}

static xa_status
read_dims(xa__onnx *m, const xa__wire *w, const xa__field *f, xa__onnx_shape *s, xa_err *err)
{
    uint64_t v;
    xa__wire_numbers n = xa__wire_numbers_of(w, f, XA__WIRE_VARINT);
    while (xa__wire_number(&n, &v)) {
        if (s->rank == XA__ONNX_RANK)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "%s: a tensor has more than %d dimensions",
                           m->path,
                           XA__ONNX_RANK);
        s->dim[s->rank++] = xa__wire_i64(v);
    }
    return n.rest.bad ? xa__onnx_damaged(m, w, "a tensor's shape", err) : XA_OK;
}

xa_status xa__onnx_parse_tensor(xa__onnx *m, xa__wire w, int *index, xa_err *err)
{
    xa__onnx_tensor t = {.name = "", .at = (int64_t)w.at, .bytes = (int64_t)(w.end - w.at)};
    external x = {0};
    bool elsewhere = false;
    xa__field f;
    while (xa__wire_next(&w, &f))
        switch (f.number) {
        case 1:
            XA_RETURN_TRY(err, read_dims(m, &w, &f, &t.shape, err));
            break;
        case 2:
            t.type = f.value < INT32_MAX ? (int)f.value : XA__ONNX_UNDEFINED;
            break;
        case 8:
            t.name = xa__onnx_text_of(m, &w, &f);
            break;
        case 9:
            t.raw = true;
            t.at = (int64_t)f.at;
            t.bytes = (int64_t)f.len;
            break;
        case 13:
            read_external(m, &w, &f, &x);
            break;
        case 14:
            elsewhere = f.value == 1;
            break;
        default:
            break;
        }
    if (w.bad)
        return xa__onnx_damaged(m, &w, "a tensor", err);
    if (elsewhere)
        XA_RETURN_TRY(err, place_external(m, &t, &x, err));
    XA_RETURN_TRY(err, check_tensor(m, &t, err));
    if (m->ntensors >= XA__ONNX_MOST)
        return xa__onnx_too_many(m, "tensors", err);
    XA_RETURN_TRY(err,
                  xa_grow(&m->tensors, &m->tensor_cap, (size_t)m->ntensors + 1, sizeof t, err));
    *index = m->ntensors;
    m->tensors[m->ntensors++] = t;
    return XA_OK;
}
