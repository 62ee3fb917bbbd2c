/* The wire format of protocol buffers, read where it lies. Private to model.
 *
 * A message is a list of fields: a tag (number and kind), then a varint, 4 or 8 bytes, or a length
 * and so many bytes. Fields come in any order and more than once; a repeated number comes packed
 * (one field of bytes) or single. Nothing is copied: a field of bytes is a place in the caller's
 * memory. No length is believed before it was compared with what is left.
 */
#ifndef XAUDIT_MODEL_ONNX_WIRE_H
#define XAUDIT_MODEL_ONNX_WIRE_H

#include "xaudit/util.h"

typedef enum xa__wire_kind {
    XA__WIRE_VARINT = 0,
    XA__WIRE_FIXED64 = 1,
    XA__WIRE_BYTES = 2,
    XA__WIRE_FIXED32 = 5
} xa__wire_kind;

/* A message, or the rest of one. `base` stays the start of the whole, so that places are its. */
typedef struct xa__wire {
    const unsigned char *base;
    size_t at, end;
    bool bad; /* what follows is no field: reading has ended early */
} xa__wire;

typedef struct xa__field {
    uint32_t number;
    xa__wire_kind kind;
    uint64_t value; /* VARINT, FIXED64, FIXED32 */
    size_t at, len; /* BYTES: place and length */
} xa__field;

xa__wire xa__wire_whole(const void *bytes, size_t size);
/* The message inside a field of bytes; an empty one of other kinds. */
xa__wire xa__wire_inside(const xa__wire *w, const xa__field *f);
/* The next field; false at the end, and where what follows is none (bad). */
bool xa__wire_next(xa__wire *w, xa__field *f);

/* Numbers of a repeated field, packed or single. `as` is how a packed one holds them. */
typedef struct xa__wire_numbers {
    xa__wire rest;
    xa__wire_kind as;
    uint64_t single;
    bool has_single;
} xa__wire_numbers;
xa__wire_numbers xa__wire_numbers_of(const xa__wire *w, const xa__field *f, xa__wire_kind as);
/* False at the end, and where bytes are left that are no number (rest.bad). */
bool xa__wire_number(xa__wire_numbers *n, uint64_t *value);

static inline int64_t xa__wire_i64(uint64_t v)
{
    return (int64_t)v;
}
float xa__wire_f32(uint64_t v);
double xa__wire_f64(uint64_t v);

#endif
