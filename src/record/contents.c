/* A job's archive: which datasets, with which attributes. */
#include "record_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t xa_counts_rows(const xa_counts *c, xa_target_rule rule)
{
    switch (rule) {
    case XA_TARGET_LABEL:
        return c->labels;
    case XA_TARGET_ANNOTATED:
        return c->pairs;
    default:
        return c->samples;
    }
}

/* ---- schema ---- */

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
    if (kind == XA_FIELD_MODEL_MESSAGE)
        s.string_bytes = XA_MESSAGE_BYTES;
    return xa_schema_add(c->schema, &s, field, err);
}

/* Attention kinds: which layers, how the heads became one, and the tokens of the model. */
static xa_status attention_attributes(xa_contents *c, int m, int e, const char *path, xa_err *err)
{
    const xa_explainer_spec *ex = &c->job->audit.models[m].explainers[e];
    const xa_tokens *t = xa_model_tokens(xa_audit_model_of(c->audit, m));
    const char *layer = xa_audit_layer(c->audit, m, e);
    xa_schema *s = c->schema;
    XA_RETURN_TRY(err, xa_schema_attr_text(s, path, "heads", xa_fuse_name(ex->heads), err));
    XA_RETURN_TRY(
        err,
        xa_schema_attr_text(s, path, "layer", *layer ? layer : "all from start_layer on", err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, path, "start_layer", ex->start, err));
    XA_RETURN_TRY(err, xa_schema_attr_f64(s, path, "discard", &ex->discard, 1, err));
    if (ex->kind == XA_EXPLAIN_ATTENTION_GRADCAM)
        XA_RETURN_TRY(err, xa_schema_attr_i64(s, path, "relu", ex->relu, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, path, "attention_layers", t->nlayers, err));
    XA_RETURN_TRY(
        err,
        xa_schema_attr_text(
            s, path, "query", t->query >= 0 ? "class token" : "mean over the patches", err));
    return xa_schema_attr_text(
        s,
        path,
        "normalisation",
        ex->vit_keras ? "vit-keras: layers by the sum of the matrix, the map by its maximum"
                      : "none",
        err);
}

static xa_status map_attributes(xa_contents *c, int m, int e, const char *path, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    const xa_explainer_spec *ex = &spec->explainers[e];
    const xa_explainer_def *def = xa_explainer_get(ex->kind);
    const bool layered = def->needs & XA_NEEDS_LAYER;
    const bool attention = def->needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT);
    xa_status st = XA_OK;
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "kind", def->name, err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "reference", def->reference, err));
    if (ex->target != XA_TARGET_NONE)
        XA_TRY(err, xa_schema_attr_text(c->schema, path, "score", xa_score_name(ex->score), err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "target", xa_target_name(ex->target), err));
    if (ex->target == XA_TARGET_CLASS)
        XA_TRY(err, xa_schema_attr_i64(c->schema, path, "target_class", ex->target_class, err));
    if (ex->score == XA_SCORE_PROB)
        XA_TRY(
            err,
            xa_schema_attr_text(
                c->schema, path, "score_form", ex->as_tensorflow ? "tensorflow" : "stable", err));
    if (ex->has_input)
        XA_TRY(err,
               xa_schema_attr_text(
                   c->schema, path, "input_scale", xa_scale_name(ex->input.scale.kind), err));
    if (attention) {
        XA_TRY(err, attention_attributes(c, m, e, path, err));
    } else if (layered) {
        XA_TRY(err,
               xa_schema_attr_text(c->schema, path, "layer", xa_audit_layer(c->audit, m, e), err));
        XA_TRY(err, xa_schema_attr_i64(c->schema, path, "relu", ex->relu, err));
    } else {
        XA_TRY(err,
               xa_schema_attr_text(c->schema, path, "channels", xa_reduce_name(ex->channels), err));
        XA_TRY(err, xa_schema_attr_i64(c->schema, path, "absolute", ex->absolute, err));
        XA_TRY(
            err,
            xa_schema_attr_text(c->schema,
                                path,
                                "gradient_of",
                                "the network's input after preprocessing; the factor of `scale` is "
                                "not included",
                                err));
    }
    XA_TRY(err,
           xa_schema_attr_text(c->schema,
                               path,
                               "upsample",
                               "half-pixel linear to the model's input, then `affine` of the model",
                               err));
done:
    return st;
}

