/* The fields and attributes of the new archive. */
#include <stdlib.h>
#include <string.h>

#include "evaluate_internal.h"

static xa_status add_series(xa__evaluation *e,
                            const xa_read_model *m,
                            const char *name,
                            const char *description, /* NULL: an explainer */
                            xa__eval_series *s,
                            xa_err *err)
{
    xa_status st = XA_OK;
    const int n = e->spec.nmetrics;
    char *path = NULL;
    XA_TRY(err,
           xa_contents_metrics(
               e->schema, &e->spec, e->r->pairs, m->name, name, description != NULL, &s->f, err));
    s->value = xa_alloc((size_t)n + 1, sizeof *s->value);
    s->rows = xa_alloc((size_t)n + 1, sizeof *s->rows);
    if (!s->value || !s->rows)
        XA_NOMEM_FAIL(err);
    for (int k = 0; k < n; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&e->spec.metrics[k]);
        s->value[k] = xa_alloc(XA_EVAL_BLOCK, sizeof(double));
        s->rows[k] = bytes ? xa_alloc(XA_EVAL_BLOCK, bytes) : NULL;
        if (!s->value[k] || (bytes && !s->rows[k]))
            XA_NOMEM_FAIL(err);
    }
    if (description) {
        path = xa_strdup(xa_field_group(XA_FIELD_BASELINE, m->name, name).text);
        if (!path)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, xa_schema_attr_text(e->schema, path, "map", description, err));
    }
done:
    free(path);
    return st;
}

static xa_status add_map(xa__evaluation *e, xa__eval_model *m, xa__eval_map *x, xa_err *err)
{
    static const char *const names[XA_EVAL_OWN_BASELINES] = {"shuffled", "class_mean"};
    static const char *const texts[XA_EVAL_OWN_BASELINES] = {
        "the map of another image, drawn at random, laid on this one",
        "mean map of the annotated class over all other images, each over its largest size"};
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_CLASS_MEAN, m->m->name, x->x->name).text);
    XA_TRY(err, add_series(e, m->m, x->x->name, NULL, &x->own, err));
    for (int b = 0; b < XA_EVAL_OWN_BASELINES; b++) {
        char *name = xa_strfmt("%s.%s", x->x->name, names[b]);
        st = name ? add_series(e, m->m, name, texts[b], &x->beside[b], err) : XA_NOMEM;
        free(name);
        XA_TRY(err, st);
    }
    xa_field_spec s = {.kind = XA_FIELD_CLASS_MEAN,
                       .model = m->m->name,
                       .explainer = x->x->name,
                       .type = XA_TYPE_COUNT,
                       .ndim = 3,
                       .dim = {m->m->classes, x->mean_height, x->mean_width}};
    XA_TRY(err, xa_schema_add(e->schema, &s, &x->mean_field, err));
    s.kind = XA_FIELD_CLASS_MEAN_COUNT;
    s.ndim = 1;
    XA_TRY(err, xa_schema_add(e->schema, &s, &x->count_field, err));
    if (!group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_schema_attr_text(e->schema,
                               group,
                               "class",
                               x->rule == XA_TARGET_NONE ? "the image's only label"
                                                         : "the class that the map explains",
                               err));
done:
    free(group);
    return st;
}

/* Writes the identity: that of the source, with this evaluation's metrics in place of its own. */
static xa_status write_identity(xa__evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    char *theirs = NULL, hash[XA_SHA256_HEX];
    xa_str all = {0};
    XA_TRY(err, xa_archive_text(e->r->archive, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    if (!theirs)
        goto done;
    for (const char *p = theirs; *p;) {
        const size_t line = strcspn(p, "\n"), digits = strspn(p, "0123456789");
        /* lines of merged archives begin with a number and a dot */
        const size_t from = digits && p[digits] == '.' ? digits + 1 : 0;
        const char *sign = memmem(p, line, " = ", 3);
        const size_t key = sign ? (size_t)(sign - p) : line;
        if (!xa_identity_of_metrics(p + from, key - from))
            xa_str_printf(&all, "%.*s\n", (int)line, p);
        p += line + (p[line] == '\n');
    }
    xa_job_metric_identity(&e->spec, &all);
    if (all.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_sha256_bytes(all.data, all.len, hash, err));
    XA_TRY(err, xa_schema_attr_text(e->schema, "/", "identity", hash, err));
    e->identity = all.data; /* the schema borrows it until the archive is created */
    all = (xa_str){0};
    XA_TRY(err, xa_schema_text(e->schema, XA_FIELD_IDENTITY_TEXT, e->identity, err));
done:
    xa_str_free(&all);
    free(theirs);
    return st;
}

/* Its tables are the source's, of the format that the source has them in. */
static xa_status note_format(xa__evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    char *text = NULL;
    XA_TRY(err, xa_archive_attr_text(e->r->archive, "/", "tables_format", &text, err));
    if (!text)
        XA_TRY(err, xa_archive_attr_text(e->r->archive, "/", "format_version", &text, err));
    XA_TRY(err, xa_schema_attr_text(e->schema, "/", "tables_format", text, err));
done:
    free(text);
    return st;
}

xa_status xa__eval_schema(xa__evaluation *e, const char *metrics, xa_err *err)
{
    const char *slash = strrchr(e->opt->archive, '/');
    XA_RETURN_TRY(err, xa_schema_create(&e->schema, err));
    XA_RETURN_TRY(err, xa_schema_attr_text(e->schema, "/", "tool_version", xa_tool_version(), err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(
                      e->schema, "/", "evaluated_from", slash ? slash + 1 : e->opt->archive, err));
    XA_RETURN_TRY(err, note_format(e, err));
    XA_RETURN_TRY(
        err, xa_schema_attr_i64(e->schema, "/", "metric_definitions", XA_METRICS_VERSION, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(e->schema, "/", "evaluation_seed", e->opt->seed, err));
    if (e->opt->metrics && strlen(metrics) < 60000)
        XA_RETURN_TRY(err, xa_schema_attr_text(e->schema, "/", "evaluation_metrics", metrics, err));
    XA_RETURN_TRY(err,
                  xa_contents_problems(e->schema,
                                       e->regions.offset[e->r->samples],
                                       e->regions.problem,
                                       e->regions.rescale,
                                       &e->problem,
                                       err));
    XA_RETURN_TRY(
        err,
        xa_contents_mask_hashes(
            e->schema, e->regions.offset[e->r->samples], e->regions.mask_hash, &e->mask_hash, err));
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa__eval_model *m = &e->models[k];
        for (int64_t g = 0; g < m->m->nmaps; g++)
            XA_RETURN_TRY(err, add_map(e, m, &m->maps[g], err));
        for (int b = 0; b < XA_BASELINE_COUNT; b++)
            XA_RETURN_TRY(err,
                          add_series(e,
                                     m->m,
                                     xa_baseline_name((xa_baseline_kind)b),
                                     xa_baseline_description((xa_baseline_kind)b),
                                     &m->baseline[b],
                                     err));
    }
    XA_RETURN_TRY(err, xa_schema_add_checksums(e->schema, err));
    return write_identity(e, err);
}
