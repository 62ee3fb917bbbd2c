/* Asks and answers: there and back, and every kind of damage refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol.h"
#include "xaudit/sched.h"

static void test_ask(void **state)
{
    (void)state;
    const xa__ask in = {
        .want = true,
        .stop = true,
        .bye = false,
        .signal = 15,
        .code = XA_NOSPACE,
        .culprit = 12,
        .first = INT64_C(5000000000),
        .n = 7,
        .from = INT64_C(5000000004),
        .through = true,
        .finished = 3,
        .seconds = 1.25,
        .report = "abc\0def",
        .report_size = 7,
    };
    xa_str s = {0};
    assert_int_equal(xa__ask_encode(&in, &s, NULL), XA_OK);
    xa__ask out;
    assert_int_equal(xa__ask_decode(s.data, s.len, &out, NULL), XA_OK);
    assert_true(out.want && out.stop && !out.bye && out.through);
    assert_int_equal(out.culprit, 12);
    assert_int_equal(out.from, in.from);
    assert_int_equal(out.signal, 15);
    assert_int_equal(out.code, XA_NOSPACE);
    assert_int_equal(out.first, in.first);
    assert_int_equal(out.n, 7);
    assert_int_equal(out.finished, 3);
    assert_true(out.seconds == 1.25);
    assert_int_equal(out.report_size, 7);
    assert_memory_equal(out.report, "abc\0def", 7);
    xa_str_free(&s);
}

static void test_answer(void **state)
{
    (void)state;
    const xa__answer grant = {
        .kind = XA__GRANT, .first = 9, .n = 2, .payload = "rows", .payload_size = 4, .culprit = -1};
    xa_str s = {0};
    assert_int_equal(xa__answer_encode(&grant, &s, NULL), XA_OK);
    xa__answer out;
    assert_int_equal(xa__answer_decode(s.data, s.len, &out, NULL), XA_OK);
    assert_int_equal(out.kind, XA__GRANT);
    assert_int_equal(out.first, 9);
    assert_int_equal(out.n, 2);
    assert_int_equal(out.payload_size, 4);
    assert_memory_equal(out.payload, "rows", 4);
    xa_str_free(&s);

    const xa__answer end = {
        .kind = XA__END, .end = XA_SCHED_FAILED, .signal = 10, .culprit = 3, .done = 77};
    assert_int_equal(xa__answer_encode(&end, &s, NULL), XA_OK);
    assert_int_equal(xa__answer_decode(s.data, s.len, &out, NULL), XA_OK);
    assert_int_equal(out.kind, XA__END);
    assert_int_equal(out.end, XA_SCHED_FAILED);
    assert_int_equal(out.signal, 10);
    assert_int_equal(out.culprit, 3);
    assert_int_equal(out.done, 77);
    xa_str_free(&s);
}

static void refuse_ask(const xa__ask *a)
{
    xa_str s = {0};
    xa_err err = XA_ERR_INIT;
    xa__ask out;
    assert_int_equal(xa__ask_encode(a, &s, NULL), XA_OK);
    assert_int_equal(xa__ask_decode(s.data, s.len, &out, &err), XA_COMM);
    assert_true(strlen(err.message) > 0);
    xa_str_free(&s);
}

static void test_ask_fields(void **state)
{
    (void)state;
    const xa__ask good = {.first = 1, .n = 5, .from = 1, .finished = 5, .seconds = 1};
    xa__ask a = good;
    a.first = -1;
    refuse_ask(&a);
    a = good;
    a.n = -1;
    refuse_ask(&a);
    a = good;
    a.n = INT64_MAX;
    refuse_ask(&a);
    a = good;
    a.from = 2; /* beyond what was granted */
    refuse_ask(&a);
    a = good;
    a.from = 0;
    refuse_ask(&a);
    a = good;
    a.culprit = -1;
    refuse_ask(&a);
    a = good;
    a.finished = 6;
    refuse_ask(&a);
    a = good;
    a.finished = -1;
    refuse_ask(&a);
    a = good;
    a.seconds = NAN;
    refuse_ask(&a);
    a = good;
    a.seconds = INFINITY;
    refuse_ask(&a);
    a = good;
    a.seconds = -1;
    refuse_ask(&a);
    a = good;
    a.signal = 1000;
    refuse_ask(&a);
    a = good;
    a.code = XA_STATUS_COUNT;
    refuse_ask(&a);
}

