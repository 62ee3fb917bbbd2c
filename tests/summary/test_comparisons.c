/* Comparisons of small archives: pairs of explainers, two archives joined, parts of the images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/small_archive.h"
#include "xaudit/summary.h"
#include "xaudit_cmocka.h"

enum { N = 8 };

static const xa_stats_plan plan = {.seed = 1, .stream = 1, .replicates = 200, .level = 0.95};
static const xa_compare_options options = {.plan = &plan, .alpha = 0.05, .permutations = 1000};
static const char *const explainers[] = {"cam", "grad"};
static const double better[N] = {0.9, 0.8, 0.7, 0.6, 0.9, 0.8, 0.7, NAN};
static const double worse[N] = {0.5, 0.4, 0.3, 0.2, 0.5, 0.4, 0.7, 0.1};
static const double flat[N] = {0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3};

static const small_series series[] = {
    {.explainer = "cam", .metric = "energy", .value = better},
    {.explainer = "grad", .metric = "energy", .value = worse},
    {.explainer = "centre", .metric = "energy", .value = flat, .baseline = true},
    {.explainer = "cam", .metric = "iou", .value = better, .conventions = "otsu"},
    {.explainer = "grad", .metric = "iou", .value = worse, .conventions = "0.15"}};
static const small_archive plain = {.samples = N,
                                    .pairs = N,
                                    .classes = 2,
                                    .explainer = explainers,
                                    .explainers = 2,
                                    .series = series,
                                    .nseries = 5};

static xa_summary *open_archive(const small_archive *a, int which, const char *by)
{
    xa_err err = XA_ERR_INIT;
    xa_summary *s = NULL;
    const char *path = small_archive_name(which);
    small_archive_write(a, path);
    if (xa_summary_open(path, by, &s, &err) != XA_OK)
        fail_msg("%s", err.message);
    unlink(path);
    return s;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void test_pairs(void **state)
{
    (void)state;
    xa_summary *s = open_archive(&plain, 0, NULL);
    xa_err err = XA_ERR_INIT;
    xa_compared *c = NULL;
    int n, left_out;
    assert_int_equal(xa_summary_compare(s, &options, &c, &n, &left_out, &err), XA_OK);
    assert_int_equal(n, 1);        /* baselines only where they are asked for */
    assert_int_equal(left_out, 1); /* iou: other conventions */
    assert_string_equal(c->a->explainer, "cam");
    near(c->pair.difference.value, 6 * 0.4 / 7.0);
    assert_true(c->pair.win == 6 && c->pair.tie == 1 && c->pair.loss == 0);
    assert_true(c->pair.difference.n == 7 && c->only_b.pairs == 0 && c->only_a.pairs == 1);
    /* 6 images differ, all one way: p is 2 / 2^6 */
    near(c->verdict.test.p, 2.0 / 64.0);
    near(c->verdict.adjusted, 2.0 / 64.0);
    assert_true(c->verdict.test.exact && c->verdict.decision == XA_DECISION_SIGNIFICANT &&
                c->verdict.members == 1);
    free(c);
    xa_compare_options o = options;
    o.against = "centre";
    assert_int_equal(xa_summary_compare(s, &o, &c, &n, &left_out, &err), XA_OK);
    assert_int_equal(n, 2);
    assert_true(c[0].b->baseline && c[0].verdict.family == c[1].verdict.family &&
                c[0].verdict.members == 2);
    near(c[0].pair.difference.value, 5.4 / 7.0 - 0.3);
    free(c);
    o.against = "net/grad";
    assert_int_equal(xa_summary_compare(s, &o, &c, &n, &left_out, &err), XA_OK);
    assert_int_equal(n, 1);
    free(c);
    o.against = "lime";
    assert_int_equal(xa_summary_compare(s, &o, &c, &n, &left_out, &err), XA_NOT_FOUND);
    assert_non_null(strstr(err.message, "net/cam, net/grad, net/centre"));
    xa_summary_close(s);
}

/* The same images in another order, one with other pixels, one not there, one not done. */
static void test_two_archives(void **state)
{
    (void)state;
    static const char *const ids[] = {"s3", "s2", "s1", "s0", "s7", "s6", "s5", "new"};
    static const uint64_t hash[] = {103, 102, 999, 100, 107, 106, 0, 5};
    static const int32_t label[] = {1, 0, 1, 0, 1, 0, 1, 0};
    static const double other[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
    const small_series x[] = {{.explainer = "cam", .metric = "energy", .value = other},
                              {.explainer = "cam", .metric = "iou", .value = other}};
    small_archive b = plain;
    b.model = "second";
    b.id = ids;
    b.pixel_hash = hash;
    b.label = label;
    b.series = x;
    b.nseries = 2;
    xa_summary *s = open_archive(&plain, 0, NULL), *t = open_archive(&b, 1, NULL);
    xa_joined j;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_join(s, t, &j, &err), XA_OK);
    assert_true(j.joined == 5 && j.absent == 1 && j.other_pixels == 1 && j.not_done == 1);
    const int64_t want[N] = {3, -1, 1, 0, -1, -1, 5, 4};
    for (int q = 0; q < N; q++)
        assert_int_equal(j.to[q], want[q]);
    xa_compared *c = NULL;
    int n, left_out;
    assert_int_equal(xa_summary_compare_archives(s, t, &j, &options, &c, &n, &left_out, &err),
                     XA_OK);
    assert_int_equal(n, 1); /* iou has other conventions here */
    assert_int_equal(left_out, 1);
    assert_string_equal(c->b->model, "second");
    /* s0, s2, s3, s6: 0.9 0.7 0.6 0.7 less 0.4 0.2 0.1 0.6; s7 is undefined in the first */
    near(c->pair.difference.value, (0.5 + 0.5 + 0.5 + 0.1) / 4.0);
    free(c);
    free(j.to);
    xa_summary_close(s);
    xa_summary_close(t);
}

