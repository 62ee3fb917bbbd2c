/* The rows of a unit: memory that grows to the largest unit seen, and what a row holds before it is
 * done. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

int32_t xa_rows_of_sample(xa_target_rule rule, int32_t top, const xa_sample *s)
{
    switch (rule) {
    case XA_TARGET_TOP:
        return top;
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

static void free_map_rows(xa_map_rows *x, int nfaith)
{
    const xa__columns columns = xa__map_columns(x);
    xa__columns_free(&columns);
    free(x->slot);
    free(x->values);
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        free(x->score[k]);
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        free(x->check[k]);
    for (int k = 0; x->faith && k < nfaith; k++) {
        free(x->faith[k].status);
        free(x->faith[k].figures);
        free(x->faith[k].scores);
        free(x->faith[k].probs);
    }
    free(x->faith);
}

static void
free_model_rows(xa_model_rows *m, const xa_audit_model_spec *spec, int nmetrics, int nfaith)
{
    const xa__columns columns = xa__model_columns(m);
    xa__columns_free(&columns);
    for (int e = 0; m->maps && e < spec->nexplainers; e++)
        free_map_rows(&m->maps[e], nfaith);
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
        free_model_rows(&r->models[m],
                        r->audit->models[m].spec,
                        r->audit->spec->nmetrics,
                        r->audit->spec->nfaith);
    free(r->models);
    const xa__columns samples = xa__sample_columns(r), annotations = xa__annotation_columns(r);
    xa__columns_free(&samples);
    xa__columns_free(&annotations);
    free(r->pair_slot);
    free(r->pair_class);
    free(r);
}

static xa_status create_model_rows(xa_model_rows *m, const xa_audit *a, int index, xa_err *err)
{
    const xa_audit_model_spec *spec = a->models[index].spec;
    const size_t scored = (size_t)xa_scored(spec) * (size_t)a->spec->nmetrics;
    const int pairs = xa_explainer_pairs(spec) * XA_AGREEMENT_COUNT;
    const xa__columns columns = xa__model_columns(m);
    m->maps = xa_alloc((size_t)spec->nexplainers + 1, sizeof(xa_map_rows));
    m->localisation = xa_alloc(scored + 1, sizeof(double *));
    m->statistic = xa_alloc(scored + 1, sizeof(unsigned char *));
    m->agreement = xa_alloc((size_t)pairs + 1, sizeof(double *));
    if (!m->maps || !m->localisation || !m->statistic || !m->agreement)
        XA_RETURN_NOMEM(err);
    for (int k = 0; k < pairs; k++)
        if (!(m->agreement[k] = xa_alloc((size_t)a->unit, sizeof(double))))
            XA_RETURN_NOMEM(err);
    return xa__columns_grow(a, index, &columns, 0, a->unit, err);
}

xa_status xa_rows_create(const xa_audit *a, xa_rows **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_rows *r = xa_alloc(1, sizeof *r);
    if (!r)
        XA_NOMEM_FAIL(err);
    r->audit = a;
    r->cap = a->unit;
    r->nmodels = a->spec->nmodels;
    const xa__columns samples = xa__sample_columns(r);
    XA_TRY(err, xa__columns_grow(a, -1, &samples, 0, a->unit, err));
    r->models = xa_alloc((size_t)r->nmodels + 1, sizeof(xa_model_rows));
    if (!r->models)
        XA_NOMEM_FAIL(err);
    for (int m = 0; m < r->nmodels; m++)
        XA_TRY(err, create_model_rows(&r->models[m], a, m, err));
    *out = r;
    r = NULL;
done:
    xa_rows_free(r);
    return st;
}

/* ---- one unit ---- */

static xa_status grow_checks(
    const xa_faith_spec *spec, int n, xa_check_rows *x, int64_t have, int64_t need, xa_err *err)
{
    for (int k = 0; k < n; k++) {
        const xa_faith_shape shape = xa_faith_shape_of(&spec[k]);
        const size_t points = (size_t)(shape.blocks * shape.points),
                     figures = (size_t)shape.figures;
        size_t cap[4] = {(size_t)have, (size_t)have, (size_t)have, (size_t)have};
        const size_t want = (size_t)need;
        XA_RETURN_TRY(err, xa_grow(&x[k].status, &cap[0], want, sizeof(uint8_t), err));
        XA_RETURN_TRY(err, xa_grow(&x[k].figures, &cap[1], want, figures * sizeof(double), err));
        if (points)
            XA_RETURN_TRY(err, xa_grow(&x[k].scores, &cap[2], want, points * sizeof(float), err));
        if (points && shape.probs)
            XA_RETURN_TRY(err, xa_grow(&x[k].probs, &cap[3], want, points * sizeof(float), err));
    }
    return XA_OK;
}

void xa_check_row_blank(const xa_faith_spec *spec, xa_check_rows *x, int64_t row, uint8_t status)
{
    const xa_faith_shape shape = xa_faith_shape_of(spec);
    const int64_t points = shape.blocks * shape.points;
    x->status[row] = status;
    for (int64_t i = row * shape.figures; i < (row + 1) * shape.figures; i++)
        x->figures[i] = NAN;
    for (int64_t i = row * points; i < (row + 1) * points; i++) {
        x->scores[i] = NAN;
        if (x->probs)
            x->probs[i] = NAN;
    }
}

