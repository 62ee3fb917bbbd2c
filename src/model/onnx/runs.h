/* Operators on runs: what the lowering of one node of ONNX is composed of. Each takes runs in any
 * layout, adds operators of the engine that are named after node `n`, and says what came out.
 * Private to model. */
#ifndef XAUDIT_MODEL_ONNX_RUNS_H
#define XAUDIT_MODEL_ONNX_RUNS_H

#include "join.h"

/* A constant as a CONSTANT of the engine. */
XA_MUST_USE xa_status xa__onnx_constant_run(
    xa__onnx_build *b, const xa__onnx_node *n, int value, xa__onnx_run *out, xa_err *err);
/* Input i as a run, even if it is a constant. */
XA_MUST_USE xa_status
xa__onnx_as_run(xa__onnx_build *b, const xa__onnx_node *n, int i, xa__onnx_run *out, xa_err *err);
/* The run with other extents of the same count: a view, after a transposition where the layout's
 * factors do not reach them. */
XA_MUST_USE xa_status xa__onnx_regroup(xa__onnx_build *b,
                                       const xa__onnx_node *n,
                                       xa__onnx_run *run,
                                       const xa__onnx_shape *to,
                                       xa_err *err);
/* x [..,M,K] times y [..,K,N], both of one rank above 1, the axes before equal or 1. */
XA_MUST_USE xa_status xa__onnx_product(xa__onnx_build *b,
                                       xa__onnx_node *n,
                                       const xa__onnx_run *x,
                                       const xa__onnx_run *y,
                                       xa__onnx_run *out,
                                       xa_err *err);

#endif
