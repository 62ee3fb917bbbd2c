/* What the program says of its commands and options: --help, exit codes, man page and completion
 * agree with the table. XA_PROGRAM, XA_MAN and XA_COMPLETION name the built program, its manual and
 * the script for bash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "options.h"
#include "xaudit_cmocka.h"

/* The whole output of a command line, and its exit code. */
static char *output_of(const char *line, int *code)
{
    xa_str s = {0};
    char buf[4096];
    FILE *p = popen(line, "r");
    assert_non_null(p);
    for (size_t n; (n = fread(buf, 1, sizeof buf, p)) > 0;)
        xa_str_add(&s, buf, n);
    const int status = pclose(p);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    xa_str_puts(&s, "");
    return s.data;
}

static void narrow(const char *page, const char *of)
{
    for (const char *line = page; *line;) {
        const size_t n = strcspn(line, "\n");
        if (n > 80)
            fail_msg("%s: a line of %zu columns: %.*s", of, n, (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void test_help(void **state)
{
    (void)state;
    char line[512], wanted[64];
    int code;
    char *all = output_of(XA_PROGRAM " --help", &code);
    assert_int_equal(code, 0);
    narrow(all, "--help");
    for (int c = 0; c < XA_COMMAND_COUNT; c++) {
        const char *name = xa__command_of((xa_command_id)c)->name;
        snprintf(line, sizeof line, "%s %s --help 2>&1", XA_PROGRAM, name);
        char *page = output_of(line, &code);
        assert_int_equal(code, 0);
        narrow(page, name);
        snprintf(wanted, sizeof wanted, "xaudit %s ", name);
        assert_non_null(strstr(all, wanted));
        assert_memory_equal(page, wanted, strlen(wanted));
        assert_true(strlen(xa__command_of((xa_command_id)c)->summary) <= 60);
        assert_non_null(strstr(page, "\nExamples:\n  "));
        for (int i = 0; i < XA_OPT_COUNT; i++) {
            const xa_option *o = xa__option_of((xa_option_id)i);
            bool there = false;
            for (const char *at = page; !there && (at = strstr(at, "--")); at++)
                there = !strncmp(at + 2, o->name, strlen(o->name)) &&
                        strchr(" \n", at[2 + strlen(o->name)]) &&
                        (at[-1] == ' ' && (at[-2] == ' ' || at[-2] == ','));
            if (xa__option_on(o, (xa_command_id)c) && !there)
                fail_msg("xaudit %s --help lacks --%s", name, o->name);
        }
        snprintf(line, sizeof line, "%s help %s 2>&1", XA_PROGRAM, name);
        char *same = output_of(line, &code);
        assert_string_equal(same, page);
        free(same);
        free(page);
    }
    free(all);
}

static void test_exit_codes(void **state)
{
    (void)state;
    char line[512];
    for (int c = 0; c < XA_COMMAND_COUNT; c++) {
        int code;
        const char *foreign =
            c == XA_COMMAND_TABLE || c == XA_COMMAND_SUMMARY ? "--probe=3" : "--csv";
        snprintf(line,
                 sizeof line,
                 "%s %s a b %s 2>&1",
                 XA_PROGRAM,
                 xa__command_of((xa_command_id)c)->name,
                 foreign);
        char *said = output_of(line, &code);
        assert_int_equal(code, 2);
        assert_non_null(strstr(said, "it belongs to "));
        free(said);
    }
}

static bool has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || at[-1] == '\n') && (at[n] == '\n' || !at[n]))
            return true;
    return false;
}

static void test_completion(void **state)
{
    (void)state;
    char line[1024], word[80];
    int code;
    for (int c = 0; c < XA_COMMAND_COUNT; c++) {
        const char *name = xa__command_of((xa_command_id)c)->name;
        snprintf(line,
                 sizeof line,
                 "bash -c '. %s; COMP_WORDS=(%s %s --); COMP_CWORD=2; _xaudit; "
                 "printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
                 XA_COMPLETION,
                 XA_PROGRAM,
                 name);
        char *words = output_of(line, &code);
        int offered = 0, own = 0;
        for (const char *w = words; *w; w++)
            offered += *w == '\n';
        for (int i = 0; i < XA_OPT_COUNT; i++)
            if (xa__option_on(xa__option_of((xa_option_id)i), (xa_command_id)c)) {
                own++;
                snprintf(word, sizeof word, "--%s", xa__option_of((xa_option_id)i)->name);
                if (!has_word(words, word))
                    fail_msg("completion of %s lacks %s", name, word);
            }
        assert_int_equal(offered, own);
        free(words);
    }
    snprintf(line,
             sizeof line,
             "bash -c '. %s; COMP_WORDS=(%s figure a.h5 --style k); COMP_CWORD=4; _xaudit; "
             "printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
             XA_COMPLETION,
             XA_PROGRAM);
    char *words = output_of(line, &code);
    assert_string_equal(words, "keras\n");
    free(words);
}

static void test_man(void **state)
{
    (void)state;
    char *page = NULL, name[80], command[80];
    size_t size;
    assert_int_equal(xa_read_file(XA_MAN, 1 << 20, &page, &size, NULL), XA_OK);
    for (int c = 0; c < XA_COMMAND_COUNT; c++) {
        snprintf(
            command, sizeof command, ".SH XAUDIT %s\n", xa__command_of((xa_command_id)c)->name);
        for (char *p = command + 10; *p; p++)
            if (*p >= 'a' && *p <= 'z')
                *p = (char)(*p - 'a' + 'A');
        const char *from = strstr(page, command);
        assert_non_null(from);
        const char *to = strstr(from + 1, "\n.SH ");
        char *section = xa_strndup(from, to ? (size_t)(to - from) : strlen(from));
        for (int i = 0; i < XA_OPT_COUNT; i++) {
            const xa_option *o = xa__option_of((xa_option_id)i);
            size_t n = (size_t)snprintf(name, sizeof name, "\\-\\-");
            for (const char *p = o->name; *p && n + 3 < sizeof name; p++) {
                if (*p == '-')
                    name[n++] = '\\';
                name[n++] = *p;
            }
            name[n] = '\0';
            if (xa__option_on(o, (xa_command_id)c) && !strstr(section, name))
                fail_msg(
                    "the manual's %s lacks --%s", xa__command_of((xa_command_id)c)->name, o->name);
        }
        free(section);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_help),
                                       cmocka_unit_test(test_exit_codes),
                                       cmocka_unit_test(test_completion),
                                       cmocka_unit_test(test_man)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
