/* Reads the command that made a figure back from its file. */
#include "xaudit/draw.h"

#include <stdlib.h>
#include <string.h>

static const char begins[] = "xaudit figure ", ends[] = " # xaudit archive ";

static const char *find(const char *data, size_t size, const char *words)
{
    const size_t n = strlen(words);
    for (size_t i = 0; i + n <= size; i++)
        if (!memcmp(data + i, words, n))
            return data + i;
    return NULL;
}

/* Undoes the backslashes of PDF strings or the entities of SVG, in place. */
static void unescape(char *text, bool pdf, bool svg)
{
    static const struct {
        const char *entity;
        char means;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    char *to = text;
    for (const char *from = text; *from;) {
        bool done = false;
        for (size_t k = 0; svg && !done && k < sizeof entities / sizeof *entities; k++)
            if (!strncmp(from, entities[k].entity, strlen(entities[k].entity))) {
                *to++ = entities[k].means;
                from += strlen(entities[k].entity);
                done = true;
            }
        if (done)
            continue;
        if (pdf && from[0] == '\\' && from[1])
            from++;
        *to++ = *from++;
    }
    *to = '\0';
}

xa_status xa_provenance_read(const char *path, char **command, xa_err *err)
{
    char *data = NULL;
    size_t size;
    XA_RETURN_TRY(err, xa_read_file(path, (size_t)1 << 30, &data, &size, err));
    const char *first = find(data, size, begins);
    const char *last = first ? find(first, size - (size_t)(first - data), ends) : NULL;
    if (!last || memchr(first, '\0', (size_t)(last - first))) {
        free(data);
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: no command of xaudit figure in this file", path);
    }
    *command = xa_strndup(first, (size_t)(last - first));
    const bool pdf = size > 4 && !memcmp(data, "%PDF", 4);
    const bool svg = find(data, size < 512 ? size : 512, "<svg") != NULL;
    free(data);
    if (!*command)
        XA_RETURN_NOMEM(err);
    unescape(*command, pdf, svg);
    return XA_OK;
}
