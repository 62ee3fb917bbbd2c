/* Half floats against arithmetic on doubles, which hold every half and every midpoint exactly. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

/* The value of a finite half by its definition. */
static double value_of(uint16_t h)
{
    const int e = h >> 10 & 0x1f;
    const int m = h & 0x3ff;
    const double v = e == 0 ? ldexp(m, -24) : ldexp(1024 + m, e - 25);
    return (h & 0x8000) != 0 ? -v : v;
}

static void test_every_half_to_float(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= 0xffff; i++) {
        const uint16_t h = (uint16_t)i;
        const float f = xa_f32_from_f16(h);
        if ((h & 0x7c00) == 0x7c00) {
            if ((h & 0x3ff) != 0)
                assert_true(isnan(f));
            else
                assert_true(isinf(f) && (f < 0) == ((h & 0x8000) != 0));
        } else {
            assert_true((double)f == value_of(h));
            assert_true(!signbit(f) == ((h & 0x8000) == 0));
        }
    }
}

static void test_every_half_comes_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= 0xffff; i++) {
        const uint16_t h = (uint16_t)i;
        const uint16_t back = xa_f16_from_f32(xa_f32_from_f16(h));
        if ((h & 0x7c00) == 0x7c00 && (h & 0x3ff) != 0)
            assert_int_equal(back, h | 0x200); /* quiet, sign and payload kept */
        else
            assert_int_equal(back, h);
    }
}

/* Rounding is monotonic (next test), so the two floats around each midpoint decide all floats. */
static void test_every_midpoint(void **state)
{
    (void)state;
    for (uint16_t h = 0; h < 0x7c00; h++) {
        const uint16_t up = (uint16_t)(h + 1);
        /* Beyond the largest half, rounding goes on as if the next were 65536. */
        const double above = up == 0x7c00 ? 65536.0 : value_of(up);
        const float mid = (float)((value_of(h) + above) / 2);
        assert_true((double)mid == (value_of(h) + above) / 2);
        const uint16_t even = (h & 1) == 0 ? h : up;
        assert_int_equal(xa_f16_from_f32(mid), even);
        assert_int_equal(xa_f16_from_f32(nextafterf(mid, 0.0f)), h);
        assert_int_equal(xa_f16_from_f32(nextafterf(mid, INFINITY)), up);
        assert_int_equal(xa_f16_from_f32(-mid), even | 0x8000);
        assert_int_equal(xa_f16_from_f32(nextafterf(-mid, 0.0f)), h | 0x8000);
        assert_int_equal(xa_f16_from_f32(nextafterf(-mid, -INFINITY)), up | 0x8000);
    }
}

static void test_monotonic(void **state)
{
    (void)state;
    uint16_t last = 0;
    for (uint32_t u = 0; u <= 0x7f800000u; u += 61) {
        float f;
        memcpy(&f, &u, sizeof f);
        const uint16_t h = xa_f16_from_f32(f);
        assert_true(h >= last && h <= 0x7c00);
        assert_int_equal(xa_f16_from_f32(-f), h | 0x8000);
        last = h;
    }
    assert_int_equal(last, 0x7c00);
}

static void test_special(void **state)
{
    (void)state;
    assert_int_equal(xa_f16_from_f32(0.0f), 0);
    assert_int_equal(xa_f16_from_f32(-0.0f), 0x8000);
    assert_int_equal(xa_f16_from_f32(1.0f), 0x3c00);
    assert_int_equal(xa_f16_from_f32(65504.0f), 0x7bff);
    assert_int_equal(xa_f16_from_f32(65519.996f), 0x7bff);
    assert_int_equal(xa_f16_from_f32(65520.0f), 0x7c00);
    assert_int_equal(xa_f16_from_f32(INFINITY), 0x7c00);
    assert_int_equal(xa_f16_from_f32(-3.4e38f), 0xfc00);
    assert_int_equal(xa_f16_from_f32(0x1p-24f), 1);
    assert_int_equal(xa_f16_from_f32(0x1p-25f), 0);
    assert_int_equal(xa_f16_from_f32(0x1p-149f), 0);
    /* A NaN whose payload lies only in the bits that are lost is still a NaN. */
    const uint32_t bits[] = {0x7f800001u, 0xff800001u, 0x7fc00000u, 0x7fffffffu};
    for (size_t i = 0; i < 4; i++) {
        float f;
        memcpy(&f, &bits[i], sizeof f);
        const uint16_t h = xa_f16_from_f32(f);
        assert_true((h & 0x7c00) == 0x7c00 && (h & 0x3ff) != 0);
        assert_true((h >> 15) == (bits[i] >> 31));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_to_float),
        cmocka_unit_test(test_every_half_comes_back),
        cmocka_unit_test(test_every_midpoint),
        cmocka_unit_test(test_monotonic),
        cmocka_unit_test(test_special),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
