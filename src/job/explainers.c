/* explainers of a job. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

/* ---- target: predicted | label | annotated | { class[, minus] } | { unit } | { top } ---- */

/* The index of a class by its name; -1: no class has it, -2: several have it, which is reported. */
static int64_t class_named(const xa__reading *r, xa_ynode n, const char *text)
{
    const xa_classes *classes = &r->job->classes;
    int64_t named = -1;
    for (int64_t i = 0; classes->names && i < classes->count; i++) {
        if (strcmp(classes->names[i], text) != 0)
            continue;
        if (named >= 0) {
            XA_YAML_PROBLEM(r->problems,
                            n,
                            "target: \"%s\" is the name of classes %" PRId64 " and %" PRId64
                            ": write the index that is meant",
                            text,
                            named,
                            i);
            return -2;
        }
        named = i;
    }
    return named;
}

void xa__read_target_class(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_explainer_spec *spec = object;
    const xa_classes *classes = &r->job->classes;
    const char *text = xa__yaml_text(n);
    int64_t index = text ? class_named(r, n, text) : -1;
    if (index == -2)
        return;
    if (index < 0 && !(text && xa_parse_i64(text, &index) && index >= 0 && index < INT32_MAX)) {
        const char *near =
            text && classes->names
                ? xa_nearest(text, (const char *const *)classes->names, (size_t)classes->count)
                : NULL;
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "target: class \"%s\" is neither a name of `classes` nor an index%s%s%s",
                        text ? text : xa__found(n),
                        near ? "; did you mean \"" : "",
                        near ? near : "",
                        near ? "\"?" : "");
        return;
    }
    if (!strcmp(s->key, "minus"))
        spec->target_minus = (int32_t)index;
    else
        spec->target_class = (int32_t)index;
}

/* One of class, unit and top; `minus` goes with class alone. */
static void read_target_map(const xa__reading *r, xa_ynode n, xa_explainer_spec *spec)
{
    const bool class_given = xa__yaml_get(n, "class").id, unit = xa__yaml_get(n, "unit").id,
               top = xa__yaml_get(n, "top").id, minus = xa__yaml_get(n, "minus").id;
    xa__read_map(r, n, XA_JOB_TARGET, -1, spec);
    spec->target = unit    ? XA_TARGET_UNIT
                   : top   ? XA_TARGET_TOP
                   : minus ? XA_TARGET_DIFFERENCE
                           : XA_TARGET_CLASS;
    if (class_given + unit + top != 1)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "target: expected one of { class: NAME }, { class: NAME, minus: NAME }, "
                        "{ unit: 2 } and { top: 3 }");
    else if (minus && !class_given)
        XA_YAML_PROBLEM(
            r->problems, n, "target: minus goes with class: { class: NAME, minus: NAME }");
    else if (minus && spec->target_class >= 0 && spec->target_class == spec->target_minus)
        XA_YAML_PROBLEM(
            r->problems, n, "target: a class minus itself is 0 for every image; name two classes");
}

void xa__read_target(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const char *const words[] = {"predicted", "label", "annotated", NULL};
    static const xa_target_rule rules[] = {
        XA_TARGET_PREDICTED, XA_TARGET_LABEL, XA_TARGET_ANNOTATED};
    xa_explainer_spec *spec = object;
    const char *text = xa__yaml_text(n);
    xa_setting choice = *s;
    choice.words = words;
    if (xa__yaml_kind(n) == XA_Y_MAP) {
        read_target_map(r, n, spec);
    } else if (text && !strcmp(text, "class")) {
        XA_YAML_PROBLEM(r->problems, n, "target: which class? Write target: { class: NAME }");
    } else if (text && !strcmp(text, "unit")) {
        XA_YAML_PROBLEM(r->problems, n, "target: which output? Write target: { unit: 0 }");
    } else if (text && !strcmp(text, "top")) {
        XA_YAML_PROBLEM(r->problems, n, "target: how many classes? Write target: { top: 3 }");
    } else {
        const int word = xa__read_word(r, &choice, n);
        if (word >= 0)
            spec->target = rules[word];
    }
}

/* ---- profile ---- */

/* seed: what the Keras example and its descendants compute. paper: the papers' scores before
 * softmax. */
void xa__read_explainer_profile(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_explainer_spec *spec = object;
    const int word = xa__read_word(r, s, n);
    if (word == 1)
        spec->score = XA_SCORE_LOGIT;
    if (word != 0)
        return;
    spec->score = XA_SCORE_PROB;
    spec->as_tensorflow = true;
    if (spec->kind == XA_EXPLAIN_ROLLOUT) {
        spec->vit_keras = spec->has_input = true;
        spec->input.scale = (xa_scale){.kind = XA_SCALE_TF};
    }
}

static void check_profile(const xa__reading *r, xa_ynode n, const xa_explainer_spec *spec)
{
    if (spec->vit_keras && (spec->heads != XA_FUSE_MEAN || spec->start || spec->discard > 0.0))
        XA_YAML_PROBLEM(
            r->problems,
            n,
            "profile: seed is vit-keras' attention_map, which has the mean of the heads, all "
            "layers and nothing discarded; leave heads, start_layer and discard out");
}

