/* Paths of datasets: made from the table's patterns, and matched with them. */
#include <string.h>

#include "xaudit/format.h"

/* "<m>" in a pattern is three bytes. */
enum { PLACE_BYTES = 3 };

static void append(xa_path *to, size_t *at, const char *text, size_t n)
{
    const size_t room = sizeof to->text - 1 - *at;
    n = n < room ? n : room;
    memcpy(to->text + *at, text, n);
    *at += n;
    to->text[*at] = '\0';
}

/* The pattern with its names put in, as far as they are given and up to `end`. */
static xa_path
put_names(const char *pattern, const char *end, const char *m, const char *e, const char *k)
{
    xa_path out = {""};
    size_t at = 0;
    for (const char *p = pattern; p < end;) {
        if (*p != '<') {
            append(&out, &at, p++, 1);
            continue;
        }
        const char *name = p[1] == 'm' ? m : p[1] == 'e' ? e : k;
        if (!name) {
            if (at > 0 && out.text[at - 1] == '/') /* the slash before the name */
                out.text[at - 1] = '\0';
            return out;
        }
        append(&out, &at, name, strlen(name));
        p += PLACE_BYTES;
    }
    return out;
}

const char *xa_field_path(xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    return def ? def->path : "";
}

xa_path xa_field_name(xa_field_kind kind, const char *model, const char *explainer, const char *key)
{
    const char *pattern = xa_field_path(kind);
    return put_names(pattern, pattern + strlen(pattern), model, explainer, key);
}

xa_path xa_field_group(xa_field_kind kind, const char *model, const char *explainer)
{
    const char *pattern = xa_field_path(kind), *slash = strrchr(pattern, '/');
    return put_names(pattern, slash ? slash : pattern, model, explainer, NULL);
}

xa_path xa_field_check(const char *model, const char *explainer, const char *check)
{
    const char *pattern = xa_field_path(XA_FIELD_CHECK_STATUS);
    return put_names(pattern, strrchr(pattern, '/'), model, explainer, check);
}

xa_path xa_pair_name(const char *a, const char *b)
{
    xa_path out = {""};
    size_t at = 0;
    append(&out, &at, a, strlen(a));
    append(&out, &at, "__", 2);
    append(&out, &at, b, strlen(b));
    return out;
}

/* Whether a path is one of the pattern, and the names in it. */
static bool matches(const char *pattern, const char *path, xa_field_names *names)
{
    *names = (xa_field_names){.model = ""};
    while (*pattern && *path) {
        if (*pattern != '<') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        char *to = pattern[1] == 'm'   ? names->model
                   : pattern[1] == 'e' ? names->explainer
                                       : names->key;
        const size_t n = strcspn(path, "/");
        if (n == 0 || n > XA_NAME_BYTES)
            return false;
        memcpy(to, path, n);
        to[n] = '\0';
        path += n;
        pattern += PLACE_BYTES;
    }
    return !*pattern && !*path;
}

bool xa_field_match(const char *path, xa_type type, xa_field_kind *kind, xa_field_names *names)
{
    for (int k = 0; k < (int)XA_FIELD_KINDS; k++) {
        const xa_field_def *def = xa_field_get((xa_field_kind)k);
        if ((type == def->type || (k == XA_FIELD_MAP_VALUES && type == XA_TYPE_F16)) &&
            matches(def->path, path, names)) {
            *kind = (xa_field_kind)k;
            return true;
        }
    }
    *names = (xa_field_names){.model = ""};
    return false;
}
