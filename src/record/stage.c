/* Rows of a block, column by column: a small image must not cost thirty small writes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record_internal.h"

/* What the rows of a column are counted by. */
typedef enum counted { BY_NONE, BY_SAMPLE, BY_LABEL, BY_ANNOTATED, BY_ANNOTATION } counted;

/* A field of the archive, as a column of a block. */
typedef struct column {
    counted by;
    int64_t times; /* rows of each */
    size_t row_bytes;
    size_t offset; /* in the block of `laid_out` */
    int into;      /* the field with the checksums of this one's rows, -1: none */
    uint64_t seed; /* of the rows' checksums */
    bool sums;     /* this one is checksums */
} column;

struct xa_stage {
    const xa_contents *contents;
    int nfields;
    column *column; /* [nfields]; BY_NONE: not gathered */
    int *fields;    /* [ncolumns] */
    int ncolumns;
    xa_span laid_out; /* the block that the offsets are of */
};

/* ---- which columns there are ----------------------------------------------------------------- */

static void declare(xa_stage *s, int field, counted by, int64_t times)
{
    if (field < 0)
        return;
    column *c = &s->column[field];
    c->by = by;
    c->times = times;
    c->row_bytes = xa_schema_row_bytes(s->contents->schema, field);
    c->into = xa_schema_checksum(s->contents->schema, field, &c->seed);
    if (c->into >= 0) {
        column *sums = &s->column[c->into];
        sums->by = by;
        sums->times = times;
        sums->row_bytes = sizeof(uint32_t);
        sums->into = -1;
        sums->sums = true;
    }
}

static void declare_maps(xa_stage *s, int m, int e)
{
    const xa_audit_spec *spec = &s->contents->job->audit;
    const xa_map_fields *f = &s->contents->models[m].maps[e];
    const xa_explainer_spec *x = &spec->models[m].explainers[e];
    const counted by = x->target == XA_TARGET_LABEL       ? BY_LABEL
                       : x->target == XA_TARGET_ANNOTATED ? BY_ANNOTATED
                                                          : BY_SAMPLE;
    const int64_t times = x->target == XA_TARGET_TOP ? x->top : 1;
    declare(s, f->values, by, times);
    for (int i = 0; i < xa_owner_fields(XA_OWNER_MAP); i++)
        declare(s, f->column[i], by, times);
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        declare(s, f->score[k], by, times);
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(spec, (xa_check_kind)k))
            declare(s, f->check[k], by, times);
    for (int k = 0; k < spec->nfaith; k++) {
        declare(s, f->faith[k].status, by, times);
        declare(s, f->faith[k].figures, by, times);
        declare(s, f->faith[k].scores, by, times);
        declare(s, f->faith[k].probs, by, times);
    }
}

static void declare_model(xa_stage *s, int m)
{
    const xa_audit_spec *spec = &s->contents->job->audit;
    const xa_model_fields *f = &s->contents->models[m];
    for (int i = 0; i < xa_owner_fields(XA_OWNER_MODEL); i++)
        declare(s, f->column[i], BY_SAMPLE, 1);
    for (int e = 0; e < spec->models[m].nexplainers; e++)
        declare_maps(s, m, e);
    for (int e = 0; spec->nmetrics && e < xa_scored(&spec->models[m]); e++) {
        for (int k = 0; k < spec->nmetrics; k++) {
            declare(s, f->maps[e].localisation[k], BY_ANNOTATED, 1);
            declare(s, f->maps[e].statistic[k], BY_ANNOTATED, 1);
        }
    }
    for (int k = 0; k < xa_explainer_pairs(&spec->models[m]) * XA_AGREEMENT_COUNT; k++)
        declare(s, f->agreement[k], BY_SAMPLE, 1);
}

/* Rank 0 writes the status when everything else is on the disk; its checksums go before it. */
static bool is_gathered(const xa_stage *s, int field)
{
    for (int m = 0; m < s->contents->job->audit.nmodels; m++)
        if (field == s->contents->models[m].status)
            return false;
    return s->column[field].by != BY_NONE;
}

xa_status xa_stage_create(const xa_contents *c, xa_stage **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_stage *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_NOMEM_FAIL(err);
    s->contents = c;
    s->nfields = xa_schema_fields(c->schema);
    s->column = xa_alloc((size_t)s->nfields + 1, sizeof *s->column);
    s->fields = xa_alloc((size_t)s->nfields + 1, sizeof *s->fields);
    if (!s->column || !s->fields)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < xa_owner_fields(XA_OWNER_SAMPLE); i++)
        declare(s, c->sample[i], BY_SAMPLE, 1);
    for (int i = 0; i < xa_owner_fields(XA_OWNER_ANNOTATION); i++)
        declare(s, c->annotation[i], BY_ANNOTATION, 1);
    for (int m = 0; m < c->job->audit.nmodels; m++)
        declare_model(s, m);
    for (int f = 0; f < s->nfields; f++)
        if (is_gathered(s, f))
            s->fields[s->ncolumns++] = f;
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
    free(s->column);
    free(s->fields);
    free(s);
}

