/* Scores in a job's archive: of maps alone, of pairs, and the statistics behind figures over the
 * data set. */
#include <stdlib.h>

#include "record_internal.h"

static xa_status add(xa_schema *schema,
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
    return xa_schema_add(schema, &s, field, err);
}

static xa_status add_map_score(xa_contents *c,
                               const char *model,
                               const char *explainer,
                               const char *name,
                               const char *description,
                               int64_t rows,
                               int *field,
                               xa_err *err)
{
    xa_status st = XA_OK;
    char *at = xa_strdup(xa_field_name(XA_FIELD_MAP_SCORE, model, explainer, name).text);
    if (!at)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, add(c->schema, XA_FIELD_MAP_SCORE, model, explainer, name, 1, &rows, field, err));
    XA_TRY(err, xa_schema_attr_text(c->schema, at, "score", description, err));
done:
    free(at);
    return st;
}

/* What its numbers mean: on the scores, and on the statistics beside them. */
static xa_status
metric_attributes(xa_schema *schema, const xa_metric_spec *metric, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str conventions = {0};
    xa_metric_conventions(metric, &conventions);
    if (conventions.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_schema_attr_text(schema, path, "metric", xa_metric_kind_name(metric->kind), err));
    XA_TRY(err, xa_schema_attr_text(schema, path, "values", xa_metric_unit(metric->kind), err));
    XA_TRY(err, xa_schema_attr_text(schema, path, "conventions", conventions.data, err));
    XA_TRY(err,
           xa_schema_attr_text(schema, path, "reference", xa_metric_reference(metric->kind), err));
    if (*metric->profile)
        XA_TRY(err, xa_schema_attr_text(schema, path, "profile", metric->profile, err));
    if (*metric->from_split)
        XA_TRY(err, xa_schema_attr_text(schema, path, "from_split", metric->from_split, err));
    XA_TRY(err,
           xa_schema_attr_text(
               schema, path, "difficult", metric->skip_difficult ? "skip" : "keep", err));
    XA_TRY(
        err,
        xa_schema_attr_text(schema, path, "crowd", metric->ignore_crowd ? "ignore" : "keep", err));
    if (metric->nlevels)
        XA_TRY(err, xa_schema_attr_f64(schema, path, "iou", metric->level, metric->nlevels, err));
done:
    xa_str_free(&conventions);
    return st;
}

/* Metric k of an explainer, or (baseline) of a map that knows nothing. */
static xa_status add_metric(xa_schema *schema,
                            const xa_metric_spec *metric,
                            int64_t pairs,
                            const char *model,
                            const char *explainer,
                            bool baseline,
                            int *localisation,
                            int *statistic,
                            xa_err *err)
{
    const bool hits = xa_metric_statistic_of(metric->kind) == XA_STATISTIC_HITS;
    xa_status st = XA_OK;
    char *at = xa_strfmt(
        "/%s/%s/%s/%s", baseline ? "baselines" : "localisation", model, explainer, metric->name);
    char *beside = xa_strfmt("/%s/%s/%s/%s",
                             baseline ? "baseline_statistics" : "statistics",
                             model,
                             explainer,
                             metric->name);
    const xa_field_kind kinds[2][2] = {{XA_FIELD_STATISTIC_PIXELS, XA_FIELD_STATISTIC_HITS},
                                       {XA_FIELD_BASELINE_PIXELS, XA_FIELD_BASELINE_HITS}};
    *statistic = -1;
    if (!at || !beside)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           add(schema,
               baseline ? XA_FIELD_BASELINE : XA_FIELD_LOCALISATION,
               model,
               explainer,
               metric->name,
               1,
               &pairs,
               localisation,
               err));
    XA_TRY(err, metric_attributes(schema, metric, at, err));
    if (xa_metric_statistic_bytes(metric)) {
        const int64_t dim[3] = {
            pairs, hits ? metric->nlevels : 2, hits ? XA_HIT_BYTES : XA_PXAP_BINS};
        XA_TRY(err,
               add(schema,
                   kinds[baseline][hits],
                   model,
                   explainer,
                   metric->name,
                   3,
                   dim,
                   statistic,
                   err));
        XA_TRY(err, metric_attributes(schema, metric, beside, err));
    }
done:
    free(at);
    free(beside);
    return st;
}

