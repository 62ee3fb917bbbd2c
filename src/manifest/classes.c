/* Class names, one per line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

enum { CLASSES_MAX = 10 * 1000 * 1000, CLASSES_FILE_MAX = 1 << 28, NAME_BYTES_MAX = 1000 };

/* Blanks around a name are removed, as in the manifest's cells. */
static void trim(char **begin, char *end)
{
    while (end > *begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = '\0';
    while (**begin == ' ' || **begin == '\t')
        (*begin)++;
}

static xa_status check_name(const char *path, int64_t line, const char *name, xa_err *err)
{
    char shown[XA_SHOWN];
    const size_t len = strlen(name);
    if (len > NAME_BYTES_MAX)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s:%" PRId64 ": expected a class name of at most %d bytes, found %zu",
                       path,
                       line,
                       (int)NAME_BYTES_MAX,
                       len);
    if (!xa_str_is_utf8(name, len))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s:%" PRId64 ": class name \"%s\" is not UTF-8: save the file as UTF-8",
                       path,
                       line,
                       xa_show(name, shown));
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s:%" PRId64 ": class name \"%s\" holds a control character",
                           path,
                           line,
                           xa_show(name, shown));
    if (strchr(name, '|'))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s:%" PRId64
                       ": class name \"%s\" holds '|', which separates labels in a manifest",
                       path,
                       line,
                       xa_show(name, shown));
    return XA_OK;
}

xa_status xa_classes_read(const char *path, xa_classes *out, xa_err *err)
{
    xa_status st = XA_OK;
    char *data = NULL;
    size_t size = 0;
    size_t cap = 0;
    int64_t blank = 0; /* the first of the blank lines that were just read */
    xa_classes c = {0};
    char shown[XA_SHOWN];

    XA_TRY(err, xa_read_file(path, CLASSES_FILE_MAX, &data, &size, err));
    if (memchr(data, '\0', size))
        XA_FAIL(err, XA_INVALID, "%s: holds NUL bytes: save it as UTF-8 text", path);
    char *p = data;
    if (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    /* The number of a line is that of its name, since blank lines between names are refused. */
    for (int64_t line = 1; p < data + size; line++) {
        char *end = memchr(p, '\n', (size_t)(data + size - p));
        char *next = end ? end + 1 : data + size;
        if (end)
            *end = '\0';
        trim(&p, end ? end : next);
        if (*p == '\0') {
            blank = blank > 0 ? blank : line;
            p = next;
            continue;
        }
        if (blank > 0)
            XA_FAIL(err,
                    XA_INVALID,
                    "%s:%" PRId64 ": expected a class name, found a blank line before \"%s\"",
                    path,
                    blank,
                    xa_show(p, shown));
        XA_TRY(err, check_name(path, line, p, err));
        if (c.count >= CLASSES_MAX)
            XA_FAIL(err, XA_LIMIT, "%s: at most %d classes are accepted", path, (int)CLASSES_MAX);
        XA_TRY(err, xa_grow(&c.names, &cap, (size_t)c.count + 1, sizeof *c.names, err));
        c.names[c.count] = xa_strdup(p);
        if (!c.names[c.count])
            XA_FAIL(err, XA_NOMEM, "out of memory for class names");
        c.count++;
        p = next;
    }
    if (c.count == 0)
        XA_FAIL(err, XA_INVALID, "%s: expected one class name per line, found none", path);
    *out = c;
    c = (xa_classes){0};
done:
    xa_classes_fini(&c);
    free(data);
    return st;
}

void xa_classes_fini(xa_classes *c)
{
    if (!c)
        return;
    for (int64_t i = 0; c->names && i < c->count; i++)
        free(c->names[i]);
    free(c->names);
    *c = (xa_classes){0};
}
