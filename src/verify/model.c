/* Is an archive whole? The rows of a model. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"
#include "xaudit/model.h"

/* Places of the columns: those of the table. */
enum {
    LOGITS,
    PROBS = XA_FIELD_MODEL_PROBS - XA_FIELD_MODEL_LOGITS,
    PREDICTED = XA_FIELD_MODEL_PREDICTED - XA_FIELD_MODEL_LOGITS,
    AFFINE = XA_FIELD_MODEL_AFFINE - XA_FIELD_MODEL_LOGITS,
    STATUS = XA_FIELD_MODEL_STATUS - XA_FIELD_MODEL_LOGITS,
    STAGE = XA_FIELD_MODEL_STAGE - XA_FIELD_MODEL_LOGITS,
    MESSAGE = XA_FIELD_MODEL_MESSAGE - XA_FIELD_MODEL_LOGITS,
    COLUMNS = XA_FIELDS_OF(MODEL)
};

/* Heads are computed in float64 and stored as float32; libraries differ in exp's last bit. */
static const float head_tolerance = 1e-6f;

typedef struct rows {
    xa__verifier *v;
    const char *model;
    xa__column column[COLUMNS];
    uint8_t *status;
    xa_head head;
    bool has_head;
    float *logits, *probs; /* [classes] what the head makes of a row */
    int64_t pending, first_pending;
} rows;

static void damage(rows *r, int64_t sample, const char *what)
{
    char row[256];
    xa__report_row(r->v,
                   sample,
                   "model %s, %s: %s",
                   r->model,
                   xa__verify_row(r->v, sample, row, sizeof row),
                   what);
}

/* Probabilities are those of the logits. */
static bool head_agrees(rows *r, const float *logits, const float *probs)
{
    const int64_t classes = r->head.classes;
    xa_head_apply(
        &r->head, r->head.kind == XA_HEAD_BINARY ? logits + 1 : logits, r->logits, r->probs);
    for (int64_t c = 0; c < classes; c++)
        if ((!(fabsf(r->probs[c] - probs[c]) <= head_tolerance) &&
             !(isnan(r->probs[c]) && isnan(probs[c]))) ||
            r->logits[c] != logits[c])
            return false;
    return true;
}

static bool all_finite(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static bool affine_finite(const rows *r, int64_t i)
{
    const xa__column *c = &r->column[AFFINE];
    for (int64_t k = 6 * i; k < 6 * i + 6; k++)
        if (!isfinite(c->info.type == XA_TYPE_F32 ? (double)((const float *)c->data)[k]
                                                  : ((const double *)c->data)[k]))
            return false;
    return true;
}

static const char *wrong_with_done(rows *r, int64_t i, int64_t sample)
{
    const int64_t classes = r->head.classes;
    const float *logits = (const float *)r->column[LOGITS].data + i * classes;
    const float *probs = (const float *)r->column[PROBS].data + i * classes;
    const int32_t predicted = ((const int32_t *)r->column[PREDICTED].data)[i];
    const bool plain = r->has_head && !xa_head_has_probs(r->head.kind);
    const bool values = r->has_head && r->head.kind == XA_HEAD_REGRESSION;
    if (!all_finite(logits, classes) || (!plain && !all_finite(probs, classes)))
        return "done, but its scores are not finite";
    if (r->has_head && !head_agrees(r, logits, probs))
        return "its probabilities are not those of its logits";
    if (predicted >= classes || (predicted < 0 && !values))
        return "done, but its predicted class is not one of the model's";
    if (r->has_head && predicted != xa_head_predict(&r->head, logits, probs))
        return plain ? "its predicted class is not that of its scores"
                     : "its predicted class is not that of its probabilities";
    if (!affine_finite(r, i))
        return "done, but its affine map is not finite";
    if (((const uint8_t *)r->column[STAGE].data)[i] != XA_STAGE_NONE)
        return "done, but with a stage where it failed";
    if (!r->v->measured[sample])
        return "done, but its image has no size";
    return NULL;
}

static const char *wrong_with_failed(const rows *r, int64_t i)
{
    const uint8_t stage = ((const uint8_t *)r->column[STAGE].data)[i];
    if (stage < XA_STAGE_READ || stage > XA_STAGE_EXPLAIN)
        return "failed, but at no stage";
    if (!((const char *)r->column[MESSAGE].data)[(size_t)i * r->column[MESSAGE].row_bytes])
        return "failed, but without a message";
    if (((const int32_t *)r->column[PREDICTED].data)[i] != -1)
        return "failed, but with a predicted class";
    return NULL;
}

static void visit_rows(void *arg, int64_t first, int64_t n)
{
    rows *r = arg;
    const uint8_t *status = r->column[STATUS].data;
    for (int64_t i = 0; i < n; i++) {
        const int64_t sample = first + i;
        const char *wrong = NULL;
        r->status[sample] = status[i];
        if (status[i] > XA_SAMPLE_EXCLUDED)
            wrong = "its status is none of 0 to 3";
        else if ((status[i] == XA_SAMPLE_EXCLUDED) != (r->v->excluded[sample] != 0))
            wrong = "its status and the manifest differ in whether it is excluded";
        else if (status[i] == XA_SAMPLE_DONE)
            wrong = wrong_with_done(r, i, sample);
        else if (status[i] == XA_SAMPLE_FAILED)
            wrong = wrong_with_failed(r, i);
        if (wrong)
            damage(r, sample, wrong);
        r->v->out->done += status[i] == XA_SAMPLE_DONE;
        if (status[i] == XA_SAMPLE_PENDING && r->pending++ == 0)
            r->first_pending = sample;
    }
}

/* Whether the columns are there that rows are checked with: an older archive may lack others. */
static bool has_all(rows *r)
{
    static const int needed[] = {LOGITS, PROBS, PREDICTED, AFFINE, STATUS, STAGE, MESSAGE};
    bool all = true;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!r->column[needed[i]].info.ndim) {
            xa__report(r->v, XA_FINDING_DAMAGE, "%s: not found", r->column[needed[i]].path.text);
            all = false;
        }
    return all;
}

