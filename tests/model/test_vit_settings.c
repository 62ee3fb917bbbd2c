/* Vision transformers: what config.json may say, the architectures of timm, another input size, and
 * what is assumed where no file says it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model_run.h"
#include "vit.h"
#include "vit_file.h"
#include "xaudit_cmocka.h"

#define KERAS XA_TEST_DATA "/golden/keras/"

/* config.json beside a model of timm, and what its refusal says. */
static const struct {
    const char *config;
    xa_status status;
    const char *words;
} wrong_configs[] = {
    {NULL, XA_INVALID, "number of heads"},
    {"[]", XA_FORMAT, "no JSON object"},
    {"{\"num_heads\": 5}", XA_INVALID, "5 heads do not divide the width of 24"},
    {"{\"num_heads\": \"3\"}", XA_INVALID, "number of heads is no whole number"},
    {"{\"num_head\": 3}", XA_UNSUPPORTED, "did you mean \"num_heads\"?"},
    {"{\"num_heads\": 3, \"mystery\": 1}", XA_UNSUPPORTED, "the key \"mystery\""},
    {"{\"num_heads\": 3, \"model_args\": {\"mystery\": 1}}",
     XA_UNSUPPORTED,
     "the key \"model_args.mystery\""},
    {"{\"num_heads\": 3, \"model_args\": []}", XA_FORMAT, "model_args is no object"},
    {"{\"num_heads\": 3, \"model_args\": {\"num_heads\": 4}}",
     XA_INVALID,
     "num_heads is 4 in model_args and 3 above it"},
    /* architectures */
    {"{\"architecture\": \"vit_base_patch16_siglip_224.webli\"}",
     XA_UNSUPPORTED,
     "attention pooling (global_pool map)"},
    {"{\"architecture\": \"vit_base_patch16_rope_224\"}", XA_UNSUPPORTED, "rotary"},
    {"{\"architecture\": \"vit_of_tomorrow\"}", XA_UNSUPPORTED, "\"vit_of_tomorrow\" is none"},
    {"{\"architecture\": 7}", XA_FORMAT, "architecture is 7, which is no text"},
    {"{\"architecture\": \"vit_tiny_patch16_224\"}",
     XA_INVALID,
     "192 wide and the weights 24: how many heads is not known"},
    {"{\"num_heads\": 3, \"model_type\": \"swin\"}", XA_UNSUPPORTED, "swin"},
    {"{\"num_heads\": 3, \"architectures\": [\"MyViT\"]}", XA_UNSUPPORTED, "MyViT"},
    /* settings */
    {"{\"num_heads\": 3, \"global_pool\": \"map\"}", XA_UNSUPPORTED, "global_pool \"map\""},
    {"{\"num_heads\": 3, \"pretrained_cfg\": {\"global_pool\": \"prr\"}}",
     XA_UNSUPPORTED,
     "global_pool \"prr\""},
    {"{\"num_heads\": 3, \"hidden_act\": \"mystery\"}", XA_UNSUPPORTED, "mystery"},
    {"{\"num_heads\": 3, \"act_layer\": \"gelu_10\"}", XA_UNSUPPORTED, "gelu_10"},
    {"{\"num_heads\": 3, \"act_layer\": 1}", XA_UNSUPPORTED, "activation 1"},
    {"{\"num_heads\": 3, \"norm_layer\": \"simplenorm\"}", XA_UNSUPPORTED, "simplenorm"},
    {"{\"num_heads\": 3, \"norm_layer\": \"rmsnorm\"}", XA_INVALID, "have biases of norms"},
    {"{\"num_heads\": 3, \"block_fn\": \"ParallelScalingBlock\"}",
     XA_UNSUPPORTED,
     "ParallelScalingBlock"},
    {"{\"num_heads\": 3, \"layer_norm_eps\": \"small\"}", XA_INVALID, "layer_norm_eps"},
    {"{\"num_heads\": 3, \"scale_attn_norm\": true}", XA_UNSUPPORTED, "scale_attn_norm"},
    {"{\"num_heads\": 3, \"mlp_layer\": \"SwiGLU\"}", XA_UNSUPPORTED, "mlp_layer"},
    {"{\"num_heads\": 3, \"attn_layer\": \"diff\"}", XA_UNSUPPORTED, "attn_layer"},
    {"{\"num_heads\": 3, \"embed_layer\": \"HybridEmbed\"}", XA_UNSUPPORTED, "embed_layer"},
    {"{\"num_heads\": 3, \"pos_embed\": \"none\"}", XA_UNSUPPORTED, "pos_embed"},
    {"{\"num_heads\": 3, \"problem_type\": \"regression\"}", XA_UNSUPPORTED, "regression"},
    {"{\"num_heads\": 3, \"problem_type\": \"ranking\"}", XA_UNSUPPORTED, "ranking"},
    {"{\"num_heads\": 3, \"quantization_config\": {\"bits\": 8}}",
     XA_UNSUPPORTED,
     "quantization_config"},
    /* another model's */
    {"{\"num_heads\": 3, \"num_classes\": 1000}", XA_INVALID, "the weights have 5 classes"},
    {"{\"num_heads\": 3, \"id2label\": {\"0\": \"a\"}}", XA_INVALID, "names 1 classes"},
    {"{\"num_heads\": 3, \"depth\": 12}", XA_INVALID, "2 blocks"},
    {"{\"num_heads\": 3, \"model_args\": {\"embed_dim\": 48}}", XA_INVALID, "24 features"},
    {"{\"num_heads\": 3, \"patch_size\": [8, 16]}", XA_INVALID, "patches of 8x8"},
    {"{\"num_heads\": 3, \"mlp_ratio\": 4}", XA_INVALID, "mlp_ratio"},
    {"{\"num_heads\": 3, \"reg_tokens\": 4}", XA_INVALID, "0 registers"},
    {"{\"num_heads\": 3, \"qk_norm\": true}", XA_INVALID, "qk_norm"},
    {"{\"num_heads\": 3, \"pre_norm\": true}", XA_INVALID, "pre_norm"},
    {"{\"num_heads\": 3, \"class_token\": false}", XA_INVALID, "class_token"},
    {"{\"num_heads\": 3, \"qkv_bias\": false}", XA_INVALID, "qkv_bias"},
    {"{\"num_heads\": 3, \"img_size\": 224}", XA_INVALID, "a grid of 28x28"},
    {"{\"num_heads\": 3, \"img_size\": [32]}", XA_INVALID, "img_size is neither"},
};

