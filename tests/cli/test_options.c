/* The table of commands and options: every row makes sense, and every command line is read as the
 * table says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "xaudit/chart.h"
#include "xaudit/draw.h"
#include "xaudit/figure.h"
#include "xaudit/import.h"
#include "xaudit_cmocka.h"

enum { WORDS = 16 };

/* Parses words separated by spaces; the texts live in `copy`. */
static xa_status
parse(xa_command_id command, const char *line, char copy[512], xa_args *out, xa_err *err)
{
    char *words[WORDS] = {copy};
    int n = 1;
    snprintf(copy, 512, "%s", line);
    for (char *w = strtok(copy, " "); w && n < WORDS; w = strtok(NULL, " "))
        words[n++] = w;
    *err = (xa_err)XA_ERR_INIT;
    return xa__args_parse(command, n, words, out, err);
}

static void refused(xa_command_id command, const char *line, const char *because)
{
    char copy[512];
    xa_args a;
    xa_err err;
    if (parse(command, line, copy, &a, &err) == XA_OK) {
        xa__args_fini(&a);
        fail_msg("xaudit %s %s is taken", xa__command_of(command)->name, line);
    }
    assert_int_equal(err.code, XA_INVALID);
    if (!strstr(err.message, because))
        fail_msg("xaudit %s %s: \"%s\" does not say \"%s\"",
                 xa__command_of(command)->name,
                 line,
                 err.message,
                 because);
}

static void taken(xa_command_id command, const char *line, xa_args *out, char copy[512])
{
    xa_err err;
    if (parse(command, line, copy, out, &err) != XA_OK)
        fail_msg("xaudit %s %s: %s", xa__command_of(command)->name, line, err.message);
}

/* A value that the row takes. */
static const char *sample(const xa_option *o, char *buf, size_t size)
{
    if (o->kind == XA_OPTION_CHOICE)
        snprintf(buf, size, "%.*s", (int)strcspn(o->choices, "|"), o->choices);
    else if (o->kind == XA_OPTION_PIECE)
        snprintf(buf, size, "1/2");
    else if (o->kind == XA_OPTION_TEXT)
        snprintf(buf, size, "text");
    else
        snprintf(buf, size, "%.10g", o->initial ? atof(o->initial) : o->low < 1 ? 1.0 : o->low);
    return buf;
}

/* Arguments that make a command complete. */
static const char *complete(xa_command_id c)
{
    static const char *const lines[XA_COMMAND_COUNT] = {[XA_COMMAND_MERGE] = "a.h5 b.h5 -o c.h5",
                                                        [XA_COMMAND_FIGURE] = "a.h5 -o c.png",
                                                        [XA_COMMAND_REPORT] = "a.h5 -o c.html",
                                                        [XA_COMMAND_MANIFEST] =
                                                            "csv a.csv -o m.csv"};
    return lines[c] ? lines[c] : "a.h5";
}

/* The option that an option needs beside it; "": none. */
static const char *needed(int option)
{
    static const xa_option_id pairs[][2] = {
#define NEEDS(a, b) {XA_OPT_##a, XA_OPT_##b},
#include "commands.def"
    };
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
        if ((int)pairs[k][0] == option)
            return xa__option_of(pairs[k][1])->name;
    return "";
}

