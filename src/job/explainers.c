/* explainers of a job. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

static const char *const kind_names[] = {
#define X(name, text, file) text,
    XA_EXPLAINER_LIST(X)
#undef X
};
static const char *const score_names[] = {
#define X(name, text) text,
    XA_SCORE_LIST(X)
#undef X
};
static const char *const reduce_names[] = {
#define X(name, text) text,
    XA_REDUCE_LIST(X)
#undef X
};
/* target: predicted | label | annotated | {class: name or index} */
static void
read_target(xa_ynode n, const xa_classes *classes, xa_explainer_spec *spec, xa_problems *problems)
{
    static const char *const rules[] = {"predicted", "label", "annotated"}; /* none: by kind */
    int rule = XA_TARGET_PREDICTED;
    int64_t index;
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        if (xa_job_choice(n, "target", xa_target_parse, rules, 3, &rule, problems))
            spec->target = (xa_target_rule)rule;
        if (rule == XA_TARGET_CLASS)
            XA_YAML_PROBLEM(problems, n, "target: which class? Write target: { class: NAME }");
        return;
    }
    xa_job_check_keys(n, XA_JOB_TARGET, problems);
    const xa_ynode c = xa_yaml_get(n, "class");
    const char *text = xa_yaml_text(c);
    spec->target = XA_TARGET_CLASS;
    int64_t named = -1;
    for (int64_t i = 0; text && classes->names && i < classes->count; i++) {
        if (strcmp(classes->names[i], text))
            continue;
        if (named >= 0) {
            XA_YAML_PROBLEM(problems,
                            n,
                            "target: \"%s\" is the name of classes %" PRId64 " and %" PRId64
                            ": write the index that is meant",
                            text,
                            named,
                            i);
            return;
        }
        named = i;
    }
    if (named >= 0) {
        spec->target_class = (int32_t)named;
        return;
    }
    if (text && xa_parse_i64(text, &index) && index >= 0 && index < INT32_MAX) {
        spec->target_class = (int32_t)index;
        return;
    }
    const char *near =
        text && classes->names
            ? xa_nearest(text, (const char *const *)classes->names, (size_t)classes->count)
            : NULL;
    XA_YAML_PROBLEM(problems,
                    n,
                    "target: class \"%s\" is neither a name of `classes` nor an index%s%s%s",
                    text ? text : "",
                    near ? "; did you mean \"" : "",
                    near ? near : "",
                    near ? "\"?" : "");
}

/* seed: what the Keras example and its descendants compute. paper: the papers' scores before
 * softmax. */
static void apply_profile(xa_ynode n, xa_explainer_spec *spec, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    if (!n.id)
        return;
    if (text && !strcmp(text, "seed")) {
        spec->score = XA_SCORE_PROB;
        spec->as_tensorflow = true;
        if (spec->kind == XA_EXPLAIN_ROLLOUT) {
            spec->vit_keras = spec->has_input = true;
            spec->input.scale = (xa_scale){.kind = XA_SCALE_TF};
        }
    } else if (text && !strcmp(text, "paper")) {
        spec->score = XA_SCORE_LOGIT;
    } else {
        XA_YAML_PROBLEM(problems,
                        n,
                        "profile: expected seed or paper, found %s",
                        text ? text : "a list or map");
    }
}

static void read_store(xa_ynode n, xa_explainer_spec *spec, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    if (!n.id)
        return;
    if (text && !strcmp(text, "f16"))
        spec->half = true;
    else if (text && !strcmp(text, "f32"))
        spec->half = false;
    else
        XA_YAML_PROBLEM(problems, n, "store: expected f32 or f16, found %s", xa_job_found(n));
}

static void only_for(xa_ynode map,
                     const char *key,
                     bool fits,
                     const char *kind,
                     const char *family,
                     xa_problems *problems)
{
    const xa_ynode n = xa_yaml_get(map, key);
    if (n.id && !fits)
        XA_YAML_PROBLEM(problems, n, "%s: `%s` is a setting of %s", kind, key, family);
}

