/* The table of settings: its rows make sense, every type keeps its bounds, every kind of explainer
 * and metric takes its own settings and no others, and help and jobs/REFERENCE.md say what the
 * table says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setting_places.h"
#include "xaudit/job.h"
#include "xaudit_cmocka.h"

/* A job with every kind of explainer and metric, and with every map. */
static xa_str job_text;

static int make_job(void **state)
{
    (void)state;
    xa_str_puts(&job_text,
                "manifest: m.csv\n"
                "output: o.h5\n"
                "limits: {}\n"
                "store: {}\n"
                "models:\n"
                "  - name: one\n"
                "    file: one.h5\n"
                "    input: { size: [8, 9], resize: tf-nearest, scale: { div: 2 },\n"
                "             fit: { short: 9 }, depth: { window: [0, 9] } }\n"
                "    explainers:\n");
    for (int k = 0; k < XA_EXPLAIN_COUNT; k++)
        xa_str_printf(
            &job_text, "      - { kind: %s, name: e%d }\n", xa__kind_name(XA_JOB_EXPLAINER, k), k);
    xa_str_puts(&job_text, "metrics:\n");
    for (int k = 0; k < XA_METRIC_COUNT; k++)
        xa_str_printf(&job_text,
                      "  - { kind: %s, at: input, sign: positive }\n",
                      xa__kind_name(XA_JOB_METRIC, k));
    xa_str_puts(&job_text, "checks:\n");
    for (int k = 0; k < XA_FAITH_COUNT; k++)
        xa_str_printf(&job_text, "  - { kind: %s }\n", xa__kind_name(XA_JOB_CHECK, k));
    return job_text.failed;
}

static int free_job(void **state)
{
    (void)state;
    xa_str_free(&job_text);
    return 0;
}

/* The job with one setting; on success *job is to be freed. */
static xa_status parse_with(const char *path, const char *value, xa_job *job, xa_problems *problems)
{
    char *set = path ? xa_strfmt("%s=%s", path, value) : NULL;
    const xa_job_options opt = {.set = (const char *const *)&set, .nset = path ? 1 : 0};
    const xa_status st =
        xa_job_parse("j.yaml", job_text.data, job_text.len, &opt, job, problems, NULL);
    free(set);
    return st;
}

static void accepts(const char *path, const char *value)
{
    xa_problems problems = {0};
    xa_job j;
    if (parse_with(path, value, &j, &problems) != XA_OK)
        fail_msg("%s=%s: %s", path, value, problems.items[0].text);
    xa_job_fini(&j);
}

static void refuses(const char *path, const char *value, const char *words)
{
    xa_problems problems = {0};
    xa_job j;
    if (parse_with(path, value, &j, &problems) == XA_OK)
        fail_msg("%s=%s is accepted", path, value);
    if (problems.count != 1 || !strstr(problems.items[0].text, words))
        fail_msg("%s=%s: %d problems, \"%s\" does not say \"%s\"",
                 path,
                 value,
                 (int)problems.count,
                 problems.items[0].text,
                 words);
    xa_problems_fini(&problems);
}

/* ---- rows ---- */

static void test_rows(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        const char *name = s->key ? s->key : s->line;
        if (!name || (s->key && (!s->help || !*s->help)))
            fail_msg("row %d has no name or no help", (int)i);
        if (s->key && s->help[strlen(s->help) - 1] == '.')
            fail_msg("%s: help ends with a full stop", name);
        for (size_t k = 0; s->key && k < i; k++)
            if (all[k].map == s->map && all[k].key && !strcmp(all[k].key, s->key))
                fail_msg("%s has two rows", name);
        const bool plain = xa__is_plain(s);
        if (s->type == XA__OTHER && !s->read)
            fail_msg("%s: nothing reads it", name);
        if (s->type != XA__MAP && !s->part && !s->why)
            fail_msg("%s moves no part of the identity, and does not say why", name);
        if (s->part && !s->within && !s->lines && !plain)
            fail_msg("%s moves the identity, and nothing writes its line", name);
        if (s->type == XA__INTEGER && s->size != sizeof(int) && s->size != sizeof(int64_t))
            fail_msg("%s: its member is no whole number", name);
        if (s->type == XA__NUMBER && s->size != sizeof(double))
            fail_msg("%s: its member is no double", name);
        if (s->type == XA__TRUTH && s->size != sizeof(bool))
            fail_msg("%s: its member is no bool", name);
        if (s->type == XA__WORD && plain && s->size != sizeof(bool) && s->size != sizeof(int))
            fail_msg("%s: its member is neither bool nor enum", name);
        if (s->type == XA__WORD && s->size == sizeof(bool))
            assert_null(s->words[2]);
    }
}

