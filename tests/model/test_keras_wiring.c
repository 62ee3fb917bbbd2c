/* Keras models whose layers do not hang together: cycles, layers that are not there, several inputs
 * or outputs. Each is refused. */
#include <stdio.h>
#include <string.h>

#include "damaged_model.h"
#include "refused_model.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define TENSOR3(layer) \
    "{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"" layer "\",0,0]}}"
/* A value of a layer's entry, or of the model's configuration (layer ""). */
#define CALLS "inbound_nodes"
static const struct {
    const char *golden, *layer, *key, *value;
    xa_status status;
    const char *named, *words;
} wirings[] = {
    {FUNCTIONAL, "stem_conv", CALLS, "[[[\"top_bn\",0,0,{}]]]", XA_FORMAT, "stem_conv", "cycle"},
    {FUNCTIONAL, "stem_conv", CALLS, "[[[\"stem_conv\",0,0,{}]]]", XA_FORMAT, "stem_conv", "cycle"},
    {FUNCTIONAL3,
     "stem_conv",
     CALLS,
     "[{\"args\":[" TENSOR3("top_bn") "],\"kwargs\":{}}]",
     XA_FORMAT,
     "stem_conv",
     "cycle"},
    {NESTED,
     "xception/block1_conv2",
     CALLS,
     "[[[\"block14_sepconv2\",0,0,{}]]]",
     XA_FORMAT,
     "block1_conv2",
     "cycle"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"nobody\",0,0,{}]]]",
     XA_FORMAT,
     "stem_conv",
     "\"nobody\" is no layer"},
    {FUNCTIONAL3,
     "stem_conv",
     CALLS,
     "[{\"args\":[" TENSOR3("nobody") "],\"kwargs\":{}}]",
     XA_FORMAT,
     "stem_conv",
     "\"nobody\" is no layer"},
    {FUNCTIONAL, "stem_conv", CALLS, "[]", XA_FORMAT, "stem_conv", "no inbound nodes"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\",1,0,{}]]]",
     XA_FORMAT,
     "stem_conv_pad",
     "node 1"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\",-1,0,{}]]]",
     XA_FORMAT,
     "stem_conv_pad",
     "node -1"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\",0,1,{}]]]",
     XA_UNSUPPORTED,
     "stem_conv_pad",
     "several outputs"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\",\"0\",0,{}]]]",
     XA_FORMAT,
     "stem_conv",
     "no reference"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\"]]]",
     XA_FORMAT,
     "stem_conv",
     "no reference"},
    {FUNCTIONAL, "stem_conv", CALLS, "[5]", XA_FORMAT, "stem_conv", "inbound node 5"},
    {FUNCTIONAL, "stem_conv", CALLS, "[{}]", XA_FORMAT, "stem_conv", "inbound node"},
    {FUNCTIONAL, "stem_conv", CALLS, "{\"a\":[]}", XA_FORMAT, "stem_conv", "inbound"},
    {FUNCTIONAL,
     "stem_conv",
     CALLS,
     "[[[\"stem_conv_pad\",0,0,{}],[\"stem_conv_pad\",0,0,{}]]]",
     XA_INVALID,
     "stem_conv",
     "called with 2 tensors"},
    {FUNCTIONAL,
     "block1_add",
     CALLS,
     "[[[\"block1_drop\",0,0,{}],[\"input_1\",0,0,{}]]]",
     XA_SHAPE,
     "block1_add",
     ""},
    {FUNCTIONAL,
     "stem_conv_pad",
     "class_name",
     "\"InputLayer\"",
     XA_FORMAT,
     "stem_conv_pad",
     "an InputLayer with inbound"},
    {FUNCTIONAL,
     "",
     "input_layers",
     "[[\"input_1\",0,0],[\"input_1\",0,0]]",
     XA_UNSUPPORTED,
     "",
     "2 inputs (\"input_1\", \"input_1\"); a classifier has one"},
    {FUNCTIONAL,
     "",
     "output_layers",
     "[[\"top_bn\",0,0],[\"predictions\",0,0]]",
     XA_UNSUPPORTED,
     "",
     "2 outputs (\"top_bn\", \"predictions\"); a classifier has one"},
    {FUNCTIONAL3,
     "",
     "input_layers",
     "{\"a\":[\"input_layer\",0,0]}",
     XA_UNSUPPORTED,
     "",
     "named inputs"},
    {FUNCTIONAL, "", "input_layers", "[]", XA_UNSUPPORTED, "", "0 inputs"},
    {FUNCTIONAL,
     "",
     "input_layers",
     "[[\"stem_conv\",0,0]]",
     XA_UNSUPPORTED,
     "stem_conv",
     "expected an InputLayer"},
    {FUNCTIONAL, "", "input_layers", "[[\"nobody\",0,0]]", XA_FORMAT, "nobody", "no layer"},
    {FUNCTIONAL, "", "output_layers", "[[\"nobody\",0,0]]", XA_FORMAT, "nobody", "no layer"},
    {FUNCTIONAL,
     "",
     "output_layers",
     "[[\"predictions\",7,0]]",
     XA_FORMAT,
     "predictions",
     "node 7"},
    {FUNCTIONAL, "", "output_layers", "3", XA_UNSUPPORTED, "", "outputs"},
    {FUNCTIONAL, "", "layers", "[]", XA_FORMAT, "", "no layers"},
    {FUNCTIONAL, "", "layers", "{}", XA_FORMAT, "", "neither"},
    {FUNCTIONAL, "", "layers", "[7]", XA_FORMAT, "", "no class_name"},
    {FUNCTIONAL, "stem_conv", "class_name", "7", XA_FORMAT, "", "no class_name"},
    {FUNCTIONAL, "stem_conv", "class_name", "\"Conv9D\"", XA_UNSUPPORTED, "stem_conv", "Conv9D"},
    {FUNCTIONAL, "stem_conv", "name", "\"stem_bn\"", XA_FORMAT, "stem_bn", "two layers"},
    {FUNCTIONAL, "stem_conv", "config", "[]", XA_FORMAT, "stem_conv", "its config is []"},
    {FUNCTIONAL, "stem_conv", "config", "null", XA_FORMAT, "stem_conv", "its config is nothing"},
    {SEQUENTIAL, "conv2d", "class_name", "\"Dense\"", XA_UNSUPPORTED, "conv2d", "\"filters\""},
};

