/* Input-gradient reductions, facts about maps, half-float storage. */
#include <math.h>

#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

static const float gradient[2 * 2 * 3] = {
    1.0f, -4.0f, 2.0f, /**/ 0.0f, 0.0f, 0.0f, /**/ -1.0f, -2.0f, -3.0f, /**/ 5.0f, 0.5f, -0.25f};
static const float input[2 * 2 * 3] = {
    2.0f, 1.0f, -1.0f, /**/ 1.0f, 1.0f, 1.0f, /**/ 1.0f, 0.0f, 2.0f, /**/ -1.0f, 2.0f, 4.0f};

static void run(xa_explainer_spec *s, float *map)
{
    const xa_explain_view v = {
        .input_shape = {.ndim = 3, .dim = {2, 2, 3}}, .input = input, .input_gradient = gradient};
    xa_explainer_get(s->kind)->compute(s, &v, map);
}

static void expect(const float *map, const float *want, int n)
{
    for (int i = 0; i < n; i++)
        if (!(fabsf(map[i] - want[i]) < 1e-6f))
            fail_msg("at %d: %g, expected %g", i, (double)map[i], (double)want[i]);
}

static void test_saliency_is_the_largest_magnitude(void **state)
{
    (void)state;
    xa_explainer_spec s = xa_explainer_defaults(XA_EXPLAIN_SALIENCY);
    float map[4];
    run(&s, map);
    expect(map, (const float[]){4.0f, 0.0f, 3.0f, 5.0f}, 4);
    s.channels = XA_REDUCE_SUM;
    run(&s, map);
    expect(map, (const float[]){7.0f, 0.0f, 6.0f, 5.75f}, 4);
    s.channels = XA_REDUCE_MEAN;
    run(&s, map);
    expect(map, (const float[]){7.0f / 3.0f, 0.0f, 2.0f, 5.75f / 3.0f}, 4);
    s.channels = XA_REDUCE_L2;
    run(&s, map);
    expect(map, (const float[]){sqrtf(21.0f), 0.0f, sqrtf(14.0f), sqrtf(25.3125f)}, 4);
    /* without the magnitude the maximum is the largest signed value, negative where all are */
    s.channels = XA_REDUCE_MAX;
    s.absolute = false;
    run(&s, map);
    expect(map, (const float[]){2.0f, 0.0f, -1.0f, 5.0f}, 4);
}

static void test_gradient_keeps_channels_and_signs(void **state)
{
    (void)state;
    xa_explainer_spec s = xa_explainer_defaults(XA_EXPLAIN_GRADIENT);
    float map[12];
    run(&s, map);
    expect(map,
           (const float[]){
               1.0f, 0.0f, -1.0f, 5.0f, -4.0f, 0.0f, -2.0f, 0.5f, 2.0f, 0.0f, -3.0f, -0.25f},
           12);
    s = xa_explainer_defaults(XA_EXPLAIN_GRADIENT_X_INPUT);
    s.channels = XA_REDUCE_SUM;
    run(&s, map);
    expect(map, (const float[]){-4.0f, 0.0f, -7.0f, -5.0f}, 4);
}

static void test_facts(void **state)
{
    (void)state;
    const xa_shape plane = {.ndim = 3, .dim = {1, 2, 3}};
    const float ties[6] = {0.0f, 2.0f, -9.0f, 2.0f, 1.0f, 0.0f};
    xa_map_facts f = xa_map_inspect(ties, &plane);
    assert_int_equal(f.argmax, 1); /* the first of equals */
    assert_int_equal(f.flags, 0);
    assert_true(f.maximum == 2.0f);
    const float zeros[6] = {0};
    f = xa_map_inspect(zeros, &plane);
    assert_int_equal(f.flags, XA_MAP_FLAG_DEGENERATE);
    assert_int_equal(f.argmax, -1);
    assert_true(f.maximum == 0.0f);
    const float bad[6] = {NAN, 1.0f, INFINITY, 3.0f, -INFINITY, 0.0f};
    f = xa_map_inspect(bad, &plane);
    assert_int_equal(f.flags, XA_MAP_FLAG_NONFINITE);
    assert_int_equal(f.argmax, 3);
    assert_true(f.maximum == 3.0f);
    const float lost[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
    f = xa_map_inspect(lost, &plane);
    assert_int_equal(f.flags, XA_MAP_FLAG_NONFINITE | XA_MAP_FLAG_DEGENERATE);
    assert_true(isnan(f.maximum));
    const float negative[6] = {-3.0f, -1.0f, -2.0f, -5.0f, -4.0f, -6.0f};
    f = xa_map_inspect(negative, &plane);
    assert_int_equal(f.argmax, 1);
    assert_true(f.maximum == -1.0f);
    /* two channels: the position of the largest magnitude */
    const xa_shape two = {.ndim = 3, .dim = {2, 1, 3}};
    const float planes[6] = {1.0f, 2.0f, 0.0f, 0.0f, 0.0f, -7.0f};
    f = xa_map_inspect(planes, &two);
    assert_int_equal(f.argmax, 2);
}

static void test_half_keeps_small_gradients(void **state)
{
    (void)state;
    const float tops[] = {1.0f, 3e-9f, 7.3e30f, 1.2e-38f, 1e-44f, 65504.0f};
    for (size_t t = 0; t < sizeof tops / sizeof *tops; t++) {
        float map[64];
        uint16_t half[64];
        for (int i = 0; i < 64; i++)
            map[i] = tops[t] * (float)(i - 20) / 43.0f;
        map[63] = tops[t];
        const float scale = xa_map_encode_half(map, 64, half);
        int exponent;
        assert_true(frexpf(scale, &exponent) == 0.5f); /* a power of two */
        for (int i = 0; i < 64; i++) {
            const double got = (double)xa_f32_from_f16(half[i]) * (double)scale;
            const double slack = fmax(fabs((double)map[i]) * 0x1p-11, (double)scale * 0x1p-25);
            if (!(fabs(got - (double)map[i]) <= slack))
                fail_msg("%g came back as %g (scale %g)", (double)map[i], got, (double)scale);
        }
    }
    const float special[4] = {NAN, INFINITY, 0.0f, 2.0f};
    uint16_t half[4];
    assert_true(isfinite(xa_map_encode_half(special, 4, half)));
    assert_true(isnan(xa_f32_from_f16(half[0])));
    assert_true(isinf(xa_f32_from_f16(half[1])));
    const float zeros[2] = {0.0f, 0.0f};
    assert_true(xa_map_encode_half(zeros, 2, half) == 1.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_saliency_is_the_largest_magnitude),
                                       cmocka_unit_test(test_gradient_keeps_channels_and_signs),
                                       cmocka_unit_test(test_facts),
                                       cmocka_unit_test(test_half_keeps_small_gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
