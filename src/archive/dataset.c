/* An open dataset as rows: opened and described, checked, moved in pieces. */
#include <inttypes.h>
#include <string.h>

#include "archive_internal.h"

bool xa__describe(hid_t dataset, const char *path, xa_dataset_info *out)
{
    bool ok = false;
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    hsize_t dim[H5S_MAX_RANK];
    xa_dataset_info info = {.ndim = 0};
    if (type < 0 || space < 0 || strlen(path) >= sizeof info.path)
        goto done;
    memcpy(info.path, path, strlen(path) + 1);
    info.type = xa__type_of(type);
    info.item_bytes = H5Tget_size(type);
    info.ndim = H5Sget_simple_extent_ndims(space);
    if (info.ndim < 0 || info.ndim > 5 || H5Sget_simple_extent_dims(space, dim, NULL) < 0)
        goto done;
    if (H5Sget_simple_extent_type(space) == H5S_NULL) {
        info.ndim = 1; /* nothing: no rows */
        dim[0] = 0;
    }
    for (int d = 0; d < info.ndim; d++) {
        if (dim[d] > INT64_MAX)
            goto done;
        info.dim[d] = (int64_t)dim[d];
    }
    ok = info.item_bytes > 0;
    if (ok)
        *out = info;
done:
    xa__close_space(&space);
    xa__close_type(&type);
    return ok;
}

/* Deflate's best is a thousandth; below this size nothing needs to be stored to be read at once. */
enum { MOST_PACKED = 1040, SMALL = 1 << 16 };

xa_status xa__check_stored(hid_t dataset, const xa_dataset_info *info, xa_err *err)
{
    size_t bytes = info->item_bytes;
    bool fits = true;
    for (int d = 0; d < info->ndim; d++)
        fits = fits && xa_size_mul(bytes, (size_t)info->dim[d], &bytes);
    if (!fits || (bytes > SMALL && bytes / MOST_PACKED > H5Dget_storage_size(dataset)))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: its extents are larger than what the file holds of it",
                       info->path);
    return XA_OK;
}

static xa_status row_bytes(const xa_dataset_info *info, size_t *out, xa_err *err)
{
    size_t bytes = info->item_bytes;
    bool fits = true;
    for (int d = 1; d < info->ndim; d++)
        fits = fits && xa_size_mul(bytes, (size_t)info->dim[d], &bytes);
    if (!fits || bytes >= XA__TRANSFER_MAX)
        XA_RETURN_FAIL(err, XA_LIMIT, "%s: a row must stay below 1 GiB", info->path);
    *out = bytes;
    return XA_OK;
}

xa_status xa__rows_open(hid_t file, const char *path, xa__side side, xa__rows *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa__rows r = {.dataset = -1, .space = -1, .type = -1};
    hid_t stored = -1;

    r.dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (r.dataset < 0)
        XA_H5_FAIL(err, XA_NOT_FOUND, "no dataset %s", path);
    if (!xa__describe(r.dataset, path, &r.info))
        XA_FAIL(err, XA_UNSUPPORTED, "%s: not a dataset of format 1 (at most 5 extents)", path);
    r.space = H5Dget_space(r.dataset);
    stored = H5Dget_type(r.dataset);
    if (r.space < 0 || stored < 0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot open the dataset", path);
    if (H5Tdetect_class(stored, H5T_VLEN) > 0 || H5Tdetect_class(stored, H5T_REFERENCE) > 0 ||
        H5Tis_variable_str(stored) > 0)
        XA_FAIL(err, XA_UNSUPPORTED, "%s: its values are not in the dataset itself", path);
    if (side == XA__NATIVE && r.info.type == XA_TYPE_COUNT)
        XA_FAIL(err, XA_UNSUPPORTED, "%s: its type is not one of format 1", path);
    /* A text's padding is the file's, so that its bytes pass as they are. */
    r.type = side == XA__AS_STORED || r.info.type == XA_TYPE_STR
                 ? H5Tcopy(stored)
                 : xa__type_open(r.info.type, 0, true);
    if (r.type < 0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot make its type", path);
    XA_TRY(err, row_bytes(&r.info, &r.row_bytes, err));
    XA_TRY(err, xa__check_stored(r.dataset, &r.info, err));
    r.ndim = r.info.ndim;
    r.count = r.ndim > 0 ? r.info.dim[0] : 1;
    for (int d = 0; d < r.ndim; d++)
        r.dim[d] = (hsize_t)r.info.dim[d];
    *out = r;
    r.dataset = r.space = r.type = -1;
done:
    xa__close_type(&stored);
    xa__rows_close(&r);
    return st;
}

void xa__rows_close(xa__rows *r)
{
    xa__close_type(&r->type);
    xa__close_space(&r->space);
    xa__close_dataset(&r->dataset);
}

xa_status xa__rows_check(const xa__rows *r, int64_t first, int64_t n, xa_err *err)
{
    if (first < 0 || n < 0 || first > r->count || n > r->count - first)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: it has %" PRId64 " rows, asked for %" PRId64 " from row %" PRId64 " on",
                       r->info.path,
                       r->count,
                       n,
                       first);
    return XA_OK;
}

/* One piece. The memory side has the file side's shape: HDF5 need not match them element by
 * element. */
static bool move_piece(const xa__rows *r, int64_t first, int64_t n, void *in, const void *out)
{
    hsize_t start[5] = {(hsize_t)first};
    hsize_t count[5];
    for (int d = 0; d < r->ndim; d++)
        count[d] = d == 0 ? (hsize_t)n : r->dim[d];
    hid_t memory = r->ndim > 0 ? H5Screate_simple(r->ndim, count, NULL) : H5Screate(H5S_SCALAR);
    bool ok = memory >= 0;
    if (ok && r->ndim > 0)
        ok = H5Sselect_hyperslab(r->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
    if (ok)
        ok = (in ? H5Dread(r->dataset, r->type, memory, r->space, H5P_DEFAULT, in)
                 : H5Dwrite(r->dataset, r->type, memory, r->space, H5P_DEFAULT, out)) >= 0;
    /* Closing would clear the error stack that the caller wants to read. */
    hid_t stack = ok ? -1 : H5Eget_current_stack();
    xa__close_space(&memory);
    if (stack >= 0)
        (void)H5Eset_current_stack(stack);
    return ok;
}

bool xa__rows_move(
    const xa__rows *r, int64_t first, int64_t n, void *in, const void *out, int64_t *at)
{
    if (r->row_bytes == 0)
        return true;
    const int64_t most = (int64_t)(XA__TRANSFER_MAX / r->row_bytes);
    for (int64_t done = 0; done < n; done += most) {
        const int64_t some = n - done < most ? n - done : most;
        const size_t offset = (size_t)done * r->row_bytes;
        *at = first + done;
        if (!move_piece(r,
                        first + done,
                        some,
                        in ? (char *)in + offset : NULL,
                        out ? (const char *)out + offset : NULL))
            return false;
    }
    return true;
}
