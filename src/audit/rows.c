/* The rows of a unit: memory that grows to the largest unit seen, and what a row holds before it is
 * done. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

enum { MESSAGE = 200, HALF_NAN = 0x7e00 };

int32_t xa_rows_of_sample(xa_target_rule rule, const xa_sample *s)
{
    switch (rule) {
    case XA_TARGET_LABEL:
        return s->nlabels;
    case XA_TARGET_ANNOTATED: {
        /* distinct classes; annotations of a sample are few */
        int32_t n = 0;
        for (int32_t i = 0; i < s->nannotations; i++) {
            bool seen = s->annotations[i].class_index < 0;
            for (int32_t k = 0; k < i && !seen; k++)
                seen = s->annotations[k].class_index == s->annotations[i].class_index;
            n += !seen;
        }
        return n;
    }
    default:
        return 1;
    }
}

size_t xa_map_row_bytes(const xa_audit *a, int m, int e)
{
    const size_t item = a->models[m].spec->explainers[e].half ? sizeof(uint16_t) : sizeof(float);
    return (size_t)xa_shape_count(&a->models[m].map_shape[e]) * item;
}

static void free_model_rows(xa_model_rows *m, const xa_audit_model_spec *spec, int nmetrics)
{
    free(m->logits);
    free(m->probs);
    free(m->predicted);
    free(m->affine);
    free(m->status);
    free(m->stage);
    free(m->message);
    for (int e = 0; m->maps && e < spec->nexplainers; e++) {
        xa_map_rows *x = &m->maps[e];
        free(x->slot);
        free(x->target);
        free(x->flags);
        free(x->scale);
        free(x->maximum);
        free(x->peak);
        free(x->checksum);
        for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
            free(x->score[k]);
        for (int k = 0; k < XA_CHECK_COUNT; k++)
            free(x->check[k]);
        free(x->values);
    }
    free(m->maps);
    for (int k = 0; m->localisation && k < xa_scored(spec) * nmetrics; k++)
        free(m->localisation[k]);
    free(m->localisation);
    for (int k = 0; m->statistic && k < xa_scored(spec) * nmetrics; k++)
        free(m->statistic[k]);
    free(m->statistic);
    for (int k = 0; m->agreement && k < xa_explainer_pairs(spec) * XA_AGREEMENT_COUNT; k++)
        free(m->agreement[k]);
    free(m->agreement);
}

void xa_rows_free(xa_rows *r)
{
    if (!r)
        return;
    for (int m = 0; r->models && m < r->nmodels; m++)
        free_model_rows(&r->models[m], r->audit->models[m].spec, r->audit->spec->nmetrics);
    free(r->models);
    free(r->width);
    free(r->height);
    free(r->pixel_hash);
    free(r->thumbnail);
    free(r->thumbnail_size);
    free(r->seconds);
    free(r->pair_slot);
    free(r->pair_class);
    free(r->problem);
    free(r->mask_hash);
    free(r);
}

static bool create_model_rows(xa_model_rows *m, const xa_audit *a, int index)
{
    const size_t n = (size_t)a->unit, c = (size_t)xa_audit_classes(a, index);
    const size_t ne = (size_t)a->models[index].spec->nexplainers;
    const size_t scored = (size_t)xa_scored(a->models[index].spec) * (size_t)a->spec->nmetrics;
    const int pairs = xa_explainer_pairs(a->models[index].spec) * XA_AGREEMENT_COUNT;
    m->logits = xa_alloc(n * c, sizeof(float));
    m->probs = xa_alloc(n * c, sizeof(float));
    m->predicted = xa_alloc(n, sizeof(int32_t));
    m->affine = xa_alloc(n * 6, sizeof(double));
    m->status = xa_alloc(n, 1);
    m->stage = xa_alloc(n, 1);
    m->message = xa_alloc(n, MESSAGE);
    m->maps = xa_alloc(ne + 1, sizeof(xa_map_rows));
    m->localisation = xa_alloc(scored + 1, sizeof(double *));
    m->statistic = xa_alloc(scored + 1, sizeof(unsigned char *));
    m->agreement = xa_alloc((size_t)pairs + 1, sizeof(double *));
    for (int k = 0; m->agreement && k < pairs; k++)
        if (!(m->agreement[k] = xa_alloc(n, sizeof(double))))
            return false;
    return m->agreement && m->statistic && m->logits && m->probs && m->predicted && m->affine &&
           m->status && m->stage && m->message && m->maps && m->localisation;
}

