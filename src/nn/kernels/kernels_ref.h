/* Reference twins of the kernels: the obvious loops, sums in double, always built. The tests'
 * yardstick, and the definition of what each kernel computes. Private to nn. */
#ifndef XAUDIT_NN_KERNELS_REF_H
#define XAUDIT_NN_KERNELS_REF_H

#include "kernels.h"

extern const xa_kernels xa_kernels_ref;

/* f(x) and f'(x) in double. */
double xa_activate_ref(const xa_activation *act, double x);
double xa_activate_slope_ref(const xa_activation *act, double x);

#endif
