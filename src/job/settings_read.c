/* Settings from YAML, by their rows in the table. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

/* ---- one value ---- */

int xa__find_word(const char *const *words, const char *text)
{
    for (int i = 0; text && words[i]; i++)
        if (!strcmp(words[i], text))
            return i;
    return -1;
}

int xa__read_word(const xa__reading *r, const xa_setting *s, xa_ynode n)
{
    const char *text = xa__yaml_text(n);
    const int word = xa__find_word(s->words, text);
    size_t count = 0;
    xa_str list = {0};
    if (word >= 0)
        return word;
    while (s->words[count])
        count++;
    for (size_t i = 0; i < count; i++)
        xa_str_printf(&list, "%s%s", !i ? "" : count == 2 ? " or " : ", ", s->words[i]);
    const char *near = text ? xa_nearest(text, s->words, count) : NULL;
    XA_YAML_PROBLEM(r->problems,
                    n,
                    "%s: expected %s%s; found %s%s%s%s",
                    s->key,
                    count > 2 ? "one of " : "",
                    list.data ? list.data : "",
                    xa__found(n),
                    near ? " (did you mean " : "",
                    near ? near : "",
                    near ? "?)" : "");
    xa_str_free(&list);
    return -1;
}

int xa__read_kind(const xa__reading *r, xa_ynode n, xa_job_map which)
{
    xa_setting s = *xa__setting(which, "kind");
    s.key = xa__map_name(which); /* most are written without the key */
    return xa__read_word(r, &s, n);
}

static void read_text(const xa__reading *r, const xa_setting *s, xa_ynode n, char *at)
{
    const char *text = xa__yaml_text(n);
    const bool pointer = s->size == sizeof(char *);
    char *path = NULL;
    if (!text || !*text) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a %s, found %s",
                        s->key,
                        s->type == XA__PATH   ? "path"
                        : s->type == XA__NAME ? "name"
                                              : "text",
                        xa__found(n));
        return;
    }
    if (s->type == XA__NAME && !xa__is_name(text)) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected at most 60 letters, digits and _ . -, found \"%s\"",
                        s->key,
                        text);
        return;
    }
    if (!pointer && strlen(text) >= s->size) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected at most %zu characters, found %zu",
                        s->key,
                        s->size - 1,
                        strlen(text));
        return;
    }
    if (!pointer) {
        snprintf(at, s->size, "%s", text);
        return;
    }
    if (s->type == XA__PATH && (path = xa_path_beside(r->job->file, text)))
        xa_path_tidy(path);
    char *own = s->type == XA__PATH ? path : xa_strdup(text);
    if (!own)
        XA_YAML_PROBLEM(r->problems, n, "%s: out of memory", s->key);
    memcpy(at, &own, sizeof own);
}

/* A whole number into an int or int64_t. */
static void put_integer(const xa_setting *s, int64_t v, char *at)
{
    const int small = (int)v;
    if (s->size == sizeof v)
        memcpy(at, &v, sizeof v);
    else
        memcpy(at, &small, sizeof small);
}

/* A word's index or a truth into an enum or a bool. */
static void put_word(const xa_setting *s, int v, char *at)
{
    const bool truth = v != 0;
    if (s->size == sizeof truth)
        memcpy(at, &truth, sizeof truth);
    else
        memcpy(at, &v, sizeof v);
}

static void read_number(const xa__reading *r, const xa_setting *s, xa_ynode n, char *at)
{
    double v;
    const char *text = xa__yaml_text(n);
    const bool any = s->most >= DBL_MAX;
    if (text && xa_parse_f64(text, &v) && isfinite(v) && v >= s->least &&
        (s->below ? v < s->most : v <= s->most)) {
        memcpy(at, &v, sizeof v);
        return;
    }
    char bounds[64] = "";
    if (!any)
        snprintf(
            bounds, sizeof bounds, " from %g to %s%g", s->least, s->below ? "below " : "", s->most);
    XA_YAML_PROBLEM(
        r->problems, n, "%s: expected a number%s, found %s", s->key, bounds, xa__found(n));
}

static void read_plain(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    char *at = (char *)object + s->offset;
    int64_t whole;
    bool truth;
    int word;
    switch (s->type) {
    case XA__INTEGER:
        if (xa__read_i64(n, s->key, s->low, s->high, &whole, r->problems))
            put_integer(s, whole, at);
        break;
    case XA__NUMBER:
        read_number(r, s, n, at);
        break;
    case XA__TRUTH:
        if (xa__read_bool(n, s->key, &truth, r->problems))
            put_word(s, truth, at);
        break;
    case XA__WORD:
        word = xa__read_word(r, s, n);
        if (word >= 0)
            put_word(s, word, at);
        break;
    case XA__MAP:
        xa__read_map(r, n, s->sub, -1, at);
        break;
    default:
        read_text(r, s, n, at);
    }
}

