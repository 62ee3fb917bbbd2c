/* A graph of ONNX as it is given, whatever it computes: no image, no head, any inputs and ranks.
 * Tests read the reference cases of operators by it. Private to model.
 *
 * The engine has one input: a vector in which the values of `images` lie one after the other, each
 * in logical order. All other inputs of the graph must have initializers. The output comes in
 * logical order too.
 */
#ifndef XAUDIT_MODEL_ONNX_GIVEN_H
#define XAUDIT_MODEL_ONNX_GIVEN_H

#include "xaudit/model.h"

typedef struct xa__onnx_given {
    const char *const *images; /* [nimages] inputs that are not constant; their extents are known */
    int nimages;
    bool by_sample; /* their first axis is the batch: the graph is of one sample, extent 1 */
    int output;     /* which of the declared ones */
} xa__onnx_given;

/* *out has graph, output and weights, and neither head nor layers; xa_model_free frees it.
 * UNSUPPORTED names all operators that are not read. */
XA_MUST_USE xa_status xa__onnx_open_given(const char *path,
                                          const xa__onnx_given *how,
                                          xa_model **out,
                                          xa_err *err);

#endif
