/* Templates: text with named holes, filled with escaped values. */
#include "xaudit/print.h"

#include <stdarg.h>
#include <string.h>

/* Characters that LaTeX takes for commands, or, in its usual font encoding, for other characters.
 */
static const char *latex_of(char c)
{
    switch (c) {
    case '\\':
        return "\\textbackslash{}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '<':
        return "\\textless{}";
    case '>':
        return "\\textgreater{}";
    case '|':
        return "\\textbar{}";
    default:
        return NULL;
    }
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void put_latex(FILE *out, const char *text)
{
    for (; *text; text++) {
        const char *command = latex_of(*text);
        if (command)
            fputs(command, out);
        else if (is_control(*text))
            fputc(' ', out); /* two line feeds would end the paragraph */
        else
            fprintf(out, strchr("#$%&_{}", *text) ? "\\%c" : "%c", *text);
    }
}

static void put_latex_comment(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(is_control(*text) ? ' ' : *text, out);
}

void xa_escape_text(FILE *out, xa_escape escape, const char *value)
{
    xa_str s = {0};
    if (!value)
        return;
    if (escape == XA_ESCAPE_LATEX) {
        put_latex(out, value);
        return;
    }
    if (escape == XA_ESCAPE_LATEX_COMMENT) {
        put_latex_comment(out, value);
        return;
    }
    xa_str_markup(&s, value);
    if (s.len)
        fwrite(s.data, 1, s.len, out);
    xa_str_free(&s);
}

/* The value of a name of n characters; false: no pair names it. */
static bool find(va_list pairs, const char *name, size_t n, const char **value)
{
    for (const char *k; (k = va_arg(pairs, const char *)) != NULL;) {
        *value = va_arg(pairs, const char *);
        if (strlen(k) == n && !memcmp(k, name, n))
            return true;
    }
    return false;
}

/* The hole that text begins with: its name, whether it is verbatim, and the length of it all; 0:
 * none. */
static size_t hole_at(const char *text, const char **name, size_t *n, bool *verbatim)
{
    *verbatim = text[0] == '@' && text[1] == '!';
    const size_t open = *verbatim ? 2 : 1;
    if (text[0] != '@' || text[open] != '{')
        return 0;
    *name = text + open + 1;
    *n = strcspn(*name, "}\n");
    return (*name)[*n] == '}' ? open + *n + 2 : 0;
}

void xa_fill(FILE *out, const char *text, xa_escape escape, ...)
{
    va_list pairs;
    while (*text) {
        const char *name, *value = NULL;
        size_t n;
        bool verbatim, found = false;
        const size_t plain = strcspn(text, "@");
        fwrite(text, 1, plain, out);
        text += plain;
        const size_t length = *text ? hole_at(text, &name, &n, &verbatim) : 0;
        if (length) {
            va_start(pairs, escape);
            found = find(pairs, name, n, &value);
            va_end(pairs);
        }
        if (!found) {
            if (*text)
                fputc(*text++, out);
        } else {
            if (verbatim)
                fputs(value ? value : "", out);
            else
                xa_escape_text(out, escape, value);
            text += length;
        }
    }
}
