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

/* Vectors that tests/golden/faithfulness/make.py gives, in numpy. */
static void test_vectors(void **state)
{
    (void)state;
    static const double units[] = {
        0.06405955470182145, 0.46411835406334045, 0.7930729295750791, 0.5581976848366154};
    static const double normals[] = {0.27904118928903743,
                                     -0.2335441657891799,
                                     0.21188888879165596,
                                     1.0967164642845444,
                                     -0.8630900947828195};
    static const int32_t shuffled[] = {6, 0, 4, 5, 3, 7, 8, 9, 1, 2};
    const uint64_t stream = xa_random_stream(XA_PURPOSE_SMOOTH, 2);
    uint32_t words[4];
    float got[6] = {0};
    int32_t order[10];
    assert_true(stream == (UINT64_C(1) << 32 | 2));
    xa_philox(0, 0, 0, words);
    assert_true(words[0] == 1713891541u && words[1] == 3781805453u && words[2] == 3159862348u &&
                words[3] == 2600524760u);
    for (int i = 0; i < 4; i++)
        assert_true(xa_random_unit(1000, stream, (uint64_t)i) == units[i]);
    xa_random_normal(1000, stream, 5, got); /* an odd number: the value behind it stays */
    for (int i = 0; i < 5; i++)
        assert_true(got[i] == (float)normals[i]);
    assert_true(got[5] == 0.0f);
    assert_int_equal(xa_random_below(1000, stream, 7, 10), 3);
    xa_random_shuffle(1000, stream, 10, order);
    assert_memory_equal(order, shuffled, sizeof order);
    assert_true(xa_random_seed(5, 0) == 5);
    assert_true(xa_random_seed(0, 1) == UINT64_C(0x9E3779B97F4A7C15));
    assert_true(xa_random_seed(7, 2) == (UINT64_C(0x3C6EF372FE94F82A) ^ 7u));
}

/* Mean, variance and every position's value of many draws, to five standard errors. */
static void test_distributions(void **state)
{
    (void)state;
    enum { N = 100000, ITEMS = 5, SHUFFLES = 20000 };
    static float v[N];
    double sum = 0.0, square = 0.0, fourth = 0.0;
    int seen[ITEMS][ITEMS] = {{0}};
    xa_random_normal(3, 4, N, v);
    for (int i = 0; i < N; i++) {
        assert_true(isfinite(v[i]));
        sum += v[i];
        square += (double)v[i] * v[i];
        fourth += (double)v[i] * v[i] * v[i] * v[i];
    }
    assert_true(fabs(sum / N) < 5.0 / sqrt(N));
    assert_true(fabs(square / N - 1.0) < 5.0 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3.0) < 5.0 * sqrt(96.0 / N));
    for (int d = 0; d < SHUFFLES; d++) {
        int32_t order[ITEMS];
        xa_random_shuffle(1, (uint64_t)d, ITEMS, order);
        for (int i = 0; i < ITEMS; i++)
            seen[i][order[i]]++;
    }
    for (int i = 0; i < ITEMS; i++)
        for (int k = 0; k < ITEMS; k++)
            assert_true(fabs(seen[i][k] - (double)SHUFFLES / ITEMS) <
                        5.0 * sqrt((double)SHUFFLES / ITEMS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_distributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
