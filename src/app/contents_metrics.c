/* Scores in a job's archive: of maps alone, of pairs, and the statistics behind figures over the
 * data set. */
#include <stdlib.h>

#include "contents_tables.h"

static xa_status add(xa_contents *c,
                     xa_field_kind kind,
                     const char *model,
                     const char *explainer,
                     const char *key,
                     int ndim,
                     const int64_t *dim,
                     int *field,
                     xa_err *err)
{
    xa_field_spec s = {.kind = kind,
                       .model = model,
                       .explainer = explainer,
                       .key = key,
                       .type = XA_TYPE_COUNT,
                       .ndim = ndim};
    for (int i = 0; i < ndim; i++)
        s.dim[i] = dim[i];
    return xa_schema_add(c->schema, &s, field, err);
}

static xa_status add_map_score(xa_contents *c,
                               const char *model,
                               const char *explainer,
                               xa_map_score_kind kind,
                               int64_t rows,
                               int *field,
                               xa_err *err)
{
    xa_status st = XA_OK;
    char *at = xa_strfmt("/maps/%s/%s/scores/%s", model, explainer, xa_map_score_name(kind));
    if (!at)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err,
           add(c,
               XA_FIELD_MAP_SCORE,
               model,
               explainer,
               xa_map_score_name(kind),
               1,
               &rows,
               field,
               err));
    XA_TRY(err, xa_schema_attr_text(c->schema, at, "score", xa_map_score_description(kind), err));
done:
    free(at);
    return st;
}

/* What its numbers mean: on the scores, and on the statistics beside them. */
static xa_status
metric_attributes(xa_contents *c, const xa_metric_spec *metric, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str conventions = {0};
    xa_metric_conventions(metric, &conventions);
    if (conventions.failed)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err,
           xa_schema_attr_text(c->schema, path, "metric", xa_metric_kind_name(metric->kind), err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "values", xa_metric_unit(metric->kind), err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "conventions", conventions.data, err));
    XA_TRY(
        err,
        xa_schema_attr_text(c->schema, path, "reference", xa_metric_reference(metric->kind), err));
    if (*metric->profile)
        XA_TRY(err, xa_schema_attr_text(c->schema, path, "profile", metric->profile, err));
    if (metric->nlevels)
        XA_TRY(err,
               xa_schema_attr_f64(c->schema, path, "iou", metric->level, metric->nlevels, err));
done:
    xa_str_free(&conventions);
    return st;
}

static xa_status add_metric(
    xa_contents *c, const char *model, const char *explainer, int k, xa_map_fields *f, xa_err *err)
{
    const xa_metric_spec *metric = &c->job->audit.metrics[k];
    const bool hits = metric->kind == XA_METRIC_BOX_ACC;
    xa_status st = XA_OK;
    char *at = xa_strfmt("/localisation/%s/%s/%s", model, explainer, metric->name);
    char *beside = xa_strfmt("/statistics/%s/%s/%s", model, explainer, metric->name);
    f->statistic[k] = -1;
    if (!at || !beside)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err,
           add(c,
               XA_FIELD_LOCALISATION,
               model,
               explainer,
               metric->name,
               1,
               &c->counts.pairs,
               &f->localisation[k],
               err));
    XA_TRY(err, metric_attributes(c, metric, at, err));
    if (xa_metric_statistic_bytes(metric)) {
        const int64_t dim[3] = {
            c->counts.pairs, hits ? metric->nlevels : 2, hits ? XA_HIT_BYTES : XA_PXAP_BINS};
        XA_TRY(err,
               add(c,
                   hits ? XA_FIELD_STATISTIC_HITS : XA_FIELD_STATISTIC_PIXELS,
                   model,
                   explainer,
                   metric->name,
                   3,
                   dim,
                   &f->statistic[k],
                   err));
        XA_TRY(err, metric_attributes(c, metric, beside, err));
    }
done:
    free(at);
    free(beside);
    return st;
}

xa_status xa_contents_scores(xa_contents *c,
                             const char *model,
                             const char *explainer,
                             int64_t rows,
                             xa_map_fields *f,
                             xa_err *err)
{
    f->localisation = xa_alloc((size_t)c->job->audit.nmetrics + 1, sizeof(int));
    f->statistic = xa_alloc((size_t)c->job->audit.nmetrics + 1, sizeof(int));
    if (!f->localisation || !f->statistic)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        XA_RETURN_TRY(
            err, add_map_score(c, model, explainer, (xa_map_score_kind)k, rows, &f->score[k], err));
    for (int k = 0; k < c->job->audit.nmetrics; k++)
        XA_RETURN_TRY(err, add_metric(c, model, explainer, k, f, err));
    return XA_OK;
}
