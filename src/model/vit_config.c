/* What names and shapes of a vision transformer do not tell. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vit.h"

/* The options' file, else <stem>.json or config.json beside the weights; *json NULL: none. */
static xa_status
read_json(const char *path, const xa_model_options *opt, xa_model *m, json_t **json, xa_err *err)
{
    xa_status st = XA_OK;
    json_error_t why;
    const char *dot = strrchr(path, '.');
    char *stem = xa_strndup(path, dot ? (size_t)(dot - path) : strlen(path));
    char *named = xa_strfmt("%s.json", stem ? stem : ""),
         *beside = xa_path_beside(path, "config.json");
    char *text = NULL, reason[128];
    size_t size;
    *json = NULL;
    if (!stem || !named || !beside)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    const char *file = opt->architecture      ? opt->architecture
                       : !access(named, F_OK) ? named
                                              : beside;
    if (!opt->architecture && access(file, F_OK))
        goto done;
    XA_TRY(err, xa_read_file(file, opt->max_config_bytes, &text, &size, err));
    XA_TRY(err, xa_sha256_bytes(text, size, m->config_sha256, err));
    *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(*json)) {
        xa_str_sanitise(*json ? "it is no object" : why.text, reason, sizeof reason);
        XA_FAIL(err, XA_FORMAT, "%s is no JSON object: %s", file, reason);
    }
done:
    free(text);
    free(stem);
    free(named);
    free(beside);
    return st;
}

/* The first of two keys, also inside timm's "model_args". */
static const json_t *setting(const json_t *json, const char *key, const char *other)
{
    const json_t *found = json_object_get(json, key);
    if (!found && other)
        found = json_object_get(json, other);
    if (!found) {
        const json_t *args = json_object_get(json, "model_args");
        found = json_object_get(args, key);
        if (!found && other)
            found = json_object_get(args, other);
    }
    return json_is_null(found) ? NULL : found;
}

static xa_status read_heads(xa_vit *v, const json_t *json, xa_model *m, xa_err *err)
{
    /* timm's wide models, whose heads are not 64 wide */
    static const int64_t wide[][2] = {{1280, 16}, {1408, 16}, {1664, 16}, {1792, 16}};
    const json_t *given = setting(json, "num_attention_heads", "num_heads");
    v->heads = json_integer_value(given);
    for (size_t i = 0; !given && i < sizeof wide / sizeof *wide; i++)
        if (wide[i][0] == v->width)
            v->heads = wide[i][1];
    if (!given && !v->heads && v->width % 64 == 0)
        v->heads = v->width / 64;
    if (!given && !v->heads)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "%s does not tell its number of heads, and its width of %" PRId64
            " is no multiple of 64; write {\"num_heads\": N} to a file and name it as the "
            "model's `architecture`",
            v->file->path,
            v->width);
    if (v->heads < 1 || v->width % v->heads)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: %" PRId64 " heads do not divide the width of %" PRId64,
                       v->file->path,
                       v->heads,
                       v->width);
    if (!given)
        return xa_model_assume(m,
                               err,
                               "%" PRId64 " heads, each %" PRId64 " wide (width %" PRId64
                               "): no file tells them; \"num_heads\" in config.json does",
                               v->heads,
                               v->width / v->heads,
                               v->width);
    return XA_OK;
}

static xa_status read_activation(xa_vit *v, const json_t *json, xa_model *m, xa_err *err)
{
    static const struct {
        const char *name;
        xa_activation_kind kind;
    } known[] = {{"gelu", XA_ACT_GELU},
                 {"gelu_new", XA_ACT_GELU_TANH},
                 {"gelu_tanh", XA_ACT_GELU_TANH},
                 {"gelu_pytorch_tanh", XA_ACT_GELU_TANH},
                 {"relu", XA_ACT_RELU},
                 {"silu", XA_ACT_SWISH},
                 {"swish", XA_ACT_SWISH}};
    const json_t *given = setting(json, "hidden_act", "act_layer");
    const char *name = json_is_string(given) ? json_string_value(given) : "gelu";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) {
            v->act = xa_activation_default(known[i].kind);
            return given ? XA_OK
                         : xa_model_assume(m,
                                           err,
                                           "activation gelu (erf): no file tells it; "
                                           "\"act_layer\" in config.json does");
        }
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s: activation \"%s\" is not known", v->file->path, name);
}

