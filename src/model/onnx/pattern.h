/* What patterns share: a node that ends a known chain becomes one operator. Private to model. */
#ifndef XAUDIT_MODEL_ONNX_PATTERN_H
#define XAUDIT_MODEL_ONNX_PATTERN_H

#include "build.h"

/* The node that gives a value, if it is of that operator and no pattern took it. */
xa__onnx_node *xa__onnx_made_by(const xa__onnx_build *b, int value, const char *op);
/* n = op(x, number) in either order: x; -1 if it is not. */
int xa__onnx_with_number(xa__onnx_build *b, const xa__onnx_node *n, double *number);
/* value = x*c or x/c of a number: x and c (or 1/c); else value itself and 1. */
int xa__onnx_scaled(xa__onnx_build *b, int value, double *c);
/* pattern_attention.c: the product with v that ends softmax(scale q k^T + added) v. */
bool xa__onnx_match_attention(xa__onnx_build *b, xa__onnx_node *n);

#endif