xa_status xa_rows_create(const xa_audit *a, xa_rows **out, xa_err *err)
{
    xa_status st = XA_OK;
    const size_t n = (size_t)a->unit;
    xa_rows *r = xa_alloc(1, sizeof *r);
    if (!r)
        XA_FAIL(err, XA_NOMEM, "rows: out of memory");
    r->audit = a;
    r->cap = a->unit;
    r->nmodels = a->spec->nmodels;
    r->width = xa_alloc(n, sizeof(int32_t));
    r->height = xa_alloc(n, sizeof(int32_t));
    r->pixel_hash = xa_alloc(n, sizeof(uint64_t));
    r->seconds = xa_alloc(n, sizeof(float));
    r->models = xa_alloc((size_t)r->nmodels + 1, sizeof(xa_model_rows));
    if (!r->width || !r->height || !r->pixel_hash || !r->seconds || !r->models)
        XA_FAIL(err, XA_NOMEM, "rows: out of memory");
    if (a->spec->thumbnails) {
        r->thumbnail = xa_alloc(n, xa_thumbnail_bytes(a->spec));
        r->thumbnail_size = xa_alloc(n, 2 * sizeof(int32_t));
        if (!r->thumbnail || !r->thumbnail_size)
            XA_FAIL(err, XA_NOMEM, "rows: out of memory");
    }
    for (int m = 0; m < r->nmodels; m++)
        if (!create_model_rows(&r->models[m], a, m))
            XA_FAIL(err, XA_NOMEM, "rows: out of memory");
    *out = r;
    r = NULL;
done:
    xa_rows_free(r);
    return st;
}

/* ---- one unit ---- */

static xa_status
grow_maps(const xa_audit_spec *spec, xa_map_rows *x, int64_t need, size_t row_bytes, xa_err *err)
{
    size_t cap[8];
    if (need <= x->cap)
        return XA_OK;
    for (int i = 0; i < 8; i++)
        cap[i] = (size_t)x->cap;
    XA_RETURN_TRY(err, xa_grow(&x->slot, &cap[0], (size_t)need, sizeof(int32_t), err));
    XA_RETURN_TRY(err, xa_grow(&x->target, &cap[1], (size_t)need, sizeof(int32_t), err));
    XA_RETURN_TRY(err, xa_grow(&x->flags, &cap[2], (size_t)need, 1, err));
    XA_RETURN_TRY(err, xa_grow(&x->scale, &cap[3], (size_t)need, sizeof(float), err));
    XA_RETURN_TRY(err, xa_grow(&x->maximum, &cap[4], (size_t)need, sizeof(float), err));
    XA_RETURN_TRY(err, xa_grow(&x->peak, &cap[5], (size_t)need, 2 * sizeof(float), err));
    XA_RETURN_TRY(err, xa_grow(&x->checksum, &cap[6], (size_t)need, sizeof(uint32_t), err));
    XA_RETURN_TRY(err, xa_grow(&x->values, &cap[7], (size_t)need, row_bytes, err));
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++) {
        size_t c = (size_t)x->cap;
        XA_RETURN_TRY(err, xa_grow(&x->score[k], &c, (size_t)need, sizeof(double), err));
    }
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        size_t c = (size_t)x->cap;
        if (xa_checked(spec, (xa_check_kind)k))
            XA_RETURN_TRY(err, xa_grow(&x->check[k], &c, (size_t)need, sizeof(double), err));
    }
    x->cap = need;
    return XA_OK;
}

