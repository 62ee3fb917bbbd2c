/* Turning squares of a matrix in registers. */
#ifndef XAUDIT_NN_ISA_TURN_H
#define XAUDIT_NN_ISA_TURN_H

#include "isa_build.h"

typedef float v4f __attribute__((vector_size(16)));

/* Four floats of each of two rows. */
XA_INLINE v8 load_two(const float *low, const float *high)
{
    v4f a, b;
    memcpy(&a, low, sizeof(a));
    memcpy(&b, high, sizeof(b));
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* to[j][i] = from[i][j] of eight by eight, row strides ldf and ldt: rows i and i+4 side by side, so
 * that two rounds of shuffles within halves do. */
XA_INLINE void turn_eight(const float *from, int64_t ldf, float *to, int64_t ldt)
{
    for (int j = 0; j < 8; j += 4) {
        v8 r[4], s[4];
        for (int i = 0; i < 4; i++)
            r[i] = load_two(from + i * ldf + j, from + (i + 4) * ldf + j);
        for (int i = 0; i < 4; i += 2) {
            s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
            s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
        }
        for (int i = 0; i < 2; i++) {
            v8_store(to + (j + 2 * i) * ldt,
                     __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13));
            v8_store(to + (j + 2 * i + 1) * ldt,
                     __builtin_shufflevector(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15));
        }
    }
}

#endif