static bool find_columns(rows *r)
{
    xa_extents x = xa_extents_unknown();
    x.samples = r->v->samples;
    if (!xa__verify_find(r->v, &r->column[LOGITS], XA_FIELD_MODEL_LOGITS, r->model, NULL, &x))
        return false;
    x.classes = r->column[LOGITS].info.dim[1];
    return xa__verify_find_owned(r->v, r->column, XA_OWNER_MODEL, r->model, NULL, &x) && has_all(r);
}

static xa_status find_head(rows *r, const char *group, xa_err *err)
{
    char *name = NULL;
    const int64_t classes = r->column[LOGITS].info.dim[1];
    r->head.classes = r->head.units = classes;
    XA_RETURN_TRY(err, xa_archive_attr_text(r->v->archive, group, "head", &name, err));
    const int kind = name ? xa_head_parse(name) : -1;
    free(name);
    r->has_head = kind >= 0 && classes >= 1 && (kind != XA_HEAD_BINARY || classes == 2);
    if (r->has_head) {
        r->head.kind = (xa_head_kind)kind;
        r->head.units = kind == XA_HEAD_BINARY ? 1 : classes;
    } else {
        xa__report(r->v,
                   XA_FINDING_DAMAGE,
                   "%s: its attribute head names no head that is known for %" PRId64 " classes",
                   group,
                   classes);
    }
    return XA_OK;
}

xa_status xa__verify_model(xa__verifier *v,
                           const char *model,
                           uint8_t *status,
                           int64_t *classes,
                           bool *usable,
                           xa_err *err)
{
    rows r = {.v = v, .model = model, .status = status};
    xa_status st = XA_OK;
    char row[256];
    *usable = false;
    if (!find_columns(&r))
        return XA_OK;
    *classes = r.column[LOGITS].info.dim[1];
    XA_TRY(err, find_head(&r, xa_field_group(XA_FIELD_MODEL_STATUS, model, NULL).text, err));
    r.logits = xa_alloc((size_t)*classes + 1, sizeof(float));
    r.probs = xa_alloc((size_t)*classes + 1, sizeof(float));
    if (!r.logits || !r.probs)
        XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " classes", *classes);
    /* Rows that cannot be read count as pending: their maps are not looked at. */
    memset(status, XA_SAMPLE_PENDING, (size_t)v->samples);
    XA_TRY(err, xa__verify_blocks(v, r.column, COLUMNS, visit_rows, &r, err));
    *usable = true;
    if (r.pending)
        xa__report(v,
                   XA_FINDING_MISSING,
                   "model %s: %" PRId64 " of %" PRId64 " samples pending, from %s on",
                   model,
                   r.pending,
                   v->samples,
                   xa__verify_row(v, r.first_pending, row, sizeof row));
done:
    free(r.logits);
    free(r.probs);
    return st;
}