static void test_configs(void **state)
{
    (void)state;
    vit_copy_golden("timm_f32");
    for (size_t i = 0; i < sizeof wrong_configs / sizeof *wrong_configs; i++) {
        vit_put_config(wrong_configs[i].config);
        vit_refused(wrong_configs[i].status, wrong_configs[i].words);
    }
    vit_copy_golden("timm_no_class");
    vit_put_config("{\"num_heads\": 3, \"global_pool\": \"token\"}");
    vit_refused(XA_INVALID, "no class token");
    vit_copy_golden("timm_registers");
    vit_put_config("{\"num_heads\": 3, \"block_fn\": \"ResPostBlock\"}");
    vit_refused(XA_INVALID, "layer scales");
    vit_copy_golden("timm_distilled");
    vit_put_config("{\"num_heads\": 3, \"global_pool\": \"avg\"}");
    vit_refused(XA_INVALID, "distilled");
    vit_copy_golden("hf_vit");
    vit_put_config(NULL);
    vit_refused(XA_NOT_FOUND, "config.json");
    vit_put_config("{\"model_type\": \"vit_msn\"}");
    vit_refused(XA_UNSUPPORTED, "vit_msn");
    vit_put_config("{\"model_type\": \"vit\", \"auto_map\": {\"AutoModel\": \"m.My\"}}");
    vit_refused(XA_UNSUPPORTED, "auto_map");
}

/* DINOv2, CLIP, SigLIP: sections, classes that are built otherwise, and what contradicts tensors.
 */
static void test_towers(void **state)
{
    (void)state;
    vit_copy_golden("hf_clip");
    vit_put_config(NULL);
    vit_refused(XA_NOT_FOUND, "config.json");
    vit_put_config("{\"model_type\": \"clip\"}");
    vit_refused(XA_FORMAT, "\"vision_config\" is no object");
    vit_put_config("{\"model_type\": \"clip\", \"architectures\": [\"CLIPModel\"]}");
    vit_refused(XA_UNSUPPORTED, "CLIPForImageClassification. Export another model as ONNX");
    vit_put_config("{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 3, "
                   "\"hidden_act\": \"mystery\"}}");
    vit_refused(XA_UNSUPPORTED, "mystery");
    vit_put_config("{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 3, "
                   "\"quantization_config\": {\"bits\": 8}}}");
    vit_refused(XA_UNSUPPORTED, "vision_config.quantization_config");
    vit_put_config("{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 3, "
                   "\"num_hidden_layers\": 12}}");
    vit_refused(XA_INVALID, "2 blocks");
    vit_copy_golden("hf_siglip");
    vit_put_config("{\"model_type\": \"siglip2\", \"vision_config\": {}}");
    vit_refused(XA_UNSUPPORTED, "siglip2");
    vit_copy_golden("hf_dinov2_registers");
    vit_put_config("{\"model_type\": \"dinov2_with_registers\", \"num_attention_heads\": 3, "
                   "\"num_register_tokens\": 8}");
    vit_refused(XA_INVALID, "4 registers");
    vit_put_config("{\"model_type\": \"dinov2_with_registers\", \"num_attention_heads\": 3, "
                   "\"use_swiglu_ffn\": true}");
    vit_refused(XA_INVALID, "no gates of the MLP");
    vit_copy_golden("hf_dinov2_swiglu");
    vit_put_config("{\"model_type\": \"dinov2\", \"num_attention_heads\": 3, \"mlp_ratio\": 4}");
    vit_refused(XA_INVALID, "mlp_ratio 4 does not fit");
}