static xa_status
grow_maps(const xa_audit *a, int m, int e, xa_map_rows *x, int64_t need, xa_err *err)
{
    const xa__columns columns = xa__map_columns(x);
    size_t slots = (size_t)x->cap, values = slots;
    if (need <= x->cap)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&x->slot, &slots, (size_t)need, sizeof *x->slot, err));
    XA_RETURN_TRY(err, xa_grow(&x->values, &values, (size_t)need, xa_map_row_bytes(a, m, e), err));
    XA_RETURN_TRY(err, xa__columns_grow(a, m, &columns, x->cap, need, err));
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++) {
        size_t cap = (size_t)x->cap;
        XA_RETURN_TRY(err, xa_grow(&x->score[k], &cap, (size_t)need, sizeof(double), err));
    }
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        size_t cap = (size_t)x->cap;
        if (xa_checked(a->spec, (xa_check_kind)k))
            XA_RETURN_TRY(err, xa_grow(&x->check[k], &cap, (size_t)need, sizeof(double), err));
    }
    if (!x->faith && !(x->faith = xa_alloc((size_t)a->spec->nfaith + 1, sizeof *x->faith)))
        XA_RETURN_NOMEM(err);
    XA_RETURN_TRY(err, grow_checks(a->spec->faith, a->spec->nfaith, x->faith, x->cap, need, err));
    x->cap = need;
    return XA_OK;
}

/* A map row that is not there: NaN, target -1. Its checksum is that of the bytes stored. */
static void blank_map(const xa_audit *a, int m, int e, xa_map_rows *x, int64_t row)
{
    const xa__columns columns = xa__map_columns(x);
    const size_t bytes = xa_map_row_bytes(a, m, e);
    unsigned char *values = (unsigned char *)x->values + (size_t)row * bytes;
    const int64_t n = xa_shape_count(&a->models[m].map_shape[e]);
    const uint16_t half_nan = xa_f16_from_f32(NAN);
    for (int64_t i = 0; i < n; i++)
        if (a->models[m].spec->explainers[e].half)
            ((uint16_t *)(void *)values)[i] = half_nan;
        else
            ((float *)(void *)values)[i] = NAN;
    xa__columns_reset(a, m, &columns, row, 1);
    x->checksum[row] = xa_checksum(values, bytes);
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        x->score[k][row] = NAN;
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (x->check[k])
            x->check[k][row] = NAN;
    for (int k = 0; k < a->spec->nfaith; k++)
        xa_check_row_blank(&a->spec->faith[k], &x->faith[k], row, XA_CHECKED_NO_MAP);
}

static xa_status reset_maps(xa_rows *r, int m, const xa_sample *samples, xa_err *err)
{
    const xa_audit_model *am = &r->audit->models[m];
    for (int e = 0; e < am->spec->nexplainers; e++) {
        xa_map_rows *x = &r->models[m].maps[e];
        int64_t count = 0;
        for (int64_t i = 0; i < r->n; i++)
            count += xa_explainer_rows(&am->spec->explainers[e], &samples[i]);
        XA_RETURN_TRY(err, grow_maps(r->audit, m, e, x, count, err));
        x->count = 0;
        for (int64_t i = 0; i < r->n; i++) {
            const int32_t rows = xa_explainer_rows(&am->spec->explainers[e], &samples[i]);
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
    const xa__columns columns = xa__annotation_columns(r);
    int64_t n = 0;
    for (int64_t i = 0; i < r->n; i++)
        n += samples[i].nannotations;
    if (n > r->annotation_cap) {
        XA_RETURN_TRY(err, xa__columns_grow(r->audit, -1, &columns, r->annotation_cap, n, err));
        r->annotation_cap = n;
    }
    r->nannotations = n;
    xa__columns_reset(r->audit, -1, &columns, 0, n);
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
    const xa__columns columns = xa__sample_columns(r);
    r->n = n;
    xa__columns_reset(r->audit, -1, &columns, 0, n);
    XA_RETURN_TRY(err, reset_annotations(r, samples, err));
    XA_RETURN_TRY(err, reset_pairs(r, samples, err));
    for (int m = 0; m < r->nmodels; m++) {
        xa_model_rows *x = &r->models[m];
        const xa__columns own = xa__model_columns(x);
        xa__columns_reset(r->audit, m, &own, 0, n);
        for (int64_t i = 0; i < n; i++)
            x->status[i] = samples[i].exclude ? XA_SAMPLE_EXCLUDED : XA_SAMPLE_DONE;
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
    const xa__columns columns = xa__model_columns(x);
    xa__columns_reset(r->audit, model, &columns, slot, 1);
    x->status[slot] = XA_SAMPLE_FAILED;
    x->stage[slot] = stage;
    xa_str_sanitise(message, x->message + slot * XA_MESSAGE_BYTES, XA_MESSAGE_BYTES);
    for (int e = 0; e < r->audit->models[model].spec->nexplainers; e++) {
        int64_t count;
        const int64_t first = xa_rows_first(r, model, e, slot, &count);
        for (int64_t k = 0; k < count; k++)
            blank_map(r->audit, model, e, &x->maps[e], first + k);
    }
}