/* A map row that is not there: NaN, target -1. Its checksum is that of the bytes stored. */
static void blank_map(const xa_audit *a, int m, int e, xa_map_rows *x, int64_t row)
{
    const size_t bytes = xa_map_row_bytes(a, m, e);
    unsigned char *values = (unsigned char *)x->values + (size_t)row * bytes;
    const int64_t n = xa_shape_count(&a->models[m].map_shape[e]);
    for (int64_t i = 0; i < n; i++)
        if (a->models[m].spec->explainers[e].half)
            ((uint16_t *)(void *)values)[i] = HALF_NAN;
        else
            ((float *)(void *)values)[i] = NAN;
    x->target[row] = -1;
    x->flags[row] = 0;
    x->scale[row] = x->maximum[row] = x->peak[2 * row] = x->peak[2 * row + 1] = NAN;
    x->checksum[row] = xa_checksum(values, bytes);
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        x->score[k][row] = NAN;
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (x->check[k])
            x->check[k][row] = NAN;
}

static xa_status reset_maps(xa_rows *r, int m, const xa_sample *samples, xa_err *err)
{
    const xa_audit_model *am = &r->audit->models[m];
    for (int e = 0; e < am->spec->nexplainers; e++) {
        xa_map_rows *x = &r->models[m].maps[e];
        int64_t count = 0;
        for (int64_t i = 0; i < r->n; i++)
            count += xa_rows_of_sample(am->spec->explainers[e].target, &samples[i]);
        XA_RETURN_TRY(err,
                      grow_maps(r->audit->spec, x, count, xa_map_row_bytes(r->audit, m, e), err));
        x->count = 0;
        for (int64_t i = 0; i < r->n; i++) {
            const int32_t rows = xa_rows_of_sample(am->spec->explainers[e].target, &samples[i]);
            for (int32_t k = 0; k < rows; k++) {
                x->slot[x->count] = (int32_t)i;
                blank_map(r->audit, m, e, x, x->count++);
            }
        }
    }
    return XA_OK;
}

static xa_status reset_annotations(xa_rows *r, const xa_sample *samples, xa_err *err)
{
    int64_t n = 0;
    size_t cap = (size_t)r->annotation_cap, hashes = cap;
    for (int64_t i = 0; i < r->n; i++)
        n += samples[i].nannotations;
    XA_RETURN_TRY(err, xa_grow(&r->mask_hash, &hashes, (size_t)n, sizeof *r->mask_hash, err));
    XA_RETURN_TRY(err, xa_grow(&r->problem, &cap, (size_t)n, 1, err));
    r->annotation_cap = (int64_t)(cap < hashes ? cap : hashes);
    r->nannotations = n;
    if (n) {
        memset(r->problem, XA_ANNOTATION_NONE, (size_t)n);
        memset(r->mask_hash, 0, (size_t)n * sizeof *r->mask_hash);
    }
    return XA_OK;
}

static xa_status reset_pairs(xa_rows *r, const xa_sample *samples, xa_err *err)
{
    int64_t need = 0;
    for (int64_t i = 0; i < r->n; i++)
        need += samples[i].nannotations;
    if (need > r->pair_cap) {
        size_t cap[2] = {(size_t)r->pair_cap, (size_t)r->pair_cap};
        XA_RETURN_TRY(err, xa_grow(&r->pair_slot, &cap[0], (size_t)need, sizeof(int32_t), err));
        XA_RETURN_TRY(err, xa_grow(&r->pair_class, &cap[1], (size_t)need, sizeof(int32_t), err));
        for (int m = 0; m < r->nmodels; m++)
            for (int k = 0; k < xa_scored(r->audit->models[m].spec) * r->audit->spec->nmetrics;
                 k++) {
                size_t c = (size_t)r->pair_cap;
                XA_RETURN_TRY(
                    err,
                    xa_grow(&r->models[m].localisation[k], &c, (size_t)need, sizeof(double), err));
                const size_t bytes = xa_metric_statistic_bytes(
                    &r->audit->spec->metrics[k % r->audit->spec->nmetrics]);
                c = (size_t)r->pair_cap;
                if (bytes)
                    XA_RETURN_TRY(
                        err, xa_grow(&r->models[m].statistic[k], &c, (size_t)need, bytes, err));
            }
        r->pair_cap = need;
    }
    r->npairs = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const int32_t n = samples[i].nannotations
                              ? xa_sample_annotated(&samples[i], r->pair_class + r->npairs)
                              : 0;
        for (int32_t k = 0; k < n; k++)
            r->pair_slot[r->npairs++] = (int32_t)i;
    }
    for (int m = 0; m < r->nmodels; m++)
        for (int k = 0; k < xa_scored(r->audit->models[m].spec) * r->audit->spec->nmetrics; k++) {
            const size_t bytes =
                xa_metric_statistic_bytes(&r->audit->spec->metrics[k % r->audit->spec->nmetrics]);
            for (int64_t q = 0; q < r->npairs; q++)
                r->models[m].localisation[k][q] = NAN;
            if (bytes && r->npairs)
                memset(r->models[m].statistic[k], 0, (size_t)r->npairs * bytes);
        }
    return XA_OK;
}

