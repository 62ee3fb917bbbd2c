/* What names and shapes of a vision transformer do not show: from its config.json, from the timm
 * architecture that it names, or else from the library's defaults, which are noted as assumed. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vit.h"

static const char *const pools[] = {"token", "avg", "max", "avgmax"};
static const char *const read_by[] = {"the class token",
                                      "the mean of the patches",
                                      "the maximum over the patches",
                                      "the average of mean and maximum over the patches"};

static const char *file_of(const xa__vit *v)
{
    return v->config ? v->config : v->file->path;
}

/* "nn.GELU_tanh" to "gelutanh"; "" if the value is no text. */
static void word_of(const json_t *value, char *out, size_t size)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const char *dot = strrchr(text, '.');
    size_t n = 0;
    for (text = dot ? dot + 1 : text; *text && n + 1 < size; text++)
        if (*text != '_' && *text != ' ')
            out[n++] = (char)tolower((unsigned char)*text);
    out[n] = '\0';
}

static xa_status not_known(const xa__vit *v, const char *key, const json_t *value, xa_err *err)
{
    char text[96], *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    xa_str_sanitise(dump ? dump : "?", text, sizeof text);
    free(dump);
    XA_RETURN_FAIL(
        err, XA_UNSUPPORTED, "%s: %s %s is not known or not supported", v->config, key, text);
}

/* ---- heads ---- */

/* The number of heads for a width. For a few widths, no architecture of timm has heads 64 wide. */
static int64_t usual_heads(int64_t width)
{
    static const int64_t wide[][2] = {{1152, 16}, {1280, 16}, {1408, 16}, {1664, 16}, {1792, 16}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (wide[i][0] == width)
            return wide[i][1];
    return width % 64 ? 0 : width / 64;
}

static xa_status assume_heads(xa__vit *v, xa_model *m, xa_err *err)
{
    v->heads = v->dialect->needs_config ? 12 : usual_heads(v->width); /* ViTConfig's default */
    if (!v->heads || v->width % v->heads)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s does not tell its number of heads, and its width of %" PRId64
                       " is no multiple of 64; write {\"num_heads\": N} to a file and name it as "
                       "the model's `architecture`",
                       v->file->path,
                       v->width);
    return xa__model_assume(m,
                            err,
                            "%" PRId64 " heads, each %" PRId64 " wide (width %" PRId64
                            "): no file says so; \"num_heads\" in config.json would",
                            v->heads,
                            v->width / v->heads,
                            v->width);
}

static xa_status read_heads(xa__vit *v, xa_model *m, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, "num_attention_heads", "num_heads");
    if (given && !json_is_integer(given))
        XA_RETURN_FAIL(err, XA_INVALID, "%s: the number of heads is no whole number", file_of(v));
    if (given)
        v->heads = json_integer_value(given);
    else if (v->known && v->known->width != v->width && !xa__vit_setting(v, "embed_dim", NULL))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: architecture \"%s\" is %d wide and the weights %" PRId64
                       ": how many heads is not known; write \"num_heads\"",
                       v->config,
                       v->known->name,
                       v->known->width,
                       v->width);
    else if (v->known)
        v->heads = v->known->heads;
    else
        return assume_heads(v, m, err);
    if (v->heads < 1 || v->width % v->heads)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: %" PRId64 " heads do not divide the width of %" PRId64,
                       file_of(v),
                       v->heads,
                       v->width);
    return XA_OK;
}

/* ---- activation, norm, block ---- */

