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

/* Checksums of the unit in hand, on their way to their field. */
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
        XA_FAIL(err, XA_NOMEM, "rows: out of memory");
    s->contents = c;
    s->archive = archive;
    s->nfields = xa_schema_fields(c->schema);
    s->into = xa_alloc((size_t)s->nfields + 1, sizeof *s->into);
    s->seed = xa_alloc((size_t)s->nfields + 1, sizeof *s->seed);
    s->sums = xa_alloc((size_t)s->nfields + 1, sizeof *s->sums);
    if (!s->into || !s->seed || !s->sums)
        XA_FAIL(err, XA_NOMEM, "rows: out of memory");
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
        XA_RETURN_FAIL(err, XA_INVALID, "field %d: other rows than its checksums", field);
    xa_checksum_rows(s->seed[field], data, n, row_bytes, x->value);
    return XA_OK;
}

static xa_status put(xa_stage *s,
                     int field,
                     int64_t first,
                     int64_t n,
                     size_t row_bytes,
                     const void *data,
                     xa_err *err)
{
    if (!n)
        return XA_OK;
    XA_RETURN_TRY(err, sum(s, field, first, n, row_bytes, data, err));
    return gather(s, field, first, n, row_bytes, data, err);
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
    const xa_shape shape = xa_audit_map_shape(s->contents->audit, m, e);
    const int64_t n = x->count;
    const int64_t first = spec->target == XA_TARGET_LABEL       ? place->labels
                          : spec->target == XA_TARGET_ANNOTATED ? place->annotated
                                                                : place->sample;
    const size_t item = spec->half ? sizeof(uint16_t) : sizeof(float);
    XA_RETURN_TRY(
        err, put(s, f->values, first, n, (size_t)xa_shape_count(&shape) * item, x->values, err));
    XA_RETURN_TRY(err, put(s, f->scale, first, n, sizeof *x->scale, x->scale, err));
    XA_RETURN_TRY(err, put(s, f->target, first, n, sizeof *x->target, x->target, err));
    XA_RETURN_TRY(err, put(s, f->flags, first, n, sizeof *x->flags, x->flags, err));
    XA_RETURN_TRY(err, put(s, f->maximum, first, n, sizeof *x->maximum, x->maximum, err));
    XA_RETURN_TRY(err, put(s, f->peak, first, n, 2 * sizeof *x->peak, x->peak, err));
    XA_RETURN_TRY(err, put(s, f->checksum, first, n, sizeof *x->checksum, x->checksum, err));
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        XA_RETURN_TRY(err, put(s, f->score[k], first, n, sizeof(double), x->score[k], err));
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(&s->contents->job->audit, (xa_check_kind)k))
            XA_RETURN_TRY(err, put(s, f->check[k], first, n, sizeof(double), x->check[k], err));
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
        const size_t bytes = xa_metric_statistic_bytes(&spec->metrics[k]);
        XA_RETURN_TRY(err,
                      put(s, f->localisation[k], at, n, sizeof(double), x->localisation[i], err));
        if (f->statistic[k] >= 0)
            XA_RETURN_TRY(err, put(s, f->statistic[k], at, n, bytes, x->statistic[i], err));
    }
    return XA_OK;
}

static xa_status
put_model(xa_stage *s, const xa_place *place, const xa_rows *rows, int m, xa_err *err)
{
    const xa_model_rows *x = &rows->models[m];
    const xa_model_fields *f = &s->contents->models[m];
    const xa_audit_spec *spec = &s->contents->job->audit;
    const size_t classes = (size_t)xa_audit_classes(s->contents->audit, m) * sizeof(float);
    const int64_t at = place->sample, n = rows->n;
    XA_RETURN_TRY(err, put(s, f->logits, at, n, classes, x->logits, err));
    XA_RETURN_TRY(err, put(s, f->probs, at, n, classes, x->probs, err));
    XA_RETURN_TRY(err, put(s, f->predicted, at, n, sizeof *x->predicted, x->predicted, err));
    XA_RETURN_TRY(err, put(s, f->affine, at, n, 6 * sizeof *x->affine, x->affine, err));
    /* rank 0 writes the status when all else is on the disk */
    XA_RETURN_TRY(err, sum(s, f->status, at, n, 1, x->status, err));
    XA_RETURN_TRY(err, put(s, f->stage, at, n, 1, x->stage, err));
    XA_RETURN_TRY(err, put(s, f->message, at, n, XA_MESSAGE_BYTES, x->message, err));
    for (int e = 0; e < spec->models[m].nexplainers; e++)
        XA_RETURN_TRY(err, put_maps(s, place, rows, m, e, err));
    for (int e = 0; spec->nmetrics && e < xa_scored(&spec->models[m]); e++)
        XA_RETURN_TRY(err, put_scores(s, place, rows, m, e, err));
    for (int k = 0; k < xa_explainer_pairs(&spec->models[m]) * XA_AGREEMENT_COUNT; k++)
        XA_RETURN_TRY(err, put(s, f->agreement[k], at, n, sizeof(double), x->agreement[k], err));
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
    const int64_t at = place->sample, n = rows->n;
    XA_RETURN_TRY(err, put(s, c->width, at, n, sizeof *rows->width, rows->width, err));
    XA_RETURN_TRY(err, put(s, c->height, at, n, sizeof *rows->height, rows->height, err));
    XA_RETURN_TRY(err,
                  put(s, c->pixel_hash, at, n, sizeof *rows->pixel_hash, rows->pixel_hash, err));
    XA_RETURN_TRY(
        err, put(s, c->problem, place->annotations, rows->nannotations, 1, rows->problem, err));
    XA_RETURN_TRY(err,
                  put(s,
                      c->mask_hash,
                      place->annotations,
                      rows->nannotations,
                      sizeof *rows->mask_hash,
                      rows->mask_hash,
                      err));
    XA_RETURN_TRY(err, put(s, c->seconds, at, n, sizeof *rows->seconds, rows->seconds, err));
    if (rows->thumbnail) {
        const size_t bytes = xa_thumbnail_bytes(&c->job->audit);
        XA_RETURN_TRY(err, put(s, c->thumbnail, at, n, bytes, rows->thumbnail, err));
        XA_RETURN_TRY(
            err, put(s, c->thumbnail_size, at, n, 2 * sizeof(int32_t), rows->thumbnail_size, err));
    }
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