/* ---- several layers ---- */

void xa__read_layers(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_explainer_spec *spec = object;
    const int count = xa__yaml_count(n);
    if (xa__yaml_kind(n) != XA_Y_LIST || count < 2 || count > XA_EXPLAIN_LAYERS) {
        XA_YAML_PROBLEM(
            r->problems,
            n,
            "%s: expected a list of 2 to %d layers, such as [block2, block3], found %s; "
            "one layer alone is `layer`",
            s->key,
            XA_EXPLAIN_LAYERS,
            xa__found(n));
        return;
    }
    for (int i = 0; i < count; i++) {
        const xa_ynode item = xa__yaml_at(n, i);
        const char *text = xa__yaml_text(item);
        const bool fits = text && *text && strlen(text) < sizeof spec->layers[0];
        if (!fits)
            XA_YAML_PROBLEM(r->problems, item, "%s: entry %d is no name of a layer", s->key, i + 1);
        for (int k = 0; fits && k < i; k++)
            if (!strcmp(spec->layers[k], text))
                XA_YAML_PROBLEM(r->problems, item, "%s: \"%s\" is given twice", s->key, text);
        snprintf(spec->layers[i], sizeof spec->layers[0], "%s", fits ? text : "");
    }
    spec->nlayers = count;
    spec->layer[0] = '\0';
}

static void check_layers(const xa__reading *r, xa_ynode n, const xa_explainer_spec *spec)
{
    if (spec->nlayers && xa__yaml_get(n, "layer").id)
        XA_YAML_PROBLEM(
            r->problems, n, "layers: the explainer has `layer` as well; write one of them");
}

/* ---- one explainer ---- */

/* The kind that `kind` and `method` name; false, and reported, where they name none. */
static bool read_kind(const xa__reading *r, xa_ynode n, int *kind)
{
    static const xa_explainer_kind of_method[] = {
#define X(name, text) XA_EXPLAIN_##name,
        XA__METHOD_LIST(X)
#undef X
    };
    const bool map = xa__yaml_kind(n) == XA_Y_MAP;
    const xa_ynode node = map ? xa__yaml_get(n, "kind") : n, method = xa__yaml_get(n, "method");
    if (!node.id) {
        XA_YAML_PROBLEM(r->problems, n, "explainer: `kind` is missing");
        return false;
    }
    *kind = xa__read_kind(r, node, XA_JOB_EXPLAINER);
    if (*kind < 0)
        return false;
    if (!map || !method.id)
        return true;
    if (*kind != XA_EXPLAIN_ATTENTION) {
        XA_YAML_PROBLEM(r->problems,
                        method,
                        "method: a setting of attention, not of %s",
                        xa__kind_name(XA_JOB_EXPLAINER, *kind));
        return false;
    }
    const int word = xa__read_word(r, xa__setting(XA_JOB_EXPLAINER, "method"), method);
    if (word >= 0)
        *kind = (int)of_method[word];
    return word >= 0;
}

static void
read_one(const xa__reading *r, xa_ynode n, const xa_input_spec *input, xa_explainer_spec *spec)
{
    int kind;
    if (!read_kind(r, n, &kind))
        return;
    *spec = xa_explainer_defaults((xa_explainer_kind)kind);
    spec->input = *input;
    if (xa__yaml_kind(n) == XA_Y_MAP) {
        xa__read_map(r, n, XA_JOB_EXPLAINER, kind, spec);
        check_profile(r, n, spec);
        check_layers(r, n, spec);
    }
    if (!spec->name[0])
        xa_explainer_default_name(spec, spec->name, sizeof spec->name);
}

void xa__read_explainers(const xa__reading *r, const xa_setting *s, xa_ynode list, void *object)
{
    xa_audit_model_spec *model = object;
    const int n = xa__yaml_count(list);
    if (xa__yaml_kind(list) != XA_Y_LIST || n < 1 || n > 64) {
        XA_YAML_PROBLEM(r->problems, list, "%s: expected a list of 1 to 64 explainers", s->key);
        return;
    }
    model->explainers = xa_alloc((size_t)n, sizeof(xa_explainer_spec));
    if (!model->explainers)
        XA_YAML_PROBLEM(r->problems, list, "%s: out of memory", s->key);
    for (int i = 0; model->explainers && i < n; i++) {
        xa_explainer_spec *e = &model->explainers[model->nexplainers];
        read_one(r, xa__yaml_at(list, i), &model->input, e);
        for (int k = 0; k < model->nexplainers; k++)
            if (!strcmp(model->explainers[k].name, e->name) && e->name[0])
                XA_YAML_PROBLEM(r->problems,
                                xa__yaml_at(list, i),
                                "two explainers are called \"%s\": give one a `name`",
                                e->name);
        model->nexplainers++;
    }
}
