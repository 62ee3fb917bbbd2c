/* Maps that an archive holds already: `xaudit evaluate --checks` runs a job over them. The job's
 * passes and explainers must be those that they were made with, and so must the pixels of every
 * image; then the archive is, to the byte, that of a run that had asked for the checks at once. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run_internal.h"

/* A dataset of rows, of one explainer. */
typedef struct column {
    char *path; /* NULL: the explainer has none */
    size_t bytes;
} column;

typedef struct stored_map {
    const xa_read_map *x;
    column values, random_logit, own[XA_FIELDS_OF(MAP)];
} stored_map;

struct xa__stored {
    const char *path;
    xa_read *r;
    const xa_read_model **model; /* [models of the job] */
    stored_map **map;            /* [models][explainers] */
    const xa_audit_spec *spec;   /* the job's */
    uint64_t *pixel_hash;        /* [samples] */
    int64_t sample;              /* that the unit begins with */
};

static void free_map(stored_map *m)
{
    free(m->values.path);
    free(m->random_logit.path);
    for (int i = 0; i < XA_FIELDS_OF(MAP); i++)
        free(m->own[i].path);
}

void xa__stored_close(xa__stored *s)
{
    if (!s)
        return;
    for (int m = 0; s->map && m < s->spec->nmodels; m++) {
        for (int e = 0; s->map[m] && e < s->spec->models[m].nexplainers; e++)
            free_map(&s->map[m][e]);
        free(s->map[m]);
    }
    free(s->map);
    free((void *)s->model);
    free(s->pixel_hash);
    xa_read_close(s->r);
    free(s);
}

void xa__stored_at(xa__stored *s, int64_t sample)
{
    if (s)
        s->sample = sample;
}

/* ---- opening ---- */

/* One row for each of the map's, of the table's type and extents; `any`: an explainer may have
 * none. */
