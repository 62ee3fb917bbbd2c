/* The cases of all operators: one line is one setting on one set of shapes; test_ops.c checks every
 * property for each. An operator's cases and its formula stand in the file of its family:
 * op_windows.c, op_rows.c, op_elementwise.c, op_places.c. */
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
    double middle;    /* inputs lie around it: functions that are not defined everywhere */
    double tolerance; /* of the largest value; 0 means 4e-6 */
    xa_numerics numerics;
} op_case;

/* Case i of all families, 0 <= i < op_case_count(). */
int op_case_count(void);
const op_case *op_case_at(int i);

#endif