/* ---- a map ---- */

bool xa__is_map(const xa__reading *r, xa_ynode n, xa_job_map which)
{
    if (xa__yaml_kind(n) == XA_Y_MAP)
        return true;
    XA_YAML_PROBLEM(r->problems,
                    n,
                    "%s: expected a map %s; found %s",
                    xa__map_name(which),
                    xa__map_example(which),
                    xa__found(n));
    return false;
}

static void unknown_key(const xa__reading *r, xa_ynode key_node, const char *key, xa_job_map which)
{
    size_t n, known = 0;
    const xa_setting *all = xa__settings(&n);
    const char **keys = xa_alloc(n, sizeof *keys);
    xa_str list = {0};
    for (size_t i = 0; keys && i < n; i++)
        if (all[i].map == which && all[i].key) {
            xa_str_printf(&list, "%s%s", known ? ", " : "", all[i].key);
            keys[known++] = all[i].key;
        }
    const char *near = key && keys ? xa_nearest(key, keys, known) : NULL;
    XA_YAML_PROBLEM(r->problems,
                    key_node,
                    "%s: unknown setting \"%s\"; %s%s%s",
                    xa__map_name(which),
                    key ? key : "?",
                    near ? "did you mean \"" : "known are: ",
                    near ? near : (list.data ? list.data : ""),
                    near ? "\"?" : "");
    xa_str_free(&list);
    free(keys);
}

static void check_keys(const xa__reading *r, xa_ynode map, xa_job_map which)
{
    for (int i = 0; i < xa__yaml_count(map); i++) {
        const xa_ynode node = xa__yaml_key_node(map, i);
        const char *key = xa__yaml_text(node);
        bool twice = false;
        for (int k = 0; key && k < i && !twice; k++) {
            const char *other = xa__yaml_key(map, k, NULL, NULL);
            twice = other && !strcmp(other, key);
        }
        if (twice)
            XA_YAML_PROBLEM(
                r->problems, node, "%s: \"%s\" is given twice", xa__map_name(which), key);
        if (!key || !xa__setting(which, key))
            unknown_key(r, node, key, which);
    }
}

static void missing(const xa__reading *r, xa_ynode map, const xa_setting *s)
{
    xa_str values = {0};
    xa__values_text(s, &values);
    XA_YAML_PROBLEM(r->problems,
                    map,
                    "%s: `%s` is missing: %s (%s)",
                    xa__map_name(s->map),
                    s->key,
                    s->help,
                    values.data ? values.data : "");
    xa_str_free(&values);
}

static void wrong_kind(const xa__reading *r, xa_ynode n, const xa_setting *s, int kind)
{
    xa_str kinds = {0};
    xa__kinds_text(s, false, &kinds);
    XA_YAML_PROBLEM(r->problems,
                    n,
                    "%s: a setting of %s, not of %s",
                    s->key,
                    kinds.data ? kinds.data : "",
                    xa__kind_name(s->map, kind));
    xa_str_free(&kinds);
}

/* What --output has set already is neither read nor missed. */
static bool is_given(const xa_setting *s, const void *object)
{
    const char *text = NULL;
    if (s->size == sizeof text && (s->type == XA__PATH || s->type == XA__TEXT))
        memcpy(&text, (const char *)object + s->offset, sizeof text);
    return text != NULL;
}

static void
read_setting(const xa__reading *r, const xa_setting *s, xa_ynode map, int kind, void *object)
{
    const xa_ynode n = xa__yaml_get(map, s->key);
    if (is_given(s, object))
        return;
    if (!n.id) {
        if (s->needed)
            missing(r, map, s);
    } else if (!xa__kind_has(s, kind)) {
        wrong_kind(r, n, s, kind);
    } else if (s->read) {
        s->read(r, s, n, object);
    } else {
        read_plain(r, s, n, object);
    }
}

void xa__read_map(const xa__reading *r, xa_ynode map, xa_job_map which, int kind, void *object)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    if (!xa__is_map(r, map, which))
        return;
    check_keys(r, map, which);
    for (int late = 0; late < 2; late++)
        for (size_t i = 0; i < n; i++)
            if (all[i].map == which && all[i].key && !all[i].before && all[i].late == (late == 1))
                read_setting(r, &all[i], map, kind, object);
}

void xa__set_defaults(xa_job_map which, void *object)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        char *at = (char *)object + s->offset;
        int64_t whole = 0;
        if (s->map != which)
            continue;
        if (s->type == XA__MAP && s->sub != which)
            xa__set_defaults(s->sub, at);
        else if (!s->initial)
            continue;
        else if (s->type == XA__INTEGER && xa_parse_i64(s->initial, &whole))
            put_integer(s, whole, at);
        else if (s->type == XA__WORD)
            put_word(s, xa__find_word(s->words, s->initial), at);
    }
}
