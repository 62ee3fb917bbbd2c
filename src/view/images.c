/* Where an archive's images are, how they were decoded, and whether they are the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/view.h"

xa_status xa_read_decoding(xa_archive *a, xa_decode_options *out, xa_err *err)
{
    const char *path = xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH);
    xa_status st = XA_OK;
    double most = 0.0;
    int64_t n = 0;
    char *orientation = NULL;
    *out = xa_decode_defaults();
    XA_TRY(err, xa_archive_attr_f64(a, path, "max_pixels", &most, 1, &n, err));
    if (n == 1 && most >= 1.0 && most <= 1e15)
        out->max_pixels = (int64_t)most;
    XA_TRY(err, xa_archive_attr_f64(a, path, "max_bytes", &most, 1, &n, err));
    if (n == 1 && most >= 1.0 && most <= 1e15)
        out->max_bytes = (int64_t)most;
    XA_TRY(err, xa_archive_attr_text(a, path, "orientation", &orientation, err));
    out->ignore_orientation = orientation && !strcmp(orientation, "ignored");
done:
    free(orientation);
    return st;
}

xa_status xa_read_file_name(
    xa_archive *a, const char *path, const char *root, int64_t i, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    char *row = NULL, *own = NULL;
    *out = NULL;
    XA_TRY(err, xa_archive_dataset(a, path, &info, err));
    if (info.type != XA_TYPE_STR || info.ndim != 1 || info.item_bytes > 1 << 20)
        XA_FAIL(err, XA_FORMAT, "%s: expected a text per row", path);
    row = xa_alloc(info.item_bytes + 1, 1);
    if (!row)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_read(a, path, i, 1, row, err));
    if (!*row)
        goto done;
    if (!root) {
        XA_TRY(err, xa_archive_attr_text(a, "/", "image_root", &own, err));
        root = own;
    }
    *out = row[0] == '/' || !root || !*root ? xa_strdup(row) : xa_strfmt("%s/%s", root, row);
    if (!*out)
        XA_NOMEM_FAIL(err);
done:
    free(row);
    free(own);
    return st;
}

xa_status
xa_read_image_file(xa_archive *a, const char *root, int64_t sample, char **out, xa_err *err)
{
    XA_RETURN_TRY(
        err, xa_read_file_name(a, xa_field_path(XA_FIELD_SAMPLE_PATH), root, sample, out, err));
    if (!*out)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: sample %" PRId64 " has none",
                       xa_field_path(XA_FIELD_SAMPLE_PATH),
                       sample);
    return XA_OK;
}

xa_status
xa_read_same_pixels(xa_archive *a, int64_t sample, const xa_image *im, bool *same, xa_err *err)
{
    uint64_t hash;
    xa_dataset_info info;
    XA_RETURN_TRY(err,
                  xa_archive_dataset(a, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), &info, err));
    if (info.type != XA_TYPE_U64 || info.ndim != 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: expected one per sample", info.path);
    XA_RETURN_TRY(
        err, xa_archive_read(a, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), sample, 1, &hash, err));
    *same = hash == xa_image_hash(im);
    return XA_OK;
}
