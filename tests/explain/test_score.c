/* Scores: their gradients against central differences of the probabilities they stand for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

enum { UNITS = 5 };

static double probability(const xa_head *h, const double *z, int c)
{
    if (h->kind == XA_HEAD_BINARY)
        return 1.0 / (1.0 + exp(c ? -z[0] : z[0]));
    if (h->kind == XA_HEAD_MULTILABEL)
        return 1.0 / (1.0 + exp(-z[c]));
    double sum = 0.0;
    for (int k = 0; k < h->units; k++)
        sum += exp(z[k] - z[c]);
    return 1.0 / sum;
}

static double score_of(const xa_head *h, xa_score s, const double *z, int c)
{
    if (s == XA_SCORE_FINER) { /* the nearest are given by the values below, whatever the step */
        static const int near[UNITS][3] = {{3, 4, 1}, {3, 0, 4}, {4, 0, 3}, {0, 4, 1}, {0, 2, 3}};
        double above = 0.0, below = 1e-9;
        for (int i = 0; i < 3; i++) {
            const double p = probability(h, z, near[c][i]);
            above += p * (z[c] - z[near[c][i]]);
            below += p;
        }
        return above / below;
    }
    if (s == XA_SCORE_LOGIT)
        return h->kind == XA_HEAD_BINARY ? (c ? z[0] : -z[0]) : z[c];
    const double p = probability(h, z, c);
    return s == XA_SCORE_PROB ? p : log(p);
}

static double scalar_of(const xa_head *h, const xa_scalar *s, const double *z, int c)
{
    double v = score_of(h, s->score, z, c);
    if (s->minus >= 0)
        v -= score_of(h, s->score, z, s->minus);
    return s->down ? -v : v;
}

static void check(const xa_head *h, const xa_scalar *s, int c)
{
    const float z[UNITS] = {0.3f, -1.2f, 2.0f, 0.0f, 1.1f};
    float seed[UNITS];
    xa_err err = XA_ERR_INIT;
    if (s->score == XA_SCORE_FINER && h->kind != XA_HEAD_SOFTMAX) {
        assert_int_equal(xa_score_seed(h, s, z, c, seed, &err), XA_INVALID);
        assert_non_null(strstr(err.message, "under a softmax"));
        return;
    }
    assert_int_equal(xa_score_seed(h, s, z, c, seed, NULL), XA_OK);
    double exact[UNITS];
    for (int k = 0; k < UNITS; k++)
        exact[k] = (double)z[k];
    if (s->score == XA_SCORE_FINER)
        assert_true(isnan(xa_score_value(h, s, z, c)));
    else
        assert_true(fabs(xa_score_value(h, s, z, c) - scalar_of(h, s, exact, c)) < 1e-12);
    for (int k = 0; k < h->units; k++) {
        double up[UNITS], down[UNITS];
        const double step = 1e-5;
        for (int i = 0; i < UNITS; i++)
            up[i] = down[i] = (double)z[i];
        up[k] += step;
        down[k] -= step;
        const double want = (scalar_of(h, s, up, c) - scalar_of(h, s, down, c)) / (2.0 * step);
        if (!(fabs((double)seed[k] - want) < 1e-6))
            fail_msg("score %d class %d minus %d, down %d, unit %d: %.9g, expected %.9g",
                     (int)s->score,
                     c,
                     (int)s->minus,
                     s->down,
                     k,
                     (double)seed[k],
                     want);
    }
}

static void test_all_scores(void **state)
{
    (void)state;
    const xa_head heads[] = {{XA_HEAD_SOFTMAX, 0, UNITS, UNITS},
                             {XA_HEAD_BINARY, 0, 1, 2},
                             {XA_HEAD_MULTILABEL, 0, UNITS, UNITS}};
    for (int i = 0; i < 3; i++)
        for (int s = 0; s < XA_SCORE_COUNT; s++)
            for (int c = 0; c < heads[i].classes; c++)
                for (int form = 0; form < 8; form++) {
                    const xa_scalar x = {.score = (xa_score)s,
                                         .as_tensorflow = form & 1,
                                         .down = form & 2,
                                         .minus = form & 4 ? (c + 1) % (int)heads[i].classes : -1};
                    check(&heads[i], &x, c);
                }
}

/* The opposite direction is the opposite gradient, to the bit; a class of two minus the other is
 * twice its own. */
