/* What the kernels' tests share: values, comparisons, and the walk over instruction sets. */
#ifndef XAUDIT_TESTS_KERNEL_FIXTURE_H
#define XAUDIT_TESTS_KERNEL_FIXTURE_H

#include "kernels_ref.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* malloc'd; the first two filled with 0xFF bytes, which is NaN. */
void *bytes_of(size_t n);
float *floats(int64_t n);
float *uniform(int64_t n, uint64_t stream); /* in [-1, 1) */
float *copy(const float *from, int64_t n);
int64_t pick(uint64_t stream, uint64_t i, int64_t low, int64_t high);

/* NaN equals NaN, infinities equal themselves. */
void near(
    const char *what, xa_isa isa, int64_t n, const float *want, const float *got, double tolerance);
void same_bytes(const char *what, xa_isa isa, size_t n, const void *want, const void *got);

/* Every instruction set this processor runs, but for the one whose kernels are another's except for
 * bfloat16, which on_bf16 looks at too; in the wide tests the sixteen lanes on AVX2 alone. */
typedef void kernel_check(const xa_kernels *k);
void on_all(kernel_check *check);
void on_bf16(kernel_check *check);

/* What a test file makes of its list of kernels.h: it declares check_<kernel> for each kernel at
 * its top, so that one without a check does not build, and turns them into tests at its end. */
#define KERNEL_CHECK(name) static kernel_check check_##name;
#define KERNEL_TEST(name)                 \
    static void test_##name(void **state) \
    {                                     \
        (void)state;                      \
        on_all(check_##name);             \
    }
#define KERNEL_ENTRY(name) cmocka_unit_test(test_##name),

#endif
