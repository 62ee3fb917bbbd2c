/* xaudit --help and xaudit COMMAND --help, of at most 80 columns, from the tables. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "xaudit/print.h"

enum { LEFT = 24 };

/* Prints lines that begin with a space as they are, and wraps the others. */
static void paragraphs(const char *text, FILE *out)
{
    while (*text) {
        const size_t n = strcspn(text, "\n");
        char *line = xa_strndup(text, n);
        if (line && *line != ' ')
            xa_put_wrapped(out, line, 0, 0);
        else
            fprintf(out, "%.*s\n", (int)n, text);
        free(line);
        text += n + (text[n] == '\n');
    }
}

/* Adds "(1 to 100; default: 4)" from the row. */
static void bounds(const xa_option *o, xa_str *out)
{
    const bool ranged = o->kind == XA_OPTION_INTEGER || o->kind == XA_OPTION_NUMBER ||
                        o->kind == XA_OPTION_LENGTH || o->kind == XA_OPTION_POINTS;
    const bool high = ranged && o->high < XA_OPTION_OPEN && o->low > -XA_OPTION_OPEN && o->initial;
    if (high)
        xa_str_printf(out, " (%.10g to %.10g; default: %s)", o->low, o->high, o->initial);
    else if (o->initial)
        xa_str_printf(out, " (default: %s)", o->initial);
}

/* Whether the help of a choice names all its words. */
static bool names_choices(const xa_option *o)
{
    for (const char *c = o->choices; c;) {
        const size_t n = strcspn(c, "|");
        char *word = xa_strndup(c, n);
        const bool named = word && strstr(o->help, word);
        free(word);
        if (!named)
            return false;
        c = c[n] ? c + n + 1 : NULL;
    }
    return true;
}

static void one_option(const xa_option *o, FILE *out)
{
    xa_str left = {0}, right = {0};
    const bool fits = o->choices && strlen(o->name) + strlen(o->choices) < 50;
    if (o->letter)
        xa_str_printf(&left, "  -%c, ", o->letter);
    else
        xa_str_puts(&left, "  ");
    xa_str_printf(&left, "--%s", o->name);
    if (o->argument || o->choices)
        xa_str_printf(&left, " %s", o->argument ? o->argument : fits ? o->choices : "NAME");
    xa_str_puts(&right, o->help);
    bounds(o, &right);
    if (o->choices && !fits && !names_choices(o)) {
        xa_str_puts(&right, ": ");
        for (const char *c = o->choices; *c; c++)
            xa_str_add(&right, *c == '|' ? ", " : c, *c == '|' ? 2 : 1);
    }
    if (left.data && right.data && !left.failed && !right.failed) {
        int at = fprintf(out, "%s", left.data);
        if (at > LEFT - 2) {
            fputc('\n', out);
            at = 0;
        }
        fprintf(out, "%*s", LEFT - at, "");
        xa_put_wrapped(out, right.data, LEFT, LEFT);
    }
    xa_str_free(&left);
    xa_str_free(&right);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static void group_options(xa_command_id command, const char *group, FILE *out)
{
    fprintf(out, "\n%s:\n", group ? group : "Options");
    for (int i = 0; i < XA_OPT_COUNT; i++) {
        const xa_option *o = xa__option_of((xa_option_id)i);
        if (xa__option_on(o, command) && same(o->group, group))
            one_option(o, out);
    }
}

void xa__help_command(xa_command_id command, FILE *out)
{
    const xa_command *c = xa__command_of(command);
    const char *groups[XA_OPT_COUNT] = {NULL};
    int n = 1; /* the common group, NULL, comes first */
    fprintf(out, "xaudit %s %s\n\n", c->name, c->arguments);
    paragraphs(c->text, out);
    for (int i = 0; i < XA_OPT_COUNT; i++) {
        const xa_option *o = xa__option_of((xa_option_id)i);
        bool known = !xa__option_on(o, command);
        for (int g = 0; g < n; g++)
            known = known || same(groups[g], o->group);
        if (!known)
            groups[n++] = o->group;
    }
    for (int g = 0; g < n; g++)
        group_options(command, groups[g], out);
    fprintf(out, "\nExamples:\n%s", c->examples);
}

void xa__help(FILE *out)
{
    fprintf(out,
            "xaudit %s: explains every image of a data set and writes one HDF5 archive\n\n",
            xa_tool_version());
    for (int i = 0; i < XA_COMMAND_COUNT; i++) {
        const xa_command *c = xa__command_of((xa_command_id)i);
        fprintf(out, "  xaudit %-9s ", c->name);
        xa_put_wrapped(out, c->summary, 19, 19);
    }
    fputs("\nxaudit COMMAND --help (or xaudit help COMMAND) explains the options of a command\n"
          "and shows examples. Options are written --name VALUE or --name=VALUE. If one is\n"
          "given twice, the last one counts, unless it may be repeated.\n"
          "xaudit help settings [KEY] explains what a job file may say.\n"
          "xaudit --version prints the version.\n"
          "\n"
          "Exit codes: 0 done; 1 failed; 2 wrong usage, or a mistake in the job, a model or\n"
          "the manifest; 3 done, but some samples failed (tolerate_failed in the job turns\n"
          "this into 0); 75 interrupted: run the same command again to resume.\n"
          "XAUDIT_LOG=debug shows where in the program an error arose.\n",
          out);
}