xa_status xa_contents_metrics(xa_schema *schema,
                              const xa_audit_spec *spec,
                              int64_t pairs,
                              const char *model,
                              const char *name,
                              bool baseline,
                              xa_map_fields *f,
                              xa_err *err)
{
    f->localisation = xa_alloc((size_t)spec->nmetrics + 1, sizeof(int));
    f->statistic = xa_alloc((size_t)spec->nmetrics + 1, sizeof(int));
    if (!f->localisation || !f->statistic)
        XA_RETURN_NOMEM(err);
    for (int k = 0; k < spec->nmetrics; k++)
        XA_RETURN_TRY(err,
                      add_metric(schema,
                                 &spec->metrics[k],
                                 pairs,
                                 model,
                                 name,
                                 baseline,
                                 &f->localisation[k],
                                 &f->statistic[k],
                                 err));
    return XA_OK;
}

xa_status xa_contents_scores(xa_contents *c,
                             const char *model,
                             const char *explainer,
                             int64_t rows,
                             xa_map_fields *f,
                             xa_err *err)
{
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
        XA_RETURN_TRY(err,
                      add_map_score(c,
                                    model,
                                    explainer,
                                    xa_map_score_name((xa_map_score_kind)k),
                                    xa_map_score_description((xa_map_score_kind)k),
                                    rows,
                                    &f->score[k],
                                    err));
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(&c->job->audit, (xa_check_kind)k))
            XA_RETURN_TRY(err,
                          add_map_score(c,
                                        model,
                                        explainer,
                                        xa_check_name((xa_check_kind)k),
                                        xa_check_description((xa_check_kind)k),
                                        rows,
                                        &f->check[k],
                                        err));
    return xa_contents_metrics(
        c->schema, &c->job->audit, c->counts.pairs, model, explainer, false, f, err);
}

static xa_status
add_agreement(xa_contents *c, const char *model, const char *pair, int k, int *field, xa_err *err)
{
    xa_status st = XA_OK;
    const char *name = xa_agreement_name((xa_agreement_kind)k);
    char *at = xa_strdup(xa_field_name(XA_FIELD_AGREEMENT, model, pair, name).text);
    if (!at)
        XA_NOMEM_FAIL(err);
    XA_TRY(
        err,
        add(c->schema, XA_FIELD_AGREEMENT, model, pair, name, 1, &c->counts.samples, field, err));
    XA_TRY(err,
           xa_schema_attr_text(
               c->schema, at, "agreement", xa_agreement_description((xa_agreement_kind)k), err));
done:
    free(at);
    return st;
}

xa_status xa_contents_comparisons(xa_contents *c, int m, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    xa_model_fields *f = &c->models[m];
    int at = 0;
    f->agreement = xa_alloc((size_t)xa_explainer_pairs(spec) * XA_AGREEMENT_COUNT + 1, sizeof(int));
    if (!f->agreement)
        XA_RETURN_NOMEM(err);
    for (int e = 0; e < spec->nexplainers; e++)
        for (int g = e + 1; g < spec->nexplainers; g++) {
            char *pair = xa_strfmt("%s__%s", spec->explainers[e].name, spec->explainers[g].name);
            xa_status st = pair ? XA_OK : XA_NOMEM;
            for (int k = 0; st == XA_OK && k < XA_AGREEMENT_COUNT; k++)
                st = add_agreement(c, spec->name, pair, k, &f->agreement[at++], err);
            free(pair);
            XA_RETURN_TRY(err, st);
        }
    for (int b = 0; b < XA_BASELINE_COUNT && c->job->audit.nmetrics; b++) {
        const char *name = xa_baseline_name((xa_baseline_kind)b);
        char *path = xa_strdup(xa_field_group(XA_FIELD_BASELINE, spec->name, name).text);
        xa_status st = path ? XA_OK : XA_NOMEM;
        if (st == XA_OK)
            st = xa_contents_metrics(c->schema,
                                     &c->job->audit,
                                     c->counts.pairs,
                                     spec->name,
                                     name,
                                     true,
                                     &f->maps[spec->nexplainers + b],
                                     err);
        if (st == XA_OK)
            st = xa_schema_attr_text(
                c->schema, path, "map", xa_baseline_description((xa_baseline_kind)b), err);
        free(path);
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}
