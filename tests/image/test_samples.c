/* Sample arithmetic against its definition, one sample at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "../../src/image/image_internal.h"
#include "xaudit/image.h"

static unsigned bit_at(const uint8_t *src, size_t bit)
{
    return src[bit / 8] >> (7 - bit % 8) & 1u;
}

static void test_unpack(void **state)
{
    (void)state;
    enum { BYTES = 64 };
    uint8_t src[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        src[i] = (uint8_t)xa_random_below(5, 0, i, 256);
    for (int bits = 1; bits <= 16; bits++) {
        const int64_t count = BYTES * 8 / bits;
        uint8_t d8[BYTES * 8];
        uint16_t d16[BYTES];
        xa__samples_unpack(src, count, bits, bits <= 8 ? (void *)d8 : (void *)d16);
        for (int64_t i = 0; i < count; i++) {
            unsigned v = 0;
            for (int b = 0; b < bits; b++)
                v = v << 1 | bit_at(src, (size_t)(i * bits + b));
            assert_int_equal(bits <= 8 ? d8[i] : d16[i], v);
        }
    }
}

static void test_widen(void **state)
{
    (void)state;
    for (int bits = 1; bits < 8; bits++) {
        const int most = (1 << bits) - 1;
        for (int v = 0; v <= most; v++) {
            uint8_t s = (uint8_t)v;
            xa__samples_widen(&s, 1, bits);
            assert_int_equal(s, lrint(v * 255.0 / most));
        }
    }
}

static void test_cmyk(void **state)
{
    (void)state;
    uint8_t u8[] = {0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 10, 0, 3, 4, 5, 255, 255, 255, 255, 255};
    const uint8_t want8[] = {255, 255, 255, 0, 255, 255, 255, 0, 245, 0, 0, 0, 0, 0, 0};
    assert_int_equal(xa__samples_cmyk_to_rgb(u8, u8, 5, 4, XA_PIXEL_U8), XA_OK);
    assert_memory_equal(u8, want8, sizeof want8);
    /* with alpha behind, which is kept */
    uint16_t u16[] = {0, 32768, 65535, 0, 77, 1000, 0, 0, 65535, 88};
    const uint16_t want16[] = {65535, 32767, 0, 77, 0, 0, 0, 88};
    assert_int_equal(xa__samples_cmyk_to_rgb(u16, u16, 2, 5, XA_PIXEL_U16), XA_OK);
    assert_memory_equal(u16, want16, sizeof want16);
    float f = 0;
    assert_int_equal(xa__samples_cmyk_to_rgb(&f, &f, 0, 4, XA_PIXEL_F32), XA_UNSUPPORTED);
}

static void test_palette(void **state)
{
    (void)state;
    uint16_t r[16] = {[3] = 0xAB12, [15] = 65535}, g[16] = {[3] = 256}, b[16] = {[15] = 255};
    const uint16_t *const map[3] = {r, g, b};
    const uint8_t index[] = {3, 7, 0xF0 | 15, 9}; /* one sample follows; bits beyond are cut */
    uint8_t out[8];
    xa__samples_palette(index, out, 2, 2, XA_PIXEL_U8, map, 4);
    assert_memory_equal(out, ((uint8_t[]){0xAB, 1, 0, 7, 255, 0, 0, 9}), 8);
    r[3] = 200, r[15] = 5, g[3] = 3; /* none above 255: 8-bit entries */
    xa__samples_palette(index, out, 2, 2, XA_PIXEL_U8, map, 4);
    assert_memory_equal(out, ((uint8_t[]){200, 3, 0, 7, 5, 0, 255, 9}), 8);
    const uint16_t wide[] = {15, 0x1234};
    xa__samples_palette(wide, out, 1, 2, XA_PIXEL_U16, map, 4);
    assert_memory_equal(out, ((uint8_t[]){5, 0, 255, 0x12}), 4);
}

static void test_invert(void **state)
{
    (void)state;
    uint8_t u8[] = {0, 7, 255, 9};
    xa__samples_invert(u8, 2, 2, 1, XA_PIXEL_U8, 8);
    assert_memory_equal(u8, ((uint8_t[]){255, 7, 0, 9}), 4);
    uint16_t u16[] = {0, 4095, 5000};
    xa__samples_invert(u16, 3, 1, 1, XA_PIXEL_U16, 12);
    assert_memory_equal(u16, ((uint16_t[]){4095, 0, 0}), sizeof u16);
    uint32_t u32[] = {0, UINT32_MAX};
    xa__samples_invert(u32, 2, 1, 1, XA_PIXEL_U32, 32);
    assert_memory_equal(u32, ((uint32_t[]){UINT32_MAX, 0}), sizeof u32);
    int16_t i16[] = {INT16_MIN, -1, 0, INT16_MAX};
    xa__samples_invert(i16, 4, 1, 1, XA_PIXEL_I16, 16);
    assert_memory_equal(i16, ((int16_t[]){INT16_MAX, 0, -1, INT16_MIN}), sizeof i16);
    int8_t i8[] = {INT8_MIN};
    xa__samples_invert(i8, 1, 1, 1, XA_PIXEL_I8, 8);
    assert_int_equal(i8[0], INT8_MAX);
    int32_t i32[] = {INT32_MIN};
    xa__samples_invert(i32, 1, 1, 1, XA_PIXEL_I32, 32);
    assert_int_equal(i32[0], INT32_MAX);
    float f32[] = {1.5f};
    xa__samples_invert(f32, 1, 1, 1, XA_PIXEL_F32, 32);
    assert_true(f32[0] == -1.5f);
    double f64[] = {-2.5};
    xa__samples_invert(f64, 1, 1, 1, XA_PIXEL_F64, 64);
    assert_true(f64[0] == 2.5);
}

static void test_unpremultiply(void **state)
{
    (void)state;
    uint8_t u8[] = {50, 100, 100, 9, 9, 0, 3, 4, 255, 200, 1, 100};
    xa__samples_unpremultiply(u8, 4, 3, XA_PIXEL_U8, 8);
    assert_memory_equal(u8, ((uint8_t[]){127, 255, 100, 9, 9, 0, 3, 4, 255, 255, 2, 100}), 12);
    uint16_t u16[] = {100, 32768};
    xa__samples_unpremultiply(u16, 1, 2, XA_PIXEL_U16, 16);
    assert_int_equal(u16[0], 199);
    uint32_t u32[] = {1u << 30, 1u << 31};
    xa__samples_unpremultiply(u32, 1, 2, XA_PIXEL_U32, 32);
    assert_int_equal(u32[0], UINT32_MAX / 2);
    float f32[] = {0.25f, 0.5f, 3.f, 0.f};
    xa__samples_unpremultiply(f32, 2, 2, XA_PIXEL_F32, 32);
    assert_true(f32[0] == 0.5f && f32[2] == 3.f);
    double f64[] = {0.25, 0.5};
    xa__samples_unpremultiply(f64, 1, 2, XA_PIXEL_F64, 64);
    assert_true(f64[0] == 0.5);
    int16_t i16[] = {5, 2}; /* signed: no agreed opaque value, unchanged */
    xa__samples_unpremultiply(i16, 1, 2, XA_PIXEL_I16, 16);
    assert_int_equal(i16[0], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpack),
        cmocka_unit_test(test_widen),
        cmocka_unit_test(test_cmyk),
        cmocka_unit_test(test_palette),
        cmocka_unit_test(test_invert),
        cmocka_unit_test(test_unpremultiply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