/* Every name of the golden table is what timm says, and its tag does not matter. */
static void test_architectures(void **state)
{
    (void)state;
    static const char *const acts[] = {
        [XA_ACT_GELU] = "GELU", [XA_ACT_GELU_TANH] = "GELU_TANH", [XA_ACT_SWISH] = "QUICK_GELU"};
    static const char *const pools[] = {"TOKEN", "AVG", "MAX", "AVGMAX"};
    static const char *const lasts[] = {"NORM", "FC_NORM", "NONE"};
    FILE *f = fopen(GOLDEN "timm_architectures.csv", "r");
    char line[512], made[512], tagged[160];
    size_t n = 0;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(tagged, sizeof tagged, "%.*s.some_tag", (int)strcspn(line, ","), line);
        const xa__vit_known *k = xa__vit_find_known(tagged);
        if (!k)
            fail_msg("%s is not found", tagged);
        if (k->refused)
            snprintf(made, sizeof made, "%s,,,,,,,,,,%s", k->name, k->refused);
        else
            snprintf(made,
                     sizeof made,
                     "%s,%d,%d,%s,%g,%s,%s,%s,%s,%s,",
                     k->name,
                     k->width,
                     k->heads,
                     acts[k->act],
                     k->epsilon,
                     k->block == XA__VIT_PRE ? "PRE" : "RES_POST",
                     k->norm == XA__VIT_NORM_LAYER ? "LAYER" : "RMS",
                     pools[k->pool],
                     lasts[k->last],
                     k->position == XA__VIT_POSITION_ALL ? "ALL" : "PATCHES");
        if (strchr(line, '"')) { /* reasons with a comma are quoted */
            char *to = line;
            for (const char *c = line; *c; c++)
                if (*c != '"')
                    *to++ = *c;
            *to = '\0';
        }
        assert_string_equal(made, line);
        if (!k->refused && k->act == XA_ACT_SWISH)
            assert_true(k->slope == 1.702f);
        assert_ptr_equal(xa__vit_known_at(n++), k); /* in order, and no further ones */
    }
    fclose(f);
    assert_null(xa__vit_known_at(n));
    assert_true(n > 300);
    assert_null(xa__vit_find_known("vit_base"));
    assert_null(xa__vit_find_known(""));
}

/* ---- another size ---- */

static float *read_floats(hid_t file, const char *name, hsize_t *dims)
{
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(set >= 0);
    const hid_t space = H5Dget_space(set);
    H5Sget_simple_extent_dims(space, dims, NULL);
    float *v = malloc((size_t)H5Sget_simple_extent_npoints(space) * sizeof *v);
    assert_non_null(v);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return v;
}

