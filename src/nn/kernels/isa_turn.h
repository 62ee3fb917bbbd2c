/* Turning squares of a matrix in registers. */
#ifndef XAUDIT_NN_ISA_TURN_H
#define XAUDIT_NN_ISA_TURN_H

#include "isa_build.h"

/* to[j][i] = from[i][j] of eight by eight, row strides ldf and ldt: pairs, pairs of pairs, halves.
 */
XA_INLINE void turn_eight(const float *from, int64_t ldf, float *to, int64_t ldt)
{
    v8 r[8], s[8];
    for (int i = 0; i < 8; i++)
        r[i] = v8_load(from + i * ldf);
    for (int i = 0; i < 8; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            r[i + 2 * k] =
                __builtin_shufflevector(s[i + k], s[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * k + 1] =
                __builtin_shufflevector(s[i + k], s[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        v8_store(to + i * ldt, __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11));
        v8_store(to + (i + 4) * ldt,
                 __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15));
    }
}

#endif