static xa_status open_column(const xa__stored *s,
                             xa_field_kind kind,
                             const char *model,
                             const stored_map *m,
                             const char *key,
                             bool any,
                             column *out,
                             xa_err *err)
{
    const xa_path path = xa_field_name(kind, model, m->x->name, key);
    xa_extents x = xa_extents_unknown();
    xa_dataset_info info;
    int64_t dim[5];
    x.rows = m->x->rows;
    const xa_status st = xa_archive_dataset(s->r->archive, path.text, &info, err);
    if (st == XA_NOT_FOUND && any) {
        *err = (xa_err)XA_ERR_INIT;
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    const int ndim = xa_field_dims(kind, &x, dim);
    bool fits = info.ndim == ndim && info.type == xa_field_get(kind)->type;
    out->bytes = xa_type_bytes(info.type);
    for (int d = 0; fits && d < ndim; d++) {
        fits = dim[d] < 0 || dim[d] == info.dim[d];
        out->bytes *= d ? (size_t)info.dim[d] : 1;
    }
    if (!fits)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: %s is not as the format has it", s->path, path.text);
    out->path = xa_strdup(path.text);
    if (!out->path)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* Values have the type and extents of the explainer's maps. */
static xa_status
open_values(const xa__stored *s, const xa_audit *a, int m, int e, stored_map *out, xa_err *err)
{
    const xa_explainer_spec *ex = &s->spec->models[m].explainers[e];
    const xa_shape shape = xa_audit_map_shape(a, m, e);
    const xa_path path = xa_field_name(XA_FIELD_MAP_VALUES, s->model[m]->name, ex->name, NULL);
    xa_dataset_info info;
    XA_RETURN_TRY(err, xa_archive_check_link(s->r->archive, path.text, err));
    XA_RETURN_TRY(err, xa_archive_dataset(s->r->archive, path.text, &info, err));
    if (info.ndim != 4 || info.type != (ex->half ? XA_TYPE_F16 : XA_TYPE_F32) ||
        info.dim[0] != out->x->rows || info.dim[1] != shape.dim[0] || info.dim[2] != shape.dim[1] ||
        info.dim[3] != shape.dim[2])
        XA_RETURN_FAIL(
            err, XA_MISMATCH, "%s: %s does not hold maps of this job", s->path, path.text);
    out->values.bytes = (size_t)xa_shape_count(&shape) * xa_type_bytes(info.type);
    out->values.path = xa_strdup(path.text);
    if (!out->values.path)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

static xa_status
open_map(const xa__stored *s, const xa_audit *a, int m, int e, stored_map *out, xa_err *err)
{
    const xa_read_model *model = s->model[m];
    const char *name = s->spec->models[m].explainers[e].name;
    for (int64_t k = 0; k < model->nmaps; k++)
        if (!strcmp(model->maps[k].name, name))
            out->x = &model->maps[k];
    if (!out->x)
        XA_RETURN_FAIL(
            err, XA_MISMATCH, "%s: %s has no maps called \"%s\"", s->path, model->name, name);
    XA_RETURN_TRY(err, open_values(s, a, m, e, out, err));
    for (int i = 0; i < XA_FIELDS_OF(MAP); i++)
        XA_RETURN_TRY(err,
                      open_column(s,
                                  xa_owned_field(XA_OWNER_MAP, i),
                                  model->name,
                                  out,
                                  NULL,
                                  true,
                                  &out->own[i],
                                  err));
    if (!s->spec->random_logit)
        return XA_OK;
    XA_RETURN_TRY(err,
                  open_column(s,
                              XA_FIELD_MAP_SCORE,
                              model->name,
                              out,
                              xa_check_name(XA_CHECK_RANDOM_LOGIT),
                              true,
                              &out->random_logit,
                              err));
    if (!out->random_logit.path)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "check random_logit compares maps with those of another class, which %s does "
            "not hold: leave it out, or run the job anew",
            s->path);
    return XA_OK;
}

static xa_status open_model(xa__stored *s, const xa_audit *a, int m, xa_err *err)
{
    const xa_audit_model_spec *spec = &s->spec->models[m];
    for (int64_t k = 0; k < s->r->nmodels; k++)
        if (!strcmp(s->r->models[k].name, spec->name))
            s->model[m] = &s->r->models[k];
    if (!s->model[m])
        XA_RETURN_FAIL(err, XA_MISMATCH, "%s has no model \"%s\"", s->path, spec->name);
    for (int64_t i = 0; i < s->r->samples; i++)
        if (s->model[m]->status[i] == XA_SAMPLE_PENDING)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s is not finished: `xaudit run` resumes it, and then its maps can be "
                           "checked",
                           s->path);
    s->map[m] = xa_alloc((size_t)spec->nexplainers + 1, sizeof **s->map);
    if (!s->map[m])
        XA_RETURN_NOMEM(err);
    for (int e = 0; e < spec->nexplainers; e++)
        XA_RETURN_TRY(err, open_map(s, a, m, e, &s->map[m][e], err));
    return XA_OK;
}

static xa_status open_source(xa__run *r, xa_err *err)
{
    xa_dataset_info info;
    const int n = r->loaded.job.audit.nmodels;
    xa__stored *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_RETURN_NOMEM(err);
    r->stored = s;
    s->path = r->opt.maps_from;
    s->spec = &r->loaded.job.audit;
    XA_RETURN_TRY(err, xa_read_open(s->path, &s->r, err));
    s->model = xa_alloc((size_t)n + 1, sizeof *s->model);
    s->map = xa_alloc((size_t)n + 1, sizeof *s->map);
    if (!s->model || !s->map)
        XA_RETURN_NOMEM(err);
    if (s->r->samples != r->counts.samples)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s is of %" PRId64 " samples, the job's manifest has %" PRId64,
                       s->path,
                       s->r->samples,
                       r->counts.samples);
    for (int m = 0; m < n; m++)
        XA_RETURN_TRY(err, open_model(s, r->loaded.audit, m, err));
    XA_RETURN_TRY(err,
                  xa_archive_read_all(s->r->archive,
                                      xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH),
                                      &info,
                                      (void **)&s->pixel_hash,
                                      err));
    if (info.type != XA_TYPE_U64 || info.ndim != 1 || info.dim[0] != s->r->samples)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: %s holds no hashes", s->path, info.path);
    return XA_OK;
}

