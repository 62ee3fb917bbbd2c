/* Philox-4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. The key is the seed; the 128-bit counter is (counter, stream), low words first. */
#include <math.h>

#include "xaudit/util.h"

void xa_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)counter;
    uint32_t c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream;
    uint32_t c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed;
    uint32_t k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xd2511f53u * c0;
        uint64_t p1 = (uint64_t)0xcd9e8d57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static double unit_of(uint32_t low, uint32_t high)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

static uint64_t bits64(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint32_t w[4];
    xa_philox(seed, stream, counter, w);
    return (uint64_t)w[1] << 32 | w[0];
}

double xa_random_unit(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return (double)(bits64(seed, stream, counter) >> 11) * 0x1p-53;
}

int64_t xa_random_below(uint64_t seed, uint64_t stream, uint64_t counter, int64_t n)
{
    if (n <= 1)
        return 0;
    /* The high half of bits * n: its bias is below n / 2^64, and each counter needs one draw only.
     */
    uint64_t x = bits64(seed, stream, counter);
    uint64_t m = (uint64_t)n;
    uint64_t low = (x & 0xffffffffu) * (m & 0xffffffffu);
    uint64_t mid1 = (x >> 32) * (m & 0xffffffffu) + (low >> 32);
    uint64_t mid2 = (x & 0xffffffffu) * (m >> 32) + (mid1 & 0xffffffffu);
    return (int64_t)((x >> 32) * (m >> 32) + (mid1 >> 32) + (mid2 >> 32));
}

uint64_t xa_random_seed(uint64_t hash, uint64_t seed)
{
    return hash ^ seed * UINT64_C(0x9E3779B97F4A7C15);
}

uint64_t xa_random_stream(xa_purpose purpose, uint32_t draw)
{
    return (uint64_t)purpose << 32 | draw;
}

void xa_random_normal(uint64_t seed, uint64_t stream, int64_t n, float *out)
{
    const double turn = 6.283185307179586;
    for (int64_t i = 0; i < n; i += 2) {
        uint32_t w[4];
        xa_philox(seed, stream, (uint64_t)(i / 2), w);
        const double radius = sqrt(-2.0 * log(1.0 - unit_of(w[0], w[1])));
        const double angle = turn * unit_of(w[2], w[3]);
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < n)
            out[i + 1] = (float)(radius * sin(angle));
    }
}

void xa_random_shuffle(uint64_t seed, uint64_t stream, int64_t n, int32_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (int32_t)i;
    for (int64_t j = n - 1; j > 0; j--) {
        const int64_t k = xa_random_below(seed, stream, (uint64_t)j, j + 1);
        const int32_t t = out[j];
        out[j] = out[k];
        out[k] = t;
    }
}