static xa_status read_activation(xa__vit *v, xa_model *m, xa_err *err)
{
    static const struct {
        const char *word;
        xa_activation_kind kind;
    } known[] = {{"gelu", XA_ACT_GELU},
                 {"gelupython", XA_ACT_GELU},
                 {"gelunew", XA_ACT_GELU_TANH},
                 {"gelufast", XA_ACT_GELU_TANH},
                 {"geluaccurate", XA_ACT_GELU_TANH},
                 {"gelutanh", XA_ACT_GELU_TANH},
                 {"gelupytorchtanh", XA_ACT_GELU_TANH},
                 {"quickgelu", XA_ACT_SWISH},
                 {"relu", XA_ACT_RELU},
                 {"silu", XA_ACT_SWISH},
                 {"swish", XA_ACT_SWISH},
                 {"mish", XA_ACT_MISH}};
    const json_t *given = xa__vit_setting(v, "hidden_act", "act_layer");
    char word[64];
    word_of(given, word, sizeof word);
    v->act = xa_activation_default(v->known ? v->known->act : v->dialect->act);
    if (v->act.kind == XA_ACT_SWISH)
        v->act.a = v->known ? v->known->slope : v->dialect->slope;
    if (v->gated) { /* the gate's is silu, whatever the configuration says of other MLPs */
        v->act = xa_activation_default(XA_ACT_SWISH);
        return XA_OK;
    }
    if (!given)
        return v->known ? XA_OK
                        : xa__model_assume(m,
                                           err,
                                           "activation %s: no file says so; \"%s\" in config.json "
                                           "would",
                                           v->dialect->act == XA_ACT_SWISH       ? "quick_gelu"
                                           : v->dialect->act == XA_ACT_GELU_TANH ? "gelu (tanh)"
                                                                                 : "gelu (erf)",
                                           v->dialect->needs_config ? "hidden_act" : "act_layer");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].word, word)) {
            v->act = xa_activation_default(known[i].kind);
            if (!strcmp(word, "quickgelu"))
                v->act.a = XA__QUICK_GELU_SLOPE;
            return XA_OK;
        }
    return not_known(v, "activation", given, err);
}

/* A norm without a bias is no LayerNorm of timm or transformers. */
static xa_status check_norm_bias(const xa__vit *v, xa_err *err)
{
    const bool bias = xa__vit_tensor(v, 0, XA__VIT_NORM1_B) >= 0;
    if (v->norm == XA__VIT_NORM_LAYER && !bias)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s: its norms have weights and no biases, as RmsNorm has; \"norm_layer\" in "
            "config.json must say which they are (\"rmsnorm\")",
            file_of(v));
    if (v->norm == XA__VIT_NORM_RMS && bias)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: its norms are to be RmsNorm, but the weights have biases of norms",
                       file_of(v));
    return XA_OK;
}

static xa_status read_norm(xa__vit *v, xa_model *m, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, "norm_layer", NULL);
    const json_t *epsilon = xa__vit_setting(v, "layer_norm_eps", "eps");
    char word[64];
    word_of(given, word, sizeof word);
    v->norm = v->known ? v->known->norm : XA__VIT_NORM_LAYER;
    if (given && (!strcmp(word, "layernorm") || !strcmp(word, "layernormfp32")))
        v->norm = XA__VIT_NORM_LAYER;
    else if (given && (!strcmp(word, "rmsnorm") || !strcmp(word, "rmsnormfp32")))
        v->norm = XA__VIT_NORM_RMS;
    else if (given)
        return not_known(v, "norm_layer", given, err);
    /* a norm in model_args has the library's epsilon, not the architecture's */
    v->epsilon = epsilon              ? json_number_value(epsilon)
                 : v->known && !given ? v->known->epsilon
                                      : v->dialect->epsilon;
    if ((epsilon && !json_is_number(epsilon)) || !(v->epsilon >= 0.0 && v->epsilon < 1.0))
        XA_RETURN_FAIL(err, XA_INVALID, "%s: layer_norm_eps is no number from 0 to 1", v->config);
    if (!epsilon && !v->known)
        XA_RETURN_TRY(err,
                      xa__model_assume(m,
                                       err,
                                       "epsilon %g of the norms: no file says so; "
                                       "\"layer_norm_eps\" in config.json would",
                                       v->epsilon));
    return check_norm_bias(v, err);
}

