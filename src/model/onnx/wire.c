#include "wire.h"

#include <string.h>

enum { VARINT_BYTES = 10 };

xa__wire xa__wire_whole(const void *bytes, size_t size)
{
    return (xa__wire){.base = bytes, .end = size};
}

xa__wire xa__wire_inside(const xa__wire *w, const xa__field *f)
{
    if (f->kind != XA__WIRE_BYTES)
        return (xa__wire){.base = w->base};
    return (xa__wire){.base = w->base, .at = f->at, .end = f->at + f->len};
}

static bool varint(xa__wire *w, uint64_t *value)
{
    uint64_t v = 0;
    for (int i = 0; i < VARINT_BYTES && w->at < w->end; i++) {
        const unsigned char b = w->base[w->at++];
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *value = v;
            return i < VARINT_BYTES - 1 || b <= 1;
        }
    }
    return false;
}

static bool fixed(xa__wire *w, size_t bytes, uint64_t *value)
{
    if (w->end - w->at < bytes)
        return false;
    *value = 0;
    for (size_t i = bytes; i-- > 0;)
        *value = *value << 8 | w->base[w->at + i];
    w->at += bytes;
    return true;
}

static bool number(xa__wire *w, xa__wire_kind kind, uint64_t *value)
{
    return kind == XA__WIRE_VARINT    ? varint(w, value)
           : kind == XA__WIRE_FIXED64 ? fixed(w, 8, value)
           : kind == XA__WIRE_FIXED32 ? fixed(w, 4, value)
                                      : false;
}

bool xa__wire_next(xa__wire *w, xa__field *f)
{
    uint64_t tag, value = 0;
    if (w->bad || w->at >= w->end)
        return false;
    w->bad = true;
    if (!varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
        return false;
    *f = (xa__field){.number = (uint32_t)(tag >> 3), .kind = (xa__wire_kind)(tag & 7)};
    if (f->kind == XA__WIRE_BYTES) {
        if (!varint(w, &value) || value > w->end - w->at)
            return false;
        f->at = w->at;
        f->len = (size_t)value;
        w->at += f->len;
    } else if (!number(w, f->kind, &f->value)) {
        return false;
    }
    w->bad = false;
    return true;
}

xa__wire_numbers xa__wire_numbers_of(const xa__wire *w, const xa__field *f, xa__wire_kind as)
{
    if (f->kind == XA__WIRE_BYTES)
        return (xa__wire_numbers){.rest = xa__wire_inside(w, f), .as = as};
    return (xa__wire_numbers){.rest = {.base = w->base, .bad = f->kind != as},
                              .as = as,
                              .single = f->value,
                              .has_single = f->kind == as};
}

bool xa__wire_number(xa__wire_numbers *n, uint64_t *value)
{
    if (n->has_single) {
        n->has_single = false;
        *value = n->single;
        return true;
    }
    if (n->rest.bad || n->rest.at >= n->rest.end)
        return false;
    if (number(&n->rest, n->as, value))
        return true;
    n->rest.bad = true;
    return false;
}

float xa__wire_f32(uint64_t v)
{
    const uint32_t bits = (uint32_t)v;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double xa__wire_f64(uint64_t v)
{
    double x;
    memcpy(&x, &v, sizeof x);
    return x;
}
