/* An ONNX model's memory, names and tensors. */
#include "model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- memory that lives as long as the model ---- */

struct xa__onnx_block {
    struct xa__onnx_block *next;
    size_t used, size;
    max_align_t bytes[];
};

enum { BLOCK = 1 << 16 };

void *xa__onnx_keep(xa__onnx *m, size_t bytes)
{
    const size_t need = xa_align_up(bytes ? bytes : 1, sizeof(max_align_t));
    struct xa__onnx_block *b = m->blocks;
    if (!b || b->size - b->used < need) {
        const size_t size = need > BLOCK ? need : BLOCK;
        b = xa_alloc(1, sizeof *b + size);
        if (!b)
            return NULL;
        b->size = size;
        b->next = m->blocks;
        m->blocks = b;
    }
    void *p = (char *)b->bytes + b->used;
    b->used += need;
    return p;
}

const char *xa__onnx_keep_text(xa__onnx *m, const void *bytes, size_t n)
{
    char *p = xa__onnx_keep(m, n + 1);
    if (p)
        memcpy(p, bytes, n);
    return p;
}

/* ---- names ---- */

static size_t place_of(const xa__onnx *m, const char *name)
{
    size_t i = xa_hash64(name, strlen(name), 0) & (m->table_size - 1);
    while (m->table[i] >= 0 && strcmp(m->values[m->table[i]].name, name) != 0)
        i = (i + 1) & (m->table_size - 1);
    return i;
}

static xa_status grow_table(xa__onnx *m, xa_err *err)
{
    const size_t size = m->table_size ? 2 * m->table_size : 1024;
    int *table = xa_alloc(size, sizeof *table);
    if (!table)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    memset(table, -1, size * sizeof *table);
    free(m->table);
    m->table = table;
    m->table_size = size;
    for (int i = 0; i < m->nvalues; i++)
        m->table[place_of(m, m->values[i].name)] = i;
    return XA_OK;
}

int xa__onnx_find_value(const xa__onnx *m, const char *name)
{
    return m->table_size ? m->table[place_of(m, name)] : -1;
}

xa_status xa__onnx_add_value(xa__onnx *m, const char *name, int *value, xa_err *err)
{
    if ((size_t)m->nvalues * 2 >= m->table_size)
        XA_RETURN_TRY(err, grow_table(m, err));
    const size_t place = place_of(m, name);
    if (m->table[place] >= 0) {
        *value = m->table[place];
        return XA_OK;
    }
    XA_RETURN_TRY(
        err, xa_grow(&m->values, &m->value_cap, (size_t)m->nvalues + 1, sizeof *m->values, err));
    const char *kept = xa__onnx_keep_text(m, name, strlen(name));
    if (!kept)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    m->values[m->nvalues] = (xa__onnx_value){
        .name = kept, .node = -1, .output = -1, .tensor = -1, .alias = -1, .shape.rank = -1};
    m->table[place] = *value = m->nvalues++;
    return XA_OK;
}

/* ---- attributes ---- */

const xa__onnx_attribute *
xa__onnx_attribute_of(const xa__onnx *m, const xa__onnx_node *n, const char *name)
{
    for (int i = 0; i < n->nattributes; i++)
        if (!strcmp(m->attributes[n->attributes + i].name, name))
            return &m->attributes[n->attributes + i];
    return NULL;
}

int64_t xa__onnx_int(const xa__onnx *m, const xa__onnx_node *n, const char *name, int64_t otherwise)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(m, n, name);
    return a && a->kind == XA__ONNX_ATTR_INT ? a->i : otherwise;
}

double xa__onnx_float(const xa__onnx *m, const xa__onnx_node *n, const char *name, double otherwise)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(m, n, name);
    return a && a->kind == XA__ONNX_ATTR_FLOAT ? a->f : otherwise;
}

const char *
xa__onnx_string(const xa__onnx *m, const xa__onnx_node *n, const char *name, const char *otherwise)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(m, n, name);
    return a && a->kind == XA__ONNX_ATTR_STRING ? a->s : otherwise;
}

/* ---- types and shapes ---- */

const char *xa__onnx_type_name(int type)
{
    switch (type) {
    case XA__ONNX_UNDEFINED:
        return "no type";
    case XA__ONNX_FLOAT:
        return "float32";
    case XA__ONNX_UINT8:
        return "uint8";
    case XA__ONNX_INT8:
        return "int8";
    case XA__ONNX_UINT16:
        return "uint16";
    case XA__ONNX_INT16:
        return "int16";
    case XA__ONNX_INT32:
        return "int32";
    case XA__ONNX_INT64:
        return "int64";
    case XA__ONNX_STRING:
        return "string";
    case XA__ONNX_BOOL:
        return "bool";
    case XA__ONNX_FLOAT16:
        return "float16";
    case XA__ONNX_DOUBLE:
        return "float64";
    case XA__ONNX_UINT32:
        return "uint32";
    case XA__ONNX_UINT64:
        return "uint64";
    case XA__ONNX_BFLOAT16:
        return "bfloat16";
    case 14:
    case 15:
        return "complex numbers";
    default:
        return "an 8-bit or narrower float";
    }
}

