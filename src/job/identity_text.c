/* The identity: canonical lines of everything that moves a stored number or table, and of nothing
 * else, in three parts. Each line begins with its part:
 *
 *   pass.    what the models' outputs come from: model files, input, numerics, batch, the images
 *   maps.    which maps there are, and how they are made of a pass
 *   scores.  how maps are scored and against what: metrics, checks, annotations; and tables that
 * are only stored and summarised by: groups, splits, further columns, class names
 *
 * and two lines of no part, the format's version before them and the slice's after them. A run goes
 * on, and slices are merged, where all lines are equal. In no line are: comments and the job's
 * name, where files lie, the output's place, what failures are tolerated, limits of how much is
 * read (but for those that make a sample fail), the number of ranks, and, where arithmetic is
 * fused, threads and the processor. The pixels of images and masks are not read for it: those of
 * both are hashed when they are read (pixel_hash, mask_hash). src/README.md#identity says why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"
#include "xaudit/archive.h"

/* What all lines of an object begin with: "pass.model.m", "maps.m/gradcam.label". A '/' follows,
 * which no name may have: the lines of m.a are none of m. */
typedef struct lines {
    xa_str *out;
    const char *of;
} lines;

static void text(const lines *l, const char *key, const char *value)
{
    xa_str_printf(l->out, "%s/%s = %s\n", l->of, key, value);
}