/* Class names in another order: pairs are matched by name. */
static void test_join_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"ant", "bee"}, *const turned[] = {"bee", "ant"};
    static const int32_t label[] = {1, 0, 1, 0, 1, 0, 1, 0};
    small_archive a = plain, b = plain;
    a.class_names = names;
    b.class_names = turned;
    b.label = label;
    xa_summary *s = open_archive(&a, 0, NULL), *t = open_archive(&b, 1, NULL);
    xa_joined j;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_join(s, t, &j, &err), XA_OK);
    assert_int_equal(j.joined, N);
    free(j.to);
    xa_summary_close(t);
    b.class_names = NULL; /* one side knows no names: by number */
    t = open_archive(&b, 1, NULL);
    assert_int_equal(xa_summary_join(s, t, &j, &err), XA_OK);
    assert_true(j.joined == 0 && j.absent == N);
    free(j.to);
    xa_summary_close(s);
    xa_summary_close(t);
}

/* Names and ids that give one text when they are put together, and long names that differ at their
 * end, stay apart. */
static void test_join_apart(void **state)
{
    (void)state;
    static const char *const classes[] = {"a 1", "a"}, *const ids[] = {"c", "1 c", "x", "y"};
    static const int32_t label[] = {0, 1, 0, 0}, turned[] = {1, 0, 0, 0};
    static const uint64_t hash[] = {1, 1, 2, 3};
    static char names[2][600];
    static const char *const both[] = {names[0], names[1]};
    small_archive a = {.samples = 4,
                       .pairs = 4,
                       .classes = 2,
                       .class_names = classes,
                       .id = ids,
                       .pixel_hash = hash,
                       .label = label};
    small_archive b = a;
    b.label = turned;
    xa_summary *s = open_archive(&a, 0, NULL), *t = open_archive(&b, 1, NULL);
    xa_joined j;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_join(s, t, &j, &err), XA_OK);
    assert_true(j.joined == 2 && j.absent == 2 && j.to[0] == -1 && j.to[1] == -1);
    free(j.to);
    xa_summary_close(s);
    xa_summary_close(t);
    memset(names, 'n', sizeof names);
    names[0][599] = names[1][599] = '\0';
    names[0][598] = '0';
    names[1][598] = '1';
    a.class_names = b.class_names = both;
    s = open_archive(&a, 0, NULL);
    t = open_archive(&b, 1, NULL);
    assert_int_equal(xa_summary_join(s, t, &j, &err), XA_OK);
    assert_true(j.joined == 2 && j.to[0] == -1 && j.to[1] == -1);
    free(j.to);
    xa_summary_close(s);
    xa_summary_close(t);
}

static void test_parts(void **state)
{
    (void)state;
    static const char *const light[N] = {"day", "day", "day", "day", "night", "night", "night", ""};
    small_archive a = plain;
    a.extra_name = "light";
    a.extra = light;
    xa_summary *s = open_archive(&a, 0, "light");
    xa_parted *c = NULL;
    int n, left_out;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_between(s, &options, &c, &n, &left_out, &err), XA_OK);
    assert_int_equal(n, 5); /* day and night, for each series */
    assert_string_equal(c[0].x->metric, "energy");
    assert_string_equal(c[0].part[0], "day");
    near(c[0].between.value[0], 0.75);
    near(c[0].between.value[1], 0.8);
    near(c[0].between.difference.value, -0.05);
    assert_true(c[0].between.n[0] == 4 && c[0].between.n[1] == 3);
    assert_true(c[0].verdict.family == c[2].verdict.family &&
                c[0].verdict.family != c[3].verdict.family);
    free(c);
    xa_summary_close(s);
    static const char *const one[N] = {"day", "day", "day", "day", "day", "day", "day", "day"};
    a.extra = one;
    s = open_archive(&a, 0, "light");
    assert_int_equal(xa_summary_between(s, &options, &c, &n, &left_out, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "two parts are needed"));
    xa_summary_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs),
                                       cmocka_unit_test(test_two_archives),
                                       cmocka_unit_test(test_join_by_name),
                                       cmocka_unit_test(test_join_apart),
                                       cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
