/* How much work lies between two ticks. Private to nn. */
#ifndef XAUDIT_NN_TILE_H
#define XAUDIT_NN_TILE_H

#include "../op.h"

/* Elements of a tile: about a millisecond of work at most, and still in the second-level cache when
 * the next loop reads it. */
enum { XA_TILE = 65536 };

/* Rows of `row` elements that make a tile, at least one. */
static inline int64_t xa_tile_rows(int64_t rows, int64_t row)
{
    const int64_t t = row >= XA_TILE || row < 1 ? 1 : XA_TILE / row;
    return t < rows ? t : rows;
}
static inline int64_t xa_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
