/* Growing byte strings and string copies. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/util.h"

/* Room for `more` bytes and the NUL. */
static bool reserve(xa_str *s, size_t more)
{
    size_t need;
    if (s->failed)
        return false;
    if (!xa_size_add(s->len, more, &need) || !xa_size_add(need, 1, &need) ||
        xa_grow(&s->data, &s->cap, need, 1, NULL) != XA_OK) {
        s->failed = true;
        return false;
    }
    return true;
}

void xa_str_add(xa_str *s, const char *bytes, size_t len)
{
    if (!reserve(s, len))
        return;
    if (len > 0)
        memcpy(s->data + s->len, bytes, len);
    s->len += len;
    s->data[s->len] = '\0';
}

void xa_str_puts(xa_str *s, const char *text)
{
    xa_str_add(s, text, strlen(text));
}

void xa_str_vprintf(xa_str *s, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    if (n < 0) {
        s->failed = true;
    } else if ((size_t)n < sizeof small) {
        xa_str_add(s, small, (size_t)n);
    } else if (reserve(s, (size_t)n)) {
        vsnprintf(s->data + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
}

void xa_str_word(xa_str *s, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
    if (*text && strspn(text, plain) == strlen(text)) {
        xa_str_puts(s, text);
        return;
    }
    xa_str_puts(s, "'");
    for (; *text; text++)
        if (*text == '\'')
            xa_str_puts(s, "'\\''");
        else
            xa_str_add(s, text, 1);
    xa_str_puts(s, "'");
}

void xa_str_printf(xa_str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    xa_str_vprintf(s, fmt, ap);
    va_end(ap);
}

void xa_str_free(xa_str *s)
{
    if (!s)
        return;
    free(s->data);
    *s = (xa_str){0};
}

char *xa_strdup(const char *text)
{
    return text ? xa_strndup(text, strlen(text)) : NULL;
}

char *xa_strndup(const char *text, size_t len)
{
    if (!text || len >= PTRDIFF_MAX)
        return NULL;
    size_t n = strnlen(text, len);
    char *copy = malloc(n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

char *xa_strfmt(const char *fmt, ...)
{
    xa_str s = {0};
    va_list ap;
    va_start(ap, fmt);
    xa_str_vprintf(&s, fmt, ap);
    va_end(ap);
    if (s.failed) {
        xa_str_free(&s);
        return NULL;
    }
    return s.data;
}

bool xa_str_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text);
    size_t m = strlen(suffix);
    return m <= n && memcmp(text + n - m, suffix, m) == 0;
}

bool xa_words_have(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = words; n && (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

int xa_word_index(const char *text, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(text, words[i]))
            return i;
    return -1;
}

void xa_texts_free(char **texts, int64_t n)
{
    for (int64_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

xa_status xa_names_add(xa_names *n, const char *text, size_t len, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&n->item, &n->cap, n->count + 1, sizeof *n->item, err));
    n->item[n->count] = xa_strndup(text, len);
    if (!n->item[n->count])
        XA_RETURN_NOMEM(err);
    n->count++;
    return XA_OK;
}

void xa_names_free(xa_names *n)
{
    xa_texts_free(n->item, (int64_t)n->count);
    *n = (xa_names){0};
}