static void test_direction_and_difference(void **state)
{
    (void)state;
    const xa_head softmax = {XA_HEAD_SOFTMAX, 0, 3, 3}, binary = {XA_HEAD_BINARY, 0, 1, 2},
                  values = {XA_HEAD_REGRESSION, 0, 3, 3};
    const float z[3] = {0.5f, -1.0f, 2.0f};
    float up[3], down[3];
    const xa_scalar prob = {.score = XA_SCORE_PROB, .minus = -1},
                    against = {.score = XA_SCORE_PROB, .minus = -1, .down = true},
                    apart = {.score = XA_SCORE_LOGIT, .minus = 0},
                    value = {.score = XA_SCORE_LOGIT, .minus = -1, .down = true};
    assert_int_equal(xa_score_seed(&softmax, &prob, z, 1, up, NULL), XA_OK);
    assert_int_equal(xa_score_seed(&softmax, &against, z, 1, down, NULL), XA_OK);
    for (int k = 0; k < 3; k++)
        assert_true(up[k] == -down[k] && up[k] != 0.0f);
    assert_int_equal(xa_score_seed(&softmax, &apart, z, 2, up, NULL), XA_OK);
    assert_true(up[0] == -1.0f && up[1] == 0.0f && up[2] == 1.0f);
    assert_int_equal(xa_score_seed(&binary, &apart, z, 1, up, NULL), XA_OK);
    assert_true(up[0] == 2.0f);
    assert_int_equal(xa_score_seed(&values, &value, z, 2, up, NULL), XA_OK);
    assert_true(up[0] == 0.0f && up[1] == 0.0f && up[2] == -1.0f);
}

/* Which of a sample's rows is scored for an annotated class. */
static void test_rows(void **state)
{
    (void)state;
    const int32_t best[] = {4, 1, 0}, one[] = {2}, none[] = {-1};
    assert_int_equal(xa_target_row(XA_TARGET_TOP, best, 3, 1), 1);
    assert_int_equal(xa_target_row(XA_TARGET_TOP, best, 3, 3), -1); /* not among the best */
    assert_int_equal(xa_target_row(XA_TARGET_DIFFERENCE, one, 1, 7), 0);
    assert_int_equal(xa_target_row(XA_TARGET_UNIT, one, 1, 7), 0);
    assert_int_equal(xa_target_row(XA_TARGET_CLASS, one, 1, 7), 0);
    assert_int_equal(xa_target_row(XA_TARGET_LABEL, one, 1, 7), -1);
    assert_int_equal(xa_target_row(XA_TARGET_UNIT, none, 1, 7), -1);
    assert_int_equal(xa_target_row(XA_TARGET_NONE, none, 1, 7), 0);
}

/* Nearest in logit, of equally near ones the first; fewer classes than three. */
static void test_nearest(void **state)
{
    (void)state;
    const xa_head h = {XA_HEAD_SOFTMAX, 0, UNITS, UNITS}, two = {XA_HEAD_SOFTMAX, 0, 2, 2};
    const float z[UNITS] = {1.0f, 3.0f, 2.0f, 1.0f, 9.0f};
    int32_t near[XA_FINER_CLASSES];
    float seed[2];
    xa_finer_nearest(&h, z, 2, near);
    assert_int_equal(near[0], 0);
    assert_int_equal(near[1], 1);
    assert_int_equal(near[2], 3);
    xa_finer_nearest(&h, z, 4, near);
    assert_int_equal(near[0], 1);
    assert_int_equal(near[1], 2);
    assert_int_equal(near[2], 0);
    xa_finer_nearest(&two, z, 1, near);
    assert_int_equal(near[0], 0);
    assert_int_equal(near[1], -1);
    assert_int_equal(near[2], -1);
    /* one other class: p cancels, S = z_1 - z_0 but for the 1e-9 */
    assert_int_equal(
        xa_score_seed(&two, &(xa_scalar){.score = XA_SCORE_FINER, .minus = -1}, z, 1, seed, NULL),
        XA_OK);
    assert_true(fabs((double)seed[1] - 1.0) < 1e-6 && fabs((double)seed[0] + 1.0) < 1e-6);
}

