#include "node_cases.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "onnx_file.h"
#include "xaudit_cmocka.h"

/* ---- the stream ---- */

typedef struct stream {
    const unsigned char *at, *end;
} stream;

static const unsigned char *take(stream *s, size_t n)
{
    assert_true(n <= (size_t)(s->end - s->at));
    s->at += n;
    return s->at - n;
}

static uint32_t number(stream *s)
{
    const unsigned char *p = take(s, 4);
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static const unsigned char *field(stream *s, size_t *n)
{
    *n = number(s);
    return take(s, *n);
}

static void text(stream *s, char *to, size_t size)
{
    size_t n;
    const unsigned char *p = field(s, &n);
    assert_true(n < size);
    memcpy(to, p, n);
    to[n] = '\0';
}

/* ---- cases ---- */

typedef struct tensor {
    int type;
    const unsigned char *data;
    size_t bytes;
} tensor;

static int values(stream *s, const tensor *tensors, size_t ntensors, node_value *list)
{
    const uint32_t n = number(s);
    assert_true(n <= NODE_VALUES);
    for (uint32_t i = 0; i < n; i++) {
        node_value *v = &list[i];
        text(s, v->name, sizeof v->name);
        v->rank = (int)number(s);
        assert_in_range(v->rank, 0, NODE_RANK);
        for (int d = 0; d < v->rank; d++)
            v->dim[d] = number(s);
        const uint32_t t = number(s);
        assert_true(t < ntensors);
        v->type = tensors[t].type;
        v->data = tensors[t].data;
        v->bytes = tensors[t].bytes;
    }
    return (int)n;
}

static void inflate_file(const char *path, node_cases *c, stream *s)
{
    char *data;
    size_t n;
    xa_err err = XA_ERR_INIT;
    if (xa_read_file(path, (size_t)1 << 24, &data, &n, &err) != XA_OK)
        fail_msg("%s", err.message);
    stream file = {(unsigned char *)data, (unsigned char *)data + n};
    uLongf size = number(&file);
    assert_int_equal(number(&file), 0);
    c->bytes = malloc(size);
    assert_non_null(c->bytes);
    assert_int_equal(uncompress(c->bytes, &size, file.at, n - 8), Z_OK);
    *s = (stream){c->bytes, c->bytes + size};
    free(data);
}

void node_cases_read(const char *path, node_cases *c)
{
    static const char magic[] = "xaudit node cases 1\n";
    stream s;
    inflate_file(path, c, &s);
    assert_memory_equal(take(&s, sizeof magic - 1), magic, sizeof magic - 1);
    const size_t ntensors = number(&s);
    tensor *tensors = calloc(ntensors + 1, sizeof *tensors);
    assert_non_null(tensors);
    for (size_t i = 0; i < ntensors; i++) {
        tensors[i].type = (int)number(&s);
        tensors[i].data = field(&s, &tensors[i].bytes);
    }
    c->n = (int)number(&s);
    c->cases = calloc((size_t)c->n + 1, sizeof *c->cases);
    assert_non_null(c->cases);
    for (int i = 0; i < c->n; i++) {
        node_case *k = &c->cases[i];
        text(&s, k->name, sizeof k->name);
        k->head = field(&s, &k->head_bytes);
        k->graph = field(&s, &k->graph_bytes);
        k->ninputs = values(&s, tensors, ntensors, k->inputs);
        k->noutputs = values(&s, tensors, ntensors, k->outputs);
    }
    assert_true(s.at == s.end);
    free(tensors);
}

void node_cases_free(node_cases *c)
{
    free(c->cases);
    free(c->bytes);
    *c = (node_cases){0};
}

int64_t node_value_count(const node_value *v)
{
    int64_t n = 1;
    for (int d = 0; d < v->rank; d++)
        n *= v->dim[d];
    return n;
}

/* TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
static xa_str tensor_of(const node_value *v)
{
    xa_str t = {0}, raw = {0};
    for (int d = 0; d < v->rank; d++)
        onnx_int(&t, 1, v->dim[d]);
    onnx_int(&t, 2, v->type);
    onnx_text(&t, 8, v->name);
    xa_str_add(&raw, (const char *)v->data, v->bytes);
    onnx_message(&t, 9, raw);
    return t;
}

xa_str node_case_model(const node_case *c, unsigned images)
{
    xa_str graph = {0}, file = {0};
    xa_str_add(&file, (const char *)c->head, c->head_bytes);
    xa_str_add(&graph, (const char *)c->graph, c->graph_bytes);
    for (int i = 0; i < c->ninputs; i++)
        if (!(images >> i & 1))
            onnx_message(&graph, 5, tensor_of(&c->inputs[i]));
    onnx_message(&file, 7, graph);
    return file;
}
