/* Keras models that hold what is not Keras' own or what no layer of theirs reads: classes and
 * activations of users under Keras' names, whose code is not in the file, and weights beside those
 * of the layers. Each is refused by its name; Keras' own packages and the state of training are
 * not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "damaged_model.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define KERAS XA_TEST_DATA "/golden/keras/"
#define FUNCTIONAL KERAS "tf215/squeeze_excite.h5"
#define FUNCTIONAL3 KERAS "k3/squeeze_excite.h5"
#define NESTED KERAS "tf215/seed_nested.h5"
#define VIT KERAS "k3/vit_alone.h5"
#define WEIGHTS KERAS "k3/weights_v3.weights.h5"

static char path[] = "/tmp/xaudit-foreign-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static xa_status open_it(const char *file, xa_err *err)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    *err = (xa_err)XA_ERR_INIT;
    const xa_status st = xa_model_open(file, &opt, &m, err);
    xa_model_free(m);
    return st;
}

/* What an entry of the configuration says of its class; NULL: that key is not written. */
typedef struct origin {
    const char *golden, *layer, *written, *module, *registered;
    const char *refused; /* words of the refusal; NULL: it opens */
} origin;

static void set_text(json_t *object, const char *key, const char *text)
{
    assert_int_equal(json_object_set_new(object, key, json_string(text)), 0);
}

static void write_origin(const origin *o)
{
    json_t *model = damaged_config(o->golden), *entry = damaged_layer(model, o->layer);
    json_object_del(entry, "module");
    json_object_del(entry, "registered_name");
    set_text(entry, "class_name", o->written);
    if (o->module)
        damaged_set(entry, "module", *o->module ? "\"\"" : "null");
    if (o->module && *o->module)
        set_text(entry, "module", o->module);
    if (o->registered)
        damaged_set(entry, "registered_name", "null");
    if (o->registered && *o->registered)
        set_text(entry, "registered_name", o->registered);
    damaged_write_json(o->golden, model, path);
    json_decref(model);
}

/* "" stands for null */
static const origin origins[] = {
    /* Keras itself, in all its packages */
    {FUNCTIONAL, "stem_conv", "Conv2D", NULL, NULL, NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "keras.layers", "", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "keras", "", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "keras.src.layers.convolutional", "Conv2D", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "tf_keras.layers", "", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "tensorflow.keras.layers", "", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "tensorflow.python.keras.layers", "", NULL},
    {FUNCTIONAL, "stem_conv", "Conv2D", "keras_core.layers", "", NULL},
    {FUNCTIONAL, "stem_conv", "Keras>Conv2D", NULL, NULL, NULL},
    {FUNCTIONAL, "stem_conv", "keras.layers>Conv2D", NULL, NULL, NULL},
    /* registered by a user, as .h5 and as .keras say it */
    {FUNCTIONAL, "stem_conv", "my>Conv2D", NULL, NULL, "\"my>Conv2D\""},
    {FUNCTIONAL, "stem_conv", "Custom>Conv2D", NULL, NULL, "\"Custom>Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "", "my>Conv2D", "\"my>Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "my.layers", "my>Conv2D", "\"my>Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "keras.layers", "my>Conv2D", "\"my>Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "a>b>Conv2D", NULL, NULL, "\"a>b>Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "keras>b>Conv2D", NULL, NULL, "keras>b>Conv2D"},
    /* never registered: .keras says so by a module of its own, or by none */
    {FUNCTIONAL3, "stem_conv", "Conv2D", "my.layers", "Conv2D", "\"my.layers.Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "", "Conv2D", "\"Conv2D\""},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "__main__", "Conv2D", "\"__main__.Conv2D\""},
    /* packages whose names only begin like Keras' */
    {FUNCTIONAL, "stem_conv", "kerasfork>Conv2D", NULL, NULL, "kerasfork>Conv2D"},
    {FUNCTIONAL, "stem_conv", "keras_hub>Conv2D", NULL, NULL, "keras_hub>Conv2D"},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "keras_cv.layers", "", "keras_cv.layers.Conv2D"},
    {FUNCTIONAL3, "stem_conv", "Conv2D", "kerass", "", "kerass.Conv2D"},
    /* layers without weights, norms, nested layers */
    {FUNCTIONAL, "stem_bn", "Addons>BatchNormalization", NULL, NULL, "\"Addons>BatchNorm"},
    {FUNCTIONAL3, "block1_drop", "Dropout", "", "my>Dropout", "\"my>Dropout\""},
    {FUNCTIONAL, "block1_add", "my>Add", NULL, NULL, "\"my>Add\""},
    {NESTED, "xception/block1_conv2", "my>Conv2D", NULL, NULL, "\"my>Conv2D\""},
    /* a model of a user's class is the graph that its configuration lists */
    {NESTED, "xception", "my>Backbone", NULL, NULL, NULL},
    /* vit-keras */
    {VIT, "Transformer_encoderblock_0", "Custom>TransformerBlock", NULL, NULL, NULL},
    {VIT, "Transformer_encoderblock_0", "vit_keras>TransformerBlock", NULL, NULL, NULL},
    {VIT, "Transformer_encoderblock_0", "TransformerBlock", NULL, NULL, NULL},
    {VIT,
     "Transformer_encoderblock_0",
     "TransformerBlock",
     "vit_keras.layers",
     "Custom>TransformerBlock",
     NULL},
    {VIT,
     "Transformer_encoderblock_0",
     "TransformerBlock",
     "my.layers",
     "Custom>TransformerBlock",
     "\"Custom>TransformerBlock\""},
    {VIT,
     "Transformer_encoderblock_0",
     "my>TransformerBlock",
     NULL,
     NULL,
     "\"my>TransformerBlock\""},
    {VIT, "class_token", "my>ClassToken", NULL, NULL, "\"my>ClassToken\""},
};