static void test_rows(void **state)
{
    (void)state;
    char value[64], line[256], copy[512];
    for (int i = 0; i < XA_OPT_COUNT; i++) {
        const xa_option *o = xa__option_of((xa_option_id)i);
        assert_non_null(o->name);
        assert_true(*o->help && (!xa_str_ends(o->help, ".") || xa_str_ends(o->help, "...")));
        assert_true(o->commands != 0);
        assert_int_equal(o->kind == XA_OPTION_CHOICE, o->choices != NULL);
        assert_int_equal(o->kind == XA_OPTION_FLAG || o->kind == XA_OPTION_CHOICE,
                         o->argument == NULL);
        for (int k = 0; k < i; k++) { /* a command has a name and a letter once */
            const xa_option *p = xa__option_of((xa_option_id)k);
            if (o->commands & p->commands) {
                assert_string_not_equal(o->name, p->name);
                assert_true(!o->letter || o->letter != p->letter);
            }
        }
        for (int c = 0; c < XA_COMMAND_COUNT; c++) {
            xa_args a;
            const char *text = sample(o, value, sizeof value);
            const char *extra = needed(i);
            if (!xa__option_on(o, (xa_command_id)c) || i == XA_OPT_HELP)
                continue;
            if (o->kind == XA_OPTION_FLAG)
                snprintf(line, sizeof line, "%s --%s", complete((xa_command_id)c), o->name);
            else
                snprintf(line,
                         sizeof line,
                         "%s --%s %s%s%s",
                         complete((xa_command_id)c),
                         o->name,
                         text,
                         *extra ? " --" : "",
                         extra);
            taken((xa_command_id)c, line, &a, copy);
            assert_true(xa__args_has(&a, (xa_option_id)i));
            if (o->kind == XA_OPTION_TEXT)
                assert_string_equal(xa__args_text(&a, (xa_option_id)i), "text");
            xa__args_fini(&a);
            /* the initial value of a row is a value that the row takes */
            if (o->initial && o->kind != XA_OPTION_FLAG) {
                snprintf(line,
                         sizeof line,
                         "%s --%s=%s",
                         complete((xa_command_id)c),
                         o->name,
                         o->initial);
                taken((xa_command_id)c, line, &a, copy);
                xa_args given = a, none;
                char other[512];
                taken((xa_command_id)c, complete((xa_command_id)c), &none, other);
                assert_true(xa__args_integer(&given, (xa_option_id)i) ==
                            xa__args_integer(&none, (xa_option_id)i));
                assert_true(xa__args_number(&given, (xa_option_id)i) ==
                            xa__args_number(&none, (xa_option_id)i));
                xa__args_fini(&none);
                xa__args_fini(&a);
            }
            if (o->kind != XA_OPTION_FLAG) {
                snprintf(line, sizeof line, "%s --%s", complete((xa_command_id)c), o->name);
                refused((xa_command_id)c, line, "needs a value");
            } else {
                snprintf(line, sizeof line, "%s --%s=1", complete((xa_command_id)c), o->name);
                refused((xa_command_id)c, line, "takes no value");
            }
        }
    }
}

/* Every command refuses every option that it does not have, and names a command that has it. */
static void test_foreign(void **state)
{
    (void)state;
    char line[256], owner[64];
    int tried = 0;
    for (int i = 0; i < XA_OPT_COUNT; i++)
        for (int c = 0; c < XA_COMMAND_COUNT; c++) {
            const xa_option *o = xa__option_of((xa_option_id)i);
            unsigned owners = 0;
            int first = 0;
            if (xa__option_find((xa_command_id)c, o->name, strlen(o->name)) >= 0)
                continue;
            for (int k = 0; k < XA_OPT_COUNT; k++)
                if (!strcmp(xa__option_of((xa_option_id)k)->name, o->name))
                    owners |= xa__option_of((xa_option_id)k)->commands;
            while (!(owners >> first & 1))
                first++;
            snprintf(line, sizeof line, "%s --%s", complete((xa_command_id)c), o->name);
            snprintf(owner,
                     sizeof owner,
                     "it belongs to %s",
                     xa__command_of((xa_command_id)first)->name);
            refused((xa_command_id)c, line, owner);
            tried++;
        }
    assert_true(tried > 500);
    refused(XA_COMMAND_RUN, "j.yaml --probe 4", "it belongs to check; run has --output, --set,");
    refused(XA_COMMAND_RUN, "j.yaml --outptu x", "did you mean --output? run has");
    refused(XA_COMMAND_RUN, "j.yaml -q", "unknown option -q");
    refused(XA_COMMAND_TABLE, "a.h5 --no-such-thing", "table has --csv, --json, --help");
}

