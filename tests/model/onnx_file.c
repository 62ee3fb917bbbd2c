#include "onnx_file.h"

#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"

void onnx_varint(xa_str *s, uint64_t v)
{
    do {
        const char b = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        xa_str_add(s, &b, 1);
        v >>= 7;
    } while (v);
}

void onnx_int(xa_str *s, int field, int64_t v)
{
    onnx_varint(s, (uint64_t)field << 3);
    onnx_varint(s, (uint64_t)v);
}

void onnx_text(xa_str *s, int field, const char *text)
{
    onnx_varint(s, (uint64_t)field << 3 | 2);
    onnx_varint(s, strlen(text));
    xa_str_puts(s, text);
}

void onnx_message(xa_str *s, int field, xa_str inner)
{
    onnx_varint(s, (uint64_t)field << 3 | 2);
    onnx_varint(s, inner.len);
    xa_str_add(s, inner.data ? inner.data : "", inner.len);
    xa_str_free(&inner);
}

static void names(xa_str *s, int field, const char *list)
{
    while (*list) {
        char name[64];
        const size_t n = strcspn(list, ",");
        assert_true(n < sizeof name);
        memcpy(name, list, n);
        name[n] = '\0';
        onnx_text(s, field, name);
        list += n + (list[n] == ',');
    }
}

xa_str onnx_node(const char *op, const char *inputs, const char *outputs)
{
    xa_str s = {0};
    names(&s, 1, inputs);
    names(&s, 2, outputs);
    onnx_text(&s, 4, op);
    return s;
}

void onnx_attribute_ints(xa_str *node, const char *name, const int64_t *list, int n)
{
    xa_str a = {0};
    onnx_text(&a, 1, name);
    for (int i = 0; i < n; i++)
        onnx_int(&a, 8, list[i]);
    onnx_int(&a, 20, 7);
    onnx_message(node, 5, a);
}

void onnx_attribute_int(xa_str *node, const char *name, int64_t v)
{
    xa_str a = {0};
    onnx_text(&a, 1, name);
    onnx_int(&a, 3, v);
    onnx_int(&a, 20, 2);
    onnx_message(node, 5, a);
}

void onnx_attribute_text(xa_str *node, const char *name, const char *text)
{
    xa_str a = {0};
    onnx_text(&a, 1, name);
    onnx_text(&a, 4, text);
    onnx_int(&a, 20, 3);
    onnx_message(node, 5, a);
}

void onnx_attribute_graph(xa_str *node, const char *name, xa_str graph)
{
    xa_str a = {0};
    onnx_text(&a, 1, name);
    onnx_message(&a, 6, graph);
    onnx_int(&a, 20, 5);
    onnx_message(node, 5, a);
}

static xa_str
tensor(const char *name, const int64_t *dims, int ndim, int type, const void *data, size_t size)
{
    xa_str s = {0};
    for (int i = 0; i < ndim; i++)
        onnx_int(&s, 1, dims[i]);
    onnx_int(&s, 2, type);
    onnx_text(&s, 8, name);
    onnx_varint(&s, 9 << 3 | 2);
    onnx_varint(&s, size);
    xa_str_add(&s, data, size);
    return s;
}

xa_str onnx_tensor(const char *name, const int64_t *dims, int ndim)
{
    int64_t n = 1;
    for (int i = 0; i < ndim; i++)
        n *= dims[i];
    float *v = calloc((size_t)n + 1, sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)(i % 9) * (i % 2 ? 0.125f : -0.125f);
    const xa_str s = tensor(name, dims, ndim, 1, v, (size_t)n * sizeof *v);
    free(v);
    return s;
}

xa_str onnx_shape_tensor(const char *name, const int64_t *values, int n)
{
    const int64_t dims[1] = {n};
    return tensor(name, dims, 1, 7, values, (size_t)n * sizeof *values);
}

xa_str onnx_declared(const char *name, const int64_t *dims, int ndim)
{
    xa_str s = {0}, type = {0}, array = {0}, shape = {0};
    for (int i = 0; i < ndim; i++) {
        xa_str dim = {0};
        if (dims[i] > 0)
            onnx_int(&dim, 1, dims[i]);
        else
            onnx_text(&dim, 2, "batch");
        onnx_message(&shape, 1, dim);
    }
    onnx_int(&array, 1, 1);
    onnx_message(&array, 2, shape);
    onnx_message(&type, 1, array);
    onnx_text(&s, 1, name);
    onnx_message(&s, 2, type);
    return s;
}

xa_str onnx_model(xa_str graph, int64_t opset)
{
    xa_str s = {0}, set = {0};
    onnx_int(&s, 1, 8);
    onnx_text(&s, 2, "test");
    onnx_message(&s, 7, graph);
    onnx_int(&set, 2, opset);
    onnx_message(&s, 8, set);
    assert_false(s.failed);
    return s;
}
