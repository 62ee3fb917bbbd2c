/* Cells of tables, CSV, JSON, and templates with hostile values. */
#include "xaudit/print.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"

/* ---- what was printed ---- */

typedef struct printed {
    FILE *file;
    char *text;
    size_t size;
} printed;

static FILE *begin(printed *p)
{
    *p = (printed){0};
    p->file = open_memstream(&p->text, &p->size);
    assert_non_null(p->file);
    return p->file;
}

static void expect(printed *p, const char *want)
{
    assert_int_equal(fclose(p->file), 0);
    assert_string_equal(p->text, want);
    free(p->text);
}

/* ---- columns of a terminal ---- */

static void test_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t columns;
        const char *want;
    } cases[] = {
        {"abc", 5, "abc  "},
        {"abc", 2, "ab"},
        {"", 3, "   "},
        {NULL, 2, "  "},
        {"\xc3\xa4\xc3\xb6", 4, "\xc3\xa4\xc3\xb6  "},                /* umlauts: one each */
        {"\xe5\xa4\xa7\xe9\x98\xaa", 5, "\xe5\xa4\xa7\xe9\x98\xaa "}, /* wide: two each */
        {"\xe5\xa4\xa7\xe9\x98\xaa", 3, "\xe5\xa4\xa7 "},             /* a half is not shown */
        {"e\xcc\x81x", 3, "e\xcc\x81x "},                             /* a combining accent */
        {"a\x1b[31mb", 8, "a?[31mb "},                                /* no escapes */
        {"a\xffz", 4, "a?z "},                                        /* no UTF-8 */
        {"a\xe2\x80\xaez", 4, "a?z "},                                /* right to left */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        printed p;
        xa_put_padded(begin(&p), cases[i].text, cases[i].columns);
        expect(&p, cases[i].want);
    }
    printed p;
    xa_put_whole(begin(&p), "a longer name", 4);
    expect(&p, "a longer name");
    xa_put_whole(begin(&p), "\xe5\xa4\xa7", 4);
    expect(&p, "\xe5\xa4\xa7  ");
    /* at most 120 columns, whatever is asked for */
    char want[121];
    memset(want, ' ', 120);
    want[0] = 'x';
    want[120] = '\0';
    xa_put_padded(begin(&p), "x", 4000);
    expect(&p, want);
}

static void test_scores(void **state)
{
    (void)state;
    static const struct {
        double v;
        bool sign;
        const char *want;
    } cases[] = {{0.12344, false, "0.1234"},
                 {0.12346, true, "+0.1235"},
                 {-0.5, true, "-0.5000"},
                 {0.0, false, "0.0000"},
                 {0.0, true, "+0.0000"},
                 {0.00004, false, " 4e-05"},
                 {-0.00001234, true, " -1e-05"},
                 {123456.0, false, " 1e+05"},
                 {5e-5, false, "0.0001"}};
    char room[24];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(xa_score_text(cases[i].v, cases[i].sign, room), cases[i].want);
    assert_string_equal(xa_bytes_text(999, room, sizeof room), "999 B");
    assert_string_equal(xa_bytes_text(1500, room, sizeof room), "1.5 kB");
    assert_string_equal(xa_bytes_text(12.34e9, room, sizeof room), "12.3 GB");
    assert_string_equal(xa_bytes_text(1e19, room, sizeof room), "10000.0 PB");
}

/* ---- CSV and JSON ---- */

static void test_csv(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"plain", "plain"},
                                           {"", ""},
                                           {"a,b", "\"a,b\""},
                                           {"say \"hi\"", "\"say \"\"hi\"\"\""},
                                           {"two\nlines", "\"two\nlines\""},
                                           {"carriage\r", "\"carriage\r\""},
                                           {"\"", "\"\"\"\""},
                                           {"\xc3\xa4;x", "\xc3\xa4;x"}};
    printed p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xa_csv_text(begin(&p), cases[i][0]);
        expect(&p, cases[i][1]);
    }
    FILE *f = begin(&p);
    xa_csv_number(f, 0.1);
    fputc('|', f);
    xa_csv_number(f, NAN);
    fputc('|', f);
    xa_csv_number(f, -INFINITY);
    fputc('|', f);
    xa_csv_number(f, 1e300);
    expect(&p, "0.1|||1e+300");
}

typedef struct row {
    const char *name;
    int64_t n;
    double v;
    bool yes;
} row;

static void get_name(const void *r, xa_cell *out)
{
    out->kind = XA_CELL_TEXT;
    out->text = ((const row *)r)->name;
}

static void get_n(const void *r, xa_cell *out)
{
    out->kind = XA_CELL_WHOLE;
    out->whole = ((const row *)r)->n;
}

static void get_v(const void *r, xa_cell *out)
{
    out->kind = XA_CELL_REAL;
    out->real = ((const row *)r)->v;
}

