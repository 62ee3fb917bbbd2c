/* Checked sizes and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

static void test_sizes(void **state)
{
    (void)state;
    size_t r = 7;
    assert_true(xa_size_mul(3, 5, &r));
    assert_int_equal(r, 15);
    assert_false(xa_size_mul(SIZE_MAX / 2, 3, &r));
    assert_false(xa_size_add(SIZE_MAX, 1, &r));
    assert_int_equal(r, 15);
    assert_true(xa_size_add(SIZE_MAX - 1, 1, &r));
    assert_true(r == SIZE_MAX);
    int64_t i = 7;
    assert_true(xa_i64_mul(-4, 5, &i));
    assert_int_equal(i, -20);
    assert_false(xa_i64_mul(INT64_MAX, 2, &i));
    assert_false(xa_i64_mul(INT64_MIN, -1, &i));
    assert_int_equal(i, -20);
    assert_int_equal(xa_align_up(0, 64), 0);
    assert_int_equal(xa_align_up(1, 64), 64);
    assert_int_equal(xa_align_up(64, 64), 64);
}

static void test_alloc(void **state)
{
    (void)state;
    int *p = xa_alloc(1000, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    free(p);
    void *none = xa_alloc(0, 8);
    assert_non_null(none);
    free(none);
    assert_null(xa_alloc(SIZE_MAX / 2, 4));
    assert_null(xa_alloc(SIZE_MAX / 2 + 2, 1));
}

static void test_aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = xa_alloc_aligned(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % XA_ALIGN, 0);
        memset(p, 1, n);
        free(p);
    }
    assert_null(xa_alloc_aligned(SIZE_MAX));
    assert_null(xa_alloc_aligned(SIZE_MAX - 10));
}

static void test_grow(void **state)
{
    (void)state;
    int *a = NULL;
    size_t cap = 0;
    size_t moves = 0;
    for (size_t i = 0; i < 100000; i++) {
        const size_t before = cap;
        assert_int_equal(xa_grow(&a, &cap, i + 1, sizeof *a, NULL), XA_OK);
        assert_true(cap >= i + 1);
        moves += cap != before;
        a[i] = (int)i;
    }
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(a[i], (int)i);
    assert_true(moves < 40);

    /* What cannot be leaves the array as it was. */
    xa_err err = XA_ERR_INIT;
    int *const same = a;
    const size_t same_cap = cap;
    assert_int_equal(xa_grow(&a, &cap, SIZE_MAX, sizeof *a, &err), XA_NOMEM);
    assert_int_equal(xa_grow(&a, &cap, SIZE_MAX / sizeof *a + 1, sizeof *a, &err), XA_NOMEM);
    assert_int_equal(xa_grow(&a, &cap, SIZE_MAX / 2 + 1, 1, &err), XA_NOMEM);
    assert_int_equal(err.code, XA_NOMEM);
    assert_ptr_equal(a, same);
    assert_int_equal(cap, same_cap);
    assert_int_equal(a[99999], 99999);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_aligned),
        cmocka_unit_test(test_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
