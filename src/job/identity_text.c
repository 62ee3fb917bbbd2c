/* The identity: canonical lines of everything that moves a stored number or table, and of nothing
 * else, in three parts. Each line begins with its part:
 *
 *   pass.    what the models' outputs come from: model files, input, numerics, batch, the images
 *   maps.    which maps there are, and how they are made of a pass
 *   scores.  how maps are scored and against what: metrics, checks, annotations; and tables that
 *            are only stored and summarised by: groups, splits, further columns, class names
 *
 * Two lines are of no part: the format's version before them and the slice's after them. A run goes
 * on, and slices are merged, where all lines are equal. The lines of settings come from the rows of
 * settings.def, in their order. In no line are: comments and the job's name, where files lie, the
 * output's place, what failures are tolerated, limits of how much is read (but for those that make
 * a sample fail), the number of ranks, and, where arithmetic is fused, threads and the processor.
 * The pixels of images and masks are not read for it: those of both are hashed when they are read
 * (pixel_hash, mask_hash). src/README.md#identity says why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"
#include "xaudit/archive.h"

/* ---- lines of the job's settings that need models or hashes ---- */

/* None of the default, 1, so that archives go on that were begun before there was a seed. */
void xa__seed_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const int64_t seed = ((const xa_job *)object)->audit.seed;
    if (!l->job || seed != 1)
        xa__integer_line(l, s->key, seed);
}

void xa__numerics_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_job *job = object;
    /* pair: chains of sums as vdpbf16ps makes them */
    xa_str_printf(l->out,
                  "%s%s = %d, %s%s\n",
                  l->of,
                  s->key,
                  xa_numerics_version,
                  xa_numerics_name(job->numerics),
                  l->audit && xa_numerics_rounds(job->numerics) ? "/pair" : "");
}

/* All processors with fused multiply-adds give the same bytes, with any number of threads. */
void xa__arithmetic_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_job *job = object;
    xa_plan_info info = {0};
    if (!l->audit) {
        xa__integer_line(l, s->key, job->threads);
        return;
    }
    xa_audit_plan_info(l->audit, 0, &info);
    if (xa_isa_fused(info.isa))
        xa__text_line(l, "arithmetic", "fused");
    else
        xa_str_printf(l->out,
                      "%sarithmetic = %s, blas %s, %d thread%s\n",
                      l->of,
                      xa_isa_name(info.isa),
                      xa_blas_core(),
                      job->threads,
                      job->threads == 1 ? "" : "s");
}

void xa__class_names_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_classes *classes = &((const xa_job *)object)->classes;
    xa_str names = {0};
    char hash[XA_SHA256_HEX];
    if (!l->audit) { /* shown, not compared */
        xa__integer_line(l, s->key, classes->count);
        return;
    }
    for (int64_t i = 0; classes->names && i < classes->count; i++)
        xa_str_printf(&names, "%s\n", classes->names[i]);
    if (names.failed)
        l->st = XA_NOMEM_ERR(l->err);
    else if (names.len && l->st == XA_OK)
        l->st = xa_sha256_bytes(names.data, names.len, hash, l->err);
    if (names.len && l->st == XA_OK)
        xa__text_line(l, "class_names", hash);
    xa_str_free(&names);
}

/* ---- of a model's ---- */

void xa__model_file_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    if (!l->audit) {
        xa__text_line(l, s->key, spec->file);
        return;
    }
    const xa_model *model = xa_audit_model_of(l->audit, l->model);
    const char *sha = xa_model_sha256(model);
    if ((!sha || !*sha) && l->st == XA_OK)
        l->st = XA_ERR(l->err, XA_IO, "model file \"%s\" cannot be hashed", spec->file);
    xa__text_line(l, "sha256", sha ? sha : "");
    const char *beside = xa_model_config_sha256(model); /* that file decides as the weights do */
    if (!beside && l->st == XA_OK)
        l->st = XA_ERR(l->err, XA_IO, "a file beside model \"%s\" cannot be hashed", spec->file);
    if (beside && *beside)
        xa__text_line(l, "config_sha256", beside);
}

void xa__head_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    if (l->audit)
        xa__text_line(
            l, s->key, xa_head_name(xa_model_head(xa_audit_model_of(l->audit, l->model))->kind));
    else if (spec->open.head)
        xa__text_line(l, s->key, spec->open.head);
}

void xa__batch_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    xa__integer_line(l, s->key, l->audit ? xa_audit_batch(l->audit, l->model) : spec->batch);
}

/* Which of a model's layers are taken for Keras' own. */
void xa__user_classes_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    xa_str one = {0};
    for (const char *c = spec->open.user_classes; c && *c; c++)
        xa_str_printf(&one, "%c", *c == '\n' ? ',' : *c);
    if (one.failed)
        l->out->failed = true;
    else if (one.data)
        xa__text_line(l, s->key, one.data);
    xa_str_free(&one);
}

void xa__output_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    if (spec->open.output)
        xa__text_line(l, s->key, spec->open.output);
}