int xa_stage_columns(const xa_stage *s)
{
    return s->ncolumns;
}

/* ---- where they lie -------------------------------------------------------------------------- */

static int64_t row_of(const column *c, const xa_place *p)
{
    switch (c->by) {
    case BY_SAMPLE:
        return c->times * p->sample;
    case BY_LABEL:
        return c->times * p->labels;
    case BY_ANNOTATED:
        return c->times * p->annotated;
    case BY_ANNOTATION:
        return c->times * p->annotations;
    case BY_NONE:
        break;
    }
    return 0;
}

static int64_t rows_of(const column *c, const xa_span *span)
{
    return row_of(c, &span->to) - row_of(c, &span->from);
}

static bool add_rows(size_t *bytes, size_t row_bytes, int64_t rows)
{
    size_t more;
    if (rows < 0 || !xa_size_mul(row_bytes, (size_t)rows, &more) ||
        more > SIZE_MAX / 2 - XA_ALIGN - *bytes)
        return false;
    *bytes += (more + XA_ALIGN - 1) / XA_ALIGN * XA_ALIGN;
    return true;
}

/* Bytes of a block; with `offsets`, where each column begins. */
static size_t lay_out(const xa_stage *s, const xa_span *block, column *offsets)
{
    size_t bytes = 0;
    if (!add_rows(
            &bytes, (size_t)s->contents->job->audit.nmodels, block->to.sample - block->from.sample))
        return SIZE_MAX;
    for (int i = 0; i < s->ncolumns; i++) {
        const column *c = &s->column[s->fields[i]];
        if (offsets)
            offsets[s->fields[i]].offset = bytes;
        if (!add_rows(&bytes, c->row_bytes, rows_of(c, block)))
            return SIZE_MAX;
    }
    return bytes;
}

size_t xa_stage_bytes(const xa_stage *s, const xa_span *block)
{
    return lay_out(s, block, NULL);
}

static void find(xa_stage *s, const xa_span *block)
{
    if (memcmp(&s->laid_out, block, sizeof *block) != 0)
        (void)lay_out(s, block, s->column);
    s->laid_out = *block;
}

uint8_t *xa_stage_status(unsigned char *memory)
{
    return memory;
}

/* ---- a unit's rows --------------------------------------------------------------------------- */

/* A unit on its way into a block. */
typedef struct unit {
    xa_stage *s;
    const xa_span *block, *at;
    unsigned char *memory;
} unit;

static unsigned char *address(const unit *u, const column *c)
{
    return u->memory + c->offset +
           (size_t)(row_of(c, &u->at->from) - row_of(c, &u->block->from)) * c->row_bytes;
}

/* The rows' part of their checksums. */
static void sum(const unit *u, int field, int64_t n, const void *data)
{
    const column *c = &u->s->column[field];
    if (c->into >= 0 && n > 0) /* columns begin at multiples of 64 bytes */
        xa_checksum_rows(
            c->seed, data, n, c->row_bytes, (uint32_t *)(void *)address(u, &u->s->column[c->into]));
}

/* Rows of a field, of the width that the schema says. -1: the archive does not have the field. */
static xa_status put(const unit *u, int field, int64_t n, const void *data, xa_err *err)
{
    if (field < 0)
        return XA_OK;
    const column *c = &u->s->column[field];
    if (n != rows_of(c, u->at))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "field %d: a unit has %" PRId64 " rows, %" PRId64 " expected",
                       field,
                       n,
                       rows_of(c, u->at));
    if (n == 0)
        return XA_OK;
    sum(u, field, n, data);
    memcpy(address(u, c), data, (size_t)n * c->row_bytes);
    return XA_OK;
}

/* All columns of an owner: their fields beside their rows. */
static xa_status put_columns(
    const unit *u, xa_owner owner, const int *field, int64_t n, void *const *rows, xa_err *err)
{
    for (int i = 0; i < xa_owner_fields(owner); i++) {
        if (xa_owned_field(owner, i) == XA_FIELD_MODEL_STATUS)
            sum(u, field[i], n, rows[i]);
        else
            XA_RETURN_TRY(err, put(u, field[i], n, rows[i], err));
    }
    return XA_OK;
}