/* Words that a table of another room has too. */
static void test_words(void **state)
{
    (void)state;
    const xa_setting *numerics = xa__setting(XA_JOB_JOB, "numerics");
    for (int i = 0; i < XA_NUMERICS_COUNT; i++)
        assert_string_equal(numerics->words[i], xa_numerics_name((xa_numerics)i));
    assert_null(numerics->words[XA_NUMERICS_COUNT]);
    const xa_setting *checks = xa__setting(XA_JOB_JOB, "checks");
    assert_string_equal(checks->words[0], xa_check_name(XA_CHECK_AVERAGE_DROP));
    assert_string_equal(checks->words[1], xa_check_name(XA_CHECK_RANDOM_LOGIT));
}

/* ---- types ---- */

static void try_integer(const xa_setting *s, const char *path)
{
    char value[32];
    accepts(path, (snprintf(value, sizeof value, "%" PRId64, s->low), value));
    accepts(path, (snprintf(value, sizeof value, "%" PRId64, s->high), value));
    refuses(path, (snprintf(value, sizeof value, "%" PRId64, s->low - 1), value), s->key);
    if (s->high < INT64_MAX)
        refuses(path, (snprintf(value, sizeof value, "%" PRId64, s->high + 1), value), s->key);
    refuses(path, "1.5", "expected a whole number");
    refuses(path, "9223372036854775808", "expected a whole number");
    refuses(path, "many", "found many");
    refuses(path, "[1]", "found a list");
    refuses(path, "{}", "found a map");
    refuses(path, "", "found nothing");
}

static void try_number(const xa_setting *s, const char *path)
{
    char value[32];
    accepts(path, (snprintf(value, sizeof value, "%.17g", s->least), value));
    snprintf(value, sizeof value, "%.17g", s->most);
    if (s->below)
        refuses(path, value, s->key);
    else
        accepts(path, value);
    accepts(path, (snprintf(value, sizeof value, "%.17g", nextafter(s->most, 0.0)), value));
    refuses(path, (snprintf(value, sizeof value, "%.17g", s->least - 1e-9), value), s->key);
    refuses(path, "nan", "expected a number");
    refuses(path, "inf", "expected a number");
    refuses(path, "1e999", "expected a number");
    refuses(path, "0.1x", "found 0.1x");
    refuses(path, "[0.1]", "found a list");
}

static void try_word(const xa_setting *s, const char *path)
{
    char near[64];
    for (int i = 0; s->words[i]; i++)
        accepts(path, s->words[i]);
    snprintf(near, sizeof near, "%sx", s->words[0]);
    refuses(path, near, "did you mean");
    refuses(path, "[x]", "found a list");
    refuses(path, "", "found nothing");
}

static void try_text(const xa_setting *s, const char *path)
{
    char text[512] = "";
    const bool pointer = s->size == sizeof(char *);
    const size_t most = s->type == XA__NAME ? 60 : pointer ? 400 : s->size - 1;
    memset(text, 'x', most);
    accepts(path, text);
    text[most] = 'x';
    if (!pointer || s->type == XA__NAME)
        refuses(path, text, "at most");
    refuses(path, "", "found nothing");
    refuses(path, "[x]", "found a list");
    if (s->type == XA__NAME) {
        refuses(path, "a/b", "a/b");
        refuses(path, ".hidden", ".hidden");
    }
}

static void test_types(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    xa_problems problems = {0};
    xa_str path = {0};
    const void *object;
    xa_job j;
    int tried = 0;
    assert_int_equal(parse_with(NULL, NULL, &j, &problems), XA_OK);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        if (!s->key || !xa__is_plain(s) || s->before || !setting_place(&j, s, 0, &path, &object))
            continue;
        tried++;
        if (s->type == XA__INTEGER)
            try_integer(s, path.data);
        else if (s->type == XA__NUMBER)
            try_number(s, path.data);
        else if (s->type == XA__WORD)
            try_word(s, path.data);
        else if (s->type == XA__TRUTH) {
            accepts(path.data, "true");
            accepts(path.data, "no");
            refuses(path.data, "maybe", "expected true or false; found maybe");
            refuses(path.data, "[true]", "found a list");
        } else if (!s->read) {
            try_text(s, path.data);
        }
    }
    assert_true(tried > 25);
    xa_str_free(&path);
    xa_job_fini(&j);
}

/* ---- kinds ---- */

/* Every kind of explainer and metric with every setting that some kind has: its own, or a mistake
 * that names both sides. */
static void test_kinds(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    int wrong = 0;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; all[i].key && !all[i].before && k < xa__kinds_of(all[i].map); k++) {
            const xa_setting *s = &all[i];
            const char *place = s->map == XA_JOB_METRIC  ? "metrics.%d.%s"
                                : s->map == XA_JOB_CHECK ? "checks.%d.%s"
                                                         : "models.0.explainers.%d.%s";
            char path[64], words[96];
            if (xa__kind_has(s, k))
                continue;
            wrong++;
            snprintf(path, sizeof path, place, k, s->key);
            snprintf(words, sizeof words, ", not of %s", xa__kind_name(s->map, k));
            refuses(path, "1", words);
            snprintf(words, sizeof words, "%s: a setting of ", s->key);
            refuses(path, "1", words);
        }
    assert_true(wrong > 50);
}

