/* The case list of all operators: one line is one setting on one set of shapes; every property in
 * test_ops.c is checked for each. A new operator adds its lines here and its obvious formula in
 * op_reference.c. */
#ifndef XAUDIT_TEST_OP_CASES_H
#define XAUDIT_TEST_OP_CASES_H

#include "op.h"

enum { OP_CASE_INPUTS = 4 };

typedef struct op_case {
    const char *name;
    xa_op op;
    int ninputs;
    xa_shape inputs[OP_CASE_INPUTS];
    int nweights;
    xa_shape weights[XA_MAX_WEIGHTS]; /* all extents 0: absent */
    xa_op_params params;
    double range;     /* inputs lie in -range..range; 0 means 2 */
    double tolerance; /* of the largest value; 0 means 4e-6 */
    xa_numerics numerics;
} op_case;

extern const op_case op_cases[];
extern const int op_cases_count;

#endif
