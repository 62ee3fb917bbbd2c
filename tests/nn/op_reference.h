/* What each operator computes, in double, in the most obvious way: one output value at a time, from
 * the definitions in nn.h. One sample. */
#ifndef XAUDIT_TEST_OP_REFERENCE_H
#define XAUDIT_TEST_OP_REFERENCE_H

#include "op_cases.h"

/* x[i] and w[i] (NULL where absent) are the inputs and weights of a case, y is its output of the
 * given shape. */
void op_reference(const op_case *c,
                  const xa_shape *out,
                  const double *const *x,
                  const double *const *w,
                  double *y);

#endif
