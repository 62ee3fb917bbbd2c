/* Text broken into lines where a reader expects it. */
#include "ink.h"

#ifdef XA_HAVE_CAIRO

#include <string.h>

/* Bytes up to the next place where a line may end: behind a space or one of the marks of names. */
static int next_word(const char *text)
{
    int n = 0;
    while (text[n] && !strchr(" ._/-", text[n]))
        n++;
    while (text[n] && strchr(" ._/-", text[n]))
        n++;
    return n;
}

static double width_of(const xa__ink *k, const char *text, int n, double size)
{
    char part[256];
    while (n > 0 && text[n - 1] == ' ') /* a line may end in a space */
        n--;
    snprintf(part, sizeof part, "%.*s", n, text);
    return xa__text_width(k, part, size);
}

/* As many bytes of a word as fit, at least one letter. */
static int cut_word(const xa__ink *k, const char *text, int n, double width, double size)
{
    int kept = n;
    while (kept > 1 && width_of(k, text, kept, size) > width) {
        kept--;
        while (kept > 1 && ((unsigned char)text[kept] & 0xc0) == 0x80)
            kept--;
    }
    return kept;
}

/* A line of n bytes that does not end the text ends behind its last space, else behind its last
 * slash, if it has one. */
static int better_end(const char *text, int n)
{
    for (const char *mark = " /"; text[n] && *mark; mark++)
        for (int i = n; i > 1; i--)
            if (text[i - 1] == *mark)
                return i;
    return n;
}

static void break_lines(const xa__ink *k, const char *text, double width, bool cut, xa__wrapped *t)
{
    t->n = 0;
    t->needs = 0.0;
    while (*text && t->n < XA__LINES) {
        int n = next_word(text);
        double w = width_of(k, text, n, t->size);
        if (cut && w > width) {
            n = cut_word(k, text, n, width, t->size);
            w = width_of(k, text, n, t->size);
        }
        t->needs = w > t->needs ? w : t->needs;
        for (int more; text[n] && (more = next_word(text + n)) > 0; n += more)
            if (width_of(k, text, n + more, t->size) > width)
                break;
        n = better_end(text, n);
        t->begin[t->n] = text;
        t->bytes[t->n++] = n;
        text += n;
    }
    if (*text) /* the last line takes what is left; it is shortened when it is drawn */
        t->bytes[t->n - 1] += (int)strlen(text);
}

xa__wrapped
xa__wrap(const xa__ink *k, const char *text, double width, double size, double least, bool cut)
{
    xa__wrapped t = {.size = size};
    const double step = 0.5;
    width *= 1.002; /* a line that was measured fits itself */
    for (;; t.size = t.size - step < least ? least : t.size - step) {
        break_lines(k, text, width, cut && t.size <= least, &t);
        if (t.needs <= width || t.size <= least)
            break;
    }
    t.line = xa__line_height(k, t.size);
    return t;
}

void xa__put_wrapped(
    const xa__ink *k, const xa__wrapped *t, double x, double y, double width, xa__align align)
{
    for (int i = 0; i < t->n; i++) {
        char part[512];
        int n = t->bytes[i];
        while (n > 0 && t->begin[i][n - 1] == ' ')
            n--;
        snprintf(part, sizeof part, "%.*s", n, t->begin[i]);
        xa__put_line(k, part, x, y + i * t->line, width * 1.01, t->size, align, false);
    }
}

#else
typedef int xa__no_wrap;
#endif
