/* safetensors files: another input size, headers that lie, parts that are missing or unknown,
 * mutations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "model_run.h"
#include "vit.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/safetensors/"
#define KERAS XA_TEST_DATA "/golden/keras/"

static char folder[] = "/tmp/xaudit-safetensors-XXXXXX", path[128];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char config[160];
    (void)state;
    snprintf(config, sizeof config, "%s/config.json", folder);
    unlink(config);
    unlink(path);
    return rmdir(folder);
}

static void put_file(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* A file of this header and `data` zero bytes. */
static void put(const char *header, size_t data)
{
    const size_t n = strlen(header);
    unsigned char *bytes = calloc(8 + n + data, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)n >> (8 * i));
    memcpy(bytes + 8, header, n);
    put_file(path, bytes, 8 + n + data);
    free(bytes);
}

static void refused(xa_status code, const char *words)
{
    const xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    const xa_status st = xa_model_open(path, &opt, &m, &err);
    if (st == XA_OK)
        fail_msg("opens, expected a refusal with \"%s\"", words);
    if (st != code || !strstr(err.message, words) || !strstr(err.message, path))
        fail_msg("%s: %s, expected %s with \"%s\"",
                 xa_status_name(st),
                 err.message,
                 xa_status_name(code),
                 words);
    assert_null(m);
}

static void test_lying_headers(void **state)
{
    (void)state;
    put_file(path, "\x10\0\0\0\0\0\0\0{", 9);
    refused(XA_FORMAT, "truncated");
    put_file(path, "\xff\xff\xff\x7f\0\0\0\0{\"a\":1}", 15);
    refused(XA_FORMAT, "truncated");
    put("{\"a\":}", 0);
    refused(XA_FORMAT, "no JSON object");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        8);
    refused(XA_FORMAT, "duplicate");
    put("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    refused(XA_FORMAT, "dtype \"F31\"");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4);
    refused(XA_FORMAT, "no list of extents");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[9000000000000000000,8],\"data_offsets\":[0,4]}}", 4);
    refused(XA_FORMAT, "no list of extents");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,4]}}", 4);
    refused(XA_FORMAT, "do not hold its shape");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4);
    refused(XA_FORMAT, "do not hold");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4);
    refused(XA_FORMAT, "do not hold its shape");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4);
    refused(XA_FORMAT, "data_offsets");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[250000000000],\"data_offsets\":[0,1000000000000]}}",
        4);
    refused(XA_FORMAT, "truncated, or its header lies");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
        12);
    refused(XA_FORMAT, "inside another");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
        12);
    refused(XA_FORMAT, "after a hole");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9);
    refused(XA_FORMAT, "belong to nothing");
    put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    refused(XA_UNSUPPORTED, "no vision transformer");
    char *deep = malloc(20000);
    assert_non_null(deep);
    snprintf(deep, 20000, "{\"a\":%0*d}", 10000, 0);
    memset(deep + 5, '[', 10000);
    put(deep, 0);
    refused(XA_FORMAT, "no JSON object");
    free(deep);
}

/* A golden file with one name of its header changed for another of the same length. */
static void copy_golden(const char *name)
{
    char *bytes, from[256];
    size_t size;
    snprintf(from, sizeof from, GOLDEN "%s.safetensors", name);
    assert_int_equal(xa_read_file(from, 1 << 24, &bytes, &size, NULL), XA_OK);
    put_file(path, bytes, size);
    free(bytes);
}

/* The same bytes, but for these. A shorter text is filled with blanks, which JSON does not mind. */
static void edit_header(const char *from, const char *to)
{
    char *bytes;
    size_t size;
    assert_true(strlen(from) >= strlen(to));
    assert_int_equal(xa_read_file(path, 1 << 24, &bytes, &size, NULL), XA_OK);
    char *at = memmem(bytes, size, from, strlen(from));
    assert_non_null(at);
    memset(at, ' ', strlen(from));
    memcpy(at, to, strlen(to));
    put_file(path, bytes, size);
    free(bytes);
}

static void rename_tensor(const char *from, const char *to)
{
    copy_golden("timm_f32");
    edit_header(from, to);
}

static void put_config(const char *text)
{
    char config[160];
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (text)
        put_file(config, text, strlen(text));
    else
        unlink(config);
}

