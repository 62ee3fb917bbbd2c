/* Numbers from text. */
#include <float.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void test_i64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-9223372036854775807", -INT64_MAX},
    };
    static const char *const bad[] = {
        "",
        "-",
        "+",
        " 1",
        "1 ",
        "1.0",
        "0x10",
        "1e3",
        "--1",
        "+-1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
        "1a",
        "a",
        "\xd9\xa1",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = 123;
        assert_true(xa_parse_i64(good[i].text, &v));
        assert_true(v == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 123;
        if (xa_parse_i64(bad[i], &v))
            fail_msg("\"%s\" was taken as %lld", bad[i], (long long)v);
        assert_int_equal(v, 123);
    }
    int64_t v;
    assert_false(xa_parse_i64(NULL, &v));
}

static void test_f64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0.0},
        {"-1.5", -1.5},
        {"+2", 2.0},
        {".5", 0.5},
        {"5.", 5.0},
        {"1e3", 1000.0},
        {"1E-3", 0.001},
        {"1.7976931348623157e308", DBL_MAX},
        {"1e-999", 0.0},
        {"4.9406564584124654e-324", 0x1p-1074},
        {"0.1", 0.1},
    };
    static const char *const bad[] = {
        "",      ".",      "-",     "e5",  "1e",  "1e+", " 1",   "1 ",
        "1,5",   "1.5.2",  "0x1p3", "inf", "nan", "NaN", "-inf", "INFINITY",
        "1e999", "-1e999", "1-2",   "1f",  "e",   "+e1", ".e1",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double v = 123;
        if (!xa_parse_f64(good[i].text, &v))
            fail_msg("\"%s\" was refused", good[i].text);
        assert_true(v == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double v = 123;
        if (xa_parse_f64(bad[i], &v))
            fail_msg("\"%s\" was taken as %g", bad[i], v);
        assert_true(v == 123);
    }
    double v;
    assert_false(xa_parse_f64(NULL, &v));
}

/* Whatever is printed with 17 digits comes back; every double, many exponents. */
static void test_f64_round_trip(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        const double sign = (i & 1) != 0 ? -1.0 : 1.0;
        double scale = 1.0;
        for (int64_t k = xa_random_below(1, 1, i, 300); k > 0; k--)
            scale *= (i & 2) != 0 ? 10.0 : 0.1;
        const double x = sign * xa_random_unit(1, 2, i) * scale;
        char text[64];
        snprintf(text, sizeof text, "%.17g", x);
        double back = 0.0;
        assert_true(xa_parse_f64(text, &back));
        assert_true(back == x);
    }
}

static void test_f64_in_a_comma_locale(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++)
        if (setlocale(LC_NUMERIC, commas[i]) != NULL)
            break;
    /* Where no such locale is installed this repeats the plain case. */
    double v = 0;
    assert_true(xa_parse_f64("1.25", &v));
    assert_true(v == 1.25);
    assert_false(xa_parse_f64("1,25", &v));
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i64),
        cmocka_unit_test(test_f64),
        cmocka_unit_test(test_f64_round_trip),
        cmocka_unit_test(test_f64_in_a_comma_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