static xa_status add_maps(xa_contents *c, const xa_manifest *manifest, int m, int e, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    const xa_explainer_spec *ex = &spec->explainers[e];
    const xa_shape shape = xa_audit_map_shape(c->audit, m, e);
    const int64_t rows = xa_counts_rows(&c->counts, ex->target);
    const int64_t dim[4] = {rows, shape.dim[0], shape.dim[1], shape.dim[2]}, pair[2] = {rows, 2};
    xa_map_fields *f = &c->models[m].maps[e];
    xa_status st = XA_OK;
    char *path = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, spec->name, ex->name).text);
    if (!path)
        XA_NOMEM_FAIL(err);
    const xa_field_spec values = {.kind = XA_FIELD_MAP_VALUES,
                                  .model = spec->name,
                                  .explainer = ex->name,
                                  .type = ex->half ? XA_TYPE_F16 : XA_TYPE_F32,
                                  .ndim = 4,
                                  .dim = {dim[0], dim[1], dim[2], dim[3]}};
    XA_TRY(err, xa_schema_add(c->schema, &values, &f->values, err));
    const struct {
        xa_field_kind kind;
        int *field;
    } one[] = {{XA_FIELD_MAP_SCALE, &f->scale},
               {XA_FIELD_MAP_TARGET, &f->target},
               {XA_FIELD_MAP_FLAGS, &f->flags},
               {XA_FIELD_MAP_MAXIMUM, &f->maximum},
               {XA_FIELD_MAP_CHECKSUM, &f->checksum}};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        XA_TRY(err, add(c, one[i].kind, spec->name, ex->name, NULL, 1, dim, one[i].field, err));
    const int64_t *sample;
    XA_TRY(err, xa_contents_row_samples(c, manifest, ex->target, &sample, err));
    const xa_field_spec samples = {.kind = XA_FIELD_MAP_SAMPLE,
                                   .model = spec->name,
                                   .explainer = ex->name,
                                   .type = XA_TYPE_COUNT,
                                   .ndim = 1,
                                   .dim = {rows},
                                   .data = sample};
    XA_TRY(err, xa_schema_add(c->schema, &samples, &f->sample, err));
    XA_TRY(err, add(c, XA_FIELD_MAP_PEAK, spec->name, ex->name, NULL, 2, pair, &f->peak, err));
    XA_TRY(err, map_attributes(c, m, e, path, err));
    XA_TRY(err, xa_contents_scores(c, spec->name, ex->name, rows, f, err));
done:
    free(path);
    return st;
}

static xa_status model_attributes(xa_contents *c, int m, const char *path, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    const xa_model *model = xa_audit_model_of(c->audit, m);
    const double size[2] = {(double)spec->input.height, (double)spec->input.width};
    XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, path, "file", xa_path_last(spec->file), err));
    XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, path, "sha256", xa_model_sha256(model), err));
    XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, path, "origin", xa_model_origin(model), err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(
                      c->schema, path, "head", xa_head_name(xa_model_head(model)->kind), err));
    XA_RETURN_TRY(err, xa_schema_attr_f64(c->schema, path, "input_size", size, 2, err));
    XA_RETURN_TRY(
        err,
        xa_schema_attr_text(c->schema, path, "resize", xa_resample_name(spec->input.resize), err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(c->schema,
                                      path,
                                      "orientation",
                                      spec->input.ignore_orientation ? "ignore" : "apply",
                                      err));
    XA_RETURN_TRY(
        err,
        xa_schema_attr_text(c->schema, path, "scale", xa_scale_name(spec->input.scale.kind), err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_i64(c->schema, path, "batch", xa_audit_batch(c->audit, m), err));
    if (spec->input.depth.kind != XA_DEPTH_NONE) {
        const double limits[2] = {spec->input.depth.low, spec->input.depth.high};
        XA_RETURN_TRY(err,
                      xa_schema_attr_text(
                          c->schema, path, "depth", xa_depth_name(spec->input.depth.kind), err));
        XA_RETURN_TRY(err, xa_schema_attr_f64(c->schema, path, "depth_limits", limits, 2, err));
    }
    return XA_OK;
}

static xa_status add_model(xa_contents *c, const xa_manifest *manifest, int m, xa_err *err)
{
    const xa_audit_model_spec *spec = &c->job->audit.models[m];
    xa_model_fields *f = &c->models[m];
    const int64_t n = c->counts.samples, classes = xa_audit_classes(c->audit, m);
    const int64_t scores[2] = {n, classes}, affine[3] = {n, 2, 3};
    xa_status st = XA_OK;
    char *path = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, spec->name, NULL).text);
    f->maps = xa_alloc((size_t)xa_scored(spec), sizeof(xa_map_fields));
    if (!path || !f->maps)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, add(c, XA_FIELD_MODEL_LOGITS, spec->name, NULL, NULL, 2, scores, &f->logits, err));
    XA_TRY(err, add(c, XA_FIELD_MODEL_PROBS, spec->name, NULL, NULL, 2, scores, &f->probs, err));
    XA_TRY(err,
           add(c, XA_FIELD_MODEL_PREDICTED, spec->name, NULL, NULL, 1, &n, &f->predicted, err));
    XA_TRY(err, add(c, XA_FIELD_MODEL_AFFINE, spec->name, NULL, NULL, 3, affine, &f->affine, err));
    const uint8_t *first;
    XA_TRY(err, xa_contents_first_status(c, manifest, &first, err));
    const xa_field_spec status = {.kind = XA_FIELD_MODEL_STATUS,
                                  .model = spec->name,
                                  .type = XA_TYPE_COUNT,
                                  .ndim = 1,
                                  .dim = {n},
                                  .data = first};
    XA_TRY(err, xa_schema_add(c->schema, &status, &f->status, err));
    XA_TRY(err, add(c, XA_FIELD_MODEL_STAGE, spec->name, NULL, NULL, 1, &n, &f->stage, err));
    XA_TRY(err, add(c, XA_FIELD_MODEL_MESSAGE, spec->name, NULL, NULL, 1, &n, &f->message, err));
    XA_TRY(err, model_attributes(c, m, path, err));
    XA_TRY(err, xa_contents_class_names(c, m, classes, err));
    for (int e = 0; e < spec->nexplainers; e++)
        XA_TRY(err, add_maps(c, manifest, m, e, err));
    XA_TRY(err, xa_contents_comparisons(c, m, err));
