/* ONNX files that must be refused, each with its reason; and files cut off and changed at random:
 * whatever the bytes, opening ends with a model or an error that names the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/onnx/layout.h"
#include "model/onnx/wire.h"
#include "onnx_file.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/"

static char folder[] = "/tmp/xaudit-onnx-XXXXXX", path[96];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_bytes(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static xa_status open_it(xa_err *err)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    const xa_status st = xa_model_open(path, &opt, &m, err);
    xa_model_free(m);
    assert_int_equal(st == XA_OK, m != NULL);
    return st;
}

/* Writes the graph and opens it: refused with these words; NULL: it opens. */
static void expect(xa_str graph, int64_t opset, const char *words)
{
    xa_err err = XA_ERR_INIT;
    xa_str file = onnx_model(graph, opset);
    write_bytes(file.data, file.len);
    xa_str_free(&file);
    const xa_status st = open_it(&err);
    if (!words && st != XA_OK)
        fail_msg("\"%s\", expected a model", err.message);
    if (words && (st == XA_OK || !strstr(err.message, words) || !strstr(err.message, path)))
        fail_msg("\"%s\", expected \"%s\"", st == XA_OK ? "it opens" : err.message, words);
}

/* ---- graphs ---- */

static const int64_t image[4] = {0, 3, 8, 8}, kernel[4] = {4, 3, 3, 3}, scores[2] = {0, 4};

/* Input x [batch,3,8,8], output y, a kernel w [4,3,3,3]. */
static xa_str start(void)
{
    xa_str g = {0};
    onnx_message(&g, 11, onnx_declared("x", image, 4));
    onnx_message(&g, 12, onnx_declared("y", scores, 2));
    onnx_message(&g, 5, onnx_tensor("w", kernel, 4));
    return g;
}

/* a: the convolution; y: its mean over the image. */
static xa_str finish(xa_str g, const char *from)
{
    xa_str node = onnx_node("GlobalAveragePool", from, "p");
    onnx_message(&g, 1, node);
    onnx_message(&g, 1, onnx_node("Flatten", "p", "y"));
    return g;
}

static xa_str plain(void)
{
    xa_str g = start();
    onnx_message(&g, 1, onnx_node("Conv", "x,w", "a"));
    return finish(g, "a");
}

static void test_opens(void **state)
{
    (void)state;
    expect(plain(), 17, NULL);
    /* a weight that is an input as well, as files of before IR 4 have it */
    xa_str g = plain();
    onnx_message(&g, 11, onnx_declared("w", kernel, 4));
    expect(g, 9, NULL);
}

