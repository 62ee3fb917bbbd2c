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
    out->key_size = sign != NULL ? (size_t)(sign - line) : size;
    out->value = sign != NULL ? sign + 3 : line + size;
    out->value_size = (size_t)(line + size - out->value);
    return true;
}

static bool find_entry(const char *text, const entry *wanted, entry *out)
{
    while (next_entry(&text, out))
        if (out->key_size == wanted->key_size &&
            memcmp(out->key, wanted->key, wanted->key_size) == 0)
            return true;
    return false;
}

/* Long values (hashes, lists) are cut: a message is no place for them. */
static void add_value(xa_str *to, const entry *e)
{
    enum { SHOWN = 60 };
    if (e == NULL)
        xa_str_puts(to, "nothing");
    else if (e->value_size > SHOWN)
        xa_str_printf(to, "%.*s...", (int)SHOWN, e->value);
    else
        xa_str_printf(to, "'%.*s'", (int)e->value_size, e->value);
}

static void add_difference(xa_str *to, int *count, const entry *key, const entry *a, const entry *b)
{
    /* The message has room for about this much. */
    enum { ROOM = 640 };
    ++*count;
    if (to->len > ROOM)
        return;
    xa_str_printf(to, "%s%.*s: archive ", to->len > 0 ? "; " : "", (int)key->key_size, key->key);
    add_value(to, a);
    xa_str_puts(to, ", job ");
    add_value(to, b);
    if (to->len > ROOM)
        xa_str_puts(to, "; ...");
}

static int compare_texts(const char *archive, const char *job, xa_str *differences)
{
    int count = 0;
    entry mine, other;
    for (const char *p = job; next_entry(&p, &mine);) {
        bool there = find_entry(archive, &mine, &other);
        if (!there || mine.value_size != other.value_size ||
            memcmp(mine.value, other.value, mine.value_size) != 0)
            add_difference(differences, &count, &mine, there ? &other : NULL, &mine);
    }
    for (const char *p = archive; next_entry(&p, &other);)
        if (!find_entry(job, &other, &mine))
            add_difference(differences, &count, &other, &other, NULL);
    return count;
}

xa_status xa_archive_check_identity(const char *path, const char *text, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    char *theirs = NULL;
    xa_str differences = {.data = NULL};
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, xa_archive_text(a, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    if (theirs == NULL)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute identity_text of / is not there", path);
    int count = compare_texts(theirs, text, &differences);
    if (differences.failed)
        XA_FAIL(err, XA_NOMEM, "%s: no memory", path);
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
