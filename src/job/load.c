/* Job, manifest and models together: finds the mistakes that none of them shows alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"
#include "xaudit/import.h"

void xa_loaded_fini(xa_loaded *l)
{
    xa_audit_free(l->audit);
    xa_manifest_free(l->manifest);
    if (l->has_job)
        xa_job_fini(&l->job);
    *l = (xa_loaded){0};
}

/* The turns of all samples, before a slice is taken: slices look at what the whole run looks at. */
static xa_status draw_turns(xa_loaded *l, xa_err *err)
{
    const xa_manifest *m = l->manifest;
    xa_status st = XA_OK;
    uint64_t *hash = xa_alloc((size_t)m->count + 1, sizeof *hash);
    int32_t *class_of = xa_alloc((size_t)m->count + 1, sizeof *class_of);
    int64_t *turn = xa_alloc((size_t)m->count + 1, sizeof *turn);
    if (!hash || !class_of || !turn)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        hash[i] = xa_hash64(s->id, strlen(s->id), 0);
        class_of[i] = s->nlabels        ? s->labels[0]
                      : s->nannotations ? s->annotations[0].class_index
                                        : -1;
    }
    XA_TRY(err, xa_faith_turns(m->count, hash, class_of, (uint64_t)l->job.audit.seed, turn, err));
    for (int64_t i = 0; i < m->count; i++)
        m->samples[i].turn = turn[i];
done:
    free(hash);
    free(class_of);
    free(turn);
    return st;
}

xa_status xa_load_manifest(xa_loaded *l, int64_t limit, xa_problems *problems, xa_err *err)
{
    const xa_manifest_options opt = {.classes = l->job.classes.count ? &l->job.classes : NULL,
                                     .label_as = l->job.label_as,
                                     .categories = &l->job.categories,
                                     .max_samples = l->job.max_samples,
                                     .limit = limit};
    const xa_import_options wsol = {.format = XA_IMPORT_WSOL,
                                    .source = l->job.manifest,
                                    .images = l->job.wsol_images,
                                    .masks = l->job.wsol_masks};
    if (l->job.wsol_images)
        XA_RETURN_TRY(err, xa_manifest_read_wsol(&wsol, limit, &l->manifest, problems, err));
    else
        XA_RETURN_TRY(err, xa_manifest_read(l->job.manifest, &opt, &l->manifest, problems, err));
    if (!l->manifest->count)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: the manifest has no samples", l->job.manifest);
    return l->job.audit.nfaith ? draw_turns(l, err) : XA_OK;
}

void xa_check_classes(const xa_loaded *l, xa_problems *problems)
{
    const xa_job *j = &l->job;
    for (int m = 0; m < j->audit.nmodels; m++) {
        const int64_t classes = xa_audit_classes(l->audit, m);
        if (xa_model_head(xa_audit_model_of(l->audit, m))->kind == XA_HEAD_REGRESSION)
            continue; /* its outputs are no classes, and annotated ones are not its own */
        if (j->classes.count && j->classes.count != classes)
            xa_problems_add(problems,
                            j->file,
                            j->model_line[m],
                            false,
                            "model \"%s\" has %" PRId64 " classes, `classes` names %" PRId64,
                            j->audit.models[m].name,
                            classes,
                            j->classes.count);
        if (l->manifest && l->manifest->max_class >= classes)
            for (int64_t i = 0; i < l->manifest->count; i++) {
                const xa_sample *s = &l->manifest->samples[i];
                int32_t worst = -1;
                for (int32_t k = 0; k < s->nlabels + s->nannotations; k++) {
                    const int32_t c =
                        k < s->nlabels ? s->labels[k] : s->annotations[k - s->nlabels].class_index;
                    const int32_t largest = xa_category_largest(s->categories, c);
                    worst = largest > worst ? largest : worst;
                }
                if (worst >= classes)
                    xa_problems_add(problems,
                                    l->manifest->file,
                                    s->line,
                                    false,
                                    "class %d, but model \"%s\" has classes 0 to %" PRId64,
                                    (int)worst,
                                    j->audit.models[m].name,
                                    classes - 1);
            }
    }
}

/* Warns if the model's file says another input size than the job. An extent of 0 takes any size. */
static void advise_size(const xa_job *j, int m, const xa_model *model, xa_problems *problems)
{
    const xa_audit_model_spec *s = &j->audit.models[m];
    const xa_shape own = xa_model_file_input(model);
    if (own.ndim != 3 || (!own.dim[0] && !own.dim[1]) ||
        ((!own.dim[0] || own.dim[0] == s->input.height) &&
         (!own.dim[1] || own.dim[1] == s->input.width)))
        return;
    char height[24] = "any", width[24] = "any";
    if (own.dim[0])
        snprintf(height, sizeof height, "%" PRId64, own.dim[0]);
    if (own.dim[1])
        snprintf(width, sizeof width, "%" PRId64, own.dim[1]);
    xa_problems_add(
        problems,
        j->file,
        j->model_line[m],
        true,
        "model \"%s\": its file says an input of %s x %s (height x width), and the job says "
        "size: [%" PRId64 ", %" PRId64
        "]: objects then have another size in its layers than in training, so that scores and maps "
        "are not those of the model as it was trained; is that meant?",
        s->name,
        height,
        width,
        s->input.height,
        s->input.width);
}

