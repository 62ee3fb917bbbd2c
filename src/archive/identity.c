/* Is this archive of the same job? */
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

/* One "key = value" of a text; the value is empty for a line without " = ". */
typedef struct entry {
    const char *key, *value;
    size_t key_size, value_size;
} entry;

/* The next line that says something; false at the end. */
static bool next_entry(const char **text, entry *out)
{
    while (**text == '\n')
        (*text)++;
    if (**text == '\0')
        return false;
    const char *line = *text;
    const size_t size = strcspn(line, "\n");
    *text += size;
    const char *sign = memmem(line, size, " = ", 3);
    out->key = line;
    out->key_size = sign ? (size_t)(sign - line) : size;
    out->value = sign ? sign + 3 : line + size;
    out->value_size = (size_t)(line + size - out->value);
    return true;
}

/* The entry of that key. *hint is where it is looked for first, and where the next one is likely:
 * texts of one program have their lines in one order. */
static bool find_entry(const char *text, const char **hint, const entry *wanted, entry *out)
{
    for (int round = 0; round < 2; round++) {
        const char *p = round == 0 ? *hint : text, *end = round == 0 ? NULL : *hint;
        while ((!end || p < end) && next_entry(&p, out))
            if (out->key_size == wanted->key_size &&
                memcmp(out->key, wanted->key, wanted->key_size) == 0) {
                *hint = p;
                return true;
            }
    }
    return false;
}

static xa_identity_line line_of(const entry *key, const entry *a, const entry *b)
{
    return (xa_identity_line){.key = key->key,
                              .key_size = (int)key->key_size,
                              .a = a ? a->value : NULL,
                              .a_size = a ? (int)a->value_size : 0,
                              .b = b ? b->value : NULL,
                              .b_size = b ? (int)b->value_size : 0};
}

int xa_identity_compare(const char *a, const char *b, xa_identity_fn *fn, void *arg)
{
    int count = 0;
    entry mine, other;
    const char *hint = a;
    for (const char *p = b; next_entry(&p, &mine);) {
        const bool there = find_entry(a, &hint, &mine, &other);
        if (there && mine.value_size == other.value_size &&
            memcmp(mine.value, other.value, mine.value_size) == 0)
            continue;
        const xa_identity_line line = line_of(&mine, there ? &other : NULL, &mine);
        count++;
        if (fn)
            fn(arg, &line);
    }
    hint = b;
    for (const char *p = a; next_entry(&p, &other);) {
        if (find_entry(b, &hint, &other, &mine))
            continue;
        const xa_identity_line line = line_of(&other, &other, NULL);
        count++;
        if (fn)
            fn(arg, &line);
    }
    return count;
}

/* Long values (lists) are cut: a message is no place for them. */
static void add_value(xa_str *to, const char *value, int size)
{
    enum { SHOWN = 60 };
    if (!value)
        xa_str_puts(to, "nothing");
    else if (size > SHOWN)
        xa_str_printf(to, "%.*s...", (int)SHOWN, value);
    else
        xa_str_printf(to, "'%.*s'", size, value);
}

static bool is_hash(const char *value, int size)
{
    return value && size == XA_SHA256_HEX - 1 &&
           strspn(value, "0123456789abcdef") >= XA_SHA256_HEX - 1;
}

void xa_identity_tell(xa_str *to, const xa_identity_line *l, const char *a, const char *b)
{
    /* The message has room for about this much. */
    enum { ROOM = 640 };
    if (to->len > ROOM)
        return;
    xa_str_printf(to, "%s%.*s: ", to->len > 0 ? "; " : "", l->key_size, l->key);
    if (is_hash(l->a, l->a_size) && is_hash(l->b, l->b_size)) {
        xa_str_puts(to, "changed"); /* hashes say no more */
    } else {
        xa_str_printf(to, "%s ", a);
        add_value(to, l->a, l->a_size);
        xa_str_printf(to, ", %s ", b);
        add_value(to, l->b, l->b_size);
    }
    if (to->len > ROOM)
        xa_str_puts(to, "; ...");
}

static void add_line(void *arg, const xa_identity_line *line)
{
    xa_identity_tell(arg, line, "archive", "job");
}

xa_status xa_archive_check_identity(const char *path, const char *text, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    char *theirs = NULL;
    xa_str differences = {.data = NULL};
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, xa_archive_text(a, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    if (!theirs)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute identity_text of / is not there", path);
    int count = xa_identity_compare(theirs, text, add_line, &differences);
    if (differences.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    if (count > 0)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s was made with other settings, %d differ%s: %s",
                path,
                count,
                count == 1 ? "s" : "",
                differences.data);
done:
    xa_str_free(&differences);
    free(theirs);
    xa_status closed = xa_archive_close(a, st == XA_OK ? err : NULL);
    return st == XA_OK ? closed : st;
}