static void test_refused_operators(void **state)
{
    (void)state;
    static const struct {
        const char *op, *words;
    } cases[] = {{"If", "control flow is not read"},
                 {"Loop", "control flow is not read"},
                 {"QuantizeLinear", "quantised models are not read"},
                 {"ConvInteger", "quantised models are not read"},
                 {"SequenceConstruct", "sequences are not read"},
                 {"StringNormalizer", "text is not read"},
                 {"RandomNormalLike", "random numbers are not made"},
                 {"attention", "xaudit does not know it"},
                 {"NoSuchThing", "xaudit does not know it"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_str g = start();
        onnx_message(&g, 1, onnx_node("Conv", "x,w", "a"));
        onnx_message(&g, 1, onnx_node(cases[i].op, "a", "b"));
        expect(finish(g, "b"), 17, cases[i].words);
    }
    /* all of them at once */
    xa_str g = start();
    onnx_message(&g, 1, onnx_node("Conv", "x,w", "a"));
    onnx_message(&g, 1, onnx_node("One", "x", "b"));
    onnx_message(&g, 1, onnx_node("Two", "a", "c"));
    onnx_message(&g, 1, onnx_node("One", "a", "d"));
    onnx_message(&g, 1, onnx_node("Sum", "b,c,d", "e"));
    expect(finish(g, "e"), 17, "2 operators are not supported: One (node \"b\" and 1 more)");
}

/* A branch: b of a by that operator, which a tensor of the same name as the other's follows. */
static xa_str branch(const char *op, const char *inputs)
{
    const int64_t one[1] = {1};
    xa_str g = {0};
    onnx_message(&g, 5, onnx_shape_tensor("t", one, 1));
    onnx_message(&g, 1, onnx_node(op, inputs, "inner"));
    onnx_message(&g, 1, onnx_node("Relu", "inner", "b"));
    onnx_message(&g, 12, onnx_declared("b", image, 4));
    return g;
}

/* If x's channels, or the first of a's values, are three: `yes`, else `no`. */
static xa_str with_if(bool of_image, xa_str yes, xa_str no)
{
    const int64_t three[1] = {3}, at[1] = {1};
    xa_str g = start();
    onnx_message(&g, 5, onnx_shape_tensor("three", three, 1));
    onnx_message(&g, 5, onnx_shape_tensor("at", at, 1));
    onnx_message(&g, 1, onnx_node("Conv", "x,w", "a"));
    onnx_message(&g, 1, onnx_node(of_image ? "Relu" : "Shape", of_image ? "a" : "x", "s"));
    onnx_message(&g, 1, onnx_node("Gather", "s,at", "c"));
    onnx_message(&g, 1, onnx_node("Equal", "c,three", "condition"));
    xa_str node = onnx_node("If", "condition", "b");
    onnx_attribute_graph(&node, "then_branch", yes);
    onnx_attribute_graph(&node, "else_branch", no);
    onnx_message(&g, 1, node);
    return finish(g, "b");
}

static void test_if(void **state)
{
    (void)state;
    /* what is not taken may hold anything, under the same names */
    expect(with_if(false, branch("Identity", "a"), branch("NoSuchThing", "a,t")), 17, NULL);
    expect(with_if(false, branch("NoSuchThing", "a,t"), branch("Identity", "a")),
           17,
           "NoSuchThing (node \"b.then/inner\")");
    expect(with_if(true, branch("Identity", "a"), branch("Sigmoid", "a")),
           17,
           "its condition depends on the image");
    /* a branch within a branch reads what is around it */
    xa_str outer = {0}, node = onnx_node("If", "condition", "inner");
    onnx_attribute_graph(&node, "then_branch", branch("Relu", "a"));
    onnx_attribute_graph(&node, "else_branch", branch("NoSuchThing", "three"));
    onnx_message(&outer, 1, node);
    onnx_message(&outer, 12, onnx_declared("inner", image, 4));
    expect(with_if(false, outer, branch("NoSuchThing", "a")), 17, NULL);
    /* a circle, and as many outputs as the node has */
    expect(with_if(false, branch("Add", "a,b"), branch("Relu", "a")), 17, "before it is made");
    xa_str two = branch("Relu", "a");
    onnx_message(&two, 12, onnx_declared("a", image, 4));
    expect(with_if(false, two, branch("Relu", "a")), 17, "has 1 outputs, its then_branch 2");
    xa_str deep = branch("Relu", "a");
    for (int i = 0; i < 20; i++) {
        xa_str around = {0};
        node = onnx_node("If", "condition", "b");
        onnx_attribute_graph(&node, "then_branch", deep);
        onnx_attribute_graph(&node, "else_branch", branch("Relu", "a"));
        onnx_message(&around, 1, node);
        onnx_message(&around, 12, onnx_declared("b", image, 4));
        deep = around;
    }
    expect(with_if(false, deep, branch("Relu", "a")), 17, "more than 16 deep");
}

static void test_refused_graphs(void **state)
{
    (void)state;
    xa_str g = start(); /* a circle */
    onnx_message(&g, 1, onnx_node("Add", "x,b", "a"));
    onnx_message(&g, 1, onnx_node("Relu", "a", "b"));
    expect(finish(g, "b"), 17, "before it is made");
    g = plain(); /* a value made twice */
    onnx_message(&g, 1, onnx_node("Relu", "x", "a"));
    expect(g, 17, "is made twice");
    g = plain();
    onnx_message(&g, 5, onnx_tensor("w", kernel, 4));
    expect(g, 17, "two tensors have the name \"w\"");
    g = plain();
    onnx_message(&g, 11, onnx_declared("z", image, 4));
    expect(g, 17, "2 inputs, \"x\", \"z\"");
    g = (xa_str){0};
    onnx_message(&g, 12, onnx_declared("y", scores, 2));
    expect(g, 17, "nothing makes its output \"y\"");
    g = start(); /* what does not fit */
    onnx_message(&g, 1, onnx_node("MatMul", "x,w", "a"));
    expect(finish(g, "a"), 17, "cannot be multiplied");
    g = start();
    const int64_t zero[4] = {0, 0, 0, 0}, far[2] = {1, INT64_MAX};
    xa_str node = onnx_node("Conv", "x,w", "a");
    onnx_attribute_ints(&node, "strides", zero, 2);
    onnx_message(&g, 1, node);
    expect(finish(g, "a"), 17, "a setting of 0");
    g = start();
    node = onnx_node("Conv", "x,w", "a");
    onnx_attribute_ints(&node, "dilations", far, 2);
    onnx_message(&g, 1, node);
    expect(finish(g, "a"), 17, "a setting of 9223372036854775807");
    g = start(); /* more neighbours than there are channels: all of them, at once */
    node = onnx_node("LRN", "x", "b");
    onnx_attribute_int(&node, "size", INT64_MAX);
    onnx_message(&g, 1, node);
    onnx_message(&g, 1, onnx_node("Conv", "b,w", "a"));
    expect(finish(g, "a"), 17, NULL);
    /* a pool larger than the image: refused, but where the last window may be cut off */
    const int64_t wide[2] = {20, 20};
    for (int whole = 0; whole < 2; whole++) {
        g = start();
        onnx_message(&g, 1, onnx_node("Conv", "x,w", "c"));
        node = onnx_node("AveragePool", "c", "a");
        onnx_attribute_ints(&node, "kernel_shape", wide, 2);
        onnx_attribute_ints(&node, "strides", wide, 2);
        onnx_attribute_int(&node, "ceil_mode", whole);
        onnx_message(&g, 1, node);
        expect(finish(g, "a"), 17, whole ? NULL : "does not fit an input of 6x6");
    }
    g = start();
    node = onnx_node("Conv", "x,w", "a");
    onnx_attribute_int(&node, "group", 2);
    onnx_message(&g, 1, node);
    expect(finish(g, "a"), 17, "does not fit weights of [4,3,3,3] in 2 groups");
}

/* Constants that would grow beyond all sense. */
static void test_refused_constants(void **state)
{
    (void)state;
    const int64_t huge[3] = {100000, 100000, 100000}, large[2] = {100000, 100000};
    xa_str g = start();
    onnx_message(&g, 5, onnx_shape_tensor("s", huge, 3));
    onnx_message(&g, 1, onnx_node("ConstantOfShape", "s", "c"));
    onnx_message(&g, 1, onnx_node("ReduceSum", "c", "d"));
    onnx_message(&g, 1, onnx_node("Conv", "x,w", "a"));
    onnx_message(&g, 1, onnx_node("Mul", "a,d", "b"));
    expect(finish(g, "b"), 17, "absurd");
    g = start();
    onnx_message(&g, 5, onnx_shape_tensor("s", large, 2));
    onnx_message(&g, 1, onnx_node("ConstantOfShape", "s", "c"));
    xa_str node = onnx_node("ReduceSum", "c", "d");
    onnx_attribute_int(&node, "keepdims", 0);
    onnx_message(&g, 1, node);
    onnx_message(&g, 1, onnx_node("Reshape", "x,d", "a"));
    expect(finish(g, "a"), 17, "grow beyond all sense");
    /* shapes of tensors against their bytes */
    static const int64_t shapes[][2] = {
        {1 << 30, 1 << 30}, {-1, 4}, {INT64_MAX, INT64_MAX}, {3, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        xa_str t = {0};
        g = plain();
        onnx_int(&t, 1, shapes[i][0]);
        onnx_int(&t, 1, shapes[i][1]);
        onnx_int(&t, 2, 1);
        onnx_text(&t, 8, "t");
        onnx_text(&t, 9, "bytes");
        onnx_message(&g, 5, t);
        expect(g, 17, "tensor \"t\"");
    }
}

/* Files beside the model. */
static void test_external(void **state)
{
    (void)state;
    static const struct {
        const char *location, *offset, *length, *words;
    } cases[] = {{"../secret", "0", "432", "expected the plain name"},
                 {"/etc/passwd", "0", "432", "expected the plain name"},
                 {"..", "0", "432", "expected the plain name"},
                 {"", "0", "432", "expected the plain name"},
                 {"missing.data", "0", "432", "is not beside it"},
                 {"model.onnx", "0", "2000000000", "has"},
                 {"model.onnx", "9223372036854775807", "432", "it is truncated or another file"},
                 {"model.onnx", "-4", "432", "it is truncated or another file"},
                 {"model.onnx", "0", "4", "do not hold its shape"},
                 {"model.onnx", "x", "432", "is no number"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const entries[3][2] = {{"location", cases[i].location},
                                           {"offset", cases[i].offset},
                                           {"length", cases[i].length}};
        xa_str g = plain(), t = {0};
        for (int k = 0; k < 4; k++)
            onnx_int(&t, 1, kernel[k]);
        onnx_int(&t, 2, 1);
        onnx_text(&t, 8, "t");
        for (int k = 0; k < 3; k++) {
            xa_str e = {0};
            onnx_text(&e, 1, entries[k][0]);
            onnx_text(&e, 2, entries[k][1]);
            onnx_message(&t, 13, e);
        }
        onnx_int(&t, 14, 1);
        onnx_message(&g, 5, t);
        expect(g, 17, cases[i].words);
    }
}

/* ---- bytes ---- */

static unsigned char *read_golden(const char *name, size_t *n)
{
    char file[512], *data = NULL;
    xa_err err = XA_ERR_INIT;
    snprintf(file, sizeof file, GOLDEN "%s", name);
    if (xa_read_file(file, (size_t)1 << 24, &data, n, &err) != XA_OK)
        fail_msg("%s", err.message);
    return (unsigned char *)data;
}

static void test_cut_off(void **state)
{
    (void)state;
    size_t n;
    unsigned char *bytes = read_golden("mobilenet_v3.ts.onnx", &n);
    for (size_t k = 0; k < n; k += 1 + n / 400) {
        xa_err err = XA_ERR_INIT;
        write_bytes(bytes, k);
        assert_int_not_equal(open_it(&err), XA_OK);
        assert_non_null(strstr(err.message, path));
    }
    free(bytes);
}

static void test_changed(void **state)
{
    (void)state;
    static const char *const files[] = {"inception.ts.onnx", "vgg.dy.onnx", "convnext.ts.onnx"};
    const char *full = getenv("XA_FULL");
    const uint64_t rounds = full && *full ? 20000 : 200;
    long opened = 0;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        size_t n;
        unsigned char *bytes = read_golden(files[f], &n), *copy = malloc(n);
        assert_non_null(copy);
        for (uint64_t r = 0; r < rounds; r++) {
            xa_err err = XA_ERR_INIT;
            memcpy(copy, bytes, n);
            const int64_t changes = 1 + xa_random_below(5, f, 10 * r, 4);
            for (int64_t k = 0; k < changes; k++) {
                const uint64_t id = 10 * r + 1 + 2 * (uint64_t)k;
                copy[xa_random_below(5, f, id, (int64_t)n)] =
                    (unsigned char)xa_random_below(5, f, id + 1, 256);
            }
            write_bytes(copy, n);
            const xa_status st = open_it(&err);
            opened += st == XA_OK;
            if (st != XA_OK)
                assert_true(err.message[0]);
        }
        free(bytes);
        free(copy);
    }
    assert_true(opened > 0); /* most bytes are weights */
}

/* ---- parts ---- */

static void test_wire(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x08, 0x96, 0x01, 0x12, 0x03, 0x01, 0x02, 0x80};
    xa__wire w = xa__wire_whole(bytes, sizeof bytes);
    xa__field f;
    uint64_t v;
    assert_true(xa__wire_next(&w, &f));
    assert_int_equal(f.number, 1);
    assert_int_equal(f.value, 150);
    assert_true(xa__wire_next(&w, &f));
    assert_int_equal(f.len, 3);
    xa__wire_numbers n = xa__wire_numbers_of(&w, &f, XA__WIRE_VARINT);
    assert_true(xa__wire_number(&n, &v));
    assert_int_equal(v, 1);
    assert_true(xa__wire_number(&n, &v));
    assert_false(xa__wire_number(&n, &v)); /* a varint that does not end */
    assert_true(n.rest.bad);
    assert_false(xa__wire_next(&w, &f));
    assert_false(w.bad);
    /* lengths beyond the end, field 0, a group, a varint of eleven bytes */
    static const char *const bad[] = {"\x12\x05"
                                      "ab",
                                      "\x02\x01",
                                      "\x0b\x01",
                                      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        w = xa__wire_whole(bad[i], strlen(bad[i]));
        assert_false(xa__wire_next(&w, &f));
        assert_true(w.bad);
    }
}

static void test_layout(void **state)
{
    (void)state;
    xa__onnx_layout l = xa__layout_image(12, 4, 6), r;
    /* tokens: [1,12,4,6] -> [1,12,24] -> [1,24,12]: memory as it was, now in logical order */
    const xa__onnx_shape flat = {3, {1, 12, 24}}, shuffled = {5, {1, 3, 4, 4, 6}},
                         odd = {2, {8, 36}};
    const int turn[3] = {0, 2, 1}, swap[5] = {0, 2, 1, 3, 4};
    assert_true(xa__layout_reshape(&l, &flat, &r));
    assert_false(xa__layout_is_plain(&r));
    r = xa__layout_transpose(&r, turn);
    assert_true(xa__layout_is_plain(&r));
    const xa_shape tokens = xa__layout_natural(&r);
    assert_true(tokens.ndim == 2 && tokens.dim[0] == 24 && tokens.dim[1] == 12);
    /* channels in three groups, exchanged */
    assert_true(xa__layout_reshape(&l, &shuffled, &r));
    r = xa__layout_transpose(&r, swap);
    const xa__onnx_shape back = {4, {1, 12, 4, 6}};
    assert_true(xa__layout_reshape(&r, &back, &r));
    assert_false(xa__layout_together(&r, 1, true));
    assert_true(xa__layout_together(&r, 1, false));
    assert_int_equal(xa__layout_extent(&r, 1), 12);
    /* what no split reaches: 8 of 12 */
    assert_false(xa__layout_reshape(&l, &odd, &r));
    /* an axis of another extent */
    r = xa__layout_replace(&l, 1, 5);
    assert_int_equal(xa__layout_count(&r), 5 * 24);
    r = xa__layout_drop(&l, 2, false);
    assert_int_equal(r.rank, 3);
    assert_int_equal(xa__layout_extent(&r, 2), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_refused_operators),
        cmocka_unit_test(test_if),
        cmocka_unit_test(test_refused_graphs),
        cmocka_unit_test(test_refused_constants),
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_changed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