/* Rounded values decide ReLUs and maxima otherwise: measured, on photographs and a trained
 * Xception. */
static void advise_numerics(const xa_job *j, int m, const xa_model *model, xa_problems *problems)
{
    const xa_audit_model_spec *s = &j->audit.models[m];
    const xa_graph *g = xa_model_graph(model);
    bool decides = false;
    for (int i = 0; i < xa_graph_nodes(g); i++) {
        const xa_node *node = xa_graph_node(g, i);
        decides = decides ||
                  (node->op == XA_OP_ACTIVATION && node->params.activation.kind == XA_ACT_RELU);
    }
    if (j->numerics != XA_NUMERICS_BF16 || !decides)
        return;
    for (int e = 0; e < s->nexplainers; e++)
        if (xa_explainer_get(s->explainers[e].kind)->needs & XA_NEEDS_INPUT_GRADIENT) {
            xa_problems_add(problems,
                            j->file,
                            j->model_line[m],
                            true,
                            "model \"%s\": numerics bf16 round the values that its ReLUs decide "
                            "by: maps of \"%s\" then differ much from those of strict, and hardly "
                            "with numerics: bf16-gradient; xaudit check --numerics N measures it",
                            s->name,
                            s->explainers[e].name);
            return;
        }
}

/* Once a job, whoever asks for it. */
static void advise_patent(const xa_job *j, xa_problems *problems)
{
    for (int m = 0; m < j->audit.nmodels; m++) {
        const xa_audit_model_spec *s = &j->audit.models[m];
        for (int e = 0; e < s->nexplainers; e++) {
            if (s->explainers[e].backward == XA_RULES_GRADIENT)
                continue;
            xa_problems_add(problems,
                            j->file,
                            j->model_line[m],
                            true,
                            "backward: %s is layer-wise relevance propagation (LRP), which is "
                            "patented; its authors let it be used for personal and scientific "
                            "purposes alone, and other uses need their licence",
                            xa_rules_name(s->explainers[e].backward));
            return;
        }
    }
}

void xa_check_advice(const xa_loaded *l, xa_problems *problems)
{
    const xa_job *j = &l->job;
    int64_t labelled = 0, annotated = 0;
    for (int64_t i = 0; l->manifest && i < l->manifest->count; i++) {
        labelled += l->manifest->samples[i].nlabels > 0;
        annotated += l->manifest->samples[i].nannotations > 0;
    }
    advise_patent(j, problems);
    for (int m = 0; m < j->audit.nmodels; m++) {
        const xa_audit_model_spec *s = &j->audit.models[m];
        const xa_model *model = xa_audit_model_of(l->audit, m);
        for (int i = 0; i < xa_model_assumptions(model); i++)
            xa_problems_add(problems,
                            j->file,
                            j->model_line[m],
                            true,
                            "model \"%s\": assumed: %s",
                            s->name,
                            xa_model_assumption(model, i));
        advise_size(j, m, model, problems);
        xa__advise_input(j, m, problems);
        advise_numerics(j, m, model, problems);
        const char *own = xa_model_own_scaling(model);
        if (own && s->input.scale.kind != XA_SCALE_NONE)
            xa_problems_add(problems,
                            j->file,
                            j->model_line[m],
                            true,
                            "model \"%s\" scales its input itself (layer \"%s\"), and the job says "
                            "scale: %s: images would be scaled twice; write scale: none",
                            s->name,
                            own,
                            xa_scale_name(s->input.scale.kind));
        if (!own && s->input.scale.kind == XA_SCALE_NONE)
            xa_problems_add(
                problems,
                j->file,
                j->model_line[m],
                true,
                "model \"%s\" gets pixels 0..255 (scale: none) and has no scaling layer: "
                "is that how it was trained?",
                s->name);
        for (int e = 0; e < s->nexplainers && l->manifest; e++) {
            if (s->explainers[e].target == XA_TARGET_LABEL && !labelled)
                xa_problems_add(problems,
                                j->file,
                                j->model_line[m],
                                true,
                                "explainer \"%s\" explains labels, and no sample has a label: it "
                                "will make no maps",
                                s->explainers[e].name);
            if (s->explainers[e].target == XA_TARGET_ANNOTATED && !annotated)
                xa_problems_add(problems,
                                j->file,
                                j->model_line[m],
                                true,
                                "explainer \"%s\" explains annotated classes, and no sample is "
                                "annotated: it will make no maps",
                                s->explainers[e].name);
        }
    }
    if (l->manifest && j->audit.nmetrics && !annotated)
        xa_problems_add(problems,
                        j->file,
                        0,
                        true,
                        "the job has metrics, and no sample is annotated: they stay undefined");
}
