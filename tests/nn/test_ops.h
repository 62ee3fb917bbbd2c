/* The properties that every operator owes the engine; each is a test whose *state is an op_case. */
#ifndef XAUDIT_TEST_OPS_H
#define XAUDIT_TEST_OPS_H

#include "op_fixture.h"

/* test_ops_values.c */
void op_test_forward(void **state);
void op_test_gradient(void **state);
void op_test_adjoint(void **state);
void op_test_nonfinite(void **state);
/* test_ops_ways.c */
void op_test_rows(void **state);
void op_test_epilogue(void **state);
void op_test_in_place(void **state);
void op_test_isas(void **state);

#endif