/* ---- defaults ---- */

/* What is written as the default is what holds without it. */
static void test_defaults(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    xa_problems problems = {0};
    xa_str path = {0}, value = {0};
    const void *object, *with;
    xa_job j, other;
    const xa_decode_options decode = xa_decode_defaults();
    assert_int_equal(parse_with(NULL, NULL, &j, &problems), XA_OK);
    assert_int_equal(j.audit.decode.max_pixels, decode.max_pixels);
    assert_int_equal(j.audit.decode.max_bytes, decode.max_bytes);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        if (!s->key || !s->initial || !setting_place(&j, s, 0, &path, &object))
            continue;
        xa_str_free(&value);
        xa__value_text(s, object, &value);
        assert_string_equal(value.data, s->initial);
        assert_int_equal(parse_with(path.data, s->initial, &other, &problems), XA_OK);
        assert_true(setting_place(&other, s, 0, &path, &with));
        assert_memory_equal(
            (const char *)object + s->offset, (const char *)with + s->offset, s->size);
        xa_job_fini(&other);
    }
    xa_str_free(&value);
    xa_str_free(&path);
    xa_job_fini(&j);
}

/* ---- help and reference ---- */

static char *help(const char *key, xa_status wanted)
{
    char *text = NULL;
    size_t size = 0;
    xa_err err = XA_ERR_INIT;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    assert_int_equal(xa_settings_help(f, key, &err), wanted);
    assert_int_equal(fclose(f), 0);
    if (wanted == XA_OK)
        return text;
    free(text);
    return xa_strdup(err.message);
}

/* Makes one line of a text. */
static void unwrap(char *text)
{
    char *to = text;
    for (const char *c = text; *c; c++)
        if (*c != ' ' && *c != '\n')
            *to++ = *c;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    *to = '\0';
}

static void test_help(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    char *text = help(NULL, XA_OK);
    for (const char *line = text; *line;) {
        const size_t size = strcspn(line, "\n");
        if (size > 79)
            fail_msg("longer than 79 columns: %.*s", (int)size, line);
        assert_true(!size || line[size - 1] != ' ');
        line += size + (line[size] == '\n');
    }
    for (size_t i = 0; i < n; i++)
        if (all[i].key && !strstr(text, all[i].key))
            fail_msg("%s is not in the help", all[i].key);
    free(text);
    text = help("models.0.input.fit", XA_OK);
    assert_non_null(strstr(text, "input: fit\n"));
    assert_non_null(strstr(text, "{ short: 256"));
    assert_null(strstr(text, "`"));
    free(text);
    text = help("scale", XA_OK); /* of a model and of an explainer */
    assert_non_null(strstr(text, "input: scale\n"));
    assert_non_null(strstr(text, "input of an explainer: scale\n"));
    free(text);
    text = help("threads", XA_OK);
    unwrap(text);
    assert_non_null(strstr(text, "because it moves the models' outputs (only on processors"));
    assert_non_null(strstr(text, "fused multiply-adds; on all others a run goes"));
    free(text);
    text = help("output", XA_OK);
    unwrap(text);
    assert_non_null(strstr(text, "a run goes on with another value: an archive may lie anywhere"));
    free(text);
    text = help("iou", XA_OK);
    assert_non_null(strstr(text, "0.5; 0.3 0.5 0.7 of box_acc"));
    assert_non_null(strstr(text, "gt_known, top1, top5, box_acc"));
    free(text);
    text = help("metric.toleranse", XA_NOT_FOUND);
    assert_non_null(strstr(text, "did you mean \"tolerance\""));
    free(text);
}

static void test_reference(void **state)
{
    (void)state;
    char *page = NULL, *table = help("--markdown", XA_OK);
    size_t size = 0;
    assert_int_equal(xa_read_file(XA_PROJECT "/jobs/REFERENCE.md", 1 << 22, &page, &size, NULL),
                     XA_OK);
    const char *begin = strstr(page, "\n| where | setting |");
    const char *end = strstr(page, "<!-- end of settings -->");
    assert_non_null(begin);
    assert_non_null(end);
    begin++;
    if ((size_t)(end - begin) != strlen(table) || memcmp(begin, table, strlen(table)) != 0)
        fail_msg("the table of jobs/REFERENCE.md is not that of src/job/settings.def: run "
                 "src/job/update_reference.sh build/xaudit");
    free(page);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_types),
                                       cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_defaults),
                                       cmocka_unit_test(test_help),
                                       cmocka_unit_test(test_reference)};
    return cmocka_run_group_tests(tests, make_job, free_job);
}
