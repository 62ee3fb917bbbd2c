/* The order of class names: found where it is another one, and not where the model is merely bad.
 */
#include "xaudit/view.h"

#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"

static const char *number(void *arg, int32_t c, char *buffer, size_t size)
{
    (void)arg;
    snprintf(buffer, size, "c%d", (int)c);
    return buffer;
}

static void add(xa_answers *a, int32_t label, int32_t predicted, int times)
{
    xa_err err = XA_ERR_INIT;
    for (int i = 0; i < times; i++)
        assert_int_equal(xa_answers_add(a, label, predicted, &err), XA_OK);
}

/* The text of the order, "" where none is found. */
static void expect(xa_answers *a, const char *text)
{
    xa_err err = XA_ERR_INIT;
    xa_class_order o;
    xa_str s = {0};
    assert_int_equal(xa_class_order_find(a, &o, &err), XA_OK);
    xa_class_order_text(&o, number, NULL, &s);
    if (strcmp(s.data ? s.data : "", text) != 0)
        fail_msg("\"%s\", expected \"%s\"", s.data ? s.data : "", text);
    xa_str_free(&s);
    xa_class_order_free(&o);
    xa_answers_free(a);
}

static void test_found(void **state)
{
    (void)state;
    xa_answers a = {0};
    /* two of three swapped, a perfect model; the third stays */
    add(&a, 0, 1, 6), add(&a, 1, 0, 6), add(&a, 2, 2, 6);
    expect(&a, "c0 <-> c1");
    /* a cycle of three: 18 images */
    add(&a, 0, 2, 6), add(&a, 1, 0, 6), add(&a, 2, 1, 6);
    expect(&a, "c0 -> c2, c1 -> c0, c2 -> c1");
    /* a model that is right in 70 %, of ten classes turned round */
    for (int32_t c = 0; c < 10; c++)
        add(&a, c, 9 - c, 14), add(&a, c, (c + 3) % 10, 3), add(&a, c, c, 3);
    expect(&a, "c0 <-> c9, c1 <-> c8, c2 <-> c7, c3 <-> c6, c4 <-> c5");
    /* all one further, as of 1001 classes with a background: no cycle is seen */
    for (int32_t c = 0; c < 12; c++)
        add(&a, 80 * c, 80 * c + 1, 8);
    expect(
        &a,
        "c0 -> c1, c80 -> c81, c160 -> c161, c240 -> c241, c320 -> c321, c400 -> c401 and 6 more");
    /* two classes with their names exchanged, 90 % right */
    add(&a, 0, 1, 27), add(&a, 0, 0, 3), add(&a, 1, 0, 27), add(&a, 1, 1, 3);
    expect(&a, "c0 <-> c1");
}

static void test_not_found(void **state)
{
    (void)state;
    xa_answers a = {0};
    expect(&a, "");
    /* right, and half right */
    for (int32_t c = 0; c < 5; c++)
        add(&a, c, c, 20);
    expect(&a, "");
    for (int32_t c = 0; c < 5; c++)
        add(&a, c, c, 10), add(&a, c, (c + 1) % 5, 10);
    expect(&a, "");
    /* one class for everything */
    for (int32_t c = 0; c < 5; c++)
        add(&a, c, 3, 20);
    expect(&a, "");
    /* two classes for everything, by halves of the labels */
    for (int32_t c = 0; c < 6; c++)
        add(&a, c, c < 3 ? 5 : 0, 20);
    expect(&a, "");
    /* one label confused with another that is told well: no order explains it */
    add(&a, 0, 1, 20), add(&a, 1, 1, 20), add(&a, 2, 2, 20);
    expect(&a, "");
    /* two classes, worse than chance but no more: 35 % */
    add(&a, 0, 1, 65), add(&a, 0, 0, 35), add(&a, 1, 0, 65), add(&a, 1, 1, 35);
    expect(&a, "");
    /* too few images to tell */
    add(&a, 0, 1, 4), add(&a, 1, 0, 4);
    expect(&a, "");
    /* an image a label */
    for (int32_t c = 0; c < 64; c++)
        add(&a, c, (c + 1) % 64, 1);
    expect(&a, "");
}

/* Models that guess: of 400 none is said to have another order. */
static void test_guessing(void **state)
{
    (void)state;
    static const int32_t classes[] = {2, 3, 5, 10, 100};
    static const int images[] = {16, 64, 300, 1000};
    for (size_t k = 0; k < 5; k++)
        for (size_t j = 0; j < 4; j++)
            for (uint64_t seed = 0; seed < 20; seed++) {
                xa_answers a = {0};
                xa_err err = XA_ERR_INIT;
                uint64_t x = seed * 7919 + (uint64_t)images[j] * 31 + (uint64_t)classes[k];
                for (int i = 0; i < images[j]; i++) {
                    x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                    const uint32_t r = (uint32_t)(x >> 33);
                    /* biased as bad models are: a third of all answers is one class */
                    const int32_t said = r % 3 ? (int32_t)(r / 3 % (uint32_t)classes[k]) : 0;
                    assert_int_equal(xa_answers_add(&a, i % classes[k], said, &err), XA_OK);
                }
                expect(&a, "");
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_guessing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
