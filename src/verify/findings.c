/* What the parts of verify share: reporting a finding, and reading rows block by block. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* All columns of a block together; a row of the archive is below 1 GiB. */
enum { BLOCK_BYTES = 4 << 20 };
static const size_t row_most = (size_t)1 << 30;

static void report(xa__verifier *v, xa_finding kind, int64_t sample, const char *fmt, va_list args)
{
    char text[1024], clean[1024];
    vsnprintf(text, sizeof text, fmt, args);
    xa_str_sanitise(text, clean, sizeof clean);
    v->out->damages += kind == XA_FINDING_DAMAGE;
    v->out->missing += kind == XA_FINDING_MISSING;
    v->out->other_images += kind == XA_FINDING_IMAGE;
    v->out->other_masks += kind == XA_FINDING_MASK;
    if (kind == XA_FINDING_DAMAGE && sample >= 0 && sample < v->samples)
        v->reported[sample] = 1;
    v->opt->report(v->opt->arg, kind, sample, clean);
}

void xa__report(xa__verifier *v, xa_finding kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(v, kind, XA_MENDED_BY_NOTHING, fmt, args);
    va_end(args);
}

void xa__report_row(xa__verifier *v, int64_t sample, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(v, XA_FINDING_DAMAGE, sample, fmt, args);
    va_end(args);
}

const char *xa__verify_row(xa__verifier *v, int64_t sample, char *buf, size_t size)
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

/* Maps may be stored as half floats, and affine maps of earlier versions in single precision. */
static bool type_fits(xa_field_kind kind, xa_type found)
{
    const xa_type want = xa_field_get(kind)->type;
    return found == want || (kind == XA_FIELD_MAP_VALUES && found == XA_TYPE_F16) ||
           (kind == XA_FIELD_MODEL_AFFINE && found == XA_TYPE_F32);
}

static bool find(xa__verifier *v,
                 xa__column *c,
                 xa_field_kind kind,
                 const char *model,
                 const char *explainer,
                 const xa_extents *x)
{
    xa_err why = XA_ERR_INIT;
    char expected[128], found[128];
    int64_t want[5];
    const int ndim = xa_field_dims(kind, x, want);
    *c = (xa__column){.path = xa_field_name(kind, model, explainer, NULL)};
    if (xa_archive_dataset(v->archive, c->path.text, &c->info, &why) != XA_OK) {
        xa__report(v, XA_FINDING_DAMAGE, "%s: %s", c->path.text, why.message);
        return false;
    }
    if (!type_fits(kind, c->info.type) || !extents_are(&c->info, ndim, want)) {
        shape_text(ndim, want, expected, sizeof expected);
        shape_text(c->info.ndim, c->info.dim, found, sizeof found);
        xa__report(v,
                   XA_FINDING_DAMAGE,
                   "%s: expected %s [%s], found %s [%s]",
                   c->path.text,
                   xa_type_name(xa_field_get(kind)->type),
                   expected,
                   c->info.type < XA_TYPE_COUNT ? xa_type_name(c->info.type) : "another type",
                   found);
        return false;
    }
    c->row_bytes = c->info.item_bytes;
    for (int d = 1; d < ndim; d++)
        if (!xa_size_mul(c->row_bytes, (size_t)c->info.dim[d], &c->row_bytes) ||
            c->row_bytes >= row_most) {
            xa__report(v, XA_FINDING_DAMAGE, "%s: a row is 1 GiB or more", c->path.text);
            return false;
        }
    return true;
}

bool xa__verify_find(xa__verifier *v,
                     xa__column *c,
                     xa_field_kind kind,
                     const char *model,
                     const char *explainer,
                     const xa_extents *x)
{
    const bool whole = find(v, c, kind, model, explainer, x);
    if (!whole)
        c->info.ndim = 0;
    return whole;
}

/* Archives of one minor version lack these: jobs ask for thumbnails, and only some explainers have
 * the columns of maps (what is missing there fails the checksums of the rows). */
static bool may_lack(const xa__verifier *v, xa_field_kind kind)
{
    switch (kind) {
    case XA_FIELD_SAMPLE_THUMBNAIL:
    case XA_FIELD_SAMPLE_THUMBNAIL_SIZE:
    case XA_FIELD_MAP_COMPLETENESS:
    case XA_FIELD_MAP_EXPLAINED:
    case XA_FIELD_MAP_PREFIX_MASS:
    case XA_FIELD_MAP_NEAREST:
        return true;
    default:
        return v->older;
    }
}

bool xa__verify_find_any(xa__verifier *v,
                         xa__column *c,
                         xa_field_kind kind,
                         const char *model,
                         const char *explainer,
                         const xa_extents *x)
{
    const xa_path path = xa_field_name(kind, model, explainer, NULL);
    xa_dataset_info info;
    if (may_lack(v, kind) &&
        xa_archive_dataset(v->archive, path.text, &info, NULL) == XA_NOT_FOUND) {
        *c = (xa__column){.path = path};
        return true;
    }
    return xa__verify_find(v, c, kind, model, explainer, x);
}

bool xa__verify_find_owned(xa__verifier *v,
                           xa__column *columns,
                           xa_owner owner,
                           const char *model,
                           const char *explainer,
                           const xa_extents *x)
{
    bool whole = true;
    for (int i = 0; i < xa_owner_fields(owner); i++) /* every damage is reported */
        whole &= xa__verify_find_any(v, &columns[i], xa_owned_field(owner, i), model, explainer, x);
    return whole;
}

xa_status xa__verify_blocks(xa__verifier *v,
                            xa__column *columns,
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
        if (!columns[k].info.ndim)
            continue;
        columns[k].data = xa_alloc((size_t)block, columns[k].row_bytes + 1);
        if (!columns[k].data)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory for its rows", columns[k].path.text);
    }
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t n = rows - first < block ? rows - first : block;
        for (int k = 0; k < ncolumns; k++) {
            xa_err why = XA_ERR_INIT;
            if (!columns[k].info.ndim)
                continue;
            st = xa_archive_read(v->archive, columns[k].path.text, first, n, columns[k].data, &why);
            if (st == XA_NOMEM)
                XA_FAIL(err, XA_NOMEM, "%s: %s", columns[k].path.text, why.message);
            if (st != XA_OK) {
                xa__report(v,
                           XA_FINDING_DAMAGE,
                           "%s: rows %" PRId64 " to %" PRId64 " cannot be read: %s",
                           columns[k].path.text,
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
