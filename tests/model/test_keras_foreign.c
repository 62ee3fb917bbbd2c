/* Keras models that hold what is not Keras' own: classes and activations of users under Keras'
 * names. What such a class computes is not in the file, so that each is refused by its name; the
 * packages that are Keras itself are not. */
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

static void test_classes(void **state)
{
    (void)state;
    /* "" stands for null */
    static const origin cases[] = {
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
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const origin *o = &cases[i];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_activations),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
