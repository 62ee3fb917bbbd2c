/* Private to faith: purposes of random numbers. */
#ifndef XAUDIT_FAITH_INTERNAL_H
#define XAUDIT_FAITH_INTERNAL_H

#include "xaudit/faith.h"

enum { XA__SUBSETS = 5, XA__RANDOM_MAP = 10, XA__TIES = 11, XA__SAMPLES = 12 };
/* p [n]: 0..n-1 in an order drawn at (seed, stream). */
void xa__shuffle(uint64_t seed, uint64_t stream, int64_t n, int32_t *p);
static inline uint64_t xa__stream(int purpose, int64_t draw)
{
    return (uint64_t)purpose << 32 | (uint64_t)draw;
}

#endif