static void check_resized(const char *model, const char *reference)
{
    xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    model_run r;
    hsize_t dims[4], wide[2];
    char grid[64];
    const hid_t file = H5Fopen(reference, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    float *x = read_floats(file, "resized/input", dims);
    float *want = read_floats(file, "resized/logits", wide);
    H5Fclose(file);
    opt.height = (int64_t)dims[1];
    opt.width = (int64_t)dims[2];
    const int64_t rows = opt.height / 8, columns = opt.width / 8; /* all have patches of 8x8 */
    snprintf(grid, sizeof grid, "%" PRId64 "x%" PRId64 " patches", rows, columns);
    assert_int_equal(xa_model_open(model, &opt, &m, &err), XA_SHAPE);
    if (!strstr(err.message, grid) || !strstr(err.message, "interpolate_positions"))
        fail_msg("%s", err.message);
    opt.interpolate_positions = true;
    if (xa_model_open(model, &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_true(xa_model_tokens(m)->height == rows && xa_model_tokens(m)->width == columns);
    if (model_run_start(m, (int64_t)dims[0], XA_ISA_AUTO, -1, NULL, 0, &r, &err) != XA_OK)
        fail_msg("%s", err.message);
    memcpy(xa_run_input(&r.run), x, (size_t)(dims[0] * dims[1] * dims[2] * dims[3]) * sizeof *x);
    xa_run_forward(&r.run);
    const float *got = xa_run_value(&r.run, r.root);
    for (size_t i = 0; i < wide[0] * wide[1]; i++)
        if (!(fabsf(got[i] - want[i]) < 1e-5f))
            fail_msg("%s: logit %zu is %.7g, the library has %.7g",
                     model,
                     i,
                     (double)got[i],
                     (double)want[i]);
    model_run_end(&r);
    xa_model_free(m);
    free(x);
    free(want);
}

static void test_another_size(void **state)
{
    (void)state;
    check_resized(GOLDEN "timm_f32.safetensors", GOLDEN "timm_f32.ref.h5");
    check_resized(GOLDEN "hf_vit.safetensors", GOLDEN "hf_vit.ref.h5");
    check_resized(GOLDEN "hf_dinov2.safetensors", GOLDEN "hf_dinov2.ref.h5");
    check_resized(GOLDEN "hf_dinov2_registers.safetensors", GOLDEN "hf_dinov2_registers.ref.h5");
    check_resized(GOLDEN "hf_clip.safetensors", GOLDEN "hf_clip.ref.h5");
    check_resized(GOLDEN "hf_siglip.safetensors", GOLDEN "hf_siglip.ref.h5");
    check_resized(KERAS "tf215/vit_alone.h5", KERAS "tf215/vit_alone.ref.h5");
    check_resized(KERAS "k3/vit_alone.h5", KERAS "k3/vit_alone.ref.h5");
}

/* ---- what is assumed ---- */

/* Opens what lies at `vit_path`; its assumptions, in the order of their words, are these and no
 * more.
 */
static void assumes(const xa_model_options *opt, int n, const char *const *words)
{
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    if (xa_model_open(vit_path, opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < xa_model_assumptions(m); i++)
        if (i >= n || !strstr(xa_model_assumption(m, i), words[i]))
            fail_msg("assumed: %s, expected \"%s\"",
                     xa_model_assumption(m, i),
                     i < n ? words[i] : "nothing");
    assert_int_equal(xa_model_assumptions(m), n);
    xa_model_free(m);
}

static void test_assumptions(void **state)
{
    (void)state;
    xa_model_options opt = xa_model_defaults();
    vit_copy_golden("timm_f32");
    vit_put_config("{\"num_heads\": 3}");
    assumes(&opt,
            5,
            (const char *const[]){"activation gelu",
                                  "norms before attention",
                                  "pooling token",
                                  "epsilon 1e-06",
                                  "softmax head"});
    opt.head = "softmax"; /* the job states it */
    vit_put_config("{\"num_heads\": 3, \"act_layer\": \"gelu\", \"global_pool\": \"token\", "
                   "\"eps\": 1e-6, \"block_fn\": \"Block\"}");
    assumes(&opt, 0, NULL);
    /* the name of an architecture says everything; if the width is another, all but the heads */
    vit_put_config(
        "{\"architecture\": \"vit_tiny_patch16_224\", \"model_args\": {\"embed_dim\": 24}}");
    assumes(&opt, 0, NULL);
    vit_put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3}");
    assumes(&opt, 0, NULL);
    vit_put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3, "
                   "\"global_pool\": \"avg\"}");
    assumes(&opt, 1, (const char *const[]){"pooling avg, as config.json says, though"});
    vit_put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3, "
                   "\"model_args\": {\"global_pool\": \"max\"}}");
    assumes(&opt, 1, (const char *const[]){"attention maps follow the mean"});
    vit_copy_golden("hf_vit"); /* transformers passes over keys that it does not know */
    vit_put_config("{\"model_type\": \"vit\", \"num_attention_heads\": 3, \"hidden_act\": "
                   "\"gelu\", \"layer_norm_eps\": 1e-12, \"mystery\": 4}");
    assumes(&opt, 1, (const char *const[]){"\"mystery\" of config.json changes nothing"});
    vit_copy_golden("hf_clip"); /* the defaults of CLIP's own library */
    vit_put_config("{\"model_type\": \"clip\", \"vision_config\": {\"num_attention_heads\": 3}}");
    assumes(&opt, 2, (const char *const[]){"activation quick_gelu", "epsilon 1e-05"});
    vit_copy_golden("hf_siglip");
    vit_put_config("{\"model_type\": \"siglip\", \"vision_config\": {\"num_attention_heads\": 3}}");
    assumes(&opt, 2, (const char *const[]){"activation gelu (tanh)", "epsilon 1e-06"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configs),
        cmocka_unit_test(test_towers),
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_another_size),
        cmocka_unit_test(test_assumptions),
    };
    return cmocka_run_group_tests(tests, vit_make_folder, vit_remove_folder);
}
