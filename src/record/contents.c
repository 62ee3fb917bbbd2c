/* A job's archive: which datasets, with which attributes. */
#include "record_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t xa_counts_rows(const xa_counts *c, xa_target_rule rule, int32_t top)
{
    switch (rule) {
    case XA_TARGET_TOP:
        return c->samples * top;
    case XA_TARGET_LABEL:
        return c->labels;
    case XA_TARGET_ANNOTATED:
        return c->pairs;
    default:
        return c->samples;
    }
}

xa_extents xa_counts_extents(const xa_counts *c)
{
    xa_extents x = xa_extents_unknown();
    x.samples = c->samples;
    x.pairs = c->pairs;
    x.annotations = c->annotations;
    x.labels = c->labels;
    return x;
}

/* ---- schema ---- */

xa_status xa__add_columns(xa_contents *c,
                          xa_owner owner,
                          const xa_explainer_spec *ex,
                          const xa_field_spec *name,
                          const xa_extents *x,
                          const void *const *data,
                          int *column,
                          xa_err *err)
{
    for (int i = 0; i < xa_owner_fields(owner); i++) {
        xa_field_spec s = *name;
        s.kind = xa_owned_field(owner, i);
        s.type = XA_TYPE_COUNT;
        s.data = data ? data[i] : NULL;
        column[i] = -1;
        if (xa_audit_stores(&c->job->audit, s.kind) && (!ex || xa_map_stores(ex, s.kind)))
            XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, x, &column[i], err));
    }
    return XA_OK;
}

/* How the tokens of a block become the one that is scored. */
static const char *pool_text(const xa_explainer_spec *ex, const xa_tokens *t)
{
    if (ex->pool == XA_PROBE_MEAN)
        return "the mean of all tokens";
    return t->query >= 0 ? "the model's head: class token" : "the model's head: mean of patches";
}

/* Attention kinds: which layers, how the heads became one, and the tokens of the model. */
static xa_status attention_attributes(xa_contents *c, int m, int e, const char *path, xa_err *err)
{
    const xa_explainer_spec *ex = &c->job->audit.models[m].explainers[e];
    const xa_tokens *t = xa_model_tokens(xa_audit_model_of(c->audit, m));
    const char *layer = xa_audit_layer(c->audit, m, e);
    xa_schema *s = c->schema;
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_HEADS))
        XA_RETURN_TRY(err, xa_schema_attr_text(s, path, "heads", xa_fuse_name(ex->heads), err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_NORM))
        XA_RETURN_TRY(err, xa_schema_attr_text(s, path, "norm", ex->norm_l2 ? "l2" : "l1", err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_POOL))
        XA_RETURN_TRY(err, xa_schema_attr_text(s, path, "pool", pool_text(ex, t), err));
    const bool starts = xa_explainer_has(ex->kind, XA_EXPLAINER_START_LAYER);
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(s,
                                      path,
                                      "layer",
                                      *layer   ? layer
                                      : starts ? "all from start_layer on"
                                               : "all",
                                      err));
    if (starts || *layer)
        XA_RETURN_TRY(err, xa_schema_attr_i64(s, path, "start_layer", ex->start, err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_HEADS))
        XA_RETURN_TRY(err, xa_schema_attr_f64(s, path, "discard", &ex->discard, 1, err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_RELU))
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

/* What is explained, beyond the rule's name; readers of format 1.x know `target` alone. */
static xa_status
target_attributes(xa_contents *c, const xa_explainer_spec *ex, const char *path, xa_err *err)
{
    char text[96];
    xa_explainer_target_text(ex, text, sizeof text);
    XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, path, "target_text", text, err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(c->schema, path, "direction", ex->down ? "down" : "up", err));
    if (ex->target_class >= 0)
        XA_RETURN_TRY(err,
                      xa_schema_attr_i64(c->schema, path, "target_class", ex->target_class, err));
    if (ex->target_minus >= 0)
        XA_RETURN_TRY(err,
                      xa_schema_attr_i64(c->schema, path, "target_minus", ex->target_minus, err));
    if (ex->target == XA_TARGET_TOP)
        XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, path, "target_top", ex->top, err));
    return XA_OK;
}

/* Ids of the images that others are compared with, a line each; too many bytes for an attribute are
 * left out, since seed and manifest say them too. */
