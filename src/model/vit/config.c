/* The JSON beside a vision transformer's weights: config.json of timm on its hub, that of Hugging
 * Face's transformers, or a few keys written by hand. Every key is understood, or refused by its
 * name, since a key that is skipped may be the one that changes the numbers. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vit.h"

/* ---- the file ---- */

static xa_status read_json(xa__vit *v, const xa_model_options *opt, xa_model *m, xa_err *err)
{
    xa_status st = XA_OK;
    json_error_t why;
    const char *path = m->path, *dot = strrchr(path, '.');
    char *stem = xa_strndup(path, dot ? (size_t)(dot - path) : strlen(path));
    char *named = xa_strfmt("%s.json", stem ? stem : ""),
         *beside = xa_path_beside(path, "config.json");
    char *text = NULL, reason[128];
    size_t size;
    if (!stem || !named || !beside)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    const char *file = opt->architecture      ? opt->architecture
                       : !access(named, F_OK) ? named
                                              : beside;
    if (!opt->architecture && access(file, F_OK))
        goto done;
    XA_TRY(err, xa_read_file(file, opt->max_config_bytes, &text, &size, err));
    XA_TRY(err, xa_sha256_bytes(text, size, m->config_sha256, err));
    if (!(v->config = xa_strdup(file)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    v->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(v->json)) {
        xa_str_sanitise(v->json ? "it is no object" : why.text, reason, sizeof reason);
        XA_FAIL(err, XA_FORMAT, "%s is no JSON object: %s", file, reason);
    }
done:
    free(text);
    free(stem);
    free(named);
    free(beside);
    return st;
}

const json_t *xa__vit_setting(const xa__vit *v, const char *key, const char *other)
{
    const char *section = v->dialect->section;
    const json_t *const places[] = {json_object_get(v->json, "model_args"),
                                    section ? json_object_get(v->json, section) : NULL,
                                    v->json};
    const char *const names[] = {key, other};
    for (int i = 0; i < 2 && names[i]; i++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            const json_t *found = json_object_get(places[k], names[i]);
            if (found && !json_is_null(found))
                return found;
        }
    return NULL;
}

/* ---- keys ---- */

typedef enum key_use {
    READ,     /* by settings.c, or below */
    HARMLESS, /* changes no number of a forward pass beyond what the weights show */
    OFF,      /* must be null, false or 0: anything else means another model */
    WORD      /* must be one of the words, in any case and without underscores */
} key_use;
typedef struct known_key {
    const char *name;
    key_use use;
    const char *words;
} known_key;

/* clang-format off */
static const known_key keys[] = {
    /* which model */
    {"architecture", READ, NULL}, {"model_args", READ, NULL}, {"pretrained_cfg", READ, NULL},
    {"model_type", READ, NULL}, {"architectures", READ, NULL}, {"problem_type", READ, NULL},
    /* what tensors do not show */
    {"num_heads", READ, NULL}, {"num_attention_heads", READ, NULL}, {"act_layer", READ, NULL},
    {"hidden_act", READ, NULL}, {"layer_norm_eps", READ, NULL}, {"eps", READ, NULL},
    {"norm_layer", READ, NULL}, {"block_fn", READ, NULL}, {"global_pool", READ, NULL},
    {"no_embed_class", READ, NULL}, {"pool_include_prefix", READ, NULL}, {"final_norm", READ, NULL},
    {"img_size", READ, NULL}, {"image_size", READ, NULL},
    /* what they do show: compared with them */
    {"num_classes", READ, NULL}, {"num_labels", READ, NULL}, {"id2label", READ, NULL},
    {"num_features", READ, NULL}, {"embed_dim", READ, NULL}, {"hidden_size", READ, NULL},
    {"depth", READ, NULL}, {"num_hidden_layers", READ, NULL}, {"patch_size", READ, NULL},
    {"in_chans", READ, NULL}, {"num_channels", READ, NULL}, {"mlp_ratio", READ, NULL},
    {"intermediate_size", READ, NULL}, {"reg_tokens", READ, NULL}, {"class_token", READ, NULL},
    {"qkv_bias", READ, NULL}, {"qk_norm", READ, NULL}, {"pre_norm", READ, NULL},
    {"fc_norm", READ, NULL},
    /* variants that are not built */
    {"scale_attn_norm", OFF, NULL}, {"scale_mlp_norm", OFF, NULL}, {"embed_norm_layer", OFF, NULL},
    {"use_naflex", OFF, NULL}, {"features_only", OFF, NULL}, {"qk_normalization", OFF, NULL},
    {"pruned_heads", OFF, NULL}, {"quantization_config", OFF, NULL}, {"auto_map", OFF, NULL},
    {"embed_layer", WORD, "patchembed"}, {"mlp_layer", WORD, "mlp"},
    {"attn_layer", WORD, "attn attention"}, {"pos_embed", WORD, "learn"},
    /* of training, of other sizes, or shown by tensors */
    {"init_values", HARMLESS, NULL}, {"weight_init", HARMLESS, NULL}, {"fix_init", HARMLESS, NULL},
    {"drop_rate", HARMLESS, NULL}, {"pos_drop_rate", HARMLESS, NULL},
    {"patch_drop_rate", HARMLESS, NULL}, {"proj_drop_rate", HARMLESS, NULL},
    {"attn_drop_rate", HARMLESS, NULL}, {"drop_path_rate", HARMLESS, NULL},
    {"proj_bias", HARMLESS, NULL}, {"dynamic_img_size", HARMLESS, NULL},
    {"dynamic_img_pad", HARMLESS, NULL}, {"strict_img_size", HARMLESS, NULL},
    {"label_names", HARMLESS, NULL}, {"label_descriptions", HARMLESS, NULL},
    {"labels", HARMLESS, NULL}, {"label2id", HARMLESS, NULL}, {"pretrained", HARMLESS, NULL},
    {"pretrained_strict", HARMLESS, NULL},
    /* timm's pretrained_cfg, which older files have at the top: pictures and provenance */
    {"url", HARMLESS, NULL}, {"file", HARMLESS, NULL}, {"hf_hub_id", HARMLESS, NULL},
    {"hf_hub_filename", HARMLESS, NULL}, {"source", HARMLESS, NULL}, {"tag", HARMLESS, NULL},
    {"custom_load", HARMLESS, NULL}, {"input_size", HARMLESS, NULL},
    {"test_input_size", HARMLESS, NULL}, {"min_input_size", HARMLESS, NULL},
    {"fixed_input_size", HARMLESS, NULL}, {"interpolation", HARMLESS, NULL},
    {"crop_pct", HARMLESS, NULL}, {"test_crop_pct", HARMLESS, NULL}, {"crop_mode", HARMLESS, NULL},
    {"mean", HARMLESS, NULL}, {"std", HARMLESS, NULL}, {"label_offset", HARMLESS, NULL},
    {"pool_size", HARMLESS, NULL}, {"test_pool_size", HARMLESS, NULL},
    {"first_conv", HARMLESS, NULL}, {"classifier", HARMLESS, NULL}, {"license", HARMLESS, NULL},
    {"description", HARMLESS, NULL}, {"origin_url", HARMLESS, NULL}, {"paper_name", HARMLESS, NULL},
    {"paper_ids", HARMLESS, NULL}, {"notes", HARMLESS, NULL},
    /* transformers */
    {"_name_or_path", HARMLESS, NULL}, {"attention_probs_dropout_prob", HARMLESS, NULL},
    {"chunk_size_feed_forward", HARMLESS, NULL}, {"dtype", HARMLESS, NULL},
    {"torch_dtype", HARMLESS, NULL}, {"encoder_stride", HARMLESS, NULL},
    {"hidden_dropout_prob", HARMLESS, NULL}, {"initializer_range", HARMLESS, NULL},
    {"is_encoder_decoder", HARMLESS, NULL}, {"output_attentions", HARMLESS, NULL},
    {"output_hidden_states", HARMLESS, NULL}, {"pooler_act", HARMLESS, NULL},
    {"pooler_output_size", HARMLESS, NULL}, {"return_dict", HARMLESS, NULL},
    {"transformers_version", HARMLESS, NULL}, {"finetuning_task", HARMLESS, NULL},
    {"do_pooling", HARMLESS, NULL}, {"num_register_tokens", READ, NULL},
    {"use_swiglu_ffn", READ, NULL}, {"layerscale_value", HARMLESS, NULL},
    {"use_mask_token", HARMLESS, NULL}, {"apply_layernorm", HARMLESS, NULL},
    {"reshape_hidden_states", HARMLESS, NULL}, {"out_features", HARMLESS, NULL},
    {"out_indices", HARMLESS, NULL}, {"stage_names", HARMLESS, NULL}, {"head_dim", OFF, NULL},
    /* CLIP and SigLIP: the vision tower in a section of its own */
    {"vision_config", READ, NULL}, {"text_config", HARMLESS, NULL},
    {"vision_config_dict", OFF, NULL}, {"text_config_dict", HARMLESS, NULL},
    {"projection_dim", HARMLESS, NULL}, {"logit_scale_init_value", HARMLESS, NULL},
    {"initializer_factor", HARMLESS, NULL}, {"attention_dropout", HARMLESS, NULL},
    {"vision_use_head", HARMLESS, NULL}, {"dropout", HARMLESS, NULL}};
/* clang-format on */
enum { KEYS = sizeof keys / sizeof *keys };

/* "GELU_tanh" to "gelutanh". */
static void normalise(const char *word, char *out, size_t size)
{
    size_t n = 0;
    for (; *word && n + 1 < size; word++)
        if (*word != '_' && *word != ' ')
            out[n++] = (char)tolower((unsigned char)*word);
    out[n] = '\0';
}

static const char *shown(const json_t *value, char *buf, size_t size)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    xa_str_sanitise(text ? text : "?", buf, size);
    free(text);
    return buf;
}

