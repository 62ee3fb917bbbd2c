/* The table of explainers, their settings' names and defaults. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "explain_internal.h"

static const xa_explainer_def *const explainers[XA_EXPLAIN_COUNT] = {
#define X(name, text, file) [XA_EXPLAIN_##name] = &xa_explainer_##file,
    XA_EXPLAINER_LIST(X)
#undef X
};
static const char *const score_names[] = {
#define X(name, text) text,
    XA_SCORE_LIST(X)
#undef X
};
static const char *const target_names[] = {
#define X(name, text) text,
    XA_TARGET_LIST(X)
#undef X
};
static const char *const reduce_names[] = {
#define X(name, text) text,
    XA_REDUCE_LIST(X)
#undef X
};

static const char *const fuse_names[] = {
#define X(name, text) text,
    XA_FUSE_LIST(X)
#undef X
};

static int find(const char *text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(text, names[i]))
            return i;
    return -1;
}

int xa_score_parse(const char *name)
{
    return find(name, score_names, XA_SCORE_COUNT);
}

const char *xa_score_name(xa_score s)
{
    return score_names[s];
}

int xa_target_parse(const char *name)
{
    return find(name, target_names, XA_TARGET_COUNT);
}

const char *xa_target_name(xa_target_rule t)
{
    return target_names[t];
}

int64_t xa_target_row(xa_target_rule rule, const int32_t *target, int64_t n, int32_t class_index)
{
    const bool same_for_all = rule == XA_TARGET_PREDICTED || rule == XA_TARGET_CLASS ||
                              rule == XA_TARGET_DIFFERENCE || rule == XA_TARGET_UNIT;
    for (int64_t k = 0; k < n; k++) {
        if (rule == XA_TARGET_NONE)
            return k; /* it explains no class and is scored for every class */
        if (target[k] < 0)
            continue;
        if (same_for_all || target[k] == class_index)
            return k;
    }
    return -1;
}

const char *xa_reduce_name(xa_reduce r)
{
    return reduce_names[r];
}

const char *xa_fuse_name(xa_fuse f)
{
    return fuse_names[f];
}

const xa_explainer_def *xa_explainer_get(xa_explainer_kind kind)
{
    return explainers[kind];
}

bool xa_explainer_is_signed(const xa_explainer_spec *s)
{
    if (xa_explainer_has(s->kind, XA_EXPLAINER_RELU))
        return !s->relu;
    if (explainers[s->kind]->is_signed)
        return true;
    if (xa_explainer_has(s->kind, XA_EXPLAINER_STATISTIC) && s->statistic != XA_STATISTIC_MEAN)
        return false;
    return xa_explainer_has(s->kind, XA_EXPLAINER_ABSOLUTE) && !s->absolute;
}

const char *xa_explainer_setting_key(xa_explainer_setting s)
{
    static const char *const keys[] = {
#define X(name, key) key,
        XA_EXPLAINER_SETTING_LIST(X)
#undef X
    };
    return keys[s];
}

bool xa_explainer_differentiates(xa_explainer_kind kind)
{
    return explainers[kind]->needs & (XA_NEEDS_INPUT_GRADIENT | XA_NEEDS_LAYER_GRADIENT |
                                      XA_NEEDS_ATTENTION_GRADIENT | XA_NEEDS_BLOCKS);
}

bool xa_explainer_has(xa_explainer_kind k, xa_explainer_setting s)
{
    const unsigned needs = explainers[k]->needs;
    const bool attention = needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT);
    const bool cam = needs & XA_NEEDS_LAYER;
    bool has = explainers[k]->settings >> s & 1u;
    if (s == XA_EXPLAINER_SCORE || s == XA_EXPLAINER_TARGET || s == XA_EXPLAINER_DIRECTION)
        has = has || xa_explainer_differentiates(k) || explainers[k]->consumer;
    else if (s == XA_EXPLAINER_LAYER)
        has = has || cam;
    else if (s == XA_EXPLAINER_RELU)
        has = has || (needs & XA_NEEDS_LAYER_GRADIENT);
    else if (s == XA_EXPLAINER_CHANNELS || s == XA_EXPLAINER_ABSOLUTE)
        has = has || !(cam || attention || explainers[k]->consumer || (needs & XA_NEEDS_CONSTANTS));
    return has;
}

