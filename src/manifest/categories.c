/* Categories: sets of classes to which a data set gives one name. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

enum { FILE_MAX = 1 << 24, NAME_MAX_BYTES = 1000, CATEGORIES_MAX = 1 << 20 };

void xa_categories_fini(xa_categories *c)
{
    if (!c)
        return;
    for (int32_t i = 0; i < c->count; i++) {
        free(c->items[i].name);
        free(c->items[i].members);
    }
    free(c->items);
    *c = (xa_categories){0};
}

xa_status xa_categories_add(
    xa_categories *c, const char *name, const int32_t *members, int32_t count, xa_err *err)
{
    if (c->count >= CATEGORIES_MAX)
        XA_RETURN_FAIL(err, XA_LIMIT, "at most %d categories are accepted", (int)CATEGORIES_MAX);
    XA_RETURN_TRY(err, xa_grow(&c->items, &c->cap, (size_t)c->count + 1, sizeof *c->items, err));
    xa_category x = {.name = xa_strdup(name),
                     .members = xa_alloc((size_t)count, sizeof(int32_t)),
                     .count = count};
    if (!x.name || !x.members) {
        free(x.name);
        free(x.members);
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a category of %d classes", (int)count);
    }
    memcpy(x.members, members, (size_t)count * sizeof *members);
    c->items[c->count++] = x;
    return XA_OK;
}

const xa_category *xa_category_of(const xa_categories *c, int32_t class_index)
{
    if (!c || class_index < XA_CATEGORY || class_index - XA_CATEGORY >= c->count)
        return NULL;
    return &c->items[class_index - XA_CATEGORY];
}

bool xa_category_has(const xa_categories *c, int32_t class_index, int32_t member)
{
    const xa_category *x = xa_category_of(c, class_index);
    for (int32_t i = 0; x && i < x->count; i++)
        if (x->members[i] == member)
            return true;
    return class_index == member;
}

int32_t xa_category_target(const xa_categories *c,
                           int32_t class_index,
                           const float *logits,
                           int64_t classes)
{
    const xa_category *x = xa_category_of(c, class_index);
    int32_t best = -1;
    if (!x)
        return class_index < XA_CATEGORY ? class_index : -1;
    for (int32_t i = 0; i < x->count && x->members[i] < classes; i++) {
        const float z = logits[x->members[i]];
        if (!isnan(z) && (best < 0 || z > logits[best]))
            best = x->members[i];
    }
    return best;
}

int32_t xa_category_largest(const xa_categories *c, int32_t class_index)
{
    const xa_category *x = xa_category_of(c, class_index);
    return x ? x->members[x->count - 1] : class_index;
}

int32_t xa__category_find(const xa_categories *c, const char *name)
{
    for (int32_t i = 0; c && i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0)
            return i;
    return -1;
}

int32_t xa__category_same(const xa_categories *c, const int32_t *members, int32_t count)
{
    for (int32_t i = 0; c && i < c->count; i++)
        if (c->items[i].count == count &&
            memcmp(c->items[i].members, members, (size_t)count * sizeof *members) == 0)
            return i;
    return -1;
}

static int compare(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a;
    const int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

int32_t xa__indices_sort(int32_t *v, int32_t count)
{
    int32_t kept = count > 0;
    if (count > 1)
        qsort(v, (size_t)count, sizeof *v, compare);
    for (int32_t i = 1; i < count; i++)
        if (v[i] != v[kept - 1])
            v[kept++] = v[i];
    return kept;
}

/* The text without the blanks around it; changed in place. */
static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
        text[--n] = '\0';
    return text;
}

xa_status xa__class_set(
    const xa__labels *l, char *text, int32_t **out, int32_t *count, char why[XA__WHY], xa_err *err)
{
    size_t cap = 0;
    int32_t *v = NULL, n = 0;
    why[0] = '\0';
    for (char *p = text; p && why[0] == '\0';) {
        char *next = strchr(p, '|');
        if (next)
            *next++ = '\0';
        const char *word = trim(p);
        const int32_t index = xa__label_find(l, word);
        if (index < 0)
            xa__label_why(l, "class", word, why);
        const xa_status st = xa_grow(&v, &cap, (size_t)n + 1, sizeof *v, err);
        if (st != XA_OK) {
            free(v);
            return st;
        }
        v[n++] = index;
        p = next;
    }
    *count = xa__indices_sort(v, n);
    *out = v;
    return XA_OK;
}

/* ---- the file -------------------------------------------------------------------------------- */

typedef struct reading {
    const char *path;
    const xa__labels *labels;
    xa_categories list;
} reading;

static xa_status check_name(const reading *r, int64_t line, const char *name, xa_err *err)
{
    char shown[XA_SHOWN];
    int64_t number;
    const char *what = NULL;
    if (*name == '\0')
        what = "expected a name before ':'";
    else if (strlen(name) > NAME_MAX_BYTES)
        what = "a category's name has at most 1000 bytes";
    else if (!xa_str_is_utf8(name, strlen(name)))
        what = "its name is not UTF-8: save the file as UTF-8";
    else if (strchr(name, '|'))
        what = "its name holds '|', which separates classes";
    else if (xa_parse_i64(name, &number))
        what = "its name is a number, which would be a class index";
    else if (xa__category_find(&r->list, name) >= 0)
        what = "there are two categories of that name";
    for (const char *p = name; !what && *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            what = "its name holds a control character";
    if (what)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s:%" PRId64 ": category \"%s\": %s",
                       r->path,
                       line,
                       xa_show(name, shown),
                       what);
    return XA_OK;
}

