/* How often a model is right, and its calibration error, by hand. */
#include <math.h>
#include <stdint.h>

#include "xaudit/view.h"
#include "xaudit_cmocka.h"

enum { N = 6, C = 3 };

static void fill(xa_read *r, xa_read_model *m, const float *probs)
{
    static int64_t offset[N + 1] = {0, 1, 2, 3, 5, 5, 6};
    static int32_t label[N] = {0, 1, 2, 0, 1, 2};
    static uint8_t status[N] = {1, 1, 1, 1, 1, 2};
    static int32_t predicted[N] = {0, 0, 2, 1, 1, -1};
    *r = (xa_read){.samples = N, .label_offset = offset, .label_value = label};
    *m = (xa_read_model){.classes = C, .status = status, .predicted = predicted};
    m->probs = (float *)(uintptr_t)probs;
}

/* Answers with labels: 0 right at 0.95, 1 wrong at 0.94, 2 right at 0.5, 3 right (of two labels) at
 * 0.6; sample 4 has no label, 5 failed. Bins of 1/15: 0.95 and 0.94 share (14/15, 1], 0.5 is in
 * (7/15, 8/15], and 0.6 the upper end of (8/15, 9/15]. */
static void test_by_hand(void **state)
{
    (void)state;
    static const float p[N * C] = {0.95f,
                                   0.05f,
                                   0,
                                   0.94f,
                                   0.06f,
                                   0,
                                   0.3f,
                                   0.2f,
                                   0.5f,
                                   0.2f,
                                   0.6f,
                                   0.2f,
                                   0.1f,
                                   0.9f,
                                   0.0f,
                                   NAN,
                                   NAN,
                                   NAN};
    xa_read r;
    xa_read_model m;
    xa_answered a;
    fill(&r, &m, p);
    xa_read_answered(&r, &m, &a);
    assert_int_equal(a.n, 4);
    assert_int_equal(a.right, 3);
    assert_true(fabs(a.confidence - (0.95 + 0.94 + 0.5 + 0.6) / 4.0) < 1e-7);
    const double gap = fabs(1.0 - (0.95 + 0.94)) + fabs(1.0 - 0.5) + fabs(1.0 - 0.6);
    assert_true(fabs(a.ece - gap / 4.0) < 1e-7);
}

static void test_not_known(void **state)
{
    (void)state;
    static const float none[N * C] = {NAN, NAN, NAN};
    xa_read r;
    xa_read_model m;
    xa_answered a;
    fill(&r, &m, none); /* the head gives no probabilities */
    xa_read_answered(&r, &m, &a);
    assert_true(a.n == 4 && a.right == 3 && isnan(a.ece) && isnan(a.confidence));
    m.probs = NULL;
    xa_read_answered(&r, &m, &a);
    assert_true(a.n == 4 && isnan(a.ece));
    m.values = true; /* the outputs are no classes */
    xa_read_answered(&r, &m, &a);
    assert_true(a.n == 0 && isnan(a.ece));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_not_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
