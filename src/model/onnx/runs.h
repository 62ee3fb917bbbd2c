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

/* Numbers in logical order as a run of that shape; one number as a run of that many axes. */
XA_MUST_USE xa_status xa__onnx_literal(xa__onnx_build *b,
                                       const xa__onnx_node *n,
                                       const xa__onnx_shape *shape,
                                       const float *values,
                                       xa__onnx_run *out,
                                       xa_err *err);
XA_MUST_USE xa_status xa__onnx_number(xa__onnx_build *b,
                                      const xa__onnx_node *n,
                                      double value,
                                      int rank,
                                      xa__onnx_run *out,
                                      xa_err *err);
/* A function of each element, in place of the run. */
XA_MUST_USE xa_status xa__onnx_unary_run(xa__onnx_build *b,
                                         const xa__onnx_node *n,
                                         xa_unary_kind kind,
                                         double a,
                                         xa__onnx_run *run,
                                         xa_err *err);
/* op(x, y), element by element, broadcasting; a constant of the model instead of y. */
XA_MUST_USE xa_status xa__onnx_pair(xa__onnx_build *b,
                                    xa__onnx_node *n,
                                    xa_op op,
                                    const xa__onnx_run *x,
                                    const xa__onnx_run *y,
                                    xa__onnx_run *out,
                                    xa_err *err);
XA_MUST_USE xa_status xa__onnx_with(xa__onnx_build *b,
                                    xa__onnx_node *n,
                                    xa_op op,
                                    const xa__onnx_run *x,
                                    int constant,
                                    xa__onnx_run *out,
                                    xa_err *err);
/* One value of all along the axes (a bit each), which stay with extent 1 or go. */
XA_MUST_USE xa_status xa__onnx_reduce_run(xa__onnx_build *b,
                                          xa__onnx_node *n,
                                          const xa__onnx_run *x,
                                          unsigned axes,
                                          bool keep,
                                          xa_over_kind kind,
                                          xa__onnx_run *out,
                                          xa_err *err);
/* Memory for a list of indices or a matrix, zeroed and to be freed; UNSUPPORTED beyond what any
 * model needs. */
XA_MUST_USE xa_status xa__onnx_floats(const xa__onnx_build *b,
                                      int64_t count,
                                      float **values,
                                      xa_err *err);
/* In place of the run: elements list[0], list[1], .. of an axis; -1 gives zeros. */
XA_MUST_USE xa_status xa__onnx_gather_run(xa__onnx_build *b,
                                          xa__onnx_node *n,
                                          xa__onnx_run *run,
                                          int axis,
                                          const float *list,
                                          int64_t count,
                                          xa_err *err);
/* In place of the run: matrix [count, extent] times the axis. */
XA_MUST_USE xa_status xa__onnx_map_run(xa__onnx_build *b,
                                       xa__onnx_node *n,
                                       xa__onnx_run *run,
                                       int axis,
                                       const float *matrix,
                                       int64_t count,
                                       xa_err *err);

#endif