static xa_status unknown_key(const xa__vit *v, const char *where, const char *key, xa_err *err)
{
    const char *names[KEYS];
    char clean[96];
    for (int i = 0; i < KEYS; i++)
        names[i] = keys[i].name;
    const char *near = xa_nearest(key, names, KEYS);
    xa_str_sanitise(key, clean, sizeof clean);
    XA_RETURN_FAIL(
        err,
        XA_UNSUPPORTED,
        "%s: the key \"%s%s\" of a vision transformer is not understood%s%s%s; remove it "
        "if it changes nothing that the model computes",
        v->config,
        where,
        clean,
        near ? " (did you mean \"" : "",
        near ? near : "",
        near ? "\"?)" : "");
}

static xa_status check_key(const xa__vit *v,
                           const char *where,
                           const char *key,
                           const json_t *value,
                           bool strict,
                           xa_model *m,
                           xa_err *err)
{
    const known_key *k = NULL;
    char word[64], text[96];
    for (int i = 0; i < KEYS && !k; i++)
        k = strcmp(keys[i].name, key) ? NULL : &keys[i];
    if (json_is_null(value))
        return XA_OK;
    if (!k && strict)
        return unknown_key(v, where, key, err);
    if (!k) { /* transformers itself ignores keys that it does not know */
        xa_str_sanitise(key, text, sizeof text);
        return xa__model_assume(
            m, err, "\"%s\" of config.json changes nothing that is computed", text);
    }
    const bool off = json_is_false(value) ||
                     (json_is_number(value) && json_number_value(value) == 0.0) ||
                     (json_is_object(value) && !json_object_size(value)) ||
                     (json_is_string(value) && !*json_string_value(value));
    normalise(json_is_string(value) ? json_string_value(value) : "", word, sizeof word);
    if ((k->use == OFF && !off) ||
        (k->use == WORD && !xa_words_have(k->words, word) && !(off && strcmp(key, "pos_embed"))))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: %s%s is %s, which is not supported",
                       v->config,
                       where,
                       key,
                       shown(value, text, sizeof text));
    return XA_OK;
}

