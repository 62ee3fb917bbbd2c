/* Explainers of a tiny CNN and a tiny transformer against float64 (tests/golden/faithfulness). */
#include <stdio.h>

#include "faithful.h"
#include "xaudit_cmocka.h"

static void block1(xa_explainer_spec *s)
{
    snprintf(s->layer, sizeof s->layer, "blocks.1");
}

/* A line a golden. Where no ReLU or pooling winner can flip, float32 is within 1e-5. */
static const faithful_case cases[] = {
    {"cnn", "gradient", XA_EXPLAIN_GRADIENT, NULL, 1e-5, 1e-5},
    {"vit", "gradient", XA_EXPLAIN_GRADIENT, NULL, 1e-5, 1e-5},
    {"cnn", "gradcam", XA_EXPLAIN_GRADCAM, NULL, 1e-5, 1e-5},
    {"vit", "gradcam", XA_EXPLAIN_GRADCAM, block1, 2e-5, 3e-5},
};

static void test_maps(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        failures += !faithful_check(&cases[i]);
    if (failures)
        fail_msg("%d of the maps differ", failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
