/* Where attention maps of ONNX transformers are defined, and why not elsewhere: on golden exports.
 */
#include <stdio.h>
#include <string.h>

#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/"

static void test_tokens(void **state)
{
    static const struct {
        const char *file, *words; /* NULL: they are */
        int64_t prefix, side, query;
        int layers;
    } cases[] = {
        {"vit.dy.onnx", NULL, 1, 3, 0, 2},
        {"vit.dy23.onnx", NULL, 1, 3, 0, 2},
        {"vit_mean.ts.onnx", NULL, 3, 3, -1, 2},
        {"vit_torchvision.ts.onnx", NULL, 1, 3, 0, 2},
        {"beit.dy.onnx", NULL, 1, 3, -1, 2},
        {"beit.ts.onnx", NULL, 1, 3, -1, 2},
        {"swin.dy.onnx", "stays within windows (\"matmul_1\" has 4 of 16 tokens)", 0, 0, 0, 0},
        {"swin.ts.onnx", "stays within windows", 0, 0, 0, 0},
        {"swin_v2.dy.onnx", "stays within windows", 0, 0, 0, 0},
        {"attention.dy.onnx", "is computed as single products", 0, 0, 0, 0},
        {"attention.ts.onnx", "is computed as single products", 0, 0, 0, 0},
        {"resnet.ts.onnx", "has no attention over a patch grid", 0, 0, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const xa_model_options opt = xa_model_defaults();
        char file[512];
        xa_model *m = NULL;
        xa_err err = XA_ERR_INIT;
        snprintf(file, sizeof file, GOLDEN "%s", cases[i].file);
        if (xa_model_open(file, &opt, &m, &err) != XA_OK)
            fail_msg("%s", err.message);
        const xa_tokens *t = xa_model_tokens(m);
        const char *why = xa_model_no_tokens(m);
        if (cases[i].words && (t || !why || !strstr(why, cases[i].words)))
            fail_msg("%s: \"%s\", expected \"%s\"", file, why ? why : "", cases[i].words);
        if (!cases[i].words && (!t || why))
            fail_msg("%s: \"%s\", expected tokens", file, why ? why : "");
        if (t) {
            assert_int_equal(t->prefix, cases[i].prefix);
            assert_int_equal(t->height, cases[i].side);
            assert_int_equal(t->width, cases[i].side);
            assert_int_equal(t->query, cases[i].query);
            assert_int_equal(t->nlayers, cases[i].layers);
        }
        xa_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