static void test_classes(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        const origin *o = &origins[i];
        const char *last = strrchr(o->layer, '/');
        xa_err err;
        write_origin(o);
        const xa_status st = open_it(path, &err);
        const bool right = o->refused ? st == XA_UNSUPPORTED && strstr(err.message, path) &&
                                            strstr(err.message, last ? last + 1 : o->layer) &&
                                            strstr(err.message, o->refused)
                                      : st == XA_OK;
        if (right)
            continue;
        print_error("%s, module %s, registered %s: %s, expected %s\n",
                    o->written,
                    o->module ? o->module : "(none)",
                    o->registered ? o->registered : "(none)",
                    st == XA_OK ? "it opens" : err.message,
                    o->refused ? o->refused : "that it opens");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_activations(void **state)
{
    (void)state;
#define FUNCTION(module, name)                                                  \
    "{\"module\":\"" module "\",\"class_name\":\"function\",\"config\":\"" name \
    "\",\"registered_name\":\"function\"}"
#define OBJECT(module, name, registered)            \
    "{\"module\":" module ",\"class_name\":\"" name \
    "\",\"config\":{},\"registered_name\":" registered "}"
    static const struct {
        const char *value, *refused; /* as in `origin` */
    } cases[] = {
        {"\"relu\"", NULL},
        {FUNCTION("builtins", "relu"), NULL},
        {"{\"class_name\":\"function\",\"config\":\"relu\"}", NULL},
        {OBJECT("\"keras.layers\"", "ReLU", "null"), NULL},
        {"{\"class_name\":\"ReLU\",\"config\":{}}", NULL},
        {"\"my>relu\"", "\"my>relu\""},
        {"\"Addons>gelu\"", "\"Addons>gelu\""},
        {"\"Custom>swish\"", "\"Custom>swish\""},
        {FUNCTION("builtins", "my>relu"), "\"my>relu\""},
        {FUNCTION("my.functions", "relu"), "\"my.functions.function\""},
        {OBJECT("null", "ReLU", "\"my>ReLU\""), "\"my>ReLU\""},
        {OBJECT("null", "ReLU", "\"ReLU\""), "\"ReLU\""},
        {OBJECT("\"my\"", "ReLU", "\"ReLU\""), "\"my.ReLU\""},
        {"{\"class_name\":\"my>ReLU\",\"config\":{}}", "\"my>ReLU\""},
        {"{\"module\":\"jaxlib._jax\",\"class_name\":\"PjitFunction\",\"config\":\"silu\","
         "\"registered_name\":\"PjitFunction\"}",
         "jaxlib._jax"},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_err err;
        json_t *model = damaged_config(FUNCTIONAL);
        damaged_set(json_object_get(damaged_layer(model, "stem_conv"), "config"),
                    "activation",
                    cases[i].value);
        damaged_write_json(FUNCTIONAL, model, path);
        json_decref(model);
        const xa_status st = open_it(path, &err);
        const char *words = cases[i].refused;
        if (words ? st == XA_UNSUPPORTED && strstr(err.message, "stem_conv") &&
                        strstr(err.message, words)
                  : st == XA_OK)
            continue;
        print_error("activation %s: %s\n", cases[i].value, st == XA_OK ? "opens" : err.message);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* A class that the job takes for Keras' own is reported as assumed; other classes are refused as
 * before. */
static void test_listed(void **state)
{
    (void)state;
    static const struct {
        const char *listed;
        bool opens;
    } cases[] = {{"my>Conv2D", true},
                 {"my>relu\nmy>Conv2D", true},
                 {"my>Conv2D\nother", true},
                 {"my>Conv2", false},
                 {"my>Conv2DX", false},
                 {"Conv2D", false},
                 {"", false}};
    const origin o = {FUNCTIONAL, "stem_conv", "my>Conv2D", NULL, NULL, NULL};
    write_origin(&o);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_model_options opt = xa_model_defaults();
        xa_model *m = NULL;
        xa_err err = XA_ERR_INIT;
        opt.user_classes = cases[i].listed;
        const xa_status st = xa_model_open(path, &opt, &m, &err);
        if (st != (cases[i].opens ? XA_OK : XA_UNSUPPORTED))
            fail_msg("listed \"%s\": %s", cases[i].listed, err.message);
        if (st == XA_OK) {
            assert_int_equal(xa_model_assumptions(m), 1);
            assert_non_null(strstr(xa_model_assumption(m, 0),
                                   "\"stem_conv\", of a user's class or activation"));
        } else {
            assert_non_null(strstr(err.message, "user_classes: [\"my>Conv2D\"]"));
        }
        xa_model_free(m);
    }
    /* an activation of a user's */
    json_t *model = damaged_config(FUNCTIONAL);
    xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    damaged_set(
        json_object_get(damaged_layer(model, "stem_conv"), "config"), "activation", "\"my>relu\"");
    damaged_write_json(FUNCTIONAL, model, path);
    json_decref(model);
    opt.user_classes = "my>relu";
    assert_int_equal(xa_model_open(path, &opt, &m, &err), XA_OK);
    assert_int_equal(xa_model_assumptions(m), 1);
    xa_model_free(m);
}

/* Weights that no layer reads. */
static void test_unread(void **state)
{
    (void)state;
    static const struct {
        const char *golden, *dataset, *named; /* NULL: it opens */
    } cases[] = {
        /* beside a layer's own, of a layer that is not there, of the model itself */
        {FUNCTIONAL,
         "model_weights/stem_conv/stem_conv/offset:0",
         "\"stem_conv/stem_conv/offset:0\""},
        {FUNCTIONAL3, "model_weights/stem_conv/offset", "\"stem_conv/offset\""},
        {FUNCTIONAL3, "model_weights/mine/w", "\"mine/w\""},
        {FUNCTIONAL, "model_weights/top_level_model_weights/t:0", "top_level_model_weights/t:0"},
        {FUNCTIONAL, "model_weights/block1_drop/x", "\"block1_drop/x\""},
        {NESTED, "model_weights/xception/block1_conv1/bias:0", "xception/block1_conv1/bias:0"},
        {VIT, "model_weights/class_token/cls2", "class_token/cls2"},
        {FUNCTIONAL, "model_weights/stem_conv/lora_kernel_a", "They are LoRA's"},
        {FUNCTIONAL, "model_weights/stem_conv/kernel_scale", "A quantised model is not read"},
        {WEIGHTS, "layers/dense/vars/7", "\"layers/dense/vars/7\""},
        {WEIGHTS, "layers/dense_9/vars/0", "\"layers/dense_9/vars/0\""},
        {WEIGHTS, "vars/0", "\"vars/0\""},
        {WEIGHTS, "layers/dense/lora/vars/0", "layers/dense/lora/vars/0"},
        /* training, random generators, what a user keeps beside the model */
        {FUNCTIONAL, "optimizer_weights/adam/m:0", NULL},
        {FUNCTIONAL, "class_names", NULL},
        {FUNCTIONAL, "model_weights/block1_drop/StateVar:0", NULL},
        {FUNCTIONAL3, "model_weights/block1_drop/seed_generator/seed_generator_state", NULL},
        {WEIGHTS, "optimizer/vars/0", NULL},
        {WEIGHTS, "metrics/mean/vars/0", NULL},
        {WEIGHTS, "layers/dropout/seed_generator/vars/0", NULL},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool alone = !strcmp(cases[i].golden, WEIGHTS);
        xa_model_options opt = xa_model_defaults();
        xa_model *m = NULL;
        xa_err err = XA_ERR_INIT;
        opt.architecture = alone ? KERAS "k3/weights_v3.json" : NULL;
        damaged_copy(cases[i].golden, path);
        damaged_add(path, cases[i].dataset);
        const xa_status st = xa_model_open(path, &opt, &m, &err);
        xa_model_free(m);
        if (cases[i].named ? st == XA_MISMATCH && strstr(err.message, path) &&
                                 strstr(err.message, cases[i].named)
                           : st == XA_OK)
            continue;
        print_error("%s: %s\n", cases[i].dataset, st == XA_OK ? "opens" : err.message);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* The first value of the first weight of a file. */
static float first_value(xa_model *m)
{
    const xa_weight_reader r = xa_model_reader(m);
    const xa_graph *g = xa_model_graph(m);
    xa_err err = XA_ERR_INIT;
    for (int i = 0; i < xa_graph_weights(g); i++) {
        const xa_weight *w = xa_graph_weight(g, i);
        if (w->literal)
            continue;
        float *values = calloc((size_t)xa_shape_count(&w->shape), sizeof *values);
        assert_non_null(values);
        if (r.read(r.arg, w, values, &err) != XA_OK)
            fail_msg("%s", err.message);
        const float first = values[0];
        free(values);
        return first;
    }
    fail_msg("no weight");
    return 0;
}

/* Two .keras archives at once, and a file of the name their weights have inside: HDF5 holds the
 * weights of each in memory under a name. */
static void test_two_archives(void **state)
{
    (void)state;
    static const char *const files[] = {KERAS "k3/zip_v3.keras", KERAS "k3/trained_zip.keras"};
    char folder[] = "/tmp/xaudit-zip-XXXXXX", here[4096];
    const xa_model_options opt = xa_model_defaults();
    xa_model *m[2] = {NULL, NULL};
    float alone[2];
    xa_err err = XA_ERR_INIT;
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    FILE *f = fopen("model.weights.h5", "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    for (int i = 0; i < 2; i++) {
        if (xa_model_open(files[i], &opt, &m[i], &err) != XA_OK)
            fail_msg("%s", err.message);
        alone[i] = first_value(m[i]);
        xa_model_close_file(m[i]);
    }
    assert_true(alone[0] != alone[1]);
    for (int i = 0; i < 2; i++) /* both stay open */
        assert_true(first_value(m[i]) == alone[i]);
    for (int i = 0; i < 2; i++)
        xa_model_free(m[i]);
    assert_int_equal(unlink("model.weights.h5"), 0);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_two_archives),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
