/* Rows gathered dataset by dataset and written in one piece: a small image must not cost thirty
 * small writes. */
#include <stdlib.h>
#include <string.h>

#include "record_internal.h"

enum { FLUSH_BYTES = 8 << 20 };

/* Consecutive rows of one dataset. */
typedef struct column {
    int64_t first, count;
    size_t row_bytes, cap;
    unsigned char *data;
} column;

/* Checksums of the unit that is being staged, on their way to their field. */
typedef struct sums {
    int64_t first, count;
    uint32_t *value;
    size_t cap;
} sums;

struct xa_stage {
    const xa_contents *contents;
    xa_archive *archive;
    column *columns; /* [ncolumns] by field index */
    size_t ncolumns;
    size_t bytes; /* gathered in all columns */
    int nfields;
    int *into;      /* [nfields] the field with the checksums of this one's rows, -1: none */
    uint64_t *seed; /* [nfields] of the rows' checksums */
    sums *sums;     /* [nfields] of fields that are checksums */
};

xa_status xa_stage_create(const xa_contents *c, xa_archive *archive, xa_stage **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_stage *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_NOMEM_FAIL(err);
    s->contents = c;
    s->archive = archive;
    s->nfields = xa_schema_fields(c->schema);
    s->into = xa_alloc((size_t)s->nfields + 1, sizeof *s->into);
    s->seed = xa_alloc((size_t)s->nfields + 1, sizeof *s->seed);
    s->sums = xa_alloc((size_t)s->nfields + 1, sizeof *s->sums);
    if (!s->into || !s->seed || !s->sums)
        XA_NOMEM_FAIL(err);
    for (int f = 0; f < s->nfields; f++)
        s->into[f] = xa_schema_checksum(c->schema, f, &s->seed[f]);
    *out = s;
    s = NULL;
done:
    xa_stage_free(s);
    return st;
}

void xa_stage_free(xa_stage *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->ncolumns; i++)
        free(s->columns[i].data);
    for (int f = 0; s->sums && f < s->nfields; f++)
        free(s->sums[f].value);
    free(s->columns);
    free(s->into);
    free(s->seed);
    free(s->sums);
    free(s);
}

static xa_status write_column(xa_stage *s, size_t field, xa_err *err)
{
    column *c = &s->columns[field];
    if (!c->count)
        return XA_OK;
    XA_RETURN_TRY(err, xa_archive_write(s->archive, (int)field, c->first, c->count, c->data, err));
    s->bytes -= (size_t)c->count * c->row_bytes;
    c->count = 0;
    return XA_OK;
}

static xa_status gather(xa_stage *s,
                        int field,
                        int64_t first,
                        int64_t n,
                        size_t row_bytes,
                        const void *data,
                        xa_err *err)
{
    if ((size_t)field >= s->ncolumns) {
        size_t cap = s->ncolumns;
        XA_RETURN_TRY(err, xa_grow(&s->columns, &cap, (size_t)field + 1, sizeof(column), err));
        memset(s->columns + s->ncolumns, 0, (cap - s->ncolumns) * sizeof(column));
        s->ncolumns = cap;
    }
    column *c = &s->columns[field];
    if (c->count && c->first + c->count != first)
        XA_RETURN_TRY(err, write_column(s, (size_t)field, err));
    if (!c->count)
        c->first = first;
    c->row_bytes = row_bytes;
    const size_t have = (size_t)c->count * row_bytes, more = (size_t)n * row_bytes;
    XA_RETURN_TRY(err, xa_grow(&c->data, &c->cap, have + more, 1, err));
    memcpy(c->data + have, data, more);
    c->count += n;
    s->bytes += more;
    return XA_OK;
}

/* The rows' part of their checksums. */
static xa_status sum(xa_stage *s,
                     int field,
                     int64_t first,
                     int64_t n,
                     size_t row_bytes,
                     const void *data,
                     xa_err *err)
{
    const int into = s->into[field];
    if (into < 0 || !n)
        return XA_OK;
    sums *x = &s->sums[into];
    if (!x->count) {
        XA_RETURN_TRY(err, xa_grow(&x->value, &x->cap, (size_t)n, sizeof *x->value, err));
        memset(x->value, 0, (size_t)n * sizeof *x->value);
        x->first = first;
        x->count = n;
    }
    if (x->first != first || x->count != n)
        XA_RETURN_FAIL(err, XA_INVALID, "field %d: its rows are not those of its checksums", field);
    xa_checksum_rows(s->seed[field], data, n, row_bytes, x->value);
    return XA_OK;
}

/* Rows of a field, of the width that the schema says. -1: the archive does not have the field. */
static xa_status
put(xa_stage *s, int field, int64_t first, int64_t n, const void *data, xa_err *err)
{
    const size_t row_bytes = xa_schema_row_bytes(s->contents->schema, field);
    if (field < 0 || !n)
        return XA_OK;
    XA_RETURN_TRY(err, sum(s, field, first, n, row_bytes, data, err));
    return gather(s, field, first, n, row_bytes, data, err);
}

/* All columns of an owner: their fields beside their rows. */
static xa_status put_columns(xa_stage *s,
                             xa_owner owner,
                             const int *field,
                             int64_t first,
                             int64_t n,
                             void *const *rows,
                             xa_err *err)
{
    for (int i = 0; i < xa_owner_fields(owner); i++) {
        /* rank 0 writes the status when everything else is on the disk */
        if (xa_owned_field(owner, i) == XA_FIELD_MODEL_STATUS)
            XA_RETURN_TRY(err, sum(s, field[i], first, n, sizeof(uint8_t), rows[i], err));
        else
            XA_RETURN_TRY(err, put(s, field[i], first, n, rows[i], err));
    }
    return XA_OK;
}