static xa_status read_block(xa__vit *v, xa_model *m, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, "block_fn", NULL);
    char word[64];
    word_of(given, word, sizeof word);
    v->block = v->known ? v->known->block : XA__VIT_PRE;
    if (given && !strcmp(word, "block"))
        v->block = XA__VIT_PRE;
    else if (given && !strcmp(word, "respostblock"))
        v->block = XA__VIT_RES_POST;
    else if (given)
        return not_known(v, "block_fn", given, err);
    const bool scaled = xa__vit_tensor(v, 0, XA__VIT_SCALE1) >= 0;
    if (v->block == XA__VIT_RES_POST && scaled)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: its blocks are to be ResPostBlock, but the weights have layer scales",
                       file_of(v));
    if (!given && !v->known && !v->dialect->needs_config && !scaled)
        return xa__model_assume(m,
                                err,
                                "norms before attention and MLP (block_fn Block): no file says so; "
                                "\"block_fn\" or \"architecture\" in config.json would");
    return XA_OK;
}

/* ---- pooling ---- */

/* The pooling in the places of timm, in their order: model_args, the top (that of the exported
 * model), pretrained_cfg. */
static const json_t *given_pool(const xa__vit *v)
{
    const json_t *given = xa__vit_setting(v, "global_pool", NULL);
    if (!given)
        given = json_object_get(json_object_get(v->json, "pretrained_cfg"), "global_pool");
    return json_is_null(given) ? NULL : given;
}

static xa_status choose_pool(xa__vit *v, xa_model *m, xa_err *err)
{
    const json_t *given = given_pool(v);
    char word[64];
    word_of(given, word, sizeof word);
    if (given) {
        for (v->pool = 0; v->pool < XA__VIT_POOLS && strcmp(pools[v->pool], word);)
            v->pool++;
        if (v->pool == XA__VIT_POOLS)
            return not_known(v, "global_pool", given, err);
        if (v->known && v->known->pool != v->pool &&
            !json_object_get(json_object_get(v->json, "model_args"), "global_pool"))
            return xa__model_assume(
                m,
                err,
                "pooling %s, as config.json says, though its architecture %s has "
                "%s",
                word,
                v->known->name,
                pools[v->known->pool]);
        return XA_OK;
    }
    if (v->known) {
        v->pool = v->known->pool;
        return XA_OK;
    }
    if (v->dialect->needs_config) { /* transformers has one pooling for each class */
        v->pool = v->dialect->pool;
        return XA_OK;
    }
    v->pool =
        xa__vit_tensor(v, 0, XA__VIT_FC_NORM_W) >= 0 || xa__vit_tensor(v, 0, XA__VIT_CLASS) < 0
            ? XA__VIT_POOL_AVG
            : XA__VIT_POOL_TOKEN;
    return xa__model_assume(m,
                            err,
                            "pooling %s: the head reads %s; no file says so; \"global_pool\" in "
                            "config.json would",
                            pools[v->pool],
                            read_by[v->pool]);
}

static xa_status read_pooling(xa__vit *v, xa_model *m, xa_err *err)
{
    const json_t *prefix = xa__vit_setting(v, "pool_include_prefix", NULL);
    XA_RETURN_TRY(err, choose_pool(v, m, err));
    v->pool_prefix = json_is_true(prefix) && v->prefix;
    if ((v->pool == XA__VIT_POOL_TOKEN || v->pool == XA__VIT_POOL_TOKEN_AVG) &&
        xa__vit_tensor(v, 0, XA__VIT_CLASS) < 0)
        XA_RETURN_FAIL(
            err, XA_INVALID, "%s: global_pool is token, but there is no class token", file_of(v));
    if (v->pool != XA__VIT_POOL_TOKEN && xa__vit_tensor(v, 0, XA__VIT_HEAD2_W) >= 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: global_pool is %s, but the weights have the two heads of a distilled "
                       "model, which read tokens",
                       file_of(v),
                       pools[v->pool]);
    if (v->pool == XA__VIT_POOL_TOKEN_AVG)
        return xa__model_assume(m,
                                err,
                                "attention maps follow the class token, though the head reads the "
                                "mean of the patches as well; logits and gradients are exact");
    if (v->pool == XA__VIT_POOL_MAX || v->pool == XA__VIT_POOL_AVGMAX ||
        (v->pool == XA__VIT_POOL_AVG && v->pool_prefix))
        return xa__model_assume(m,
                                err,
                                "attention maps follow the mean of the patches, though the head "
                                "reads %s%s; logits and gradients are exact",
                                read_by[v->pool],
                                v->pool_prefix ? " and the other tokens" : "");
    return XA_OK;
}