/* ---- one sample ---- */

static xa_status read_rows(
    const xa__stored *s, const column *c, int64_t row, int64_t n, void *to, size_t at, xa_err *err)
{
    if (!c->path || !to)
        return XA_OK;
    return xa_archive_read(
        s->r->archive, c->path, row, n, (unsigned char *)to + at * c->bytes, err);
}

static xa_status take(void *arg,
                      const xa_rows *rows,
                      int m,
                      int e,
                      int64_t slot,
                      xa_map_rows *x,
                      int64_t first,
                      int64_t count,
                      xa_err *err)
{
    const xa__stored *s = arg;
    const int64_t sample = s->sample + slot;
    const stored_map *map = &s->map[m][e];
    const int64_t row = xa_read_first_row(map->x, sample);
    char id[256];
    xa_read_text(s->r->id, s->r->id_bytes, sample, id, sizeof id);
    if (s->model[m]->status[sample] != XA_SAMPLE_DONE)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "image %s has no maps in %s, where it is %s: run the job anew",
                       id,
                       s->path,
                       xa_read_status_name(s->model[m]->status[sample]));
    if (rows->pixel_hash[slot] != s->pixel_hash[sample])
        XA_RETURN_FAIL(
            err,
            XA_MISMATCH,
            "image %s has other pixels than when its maps were made: restore the earlier "
            "file, or run the job anew",
            id);
    if (row + count > map->x->rows || map->x->sample[row] != sample ||
        map->x->sample[row + count - 1] != sample)
        XA_RETURN_FAIL(
            err, XA_MISMATCH, "%s: %s has other rows of image %s", s->path, map->x->name, id);
    XA_RETURN_TRY(err, read_rows(s, &map->values, row, count, x->values, (size_t)first, err));
    for (int i = 0; i < XA_FIELDS_OF(MAP); i++)
        XA_RETURN_TRY(err,
                      read_rows(s, &map->own[i], row, count, x->column[i], (size_t)first, err));
    for (int64_t k = first; k < first + count; k++) {
        const unsigned char *values = (unsigned char *)x->values + (size_t)k * map->values.bytes;
        if (isfinite(x->scale[k]) && xa_checksum(values, map->values.bytes) != x->checksum[k])
            return xa_mend_fail(
                s->path, err, "%s: the map of image %s is damaged", map->values.path, id);
    }
    return read_rows(
        s, &map->random_logit, row, count, x->check[XA_CHECK_RANDOM_LOGIT], (size_t)first, err);
}

/* ---- the run ---- */

xa_status xa__stored_open(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    if (!r->opt.maps_from)
        return XA_OK;
    st = open_source(r, &mine);
    if (st == XA_OK)
        xa_audit_take_maps(r->loaded.audit, take, r->stored);
    else
        r->refused = true;
    return xa_comm_agree(r->comm, st, &mine, err);
}

typedef struct differing {
    int n;
    xa_str text;
} differing;

/* Lines of what maps are made of; those of scores may differ. */
static void note_line(void *arg, const xa_identity_line *l)
{
    static const char *const parts[] = {"pass.", "maps."};
    differing *d = arg;
    for (int k = 0; k < 2; k++)
        if (l->key_size > 5 && !strncmp(l->key, parts[k], 5)) {
            d->n++;
            xa_identity_tell(&d->text, l, "archive", "job");
            return;
        }
}

xa_status xa__stored_check(const xa__run *r, const char *identity, xa_err *err)
{
    xa_status st = XA_OK;
    char *theirs = NULL;
    differing d = {0};
    if (!r->stored)
        return XA_OK;
    XA_TRY(err, xa_archive_text(r->stored->r->archive, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    if (!theirs)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute identity_text of / is missing", r->stored->path);
    (void)xa_identity_compare(theirs, identity, note_line, &d);
    if (d.n)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s holds maps that this job would not make, %d setting%s: %s",
                r->stored->path,
                d.n,
                d.n == 1 ? " differs" : "s differ",
                d.text.data ? d.text.data : "");
done:
    xa_str_free(&d.text);
    free(theirs);
    return st;
}
