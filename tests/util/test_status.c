/* The error trail and the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

static xa_status inner(xa_err *err)
{
    xa_status st = XA_OK;
    XA_FAIL(err, XA_SHAPE, "expected %d, found %d", 3, 4);
done:
    return st;
}

static xa_status outer(xa_err *err)
{
    XA_RETURN_TRY(err, inner(err));
    return XA_OK;
}

static xa_status outermost(xa_err *err)
{
    xa_status st = XA_OK;
    XA_TRY(err, outer(err));
done:
    return st;
}

static void test_trail(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(outermost(&err), XA_SHAPE);
    assert_int_equal(err.code, XA_SHAPE);
    assert_string_equal(err.message, "expected 3, found 4");
    assert_int_equal(err.nframes, 3);
    assert_string_equal(err.frame[0].func, "inner");
    assert_string_equal(err.frame[2].func, "outermost");
    char text[1024];
    xa_err_trail(&err, text, sizeof text);
    assert_non_null(strstr(text, "test_status.c:"));
    assert_non_null(strstr(text, " inner\n"));
    assert_null(strchr(text, '/'));
    for (size_t n = 0; n < 100; n++) {
        char small[128];
        memset(small, 'x', sizeof small);
        xa_err_trail(&err, small, n);
        if (n > 0)
            assert_true(strlen(small) < n);
        else
            assert_int_equal(small[0], 'x');
    }
    assert_int_equal(outermost(NULL), XA_SHAPE);
}

static void test_trail_is_bounded(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(inner(&err), XA_SHAPE);
    for (int i = 0; i < 100; i++)
        assert_int_equal(xa_err_pass(&err, XA_SHAPE, "f.c", "f", i), XA_SHAPE);
    assert_int_equal(err.nframes, XA_ERR_TRAIL);
}

static void test_message_of_itself(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_err_set(&err, XA_IO, "f.c", "f", 1, "no such file");
    xa_err_set(&err, XA_FORMAT, "f.c", "f", 2, "model: %s", err.message);
    assert_string_equal(err.message, "model: no such file");
    assert_int_equal(err.code, XA_FORMAT);
    assert_int_equal(err.nframes, 1);
    xa_err_prefix(&err, "layer %d", 7);
    assert_string_equal(err.message, "layer 7: model: no such file");
}

static void test_message_is_clean_and_bounded(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_err_set(&err, XA_IO, "f.c", "f", 1, "a\x1b[2Jb\nc");
    assert_string_equal(err.message, "a?[2Jb?c");
    char longer[3 * XA_ERR_MESSAGE];
    memset(longer, 'y', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    xa_err_set(&err, XA_IO, "f.c", "f", 1, "%s", longer);
    assert_int_equal(strlen(err.message), XA_ERR_MESSAGE - 1);
    xa_err_prefix(&err, "%s", longer);
    assert_int_equal(strlen(err.message), XA_ERR_MESSAGE - 1);
}

static void test_pass_without_set(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_err_pass(&err, XA_NOSPACE, "f.c", "f", 1);
    assert_int_equal(err.code, XA_NOSPACE);
    assert_string_equal(err.message, "no space left");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(xa_status_name(XA_OK), "OK");
    assert_string_equal(xa_status_name(XA_INTERRUPTED), "INTERRUPTED");
    assert_string_equal(xa_status_text(XA_NOSPACE), "no space left");
    assert_string_equal(xa_status_name((xa_status)999), "UNKNOWN");
    assert_string_equal(xa_status_text(XA_STATUS_COUNT), "unknown status");
    for (int i = 0; i < XA_STATUS_COUNT; i++)
        assert_true(strlen(xa_status_text((xa_status)i)) > 0);
}

static void remember(void *arg, xa_log_level level, const char *message)
{
    snprintf(arg, 64, "%d %s", (int)level, message);
}

static void test_log(void **state)
{
    (void)state;
    char last[64] = "";
    xa_log(XA_LOG_ERROR, "dropped");
    xa_log_sink(remember, last);
    xa_log(XA_LOG_WARN, "n=%d\r\n", 5);
    assert_string_equal(last, "1 n=5??");
    xa_log_sink(NULL, NULL);
    xa_log(XA_LOG_ERROR, "dropped");
    assert_string_equal(last, "1 n=5??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trail),
        cmocka_unit_test(test_trail_is_bounded),
        cmocka_unit_test(test_message_of_itself),
        cmocka_unit_test(test_message_is_clean_and_bounded),
        cmocka_unit_test(test_pass_without_set),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
