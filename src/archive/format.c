/* The format's table and its types. */
#include <math.h>
#include <string.h>

#include "archive_internal.h"

size_t xa_type_bytes(xa_type t)
{
    static const size_t bytes[] = {
#define X(name, text, bytes) bytes,
        XA_TYPE_LIST(X)
#undef X
    };
    return (unsigned)t < XA_TYPE_COUNT ? bytes[t] : 0;
}

const char *xa_type_name(xa_type t)
{
    static const char *const names[] = {
#define X(name, text, bytes) text,
        XA_TYPE_LIST(X)
#undef X
    };
    return (unsigned)t < XA_TYPE_COUNT ? names[t] : "unknown";
}

const xa__field_info *xa__field_info_of(xa_field_kind kind)
{
    static const xa__field_info infos[] = {
#define X(name, path, type, extents, initial, unit, text) \
    {#name, path, XA_TYPE_##type, extents, #initial, unit, text},
        XA_FIELD_LIST(X)
#undef X
    };
    return (unsigned)kind < XA_FIELD_KINDS ? &infos[kind] : NULL;
}

const char *xa_field_extents(xa_field_kind kind)
{
    const xa__field_info *info = xa__field_info_of(kind);
    return info ? info->extents : "";
}

/* A path beside a pattern of the table; false where they differ. */
static bool matches(const char *pattern, const char *path, xa_field_names *names)
{
    *names = (xa_field_names){.model = ""};
    while (*pattern && *path) {
        if (*pattern != '<') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        char *to = pattern[1] == 'm'   ? names->model
                   : pattern[1] == 'e' ? names->explainer
                                       : names->key;
        const size_t n = strcspn(path, "/");
        if (n == 0 || n > XA_NAME_BYTES)
            return false;
        memcpy(to, path, n);
        to[n] = '\0';
        path += n;
        pattern += 3;
    }
    return !*pattern && !*path;
}

bool xa_field_match(const char *path, xa_type type, xa_field_kind *kind, xa_field_names *names)
{
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const xa__field_info *info = xa__field_info_of((xa_field_kind)k);
        if ((type == info->type || (k == XA_FIELD_MAP_VALUES && type == XA_TYPE_F16)) &&
            matches(info->path, path, names)) {
            *kind = (xa_field_kind)k;
            return true;
        }
    }
    *names = (xa_field_names){.model = ""};
    return false;
}

xa_field_kind xa_field_checksum(xa_field_kind kind)
{
    static const struct {
        const char *prefix;
        xa_field_kind sums;
    } of[] = {{"/samples/thumbnail", XA_FIELD_SUM_THUMBNAILS},
              {"/samples/", XA_FIELD_SUM_SAMPLES},
              {"/models/<m>/logits", XA_FIELD_SUM_LOGITS},
              {"/models/", XA_FIELD_SUM_MODEL},
              {"/maps/", XA_FIELD_SUM_MAPS},
              {"/localisation/", XA_FIELD_SUM_LOCALISATION},
              {"/statistics/", XA_FIELD_SUM_STATISTICS},
              {"/baselines/", XA_FIELD_SUM_BASELINES},
              {"/baseline_statistics/", XA_FIELD_SUM_BASELINE_STATISTICS},
              {"/pairs/", XA_FIELD_SUM_PAIRS}};
    const xa__field_info *info = xa__field_info_of(kind);
    /* RAW is what is there from the beginning, or a map's values; rows of annotations are put
     * together anew where archives are merged or evaluated */
    if (!info || xa__initial_of(kind) == XA__RAW || info->extents[0] == 'A')
        return XA_FIELD_KINDS;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (strncmp(info->path, of[i].prefix, strlen(of[i].prefix)) == 0)
            return of[i].sums;
    return XA_FIELD_KINDS;
}

bool xa_checksum_path(const char *path, xa_type type, char *out, size_t size)
{
    xa_field_kind kind;
    xa_field_names names;
    const xa__field_info *info = NULL;
    size_t at = 0;
    if (xa_field_match(path, type, &kind, &names))
        info = xa__field_info_of(xa_field_checksum(kind));
    if (!info)
        return false;
    for (const char *p = info->path; *p != '\0'; p++) {
        const char one[2] = {*p, '\0'};
        const bool name = *p == '<';
        const char *put = !name         ? one
                          : p[1] == 'm' ? names.model
                          : p[1] == 'e' ? names.explainer
                                        : names.key;
        const size_t n = strlen(put);
        if (n >= size - at)
            return false;
        memcpy(out + at, put, n + 1);
        at += n;
        p += name ? 2 : 0;
    }
    return true;
}

uint64_t xa_checksum_seed(const char *path)
{
    return xa_hash64(path, strlen(path), 0);
}

void xa_checksum_rows(uint64_t seed, const void *rows, int64_t n, size_t row_bytes, uint32_t *sums)
{
    const unsigned char *row = rows;
    for (int64_t i = 0; i < n; i++, row += row_bytes)
        sums[i] += (uint32_t)(xa_hash64(row, row_bytes, seed) & 0xffffffffu);
}

void xa_checksum_table(
    uint64_t seed, const void *rows, int64_t first, int64_t n, size_t row_bytes, uint32_t *sum)
{
    const unsigned char *row = rows;
    for (int64_t i = 0; i < n; i++, row += row_bytes)
        xa_checksum_rows(seed + (uint64_t)(first + i), row, 1, row_bytes, sum);
}

bool xa_is_table(xa_field_kind kind)
{
    const xa__field_info *info = xa__field_info_of(kind);
    return info && xa__initial_of(kind) == XA__RAW && kind != XA_FIELD_MAP_VALUES &&
           !xa__is_text(kind) && strncmp(info->path, "/run/", 5) != 0;
}

void xa_archive_library(char *out, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    if (H5get_libversion(&major, &minor, &release) < 0)
        major = minor = release = 0;
    snprintf(out, size, "HDF5 %u.%u.%u", major, minor, release);
}

bool xa__is_text(xa_field_kind kind)
{
    return kind == XA_FIELD_JOB_TEXT || kind == XA_FIELD_IDENTITY_TEXT;
}

xa__initial xa__initial_of(xa_field_kind kind)
{
    const xa__field_info *info = xa__field_info_of(kind);
    if (!info || strcmp(info->initial, "RAW") == 0)
        return XA__RAW;
    if (strcmp(info->initial, "-1") == 0)
        return XA__MINUS_ONE;
    return strcmp(info->initial, "NAN") == 0 ? XA__NAN : XA__ZERO;
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

void xa__fill_initial(void *items, size_t n, xa_type t, size_t item_bytes, xa__initial initial)
{
    if (initial == XA__RAW)
        return;
    if (initial == XA__MINUS_ONE && (t == XA_TYPE_I32 || t == XA_TYPE_I64)) {
        memset(items, 0xff, n * item_bytes); /* two's complement */
    } else if (initial == XA__NAN && t == XA_TYPE_F32) {
        for (size_t i = 0; i < n; i++)
            ((float *)items)[i] = NAN;
    } else if (initial == XA__NAN && t == XA_TYPE_F64) {
        for (size_t i = 0; i < n; i++)
            ((double *)items)[i] = NAN;
    } else if (initial == XA__NAN && t == XA_TYPE_F16) {
        const uint16_t quiet = xa_f16_from_f32(NAN);
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)items)[i] = quiet;
    } else {
        memset(items, 0, n * item_bytes);
    }
}