static void read_one(xa_ynode n,
                     const xa_classes *classes,
                     const xa_input_spec *input,
                     xa_explainer_spec *spec,
                     xa_problems *problems)
{
    int kind = XA_EXPLAIN_SALIENCY, score, channels;
    xa_ynode kind_node = n;
    if (xa_yaml_kind(n) == XA_Y_MAP) {
        xa_job_check_keys(n, XA_JOB_EXPLAINER, problems);
        kind_node = xa_yaml_get(n, "kind");
        if (!kind_node.id) {
            XA_YAML_PROBLEM(problems, n, "explainer: `kind` is missing");
            return;
        }
    }
    if (!xa_job_choice(kind_node,
                       "explainer",
                       xa_explainer_parse,
                       kind_names,
                       XA_EXPLAIN_COUNT,
                       &kind,
                       problems))
        return;
    if (xa_yaml_kind(n) == XA_Y_MAP &&
        !xa_job_read_method(xa_yaml_get(n, "method"), &kind, problems))
        return;
    *spec = xa_explainer_defaults((xa_explainer_kind)kind);
    spec->input = *input;
    const unsigned needs = xa_explainer_get(spec->kind)->needs;
    const bool attention = needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT);
    const bool layered = *spec->layer, cam = needs & XA_NEEDS_LAYER;
    if (xa_yaml_kind(n) == XA_Y_MAP) {
        const char *what = kind_names[kind];
        apply_profile(xa_yaml_get(n, "profile"), spec, problems);
        score = (int)spec->score;
        xa_job_choice(xa_yaml_get(n, "score"),
                      "score",
                      xa_score_parse,
                      score_names,
                      XA_SCORE_COUNT,
                      &score,
                      problems);
        spec->score = (xa_score)score;
        only_for(
            n, "target", spec->target != XA_TARGET_NONE, what, "explainers of a class", problems);
        only_for(
            n, "score", spec->target != XA_TARGET_NONE, what, "explainers of a class", problems);
        if (xa_yaml_get(n, "target").id && spec->target != XA_TARGET_NONE)
            read_target(xa_yaml_get(n, "target"), classes, spec, problems);
        only_for(
            n, "layer", layered, what, "the CAM kinds and of single attention layers", problems);
        only_for(n, "relu", cam || spec->relu, what, "the CAM kinds", problems);
        only_for(n, "channels", !cam && !attention, what, "the input-gradient kinds", problems);
        only_for(n, "absolute", !cam && !attention, what, "the input-gradient kinds", problems);
        only_for(n, "heads", attention, what, "the attention kinds", problems);
        only_for(n, "start_layer", attention, what, "the attention kinds", problems);
        only_for(n, "discard", attention, what, "the attention kinds", problems);
        if (attention)
            xa_job_read_attention(n, spec, problems);
        if (xa_yaml_get(n, "input").id) {
            spec->has_input = true;
            xa_job_read_input_override(xa_yaml_get(n, "input"), &spec->input, problems);
        }
        const char *layer = xa_yaml_text(xa_yaml_get(n, "layer"));
        if (layer && strlen(layer) >= sizeof spec->layer)
            XA_YAML_PROBLEM(problems, n, "layer: the name is too long");
        else if (layer)
            snprintf(spec->layer, sizeof spec->layer, "%s", layer);
        channels = (int)spec->channels;
        xa_job_choice(xa_yaml_get(n, "channels"),
                      "channels",
                      xa_reduce_parse,
                      reduce_names,
                      XA_REDUCE_COUNT,
                      &channels,
                      problems);
        spec->channels = (xa_reduce)channels;
        xa_job_bool(xa_yaml_get(n, "absolute"), "absolute", &spec->absolute, problems);
        xa_job_bool(xa_yaml_get(n, "relu"), "relu", &spec->relu, problems);
        read_store(xa_yaml_get(n, "store"), spec, problems);
        const char *name = xa_yaml_text(xa_yaml_get(n, "name"));
        if (name && !xa_job_name_ok(name))
            XA_YAML_PROBLEM(
                problems, n, "name: \"%s\": expected at most 60 letters, digits and _ . -", name);
        else if (name)
            snprintf(spec->name, sizeof spec->name, "%s", name);
    }
    if (!spec->name[0])
        xa_explainer_default_name(spec, spec->name, sizeof spec->name);
}

void xa_job_read_explainers(xa_ynode list,
                            const xa_classes *classes,
                            xa_audit_model_spec *model,
                            xa_problems *problems)
{
    const int n = xa_yaml_count(list);
    if (xa_yaml_kind(list) != XA_Y_LIST || n < 1 || n > 64) {
        XA_YAML_PROBLEM(problems, list, "explainers: expected a list of 1 to 64 explainers");
        return;
    }
    model->explainers = xa_alloc((size_t)n, sizeof(xa_explainer_spec));
    if (!model->explainers)
        return;
    for (int i = 0; i < n; i++) {
        xa_explainer_spec *e = &model->explainers[model->nexplainers];
        read_one(xa_yaml_at(list, i), classes, &model->input, e, problems);
        for (int k = 0; k < model->nexplainers; k++)
            if (!strcmp(model->explainers[k].name, e->name) && e->name[0])
                XA_YAML_PROBLEM(problems,
                                xa_yaml_at(list, i),
                                "two explainers are called \"%s\": give one a `name`",
                                e->name);
        model->nexplainers++;
    }
}