static xa_status read_line(reading *r, int64_t line, char *text, xa_err *err)
{
    xa_status st = XA_OK;
    char shown[XA_SHOWN], why[XA__WHY];
    int32_t *members = NULL, count = 0;
    char *colon = strchr(text, ':');
    if (!colon)
        XA_FAIL(err,
                XA_INVALID,
                "%s:%" PRId64 ": expected \"name: class | class | ...\", found \"%s\"",
                r->path,
                line,
                xa_show(text, shown));
    *colon = '\0';
    const char *name = trim(text);
    XA_TRY(err, check_name(r, line, name, err));
    XA_TRY(err, xa__class_set(r->labels, colon + 1, &members, &count, why, err));
    if (why[0] != '\0')
        XA_FAIL(err,
                XA_INVALID,
                "%s:%" PRId64 ": category \"%s\": %s",
                r->path,
                line,
                xa_show(name, shown),
                why);
    const int32_t twin = xa__label_find(r->labels, name);
    if (twin >= 0 && (count != 1 || members[0] != twin))
        XA_FAIL(err,
                XA_INVALID,
                "%s:%" PRId64
                ": category \"%s\" is also the name of class %d, and means other classes: "
                "call it otherwise here and in the manifest",
                r->path,
                line,
                xa_show(name, shown),
                (int)twin);
    if (twin < 0) /* else the name means that class */
        XA_TRY(err, xa_categories_add(&r->list, name, members, count, err));
done:
    free(members);
    return st;
}

xa_status xa_categories_read(
    const char *path, const xa_classes *classes, xa_label_as as, xa_categories *out, xa_err *err)
{
    xa_status st = XA_OK;
    char *data = NULL, *next = NULL;
    size_t size = 0;
    xa__labels labels = {0};
    reading r = {.path = path, .labels = &labels};
    bool any = false;
    XA_TRY(err, xa__labels_init(&labels, classes, as, err));
    XA_TRY(err, xa_read_file(path, FILE_MAX, &data, &size, err));
    if (memchr(data, '\0', size))
        XA_FAIL(err, XA_INVALID, "%s: holds NUL bytes: save it as UTF-8 text", path);
    char *p = data + (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    for (int64_t line = 1; p && *p != '\0'; line++, p = next) {
        next = strchr(p, '\n');
        if (next)
            *next++ = '\0';
        char *text = trim(p);
        if (*text == '\0' || *text == '#')
            continue;
        XA_TRY(err, read_line(&r, line, text, err));
        any = true;
    }
    if (!any)
        XA_FAIL(
            err, XA_INVALID, "%s: expected lines \"name: class | class | ...\", found none", path);
    *out = r.list;
    r.list = (xa_categories){0};
done:
    xa_categories_fini(&r.list);
    xa__labels_fini(&labels);
    free(data);
    return st;
}

/* ---- as text --------------------------------------------------------------------------------- */

xa_status xa_categories_text(const xa_categories *c, xa_str *out, xa_err *err)
{
    for (int32_t i = 0; i < c->count; i++) {
        for (int32_t k = 0; k < c->items[i].count; k++)
            xa_str_printf(out, "%s%d", k ? "|" : "", (int)c->items[i].members[k]);
        xa_str_printf(out, "\t%s\n", c->items[i].name);
    }
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the categories");
    return XA_OK;
}

/* Reads one line, which is changed in place. */
static xa_status parse_line(char *line, xa_categories *c, xa_err *err)
{
    xa_status st = XA_OK;
    char shown[XA_SHOWN];
    size_t cap = 0;
    int32_t *v = NULL, n = 0;
    char *name = strchr(line, '\t');
    bool good = name && name[1] != '\0';
    if (good)
        *name++ = '\0';
    for (char *p = line; good && p;) {
        char *next = strchr(p, '|');
        int64_t index;
        if (next)
            *next++ = '\0';
        good = *p >= '0' && *p <= '9' && (*p != '0' || p[1] == '\0') && xa_parse_i64(p, &index) &&
               index >= 0 && index < XA_CATEGORY && (n == 0 || index > v[n - 1]);
        XA_TRY(err, xa_grow(&v, &cap, (size_t)n + 1, sizeof *v, err));
        v[n++] = good ? (int32_t)index : -1;
        p = next;
    }
    if (!good)
        XA_FAIL(err,
                XA_FORMAT,
                "category %d: expected ascending classes, a tab and a name, found \"%s\"",
                (int)c->count,
                xa_show(line, shown));
    XA_TRY(err, xa_categories_add(c, name, v, n, err));
done:
    free(v);
    return st;
}

xa_status xa_categories_parse(const char *text, xa_categories *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_categories c = {0};
    char *copy = xa_strdup(text), *next = NULL;
    if (!copy)
        XA_FAIL(err, XA_NOMEM, "out of memory for the categories");
    for (char *p = copy; *p != '\0'; p = next) {
        next = strchr(p, '\n');
        if (!next)
            XA_FAIL(err, XA_FORMAT, "categories: the last line has no end");
        *next++ = '\0';
        XA_TRY(err, parse_line(p, &c, err));
    }
    *out = c;
    c = (xa_categories){0};
done:
    xa_categories_fini(&c);
    free(copy);
    return st;
}