static xa_status check_keys(const xa__vit *v, xa_model *m, xa_err *err)
{
    json_t *args = json_object_get(v->json, "model_args"), *value;
    const bool strict = !v->dialect->needs_config && !json_object_get(v->json, "model_type");
    const char *key;
    char a[96], b[96];
    if (args && !json_is_object(args) && !json_is_null(args))
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: model_args is no object", v->config);
    json_object_foreach(args, key, value)
    {
        const json_t *above = json_object_get(v->json, key);
        XA_RETURN_TRY(err, check_key(v, "model_args.", key, value, true, m, err));
        if (above && !json_is_null(above) && !json_is_null(value) && !json_equal(above, value))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s: %s is %s in model_args and %s above it; leave the right one",
                           v->config,
                           key,
                           shown(value, a, sizeof a),
                           shown(above, b, sizeof b));
    }
    if (v->dialect->section) {
        json_t *section = json_object_get(v->json, v->dialect->section);
        char where[40];
        snprintf(where, sizeof where, "%s.", v->dialect->section);
        if (!json_is_object(section))
            XA_RETURN_FAIL(
                err, XA_FORMAT, "%s: \"%s\" is no object", v->config, v->dialect->section);
        json_object_foreach(section, key, value)
            XA_RETURN_TRY(err, check_key(v, where, key, value, strict, m, err));
    }
    json_object_foreach(v->json, key, value)
        XA_RETURN_TRY(err, check_key(v, "", key, value, strict, m, err));
    return XA_OK;
}