static void test_wiring(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wirings / sizeof *wirings; i++) {
        json_t *model = damaged_config(wirings[i].golden);
        damaged_set(*wirings[i].layer ? damaged_layer(model, wirings[i].layer)
                                      : json_object_get(model, "config"),
                    wirings[i].key,
                    wirings[i].value);
        damaged_write_json(wirings[i].golden, model, refused_path);
        json_decref(model);
        char what[160];
        snprintf(what, sizeof what, "%s %s=%s", wirings[i].layer, wirings[i].key, wirings[i].value);
        refused(what, wirings[i].status, wirings[i].named, wirings[i].words);
    }
    assert_int_equal(refused_wrong, 0);
}

/* One of several outputs, by the name of its layer. */
static void test_named_output(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words; /* NULL: it opens */
    } cases[] = {{"predictions", NULL},
                 {"top_bn", "expected one score for each class"},
                 {"stem_conv",
                  "it has no output \"stem_conv\"; its outputs are \"top_bn\", \"predictions\""},
                 {NULL, "output_name: NAME"}};
    json_t *model = damaged_config(FUNCTIONAL);
    damaged_set(json_object_get(model, "config"),
                "output_layers",
                "[[\"top_bn\",0,0],[\"predictions\",0,0]]");
    damaged_write_json(FUNCTIONAL, model, refused_path);
    json_decref(model);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_model_options opt = xa_model_defaults();
        xa_err err = XA_ERR_INIT;
        xa_model *m = NULL;
        opt.output = cases[i].name;
        const xa_status st = xa_model_open(refused_path, &opt, &m, &err);
        if ((st == XA_OK) != (cases[i].words == NULL) ||
            (st != XA_OK && !strstr(err.message, cases[i].words)))
            fail_msg("%s: %s",
                     cases[i].name ? cases[i].name : "no name",
                     st == XA_OK ? "it opens" : err.message);
        if (st == XA_OK)
            assert_string_equal(xa_graph_node(xa_model_graph(m), xa_model_output(m))->name,
                                cases[i].name);
        xa_model_free(m);
    }
}

/* An InputLayer that the model does not list. */
static void test_second_input(void **state)
{
    (void)state;
    json_t *model = damaged_config(FUNCTIONAL);
    json_t *layers = json_object_get(json_object_get(model, "config"), "layers");
    json_t *another = json_loads("{\"class_name\":\"InputLayer\",\"name\":\"other\",\"config\":{"
                                 "\"name\":\"other\",\"batch_input_shape\":[null,24,22,3]},"
                                 "\"inbound_nodes\":[]}",
                                 0,
                                 NULL);
    assert_int_equal(json_array_append_new(layers, another), 0);
    damaged_set(damaged_layer(model, "stem_conv_pad"), "inbound_nodes", "[[[\"other\",0,0,{}]]]");
    damaged_write_json(FUNCTIONAL, model, refused_path);
    refused("an unlisted input", XA_UNSUPPORTED, "\"other\"", "is a second input");
    json_decref(model);
    assert_int_equal(refused_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wiring),
        cmocka_unit_test(test_named_output),
        cmocka_unit_test(test_second_input),
    };
    return cmocka_run_group_tests(tests, refused_make, refused_remove);
}