static void refuse_answer(const xa__answer *a)
{
    xa_str s = {0};
    xa_err err = XA_ERR_INIT;
    xa__answer out;
    assert_int_equal(xa__answer_encode(a, &s, NULL), XA_OK);
    assert_int_equal(xa__answer_decode(s.data, s.len, &out, &err), XA_COMM);
    assert_true(strlen(err.message) > 0);
    xa_str_free(&s);
}

static void test_answer_fields(void **state)
{
    (void)state;
    xa__answer a = {.kind = XA__GRANT, .first = 1, .n = 0};
    refuse_answer(&a); /* a grant of nothing */
    a = (xa__answer){.kind = XA__STOP, .n = 3};
    refuse_answer(&a);
    a = (xa__answer){.kind = (xa__answer_kind)9};
    refuse_answer(&a);
    a = (xa__answer){.kind = XA__GRANT, .first = INT64_MAX, .n = 1};
    refuse_answer(&a);
    a = (xa__answer){.kind = XA__END, .end = 9};
    refuse_answer(&a);
    a = (xa__answer){.kind = XA__END, .culprit = -2};
    refuse_answer(&a);
    a = (xa__answer){.kind = XA__END, .done = -1};
    refuse_answer(&a);
}

/* Cut anywhere, lengthened, or one byte of it changed: refused or harmless, never read beyond. */
static void test_damage(void **state)
{
    (void)state;
    xa_str ask = {0}, answer = {0};
    const xa__ask a = {.n = 2, .finished = 1, .report = "0123456789", .report_size = 10};
    const xa__answer b = {.kind = XA__GRANT, .n = 2, .payload = "0123456789", .payload_size = 10};
    assert_int_equal(xa__ask_encode(&a, &ask, NULL), XA_OK);
    assert_int_equal(xa__answer_encode(&b, &answer, NULL), XA_OK);
    const xa_str *both[] = {&ask, &answer};
    for (int k = 0; k < 2; k++) {
        const xa_str *s = both[k];
        for (size_t n = 0; n < s->len + 3; n++) {
            /* Of exactly n bytes, so that a sanitizer sees a read beyond. */
            unsigned char *copy = calloc(n > 0 ? n : 1, 1);
            assert_non_null(copy);
            memcpy(copy, s->data, n < s->len ? n : s->len);
            xa__ask x;
            xa__answer y;
            xa_status st =
                k == 0 ? xa__ask_decode(copy, n, &x, NULL) : xa__answer_decode(copy, n, &y, NULL);
            assert_int_equal(st, n == s->len ? XA_OK : XA_COMM);
            /* The other kind is never taken for this one. */
            st = k == 0 ? xa__answer_decode(copy, n, &y, NULL) : xa__ask_decode(copy, n, &x, NULL);
            assert_int_equal(st, XA_COMM);
            free(copy);
        }
        for (size_t i = 0; i < s->len * 8; i++) {
            unsigned char *copy = malloc(s->len);
            assert_non_null(copy);
            memcpy(copy, s->data, s->len);
            copy[i / 8] = (unsigned char)(copy[i / 8] ^ (1u << i % 8));
            xa__ask x = {0};
            xa__answer y = {0};
            if (k == 0 && xa__ask_decode(copy, s->len, &x, NULL) == XA_OK) {
                assert_in_range(x.finished, 0, x.n);
                assert_int_equal(x.report_size, 10);
            }
            if (k == 1 && xa__answer_decode(copy, s->len, &y, NULL) == XA_OK)
                assert_int_equal(y.payload_size, 10);
            free(copy);
        }
    }
    xa_str_free(&ask);
    xa_str_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_ask_fields),
        cmocka_unit_test(test_answer_fields),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
