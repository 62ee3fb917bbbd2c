/* HDF5's types for ours. */
#include <string.h>

#include "archive_internal.h"

void xa_archive_library(char *out, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    if (H5get_libversion(&major, &minor, &release) < 0)
        major = minor = release = 0;
    snprintf(out, size, "HDF5 %u.%u.%u", major, minor, release);
}

/* IEEE binary16, which HDF5 1.10 has no name for. A field may only be moved while the type is large
 * enough to hold it, so the order of the calls is a must: fields, size, bias. */
static hid_t open_half(bool in_memory)
{
    hid_t t = H5Tcopy(in_memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    if (t >= 0 && (H5Tset_fields(t, 15, 10, 5, 0, 10) < 0 || H5Tset_size(t, 2) < 0 ||
                   H5Tset_ebias(t, 15) < 0))
        xa__close_type(&t);
    return t;
}

static hid_t open_string(size_t bytes)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, bytes) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0 ||
                   H5Tset_strpad(t, H5T_STR_NULLPAD) < 0))
        xa__close_type(&t);
    return t;
}

hid_t xa__type_open(xa_type t, size_t string_bytes, bool in_memory)
{
    switch (t) {
    case XA_TYPE_U8:
        return H5Tcopy(in_memory ? H5T_NATIVE_UINT8 : H5T_STD_U8LE);
    case XA_TYPE_I32:
        return H5Tcopy(in_memory ? H5T_NATIVE_INT32 : H5T_STD_I32LE);
    case XA_TYPE_U32:
        return H5Tcopy(in_memory ? H5T_NATIVE_UINT32 : H5T_STD_U32LE);
    case XA_TYPE_I64:
        return H5Tcopy(in_memory ? H5T_NATIVE_INT64 : H5T_STD_I64LE);
    case XA_TYPE_U64:
        return H5Tcopy(in_memory ? H5T_NATIVE_UINT64 : H5T_STD_U64LE);
    case XA_TYPE_F16:
        return open_half(in_memory);
    case XA_TYPE_F32:
        return H5Tcopy(in_memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    case XA_TYPE_F64:
        return H5Tcopy(in_memory ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE);
    case XA_TYPE_STR:
        return open_string(string_bytes);
    default:
        return -1;
    }
}

static xa_type integer_of(hid_t type, size_t bytes)
{
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (H5Tget_precision(type) != 8 * bytes)
        return XA_TYPE_COUNT;
    switch (bytes) {
    case 1:
        return is_signed ? XA_TYPE_COUNT : XA_TYPE_U8;
    case 4:
        return is_signed ? XA_TYPE_I32 : XA_TYPE_U32;
    case 8:
        return is_signed ? XA_TYPE_I64 : XA_TYPE_U64;
    default:
        return XA_TYPE_COUNT;
    }
}

/* A float is one of ours if it equals ours in either byte order. */
static xa_type float_of(hid_t type, size_t bytes)
{
    const xa_type t = bytes == 2 ? XA_TYPE_F16 : bytes == 4 ? XA_TYPE_F32 : XA_TYPE_F64;
    if (bytes != 2 && bytes != 4 && bytes != 8)
        return XA_TYPE_COUNT;
    hid_t ours = xa__type_open(t, 0, false);
    bool same = false;
    static const H5T_order_t orders[] = {H5T_ORDER_LE, H5T_ORDER_BE};
    for (int i = 0; i < 2 && ours >= 0 && !same; i++)
        same = H5Tset_order(ours, orders[i]) >= 0 && H5Tequal(ours, type) > 0;
    xa__close_type(&ours);
    return same ? t : XA_TYPE_COUNT;
}

xa_type xa__type_of(hid_t type)
{
    size_t bytes = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return integer_of(type, bytes);
    case H5T_FLOAT:
        return float_of(type, bytes);
    case H5T_STRING:
        return H5Tis_variable_str(type) == 0 ? XA_TYPE_STR : XA_TYPE_COUNT;
    default:
        return XA_TYPE_COUNT;
    }
}
