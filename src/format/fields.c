/* The format's table and its types. */
#include <math.h>
#include <string.h>

#include "xaudit/format.h"

size_t xa_type_bytes(xa_type t)
{
    static const size_t bytes[] = {
#define X(name, text, bytes, in_c) bytes,
        XA_TYPE_LIST(X)
#undef X
    };
    return (unsigned)t < XA_TYPE_COUNT ? bytes[t] : 0;
}

const char *xa_type_name(xa_type t)
{
    static const char *const names[] = {
#define X(name, text, bytes, in_c) text,
        XA_TYPE_LIST(X)
#undef X
    };
    return (unsigned)t < XA_TYPE_COUNT ? names[t] : "unknown";
}

const xa_field_def *xa_field_get(xa_field_kind kind)
{
    static const xa_field_def defs[] = {
#define X(name, member, path, type, bytes, extents, initial, unit, text) \
    {#name, path, XA_TYPE_##type, bytes, extents, #initial, unit, text},
        XA_FIELD_LIST(X)
#undef X
    };
    return (unsigned)kind < XA_FIELD_KINDS ? &defs[kind] : NULL;
}

const char *xa_field_extents(xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    return def ? def->extents : "";
}

/* How many fields each owner has: XA_FIELD_LIST has their lists in the order of XA_OWNER_LIST. */
static const int counts[XA_OWNERS] = {
#define X(name) XA_FIELDS_OF(name),
    XA_OWNER_LIST(X)
#undef X
};

xa_owner xa_field_owner(xa_field_kind kind)
{
    int owner = 0;
    for (int end = counts[0]; owner < XA_OWNERS && (int)kind >= end; owner++)
        end += owner + 1 < XA_OWNERS ? counts[owner + 1] : 0;
    return (unsigned)kind < XA_FIELD_KINDS ? (xa_owner)owner : XA_OWNERS;
}

int xa_owner_fields(xa_owner owner)
{
    return (unsigned)owner < XA_OWNERS ? counts[owner] : 0;
}

xa_field_kind xa_owned_field(xa_owner owner, int i)
{
    int first = 0;
    for (int o = 0; o < (int)owner; o++)
        first += counts[o];
    return (xa_field_kind)(first + i);
}

xa_initial xa_field_initial(xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    if (!def || strcmp(def->initial, "RAW") == 0)
        return XA_INITIAL_RAW;
    if (strcmp(def->initial, "-1") == 0)
        return XA_INITIAL_MINUS_ONE;
    return strcmp(def->initial, "NAN") == 0 ? XA_INITIAL_NAN : XA_INITIAL_ZERO;
}

void xa_field_fill(xa_field_kind kind, xa_type type, void *data, size_t items, size_t item_bytes)
{
    const xa_initial initial = xa_field_initial(kind);
    if (initial == XA_INITIAL_RAW || items == 0)
        return;
    if (initial == XA_INITIAL_MINUS_ONE && (type == XA_TYPE_I32 || type == XA_TYPE_I64)) {
        memset(data, 0xff, items * item_bytes); /* two's complement */
    } else if (initial == XA_INITIAL_NAN && type == XA_TYPE_F32) {
        for (size_t i = 0; i < items; i++)
            ((float *)data)[i] = NAN;
    } else if (initial == XA_INITIAL_NAN && type == XA_TYPE_F64) {
        for (size_t i = 0; i < items; i++)
            ((double *)data)[i] = NAN;
    } else {
        memset(data, 0, items * item_bytes);
    }
}
