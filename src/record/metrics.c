/* Scores in a job's archive: of maps alone, of pairs, and the statistics behind figures over the
 * data set. */
#include <stdlib.h>

#include "record_internal.h"

static xa_status add_map_score(xa_contents *c,
                               const xa_field_spec *of,
                               const char *description,
                               int64_t rows,
                               int *field,
                               xa_err *err)
{
    const xa_path at = xa_field_name(of->kind, of->model, of->explainer, of->key);
    xa_extents x = xa_counts_extents(&c->counts);
    x.rows = rows;
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, of, &x, field, err));
    return xa_schema_attr_text(c->schema, at.text, "score", description, err);
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

/* A metric of an explainer, or (baseline) of a map that knows nothing of the image. */
static xa_status add_metric(xa_schema *schema,
                            const xa_metric_spec *metric,
                            int64_t pairs,
                            const xa_field_spec *of,
                            bool baseline,
                            int *localisation,
                            int *statistic,
                            xa_err *err)
{
    static const xa_field_kind kinds[2][2] = {{XA_FIELD_STATISTIC_PIXELS, XA_FIELD_STATISTIC_HITS},
                                              {XA_FIELD_BASELINE_PIXELS, XA_FIELD_BASELINE_HITS}};
    xa_field_spec s = *of;
    xa_extents x = xa_extents_unknown();
    x.pairs = pairs;
    x.levels = metric->nlevels;
    *statistic = -1;
    s.kind = baseline ? XA_FIELD_BASELINE : XA_FIELD_LOCALISATION;
    s.key = metric->name;
    const xa_path at = xa_field_name(s.kind, s.model, s.explainer, s.key);
    XA_RETURN_TRY(err, xa_schema_add_field(schema, &s, &x, localisation, err));
    XA_RETURN_TRY(err, metric_attributes(schema, metric, at.text, err));
    if (!xa_metric_statistic_bytes(metric))
        return XA_OK;
    s.kind = kinds[baseline][metric->kind == XA_METRIC_BOX_ACC];
    const xa_path beside = xa_field_name(s.kind, s.model, s.explainer, s.key);
    XA_RETURN_TRY(err, xa_schema_add_field(schema, &s, &x, statistic, err));
    return metric_attributes(schema, metric, beside.text, err);
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
    const xa_field_spec of = {.model = model, .explainer = name, .type = XA_TYPE_COUNT};
    for (int k = 0; k < spec->nmetrics; k++)
        XA_RETURN_TRY(err,
                      add_metric(schema,
                                 &spec->metrics[k],
                                 pairs,
                                 &of,
                                 baseline,
                                 &f->localisation[k],
                                 &f->statistic[k],
                                 err));
    return XA_OK;
}

xa_status xa__add_scores(xa_contents *c,
                         const char *model,
                         const char *explainer,
                         int64_t rows,
                         xa_map_fields *f,
                         xa_err *err)
{
    xa_field_spec s = {
        .kind = XA_FIELD_MAP_SCORE, .model = model, .explainer = explainer, .type = XA_TYPE_COUNT};
    for (int k = 0; k < XA_MAP_SCORE_COUNT; k++) {
        s.key = xa_map_score_name((xa_map_score_kind)k);
        XA_RETURN_TRY(
            err,
            add_map_score(
                c, &s, xa_map_score_description((xa_map_score_kind)k), rows, &f->score[k], err));
    }
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        s.key = xa_check_name((xa_check_kind)k);
        if (xa_checked(&c->job->audit, (xa_check_kind)k))
            XA_RETURN_TRY(
                err,
                add_map_score(
                    c, &s, xa_check_description((xa_check_kind)k), rows, &f->check[k], err));
    }
    XA_RETURN_TRY(err, xa__add_checks(c, model, explainer, rows, f, err));
    return xa_contents_metrics(
        c->schema, &c->job->audit, c->counts.pairs, model, explainer, false, f, err);
}

static xa_status
add_agreement(xa_contents *c, const char *model, const char *pair, int k, int *field, xa_err *err)
{
    const xa_extents x = xa_counts_extents(&c->counts);
    const xa_field_spec s = {.kind = XA_FIELD_AGREEMENT,
                             .model = model,
                             .explainer = pair,
                             .key = xa_agreement_name((xa_agreement_kind)k),
                             .type = XA_TYPE_COUNT};
    const xa_path at = xa_field_name(s.kind, s.model, s.explainer, s.key);
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, &x, field, err));
    return xa_schema_attr_text(
        c->schema, at.text, "agreement", xa_agreement_description((xa_agreement_kind)k), err);
}

xa_status xa__add_comparisons(xa_contents *c, int m, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    xa_model_fields *f = &c->models[m];
    int at = 0;
    f->agreement = xa_alloc((size_t)xa_explainer_pairs(spec) * XA_AGREEMENT_COUNT + 1, sizeof(int));
    if (!f->agreement)
        XA_RETURN_NOMEM(err);
    for (int e = 0; e < spec->nexplainers; e++)
        for (int g = e + 1; g < spec->nexplainers; g++) {
            const xa_path pair = xa_pair_name(spec->explainers[e].name, spec->explainers[g].name);
            for (int k = 0; k < XA_AGREEMENT_COUNT; k++)
                XA_RETURN_TRY(err,
                              add_agreement(c, spec->name, pair.text, k, &f->agreement[at++], err));
        }
    for (int b = 0; b < XA_BASELINE_COUNT && c->job->audit.nmetrics; b++) {
        const char *name = xa_baseline_name((xa_baseline_kind)b);
        const xa_path path = xa_field_group(XA_FIELD_BASELINE, spec->name, name);
        XA_RETURN_TRY(err,
                      xa_contents_metrics(c->schema,
                                          &c->job->audit,
                                          c->counts.pairs,
                                          spec->name,
                                          name,
                                          true,
                                          &f->maps[spec->nexplainers + b],
                                          err));
        XA_RETURN_TRY(
            err,
            xa_schema_attr_text(
                c->schema, path.text, "map", xa_baseline_description((xa_baseline_kind)b), err));
    }
    return XA_OK;
}
