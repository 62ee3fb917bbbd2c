/* IEEE 754 binary16, in integers: the same on every machine and under every compiler flag. */
#include <string.h>

#include "xaudit/util.h"

uint16_t xa_f16_from_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t sign = u >> 16 & 0x8000u;
    u &= 0x7fffffffu;
    if (u > 0x7f800000u) /* NaN: quiet, the payload's upper bits kept */
        return (uint16_t)(sign | 0x7e00u | (u >> 13 & 0x3ffu));
    if (u >= 0x47800000u) /* 65536 and more; for 65520 to 65536 the carry below gives infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (u < 0x33000000u) /* below 2^-25 */
        return (uint16_t)sign;
    if (u < 0x38800000u) {
        /* Below 2^-14: a multiple of 2^-24. The value is m * 2^(e-150). */
        const uint32_t shift = 126u - (u >> 23);
        const uint32_t m = (u & 0x7fffffu) | 0x800000u;
        const uint32_t rest = m & ((1u << shift) - 1u);
        const uint32_t tie = 1u << (shift - 1u);
        uint32_t r = m >> shift;
        if (rest > tie || (rest == tie && (r & 1u) != 0))
            r++;
        return (uint16_t)(sign | r);
    }
    /* Exponent bias from 127 to 15; rounding carries into the exponent as it should. */
    u += 0xfffu + (u >> 13 & 1u);
    return (uint16_t)(sign | ((u - (112u << 23)) >> 13));
}

float xa_f32_from_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t e = h >> 10 & 0x1fu;
    uint32_t m = h & 0x3ffu;
    uint32_t u;
    if (e == 0x1f) {
        u = sign | 0x7f800000u | m << 13;
    } else if (e != 0) {
        u = sign | (e + 112u) << 23 | m << 13;
    } else if (m == 0) {
        u = sign;
    } else {
        uint32_t shift = 0;
        while ((m & 0x400u) == 0) {
            m <<= 1;
            shift++;
        }
        u = sign | (113u - shift) << 23 | (m & 0x3ffu) << 13;
    }
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