/* The fewest digits that give the number back: 0.15 is shown as it was written. */
static void add_number(xa_str *out, double value)
{
    char digits[40];
    for (int n = 6; n <= 17; n++) {
        snprintf(digits, sizeof digits, "%.*g", n, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    xa_str_puts(out, digits);
}

static void number(const lines *l, const char *key, double value)
{
    xa_str_printf(l->out, "%s/%s = ", l->of, key);
    add_number(l->out, value);
    xa_str_puts(l->out, "\n");
}

/* A list with an item a line as one line. */
static void lines_of(const lines *l, const char *key, const char *list)
{
    xa_str one = {0};
    for (const char *c = list; *c; c++)
        xa_str_printf(&one, "%c", *c == '\n' ? ',' : *c);
    if (one.failed)
        l->out->failed = true;
    text(l, key, one.data ? one.data : "");
    xa_str_free(&one);
}

static void integer(const lines *l, const char *key, int64_t value)
{
    xa_str_printf(l->out, "%s/%s = %" PRId64 "\n", l->of, key, value);
}

static void numbers(const lines *l, const char *key, const double *value, int n)
{
    xa_str_printf(l->out, "%s/%s =", l->of, key);
    for (int i = 0; i < n; i++) {
        xa_str_puts(l->out, " ");
        add_number(l->out, value[i]);
    }
    xa_str_puts(l->out, n ? "\n" : " none\n");
}

/* From a decoded image to the network. */
static void input_lines(const lines *l, const xa_input_spec *s)
{
    xa_str_printf(l->out, "%s/size = %" PRId64 "x%" PRId64 "\n", l->of, s->height, s->width);
    text(l, "resize", xa_resample_name(s->resize));
    switch (s->fit.kind) {
    case XA_FIT_STRETCH:
        text(l, "fit", "stretch");
        break;
    case XA_FIT_CROP:
        text(l, "fit", "crop");
        integer(l, "fit.short", s->fit.short_side);
        break;
    case XA_FIT_PAD:
        text(l, "fit", "pad");
        number(l, "fit.pad", s->fit.pad_value);
        break;
    }
    text(l, "scale", xa_scale_name(s->scale.kind));
    if (s->scale.kind == XA_SCALE_CUSTOM) {
        number(l, "scale.div", s->scale.div);
        numbers(l, "scale.mean", s->scale.mean, s->scale.channels);
        numbers(l, "scale.std", s->scale.std, s->scale.channels);
    }
    text(l, "depth", xa_depth_name(s->depth.kind));
    if (s->depth.kind == XA_DEPTH_WINDOW || s->depth.kind == XA_DEPTH_PERCENTILE) {
        number(l, "depth.low", s->depth.low);
        number(l, "depth.high", s->depth.high);
    }
}

static void explainer_lines(xa_str *out, const xa_job *j, const xa_audit *a, int m, int e)
{
    const xa_explainer_spec *s = &j->audit.models[m].explainers[e];
    const xa_explainer_def *def = xa_explainer_get(s->kind);
    char name[160];
    const lines l = {out, name};
    const int n = snprintf(name, sizeof name, "maps.%s/%s", j->audit.models[m].name, s->name);
    text(&l, "kind", def->name);
    text(&l, "score", xa_score_name(s->score));
    integer(&l, "tensorflow_form", s->as_tensorflow);
    text(&l, "target", xa_target_name(s->target));
    if (s->target == XA_TARGET_CLASS)
        integer(&l, "target.class", s->target_class);
    if (*xa_audit_layer(a, m, e))
        text(&l, "layer", xa_audit_layer(a, m, e));
    if (def->needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT)) {
        text(&l, "heads", xa_fuse_name(s->heads));
        integer(&l, "start_layer", s->start);
        number(&l, "discard", s->discard);
        integer(&l, "vit_keras", s->vit_keras);
        integer(&l, "relu", s->relu);
    } else if (def->needs & XA_NEEDS_LAYER) {
        integer(&l, "relu", s->relu);
    } else {
        text(&l, "channels", xa_reduce_name(s->channels));
        integer(&l, "absolute", s->absolute);
    }
    text(&l, "store", s->half ? "f16" : "f32");
    if (s->has_input) {
        snprintf(name + n, sizeof name - (size_t)n, "/input");
        input_lines(&l, &s->input);
    }
}

/* Every field of a metric, whether its kind uses it or not: what its kind does not use a job cannot
 * set. */
static void metric_settings(xa_str *out, const xa_metric_spec *s)
{
    static const char *const at[] = {"map", "grid", "input", "image"};
    static const char *const sign[] = {"signed", "positive", "abs"};
    static const char *const cut[] = {"fraction", "otsu", "mean"};
    char name[96];
    const lines l = {out, name};
    snprintf(name, sizeof name, "scores.metric.%s", s->name);
    text(&l, "kind", xa_metric_kind_name(s->kind));
    text(&l, "profile", *s->profile ? s->profile : "none");
    text(&l, "at", at[s->at]);
    if (s->at == XA_AT_GRID)
        integer(&l, "at.grid", s->grid);
    text(&l, "sign", sign[s->sign]);
    text(&l, "upsample", s->cubic ? "cubic" : "linear");
    text(&l, "stretch", s->minmax ? "minmax" : "max");
    text(&l, "contours", s->all_contours ? "all" : "largest");
    text(&l, "difficult", s->skip_difficult ? "skip" : "keep");
    text(&l, "crowd", s->ignore_crowd ? "ignore" : "keep");
    number(&l, s->tolerance_is_share ? "tolerance.share" : "tolerance.px", s->tolerance);
    number(&l, "smoothing", s->smoothing);
    integer(&l, "k", s->k);
    if (s->cut == XA_CUT_FRACTION)
        number(&l, "threshold", s->threshold);
    else
        text(&l, "threshold", cut[s->cut]);
    numbers(&l, "iou", s->level, s->nlevels);
    text(&l, "from_split", *s->from_split ? s->from_split : "none");
    integer(&l, "wsol", s->wsol);
}

void xa_job_metric_identity(const xa_audit_spec *s, xa_str *out)
{
    xa_str_printf(out, "scores.definitions = %d\n", XA_METRICS_VERSION);
    xa_str_puts(out, "scores.metrics =");
    for (int k = 0; k < s->nmetrics; k++)
        xa_str_printf(out, " %s", s->metrics[k].name);
    xa_str_puts(out, s->nmetrics ? "\n" : " none\n");
    for (int k = 0; k < s->nmetrics; k++)
        metric_settings(out, &s->metrics[k]);
}

/* Which part of an identity a part of the manifest belongs to: what a pass looks at; which classes
 * have maps; what maps are scored against, or stored and summarised by. */
static const char *manifest_belongs_to(xa_manifest_part p)
{
    switch (p) {
    case XA_MANIFEST_SAMPLES:
    case XA_MANIFEST_PATHS:
    case XA_MANIFEST_EXCLUSIONS:
        return "pass";
    case XA_MANIFEST_LABELS:
    case XA_MANIFEST_ANNOTATED:
        return "maps";
    default:
        return "scores";
    }
}

static void manifest_lines(xa_str *out, const xa_manifest *m, const char *part)
{
    for (int p = 0; p < XA_MANIFEST_PARTS; p++)
        if (!strcmp(manifest_belongs_to((xa_manifest_part)p), part))
            xa_str_printf(out,
                          "%s.manifest.%s = %s\n",
                          part,
                          xa_manifest_part_name((xa_manifest_part)p),
                          m->identity[p]);
}

static xa_status model_lines(xa_str *out, const xa_job *j, const xa_audit *a, int i, xa_err *err)
{
    const xa_audit_model_spec *s = &j->audit.models[i];
    const xa_model *model = xa_audit_model_of(a, i);
    const char *sha = xa_model_sha256(model);
    char name[80];
    const lines l = {out, name};
    if (!sha || !*sha)
        XA_RETURN_FAIL(err, XA_IO, "model file \"%s\" cannot be hashed", s->file);
    snprintf(name, sizeof name, "pass.model.%s", s->name);
    text(&l, "sha256", sha);
    if (*xa_model_config_sha256(model)) /* the file beside the weights decides as they do */
        text(&l, "config_sha256", xa_model_config_sha256(model));
    text(&l, "head", xa_head_name(xa_model_head(model)->kind));
    integer(&l, "batch", xa_audit_batch(a, i));
    input_lines(&l, &s->input);
    text(&l, "orientation", s->input.ignore_orientation ? "ignore" : "apply");
    integer(&l, "interpolate_positions", s->open.interpolate_positions);
    if (s->open.user_classes) /* of which a model's layers are taken for Keras' own */
        lines_of(&l, "user_classes", s->open.user_classes);
    return XA_OK;
}

static xa_status
pass_lines(xa_str *out, const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_err *err)
{
    const xa_decode_options *d = &j->audit.decode;
    xa_plan_info info = {0};
    xa_audit_plan_info(a, 0, &info);
    xa_str_printf(out, "pass.definitions = %d\n", XA_PASS_VERSION);
    xa_str_printf(
        out, "pass.numerics = %d, %s\n", xa_numerics_version, xa_numerics_name(j->numerics));
    if (xa_isa_fused(info.isa)) /* the same bytes on all such processors */
        xa_str_puts(out, "pass.arithmetic = fused\n");
    else
        xa_str_printf(out,
                      "pass.arithmetic = %s, blas %s, %d thread%s\n",
                      xa_isa_name(info.isa),
                      xa_blas_core(),
                      j->threads,
                      j->threads == 1 ? "" : "s");
    xa_str_printf(out, "pass.max_pixels = %" PRId64 "\n", d->max_pixels);
    xa_str_printf(out, "pass.max_bytes = %" PRId64 "\n", d->max_bytes);
    xa_str_printf(out, "pass.thumbnails = %" PRId64 "\n", j->audit.thumbnails);
    xa_str_printf(out, "pass.samples = %" PRId64 "\n", m->whole ? m->whole : m->count);
    manifest_lines(out, m, "pass");
    xa_str_puts(out, "pass.models =");
    for (int i = 0; i < j->audit.nmodels; i++)
        xa_str_printf(out, " %s", j->audit.models[i].name);
    xa_str_puts(out, "\n");
    for (int i = 0; i < j->audit.nmodels; i++)
        XA_RETURN_TRY(err, model_lines(out, j, a, i, err));
    return XA_OK;
}

static void maps_lines(xa_str *out, const xa_job *j, const xa_audit *a, const xa_manifest *m)
{
    xa_str_printf(out, "maps.definitions = %d\n", XA_MAPS_VERSION);
    manifest_lines(out, m, "maps");
    for (int i = 0; i < j->audit.nmodels; i++) {
        const xa_audit_model_spec *s = &j->audit.models[i];
        xa_str_printf(out, "maps.%s/explainers =", s->name); /* pairs are named in this order */
        for (int e = 0; e < s->nexplainers; e++)
            xa_str_printf(out, " %s", s->explainers[e].name);
        xa_str_puts(out, "\n");
        for (int e = 0; e < s->nexplainers; e++)
            explainer_lines(out, j, a, i, e);
    }
}

static xa_status scores_lines(xa_str *out, const xa_job *j, const xa_manifest *m, xa_err *err)
{
    const xa_audit_spec *s = &j->audit;
    xa_str names = {0};
    char hash[XA_SHA256_HEX];
    xa_job_metric_identity(s, out);
    xa_str_printf(out, "scores.map_definitions = %d\n", XA_MAP_SCORES_VERSION);
    xa_str_puts(out, "scores.checks =");
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(s, (xa_check_kind)k))
            xa_str_printf(out, " %s", xa_check_name((xa_check_kind)k));
    xa_str_printf(out,
                  "%s\nscores.frame = %s\n",
                  s->masked || s->random_logit ? "" : " none",
                  s->rescale_frames ? "rescale" : "refuse");
    for (int64_t i = 0; j->classes.names && i < j->classes.count; i++)
        xa_str_printf(&names, "%s\n", j->classes.names[i]);
    xa_status st = names.failed ? XA_NOMEM : XA_OK;
    if (st == XA_OK && names.len) {
        st = xa_sha256_bytes(names.data, names.len, hash, err);
        xa_str_printf(out, "scores.class_names = %s\n", hash);
    }
    xa_str_free(&names);
    manifest_lines(out, m, "scores");
    return st;
}

xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err)
{
    xa_str_printf(out, "format = %d.%d\n", XA_FORMAT_MAJOR, XA_FORMAT_MINOR);
    XA_RETURN_TRY(err, pass_lines(out, j, a, m, err));
    maps_lines(out, j, a, m);
    XA_RETURN_TRY(err, scores_lines(out, j, m, err));
    if (m->whole) /* last: what is before is the whole run's */
        xa_str_printf(
            out, XA_SLICE_KEY " = %" PRId64 " to %" PRId64 "\n", m->first, m->first + m->count - 1);
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "identity: out of memory");
    return XA_OK;
}