static void test_spelling(void **state)
{
    (void)state;
    char copy[512];
    xa_args a;
    taken(XA_COMMAND_RUN, "--set=a=1 j.yaml --set b=2 --lim 3 --limit=5 -oa.h5", &a, copy);
    assert_int_equal(a.npositional, 1);
    assert_string_equal(a.positional[0], "j.yaml");
    assert_string_equal(xa__args_nth(&a, XA_OPT_SET, 0)->text, "a=1");
    assert_string_equal(xa__args_nth(&a, XA_OPT_SET, 1)->text, "b=2");
    assert_null(xa__args_nth(&a, XA_OPT_SET, 2));
    assert_int_equal(xa__args_integer(&a, XA_OPT_LIMIT), 5);
    assert_string_equal(xa__args_text(&a, XA_OPT_ARCHIVE), "a.h5");
    xa__args_fini(&a);
    taken(XA_COMMAND_RUN, "--fresh -- --odd.yaml", &a, copy);
    assert_string_equal(a.positional[0], "--odd.yaml");
    xa__args_fini(&a);
    taken(XA_COMMAND_RUN, "j.yaml --slice 2/4", &a, copy);
    assert_true(xa__args_nth(&a, XA_OPT_SLICE, 0)->integer == 2 &&
                xa__args_nth(&a, XA_OPT_SLICE, 0)->of == 4);
    xa__args_fini(&a);
    taken(XA_COMMAND_EVALUATE, "a.h5 --seed -3", &a, copy);
    assert_int_equal(xa__args_integer(&a, XA_OPT_SHUFFLE_SEED), -3);
    xa__args_fini(&a);
    /* several values follow one option; the archive comes before them, after them, or is the last
     */
    static const char *const several[] = {"a.h5 -o f.png --id A B C",
                                          "--id A B C -o f.png a.h5",
                                          "-o f.png --id A B C a.h5",
                                          "--id A --id B C a.h5 -o f.png",
                                          "a.h5 --id A --id B --id C -o f.png"};
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        taken(XA_COMMAND_FIGURE, several[i], &a, copy);
        assert_string_equal(a.positional[0], "a.h5");
        for (int k = 0; k < 3; k++)
            assert_int_equal(*xa__args_nth(&a, XA_OPT_ID, k)->text, 'A' + k);
        assert_null(xa__args_nth(&a, XA_OPT_ID, 3));
        xa__args_fini(&a);
    }
    taken(XA_COMMAND_FIGURE, "--again f.png --index 3 4 --width 9cm --font 6pt", &a, copy);
    assert_int_equal(a.npositional, 0);
    assert_int_equal(xa__args_nth(&a, XA_OPT_INDEX, 1)->integer, 4);
    assert_true(xa__args_number(&a, XA_OPT_WIDTH) == 90.0);
    assert_true(xa__args_number(&a, XA_OPT_FONT) == 6.0);
    xa__args_fini(&a);
    taken(XA_COMMAND_RUN, "j.yaml --no-such --help", &a, copy);
    assert_true(a.help);
    xa__args_fini(&a);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        xa_command_id command;
        const char *line, *because;
    } cases[] = {
        {XA_COMMAND_RUN, "", "expected one job file, found none"},
        {XA_COMMAND_RUN, "a.yaml b.yaml", "found a.yaml, b.yaml"},
        {XA_COMMAND_RUN, "a.yaml fresh", "did you mean --fresh?"},
        {XA_COMMAND_RUN, "a.yaml --set x=1 y=2", "--set y=2"},
        {XA_COMMAND_RUN, "a.yaml --output --fresh", "found the option --fresh"},
        {XA_COMMAND_RUN, "a.yaml -output b.h5", "long options have two hyphens"},
        {XA_COMMAND_RUN, "a.yaml \xe2\x80\x93limit 3", "a dash instead of hyphens: write --limit"},
        {XA_COMMAND_RUN,
         "a.yaml \xe2\x80\x94"
         "fresh",
         "write --fresh"},
        {XA_COMMAND_RUN, "a.yaml --limit 0", "a whole number of at least 1, found 0"},
        {XA_COMMAND_RUN, "a.yaml --limit 1e3", "found 1e3"},
        {XA_COMMAND_RUN, "a.yaml --limit 99999999999999999999", "found 99999999999999999999"},
        {XA_COMMAND_RUN, "a.yaml --limit=", "found nothing"},
        {XA_COMMAND_RUN, "a.yaml --output=", "found nothing"},
        {XA_COMMAND_RUN, "a.yaml --slice 5/4", "expected I/N"},
        {XA_COMMAND_RUN, "a.yaml --slice 0/4", "expected I/N"},
        {XA_COMMAND_RUN, "a.yaml --slice 1-4", "expected I/N"},
        {XA_COMMAND_RUN, "a.yaml --slice 1/4 --limit 3", "cannot be used together"},
        {XA_COMMAND_CHECK, "a.yaml --l 3", "--l could be --limit or --layers"},
        {XA_COMMAND_CHECK, "a.yaml --ranks 3", "--ranks needs --slurm"},
        {XA_COMMAND_BENCH, "a.yaml --seconds nan", "a number from"},
        {XA_COMMAND_BENCH, "a.yaml --seconds 0", "a number from"},
        {XA_COMMAND_SUMMARY, "a.h5 b.h5 c.h5", "expected one or two archives"},
        {XA_COMMAND_SUMMARY, "a.h5 --csv --json", "cannot be used together"},
        {XA_COMMAND_SUMMARY, "a.h5 --replicates 99", "from 100 to 1000000"},
        {XA_COMMAND_MERGE, "a.h5 b.h5", "-o FILE is missing"},
        {XA_COMMAND_MERGE, "a.h5 -o b.h5", "at least two archives, found a.h5"},
        {XA_COMMAND_FIGURE, "a.h5 b.h5 -o f.png", "expected one archive, found a.h5, b.h5"},
        {XA_COMMAND_FIGURE, "a.h5 -o f.png --pick bets", "first, best, worst"},
        {XA_COMMAND_FIGURE, "a.h5 -o f.png --width 3ft", "10 to 2000 mm"},
        {XA_COMMAND_FIGURE, "a.h5 -o f.png --width in", "10 to 2000 mm"},
        {XA_COMMAND_FIGURE, "a.h5 -o f.png --plot curves --id A", "cannot be used together"},
        {XA_COMMAND_MANIFEST, "csv a.csv", "-o FILE is missing"},
        {XA_COMMAND_MANIFEST, "a.csv -o m.csv", "expected FORMAT and SOURCE"},
        {XA_COMMAND_VERIFY, "a.h5 --csv", "it belongs to table, summary"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].command, cases[i].line, cases[i].because);
    char name[] = "run", empty[] = "";
    char *words[] = {name, empty};
    xa_args a;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa__args_parse(XA_COMMAND_RUN, 2, words, &a, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "an argument is empty"));
}

/* Choices are the names of the enumerations they choose from, in their order. */
static void test_choices(void **state)
{
    (void)state;
    const struct {
        xa_option_id option;
        int (*parse)(const char *);
    } lists[] = {{XA_OPT_PICK, xa_pick_parse},
                 {XA_OPT_PLOT, xa_plot_parse},
                 {XA_OPT_COLORMAP, xa_colormap_parse}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char copy[256];
        int at = 0;
        snprintf(copy, sizeof copy, "%s", xa__option_of(lists[i].option)->choices);
        for (char *w = strtok(copy, "|"); w; w = strtok(NULL, "|"), at++)
            assert_int_equal(lists[i].parse(w), at);
    }
    char copy[256];
    snprintf(copy, sizeof copy, "%s", xa__option_of(XA_OPT_BOX_CONVENTION)->choices);
    for (char *w = strtok(copy, "|"); w; w = strtok(NULL, "|"))
        assert_true(xa_box_convention_parse(w) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_foreign),
                                       cmocka_unit_test(test_spelling),
                                       cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_choices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
