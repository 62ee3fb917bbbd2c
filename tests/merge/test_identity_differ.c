/* How identities are compared and told, and the sections of merged ones. */
#include <stdlib.h>
#include <string.h>

#include "merge_internal.h"
#include "xaudit/job.h"
#include "xaudit_cmocka.h"

static void differ(const char *a, const char *b, unsigned parts, int n, const char *told)
{
    xa_identity_difference d;
    assert_int_equal(xa_identity_differ(a, b, "A", "B", &d, NULL), XA_OK);
    assert_int_equal(d.parts, parts);
    assert_int_equal(d.n, n);
    assert_string_equal(d.text.data ? d.text.data : "", told);
    xa_str_free(&d.text);
}

static void test_parts(void **state)
{
    (void)state;
    differ("a = 1\n", "a = 1\n", 0, 0, "");
    differ("pass.x = 1\nmaps.y = 2\n", "maps.y = 2\npass.x = 1", 0, 0, "");
    differ("pass.x = 1\n", "pass.x = 2\n", XA_IDENTITY_PASS, 1, "pass.x: A '1', B '2'");
    differ("maps.m/e/kind = g\n",
           "maps.m/e/kind = h\n",
           XA_IDENTITY_MAPS,
           1,
           "maps.m/e/kind: A 'g', B 'h'");
    differ("scores.metric.e/at = map\n",
           "scores.metric.e/at = image\n",
           XA_IDENTITY_METRICS,
           1,
           "scores.metric.e/at: A 'map', B 'image'");
    differ("scores.checks = none\n",
           "scores.checks = random_logit\n",
           XA_IDENTITY_SCORES,
           1,
           "scores.checks: A 'none', B 'random_logit'");
    differ("slice = 0 to 1\n", "", XA_IDENTITY_SLICE, 1, "slice: A '0 to 1', B nothing");
    /* hashes say no more than that they changed */
    differ("scores.manifest.boxes = "
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
           "scores.manifest.boxes = "
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee\n",
           XA_IDENTITY_SCORES,
           1,
           "scores.manifest.boxes: changed");
}

/* What a list tells is not told again line by line; what only one has without a list is. */
static void test_lists(void **state)
{
    (void)state;
    differ("scores.metrics = a\nscores.metric.a/at = map\n",
           "scores.metrics = b\nscores.metric.b/at = map\n",
           XA_IDENTITY_METRICS,
           1,
           "scores.metrics: A 'a', B 'b'");
    differ("maps.m/e/kind = g\n",
           "maps.m/e/kind = g\nmaps.m/e/input/scale = tf\n",
           XA_IDENTITY_MAPS,
           1,
           "maps.m/e/input/scale: A nothing, B 'tf'");
    /* names with dots are nobody else's */
    differ("scores.metric.a/at = map\nscores.metric.a.b/at = map\n",
           "scores.metric.a/at = map\nscores.metric.a.b/at = image\n",
           XA_IDENTITY_METRICS,
           1,
           "scores.metric.a.b/at: A 'map', B 'image'");
}

static void test_versions(void **state)
{
    (void)state;
    /* whatever else differs */
    differ("format = 1.0\npass.x = 1\n",
           "format = 1.1\npass.x = 2\nscores.definitions = 2\n",
           XA_IDENTITY_VERSIONS | XA_IDENTITY_PASS,
           2,
           "format: A '1.0', B '1.1'; scores.definitions: A nothing, B '2'");
    xa_str ours = {0}, same = {0};
    xa_identity_current(&ours);
    assert_false(ours.failed);
    xa_identity_versions(ours.data, &same);
    assert_string_equal(same.data, ours.data);
    xa_str_free(&same);
    xa_identity_versions("pass.x = 1\nformat = 1.0\nmaps.definitions = 4\n\nx", &same);
    assert_string_equal(same.data, "format = 1.0\nmaps.definitions = 4\n");
    xa_str_free(&same);
    xa_str_free(&ours);
}

static void test_limits(void **state)
{
    (void)state;
    differ("pass.max_pixels = 5\n",
           "pass.max_pixels = 6\n",
           XA_IDENTITY_LIMITS,
           1,
           "pass.max_pixels: A '5', B '6'");
    differ("pass.max_pixels = 6\n",
           "pass.max_pixels = 5\n",
           XA_IDENTITY_PASS,
           1,
           "pass.max_pixels: A '6', B '5'");
    differ("pass.max_bytes = 6\n",
           "pass.max_bytes = 99999999999999999999999999\n",
           XA_IDENTITY_PASS,
           1,
           "pass.max_bytes: A '6', B '99999999999999999999999999'");
}

static void sections(const char *identity, int n, const char *const *want)
{
    xa__merge_part p = {.path = "x.h5", .identity = xa_strdup(identity)};
    xa_str again = {0};
    assert_int_equal(xa__merge_sections(&p, NULL), XA_OK);
    assert_int_equal(p.nsections, n);
    for (int i = 0; i < n; i++)
        assert_string_equal(p.sections[i], want[i]);
    /* what is written of it is read back */
    assert_int_equal(xa__merge_identity(&p, 1, &again, NULL), XA_OK);
    xa__merge_part q = {.path = "y.h5", .identity = again.data};
    assert_int_equal(xa__merge_sections(&q, NULL), XA_OK);
    assert_int_equal(q.nsections, n);
    for (int i = 0; i < n; i++) {
        assert_string_equal(q.sections[i], want[i]);
        free(q.sections[i]);
        free(p.sections[i]);
    }
    free(p.sections);
    free(q.sections);
    free(p.identity);
    xa_str_free(&again);
}

static void test_sections(void **state)
{
    (void)state;
    const char *const one[] = {"format = 1.1\npass.x = 1\n"};
    const char *const two[] = {"format = 1.1\na = 1\n", "format = 1.1\nb = 2\n"};
    sections("format = 1.1\npass.x = 1\n", 1, one);
    sections("merged.0 = of these\n0.format = 1.1\n0.a = 1\nmerged.1 = of these\n1.format = "
             "1.1\n1.b = 2\n",
             2,
             two);
    /* damaged ones are refused or read as far as they go; never beyond their end */
    static const char *const bad[] = {
        "", "merged.0 = of these\n", "7.x = 1\n", "merged.", "999999999999.x = 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xa__merge_part p = {.path = "x.h5", .identity = xa_strdup(bad[i])};
        xa_err err = XA_ERR_INIT;
        const xa_status st = xa__merge_sections(&p, &err);
        assert_true(st == XA_OK || st == XA_FORMAT);
        for (int k = 0; k < p.nsections; k++)
            free(p.sections[k]);
        free(p.sections);
        free(p.identity);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
