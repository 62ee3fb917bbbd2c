/* Weights in bfloat16: rounding and packing. */
#include <math.h>
#include <string.h>

#include "kernels.h"

/* First to float, to odd: the last bit stands for what was cut off, so that the second rounding
 * goes where one alone would have gone. */
uint16_t xa_bf16_of(double v)
{
    float f = (float)v;
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if (isnan(v))
        return (uint16_t)(u >> 16 | 0x40);
    if ((double)f != v) {
        if (fabs((double)f) > fabs(v))
            u--;
        u |= 1;
    }
    if ((u & 0x7f800000) == 0) /* what is below the smallest normal number cannot reach it */
        return (uint16_t)(u >> 16 & 0x8000);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

void xa_bf16_pack(
    const xa_bf16_source *from, int64_t pieces, int64_t length, int64_t n, uint16_t *panels)
{
    for (int64_t j0 = 0; j0 < n; j0 += XA_PANEL)
        for (int64_t p = 0; p < pieces; p++)
            for (int64_t d0 = 0; d0 < length; d0 += 2)
                for (int64_t j = j0; j < j0 + XA_PANEL; j++)
                    for (int64_t d = d0; d < d0 + 2; d++) {
                        double v = 0.0;
                        if (j < n && d < length) {
                            v = (double)
                                    from->at[p * from->piece + d * from->depth + j * from->column];
                            v *= from->scale_column ? from->scale_column[j] : 1.0;
                            v *= from->scale_depth ? from->scale_depth[d] : 1.0;
                        }
                        *panels++ = xa_bf16_of(v);
                    }
}