static xa_status put_maps(const unit *u, const xa_rows *rows, int m, int e, xa_err *err)
{
    const xa_contents *c = u->s->contents;
    const xa_map_rows *x = &rows->models[m].maps[e];
    const xa_map_fields *f = &c->models[m].maps[e];
    const int64_t n = x->count;
    XA_RETURN_TRY(err, put(u, f->values, n, x->values, err));
    XA_RETURN_TRY(err, put_columns(u, XA_OWNER_MAP, f->column, n, x->column, err));
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        XA_RETURN_TRY(err, put(u, f->score[k], n, x->score[k], err));
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(&c->job->audit, (xa_check_kind)k))
            XA_RETURN_TRY(err, put(u, f->check[k], n, x->check[k], err));
    for (int k = 0; k < c->job->audit.nfaith; k++) {
        const xa_check_rows *y = &x->faith[k];
        XA_RETURN_TRY(err, put(u, f->faith[k].status, n, y->status, err));
        XA_RETURN_TRY(err, put(u, f->faith[k].figures, n, y->figures, err));
        XA_RETURN_TRY(err, put(u, f->faith[k].scores, n, y->scores, err));
        XA_RETURN_TRY(err, put(u, f->faith[k].probs, n, y->probs, err));
    }
    return XA_OK;
}

/* Scores and statistics of an explainer or baseline. */
static xa_status put_scores(const unit *u, const xa_rows *rows, int m, int e, xa_err *err)
{
    const xa_model_rows *x = &rows->models[m];
    const xa_map_fields *f = &u->s->contents->models[m].maps[e];
    const xa_audit_spec *spec = &u->s->contents->job->audit;
    for (int k = 0; k < spec->nmetrics; k++) {
        const int i = e * spec->nmetrics + k;
        XA_RETURN_TRY(err, put(u, f->localisation[k], rows->npairs, x->localisation[i], err));
        XA_RETURN_TRY(err, put(u, f->statistic[k], rows->npairs, x->statistic[i], err));
    }
    return XA_OK;
}

static xa_status put_model(const unit *u, const xa_rows *rows, int m, xa_err *err)
{
    const xa_model_rows *x = &rows->models[m];
    const xa_model_fields *f = &u->s->contents->models[m];
    const xa_audit_spec *spec = &u->s->contents->job->audit;
    XA_RETURN_TRY(err, put_columns(u, XA_OWNER_MODEL, f->column, rows->n, x->column, err));
    for (int e = 0; e < spec->models[m].nexplainers; e++)
        XA_RETURN_TRY(err, put_maps(u, rows, m, e, err));
    for (int e = 0; spec->nmetrics && e < xa_scored(&spec->models[m]); e++)
        XA_RETURN_TRY(err, put_scores(u, rows, m, e, err));
    for (int k = 0; k < xa_explainer_pairs(&spec->models[m]) * XA_AGREEMENT_COUNT; k++)
        XA_RETURN_TRY(err, put(u, f->agreement[k], rows->n, x->agreement[k], err));
    return XA_OK;
}

/* The status of every model for every sample. */
static void put_status(const unit *u, const xa_rows *rows)
{
    uint8_t *to = xa_stage_status(u->memory) +
                  (size_t)(u->at->from.sample - u->block->from.sample) * (size_t)rows->nmodels;
    for (int64_t i = 0; i < rows->n; i++)
        for (int m = 0; m < rows->nmodels; m++)
            *to++ = rows->models[m].status[i];
}

xa_status xa_stage_put(xa_stage *s,
                       const xa_span *block,
                       unsigned char *memory,
                       const xa_span *at,
                       const xa_rows *rows,
                       xa_err *err)
{
    const xa_contents *c = s->contents;
    const unit u = {.s = s, .block = block, .at = at, .memory = memory};
    find(s, block);
    for (int i = 0; i < s->ncolumns; i++) {
        const column *x = &s->column[s->fields[i]];
        if (x->sums) /* each field adds its own */
            memset(address(&u, x), 0, (size_t)rows_of(x, at) * x->row_bytes);
    }
    XA_RETURN_TRY(err, put_columns(&u, XA_OWNER_SAMPLE, c->sample, rows->n, rows->sample, err));
    XA_RETURN_TRY(
        err,
        put_columns(
            &u, XA_OWNER_ANNOTATION, c->annotation, rows->nannotations, rows->annotation, err));
    for (int m = 0; m < rows->nmodels; m++)
        XA_RETURN_TRY(err, put_model(&u, rows, m, err));
    put_status(&u, rows);
    return XA_OK;
}

xa_status xa_stage_write(xa_stage *s,
                         xa_archive *archive,
                         const xa_span *block,
                         const unsigned char *memory,
                         int i,
                         const xa_span *part,
                         xa_err *err)
{
    const column *c = &s->column[s->fields[i]];
    const int64_t before = row_of(c, &part->from) - row_of(c, &block->from);
    const int64_t n = rows_of(c, part);
    find(s, block);
    if (n == 0)
        return XA_OK;
    return xa_archive_write(archive,
                            s->fields[i],
                            row_of(c, &part->from),
                            n,
                            memory + c->offset + (size_t)before * c->row_bytes,
                            err);
}
