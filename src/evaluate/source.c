/* The archive that is evaluated, and the metrics. */
#include <stdlib.h>
#include <string.h>

#include "evaluate_internal.h"

/* ---- the archive ---- */

static xa_status open_map(xa__evaluation *e, xa__eval_model *m, xa__eval_map *x, xa_err *err)
{
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, m->m->name, x->x->name).text),
         *rule = NULL;
    if (!group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_attr_text(e->r->archive, group, "target", &rule, err));
    const int k = rule ? xa_target_parse(rule) : -1;
    if (k < 0)
        XA_FAIL(err, XA_FORMAT, "%s: no target rule of this version", group);
    x->rule = (xa_target_rule)k;
    for (int64_t i = 1; i < x->x->rows; i++)
        if (x->x->sample[i] < x->x->sample[i - 1])
            XA_FAIL(err, XA_FORMAT, "%s/sample does not ascend", group);
    XA_TRY(err, xa_read_values_open(e->r, m->m, x->x, &x->values, err));
    x->mean_height = x->values.height;
    x->mean_width = x->values.width;
    xa_mean_size(m->m->classes, &x->mean_height, &x->mean_width);
    const size_t n = (size_t)(x->mean_height * x->mean_width);
    x->sum = xa_alloc((size_t)m->m->classes * n + 1, sizeof *x->sum);
    x->count = xa_alloc((size_t)m->m->classes + 1, sizeof *x->count);
    if (!x->sum || !x->count)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its classes' means", group);
done:
    free(group);
    free(rule);
    return st;
}

xa_status xa__eval_open(xa__evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t most = 1;
    XA_TRY(err, xa_read_open(e->opt->archive, &e->r, err));
    for (int64_t q = 1; q < e->r->pairs; q++)
        if (e->r->pair_sample[q] < e->r->pair_sample[q - 1])
            XA_FAIL(err, XA_FORMAT, "%s does not ascend", xa_field_path(XA_FIELD_EVAL_SAMPLE));
    XA_TRY(err, xa__regions_open(e->r, e->opt->image_root, &e->regions, err));
    e->models = xa_alloc((size_t)e->r->nmodels + 1, sizeof *e->models);
    if (!e->models)
        XA_NOMEM_FAIL(err);
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa__eval_model *m = &e->models[k];
        m->m = &e->r->models[k];
        m->affine = xa_alloc((size_t)e->r->samples * 6 + 1, sizeof *m->affine);
        if (!m->affine)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, xa_read_affine(e->r, m->m, 0, e->r->samples, m->affine, err));
        m->maps = xa_alloc((size_t)m->m->nmaps + 1, sizeof *m->maps);
        if (!m->maps)
            XA_NOMEM_FAIL(err);
        for (int64_t g = 0; g < m->m->nmaps; g++) {
            m->maps[g].x = &m->m->maps[g];
            XA_TRY(err, open_map(e, m, &m->maps[g], err));
            most = m->maps[g].values.count > most ? m->maps[g].values.count : most;
            e->done.explainers++;
        }
    }
    const size_t mean = (size_t)XA_MEAN_SIDE * XA_MEAN_SIDE;
    e->plain = xa_alloc((size_t)most, sizeof *e->plain);
    e->other = xa_alloc((size_t)most + mean, sizeof *e->other);
    e->cells = xa_alloc(mean, sizeof *e->cells);
    e->left = xa_alloc(mean, sizeof *e->left);
    e->mean = xa_alloc(mean, sizeof *e->mean);
    if (!e->plain || !e->other || !e->cells || !e->left || !e->mean)
        XA_NOMEM_FAIL(err);
    for (int b = 0; b < XA_BASELINE_COUNT; b++)
        xa_baseline_map((xa_baseline_kind)b, e->baseline[b]);
done:
    return st;
}

/* ---- metrics ---- */

/* Names "model/explainer" the first maps that may have values below 0 by their attributes; *out
 * NULL: there are none. */
static xa_status first_signed(const xa_read *r, char **out, xa_err *err)
{
    static const char *const cut[] = {"relu", "absolute"};
    *out = NULL;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t i = 0; i < r->models[m].nmaps && !*out; i++) {
            xa_status st = XA_OK;
            bool below = false;
            char *path = xa_strdup(
                xa_field_group(XA_FIELD_MAP_SAMPLE, r->models[m].name, r->models[m].maps[i].name)
                    .text);
            for (int k = 0; path && st == XA_OK && k < 2; k++) {
                double v = 1.0;
                int64_t n = 0;
                st = xa_archive_attr_f64(r->archive, path, cut[k], &v, 1, &n, err);
                below = below || (st == XA_OK && n == 1 && v == 0.0);
            }
            if (path && st == XA_OK && below)
                *out = xa_strdup(path + strlen(XA_GROUP_MAPS "/"));
            free(path);
            if (!path || (below && st == XA_OK && !*out))
                XA_RETURN_NOMEM(err);
            XA_RETURN_TRY(err, st);
        }
    return XA_OK;
}

xa_status xa__eval_metrics(xa__evaluation *e, const char *text, xa_problems *problems, xa_err *err)
{
    xa_status st = XA_OK;
    char *signed_map = NULL;
    const char *name = !e->opt->metrics ? e->opt->archive
                       : *text == '['   ? "--metrics"
                                        : e->opt->metrics;
    XA_TRY(err, first_signed(e->r, &signed_map, err));
    XA_TRY(err, xa_job_parse_metrics(name, text, signed_map, &e->spec, problems, err));
    if (e->spec.nmetrics == 0)
        XA_FAIL(err,
                XA_INVALID,
                "%s: no metrics; --metrics \"[pointing_game, energy]\", or a file with a list",
                name);
done:
    free(signed_map);
    return st;
}
