/* Several values over one set of axes: their atoms made the same, their order in memory as well.
 * What elementwise operators and concatenation share. Private to model. */
#ifndef XAUDIT_MODEL_ONNX_JOIN_H
#define XAUDIT_MODEL_ONNX_JOIN_H

#include "build.h"

typedef struct xa__onnx_operand {
    int value;        /* of the model; -1: a run that is none, which the caller sets */
    bool is_run;      /* else a constant */
    xa__onnx_run run; /* its layout is lifted to the rank of the result; of a constant: plain */
    unsigned has;     /* result atoms it has, a bit each */
} xa__onnx_operand;

typedef struct xa__onnx_joint {
    int n;
    xa__onnx_operand *operands; /* [n], caller's */
    int own_axis;               /* concatenation: an axis that each has for itself; -1 */
    xa__onnx_layout at;         /* of the result; own_axis has one atom there, of any extent */
    int lead;                   /* the run with the most elements */
} xa__onnx_joint;

/* Fills run and at. `rank` of the result. UNSUPPORTED where factors of an axis do not match. */
XA_MUST_USE xa_status
xa__onnx_join(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_joint *j, int rank, xa_err *err);
/* Extents of the result as the engine sees them such that each operand has all or nothing of
 * each. dim_has[d]: the result atoms of dimension d. */
xa_shape xa__onnx_joint_shape(const xa__onnx_joint *j, unsigned dim_has[XA_MAX_DIMS], bool *fits);
/* Operand i as a node of that shape, with 1 where it has nothing: a view of a run, or a CONSTANT.
 */
XA_MUST_USE xa_status xa__onnx_joint_node(xa__onnx_build *b,
                                          xa__onnx_node *n,
                                          const xa__onnx_joint *j,
                                          int i,
                                          const xa_shape *shape,
                                          const unsigned *dim_has,
                                          int *id,
                                          xa_err *err);
/* y = op(operands) of that rank, element by element: broadcasting, layouts, constants; at least one
 * is a run. `params` NULL: none. */
XA_MUST_USE xa_status xa__onnx_combine_all(xa__onnx_build *b,
                                           xa__onnx_node *n,
                                           xa_op op,
                                           const xa_op_params *params,
                                           xa__onnx_operand *operands,
                                           int count,
                                           int rank,
                                           xa__onnx_run *out,
                                           xa_err *err);
/* How operand i, a constant, is read in the order of the result. */
void xa__onnx_joint_weight(const xa__onnx_joint *j, int i, xa__onnx_weight *w);

#endif
