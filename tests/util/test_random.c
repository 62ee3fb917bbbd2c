/* Philox: known answers of the Random123 distribution, and the derived numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void test_known_answers(void **state)
{
    (void)state;
    /* philox4x32 10, kat_vectors: counter words low first, key words low first. */
    static const struct {
        uint64_t counter, stream, seed;
        uint32_t out[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {UINT64_C(0x85a308d3243f6a88),
         UINT64_C(0x0370734413198a2e),
         UINT64_C(0x299f31d0a4093822),
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        xa_philox(known[i].seed, known[i].stream, known[i].counter, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_unit(void **state)
{
    (void)state;
    const int n = 100000;
    double sum = 0.0;
    double square = 0.0;
    for (int i = 0; i < n; i++) {
        const double u = xa_random_unit(7, 1, (uint64_t)i);
        assert_true(u >= 0.0 && u < 1.0);
        assert_true(u * 0x1p53 == floor(u * 0x1p53));
        sum += u;
        square += u * u;
    }
    /* Five standard errors. */
    assert_true(fabs(sum / n - 0.5) < 5.0 * sqrt(1.0 / 12.0 / n));
    assert_true(fabs(square / n - 1.0 / 3.0) < 5.0 * sqrt(4.0 / 45.0 / n));
    assert_true(xa_random_unit(7, 1, 5) == xa_random_unit(7, 1, 5));
    assert_true(xa_random_unit(7, 1, 5) != xa_random_unit(7, 2, 5));
    assert_true(xa_random_unit(7, 1, 5) != xa_random_unit(8, 1, 5));
}

static void test_below(void **state)
{
    (void)state;
    enum { SIDES = 6, DRAWS = 60000 };
    int seen[SIDES] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const int64_t v = xa_random_below(9, 0, (uint64_t)i, SIDES);
        assert_true(v >= 0 && v < SIDES);
        seen[v]++;
    }
    for (int k = 0; k < SIDES; k++)
        assert_true(fabs(seen[k] - (double)DRAWS / SIDES) < 5.0 * sqrt((double)DRAWS / SIDES));
    /* Against floor(bits * n / 2^64) in 128 bits, for large n too. */
    __extension__ typedef unsigned __int128 wide;
    for (uint64_t i = 0; i < 10000; i++) {
        uint32_t w[4];
        xa_philox(11, 3, i, w);
        const uint64_t bits = (uint64_t)w[1] << 32 | w[0];
        const uint64_t n = ((uint64_t)w[3] << 32 | w[2]) >> (1 + i % 62);
        const int64_t expected = n > 1 ? (int64_t)((wide)bits * n >> 64) : 0;
        assert_true(xa_random_below(11, 3, i, (int64_t)n) == expected);
    }
    assert_int_equal(xa_random_below(1, 1, 1, 1), 0);
    assert_int_equal(xa_random_below(1, 1, 1, 0), 0);
    assert_int_equal(xa_random_below(1, 1, 1, -5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