xa_explainer_spec xa_explainer_defaults(xa_explainer_kind kind)
{
    xa_explainer_spec s = {.kind = kind,
                           .score = explainers[kind]->score,
                           .target = XA_TARGET_PREDICTED,
                           .target_class = -1,
                           .target_minus = -1,
                           .channels = XA_REDUCE_NONE,
                           .absolute = explainers[kind]->absolute,
                           .relu = xa_explainer_has(kind, XA_EXPLAINER_RELU),
                           .baseline = explainers[kind]->baseline,
                           .draws = explainers[kind]->draws,
                           .cells = explainers[kind]->cells};
    if (xa_explainer_has(kind, XA_EXPLAINER_CHANNELS))
        s.channels = explainers[kind]->channels;
    if (!xa_explainer_has(kind, XA_EXPLAINER_TARGET))
        s.target = XA_TARGET_NONE;
    s.steps = xa_explainer_has(kind, XA_EXPLAINER_STEPS) ? 32 : 0;
    s.sigma = xa_explainer_has(kind, XA_EXPLAINER_SIGMA) ? 0.15 : 0.0;
    s.top_channels = xa_explainer_has(kind, XA_EXPLAINER_TOP_CHANNELS) ? 64 : 0;
    if (xa_explainer_has(kind, XA_EXPLAINER_LAYER))
        snprintf(s.layer, sizeof s.layer, "auto");
    return s;
}

void xa_explainer_target_text(const xa_explainer_spec *s, char *out, size_t size)
{
    const char *down = s->down ? ", downwards" : "";
    switch (s->target) {
    case XA_TARGET_CLASS:
        snprintf(out, size, "class %d%s", (int)s->target_class, down);
        return;
    case XA_TARGET_DIFFERENCE:
        snprintf(
            out, size, "class %d minus class %d%s", s->target_class, (int)s->target_minus, down);
        return;
    case XA_TARGET_UNIT:
        snprintf(out, size, "unit %d%s", (int)s->target_class, down);
        return;
    case XA_TARGET_TOP:
        snprintf(out, size, "the %d best class%s%s", (int)s->top, s->top == 1 ? "" : "es", down);
        return;
    default:
        snprintf(out, size, "%s%s", xa_target_name(s->target), down);
    }
}

/* ".label", ".class3-class5"; empty where no class is explained. */
static void name_target(const xa_explainer_spec *s, char *out, size_t size)
{
    const char *down = s->down ? ".down" : "";
    out[0] = '\0';
    switch (s->target) {
    case XA_TARGET_NONE:
        return;
    case XA_TARGET_CLASS:
        snprintf(out, size, ".class%d%s", (int)s->target_class, down);
        return;
    case XA_TARGET_DIFFERENCE:
        snprintf(out, size, ".class%d-class%d%s", (int)s->target_class, (int)s->target_minus, down);
        return;
    case XA_TARGET_UNIT:
        snprintf(out, size, ".unit%d%s", (int)s->target_class, down);
        return;
    case XA_TARGET_TOP:
        snprintf(out, size, ".top%d%s", (int)s->top, down);
        return;
    default:
        snprintf(out, size, ".%s%s", xa_target_name(s->target), down);
    }
}

void xa_explainer_default_name(const xa_explainer_spec *s, char *out, size_t size)
{
    char target[48], layer[64] = "";
    name_target(s, target, sizeof target);
    if (s->layer[0] && strcmp(s->layer, "auto")) {
        const char *last = strrchr(s->layer, '/');
        snprintf(layer, sizeof layer, ".%.60s", last ? last + 1 : s->layer);
    }
    const bool scored = s->target != XA_TARGET_NONE && s->score != explainers[s->kind]->score;
    snprintf(out,
             size,
             "%s%s%s%s%s%s%s",
             s->vit_keras ? "attention_map" : explainers[s->kind]->name,
             target,
             scored ? "." : "",
             scored ? xa_score_name(s->score) : "",
             layer,
             s->backward ? "." : "",
             s->backward ? xa_rules_name(s->backward) : "");
    for (char *c = out; *c; c++)
        if (*c == '+')
            *c = 'p'; /* gradcam++ is gradcampp in an archive */
        else if (!isalnum((unsigned char)*c) && !strchr("_.- ", *c))
            *c = '_';
}

