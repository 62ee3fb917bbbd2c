/* What checks object to, in words: every rule at its bound, from figures that are given. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/summary.h"
#include "xaudit_cmocka.h"

enum { N = 20 };

static const xa_stats_plan plan = {.seed = 1, .stream = 1, .replicates = 400, .level = 0.95};

/* An archive in memory with one check of one explainer. */
typedef struct judged_one {
    int64_t row[N], sample[N], group[N];
    int32_t target[N];
    uint8_t status[N];
    double first[N], random[N], keeps[N];
    char *figure[3], *text[3];
    double *value[3];
    int better[3];
    xa_read_checked check;
    xa_read_map map;
    xa_read_model model;
    xa_read r;
    xa_series series;
    xa_summary s;
} judged_one;

static judged_one *make(const char *kind, bool ranks, int better)
{
    judged_one *o = calloc(1, sizeof *o);
    assert_non_null(o);
    static char figure[2][3][64];
    snprintf(figure[ranks][0], 64, "%s.auc", kind);
    snprintf(figure[ranks][1], 64, "%s.minus_random", kind);
    snprintf(figure[ranks][2], 64, "%s.%s", kind, ranks ? "base_keeps" : "n01");
    for (int f = 0; f < 3; f++) {
        o->figure[f] = figure[ranks][f];
        o->text[f] = figure[ranks][f];
    }
    for (int64_t i = 0; i < N; i++) {
        o->row[i] = o->sample[i] = o->group[i] = i;
        o->status[i] = XA_CHECKED_DONE;
        o->first[i] = 0.5;
    }
    o->value[0] = o->first;
    o->value[1] = o->random;
    o->value[2] = o->keeps;
    o->better[0] = o->better[1] = better;
    static char settings[] = "steps 16; baseline black; images 20";
    o->check = (xa_read_checked){.name = (char *)(uintptr_t)kind,
                                 .kind = (char *)(uintptr_t)kind,
                                 .settings = settings,
                                 .n = N,
                                 .row = o->row,
                                 .sample = o->sample,
                                 .target = o->target,
                                 .status = o->status,
                                 .figure = o->figure,
                                 .text = o->text,
                                 .better = o->better,
                                 .value = o->value,
                                 .nfigures = 3};
    static char cam[] = "cam", net[] = "net";
    o->map = (xa_read_map){.name = cam, .checked = &o->check, .nchecked = 1};
    o->model = (xa_read_model){.name = net, .maps = &o->map, .nmaps = 1};
    o->r = (xa_read){.models = &o->model, .nmodels = 1};
    o->series = (xa_series){.checked = &o->check};
    o->s =
        (xa_summary){.r = &o->r, .series = &o->series, .nseries = 1, .group_of_sample = o->group};
    return o;
}

/* Differences to the random map around `centre`, `spread` apart. */
static void differ(judged_one *o, double centre, double spread)
{
    for (int i = 0; i < N; i++)
        o->random[i] = centre + spread * ((double)(i % 5) - 2.0);
}

static void expect_texts(judged_one *o, int objections, const char *first, const char *second)
{
    const char *const want[] = {first, second};
    const int n = (first != NULL) + (second != NULL);
    xa_judged *j = NULL;
    int count = 0;
    assert_int_equal(xa_summary_judge(&o->s, &plan, &j, &count, NULL), XA_OK);
    assert_int_equal(count, n > 0);
    for (int k = 0; k < n; k++) {
        assert_int_equal(j->n, n);
        assert_string_equal(j->model, "net");
        assert_string_equal(j->explainer, "cam");
        assert_int_equal(j->objections, objections);
        if (strncmp(j->text[k], want[k], strlen(want[k])) != 0)
            fail_msg("\"%s\" instead of \"%s\"", j->text[k], want[k]);
    }
    xa_judged_free(j, count);
    free(o);
}

static void no_objection(void **state)
{
    (void)state;
    judged_one *o = make("deletion", true, -1);
    differ(o, -0.2, 0.01);
    expect_texts(o, 0, "no objection", NULL);
    o = make("insertion", true, 1);
    differ(o, 0.2, 0.01);
    expect_texts(o, 0, "no objection", NULL);
    o = make("sensitivity_n", false, 1);
    differ(o, 0.2, 0.01);
    expect_texts(o, 0, "no objection", NULL);
}

static void random_rivals(void **state)
{
    (void)state;
    judged_one *o = make("deletion", true, -1);
    differ(o, -0.01, 0.2); /* on the right side, and its interval reaches 0 */
    expect_texts(
        o, 1, "deletion: no better than a random ranking (the difference is -0.010 [", NULL);
    o = make("deletion", true, -1);
    differ(o, 0.2, 0.01);
    expect_texts(o, 1, "deletion: worse than a random ranking (the difference is +0.200 [", NULL);
    o = make("insertion", true, 1);
    differ(o, -0.2, 0.01);
    expect_texts(o, 1, "insertion: worse than a random ranking (the difference is -0.200 [", NULL);
    o = make("infidelity", false, -1);
    differ(o, 0.01, 0.2);
    expect_texts(o, 1, "infidelity: no better than a random map (", NULL);
}

/* More than a fifth of the images; these are left out of the difference. */
static void baselines(void **state)
{
    (void)state;
    judged_one *o = make("deletion", true, -1);
    differ(o, -0.2, 0.01);
    for (int i = 0; i < 4; i++) {
        o->keeps[i] = 1.0;
        o->random[i] = 5.0;
    }
    expect_texts(o, 0, "no objection", NULL); /* 20 % is not more than 20 % */
    o = make("deletion", true, -1);
    differ(o, -0.2, 0.01);
    for (int i = 0; i < 5; i++) {
        o->keeps[i] = 1.0;
        o->random[i] = 5.0;
    }
    expect_texts(o, 1, "deletion: the baseline black leaves the class in 25 % of the images", NULL);
    o = make("deletion", true, -1);
    for (int i = 0; i < N; i++)
        o->keeps[i] = 1.0;
    expect_texts(o,
                 1,
                 "deletion: the baseline black leaves the class in 100 % of the images",
                 "deletion: not judged: no image is left for it");
}

static void not_judged(void **state)
{
    (void)state;
    judged_one *o = make("deletion", true, -1);
    differ(o, -0.2, 0.01);
    for (int i = 4; i < N; i++)
        o->first[i] = o->random[i] = NAN;
    expect_texts(o, 0, "deletion: not judged: too few groups for an interval: fewer than 5", NULL);
    o = make("infidelity", false, -1); /* not for these maps: nothing is said */
    for (int i = 0; i < N; i++)
        o->first[i] = o->random[i] = NAN;
    expect_texts(o, 0, NULL, NULL);
    o = make("complexity", false, 0); /* there is no rule */
    expect_texts(o, 0, NULL, NULL);
    o = make("deletion", true, -1); /* not selected */
    o->s.nseries = 0;
    expect_texts(o, 0, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_objection),
        cmocka_unit_test(random_rivals),
        cmocka_unit_test(baselines),
        cmocka_unit_test(not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
