/* ONNX files written field by field. */
#ifndef XAUDIT_TEST_ONNX_FILE_H
#define XAUDIT_TEST_ONNX_FILE_H

#include "xaudit/util.h"

void onnx_varint(xa_str *s, uint64_t v);
void onnx_int(xa_str *s, int field, int64_t v);
void onnx_text(xa_str *s, int field, const char *text);
/* A field of bytes; `inner` is freed. */
void onnx_message(xa_str *s, int field, xa_str inner);

/* op's node; inputs and outputs are names with commas between; attributes: none, or a message of
 * AttributeProto fields each (freed). */
xa_str onnx_node(const char *op, const char *inputs, const char *outputs);
void onnx_attribute_ints(xa_str *node, const char *name, const int64_t *list, int n);
void onnx_attribute_int(xa_str *node, const char *name, int64_t v);
void onnx_attribute_text(xa_str *node, const char *name, const char *text);
/* `graph`: fields of a GraphProto (freed). */
void onnx_attribute_graph(xa_str *node, const char *name, xa_str graph);
/* float32 values 0, 1/8, -2/8, 3/8, ..; ndim extents. */
xa_str onnx_tensor(const char *name, const int64_t *dims, int ndim);
xa_str onnx_shape_tensor(const char *name, const int64_t *values, int n); /* int64 [n] */
/* Declared input or output of float32; extents below 1 are open. */
xa_str onnx_declared(const char *name, const int64_t *dims, int ndim);
/* A whole file of a graph's fields (freed). */
xa_str onnx_model(xa_str graph, int64_t opset);

#endif