/* A confident softmax: TensorFlow's form loses the own class' term, the stable one keeps it. */
static void test_saturated_softmax(void **state)
{
    (void)state;
    const xa_head h = {XA_HEAD_SOFTMAX, 0, 3, 3};
    const float z[3] = {40.0f, 0.0f, 1.0f};
    float stable[3], tf[3];
    const xa_scalar ours = {.score = XA_SCORE_PROB, .minus = -1},
                    theirs = {.score = XA_SCORE_PROB, .as_tensorflow = true, .minus = -1};
    assert_int_equal(xa_score_seed(&h, &ours, z, 0, stable, NULL), XA_OK);
    assert_int_equal(xa_score_seed(&h, &theirs, z, 0, tf, NULL), XA_OK);
    const double others = exp(-40.0) + exp(-39.0);
    assert_true(fabs((double)stable[0] / others - 1.0) < 1e-6);
    assert_true(tf[0] == 0.0f);
    assert_true(tf[1] < 0.0f && tf[2] < 0.0f);
}

static void test_refusals(void **state)
{
    (void)state;
    const xa_head softmax = {XA_HEAD_SOFTMAX, 0, 3, 3}, linear = {XA_HEAD_LINEAR, 0, 3, 3};
    const float z[3] = {0};
    float seed[3];
    xa_err err = XA_ERR_INIT;
    const xa_scalar logit = {.score = XA_SCORE_LOGIT, .minus = -1},
                    prob = {.score = XA_SCORE_PROB, .minus = -1},
                    apart = {.score = XA_SCORE_LOGIT, .minus = 3};
    assert_int_equal(xa_score_seed(&softmax, &logit, z, 3, seed, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "class 3"));
    assert_int_equal(xa_score_seed(&softmax, &logit, z, -1, seed, &err), XA_INVALID);
    assert_int_equal(xa_score_seed(&softmax, &apart, z, 0, seed, &err), XA_INVALID);
    assert_int_equal(xa_score_seed(&linear, &prob, z, 0, seed, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "head"));
    assert_int_equal(xa_score_seed(&linear, &logit, z, 2, seed, &err), XA_OK);
    assert_true(seed[2] == 1.0f && seed[0] == 0.0f);
}

static void test_default_names(void **state)
{
    (void)state;
    char name[64];
    xa_explainer_spec s = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    s.target = XA_TARGET_LABEL;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "gradcam.label");
    s.score = XA_SCORE_PROB;
    snprintf(s.layer, sizeof s.layer, "xception/add_11");
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "gradcam.label.prob.add_11");
    s = xa_explainer_defaults(XA_EXPLAIN_SALIENCY);
    s.target = XA_TARGET_CLASS;
    s.target_class = 3;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "saliency.class3");
    s.down = true;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "saliency.class3.down");
    s.target = XA_TARGET_DIFFERENCE;
    s.target_minus = 5;
    s.down = false;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "saliency.class3-class5");
    s = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    s.target = XA_TARGET_TOP;
    s.top = 3;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "gradcam.top3");
    s = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT); /* explains no class: neither target nor score */
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "rollout");
    s.vit_keras = true;
    s.score = XA_SCORE_PROB;
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "attention_map");
    s = xa_explainer_defaults(XA_EXPLAIN_ATTENTION);
    snprintf(s.layer, sizeof s.layer, "3");
    xa_explainer_default_name(&s, name, sizeof name);
    assert_string_equal(name, "attention.3");
}

/* Values where p rounds to 0 or 1: its logarithm stays exact. */
static void test_saturated_values(void **state)
{
    const float z[2] = {-400.0f, 400.0f};
    const xa_head softmax = {.kind = XA_HEAD_SOFTMAX, .units = 2, .classes = 2},
                  binary = {.kind = XA_HEAD_BINARY, .units = 1, .classes = 2},
                  plain = {.kind = XA_HEAD_NONE, .units = 2, .classes = 2};
    const xa_scalar prob = {.score = XA_SCORE_PROB, .minus = -1},
                    log_prob = {.score = XA_SCORE_LOGPROB, .minus = -1};
    (void)state;
    assert_true(xa_score_value(&softmax, &prob, z, 1) == 1.0);
    assert_true(xa_score_value(&softmax, &log_prob, z, 0) == -800.0);
    assert_true(xa_score_value(&softmax, &log_prob, z, 1) == 0.0);
    assert_true(xa_score_value(&binary, &log_prob, z, 1) == -400.0);
    assert_true(xa_score_value(&binary, &prob, z, 0) == 1.0);
    assert_true(isnan(xa_score_value(&plain, &prob, z, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_scores),
                                       cmocka_unit_test(test_nearest),
                                       cmocka_unit_test(test_direction_and_difference),
                                       cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_saturated_softmax),
                                       cmocka_unit_test(test_saturated_values),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_default_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