static void test_parts(void **state)
{
    (void)state;
    put_config("{\"num_heads\": 3}");
    rename_tensor("\"blocks.1.attn.qkv.weight\"", "\"blocks.1.attn.qkv.wieght\"");
    refused(XA_UNSUPPORTED, "blocks.1.attn.qkv.wieght");
    rename_tensor("\"head.weight\"", "\"heed.weight\"");
    refused(XA_UNSUPPORTED, "heed.weight");
    rename_tensor("\"blocks.0.norm1.weight\"", "\"blocks.0.norm9.weight\"");
    refused(XA_UNSUPPORTED, "no vision transformer");
    rename_tensor("[1,17,24]", "[17,1,24]"); /* the same bytes, another shape */
    refused(XA_SHAPE, "pos_embed");
}

static void test_configs(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        xa_status status;
        const char *words;
    } wrong[] = {
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
    copy_golden("timm_f32");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_config(wrong[i].config);
        refused(wrong[i].status, wrong[i].words);
    }
    copy_golden("timm_no_class");
    put_config("{\"num_heads\": 3, \"global_pool\": \"token\"}");
    refused(XA_INVALID, "no class token");
    copy_golden("timm_registers");
    put_config("{\"num_heads\": 3, \"block_fn\": \"ResPostBlock\"}");
    refused(XA_INVALID, "layer scales");
    copy_golden("timm_distilled");
    put_config("{\"num_heads\": 3, \"global_pool\": \"avg\"}");
    refused(XA_INVALID, "distilled");
    copy_golden("hf_vit");
    put_config(NULL);
    refused(XA_NOT_FOUND, "config.json");
    put_config("{\"model_type\": \"vit_msn\"}");
    refused(XA_UNSUPPORTED, "vit_msn");
    put_config("{\"model_type\": \"vit\", \"auto_map\": {\"AutoModel\": \"m.My\"}}");
    refused(XA_UNSUPPORTED, "auto_map");
}

/* Tensors whose values no layer reads, in part or whole. */
static void test_unread(void **state)
{
    (void)state;
    put_config("{\"num_heads\": 3}");
    rename_tensor("\"blocks.1.attn.qkv.bias\"", "\"blocks.1.ls1.gamma\"");
    refused(XA_INVALID, "of tensor \"blocks.1.ls1.gamma\", 24 of 72 values are read");
    rename_tensor("\"blocks.1.norm2.bias\"", "\"blocks.1.ls1.gamma\"");
    refused(XA_NOT_FOUND, "the biases of \"blocks.1.norm2\" are missing");
    rename_tensor("\"norm.weight\"", "\"norm.waight\"");
    refused(XA_UNSUPPORTED, "norm.waight");
    rename_tensor("\"norm.weight\"", "\"norm.bias\"");
    refused(XA_FORMAT, "duplicate");
    copy_golden("timm_distilled");
    edit_header("\"dist_token\"", "\"reg_token\"");
    refused(XA_UNSUPPORTED, "no distillation token");
}