/* Of files what they hold, not where they lie. */
void xa__inputs_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_model_spec *spec = object;
    for (int i = 0; i < spec->open.nconstants; i++) {
        const xa_model_constant *c = &spec->open.constants[i];
        xa_str key = {0}, value = {0};
        char sha[XA_SHA256_HEX] = "";
        xa_str_printf(&key, "%s.%s", s->key, c->name);
        if (c->file && l->audit && l->st == XA_OK)
            l->st = xa_sha256_file(c->file, sha, l->err);
        if (c->file)
            xa_str_puts(&value, l->audit ? sha : c->file);
        else
            xa__number_text(c->value, &value);
        if (key.failed || value.failed)
            l->out->failed = true;
        else
            xa__text_line(l, key.data, value.data ? value.data : "");
        xa_str_free(&key);
        xa_str_free(&value);
    }
}

/* ---- parts ---- */

void xa_job_metric_identity(const xa_audit_spec *s, xa_str *out)
{
    char of[96];
    xa__lines l = {.out = out, .of = of};
    xa_str_printf(out, "scores.definitions = %d\n", XA_METRICS_VERSION);
    xa_str_puts(out, "scores.metrics =");
    for (int k = 0; k < s->nmetrics; k++)
        xa_str_printf(out, " %s", s->metrics[k].name);
    xa_str_puts(out, s->nmetrics ? "\n" : " none\n");
    for (int k = 0; k < s->nmetrics; k++) {
        /* every setting, whether the kind has it or not: a job cannot set those it has not */
        snprintf(of, sizeof of, "scores.metric.%s/", s->metrics[k].name);
        xa__setting_lines(&l, XA_JOB_METRIC, (int)s->metrics[k].kind, XA__SCORES, &s->metrics[k]);
    }
}

/* Which part of an identity a part of the manifest belongs to: the samples of a pass;
 * which classes have maps; what maps are scored against, or stored and summarised by. */
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

static void pass_lines(xa__lines *l, const xa_manifest *m)
{
    const xa_job *j = l->job;
    char of[80];
    xa_str_printf(l->out, "pass.definitions = %d\n", XA_PASS_VERSION);
    l->of = "pass.";
    xa__setting_lines(l, XA_JOB_JOB, -1, XA__PASS, j);
    xa_str_printf(l->out, "pass.samples = %" PRId64 "\n", m->whole ? m->whole : m->count);
    manifest_lines(l->out, m, "pass");
    xa_str_puts(l->out, "pass.models =");
    for (int i = 0; i < j->audit.nmodels; i++)
        xa_str_printf(l->out, " %s", j->audit.models[i].name);
    xa_str_puts(l->out, "\n");
    for (l->model = 0; l->model < j->audit.nmodels; l->model++) {
        snprintf(of, sizeof of, "pass.model.%s/", j->audit.models[l->model].name);
        l->of = of;
        xa__setting_lines(l, XA_JOB_MODEL, -1, XA__PASS, &j->audit.models[l->model]);
    }
}

static void maps_lines(xa__lines *l, const xa_manifest *m)
{
    const xa_job *j = l->job;
    char of[160];
    xa_str_printf(l->out, "maps.definitions = %d\n", XA_MAPS_VERSION);
    manifest_lines(l->out, m, "maps");
    for (l->model = 0; l->model < j->audit.nmodels; l->model++) {
        const xa_audit_model_spec *s = &j->audit.models[l->model];
        xa_str_printf(l->out, "maps.%s/explainers =", s->name); /* pairs are named in this order */
        for (int e = 0; e < s->nexplainers; e++)
            xa_str_printf(l->out, " %s", s->explainers[e].name);
        xa_str_puts(l->out, "\n");
        for (l->explainer = 0; l->explainer < s->nexplainers; l->explainer++) {
            const xa_explainer_spec *e = &s->explainers[l->explainer];
            snprintf(of, sizeof of, "maps.%s/%s/", s->name, e->name);
            l->of = of;
            xa__setting_lines(l, XA_JOB_EXPLAINER, (int)e->kind, XA__MAPS, e);
        }
    }
}

static void scores_lines(xa__lines *l, const xa_manifest *m)
{
    xa_job_metric_identity(&l->job->audit, l->out);
    xa_str_printf(l->out, "scores.map_definitions = %d\n", XA_MAP_SCORES_VERSION);
    l->of = "scores.";
    xa__setting_lines(l, XA_JOB_JOB, -1, XA__SCORES, l->job);
    manifest_lines(l->out, m, "scores");
}

xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err)
{
    xa__lines l = {.out = out, .job = j, .audit = a, .err = err, .st = XA_OK};
    xa_str_printf(out, "format = %d.%d\n", XA_FORMAT_MAJOR, XA_FORMAT_MINOR);
    pass_lines(&l, m);
    maps_lines(&l, m);
    scores_lines(&l, m);
    if (m->whole) /* last: what is before is the whole run's */
        xa_str_printf(
            out, XA_SLICE_KEY " = %" PRId64 " to %" PRId64 "\n", m->first, m->first + m->count - 1);
    if (l.st != XA_OK)
        return XA_ERR_PASS(err, l.st);
    if (out->failed)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}