done:
    free(path);
    return st;
}

static xa_status
root_attributes(xa_contents *c, const xa_manifest *m, const char *identity, xa_err *err)
{
    char hash[XA_SHA256_HEX], now[24];
    char version[16];
    xa_time_iso(now);
    snprintf(version, sizeof version, "%d.%d", XA_FORMAT_MAJOR, XA_FORMAT_MINOR);
    XA_RETURN_TRY(err, xa_sha256_bytes(identity, strlen(identity), hash, err));
    const struct {
        const char *name, *text;
    } list[] = {{"format", "xaudit"},
                {"format_version", version},
                {"tool_version", xa_tool_version()},
                {"created", now},
                {"identity", hash},
                {"manifest_sha256", m ? m->sha256 : ""}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, "/", list[i].name, list[i].text, err));
    XA_RETURN_TRY(
        err, xa_schema_attr_i64(c->schema, "/", "metric_definitions", XA_METRICS_VERSION, err));
    XA_RETURN_TRY(
        err,
        xa_schema_attr_i64(c->schema, "/", "map_score_definitions", XA_MAP_SCORES_VERSION, err));
    if (m && m->whole) {
        XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, "/", "slice_first", m->first, err));
        XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, "/", "slice_of", m->whole, err));
    }
    /* where relative paths of images begin, for figures; --image-root overrides it */
    char *root = c->job->wsol_images ? realpath(c->job->wsol_images, NULL)
                                     : xa_strfmt("%s", c->job->manifest);
    if (root && !c->job->wsol_images) {
        char *whole = realpath(root, NULL);
        free(root);
        root = whole;
        char *slash = root ? strrchr(root, '/') : NULL;
        if (slash)
            *slash = '\0';
    }
    const xa_status st = xa_schema_attr_text(c->schema, "/", "image_root", root ? root : "", err);
    free(root);
    return st;
}

/* Which pixels the hash is of: `verify --images` and figures decode as the run did. */
static xa_status decode_attributes(xa_contents *c, xa_err *err)
{
    const char *path = xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH);
    const xa_decode_options *d = &c->job->audit.decode;
    XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, path, "max_pixels", d->max_pixels, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, path, "max_bytes", d->max_bytes, err));
    return xa_schema_attr_text(
        c->schema, path, "orientation", d->ignore_orientation ? "ignored" : "applied", err);
}