xa_status xa_rows_reset(xa_rows *r, const xa_sample *samples, int64_t n, xa_err *err)
{
    r->n = n;
    for (int64_t i = 0; i < n; i++) {
        r->width[i] = r->height[i] = 0;
        r->pixel_hash[i] = 0;
        r->seconds[i] = NAN;
    }
    if (r->thumbnail) {
        memset(r->thumbnail, 0, (size_t)n * xa_thumbnail_bytes(r->audit->spec));
        memset(r->thumbnail_size, 0, (size_t)n * 2 * sizeof(int32_t));
    }
    XA_RETURN_TRY(err, reset_annotations(r, samples, err));
    XA_RETURN_TRY(err, reset_pairs(r, samples, err));
    for (int m = 0; m < r->nmodels; m++) {
        xa_model_rows *x = &r->models[m];
        const int64_t c = xa_audit_classes(r->audit, m);
        for (int64_t i = 0; i < n * c; i++)
            x->logits[i] = x->probs[i] = NAN;
        for (int64_t i = 0; i < n * 6; i++)
            x->affine[i] = NAN;
        for (int64_t i = 0; i < n; i++) {
            x->predicted[i] = -1;
            x->status[i] = samples[i].exclude ? 3 : 1;
            x->stage[i] = 0;
        }
        memset(x->message, 0, (size_t)n * MESSAGE);
        for (int k = 0; k < xa_explainer_pairs(r->audit->models[m].spec) * XA_AGREEMENT_COUNT; k++)
            for (int64_t i = 0; i < n; i++)
                x->agreement[k][i] = NAN;
        XA_RETURN_TRY(err, reset_maps(r, m, samples, err));
    }
    return XA_OK;
}

int64_t xa_rows_first(const xa_rows *r, int m, int e, int64_t slot, int64_t *count)
{
    const xa_map_rows *x = &r->models[m].maps[e];
    int64_t first = 0;
    while (first < x->count && x->slot[first] < slot)
        first++;
    *count = 0;
    while (first + *count < x->count && x->slot[first + *count] == slot)
        ++*count;
    return first;
}

void xa_rows_fail(xa_rows *r, int model, int64_t slot, uint8_t stage, const char *message)
{
    xa_model_rows *x = &r->models[model];
    const int64_t c = xa_audit_classes(r->audit, model);
    x->status[slot] = 2;
    x->stage[slot] = stage;
    x->predicted[slot] = -1;
    for (int64_t i = 0; i < c; i++)
        x->logits[slot * c + i] = x->probs[slot * c + i] = NAN;
    for (int i = 0; i < 6; i++)
        x->affine[slot * 6 + i] = NAN;
    xa_str_sanitise(message, x->message + slot * MESSAGE, MESSAGE);
    for (int e = 0; e < r->audit->models[model].spec->nexplainers; e++) {
        int64_t count;
        const int64_t first = xa_rows_first(r, model, e, slot, &count);
        for (int64_t k = 0; k < count; k++)
            blank_map(r->audit, model, e, &x->maps[e], first + k);
    }
}