static xa_status reference_attributes(xa_contents *c, const char *path, xa_err *err)
{
    enum { MOST_BYTES = 32768 };
    xa_str ids = {0};
    xa_status st = XA_OK;
    for (int64_t k = 0; k < xa_audit_references(c->audit); k++)
        xa_str_printf(&ids, "%s\n", xa_audit_reference_id(c->audit, k));
    if (ids.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_schema_attr_i64(c->schema, path, "references", xa_audit_references(c->audit), err));
    XA_TRY(err,
           xa_schema_attr_text(c->schema,
                               path,
                               "reference_ids",
                               ids.len < MOST_BYTES && ids.data ? ids.data : "too long",
                               err));
done:
    xa_str_free(&ids);
    return st;
}

/* The layers of an explainer that names several, "a, b", and how their maps became one. */
static xa_status layers_attributes(xa_contents *c, int m, int e, const char *path, xa_err *err)
{
    const xa_explainer_spec *ex = &c->job->audit.models[m].explainers[e];
    xa_str text = {0};
    for (int i = 0; i < ex->nlayers; i++)
        xa_str_printf(&text, "%s%s", i ? ", " : "", xa_audit_layers(c->audit, m, e, i));
    xa_status st = XA_OK;
    if (text.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "layer", text.data, err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "fuse", ex->join_mean ? "mean" : "max", err));
    XA_TRY(err, xa_schema_attr_i64(c->schema, path, "relu", ex->relu, err));
done:
    xa_str_free(&text);
    return st;
}

/* Where the values of an input-sized map come from. */
static xa_status input_attributes(xa_contents *c, int m, int e, const char *path, xa_err *err)
{
    const xa_explainer_spec *ex = &c->job->audit.models[m].explainers[e];
    const unsigned needs = xa_explainer_get(ex->kind)->needs;
    if (needs & XA_NEEDS_CONSTANTS)
        XA_RETURN_TRY(err,
                      xa_schema_attr_text(c->schema,
                                          path,
                                          "completeness_of",
                                          "the logit: input times gradient, and constants times "
                                          "the gradients at their layers",
                                          err));
    if (ex->backward != XA_RULES_GRADIENT)
        XA_RETURN_TRY(
            err,
            xa_schema_attr_text(c->schema, path, "backward", xa_rules_name(ex->backward), err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_CHANNELS))
        XA_RETURN_TRY(
            err,
            xa_schema_attr_text(c->schema, path, "channels", xa_reduce_name(ex->channels), err));
    if (xa_explainer_has(ex->kind, XA_EXPLAINER_ABSOLUTE))
        XA_RETURN_TRY(err, xa_schema_attr_i64(c->schema, path, "absolute", ex->absolute, err));
    return xa_schema_attr_text(c->schema,
                               path,
                               "gradient_of",
                               "the network's input after preprocessing; the factor of `scale` is "
                               "not included",
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
    if (*ex->title)
        XA_TRY(err, xa_schema_attr_text(c->schema, path, "title", ex->title, err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "reference", def->reference, err));
    if (ex->target != XA_TARGET_NONE)
        XA_TRY(err, xa_schema_attr_text(c->schema, path, "score", xa_score_name(ex->score), err));
    XA_TRY(err, xa_schema_attr_text(c->schema, path, "target", xa_target_name(ex->target), err));
    if (ex->target != XA_TARGET_NONE)
        XA_TRY(err, target_attributes(c, ex, path, err));
    char asked[160];
    xa_explainer_asked_text(ex, asked, sizeof asked);
    if (*asked)
        XA_TRY(err, xa_schema_attr_text(c->schema, path, "asked", asked, err));
    if (def->needs_references)
        XA_TRY(err, reference_attributes(c, path, err));
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
    } else if (ex->nlayers) {
        XA_TRY(err, layers_attributes(c, m, e, path, err));
    } else if (layered) {
        XA_TRY(err,
               xa_schema_attr_text(c->schema, path, "layer", xa_audit_layer(c->audit, m, e), err));
        if (xa_explainer_has(ex->kind, XA_EXPLAINER_RELU))
            XA_TRY(err, xa_schema_attr_i64(c->schema, path, "relu", ex->relu, err));
    } else if (xa_explainer_has(ex->kind, XA_EXPLAINER_CHANNELS) ||
               (def->needs & XA_NEEDS_CONSTANTS)) {
        XA_TRY(err, input_attributes(c, m, e, path, err));
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
    const xa_path path = xa_field_group(XA_FIELD_MAP_VALUES, spec->name, ex->name);
    xa_map_fields *f = &c->models[m].maps[e];
    xa_extents x = xa_counts_extents(&c->counts);
    x.rows = xa_counts_rows(&c->counts, ex->target, ex->top);
    x.channels = shape.dim[0];
    x.height = shape.dim[1];
    x.width = shape.dim[2];
    xa_field_spec s = {.kind = XA_FIELD_MAP_VALUES,
                       .model = spec->name,
                       .explainer = ex->name,
                       .type = ex->half ? XA_TYPE_F16 : XA_TYPE_F32};
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, &x, &f->values, err));
    const int64_t *sample;
    XA_RETURN_TRY(err, xa__row_samples(c, manifest, ex, &sample, err));
    s.kind = XA_FIELD_MAP_SAMPLE;
    s.type = XA_TYPE_COUNT;
    s.data = sample;
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, &s, &x, &f->sample, err));
    XA_RETURN_TRY(err, xa__add_columns(c, XA_OWNER_MAP, ex, &s, &x, NULL, f->column, err));
    XA_RETURN_TRY(err, map_attributes(c, m, e, path.text, err));
    return xa__add_scores(c, spec->name, ex->name, x.rows, f, err);
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
    const xa_path path = xa_field_group(XA_FIELD_MODEL_STATUS, spec->name, NULL);
    xa_model_fields *f = &c->models[m];
    const xa_field_spec name = {.model = spec->name};
    const void *data[XA_FIELDS_OF(MODEL)] = {NULL};
    const uint8_t *first;
    xa_extents x = xa_counts_extents(&c->counts);
    x.classes = xa_audit_classes(c->audit, m);
    f->maps = xa_alloc((size_t)xa_scored(spec), sizeof(xa_map_fields));
    if (!f->maps)
        XA_RETURN_NOMEM(err);
    XA_RETURN_TRY(err, xa__first_status(c, manifest, &first, err));
    data[XA_FIELD_MODEL_STATUS - xa_owned_field(XA_OWNER_MODEL, 0)] = first;
    XA_RETURN_TRY(err, xa__add_columns(c, XA_OWNER_MODEL, NULL, &name, &x, data, f->column, err));
    XA_RETURN_TRY(err, model_attributes(c, m, path.text, err));
    XA_RETURN_TRY(err, xa__add_class_names(c, m, x.classes, err));
    for (int e = 0; e < spec->nexplainers; e++)
        XA_RETURN_TRY(err, add_maps(c, manifest, m, e, err));
    return xa__add_comparisons(c, m, err);
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
    if (c->job->title)
        XA_RETURN_TRY(err, xa_schema_attr_text(c->schema, "/", "title", c->job->title, err));
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

