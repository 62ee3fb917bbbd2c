/* What the parts of verify share: reporting a finding, and reading rows block by block. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* All columns of a block together; a row of the archive is below 1 GiB. */
enum { BLOCK_BYTES = 4 << 20 };
static const size_t row_most = (size_t)1 << 30;

static void tell(xa_verifier *v, xa_finding kind, int64_t sample, const char *fmt, va_list args)
{
    char text[1024], clean[1024];
    vsnprintf(text, sizeof text, fmt, args);
    xa_str_sanitise(text, clean, sizeof clean);
    v->out->damages += kind == XA_FINDING_DAMAGE;
    v->out->missing += kind == XA_FINDING_MISSING;
    v->out->other_images += kind == XA_FINDING_IMAGE;
    v->out->other_masks += kind == XA_FINDING_MASK;
    if (kind == XA_FINDING_DAMAGE && sample >= 0 && sample < v->samples)
        v->told[sample] = 1;
    v->opt->tell(v->opt->arg, kind, sample, clean);
}

void xa_verify_tell(xa_verifier *v, xa_finding kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(v, kind, XA_MENDED_BY_NOTHING, fmt, args);
    va_end(args);
}

void xa_verify_tell_row(xa_verifier *v, int64_t sample, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(v, XA_FINDING_DAMAGE, sample, fmt, args);
    va_end(args);
}

const char *xa_verify_row(xa_verifier *v, int64_t sample, char *buf, size_t size)
{
    xa_dataset_info info;
    char *id = NULL;
    if (xa_archive_dataset(v->archive, xa_field_path(XA_FIELD_SAMPLE_ID), &info, NULL) == XA_OK &&
        info.type == XA_TYPE_STR && info.item_bytes < row_most)
        id = xa_alloc(info.item_bytes + 1, 1);
    if (id && xa_archive_read(v->archive, xa_field_path(XA_FIELD_SAMPLE_ID), sample, 1, id, NULL) ==
                  XA_OK)
        snprintf(buf, size, "row %" PRId64 " (%s)", sample, id);
    else
        snprintf(buf, size, "row %" PRId64, sample);
    free(id);
    return buf;
}

static bool extents_are(const xa_dataset_info *info, int ndim, const int64_t *want)
{
    if (info->ndim != ndim)
        return false;
    for (int d = 0; d < ndim; d++)
        if (want[d] >= 0 && info->dim[d] != want[d])
            return false;
    return true;
}

static void shape_text(int ndim, const int64_t *dim, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (int d = 0; d < ndim && at < size; d++)
        at += (size_t)(dim[d] < 0
                           ? snprintf(out + at, size - at, "%sany", d ? "," : "")
                           : snprintf(out + at, size - at, "%s%" PRId64, d ? "," : "", dim[d]));
}

bool xa_verify_column_find(xa_verifier *v,
                           xa_verify_column *c,
                           const char *group,
                           const char *name,
                           xa_type type,
                           int ndim,
                           const int64_t *want)
{
    xa_err why = XA_ERR_INIT;
    char expected[128], found[128];
    *c = (xa_verify_column){.data = NULL};
    const int n = snprintf(c->path, sizeof c->path, "%s/%s", group, name);
    if (n < 0 || (size_t)n >= sizeof c->path) {
        xa_verify_tell(v, XA_FINDING_DAMAGE, "%s/%s: a path too long for the format", group, name);
        return false;
    }
    if (xa_archive_dataset(v->archive, c->path, &c->info, &why) != XA_OK) {
        xa_verify_tell(v, XA_FINDING_DAMAGE, "%s: %s", c->path, why.message);
        return false;
    }
    if (c->info.type != type || !extents_are(&c->info, ndim, want)) {
        shape_text(ndim, want, expected, sizeof expected);
        shape_text(c->info.ndim, c->info.dim, found, sizeof found);
        xa_verify_tell(v,
                       XA_FINDING_DAMAGE,
                       "%s: expected %s [%s], found %s [%s]",
                       c->path,
                       xa_type_name(type),
                       expected,
                       c->info.type < XA_TYPE_COUNT ? xa_type_name(c->info.type) : "another type",
                       found);
        return false;
    }
    c->row_bytes = c->info.item_bytes;
    for (int d = 1; d < ndim; d++)
        if (!xa_size_mul(c->row_bytes, (size_t)c->info.dim[d], &c->row_bytes) ||
            c->row_bytes >= row_most) {
            xa_verify_tell(v, XA_FINDING_DAMAGE, "%s: a row is 1 GiB or more", c->path);
            return false;
        }
    return true;
}

xa_status xa_verify_blocks(xa_verifier *v,
                           xa_verify_column *columns,
                           int ncolumns,
                           void (*visit)(void *arg, int64_t first, int64_t n),
                           void *arg,
                           xa_err *err)
{
    const int64_t rows = columns[0].info.dim[0];
    size_t row = 0;
    xa_status st = XA_OK;
    for (int k = 0; k < ncolumns; k++)
        row += columns[k].row_bytes;
    int64_t block = row ? (int64_t)(BLOCK_BYTES / row) : rows;
    block = block > rows ? rows : block;
    block = block < 1 ? 1 : block;
    for (int k = 0; k < ncolumns; k++) {
        columns[k].data = xa_alloc((size_t)block, columns[k].row_bytes + 1);
        if (!columns[k].data)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory for its rows", columns[k].path);
    }
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t n = rows - first < block ? rows - first : block;
        for (int k = 0; k < ncolumns; k++) {
            xa_err why = XA_ERR_INIT;
            st = xa_archive_read(v->archive, columns[k].path, first, n, columns[k].data, &why);
            if (st == XA_NOMEM)
                XA_FAIL(err, XA_NOMEM, "%s: %s", columns[k].path, why.message);
            if (st != XA_OK) {
                xa_verify_tell(v,
                               XA_FINDING_DAMAGE,
                               "%s: rows %" PRId64 " to %" PRId64 " cannot be read: %s",
                               columns[k].path,
                               first,
                               first + n - 1,
                               why.message);
                st = XA_OK;
                goto done;
            }
        }
        visit(arg, first, n);
    }
done:
    for (int k = 0; k < ncolumns; k++) {
        free(columns[k].data);
        columns[k].data = NULL;
    }
    return st;
}

/* ---- groups ---------------------------------------------------------------------------------- */
