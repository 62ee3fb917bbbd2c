/* Datasets as the format's table has them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view_internal.h"

xa_extents xa__extents(const xa_read *r)
{
    xa_extents x = xa_extents_unknown();
    x.samples = r->samples;
    x.pairs = r->pairs;
    return x;
}

static xa_status
check_extents(xa_field_kind kind, const xa_extents *x, const xa_dataset_info *info, xa_err *err)
{
    const xa_type type = xa_field_get(kind)->type;
    int64_t want[5];
    const int ndim = xa_field_dims(kind, x, want);
    if (info->type != type)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: expected %s, found %s",
                       info->path,
                       xa_type_name(type),
                       info->type < XA_TYPE_COUNT ? xa_type_name(info->type)
                                                  : "a type of a later format");
    if (info->ndim != ndim)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: %d dimensions, expected %d", info->path, info->ndim, ndim);
    for (int d = 0; d < ndim; d++)
        if (want[d] >= 0 && info->dim[d] != want[d])
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: extent %d is %" PRId64
                           ", the archive's other tables ask for %" PRId64,
                           info->path,
                           d,
                           info->dim[d],
                           want[d]);
    return XA_OK;
}

static xa_path path_of(xa_field_kind kind, const xa_field_names *n)
{
    return n ? xa_field_name(kind, n->model, n->explainer, n->key)
             : xa_field_name(kind, NULL, NULL, NULL);
}

xa_status xa__load_info(const xa_read *r,
                        xa_field_kind kind,
                        const xa_field_names *names,
                        const xa_extents *x,
                        xa_dataset_info *info,
                        xa_err *err)
{
    XA_RETURN_TRY(err, xa_archive_dataset(r->archive, path_of(kind, names).text, info, err));
    return check_extents(kind, x, info, err);
}

xa_status xa__load(const xa_read *r,
                   xa_field_kind kind,
                   const xa_field_names *names,
                   const xa_extents *x,
                   void *out_ptr,
                   xa_dataset_info *info,
                   xa_err *err)
{
    xa_dataset_info own;
    void *data = NULL;
    XA_RETURN_TRY(err, xa__load_info(r, kind, names, x, &own, err));
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, own.path, &own, &data, err));
    memcpy(out_ptr, &data, sizeof data);
    if (info)
        *info = own;
    return XA_OK;
}

xa_status xa__load_any(const xa_read *r,
                       xa_field_kind kind,
                       const xa_field_names *names,
                       const xa_extents *x,
                       void *out_ptr,
                       xa_dataset_info *info,
                       xa_err *err)
{
    xa_dataset_info own;
    if (xa_archive_dataset(r->archive, path_of(kind, names).text, &own, NULL) == XA_NOT_FOUND)
        return XA_OK;
    return xa__load(r, kind, names, x, out_ptr, info, err);
}

xa_status
xa__load_names(const xa_read *r, const char *group, char ***names, int64_t *n, xa_err *err)
{
    char clean[512];
    *names = NULL;
    *n = 0;
    const xa_status st = xa_archive_list(r->archive, group, names, n, err);
    if (st == XA_NOT_FOUND) {
        if (err)
            *err = (xa_err)XA_ERR_INIT;
        *n = 0;
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    /* names are printed and become columns: what a schema would not take is refused */
    for (int64_t i = 0; i < *n; i++) {
        xa_str_sanitise((*names)[i], clean, sizeof clean);
        if (strcmp(clean, (*names)[i]) != 0 || strlen(clean) > XA_NAME_BYTES) {
            xa_free_texts(*names, *n);
            *names = NULL;
            *n = 0;
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: \"%s\" is no name of format 1", group, clean);
        }
    }
    return XA_OK;
}

xa_status xa__names_of(
    const char *model, const char *explainer, const char *key, xa_field_names *out, xa_err *err)
{
    const char *from[3] = {model, explainer, key};
    char *to[3] = {out->model, out->explainer, out->key};
    *out = (xa_field_names){.model = ""};
    for (int i = 0; i < 3; i++) {
        const size_t n = from[i] ? strlen(from[i]) : 0;
        if (n > XA_NAME_BYTES)
            XA_RETURN_FAIL(err, XA_FORMAT, "\"%s\" is no name of format 1", from[i]);
        if (n)
            memcpy(to[i], from[i], n + 1);
    }
    return XA_OK;
}

xa_status
xa__check_indices(const char *path, const int64_t *index, int64_t n, int64_t below, xa_err *err)
{
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= below)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: row %" PRId64 " is %" PRId64 ", expected 0 to %" PRId64,
                           path,
                           i,
                           index[i],
                           below - 1);
    return XA_OK;
}

xa_status xa__check_offsets(
    const char *path, const int64_t *offset, int64_t samples, int64_t end, xa_err *err)
{
    for (int64_t i = 0; i <= samples; i++)
        if (offset[i] < (i ? offset[i - 1] : 0) || offset[i] > end)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: row %" PRId64 " is %" PRId64
                           ", which is no place among the %" PRId64 " rows that it leads to",
                           path,
                           i,
                           offset[i],
                           end);
    return XA_OK;
}