/* ---- which model ---- */

static xa_status find_architecture(xa__vit *v, xa_err *err)
{
    const json_t *given = json_object_get(v->json, "architecture");
    const char *name = json_string_value(given);
    char clean[96];
    if (!given || json_is_null(given))
        return XA_OK;
    if (!name)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: architecture is %s, which is no text; expected timm's name of the "
                       "model, such as \"vit_base_patch16_224\"",
                       v->config,
                       shown(given, clean, sizeof clean));
    xa_str_sanitise(name, clean, sizeof clean);
    v->known = xa__vit_find_known(name);
    if (!v->known)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: architecture \"%s\" is none of timm's vision transformers that are "
                       "known; where its blocks are those of timm's VisionTransformer, take the "
                       "line out and write num_heads, act_layer, global_pool and eps instead",
                       v->config,
                       clean);
    if (v->known->refused)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: architecture \"%s\" has %s, which is not supported",
                       v->config,
                       clean,
                       v->known->refused);
    return XA_OK;
}

static xa_status
refuse_type(const xa__vit *v, const char *what, const json_t *found, const char *known, xa_err *err)
{
    char clean[96];
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: its %s is %s; with these names of tensors, known are: %s. Export another "
                   "model as ONNX, with torch.onnx.export",
                   v->config,
                   what,
                   shown(found, clean, sizeof clean),
                   known);
}

static xa_status check_model_type(const xa__vit *v, xa_err *err)
{
    const json_t *type = json_object_get(v->json, "model_type"), *made, *one;
    const char *name = json_string_value(type);
    size_t i;
    if (type && !json_is_null(type) && !(name && xa_words_have(v->dialect->types, name)))
        return refuse_type(v, "model_type", type, v->dialect->types, err);
    made = json_object_get(v->json, "architectures");
    json_array_foreach(made, i, one)
    {
        name = json_string_value(one);
        if (!name || !xa_words_have(v->dialect->classes, name))
            return refuse_type(v, "class (`architectures`)", one, v->dialect->classes, err);
    }
    return XA_OK;
}

xa_status xa__vit_read_config(xa__vit *v, const xa_model_options *opt, xa_model *m, xa_err *err)
{
    XA_RETURN_TRY(err, read_json(v, opt, m, err));
    if (!v->json && v->dialect->needs_config)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s has transformers' names: its config.json (or <name>.json) is needed "
                       "beside it (heads, epsilon and activation are not in the weights)",
                       m->path);
    if (!v->json)
        return XA_OK;
    XA_RETURN_TRY(err, check_model_type(v, err));
    XA_RETURN_TRY(err, find_architecture(v, err));
    return check_keys(v, m, err);
}

/* ---- extents ---- */

static xa_status
same(const xa__vit *v, const char *key, int64_t have, const char *what, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, key, NULL);
    char text[96];
    if (given && !(json_is_integer(given) && json_integer_value(given) == have))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: %s is %s, but the weights have %" PRId64 " %s: is this the file of "
                       "another model?",
                       v->config,
                       key,
                       shown(given, text, sizeof text),
                       have,
                       what);
    return XA_OK;
}

static xa_status
same_switch(const xa__vit *v, const char *key, bool have, const char *what, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, key, NULL);
    if (given && !(json_is_boolean(given) && json_is_true(given) == have))
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s: %s is %s, but the weights have %s%s: is this the file of another model?",
            v->config,
            key,
            json_is_true(given)    ? "true"
            : json_is_false(given) ? "false"
                                   : "neither true nor false",
            have ? "" : "no ",
            what);
    return XA_OK;
}

