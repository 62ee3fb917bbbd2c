/* Reference twins of the kernels: the obvious loops, with sums in double. They define what each
 * kernel computes (kernels.h), and the tests compare every instruction set with them. No part of
 * the program calls them. */
#ifndef XAUDIT_TEST_KERNELS_REF_H
#define XAUDIT_TEST_KERNELS_REF_H

#include "kernels/kernels.h"

#define X(name) xa_kernel_##name xa_ref_##name;
XA_KERNEL_LIST(X)
#undef X
extern const xa_kernels xa_kernels_ref;

/* A float as bfloat16 has it, and one step of a chain of gemm_bf16: fma(a, b, c). */
float xa_bf16_rounded_ref(float x);
float xa_bf16_step_ref(float a, float b, float c);

/* f(x) and f'(x) in double. */
double xa_activate_ref(const xa_activation *act, double x);
double xa_activate_slope_ref(const xa_activation *act, double x);

#endif