static xa_status add_run(xa_contents *c, xa_err *err)
{
    static const uint8_t created = 0;
    const int64_t one = 1, sessions = XA_SESSIONS;
    xa_field_spec state = {.kind = XA_FIELD_RUN_STATE,
                           .type = XA_TYPE_COUNT,
                           .ndim = 1,
                           .dim = {one},
                           .data = &created};
    XA_RETURN_TRY(err, xa_schema_add(c->schema, &state, &c->run_state, err));
    XA_RETURN_TRY(
        err,
        add(c, XA_FIELD_RUN_SECONDS, NULL, NULL, NULL, 1, &c->counts.samples, &c->seconds, err));
    const struct {
        xa_field_kind kind;
        int64_t n;
        size_t string;
        int *field;
    } list[] = {{XA_FIELD_RUN_SESSION_COUNT, 1, 0, &c->session_count},
                {XA_FIELD_RUN_SESSION_RANKS, sessions, 0, &c->session_ranks},
                {XA_FIELD_RUN_SESSION_NODES, sessions, 0, &c->session_nodes},
                {XA_FIELD_RUN_SESSION_THREADS, sessions, 0, &c->session_threads},
                {XA_FIELD_RUN_SESSION_START, sessions, XA_SESSION_TIME, &c->session_start},
                {XA_FIELD_RUN_SESSION_END, sessions, XA_SESSION_TIME, &c->session_end},
                {XA_FIELD_RUN_SESSION_HOST, sessions, XA_SESSION_HOST, &c->session_host},
                {XA_FIELD_RUN_SESSION_TEXT, sessions, XA_SESSION_TEXT, &c->session_text},
                {XA_FIELD_RUN_SESSION_SECONDS, sessions, 0, &c->session_seconds},
                {XA_FIELD_RUN_SESSION_CPU, sessions, XA_SESSION_LONG, &c->session_cpu},
                {XA_FIELD_RUN_SESSION_LIBRARIES, sessions, XA_SESSION_LONG, &c->session_libraries}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const size_t item = list[i].string ? list[i].string : sizeof(double); /* or less */
        void *zeros;
        XA_RETURN_TRY(err, xa_contents_own(c, (size_t)list[i].n * item, &zeros, err));
        const xa_field_spec s = {.kind = list[i].kind,
                                 .type = XA_TYPE_COUNT,
                                 .string_bytes = list[i].string,
                                 .ndim = 1,
                                 .dim = {list[i].n},
                                 .data = zeros};
        XA_RETURN_TRY(err, xa_schema_add(c->schema, &s, list[i].field, err));
    }
    return XA_OK;
}

xa_status xa_contents_create(const xa_job *job,
                             const xa_audit *audit,
                             const xa_counts *counts,
                             const xa_manifest *m,
                             const char *identity,
                             xa_contents **out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_contents *c = xa_alloc(1, sizeof *c);
    if (!c)
        XA_NOMEM_FAIL(err);
    c->job = job;
    c->audit = audit;
    c->counts = *counts;
    c->models = xa_alloc((size_t)job->audit.nmodels + 1, sizeof(xa_model_fields));
    if (!c->models)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_schema_create(&c->schema, err));
    XA_TRY(err, root_attributes(c, m, identity, err));
    XA_TRY(err, xa_contents_tables(c, m, err));
    XA_TRY(err, decode_attributes(c, err));
    for (int i = 0; i < job->audit.nmodels; i++)
        XA_TRY(err, add_model(c, m, i, err));
    XA_TRY(err, xa_schema_add_checksums(c->schema, err));
    XA_TRY(err, add_run(c, err));
    XA_TRY(err, xa_contents_extra(c, m, err));
    /* last: whether they take a field depends on their length */
    XA_TRY(err, xa_schema_text(c->schema, XA_FIELD_IDENTITY_TEXT, identity, err));
    XA_TRY(err, xa_schema_text(c->schema, XA_FIELD_JOB_TEXT, job->text, err));
    *out = c;
    c = NULL;
done:
    xa_contents_free(c);
    return st;
}

void xa_contents_free(xa_contents *c)
{
    if (!c)
        return;
    for (int m = 0; c->models && m < c->job->audit.nmodels; m++) {
        for (int e = 0; c->models[m].maps && e < xa_scored(&c->job->audit.models[m]); e++) {
            free(c->models[m].maps[e].localisation);
            free(c->models[m].maps[e].statistic);
        }
        free(c->models[m].maps);
        free(c->models[m].agreement);
    }
    free(c->models);
    for (size_t i = 0; i < c->nowned; i++)
        free(c->owned[i]);
    free(c->owned);
    xa_schema_free(c->schema);
    free(c);
}