bool xa__onnx_is_float(int type)
{
    return type == XA__ONNX_FLOAT || type == XA__ONNX_FLOAT16 || type == XA__ONNX_BFLOAT16 ||
           type == XA__ONNX_DOUBLE;
}

int64_t xa__onnx_count(const xa__onnx_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

bool xa__onnx_shape_equal(const xa__onnx_shape *a, const xa__onnx_shape *b)
{
    for (int i = 0; a->rank == b->rank && i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return a->rank == b->rank;
}

const char *xa__onnx_shape_text(const xa__onnx_shape *s, char *buf, size_t size)
{
    size_t at = 0;
    if (s->rank < 0) {
        snprintf(buf, size, "?");
        return buf;
    }
    at += (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < s->rank && at < size; i++)
        at += s->dim[i] < 0
                  ? (size_t)snprintf(buf + at, size - at, "%s?", i ? "," : "")
                  : (size_t)snprintf(buf + at, size - at, "%s%" PRId64, i ? "," : "", s->dim[i]);
    if (at < size)
        snprintf(buf + at, size - at, "]");
    return buf;
}

/* ---- open and close ---- */

xa_status xa__onnx_open(const char *path, xa__onnx **out, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t size = 0;
    void *map = MAP_FAILED;
    xa__onnx *m = xa_alloc(1, sizeof *m);
    if (!m)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    m->fd = -1;
    if (!(m->path = xa_strdup(path)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_TRY(err, xa_open_regular(path, &m->fd, &size, err));
    if (size == 0)
        XA_FAIL(err, XA_FORMAT, "%s: the file is empty", path);
    map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, m->fd, 0);
    if (map == MAP_FAILED)
        XA_FAIL(err, XA_IO, "%s: the file cannot be mapped into memory", path);
    m->bytes = map;
    m->size = (size_t)size;
    XA_TRY(err, xa__onnx_parse(m, err));
    *out = m;
done:
    if (map != MAP_FAILED) {
        munmap(map, (size_t)size);
        m->bytes = NULL;
    }
    if (st != XA_OK)
        xa__onnx_free(m);
    return st;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void xa__onnx_close(xa__onnx *m)
{
    if (!m)
        return;
    close_fd(&m->fd);
    for (int i = 0; i < m->nexternal; i++)
        close_fd(&m->external[i].fd);
}

void xa__onnx_free(xa__onnx *m)
{
    if (!m)
        return;
    xa__onnx_close(m);
    for (int i = 0; i < m->nexternal; i++)
        free(m->external[i].path);
    for (int i = 0; i < m->nvalues; i++)
        free(m->values[i].data);
    for (struct xa__onnx_block *b = m->blocks; b;) {
        struct xa__onnx_block *next = b->next;
        free(b);
        b = next;
    }
    free(m->external);
    free(m->nodes);
    free(m->values);
    free(m->tensors);
    free(m->attributes);
    free(m->inputs);
    free(m->outputs);
    free(m->branches);
    free(m->table);
    free(m->path);
    free(m);
}

/* ---- values of tensors ---- */

static xa_status file_of(xa__onnx *m, int file, int *fd, const char **path, xa_err *err)
{
    int64_t size = 0;
    xa__onnx_external *e = file ? &m->external[file - 1] : NULL;
    int *handle = e ? &e->fd : &m->fd;
    *path = e ? e->path : m->path;
    if (*handle < 0) {
        XA_RETURN_TRY(err, xa_open_regular(*path, handle, &size, err));
        if (size != (e ? e->size : (int64_t)m->size))
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: the file changed since it was opened", *path);
    }
    *fd = *handle;
    return XA_OK;
}

static xa_status
read_bytes(xa__onnx *m, const xa__onnx_tensor *t, int64_t from, void *dst, size_t n, xa_err *err)
{
    const char *path;
    int fd;
    size_t got = 0;
    XA_RETURN_TRY(err, file_of(m, t->file, &fd, &path, err));
    if (lseek(fd, (off_t)(t->at + from), SEEK_SET) < 0)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot seek to tensor \"%s\"", path, t->name);
    XA_RETURN_TRY(err, xa_read_fd(fd, path, dst, n, &got, err));
    if (got != n)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: the file ends inside tensor \"%s\"", path, t->name);
    return XA_OK;
}

static int item_bytes(int type)
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
    default:
        return 8;
    }
}

