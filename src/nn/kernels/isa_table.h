/* The kernels of the instruction set being compiled, under their suffixed names. kernels.h says
 * what each of them computes. */
#ifndef XAUDIT_NN_ISA_TABLE_H
#define XAUDIT_NN_ISA_TABLE_H

#include "isa_build.h"

extern const xa_kernels XA_K(xa_kernels_table);

#define X(name) xa_kernel_##name XA_K(xa_##name);
XA_KERNEL_LIST(X)
#undef X

#endif
