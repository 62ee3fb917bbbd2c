#include "kernel_fixture.h"

enum { SEED = 77 };

void *bytes_of(size_t n)
{
    void *p = malloc(n + 1); /* a request for nothing is served */
    assert_non_null(p);
    memset(p, 0xFF, n);
    return p;
}
float *floats(int64_t n)
{
    return bytes_of((size_t)n * sizeof(float));
}
float *uniform(int64_t n, uint64_t stream)
{
    float *p = floats(n);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * xa_random_unit(SEED, stream, (uint64_t)i) - 1.0);
    return p;
}
float *copy(const float *from, int64_t n)
{
    float *p = floats(n);
    memcpy(p, from, (size_t)n * sizeof(*p));
    return p;
}
int64_t pick(uint64_t stream, uint64_t i, int64_t low, int64_t high)
{
    return low + xa_random_below(SEED, stream, i, high - low + 1);
}

void near(
    const char *what, xa_isa isa, int64_t n, const float *want, const float *got, double tolerance)
{
    for (int64_t i = 0; i < n; i++) {
        if (isnan(want[i]) ? isnan(got[i]) : want[i] == got[i])
            continue;
        if (!(fabs((double)want[i] - (double)got[i]) <= tolerance))
            fail_msg("%s on %s: [%lld] is %.9g, expected %.9g within %.3g",
                     what,
                     xa_isa_name(isa),
                     (long long)i,
                     (double)got[i],
                     (double)want[i],
                     tolerance);
    }
}
void same_bytes(const char *what, xa_isa isa, size_t n, const void *want, const void *got)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)want)[i] != ((const unsigned char *)got)[i])
            fail_msg("%s on %s: byte %zu is %d, expected %d",
                     what,
                     xa_isa_name(isa),
                     i,
                     ((const unsigned char *)got)[i],
                     ((const unsigned char *)want)[i]);
}

#ifdef XA_TEST_WIDE
extern const xa_kernels xa_kernels_table_wide;
#endif
static void on_up_to(xa_isa last, kernel_check *check)
{
#ifdef XA_TEST_WIDE
    if (xa_isa_supported(XA_ISA_AVX2))
        check(&xa_kernels_table_wide);
    (void)last;
    return;
#endif
    for (int isa = XA_ISA_BASE; isa <= (int)last; isa++)
        if (xa_isa_supported((xa_isa)isa)) {
            const xa_kernels *k = xa_kernels_get((xa_isa)isa);
            assert_non_null(k);
            assert_int_equal(k->isa, isa);
            check(k);
        }
}

void on_all(kernel_check *check)
{
    on_up_to(XA_ISA_AVX512, check);
}
void on_bf16(kernel_check *check)
{
    on_up_to(XA_ISA_AVX512_BF16, check);
}
