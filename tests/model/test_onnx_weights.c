/* Large matrices are packed a few columns at a time, straight from the file: the same bytes as from
 * the whole, and of every matrix of the golden files the same columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnx_file.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/onnx/"

static xa_model *open_model(const char *path)
{
    const xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    if (xa_model_open(path, &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    return m;
}

static int compare_columns(const char *name)
{
    char path[512];
    int compared = 0;
    xa_err err = XA_ERR_INIT;
    snprintf(path, sizeof path, GOLDEN "%s", name);
    xa_model *m = open_model(path);
    const xa_graph *g = xa_model_graph(m);
    const xa_weight_reader reader = xa_model_reader(m);
    assert_non_null(reader.read_columns);
    for (int i = 0; i < xa_graph_weights(g); i++) {
        const xa_weight *w = xa_graph_weight(g, i);
        if (w->literal || w->shape.ndim != 2)
            continue;
        const int64_t rows = w->shape.dim[0], all = w->shape.dim[1];
        const int64_t first = all / 3, count = all - first;
        float *whole = malloc((size_t)(rows * all) * sizeof *whole),
              *some = malloc((size_t)(rows * count) * sizeof *some);
        bool done = false;
        assert_true(whole && some);
        assert_int_equal(reader.read(reader.arg, w, whole, &err), XA_OK);
        assert_int_equal(reader.read_columns(reader.arg, w, first, count, some, &done, &err),
                         XA_OK);
        for (int64_t r = 0; done && r < rows; r++)
            assert_memory_equal(
                some + r * count, whole + r * all + first, (size_t)count * sizeof *some);
        compared += done;
        free(whole);
        free(some);
    }
    xa_model_free(m);
    return compared;
}

static void test_columns(void **state)
{
    static const char *const files[] = {
        "vit.dy.onnx", "vit.ts.onnx", "vgg.dy.onnx", "swin.dy.onnx", "products.ts.onnx"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (compare_columns(files[i]) == 0)
            fail_msg("%s: no matrix was read in pieces", files[i]);
}

/* ---- a large one ---- */

enum { SIDE = 32, INPUTS = 3 * SIDE * SIDE, CLASSES = 1400 };

static void write_model(const char *path, bool rows_are_classes)
{
    const int64_t image[4] = {0, 3, SIDE, SIDE}, scores[2] = {0, CLASSES},
                  by_class[2] = {CLASSES, INPUTS}, by_input[2] = {INPUTS, CLASSES};
    xa_str g = {0}, node = onnx_node("Gemm", "f,w", "y");
    onnx_message(&g, 11, onnx_declared("x", image, 4));
    onnx_message(&g, 12, onnx_declared("y", scores, 2));
    onnx_message(&g, 5, onnx_tensor("w", rows_are_classes ? by_class : by_input, 2));
    onnx_message(&g, 1, onnx_node("Flatten", "x", "f"));
    onnx_attribute_int(&node, "transB", rows_are_classes);
    onnx_message(&g, 1, node);
    xa_str file = onnx_model(g, 17);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
    assert_int_equal(fclose(f), 0);
    xa_str_free(&file);
}

/* How much was asked for at once. */
static int64_t most_columns;
static xa_weight_reader plain;

static xa_status counted(void *arg,
                         const xa_weight *w,
                         int64_t first,
                         int64_t count,
                         float *dst,
                         bool *done,
                         xa_err *err)
{
    most_columns = count > most_columns ? count : most_columns;
    return plain.read_columns(arg, w, first, count, dst, done, err);
}

static void test_large(void **state)
{
    (void)state;
    char path[] = "/tmp/xaudit-weights-XXXXXX.onnx";
    const int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    close(fd);
    for (int turned = 0; turned < 2; turned++) {
        write_model(path, turned);
        xa_model *m = open_model(path);
        xa_err err = XA_ERR_INIT;
        xa_plan *p = NULL;
        const xa_plan_spec spec = {.batch = 1, .root = xa_model_output(m)};
        if (xa_plan_create(xa_model_graph(m), &spec, &p, &err) != XA_OK)
            fail_msg("%s", err.message);
        xa_plan_info info;
        xa_plan_get_info(p, &info);
        const size_t size = info.weight_bytes;
        unsigned char *blobs[2];
        plain = xa_model_reader(m);
        most_columns = 0;
        for (int k = 0; k < 2; k++) {
            xa_weight_reader reader = plain;
            reader.read_columns = k ? NULL : counted;
            blobs[k] = aligned_alloc(64, (size + 63) / 64 * 64);
            assert_non_null(blobs[k]);
            if (xa_plan_pack(p, &reader, blobs[k], &err) != XA_OK)
                fail_msg("%s", err.message);
        }
        assert_memory_equal(blobs[0], blobs[1], size);
        assert_true(most_columns > 0 && most_columns <= CLASSES / 16 + 16);
        free(blobs[0]);
        free(blobs[1]);
        xa_plan_free(p);
        xa_model_free(m);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns),
                                       cmocka_unit_test(test_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
