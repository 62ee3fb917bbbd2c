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

static void add_latex(xa_str *out, const char *text)
{
    for (; *text; text++) {
        const char *command = latex_of(*text);
        if (command)
            xa_str_puts(out, command);
        else if (is_control(*text))
            xa_str_add(out, " ", 1); /* two line feeds would end the paragraph */
        else
            xa_str_printf(out, strchr("#$%&_{}", *text) ? "\\%c" : "%c", *text);
    }
}

static void add_latex_comment(xa_str *out, const char *text)
{
    for (; *text; text++)
        xa_str_add(out, is_control(*text) ? " " : text, 1);
}

void xa_escape_text(FILE *out, xa_escape escape, const char *value)
{
    xa_str valid = {0}, escaped = {0};
    xa_str_utf8(&valid, value);
    if (escape == XA_ESCAPE_HTML)
        xa_str_markup(&escaped, valid.data);
    else if (valid.data && escape == XA_ESCAPE_LATEX)
        add_latex(&escaped, valid.data);
    else if (valid.data)
        add_latex_comment(&escaped, valid.data);
    if (escaped.len)
        fwrite(escaped.data, 1, escaped.len, out);
    xa_str_free(&valid);
    xa_str_free(&escaped);
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
