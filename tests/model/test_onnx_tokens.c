/* Where attention maps of ONNX transformers are defined, and why not elsewhere: on golden exports.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnx_file.h"
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

static void einsum(xa_str *g, const char *equation, const char *inputs, const char *output)
{
    xa_str node = onnx_node("Einsum", inputs, output);
    onnx_attribute_text(&node, "equation", equation);
    onnx_message(g, 1, node);
}

/* softmax of a product of two pictures with each other, times one: how many operators are
 * attention, and how many products are left. */
static void count_products(const char *scores, const char *result, int *attention, int *products)
{
    const int64_t image[4] = {0, 3, 8, 8}, out[2] = {0, 4}, kernel[4] = {4, 3, 3, 3},
                  split[4] = {1, 2, 36, 2}, order[4] = {0, 2, 1, 3}, joined[3] = {1, 36, 4},
                  tokens[1] = {1};
    char path[] = "/tmp/xaudit-einsum-XXXXXX.onnx";
    const xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    xa_str g = {0}, node;
    onnx_message(&g, 11, onnx_declared("x", image, 4));
    onnx_message(&g, 12, onnx_declared("y", out, 2));
    onnx_message(&g, 5, onnx_tensor("w", kernel, 4));
    onnx_message(&g, 5, onnx_shape_tensor("split", split, 4));
    onnx_message(&g, 5, onnx_shape_tensor("joined", joined, 3));
    onnx_message(&g, 1, onnx_node("Conv", "x,w", "c"));
    onnx_message(&g, 1, onnx_node("Reshape", "c,split", "q"));
    einsum(&g, scores, "q,q", "s");
    onnx_message(&g, 1, onnx_node("Softmax", "s", "p"));
    einsum(&g, result, "p,q", "o");
    node = onnx_node("Transpose", "o", "t");
    onnx_attribute_ints(&node, "perm", order, 4);
    onnx_message(&g, 1, node);
    onnx_message(&g, 1, onnx_node("Reshape", "t,joined", "r"));
    node = onnx_node("ReduceMean", "r", "y");
    onnx_attribute_ints(&node, "axes", tokens, 1);
    onnx_attribute_int(&node, "keepdims", 0);
    onnx_message(&g, 1, node);
    xa_str file = onnx_model(g, 17);
    const int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), (ssize_t)file.len);
    close(fd);
    xa_str_free(&file);
    if (xa_model_open(path, &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    *attention = *products = 0;
    for (int i = 0; i < xa_graph_nodes(xa_model_graph(m)); i++) {
        const xa_op op = xa_graph_node(xa_model_graph(m), i)->op;
        *attention += op == XA_OP_ATTENTION;
        *products += op == XA_OP_MATMUL;
    }
    xa_model_free(m);
    unlink(path);
}

static void test_einsum(void **state)
{
    int attention, products;
    (void)state;
    count_products(
        "b h i d, b h j d -> b h i j", "b h i j, b h j d -> b h i d", &attention, &products);
    assert_int_equal(attention, 1);
    assert_int_equal(products, 0);
    /* the softmax is over the queries: no attention */
    count_products("bhid,bhjd->bhji", "bhji,bhjd->bhid", &attention, &products);
    assert_int_equal(attention, 0);
    assert_int_equal(products, 2);
}

/* What is moved at run time, a node each: nothing in convolutional trunks and plain transformers.
 */
static void test_permutes(void **state)
{
    static const struct {
        const char *file;
        int permutes;
    } cases[] = {{"resnet.dy.onnx", 0},
                 {"resnet.ts.onnx", 0},
                 {"vgg.dy.onnx", 0},
                 {"densenet.ts.onnx", 0},
                 {"mobilenet_v3.dy.onnx", 0},
                 {"efficientnet.ts.onnx", 0},
                 {"regnet.dy.onnx", 0},
                 {"inception.dy.onnx", 0},
                 {"convnext.dy.onnx", 0},
                 {"convnext.ts.onnx", 0},
                 {"vit.dy.onnx", 0},
                 {"vit.dy23.onnx", 0},
                 {"vit.ts.onnx", 0},
                 {"vit_torchvision.dy.onnx", 0},
                 {"beit.dy.onnx", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const xa_model_options opt = xa_model_defaults();
        char file[512];
        xa_model *m = NULL;
        xa_err err = XA_ERR_INIT;
        int found = 0;
        snprintf(file, sizeof file, GOLDEN "%s", cases[i].file);
        if (xa_model_open(file, &opt, &m, &err) != XA_OK)
            fail_msg("%s", err.message);
        for (int k = 0; k < xa_graph_nodes(xa_model_graph(m)); k++)
            found += xa_graph_node(xa_model_graph(m), k)->op == XA_OP_PERMUTE;
        if (found != cases[i].permutes)
            fail_msg("%s: %d transpositions, expected %d", file, found, cases[i].permutes);
        xa_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens),
                                       cmocka_unit_test(test_einsum),
                                       cmocka_unit_test(test_permutes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