/* ---- the rest ---- */

/* Every classifier of timm and transformers has a last norm, so that its absence must be intended.
 */
static xa_status check_last_norm(const xa__vit *v, xa_err *err)
{
    const bool none =
        xa__vit_tensor(v, 0, XA__VIT_NORM_W) < 0 && xa__vit_tensor(v, 0, XA__VIT_FC_NORM_W) < 0;
    const bool meant = v->dialect->no_last_norm ||
                       (v->known && v->known->last == XA__VIT_LAST_NONE) ||
                       json_is_false(xa__vit_setting(v, "final_norm", NULL));
    if (none && !meant)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: there is no norm behind the blocks (norm.weight or fc_norm.weight); "
                       "where the model has none, \"final_norm\": false in config.json says so",
                       v->file->path);
    return XA_OK;
}

static xa_status read_problem(xa__vit *v, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, "problem_type", NULL);
    const char *problem = json_string_value(given);
    v->problem_given = given;
    v->multilabel = problem && !strcmp(problem, "multi_label_classification");
    if (problem && !strcmp(problem, "regression"))
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "%s: a regression model; xaudit explains classifiers", file_of(v));
    if (given && !v->multilabel && !(problem && !strcmp(problem, "single_label_classification")))
        return not_known(v, "problem_type", given, err);
    return XA_OK;
}

/* Reads whether the prefix has rows in the position embedding, and a grid that is not square. */
static xa_status read_positions(xa__vit *v, xa_err *err)
{
    const json_t *apart = xa__vit_setting(v, "no_embed_class", NULL);
    const json_t *size = xa__vit_setting(v, "img_size", "image_size");
    const bool pair = json_array_size(size) == 2;
    const int64_t h = json_integer_value(pair ? json_array_get(size, 0) : size),
                  w = json_integer_value(pair ? json_array_get(size, 1) : size);
    v->position = apart      ? json_is_true(apart) ? XA__VIT_POSITION_PATCHES : XA__VIT_POSITION_ALL
                  : v->known ? v->known->position
                  : v->dialect->pool == XA__VIT_POOL_TOKEN_AVG ? XA__VIT_POSITION_CLASS
                                                               : XA__VIT_POSITION_UNTOLD;
    if (size && (h < 1 || w < 1))
        XA_RETURN_FAIL(
            err, XA_INVALID, "%s: img_size is neither a number nor two of them", v->config);
    if (size && h % v->patch_h == 0 && w % v->patch_w == 0) {
        v->file_h = h / v->patch_h;
        v->file_w = w / v->patch_w;
    }
    return XA_OK;
}

xa_status xa__vit_configure(xa__vit *v, xa_model *m, xa_err *err)
{
    XA_RETURN_TRY(err, read_heads(v, m, err));
    XA_RETURN_TRY(err, read_activation(v, m, err));
    XA_RETURN_TRY(err, read_block(v, m, err));
    XA_RETURN_TRY(err, read_pooling(v, m, err));
    XA_RETURN_TRY(err, read_norm(v, m, err));
    XA_RETURN_TRY(err, check_last_norm(v, err));
    XA_RETURN_TRY(err, read_positions(v, err));
    return read_problem(v, err);
}