/* A unit's checksums, once all its rows are in them. */
static xa_status put_sums(xa_stage *s, xa_err *err)
{
    for (int f = 0; f < s->nfields; f++) {
        sums *x = &s->sums[f];
        if (x->count)
            XA_RETURN_TRY(err, gather(s, f, x->first, x->count, sizeof *x->value, x->value, err));
        x->count = 0;
    }
    return XA_OK;
}

static xa_status
put_maps(xa_stage *s, const xa_place *place, const xa_rows *rows, int m, int e, xa_err *err)
{
    const xa_map_rows *x = &rows->models[m].maps[e];
    const xa_map_fields *f = &s->contents->models[m].maps[e];
    const xa_explainer_spec *spec = &s->contents->job->audit.models[m].explainers[e];
    const int64_t n = x->count;
    const int64_t first = spec->target == XA_TARGET_LABEL       ? place->labels
                          : spec->target == XA_TARGET_ANNOTATED ? place->annotated
                          : spec->target == XA_TARGET_TOP       ? place->sample * spec->top
                                                                : place->sample;
    XA_RETURN_TRY(err, put(s, f->values, first, n, x->values, err));
    XA_RETURN_TRY(err, put_columns(s, XA_OWNER_MAP, f->column, first, n, x->column, err));
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        XA_RETURN_TRY(err, put(s, f->score[k], first, n, x->score[k], err));
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(&s->contents->job->audit, (xa_check_kind)k))
            XA_RETURN_TRY(err, put(s, f->check[k], first, n, x->check[k], err));
    for (int k = 0; k < s->contents->job->audit.nfaith; k++) {
        const xa_check_rows *c = &x->faith[k];
        XA_RETURN_TRY(err, put(s, f->faith[k].status, first, n, c->status, err));
        XA_RETURN_TRY(err, put(s, f->faith[k].figures, first, n, c->figures, err));
        XA_RETURN_TRY(err, put(s, f->faith[k].scores, first, n, c->scores, err));
        XA_RETURN_TRY(err, put(s, f->faith[k].probs, first, n, c->probs, err));
    }
    return XA_OK;
}

/* Scores and statistics of an explainer or baseline. */
static xa_status
put_scores(xa_stage *s, const xa_place *place, const xa_rows *rows, int m, int e, xa_err *err)
{
    const xa_model_rows *x = &rows->models[m];
    const xa_map_fields *f = &s->contents->models[m].maps[e];
    const xa_audit_spec *spec = &s->contents->job->audit;
    const int64_t at = place->annotated, n = rows->npairs;
    for (int k = 0; k < spec->nmetrics; k++) {
        const int i = e * spec->nmetrics + k;
        XA_RETURN_TRY(err, put(s, f->localisation[k], at, n, x->localisation[i], err));
        XA_RETURN_TRY(err, put(s, f->statistic[k], at, n, x->statistic[i], err));
    }
    return XA_OK;
}

static xa_status
put_model(xa_stage *s, const xa_place *place, const xa_rows *rows, int m, xa_err *err)
{
    const xa_model_rows *x = &rows->models[m];
    const xa_model_fields *f = &s->contents->models[m];
    const xa_audit_spec *spec = &s->contents->job->audit;
    const int64_t at = place->sample, n = rows->n;
    XA_RETURN_TRY(err, put_columns(s, XA_OWNER_MODEL, f->column, at, n, x->column, err));
    for (int e = 0; e < spec->models[m].nexplainers; e++)
        XA_RETURN_TRY(err, put_maps(s, place, rows, m, e, err));
    for (int e = 0; spec->nmetrics && e < xa_scored(&spec->models[m]); e++)
        XA_RETURN_TRY(err, put_scores(s, place, rows, m, e, err));
    for (int k = 0; k < xa_explainer_pairs(&spec->models[m]) * XA_AGREEMENT_COUNT; k++)
        XA_RETURN_TRY(err, put(s, f->agreement[k], at, n, x->agreement[k], err));
    return XA_OK;
}

static xa_status flush(xa_stage *s, xa_err *err)
{
    for (size_t i = 0; i < s->ncolumns; i++)
        XA_RETURN_TRY(err, write_column(s, i, err));
    return XA_OK;
}

xa_status xa_stage_unit(xa_stage *s, const xa_place *place, const xa_rows *rows, xa_err *err)
{
    const xa_contents *c = s->contents;
    XA_RETURN_TRY(
        err, put_columns(s, XA_OWNER_SAMPLE, c->sample, place->sample, rows->n, rows->sample, err));
    XA_RETURN_TRY(err,
                  put_columns(s,
                              XA_OWNER_ANNOTATION,
                              c->annotation,
                              place->annotations,
                              rows->nannotations,
                              rows->annotation,
                              err));
    for (int m = 0; m < rows->nmodels; m++)
        XA_RETURN_TRY(err, put_model(s, place, rows, m, err));
    XA_RETURN_TRY(err, put_sums(s, err));
    return s->bytes >= FLUSH_BYTES ? flush(s, err) : XA_OK;
}

xa_status xa_stage_commit(xa_stage *s, xa_err *err)
{
    XA_RETURN_TRY(err, flush(s, err));
    return xa_archive_sync(s->archive, err);
}