static xa_status check_patch(const xa__vit *v, xa_err *err)
{
    const json_t *given = xa__vit_setting(v, "patch_size", NULL);
    const bool pair = json_array_size(given) == 2;
    const json_t *h = pair ? json_array_get(given, 0) : given,
                 *w = pair ? json_array_get(given, 1) : given;
    char text[96];
    if (given && !(json_is_integer(h) && json_is_integer(w) &&
                   json_integer_value(h) == v->patch_h && json_integer_value(w) == v->patch_w))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: patch_size is %s, but the weights have patches of %" PRId64 "x%" PRId64,
                       v->config,
                       shown(given, text, sizeof text),
                       v->patch_h,
                       v->patch_w);
    return XA_OK;
}

/* Of the MLP; a gated one keeps two thirds, a multiple of 8. */
static int64_t hidden_width(const xa__vit *v, double ratio)
{
    const int64_t plain = (int64_t)((double)v->width * ratio);
    return v->gated ? ((int64_t)((double)plain * 2 / 3) + 7) / 8 * 8 : plain;
}

xa_status xa__vit_check_extents(const xa__vit *v, xa_err *err)
{
    const int registers = xa__vit_tensor(v, 0, XA__VIT_REGISTERS);
    const struct {
        const char *key;
        int64_t have;
        const char *what;
    } extents[] = {
        {"num_classes", v->classes, "classes"},
        {"num_labels", v->classes, "classes"},
        {"num_features", v->width, "features"},
        {"embed_dim", v->width, "features"},
        {"hidden_size", v->width, "features"},
        {"depth", v->depth, "blocks"},
        {"num_hidden_layers", v->depth, "blocks"},
        {"in_chans", v->channels, "channels"},
        {"num_channels", v->channels, "channels"},
        {"intermediate_size", v->mlp, "features in the MLP"},
        {"reg_tokens", registers < 0 ? 0 : v->file->tensors[registers].shape.dim[1], "registers"},
        {"num_register_tokens",
         registers < 0 ? 0 : v->file->tensors[registers].shape.dim[1],
         "registers"}};
    const struct {
        const char *key;
        xa__vit_part part;
        const char *what;
    } switches[] = {{"class_token", XA__VIT_CLASS, "class token"},
                    {"pre_norm", XA__VIT_FRONT_NORM_W, "norm before the blocks (norm_pre)"},
                    {"qk_norm", XA__VIT_Q_NORM_W, "norms of query and key (q_norm, k_norm)"}};
    const json_t *ratio = xa__vit_setting(v, "mlp_ratio", NULL),
                 *labels = xa__vit_setting(v, "id2label", NULL);
    if (!v->json)
        return XA_OK;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        XA_RETURN_TRY(err, same(v, extents[i].key, extents[i].have, extents[i].what, err));
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        XA_RETURN_TRY(err,
                      same_switch(v,
                                  switches[i].key,
                                  xa__vit_tensor(v, 0, switches[i].part) >= 0,
                                  switches[i].what,
                                  err));
    const bool biased =
        xa__vit_tensor(v, 0, XA__VIT_QKV_B) >= 0 || xa__vit_tensor(v, 0, XA__VIT_Q_B) >= 0;
    XA_RETURN_TRY(err, same_switch(v, "qkv_bias", biased, "biases of query, key and value", err));
    XA_RETURN_TRY(err, same_switch(v, "use_swiglu_ffn", v->gated, "gates of the MLP", err));
    if (ratio && !(json_is_number(ratio) && json_number_value(ratio) < 1e6 &&
                   hidden_width(v, json_number_value(ratio)) == v->mlp))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: mlp_ratio %g does not fit an MLP of %" PRId64 " at a width of %" PRId64,
                       v->config,
                       json_number_value(ratio),
                       v->mlp,
                       v->width);
    if (json_object_size(labels) && (int64_t)json_object_size(labels) != v->classes)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: id2label names %zu classes, but the head has %" PRId64,
                       v->config,
                       json_object_size(labels),
                       v->classes);
    return check_patch(v, err);
}
