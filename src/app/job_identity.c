/* The identity: canonical lines of everything that moves numbers, and of nothing else. Comments,
 * paths, metrics, the number of ranks and the output's place are not part of it. */
#include <inttypes.h>

#include "job.h"
#include "xaudit/archive.h"

/* m: the model's name, or "name.explainer.name" of one with an own way to the input. */
static void input_lines(xa_str *out, const char *m, const xa_input_spec *s)
{
    xa_str_printf(out, "model.%s.size = %" PRId64 "x%" PRId64 "\n", m, s->height, s->width);
    xa_str_printf(out, "model.%s.resize = %s\n", m, xa_resample_name(s->resize));
    switch (s->fit.kind) {
    case XA_FIT_STRETCH:
        xa_str_printf(out, "model.%s.fit = stretch\n", m);
        break;
    case XA_FIT_CROP:
        xa_str_printf(out, "model.%s.fit = short %" PRId64 ", centre crop\n", m, s->fit.short_side);
        break;
    case XA_FIT_PAD:
        xa_str_printf(out, "model.%s.fit = pad %.17g\n", m, s->fit.pad_value);
        break;
    }
    xa_str_printf(out, "model.%s.scale = %s", m, xa_scale_name(s->scale.kind));
    if (s->scale.kind == XA_SCALE_CUSTOM) {
        xa_str_printf(out, " div %.17g mean", s->scale.div);
        for (int c = 0; c < s->scale.channels; c++)
            xa_str_printf(out, " %.17g", s->scale.mean[c]);
        xa_str_puts(out, " std");
        for (int c = 0; c < s->scale.channels; c++)
            xa_str_printf(out, " %.17g", s->scale.std[c]);
    }
    xa_str_printf(out, "\nmodel.%s.depth = %s", m, xa_depth_name(s->depth.kind));
    if (s->depth.kind == XA_DEPTH_WINDOW || s->depth.kind == XA_DEPTH_PERCENTILE)
        xa_str_printf(out, " %.17g %.17g", s->depth.low, s->depth.high);
    xa_str_puts(out, "\n");
}

static void explainer_line(
    xa_str *out, const xa_audit *a, int m, int e, const char *model, const xa_explainer_spec *s)
{
    xa_str_printf(out,
                  "model.%s.explainer.%s = %s score %s%s target %s",
                  model,
                  s->name,
                  xa_explainer_get(s->kind)->name,
                  xa_score_name(s->score),
                  s->as_tensorflow ? " (tensorflow form)" : "",
                  xa_target_name(s->target));
    if (s->target == XA_TARGET_CLASS)
        xa_str_printf(out, " %d", (int)s->target_class);
    if (xa_explainer_get(s->kind)->needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT))
        xa_str_printf(out,
                      " layer %s heads %s start %d discard %.17g vit_keras %d relu %d",
                      xa_audit_layer(a, m, e),
                      xa_fuse_name(s->heads),
                      s->start,
                      s->discard,
                      s->vit_keras,
                      s->relu);
    else if (*xa_audit_layer(a, m, e))
        xa_str_printf(out, " layer %s relu %d", xa_audit_layer(a, m, e), s->relu);
    else
        xa_str_printf(out, " channels %s absolute %d", xa_reduce_name(s->channels), s->absolute);
    xa_str_printf(out, " store %s\n", s->half ? "f16" : "f32");
    if (s->has_input) {
        char name[160];
        snprintf(name, sizeof name, "%s.explainer.%s", model, s->name);
        input_lines(out, name, &s->input);
    }
}

xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err)
{
    xa_plan_info info = {0};
    xa_audit_plan_info(a, 0, &info);
    xa_str_printf(out, "format = %d\n", XA_FORMAT_MAJOR);
    xa_str_printf(out,
                  "numerics = %d%s\n",
                  xa_numerics_version,
                  j->numerics == XA_NUMERICS_FAST ? ", fast" : "");
    if (xa_isa_fused(info.isa)) /* the same bytes on all such processors */
        xa_str_puts(out, "arithmetic = fused\n");
    else
        xa_str_printf(out,
                      "arithmetic = %s, blas %s, %d thread%s\n",
                      xa_isa_name(info.isa),
                      xa_blas_core(),
                      j->threads,
                      j->threads == 1 ? "" : "s");
    xa_str_printf(out, "manifest = %s\n", m->identity);
    xa_str_printf(out, "samples = %" PRId64 "\n", m->whole ? m->whole : m->count);
    for (int i = 0; i < j->audit.nmodels; i++) {
        const xa_audit_model_spec *s = &j->audit.models[i];
        const char *sha = xa_model_sha256(xa_audit_model_of(a, i));
        if (!sha)
            XA_RETURN_FAIL(err, XA_IO, "model file \"%s\" cannot be hashed", s->file);
        xa_str_printf(out, "model.%s.sha256 = %s\n", s->name, sha);
        const char *config = xa_model_config_sha256(xa_audit_model_of(a, i));
        if (*config) /* the file beside the weights decides as they do */
            xa_str_printf(out, "model.%s.config_sha256 = %s\n", s->name, config);
        xa_str_printf(out,
                      "model.%s.head = %s\n",
                      s->name,
                      xa_head_name(xa_model_head(xa_audit_model_of(a, i))->kind));
        xa_str_printf(out, "model.%s.batch = %" PRId64 "\n", s->name, xa_audit_batch(a, i));
        input_lines(out, s->name, &s->input);
        if (s->open.interpolate_positions)
            xa_str_printf(out, "model.%s.interpolate_positions = 1\n", s->name);
        for (int e = 0; e < s->nexplainers; e++)
            explainer_line(out, a, i, e, s->name, &s->explainers[e]);
    }
    if (m->whole) /* last: what is before is the whole run's */
        xa_str_printf(
            out, XA_SLICE_KEY " = %" PRId64 " to %" PRId64 "\n", m->first, m->first + m->count - 1);
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "identity: out of memory");
    return XA_OK;
}