/* Sessions: no run yet, which is all zeros. */
static xa_status add_sessions(xa_contents *c, xa_err *err)
{
    const xa_field_spec none = {.model = NULL};
    const xa_extents x = xa_counts_extents(&c->counts);
    const void *data[XA_FIELDS_OF(SESSION)];
    for (int i = 0; i < XA_FIELDS_OF(SESSION); i++) {
        const xa_field_def *def = xa_field_get(xa_owned_field(XA_OWNER_SESSION, i));
        const size_t item = def->type == XA_TYPE_STR ? def->bytes : xa_type_bytes(def->type);
        int64_t dim[5];
        void *zeros;
        (void)xa_field_dims(xa_owned_field(XA_OWNER_SESSION, i), &x, dim);
        XA_RETURN_TRY(err, xa__contents_own(c, (size_t)dim[0] * item, &zeros, err));
        data[i] = zeros;
    }
    return xa__add_columns(c, XA_OWNER_SESSION, NULL, &none, &x, data, c->session, err);
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
    XA_TRY(err, xa__add_tables(c, m, err));
    XA_TRY(err, decode_attributes(c, err));
    for (int i = 0; i < job->audit.nmodels; i++)
        XA_TRY(err, add_model(c, m, i, err));
    XA_TRY(err, xa_schema_add_checksums(c->schema, err));
    XA_TRY(err, add_sessions(c, err));
    XA_TRY(err, xa__add_extra(c, m, err));
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
            free(c->models[m].maps[e].faith);
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