static xa_status read_pooling(xa_vit *v, const json_t *json, xa_model *m, xa_err *err)
{
    const json_t *given = setting(json, "global_pool", NULL);
    const char *pool = json_string_value(given);
    v->mean = xa_vit_tensor(v, 0, XA_VIT_FC_NORM_W) >= 0 || xa_vit_tensor(v, 0, XA_VIT_CLASS) < 0;
    if (pool && *pool) {
        if (strcmp(pool, "avg") && strcmp(pool, "token"))
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "%s: global_pool \"%s\"; token and avg are known",
                           v->file->path,
                           pool);
        v->mean = !strcmp(pool, "avg");
    }
    if (!v->mean && xa_vit_tensor(v, 0, XA_VIT_CLASS) < 0)
        XA_RETURN_FAIL(
            err, XA_INVALID, "%s: global_pool token, but there is no class token", v->file->path);
    if (!(pool && *pool))
        return xa_model_assume(
            m,
            err,
            "pooling %s: the head reads %s; no file tells it; \"global_pool\" in "
            "config.json does",
            v->mean ? "avg" : "token",
            v->mean ? "the mean of the patches" : "the class token");
    return XA_OK;
}

static xa_status refuse_settings(const xa_vit *v, const json_t *json, xa_err *err)
{
    static const char *const off[] = {"qk_norm", "qk_normalization", "dynamic_img_size_rope"};
    const char *model = json_string_value(json_object_get(json, "model_type"));
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        if (json_is_true(setting(json, off[i], NULL)))
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s: %s is not supported", v->file->path, off[i]);
    if (model && strcmp(model, "vit") && strcmp(model, "deit"))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: its config.json says model_type \"%s\"; vit and deit are known",
                       v->file->path,
                       model);
    return XA_OK;
}

xa_status
xa_vit_configure(xa_vit *v, const char *path, const xa_model_options *opt, xa_model *m, xa_err *err)
{
    xa_status st = XA_OK;
    json_t *json = NULL;
    XA_TRY(err, read_json(path, opt, m, &json, err));
    if (!json && v->dialect->needs_config)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s has transformers' names: its config.json (or <name>.json) is needed beside it "
                "(heads, epsilon and "
                "activation are not in the weights)",
                path);
    XA_TRY(err, refuse_settings(v, json, err));
    XA_TRY(err, read_heads(v, json, m, err));
    XA_TRY(err, read_activation(v, json, m, err));
    XA_TRY(err, read_pooling(v, json, m, err));
    const json_t *epsilon = setting(json, "layer_norm_eps", "eps");
    v->epsilon = epsilon ? json_number_value(epsilon) : v->dialect->epsilon;
    if (!epsilon)
        XA_TRY(err,
               xa_model_assume(m,
                               err,
                               "epsilon %g of the norms: no file tells it; \"layer_norm_eps\" in "
                               "config.json does",
                               v->epsilon));
    if (!(v->epsilon >= 0.0 && v->epsilon < 1.0))
        XA_FAIL(err, XA_INVALID, "%s: layer_norm_eps is %g", path, v->epsilon);
    const char *problem = json_string_value(setting(json, "problem_type", NULL));
    v->problem_told = problem;
    v->multilabel = problem && !strcmp(problem, "multi_label_classification");
    if (problem && !strcmp(problem, "regression"))
        XA_FAIL(err, XA_UNSUPPORTED, "%s: a regression model; xaudit explains classifiers", path);
done:
    json_decref(json);
    return st;
}