static float widened(uint16_t half, int type)
{
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    if (type == XA__ONNX_FLOAT16)
        return xa_f32_from_f16(half);
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A value from its bits, the low ones of v. */
static double number_of(uint64_t v, int type)
{
    switch (type) {
    case XA__ONNX_FLOAT:
        return (double)xa__wire_f32(v);
    case XA__ONNX_DOUBLE:
        return xa__wire_f64(v);
    case XA__ONNX_FLOAT16:
    case XA__ONNX_BFLOAT16:
        return (double)widened((uint16_t)v, type);
    case XA__ONNX_INT8:
        return (double)(int8_t)v;
    case XA__ONNX_INT16:
        return (double)(int16_t)v;
    case XA__ONNX_INT32:
        return (double)(int32_t)v;
    case XA__ONNX_INT64:
        return (double)(int64_t)v;
    case XA__ONNX_UINT8:
        return (double)(uint8_t)v;
    case XA__ONNX_UINT16:
        return (double)(uint16_t)v;
    case XA__ONNX_UINT32:
        return (double)(uint32_t)v;
    case XA__ONNX_BOOL:
        return (uint8_t)v ? 1.0 : 0.0;
    default:
        return (double)v;
    }
}

/* Whoever takes the values one after the other. */
typedef struct taker {
    double *wide;
    float *narrow;
    int64_t n, most;
} taker;

static void take(taker *t, double v)
{
    if (t->n < t->most && t->wide)
        t->wide[t->n] = v;
    else if (t->n < t->most)
        t->narrow[t->n] = (float)v;
    t->n++;
}

static xa_status take_raw(xa__onnx *m, const xa__onnx_tensor *t, taker *to, xa_err *err)
{
    unsigned char buffer[1 << 15];
    const int item = item_bytes(t->type);
    for (int64_t at = 0; at < t->bytes;) {
        const int64_t part =
            t->bytes - at < (int64_t)sizeof buffer ? t->bytes - at : (int64_t)sizeof buffer;
        XA_RETURN_TRY(err, read_bytes(m, t, at, buffer, (size_t)part, err));
        for (int64_t i = 0; i + item <= part; i += item) {
            uint64_t v = 0;
            for (int b = item - 1; b >= 0; b--)
                v = v << 8 | buffer[i + b];
            take(to, number_of(v, t->type));
        }
        at += part;
    }
    return XA_OK;
}

/* Which field of a TensorProto holds values of a type, and as what. */
static uint32_t field_of(int type, xa__wire_kind *as)
{
    *as = XA__WIRE_VARINT;
    switch (type) {
    case XA__ONNX_FLOAT:
        *as = XA__WIRE_FIXED32;
        return 4;
    case XA__ONNX_DOUBLE:
        *as = XA__WIRE_FIXED64;
        return 10;
    case XA__ONNX_INT64:
        return 7;
    case XA__ONNX_UINT32:
    case XA__ONNX_UINT64:
        return 11;
    default:
        return 5;
    }
}

static xa_status take_typed(xa__onnx *m, const xa__onnx_tensor *t, taker *to, xa_err *err)
{
    xa_status st = XA_OK;
    xa__wire_kind as;
    xa__field f;
    const uint32_t field = field_of(t->type, &as);
    unsigned char *bytes = xa_alloc((size_t)t->bytes + 1, 1);
    if (!bytes)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for tensor \"%s\"", m->path, t->name);
    XA_TRY(err, read_bytes(m, t, 0, bytes, (size_t)t->bytes, err));
    for (xa__wire w = xa__wire_whole(bytes, (size_t)t->bytes); xa__wire_next(&w, &f);) {
        uint64_t v;
        if (f.number != field)
            continue;
        for (xa__wire_numbers n = xa__wire_numbers_of(&w, &f, as); xa__wire_number(&n, &v);)
            take(to, number_of(v, t->type));
    }
done:
    free(bytes);
    return st;
}

static xa_status read_values(xa__onnx *m, int tensor, taker *to, xa_err *err)
{
    const xa__onnx_tensor *t = &m->tensors[tensor];
    to->most = t->count;
    XA_RETURN_TRY(err, t->raw ? take_raw(m, t, to, err) : take_typed(m, t, to, err));
    if (to->n != t->count)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: tensor \"%s\" has %" PRId64 " values, its shape needs %" PRId64,
                       m->path,
                       t->name,
                       to->n,
                       t->count);
    return XA_OK;
}

xa_status xa__onnx_read_tensor(xa__onnx *m, int tensor, double *dst, xa_err *err)
{
    return read_values(m, tensor, &(taker){.wide = dst}, err);
}

xa_status xa__onnx_read_floats(xa__onnx *m, int tensor, float *dst, xa_err *err)
{
    const xa__onnx_tensor *t = &m->tensors[tensor];
    const uint16_t probe = 1;
    if (t->raw && t->type == XA__ONNX_FLOAT && *(const unsigned char *)&probe == 1)
        return read_bytes(m, t, 0, dst, (size_t)t->bytes, err);
    return read_values(m, tensor, &(taker){.narrow = dst}, err);
}

bool xa__onnx_holds_floats(const xa__onnx *m, int tensor)
{
    const xa__onnx_tensor *t = &m->tensors[tensor];
    const uint16_t probe = 1;
    return t->raw && t->type == XA__ONNX_FLOAT && *(const unsigned char *)&probe == 1;
}

xa_status
xa__onnx_read_part(xa__onnx *m, int tensor, int64_t first, int64_t count, float *dst, xa_err *err)
{
    const int64_t item = (int64_t)sizeof *dst;
    return read_bytes(m, &m->tensors[tensor], first * item, dst, (size_t)(count * item), err);
}
