/* Reference twin of the products in bfloat16: not near but equal, bit for bit (NaN's payload
 * apart), since every rounding of the kernel is its definition's. */
#include "kernels_ref.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float widened(uint16_t b)
{
    const uint32_t u = (uint32_t)b << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float xa_bf16_rounded_ref(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if (isnan(x))
        return x;
    if (fabsf(x) < FLT_MIN)
        return copysignf(0.0f, x);
    const uint32_t low = u & 0xffff, even = u >> 16 & 1;
    return widened((uint16_t)((u >> 16) + (low > 0x8000 || (low == 0x8000 && even))));
}

static float flushed(float x)
{
    return fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x;
}

/* fma(a, b, c) with denormals flushed. Whether a result is one is decided after rounding to 24
 * bits, as if exponents had no end: what the coarser grid below FLT_MIN has rounded up to FLT_MIN
 * may be less. AArch64 decides before rounding. */
float xa_bf16_step_ref(float a, float b, float c)
{
    a = flushed(a);
    b = flushed(b);
    c = flushed(c);
    const float r = fmaf(a, b, c);
    if (fabsf(r) == FLT_MIN) {
#ifdef __aarch64__
        const double larger = fma((double)a * 0x1p60, (double)b * 0x1p60, (double)c * 0x1p120);
        if (fabs(larger) < (double)FLT_MIN * 0x1p120)
            return copysignf(0.0f, r);
#else
        const float larger = fmaf(a * 0x1p12f, b * 0x1p12f, c * 0x1p24f);
        if (fabsf(larger) < FLT_MIN * 0x1p24f)
            return copysignf(0.0f, r);
#endif
    }
    return flushed(r);
}

void xa_ref_gemm_bf16(int64_t m,
                      int64_t n,
                      const xa_pieces *a,
                      const xa_bf16_matrix *b,
                      void *rows,
                      float *c,
                      int64_t ldc,
                      const xa_finish *finish)
{
    const int64_t each = a->length % 2 ? a->length + 1 : a->length, k = a->count * each;
    (void)rows;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            float all = 0.0f, chain = 0.0f;
            for (int64_t step = 0; step < k; step++) {
                const int64_t d = step ^ 1; /* the odd one of a pair first */
                const int64_t piece = d / each, at = d % each;
                const int64_t of_b = b->which ? b->which[piece] : piece;
                const float x =
                    at < a->length ? xa_bf16_rounded_ref(a->at[piece * a->stride + i][at]) : 0.0f;
                const uint16_t w =
                    b->panels[(((j / 16 * b->pieces + of_b) * each + at / 2 * 2) * 16) +
                              j % 16 * 2 + at % 2];
                chain = xa_bf16_step_ref(x, widened(w), chain);
                if ((step + 1) % 768 == 0 || step + 1 == k) {
                    all = step < 768 ? chain : all + chain;
                    chain = 0.0f;
                }
            }
            c[i * ldc + j] = all;
        }
    if (finish)
        xa_ref_epilogue(m, n, c, ldc, finish->bias, finish->residual, finish->act, finish->bits);
}
