/* Is an archive whole? The walk over its groups, and how rows are read. */
#include "verify.h"

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
    if (xa_archive_dataset(v->archive, "/samples/id", &info, NULL) == XA_OK &&
        info.type == XA_TYPE_STR && info.item_bytes < row_most)
        id = xa_alloc(info.item_bytes + 1, 1);
    if (id && xa_archive_read(v->archive, "/samples/id", sample, 1, id, NULL) == XA_OK)
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
            XA_FAIL(err, XA_NOMEM, "%s: no memory for its rows", columns[k].path);
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

static void free_names(char **names, int64_t n)
{
    for (int64_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

/* A group that is not there has no members. */
static xa_status list(xa_verifier *v, const char *group, char ***names, int64_t *n, xa_err *err)
{
    *names = NULL;
    *n = 0;
    const xa_status st = xa_archive_list(v->archive, group, names, n, err);
    return st == XA_NOT_FOUND ? XA_OK : st;
}

static xa_status check_model(xa_verifier *v, const char *model, xa_err *err)
{
    uint8_t *status = v->models[v->nmodels].status;
    char **maps = NULL;
    int64_t nmaps = 0, classes = 0;
    bool usable = false;
    xa_status st = XA_OK;
    char *group = xa_strfmt("/maps/%s", model);
    if (!group)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, xa_verify_model(v, model, status, &classes, &usable, err));
    if (!usable)
        goto done;
    XA_TRY(err, list(v, group, &maps, &nmaps, err));
    v->classes = classes > v->classes ? classes : v->classes;
    v->models[v->nmodels].model = xa_strdup(model);
    if (!v->models[v->nmodels].model)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    v->nmodels++; /* its status stays */
    for (int64_t e = 0; e < nmaps; e++) {
        XA_TRY(err, xa_verify_maps(v, model, maps[e], status, classes, err));
        v->out->explainers++;
    }
done:
    free_names(maps, nmaps);
    free(group);
    return st;
}

static void check_state(xa_verifier *v)
{
    xa_err why = XA_ERR_INIT;
    if (xa_archive_read(v->archive, "/run/state", 0, 1, &v->out->state, &why) != XA_OK)
        xa_verify_tell(v, XA_FINDING_DAMAGE, "/run/state: %s", why.message);
    else if (v->out->state > 2)
        xa_verify_tell_row(
            v, XA_MENDED_BY_RUN, "/run/state: expected 0, 1 or 2, found %d", v->out->state);
}

/* Maps of a model that is not there. */
static bool is_among(const char *name, char **names, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static xa_status check_models(xa_verifier *v, xa_err *err)
{
    char **models = NULL, **mapped = NULL;
    int64_t nmodels = 0, nmapped = 0;
    xa_status st = XA_OK;
    XA_TRY(err, list(v, "/models", &models, &nmodels, err));
    v->models = xa_alloc((size_t)nmodels + 1, sizeof *v->models);
    if (!v->models)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, list(v, "/maps", &mapped, &nmapped, err));
    if (!nmodels)
        xa_verify_tell(v, XA_FINDING_DAMAGE, "/models: expected a model, found none");
    for (int64_t m = 0; m < nmodels; m++) {
        uint8_t **status = &v->models[v->nmodels].status;
        if (!*status)
            *status = xa_alloc((size_t)v->samples + 1, 1);
        if (!*status)
            XA_FAIL(err, XA_NOMEM, "no memory for %" PRId64 " statuses", v->samples);
        XA_TRY(err, check_model(v, models[m], err));
        v->out->models++;
    }
    for (int64_t m = 0; m < nmapped; m++)
        if (!is_among(mapped[m], models, nmodels))
            xa_verify_tell(v,
                           XA_FINDING_DAMAGE,
                           "/maps/%s: there is no model of this name in /models",
                           mapped[m]);
done:
    free_names(models, nmodels);
    free_names(mapped, nmapped);
    return st;
}

static void fini(xa_verifier *v)
{
    for (int64_t m = 0; v->models && m <= v->nmodels; m++) { /* one more may have been begun */
        free(v->models[m].model);
        free(v->models[m].status);
    }
    free(v->models);
    free(v->measured);
    free(v->excluded);
    free(v->told);
    free(v->doubted);
    if (v->archive && xa_archive_close(v->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
}

xa_status xa_verify(const char *path, const xa_verify_options *opt, xa_verdict *out, xa_err *err)
{
    xa_verifier v = {.opt = opt, .out = out, .pairs = -1};
    const int64_t any = -1;
    xa_verify_column id;
    xa_status st = XA_OK;
    *out = (xa_verdict){0};
    XA_TRY(err, xa_archive_open_read(path, &v.archive, err));
    check_state(&v);
    if (!xa_verify_column_find(&v, &id, "/samples", "id", XA_TYPE_STR, 1, &any))
        goto done;
    v.measured = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.excluded = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.told = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.doubted = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    if (!v.measured || !v.excluded || !v.told || !v.doubted)
        XA_FAIL(err, XA_NOMEM, "no memory for %" PRId64 " samples", id.info.dim[0]);
    out->samples = v.samples = id.info.dim[0];
    XA_TRY(err, xa_verify_tables(&v, err));
    XA_TRY(err, check_models(&v, err));
    if (v.classes)
        XA_TRY(err, xa_verify_classes(&v, v.classes, err));
    XA_TRY(err, xa_verify_sums(&v, err));
    if (opt->images)
        XA_TRY(err, xa_verify_images(&v, err));
done:
    fini(&v);
    return st;
}
