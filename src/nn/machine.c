/* What one core of this machine can do: the yardstick of benchmarks.
 *
 * FMA peak: twelve independent sums in the widest registers (eight or sixteen lanes), nothing else
 * in the loop (two units of latency four need eight at least). Copy: 64 MiB to 64 MiB, the bytes
 * read plus the bytes written, with ordinary and with streaming stores. Best of many short pieces,
 * in the CPU time of this process, so that a busy machine spoils some pieces and not the result. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xaudit/nn.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SUMS = 12, COPY_BYTES = 64 << 20, PIECES_LEAST = 5 };

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One multiply and one addition a lane, whatever the processor; returns the flops done. */
static double plain(int64_t n, float *out)
{
    float sum[SUMS] = {0};
    const volatile float source[2] = {1.0f, 1e-9f};
    const float x = source[0], y = source[1];
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < SUMS; k++)
            sum[k] = sum[k] * x + y;
    for (int k = 0; k < SUMS; k++)
        *out += sum[k];
    return 2.0 * SUMS * (double)n;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static double avx2(int64_t n, float *out)
{
    __m256 sum[SUMS];
    const volatile float source[2] = {1.0f, 1e-9f};
    const __m256 x = _mm256_set1_ps(source[0]), y = _mm256_set1_ps(source[1]);
    for (int k = 0; k < SUMS; k++)
        sum[k] = _mm256_setzero_ps();
    for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 12
        for (int k = 0; k < SUMS; k++)
            sum[k] = _mm256_fmadd_ps(x, y, sum[k]);
    for (int k = 0; k < SUMS; k++) {
        float lane[8];
        _mm256_storeu_ps(lane, sum[k]);
        *out += lane[k % 8];
    }
    return 2.0 * 8 * SUMS * (double)n;
}

__attribute__((target("avx512f"))) static double avx512(int64_t n, float *out)
{
    __m512 sum[SUMS];
    const volatile float source[2] = {1.0f, 1e-9f};
    const __m512 x = _mm512_set1_ps(source[0]), y = _mm512_set1_ps(source[1]);
    for (int k = 0; k < SUMS; k++)
        sum[k] = _mm512_setzero_ps();
    for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 12
        for (int k = 0; k < SUMS; k++)
            sum[k] = _mm512_fmadd_ps(x, y, sum[k]);
    for (int k = 0; k < SUMS; k++) {
        float lane[16];
        _mm512_storeu_ps(lane, sum[k]);
        *out += lane[k];
    }
    return 2.0 * 16 * SUMS * (double)n;
}

__attribute__((target("avx2"))) static void copy_streaming(float *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm256_stream_ps(to + i, _mm256_load_ps(from + i));
    _mm_sfence();
}
__attribute__((target("avx2"))) static void copy(float *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm256_store_ps(to + i, _mm256_load_ps(from + i));
}
#endif

static double flops_peak(double seconds, xa_isa isa, float *out)
{
    double best = 0.0;
    const double end = cpu() + seconds;
    for (int piece = 0; piece < PIECES_LEAST || cpu() < end; piece++) {
        const int64_t n = 500000;
        const double start = cpu();
#if defined(__x86_64__)
        const double done = isa == XA_ISA_AVX512 ? avx512(n, out)
                            : isa == XA_ISA_AVX2 ? avx2(n, out)
                                                 : plain(n, out);
#else
        const double done = plain(n, out);
#endif
        const double rate = done / (cpu() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static double copy_peak(double seconds, bool wide, bool streaming, float *to, const float *from)
{
    double best = 0.0;
    const double end = cpu() + seconds;
    for (int piece = 0; piece < PIECES_LEAST || cpu() < end; piece++) {
        const double start = cpu();
#if defined(__x86_64__)
        if (wide && streaming)
            copy_streaming(to, from, COPY_BYTES / sizeof(float));
        else if (wide)
            copy(to, from, COPY_BYTES / sizeof(float));
        else
            memcpy(to, from, COPY_BYTES);
#else
        memcpy(to, from, COPY_BYTES);
#endif
        const double rate = 2.0 * COPY_BYTES / (cpu() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

xa_status xa_machine_measure(double seconds, xa_machine *out, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_isa isa = xa_isa_detect();
    const bool wide = xa_isa_supported(XA_ISA_AVX2);
    float *to = aligned_alloc(4096, COPY_BYTES), *from = aligned_alloc(4096, COPY_BYTES);
    float sink = 0.0f;
    if (!to || !from)
        XA_FAIL(err, XA_NOMEM, "out of memory for 128 MiB to copy");
    memset(to, 1, COPY_BYTES);
    memset(from, 2, COPY_BYTES);
    out->isa = xa_isa_name(isa);
    out->flops = flops_peak(seconds / 2.0, isa, &sink);
    out->copy = copy_peak(seconds / 4.0, wide, false, to, from);
    out->copy_streaming = copy_peak(seconds / 4.0, wide, true, to, from);
    out->check = (double)(sink + to[COPY_BYTES / sizeof(float) - 1]);
done:
    free(to);
    free(from);
    return st;
}