static void get_yes(const void *r, xa_cell *out)
{
    out->kind = XA_CELL_BOOL;
    out->whole = ((const row *)r)->yes;
}

static void test_fields(void **state)
{
    (void)state;
    static const xa_field fields[] = {
        {"name, quoted", get_name}, {"n", get_n}, {"v", get_v}, {"yes", get_yes}};
    const row rows[] = {{"a,b", -3, 0.25, true}, {NULL, INT64_MAX, NAN, false}};
    printed p;
    xa_fields_csv(begin(&p), fields, 4, rows, 2, sizeof *rows);
    expect(&p,
           "\"name, quoted\",n,v,yes\n"
           "\"a,b\",-3,0.25,yes\n"
           ",9223372036854775807,,no\n");
    /* nothing is null, never NaN and never an empty text */
    json_t *list = xa_fields_json(fields, 4, rows, 2, sizeof *rows);
    assert_int_equal(json_array_size(list), 2);
    const json_t *o = json_array_get(list, 1);
    assert_true(json_is_null(json_object_get(o, "name, quoted")));
    assert_true(json_is_null(json_object_get(o, "v")));
    assert_true(json_is_false(json_object_get(o, "yes")));
    assert_true(json_integer_value(json_object_get(o, "n")) == INT64_MAX);
    o = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(o, "name, quoted")), "a,b");
    assert_true(json_real_value(json_object_get(o, "v")) == 0.25);
    json_decref(list);
    list = xa_fields_json(fields, 4, rows, 0, sizeof *rows);
    assert_true(list && json_array_size(list) == 0);
    json_decref(list);
    const row bad = {"a\xff", 0, 0.0, false};
    list = xa_fields_json(fields, 4, &bad, 1, sizeof bad); /* not UTF-8 */
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "name, quoted")),
                        "a?");
    json_decref(list);
}

/* ---- templates ---- */

static void test_templates(void **state)
{
    (void)state;
    printed p;
    xa_fill(begin(&p),
            "<a title=\"@{t}\">@{t}</a>@!{raw}@{none} a@b @ {x} @{open",
            XA_ESCAPE_HTML,
            "t",
            "<b> & \"c\" 'd'",
            "raw",
            "<hr>",
            NULL);
    expect(&p,
           "<a title=\"&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\">&lt;b&gt; &amp; &quot;c&quot; "
           "&#39;d&#39;</a><hr>@{none} a@b @ {x} @{open");
    /* a value is not a template; NULL is empty; names do not match by their beginning */
    xa_fill(begin(&p), "[@{a}|@{ab}|@{b}]", XA_ESCAPE_HTML, "a", "@{b}", "b", NULL, NULL);
    expect(&p, "[@{b}|@{ab}|]");
    xa_fill(begin(&p), "", XA_ESCAPE_HTML, NULL);
    expect(&p, "");
    xa_fill(begin(&p), "\\textbf{@!{v}} @{n}", XA_ESCAPE_LATEX, "v", "0.1", "n", "a_b", NULL);
    expect(&p, "\\textbf{0.1} a\\_b");
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        xa_escape escape;
        const char *value, *want;
    } cases[] = {
        {XA_ESCAPE_HTML, "\xc3\xa4\t\n", "\xc3\xa4\t\n"},
        {XA_ESCAPE_HTML, "\x01\x1f\x7f", "???"},
        {XA_ESCAPE_HTML, "\xff\xc3", "??"}, /* cut off in the middle of a character */
        {XA_ESCAPE_HTML,
         "\xe2\x80\xae"
         "abc",
         "?abc"},
        {XA_ESCAPE_HTML, "</script><script>", "&lt;/script&gt;&lt;script&gt;"},
        {XA_ESCAPE_LATEX, "50%_$#&{}", "50\\%\\_\\$\\#\\&\\{\\}"},
        {XA_ESCAPE_LATEX, "\\input{/etc/passwd}", "\\textbackslash{}input\\{/etc/passwd\\}"},
        {XA_ESCAPE_LATEX,
         "~^<>|",
         "\\textasciitilde{}\\textasciicircum{}\\textless{}\\textgreater{}\\textbar{}"},
        {XA_ESCAPE_LATEX, "a\n\nb", "a  b"},
        {XA_ESCAPE_LATEX_COMMENT, "one\r\ntwo", "one  two"},
        {XA_ESCAPE_LATEX, "\xc3\xa4\xff", "\xc3\xa4?"},
        {XA_ESCAPE_LATEX_COMMENT, "50 %\xfe", "50 %?"},
        {XA_ESCAPE_LATEX_COMMENT, NULL, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        printed p;
        xa_escape_text(begin(&p), cases[i].escape, cases[i].value);
        expect(&p, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns),
                                       cmocka_unit_test(test_scores),
                                       cmocka_unit_test(test_csv),
                                       cmocka_unit_test(test_fields),
                                       cmocka_unit_test(test_templates),
                                       cmocka_unit_test(test_escapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
