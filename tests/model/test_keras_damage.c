/* Keras models whose settings or weights contradict each other or reason: each is refused. How
 * layers hang together is in test_keras_wiring.c, texts that are no configuration in
 * test_keras_texts.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damaged_model.h"
#include "refused_model.h"
#include "xaudit_cmocka.h"

/* ---- one setting of one layer ---- */

static void test_settings(void **state)
{
    (void)state;
    static const struct {
        const char *golden, *layer, *key, *value;
        xa_status status;
        const char *words;
    } cases[] = {
        /* absurd sizes */
        {FUNCTIONAL, "stem_conv", "filters", "1000000000", XA_INVALID, "\"filters\" is 1000000000"},
        {FUNCTIONAL, "stem_conv", "filters", "16777216", XA_SHAPE, "the layer needs shape"},
        {FUNCTIONAL, "stem_conv", "filters", "0", XA_INVALID, "\"filters\" is 0"},
        {FUNCTIONAL, "stem_conv", "filters", "-8", XA_INVALID, "\"filters\" is -8"},
        {FUNCTIONAL, "stem_conv", "filters", "9223372036854775807", XA_INVALID, "\"filters\""},
        {FUNCTIONAL, "stem_conv", "filters", "1e300", XA_FORMAT, "a whole number"},
        {FUNCTIONAL, "stem_conv", "filters", "8.5", XA_FORMAT, "a whole number"},
        {FUNCTIONAL, "stem_conv", "kernel_size", "1000000", XA_SHAPE, "the layer needs shape"},
        {FUNCTIONAL, "stem_conv", "kernel_size", "[1000000,1000000]", XA_SHAPE, "needs shape"},
        {FUNCTIONAL, "stem_conv", "kernel_size", "[3]", XA_FORMAT, "two whole numbers"},
        {FUNCTIONAL, "stem_conv", "kernel_size", "[3,3,3]", XA_FORMAT, "two whole numbers"},
        {FUNCTIONAL, "stem_conv", "strides", "[0,1]", XA_INVALID, "\"strides\" is 0"},
        {FUNCTIONAL,
         "stem_conv",
         "dilation_rate",
         "[16000000,1]",
         XA_INVALID,
         "dilation is 16000000"},
        {FUNCTIONAL, "stem_conv", "groups", "5", XA_INVALID, "groups divide"},
        {FUNCTIONAL, "stem_conv", "padding", "\"causal\"", XA_UNSUPPORTED, "\"padding\""},
        {FUNCTIONAL, "stem_conv", "data_format", "\"channels_first\"", XA_UNSUPPORTED, "channels_"},
        {FUNCTIONAL, "stem_conv", "activation", "\"sgimoid\"", XA_UNSUPPORTED, "sgimoid"},
        {FUNCTIONAL, "block1_dwconv", "depth_multiplier", "16777216", XA_SHAPE, "needs shape"},
        {FUNCTIONAL, "stem_conv_pad", "padding", "16777216", XA_SHAPE, "absurdly large"},
        {FUNCTIONAL, "stem_conv_pad", "padding", "[[1,2]]", XA_FORMAT, "\"padding\""},
        {FUNCTIONAL, "predictions", "units", "16777216", XA_SHAPE, "needs shape"},
        {FUNCTIONAL, "predictions", "units", "1000000000000", XA_INVALID, "\"units\""},
        {FUNCTIONAL,
         "block1_se_reshape",
         "target_shape",
         "[9223372036854775807,4]",
         XA_INVALID,
         "target shape"},
        {FUNCTIONAL, "block1_se_reshape", "target_shape", "[-1,-1]", XA_INVALID, "target shape"},
        {FUNCTIONAL, "block1_se_reshape", "target_shape", "[3,3]", XA_SHAPE, "cannot be reshaped"},
        {FUNCTIONAL, "block1_se_reshape", "target_shape", "{}", XA_UNSUPPORTED, "target shape"},
        {FUNCTIONAL, "stem_bn", "axis", "[1]", XA_SHAPE, "gamma"},
        {FUNCTIONAL, "stem_bn", "axis", "[1, 3]", XA_UNSUPPORTED, "normalises 2 axes"},
        {FUNCTIONAL, "stem_bn", "axis", "99", XA_INVALID, "axis"},
        {FUNCTIONAL, "stem_bn", "epsilon", "\"small\"", XA_FORMAT, "\"epsilon\""},
        {SEQUENTIAL, "max_pooling2d", "pool_size", "[0,2]", XA_INVALID, "\"pool_size\" is 0"},
        {SEQUENTIAL,
         "max_pooling2d",
         "pool_size",
         "[16777216,2]",
         XA_INVALID,
         "kernel height is 16777216"},
        {SEQUENTIAL, "max_pooling2d", "strides", "[-1,2]", XA_INVALID, "\"strides\" is -1"},
        {SEQUENTIAL, "dense", "units", "null", XA_INVALID, "\"units\""},
        {SEQUENTIAL, "dense", "use_bias", "\"yes\"", XA_FORMAT, "\"use_bias\""},
        /* what no Keras knows, in a class whose builder does not look for such itself */
        {SEQUENTIAL, "dense", "sharpness", "0.5", XA_UNSUPPORTED, "\"sharpness\" (0.5)"},
        {SEQUENTIAL, "dense", "trainable", "[]", XA_FORMAT, "\"trainable\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *model = damaged_config(cases[i].golden);
        damaged_set(json_object_get(damaged_layer(model, cases[i].layer), "config"),
                    cases[i].key,
                    cases[i].value);
        damaged_write_json(cases[i].golden, model, refused_path);
        char what[160];
        snprintf(what, sizeof what, "%s %s=%s", cases[i].layer, cases[i].key, cases[i].value);
        refused(what, cases[i].status, cases[i].layer, cases[i].words);
        json_decref(model);
    }
    assert_int_equal(refused_wrong, 0);
}

/* ---- weights ---- */

static void test_weights(void **state)
{
    (void)state;
    json_t *model = damaged_config(SEQUENTIAL);
    char *text = json_dumps(model, JSON_COMPACT);
    static const struct {
        const char *dataset, *layer;
        int ndim;
        uint64_t dims[6];
    } cases[] = {
        {"model_weights/conv2d/conv2d/kernel:0", "conv2d", 4, {3, 3, 3, 4}},
        {"model_weights/conv2d/conv2d/kernel:0", "conv2d", 3, {3, 3, 3}},
        {"model_weights/conv2d/conv2d/kernel:0", "conv2d", 6, {1, 1, 1, 1, 1, 1}},
        {"model_weights/conv2d/conv2d/kernel:0", "conv2d", 4, {3, 3, 3, 1000000000000}},
        {"model_weights/conv2d/conv2d/kernel:0", "conv2d", 4, {3, 3, 3, 0}},
        {"model_weights/conv2d/conv2d/bias:0", "conv2d", 0, {0}},
        {"model_weights/dense/dense/kernel:0", "dense", 2, {1, 1}},
        {"model_weights/dense/dense/bias:0", "dense", 1, {100000}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        damaged_write(SEQUENTIAL, text, refused_path);
        damaged_weight(refused_path, cases[i].dataset, cases[i].ndim, cases[i].dims);
        refused(cases[i].dataset, XA_SHAPE, cases[i].layer, "the layer needs shape");
    }
    /* lists of names that lie */
    static const char *const kernel_only[] = {"conv2d/kernel:0"},
                             *const nobody[] = {"conv2d/kernel:0", "conv2d/nobody:0"},
                             *const upward[] = {"conv2d/kernel:0", "../../../conv2d"};
    damaged_write(SEQUENTIAL, text, refused_path);
    damaged_names(refused_path, "model_weights/conv2d", "weight_names", kernel_only, 1);
    refused("one weight of two", XA_MISMATCH, "conv2d", "holds 1 weights");
    damaged_names(refused_path, "model_weights/conv2d", "weight_names", nobody, 2);
    refused("a weight that is not there", XA_FORMAT, "conv2d/nobody:0", "cannot be opened");
    damaged_names(refused_path, "model_weights/conv2d", "weight_names", upward, 2);
    refused("a weight elsewhere", XA_FORMAT, "conv2d", "cannot be opened");
    damaged_write(SEQUENTIAL, text, refused_path);
    damaged_names(refused_path, "model_weights", "layer_names", NULL, 0);
    refused("no layer at all", XA_MISMATCH, "conv2d", "weights of 0 layers");
    damaged_names(refused_path, "model_weights", "layer_names", nobody, 2);
    refused("layers that are not there", XA_FORMAT, "conv2d/kernel:0", "cannot be opened");
    free(text);
    json_decref(model);
    assert_int_equal(refused_wrong, 0);
}

/* ---- a single number where a layer wants a tensor ---- */

static void test_scalars(void **state)
{
    (void)state;
    static const struct {
        const char *name, *config;
    } classes[] = {{"LayerNormalization", ",\"center\":false,\"scale\":false"},
                   {"BatchNormalization", ",\"center\":false,\"scale\":false"},
                   {"Normalization", ""},
                   {"Softmax", ""},
                   {"Activation", ""},
                   {"PReLU", ""},
                   {"ReLU", ""},
                   {"LeakyReLU", ""},
                   {"ELU", ""},
                   {"Dense", ",\"use_bias\":false,\"units\":1"},
                   {"Flatten", ""},
                   {"Reshape", ",\"target_shape\":[1]"},
                   {"Permute", ",\"dims\":[]"},
                   {"Rescaling", ""},
                   {"Dropout", ""},
                   {"GlobalAveragePooling1D", ""},
                   {"GlobalAveragePooling2D", ""},
                   {"MaxPooling2D", ""},
                   {"Conv2D", ",\"use_bias\":false"},
                   {"DepthwiseConv2D", ",\"use_bias\":false"},
                   {"SeparableConv2D", ",\"use_bias\":false"},
                   {"ZeroPadding2D", ""},
                   {"Cropping2D", ""},
                   {"UpSampling2D", ""},
                   {"Resizing", ""},
                   {"CenterCrop", ""},
                   {"Concatenate", ""},
                   {"Add", ""},
                   {"MultiHeadAttention", ",\"use_bias\":false"},
                   {"AddPositionEmbs", ""},
                   {"ClassToken", ""},
                   {"TransformerBlock", ""},
                   {"EinsumDense", ""},
                   {"UnitNormalization", ""},
                   {"RMSNormalization", ""},
                   {"GroupNormalization", ",\"center\":false,\"scale\":false"},
                   {"Conv1D", ",\"use_bias\":false"},
                   {"MaxPooling1D", ""},
                   {"Attention", ""},
                   {"AdditiveAttention", ""},
                   {"Dot", ""},
                   {"LayerScale", ""},
                   {"CustomScaleLayer", ""},
                   {"Mean", ""},
                   {"GetItem", ""}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        xa_err err;
        xa_str s = {0};
        xa_str_printf(
            &s,
            "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":["
            "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,4,4,1],"
            "\"name\":\"in\"}},"
            "{\"class_name\":\"GlobalAveragePooling2D\",\"config\":{\"name\":\"pool\"}},"
            "{\"class_name\":\"Reshape\",\"config\":{\"name\":\"one\",\"target_shape\":[]}},"
            "{\"class_name\":\"%s\",\"config\":{\"name\":\"probe\"%s}}]}}",
            classes[i].name,
            classes[i].config);
        damaged_write(SEQUENTIAL, s.data, refused_path);
        if (i == 0)
            refused(classes[i].name, XA_SHAPE, "probe", "a single number, which has no axis");
        else if (refused_open(&err) != XA_OK)
            assert_true(strstr(err.message, refused_path) != NULL);
        xa_str_free(&s);
    }
    assert_int_equal(refused_wrong, 0);
}

/* ---- every setting of every layer, of every refused_wrong type ---- */

/* Settings that move numbers: nothing but what Keras writes there may be taken. */
static bool must_fail(const char *type, const char *key, const char *value)
{
    static const char *const keys[] = {"filters",
                                       "kernel_size",
                                       "strides",
                                       "padding",
                                       "data_format",
                                       "dilation_rate",
                                       "use_bias",
                                       "units",
                                       "pool_size",
                                       "depth_multiplier",
                                       "groups",
                                       "epsilon",
                                       "center",
                                       "activation",
                                       "trainable",
                                       "target_shape"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return !(strcmp(key, "groups") == 0 && strcmp(type, "Conv2D") != 0) &&
                   !(strcmp(key, "epsilon") == 0 && strpbrk(value, "015"));
    return strcmp(key, "scale") == 0 && strcmp(type, "BatchNormalization") == 0;
}

/* The plain run tries a third of the values on each setting, XA_FULL=1 all. */
static void sweep(const char *golden, json_t *model, json_t *seen)
{
    static const char *const values[] = {"\"\\u001b[2Jx\"",
                                         "-7",
                                         "1e300",
                                         "[]",
                                         "{}",
                                         "[[[[1]]]]",
                                         "[1,2,3,4,5,6,7,8,9]",
                                         "\"\"",
                                         "[\"a\",null]",
                                         "{\"config\":{\"value\":[]}}",
                                         "-9223372036854775808",
                                         "{\"class_name\":\"x\",\"config\":7}",
                                         "0.5"};
    json_t *layers = json_object_get(json_object_get(model, "config"), "layers"), *entry, *old;
    const char *key;
    const char *full = getenv("XA_FULL");
    const bool all = full && *full;
    size_t i, turn = 0;
    json_array_foreach(layers, i, entry)
    {
        json_t *config = json_object_get(entry, "config");
        const char *type = json_string_value(json_object_get(entry, "class_name"));
        const char *name = json_string_value(json_object_get(config, "name"));
        json_t *copy = json_copy(config);
        json_object_foreach(copy, key, old)
        {
            char once[256];
            snprintf(once, sizeof once, "%s.%s", type, key);
            if (!strcmp(key, "name") || json_object_get(seen, once))
                continue;
            json_object_set_new(seen, once, json_true());
            turn++;
            for (size_t v = all ? 0 : turn % 3; v < sizeof values / sizeof *values;
                 v += all ? 1 : 3) {
                xa_err err;
                damaged_set(config, key, values[v]);
                damaged_write_json(golden, model, refused_path);
                const xa_status st = refused_open(&err);
                const bool named =
                    st == XA_OK || (strstr(err.message, refused_path) &&
                                    (strstr(err.message, name) || !strcmp(type, "InputLayer")));
                if (!named || (st == XA_OK && must_fail(type, key, values[v]))) {
                    print_error("%s (%s) %s=%s: %s\n",
                                name,
                                type,
                                key,
                                values[v],
                                st == XA_OK ? "opens" : err.message);
                    refused_wrong++;
                }
                for (const char *c = st == XA_OK ? "" : err.message; *c; c++)
                    assert_true((unsigned char)*c >= 0x20);
            }
            json_object_set(config, key, old);
        }
        json_decref(copy);
    }
}

static void test_every_setting(void **state)
{
    (void)state;
    static const char *const goldens[] = {SEQUENTIAL, FUNCTIONAL, FUNCTIONAL3};
    for (size_t g = 0; g < sizeof goldens / sizeof *goldens; g++) {
        json_t *model = damaged_config(goldens[g]), *seen = json_object();
        sweep(goldens[g], model, seen);
        json_decref(seen);
        json_decref(model);
    }
    assert_int_equal(refused_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_every_setting),
    };
    return cmocka_run_group_tests(tests, refused_make, refused_remove);
}