bool xa_explain_grid(const xa_shape *layer, const xa_tokens *tokens, xa_shape *grid, int64_t *skip)
{
    if (layer->ndim == 3) {
        *grid = *layer;
        *skip = 0;
        return true;
    }
    if (!tokens || layer->ndim != 2)
        return false;
    const int64_t patches = tokens->height * tokens->width;
    if (layer->dim[0] != patches && layer->dim[0] != tokens->prefix + patches)
        return false;
    *grid = (xa_shape){.ndim = 3, .dim = {tokens->height, tokens->width, layer->dim[1]}};
    *skip = (layer->dim[0] - patches) * layer->dim[1];
    return true;
}

static xa_status
attention_shape(const xa_explainer_spec *spec, const xa_tokens *tokens, xa_shape *out, xa_err *err)
{
    const char *name = explainers[spec->kind]->name;
    const bool single = xa_explainer_has(spec->kind, XA_EXPLAINER_LAYER);
    if (!tokens)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: the model has no attention over a patch grid; attention maps need a "
                       "vision transformer",
                       name);
    if (spec->heads == XA_FUSE_NONE && !single)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: heads: none gives one map per head, which only attention and "
                       "attention_gradcam have",
                       name);
    if (spec->heads == XA_FUSE_NONE && !tokens->heads)
        XA_RETURN_FAIL(
            err, XA_SHAPE, "%s: heads: none, but the layers differ in their number of heads", name);
    if (spec->start < 0 || spec->start >= tokens->nlayers)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: start_layer is %d, but the model has %d attention layers (0 to %d)",
                       name,
                       spec->start,
                       tokens->nlayers,
                       tokens->nlayers - 1);
    *out = (xa_shape){
        .ndim = 3,
        .dim = {spec->heads == XA_FUSE_NONE ? tokens->heads : 1, tokens->height, tokens->width}};
    return XA_OK;
}

xa_status xa_explain_shape(const xa_explainer_spec *spec,
                           const xa_shape *input,
                           const xa_shape *layer,
                           const xa_tokens *tokens,
                           xa_shape *out,
                           xa_err *err)
{
    const unsigned needs = explainers[spec->kind]->needs;
    char text[96];
    if (needs & (XA_NEEDS_ATTENTION | XA_NEEDS_ATTENTION_GRADIENT))
        return attention_shape(spec, tokens, out, err);
    if (spec->join_mean && !spec->nlayers)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: fuse: mean is about several `layers`, and none are given",
                       explainers[spec->kind]->name);
    if ((needs & XA_NEEDS_LAYER) && !spec->nlayers) {
        xa_shape grid;
        int64_t skip;
        if (!xa_explain_grid(layer, tokens, &grid, &skip))
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "%s: layer \"%s\" gives %s, expected [height,width,channels] or the "
                           "tokens of a patch grid",
                           explainers[spec->kind]->name,
                           spec->layer,
                           xa_shape_text(layer, text, sizeof text));
        *out = (xa_shape){.ndim = 3, .dim = {1, grid.dim[0], grid.dim[1]}};
        return XA_OK;
    }
    if (input->ndim != 3)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: the model's input is %s, expected [height,width,channels]",
                       explainers[spec->kind]->name,
                       xa_shape_text(input, text, sizeof text));
    const bool whole =
        xa_explainer_has(spec->kind, XA_EXPLAINER_CHANNELS) && spec->channels == XA_REDUCE_NONE;
    *out = (xa_shape){.ndim = 3, .dim = {whole ? input->dim[2] : 1, input->dim[0], input->dim[1]}};
    return XA_OK;
}