/* A model in several files is told as what it is; one that is numbered 1 of 1 is whole. */
static void test_shards(void **state)
{
    (void)state;
    char usual[sizeof path];
    memcpy(usual, path, sizeof usual);
    put_config("{\"num_heads\": 3}");
    snprintf(path, sizeof path, "%s/model-00002-of-00003.safetensors", folder);
    copy_golden("timm_f32");
    refused(XA_UNSUPPORTED, "one shard of 3 of a model that lies in several");
    unlink(path);
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    put_file(path, "{\"weight_map\": {}}", 18);
    assert_true(xa_model_recognises(path));
    refused(XA_UNSUPPORTED, "the index of a model that lies in several");
    unlink(path);
    snprintf(path, sizeof path, "%s/model-00001-of-00001.safetensors", folder);
    copy_golden("timm_f32");
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    assert_int_equal(xa_model_open(path, &opt, &m, NULL), XA_OK);
    xa_model_free(m);
    unlink(path);
    memcpy(path, usual, sizeof usual);
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
        assert_ptr_equal(xa__vit_known_at(n++), k); /* in order, none more */
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
    const hid_t file = H5Fopen(reference, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    float *x = read_floats(file, "resized/input", dims);
    float *want = read_floats(file, "resized/logits", wide);
    H5Fclose(file);
    opt.height = (int64_t)dims[1];
    opt.width = (int64_t)dims[2];
    assert_int_equal(xa_model_open(model, &opt, &m, &err), XA_SHAPE);
    if (!strstr(err.message, "6x5") || !strstr(err.message, "interpolate_positions"))
        fail_msg("%s", err.message);
    opt.interpolate_positions = true;
    if (xa_model_open(model, &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_true(xa_model_tokens(m)->height == 6 && xa_model_tokens(m)->width == 5);
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
    check_resized(KERAS "tf215/vit_alone.h5", KERAS "tf215/vit_alone.ref.h5");
    check_resized(KERAS "k3/vit_alone.h5", KERAS "k3/vit_alone.ref.h5");
}

/* ---- what is assumed ---- */

/* Opens what lies at `path`; its assumptions, in the order of their words, are these and no more.
 */
static void assumes(const xa_model_options *opt, int n, const char *const *words)
{
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    if (xa_model_open(path, opt, &m, &err) != XA_OK)
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
    copy_golden("timm_f32");
    put_config("{\"num_heads\": 3}");
    assumes(&opt,
            5,
            (const char *const[]){"activation gelu",
                                  "norms before attention",
                                  "pooling token",
                                  "epsilon 1e-06",
                                  "softmax head"});
    opt.head = "softmax"; /* the job says it */
    put_config("{\"num_heads\": 3, \"act_layer\": \"gelu\", \"global_pool\": \"token\", "
               "\"eps\": 1e-6, \"block_fn\": \"Block\"}");
    assumes(&opt, 0, NULL);
    /* the name of an architecture tells all but, where the width is another, the heads */
    put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"model_args\": {\"embed_dim\": 24}}");
    assumes(&opt, 0, NULL);
    put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3}");
    assumes(&opt, 0, NULL);
    put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3, "
               "\"global_pool\": \"avg\"}");
    assumes(&opt, 1, (const char *const[]){"pooling avg, as config.json says, though"});
    put_config("{\"architecture\": \"vit_tiny_patch16_224\", \"num_heads\": 3, "
               "\"model_args\": {\"global_pool\": \"max\"}}");
    assumes(&opt, 1, (const char *const[]){"attention maps follow the mean"});
    copy_golden("hf_vit"); /* transformers passes over keys that it does not know */
    put_config("{\"model_type\": \"vit\", \"num_attention_heads\": 3, \"hidden_act\": "
               "\"gelu\", \"layer_norm_eps\": 1e-12, \"mystery\": 4}");
    assumes(&opt, 1, (const char *const[]){"\"mystery\" of config.json changes nothing"});
}

/* ---- mutations ---- */

/* Bytes of the header changed, cut, doubled: an error or a model, never more. */
static void test_mutations(void **state)
{
    (void)state;
    const char *full = getenv("XA_FULL");
    const int rounds = full && *full ? 200000 : 1500;
    char *bytes;
    size_t size;
    int opened = 0;
    put_config("{\"num_heads\": 3}");
    assert_int_equal(xa_read_file(GOLDEN "timm_f32.safetensors", 1 << 24, &bytes, &size, NULL),
                     XA_OK);
    char *mutant = malloc(size + 64);
    assert_non_null(mutant);
    const size_t header =
        8 + (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
    static const char alphabet[] = "0123456789[]{},:\"-.eE tfn\\\x00\xff";
    for (uint64_t i = 0; i < (uint64_t)rounds; i++) {
        size_t n = size;
        memcpy(mutant, bytes, size);
        const int edits = 1 + (int)xa_random_below(3, i, 0, 4);
        for (uint64_t k = 1; k <= (uint64_t)edits; k++) {
            const size_t at = (size_t)xa_random_below(3, i, 10 * k, (int64_t)header);
            const size_t len = (size_t)xa_random_below(3, i, 10 * k + 1, 12);
            switch (xa_random_below(3, i, 10 * k + 2, 4)) {
            case 0:
                mutant[at] = (char)xa_random_below(3, i, 10 * k + 3, 256);
                break;
            case 1:
                mutant[at] =
                    alphabet[xa_random_below(3, i, 10 * k + 3, (int64_t)sizeof alphabet - 1)];
                break;
            case 2: /* a piece copied elsewhere in the header */
                memmove(mutant + at,
                        mutant + (size_t)xa_random_below(3, i, 10 * k + 3, (int64_t)header - 12),
                        at + len < header ? len : 0);
                break;
            default:
                n = k == (uint64_t)edits ? (size_t)xa_random_below(3, i, 10 * k + 3, (int64_t)n)
                                         : n;
            }
        }
        put_file(path, mutant, n);
        const xa_model_options opt = xa_model_defaults();
        xa_err err = XA_ERR_INIT;
        xa_model *m = NULL;
        if (xa_model_open(path, &opt, &m, &err) == XA_OK)
            opened++;
        else
            assert_true(err.message[0]);
        xa_model_free(m);
    }
    print_message("%d of %d mutants opened\n", opened, rounds);
    assert_true(opened < rounds);
    free(mutant);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lying_headers),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_configs),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_another_size),
        cmocka_unit_test(test_assumptions),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
